//! Numbers and durations as files write them: decimal points and commas, and units of time.

use super::RttUnit;
use crate::engine::Duration;

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unit {
    pub(super) name: &'static str,
    pub(super) micros: f64,
}

impl From<RttUnit> for Unit {
    fn from(unit: RttUnit) -> Self {
        Self {
            name: unit.as_str(),
            micros: unit.micros(),
        }
    }
}

/// The units that are read, in microseconds, with all their spellings in lower case.
const UNITS: [(&str, f64, &[&str]); 4] = [
    (
        "ns",
        1e-3,
        &["ns", "nsec", "nsecs", "nanos", "nanosecond", "nanoseconds"],
    ),
    (
        "us",
        1.0,
        &[
            "us",
            "µs",
            "μs",
            "usec",
            "usecs",
            "micros",
            "microsecond",
            "microseconds",
        ],
    ),
    (
        "ms",
        1e3,
        &[
            "ms",
            "msec",
            "msecs",
            "millis",
            "millisecond",
            "milliseconds",
        ],
    ),
    ("s", 1e6, &["s", "sec", "secs", "second", "seconds"]),
];

/// Units that are not read. `min` is not among them: it is more often the minimum.
const OTHERS: [&str; 28] = [
    "fs",
    "ps",
    "psec",
    "picos",
    "picosecond",
    "picoseconds",
    "m",
    "mins",
    "minute",
    "minutes",
    "h",
    "hr",
    "hrs",
    "hour",
    "hours",
    "day",
    "days",
    "tick",
    "ticks",
    "cycles",
    "jiffies",
    "bps",
    "kbps",
    "mbps",
    "gbps",
    "hops",
    "km",
    "miles",
];

/// The unit `word`.
pub(super) fn unit(word: &str) -> Option<Unit> {
    let word = word.trim();
    let known = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    let (name, micros, _) = *UNITS.iter().find(|(.., words)| known(words))?;
    Some(Unit { name, micros })
}

/// Whether `word` is a unit that is not read.
pub(super) fn is_other_unit(word: &str) -> bool {
    OTHERS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// The number `word`. A comma may separate its decimals, unless it may separate thousands.
pub(super) fn number(word: &str) -> Option<f64> {
    if let Ok(number) = word.parse() {
        return Some(number);
    }
    let (whole, part) = word.split_once(',')?;
    let digits = whole.trim_start_matches(['+', '-']);
    let is_digits = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let may_be_thousands = part.len() == 3 && (1..=3).contains(&digits.len());
    if !is_digits(digits)
        || !part.starts_with(|first: char| first.is_ascii_digit())
        || may_be_thousands && is_digits(part) && !digits.starts_with('0')
    {
        return None;
    }
    format!("{whole}.{part}").parse().ok()
}

/// Whether `word` has digits and commas, and may be one of several numbers: `1,234`.
pub(super) fn is_doubtful(word: &str) -> bool {
    let digits = word.trim_start_matches(['+', '-']);
    digits.contains(',')
        && digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.ends_with(|last: char| last.is_ascii_digit())
        && digits
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
        && number(word).is_none()
}

/// The message about an ambiguous number.
pub(super) const DOUBT: &str = ": its comma might stand before decimals or between thousands; write a point or nothing instead";

/// A number and the unit after it, if there is one.
fn parts(word: &str) -> (&str, &str) {
    let word = word.trim();
    let end = word.find(char::is_alphabetic).unwrap_or(word.len());
    (word[..end].trim_end(), &word[end..])
}

/// The duration `word`, a number with its unit, in microseconds.
pub(super) fn duration(word: &str) -> Option<f64> {
    if let Ok(span) = word.parse::<Duration>() {
        return Some(span.as_nanos() as f64 / 1e3);
    }
    let (digits, word) = parts(word);
    Some(number(digits)? * unit(word)?.micros)
}

/// Whether `word` is a number or a duration, even an ambiguous one.
pub(super) fn is_quantity(word: &str) -> bool {
    if number(word).is_some() {
        return true;
    }
    let (digits, word) = parts(word);
    (number(digits).is_some() || is_doubtful(digits)) && (word.is_empty() || unit(word).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underlay_numbers_have_points_or_commas() {
        let numbers = [
            ("30.5", 30.5),
            ("30,5", 30.5),
            ("-0,25", -0.25),
            ("1234,567", 1234.567),
            ("0,123", 0.123),
            ("1,5e2", 150.0),
        ];
        for (word, expected) in numbers {
            assert_eq!(number(word), Some(expected), "{word}");
            assert!(is_quantity(word) && !is_doubtful(word), "{word}");
        }
        for word in ["1,234", "12,345,678", "1.234,5", "1,234.5", "-10,500"] {
            assert_eq!(number(word), None, "{word}");
            assert!(is_quantity(word) && is_doubtful(word), "{word}");
        }
        for word in ["a", "", ",", "a,5", "1,b", "10.0.0.1", "1,", "1a", "n1"] {
            assert!(!is_quantity(word) && !is_doubtful(word), "{word}");
        }
    }

    #[test]
    fn underlay_durations_have_units() {
        for (word, expected) in [
            ("118555 us", 118_555.0),
            ("10,5ms", 10_500.0),
            ("3 msec", 3000.0),
            ("20 Seconds", 2e7),
            ("500 ns", 0.5),
        ] {
            assert_eq!(duration(word), Some(expected), "{word}");
        }
        for word in ["10", "10 ps", "ms", "1,234 ms", "a ms"] {
            assert_eq!(duration(word), None, "{word}");
        }
        assert!(is_quantity("1,234 ms") && !is_quantity("10 ps"));
    }
}
