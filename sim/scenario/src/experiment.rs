//! The traits of an experiment: its keys, tables, cost and runs.

use super::{Cell, Column, NetworkScenario};
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::{ConfigError, Map, Section, Table, Value};
use dhtlab_core::underlay::Facts;
use dhtlab_format::recording::Recording;
use std::path::Path;

/// A table of results in long format: its name, and the columns after the keys.
#[derive(Clone, Copy, Debug)]
pub struct TableSpec {
    /// The name; the file is `NAME.csv`.
    pub name: &'static str,
    /// The columns after run, repetition and swept keys.
    pub columns: &'static [Column],
    /// The values of the column `quantity`, if the table has one.
    pub quantities: &'static [&'static str],
}

/// The rows of one table from one run, one cell per column.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TableRows(pub Vec<Vec<Cell>>);

/// The results of one run.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RunOutput {
    /// The metrics, in the order of [`Experiment::metrics`].
    pub metrics: Vec<Cell>,
    /// The rows of each long table, in the order of [`Experiment::tables`].
    pub tables: Vec<TableRows>,
    /// Notes for the user: a bound that was reached, a graph that was reduced.
    pub notes: Vec<String>,
}

/// The beginning of the note of a run that ended short of memory.
pub const STOPPED_FOR_MEMORY: &str = "stopped at the limit of memory";

impl RunOutput {
    /// The number that is the metric `name` of `experiment`; none if the cell is empty.
    pub fn metric(&self, experiment: &dyn Experiment, name: &str) -> Option<f64> {
        let mut columns = experiment.metrics().iter();
        let place = columns.position(|column| column.name == name)?;
        self.metrics.get(place)?.number()
    }

    /// Whether the run ended early, short of memory.
    pub fn is_short_of_memory(&self) -> bool {
        let mut notes = self.notes.iter();
        notes.any(|note| note.starts_with(STOPPED_FOR_MEMORY))
    }
}

/// Events that a core handles per second if no trial has measured it: a Chord of a million nodes
/// reaches 2 million, networks that fit in the cache more.
pub const EVENTS_PER_SECOND: f64 = 3e6;

/// The expected cost of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Events, or steps of similar size.
    pub events: f64,
    /// Memory in bytes.
    pub bytes: f64,
}

/// A point of a sweep, validated: it runs with any seed.
pub trait Run: Send + Sync {
    /// The resolved scenario without `experiment`: every default filled in, nested as in a file.
    fn resolved(&self) -> Map;

    /// Rough estimate of its cost.
    fn cost(&self) -> Cost;

    /// Facts about the file of its underlay, if it has one.
    fn facts(&self) -> Option<Facts> {
        None
    }

    /// Its network scenario, if it simulates a network.
    fn network(&self) -> Option<&NetworkScenario> {
        None
    }

    /// The tables that it leaves empty, each with what it has rows of.
    fn empty_tables(&self) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }

    /// Runs its beginning for about `budget`, and returns the estimated processor time of a whole
    /// run in seconds. `None` if only a whole run gives it.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    fn trial(&self, _seed: Seed, _budget: std::time::Duration) -> Result<Option<f64>, ConfigError> {
        Ok(None)
    }

    /// Minimum number of events of a trial; all of them if only a whole run gives the time.
    fn least_trial(&self) -> f64 {
        self.cost().events
    }

    /// Runs it. The same seed gives the same results.
    ///
    /// # Errors
    /// Errors that only building the network reveals, such as a graph whose largest component is
    /// too small.
    fn run(&self, seed: Seed) -> Result<RunOutput, ConfigError>;

    /// This run as a recordable one.
    ///
    /// # Errors
    /// If it simulates no network, or one that is too large to be shown.
    fn recorded(&self) -> Result<&dyn Recordable, ConfigError> {
        let message = "this kind of experiment has no recording";
        Err(ConfigError::new("experiment", message))
    }
}

/// The tables of a resolved scenario.
pub fn sections<const N: usize>(tables: [(&str, Value); N]) -> Map {
    let named = |(name, table): (&str, Value)| (name.to_owned(), table);
    tables.into_iter().map(named).collect()
}

/// A run of a small network that can be recorded event by event.
pub trait Recordable {
    /// Runs it and fills `recording`. The results are those of [`Run::run`].
    ///
    /// # Errors
    /// Those of [`Run::run`].
    fn record(&self, seed: Seed, recording: &mut Recording) -> Result<RunOutput, ConfigError>;
}

