//! The columns of the result files, each with its name, unit and meaning, and the cells in them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// A column of a result file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name in the header.
    pub name: &'static str,
    /// The unit of the values, or what bounds them: see [`Column::range`]. "text" for texts, empty for
    /// counts.
    pub unit: &'static str,
    /// What is counted, over what, and when a cell is empty.
    pub doc: &'static str,
}

impl Column {
    /// The unit of a column of texts.
    const TEXT: &'static str = "text";

    /// Whether the column has texts.
    pub fn is_text(&self) -> bool {
        self.unit == Self::TEXT
    }

    /// The least and the largest possible value, where there is one. `key` gives the value of a key
    /// of the scenario.
    ///
    /// Numbers are at least 0, unless the unit is "signed". Those of the units "fraction" and "0 or 1"
    /// are at most 1, those of "≤ KEY" at most the value of this key.
    pub fn range(&self, key: impl FnOnce(&str) -> Option<f64>) -> (Option<f64>, Option<f64>) {
        match self.unit {
            "signed" | Self::TEXT => (None, None),
            "fraction" | "0 or 1" => (Some(0.0), Some(1.0)),
            unit => (Some(0.0), unit.strip_prefix("≤ ").and_then(key)),
        }
    }
}

/// A cell of a result file. Its text in a file is that of [`Display`](fmt::Display).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell {
    /// There is no value: an empty cell.
    #[default]
    Absent,
    /// A count.
    Count(u64),
    /// A finite number.
    Real(f64),
    /// A text.
    Text(Cow<'static, str>),
}

impl Cell {
    /// The cell with this text. A text that a number would not be written as stays a text.
    pub fn parse(text: String) -> Self {
        if text.is_empty() {
            return Self::Absent;
        }
        let count = text.parse().ok().map(Self::Count);
        let real = || text.parse::<f64>().ok().map(Self::from);
        match count.or_else(real) {
            Some(number) if number.to_string() == text => number,
            _ => text.into(),
        }
    }

    /// The number in the cell.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Count(count) => Some(*count as f64),
            Self::Real(number) => Some(*number),
            Self::Absent | Self::Text(_) => None,
        }
    }

    /// The text in the cell; none if it is a number.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => Ok(()),
            Self::Count(count) => count.fmt(f),
            Self::Real(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// As its text.
impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::parse)
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<u32> for Cell {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

/// 1 for yes, 0 for no.
impl From<bool> for Cell {
    fn from(yes: bool) -> Self {
        Self::Count(yes.into())
    }
}

/// A number that is not finite, such as a mean of nothing, is absent.
impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        if number.is_finite() {
            Self::Real(number)
        } else {
            Self::Absent
        }
    }
}

impl From<&'static str> for Cell {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, T::into)
    }
}

