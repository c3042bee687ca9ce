//! `manifest.json`: what a run says about itself.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::Error;
use crate::figure::spec::Figure;

/// The fields of the manifest that the analysis reads; others may be there.
#[derive(Debug, Deserialize)]
pub struct Manifest {
    /// The title of the scenario, for figures without one of their own.
    #[serde(default)]
    pub title: String,
    /// The swept keys, in the order of the columns.
    #[serde(default)]
    pub swept: Vec<String>,
    /// The figures to draw.
    #[serde(default)]
    pub figures: Vec<Figure>,
    /// Where it was read.
    #[serde(skip)]
    pub path: PathBuf,
}

impl Manifest {
    /// Reads `manifest.json` in `directory`.
    ///
    /// # Errors
    /// When the file is missing, is not JSON, or a figure in it has an unknown key.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("manifest.json");
        let text = fs::read_to_string(&path).map_err(|source| Error::Read {
            path: path.clone(),
            source,
        })?;
        let mut manifest: Self = serde_json::from_str(&text).map_err(|source| Error::Manifest {
            path: path.clone(),
            source,
        })?;
        manifest.path = path;
        Ok(manifest)
    }
}
