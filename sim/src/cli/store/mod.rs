//! What is on disk of a scenario's results: finished runs, and the files made of them.
//!
//! Each finished run is a line of `finished.jsonl` before the next one is counted. When the
//! command ends, the lines are sorted into the CSV files, in the order of the sweep, and only
//! then does the journal go. So a run is lost at no moment: at a kill, what is missing in the
//! CSV files is in the journal, up to a line that was being written. Runs that the scenario no
//! longer asks for stay in the journal.

mod files;
mod reading;

use files::replace;
pub(super) use files::{checksums, prepare, write_csv};
pub(super) use reading::{finished_names, kept, manifest, written_names};

use crate::scenario::{Experiment, Kept, Outcome, Scenario, Share, TableSpec};
use reading::{read_journal, read_tables};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Finished runs that the CSV files do not hold, a line each.
pub(super) const JOURNAL: &str = "finished.jsonl";

/// The table that holds wall time: no byte of another file may depend on it, no checksum either.
pub(super) const WALL_TIME: &str = "wall";

/// The field of a manifest that says which shard of what it is of, if of one.
pub(super) const SHARD: &str = "shard";

/// The field of a manifest that says which rows of the tables were kept, if not all.
pub(super) const KEPT: &str = "kept";

/// What the manifest of a shard says of the whole.
#[derive(Serialize, Deserialize)]
pub(super) struct ShardFacts {
    /// Which one, from 1.
    pub place: u32,
    /// Of how many.
    pub of: u32,
    /// The SHA-1 of the whole list of runs.
    pub plan: String,
    /// How many runs that has.
    pub runs: usize,
    /// The places in it of the runs of this shard, ascending.
    pub places: Vec<usize>,
}

impl ShardFacts {
    fn of(share: &Share) -> Self {
        Self {
            place: share.shard.place,
            of: share.shard.of,
            plan: share.plan.clone(),
            runs: share.runs,
            places: share.places.clone(),
        }
    }
}

/// A line of the journal.
#[derive(Serialize, Deserialize)]
struct Line {
    version: String,
    run: String,
    /// What of the rows is there.
    #[serde(default, skip_serializing_if = "Kept::is_all")]
    kept: Kept,
    outcome: Outcome,
}

/// The results that are of use: those of this version that have all rows that are wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The kind of experiment.
    pub experiment: &'static dyn Experiment,
    /// The rows that are wanted.
    pub kept: &'a Kept,
}

impl<'a> Wanted<'a> {
    /// What `scenario` wants.
    pub fn by(scenario: &'a Scenario) -> Self {
        Self {
            experiment: scenario.experiment,
            kept: &scenario.header.tables,
        }
    }
}

/// The results of one scenario, open for writing.
pub(super) struct Store {
    folder: PathBuf,
    journal: File,
    experiment: &'static dyn Experiment,
    kept: Kept,
    finished: FxHashMap<String, Outcome>,
}

