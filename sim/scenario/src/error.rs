//! Errors in a scenario file, with their location.

use std::fmt;
use std::path::{Path, PathBuf};

/// The location of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyLocation {
    /// A line of the file, counted from 1.
    Line(usize),
    /// The command-line option that set it.
    Option(String),
    /// The file as a whole.
    File,
}

/// An error in a scenario file: file, line, key, and the expected value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// The file.
    pub file: PathBuf,
    /// The location in it.
    pub place: KeyLocation,
    /// The dotted path of the key; empty for the file as a whole.
    pub key: String,
    /// What was expected and what was found.
    pub message: String,
    /// Further errors of the same file.
    pub others: Vec<ScenarioError>,
}

impl ScenarioError {
    /// An error of `file` as a whole.
    pub fn of_file(file: &Path, message: impl fmt::Display) -> Self {
        Self {
            file: file.to_owned(),
            place: KeyLocation::File,
            key: String::new(),
            message: message.to_string(),
            others: Vec::new(),
        }
    }
}

impl fmt::Display for ScenarioError {
    /// A line per error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match &self.place {
            KeyLocation::Line(line) => write!(f, ":{line}")?,
            KeyLocation::Option(option) => write!(f, ": {option}")?,
            KeyLocation::File => {}
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)?;
        self.others
            .iter()
            .try_for_each(|other| write!(f, "\n{other}"))
    }
}

impl std::error::Error for ScenarioError {}
