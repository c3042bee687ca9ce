//! The stored results of a scenario: finished runs, and the files made from them.
//!
//! Each finished run is a line of `finished.jsonl` before the next one is counted. When the command
//! ends, the lines are sorted into the CSV files in the order of the sweep, and only then is the
//! journal removed. So no run is lost: after a kill, the runs missing in the CSV files are in the
//! journal, except a line that was being written. Runs that the scenario no longer contains stay in
//! the journal.
//!
//! Each file and each line of the journal has a checksum. Results that were changed after the run
//! are refused, because anything derived from them would be taken for simulation output.

mod files;
mod journal;
mod reading;

pub(super) use files::{Replacement, make, prepare};
pub(super) use reading::{check, finished_names, kept, manifest, sum_of_recording, written_names};

use super::Failure;
use dhtlab_format::figure::Figure;
use dhtlab_format::manifest::{MANIFEST, seal};
use dhtlab_format::recording::RECORDING;
use dhtlab_scenario::{
    Cell, Column, Experiment, RunOutput, Scenario, ShardInfo, TableFilter, TableSpec,
};
use journal::Line;
use reading::read_tables;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Finished runs that are not in the CSV files, one per line.
pub(super) const JOURNAL: &str = "finished.jsonl";

/// The table with wall time: no other file and no checksum may depend on it.
pub(super) const WALL_TIME: &str = "wall";

dhtlab_scenario::columns! {
    pub(crate) RUN {
        /// The name of the run: twelve hex digits of a hash of its resolved scenario and repetition.
        run ["text"],
        /// The number of the repetition, from 0 on.
        repetition [""],
        /// The seed of the repetition.
        seed [""],
    }
}

/// The field of a manifest that identifies a shard.
pub(super) const SHARD: &str = "shard";

/// The field of a manifest with the filter of the tables, if rows were left out.
pub(super) const KEPT: &str = "kept";

/// The facts of a shard in its manifest.
#[derive(Serialize, Deserialize)]
pub(super) struct ShardFacts {
    /// Number of the shard, from 1.
    pub place: u32,
    /// Number of shards.
    pub of: u32,
    /// The SHA-1 of the whole list of runs.
    pub plan: String,
    /// Number of runs in the whole list.
    pub runs: usize,
    /// The indices of the runs of this shard in the whole list, ascending.
    pub places: Vec<usize>,
}

impl ShardFacts {
    fn of(share: &ShardInfo) -> Self {
        Self {
            place: share.shard.place,
            of: share.shard.of,
            plan: share.plan.clone(),
            runs: share.runs,
            places: share.places.clone(),
        }
    }
}

/// The criteria for usable results: of this version, with all required rows.
#[derive(Clone, Copy)]
pub(super) struct RequiredResults<'a> {
    /// The kind of experiment.
    pub experiment: &'static dyn Experiment,
    /// The required rows.
    pub kept: &'a TableFilter,
}

impl<'a> RequiredResults<'a> {
    /// The requirements of `scenario`.
    pub fn by(scenario: &'a Scenario) -> Self {
        Self {
            experiment: scenario.experiment,
            kept: &scenario.header.tables,
        }
    }
}

/// The value of a swept key, from its text in a file. A number without a fraction has one there: "2.0".
pub(crate) fn key_cell(text: &str) -> Cell {
    let whole = text
        .strip_suffix(".0")
        .and_then(|whole| whole.parse::<i64>().ok());
    match whole.or_else(|| text.parse().ok().filter(|number: &i64| *number < 0)) {
        Some(whole) => Cell::Real(whole as f64),
        None => Cell::parse(text.to_owned()),
    }
}

/// The header of a file: the columns that say which run it is, the swept keys, and the file's own.
fn header(run: &[Column], scenario: &Scenario, own: &[Column]) -> Vec<String> {
    let names = |columns: &[Column]| columns.iter().map(|c| c.name.to_owned()).collect();
    let [run, own]: [Vec<String>; 2] = [names(run), names(own)];
    [run, scenario.swept.clone(), own].concat()
}

