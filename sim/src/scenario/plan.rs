//! From a file to the list of its runs.

use super::error::{Place, ScenarioError, nearest};
use super::source::{Source, insert, lookup};
use super::sweep::Sweep;
use super::{Experiment, Run};
use crate::engine::Seed;
use crate::parameter::{Kind, Parameters, Problem, Section, Table};
use sha1::{Digest, Sha1};
use toml::Value;

crate::parameters! {
    /// What every scenario file begins with.
    pub struct Header {
        /// What the scenario is about, in a line; the title of its figures.
        pub title: Option<String> = None;
        /// Which published figure or table it reproduces.
        pub reproduces: Option<String> = None;
        /// The kind of experiment.
        pub experiment: Option<String> = None;
        /// The seed from which all random streams come.
        pub seed: u64 = 1;
        /// How many times each point is run, each time with other streams.
        pub repetitions: u32 = 1, within 1..=1_000_000;
    }
}

/// Tables that belong to no experiment.
const FRAME: [&str; 3] = ["sweep", "figure", "quick"];

/// What the command line changes in a scenario.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--set key=value`: a key, swept or not, gets one value.
    pub set: Vec<String>,
    /// `--seed`.
    pub seed: Option<u64>,
    /// `--repetitions`.
    pub repetitions: Option<u32>,
    /// `--quick`: what stands under `[quick]` replaces the keys of the same names.
    pub quick: bool,
}

/// A point of the sweep.
pub struct Point {
    /// The values of the swept keys, as they stand in the files of results.
    pub values: Vec<String>,
    /// What is to be run there.
    pub run: Box<dyn Run>,
}

/// One run: a point and a repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRun {
    /// Twelve hex digits that name the resolved scenario and the repetition.
    pub id: String,
    /// The repetition, from 0.
    pub repetition: u32,
    /// Its place in [`Scenario::points`].
    pub point: usize,
    /// The seed of the repetition.
    pub seed: Seed,
}

/// A scenario, read and checked.
pub struct Scenario {
    /// The stem of the file's name.
    pub name: String,
    /// Its head.
    pub header: Header,
    /// The kind of experiment.
    pub experiment: &'static dyn Experiment,
    /// The swept keys.
    pub swept: Vec<String>,
    /// The points of the sweep, in order.
    pub points: Vec<Point>,
    /// The figures.
    pub figures: Vec<dhtlab_analysis::figure::Figure>,
    /// All runs, point by point.
    pub runs: Vec<PlannedRun>,
}

impl Scenario {
    /// Reads the scenario in `source` for one of `kinds` of experiment.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn read(
        mut source: Source,
        options: &Options,
        kinds: &[&'static dyn Experiment],
    ) -> Result<Self, ScenarioError> {
        apply(&mut source, options)?;
        let fault = |problem| source.error(problem);
        let header = Header::read(&Table::root(&source.values)).map_err(fault)?;
        let experiment = kind_of(&header, kinds).map_err(fault)?;
        let sections = sections(experiment);
        refuse_unknown(&source, &sections)?;
        let sweep = source.values.get("sweep");
        let sweep = match sweep {
            None => Sweep::expand(None),
            Some(Value::Table(table)) => Sweep::expand(Some(table)),
            Some(_) => Err(Problem::new("sweep", "expected a table")),
        }
        .map_err(fault)?;
        for key in &sweep.keys {
            if !is_known(key, &sections) {
                let problem = unknown(key, &sections);
                return Err(in_sweep(&source, &sweep, problem));
            }
        }
        let points = sweep
            .points
            .iter()
            .map(|values| point(&source, &sweep, values, experiment))
            .collect::<Result<Vec<_>, _>>()?;
        let runs = runs(&header, &points);
        let figures = figures(&source, &sweep.groups, experiment)?;
        let stem = source.file().file_stem().unwrap_or_default();
        Ok(Self {
            name: stem.to_string_lossy().into_owned(),
            header,
            experiment,
            swept: sweep.keys,
            points,
            figures,
            runs,
        })
    }

    /// The resolved scenario of the first point, for the manifest.
    pub fn resolved(&self) -> toml::Table {
        self.points
            .first()
            .map(|point| point.run.resolved())
            .unwrap_or_default()
    }
}

/// The sections that a scenario of this kind may have.
pub(super) fn sections(experiment: &dyn Experiment) -> Vec<Section> {
    let mut sections = vec![Section::of::<Header>("")];
    sections.extend(experiment.sections());
    sections
}

