//! Plans: who looks up what, and when. How a plan is carried out is the network's business.

use crate::engine::{Instant, Period, Span, Stream};
use crate::space::Key;
use rand::Rng;
use rand_distr::{Distribution, Exp1};

crate::parameters! {
    /// What the network is asked to do.
    pub struct WorkloadParameters {
        /// Lookups by random nodes, spread evenly over `time.measure`, or one a millisecond where that is absent; 10000 unless `interval` is given.
        pub lookups: Option<u64> = None, within 0..=1_000_000_000;
        /// Mean time between two lookups of one node (a Poisson process), during `time.measure`.
        pub interval: Option<Period> = None;
        /// The one key that is looked up, again and again; random keys if absent.
        pub key: Option<Key> = None;
    }
}

/// Lookups when neither their number nor their interval is given.
pub const DEFAULT_LOOKUPS: u64 = 10_000;

/// One lookup: at `time`, by the member that `source` points to, of `key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// When.
    pub time: Instant,
    /// A uniform draw that chooses the member; the same for every protocol and membership.
    pub source: u64,
    /// The key.
    pub key: Key,
}

/// When lookups happen.
#[derive(Clone, Copy, Debug)]
enum Pace {
    Even { gap: Span, left: u64 },
    Poisson { gap: Span, end: Instant },
}

/// A plan of lookups by random members, of random keys or of one.
#[derive(Clone, Debug)]
pub struct LookupPlan {
    stream: Stream,
    next: Instant,
    pace: Pace,
    key: Option<Key>,
}

impl LookupPlan {
    /// `count` lookups from `start` on, one each `gap`.
    pub fn evenly(stream: Stream, start: Instant, gap: Span, count: u64) -> Self {
        Self {
            stream,
            next: start,
            pace: Pace::Even { gap, left: count },
            key: None,
        }
    }

    /// Lookups between `start` and `end` with exponential gaps of mean `gap`.
    pub fn poisson(stream: Stream, start: Instant, end: Instant, gap: Span) -> Self {
        Self {
            stream,
            next: start,
            pace: Pace::Poisson { gap, end },
            key: None,
        }
    }

    /// The same plan with `key`, if there is one, for every lookup.
    pub fn of_key(self, key: Option<Key>) -> Self {
        Self { key, ..self }
    }
}

impl Iterator for LookupPlan {
    type Item = Lookup;

    fn next(&mut self) -> Option<Lookup> {
        let time = match &mut self.pace {
            Pace::Even { gap, left } => {
                *left = left.checked_sub(1)?;
                let time = self.next;
                self.next = time + *gap;
                time
            }
            Pace::Poisson { gap, end } => {
                let factor: f64 = Exp1.sample(&mut self.stream);
                self.next = self.next + Span::from_secs_f64(gap.as_secs_f64() * factor);
                if self.next >= *end {
                    return None;
                }
                self.next
            }
        };
        let source = self.stream.next_u64();
        let random = Key::random(&mut self.stream);
        Some(Lookup {
            time,
            source,
            key: self.key.unwrap_or(random),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;

    #[test]
    fn lookups_come_evenly_or_by_poisson() {
        let stream = || Seed::new(1).stream("lookups", 0);
        let start = Instant::START + Span::from_secs(5);
        let even: Vec<Lookup> =
            LookupPlan::evenly(stream(), start, Span::from_millis(1), 1000).collect();
        assert_eq!(even.len(), 1000);
        assert_eq!(even[999].time, start + Span::from_millis(999));
        let end = start + Span::from_secs(100);
        let poisson: Vec<Lookup> =
            LookupPlan::poisson(stream(), start, end, Span::from_millis(10)).collect();
        // 10,000 expected; four standard deviations of a Poisson count.
        assert!(poisson.len().abs_diff(10_000) < 400, "{}", poisson.len());
        assert!(poisson.iter().all(|l| l.time >= start && l.time < end));
        assert!(poisson.is_sorted_by_key(|l| l.time));
    }
}
