//! Measures a quantity at one point of the sweep.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::figure::range::Range;
use crate::figure::select::same;
use crate::statistics::{self, Summary};
use crate::table::Table;

use super::claims::{Quantity, Rule};
use super::folder::Results;
use super::location::{Absent, PointRows, ValueLocation};
use super::measure::{Estimate, Found};

/// Reads `quantity` at `place`.
///
/// # Errors
/// [`Absent`] if there is none.
pub fn read(
    results: &Results,
    place: &ValueLocation,
    quantity: &Quantity,
    rule: &Rule,
) -> Result<Found, Absent> {
    let rows = PointRows::select(results, place)?;
    let (table, stale) = match &quantity.table {
        None => (&results.runs, rows.stale.clone()),
        Some(name) => {
            let Some(table) = results.tables.get(name) else {
                return Err(Absent::Missing(format!("{name}.csv is not there")));
            };
            (table, rows.stale.clone().or_else(|| results.stale(name)))
        }
    };
    let values = match (&quantity.table, &quantity.quantity) {
        (None, _) => metric(table, &rows.rows, quantity),
        (Some(_), None) => metric(
            table,
            &rows.in_table(table, place, stale.as_ref())?,
            quantity,
        ),
        (Some(_), Some(counted)) => part(table, &rows, place, counted),
    }
    .map_err(Absent::Missing)?;
    let Some(summary) = Summary::of(&values) else {
        return Err(Absent::Missing("no run has a value".to_owned()));
    };
    let read = |name: &Option<String>| match name {
        None => Ok(None),
        Some(name) => column(&results.runs, &rows.rows, name).map(Some),
    };
    let errors = read(&rule.error_metric).map_err(Absent::Missing)?;
    let errors = errors.filter(|errors| !errors.is_empty());
    let deviations = read(&rule.sd_metric).map_err(Absent::Missing)?;
    let factor = quantity.times.unwrap_or(1.0).abs();
    let n = summary.n as f64;
    let squares = errors.map(|errors| {
        let squares = errors.iter().map(|error| (error * factor).powi(2));
        squares.sum::<f64>() / errors.len() as f64
    });
    let mut sample_sd = deviations
        .and_then(|sds| statistics::mean(&sds))
        .map(|sd| sd * factor);
    let number = |what: &Option<Value>| rows.number(results, what.as_ref()?);
    let squares = match number(&rule.successes_of) {
        None => squares,
        Some(trials) => {
            // One more success and one more failure: none in all trials is no certainty.
            let total = trials * n;
            let part = (summary.mean * total + 1.0) / (total + 2.0);
            let variance = part * (1.0 - part);
            sample_sd = Some(variance.sqrt());
            Some(variance / trials)
        }
    };
    let range = range(results, quantity, rule);
    let (error, run_sd, interval) = match squares {
        Some(mean_square) => {
            let error = (mean_square / n).sqrt();
            let interval = normal_interval(summary.mean, error);
            (Some(error), Some(mean_square.sqrt()), Some(interval))
        }
        None => {
            let sd = summary.sd.filter(|_| summary.n >= FEWEST_RUNS);
            (sd.map(|sd| sd / n.sqrt()), sd, summary.interval)
        }
    };
    Ok(Found {
        estimate: Estimate {
            n: summary.n,
            samples_a_run: number(&rule.samples_a_run)
                .or_else(|| number(&rule.successes_of))
                .unwrap_or(1.0),
            mean: summary.mean,
            range,
            interval: interval.map(|interval| range.clip(interval)),
            error,
            run_sd,
            sample_sd,
        },
        stale,
        note: rows.note,
    })
}

/// The possible values of `quantity`: as stated, of a fraction, or by the ranges of its metrics.
fn range(results: &Results, quantity: &Quantity, rule: &Rule) -> Range {
    if let Some((low, high)) = quantity.range {
        return Range::new(Some(low), Some(high));
    }
    if quantity.quantity.is_some() {
        return Range::FRACTION;
    }
    let known = |name: &String| {
        let (low, high) = *results.facts.ranges.get(name)?;
        Some(Range::new(low, high))
    };
    let own = match (quantity.metric.0.as_slice(), &quantity.over) {
        ([metric], None) => known(metric).or(rule.successes_of.as_ref().map(|_| Range::FRACTION)),
        _ => None,
    };
    let Some(own) = own else {
        return Range::default();
    };
    let moved = |end: f64| quantity.times.unwrap_or(1.0) * end + quantity.plus;
    let (one, other) = (moved(own.low), moved(own.high));
    Range {
        low: one.min(other),
        high: one.max(other),
    }
}

/// With fewer runs, the spread is no estimate of the error of the mean.
pub const FEWEST_RUNS: usize = 4;

/// The 95 % interval of a normal distribution.
pub fn normal_interval(mean: f64, error: f64) -> (f64, f64) {
    /// The 97.5 % quantile of the normal distribution.
    const HALF_WIDTH: f64 = 1.959_964;
    (mean - HALF_WIDTH * error, mean + HALF_WIDTH * error)
}

/// The numbers of a column, without missing ones.
fn column(table: &Table, rows: &[usize], name: &str) -> Result<Vec<f64>, String> {
    let column = table.column(name).map_err(|error| error.to_string())?;
    let mut numbers = Vec::with_capacity(rows.len());
    for &row in rows {
        numbers.extend(
            table
                .number(row, column)
                .map_err(|error| error.to_string())?,
        );
    }
    Ok(numbers)
}

/// The sum of the metrics of each row over the divisor; rows without one of them are left out.
fn metric(table: &Table, rows: &[usize], quantity: &Quantity) -> Result<Vec<f64>, String> {
    let place = |name: &String| table.column(name).map_err(|error| error.to_string());
    let metrics = quantity
        .metric
        .0
        .iter()
        .map(place)
        .collect::<Result<Vec<_>, _>>()?;
    let over = quantity.over.as_ref().map(place).transpose()?;
    let mut values = Vec::with_capacity(rows.len());
    for &row in rows {
        let number = |column: usize| table.number(row, column).map_err(|error| error.to_string());
        let mut sum = Some(0.0);
        for &column in &metrics {
            sum = sum.zip(number(column)?).map(|(sum, value)| sum + value);
        }
        let divisor = over.map_or(Ok(Some(1.0)), number)?;
        if let (Some(sum), Some(divisor)) = (sum, divisor) {
            values.push(quantity.times.unwrap_or(1.0) * sum / divisor + quantity.plus);
        }
    }
    Ok(values)
}

/// The fraction of the values of `counted` that equal the one in `place.at`, for each run that has
/// any.
fn part(
    table: &Table,
    rows: &PointRows,
    place: &ValueLocation,
    counted: &str,
) -> Result<Vec<f64>, String> {
    let column = |name: &str| table.column(name).map_err(|error| error.to_string());
    let [id, quantity, count] = [column("run")?, column("quantity")?, column("count")?];
    let mut at = Vec::new();
    for (name, text) in &place.at {
        at.push((column(name)?, text));
    }
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for row in rows.of_point(table)? {
        if table.text(row, quantity) != counted {
            continue;
        }
        let weight = table
            .number(row, count)
            .map_err(|error| error.to_string())?;
        let (own, all) = sums.entry(table.text(row, id)).or_default();
        *all += weight.unwrap_or(0.0);
        if at
            .iter()
            .all(|&(column, text)| same(text, table.text(row, column)))
        {
            *own += weight.unwrap_or(0.0);
        }
    }
    let parts = sums.into_values().filter(|(_, all)| *all > 0.0);
    Ok(parts.map(|(own, all)| own / all).collect())
}
