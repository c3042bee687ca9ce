//! What a command says about finished runs: a run as JSON, and the main metric of a scenario as a table.

use super::text_table::{TextTable, number};
use crate::store::key_cell;
use dhtlab_analysis::MainMetric;
use dhtlab_scenario::{Cell, RunOutput, Scenario};
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::path::Path;

/// Most points of the sweep that a summary shows.
const MOST_POINTS: usize = 16;

/// Success rate of lookups below which means over successful lookups are remarked upon.
const LOW_SUCCESS: f64 = 0.95;

/// Width of the longest bar.
const BAR: f64 = 24.0;

/// A finished run (its index in `scenario.runs`) as a JSON object: scenario, run, repetition, seed,
/// swept keys with their values, metrics, and notes.
pub(super) fn json(scenario: &Scenario, run: usize, outcome: &RunOutput) -> Value {
    let planned = &scenario.runs[run];
    let values = &scenario.points[planned.point].values;
    let keys = scenario.swept.iter().zip(values);
    let keys = keys.map(|(key, value)| (key.clone(), cell(&key_cell(value))));
    let metrics = scenario.experiment.metrics().iter().zip(&outcome.metrics);
    let metrics = metrics.map(|(column, value)| (column.name.to_owned(), cell(value)));
    json!({
        "scenario": scenario.name,
        "run": planned.id,
        "repetition": planned.repetition,
        "seed": planned.seed.value(),
        "swept": keys.collect::<Map<_, _>>(),
        "metrics": metrics.collect::<Map<_, _>>(),
        "notes": outcome.notes,
    })
}

fn cell(cell: &Cell) -> Value {
    match cell {
        Cell::Absent => Value::Null,
        Cell::Count(count) => json!(count),
        // As in CSV files: without a fraction it is an integer.
        Cell::Real(number) => serde_json::from_str(&number.to_string()).unwrap_or(json!(number)),
        Cell::Text(text) => json!(text),
    }
}

/// What came out: the main metric at each point of the sweep, the figures, and what can be done next.
pub(super) fn summary(scenario: &Scenario, folder: &Path) -> String {
    let mut text = String::new();
    // The results are written; a summary that fails is not worth an error.
    if let Ok(Some(metric)) = dhtlab_analysis::main_metric(folder) {
        add_metric(&mut text, &metric);
        if let Some(success) = metric.success
            && success < LOW_SUCCESS
            && metric.name != "success_rate"
        {
            let _ = writeln!(
                text,
                "note: success_rate is as low as {}; means of hops and latency are over the lookups that are \
                 ok",
                number(success)
            );
        }
    }
    let figures = scenario.figures.iter().enumerate();
    let figures = figures.map(|(place, figure)| format!("{}.svg", figure.stem(place)));
    let mut drawn = figures.filter(|name| folder.join(name).exists());
    match drawn.next() {
        Some(first) => {
            let more = match drawn.count() {
                0 => String::new(),
                count => format!(" and {count} more"),
            };
            let _ = writeln!(text, "figure: {}{more}", folder.join(first).display());
        }
        None if scenario.has_figures() => {
            text.push_str("no figure: those of the scenario need keys that are not swept now\n");
        }
        None => text.push_str("no figure: a table [[figure]] in the scenario draws one\n"),
    }
    if scenario.header.repetitions == 1 {
        text.push_str("each point has one run: `--repetitions 10` gives intervals\n");
    }
    text
}

fn add_metric(text: &mut String, metric: &MainMetric) {
    let runs = metric.points.iter().map(|point| point.n).max().unwrap_or(0);
    let noun = if runs == 1 { "run" } else { "runs" };
    let _ = writeln!(text, "{}, mean of {runs} {noun} per point", metric.name);
    let most = metric
        .points
        .iter()
        .map(|point| point.mean)
        .fold(0.0, f64::max);
    let has_bars = metric.points.len() > 1
        && most > 0.0
        && metric.points.iter().all(|point| point.mean >= 0.0);
    let point = match metric.swept.as_slice() {
        [] => "all runs".to_owned(),
        keys => keys.join(", "),
    };
    let mut table = TextTable::new([&point, "mean", "95 % interval", "n"]);
    let shown = metric.points.iter().take(MOST_POINTS);
    for point in shown.clone() {
        table.add([
            point.values.join(", "),
            number(point.mean),
            match point.interval {
                Some((low, high)) => format!("{} to {}", number(low), number(high)),
                None => String::new(),
            },
            point.n.to_string(),
        ]);
    }
    let table = table.to_string();
    let width = table
        .lines()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0);
    let mut lines = table.lines();
    let _ = writeln!(text, "{}", lines.next().unwrap_or_default());
    for (line, point) in lines.zip(shown) {
        let bar = match has_bars {
            true => "█".repeat((BAR * point.mean / most).round() as usize),
            false => String::new(),
        };
        let _ = writeln!(text, "{}", format!("{line:width$}  {bar}").trim_end());
    }
    if metric.points.len() > MOST_POINTS {
        let more = metric.points.len() - MOST_POINTS;
        let _ = writeln!(text, "  and {more} more points in summary.csv");
    }
}
