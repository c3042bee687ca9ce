//! What a run of storage has measured, and its rows.

use super::Course;
use crate::histogram::{HISTOGRAM, add_binned, add_counts, mean_of_counted, quantile_of_counted};
use dhtlab_core::engine::{Duration, Instant};
use dhtlab_core::network::{Network, Sample, Tally};
use dhtlab_core::overlay::GroundTruth;
use dhtlab_core::service::storage::{Answer, CompletedRequest, Operation, Storage, StorageMetrics};
use dhtlab_core::space::Key;
use dhtlab_scenario::{RunOutput, TableRows, TableSpec};

dhtlab_scenario::columns! {
    pub(super) METRICS, fn metrics(m: &Measured<'_>) {
        /// Puts of blocks that have ended.
        puts [""] = m.puts,
        /// Puts that the root of the key has acknowledged.
        puts_ok [""] = m.puts_ok,
        /// Gets that have begun, those under way when the run stops included.
        gets [""] = m.all_gets,
        /// Gets that end with a content whose SHA-1 is the key.
        gets_ok [""] = m.gets.ok,
        /// Gets that end with another content.
        gets_wrong [""] = m.gets.wrong,
        /// Gets without content, those under way when the run stops included.
        gets_failed [""] = m.all_gets - m.gets.ok - m.gets.wrong,
        /// Failed gets whose initiator had stopped.
        gets_abandoned [""] = m.gets.abandoned,
        /// Fraction of the gets that are ok; empty without gets.
        success_rate ["fraction"] = m.gets.ok as f64 / m.all_gets as f64,
        /// Contents whose SHA-1 was not their key, refused by readers.
        contents_refused [""] = m.service.refused_by_readers,
        /// Contents whose SHA-1 was not their key, refused by nodes that were to store them.
        copies_refused [""] = m.service.refused_by_holders,
        /// Blocks whose puts were acknowledged when the measurement began.
        blocks ["≤ storage.blocks"] = m.blocks,
        /// Of these, blocks of which no member holds a copy at the end.
        blocks_lost ["≤ storage.blocks"] = m.lost,
        /// Fraction of the blocks that are lost; empty without blocks.
        lost_rate ["fraction"] = m.lost as f64 / m.blocks as f64,
        /// Mean number of members that hold a copy at the end, over the blocks that are not lost;
        /// empty if there are none.
        copies_mean [""] = m.copies as f64 / (m.blocks - m.lost) as f64,
        /// Blocks that the root of their key holds at the end.
        blocks_at_root ["≤ storage.blocks"] = m.at_root,
        /// Messages of replication sent during the measurement.
        repair_messages [""] = m.service.repair_messages - m.begun.map_or(0, |b| b.repair_messages),
        /// Bytes of these messages per member and second.
        repair_bytes_per_node_s ["bytes/s"] = (m.service.repair_bytes
            - m.begun.map_or(0, |b| b.repair_bytes)) as f64
            / m.member_seconds,
        /// Bytes of all messages during the measurement per member and second.
        bytes_per_node_s ["bytes/s"] =
            (m.tally.counts.bytes - m.tally.before.bytes) as f64 / m.member_seconds,
        /// Mean time from the start of a get to its content, over the gets that are ok; empty if
        /// none is.
        latency_ms_mean ["ms"] = mean_of_counted(&m.latencies),
        /// Median of these times.
        latency_ms_p50 ["ms"] = quantile_of_counted(&m.latencies, 0.5),
        /// 99th percentile of these times.
        latency_ms_p99 ["ms"] = quantile_of_counted(&m.latencies, 0.99),
        /// Mean number of requests that a get has sent, over the gets that have ended; empty if
        /// none has.
        tries_mean [""] = m.gets.tries as f64 / m.gets.all as f64,
        /// Mean number of members during the measurement.
        members_mean [""] = m.member_seconds / m.seconds,
        /// Nodes that became members during the measurement.
        joins [""] = m.tally.counts.joins - m.tally.before.joins,
        /// Members that left or crashed during the measurement.
        leaves [""] = m.tally.counts.leaves - m.tally.before.leaves,
        /// Lookups of the workload that were issued, in addition to puts and gets.
        lookups [""] = m.tally.counts.lookups,
        /// Of these, lookups that end at the node that is the root of the key at that time.
        lookups_ok [""] = m.tally.counts.ok,
        /// Messages sent during the measurement, answers and maintenance included.
        messages [""] = m.tally.counts.messages - m.tally.before.messages,
        /// Events of the whole run.
        events [""] = m.tally.counts.events,
    }
}