/// A row below such a header.
fn record(run: &[String], keys: &[String], own: &[Cell]) -> Vec<String> {
    let own: Vec<String> = own.iter().map(Cell::to_string).collect();
    [run, keys, &own].concat()
}

/// The results of one scenario, open for writing.
pub(super) struct Store {
    folder: PathBuf,
    journal: File,
    experiment: &'static dyn Experiment,
    kept: TableFilter,
    finished: FxHashMap<String, RunOutput>,
    /// The checksum of a recording made by this command.
    recording: Option<String>,
    /// Whether a run was added: the manifest then names the commit of this command.
    has_new_runs: bool,
}

impl Store {
    /// Opens the results in `folder`, and makes sure that there is free space.
    ///
    /// # Errors
    /// Results that were changed after the run, with the file; a folder that cannot be written.
    pub fn open(folder: &Path, scenario: &Scenario) -> Result<Self, Failure> {
        let cannot = |error| cannot_write(folder, &error);
        prepare(folder).map_err(cannot)?;
        let wanted = RequiredResults::by(scenario);
        check(folder, wanted)?;
        let mut finished = read_tables(folder, wanted)?;
        let mut journal = dhtlab_files::update(&folder.join(JOURNAL))
            .map_err(|error| cannot(named(JOURNAL, &error)))?;
        let whole = journal::read(folder, wanted, |line| {
            finished.insert(line.run, line.outcome);
        })?;
        // A line truncated by a kill would merge with the next one.
        let cut = journal.set_len(whole);
        cut.and_then(|()| journal.seek(SeekFrom::End(0)))
            .map_err(|error| cannot(named(JOURNAL, &error)))?;
        // A run that ended for lack of memory is not finished.
        finished.retain(|_, outcome: &mut RunOutput| !outcome.is_short_of_memory());
        let kept = scenario.header.tables.clone();
        for outcome in finished.values_mut() {
            kept.trim(outcome, scenario.experiment);
        }
        Ok(Self {
            folder: folder.to_owned(),
            journal,
            experiment: scenario.experiment,
            kept,
            finished,
            recording: None,
            has_new_runs: false,
        })
    }

    /// Whether the run is finished.
    pub fn has(&self, run: &str) -> bool {
        self.finished.contains_key(run)
    }

    /// Stores a finished run.
    pub fn add(&mut self, run: &str, mut outcome: RunOutput) -> io::Result<()> {
        self.kept.trim(&mut outcome, self.experiment);
        let line = Line::of(run, &self.kept, outcome);
        self.journal
            .write_all(line.sealed()?.as_bytes())
            .and_then(|()| self.journal.sync_data())
            .map_err(|error| named(JOURNAL, &error))?;
        self.finished.insert(line.run, line.outcome);
        self.has_new_runs = true;
        Ok(())
    }

    /// Lets `make` write a recording into the folder.
    pub fn record(
        &mut self,
        make: impl FnOnce(&Path) -> Result<RunOutput, Failure>,
    ) -> Result<RunOutput, Failure> {
        let fault = |error| cannot_write(&self.folder, &error);
        if let Some(mut manifest) = manifest(&self.folder)? {
            // Otherwise a stop would leave the new recording with the old checksum.
            if let Some(sums) = manifest["files"].as_object_mut()
                && sums.shift_remove(RECORDING).is_some()
            {
                seal(&mut manifest);
                let text = serde_json::to_string_pretty(&manifest).map_err(io::Error::from);
                text.and_then(|text| {
                    let path = self.folder.join(MANIFEST);
                    dhtlab_files::replace(&path, |file| writeln!(file, "{text}"))
                })
                .map_err(fault)?;
            }
        }
        let outcome = make(&self.folder)?;
        let sum = dhtlab_files::checksum(&self.folder.join(RECORDING)).map_err(fault)?;
        self.recording = Some(sum);
        Ok(outcome)
    }

