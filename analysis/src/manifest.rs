//! `manifest.json`: what a run says about itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;

use crate::Error;
use crate::figure::spec::Figure;
use crate::files::{self, FileChange, Links};
use crate::view::RECORDING;

/// The file that holds it.
pub const MANIFEST: &str = "manifest.json";

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
    /// The SHA-1 of each file that the run left, in hexadecimal digits.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Where it was read.
    #[serde(skip)]
    pub path: PathBuf,
}

impl Manifest {
    /// Reads `manifest.json` in `directory`.
    ///
    /// # Errors
    /// When the file is missing, is not JSON, a figure in it has an unknown key, or something in it
    /// names a file that is not in `directory`.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(MANIFEST);
        let read = files::read_text(&path, Links::Refused, files::MOST);
        let text = read.map_err(|source| Error::Read {
            path: path.clone(),
            source,
        })?;
        let fault = |source| Error::Manifest {
            path: path.clone(),
            source,
        };
        let value: Value = serde_json::from_str(&text).map_err(fault)?;
        if is_sealed(&value) == Some(false) {
            return Err(Error::Changed {
                path,
                how: FileChange::Changed,
            });
        }
        if !value.is_object() {
            return Err(fault(serde_json::Error::custom("expected a JSON object")));
        }
        let mut manifest: Self = serde_json::from_value(value).map_err(fault)?;
        if let Some(name) = manifest.names().find(|name| !files::is_name(name)) {
            let message = format!("expected the name of a file in this folder, found {name:?}");
            return Err(fault(serde_json::Error::custom(message)));
        }
        manifest.path = path;
        Ok(manifest)
    }

    /// All that it names of files, some without what they end in.
    fn names(&self) -> impl Iterator<Item = &str> {
        let own = self
            .figures
            .iter()
            .filter_map(|figure| figure.name.as_deref());
        own.chain(self.figures.iter().map(Figure::table_name))
            .chain(self.files.keys().map(String::as_str))
    }
}

/// The field with the checksum of all other fields.
pub const SEAL: &str = "checksum";

/// Adds the checksum of all its fields to a manifest.
pub fn seal(manifest: &mut Value) {
    let sum = sum(manifest);
    manifest[SEAL] = Value::String(sum);
}

/// Whether a manifest is as it was written; `None` if it never had a checksum.
pub fn is_sealed(manifest: &Value) -> Option<bool> {
    let found = manifest.get(SEAL)?;
    Some(found.as_str() == Some(&sum(manifest)))
}

fn sum(manifest: &Value) -> String {
    let mut fields = manifest.as_object().cloned().unwrap_or_default();
    fields.shift_remove(SEAL);
    files::checksum_of(Value::Object(fields).to_string().as_bytes())
}

/// Checks that the files in `directory` are as the run left them, by the checksums in its manifest;
/// results of versions without checksums are taken as they are.
///
/// # Errors
/// [`Error::Changed`] for the first file that is not; those of reading the manifest.
pub fn verify(directory: &Path) -> Result<(), Error> {
    check(directory, |file| file != RECORDING)
}

/// Checks the files that `is_read` in `directory`; one that is gone is told by whoever reads it.
pub(crate) fn check(directory: &Path, is_read: impl Fn(&str) -> bool) -> Result<(), Error> {
    let mut sums = Manifest::read(directory)?.files;
    sums.retain(|file, _| is_read(file));
    let mut changed = files::changed(directory, &sums);
    changed.retain(|_, how| *how != FileChange::Gone);
    match changed.pop_first() {
        None => Ok(()),
        Some((file, how)) => Err(Error::Changed {
            path: directory.join(file),
            how,
        }),
    }
}
