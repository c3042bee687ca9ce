//! What can go wrong between the files of a run and its figures.

use std::io;
use std::path::{Path, PathBuf};

use crate::figure::FigureError;
use crate::files::FileChange;

/// Why a summary or a figure could not be made. Each message names the file it is about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("{}: cannot read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("{}: cannot write: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The manifest is not what a run writes.
    #[error("{}: {source}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What does not fit, with line and column.
        source: serde_json::Error,
    },
    /// A file is not as the run left it.
    #[error("{}: the file {how}; restore it, or remove the results and run again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What is different.
        how: FileChange,
    },
    /// A recording is not what a run writes.
    #[error("{}: {message}", path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        message: String,
    },
    /// A table is not well-formed CSV, or a cell is not what its column holds.
    #[error("{}:{line}: {message}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What was expected there.
        message: String,
    },
    /// A table has a header at most.
    #[error("{}: the table has no rows", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A column that must be there is not.
    #[error("{}: no column `{column}`; the columns are {known}", path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column looked for.
        column: String,
        /// The columns that are there.
        known: String,
    },
    /// The specification of a figure does not fit the results.
    #[error("{}: figure `{figure}`: {problem}", path.display())]
    Figure {
        /// The file that holds the specification.
        path: PathBuf,
        /// The name of the figure.
        figure: String,
        /// What does not fit.
        problem: FigureError,
    },
    /// The results hold nothing that this figure could show.
    #[error("{}: figure `{figure}`: {message}", path.display())]
    Data {
        /// The table that the figure reads.
        path: PathBuf,
        /// The name of the figure.
        figure: String,
        /// What is missing.
        message: String,
    },
    /// A file of published claims, which are built in, is not as it has to be.
    #[error("analysis/published/{file}: {message}")]
    Claim {
        /// The name of the file.
        file: String,
        /// What does not fit.
        message: String,
    },
    /// There is nothing to report on.
    #[error("{}: {message}", path.display())]
    NoResults {
        /// The folder.
        path: PathBuf,
        /// What was looked for.
        message: String,
    },
    /// A figure could not be drawn, or its SVG not be turned into a PNG.
    #[error("{}: cannot render: {message}", path.display())]
    Render {
        /// The SVG or PNG file.
        path: PathBuf,
        /// What the library for it said.
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