    /// The folder of the results.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The result of a finished run.
    pub fn outcome(&self, run: &str) -> Option<&RunOutput> {
        self.finished.get(run)
    }

    /// Number of finished runs of `scenario`.
    pub fn done(&self, scenario: &Scenario) -> usize {
        scenario.runs.iter().filter(|run| self.has(&run.id)).count()
    }

    /// Sorts the finished runs into the CSV files and the manifest.
    pub fn write_files(&self, scenario: &Scenario) -> io::Result<()> {
        // Runs that the new files leave out go to the journal before the old files are removed.
        let others = self.others(scenario);
        if !others.is_empty() {
            let mut all: Vec<&String> = self.finished.keys().collect();
            all.sort_unstable();
            self.write_journal(&all)?;
        }
        let mut new = Replacement::of(&self.folder);
        let header = header(RUN, scenario, scenario.experiment.metrics());
        new.table("runs", header, |rows| {
            for run in &scenario.runs {
                if let Some(outcome) = self.finished.get(&run.id) {
                    let head = [
                        run.id.clone(),
                        run.repetition.to_string(),
                        run.seed.value().to_string(),
                    ];
                    let keys = &scenario.points[run.point].values;
                    rows.write_record(record(&head, keys, &outcome.metrics))?;
                }
            }
            Ok(())
        })?;
        for (place, table) in scenario.experiment.tables().iter().enumerate() {
            if self.has_rows(scenario, place) {
                self.write_table(&mut new, scenario, place, table)?;
            }
        }
        // Parquet files of these tables would be older than the CSV files.
        let tables = scenario.experiment.tables().iter().map(|table| table.name);
        for table in tables.chain(["runs"]) {
            dhtlab_files::remove(&self.folder.join(format!("{table}.parquet")))?;
        }
        let old = manifest(&self.folder).ok().flatten().unwrap_or_default();
        let mut manifest = self.manifest(scenario);
        if !self.has_new_runs && old["commit"].is_string() {
            manifest["commit"] = old["commit"].clone();
        }
        let mut recording = sum_of_recording(&self.folder);
        if let Some(sum) = &self.recording {
            recording.insert(RECORDING.to_owned(), sum.clone());
        }
        let earlier = stems(&old["figures"]);
        let now = stems(&manifest["figures"]);
        new.commit(manifest, recording, scenario.experiment)?;
        // Figures that the scenario no longer has would show older results.
        for name in earlier.iter().filter(|name| !now.contains(name)) {
            for extension in dhtlab_analysis::figure::EXTENSIONS {
                dhtlab_files::remove(&self.folder.join(format!("{name}.{extension}")))?;
            }
        }
        self.trim_journal(&others)
    }

    /// Sorts the runs that are finished so far into the files, and goes on with an empty journal.
    pub fn publish(&mut self, scenario: &Scenario) -> io::Result<()> {
        self.write_files(scenario)?;
        self.journal = dhtlab_files::update(&self.folder.join(JOURNAL))?;
        self.journal.seek(SeekFrom::End(0)).map(drop)
    }

