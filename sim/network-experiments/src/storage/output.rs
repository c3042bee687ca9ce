//! What a run of storage has measured, and its rows.

use super::load::{LOAD, Load, by_load, load_rows, loads, max_of, mean_of};
use super::object_counts::{ObjectCounts, copies};
use super::objects::Objects;
use super::{Course, Issued};
use crate::histogram::{HISTOGRAM, add_binned, add_counts, mean_of_counted, quantile_of_counted};
use dhtlab_core::engine::{Duration, Instant};
use dhtlab_core::network::{Network, Sample, Tally};
use dhtlab_core::overlay::GroundTruth;
use dhtlab_core::service::storage::{
    Answer, CompletedRequest, Content, Operation, Storage, StorageMetrics,
};
use dhtlab_core::space::Key;
use dhtlab_scenario::{RunOutput, TableRows, TableSpec};

dhtlab_scenario::columns! {
    pub(super) METRICS, fn metrics(m: &StorageResults<'_>) {
        /// Puts of blocks and files that have begun, those before the measurement included.
        puts [""] = m.issued.puts,
        /// Puts that a root of the key has acknowledged, for a file those of all its blocks and of its
        /// keyfile.
        puts_ok [""] = m.puts.ok,
        /// Puts that end with the answer of a root that is full (`storage.capacity`).
        puts_refused [""] = m.puts.refused,
        /// Puts without an answer, those under way when the run stops included.
        puts_failed [""] = m.issued.puts - m.puts.ok - m.puts.refused,
        /// Bytes of the contents of the puts that are ok.
        puts_bytes ["bytes"] = m.puts.bytes,
        /// Mean hops of a message of a put on its way to the root of its key, over the puts that are
        /// ok: 0 if the initiator is the root. In an iterative lookup the message itself is one hop
        /// after the queries. Empty if none is ok.
        puts_hops_mean [""] = m.puts.hops_mean(),
        /// Mean time from the start of a put to its acknowledgement, over the puts that are ok; empty
        /// if none is.
        puts_latency_ms_mean ["ms"] = mean_of_counted(&m.puts.latencies),
        /// Median of these times.
        puts_latency_ms_p50 ["ms"] = quantile_of_counted(&m.puts.latencies, 0.5),
        /// 99th percentile of these times.
        puts_latency_ms_p99 ["ms"] = quantile_of_counted(&m.puts.latencies, 0.99),
        /// Gets of blocks and files that have begun, those under way when the run stops included.
        gets [""] = m.issued.gets,
        /// Gets that end with the content that was put: its SHA-1 is the key, for a file the SHA-1s of
        /// its blocks are the keys of those that were put.
        gets_ok [""] = m.gets.ok,
        /// Gets that end with another content.
        gets_wrong [""] = m.gets.wrong,
        /// Gets with the answer that the block or file was deleted.
        gets_deleted [""] = m.gets.deleted,
        /// Gets without content or that answer, those under way when the run stops included.
        gets_failed [""] = m.issued.gets - m.gets.ok - m.gets.wrong - m.gets.deleted,
        /// Failed gets for which no node that was asked had the content.
        gets_missing [""] = m.gets.missing,
        /// Failed gets whose initiator had stopped.
        gets_abandoned [""] = m.gets.abandoned,
        /// Bytes of the contents of the gets that are ok.
        gets_bytes ["bytes"] = m.gets.bytes,
        /// Mean hops of a message of a get on its way to the root of its key, over the gets that are
        /// ok, as for puts; the way from a root without a copy to a node with one is not counted.
        gets_hops_mean [""] = m.gets.hops_mean(),
        /// Deletions of blocks and files that have begun, those under way when the run stops included.
        deletes [""] = m.issued.deletes,
        /// Deletions that a root of the key has acknowledged.
        deletes_ok [""] = m.deletes.ok,
        /// Of these, deletions of whose block or keyfile a member holds a copy at the end.
        deletes_wrong [""] = m.deletes_wrong,
        /// Deletions without an answer, those under way when the run stops included.
        deletes_failed [""] = m.issued.deletes - m.deletes.ok,
        /// Mean hops of a message of a deletion, over those that are ok, as for puts.
        deletes_hops_mean [""] = m.deletes.hops_mean(),
        /// Mean time from the start of a deletion to its acknowledgement, over those that are ok; empty
        /// if none is.
        deletes_latency_ms_mean ["ms"] = mean_of_counted(&m.deletes.latencies),
        /// Median of these times.
        deletes_latency_ms_p50 ["ms"] = quantile_of_counted(&m.deletes.latencies, 0.5),
        /// 99th percentile of these times.
        deletes_latency_ms_p99 ["ms"] = quantile_of_counted(&m.deletes.latencies, 0.99),
        /// Fraction of the gets that are ok, without those of what was deleted; empty without gets.
        success_rate ["fraction"] = m.gets.ok as f64 / (m.issued.gets - m.gets.deleted) as f64,
        /// Contents whose SHA-1 was not their key, refused by readers.
        contents_refused [""] = m.service.refused_by_readers,
        /// Contents whose SHA-1 was not their key, refused by nodes that were to store them.
        copies_refused [""] = m.service.refused_by_holders,
        /// Copies that full nodes did not take (`storage.capacity`), one at each try.
        copies_full [""] = m.service.copies_full,
        /// Blocks whose puts were acknowledged when the measurement began, and those put in it, without
        /// those to be deleted; the blocks of files do not count.
        blocks ["≤ storage.blocks"] = m.objects.blocks(),
        /// Of these, blocks of which no member holds a copy at the end.
        blocks_lost ["≤ storage.blocks"] = m.objects.lost(),
        /// Fraction of the blocks that are lost; empty without blocks.
        lost_rate ["fraction"] = m.objects.lost() as f64 / m.objects.blocks() as f64,
        /// Mean number of copies that members hold at the end, over the blocks that are not lost;
        /// empty if there are none.
        copies_mean [""] =
            m.objects.copies() as f64 / (m.objects.blocks() - m.objects.lost()) as f64,
        /// Blocks that the root of their key holds at the end; with "spread" and "random" the roots of
        /// all their keys.
        blocks_at_root ["≤ storage.blocks"] = m.objects.at_root,
        /// Files whose puts were acknowledged when the measurement began, without those to be deleted;
        /// each has a keyfile.
        files ["≤ storage.files"] = m.objects.files,
        /// Of these, files without a copy of their keyfile at a member at the end.
        keyfiles_lost ["≤ storage.files"] = m.objects.keyfiles_lost,
        /// Files without a copy of their keyfile, or of one of their blocks, at a member at the end.
        files_lost ["≤ storage.files"] = m.objects.files_lost,
        /// Largest number of blocks and keyfiles that a member stores at the end, copies included.
        blocks_per_node_max [""] = max_of(&m.loads, |load| load.blocks),
        /// Mean of these numbers.
        blocks_per_node_mean [""] = mean_of(&m.loads, |load| load.blocks),
        /// Largest number of puts, gets and deletes that a member has answered since the measurement
        /// began; a get of a file is one for each of its blocks and one for its keyfile.
        requests_per_node_max [""] = max_of(&m.loads, |load| load.requests),
        /// Mean of these numbers.
        requests_per_node_mean [""] = mean_of(&m.loads, |load| load.requests),
        /// Messages of replication sent during the measurement; a routed one counts at each hop, if it
        /// arrives.
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
        latency_ms_mean ["ms"] = mean_of_counted(&m.gets.latencies),
        /// Median of these times.
        latency_ms_p50 ["ms"] = quantile_of_counted(&m.gets.latencies, 0.5),
        /// 99th percentile of these times.
        latency_ms_p99 ["ms"] = quantile_of_counted(&m.gets.latencies, 0.99),
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
struct StorageResults<'a> {
    tally: &'a Tally,
    service: &'a StorageMetrics,
    /// The beginning of measuring, if reached.
    begun: Option<&'a StorageSnapshot>,
    issued: Issued,
    puts: Requests,
    gets: Requests,
    deletes: Requests,
    deletes_wrong: usize,
    objects: ObjectCounts,
    loads: Vec<Load>,
    /// The measured time.
    seconds: f64,
    member_seconds: f64,
}

/// The tables in long format.
pub(super) const TABLES: &[TableSpec] = &[
    TableSpec {
        name: "histogram",
        columns: HISTOGRAM,
        quantities: &[
            "latency_ms",
            "copies",
            "blocks_per_node",
            "requests_per_node",
        ],
    },
    TableSpec {
        name: "timeline",
        columns: TIMELINE,
        quantities: &[],
    },
    TableSpec {
        name: "load",
        columns: LOAD,
        quantities: &[],
    },
];

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
    pub(super) fn of<P: GroundTruth>(network: &Network<P, Storage>, objects: &Objects) -> Self {
        let counts = ObjectCounts::of(network, objects);
        let service_metrics = network.metrics();
        Self {
            time: network.now(),
            members: network.members().len(),
            alive: counts.blocks() - counts.lost(),
            at_root: counts.at_root,
            copies: counts.copies(),
            ended: service_metrics.ended.len(),
            repair_bytes: service_metrics.repair_bytes,
            repair_messages: service_metrics.repair_messages,
            member_seconds: network.tally().member_seconds(network.now()),
        }
    }
}

