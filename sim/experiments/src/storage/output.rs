//! Turns the results of storage into rows.

use super::Course;
use crate::format::{add_binned, add_counts, cell, mean_of_counted, quantile_of_counted};
use dhtlab_core::engine::{Duration, Instant};
use dhtlab_core::network::{Network, Sample};
use dhtlab_core::overlay::GroundTruth;
use dhtlab_core::service::storage::{Answer, CompletedRequest, Operation, Storage, StorageMetrics};
use dhtlab_core::space::Key;
use dhtlab_scenario::{RunOutput, TableRows, TableSpec};

/// The columns of `runs.csv`.
pub(super) const METRICS: &[&str] = &[
    "puts",
    "puts_ok",
    "gets",
    "gets_ok",
    "gets_wrong",
    "gets_failed",
    "gets_abandoned",
    "success_rate",
    "contents_refused",
    "copies_refused",
    "blocks",
    "blocks_lost",
    "lost_rate",
    "copies_mean",
    "blocks_at_root",
    "repair_messages",
    "repair_bytes_per_node_s",
    "bytes_per_node_s",
    "latency_ms_mean",
    "latency_ms_p50",
    "latency_ms_p99",
    "tries_mean",
    "members_mean",
    "joins",
    "leaves",
    "lookups",
    "lookups_ok",
    "messages",
    "events",
];

/// The tables in long format.
pub(super) const TABLES: &[TableSpec] = &[
    TableSpec {
        name: "histogram",
        columns: &["quantity", "value", "count"],
        quantities: &["latency_ms", "copies"],
    },
    TableSpec {
        name: "timeline",
        columns: &[
            "time_s",
            "members",
            "blocks_alive",
            "blocks_at_root",
            "copies_mean",
            "gets",
            "gets_ok_rate",
            "repair_bytes_per_node_s",
        ],
        quantities: &[],
    },
];

/// The blocks whose puts were acknowledged when measuring began.
#[derive(Default)]
pub(super) struct Blocks {
    /// In the order in which they were stored.
    stored: Vec<Key>,
    /// Ascending.
    sorted: Vec<Key>,
}

impl Blocks {
    pub(super) fn stored(service_metrics: &StorageMetrics) -> Self {
        let puts = service_metrics
            .ended
            .iter()
            .filter(|ended| is_stored(ended));
        let stored: Vec<Key> = puts.map(|ended| ended.key).collect();
        let mut sorted = stored.clone();
        sorted.sort_unstable();
        Self { stored, sorted }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stored.is_empty()
    }

    /// The block that a random key selects; there must be one.
    pub(super) fn pick(&self, random: Key) -> Key {
        let place = (u128::from(random.prefix()) * self.stored.len() as u128) >> 64;
        self.stored[place as usize]
    }

    /// Number of live nodes that hold each block, in the order of the keys. O(c log b) for c copies
    /// of b blocks.
    fn copies<P: GroundTruth>(&self, network: &Network<P, Storage>) -> Vec<u32> {
        let mut copies = vec![0; self.sorted.len()];
        for node in network.members() {
            let mut from = 0;
            // A store is in the order of the keys, too.
            for (key, block) in network.application(*node).store().iter() {
                match self.sorted[from..].binary_search(key) {
                    Ok(place) if block.content().is_some() => {
                        copies[from + place] += 1;
                        from += place + 1;
                    }
                    Ok(place) | Err(place) => from += place,
                }
            }
        }
        copies
    }
}

fn is_stored(ended: &CompletedRequest) -> bool {
    (ended.operation, &ended.answer) == (Operation::Put, &Answer::Done)
}

/// The state of the storage at a moment.
pub(super) struct StorageSnapshot {
    time: Instant,
    members: usize,
    alive: usize,
    at_root: usize,
    copies: u64,
    ended: usize,
    repair_bytes: u64,
    repair_messages: u64,
    member_seconds: f64,
}

impl StorageSnapshot {
    pub(super) fn of<P: GroundTruth>(network: &Network<P, Storage>, blocks: &Blocks) -> Self {
        let copies = blocks.copies(network);
        let service_metrics = network.metrics();
        Self {
            time: network.now(),
            members: network.members().len(),
            alive: copies.iter().filter(|count| **count > 0).count(),
            at_root: at_root(network, blocks),
            copies: copies.iter().map(|count| u64::from(*count)).sum(),
            ended: service_metrics.ended.len(),
            repair_bytes: service_metrics.repair_bytes,
            repair_messages: service_metrics.repair_messages,
            member_seconds: network.tally().member_seconds(network.now()),
        }
    }
}

/// Number of blocks held by the true roots of their keys.
fn at_root<P: GroundTruth>(network: &Network<P, Storage>, blocks: &Blocks) -> usize {
    let is_there = |key: &&Key| {
        let root = network.root(key);
        let store = root.map(|root| network.application(root).store());
        store.is_some_and(|store| store.get(key).is_some())
    };
    blocks.stored.iter().filter(is_there).count()
}

/// The results of gets.
#[derive(Default)]
struct Gets {
    all: u64,
    ok: u64,
    wrong: u64,
    abandoned: u64,
    tries: u64,
    latencies: Sample,
}

