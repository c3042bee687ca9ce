//! The figures of a scenario, checked against the expected results.

use super::error::ScenarioError;
use super::figure_table;
use super::overrides::Overrides;
use super::source::{Source, lookup};
use super::sweep::{Sweep, cell};
use super::table_filter::TableFilter;
use super::{Column, Experiment, Point, Scenario};
use dhtlab_core::parameter::ConfigError;
use dhtlab_core::parameter::Value;
use dhtlab_format::figure::{Figure, FigureKind, MOST_SERIES};
use std::collections::{BTreeMap, BTreeSet};

/// Reads the tables `[[figure]]`. With options `--set`, figures of a swept key that the command line has
/// fixed are omitted.
///
/// # Errors
/// The figures that the results cannot supply, with their locations.
pub(super) fn figures(
    source: &Source,
    sweep: &Sweep,
    experiment: &dyn Experiment,
    points: &[Point],
    kept: &TableFilter,
    options: &Overrides,
) -> Result<Vec<Figure>, ScenarioError> {
    let fault = |key: String, message: String| source.error(ConfigError::new(key, message));
    let tables = match lookup(&source.values, "figure") {
        None => return Ok(Vec::new()),
        Some(Value::Array(tables)) => tables,
        Some(_) => {
            return Err(fault(
                "figure".to_owned(),
                "expected tables [[figure]]".to_owned(),
            ));
        }
    };
    let is_set = !options.set.is_empty();
    let is_whole = !is_set && !options.quick;
    let names = |columns: &[Column]| -> Vec<String> {
        let names = columns.iter().map(|column| column.name.to_owned());
        names.collect()
    };
    let metrics = names(experiment.metrics());
    let tables_of = experiment.tables().iter();
    let long: Vec<(String, Vec<String>)> = tables_of
        .map(|table| (table.name.to_owned(), names(table.columns)))
        .collect();
    let mut figures: Vec<Figure> = Vec::new();
    let mut faults: Vec<ScenarioError> = Vec::new();
    for (i, table) in tables.iter().enumerate() {
        let at = |key: &str| format!("figure[{i}].{key}");
        let figure = match figure_table::read(table) {
            Ok(figure) => figure,
            Err((key, message)) => {
                let place = match &key[..] {
                    "" => format!("figure[{i}]"),
                    key => at(key),
                };
                faults.push(fault(place, message));
                continue;
            }
        };
        let problem = figure
            .validate(&sweep.groups, &metrics, &long)
            .map_err(|problem| (problem.key, problem.message))
            .and_then(|()| expect_values(&figure, sweep, experiment))
            .and_then(|()| expect_labelled(&figure, sweep, is_whole))
            .and_then(|()| expect_few_series(&figure, sweep))
            .and_then(|()| expect_numbers(&figure, sweep))
            .and_then(|()| expect_number_columns(&figure, experiment))
            .and_then(|()| expect_fractions(&figure, experiment))
            .and_then(|()| expect_published(&figure, sweep, is_whole))
            .and_then(|()| expect_rows(&figure, experiment, kept))
            .and_then(|()| expect_filled(&figure, points));
        match problem {
            Ok(()) => {}
            // The command line has changed the sweep that this figure shows.
            Err((key, _))
                if is_set && ["x", "series", "panel", "where", "table"].contains(&key.as_str()) =>
            {
                continue;
            }
            Err((key, message)) => {
                faults.push(fault(at(&key), message));
                continue;
            }
        }
        let stem = figure.stem(figures.len());
        if (figures.iter().enumerate()).any(|(index, other)| other.stem(index) == stem) {
            faults.push(fault(at("name"), "another figure has this name".to_owned()));
            continue;
        }
        figures.push(figure);
    }
    let mut faults = faults.into_iter();
    match faults.next() {
        None => Ok(figures),
        Some(mut first) => {
            first.others.extend(faults);
            Err(first)
        }
    }
}

