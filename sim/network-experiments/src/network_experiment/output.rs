//! What a run has measured, and its rows.

use crate::histogram::{
    add_binned, add_counts, histogram_of, mean, mean_of_counted, quantile, quantile_of_counted,
};
use dhtlab_core::engine::{Duration, Seed};
use dhtlab_core::network::{Counts, Interval, Network, Sample, Tally, oracle};
use dhtlab_core::overlay::GroundTruth;
use dhtlab_core::space::Key;
use dhtlab_scenario::{RunOutput, TableRows};

/// Pairs of members whose underlay distance is measured, for comparison with an overlay hop.
const MEMBER_PAIRS: usize = 10_000;

dhtlab_scenario::columns! {
    pub(super) METRICS, fn metrics(m: &NetworkResults<'_>) {
        /// Lookups that were issued.
        lookups [""] = m.counts.lookups,
        /// Lookups that are ok: they end at the node that is the root of the key at that time.
        lookups_ok [""] = m.counts.ok,
        /// Lookups that end at another node.
        lookups_wrong [""] = m.counts.wrong,
        /// Lookups that are neither, those under way when the run stops included.
        lookups_failed [""] = m.counts.failed + m.tally.under_way(),
        /// Failed lookups whose initiator had stopped.
        lookups_abandoned [""] = m.counts.abandoned,
        /// Mean hops of the lookups that are ok; empty if none is. A hop is one forwarding of a
        /// lookup from node to node (iterative: one queried node); the path of the answer is not
        /// counted.
        overlay_hops_mean [""] = mean(&m.tally.hops),
        /// Median of these hops.
        overlay_hops_p50 [""] = quantile(&m.tally.hops, 0.5),
        /// 99th percentile of these hops.
        overlay_hops_p99 [""] = quantile(&m.tally.hops, 0.99),
        /// Mean number of underlay links that the hops of a lookup cross, over the lookups that are
        /// ok; empty if none is.
        underlay_hops_mean [""] = mean(&m.tally.underlay_hops),
        /// Mean latency of the lookups that are ok; empty if none is. It is the one-way latency to
        /// the root for a recursive lookup; for an iterative one it ends with the answer of the
        /// root, or when the root is named if `overlay.ask-root` is false.
        latency_ms_mean ["ms"] = mean_of_counted(&m.latencies),
        /// Median of these latencies.
        latency_ms_p50 ["ms"] = quantile_of_counted(&m.latencies, 0.5),
        /// 99th percentile of these latencies.
        latency_ms_p99 ["ms"] = quantile_of_counted(&m.latencies, 0.99),
        /// Mean stretch: latency divided by that of the direct path, one-way, or the round trip for
        /// an iterative lookup. Over the lookups that are ok and whose direct path has a latency
        /// above 0; empty if there are none.
        stretch_mean [""] = mean_of_counted(&m.stretches),
        /// Mean latency of these lookups divided by the mean latency of their direct paths.
        stretch_of_means [""] =
            m.tally.path_and_direct.0 as f64 / m.tally.path_and_direct.1 as f64,
        /// Mean degree of the members at the end. The degree is the number of different peers of a
        /// node.
        degree_mean [""] = mean(&m.degrees),
        /// The largest degree of a member at the end.
        degree_max [""] = m.degrees.len().saturating_sub(1),
        /// Messages sent during the measurement, answers and maintenance included.
        messages [""] = m.messages(),
        /// Events of the whole run.
        events [""] = m.counts.events,
        /// Mean hops of the lookups that are ok, without those whose initiator is the root; empty
        /// if there are none.
        overlay_hops_mean_if_any [""] = mean_if_any(m.tally),
        /// `underlay_hops_mean` divided by `overlay_hops_mean`; empty if no lookup is ok, or all
        /// have 0 hops.
        underlay_hops_per_hop [""] = mean(&m.tally.underlay_hops) / mean(&m.tally.hops),
        /// Mean number of underlay links between two different members at the end, over 10,000
        /// random pairs; empty with fewer than two members.
        member_underlay_hops_mean [""] = mean(&m.members),
        /// Fraction of the lookups that are ok; empty without lookups.
        success_rate ["fraction"] = m.counts.ok as f64 / m.counts.lookups as f64,
        /// Fraction of the lookups that end at another node than the root; empty without lookups.
        wrong_rate ["fraction"] = m.rate(m.counts.wrong),
        /// Mean time-outs of a lookup that is ok, wrong or failed, without those under way when the
        /// run stops; empty if there are none.
        timeouts_mean [""] = m.counts.timeouts as f64
            / (m.counts.ok + m.counts.wrong + m.counts.failed) as f64,
        /// Nodes that became members during the measurement.
        joins [""] = m.counts.joins - m.before.joins,
        /// Members that left or crashed during the measurement.
        leaves [""] = m.counts.leaves - m.before.leaves,
        /// Joins during the measurement that had no answer and began again through another member.
        rejoins [""] = m.counts.rejoins - m.before.rejoins,
        /// Messages during the measurement that are neither steps nor answers of lookups.
        maintenance_messages [""] =
            m.messages() - (m.counts.lookup_messages - m.before.lookup_messages),
        /// Bytes of these messages per member and second. A message has 20 bytes and 4 more for
        /// each node that it names.
        maintenance_bytes_per_node_s ["bytes/s"] = (m.bytes()
            - (m.counts.lookup_bytes - m.before.lookup_bytes) as f64)
            / m.member_seconds,
        /// Bytes of all messages during the measurement per member and second.
        bytes_per_node_s ["bytes/s"] = m.bytes() / m.member_seconds,
        /// Mean number of members during the measurement. A node is a member after its join is
        /// complete.
        members_mean [""] = m.member_seconds / m.seconds,
        /// 1 if at the end every member knows the next member as its first successor (Pastry: the
        /// next one on each side), otherwise 0; empty if the protocol has no ring, or if there is no
        /// member.
        ring_ok ["0 or 1"] = m.ring_ok,
        /// Sybils that are members at the end; empty without an attack.
        sybils [""] = m.sybils,
        /// Fraction of the distinct links of honest members that lead to Sybils, over the ends of
        /// all intervals of `timeline.csv`; empty without an attack.
        occluded_links_fraction ["fraction"] = m.occluded,
        /// Lookups that a Sybil has handled; empty without an attack.
        lookups_intercepted [""] = m.sybils.map(|_| m.counts.intercepted),
        /// Lookups that end at a Sybil that is not the root; empty without an attack.
        lookups_hijacked [""] = m.sybils.map(|_| m.counts.hijacked),
        /// Fraction of the lookups that a Sybil has handled; empty without an attack.
        interception_rate ["fraction"] = m.sybils.map(|_| m.rate(m.counts.intercepted)),
        /// Fraction of the lookups that end at a Sybil that is not the root; empty without an attack.
        hijack_rate ["fraction"] = m.sybils.map(|_| m.rate(m.counts.hijacked)),
        /// 1 - E[(1 - f)^H]: the fraction of the lookups that meet a Sybil if each of their H hops
        /// does so independently with probability f, `occluded_links_fraction`; empty without an
        /// attack.
        interception_predicted ["fraction"] =
            m.occluded.map(|f| expected_interception(&m.tally.hops, f)),
        /// Fraction of the lookups that end at a Sybil, the root or not; empty without an attack.
        capture_rate ["fraction"] = m.sybils.map(|_| m.rate(m.counts.captured)),
        /// 90th percentile of the latencies of the lookups that are ok. This and the columns after it
        /// are empty if `[transport]` has no property but a fixed time-out.
        latency_ms_p90 ["ms"] = m.transported(quantile_of_counted(&m.latencies, 0.9)),
        /// Lookups that are ok and whose initiator receives the answer.
        lookups_answered [""] = m.transported(m.answered()),
        /// Mean time from the issue of a lookup to its answer, over the lookups that are answered.
        answered_ms_mean ["ms"] = m.transported(mean_of_counted(&m.answers)),
        /// 90th percentile of these times.
        answered_ms_p90 ["ms"] = m.transported(quantile_of_counted(&m.answers, 0.9)),
        /// Messages during the measurement that are lost by chance.
        messages_lost [""] = m.transported(m.counts.lost - m.before.lost),
        /// Messages during the measurement whose sender cannot reach the receiver: a pair that
        /// cannot communicate, a host behind a NAT, or a partition.
        messages_unreachable [""] = m.transported(m.counts.unreachable - m.before.unreachable),
        /// Messages during the measurement that find the queue of an uplink full.
        messages_dropped [""] = m.transported(m.counts.dropped - m.before.dropped),
        /// Messages during the measurement that arrive twice.
        messages_duplicated [""] = m.transported(m.counts.duplicated - m.before.duplicated),
        /// Requests and messages during the measurement that are sent again.
        messages_sent_again [""] = m.transported(m.counts.sent_again - m.before.sent_again),
        /// Time-outs during the measurement of nodes that are alive.
        timeouts_false [""] = m.transported(m.counts.false_timeouts - m.before.false_timeouts),
    }
}

