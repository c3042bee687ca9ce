//! `summary.csv`: the statistics of every metric at every point of the sweep.

use std::collections::HashMap;
use std::path::Path;

use crate::statistics::Summary;
use crate::table::Table;
use dhtlab_format::manifest::Manifest;
use dhtlab_format::output;
use dhtlab_format::{Error, RUN_COLUMNS};

/// The columns of `summary.csv` after the swept keys.
pub const SUMMARY_COLUMNS: [&str; 9] = [
    "metric",
    "n",
    "mean",
    "sd",
    "ci95_low",
    "ci95_high",
    "min",
    "median",
    "max",
];

/// Writes `summary.csv` beside the `runs.csv` of a run.
///
/// One row per point of the sweep and metric: the swept keys, then [`SUMMARY_COLUMNS`]. Points are in the order of their first appearance in `runs.csv`,
/// metrics in the order of its columns. Missing cells (empty or `NaN`) do not count; `n` is the
/// number of the others. A metric without any value is left out. With one repetition the deviation
/// and the interval are empty.
///
/// # Errors
/// When `manifest.json` or `runs.csv` is missing or malformed, when `runs.csv` has no rows or lacks
/// a swept key, when a metric is not a number, and when the file cannot be written.
pub fn summarise(directory: &Path) -> Result<(), Error> {
    let manifest = Manifest::read(directory)?;
    let runs = Table::read(&directory.join("runs.csv"))?;
    let path = directory.join("summary.csv");
    let bytes = output::csv_bytes(&path, &records(&runs, &manifest.swept)?)?;
    output::replace(&path, &bytes)
}

/// The rows of the summary of `runs`, header first.
///
/// # Errors
/// When a swept key is no column, and when a metric is not a number.
pub fn records(runs: &Table, swept: &[String]) -> Result<Vec<Vec<String>>, Error> {
    let keys = swept
        .iter()
        .map(|key| runs.column(key))
        .collect::<Result<Vec<_>, _>>()?;
    let mut metrics = metric_columns(runs, swept);
    metrics.retain(|&metric| (0..runs.len()).any(|row| !runs.text(row, metric).is_empty()));

    let mut points: Vec<(Vec<&str>, Vec<usize>)> = Vec::new();
    let mut place: HashMap<Vec<&str>, usize> = HashMap::new();
    for row in 0..runs.len() {
        let key: Vec<&str> = keys.iter().map(|&column| runs.text(row, column)).collect();
        let index = *place.entry(key.clone()).or_insert_with(|| {
            points.push((key, Vec::new()));
            points.len() - 1
        });
        points[index].1.push(row);
    }

    let mut header = swept.to_vec();
    header.extend(SUMMARY_COLUMNS.map(str::to_owned));
    let mut records = vec![header];
    for (key, rows) in &points {
        for &metric in &metrics {
            let mut values = Vec::with_capacity(rows.len());
            for &row in rows {
                values.extend(runs.number(row, metric)?);
            }
            let mut record: Vec<String> = key.iter().map(|&text| text.to_owned()).collect();
            record.push(runs.columns[metric].clone());
            record.extend(cells(&values));
            records.push(record);
        }
    }
    Ok(records)
}

/// The columns of `runs.csv` that are metrics: neither run columns nor swept keys.
pub fn metric_columns(runs: &Table, swept: &[String]) -> Vec<usize> {
    (0..runs.columns.len())
        .filter(|&column| {
            let name = &runs.columns[column];
            !RUN_COLUMNS.contains(&name.as_str()) && !swept.contains(name)
        })
        .collect()
}

fn cells(values: &[f64]) -> [String; 8] {
    let text = |number: Option<f64>| number.map_or_else(String::new, |number| number.to_string());
    let summary = Summary::of(values);
    [
        values.len().to_string(),
        text(summary.map(|s| s.mean)),
        text(summary.and_then(|s| s.sd)),
        text(summary.and_then(|s| s.interval).map(|(low, _)| low)),
        text(summary.and_then(|s| s.interval).map(|(_, high)| high)),
        text(summary.map(|s| s.min)),
        text(summary.map(|s| s.median)),
        text(summary.map(|s| s.max)),
    ]
}