impl Store {
    /// Opens the results in `folder`, and makes sure that there is room to write.
    pub fn open(folder: &Path, scenario: &Scenario) -> io::Result<Self> {
        prepare(folder)?;
        let mut finished = FxHashMap::default();
        let wanted = Wanted::by(scenario);
        read_tables(folder, wanted, &mut finished)?;
        let path = folder.join(JOURNAL);
        let whole = read_journal(&path, wanted, &mut finished)?;
        let journal = OpenOptions::new().create(true).append(true).open(&path)?;
        // A line that a kill cut short would swallow the next one.
        journal.set_len(whole)?;
        // What ended for want of memory is not done.
        finished.retain(|_, outcome: &mut Outcome| !outcome.is_short_of_memory());
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
        })
    }

    /// Whether the run is done.
    pub fn has(&self, run: &str) -> bool {
        self.finished.contains_key(run)
    }

    /// Writes down a finished run.
    pub fn add(&mut self, run: &str, mut outcome: Outcome) -> io::Result<()> {
        self.kept.trim(&mut outcome, self.experiment);
        let line = Line {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            run: run.to_owned(),
            kept: self.kept.clone(),
            outcome,
        };
        let mut text = serde_json::to_string(&line)?;
        text.push('\n');
        self.journal.write_all(text.as_bytes())?;
        self.journal.sync_data()?;
        self.finished.insert(line.run, line.outcome);
        Ok(())
    }

    /// How many runs of `scenario` are done.
    pub fn done(&self, scenario: &Scenario) -> usize {
        scenario.runs.iter().filter(|run| self.has(&run.id)).count()
    }

    /// Sorts what is done into the CSV files and the manifest.
    pub fn write_files(&self, scenario: &Scenario) -> io::Result<()> {
        self.declare_kept()?;
        // What the new files leave out goes to the journal before the old files go.
        let others = self.others(scenario);
        if !others.is_empty() {
            let mut all: Vec<&String> = self.finished.keys().collect();
            all.sort_unstable();
            self.write_journal(&all)?;
        }
        let runs = self.folder.join("runs.csv");
        let header = ["run", "repetition", "seed"].map(str::to_owned).into_iter();
        let header = header.chain(scenario.swept.iter().cloned());
        let header = header.chain(
            scenario
                .experiment
                .metrics()
                .iter()
                .map(|m| (*m).to_owned()),
        );
        write_csv(&runs, header.collect(), |rows| {
            for run in &scenario.runs {
                if let Some(outcome) = self.finished.get(&run.id) {
                    let head = [
                        run.id.clone(),
                        run.repetition.to_string(),
                        run.seed.value().to_string(),
                    ];
                    let keys = &scenario.points[run.point].values;
                    rows.write_record(head.iter().chain(keys).chain(&outcome.metrics))?;
                }
            }
            Ok(())
        })?;
        for (i, table) in scenario.experiment.tables().iter().enumerate() {
            self.write_table(scenario, i, table)?;
        }
        let mut manifest = self.manifest(scenario);
        let tables = manifest["tables"].as_array().into_iter().flatten();
        let tables: Vec<&str> = tables.filter_map(serde_json::Value::as_str).collect();
        manifest["files"] = json!(checksums(&self.folder, &tables)?);
        write_manifest(&self.folder, &manifest)?;
        self.trim_journal(&others)
    }

    /// Has the manifest that is there say that the tables keep less, before they do: a stop in between
    /// would leave tables that pass for whole.
    fn declare_kept(&self) -> io::Result<()> {
        let Some(mut manifest) = manifest(&self.folder).filter(|it| it.is_object()) else {
            return Ok(());
        };
        let before = kept(&manifest);
        if before == self.kept || !before.covers(&self.kept) {
            return Ok(());
        }
        manifest[KEPT] = json!(self.kept);
        write_manifest(&self.folder, &manifest)
    }

    fn write_table(&self, scenario: &Scenario, place: usize, table: &TableSpec) -> io::Result<()> {
        let header = ["run", "repetition"].map(str::to_owned).into_iter();
        let header = header.chain(scenario.swept.iter().cloned());
        let header = header.chain(table.columns.iter().map(|column| (*column).to_owned()));
        let path = self.folder.join(format!("{}.csv", table.name));
        if !self.has_rows(scenario, place) {
            // Nothing of the kind is measured here.
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        write_csv(&path, header.collect(), |rows| {
            for run in &scenario.runs {
                let outcome = self.finished.get(&run.id);
                let cells = outcome.and_then(|outcome| outcome.tables.get(place));
                let head = [run.id.clone(), run.repetition.to_string()];
                let keys = &scenario.points[run.point].values;
                for row in cells.into_iter().flat_map(|rows| &rows.0) {
                    rows.write_record(head.iter().chain(keys).chain(row))?;
                }
            }
            Ok(())
        })
    }

    /// Whether some run has rows in the table at `place`.
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

    /// Leaves in the journal what the CSV files do not hold.
    fn trim_journal(&self, others: &[&String]) -> io::Result<()> {
        if others.is_empty() {
            return fs::remove_file(self.folder.join(JOURNAL));
        }
        self.write_journal(others)
    }

    /// The finished runs that the scenario does not ask for.
    fn others(&self, scenario: &Scenario) -> Vec<&String> {
        let planned: FxHashSet<&str> = scenario.runs.iter().map(|run| run.id.as_str()).collect();
        let other = |id: &&String| !planned.contains(id.as_str());
        let mut others: Vec<&String> = self.finished.keys().filter(other).collect();
        others.sort_unstable();
        others
    }

    fn write_journal(&self, runs: &[&String]) -> io::Result<()> {
        replace(&self.folder.join(JOURNAL), |file| {
            for run in runs {
                let line = Line {
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    run: (*run).clone(),
                    kept: self.kept.clone(),
                    outcome: self.finished[*run].clone(),
                };
                writeln!(file, "{}", serde_json::to_string(&line)?)?;
            }
            Ok(())
        })
    }
}

/// Writes `manifest.json` into `folder`.
pub(super) fn write_manifest(folder: &Path, manifest: &serde_json::Value) -> io::Result<()> {
    let text = serde_json::to_string_pretty(manifest)?;
    replace(&folder.join("manifest.json"), |file| {
        writeln!(file, "{text}")
    })
}