/// What a run has measured.
struct NetworkResults<'a> {
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
    has_transport: bool,
    answers: Vec<(f64, u64)>,
}

impl NetworkResults<'_> {
    fn messages(&self) -> u64 {
        self.counts.messages - self.before.messages
    }

    fn bytes(&self) -> f64 {
        (self.counts.bytes - self.before.bytes) as f64
    }

    /// `value`, if messages do not only take the latency of the underlay.
    fn transported<T>(&self, value: T) -> Option<T> {
        self.has_transport.then_some(value)
    }

    /// Lookups whose initiator has the answer.
    fn answered(&self) -> u64 {
        self.answers.iter().map(|(_, count)| count).sum()
    }

    fn rate(&self, lookups: u64) -> f64 {
        lookups as f64 / self.counts.lookups as f64
    }
}

/// Turns the counters into rows. `lookups` are those of the log.
pub(super) fn output<P: GroundTruth>(
    network: &mut Network<P>,
    seed: Seed,
    lookups: TableRows,
) -> RunOutput {
    let members = member_distances(network, seed);
    let costs = path_costs(network, seed);
    let (tally, now) = (network.tally(), network.now());
    let is_attacked = network.is_attacked();
    let measured = NetworkResults {
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
        has_transport: network.transport().is_some(),
        answers: tally.answers.counted(),
    };
    let mut histogram = TableRows::default();
    add_counts(&mut histogram, "overlay_hops", &tally.hops);
    add_counts(&mut histogram, "underlay_hops", &tally.underlay_hops);
    add_binned(&mut histogram, "latency_ms", &measured.latencies);
    add_binned(&mut histogram, "stretch", &measured.stretches);
    add_counts(&mut histogram, "degree", &measured.degrees);
    add_counts(&mut histogram, "member_underlay_hops", &measured.members);
    if let Some((lookups, members)) = &costs {
        add_binned(&mut histogram, "lookup_cost", &lookups.counted());
        add_binned(&mut histogram, "member_cost", &members.counted());
    }
    let intervals = tally.timeline.intervals();
    let timeline = intervals.map(|(end, interval)| moment(end, interval));
    RunOutput {
        metrics: metrics(&measured),
        tables: vec![histogram, TableRows(timeline.collect()), lookups],
        notes: Vec::new(),
    }
}

