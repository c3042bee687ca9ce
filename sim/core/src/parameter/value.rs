//! The values of keys and their form in a file.

use super::tree::Value;
use num_traits::ToPrimitive;
use std::fmt;

/// The kind of value of a key; its `Display` is the text of an error message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Any text.
    Text,
    /// Text with a unit of time, such as `"30 s"`.
    Duration,
    /// One of a few words, each with its meaning.
    Choice(&'static [(&'static str, &'static str)]),
    /// Text of so many hex digits.
    Hex(usize),
    /// A list of integers.
    Integers,
    /// Text or a list of texts, described in words.
    TextOrList(&'static str),
    /// A value of some kind, or a table with a distribution of such values: the kind, and the
    /// distributions.
    Distribution(&'static ValueKind, &'static [DistributionForm]),
    /// A list of tables, described in words.
    Tables(&'static str),
    /// A value with a form of its own, described in words.
    Other(&'static str),
}

/// A distribution as a table of a scenario: `distribution = NAME`, and the keys of its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DistributionForm {
    /// The name.
    pub name: &'static str,
    /// The keys with values of the kind that is drawn.
    pub values: &'static [&'static str],
    /// The keys with numbers.
    pub numbers: &'static [&'static str],
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer => f.write_str("an integer"),
            Self::Number => f.write_str("a number"),
            Self::Boolean => f.write_str("true or false"),
            Self::Text => f.write_str("text"),
            Self::Duration => f.write_str("a duration with its unit, such as \"30 s\""),
            Self::Choice(words) => {
                f.write_str("one of ")?;
                for (i, (word, _)) in words.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}\"{word}\"")?;
                }
                Ok(())
            }
            Self::Hex(digits) => write!(f, "{digits} hex digits"),
            Self::Integers => f.write_str("a list of integers from 0 on"),
            Self::Distribution(kind, forms) => {
                write!(f, "{kind}, or a table {{ distribution = ")?;
                for (i, form) in forms.iter().enumerate() {
                    let bar = if i == 0 { "" } else { " | " };
                    write!(f, "{bar}\"{}\"", form.name)?;
                }
                f.write_str(", ... }")
            }
            Self::TextOrList(words) | Self::Tables(words) | Self::Other(words) => {
                f.write_str(words)
            }
        }
    }
}

/// An interval of numbers; durations are measured in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    low: f64,
    low_open: bool,
    high: f64,
}

impl Range {
    /// Numbers above `low`, `low` itself excluded.
    pub const fn above(low: f64) -> Self {
        Self {
            low,
            low_open: true,
            high: f64::INFINITY,
        }
    }

    /// The numbers of this interval that are not above `high`.
    pub const fn and_at_most(mut self, high: f64) -> Self {
        self.high = high;
        self
    }

    /// Whether `x` is in the interval. NaN is in none.
    pub fn contains(&self, x: f64) -> bool {
        x <= self.high
            && if self.low_open {
                x > self.low
            } else {
                x >= self.low
            }
    }

    /// The lower bound, and whether it is excluded.
    pub const fn low(&self) -> (f64, bool) {
        (self.low, self.low_open)
    }

    /// The upper bound, infinite if there is none.
    pub const fn high(&self) -> f64 {
        self.high
    }
}

impl<T: Into<f64> + Copy> From<std::ops::RangeInclusive<T>> for Range {
    fn from(range: std::ops::RangeInclusive<T>) -> Self {
        Self {
            low: (*range.start()).into(),
            low_open: false,
            high: (*range.end()).into(),
        }
    }
}

impl<T: Into<f64>> From<std::ops::RangeFrom<T>> for Range {
    fn from(range: std::ops::RangeFrom<T>) -> Self {
        Self {
            low: range.start.into(),
            low_open: false,
            high: f64::INFINITY,
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.low_open, self.high.is_finite()) {
            (true, false) => write!(f, "above {}", self.low),
            (true, true) => write!(f, "above {} and at most {}", self.low, self.high),
            (false, true) => write!(f, "between {} and {}", self.low, self.high),
            (false, false) => write!(f, "of at least {}", self.low),
        }
    }
}

