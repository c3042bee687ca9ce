//! Selects the rows of a table for each panel and series of a figure.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::label;
use super::page::PageLayout;
use super::plot::{Panel, Plot, Scaling};
use super::range::Range;
use super::spec::{Figure, FigureKind, MOST_SERIES, Statistic};
use crate::statistics;
use crate::table::Table;
use dhtlab_format::Error;

/// A figure and its results.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    pub figure: &'a Figure,
    pub name: &'a str,
    /// The title of the scenario.
    pub title: &'a str,
    pub swept: &'a [String],
    pub table: &'a Table,
    /// The least and the largest possible value of the columns.
    pub ranges: &'a BTreeMap<String, (Option<f64>, Option<f64>)>,
}

/// A value and its 95 % interval.
pub type Estimate = (f64, Option<(f64, f64)>);

/// A panel or series: `id` for files, `label` for readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub id: String,
    pub label: String,
}

/// The rows of one series in one panel.
#[derive(Debug)]
pub struct Group {
    pub panel: usize,
    pub series: usize,
    /// The column of y; `None` in a histogram.
    pub y: Option<usize>,
    pub rows: Vec<usize>,
}

/// The rows of a figure, in the order of the table.
#[derive(Debug)]
pub struct Selection {
    pub panels: Vec<Name>,
    pub series: Vec<Name>,
    pub groups: Vec<Group>,
}

