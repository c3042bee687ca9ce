//! The state of a result folder: complete, partial, from another version, or changed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::summary;
use crate::table::Table;
use dhtlab_files::Links;
use dhtlab_format::manifest::{self, FileChange, MANIFEST};
use dhtlab_format::output;
use dhtlab_format::recording::RECORDING;

use super::plan::{Form, Plan};

/// The results of one scenario.
#[derive(Debug)]
pub struct Folder {
    /// The name of the scenario.
    pub name: String,
    /// The state of the results.
    pub state: FolderState,
}

/// The state of a scenario's results.
#[derive(Debug)]
pub enum FolderState {
    /// No folder, or no manifest in it.
    Absent,
    /// Unreadable files, with the reason.
    Broken(String),
    /// Results.
    There(Box<Results>),
}

/// Results that were read.
#[derive(Debug)]
pub struct Results {
    /// The facts in the manifest.
    pub facts: Facts,
    /// `runs.csv`.
    pub runs: Table,
    /// The long tables that claims need.
    pub tables: BTreeMap<String, Table>,
    /// The form of the scenario that produced the results, if known, and whether it is the quick
    /// one.
    pub form: Option<(Form, bool)>,
    /// Number of missing planned runs.
    pub missing: usize,
    /// Runs that are not in the present scenario.
    pub foreign: BTreeSet<String>,
    /// The version that made the results, if it is not this one.
    pub other_version: Option<String>,
    /// Files that were changed after the run, each with its difference.
    pub edited: BTreeMap<String, String>,
    /// Whether the manifest has no checksums, so that only some changes are detected.
    pub unchecked: bool,
    /// The SVG files of the existing figures, with their names.
    pub figures: Vec<(String, PathBuf)>,
}

/// The fields of `manifest.json` for the report; unlike for figures, other versions are accepted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The version.
    pub dhtlab: String,
    /// The commit, if known.
    pub commit: Option<String>,
    /// The title of the scenario.
    pub title: String,
    /// What the scenario reproduces.
    pub reproduces: Option<String>,
    /// The seed.
    pub seed: u64,
    /// Runs per point.
    pub repetitions: u64,
    /// Number of planned runs.
    pub runs_planned: usize,
    /// Number of finished runs.
    pub runs_done: usize,
    /// The swept keys.
    pub swept: Vec<String>,
    /// The resolved scenario of the first point.
    pub scenario: Value,
    /// The least and the largest possible value of columns.
    pub ranges: BTreeMap<String, (Option<f64>, Option<f64>)>,
    /// The SHA-1 of each table, in hexadecimal digits.
    pub files: BTreeMap<String, String>,
    figures: Vec<FigureFacts>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FigureFacts {
    name: Option<String>,
}

impl Folder {
    /// Reads the results of the scenario `name` below `directory`.
    ///
    /// `tables` are the required long tables, `version` is that of this program, `plan` is the
    /// present scenario.
    pub fn open(
        directory: &Path,
        name: &str,
        tables: &BTreeSet<String>,
        version: &str,
        plan: Option<&Plan>,
    ) -> Self {
        let state = match read(&directory.join(name), tables, version, plan) {
            Ok(Some(results)) => FolderState::There(Box::new(results)),
            Ok(None) => FolderState::Absent,
            Err(why) => FolderState::Broken(why),
        };
        Self {
            name: name.to_owned(),
            state,
        }
    }

    /// The results, if they were read.
    pub fn results(&self) -> Option<&Results> {
        match &self.state {
            FolderState::There(results) => Some(results),
            FolderState::Absent | FolderState::Broken(_) => None,
        }
    }

    /// All faults, in words; empty for complete results.
    pub fn faults(&self) -> Vec<String> {
        match &self.state {
            FolderState::Absent => vec!["missing: no results".to_owned()],
            FolderState::Broken(why) => vec![format!("cannot be read: {why}")],
            FolderState::There(results) => results.faults(),
        }
    }
}

impl Results {
    /// The value of a key that is not swept; `None` if the scenario has no such key.
    pub fn fixed(&self, key: &str) -> Option<&Value> {
        key.split('.')
            .try_fold(&self.facts.scenario, |table, part| table.get(part))
    }

