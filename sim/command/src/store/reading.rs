//! Reads the existing results of a scenario.

use super::files::{pending_path, recover};
use super::{KEPT, RequiredResults, cannot_write, journal};
use crate::{Failure, streams};
use dhtlab_analysis::Error;
use dhtlab_files::Links;
use dhtlab_format::manifest::{FileChange, MANIFEST, changed, is_sealed};
use dhtlab_format::recording::RECORDING;
use dhtlab_scenario::{Cell, Column, RunOutput, TableFilter, TableRows};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// Completes an interrupted replacement in `folder`, and checks that the usable results there are
/// unchanged since the run.
///
/// # Errors
/// The first changed file, and how it differs.
pub(crate) fn check(folder: &Path, wanted: RequiredResults<'_>) -> Result<(), Failure> {
    recover(folder, wanted.experiment).map_err(|error| cannot_write(folder, &error))?;
    let Some(manifest) = manifest(folder)? else {
        let path = folder.join("runs.csv");
        if !fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
            return Ok(());
        }
        return Err(Failure::Input(format!(
            "{}: no manifest says which scenario this table is of; restore {MANIFEST}, or move the table away",
            path.display()
        )));
    };
    if fault(&manifest, wanted).is_some() {
        return Ok(());
    }
    let mut changes = changed(folder, &checksums(&manifest));
    // Nothing is derived from the recording.
    changes.remove(RECORDING);
    // Missing files are made again.
    changes.retain(|_, how| *how != FileChange::Gone);
    match changes.pop_first() {
        None => Ok(()),
        Some((file, how)) => {
            let path = folder.join(file);
            Err(Failure::Input(Error::Changed { path, how }.to_string()))
        }
    }
}

/// The checksums in a manifest, by file.
fn checksums(manifest: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(manifest["files"].clone()).unwrap_or_default()
}

/// The names of the finished and usable runs in `folder`, without their output.
///
/// Results that cannot be read count as absent here; opening them reports the error.
pub(crate) fn finished_names(folder: &Path, wanted: RequiredResults<'_>) -> FxHashSet<String> {
    let mut names = FxHashSet::default();
    if let Ok(Some(manifest)) = manifest(folder)
        && fault(&manifest, wanted).is_none()
    {
        names.extend(written_names(folder));
    }
    let _ = journal::read(folder, wanted, |line| {
        names.insert(line.run);
    });
    names
}

/// The names of the runs in `runs.csv` in `folder`, whether in place or not; none if it cannot be
/// read.
pub(crate) fn written_names(folder: &Path) -> FxHashSet<String> {
    let paths = [folder.join("runs.csv"), pending_path(folder, "runs")];
    let rows = paths
        .iter()
        .filter_map(|path| read_csv(path, &[]).ok().flatten());
    rows.flatten().map(|(run, _)| run).collect()
}

/// The manifest in `folder`, if there is one.
///
/// # Errors
/// The file is not a manifest, or was changed after the run.
pub(crate) fn manifest(folder: &Path) -> Result<Option<Value>, Failure> {
    let path = folder.join(MANIFEST);
    let refuse = |why: String| Failure::Input(format!("{}: {why}", path.display()));
    let text = match dhtlab_files::read(&path, Links::Refused, dhtlab_files::MOST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|error| refuse(error.to_string()))?,
    };
    let remedy = "restore it, or remove the results and run again";
    match serde_json::from_slice::<Value>(&text) {
        Ok(manifest) if is_sealed(&manifest) == Some(false) => {
            let how = FileChange::Changed;
            Err(Failure::Input(Error::Changed { path, how }.to_string()))
        }
        Ok(manifest) if manifest.is_object() => Ok(Some(manifest)),
        Ok(_) => Err(refuse(format!(
            "this is not a manifest: expected a JSON object; {remedy}"
        ))),
        Err(error) => Err(refuse(format!("this is not a manifest: {error}; {remedy}"))),
    }
}

