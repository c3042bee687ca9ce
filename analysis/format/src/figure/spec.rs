//! The content of a `[[figure]]` table of a scenario.

use std::collections::BTreeMap;
use std::fmt;

use super::layout::{DPI, FONT_SIZE, SIZE};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;

/// The most series of a figure: as many as there are colours that colour-blind readers distinguish.
pub const MOST_SERIES: usize = 8;

/// One figure, as a `[[figure]]` table of a scenario or an entry of `figures` in a manifest.
///
/// Keys are kebab-case, unknown keys are errors, and keys with a default are optional.
/// [`Figure::validate`] checks the figure against a scenario.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Figure {
    /// The stem of the files; default `figure-1`, `figure-2`, ... by position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The title over the figure; default: the title of the scenario. An empty text leaves it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A sentence under the figure; default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// What is drawn; default `lines`.
    pub kind: FigureKind,
    /// The table to read, without `.csv`; default `runs`, for a histogram `histogram`, for a
    /// diagram `shapes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The horizontal axis: for lines a swept key or a column of a long table, for a scatter a metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// The vertical axis: a metric or column, or several, with one series each.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub y: Names,
    /// The statistic over the repetitions; default `mean`.
    pub statistic: Statistic,
    /// The `quantity` to read from a long table; required for a histogram.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<String>,
    /// The swept keys, one series per combination of their values; default: none, one series.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub series: Names,
    /// The swept key with one panel per value; default: one panel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panel: Option<String>,
    /// Texts of the legend, over the panels and at categories, in place of values and of names of
    /// columns. The name of a series of several keys is that of its values, with commas, without
    /// those of keys that it does not have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The rows to keep: a value, or an array of values, for each swept key.
    #[serde(rename = "where", skip_serializing_if = "BTreeMap::is_empty")]
    pub filter: BTreeMap<String, Value>,
    /// Which axes are logarithmic; default `linear`.
    pub scale: Scale,
    /// Whether 1 - y is drawn, for fractions near 1: a logarithmic axis tells them apart. Points and metrics
    /// of `theory` are y; fitted curves and `envelope` are those of what is drawn; default false.
    #[serde(skip_serializing_if = "is_false")]
    pub complement: bool,
    /// For a scatter: which points of each series a line joins, those that no other point of the
    /// series with at most their x exceeds; default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Envelope>,
    /// The label of the horizontal axis; default: from the name of `x`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x_label: Option<String>,
    /// The label of the vertical axis; default: from the name of `y`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y_label: Option<String>,
    /// The first and the last value of the horizontal axis; what is outside is cut off. Default: all
    /// data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x_range: Option<[f64; 2]>,
    /// The first and the last value of the vertical axis; what is outside is cut off. Default: all
    /// data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y_range: Option<[f64; 2]>,
    /// Where the legend is; default `below` the panels.
    #[serde(skip_serializing_if = "LegendPlace::is_default")]
    pub legend: LegendPlace,
    /// The width of the whole figure, in pixels of 1/96 inch; default: 900 with one panel, more with
    /// several.
    #[schemars(range(min = SIZE.0, max = SIZE.1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<f64>,
    /// The height of the whole figure, in pixels of 1/96 inch; default: as its texts and panels need.
    /// A figure is higher if too little is left to its panels; a diagram is lower if its shapes are.
    #[schemars(range(min = SIZE.0, max = SIZE.1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<f64>,
    /// The size of the labels of the axes, in pixels of 1/96 inch; default 17. Other texts, lines and
    /// markers have the same size relative to it as in other figures.
    #[schemars(range(min = FONT_SIZE.0, max = FONT_SIZE.1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub font_size: Option<f64>,
    /// The dots per inch of the PNG; default 192.
    #[schemars(range(min = DPI.0, max = DPI.1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpi: Option<f64>,
    /// Curves and published values to compare the results with; default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub theory: Vec<Theory>,
}

impl Figure {
    /// The JSON Schema of a `[[figure]]` table, with the meaning of each key.
    #[must_use]
    pub fn schema() -> Value {
        let mut settings = schemars::generate::SchemaSettings::draft2020_12();
        settings.inline_subschemas = true;
        settings.meta_schema = None;
        settings
            .into_generator()
            .into_root_schema_for::<Self>()
            .into()
    }
}

/// What a figure draws.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FigureKind {
    /// Means over the repetitions with 95 % intervals, joined along x unless x has texts. The
    /// intervals are those of `summary.csv` (Student's t) without what is impossible for the metric;
    /// where it is 0 or 1 in each run they are those of a proportion (Wilson).
    #[default]
    Lines,
    /// The distribution of a quantity, pooled over the repetitions. Bars have the 95 % intervals of
    /// their fractions over the runs.
    Histogram,
    /// The fraction of a quantity's values that do not exceed x, pooled over the repetitions: for
    /// real values, whose bins have unequal widths.
    Cumulative,
    /// One metric against another, with one marker per point of the sweep.
    Scatter,
    /// A picture of a state: the shapes of one run, without axes.
    Diagram,
}

impl FigureKind {
    /// Whether the figure shows a quantity of a table of counts.
    #[must_use]
    pub fn shows_counts(self) -> bool {
        matches!(self, Self::Histogram | Self::Cumulative)
    }