/// Applies what the command line says to the file's values.
fn apply(source: &mut Source, options: &Options) -> Result<(), ScenarioError> {
    let quick = source.values.remove("quick");
    if options.quick {
        let mut replaced = Vec::new();
        match &quick {
            None => {}
            Some(Value::Table(table)) => flatten("", table, &mut replaced),
            Some(_) => return Err(source.error(Problem::new("quick", "expected a table"))),
        }
        for (path, value) in replaced {
            let place = source.place(&format!("quick.{path}"));
            set(source, &path, value, place)?;
        }
    }
    for assignment in &options.set {
        let place = Place::Option(format!("--set {assignment}"));
        let Some((path, text)) = assignment.split_once('=') else {
            let mut error = source.error(Problem::new("", "expected KEY=VALUE"));
            error.place = place;
            return Err(error);
        };
        let (path, text) = (path.trim(), text.trim());
        // What is no TOML value is text: --set overlay.protocol=chord needs no quotes.
        let value = format!("x = {text}")
            .parse::<toml::Table>()
            .ok()
            .and_then(|mut table| table.remove("x"))
            .unwrap_or_else(|| Value::String(text.to_owned()));
        set(source, path, value, place)?;
    }
    if let Some(seed) = options.seed {
        let place = Place::Option("--seed".to_owned());
        set(source, "seed", Value::Integer(seed as i64), place)?;
    }
    if let Some(repetitions) = options.repetitions {
        let place = Place::Option("--repetitions".to_owned());
        set(
            source,
            "repetitions",
            Value::Integer(repetitions.into()),
            place,
        )?;
    }
    Ok(())
}

/// Sets a key; if it was swept, it is so no longer.
fn set(source: &mut Source, path: &str, value: Value, place: Place) -> Result<(), ScenarioError> {
    match path.strip_prefix("sweep.") {
        Some(key) => {
            // A sweep given anew: as one quoted key, whatever the file wrote.
            drop_from_sweep(&mut source.values, key);
            let sweep = source
                .values
                .entry("sweep")
                .or_insert_with(|| Value::Table(toml::Table::new()));
            if let Some(table) = sweep.as_table_mut() {
                table.insert(key.to_owned(), value);
            }
            Ok(())
        }
        None => {
            drop_from_sweep(&mut source.values, path);
            source.set(path, value, place)
        }
    }
}

fn drop_from_sweep(values: &mut toml::Table, key: &str) {
    fn drop_from(table: &mut toml::Table, key: &str) {
        table.remove(key);
        for (first, inner) in table.iter_mut() {
            let rest = key
                .strip_prefix(first.as_str())
                .and_then(|rest| rest.strip_prefix('.'));
            if let (Some(rest), Value::Table(inner)) = (rest, inner) {
                drop_from(inner, rest);
            }
        }
        table.retain(|_, value| value.as_table().is_none_or(|table| !table.is_empty()));
    }
    let Some(sweep) = values.get_mut("sweep").and_then(Value::as_table_mut) else {
        return;
    };
    drop_from(sweep, key);
    if let Some(zips) = sweep.get_mut("zip").and_then(Value::as_array_mut) {
        zips.iter_mut()
            .filter_map(Value::as_table_mut)
            .for_each(|zip| drop_from(zip, key));
        zips.retain(|zip| zip.as_table().is_none_or(|zip| !zip.is_empty()));
        if zips.is_empty() {
            sweep.remove("zip");
        }
    }
}

/// The keys of `table` by dotted path; a range is a value, not a table of keys.
fn flatten(path: &str, table: &toml::Table, into: &mut Vec<(String, Value)>) {
    for (key, value) in table {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        match value {
            Value::Table(inner) if !inner.contains_key("from") => flatten(&path, inner, into),
            _ => into.push((path, value.clone())),
        }
    }
}

fn kind_of(
    header: &Header,
    kinds: &[&'static dyn Experiment],
) -> Result<&'static dyn Experiment, Problem> {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    let expected = format!("one of \"{}\"", names.join("\", \""));
    let Some(name) = &header.experiment else {
        return Err(Problem::new(
            "experiment",
            format_args!("the key is missing; expected {expected}"),
        ));
    };
    let found = kinds.iter().find(|kind| kind.name() == name);
    found.copied().ok_or_else(|| {
        Problem::new(
            "experiment",
            format_args!("expected {expected}, found \"{name}\""),
        )
    })
}

/// Whether `path` is a key of one of `sections`, or lies within the value of one.
fn is_known(path: &str, sections: &[Section]) -> bool {
    sections.iter().any(|section| {
        let inner = match section.path.as_str() {
            "" => Some(path),
            table => path
                .strip_prefix(table)
                .and_then(|rest| rest.strip_prefix('.')),
        };
        inner.is_some_and(|inner| {
            section
                .parameters
                .iter()
                .any(|parameter| match &parameter.kind {
                    // A value with a form of its own may be a table; its reader knows its keys.
                    Kind::Other(_) => {
                        let rest = inner.strip_prefix(parameter.key.as_str());
                        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                    }
                    _ => parameter.key == inner,
                })
        })
    })
}

fn unknown(path: &str, sections: &[Section]) -> Problem {
    let known: Vec<String> = sections
        .iter()
        .flat_map(|section| {
            let prefix = match section.path.as_str() {
                "" => String::new(),
                table => format!("{table}."),
            };
            section
                .parameters
                .iter()
                .map(move |p| format!("{prefix}{}", p.key))
        })
        .collect();
    let message = match nearest(path, known.iter().map(String::as_str)) {
        Some(name) => format!("unknown key; did you mean `{name}`?"),
        None => "unknown key; `dhtlab schema` tells all keys".to_owned(),
    };
    Problem::new(path, message)
}

