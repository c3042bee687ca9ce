//! The latency among the values of a link, and its unit.

use super::columns::LATENCIES;
use super::numbers::{self, DOUBT, Unit, duration, is_doubtful, number};
use super::{Fault, File, RttUnit};
use crate::parameter::{quoted, shown};
use std::num::NonZeroU32;

/// The values of the keys `latency` and `unit`.
#[derive(Clone, Debug, Default)]
pub(super) struct LatencyRule {
    /// The attribute that is the latency; `None` if the format decides.
    name: Option<String>,
    unit: Option<RttUnit>,
}

/// The attribute that is the latency of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    /// The one that the format defines.
    Default,
    /// No attribute.
    None,
    /// The one of this name.
    Named(&'a str),
}

/// Why a value is not a latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// A number outside the range of latencies.
    Number,
    /// An ambiguous number.
    Doubt,
    /// A number whose unit is not read.
    Unit,
    /// Neither a number nor a duration.
    Word,
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

    /// The unit of numbers under `name`: that of the key `unit`, else the one in the name
    /// (`latency_us`), else milliseconds. `None` if the name has a unit that is not read.
    pub(super) fn unit(&self, name: &str) -> Option<Unit> {
        match self.unit {
            Some(unit) => Some(unit.into()),
            None => unit_in(name).unwrap_or(Some(RttUnit::Milliseconds.into())),
        }
    }

    /// The value `word` of the attribute `name` as a one-way latency, in microseconds.
    pub(super) fn value(&self, name: &str, word: &str) -> Result<NonZeroU32, Misfit> {
        let word = word.trim();
        let micros = if let Some(number) = number(word) {
            number * self.unit(name).ok_or(Misfit::Unit)?.micros
        } else if let Some(micros) = duration(word) {
            micros
        } else if is_doubtful(word) {
            return Err(Misfit::Doubt);
        } else {
            return Err(Misfit::Word);
        };
        let one_way = if is_round_trip(name) {
            micros / 2.0
        } else {
            micros
        };
        let rounded = libm::round(one_way);
        if !(0.0..=f64::from(u32::MAX)).contains(&rounded) {
            return Err(Misfit::Number);
        }
        // At least one microsecond.
        NonZeroU32::new((rounded as u32).max(1)).ok_or(Misfit::Number)
    }

    /// The error for a value of `name` that is not a latency.
    pub(super) fn refuse(&self, line: usize, name: &str, word: &str, misfit: Misfit) -> Fault {
        let Some(unit) = self.unit(name) else {
            return unknown_unit(line, name);
        };
        let most = (f64::from(u32::MAX) / unit.micros) as u64;
        let (found, why) = match misfit {
            Misfit::Number | Misfit::Unit => (shown(word), ""),
            Misfit::Doubt => (quoted(word), DOUBT),
            Misfit::Word => (quoted(word), ""),
        };
        let unit = unit.name;
        Fault::new(
            line,
            format!("expected a latency of 0 to {most} {unit}, found {found}{why}"),
        )
    }
}

/// The error for a name with a unit that is not read.
pub(super) fn unknown_unit(line: usize, name: &str) -> Fault {
    let message = format!(
        "the unit in the name {} is not read; `unit` under [underlay.file] says whether numbers are \
         ms, us or s",
        quoted(name)
    );
    Fault::new(line, message)
}

/// The unit in a name: `latency_us`, `rtt (ms)`, `delayUsec`, `latencyms`. `Some(None)` if the unit
/// is not read. In brackets `min` is the unit, elsewhere the minimum.
pub(super) fn unit_in(name: &str) -> Option<Option<Unit>> {
    let end = name.trim_end().strip_suffix([')', ']']);
    let inside = end.and_then(|end| end.rsplit(['(', '[']).next());
    if inside.is_some_and(|word| word.trim().eq_ignore_ascii_case("min")) {
        return Some(None);
    }
    let of_word = |word: &str| {
        let other = || numbers::is_other_unit(word).then_some(None);
        numbers::unit(word).map(Some).or_else(other)
    };
    // One more letter is a plural: `delays`.
    let of_end = |word: &str| {
        let mut ends = LATENCIES.iter().filter_map(|known| {
            let (start, end) = word.split_at_checked(known.len())?;
            start.eq_ignore_ascii_case(known).then_some(end)
        });
        ends.find(|end| end.len() > 1).and_then(of_word)
    };
    let mut words = words(name).into_iter().rev();
    words.find_map(|word| of_word(word).or_else(|| of_end(word)))
}