    /// The name in a scenario file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Histogram => "histogram",
            Self::Cumulative => "cumulative",
            Self::Scatter => "scatter",
            Self::Diagram => "diagram",
        }
    }
}

/// The statistic over the repetitions of a point of the sweep in a figure of kind `lines`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// The mean.
    #[default]
    Mean,
    /// The standard deviation between runs.
    StandardDeviation,
}

/// The best points of a series of a scatter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Envelope {
    /// Those with the smallest y.
    Lower,
    /// Those with the largest y.
    Upper,
}

/// Which axes are logarithmic. 0 has a place of its own on such an axis, beyond a break.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Neither.
    #[default]
    Linear,
    /// The horizontal one.
    LogX,
    /// The vertical one.
    LogY,
    /// Both.
    LogLog,
}

impl Scale {
    /// Whether the horizontal axis is logarithmic.
    #[must_use]
    pub fn log_x(self) -> bool {
        matches!(self, Self::LogX | Self::LogLog)
    }

    /// Whether the vertical axis is logarithmic.
    #[must_use]
    pub fn log_y(self) -> bool {
        matches!(self, Self::LogY | Self::LogLog)
    }
}

/// Where the legend of a figure is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LegendPlace {
    /// Below the panels.
    #[default]
    Below,
    /// Between the title and the panels.
    Above,
    /// There is no legend.
    None,
}

impl LegendPlace {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A curve or a set of points in addition to the results.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(
    tag = "curve",
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Theory {
    /// y = log2(x) / 2 + c, c the mean residual over the points with x >= `from`.
    HalfLog2 {
        /// The smallest x that takes part in the fit; default 0.
        #[serde(default)]
        from: f64,
        /// Whether each series has its own curve, or only the first has one (default).
        #[serde(default)]
        series_each: bool,
    },
    /// y = a x^b, fitted by least squares in the logarithms over the points with x >= `from`.
    Power {
        /// The smallest x that takes part in the fit; default 0.
        #[serde(default)]
        from: f64,
        /// Whether each series has its own curve (default), or only the first has one.
        #[serde(default = "yes")]
        series_each: bool,
    },
    /// A shifted binomial distribution over a histogram. The fractional part of the shift moves
    /// that fraction of each mass to the next integer.
    Binomial {
        /// The number of trials.
        trials: u64,
        /// The probability of success of each.
        probability: f64,
        /// The shift: a number, or `"fit"` for the mean of the data less that of the binomial;
        /// default 0.
        #[serde(default)]
        shift: Shift,
        /// Whether each series has its own curve, or only the first has one (default).
        #[serde(default)]
        series_each: bool,
    },
    /// Literal points, such as published values.
    Points {
        /// The entry of the legend.
        label: String,
        /// The points; x is a text if the horizontal axis has texts.
        data: Vec<(Value, f64)>,
        /// The label of the series whose colour they take; they are left out without that series.
        /// Default: black.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        series: Option<String>,
        /// The value of their panel; they are left out without that panel. Default: every panel.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        panel: Option<String>,
    },
    /// The mean of another metric or column, such as a prediction that each run writes beside its
    /// measurement: a dotted line for each series of a figure of kind `lines`.
    Metric {
        /// The metric or column.
        metric: String,
        /// The entry of the legend.
        label: String,
    },
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

fn yes() -> bool {
    true
}

impl Theory {
    /// The value of `curve` in a scenario file.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::HalfLog2 { .. } => "half-log2",
            Self::Power { .. } => "power",
            Self::Binomial { .. } => "binomial",
            Self::Points { .. } => "points",
            Self::Metric { .. } => "metric",
        }
    }
}

/// The shift of a binomial distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shift {
    /// The given shift.
    By(f64),
    /// The shift that makes the means equal.
    Fit,
}

impl Default for Shift {
    fn default() -> Self {
        Self::By(0.0)
    }
}

impl Serialize for Shift {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::By(shift) => serializer.serialize_f64(*shift),
            Self::Fit => serializer.serialize_str("fit"),
        }
    }
}

impl JsonSchema for Shift {
    fn schema_name() -> Cow<'static, str> {
        "Shift".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "number" }, { "const": "fit" }] })
    }
}

impl<'de> Deserialize<'de> for Shift {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ShiftVisitor;
        impl Visitor<'_> for ShiftVisitor {
            type Value = Shift;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number or \"fit\"")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Shift, E> {
                Ok(Shift::By(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Shift, E> {
                Ok(Shift::By(value as f64))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Shift, E> {
                Ok(Shift::By(value as f64))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Shift, E> {
                match value {
                    "fit" => Ok(Shift::Fit),
                    other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
                }
            }
        }
        deserializer.deserialize_any(ShiftVisitor)
    }
}

/// No name, a name, or an array of names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl Names {
    /// Whether there are no names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.serialize_str(one),
            all => all.serialize(serializer),
        }
    }
}

impl JsonSchema for Names {
    fn schema_name() -> Cow<'static, str> {
        "Names".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
            "$comment": "a name or an array of names",
        })
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamesVisitor;
        impl<'de> Visitor<'de> for NamesVisitor {
            type Value = Names;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name or an array of names")
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Names, E> {
                Ok(Names(vec![value.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Names, A::Error> {
                let mut all = Vec::new();
                while let Some(name) = names.next_element()? {
                    all.push(name);
                }
                Ok(Names(all))
            }
        }
        deserializer.deserialize_any(NamesVisitor)
    }
}
