//! Virtual time: instants and the spans between them, in whole nanoseconds.

use crate::parameter::{ParameterValue, ValueError, ValueKind};
use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};
use std::str::FromStr;

/// A moment of virtual time: nanoseconds since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

/// A length of virtual time in nanoseconds, up to 584 years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

impl Instant {
    /// The start of the run.
    pub const START: Self = Self(0);
    /// A moment later than any run.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start, rounded to a float: for output only.
    pub fn as_secs_f64(self) -> f64 {
        Duration(self.0).as_secs_f64()
    }

    /// The span since `earlier`, zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Duration {
    /// The empty span.
    pub const ZERO: Self = Self(0);

    /// `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// `micros` microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    /// `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// `secs` seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// `secs` seconds, rounded to the nanosecond; negative and NaN give zero.
    pub fn from_secs_f64(secs: f64) -> Self {
        Self(libm::round(secs * 1e9) as u64)
    }

    /// Whole nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole microseconds, rounded down.
    pub const fn as_micros(self) -> u64 {
        self.0 / 1_000
    }

    /// Milliseconds as a float: for output only.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Seconds as a float.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Whether the span is empty.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Add for Duration {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Duration {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Duration {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Mul<u64> for Duration {
    type Output = Self;
    fn mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

/// The units of time that a file may use, with their nanoseconds, the largest first.
const UNITS: [(&str, u64); 8] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

impl fmt::Display for Duration {
    /// The text in the largest unit in which the span is a whole number: `90 s`, `1500 us`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0 s");
        }
        let (unit, nanos) = UNITS
            .iter()
            .find(|(_, nanos)| self.0.is_multiple_of(*nanos))
            .unwrap_or(&("ns", 1));
        write!(f, "{} {unit}", self.0 / nanos)
    }
}

/// The text is not a number with a unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a duration with its unit (ns, us, ms, s, min, h, d), such as \"30 s\"")]
pub struct ParseDurationError;

impl FromStr for Duration {
    type Err = ParseDurationError;

    /// Reads `"30 s"`, `"0.5ms"`, `"2 h"`. Exact: no float is involved.
    fn from_str(text: &str) -> Result<Self, ParseDurationError> {
        let text = text.trim();
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or(ParseDurationError)?;
        let (number, unit) = (&text[..end], text[end..].trim());
        let nanos = UNITS
            .iter()
            .find_map(|(name, nanos)| (*name == unit).then_some(*nanos))
            .ok_or(ParseDurationError)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty())
            || fraction.contains('.')
            || fraction.len() > 18
        {
            return Err(ParseDurationError);
        }
        let digits = |s: &str| {
            if s.is_empty() {
                Ok(0)
            } else {
                s.parse::<u128>()
            }
        };
        let whole = digits(whole).map_err(|_| ParseDurationError)?;
        let part = digits(fraction).map_err(|_| ParseDurationError)?;
        let nanos = u128::from(nanos);
        whole
            .checked_mul(nanos)
            .and_then(|total| total.checked_add(part * nanos / 10u128.pow(fraction.len() as u32)))
            .and_then(|total| u64::try_from(total).ok())
            .map(Duration)
            .ok_or(ParseDurationError)
    }
}

impl ParameterValue for Duration {
    fn kind() -> ValueKind {
        ValueKind::Duration
    }
    fn from_value(value: &crate::parameter::Value) -> Result<Self, ValueError> {
        value.as_str().and_then(|s| s.parse().ok()).ok_or(None)
    }
    fn to_value(&self) -> Option<crate::parameter::Value> {
        Some(crate::parameter::Value::String(self.to_string()))
    }
    fn magnitude(&self) -> Option<f64> {
        Some(self.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_with_their_unit() {
        assert_eq!("30 s".parse(), Ok(Duration::from_secs(30)));
        assert_eq!("0.5ms".parse(), Ok(Duration::from_micros(500)));
        assert_eq!("2 h".parse(), Ok(Duration::from_secs(7200)));
        assert_eq!("1.5 µs".parse(), Ok(Duration::from_nanos(1500)));
        for bad in [
            "",
            "30",
            "s",
            "-1 s",
            "1..2 s",
            "1 fortnight",
            ". s",
            "99999999999999 d",
        ] {
            assert_eq!(bad.parse::<Duration>(), Err(ParseDurationError), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(nanos: u64) {
            let span = Duration::from_nanos(nanos);
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}