impl Scenario {
    /// The possible values of each column with bounds; where tables have a column of the same name with
    /// other bounds, those that contain both.
    pub fn ranges(&self) -> BTreeMap<&'static str, (Option<f64>, Option<f64>)> {
        let tables = self.experiment.tables().iter().map(|table| table.columns);
        let mut ranges = BTreeMap::new();
        for column in tables.chain([self.experiment.metrics()]).flatten() {
            let (low, high) = column.range(|key| self.largest(key));
            let of_both = |known: &mut (Option<f64>, Option<f64>)| {
                known.0 = known.0.zip(low).map(|(one, other)| one.min(other));
                known.1 = known.1.zip(high).map(|(one, other)| one.max(other));
            };
            let known = ranges.entry(column.name);
            known.and_modify(of_both).or_insert((low, high));
        }
        ranges.retain(|_, range| *range != (None, None));
        ranges
    }

    /// The largest value of a key with numbers.
    fn largest(&self, key: &str) -> Option<f64> {
        if let Some(place) = self.swept.iter().position(|swept| swept == key) {
            let values = self.points.iter().map(|point| point.values[place].parse());
            let numbers: Result<Vec<f64>, _> = values.collect();
            return numbers.ok()?.into_iter().reduce(f64::max);
        }
        cell(lookup(&self.resolved(), key)).parse().ok()
    }
}

/// Refuses more series than there are styles, before any run.
fn expect_few_series(figure: &Figure, sweep: &Sweep) -> Result<(), (String, String)> {
    let place = |key: &String| sweep.keys.iter().position(|swept| swept == key);
    let places: Vec<usize> = figure.series.0.iter().filter_map(place).collect();
    let kept = |point: &&Vec<Option<Value>>| {
        let mut filters = figure.filter.iter();
        filters.all(|(key, wanted)| {
            place(key).is_none_or(|place| texts(wanted).contains(&cell(point[place].as_ref())))
        })
    };
    let of = |point: &Vec<Option<Value>>| -> Vec<String> {
        let text = |place: &usize| cell(point[*place].as_ref());
        places.iter().map(text).collect()
    };
    let combinations: BTreeSet<_> = sweep.points.iter().filter(kept).map(of).collect();
    let series = combinations.len() * figure.y.0.len().max(1);
    if figure.kind == FigureKind::Diagram || series <= MOST_SERIES {
        return Ok(());
    }
    let message = format!(
        "expected at most {MOST_SERIES} series, found {series}; `panel` makes a panel of each value \
         of a key, `where` chooses values"
    );
    Err(("series".to_owned(), message))
}

/// Refuses a logarithmic axis and a range of texts.
fn expect_numbers(figure: &Figure, sweep: &Sweep) -> Result<(), (String, String)> {
    let wants = [
        ("scale", figure.scale.log_x()),
        ("x-range", figure.x_range.is_some()),
    ];
    let Some((wanted, _)) = wants.into_iter().find(|(_, is_given)| *is_given) else {
        return Ok(());
    };
    let is_x = |key: &&String| figure.kind == FigureKind::Lines && figure.x.as_ref() == Some(*key);
    let Some(place) = sweep.keys.iter().position(|key| is_x(&key)) else {
        return Ok(());
    };
    let values = sweep.points.iter().filter_map(|point| match &point[place] {
        // A duration or a rate is a text that begins with its number.
        Some(Value::String(text)) if !text.starts_with(|c: char| c.is_ascii_digit()) => Some(text),
        _ => None,
    });
    match values.min() {
        None => Ok(()),
        Some(text) => Err((
            wanted.to_owned(),
            format!(
                "needs numbers along x; \"{text}\" of `{}` is a text",
                sweep.keys[place]
            ),
        )),
    }
}

