//! Reading what is there of a scenario's results.

use super::{JOURNAL, KEPT, Line, Wanted};
use crate::scenario::{Kept, Outcome, Rows};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// The names of the finished runs in `folder` that are of use, without what they gave.
///
/// Results that cannot be read are none here: whoever opens
/// them will be told.
pub(in crate::cli) fn finished_names(folder: &Path, wanted: Wanted<'_>) -> FxHashSet<String> {
    let mut names = FxHashSet::default();
    if let Some(manifest) = manifest(folder)
        && fault(&manifest, wanted).is_none()
    {
        names.extend(written_names(folder));
    }
    let _ = each_in_journal(&folder.join(JOURNAL), wanted, |line| {
        names.insert(line.run);
    });
    names
}

/// The names of the runs in `runs.csv` in `folder`; none if that cannot be read.
pub(in crate::cli) fn written_names(folder: &Path) -> FxHashSet<String> {
    let rows = read_csv(&folder.join("runs.csv"), &[]);
    let rows = rows.ok().flatten().into_iter().flatten();
    rows.map(|(run, _)| run).collect()
}

/// The manifest in `folder`, if there is one; null if it is broken.
pub(in crate::cli) fn manifest(folder: &Path) -> Option<Value> {
    let text = fs::read_to_string(folder.join("manifest.json")).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_default())
}

/// Why the results of this manifest are of no use, if they are not.
fn fault(manifest: &Value, wanted: Wanted<'_>) -> Option<String> {
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
        Some("tables were left out that are wanted now: all is run again".to_owned())
    }
}

/// Which rows of the tables the results of this manifest have.
pub(in crate::cli) fn kept(manifest: &Value) -> Kept {
    let kept = manifest.get(KEPT).cloned().unwrap_or_default();
    serde_json::from_value(kept).unwrap_or_default()
}

/// Reads the finished runs from the CSV files; nothing if they are of no use.
pub(super) fn read_tables(
    folder: &Path,
    wanted: Wanted<'_>,
    finished: &mut FxHashMap<String, Outcome>,
) -> io::Result<()> {
    let Some(manifest) = manifest(folder) else {
        return Ok(());
    };
    if let Some(why) = fault(&manifest, wanted) {
        eprintln!("{}: {why}", folder.display());
        return Ok(());
    }
    let Some(runs) = read_csv(&folder.join("runs.csv"), wanted.experiment.metrics())? else {
        return Ok(());
    };
    let empty = || vec![Rows::default(); wanted.experiment.tables().len()];
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
pub(super) fn read_journal(
    path: &Path,
    wanted: Wanted<'_>,
    finished: &mut FxHashMap<String, Outcome>,
) -> io::Result<u64> {
    each_in_journal(path, wanted, |line| {
        finished.insert(line.run, line.outcome);
    })
}

/// Goes through the lines of the journal that count; returns the length of all whole lines.
fn each_in_journal(path: &Path, wanted: Wanted<'_>, mut each: impl FnMut(Line)) -> io::Result<u64> {
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
            && line.kept.covers(wanted.kept)
            && line.outcome.metrics.len() == wanted.experiment.metrics().len()
        {
            each(line);
        }
    }
}