/// Why a value was refused: `None` if its kind is wrong, or a sentence of its own.
pub type ValueError = Option<String>;

/// A type that can be the value of a key.
pub trait ParameterValue: Sized {
    /// What an error message says is expected.
    fn kind() -> ValueKind;

    /// Reads the value from a file's value.
    ///
    /// # Errors
    /// `None` if the kind is wrong, otherwise a message.
    fn from_value(value: &Value) -> Result<Self, ValueError>;

    /// The value in a file; `None` for an absent optional.
    fn to_value(&self) -> Option<Value>;

    /// The range of the type, if it is smaller than its kind.
    fn bounds() -> Option<Range> {
        None
    }

    /// The number that a [`Range`] bounds, in seconds for durations.
    fn magnitude(&self) -> Option<f64> {
        None
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl ParameterValue for $type {
            fn kind() -> ValueKind {
                ValueKind::Integer
            }
            fn from_value(value: &Value) -> Result<Self, ValueError> {
                value.as_integer().and_then(|i| i.try_into().ok()).ok_or(None)
            }
            fn to_value(&self) -> Option<Value> {
                Some(Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX)))
            }
            fn bounds() -> Option<Range> {
                // A file cannot contain larger numbers than 2^63.
                let high = <$type>::MAX.to_f64().filter(|high| *high < 1e18);
                Some(high.map_or(Range::from(0.0..), |high| Range::from(0.0..=high)))
            }
            fn magnitude(&self) -> Option<f64> {
                self.to_f64()
            }
        }
    )*};
}
integers!(u16, u32, u64, usize);

impl ParameterValue for f64 {
    fn kind() -> ValueKind {
        ValueKind::Number
    }
    fn from_value(value: &Value) -> Result<Self, ValueError> {
        match value {
            Value::Float(x) if x.is_finite() => Ok(*x),
            Value::Integer(i) => Ok(*i as f64),
            _ => Err(None),
        }
    }
    fn to_value(&self) -> Option<Value> {
        Some(Value::Float(*self))
    }
    fn magnitude(&self) -> Option<f64> {
        Some(*self)
    }
}

impl ParameterValue for bool {
    fn kind() -> ValueKind {
        ValueKind::Boolean
    }
    fn from_value(value: &Value) -> Result<Self, ValueError> {
        value.as_bool().ok_or(None)
    }
    fn to_value(&self) -> Option<Value> {
        Some(Value::Boolean(*self))
    }
}

impl ParameterValue for String {
    fn kind() -> ValueKind {
        ValueKind::Text
    }
    fn from_value(value: &Value) -> Result<Self, ValueError> {
        value.as_str().map(str::to_owned).ok_or(None)
    }
    fn to_value(&self) -> Option<Value> {
        Some(Value::String(self.clone()))
    }
}

impl ParameterValue for Vec<u64> {
    fn kind() -> ValueKind {
        ValueKind::Integers
    }
    fn from_value(value: &Value) -> Result<Self, ValueError> {
        let items = value.as_array().ok_or(None)?;
        items.iter().map(u64::from_value).collect()
    }
    fn to_value(&self) -> Option<Value> {
        let items: Option<Vec<Value>> = self.iter().map(ParameterValue::to_value).collect();
        items.map(Value::Array)
    }
}

impl<T: ParameterValue> ParameterValue for Option<T> {
    fn kind() -> ValueKind {
        T::kind()
    }
    fn from_value(value: &Value) -> Result<Self, ValueError> {
        T::from_value(value).map(Some)
    }
    fn bounds() -> Option<Range> {
        T::bounds()
    }
    fn to_value(&self) -> Option<Value> {
        self.as_ref().and_then(T::to_value)
    }
    fn magnitude(&self) -> Option<f64> {
        self.as_ref().and_then(T::magnitude)
    }
}

/// A value as an error message shows it, cut if it is long.
pub(super) fn found(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 60 {
        format!("{}...", text.chars().take(57).collect::<String>())
    } else {
        text
    }
}