/// What a run has measured.
struct Measured<'a> {
    tally: &'a Tally,
    service: &'a StorageMetrics,
    /// The beginning of measuring, if reached.
    begun: Option<&'a StorageSnapshot>,
    puts: usize,
    puts_ok: usize,
    gets: Gets,
    /// With the gets still pending.
    all_gets: u64,
    latencies: Vec<(f64, u64)>,
    blocks: usize,
    lost: usize,
    /// Copies of all blocks.
    copies: u64,
    at_root: usize,
    /// The measured time.
    seconds: f64,
    member_seconds: f64,
}

/// The tables in long format.
pub(super) const TABLES: &[TableSpec] = &[
    TableSpec {
        name: "histogram",
        columns: HISTOGRAM,
        quantities: &["latency_ms", "copies"],
    },
    TableSpec {
        name: "timeline",
        columns: TIMELINE,
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
    let (service, tally, now) = (network.metrics(), network.tally(), network.now());
    let begun = moments.first();
    let is_put = |ended: &&CompletedRequest| ended.operation == Operation::Put;
    let gets = Gets::of(&service.ended);
    // Requests still pending when the run is stopped have failed; all puts have ended long before.
    let pending = begun.map_or(0, |_| service.open);
    let copies = blocks.copies(network);
    let measured = Measured {
        tally,
        service,
        begun,
        puts: service.ended.iter().filter(is_put).count(),
        puts_ok: service.ended.iter().filter(|e| is_stored(e)).count(),
        all_gets: gets.all + pending,
        latencies: gets.latencies.counted(),
        gets,
        blocks: copies.len(),
        lost: copies.iter().filter(|count| **count == 0).count(),
        copies: copies.iter().map(|count| u64::from(*count)).sum(),
        at_root: at_root(network, blocks),
        seconds: tally.measured(now).as_secs_f64(),
        member_seconds: tally.member_seconds(now),
    };
    let mut histogram = TableRows::default();
    add_binned(&mut histogram, "latency_ms", &measured.latencies);
    add_counts(&mut histogram, "copies", &by_value(&copies));
    RunOutput {
        metrics: metrics(&measured),
        tables: vec![histogram, timeline(service, moments)],
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

/// The state at the end of each interval, and the gets that ended in it.
fn timeline(service: &StorageMetrics, moments: &[StorageSnapshot]) -> TableRows {
    let row = |pair: &[StorageSnapshot]| {
        let [before, moment] = pair else {
            return Vec::new();
        };
        let gets = Gets::of(&service.ended[before.ended..moment.ended]);
        interval(before, moment, moment.time.since(moments[0].time), &gets)
    };
    TableRows(moments.windows(2).map(row).collect())
}

dhtlab_scenario::columns! {
    TIMELINE, fn interval(
        before: &StorageSnapshot,
        moment: &StorageSnapshot,
        since: Duration,
        ended: &Gets
    ) {
        /// End of the interval, since the start of the measurement. There are intervals with churn
        /// or an attack.
        time_s ["s"] = since.as_secs_f64(),
        /// Members at the end of the interval.
        members [""] = moment.members,
        /// Blocks of which some member holds a copy at the end of the interval.
        blocks_alive ["≤ storage.blocks"] = moment.alive,
        /// Blocks that the root of their key holds at the end of the interval.
        blocks_at_root ["≤ storage.blocks"] = moment.at_root,
        /// Mean number of members that hold a copy at the end of the interval, over the blocks that
        /// have any; empty if there are none.
        copies_mean [""] = moment.copies as f64 / moment.alive as f64,
        /// Gets that ended in the interval.
        gets [""] = ended.all,
        /// Fraction of these gets that end with a content whose SHA-1 is the key; empty without
        /// gets.
        gets_ok_rate ["fraction"] = ended.ok as f64 / ended.all as f64,
        /// Bytes of replication in the interval per member and second.
        repair_bytes_per_node_s ["bytes/s"] = (moment.repair_bytes - before.repair_bytes) as f64
            / (moment.member_seconds - before.member_seconds),
    }
}
