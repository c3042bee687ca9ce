//! Workload plans: the times, initiators and keys of lookups. The network carries a plan out.

mod members;
mod popularity;

pub use members::MemberLookups;
pub use popularity::Popularity;

use crate::engine::{Duration, Instant, Period, Stream};
use crate::space::Key;
use rand::Rng;

crate::parameters! {
    /// The lookups of a network.
    pub struct WorkloadParameters {
        /// Number of lookups by random nodes, spread evenly over `time.measure`, or one per millisecond if that is absent; 10000 unless `interval` is set.
        pub lookups: Option<u64> = None, within 0..=1_000_000_000;
        /// Mean time between two lookups of one member (a Poisson process) during `time.measure`; more members make more lookups.
        pub interval: Option<Period> = None;
        /// The key of all lookups; random keys if absent.
        pub key: Option<Key> = None;
    }
}

/// Number of lookups if neither a number nor an interval is given.
pub const DEFAULT_LOOKUPS: u64 = 10_000;

/// A lookup: its time, the draw of its initiator, and its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// When.
    pub time: Instant,
    /// A uniform draw that chooses the initiator; the same for every protocol and membership.
    pub source: u64,
    /// The key.
    pub key: Key,
}

/// A number of lookups by random members, evenly spaced, of random keys or of one key.
#[derive(Clone, Debug)]
pub struct LookupPlan {
    stream: Stream,
    next: Instant,
    gap: Duration,
    left: u64,
    key: Option<Key>,
}

impl LookupPlan {
    /// `count` lookups from `start` on, one per `gap`.
    pub fn evenly(stream: Stream, start: Instant, gap: Duration, count: u64) -> Self {
        Self {
            stream,
            next: start,
            gap,
            left: count,
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
        self.left = self.left.checked_sub(1)?;
        let time = self.next;
        self.next = time + self.gap;
        let (source, key) = draw(&mut self.stream, self.key);
        Some(Lookup { time, source, key })
    }
}

/// Draws the initiator and the key: `key`, or a random one. Both cases use the same number of
/// draws.
fn draw(stream: &mut Stream, key: Option<Key>) -> (u64, Key) {
    let source = stream.next_u64();
    let random = Key::random(stream);
    (source, key.unwrap_or(random))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;

    #[test]
    fn lookups_come_evenly() {
        let stream = Seed::new(1).stream("lookups", 0);
        let start = Instant::START + Duration::from_secs(5);
        let even: Vec<Lookup> =
            LookupPlan::evenly(stream, start, Duration::from_millis(1), 1000).collect();
        assert_eq!(even.len(), 1000);
        assert_eq!(even[999].time, start + Duration::from_millis(999));
    }
}
