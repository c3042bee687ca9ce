//! Lookups at a rate per member: a Poisson process at each member while it is one.
//!
//! The processes of all members together are one Poisson process whose rate follows the number of
//! members. Its next event is due when the members have together spent an exponential time. So one
//! draw remains valid however often members join and depart before the lookup (a time change, exact
//! for a rate that is constant between two changes of membership).

use super::{Lookup, draw};
use crate::engine::{Duration, Instant, Stream};
use crate::space::Key;
use rand_distr::{Distribution, Exp1};

/// A plan of lookups in which each member makes one each `interval` on average.
#[derive(Clone, Debug)]
pub struct MemberLookups {
    stream: Stream,
    interval: Duration,
    end: Instant,
    key: Option<Key>,
    /// Current members, and since when.
    members: usize,
    since: Instant,
    /// Time from `since` to the next lookup, in mean intervals of a member.
    left: f64,
    /// The source draw and the key of the next lookup.
    next: (u64, Key),
}

impl MemberLookups {
    /// Lookups from `start` until before `end`. Each member makes one per `interval` > 0 on
    /// average, of `key` or of random keys. There are no members until
    /// [`set_members`](Self::set_members) sets them.
    pub fn new(
        mut stream: Stream,
        (start, end): (Instant, Instant),
        interval: Duration,
        key: Option<Key>,
    ) -> Self {
        let left = Exp1.sample(&mut stream);
        let next = draw(&mut stream, key);
        Self {
            stream,
            interval,
            end,
            key,
            members: 0,
            since: start,
            left,
            next,
        }
    }

    /// From `now` on there are `members` members.
    pub fn set_members(&mut self, now: Instant, members: usize) {
        let now = now.max(self.since);
        if self.members > 0 {
            let spent = now.since(self.since).as_secs_f64() / self.gap_s();
            self.left = (self.left - spent).max(0.0);
        }
        (self.since, self.members) = (now, members);
    }

    /// When the next lookup is due at the current membership; `None` if that is not before the end.
    pub fn due(&self) -> Option<Instant> {
        let wait = self.gap_s() * self.left;
        let due = (self.members > 0).then(|| self.since + Duration::from_secs_f64(wait))?;
        (due < self.end).then_some(due)
    }

    /// Whether no lookup is left at `now`.
    pub fn is_over(&self, now: Instant) -> bool {
        now >= self.end
    }

    /// The lookup that is due at `now`.
    pub fn take(&mut self, now: Instant) -> Lookup {
        let (source, key) = self.next;
        self.since = now;
        self.left = Exp1.sample(&mut self.stream);
        self.next = draw(&mut self.stream, self.key);
        Lookup {
            time: now,
            source,
            key,
        }
    }

    /// Mean time between two lookups of all members together, in seconds.
    fn gap_s(&self) -> f64 {
        self.interval.as_secs_f64() / self.members as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;
    use proptest::prelude::*;

    fn at(seconds: u64) -> Instant {
        Instant::START + Duration::from_secs(seconds)
    }

    /// The times of all lookups while membership follows `changes`, ascending.
    fn times(seed: u64, changes: &[(u64, usize)], end: u64) -> Vec<Instant> {
        let stream = Seed::new(seed).stream("lookups", 0);
        let minute = Duration::from_secs(60);
        let mut plan = MemberLookups::new(stream, (at(0), at(end)), minute, None);
        let mut changes = changes.iter().peekable();
        let mut times = Vec::new();
        loop {
            let due = plan.due();
            match changes.next_if(|(time, _)| due.is_none_or(|due| at(*time) <= due)) {
                Some((time, members)) => plan.set_members(at(*time), *members),
                None => match due {
                    Some(due) => times.push(plan.take(due).time),
                    None => return times,
                },
            }
        }
    }

    /// Each member makes one lookup a minute while membership changes: 1000 members for 100 s, 10
    /// for 1000 s, none for 100 s, and 500 for 120 s.
    #[test]
    fn lookups_follow_the_members() {
        let changes = [(0, 1000), (100, 10), (1100, 0), (1200, 500)];
        let times = times(3, &changes, 1320);
        let within = |from: u64, to: u64| {
            let inside = |time: &&Instant| (at(from)..at(to)).contains(*time);
            times.iter().filter(inside).count() as f64
        };
        // Four standard deviations of a Poisson count.
        for (from, to, expected) in [(0, 100, 1666.7), (100, 1100, 166.7), (1200, 1320, 1000.0)] {
            let counted = within(from, to);
            let error: f64 = counted - expected;
            assert!(
                error.abs() < 4.0 * libm::sqrt(expected),
                "{from} s: {counted}"
            );
        }
        assert_eq!(within(1100, 1200), 0.0);
    }

    proptest! {
        /// Setting an unchanged number of members changes nothing but rounding.
        #[test]
        fn a_change_of_nothing_is_none(seed: u64, members in 1usize..1000, told in 1u64..600) {
            let once = times(seed, &[(0, members)], 600);
            let twice = times(seed, &[(0, members), (told, members)], 600);
            prop_assert_eq!(once.len(), twice.len());
            for (a, b) in once.iter().zip(&twice) {
                let error = a.as_nanos().abs_diff(b.as_nanos());
                // One additional rounding to a whole nanosecond.
                prop_assert!(error <= 2, "{error} ns");
            }
        }
    }
}
