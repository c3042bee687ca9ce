//! `manifest.json`: the description of a run's results.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use dhtlab_files::Links;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;

use crate::Error;
use crate::figure::Figure;
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
        let read = dhtlab_files::read_text(&path, Links::Refused, dhtlab_files::MOST);
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
        if let Some(name) = manifest.names().find(|name| !dhtlab_files::is_name(name)) {
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
    dhtlab_files::checksum_of(Value::Object(fields).to_string().as_bytes())
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
    let mut changes = changed(directory, &sums);
    changes.retain(|_, how| *how != FileChange::Gone);
    match changes.pop_first() {
        None => Ok(()),
        Some((file, how)) => Err(Error::Changed {
            path: directory.join(file),
            how,
        }),
    }
}

/// The difference of a file from its entry in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// The checksum differs.
    Changed,
    /// The file is missing.
    Gone,
    /// The file cannot or must not be read, with the reason.
    Unreadable(String),
}

impl fmt::Display for FileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("was changed after the run"),
            Self::Gone => f.write_str("is gone"),
            Self::Unreadable(why) => write!(f, "cannot be read: {why}"),
        }
    }
}

/// The files in `folder` whose checksums differ from those of a manifest, with the difference.
pub fn changed(folder: &Path, files: &BTreeMap<String, String>) -> BTreeMap<String, FileChange> {
    let difference = |file: &String, sum: &String| {
        if !dhtlab_files::is_name(file) {
            return Some(FileChange::Unreadable(
                "it is not in this folder".to_owned(),
            ));
        }
        match dhtlab_files::checksum(&folder.join(file)) {
            Ok(found) if found == *sum => None,
            Ok(_) => Some(FileChange::Changed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(FileChange::Gone),
            Err(error) => Some(FileChange::Unreadable(error.to_string())),
        }
    };
    let found = files
        .iter()
        .filter_map(|(file, sum)| Some((file.clone(), difference(file, sum)?)));
    found.collect()
}