impl Source<'_> {
    /// The name of a series in the legend: one without its own key has the name of its metric.
    pub fn series_label(&self, label: &str) -> String {
        if !label.is_empty() {
            return label.to_owned();
        }
        match (self.figure.y.0.as_slice(), &self.figure.quantity) {
            ([metric], _) => self.label_of_column(metric),
            (_, Some(quantity)) => self.label_of_column(quantity),
            _ => String::new(),
        }
    }

    /// The text for a value of `key`.
    pub fn label_of_value(&self, key: &str, text: &str) -> String {
        let own = self.figure.labels.get(text);
        own.map_or_else(|| label::typeset_value_of(key, text), String::clone)
    }

    /// The text for the name of a column.
    fn label_of_column(&self, name: &str) -> String {
        let own = self.figure.labels.get(name);
        own.map_or_else(|| self.readable(name), String::clone)
    }

    /// The text for what is drawn of a column without a text of its own.
    pub fn readable(&self, name: &str) -> String {
        match self.figure.complement {
            true => format!("1 - {}", label::readable(name)),
            false => label::readable(name),
        }
    }

    /// An error about the results.
    pub fn data_error(&self, message: impl Into<String>) -> Error {
        Error::Data {
            path: self.table.path.clone(),
            figure: self.name.to_owned(),
            message: message.into(),
        }
    }

    /// A plot without marks.
    pub fn plot(&self, selection: &Selection, x: Scaling, y: Scaling) -> Plot {
        let several = self.figure.panel.is_some();
        Plot {
            title: self
                .figure
                .title
                .clone()
                .unwrap_or_else(|| self.title.to_owned()),
            caption: self.figure.caption.clone().unwrap_or_default(),
            x: Scaling {
                shown: self.figure.x_range,
                ..x
            },
            y: Scaling {
                shown: self.figure.y_range,
                ..y
            },
            layout: PageLayout::of(self.figure),
            panels: selection
                .panels
                .iter()
                .map(|panel| Panel {
                    title: several.then(|| panel.label.clone()),
                    marks: Vec::new(),
                })
                .collect(),
            legend: Vec::new(),
        }
    }

    /// Sorts the selected rows into panels and series.
    ///
    /// # Errors
    /// When a column is missing, and when no row is left.
    pub fn select(&self) -> Result<Selection, Error> {
        let figure = self.figure;
        let column = |name: &String| self.table.column(name);
        let panel_key = figure.panel.as_ref().map(column).transpose()?;
        let series_keys = figure
            .series
            .0
            .iter()
            .map(column)
            .collect::<Result<Vec<_>, _>>()?;
        let ys: Vec<Option<usize>> = if figure.y.is_empty() {
            vec![None]
        } else {
            let columns = figure.y.0.iter().map(|name| column(name).map(Some));
            columns.collect::<Result<_, _>>()?
        };
        let rows = self.kept_rows()?;

        let mut panels = DistinctTexts::default();
        let mut combinations = DistinctTexts::default();
        let mut sorted: Vec<(usize, usize, usize)> = Vec::with_capacity(rows.len());
        for row in rows {
            let panel = panel_key.map_or("", |key| self.table.text(row, key));
            let panel = panels.place(vec![panel.to_owned()]);
            let texts = series_keys
                .iter()
                .map(|&key| self.table.text(row, key).to_owned())
                .collect();
            sorted.push((panel, combinations.place(texts), row));
        }
        let panel_names = panels
            .all
            .iter()
            .map(|texts| Name {
                id: texts[0].clone(),
                label: figure
                    .panel
                    .as_ref()
                    .map_or_else(String::new, |key| self.label_of_value(key, &texts[0])),
            })
            .collect();

        let mut series = Vec::new();
        let mut groups = Vec::new();
        for &y in &ys {
            for (combination, texts) in combinations.all.iter().enumerate() {
                let index = series.len();
                series.push(self.series_name(y.filter(|_| ys.len() > 1), texts));
                for panel in 0..panels.all.len() {
                    let rows: Vec<usize> = sorted
                        .iter()
                        .filter(|&&(p, c, _)| (p, c) == (panel, combination))
                        .map(|&(_, _, row)| row)
                        .collect();
                    if !rows.is_empty() {
                        groups.push(Group {
                            panel,
                            series: index,
                            y,
                            rows,
                        });
                    }
                }
            }
        }
        if figure.kind != FigureKind::Diagram && series.len() > MOST_SERIES {
            return Err(self.data_error(format!(
                "{} series: a figure has at most {MOST_SERIES}; `panel` makes a panel of each value of a \
                 key, `where` chooses values",
                series.len()
            )));
        }
        groups.sort_by_key(|group| (group.panel, group.series));
        Ok(Selection {
            panels: panel_names,
            series,
            groups,
        })
    }

    fn series_name(&self, y: Option<usize>, texts: &[String]) -> Name {
        let keys = self.figure.series.0.iter();
        let metric = y.map(|column| &self.table.columns[column]);
        // Of several keys, a series has no value of those that are not its protocol's.
        let has = |text: &String| texts.len() == 1 || !text.is_empty();
        let labels = metric.map(|name| self.label_of_column(name)).into_iter();
        let labels = labels.chain(
            keys.zip(texts)
                .filter(|(_, text)| has(text))
                .map(|(key, text)| self.label_of_value(key, text)),
        );
        let values: Vec<&str> = metric
            .into_iter()
            .chain(texts.iter().filter(|text| has(text)))
            .map(String::as_str)
            .collect();
        let own = self.figure.labels.get(&values.join(", "));
        let ids = metric.cloned().into_iter().chain(texts.iter().cloned());
        Name {
            id: ids.collect::<Vec<_>>().join(", "),
            label: own.map_or_else(|| labels.collect::<Vec<_>>().join(", "), String::clone),
        }
    }

    /// The rows that `where` and `quantity` select.
    fn kept_rows(&self) -> Result<Vec<usize>, Error> {
        let table = self.table;
        let mut filters: Vec<(&str, usize, Vec<String>)> = Vec::new();
        for (key, value) in &self.figure.filter {
            let texts = match value {
                Value::Array(values) => values.iter().map(text_of).collect(),
                value => vec![text_of(value)],
            };
            filters.push((key, table.column(key)?, texts));
        }
        if let Some(quantity) = &self.figure.quantity {
            let column = table.column("quantity")?;
            filters.push(("quantity", column, vec![quantity.clone()]));
        }
        let mut rows: Vec<usize> = (0..table.len()).collect();
        for (key, column, wanted) in &filters {
            let before = rows.clone();
            rows.retain(|&row| {
                let text = table.text(row, *column);
                wanted.iter().any(|wanted| same(wanted, text))
            });
            if rows.is_empty() {
                let mut present = DistinctTexts::default();
                for row in before {
                    present.place(vec![table.text(row, *column).to_owned()]);
                }
                let present: Vec<String> = present.all.into_iter().flatten().collect();
                return Err(self.data_error(format!(
                    "no row has `{key}` = {}; its values are {}",
                    wanted.join(" or "),
                    present.join(", ")
                )));
            }
        }
        Ok(rows)
    }

    /// Refuses rows that would be averaged although they come from different points of the sweep.
    ///
    /// # Errors
    /// [`Error::Data`] with the key.
    pub fn one_point(&self, rows: &[usize], also_told_apart: Option<&str>) -> Result<(), Error> {
        for key in self.swept {
            if self.figure.accounts_for(key) || also_told_apart == Some(key) {
                continue;
            }
            let column = self.table.column(key)?;
            if let Some((text, other)) = differing(self.table, rows, column) {
                return Err(self.data_error(format!(
                    "key `{key}` is swept but the figure neither uses nor fixes it: values {text} \
                     and {other} fall together"
                )));
            }
        }
        Ok(())
    }

    /// The possible range of a column.
    pub fn range(&self, column: usize) -> Range {
        let range = self.ranges.get(&self.table.columns[column]);
        range.map_or_else(Range::default, |&(low, high)| Range::new(low, high))
    }

    /// The possible range of the vertical axis.
    ///
    /// # Errors
    /// When a column is missing.
    pub fn y_range(&self) -> Result<Range, Error> {
        let figure = self.figure;
        if figure.kind.shows_counts() {
            return Ok(Range::FRACTION);
        }
        if figure.statistic == Statistic::StandardDeviation {
            return Ok(Range::new(Some(0.0), None));
        }
        let mut ranges = Vec::new();
        for name in &figure.y.0 {
            ranges.push(self.range(self.table.column(name)?));
        }
        if figure.complement {
            for name in figure.vertical_columns() {
                let range = self.range(self.table.column(name)?);
                if range != Range::FRACTION {
                    return Err(self.data_error(format!(
                        "`complement` needs fractions, and {name} can be {}",
                        range.text()
                    )));
                }
            }
        }
        Ok(ranges.into_iter().reduce(Range::or).unwrap_or_default())
    }

    /// The numbers of `column` in `rows`, without missing ones.
    ///
    /// # Errors
    /// When a cell is not a number, and when it is outside of the possible range.
    pub fn numbers(&self, rows: &[usize], column: usize) -> Result<Vec<f64>, Error> {
        let range = self.range(column);
        let mut numbers = Vec::with_capacity(rows.len());
        for &row in rows {
            let number = self.table.number(row, column)?;
            if let Some(number) = number.filter(|number| !range.contains(*number)) {
                return Err(self.data_error(format!(
                    "`{}` is {number} in row {}, but possible is {}",
                    self.table.columns[column],
                    row + 1,
                    range.text()
                )));
            }
            numbers.extend(number);
        }
        Ok(numbers)
    }

    /// A statistic of `column` over the repetitions in `rows`, with its interval.
    ///
    /// The interval of a proportion of runs is that of Wilson. That of any other mean is by Student's
    /// t, without what is impossible: the mean is within the range, so the rest covers it as often.
    /// (A bootstrap stays within the range, too, but of three runs it covers the mean in three
    /// quarters of the cases only.)
    ///
    /// # Errors
    /// Those of [`Source::numbers`].
    pub fn estimate(
        &self,
        rows: &[usize],
        column: usize,
        statistic: Statistic,
    ) -> Result<Option<Estimate>, Error> {
        let values = self.numbers(rows, column)?;
        let Some((value, interval)) = statistics::of(statistic, &values) else {
            return Ok(None);
        };
        if statistic != Statistic::Mean {
            return Ok(Some((value, interval)));
        }
        let interval = if values.len() > 1 && self.is_proportion(column)? {
            let successes = values.iter().filter(|value| **value == 1.0).count();
            statistics::wilson_interval(successes, values.len())
        } else {
            interval.map(|interval| self.range(column).clip(interval))
        };
        Ok(Some((value, interval)))
    }

    /// The [`estimate`](Self::estimate) of what the vertical axis shows.
    ///
    /// # Errors
    /// Those of [`Source::numbers`].
    pub fn vertical_estimate(
        &self,
        rows: &[usize],
        column: usize,
        statistic: Statistic,
    ) -> Result<Option<Estimate>, Error> {
        let estimate = self.estimate(rows, column, statistic)?;
        if !self.figure.complement {
            return Ok(estimate);
        }
        let complement = |(low, high): (f64, f64)| (1.0 - high, 1.0 - low);
        Ok(estimate.map(|(value, interval)| (1.0 - value, interval.map(complement))))
    }

    /// Whether a column says yes (1) or no (0) of each run.
    fn is_proportion(&self, column: usize) -> Result<bool, Error> {
        if self.range(column) != Range::FRACTION {
            return Ok(false);
        }
        let mut seen = [false; 2];
        for row in 0..self.table.len() {
            match self.table.number(row, column)? {
                None => {}
                Some(0.0) => seen[0] = true,
                Some(1.0) => seen[1] = true,
                Some(_) => return Ok(false),
            }
        }
        // A column of 1 alone can be of fractions.
        Ok(seen == [true; 2])
    }
}

/// Distinct texts in the order of their first appearance.
#[derive(Debug, Default)]
pub struct DistinctTexts {
    pub all: Vec<Vec<String>>,
    index: HashMap<Vec<String>, usize>,
}

impl DistinctTexts {
    /// The index of `texts`, which are added if they are new.
    pub fn place(&mut self, texts: Vec<String>) -> usize {
        if let Some(&place) = self.index.get(&texts) {
            return place;
        }
        let place = self.all.len();
        self.all.push(texts.clone());
        self.index.insert(texts, place);
        place
    }
}

/// The first two different texts of `column` in `rows`.
pub fn differing<'a>(
    table: &'a Table,
    rows: &[usize],
    column: usize,
) -> Option<(&'a str, &'a str)> {
    let mut texts = rows.iter().map(|&row| table.text(row, column));
    let first = texts.next()?;
    texts
        .find(|text| *text != first)
        .map(|other| (first, other))
}

/// A scalar as a cell of a table.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether two cells have the same meaning: the same text, or the same number in different
/// notations.
pub fn same(one: &str, other: &str) -> bool {
    one == other || matches!((one.parse::<f64>(), other.parse::<f64>()), (Ok(a), Ok(b)) if a == b)
}
