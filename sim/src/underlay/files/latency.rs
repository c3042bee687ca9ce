//! Which value of a link is its latency, and in what unit.

use super::{Fault, File, RttUnit};
use crate::engine::Duration;
use std::num::NonZeroU32;

/// What the keys `latency` and `unit` say.
#[derive(Clone, Debug, Default)]
pub(super) struct LatencyRule {
    /// The attribute that is the latency; `None` if the format decides.
    name: Option<String>,
    unit: Option<RttUnit>,
}

/// The attribute that is the latency of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    /// What the format says.
    Default,
    /// No attribute.
    None,
    /// The one of this name.
    Named(&'a str),
}

/// What a value is as a latency.
pub(super) enum Value {
    Latency(NonZeroU32),
    /// A number that no latency can be.
    Unfit,
    /// Neither a number nor a duration.
    Other,
}

impl LatencyRule {
    pub(super) fn of(file: &File) -> Self {
        Self {
            name: file.latency.clone(),
            unit: file.unit,
        }
    }

    pub(super) fn wanted(&self) -> Wanted<'_> {
        match self.name.as_deref() {
            None => Wanted::Default,
            Some("none") => Wanted::None,
            Some(name) => Wanted::Named(name),
        }
    }

    /// The unit of numbers under `name`: that of the key `unit`, else the one with which the name
    /// ends (`latency_us`), else milliseconds.
    pub(super) fn unit(&self, name: &str) -> RttUnit {
        let last = name
            .rsplit(|c: char| !c.is_alphanumeric())
            .find(|word| !word.is_empty());
        let of_name = match last {
            Some("us" | "µs") => Some(RttUnit::Microseconds),
            Some("s" | "sec" | "seconds") => Some(RttUnit::Seconds),
            _ => None,
        };
        self.unit.or(of_name).unwrap_or(RttUnit::Milliseconds)
    }

    /// The value `word` of the attribute `name` as a latency in one direction.
    pub(super) fn value(&self, name: &str, word: &str) -> Value {
        let word = word.trim();
        let micros = match (word.parse::<f64>(), word.parse::<Duration>()) {
            (Ok(number), _) => number * self.unit(name).micros(),
            (_, Ok(span)) => span.as_nanos() as f64 / 1e3,
            _ => return Value::Other,
        };
        let one_way = if is_round_trip(name) {
            micros / 2.0
        } else {
            micros
        };
        let rounded = libm::round(one_way);
        if !(0.0..=f64::from(u32::MAX)).contains(&rounded) {
            return Value::Unfit;
        }
        // At least one microsecond.
        NonZeroU32::new((rounded as u32).max(1)).map_or(Value::Unfit, Value::Latency)
    }

    /// What is said of a value of `name` that is no latency; `found` is as it shall be shown.
    pub(super) fn refuse(&self, line: usize, name: &str, found: &str) -> Fault {
        let unit = self.unit(name);
        let most = (f64::from(u32::MAX) / unit.micros()) as u64;
        let unit = unit.as_str();
        Fault::new(
            line,
            format!("expected a latency of 0 to {most} {unit}, found {found}"),
        )
    }
}

/// Whether an attribute of this name is a round-trip time, of which half is the latency.
pub(super) fn is_round_trip(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    name.starts_with("rtt") || name.starts_with("roundtrip")
}