/// The results of requests of one kind.
#[derive(Default)]
struct Requests {
    all: u64,
    ok: u64,
    wrong: u64,
    refused: u64,
    deleted: u64,
    missing: u64,
    abandoned: u64,
    tries: u64,
    /// Bytes, hops and answers of those that are ok.
    bytes: u64,
    hops: u64,
    answers: u64,
    latencies: Vec<(f64, u64)>,
}

impl Requests {
    /// The results of the requests with one of these operations.
    fn of(ended: &[CompletedRequest], operations: &[Operation], objects: &Objects) -> Self {
        let (mut requests, mut latencies) = (Self::default(), Sample::default());
        for ended in ended.iter().filter(|e| operations.contains(&e.operation)) {
            requests.all += 1;
            requests.tries += u64::from(ended.effort.tries);
            let is_right = match &ended.answer {
                Answer::Done => true,
                Answer::Content(content) => content.digest() == ended.key,
                Answer::File(blocks) => objects.file(&ended.key).is_some_and(|file| {
                    let found = blocks.iter().map(Content::digest);
                    found.eq(file.blocks.iter().copied())
                }),
                other => {
                    match other {
                        Answer::Refused => requests.refused += 1,
                        Answer::Deleted => requests.deleted += 1,
                        Answer::Absent => requests.missing += 1,
                        Answer::Abandoned => requests.abandoned += 1,
                        _ => {}
                    }
                    continue;
                }
            };
            if is_right {
                requests.ok += 1;
                requests.bytes += ended.bytes;
                requests.hops += u64::from(ended.effort.hops);
                requests.answers += u64::from(ended.effort.answers);
                latencies.push(ended.took.as_millis_f64());
            } else {
                requests.wrong += 1;
            }
        }
        requests.latencies = latencies.counted();
        requests
    }

