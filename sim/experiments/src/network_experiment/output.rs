//! What a run has measured, and its rows.

use crate::histogram::{
    add_binned, add_counts, mean, mean_of_counted, quantile, quantile_of_counted,
};
use dhtlab_core::engine::{Duration, Seed};
use dhtlab_core::network::{Counts, Interval, Network, Tally, oracle};
use dhtlab_core::overlay::GroundTruth;
use dhtlab_scenario::{RunOutput, TableRows};

/// Pairs of members whose underlay distance is measured, for comparison with an overlay hop.
const MEMBER_PAIRS: usize = 10_000;

dhtlab_scenario::columns! {
    pub(super) METRICS, fn metrics(m: &Measured<'_>) {
        /// Lookups that were issued.
        lookups [""] = m.counts.lookups,
        /// Lookups that ended at the true root of their key.
        lookups_ok [""] = m.counts.ok,
        /// Lookups that ended elsewhere.
        lookups_wrong [""] = m.counts.wrong,
        /// Lookups that did not end, those under way when the run stopped included.
        lookups_failed [""] = m.counts.failed + m.tally.under_way(),
        /// Failed lookups whose initiator stopped before it knew the root.
        lookups_abandoned [""] = m.counts.abandoned,
        /// Mean hops of the lookups that ended at the true root; empty if none did. A hop is one
        /// forwarding from node to node, or one node that is asked; the answer is not counted.
        overlay_hops_mean [""] = mean(&m.tally.hops),
        /// Median of these hops.
        overlay_hops_p50 [""] = quantile(&m.tally.hops, 0.5),
        /// 99th percentile of these hops.
        overlay_hops_p99 [""] = quantile(&m.tally.hops, 0.99),
        /// Mean number of links of the underlay that the hops of a lookup cross, over the lookups
        /// that ended at the true root; empty if none did.
        underlay_hops_mean [""] = mean(&m.tally.underlay_hops),
        /// Mean latency of the lookups that ended at the true root; empty if none did. That of a lookup
        /// that is handed on is one way; an iterative one ends with the root's answer, or where the
        /// root is named if `overlay.ask-root` is false.
        latency_ms_mean ["ms"] = mean_of_counted(&m.latencies),
        /// Median of these latencies.
        latency_ms_p50 ["ms"] = quantile_of_counted(&m.latencies, 0.5),
        /// 99th percentile of these latencies.
        latency_ms_p99 ["ms"] = quantile_of_counted(&m.latencies, 0.99),
        /// Mean stretch: the latency of a lookup over that of the direct way, there and back for an
        /// iterative one. Over the lookups that ended at the true root, at a distance above zero.
        stretch_mean [""] = mean_of_counted(&m.stretches),
        /// Sum of the latencies of these lookups over the sum of those of their direct ways.
        stretch_of_means [""] =
            m.tally.path_and_direct.0 as f64 / m.tally.path_and_direct.1 as f64,
        /// Mean degree: the number of different nodes that a member knows at the end.
        degree_mean [""] = mean(&m.degrees),
        /// The largest degree.
        degree_max [""] = m.degrees.len().saturating_sub(1),
        /// Messages that were sent in the measured time, answers and maintenance included.
        messages [""] = m.messages(),
        /// Events of the whole run.
        events [""] = m.counts.events,
        /// Mean hops of the lookups that ended at the true root and made at least one: their
        /// initiator is not the root.
        overlay_hops_mean_if_any [""] = mean_if_any(m.tally),
        /// `underlay_hops_mean` over `overlay_hops_mean`.
        underlay_hops_per_hop [""] = mean(&m.tally.underlay_hops) / mean(&m.tally.hops),
        /// Mean number of links of the underlay between two different random members at the end,
        /// over 10,000 pairs; empty with fewer than two members.
        member_underlay_hops_mean [""] = mean(&m.members),
        /// Lookups that ended at the true root over all lookups; empty without lookups.
        success_rate [""] = m.counts.ok as f64 / m.counts.lookups as f64,
        /// Mean time-outs of a finished lookup: ok, wrong or failed. Empty if none has finished.
        timeouts_mean [""] = m.counts.timeouts as f64
            / (m.counts.ok + m.counts.wrong + m.counts.failed) as f64,
        /// Nodes that became members in the measured time.
        joins [""] = m.counts.joins - m.before.joins,
        /// Members that left or crashed in the measured time.
        leaves [""] = m.counts.leaves - m.before.leaves,
        /// Joins that had no answer in the measured time and began again through another member.
        rejoins [""] = m.counts.rejoins - m.before.rejoins,
        /// Messages of the measured time that are neither steps nor answers of lookups.
        maintenance_messages [""] =
            m.messages() - (m.counts.lookup_messages - m.before.lookup_messages),
        /// Bytes of these messages for each second of a member. A message has 20 bytes and 4 more for
        /// each node that it names.
        maintenance_bytes_per_node_s ["bytes/s"] = (m.bytes()
            - (m.counts.lookup_bytes - m.before.lookup_bytes) as f64)
            / m.member_seconds,
        /// Bytes of all messages of the measured time for each second of a member.
        bytes_per_node_s ["bytes/s"] = m.bytes() / m.member_seconds,
        /// Mean number of members over the measured time. A node is a member from when it has found
        /// its place.
        members_mean [""] = m.member_seconds / m.seconds,
        /// 1 if at the end every member's first successor is the next member, otherwise 0; empty if
        /// the protocol has no ring.
        ring_ok [""] = m.ring_ok,
        /// Sybils that are members at the end; empty without an attack.
        sybils [""] = m.sybils,
        /// Links of honest members that lead to Sybils over all their links, each node that a member
        /// knows counted once, over the ends of all intervals; empty without an attack.
        occluded_links_fraction [""] = m.occluded,
        /// Finished lookups that a Sybil has handled; empty without an attack.
        lookups_intercepted [""] = m.sybils.map(|_| m.counts.intercepted),
        /// Lookups that ended at a Sybil that is not the true root; empty without an attack.
        lookups_hijacked [""] = m.sybils.map(|_| m.counts.hijacked),
        /// `lookups_intercepted` over all lookups; empty without an attack.
        interception_rate [""] = m.sybils.map(|_| m.rate(m.counts.intercepted)),
        /// 1 - E[(1 - f)^H]: the fraction of lookups that meet a Sybil if each of their H hops does so
        /// independently with probability f, `occluded_links_fraction`; empty without an attack.
        interception_predicted [""] =
            m.occluded.map(|f| expected_interception(&m.tally.hops, f)),
        /// Lookups that ended at a Sybil, true root or not, over all lookups; empty without an attack.
        capture_rate [""] = m.sybils.map(|_| m.rate(m.counts.captured)),
    }
}

