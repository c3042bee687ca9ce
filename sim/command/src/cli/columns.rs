//! `dhtlab schema --columns`: the columns of the result files, as a page. It is Markdown that reads as plain
//! text in a terminal.

use crate::Kinds;
use crate::store::RUN;
use dhtlab_scenario::{Column, Experiment};
use std::fmt::Write;

dhtlab_scenario::columns! {
    pub(super) STATISTICS {
        /// A metric of `runs.csv`. A metric that is empty in all runs is left out.
        metric [""],
        /// Number of repetitions in which the metric is not empty. The other statistics are over these;
        /// they have the unit of the metric, and are empty if there are none.
        n [""],
        /// Arithmetic mean.
        mean [""],
        /// Sample standard deviation; empty with fewer than two values.
        sd [""],
        /// Lower end of the 95 % confidence interval of the mean, by Student's t; empty with fewer than
        /// two values.
        ci95_low [""],
        /// Upper end of this interval.
        ci95_high [""],
        /// Smallest value.
        min [""],
        /// Median.
        median [""],
        /// Largest value.
        max [""],
    }
}

/// Width of a line.
const WIDTH: usize = 100;

/// The page, of all kinds of experiment or of the one with this name.
pub(super) fn page(kinds: Kinds, name: Option<&str>) -> String {
    let mut text = "\
# Columns of the result files

Each line has the name of a column, its unit if it has one, and its meaning. Numbers are at least 0,
unless `signed` is in the place of the unit; `fraction` is from 0 to 1, `≤ KEY` at most the value of
this key, and `text` is no number. A figure refuses numbers outside of their range, and texts where it
needs numbers. Output of `dhtlab schema --columns`.

## All experiments

A row of `runs.csv` and of a long table begins with these columns, `seed` in `runs.csv` only. A column
for each swept key follows, named by its path, then the columns of the experiment.

"
    .to_owned();
    add_columns(&mut text, RUN, &[]);
    text.push_str("\n### summary.csv\n\nA column for each swept key, then:\n\n");
    add_columns(&mut text, STATISTICS, &[]);
    for kind in kinds
        .iter()
        .filter(|kind| name.is_none_or(|name| kind.name() == name))
    {
        add_experiment(&mut text, *kind);
    }
    text
}

fn add_experiment(text: &mut String, kind: &dyn Experiment) {
    let _ = writeln!(
        text,
        "\n## {}\n\n{}",
        kind.name(),
        filled(kind.doc(), "", "")
    );
    let _ = writeln!(text, "### {}: runs.csv\n", kind.name());
    add_columns(text, kind.metrics(), &[]);
    for table in kind.tables() {
        let _ = writeln!(text, "\n### {}: {}.csv\n", kind.name(), table.name);
        add_columns(text, table.columns, table.quantities);
    }
}

/// A line for each column, in an indented block.
fn add_columns(text: &mut String, columns: &[Column], quantities: &[&str]) {
    let width = |of: fn(&Column) -> usize| columns.iter().map(of).max().unwrap_or(0);
    let (name, unit) = (width(|c| c.name.len()), width(|c| c.unit.chars().count()));
    for column in columns {
        let mut first = format!("    {:name$}  ", column.name);
        if unit > 0 {
            let _ = write!(first, "{:unit$}  ", column.unit);
        }
        let mut doc = column.doc.to_owned();
        if column.name == "quantity" {
            let _ = write!(doc, " One of: {}.", quantities.join(", "));
        }
        let next = " ".repeat(first.chars().count());
        text.push_str(&filled(&doc, &first, &next));
    }
}

/// The words of `text` in lines that begin with `first` and then with `next`.
pub(super) fn filled(text: &str, first: &str, next: &str) -> String {
    let (mut lines, mut line) = (String::new(), first.to_owned());
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(lines, "{line}");
            next.clone_into(&mut line);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use dhtlab_experiments::KINDS;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn the_common_columns_are_those_of_the_files() {
        let names = |columns: &[Column]| columns.iter().map(|c| c.name).collect::<Vec<_>>();
        assert_eq!(names(RUN), dhtlab_format::RUN_COLUMNS);
        assert_eq!(names(STATISTICS), dhtlab_analysis::SUMMARY_COLUMNS);
    }

    /// The names of a file differ, and each column has its meaning, in sentences.
    #[test]
    fn each_column_has_a_name_of_its_own_and_a_meaning() {
        for kind in KINDS {
            let tables = kind.tables().iter().map(|table| table.columns);
            for columns in std::iter::once(kind.metrics()).chain(tables) {
                let own = RUN.iter().chain(columns);
                let names: BTreeSet<&str> = own.map(|column| column.name).collect();
                assert_eq!(names.len(), RUN.len() + columns.len(), "{}", kind.name());
                for column in columns {
                    let is_sentence = column.doc.ends_with('.') && !column.doc.contains("  ");
                    assert!(is_sentence, "{}: {:?}", column.name, column.doc);
                }
            }
        }
    }

    /// A figure finds the range of a column by its name.
    #[test]
    fn columns_of_one_name_have_one_range_and_bounds_are_keys() {
        for kind in KINDS {
            let sections = kind.sections();
            let keys: BTreeSet<String> = sections
                .iter()
                .flat_map(|section| {
                    let names = section.parameters.iter().map(|parameter| &parameter.key);
                    names.map(move |name| format!("{}.{name}", section.path))
                })
                .collect();
            let tables = kind.tables().iter().map(|table| table.columns);
            let mut ranges = BTreeMap::new();
            for column in std::iter::once(kind.metrics()).chain(tables).flatten() {
                let mut bound = None;
                let range = column.range(|key| {
                    assert!(keys.contains(key), "{}: {key}", column.name);
                    bound = Some(key.to_owned());
                    None
                });
                let one = (range, bound);
                let other = ranges.entry(column.name).or_insert(one.clone());
                assert_eq!(*other, one, "{}: {}", kind.name(), column.name);
            }
        }
    }

    #[test]
    fn lines_are_filled() {
        let words = "word ".repeat(60);
        let text = filled(&words, "  name  ", "        ");
        assert!(text.lines().all(|line| line.len() <= WIDTH));
        assert!(text.starts_with("  name  word word") && text.contains("\n        word"));
        assert_eq!(text.split_whitespace().count(), 61);
    }
}
