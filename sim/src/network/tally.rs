//! What is counted while a network runs.

use crate::engine::Span;

/// Plain counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events that were handled.
    pub events: u64,
    /// Messages that were sent, answers and maintenance included.
    pub messages: u64,
    /// Lookups that were issued.
    pub lookups: u64,
    /// Lookups that ended at the true root.
    pub ok: u64,
    /// Lookups that ended elsewhere.
    pub wrong: u64,
    /// Lookups that did not end; those under way count once the run is over.
    pub failed: u64,
}

/// What was counted, and the values of the lookups that ended at the true root.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Plain counts.
    pub counts: Counts,
    /// How many lookups made how many hops.
    pub hops: Vec<u64>,
    /// How many lookups crossed how many underlay links.
    pub underlay_hops: Vec<u64>,
    /// The latency of each lookup.
    pub latencies: Vec<Span>,
    /// The stretch of each lookup whose root is at some distance.
    pub stretches: Vec<f64>,
}

impl Tally {
    /// Lookups that are not over.
    pub fn under_way(&self) -> u64 {
        self.counts.lookups - self.counts.ok - self.counts.wrong - self.counts.failed
    }

    /// A lookup has ended at the true root, which is `direct` away from the initiator.
    pub fn ok(&mut self, hops: u32, underlay_hops: u32, latency: Span, direct: Span) {
        self.counts.ok += 1;
        count(&mut self.hops, hops);
        count(&mut self.underlay_hops, underlay_hops);
        self.latencies.push(latency);
        if !direct.is_zero() {
            self.stretches
                .push(latency.as_nanos() as f64 / direct.as_nanos() as f64);
        }
    }
}

fn count(histogram: &mut Vec<u64>, value: u32) {
    let place = value as usize;
    if histogram.len() <= place {
        histogram.resize(place + 1, 0);
    }
    histogram[place] += 1;
}