fn refuse_unknown(source: &Source, sections: &[Section]) -> Result<(), ScenarioError> {
    let mut keys = Vec::new();
    for (key, value) in &source.values {
        if FRAME.contains(&key.as_str()) {
            continue;
        }
        match value {
            Value::Table(table) => {
                let mut inner = Vec::new();
                flatten(key, table, &mut inner);
                // An empty table still has to be one that is known.
                if inner.is_empty() && !sections.iter().any(|section| section.path == *key) {
                    keys.push(key.clone());
                }
                keys.extend(inner.into_iter().map(|(path, _)| path));
            }
            _ => keys.push(key.clone()),
        }
    }
    match keys.iter().find(|key| !is_known(key, sections)) {
        None => Ok(()),
        Some(key) => Err(source.error(unknown(key, sections))),
    }
}

/// A problem with a swept key stands in the sweep.
fn in_sweep(source: &Source, sweep: &Sweep, problem: Problem) -> ScenarioError {
    if !sweep.keys.contains(&problem.key) {
        return source.error(problem);
    }
    let zips = source
        .values
        .get("sweep")
        .and_then(|sweep| sweep.get("zip"));
    let zips = zips.and_then(Value::as_array).map_or(0, Vec::len);
    let place = (0..zips)
        .map(|i| format!("sweep.zip[{i}].{}", problem.key))
        .chain([format!("sweep.{}", problem.key)])
        .map(|path| source.place(&path))
        .find(|place| *place != source.place("sweep") && *place != source.place("sweep.zip"));
    ScenarioError {
        place: place.unwrap_or_else(|| source.place("sweep")),
        ..source.error(problem)
    }
}

fn point(
    source: &Source,
    sweep: &Sweep,
    values: &[Value],
    experiment: &'static dyn Experiment,
) -> Result<Point, ScenarioError> {
    let mut table = source.values.clone();
    FRAME.iter().for_each(|frame| drop(table.remove(*frame)));
    for (key, value) in sweep.keys.iter().zip(values) {
        insert(&mut table, key, value.clone()).map_err(|p| in_sweep(source, sweep, p))?;
    }
    let run = experiment
        .prepare(&Table::root(&table), source.folder())
        .map_err(|problem| in_sweep(source, sweep, problem))?;
    Ok(Point {
        values: values.iter().map(cell).collect(),
        run,
    })
}

/// A value as it stands in a cell of a CSV file.
fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn runs(header: &Header, points: &[Point]) -> Vec<PlannedRun> {
    let run = |(place, point): (usize, &Point)| {
        let base = Sha1::new()
            .chain_update(canonical(&Value::Table(point.run.resolved())))
            .chain_update(format!("\nseed = {}\n", header.seed));
        (0..header.repetitions)
            .map(|repetition| {
                let digest = base.clone().chain_update(repetition.to_string()).finalize();
                let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                PlannedRun {
                    id: hex[..12].to_owned(),
                    repetition,
                    point: place,
                    seed: Seed::of_repetition(header.seed, repetition),
                }
            })
            .collect::<Vec<_>>()
    };
    points.iter().enumerate().flat_map(run).collect()
}

/// A value as text that does not depend on the order of keys.
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
        other => other.to_string(),
    }
}

fn figures(
    source: &Source,
    swept: &[Vec<String>],
    experiment: &dyn Experiment,
) -> Result<Vec<dhtlab_analysis::figure::Figure>, ScenarioError> {
    let fault = |key: String, message: String| source.error(Problem::new(key, message));
    let tables = match lookup(&source.values, "figure") {
        None => return Ok(Vec::new()),
        Some(Value::Array(tables)) => tables,
        Some(_) => {
            return Err(fault(
                "figure".to_owned(),
                "expected tables [[figure]]".to_owned(),
            ));
        }
    };
    let metrics: Vec<String> = experiment
        .metrics()
        .iter()
        .map(|m| (*m).to_owned())
        .collect();
    let long: Vec<(String, Vec<String>)> = experiment
        .tables()
        .iter()
        .map(|t| {
            (
                t.name.to_owned(),
                t.columns.iter().map(|c| (*c).to_owned()).collect(),
            )
        })
        .collect();
    tables
        .iter()
        .enumerate()
        .map(|(i, table)| {
            let figure: dhtlab_analysis::figure::Figure =
                table.clone().try_into().map_err(|error: toml::de::Error| {
                    fault(format!("figure[{i}]"), error.message().to_owned())
                })?;
            figure
                .validate_zipped(swept, &metrics, &long)
                .map_err(|problem| {
                    fault(format!("figure[{i}].{}", problem.key), problem.message)
                })?;
            Ok(figure)
        })
        .collect()
}
