//! What an experiment is: its keys, its tables, its cost, its run.

use crate::engine::Seed;
use crate::parameter::{Problem, Section, Table};
use dhtlab_analysis::view::Recording;
use std::path::Path;

/// A table of results in long format: its name and the columns after the keys.
#[derive(Clone, Copy, Debug)]
pub struct TableSpec {
    /// The name; the file is `NAME.csv`.
    pub name: &'static str,
    /// The columns after run, repetition and the swept keys.
    pub columns: &'static [&'static str],
    /// What may stand in the column `quantity`, if it has one.
    pub quantities: &'static [&'static str],
}

/// The rows of one table that one run gave, each with one cell a column.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rows(pub Vec<Vec<String>>);

/// What one run gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    /// The metrics, in the order of [`Experiment::metrics`].
    pub metrics: Vec<String>,
    /// The rows of each long table, in the order of [`Experiment::tables`].
    pub tables: Vec<Rows>,
    /// What the user should know: a bound that was reached, a graph that was cut.
    pub notes: Vec<String>,
}

/// What a run is expected to take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Events, or steps of like size.
    pub events: f64,
    /// Memory in bytes.
    pub bytes: f64,
}

/// One point of a sweep, read and checked: it can be run with any seed.
pub trait Run: Send + Sync {
    /// The scenario as resolved, every default filled in, nested as in a file.
    fn resolved(&self) -> toml::Table;

    /// What it will take, roughly.
    fn cost(&self) -> Cost;

    /// Runs it. The same seed gives the same outcome.
    ///
    /// # Errors
    /// What became clear only while the world was built, such as a graph whose largest
    /// component is too small.
    fn run(&self, seed: Seed) -> Result<Outcome, Problem>;

    /// It as a run that can be recorded.
    ///
    /// # Errors
    /// If no network runs in it, or one that is too large to be watched.
    fn recorded(&self) -> Result<&dyn Recorded, Problem> {
        let message = "no network runs in this kind of experiment, so there is nothing to record";
        Err(Problem::new("experiment", message))
    }
}

/// A run of a small network, which can be taken down event by event.
pub trait Recorded {
    /// Runs it, and takes it down into `recording`. The outcome is that of [`Run::run`].
    ///
    /// # Errors
    /// Those of [`Run::run`].
    fn record(&self, seed: Seed, recording: &mut Recording) -> Result<Outcome, Problem>;
}

/// A kind of experiment.
pub trait Experiment: Sync {
    /// The word that names it in a scenario file.
    fn name(&self) -> &'static str;

    /// What it does, in a sentence.
    fn doc(&self) -> &'static str;

    /// The tables of a scenario file that it reads.
    fn sections(&self) -> Vec<Section>;

    /// The columns of `runs.csv` after the keys.
    fn metrics(&self) -> &'static [&'static str];

    /// Its tables in long format.
    fn tables(&self) -> &'static [TableSpec];

    /// Reads and checks one point of a scenario; `folder` is that of the file.
    ///
    /// # Errors
    /// The first key that is wrong, or cannot be meant together with another.
    fn prepare(&self, values: &Table<'_>, folder: &Path) -> Result<Box<dyn Run>, Problem>;
}
