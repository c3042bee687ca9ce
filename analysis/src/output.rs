//! Writing result files so that a reader never sees half of one.

use std::io::{self, Write};
use std::path::Path;

use crate::{Error, files};

/// Writes `bytes` to a temporary file beside `path`, then renames it.
///
/// # Errors
/// [`Error::Write`] when the directory or the disk refuses.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    files::replace(path, |file| file.write_all(bytes)).map_err(|source| failed(path, source))
}

/// Deletes a file of an earlier run, if it is there.
///
/// # Errors
/// [`Error::Write`] when the directory refuses.
pub fn remove(path: &Path) -> Result<(), Error> {
    files::remove(path).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Write {
        path: path.to_owned(),
        source,
    }
}

/// One record as a line of CSV, fields quoted where they must be.
///
/// # Errors
/// Never for a writer into memory; the caller passes the error on all the same.
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