/// The words of a name: `avg_rtt (ms)` and `avgRttMs` have three.
pub(super) fn words(name: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for part in name.split(|c: char| !c.is_alphanumeric()) {
        let mut start = 0;
        for (at, first) in part.char_indices() {
            // An upper-case letter after a lower-case one begins a word.
            if first.is_uppercase() && part[..at].ends_with(char::is_lowercase) {
                words.push(&part[start..at]);
                start = at;
            }
        }
        words.push(&part[start..]);
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether an attribute of this name is a round-trip time; half of it is the latency.
pub(super) fn is_round_trip(name: &str) -> bool {
    let words = words(name);
    // `half_rtt` is one way already.
    if words.iter().any(|word| word.eq_ignore_ascii_case("half")) || name.ends_with("/2") {
        return false;
    }
    let begins = |word: &str, known: &str| {
        let start = word.get(..known.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(known))
    };
    words.iter().enumerate().any(|(place, word)| {
        let next = words.get(place + 1);
        begins(word, "rtt")
            || begins(word, "roundtrip")
            || word.eq_ignore_ascii_case("round") && next.is_some_and(|next| begins(next, "trip"))
    })
}

/// Whether a name is that of a statistic of latencies which is no latency: `rtt_std (ms)`.
pub(super) fn is_statistic(name: &str) -> bool {
    const ENDS: [&str; 13] = [
        "count",
        "counts",
        "samples",
        "std",
        "sd",
        "dev",
        "deviation",
        "var",
        "variance",
        "class",
        "jitter",
        "loss",
        "losses",
    ];
    let is_unit = |word: &&str| numbers::unit(word).is_some() || numbers::is_other_unit(word);
    let last = words(name).into_iter().rfind(|word| !is_unit(word));
    let last = last.unwrap_or_default().to_lowercase();
    ENDS.iter().any(|end| last.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underlay_round_trips_stand_in_names() {
        for name in [
            "rtt",
            "RTTms",
            "rtt_min",
            "avg_rtt",
            "ping_rtt_ms",
            "avg (rtt)",
            "latency_rtt_ms",
            "delay (RTT)",
            "minRtt",
            "minRTT",
            "round trip",
            "Round-Trip Time",
            "mean_roundtrip_us",
            "avgRoundTrip",
        ] {
            assert!(is_round_trip(name), "{name}");
        }
        for name in [
            "latency",
            "trip",
            "round",
            "curtt",
            "my_smrtt",
            "round_the_trip",
            "3",
        ] {
            assert!(!is_round_trip(name), "{name}");
        }
    }

    #[test]
    fn underlay_statistics_stand_at_the_end_of_names() {
        for name in [
            "latency_class",
            "rtt_count",
            "rtt_std (ms)",
            "rttvar",
            "delayJitter",
            "RTT_MDEV",
        ] {
            assert!(is_statistic(name), "{name}");
        }
        for name in [
            "latency",
            "rtt_avg",
            "count_of_rtt",
            "rtt_us",
            "class latency (ms)",
        ] {
            assert!(!is_statistic(name), "{name}");
        }
    }

    #[test]
    fn underlay_units_stand_in_names() {
        for (name, expected) in [
            ("latency", Some("ms")),
            ("3", Some("ms")),
            ("rtt_min", Some("ms")),
            ("delays", Some("ms")),
            ("latency_ns", Some("ns")),
            ("latency_usec", Some("us")),
            ("delay_microseconds", Some("us")),
            ("latency (us)", Some("us")),
            ("latencyUs", Some("us")),
            ("LATENCY_US", Some("us")),
            ("rttus", Some("us")),
            ("rtt_us_avg", Some("us")),
            ("RTTms", Some("ms")),
            ("latency_msec", Some("ms")),
            ("delay_sec", Some("s")),
            ("delaySeconds", Some("s")),
            ("latency_ps", None),
            ("latency (min)", None),
            ("delay [Min]", None),
            ("min (latency)", Some("ms")),
            ("delay_hours", None),
        ] {
            let rule = LatencyRule::default();
            assert_eq!(rule.unit(name).map(|unit| unit.name), expected, "{name}");
            let unit = Some(RttUnit::Seconds);
            let rule = LatencyRule { name: None, unit };
            assert_eq!(rule.unit(name).map(|unit| unit.name), Some("s"), "{name}");
        }
    }
}
