//! Writing result files so that a reader never sees half of one.

use std::fs;
use std::io;
use std::path::Path;

use crate::Error;

/// Writes `bytes` to a temporary file beside `path`, then renames it.
///
/// # Errors
/// [`Error::Write`] when the directory or the disk refuses.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".partial");
    fs::write(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(|source| Error::Write {
            path: path.to_owned(),
            source,
        })
}

/// Deletes a file of an earlier run, if it is there.
///
/// # Errors
/// [`Error::Write`] when the directory refuses.
pub fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::Write {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// One record as a line of CSV, fields quoted where they must be.
///
/// # Errors
/// Never for a writer into memory; the caller passes the error on all the same.
pub fn csv_bytes(path: &Path, records: &[Vec<String>]) -> Result<Vec<u8>, Error> {
    let failed = |source: io::Error| Error::Write {
        path: path.to_owned(),
        source,
    };
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
