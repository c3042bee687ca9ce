//! Checks a figure against a scenario, before any simulation.

use serde_json::Value;

use super::spec::{Figure, FigureKind, Scale, Shift, Statistic, Theory};
use crate::RUN_COLUMNS;
use crate::nearest::nearest;

/// A fault in the specification of a figure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct FigureError {
    /// The key of the figure's table; `theory` for anything inside of that table.
    pub key: String,
    /// What was expected, with the known names where names are expected.
    pub message: String,
}

impl FigureError {
    pub(super) fn new(key: &str, message: impl Into<String>) -> Self {
        Self {
            key: key.to_owned(),
            message: message.into(),
        }
    }
}

/// The columns of a histogram table, in addition to those of the run and the swept keys.
const HISTOGRAM_COLUMNS: [&str; 3] = ["quantity", "value", "count"];

/// The most characters of the name of a figure: with `.svg.partial` it is a file name on every system.
const MOST_CHARACTERS: usize = 200;

/// The columns of a table of shapes.
const SHAPE_COLUMNS: [&str; 6] = ["layer", "shape", "item", "x", "y", "label"];

impl Figure {
    /// The table that the figure reads.
    #[must_use]
    pub fn table_name(&self) -> &str {
        match (&self.table, self.kind) {
            (Some(table), _) => table,
            (None, FigureKind::Histogram | FigureKind::Cumulative) => "histogram",
            (None, FigureKind::Lines | FigureKind::Scatter) => "runs",
            (None, FigureKind::Diagram) => "shapes",
        }
    }

