//! Turns the counters into rows.

use crate::format::{
    add_binned, add_counts, cell, mean, mean_of_counted, quantile, quantile_of_counted,
};
use dhtlab_core::engine::{Duration, Seed};
use dhtlab_core::network::{Interval, Network, Tally, oracle};
use dhtlab_core::overlay::GroundTruth;
use dhtlab_scenario::{RunOutput, TableRows};

/// Pairs of members whose underlay distance is measured, for comparison with an overlay hop.
const MEMBER_PAIRS: usize = 10_000;

/// Turns the counters into rows.
pub(super) fn output<P: GroundTruth>(network: &mut Network<P>, seed: Seed) -> RunOutput {
    let degrees = degrees(network);
    let members = member_distances(network, seed);
    let ring_ok = oracle::is_intact(network);
    let attack = attack(network);
    let tally = network.tally();
    let (counts, before) = (tally.counts, tally.before);
    let over = counts.ok + counts.wrong + counts.failed;
    let member_seconds = tally.member_seconds(network.now());
    let bytes = (counts.bytes - before.bytes) as f64;
    let lookup_messages = counts.lookup_messages - before.lookup_messages;
    let lookup_bytes = (counts.lookup_bytes - before.lookup_bytes) as f64;
    let latencies = tally.latencies.counted();
    let stretches = tally.stretches.counted();
    let mut metrics = vec![
        counts.lookups.to_string(),
        counts.ok.to_string(),
        counts.wrong.to_string(),
        (counts.failed + tally.under_way()).to_string(),
        counts.abandoned.to_string(),
        cell(mean(&tally.hops)),
        cell(quantile(&tally.hops, 0.5)),
        cell(quantile(&tally.hops, 0.99)),
        cell(mean(&tally.underlay_hops)),
        cell(mean_of_counted(&latencies)),
        cell(quantile_of_counted(&latencies, 0.5)),
        cell(quantile_of_counted(&latencies, 0.99)),
        cell(mean_of_counted(&stretches)),
        cell(tally.path_and_direct.0 as f64 / tally.path_and_direct.1 as f64),
        cell(mean(&degrees)),
        cell(degrees.len().saturating_sub(1) as f64),
        (counts.messages - before.messages).to_string(),
        counts.events.to_string(),
        cell(mean_if_any(tally)),
        cell(mean(&tally.underlay_hops) / mean(&tally.hops)),
        cell(mean(&members)),
        cell(counts.ok as f64 / counts.lookups as f64),
        cell(counts.timeouts as f64 / over as f64),
        (counts.joins - before.joins).to_string(),
        (counts.leaves - before.leaves).to_string(),
        (counts.rejoins - before.rejoins).to_string(),
        (counts.messages - before.messages - lookup_messages).to_string(),
        cell((bytes - lookup_bytes) / member_seconds),
        cell(bytes / member_seconds),
        cell(member_seconds / tally.measured(network.now()).as_secs_f64()),
        ring_ok.map_or(String::new(), |ok| u8::from(ok).to_string()),
    ];
    metrics.extend(attack);
    let mut histogram = TableRows::default();
    add_counts(&mut histogram, "overlay_hops", &tally.hops);
    add_counts(&mut histogram, "underlay_hops", &tally.underlay_hops);
    add_binned(&mut histogram, "latency_ms", &latencies);
    add_binned(&mut histogram, "stretch", &stretches);
    add_counts(&mut histogram, "degree", &degrees);
    add_counts(&mut histogram, "member_underlay_hops", &members);
    RunOutput {
        metrics,
        tables: vec![histogram, timeline(tally)],
        notes: Vec::new(),
    }
}

/// Counters by interval; `time_s` is the end of an interval, since measuring began.
fn timeline(tally: &Tally) -> TableRows {
    let row = |(end, interval): (Duration, &Interval)| {
        let of = |sum: f64, count: u64| cell(sum / count as f64);
        vec![
            cell(end.as_secs_f64()),
            interval.members.to_string(),
            interval.lookups.to_string(),
            of(interval.ok as f64, interval.lookups),
            of(interval.wrong as f64, interval.lookups),
            of(interval.hops as f64, interval.ok),
            of(interval.latency, interval.ok),
            of(interval.timeouts as f64, interval.lookups),
            interval.sybils.to_string(),
            of(interval.occluded_links as f64, interval.links),
            of(interval.intercepted as f64, interval.lookups),
            of(interval.hijacked as f64, interval.lookups),
        ]
    };
    TableRows(tally.timeline.intervals().map(row).collect())
}

/// Metrics of the Sybils; empty cells without an attack.
fn attack<P: GroundTruth>(network: &Network<P>) -> Vec<String> {
    if !network.is_attacked() {
        return vec![String::new(); 7];
    }
    let (tally, sybils) = (network.tally(), network.sybils().len());
    let counts = tally.counts;
    let intervals = tally.timeline.intervals();
    let sum = intervals.fold((0, 0), |(occluded, links), (_, interval)| {
        (occluded + interval.occluded_links, links + interval.links)
    });
    let occluded = sum.0 as f64 / sum.1 as f64;
    let rate = |count: u64| cell(count as f64 / counts.lookups as f64);
    vec![
        sybils.to_string(),
        cell(occluded),
        counts.intercepted.to_string(),
        counts.hijacked.to_string(),
        rate(counts.intercepted),
        cell(expected_interception(&tally.hops, occluded)),
        rate(counts.captured),
    ]
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
