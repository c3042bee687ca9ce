//! What is on disk of a scenario's results: finished runs, and the files made of them.
//!
//! Each finished run is a line of `finished.jsonl` before the next one is counted. When the
//! command ends, the lines are sorted into the CSV files, in the order of the sweep, and only
//! then does the journal go. So a run is lost at no moment: at a kill, what is missing in the
//! CSV files is in the journal, up to a line that was being written. Runs that the scenario no
//! longer asks for stay in the journal.

use crate::scenario::{Experiment, Outcome, Rows, Scenario, TableSpec};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha1::{Digest, Sha1};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

const JOURNAL: &str = "finished.jsonl";

/// The table that holds wall time: no byte of another file may depend on it, no checksum either.
const WALL_TIME: &str = "wall";

/// A line of the journal.
#[derive(Serialize, Deserialize)]
struct Line {
    version: String,
    run: String,
    outcome: Outcome,
}

/// The results of one scenario, open for writing.
pub(super) struct Store {
    folder: PathBuf,
    journal: File,
    finished: FxHashMap<String, Outcome>,
}

impl Store {
    /// Opens the results in `folder`, and makes sure that there is room to write.
    pub fn open(folder: &Path, scenario: &Scenario) -> io::Result<Self> {
        prepare(folder)?;
        let mut finished = FxHashMap::default();
        read_tables(folder, scenario.experiment, &mut finished)?;
        let path = folder.join(JOURNAL);
        let whole = read_journal(&path, scenario.experiment, &mut finished)?;
        let journal = OpenOptions::new().create(true).append(true).open(&path)?;
        // A line that a kill cut short would swallow the next one.
        journal.set_len(whole)?;
        Ok(Self {
            folder: folder.to_owned(),
            journal,
            finished,
        })
    }

    /// Whether the run is done.
    pub fn has(&self, run: &str) -> bool {
        self.finished.contains_key(run)
    }

    /// Writes down a finished run.
    pub fn add(&mut self, run: &str, outcome: Outcome) -> io::Result<()> {
        let line = Line {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            run: run.to_owned(),
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
        manifest["files"] = json!(self.checksums(&manifest)?);
        let manifest = serde_json::to_string_pretty(&manifest)?;
        replace(&self.folder.join("manifest.json"), |file| {
            writeln!(file, "{manifest}")
        })?;
        self.trim_journal(&others)
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
        json!({
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
        })
    }

    /// The SHA-1 of each table that was written, by which the report sees whether one was changed.
    fn checksums(&self, manifest: &serde_json::Value) -> io::Result<BTreeMap<String, String>> {
        let tables = manifest["tables"].as_array().into_iter().flatten();
        let names = tables.filter_map(serde_json::Value::as_str).chain(["runs"]);
        let names = names.filter(|name| *name != WALL_TIME);
        let mut checksums = BTreeMap::new();
        for name in names {
            let file = format!("{name}.csv");
            let digest = Sha1::digest(fs::read(self.folder.join(&file))?);
            let hex = digest.iter().map(|byte| format!("{byte:02x}"));
            checksums.insert(file, hex.collect());
        }
        Ok(checksums)
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
                let line = json!({
                    "version": env!("CARGO_PKG_VERSION"),
                    "run": run,
                    "outcome": self.finished[*run],
                });
                writeln!(file, "{line}")?;
            }
            Ok(())
        })
    }
}

/// Makes sure that there is a folder with room to write.
pub(super) fn prepare(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    probe(folder)
}

/// Writes and removes a file large enough that a full disk is found before the first run.
fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join(".room");
    let probed = File::create(&path).and_then(|mut file| {
        file.write_all(&vec![b' '; 1 << 20])?;
        file.sync_data()
    });
    let removed = fs::remove_file(&path);
    probed.and(removed)
}

/// Writes a file beside its place and moves it there, so that it is never half written.
fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = BufWriter::new(File::create(&beside)?);
    write(&mut file)?;
    file.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_data()?;
    fs::rename(&beside, path)
}

fn write_csv(
    path: &Path,
    header: Vec<String>,
    fill: impl FnOnce(&mut csv::Writer<&mut BufWriter<File>>) -> csv::Result<()>,
) -> io::Result<()> {
    replace(path, |file| {
        let mut rows = csv::Writer::from_writer(file);
        rows.write_record(header)?;
        fill(&mut rows)?;
        rows.flush()
    })
}