dhtlab_scenario::columns! {
    pub(super) TIMELINE, fn moment(end: Duration, interval: &Interval) {
        /// End of the interval, since the start of the measurement. There are intervals with churn,
        /// an attack or a partition; the other columns are of one interval.
        time_s ["s"] = end.as_secs_f64(),
        /// Members at the end of the interval, Sybils included.
        members [""] = interval.members,
        /// Lookups issued in the interval.
        lookups [""] = interval.lookups,
        /// Fraction of these lookups that are ok: they end at the root of the key. This and the
        /// other fractions and means are empty if there is nothing to count over.
        success_rate ["fraction"] = interval.ok as f64 / interval.lookups as f64,
        /// Fraction of these lookups that end at another node.
        wrong_rate ["fraction"] = interval.wrong as f64 / interval.lookups as f64,
        /// Mean hops of the lookups that are ok.
        hops_mean [""] = interval.hops as f64 / interval.ok as f64,
        /// Mean latency of the lookups that are ok.
        latency_ms_mean ["ms"] = interval.latency / interval.ok as f64,
        /// Time-outs of the lookups of the interval, divided by their number.
        timeouts_mean [""] = interval.timeouts as f64 / interval.lookups as f64,
        /// Sybils that are members at the end of the interval.
        sybils [""] = interval.sybils,
        /// Fraction of the distinct links of honest members that lead to Sybils, at the end of the
        /// interval; empty without an attack.
        occluded_links_fraction ["fraction"] = interval.occluded_links as f64 / interval.links as f64,
        /// Fraction of the lookups of the interval that a Sybil has handled.
        interception_rate ["fraction"] = interval.intercepted as f64 / interval.lookups as f64,
        /// Fraction of the lookups of the interval that end at a Sybil that is not the root.
        hijack_rate ["fraction"] = interval.hijacked as f64 / interval.lookups as f64,
        /// 1 if at the end of the interval every member knows the next member as its first successor
        /// (Pastry: the next one on each side), otherwise 0; empty without a partition, or if the
        /// protocol has no ring.
        ring_ok ["0 or 1"] = interval.ring_ok,
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
    let mut peers = Vec::new();
    histogram_of(network.members().iter().map(|node| {
        network.links(*node, &mut peers);
        peers.len()
    }))
}

/// The costs of 10,000 lookups of random keys by random members with the tables of the end, without
/// those that do not end at the root, and the costs between as many random members; `None` where
/// links have no costs.
fn path_costs<P: GroundTruth>(network: &mut Network<P>, seed: Seed) -> Option<(Sample, Sample)> {
    let mut stream = seed.stream("path-costs", 0);
    let members = network.members().to_vec();
    let (mut lookups, mut pairs) = (Sample::default(), Sample::default());
    for _ in 0..if members.is_empty() { 0 } else { MEMBER_PAIRS } {
        let from = members[stream.index(members.len())];
        let to = members[stream.index(members.len())];
        pairs.push(network.cost(from, to)?);
        let key = Key::random(&mut stream);
        let path = network.walk(from, &key);
        if path.last().copied() == network.root(&key) {
            let mut cost = 0.0;
            for hop in path.windows(2) {
                cost += network.cost(hop[0], hop[1])?;
            }
            lookups.push(cost);
        }
    }
    Some((lookups, pairs))
}

/// Underlay hops between random pairs of distinct members.
fn member_distances<P: GroundTruth>(network: &mut Network<P>, seed: Seed) -> Vec<u64> {
    let mut stream = seed.stream("member-pairs", 0);
    let members = network.members().to_vec();
    if members.len() < 2 {
        return Vec::new();
    }
    histogram_of((0..MEMBER_PAIRS).map(|_| {
        let a = stream.index(members.len());
        let b = (a + 1 + stream.index(members.len() - 1)) % members.len();
        network.path(members[a], members[b]).hops as usize
    }))
}