    /// Why no value of `table` may be judged, if so.
    pub fn stale(&self, table: &str) -> Option<String> {
        if let Some(version) = &self.other_version {
            return Some(format!("results of dhtlab {version}"));
        }
        let file = format!("{table}.csv");
        let files = [MANIFEST, &file];
        let mut edited = files.iter().filter_map(|file| {
            let how = self.edited.get(*file)?;
            Some(format!("{file} {how}"))
        });
        edited.next()
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(version) = &self.other_version {
            faults.push(format!("stale: results of dhtlab {version}"));
        }
        faults.extend(
            self.edited
                .iter()
                .map(|(file, how)| format!("edited: {file} {how}")),
        );
        if !self.foreign.is_empty() {
            faults.push(format!(
                "stale: {} of the runs are not from the current scenario",
                self.foreign.len()
            ));
        }
        if self.missing > 0 {
            let planned = self
                .form
                .as_ref()
                .map_or(self.facts.runs_planned, |(form, _)| form.runs.len());
            faults.push(format!("missing: {} of {planned} runs", self.missing));
        }
        faults
    }
}

fn read(
    folder: &Path,
    wanted: &BTreeSet<String>,
    version: &str,
    plan: Option<&Plan>,
) -> Result<Option<Results>, String> {
    let path = folder.join(MANIFEST);
    let text = match dhtlab_files::read_text(&path, Links::Refused, dhtlab_files::MOST) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("manifest.json: {error}")),
    };
    let fault = |error: serde_json::Error| format!("manifest.json: {error}");
    let manifest: Value = serde_json::from_str(&text).map_err(fault)?;
    let is_changed = manifest::is_sealed(&manifest) == Some(false);
    let facts: Facts = serde_json::from_value(manifest).map_err(fault)?;
    let runs = Table::read(&folder.join("runs.csv")).map_err(|error| error.to_string())?;
    for key in facts.swept.iter().map(String::as_str).chain(["run"]) {
        runs.column(key).map_err(|error| error.to_string())?;
    }
    let (mut edited, unchecked) = changes(folder, &facts, &runs);
    if is_changed {
        edited.insert(MANIFEST.to_owned(), FileChange::Changed.to_string());
    }
    let mut tables = BTreeMap::new();
    for name in wanted {
        let path = folder.join(format!("{name}.csv"));
        if path.exists() {
            let table = Table::read(&path).map_err(|error| error.to_string())?;
            tables.insert(name.clone(), table);
        }
    }
    let run = runs.column("run").map_err(|error| error.to_string())?;
    let done: BTreeSet<&str> = (0..runs.len()).map(|row| runs.text(row, run)).collect();
    let form = plan.map(|plan| form_of(&done, plan));
    let (mut missing, mut foreign) = (
        facts.runs_planned.saturating_sub(runs.len()),
        BTreeSet::new(),
    );
    if let Some((form, _)) = &form {
        let planned: BTreeSet<&str> = form.runs.iter().map(|(id, _)| id.as_str()).collect();
        missing = form
            .runs
            .iter()
            .filter(|(id, _)| !done.contains(id.as_str()))
            .count();
        foreign = done
            .difference(&planned)
            .map(|id| (*id).to_owned())
            .collect();
    }
    let figures = facts.figures.iter().enumerate().map(|(index, figure)| {
        let name = figure.name.clone();
        name.unwrap_or_else(|| format!("figure-{}", index + 1))
    });
    let figures = figures
        .filter(|name| dhtlab_files::is_name(name))
        .map(|name| (folder.join(format!("{name}.svg")), name))
        .filter(|(path, _)| path.is_file())
        .map(|(path, name)| (name, path))
        .collect();
    Ok(Some(Results {
        other_version: (facts.dhtlab != version).then(|| facts.dhtlab.clone()),
        facts,
        runs,
        tables,
        form,
        missing,
        foreign,
        edited,
        unchecked,
        figures,
    }))
}

/// The form of a scenario with most of the runs; the smaller one if both have all.
fn form_of(done: &BTreeSet<&str>, plan: &Plan) -> (Form, bool) {
    let likeness = |form: &Form| {
        let planned: BTreeSet<&str> = form.runs.iter().map(|(id, _)| id.as_str()).collect();
        let both = done.intersection(&planned).count() as f64;
        both / (done.union(&planned).count().max(1)) as f64
    };
    let quick = likeness(&plan.quick) > likeness(&plan.full);
    let form = if quick { &plan.quick } else { &plan.full };
    (form.clone(), quick)
}

