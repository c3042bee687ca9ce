//! Counts by intervals of virtual time.

use super::oracle;
use super::state::NetworkState;
use crate::engine::{Duration, Instant};
use crate::overlay::{Application, GroundTruth};

/// Intervals of equal length from an instant on, if they are wanted. The last one is shorter where
/// the measured time ends within it.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    start: Instant,
    end: Instant,
    length: Duration,
    intervals: Vec<Interval>,
    /// Number of intervals that have ended.
    closed: usize,
    /// Whether it is found out at the end of each interval if the ring is whole.
    pub watches_ring: bool,
}

/// The lookups issued in an interval, and the members at its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interval {
    /// Issued lookups.
    pub lookups: u64,
    /// Of these, lookups that ended at the true root.
    pub ok: u64,
    /// Lookups that ended elsewhere.
    pub wrong: u64,
    /// Sum of the hops of the lookups that ended at the true root.
    pub hops: u64,
    /// Sum of their latencies in milliseconds.
    pub latency: f64,
    /// Time-outs of all finished lookups.
    pub timeouts: u64,
    /// Finished lookups that a Sybil has handled.
    pub intercepted: u64,
    /// Finished lookups that a Sybil answered wrongly.
    pub hijacked: u64,
    /// Members at the end of the interval.
    pub members: u64,
    /// Of these, Sybils.
    pub sybils: u64,
    /// Links of honest members at the end of the interval, where there are Sybils.
    pub links: u64,
    /// Of these, links to Sybils.
    pub occluded_links: u64,
    /// Whether the ring is whole at the end of the interval, if the protocol has one.
    pub ring_ok: Option<bool>,
}

impl Timeline {
    /// Intervals of `length` > 0 from `start` to `end`.
    pub fn new((start, end): (Instant, Instant), length: Duration) -> Self {
        let count = end.since(start).as_nanos().div_ceil(length.as_nanos());
        Self {
            start,
            end,
            length,
            intervals: vec![Interval::default(); count as usize],
            closed: 0,
            watches_ring: false,
        }
    }

    /// The intervals that have begun, each with the time from the start of the first one to its
    /// end.
    pub fn intervals(&self) -> impl Iterator<Item = (Duration, &Interval)> {
        let since = self.ends().map(|end| end.since(self.start));
        since.zip(&self.intervals)
    }

    /// The interval that contains `time`.
    pub(super) fn at(&mut self, time: Instant) -> Option<&mut Interval> {
        if self.intervals.is_empty() || time < self.start {
            return None;
        }
        let place = time.since(self.start).as_nanos() / self.length.as_nanos();
        self.intervals.get_mut(place as usize)
    }

    /// The ends of all intervals.
    pub fn ends(&self) -> impl Iterator<Item = Instant> + use<> {
        let (start, end, length) = (self.start, self.end, self.length);
        (1..=self.intervals.len() as u64).map(move |i| (start + length * i).min(end))
    }

    /// Ends the next interval, with the `state` of the network at this moment.
    pub(super) fn close<P: GroundTruth, A: Application>(&mut self, state: &NetworkState<P, A>) {
        let intact = self
            .watches_ring
            .then(|| oracle::is_intact(state))
            .flatten();
        let occlusion = state.is_attacked().then(|| state.occluded_links());
        let (links, occluded) = occlusion.unwrap_or_default();
        self.fill(|interval| {
            interval.members = state.members().len() as u64;
            interval.sybils = state.sybils().len() as u64;
            interval.links = links;
            interval.occluded_links = occluded;
            interval.ring_ok = intact;
        });
    }

    fn fill(&mut self, note: impl FnOnce(&mut Interval)) {
        if let Some(interval) = self.intervals.get_mut(self.closed) {
            self.closed += 1;
            note(interval);
        }
    }

    /// Whether an interval has not ended yet.
    pub(super) fn is_open(&self) -> bool {
        self.closed < self.intervals.len()
    }

    /// Ends at `now` within the interval that was ended last: later ones are removed.
    pub(super) fn end(&mut self, now: Instant) {
        self.end = now;
        let since = now.since(self.start).as_nanos();
        let begun = since.div_ceil(self.length.as_nanos());
        self.intervals.truncate(begun as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::START + Duration::from_secs(seconds)
    }

    fn rows(timeline: &Timeline) -> Vec<(u64, u64)> {
        let row = |(end, interval): (Duration, &Interval)| {
            (end.as_nanos() / 1_000_000_000, interval.members)
        };
        timeline.intervals().map(row).collect()
    }

    fn timeline() -> Timeline {
        Timeline::new((at(20), at(120)), Duration::from_secs(30))
    }

    #[test]
    fn the_last_interval_ends_when_measuring_ends() {
        let mut timeline = timeline();
        let ends: Vec<Instant> = timeline.ends().collect();
        assert_eq!(ends, [at(50), at(80), at(110), at(120)]);
        for members in 1..=4 {
            timeline.fill(|interval| interval.members = members);
        }
        assert!(!timeline.is_open());
        assert_eq!(rows(&timeline), [(30, 1), (60, 2), (90, 3), (100, 4)]);
    }

    #[test]
    fn a_run_that_stops_early_leaves_out_what_it_has_not_reached() {
        let mut timeline = timeline();
        timeline.fill(|interval| interval.members = 1);
        timeline.fill(|interval| interval.members = 9);
        timeline.end(at(75));
        assert_eq!(rows(&timeline), [(30, 1), (55, 9)]);
    }

    #[test]
    fn a_run_that_stops_at_an_end_has_no_empty_interval_after_it() {
        let mut timeline = timeline();
        timeline.fill(|interval| interval.members = 1);
        timeline.fill(|interval| interval.members = 9);
        timeline.end(at(50));
        assert_eq!(rows(&timeline), [(30, 1)]);
    }
}