/// A kind of experiment.
///
/// It defines the tables of a scenario file that it reads and the columns of its results. Sweeps,
/// repetitions, seeds, checks of keys and ranges, and the names of runs are handled by
/// [`Scenario::read`](super::Scenario::read).
///
/// # An experiment of your own
///
/// How many IDs of b bits are drawn until two are the same? On average the square root of
/// pi 2^b / 2, and 2/3 more.
///
/// ```
/// use dhtlab_core::engine::Seed;
/// use dhtlab_core::parameter::{ConfigError, Map, Parameters, Section, Table};
/// use dhtlab_scenario::{
///     Column, Cost, Experiment, Overrides, Run, RunOutput, Scenario, Source, TableSpec,
/// };
/// use dhtlab_core::space::Key;
/// use std::collections::BTreeSet;
/// use std::path::Path;
///
/// dhtlab_core::parameters! {
///     /// IDs are drawn until two are the same.
///     pub struct CollisionParameters {
///         /// Bits of an ID.
///         pub bits: u32 = 16, within 1..=32;
///         /// Number of trials.
///         pub trials: u32 = 100, within 1..=1_000_000;
///     }
/// }
///
/// dhtlab_scenario::columns! {
///     METRICS, fn metrics(counts: &[usize]) {
///         /// IDs until two are the same, the last one included; the mean over the trials.
///         ids_mean [""] = counts.iter().sum::<usize>() as f64 / counts.len() as f64,
///         /// The most IDs of a trial.
///         ids_max [""] = counts.iter().max().copied(),
///     }
/// }
///
/// struct Collision;
///
/// impl Experiment for Collision {
///     fn name(&self) -> &'static str {
///         "collision"
///     }
///     fn doc(&self) -> &'static str {
///         "how many random IDs are drawn until two are the same"
///     }
///     fn sections(&self) -> Vec<Section> {
///         vec![Section::of::<CollisionParameters>("collision")]
///     }
///     fn metrics(&self) -> &'static [Column] {
///         METRICS
///     }
///     fn tables(&self) -> &'static [TableSpec] {
///         &[]
///     }
///     fn prepare(&self, values: &Table<'_>, _: &Path) -> Result<Box<dyn Run>, ConfigError> {
///         let parameters = CollisionParameters::read(&values.sub("collision")?)?;
///         Ok(Box::new(CollisionRun(parameters)))
///     }
/// }
///
/// struct CollisionRun(CollisionParameters);
///
/// impl Run for CollisionRun {
///     fn resolved(&self) -> Map {
///         let own: Map = self.0.write().into_iter().collect();
///         let name = "collision".into();
///         Map::from_iter([("experiment".to_owned(), name), ("collision".to_owned(), own.into())])
///     }
///
///     fn cost(&self) -> Cost {
///         let ids = f64::from(self.0.bits / 2).exp2();
///         Cost { events: ids * f64::from(self.0.trials), bytes: 40.0 * ids }
///     }
///
///     fn run(&self, seed: Seed) -> Result<RunOutput, ConfigError> {
///         // A stream of its own for each trial, whatever else draws from the seed.
///         let drawn = |trial: u32| {
///             let mut stream = seed.stream("collision", trial.into());
///             let mut seen = BTreeSet::new();
///             while seen.insert(Key::random(&mut stream).bits(0, self.0.bits)) {}
///             seen.len() + 1
///         };
///         let counts: Vec<usize> = (0..self.0.trials).map(drawn).collect();
///         Ok(RunOutput { metrics: metrics(&counts), ..RunOutput::default() })
///     }
/// }
///
/// let text = "
///     experiment = 'collision'
///     seed = 5
///     repetitions = 2
///     collision.trials = 400
///     sweep = { 'collision.bits' = [8, 16] }
/// ";
/// let read = |text| {
///     let source = Source::parse(Path::new("collision.toml"), text)?;
///     Scenario::read(source, &Overrides::default(), &[&Collision])
/// };
/// let scenario = read(text)?;
/// assert_eq!((scenario.points.len(), scenario.runs.len()), (2, 4));
/// for planned in &scenario.runs {
///     let point = &scenario.points[planned.point];
///     let outcome = point.run.run(planned.seed)?;
///     assert_eq!(outcome, point.run.run(planned.seed)?);
///     let bits: f64 = point.values[0].parse()?;
///     let expected = (std::f64::consts::PI * bits.exp2() / 2.0).sqrt() + 2.0 / 3.0;
///     let mean = outcome.metrics[0].number().expect("a mean");
///     // The standard deviation of one trial is .52 of the mean, that of 400 trials .026: four of them.
///     assert!((mean / expected - 1.0).abs() < 0.104, "{bits} bits: {mean} IDs");
/// }
/// // What cannot be meant is refused with its place and its key.
/// let refused = read("experiment = 'collision'\ncollision.bits = 64").err().expect("a fault");
/// assert!(refused.to_string().starts_with("collision.toml:2: collision.bits: expected"), "{refused}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The command `dhtlab` knows the kinds in `dhtlab_experiments::KINDS`: a line
/// there makes it one of them, with CSV files, figures and resumption.
pub trait Experiment: Sync {
    /// Its name in a scenario file.
    fn name(&self) -> &'static str;

    /// Its description in one sentence.
    fn doc(&self) -> &'static str;

    /// The tables of a scenario file that it reads.
    fn sections(&self) -> Vec<Section>;

    /// Whether a run without a duration ends with its last lookup.
    fn measures_lookups(&self) -> bool {
        false
    }

    /// The columns of `runs.csv` after the keys.
    fn metrics(&self) -> &'static [Column];

    /// Its tables in long format.
    fn tables(&self) -> &'static [TableSpec];

    /// Reads and validates one point of a scenario; `folder` is that of the file.
    ///
    /// # Errors
    /// The first key that is wrong or contradicts another one.
    fn prepare(&self, values: &Table<'_>, folder: &Path) -> Result<Box<dyn Run>, ConfigError>;
}
