//! Errors in reading the files of a run and making its figures.

use std::io;
use std::path::{Path, PathBuf};

use crate::figure::FigureError;
use crate::manifest::FileChange;

/// Why a summary or a figure could not be made. Each message names its file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("{}: cannot read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("{}: cannot write: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The manifest is invalid.
    #[error("{}: {source}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The error, with line and column.
        source: serde_json::Error,
    },
    /// A file was changed after the run.
    #[error("{}: the file {how}; restore it, or remove the results and run again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The difference.
        how: FileChange,
    },
    /// A recording is invalid.
    #[error("{}: {message}", path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// The fault.
        message: String,
    },
    /// A table is not well-formed CSV, or a cell has an invalid value.
    #[error("{}:{line}: {message}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The expected content.
        message: String,
    },
    /// A table has no rows.
    #[error("{}: the table has no rows", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A required column is missing.
    #[error("{}: no column `{column}`; the columns are {known}", path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The missing column.
        column: String,
        /// The existing columns.
        known: String,
    },
    /// The specification of a figure does not fit the results.
    #[error("{}: figure `{figure}`: {problem}", path.display())]
    Figure {
        /// The file with the specification.
        path: PathBuf,
        /// The name of the figure.
        figure: String,
        /// The fault.
        problem: FigureError,
    },
    /// The results have no data for this figure.
    #[error("{}: figure `{figure}`: {message}", path.display())]
    Data {
        /// The table that the figure reads.
        path: PathBuf,
        /// The name of the figure.
        figure: String,
        /// What is missing.
        message: String,
    },
    /// A built-in file of published claims is invalid.
    #[error("analysis/published/{file}: {message}")]
    Claim {
        /// The name of the file.
        file: String,
        /// The fault.
        message: String,
    },
    /// Results cannot be compared.
    #[error("{}: {why}", path.display())]
    Incomparable {
        /// The folder of the results.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// There are no results to report on.
    #[error("{}: {message}", path.display())]
    NoResults {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        message: String,
    },
    /// A figure could not be drawn, or its SVG could not be converted to PNG.
    #[error("{}: cannot render: {message}", path.display())]
    Render {
        /// The SVG or PNG file.
        path: PathBuf,
        /// The error of the library.
        message: String,
    },
}

impl Error {
    /// The error of reading CSV from the file `path`, with the line.
    pub fn of_csv(path: &Path, error: csv::Error) -> Self {
        let line = error.position().map_or(1, csv::Position::line);
        match error.into_kind() {
            csv::ErrorKind::Io(source) => Self::Read {
                path: path.to_owned(),
                source,
            },
            csv::ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => Self::Table {
                path: path.to_owned(),
                line,
                message: format!("expected {expected_len} cells, found {len}"),
            },
            other => Self::Table {
                path: path.to_owned(),
                line,
                message: format!("not well-formed CSV: {other:?}"),
            },
        }
    }
}
