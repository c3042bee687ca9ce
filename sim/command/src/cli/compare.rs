//! `dhtlab compare`: the differences of two results as a table.

use super::text_table::{TextTable, number};
use crate::Failure;
use dhtlab_analysis::difference::Difference;
use std::fmt::Write;
use std::path::Path;

/// A table for each point: the metrics that differ, or `all`, with both means and the interval of the
/// difference. `folder` is the one with the results.
///
/// # Errors
/// Nothing to compare; one of `metrics` is in neither of the results.
pub(super) fn table(
    folder: &Path,
    differences: &[Difference],
    metrics: &[String],
    all: bool,
) -> Result<String, Failure> {
    let refuse = |why: String| Err(Failure::Input(format!("{}: {why}", folder.display())));
    if differences.is_empty() {
        return refuse(
            "no point is in both; two results are compared at the points of the sweep that both have, and two values \
             of a key at the points of all other keys, which systems of [[sweep.compare]] do not share"
                .to_owned(),
        );
    }
    for wanted in metrics {
        if !differences.iter().any(|found| found.metric == *wanted) {
            return refuse(format!("no values of a metric `{wanted}` to compare"));
        }
    }
    let is_meant = |found: &&Difference| metrics.is_empty() || metrics.contains(&found.metric);
    let meant: Vec<&Difference> = differences.iter().filter(is_meant).collect();
    let decided = meant
        .iter()
        .filter(|found| found.interval.is_some())
        .count();
    let significant = meant.iter().filter(|found| found.is_significant()).count();
    // A metric that is the same in all runs cannot differ by chance.
    let varies = |found: &&&Difference| found.interval.is_some_and(|(low, high)| low < high);
    let varying = meant.iter().filter(varies).count();
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} comparisons, {significant} differ; about {} of the {varying} that vary between runs would differ \
         by chance",
        meant.len(),
        number(varying as f64 / 20.0)
    );
    if decided < meant.len() {
        let left = meant.len() - decided;
        let _ = writeln!(
            text,
            "{left} have a single run on one side: nothing is decided"
        );
    }
    let shown = |found: &&&Difference| all || found.is_significant();
    let mut rest: Vec<&Difference> = meant.iter().filter(shown).copied().collect();
    while let Some(first) = rest.first().copied() {
        let is_here =
            |found: &&Difference| found.point == first.point && found.sides == first.sides;
        let (here, others): (Vec<&Difference>, Vec<&Difference>) =
            rest.into_iter().partition(is_here);
        rest = others;
        add_point(&mut text, &here);
    }
    Ok(text)
}

/// The differences at one point.
fn add_point(text: &mut String, here: &[&Difference]) {
    let first = here[0];
    let keys = first.point.iter();
    let point: Vec<String> = keys
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    let [one, other] = &first.sides;
    text.push('\n');
    if !point.is_empty() {
        let _ = writeln!(text, "{}", point.join(", "));
    }
    let mut table = TextTable::new(["metric", one, other, "difference", "95 % interval", "n"]);
    for found in here {
        let interval = match found.interval {
            Some((low, high)) => format!("{} to {}", number(low), number(high)),
            None => "unknown".to_owned(),
        };
        let runs = match (found.is_paired, found.n) {
            (true, [n, _]) => format!("{n} pairs"),
            (false, [n, m]) => format!("{n}, {m}"),
        };
        table.add([
            found.metric.clone(),
            number(found.means[0]),
            number(found.means[1]),
            number(found.difference),
            interval,
            runs,
        ]);
    }
    text.push_str(&table.to_string());
}