/// Reads the finished runs from the CSV files of this version; nothing if they are of another.
fn read_tables(
    folder: &Path,
    experiment: &dyn Experiment,
    finished: &mut FxHashMap<String, Outcome>,
) -> io::Result<()> {
    let Ok(manifest) = fs::read_to_string(folder.join("manifest.json")) else {
        return Ok(());
    };
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap_or_default();
    let version = manifest["dhtlab"].as_str().unwrap_or("an unknown version");
    if version != env!("CARGO_PKG_VERSION") || manifest["experiment"] != experiment.name() {
        eprintln!(
            "{}: results of dhtlab {version} are replaced",
            folder.display()
        );
        return Ok(());
    }
    let Some(runs) = read_csv(&folder.join("runs.csv"), experiment.metrics())? else {
        return Ok(());
    };
    let empty = || vec![Rows::default(); experiment.tables().len()];
    // A run at several points of a sweep stands there as often, in every table.
    let mut times: FxHashMap<String, usize> = FxHashMap::default();
    for (run, metrics) in runs {
        *times.entry(run.clone()).or_default() += 1;
        let notes = manifest["notes"][&run]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let outcome = Outcome {
            metrics,
            tables: empty(),
            notes: notes
                .iter()
                .filter_map(|note| note.as_str().map(str::to_owned))
                .collect(),
        };
        finished.insert(run, outcome);
    }
    let listed = manifest["tables"].as_array().cloned().unwrap_or_default();
    let is_listed = |name: &str| listed.iter().any(|table| table == name);
    for (place, table) in experiment.tables().iter().enumerate() {
        let path = folder.join(format!("{}.csv", table.name));
        match read_csv(&path, table.columns)? {
            Some(rows) => {
                for (run, row) in rows {
                    if let Some(outcome) = finished.get_mut(&run) {
                        outcome.tables[place].0.push(row);
                    }
                }
                for (run, times) in &times {
                    if let Some(outcome) = finished.get_mut(run) {
                        let rows = &mut outcome.tables[place].0;
                        rows.truncate(rows.len() / times);
                    }
                }
            }
            // Without one of its tables no run is whole.
            None if is_listed(table.name) => finished.clear(),
            None => {}
        }
    }
    Ok(())
}

/// The name of a run, and the cells that were asked for.
type NamedRow = (String, Vec<String>);

/// The column `run` and the columns `wanted` of each row; `None` if the file or a column is
/// not there.
fn read_csv(path: &Path, wanted: &[&str]) -> io::Result<Option<Vec<NamedRow>>> {
    let Ok(file) = File::open(path) else {
        return Ok(None);
    };
    let mut reader = csv::Reader::from_reader(file);
    let fault = |error: csv::Error| io::Error::other(format!("{}: {error}", path.display()));
    let header = reader.headers().map_err(fault)?.clone();
    let place = |name: &str| header.iter().position(|column| column == name);
    let places: Option<Vec<usize>> = wanted.iter().map(|name| place(name)).collect();
    let (Some(run), Some(places)) = (place("run"), places) else {
        return Ok(None);
    };
    let rows = reader.records().map(|record| {
        let record = record.map_err(fault)?;
        let cell = |place: usize| record.get(place).unwrap_or_default().to_owned();
        Ok((cell(run), places.iter().map(|place| cell(*place)).collect()))
    });
    rows.collect::<io::Result<Vec<_>>>().map(Some)
}

/// Reads the journal; returns the length of its whole lines.
fn read_journal(
    path: &Path,
    experiment: &dyn Experiment,
    finished: &mut FxHashMap<String, Outcome>,
) -> io::Result<u64> {
    let Ok(file) = File::open(path) else {
        return Ok(0);
    };
    let mut reader = BufReader::new(file);
    // Bytes, because a kill may cut a line within a character.
    let (mut whole, mut text) = (0, Vec::new());
    loop {
        text.clear();
        let length = reader.read_until(b'\n', &mut text)?;
        if !text.ends_with(b"\n") {
            return Ok(whole);
        }
        whole += length as u64;
        if let Ok(line) = serde_json::from_slice::<Line>(&text)
            && line.version == env!("CARGO_PKG_VERSION")
            && line.outcome.metrics.len() == experiment.metrics().len()
        {
            finished.insert(line.run, line.outcome);
        }
    }
}