    /// The columns that are drawn. A histogram draws fractions of a count.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let names = self.x.iter().chain(&self.y.0).map(String::as_str);
        names.chain(self.theory_columns())
    }

    /// The columns that need numbers, by the key that names them. Values of texts can be along x.
    pub fn number_columns(&self) -> [(&'static str, Vec<&str>); 3] {
        let x = self.x.iter().filter(|_| self.kind == FigureKind::Scatter);
        [
            ("x", x.map(String::as_str).collect()),
            ("y", self.y.0.iter().map(String::as_str).collect()),
            ("theory", self.theory_columns().collect()),
        ]
    }

    /// The columns along the vertical axis.
    pub fn vertical_columns(&self) -> impl Iterator<Item = &str> {
        let names = self.y.0.iter().map(String::as_str);
        names.chain(self.theory_columns())
    }

    fn theory_columns(&self) -> impl Iterator<Item = &str> {
        self.theory.iter().filter_map(|theory| match theory {
            Theory::Metric { metric, .. } => Some(metric.as_str()),
            _ => None,
        })
    }

    /// The series and the panels of published points, each with "series" or "panel".
    pub fn published_places(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.theory.iter().flat_map(|theory| {
            let (series, panel) = match theory {
                Theory::Points { series, panel, .. } => (series.as_deref(), panel.as_deref()),
                _ => (None, None),
            };
            let places = [("series", series), ("panel", panel)];
            places
                .into_iter()
                .filter_map(|(name, place)| Some((name, place?)))
        })
    }

    /// Checks the figure against a scenario.
    ///
    /// Each element of `swept` is a group of keys that vary in step (usually of one key): a figure
    /// that uses or fixes one of them accounts for all. `metrics` are the metrics of `runs.csv`,
    /// `tables` the long tables with their columns (with or without those of the run and the swept
    /// keys).
    ///
    /// # Errors
    /// The first invalid key, and what was expected.
    pub fn validate(
        &self,
        swept: &[Vec<String>],
        metrics: &[String],
        tables: &[(String, Vec<String>)],
    ) -> Result<(), FigureError> {
        let keys: Vec<String> = swept.iter().flatten().cloned().collect();
        self.check_names(&keys, metrics, tables)?;
        // A scatter has one marker for each point of the sweep.
        if self.kind == FigureKind::Scatter {
            return Ok(());
        }
        for group in swept {
            if !group.iter().any(|key| self.accounts_for(key)) {
                return Err(FigureError::new(
                    "series",
                    format!(
                        "key `{}` is swept but the figure neither uses nor fixes it: \
                         name it in `x`, `series` or `panel`, or fix it in `where`",
                        group.join("`, `")
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Whether the figure distinguishes the values of `key`, or keeps only one of them.
    pub fn accounts_for(&self, key: &str) -> bool {
        let fixed = match self.filter.get(key) {
            Some(Value::Array(values)) => values.len() == 1,
            Some(_) => true,
            None => false,
        };
        fixed
            || (self.kind == FigureKind::Lines && self.x.as_deref() == Some(key))
            || self.panel.as_deref() == Some(key)
            || self.series.0.iter().any(|name| name == key)
    }

    /// Checks everything that is independent of the keys that vary in step.
    ///
    /// # Errors
    /// A [`FigureError`] for the first invalid key.
    pub fn check_names(
        &self,
        swept: &[String],
        metrics: &[String],
        tables: &[(String, Vec<String>)],
    ) -> Result<(), FigureError> {
        if let Some(name) = &self.name {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let fits = (1..=MOST_CHARACTERS).contains(&name.len());
            if !fits || name.starts_with('.') || !name.chars().all(plain) {
                return Err(FigureError::new(
                    "name",
                    format!(
                        "expected the stem of a file name (at most {MOST_CHARACTERS} letters, digits, `-`, \
                         `_`, `.`), found `{name}`"
                    ),
                ));
            }
        }
        self.check_layout()?;
        let own = self.own_columns(swept, tables)?;
        let in_table = |name: &String| own.as_ref().is_some_and(|own| own.contains(name));
        let is_key = |name: &String| swept.contains(name) || in_table(name);
        let key_names = || listed(swept.iter().chain(own.iter().flatten()));
        let values = own.as_deref().unwrap_or(metrics);

        match self.kind {
            FigureKind::Lines => {
                expect_name("x", self.x.as_ref(), "a swept key", is_key, &key_names())?;
            }
            FigureKind::Scatter => {
                let known = listed(metrics);
                let is_metric = |name: &String| metrics.contains(name);
                expect_name("x", self.x.as_ref(), "a metric", is_metric, &known)?;
            }
            FigureKind::Histogram | FigureKind::Cumulative => {
                self.check_histogram(own.as_deref())?;
            }
            FigureKind::Diagram => self.check_diagram(own.as_deref())?,
        }
        if matches!(self.kind, FigureKind::Lines | FigureKind::Scatter) {
            let what = if own.is_some() {
                "a column"
            } else {
                "a metric"
            };
            let is_value = |name: &String| values.contains(name);
            if self.y.is_empty() {
                expect_name("y", None, what, is_value, &listed(values))?;
            }
            for name in &self.y.0 {
                expect_name("y", Some(name), what, is_value, &listed(values))?;
            }
        }
        if let Some(quantity) = &self.quantity
            && !in_table(&"quantity".to_owned())
        {
            return Err(FigureError::new(
                "quantity",
                format!(
                    "`{quantity}` needs a table with a column `quantity`; table `{}` has none",
                    self.table_name()
                ),
            ));
        }
        if self.statistic != Statistic::Mean && self.kind != FigureKind::Lines {
            return Err(FigureError::new(
                "statistic",
                format!("belongs to kind `lines`, not `{}`", self.kind.name()),
            ));
        }
        let has_means = matches!(self.kind, FigureKind::Lines | FigureKind::Scatter);
        if self.complement && (!has_means || self.statistic != Statistic::Mean) {
            return Err(FigureError::new(
                "complement",
                "belongs to the means of the kinds `lines` and `scatter`",
            ));
        }
        if self.envelope.is_some() && self.kind != FigureKind::Scatter {
            return Err(FigureError::new(
                "envelope",
                format!("belongs to kind `scatter`, not `{}`", self.kind.name()),
            ));
        }
        for name in &self.series.0 {
            expect_name("series", Some(name), "a swept key", is_key, &key_names())?;
        }
        if let Some(name) = &self.panel {
            expect_name("panel", Some(name), "a swept key", is_key, &key_names())?;
            if self.series.0.contains(name) {
                return Err(FigureError::new(
                    "panel",
                    format!("`{name}` is in `series` already"),
                ));
            }
        }
        for (name, value) in &self.filter {
            expect_name("where", Some(name), "a swept key", is_key, &key_names())?;
            check_filter(name, value)?;
        }
        for theory in &self.theory {
            self.check_theory(theory)?;
            if let Theory::Metric { metric, .. } = theory {
                let what = "the name of a metric or column";
                let is_value = |name: &String| values.contains(name);
                expect_name("theory", Some(metric), what, is_value, &listed(values))?;
            }
        }
        Ok(())
    }

    /// The columns of the long table itself; `None` for `runs`.
    fn own_columns(
        &self,
        swept: &[String],
        tables: &[(String, Vec<String>)],
    ) -> Result<Option<Vec<String>>, FigureError> {
        let table = self.table_name();
        if table == "runs" {
            return Ok(None);
        }
        if self.kind == FigureKind::Scatter {
            return Err(FigureError::new(
                "table",
                format!("kind `scatter` reads table `runs`, found `{table}`"),
            ));
        }
        let Some((_, columns)) = tables.iter().find(|(name, _)| name == table) else {
            let names = tables.iter().map(|(name, _)| name);
            let runs = "runs".to_owned();
            return Err(FigureError::new(
                "table",
                format!(
                    "no table `{table}`; the tables are {}",
                    listed([&runs].into_iter().chain(names))
                ),
            ));
        };
        let own = columns
            .iter()
            .filter(|name| !RUN_COLUMNS.contains(&name.as_str()) && !swept.contains(name))
            .cloned()
            .collect();
        Ok(Some(own))
    }

    /// Refuses a table without `columns`.
    fn expect_columns(&self, own: Option<&[String]>, columns: &[&str]) -> Result<(), FigureError> {
        let has = |column: &&str| own.is_some_and(|own| own.iter().any(|name| name == column));
        match columns.iter().find(|column| !has(column)) {
            None => Ok(()),
            Some(missing) => Err(FigureError::new(
                "table",
                format!(
                    "kind `{}` needs a table with the columns {}; table `{}` has no `{missing}`",
                    self.kind.name(),
                    columns.join(", "),
                    self.table_name()
                ),
            )),
        }
    }

    /// A diagram has no axes and no series.
    fn check_diagram(&self, own: Option<&[String]>) -> Result<(), FigureError> {
        self.expect_columns(own, &SHAPE_COLUMNS)?;
        for (key, stands) in [
            ("x", self.x.is_some()),
            ("y", !self.y.is_empty()),
            ("quantity", self.quantity.is_some()),
            ("series", !self.series.is_empty()),
            ("scale", self.scale != Scale::Linear),
            ("x-label", self.x_label.is_some()),
            ("y-label", self.y_label.is_some()),
            ("theory", !self.theory.is_empty()),
        ] {
            if stands {
                let message = format!("kind `diagram` takes no `{key}`: it has no axes");
                return Err(FigureError::new(key, message));
            }
        }
        Ok(())
    }

    fn check_histogram(&self, own: Option<&[String]>) -> Result<(), FigureError> {
        self.expect_columns(own, &HISTOGRAM_COLUMNS)?;
        if self.quantity.is_none() {
            return Err(FigureError::new(
                "quantity",
                format!(
                    "kind `{}` needs the quantity whose distribution it shows",
                    self.kind.name()
                ),
            ));
        }
        if self.x.is_some() {
            return Err(FigureError::new(
                "x",
                format!(
                    "kind `{}` takes no `x`: its horizontal axis is `quantity`",
                    self.kind.name()
                ),
            ));
        }
        if !self.y.is_empty() {
            return Err(FigureError::new(
                "y",
                format!(
                    "kind `{}` takes no `y`: its vertical axis is the fraction of the count",
                    self.kind.name()
                ),
            ));
        }
        if self.scale.log_x() && self.kind == FigureKind::Histogram {
            let message = "kind `histogram` takes `linear` or `log-y`: its bars have one width";
            return Err(FigureError::new("scale", message));
        }
        Ok(())
    }

    fn check_theory(&self, theory: &Theory) -> Result<(), FigureError> {
        let problem = |message: String| Err(FigureError::new("theory", message));
        let curve = theory.name();
        match theory {
            Theory::HalfLog2 { from, .. } | Theory::Power { from, .. } => {
                if self.kind.shows_counts() {
                    return problem(format!(
                        "curve `{curve}` belongs to kind `lines` or `scatter`, not `histogram`"
                    ));
                }
                if !from.is_finite() {
                    return problem(format!("curve `{curve}`: `from` must be finite"));
                }
            }
            Theory::Binomial {
                trials,
                probability,
                shift,
                ..
            } => {
                if self.kind != FigureKind::Histogram {
                    return problem(format!(
                        "curve `binomial` belongs to kind `histogram`, not `{}`",
                        self.kind.name()
                    ));
                }
                if !(0.0..=1.0).contains(probability) {
                    return problem(format!(
                        "curve `binomial`: `probability` must be from 0 to 1, found {probability}"
                    ));
                }
                if *trials > 100_000 {
                    return problem(format!(
                        "curve `binomial`: `trials` must be at most 100000, found {trials}"
                    ));
                }
                if let Shift::By(shift) = shift
                    && (shift.is_nan() || shift.abs() > 1e9)
                {
                    return problem(
                        "curve `binomial`: `shift` must be from -1e9 to 1e9".to_owned(),
                    );
                }
            }
            Theory::Metric { .. } => {
                if self.kind != FigureKind::Lines {
                    return problem(format!(
                        "curve `metric` belongs to kind `lines`, not `{}`",
                        self.kind.name()
                    ));
                }
            }
            Theory::Points { data, .. } => {
                if data.is_empty() {
                    return problem("curve `points` needs `data`, an array of [x, y]".to_owned());
                }
                for (x, y) in data {
                    if !(x.is_number() || x.is_string()) || !y.is_finite() {
                        return problem(format!(
                            "curve `points`: expected [x, y] with x a number or text and y a \
                             finite number, found [{x}, {y}]"
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

fn check_filter(name: &str, value: &Value) -> Result<(), FigureError> {
    let scalar = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    let fits = match value {
        Value::Array(values) => !values.is_empty() && values.iter().all(scalar),
        value => scalar(value),
    };
    if fits {
        return Ok(());
    }
    Err(FigureError::new(
        "where",
        format!(
            "`{name}`: expected a text, a number, a boolean or an array of them, found {value}"
        ),
    ))
}

fn expect_name(
    key: &str,
    name: Option<&String>,
    what: &str,
    known: impl Fn(&String) -> bool,
    names: &str,
) -> Result<(), FigureError> {
    match name {
        Some(name) if known(name) => Ok(()),
        Some(name) => {
            let hint = match nearest(name, names.split(", ")) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {names}"),
            };
            Err(FigureError::new(
                key,
                format!("expected {what}, found `{name}`; {hint}"),
            ))
        }
        None => Err(FigureError::new(
            key,
            format!("missing: expected {what}; known are {names}"),
        )),
    }
}

fn listed<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join(", ")
}