/// What a run has measured.
struct Measured<'a> {
    tally: &'a Tally,
    counts: Counts,
    /// The counts when measuring began.
    before: Counts,
    latencies: Vec<(f64, u64)>,
    stretches: Vec<(f64, u64)>,
    /// Number of members by degree.
    degrees: Vec<u64>,
    /// Number of pairs of members by underlay hops.
    members: Vec<u64>,
    ring_ok: Option<bool>,
    /// The measured time.
    seconds: f64,
    member_seconds: f64,
    /// With an attack: the Sybils, and the fraction of occluded links.
    sybils: Option<usize>,
    occluded: Option<f64>,
}

impl Measured<'_> {
    fn messages(&self) -> u64 {
        self.counts.messages - self.before.messages
    }

    fn bytes(&self) -> f64 {
        (self.counts.bytes - self.before.bytes) as f64
    }

    fn rate(&self, lookups: u64) -> f64 {
        lookups as f64 / self.counts.lookups as f64
    }
}

/// Turns the counters into rows.
pub(super) fn output<P: GroundTruth>(network: &mut Network<P>, seed: Seed) -> RunOutput {
    let members = member_distances(network, seed);
    let (tally, now) = (network.tally(), network.now());
    let is_attacked = network.is_attacked();
    let measured = Measured {
        tally,
        counts: tally.counts,
        before: tally.before,
        latencies: tally.latencies.counted(),
        stretches: tally.stretches.counted(),
        degrees: degrees(network),
        members,
        ring_ok: oracle::is_intact(network),
        seconds: tally.measured(now).as_secs_f64(),
        member_seconds: tally.member_seconds(now),
        sybils: is_attacked.then(|| network.sybils().len()),
        occluded: is_attacked.then(|| occluded(tally)),
    };
    let mut histogram = TableRows::default();
    add_counts(&mut histogram, "overlay_hops", &tally.hops);
    add_counts(&mut histogram, "underlay_hops", &tally.underlay_hops);
    add_binned(&mut histogram, "latency_ms", &measured.latencies);
    add_binned(&mut histogram, "stretch", &measured.stretches);
    add_counts(&mut histogram, "degree", &measured.degrees);
    add_counts(&mut histogram, "member_underlay_hops", &measured.members);
    let intervals = tally.timeline.intervals();
    let timeline = intervals.map(|(end, interval)| moment(end, interval));
    RunOutput {
        metrics: metrics(&measured),
        tables: vec![histogram, TableRows(timeline.collect())],
        notes: Vec::new(),
    }
}

