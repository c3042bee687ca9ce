//! Writes result files so that a reader never sees a partial file.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::Error;

/// Writes `bytes` to a temporary file beside `path`, then renames it.
///
/// # Errors
/// [`Error::Write`] when the directory or the disk refuses.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    dhtlab_files::replace(path, |file| file.write_all(bytes)).map_err(|source| failed(path, source))
}

/// Creates a directory, if it does not exist.
///
/// # Errors
/// [`Error::Write`] when something else has its name, a symbolic link included, and those of the
/// disk.
pub fn directory(path: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(found) => {
            let what = if found.is_symlink() {
                "a symbolic link"
            } else {
                "a file"
            };
            let message = format!("it is {what}; expected a directory");
            Err(failed(path, io::Error::other(message)))
        }
        Err(_) => fs::create_dir_all(path).map_err(|source| failed(path, source)),
    }
}

/// Deletes a file of an earlier run, if it exists.
///
/// # Errors
/// [`Error::Write`] when the directory refuses.
pub fn remove(path: &Path) -> Result<(), Error> {
    dhtlab_files::remove(path).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Write {
        path: path.to_owned(),
        source,
    }
}

/// Records as lines of CSV, with fields quoted where necessary.
///
/// # Errors
/// Not for a writer into memory; the error is passed on nevertheless.
pub fn csv_bytes(path: &Path, records: &[Vec<String>]) -> Result<Vec<u8>, Error> {
    let failed = |source| failed(path, source);
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    for record in records {
        writer
            .write_record(record)
            .map_err(|error| failed(error.into()))?;
    }
    writer
        .into_inner()
        .map_err(|error| failed(io::Error::other(error.to_string())))
}