impl Gets {
    fn of(ended: &[CompletedRequest]) -> Self {
        let mut gets = Self::default();
        for ended in ended.iter().filter(|e| e.operation == Operation::Get) {
            gets.all += 1;
            gets.tries += u64::from(ended.tries);
            match &ended.answer {
                Answer::Content(content) if content.digest() == ended.key => {
                    gets.ok += 1;
                    gets.latencies.push(ended.took.as_millis_f64());
                }
                Answer::Content(_) => gets.wrong += 1,
                Answer::Abandoned => gets.abandoned += 1,
                _ => {}
            }
        }
        gets
    }
}

/// Turns the results of a run into rows. `moments` are the beginning of measuring, if reached, and
/// the ends of the intervals.
pub(super) fn output<P: GroundTruth>(
    network: &Network<P, Storage>,
    Course { blocks, moments }: &Course,
) -> RunOutput {
    let (service_metrics, tally) = (network.metrics(), network.tally());
    let begun = moments.first();
    let (counts, before) = (tally.counts, tally.before);
    let puts = service_metrics
        .ended
        .iter()
        .filter(|e| e.operation == Operation::Put);
    let gets = Gets::of(&service_metrics.ended);
    // Requests still pending when the run is stopped have failed; all puts have ended long before.
    let all_gets = gets.all
        + if begun.is_some() {
            service_metrics.open
        } else {
            0
        };
    let copies = blocks.copies(network);
    let lost = copies.iter().filter(|count| **count == 0).count();
    let alive = copies.len() - lost;
    let total: u64 = copies.iter().map(|count| u64::from(*count)).sum();
    let member_seconds = tally.member_seconds(network.now());
    let repair_bytes = service_metrics.repair_bytes - begun.map_or(0, |moment| moment.repair_bytes);
    let repair_messages =
        service_metrics.repair_messages - begun.map_or(0, |moment| moment.repair_messages);
    let latencies = gets.latencies.counted();
    let metrics = vec![
        puts.count().to_string(),
        service_metrics
            .ended
            .iter()
            .filter(|e| is_stored(e))
            .count()
            .to_string(),
        all_gets.to_string(),
        gets.ok.to_string(),
        gets.wrong.to_string(),
        (all_gets - gets.ok - gets.wrong).to_string(),
        gets.abandoned.to_string(),
        cell(gets.ok as f64 / all_gets as f64),
        service_metrics.refused_by_readers.to_string(),
        service_metrics.refused_by_holders.to_string(),
        copies.len().to_string(),
        lost.to_string(),
        cell(lost as f64 / copies.len() as f64),
        cell(total as f64 / alive as f64),
        at_root(network, blocks).to_string(),
        repair_messages.to_string(),
        cell(repair_bytes as f64 / member_seconds),
        cell((counts.bytes - before.bytes) as f64 / member_seconds),
        cell(mean_of_counted(&latencies)),
        cell(quantile_of_counted(&latencies, 0.5)),
        cell(quantile_of_counted(&latencies, 0.99)),
        cell(gets.tries as f64 / gets.all as f64),
        cell(member_seconds / tally.measured(network.now()).as_secs_f64()),
        (counts.joins - before.joins).to_string(),
        (counts.leaves - before.leaves).to_string(),
        counts.lookups.to_string(),
        counts.ok.to_string(),
        (counts.messages - before.messages).to_string(),
        counts.events.to_string(),
    ];
    let mut histogram = TableRows::default();
    add_binned(&mut histogram, "latency_ms", &latencies);
    add_counts(&mut histogram, "copies", &by_value(&copies));
    RunOutput {
        metrics,
        tables: vec![histogram, timeline(service_metrics, moments)],
        notes: Vec::new(),
    }
}

/// Number of blocks by number of copies.
fn by_value(copies: &[u32]) -> Vec<u64> {
    let most = copies.iter().max().map_or(0, |most| *most as usize + 1);
    let mut counts = vec![0; most];
    for count in copies {
        counts[*count as usize] += 1;
    }
    counts
}

/// The state at the end of each interval, and the gets that ended in it. `time_s` is the end of the
/// interval, since measuring began.
fn timeline(service_metrics: &StorageMetrics, moments: &[StorageSnapshot]) -> TableRows {
    let row = |pair: &[StorageSnapshot]| {
        let [before, moment] = pair else {
            return Vec::new();
        };
        let gets = Gets::of(&service_metrics.ended[before.ended..moment.ended]);
        let since: Duration = moment.time.since(moments[0].time);
        let member_seconds = moment.member_seconds - before.member_seconds;
        let repair_bytes = (moment.repair_bytes - before.repair_bytes) as f64;
        vec![
            cell(since.as_secs_f64()),
            moment.members.to_string(),
            moment.alive.to_string(),
            moment.at_root.to_string(),
            cell(moment.copies as f64 / moment.alive as f64),
            gets.all.to_string(),
            cell(gets.ok as f64 / gets.all as f64),
            cell(repair_bytes / member_seconds),
        ]
    };
    TableRows(moments.windows(2).map(row).collect())
}