dhtlab_scenario::columns! {
    pub(super) TIMELINE, fn moment(end: Duration, interval: &Interval) {
        /// The end of the interval, since measuring began. There are intervals with churn or an attack.
        time_s ["s"] = end.as_secs_f64(),
        /// Members at the end of the interval, Sybils included.
        members [""] = interval.members,
        /// Lookups that were issued in the interval.
        lookups [""] = interval.lookups,
        /// Fraction of these lookups that ended at the true root. This and the other fractions and means
        /// are empty if there are no lookups to count over.
        success_rate [""] = interval.ok as f64 / interval.lookups as f64,
        /// Fraction of these lookups that ended elsewhere.
        wrong_rate [""] = interval.wrong as f64 / interval.lookups as f64,
        /// Mean hops of those that ended at the true root.
        hops_mean [""] = interval.hops as f64 / interval.ok as f64,
        /// Mean latency of those that ended at the true root.
        latency_ms_mean ["ms"] = interval.latency / interval.ok as f64,
        /// Time-outs of the lookups of the interval over their number.
        timeouts_mean [""] = interval.timeouts as f64 / interval.lookups as f64,
        /// Members at the end of the interval that are Sybils.
        sybils [""] = interval.sybils,
        /// Links of honest members that lead to Sybils over all their links at the end of the
        /// interval; empty without an attack.
        occluded_links_fraction [""] = interval.occluded_links as f64 / interval.links as f64,
        /// Fraction of the lookups of the interval that a Sybil has handled.
        interception_rate [""] = interval.intercepted as f64 / interval.lookups as f64,
        /// Fraction of the lookups of the interval that ended at a Sybil that is not the true root.
        hijack_rate [""] = interval.hijacked as f64 / interval.lookups as f64,
    }
}

/// The fraction of occluded links over all intervals.
fn occluded(tally: &Tally) -> f64 {
    let intervals = tally.timeline.intervals();
    let (occluded, links) = intervals.fold((0, 0), |(occluded, links), (_, interval)| {
        (occluded + interval.occluded_links, links + interval.links)
    });
    occluded as f64 / links as f64
}

/// 1 - E[(1 - f)^H]: the fraction of lookups that meet a Sybil if each of their H hops does so
/// independently with probability `f`. `hops` are counts by H.
fn expected_interception(hops: &[u64], f: f64) -> f64 {
    let total: u64 = hops.iter().sum();
    let spared = (0..)
        .zip(hops)
        .map(|(h, count)| *count as f64 * libm::pow(1.0 - f, f64::from(h)));
    1.0 - spared.sum::<f64>() / total as f64
}

/// Mean hops over the lookups that made at least one: those whose initiator is not the root.
fn mean_if_any(tally: &Tally) -> f64 {
    let mut moved = tally.hops.clone();
    if let Some(none) = moved.first_mut() {
        *none = 0;
    }
    mean(&moved)
}

/// Number of members by the number of distinct nodes that they know.
fn degrees<P: GroundTruth>(network: &Network<P>) -> Vec<u64> {
    let mut counts = Vec::new();
    let mut peers = Vec::new();
    for node in network.members() {
        network.links(*node, &mut peers);
        if counts.len() <= peers.len() {
            counts.resize(peers.len() + 1, 0);
        }
        counts[peers.len()] += 1;
    }
    counts
}

/// Underlay hops between random pairs of distinct members.
fn member_distances<P: GroundTruth>(network: &mut Network<P>, seed: Seed) -> Vec<u64> {
    let mut stream = seed.stream("member-pairs", 0);
    let members = network.members().to_vec();
    let mut counts = Vec::new();
    if members.len() < 2 {
        return counts;
    }
    for _ in 0..MEMBER_PAIRS {
        let a = stream.index(members.len());
        let b = (a + 1 + stream.index(members.len() - 1)) % members.len();
        let hops = network.path(members[a], members[b]).hops as usize;
        if counts.len() <= hops {
            counts.resize(hops + 1, 0);
        }
        counts[hops] += 1;
    }
    counts
}
