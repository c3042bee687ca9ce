//! Faults of a scenario file, told so that they can be mended.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a key stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyLocation {
    /// A line of the file, counted from 1.
    Line(usize),
    /// The option of the command that set it.
    Option(String),
    /// Nowhere in particular.
    File,
}

/// A fault in a scenario file: file, line, key, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// The file.
    pub file: PathBuf,
    /// The place in it.
    pub place: KeyLocation,
    /// The dotted path of the key, empty where the file as a whole is at fault.
    pub key: String,
    /// What was expected and what was found.
    pub message: String,
}

impl ScenarioError {
    /// A fault of `file` as a whole.
    pub fn of_file(file: &Path, message: impl fmt::Display) -> Self {
        Self {
            file: file.to_owned(),
            place: KeyLocation::File,
            key: String::new(),
            message: message.to_string(),
        }
    }
}

impl fmt::Display for ScenarioError {
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
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ScenarioError {}