/// The files that were changed after the run, and whether the manifest lacks checksums.
fn changes(folder: &Path, facts: &Facts, runs: &Table) -> (BTreeMap<String, String>, bool) {
    let changed = manifest::changed(folder, &facts.files).into_iter();
    // A recording is large, and the report does not use it.
    let changed = changed.filter(|(file, how)| file != RECORDING || *how != FileChange::Gone);
    let mut edited: BTreeMap<String, String> =
        changed.map(|(file, how)| (file, how.to_string())).collect();
    let unchecked = !facts.files.contains_key("runs.csv");
    let path = folder.join("summary.csv");
    let expected = summary::records(runs, &facts.swept, &facts.ranges)
        .and_then(|records| output::csv_bytes(&path, &records));
    let fits = match (
        expected,
        dhtlab_files::read(&path, Links::Refused, dhtlab_files::MOST),
    ) {
        (Ok(expected), Ok(found)) => expected == found,
        _ => false,
    };
    if !fits {
        edited.insert(
            "summary.csv".to_owned(),
            "does not match runs.csv".to_owned(),
        );
        // One of the two was changed; without a checksum it is unknown which.
        if unchecked {
            edited
                .entry("runs.csv".to_owned())
                .or_insert_with(|| "does not match summary.csv".to_owned());
        }
    }
    (edited, unchecked)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;
    use tempfile::TempDir;

    use super::*;

    const RUNS: &str = "run,repetition,seed,x.nodes,hops\na,0,1,10,3\nb,1,2,10,5\n";

    fn lay(checksums: bool) -> TempDir {
        let directory = TempDir::new().unwrap();
        let folder = directory.path().join("s");
        fs::create_dir(&folder).unwrap();
        let mut manifest = json!({
            "dhtlab": "1.0", "runs_planned": 2, "swept": ["x.nodes"], "scenario": {},
        });
        if checksums {
            manifest["files"] = json!({"runs.csv": dhtlab_files::checksum_of(RUNS.as_bytes())});
        }
        fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
        fs::write(folder.join("runs.csv"), RUNS).unwrap();
        crate::summarise(&folder).unwrap();
        directory
    }

    fn open(directory: &TempDir, version: &str) -> Folder {
        Folder::open(directory.path(), "s", &BTreeSet::new(), version, None)
    }

    #[test]
    fn whole_results_have_no_fault() {
        for checksums in [true, false] {
            let folder = open(&lay(checksums), "1.0");
            assert!(folder.faults().is_empty(), "{:?}", folder.faults());
            let results = folder.results().unwrap();
            assert_eq!(results.unchecked, !checksums);
            assert_eq!(results.stale("runs"), None);
        }
    }

    #[test]
    fn another_version_is_stale() {
        let folder = open(&lay(true), "1.1");
        assert_eq!(folder.faults(), ["stale: results of dhtlab 1.0"]);
        assert!(folder.results().unwrap().stale("runs").is_some());
    }

    #[test]
    fn a_changed_table_is_seen_with_and_without_checksums() {
        for (checksums, how) in [
            (true, "runs.csv was changed after the run"),
            (false, "runs.csv does not match summary.csv"),
        ] {
            let directory = lay(checksums);
            let path = directory.path().join("s/runs.csv");
            fs::write(path, RUNS.replace("10,5", "10,4")).unwrap();
            let folder = open(&directory, "1.0");
            assert_eq!(folder.results().unwrap().stale("runs").unwrap(), how);
        }
        // With checksums a changed summary is reported, and has no effect.
        let directory = lay(true);
        fs::write(directory.path().join("s/summary.csv"), "metric\n").unwrap();
        let folder = open(&directory, "1.0");
        assert_eq!(folder.results().unwrap().stale("runs"), None);
        assert_eq!(
            folder.faults(),
            ["edited: summary.csv does not match runs.csv"]
        );
    }

    #[test]
    fn what_is_not_there_or_broken_is_said() {
        let directory = TempDir::new().unwrap();
        assert_eq!(open(&directory, "1.0").faults(), ["missing: no results"]);
        let directory = lay(true);
        fs::write(directory.path().join("s/manifest.json"), "{").unwrap();
        assert!(open(&directory, "1.0").faults()[0].starts_with("cannot be read: manifest.json"));
        fs::write(directory.path().join("s/manifest.json"), [0xff, 0xfe]).unwrap();
        assert!(open(&directory, "1.0").faults()[0].starts_with("cannot be read: manifest.json"));
        let directory = lay(true);
        fs::write(directory.path().join("s/runs.csv"), "run,x\na\n").unwrap();
        assert!(open(&directory, "1.0").faults()[0].starts_with("cannot be read"));
        // A row is missing: the table was changed, and a run is missing.
        let directory = lay(true);
        let path = directory.path().join("s/runs.csv");
        fs::write(path, RUNS.replace("b,1,2,10,5\n", "")).unwrap();
        let faults = open(&directory, "1.0").faults();
        assert!(
            faults.contains(&"missing: 1 of 2 runs".to_owned()),
            "{faults:?}"
        );
        assert!(faults.contains(&"edited: runs.csv was changed after the run".to_owned()));
    }
}