/// Refuses columns of texts where numbers are drawn.
fn expect_number_columns(
    figure: &Figure,
    experiment: &dyn Experiment,
) -> Result<(), (String, String)> {
    if figure.kind == FigureKind::Diagram {
        return Ok(());
    }
    let columns = columns_of(figure, experiment);
    let is_text = |name: &str| {
        let mut texts = columns.iter().filter(|column| column.is_text());
        texts.any(|column| column.name == name)
    };
    for (key, names) in figure.number_columns() {
        if let Some(name) = names.into_iter().find(|name| is_text(name)) {
            let message = format!("expected a column with numbers; `{name}` has texts");
            return Err((key.to_owned(), message));
        }
    }
    Ok(())
}

/// The columns of the table that a figure shows.
fn columns_of(figure: &Figure, experiment: &dyn Experiment) -> &'static [Column] {
    let tables = experiment.tables();
    let table = tables
        .iter()
        .find(|table| table.name == figure.table_name());
    table.map_or(experiment.metrics(), |table| table.columns)
}

/// Refuses `complement` where something else than a fraction is drawn.
fn expect_fractions(figure: &Figure, experiment: &dyn Experiment) -> Result<(), (String, String)> {
    if !figure.complement {
        return Ok(());
    }
    let columns = columns_of(figure, experiment);
    let is_fraction = |name: &&str| {
        let column = columns.iter().find(|column| column.name == *name);
        column.is_some_and(|column| column.range(|_| None) == (Some(0.0), Some(1.0)))
    };
    match figure.vertical_columns().find(|name| !is_fraction(name)) {
        None => Ok(()),
        Some(name) => Err((
            "complement".to_owned(),
            format!("1 - y needs fractions, and `{name}` is none"),
        )),
    }
}

/// Refuses published points of a series or panel that the figure does not have. A sweep that the command
/// line has changed, and is not whole, lacks some of them. The series of several keys or quantities are
/// named by all of them, and are not checked.
fn expect_published(
    figure: &Figure,
    sweep: &Sweep,
    is_whole: bool,
) -> Result<(), (String, String)> {
    if !is_whole {
        return Ok(());
    }
    let values = |key: &String| -> Option<BTreeSet<String>> {
        let place = sweep.keys.iter().position(|swept| swept == key)?;
        let points = sweep.points.iter();
        Some(points.map(|point| cell(point[place].as_ref())).collect())
    };
    let series = match &figure.series.0[..] {
        [] if figure.y.0.len() <= 1 => Some(BTreeSet::new()),
        [key] if figure.y.0.len() <= 1 => values(key),
        _ => None,
    };
    let panels = figure.panel.as_ref().map_or(Some(BTreeSet::new()), values);
    let is_same = |one: &str, other: &str| {
        let numbers = one.parse::<f64>().ok().zip(other.parse::<f64>().ok());
        numbers.is_some_and(|(one, other)| one == other)
    };
    for (name, wanted) in figure.published_places() {
        let known = match name {
            "series" => &series,
            _ => &panels,
        };
        // The label of a number has its key: "tasks = 100,000".
        let is_label = wanted.contains(" = ");
        let Some(known) = known.as_ref().filter(|known| known.is_empty() || !is_label) else {
            continue;
        };
        // As they are drawn: a panel by its number, a series by its text.
        let is_wanted =
            |known: &String| known == wanted || name == "panel" && is_same(known, wanted);
        if !known.iter().any(is_wanted) {
            let known: Vec<String> = known.iter().map(|known| format!("\"{known}\"")).collect();
            let expected = match known.is_empty() {
                true => format!("no `{name}`, since the figure has none"),
                false => format!("as `{name}` one of {}", known.join(", ")),
            };
            let message = format!("curve `points`: expected {expected}, found \"{wanted}\"");
            return Err(("theory".to_owned(), message));
        }
    }
    Ok(())
}