/// Declares columns, each with its meaning, unit and value.
///
/// The first form makes a constant and the function that computes a row of it. Cells are made by
/// [`Cell::from`](crate::Cell):
///
/// ```
/// dhtlab_scenario::columns! {
///     COLUMNS, fn row(sent: u64, seconds: f64) {
///         /// Messages that were sent.
///         messages [""] = sent,
///         /// Messages in a second; empty if no time has passed.
///         rate ["1/s"] = sent as f64 / seconds,
///     }
/// }
/// assert_eq!((COLUMNS[1].name, COLUMNS[1].unit), ("rate", "1/s"));
/// assert_eq!(row(3, 2.0), [3u64.into(), 1.5.into()]);
/// assert_eq!(row(0, 0.0)[1].to_string(), "");
/// ```
///
/// The second makes a struct whose fields are the cells of a row, with the constant `COLUMNS` and
/// the method `row`:
///
/// ```
/// dhtlab_scenario::columns! {
///     /// A graph.
///     pub struct GraphSize {
///         /// Nodes.
///         nodes [""]: usize,
///         /// The longest shortest path; empty if some node is out of reach.
///         diameter [""]: Option<u32>,
///     }
/// }
/// let size = GraphSize { nodes: 7, diameter: None };
/// assert_eq!(GraphSize::COLUMNS[0].doc, "Nodes.");
/// assert_eq!(size.row().iter().map(|cell| cell.to_string()).collect::<Vec<_>>(), ["7", ""]);
/// ```
///
/// The third, without values, makes the constant alone.
#[macro_export]
macro_rules! columns {
    (
        $(#[$attribute:meta])*
        $vis:vis struct $Row:ident {
            $( $(#[doc = $doc:literal])+ $name:ident [$unit:literal]: $type:ty, )+
        }
    ) => {
        $(#[$attribute])*
        $vis struct $Row {
            $( $(#[doc = $doc])+ pub $name: $type, )+
        }

        impl $Row {
            /// The columns of the cells.
            pub const COLUMNS: &'static [$crate::Column] =
                &[$( $crate::columns!(@column $name $unit $($doc)+) ),+];

            /// The cells.
            pub fn row(self) -> Vec<$crate::Cell> {
                vec![$( $crate::Cell::from(self.$name) ),+]
            }
        }
    };
    (
        $vis:vis $COLUMNS:ident, fn $row:ident($( $argument:ident: $type:ty ),+) {
            $( $(#[doc = $doc:literal])+ $name:ident [$unit:literal] = $value:expr, )+
        }
    ) => {
        $crate::columns! { $vis $COLUMNS { $( $(#[doc = $doc])+ $name [$unit], )+ } }

        $vis fn $row($( $argument: $type ),+) -> Vec<$crate::Cell> {
            vec![$( $crate::Cell::from($value) ),+]
        }
    };
    (
        $vis:vis $COLUMNS:ident {
            $( $(#[doc = $doc:literal])+ $name:ident [$unit:literal], )+
        }
    ) => {
        $vis const $COLUMNS: &[$crate::Column] =
            &[$( $crate::columns!(@column $name $unit $($doc)+) ),+];
    };
    (@column $name:ident $unit:literal $($doc:literal)+) => {
        $crate::Column {
            name: stringify!($name),
            unit: $unit,
            doc: concat!($($doc),+).trim_ascii(),
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn again(cell: &Cell) -> Cell {
        Cell::parse(cell.to_string())
    }

    #[test]
    fn a_unit_gives_the_range() {
        let range = |unit| {
            let column = Column {
                name: "n",
                unit,
                doc: "",
            };
            column.range(|key| (key == "job.atoms").then_some(500.0))
        };
        assert_eq!(range(""), (Some(0.0), None));
        assert_eq!(range("ms"), (Some(0.0), None));
        assert_eq!(range("fraction"), (Some(0.0), Some(1.0)));
        assert_eq!(range("0 or 1"), (Some(0.0), Some(1.0)));
        assert_eq!(range("≤ job.atoms"), (Some(0.0), Some(500.0)));
        assert_eq!(range("≤ other"), (Some(0.0), None));
        assert_eq!(range("signed"), (None, None));
        assert_eq!(range("text"), (None, None));
    }

    #[test]
    fn cells_are_written_as_their_values_are() {
        for (cell, text) in [
            (Cell::from(None::<f64>), ""),
            (Cell::from(f64::NAN), ""),
            (Cell::from(f64::INFINITY), ""),
            (Cell::from(Some(7u32)), "7"),
            (Cell::from(3usize), "3"),
            (Cell::from(true), "1"),
            (Cell::from(2.0), "2"),
            (Cell::from(-0.0), "-0"),
            (Cell::from(1e-7), "0.0000001"),
            (Cell::from(2e19), "20000000000000000000"),
            (Cell::from("latency_ms"), "latency_ms"),
            (Cell::from("17 (i = 1 to 4)".to_owned()), "17 (i = 1 to 4)"),
        ] {
            assert_eq!(cell.to_string(), text);
            assert_eq!(again(&cell).to_string(), text);
            let quoted = serde_json::to_string(&cell).expect("JSON");
            assert_eq!(quoted, format!("\"{text}\""));
            let read: Cell = serde_json::from_str(&quoted).expect("a cell");
            assert_eq!(read, again(&cell));
        }
        // A whole number is read as a count, and has the same text.
        assert_eq!(again(&Cell::from(2.0)), Cell::Count(2));
        assert_eq!(again(&Cell::from(2.5)), Cell::Real(2.5));
        assert_eq!(again(&Cell::from(f64::NAN)), Cell::Absent);
        assert_eq!(Cell::from(true).number(), Some(1.0));
        assert_eq!(
            (Cell::from("a").text(), Cell::from("a").number()),
            (Some("a"), None)
        );
        // Texts that are nearly numbers.
        for text in ["007", "+5", "1.50", "1e3", "inf", "NaN", "-", "."] {
            assert_eq!(Cell::parse(text.to_owned()), Cell::from(text));
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back_with_the_same_text(bits: u64) {
            let number = f64::from_bits(bits);
            let written = Cell::from(number);
            let expected = if number.is_finite() { number.to_string() } else { String::new() };
            prop_assert_eq!(written.to_string(), &expected[..]);
            prop_assert_eq!(again(&written).to_string(), expected);
            prop_assert_eq!(again(&written).number(), written.number());
            let count = Cell::from(bits);
            prop_assert_eq!(count.to_string(), bits.to_string());
            prop_assert_eq!(again(&count), count);
        }

        #[test]
        fn any_text_comes_back(text in "[-+.0-9einfNa ]{0,8}|.*") {
            prop_assert_eq!(Cell::parse(text.clone()).to_string(), text);
        }
    }
}
