//! The scenarios as far as the report needs them, given by the caller.

use std::path::PathBuf;

/// A scenario in its full and its quick form.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The name, which is that of its folder of results.
    pub name: String,
    /// The path of its file.
    pub file: PathBuf,
    /// The full form.
    pub full: Form,
    /// The form with the scenario's `[quick]` table.
    pub quick: Form,
}

/// The runs of a scenario in one form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// The swept keys.
    pub swept: Vec<String>,
    /// The values of the swept keys at each point.
    pub points: Vec<Vec<String>>,
    /// The name of each run, which contains the hash of its resolved scenario, and the index of its
    /// point.
    pub runs: Vec<(String, usize)>,
}
