//! `manifest.json`: the description of a run's results.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;

use crate::Error;
use crate::figure::Figure;
use crate::files::{self, FileChange, Links};
use crate::recording::RECORDING;

/// The file name of the manifest.
pub const MANIFEST: &str = "manifest.json";

/// The fields of the manifest that the analysis reads; others are ignored.
#[derive(Debug, Deserialize)]
pub struct Manifest {
    /// The title of the scenario, for figures without a title.
    #[serde(default)]
    pub title: String,
    /// The kind of experiment; empty in older manifests.
    #[serde(default)]
    pub experiment: String,
    /// The swept keys, in the order of the columns.
    #[serde(default)]
    pub swept: Vec<String>,
    /// The figures to draw.
    #[serde(default)]
    pub figures: Vec<Figure>,
    /// The least and the largest possible value of the columns that figures show; columns without a
    /// range, as in older manifests, are not checked.
    #[serde(default)]
    pub ranges: BTreeMap<String, (Option<f64>, Option<f64>)>,
    /// The SHA-1 of each file of the run, in hexadecimal digits.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The path of the manifest.
    #[serde(skip)]
    pub path: PathBuf,
}

impl Manifest {
    /// Reads `manifest.json` in `directory`.
    ///
    /// # Errors
    /// When the file is missing, is not JSON, a figure in it has an unknown key, or a name in it
    /// refers to a file outside of `directory`.
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

    /// All file names in the manifest, some without their extension.
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

/// Adds to a manifest the checksum of all its fields.
pub fn seal(manifest: &mut Value) {
    let sum = sum(manifest);
    manifest[SEAL] = Value::String(sum);
}

/// Whether a manifest is unchanged; `None` if it has no checksum.
pub fn is_sealed(manifest: &Value) -> Option<bool> {
    let found = manifest.get(SEAL)?;
    Some(found.as_str() == Some(&sum(manifest)))
}

fn sum(manifest: &Value) -> String {
    let mut fields = manifest.as_object().cloned().unwrap_or_default();
    fields.shift_remove(SEAL);
    files::checksum_of(Value::Object(fields).to_string().as_bytes())
}

/// Checks that the files in `directory` are unchanged since the run, by the checksums in its
/// manifest. Results of versions without checksums are accepted.
///
/// # Errors
/// [`Error::Changed`] for the first changed file; those of reading the manifest.
pub fn verify(directory: &Path) -> Result<(), Error> {
    check(directory, |file| file != RECORDING)
}

/// Checks the files for which `is_read` is true in `directory`; a missing file is reported when it
/// is read.
pub fn check(directory: &Path, is_read: impl Fn(&str) -> bool) -> Result<(), Error> {
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