    fn write_table<'a>(
        &'a self,
        new: &mut Replacement<'a>,
        scenario: &Scenario,
        place: usize,
        table: &TableSpec,
    ) -> io::Result<()> {
        let header = header(&RUN[..2], scenario, table.columns);
        new.table(table.name, header, |rows| {
            for run in &scenario.runs {
                let outcome = self.finished.get(&run.id);
                let cells = outcome.and_then(|outcome| outcome.tables.get(place));
                let head = [run.id.clone(), run.repetition.to_string()];
                let keys = &scenario.points[run.point].values;
                for row in cells.into_iter().flat_map(|rows| &rows.0) {
                    rows.write_record(record(&head, keys, row))?;
                }
            }
            Ok(())
        })
    }

    /// Whether a run has rows in the table with index `place`.
    fn has_rows(&self, scenario: &Scenario, place: usize) -> bool {
        let rows = |id: &String| self.finished.get(id)?.tables.get(place);
        let mut runs = scenario.runs.iter();
        runs.any(|run| rows(&run.id).is_some_and(|rows| !rows.0.is_empty()))
    }

    fn manifest(&self, scenario: &Scenario) -> serde_json::Value {
        let notes: BTreeMap<&str, &[String]> = scenario
            .runs
            .iter()
            .filter_map(|run| {
                Some((
                    run.id.as_str(),
                    self.finished.get(&run.id)?.notes.as_slice(),
                ))
            })
            .filter(|(_, notes)| !notes.is_empty())
            .collect();
        let commit = env!("DHTLAB_COMMIT");
        let figures: Vec<_> = scenario
            .figures
            .iter()
            .map(|figure| serde_json::to_value(figure).unwrap_or_default())
            .collect();
        let specs = scenario.experiment.tables().iter().enumerate();
        let tables: Vec<&str> = specs
            .filter(|(place, _)| self.has_rows(scenario, *place))
            .map(|(_, table)| table.name)
            .collect();
        let mut manifest = json!({
            "dhtlab": env!("CARGO_PKG_VERSION"),
            "commit": (!commit.is_empty()).then_some(commit),
            "name": scenario.name,
            "title": scenario.header.title.as_deref().unwrap_or(&scenario.name),
            "reproduces": scenario.header.reproduces,
            "experiment": scenario.experiment.name(),
            "seed": scenario.header.seed,
            "repetitions": scenario.header.repetitions,
            "runs_planned": scenario.runs.len(),
            "runs_done": self.done(scenario),
            "swept": scenario.swept,
            "scenario": scenario.resolved(),
            "tables": tables,
            "figures": figures,
            "ranges": scenario.ranges(),
            "notes": notes,
        });
        if !self.kept.is_all() {
            manifest[KEPT] = json!(self.kept);
        }
        if let Some(share) = &scenario.share {
            manifest[SHARD] = json!(ShardFacts::of(share));
        }
        manifest
    }

    /// Reduces the journal to the runs that are not in the CSV files.
    fn trim_journal(&self, others: &[&String]) -> io::Result<()> {
        if others.is_empty() {
            return fs::remove_file(self.folder.join(JOURNAL));
        }
        self.write_journal(others)
    }

    /// The finished runs that the scenario does not contain.
    pub fn others(&self, scenario: &Scenario) -> Vec<&String> {
        let planned: FxHashSet<&str> = scenario.runs.iter().map(|run| run.id.as_str()).collect();
        let other = |id: &&String| !planned.contains(id.as_str());
        let mut others: Vec<&String> = self.finished.keys().filter(other).collect();
        others.sort_unstable();
        others
    }

    fn write_journal(&self, runs: &[&String]) -> io::Result<()> {
        let written = dhtlab_files::replace(&self.folder.join(JOURNAL), |file| {
            for run in runs {
                let line = Line::of(run, &self.kept, self.finished[*run].clone());
                file.write_all(line.sealed()?.as_bytes())?;
            }
            Ok(())
        });
        written.map_err(|error| named(JOURNAL, &error))
    }
}

/// The names of the files of the figures in a manifest, without extension.
fn stems(figures: &serde_json::Value) -> Vec<String> {
    let figures = figures.as_array().into_iter().flatten();
    let stem = |(index, figure): (usize, &serde_json::Value)| {
        let figure: Figure = serde_json::from_value(figure.clone()).ok()?;
        let stem = figure.stem(index);
        dhtlab_files::is_name(&stem).then_some(stem)
    };
    figures.enumerate().filter_map(stem).collect()
}

/// An error for a file in a folder of results, with its name.
pub(super) fn named(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{name}: {error}"))
}

/// The failure for a folder of results that cannot be written, before any run.
pub(super) fn cannot_write(folder: &Path, error: &io::Error) -> Failure {
    Failure::Input(format!(
        "{}: cannot write results: {error}",
        folder.display()
    ))
}