/// Refuses a figure of a quantity or sweep point that the results do not contain.
fn expect_values(
    figure: &Figure,
    sweep: &Sweep,
    experiment: &dyn Experiment,
) -> Result<(), (String, String)> {
    let table = experiment
        .tables()
        .iter()
        .find(|table| table.name == figure.table_name());
    if let (Some(quantity), Some(table)) = (&figure.quantity, table)
        && !table.quantities.contains(&quantity.as_str())
    {
        let known = table.quantities.join(", ");
        let message = format!("expected one of {known}, found \"{quantity}\"");
        return Err(("quantity".to_owned(), message));
    }
    for (key, wanted) in &figure.filter {
        let Some(place) = sweep.keys.iter().position(|swept| swept == key) else {
            continue;
        };
        let wanted = texts(wanted);
        let is_swept = |value: &&String| {
            sweep
                .points
                .iter()
                .any(|point| cell(point[place].as_ref()) == **value)
        };
        if let Some(missing) = wanted.iter().find(|value| !is_swept(value)) {
            let message = format!("`{key}` is never {missing} in the sweep");
            return Err(("where".to_owned(), message));
        }
    }
    Ok(())
}

/// Refuses a label of nothing that the figure shows. Less than the whole scenario may lack values.
fn expect_labelled(figure: &Figure, sweep: &Sweep, is_whole: bool) -> Result<(), (String, String)> {
    if !is_whole {
        return Ok(());
    }
    let shown: BTreeSet<&String> = figure
        .series
        .0
        .iter()
        .chain(&figure.panel)
        .chain(&figure.x)
        .collect();
    let places: Vec<usize> = (0..sweep.keys.len())
        .filter(|place| shown.contains(&sweep.keys[*place]))
        .collect();
    let columns = figure.y.0.iter().chain(&figure.quantity);
    let columns: BTreeSet<&str> = columns.map(String::as_str).collect();
    let is_value = |text: &str| {
        columns.contains(text)
            || sweep.points.iter().any(|point| {
                let mut cells = places.iter().map(|place| cell(point[*place].as_ref()));
                cells.any(|value| value == text)
            })
    };
    let is_shown = |name: &&String| is_value(name) || name.split(", ").all(is_value);
    match figure.labels.keys().find(|name| !is_shown(name)) {
        None => Ok(()),
        Some(name) => {
            let message = format!(
                "\"{name}\" is neither a value of `series`, `panel` or `x` nor a name in `y`"
            );
            Err(("labels".to_owned(), message))
        }
    }
}

/// The values that a figure keeps of a key, as cells.
fn texts(wanted: &serde_json::Value) -> Vec<String> {
    let text = |value: &serde_json::Value| {
        let text = value.as_str();
        text.map_or_else(|| value.to_string(), str::to_owned)
    };
    match wanted {
        serde_json::Value::Array(values) => values.iter().map(text).collect(),
        value => vec![text(value)],
    }
}

/// Refuses a figure of a table that no point of the sweep fills.
fn expect_filled(figure: &Figure, points: &[Point]) -> Result<(), (String, String)> {
    let name = figure.table_name();
    match why_empty(name, points) {
        None => Ok(()),
        Some(has) => Err(("table".to_owned(), format!("`{name}` has {has}"))),
    }
}

/// What fills the table of this name, if no point of the sweep does.
pub(super) fn why_empty(name: &str, points: &[Point]) -> Option<&'static str> {
    let mut why = None;
    for point in points {
        let empty = point.run.empty_tables();
        why = Some(empty.into_iter().find(|(table, _)| *table == name)?.1);
    }
    why
}

/// Refuses a figure of rows that are not written.
fn expect_rows(
    figure: &Figure,
    experiment: &dyn Experiment,
    kept: &TableFilter,
) -> Result<(), (String, String)> {
    let name = figure.table_name();
    let is_long = experiment.tables().iter().any(|table| table.name == name);
    if !is_long || kept.keeps(name, figure.quantity.as_deref()) {
        return Ok(());
    }
    let (key, wanted) = match &figure.quantity {
        Some(quantity) => ("quantity", format!("{name}.{quantity}")),
        None => ("table", name.to_owned()),
    };
    let message = format!("`tables` leaves out \"{wanted}\", which this figure shows");
    Err((key.to_owned(), message))
}