    /// Mean hops of a message; NaN without any.
    fn hops_mean(&self) -> f64 {
        self.hops as f64 / self.answers as f64
    }
}

const PUTS: &[Operation] = &[Operation::Put, Operation::PutFile];
const GETS: &[Operation] = &[Operation::Get, Operation::GetFile];

/// Number of acknowledged deletions after which a member still holds a copy of the value.
fn returned<P: GroundTruth>(network: &Network<P, Storage>) -> usize {
    let ended = network.metrics().ended.iter();
    let deleted = ended.filter(|e| (e.operation, &e.answer) == (Operation::Delete, &Answer::Done));
    let names: Vec<Key> = deleted.map(|ended| ended.key).collect();
    let held = copies(network, &names).into_iter();
    held.filter(|count| *count > 0).count()
}

/// Turns the results of a run into rows.
pub(super) fn output<P: GroundTruth>(network: &Network<P, Storage>, course: &Course) -> RunOutput {
    let (service, tally, now) = (network.metrics(), network.tally(), network.now());
    let (objects, moments) = (&course.objects, &course.moments);
    let of = |operations| Requests::of(&service.ended, operations, objects);
    let measured = StorageResults {
        tally,
        service,
        begun: moments.first(),
        issued: course.issued,
        puts: of(PUTS),
        gets: of(GETS),
        deletes: of(&[Operation::Delete]),
        deletes_wrong: returned(network),
        objects: ObjectCounts::of(network, objects),
        loads: loads(network, &course.answered),
        seconds: tally.measured(now).as_secs_f64(),
        member_seconds: tally.member_seconds(now),
    };
    let mut histogram = TableRows::default();
    let loads = &measured.loads;
    add_binned(&mut histogram, "latency_ms", &measured.gets.latencies);
    let copies = by_value(&measured.objects.copies_of_blocks);
    add_counts(&mut histogram, "copies", &copies);
    let blocks = by_load(loads, |load| load.blocks);
    add_counts(&mut histogram, "blocks_per_node", &blocks);
    let requests = by_load(loads, |load| load.requests);
    add_counts(&mut histogram, "requests_per_node", &requests);
    RunOutput {
        metrics: metrics(&measured),
        tables: vec![
            histogram,
            timeline(service, objects, moments),
            load_rows(loads),
        ],
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
fn timeline(service: &StorageMetrics, objects: &Objects, moments: &[StorageSnapshot]) -> TableRows {
    let row = |pair: &[StorageSnapshot]| {
        let [before, moment] = pair else {
            return Vec::new();
        };
        let gets = Requests::of(&service.ended[before.ended..moment.ended], GETS, objects);
        interval(before, moment, moment.time.since(moments[0].time), &gets)
    };
    TableRows(moments.windows(2).map(row).collect())
}

dhtlab_scenario::columns! {
    TIMELINE, fn interval(
        before: &StorageSnapshot,
        moment: &StorageSnapshot,
        since: Duration,
        ended: &Requests
    ) {
        /// End of the interval, since the start of the measurement. There are intervals with churn
        /// or an attack.
        time_s ["s"] = since.as_secs_f64(),
        /// Members at the end of the interval.
        members [""] = moment.members,
        /// Blocks of which some member holds a copy at the end of the interval.
        blocks_alive ["≤ storage.blocks"] = moment.alive,
        /// Blocks that the root of their key holds at the end of the interval; with "spread" and
        /// "random" the roots of all their keys.
        blocks_at_root ["≤ storage.blocks"] = moment.at_root,
        /// Mean number of copies that members hold at the end of the interval, over the blocks that
        /// have any; empty if there are none.
        copies_mean [""] = moment.copies as f64 / moment.alive as f64,
        /// Gets that ended in the interval.
        gets [""] = ended.all,
        /// Fraction of these gets that are ok; empty without gets.
        gets_ok_rate ["fraction"] = ended.ok as f64 / ended.all as f64,
        /// Bytes of replication in the interval per member and second.
        repair_bytes_per_node_s ["bytes/s"] = (moment.repair_bytes - before.repair_bytes) as f64
            / (moment.member_seconds - before.member_seconds),
    }
}
