//! From a scenario file to the list of its runs.

use super::error::ScenarioError;
use super::faults::with_others;
use super::figures;
use super::keys::{FRAME, is_known, refuse_unknown, unknown};
use super::overrides::{Overrides, apply};
use super::source::{Source, insert};
use super::sweep::{Sweep, TABLES, cell};
use super::table_filter::TableFilter;
use super::{Experiment, Run};
use crate::toml_value::to_toml;
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::Value;
use dhtlab_core::parameter::{ConfigError, Parameters, Section, Table};
use dhtlab_core::underlay::Facts;
use sha1::{Digest, Sha1};

dhtlab_core::parameters! {
    /// The first keys of every scenario file.
    pub struct Header {
        /// A one-line description of the scenario; the title of its figures.
        pub title: Option<String> = None;
        /// The published figure or table that it reproduces.
        pub reproduces: Option<String> = None;
        /// The kind of experiment.
        pub experiment: Option<String> = None;
        /// The seed of all random streams.
        pub seed: u64 = 1;
        /// Number of runs of each point, each with other random streams.
        pub repetitions: u32 = 1, within 1..=1_000_000;
        /// The long tables that are written, or quantities of them (`"histogram.latency_ms"`); all
        /// if absent. Omitted rows need a new run.
        pub tables: TableFilter = TableFilter::default();
    }
}

/// Upper bound on the number of planned runs.
const MOST_RUNS: u64 = 10_000_000;

/// A point of the sweep.
pub struct Point {
    /// The values of the swept keys, as written in the result files.
    pub values: Vec<String>,
    /// The run of this point.
    pub run: Box<dyn Run>,
    /// The kind of experiment.
    kind: &'static str,
}

impl Point {
    /// The resolved scenario, with every default filled in, nested as in a file.
    pub fn resolved(&self) -> dhtlab_core::parameter::Map {
        let mut table = self.run.resolved();
        table.insert("experiment".to_owned(), self.kind.into());
        table
    }
}

/// One run: a point and a repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRun {
    /// Twelve hex digits that identify the resolved scenario and the repetition.
    pub id: String,
    /// The repetition, from 0.
    pub repetition: u32,
    /// Its index in [`Scenario::points`].
    pub point: usize,
    /// The seed of the repetition.
    pub seed: Seed,
}

/// A scenario, validated.
pub struct Scenario {
    /// The file.
    pub file: std::path::PathBuf,
    /// The stem of the file's name.
    pub name: String,
    /// The content of the file.
    pub(super) source: Source,
    /// Its first keys.
    pub header: Header,
    /// The kind of experiment.
    pub experiment: &'static dyn Experiment,
    /// The swept keys.
    pub swept: Vec<String>,
    /// The points of the sweep, in order.
    pub points: Vec<Point>,
    /// The figures.
    pub figures: Vec<dhtlab_format::figure::Figure>,
    /// All runs, point by point; only those of the shard, if there is one.
    pub runs: Vec<PlannedRun>,
    /// Whether small sizes were asked for, and the file has none.
    pub(super) lacks_quick: bool,
    /// The shard, if the scenario is restricted to one.
    pub share: Option<super::ShardInfo>,
}

