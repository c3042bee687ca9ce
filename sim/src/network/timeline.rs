//! What was counted, by intervals of virtual time.

use crate::engine::{Instant, Span};

/// Intervals of equal length from an instant on; none unless they are wanted.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    start: Instant,
    length: Span,
    intervals: Vec<Interval>,
}

/// The lookups that were issued in an interval, and the members at its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interval {
    /// Lookups that were issued.
    pub lookups: u64,
    /// Of these, lookups that ended at the true root.
    pub ok: u64,
    /// Lookups that ended elsewhere.
    pub wrong: u64,
    /// Hops of the lookups that ended at the true root, added up.
    pub hops: u64,
    /// Their latencies in milliseconds, added up.
    pub latency: f64,
    /// Time-outs of all lookups that are over, added up.
    pub timeouts: u64,
    /// Of the lookups that are over, those that a Sybil has handled.
    pub intercepted: u64,
    /// Of the lookups that are over, those that a Sybil answered wrongly.
    pub hijacked: u64,
    /// Members at the end of the interval.
    pub members: u64,
    /// Of these, Sybils.
    pub sybils: u64,
    /// Links of honest members at the end of the interval, where there are Sybils.
    pub links: u64,
    /// Of these, links to Sybils.
    pub occluded_links: u64,
}

impl Timeline {
    /// `count` intervals of `length` from `start` on.
    pub fn new(start: Instant, length: Span, count: usize) -> Self {
        Self {
            start,
            length,
            intervals: vec![Interval::default(); count],
        }
    }

    /// When the first interval begins, and how long each is.
    pub fn scale(&self) -> (Instant, Span) {
        (self.start, self.length)
    }

    /// The intervals.
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// The interval that holds `time`.
    pub(super) fn at(&mut self, time: Instant) -> Option<&mut Interval> {
        let place = self.place(time)?;
        self.intervals.get_mut(place)
    }

    /// The ends of all intervals.
    pub(super) fn ends(&self) -> impl Iterator<Item = Instant> + use<> {
        let (start, length) = (self.start, self.length);
        (1..=self.intervals.len() as u64).map(move |i| start + length * i)
    }

    /// Lets `note` write down how things stand at `time`, the end of an interval.
    pub(super) fn close(&mut self, time: Instant, note: impl FnOnce(&mut Interval)) {
        let ended = self.place(time).and_then(|place| place.checked_sub(1));
        if let Some(interval) = ended.and_then(|place| self.intervals.get_mut(place)) {
            note(interval);
        }
    }

    fn place(&self, time: Instant) -> Option<usize> {
        if self.intervals.is_empty() || time < self.start {
            return None;
        }
        Some((time.since(self.start).as_nanos() / self.length.as_nanos()) as usize)
    }
}
