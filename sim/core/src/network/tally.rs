//! Counts of a run.

use super::sample::Sample;
use super::timeline::Timeline;
use crate::engine::{Duration, Instant};

/// Plain counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Handled events.
    pub events: u64,
    /// Sent messages, answers and maintenance included.
    pub messages: u64,
    /// Of these, the steps and answers of lookups of the workload.
    pub lookup_messages: u64,
    /// Bytes of the messages, as [`HEADER_BYTES`](crate::overlay::HEADER_BYTES) counts them.
    pub bytes: u64,
    /// Of these, the bytes of lookups of the workload.
    pub lookup_bytes: u64,
    /// Issued lookups.
    pub lookups: u64,
    /// Lookups that ended at the true root.
    pub ok: u64,
    /// Lookups that ended elsewhere.
    pub wrong: u64,
    /// Lookups that did not end; those in flight are counted after the run.
    pub failed: u64,
    /// Of these, lookups whose initiator stopped before it knew the root.
    pub abandoned: u64,
    /// Time-outs of the finished lookups.
    pub timeouts: u64,
    /// Nodes that became members, the initial ones excluded.
    pub joins: u64,
    /// Members that left or crashed.
    pub leaves: u64,
    /// Joins that were not answered and began again through another member.
    pub rejoins: u64,
    /// Finished lookups that a Sybil has handled.
    pub intercepted: u64,
    /// Lookups that ended at a Sybil.
    pub captured: u64,
    /// Of these, lookups whose true root is another node.
    pub hijacked: u64,
}

/// Result of a lookup that ended at the true root.
#[derive(Clone, Copy, Debug)]
pub(super) struct Success {
    pub hops: u32,
    pub underlay_hops: u32,
    pub latency: Duration,
    /// Latency of the direct path to the root, and back where the lookup's latency includes that.
    pub direct: Duration,
}

/// Involvement of Sybils in a lookup.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Interception {
    /// A Sybil has handled it.
    pub intercepted: bool,
    /// It ended at a Sybil.
    pub captured: bool,
    /// That Sybil is not the true root.
    pub hijacked: bool,
}

/// The counts, and the values of the lookups that ended at the true root.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Plain counts.
    pub counts: Counts,
    /// The counts when measuring began.
    pub before: Counts,
    /// Number of lookups by hops.
    pub hops: Vec<u64>,
    /// Number of lookups by underlay links.
    pub underlay_hops: Vec<u64>,
    /// The latency of each lookup in milliseconds.
    pub latencies: Sample,
    /// The stretch of each lookup whose root is at a distance above 0.
    pub stretches: Sample,
    /// Sums of the latencies of these lookups and of their direct paths, in nanoseconds.
    pub path_and_direct: (u128, u128),
    /// The counts by intervals, if they are wanted.
    pub timeline: Timeline,
    presence: MemberTime,
}

/// Member-seconds.
#[derive(Clone, Copy, Debug, Default)]
struct MemberTime {
    begun: Instant,
    nanos: u128,
    since: Instant,
    members: u64,
}

impl Tally {
    /// Lookups in flight.
    pub fn under_way(&self) -> u64 {
        self.counts.lookups - self.counts.ok - self.counts.wrong - self.counts.failed
    }

    /// Measuring begins: [`measured`](Self::measured) counts from `now` on.
    pub(super) fn begin(&mut self, now: Instant) {
        self.before = self.counts;
        self.presence.begun = now;
        self.presence.nanos = 0;
        self.presence.since = now;
    }

    /// From `now` on there are `members` members.
    pub(super) fn members(&mut self, now: Instant, members: usize) {
        self.presence.nanos += self.presence.so_far(now);
        self.presence.since = now;
        self.presence.members = members as u64;
    }

    /// The time since measuring began.
    pub fn measured(&self, now: Instant) -> Duration {
        now.since(self.presence.begun)
    }

    /// Member-seconds since measuring began, up to `now`.
    pub fn member_seconds(&self, now: Instant) -> f64 {
        (self.presence.nanos + self.presence.so_far(now)) as f64 / 1e9
    }

    /// Counts a lookup that began at `issued` and met `timeouts` time-outs.
    pub(super) fn ok(&mut self, issued: Instant, timeouts: u32, success: Success) {
        self.counts.ok += 1;
        self.counts.timeouts += u64::from(timeouts);
        count(&mut self.hops, success.hops);
        count(&mut self.underlay_hops, success.underlay_hops);
        self.latencies.push(success.latency.as_millis_f64());
        if !success.direct.is_zero() {
            let (path, direct) = (success.latency.as_nanos(), success.direct.as_nanos());
            self.stretches.push(path as f64 / direct as f64);
            self.path_and_direct.0 += u128::from(path);
            self.path_and_direct.1 += u128::from(direct);
        }
        if let Some(interval) = self.timeline.at(issued) {
            interval.ok += 1;
            interval.hops += u64::from(success.hops);
            interval.timeouts += u64::from(timeouts);
            interval.latency += success.latency.as_millis_f64();
        }
    }

    /// Counts a lookup that ended at another node than the root.
    pub(super) fn wrong(&mut self, issued: Instant, timeouts: u32) {
        self.counts.wrong += 1;
        self.counts.timeouts += u64::from(timeouts);
        if let Some(interval) = self.timeline.at(issued) {
            interval.wrong += 1;
            interval.timeouts += u64::from(timeouts);
        }
    }

    /// Counts a lookup that did not end.
    pub(super) fn failed(&mut self, issued: Instant, timeouts: u32) {
        self.counts.failed += 1;
        self.counts.timeouts += u64::from(timeouts);
        if let Some(interval) = self.timeline.at(issued) {
            interval.timeouts += u64::from(timeouts);
        }
    }

    /// Counts the involvement of Sybils in a finished lookup that began at `issued`.
    pub(super) fn attacked(&mut self, issued: Instant, attack: Interception) {
        self.counts.intercepted += u64::from(attack.intercepted);
        self.counts.captured += u64::from(attack.captured);
        self.counts.hijacked += u64::from(attack.hijacked);
        if let Some(interval) = self.timeline.at(issued) {
            interval.intercepted += u64::from(attack.intercepted);
            interval.hijacked += u64::from(attack.hijacked);
        }
    }
}

impl MemberTime {
    fn so_far(self, now: Instant) -> u128 {
        u128::from(now.since(self.since).as_nanos()) * u128::from(self.members)
    }
}

fn count(histogram: &mut Vec<u64>, value: u32) {
    let place = value as usize;
    if histogram.len() <= place {
        histogram.resize(place + 1, 0);
    }
    histogram[place] += 1;
}
