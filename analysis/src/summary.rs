//! `summary.csv`: the statistics of every metric at every point of the sweep.

use std::collections::BTreeMap;
use std::path::Path;

use crate::figure::range::Range;
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

/// Writes `summary.csv` into the folder of the `runs.csv` of a run.
///
/// One row per point of the sweep and metric: the swept keys, then [`SUMMARY_COLUMNS`]. Points are in
/// the order of their first appearance in `runs.csv`, metrics in the order of its columns. Missing
/// cells (empty or `NaN`) do not count; `n` is the number of the others. A metric without any value
/// is left out. With one repetition the deviation and the interval are empty. The interval is
/// without impossible values, by the ranges in the manifest.
///
/// # Errors
/// When `manifest.json` or `runs.csv` is missing or malformed, when `runs.csv` has no rows or lacks
/// a swept key, when a metric is not a number, and when the file cannot be written.
pub fn summarise(directory: &Path) -> Result<(), Error> {
    let manifest = Manifest::read(directory)?;
    let runs = Table::read(&directory.join("runs.csv"))?;
    let path = directory.join("summary.csv");
    let bytes = output::csv_bytes(&path, &records(&runs, &manifest.swept, &manifest.ranges)?)?;
    output::replace(&path, &bytes)
}

/// The least and the largest possible value of columns, by name, as in a manifest.
pub type Ranges = BTreeMap<String, (Option<f64>, Option<f64>)>;

/// The rows of the summary of `runs`, header first.
///
/// # Errors
/// When a swept key is no column, and when a metric is not a number.
pub fn records(runs: &Table, swept: &[String], ranges: &Ranges) -> Result<Vec<Vec<String>>, Error> {
    let keys = swept_columns(runs, swept)?;
    let mut metrics = metric_columns(runs, swept);
    metrics.retain(|&metric| (0..runs.len()).any(|row| !runs.text(row, metric).is_empty()));

    let points = runs.groups(&keys, |_| true);

    let mut header = swept.to_vec();
    header.extend(SUMMARY_COLUMNS.map(str::to_owned));
    let mut records = vec![header];
    let ranges: Vec<Range> = metrics
        .iter()
        .map(|&metric| range_of(ranges, &runs.columns[metric]))
        .collect();
    for (key, rows) in &points {
        for (&metric, range) in metrics.iter().zip(&ranges) {
            let mut values = Vec::with_capacity(rows.len());
            for &row in rows {
                values.extend(runs.number(row, metric)?);
            }
            let mut record = key.clone();
            record.push(runs.columns[metric].clone());
            record.extend(cells(&values, range));
            records.push(record);
        }
    }
    Ok(records)
}

/// The metric that a scenario is about, at each point of its sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct MainMetric {
    /// Its name.
    pub name: String,
    /// The swept keys.
    pub swept: Vec<String>,
    /// The points, in the order of `runs.csv`.
    pub points: Vec<MeanAtPoint>,
    /// The lowest success rate of a run, if the results have one.
    pub success: Option<f64>,
}

/// The mean of a metric at a point of the sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanAtPoint {
    /// The values of the swept keys.
    pub values: Vec<String>,
    /// Number of values.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// The 95 % confidence interval of the mean, without what is impossible; none of one value.
    pub interval: Option<(f64, f64)>,
}

/// The main metric of the results in `directory`: the first one that a figure has as its y, or else the
/// first with a number that is not whole (a mean or a rate), or else the first with a number. None if
/// there is no number.
///
/// # Errors
/// Those of [`summarise`], without writing.
pub fn main_metric(directory: &Path) -> Result<Option<MainMetric>, Error> {
    let manifest = Manifest::read(directory)?;
    let runs = Table::read(&directory.join("runs.csv"))?;
    let keys = swept_columns(&runs, &manifest.swept)?;
    let is_number = |column: usize| {
        let numbers = (0..runs.len()).map(|row| runs.number(row, column));
        let mut found = numbers.filter(|number| !matches!(number, Ok(None)));
        found.next().is_some_and(|number| number.is_ok()) && found.all(|number| number.is_ok())
    };
    let is_whole = |column: &usize| {
        let mut numbers = (0..runs.len()).map(|row| runs.number(row, *column));
        numbers
            .all(|number| matches!(number, Ok(number) if number.is_none_or(|x| x.fract() == 0.0)))
    };
    // A column of a timeline often has the name of a metric.
    let drawn = manifest.figures.iter().flat_map(|figure| figure.y.0.iter());
    let drawn = drawn.filter_map(|name| runs.find(name));
    let all = metric_columns(&runs, &manifest.swept);
    let (counts, measures): (Vec<usize>, Vec<usize>) = all.into_iter().partition(is_whole);
    let metrics = drawn.chain(measures).chain(counts);
    let Some(metric) = metrics.into_iter().find(|column| is_number(*column)) else {
        return Ok(None);
    };
    let range = range_of(&manifest.ranges, &runs.columns[metric]);
    let mut points = Vec::new();
    for (values, rows) in runs.groups(&keys, |_| true) {
        let numbers = rows.iter().map(|row| runs.number(*row, metric));
        let numbers: Vec<Option<f64>> = numbers.collect::<Result<_, _>>()?;
        let numbers: Vec<f64> = numbers.into_iter().flatten().collect();
        points.extend(Summary::of(&numbers).map(|summary| MeanAtPoint {
            values,
            n: numbers.len(),
            mean: summary.mean,
            interval: summary.interval.map(|interval| range.clip(interval)),
        }));
    }
    let success = runs.find("success_rate").map(|column| {
        let values = (0..runs.len()).filter_map(|row| runs.number(row, column).ok().flatten());
        values.fold(1.0, f64::min)
    });
    Ok(Some(MainMetric {
        success,
        name: runs.columns[metric].clone(),
        points,
        swept: manifest.swept,
    }))
}

/// The possible values of a column.
fn range_of(ranges: &Ranges, column: &str) -> Range {
    let range = ranges.get(column);
    range.map_or_else(Range::default, |&(low, high)| Range::new(low, high))
}

/// The columns of the swept keys, all of which `runs` has to have.
fn swept_columns(runs: &Table, swept: &[String]) -> Result<Vec<Option<usize>>, Error> {
    swept.iter().map(|key| runs.column(key).map(Some)).collect()
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

fn cells(values: &[f64], range: &Range) -> [String; 8] {
    let text = |number: Option<f64>| number.map_or_else(String::new, |number| number.to_string());
    let summary = Summary::of(values);
    let interval = summary
        .and_then(|s| s.interval)
        .map(|interval| range.clip(interval));
    [
        values.len().to_string(),
        text(summary.map(|s| s.mean)),
        text(summary.and_then(|s| s.sd)),
        text(interval.map(|(low, _)| low)),
        text(interval.map(|(_, high)| high)),
        text(summary.map(|s| s.min)),
        text(summary.map(|s| s.median)),
        text(summary.map(|s| s.max)),
    ]
}