/// The checksum of the recording in `folder` by file name, from the manifest there.
pub(crate) fn sum_of_recording(folder: &Path) -> BTreeMap<String, String> {
    let manifest = manifest(folder).ok().flatten();
    let mut sums = manifest.map_or_else(BTreeMap::new, |manifest| checksums(&manifest));
    sums.retain(|file, _| file == RECORDING && folder.join(file).exists());
    sums
}

/// Why the results of this manifest are not usable, if so.
fn fault(manifest: &Value, wanted: RequiredResults<'_>) -> Option<String> {
    let version = manifest["dhtlab"].as_str().unwrap_or("an unknown version");
    let experiment = wanted.experiment.name();
    if version != env!("CARGO_PKG_VERSION") {
        return Some(format!("results of dhtlab {version} are replaced"));
    }
    if manifest["experiment"] != experiment {
        return Some("results of another experiment are replaced".to_owned());
    }
    if kept(manifest).covers(wanted.kept) {
        None
    } else {
        Some("requested tables are missing: all runs are repeated".to_owned())
    }
}

/// The rows of the tables that the results of this manifest contain.
pub(crate) fn kept(manifest: &Value) -> TableFilter {
    let kept = manifest.get(KEPT).cloned().unwrap_or_default();
    serde_json::from_value(kept).unwrap_or_default()
}

/// Reads the finished runs from the CSV files; none if they are not usable.
pub(super) fn read_tables(
    folder: &Path,
    wanted: RequiredResults<'_>,
) -> Result<FxHashMap<String, RunOutput>, Failure> {
    let mut finished = FxHashMap::default();
    let Some(manifest) = manifest(folder)? else {
        return Ok(finished);
    };
    let useless = |why: &str| streams::print_note(format_args!("{}: {why}", folder.display()));
    if let Some(why) = fault(&manifest, wanted) {
        useless(&why);
        return Ok(finished);
    }
    let Some(runs) = read_csv(&folder.join("runs.csv"), wanted.experiment.metrics())? else {
        useless("runs.csv is missing or lacks metrics: all runs are repeated");
        return Ok(finished);
    };
    let empty = || vec![TableRows::default(); wanted.experiment.tables().len()];
    // A run at several points of a sweep is repeated as often in every table.
    let mut times: FxHashMap<String, usize> = FxHashMap::default();
    for (run, metrics) in runs {
        *times.entry(run.clone()).or_default() += 1;
        let notes = manifest["notes"][&run]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let outcome = RunOutput {
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
    for (place, table) in wanted.experiment.tables().iter().enumerate() {
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
            // Without one of its tables no run is complete.
            None if is_listed(table.name) => {
                let name = table.name;
                useless(&format!(
                    "{name}.csv is missing or lacks columns: all runs are repeated"
                ));
                finished.clear();
            }
            None => {}
        }
    }
    Ok(finished)
}

/// The name of a run, and the requested cells.
type NamedRow = (String, Vec<Cell>);

/// The column `run` and the columns `wanted` of each row; `None` if the file or a column is
/// missing.
fn read_csv(path: &Path, wanted: &[Column]) -> Result<Option<Vec<NamedRow>>, Failure> {
    let file = match dhtlab_files::open(path, Links::Refused) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?,
    };
    let mut reader = csv::Reader::from_reader(file);
    let fault = |error: csv::Error| Failure::Input(Error::of_csv(path, error).to_string());
    let header = reader.headers().map_err(fault)?.clone();
    let place = |name: &str| header.iter().position(|column| column == name);
    let places: Option<Vec<usize>> = wanted.iter().map(|column| place(column.name)).collect();
    let (Some(run), Some(places)) = (place("run"), places) else {
        return Ok(None);
    };
    let rows = reader.records().map(|record| {
        let record = record.map_err(fault)?;
        let text = |place: usize| record.get(place).unwrap_or_default().to_owned();
        let cells = places.iter().map(|place| Cell::parse(text(*place)));
        Ok((text(run), cells.collect()))
    });
    rows.collect::<Result<Vec<_>, _>>().map(Some)
}
