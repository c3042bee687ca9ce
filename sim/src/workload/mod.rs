//! Plans: who looks up what, and when. How a plan is carried out is the network's business.

mod members;

pub use members::MemberLookups;

use crate::engine::{Duration, Instant, Period, Stream};
use crate::space::Key;
use rand::Rng;

crate::parameters! {
    /// What the network is asked to do.
    pub struct WorkloadParameters {
        /// Lookups by random nodes, spread evenly over `time.measure`, or one a millisecond where that is absent; 10000 unless `interval` is given.
        pub lookups: Option<u64> = None, within 0..=1_000_000_000;
        /// Mean time between two lookups of one member (a Poisson process), during `time.measure`; more members make more lookups.
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

/// So many lookups by random members, evenly spaced, of random keys or of one.
#[derive(Clone, Debug)]
pub struct LookupPlan {
    stream: Stream,
    next: Instant,
    gap: Duration,
    left: u64,
    key: Option<Key>,
}

impl LookupPlan {
    /// `count` lookups from `start` on, one each `gap`.
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

/// Draws who looks up what: `key`, or a random key. As many draws are used in both cases.
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