impl Scenario {
    /// Reads the scenario in `source` for one of `kinds` of experiment.
    ///
    /// # Errors
    /// The first error, with its location, and others of the file.
    pub fn read(
        source: Source,
        options: &Overrides,
        kinds: &[&'static dyn Experiment],
    ) -> Result<Self, ScenarioError> {
        let read = |source| Self::read_to_first_error(source, options, kinds);
        read(source.clone()).map_err(|error| with_others(error, source, read))
    }

    fn read_to_first_error(
        mut source: Source,
        options: &Overrides,
        kinds: &[&'static dyn Experiment],
    ) -> Result<Self, ScenarioError> {
        let quick = apply(&mut source, options)?;
        let fault = |problem| source.error(problem);
        let header = Header::read(&Table::root(&source.values)).map_err(fault)?;
        let experiment = kind_of(&header, kinds).map_err(fault)?;
        header.tables.check(experiment).map_err(fault)?;
        let sections = sections(experiment);
        refuse_unknown(&source, &sections)?;
        for path in &quick {
            let key = path.strip_prefix("sweep.").unwrap_or(path);
            if !TABLES.contains(&key) && !is_known(key, &sections) {
                let mut error = source.error(unknown(key, &sections));
                error.place = source.place(&format!("quick.{path}"));
                return Err(error);
            }
        }
        let sweep = source.values.get("sweep");
        let sweep = match sweep {
            None => Sweep::expand(None),
            Some(Value::Table(table)) => Sweep::expand(Some(table)),
            Some(_) => Err(ConfigError::new("sweep", "expected a table")),
        }
        .map_err(fault)?;
        for key in &sweep.keys {
            let problem = if !is_known(key, &sections) {
                unknown(key, &sections)
            } else if Header::describe().iter().any(|own| own.key == *key) {
                let message = match key.as_str() {
                    "seed" => "all points have the same seeds; set `repetitions` for more seeds",
                    _ => "this key applies to the whole scenario and cannot be swept",
                };
                ConfigError::new(key, message)
            } else {
                continue;
            };
            return Err(in_sweep(&source, &sweep.keys, problem));
        }
        let count = sweep.points.len() as u64 * u64::from(header.repetitions);
        if count > MOST_RUNS {
            let message = format!("{count} runs, more than {MOST_RUNS}");
            return Err(source.error(ConfigError::new("repetitions", message)));
        }
        let points = sweep
            .points
            .iter()
            .map(|values| point(&source, &sweep, values, experiment))
            .collect::<Result<Vec<_>, _>>()?;
        if options.set.is_empty() && !options.quick {
            let mut names = header.tables.names();
            if let Some((name, has)) =
                names.find_map(|name| Some((name, figures::why_empty(name, &points)?)))
            {
                let message = format!("`{name}` has {has}");
                return Err(source.error(ConfigError::new("tables", message)));
            }
        }
        let runs = runs(&header, &points);
        let figures = figures::figures(
            &source,
            &sweep,
            experiment,
            &points,
            &header.tables,
            options,
        )?;
        let stem = source.file().file_stem().unwrap_or_default();
        let name = stem.to_string_lossy().into_owned();
        if !dhtlab_files::is_name(&name) {
            let message = format_args!("invalid name of an output folder, {name:?}");
            return Err(ScenarioError::of_file(source.file(), message));
        }
        Ok(Self {
            file: source.file().to_owned(),
            name,
            source,
            header,
            experiment,
            swept: sweep.keys,
            points,
            figures,
            runs,
            lacks_quick: options.quick && quick.is_empty(),
            share: None,
        })
    }

    /// Whether the file has figures, drawn or not.
    pub fn has_figures(&self) -> bool {
        self.source.values.contains_key("figure")
    }

    /// Facts about the files of its underlays.
    pub fn facts(&self) -> Vec<Facts> {
        let mut facts: Vec<Facts> = Vec::new();
        for fact in self.points.iter().flat_map(|point| point.run.facts()) {
            if !facts.contains(&fact) {
                facts.push(fact);
            }
        }
        facts
    }

    /// The resolved scenario of the first point, for the manifest.
    pub fn resolved(&self) -> dhtlab_core::parameter::Map {
        self.points.first().map(Point::resolved).unwrap_or_default()
    }
}

/// The sections that a scenario of this kind may have.
pub(super) fn sections(experiment: &dyn Experiment) -> Vec<Section> {
    let mut sections = vec![Section::of::<Header>("")];
    sections.extend(experiment.sections());
    sections
}

fn kind_of(
    header: &Header,
    kinds: &[&'static dyn Experiment],
) -> Result<&'static dyn Experiment, ConfigError> {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    let expected = format!("one of \"{}\"", names.join("\", \""));
    let Some(name) = &header.experiment else {
        return Err(ConfigError::new(
            "experiment",
            format_args!("the key is missing; expected {expected}"),
        ));
    };
    let found = kinds.iter().find(|kind| kind.name() == name);
    found.copied().ok_or_else(|| {
        ConfigError::new(
            "experiment",
            format_args!("expected {expected}, found \"{name}\""),
        )
    })
}

/// Moves an error of a swept key to its location in the sweep.
pub(super) fn in_sweep(source: &Source, swept: &[String], problem: ConfigError) -> ScenarioError {
    if !swept.contains(&problem.key) {
        return source.error(problem);
    }
    let sweep = source.values.get("sweep");
    let in_tables = |name: &'static str| {
        let tables = sweep.and_then(|sweep| sweep.get(name));
        let count = tables.and_then(Value::as_array).map_or(0, Vec::len);
        (0..count).map(move |i| format!("sweep.{name}[{i}]."))
    };
    let above: Vec<_> = ["sweep", "sweep.zip", "sweep.compare"]
        .map(|path| source.place(path))
        .into();
    let place = TABLES
        .into_iter()
        .flat_map(in_tables)
        .chain(["sweep.".to_owned()])
        .map(|table| source.place(&format!("{table}{}", problem.key)))
        .find(|place| !above.contains(place));
    ScenarioError {
        place: place.unwrap_or_else(|| source.place("sweep")),
        ..source.error(problem)
    }
}

fn point(
    source: &Source,
    sweep: &Sweep,
    values: &[Option<Value>],
    experiment: &'static dyn Experiment,
) -> Result<Point, ScenarioError> {
    let mut table = source.values.clone();
    FRAME
        .iter()
        .for_each(|frame| drop(table.shift_remove(*frame)));
    for (key, value) in sweep.keys.iter().zip(values) {
        if let Some(value) = value {
            insert(&mut table, key, value.clone()).map_err(|p| in_sweep(source, &sweep.keys, p))?;
        }
    }
    let run = experiment
        .prepare(&Table::root(&table), source.folder())
        .map_err(|problem| in_sweep(source, &sweep.keys, problem))?;
    Ok(Point {
        values: values.iter().map(|value| cell(value.as_ref())).collect(),
        run,
        kind: experiment.name(),
    })
}

fn runs(header: &Header, points: &[Point]) -> Vec<PlannedRun> {
    let run = |(place, point): (usize, &Point)| {
        let base = Sha1::new()
            .chain_update(canonical(&Value::Table(point.resolved())))
            .chain_update(format!("\nseed = {}\n", header.seed));
        (0..header.repetitions)
            .map(|repetition| {
                let digest = base.clone().chain_update(repetition.to_string()).finalize();
                let hex = digest.iter().take(6).map(|byte| format!("{byte:02x}"));
                PlannedRun {
                    id: hex.collect(),
                    repetition,
                    point: place,
                    seed: Seed::of_repetition(header.seed, repetition),
                }
            })
            .collect::<Vec<_>>()
    };
    points.iter().enumerate().flat_map(run).collect()
}

/// A value as text, independent of the order of keys.
fn canonical(value: &Value) -> String {
    match value {
        Value::Table(table) => {
            let mut parts: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{key}={}", canonical(value)))
                .collect();
            parts.sort_unstable();
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(items) => {
            let parts: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", parts.join(","))
        }
        other => to_toml(other).to_string(),
    }
}
