//! What a run of a job over files has measured, and its rows.

use super::JobOutcome;
use super::file::FileJobRun;
use super::output::{activity, histogram, work};
use dhtlab_core::engine::{Instant, Seed};
use dhtlab_core::network::Network;
use dhtlab_core::overlay::{GroundTruth, Node};
use dhtlab_core::service::file_job::{
    Collector, FileJob, Iteration, IterationState, Records, Round, RoundEnd,
};
use dhtlab_core::service::storage::{Answer, CompletedRequest, Operation, key_of};
use dhtlab_scenario::{RunOutput, TableRows};

dhtlab_scenario::columns! {
    pub(super) OUTPUT, fn output_row(row: &(String, String)) {
        /// Word, or line, in which bytes that are not UTF-8 are replaced.
        key ["text"] = row.0.clone(),
        /// Number of its occurrences; for `inverted-index` the files in which it occurs, with numbers.
        value [""] = row.1.clone(),
    }
}

dhtlab_scenario::columns! {
    pub(super) LOST, fn lost_row(lost: &LostBlock) {
        /// Number of the block among those of all files.
        block [""] = lost.number,
        /// Key of the block, in hex.
        key ["text"] = lost.key.clone(),
        /// 1 if a member still holds a copy of it, otherwise 0.
        held ["0 or 1"] = lost.is_held,
    }
}

dhtlab_scenario::columns! {
    pub(super) ROUNDS, fn round_row(number: usize, end: &RoundEnd, times: [f64; 2]) {
        /// Number of the round, from 0.
        round [""] = number,
        /// Time from the staging of the job to the sending of the round's tasks.
        begun_s ["s"] = times[0],
        /// Time from the staging of the job to the outcome of the round.
        ended_s ["s"] = times[1],
        /// What the round has changed: the largest move of a centre, the sum of the changes of all ranks
        /// (infinite in the first round), or the ones that the best word of all islands lacks.
        change [""] = end.change,
        /// Blocks that are counted for the outcome.
        blocks_counted [""] = end.blocks_counted,
        /// Bytes of the outcome.
        outcome_bytes ["bytes"] = end.outcome_bytes,
    }
}

/// A block that is not counted at the end.
struct LostBlock {
    number: u32,
    key: String,
    is_held: bool,
}

impl FileJobRun {
    /// The metrics and tables of a run that has ended.
    pub(super) fn output_of<P: GroundTruth>(
        &self,
        network: &Network<P, FileJob>,
        seed: Seed,
    ) -> RunOutput {
        let metrics = network.metrics();
        let staged = metrics.staged.unwrap_or(network.now());
        let after = |at: Option<Instant>| at.map_or(f64::NAN, |at| at.since(staged).as_secs_f64());
        let collector = collector(network);
        let records = collector.map(Collector::records).unwrap_or_default();
        let plan = collector.and_then(Collector::plan);
        let (mapper, names) = (self.mapper(seed), self.names());
        let rows = if self.task.is_iterative() {
            let result = collector.and_then(Collector::result);
            result.map(|result| Iteration::rows(self.task, result))
        } else {
            plan.map(|plan| {
                let mended = mapper.mend(&records, plan.files(), &IterationState::Nothing);
                mapper.rows(&mended, &names)
            })
        };
        let lost = lost(network, collector, &records);
        let blocks = plan.map_or(0, |plan| plan.blocks().len());
        let round = collector.map_or(0, Collector::round);
        let ends = collector.map(Collector::ends).unwrap_or_default();
        let earlier = plan.map_or(&[][..], |plan| plan.earlier());
        let lost_earlier = lost_in_rounds(earlier);
        let has_all = rows.is_some() && lost.is_empty() && lost_earlier.is_none();
        // Without a plan it is not known of which blocks they are.
        let counted = collector.filter(|_| plan.is_some());
        let counted = counted.map_or(0, Collector::counted);
        let sizes = metrics.rounds.get(round as usize).map(|round| &round.sizes);
        let size = |number: u32| sizes.and_then(|sizes| sizes.get(number as usize)).copied();
        let last = records.blocks().filter_map(size);
        let bytes = earlier.iter().map(|end| end.bytes_counted).sum::<u64>() + last.sum::<u64>();
        let alone = bytes as f64 / self.nodes.mean_speed();
        let runtime_s = if metrics.is_over() {
            after(metrics.counted_at)
        } else {
            f64::NAN
        };
        let work = work(network, &metrics.work, FileJob::is_friendly_sybil);
        let contents: Vec<&[u8]> = self.files.iter().map(|(_, bytes)| &bytes[..]).collect();
        let wrong = rows.as_ref().map(|rows| {
            let (plain, _) = mapper.plain_rows(&contents, &names);
            differing(rows, &plain)
        });
        let outcome = JobOutcome {
            runtime_s,
            complete: has_all,
            speedup: if bytes > 0 {
                alone / runtime_s
            } else {
                f64::NAN
            },
            runtime_factor: runtime_s * self.network.overlay.nodes as f64 / alone,
            last_mapped_s: after(metrics.first_maps.last().copied()),
            last_counted_s: Some(after(metrics.counted_at)),
            result: rows.as_ref().map(|rows| rows.len() as f64),
            result_error: wrong.map(|wrong| wrong as f64),
            samples_counted: Some(bytes),
            atoms: blocks as u32,
            atoms_counted: counted,
            atoms_redone: Some(metrics.redone()),
            atoms_lost: Some(lost.iter().filter(|block| !block.is_held).count()),
            atoms_orphaned: None,
            duplicates_dropped: Some(metrics.duplicates),
            sybils_made: metrics.sybils,
            atoms_moved: metrics.moved,
            ..JobOutcome::of_network(network, &work)
        };
        let mut notes: Vec<String> = lost_earlier.into_iter().collect();
        if let Some(round) = metrics.lost_state {
            notes.push(format!(
                "no node has the state of round {round}: the job ended"
            ));
        }
        if metrics.storage.open > 0 {
            notes.push("the files were not stored within an hour".to_owned());
        }
        notes.extend(self.not_stored(&metrics.storage.ended));
        let missing = metrics.missing_files.iter();
        // A keyfile that a later root did not find matters only if nobody knows the blocks.
        for file in missing.filter(|_| plan.is_none()) {
            let name = self.files.get(*file).map_or("", |(name, _)| name);
            notes.push(format!(
                "no node has the keyfile of \"{name}\": the job ended"
            ));
        }
        let times = (&metrics.first_maps[..], &metrics.busy[..]);
        let end = metrics.counted_at.unwrap_or(network.now());
        RunOutput {
            metrics: outcome.row(),
            tables: vec![
                histogram(&work),
                activity(self.network.time.interval, (staged, end), times),
                TableRows(rows.iter().flatten().map(output_row).collect()),
                TableRows(lost.iter().map(lost_row).collect()),
                rounds(&ends, &metrics.rounds, staged),
            ],
            notes,
        }
    }

    /// A note for each file that was not stored.
    fn not_stored(&self, ended: &[CompletedRequest]) -> Vec<String> {
        let puts = ended
            .iter()
            .filter(|ended| ended.operation == Operation::PutFile);
        let failed = puts.filter(|ended| ended.answer != Answer::Done);
        let note = |ended: &CompletedRequest| {
            let of = |(name, _): &&(String, Vec<u8>)| key_of(name) == ended.key;
            let name = self.files.iter().find(of).map_or("", |(name, _)| name);
            let reason = match ended.answer {
                Answer::Refused => {
                    "a node that was to store a part of it is full (storage.capacity)"
                }
                Answer::Abandoned => "the node that put it stopped",
                _ => "a root did not answer",
            };
            format!("the file \"{name}\" was not stored: {reason}")
        };
        failed.map(note).collect()
    }
}

/// The collector that has ended the job, or else the one that has counted most.
fn collector<P: GroundTruth>(network: &Network<P, FileJob>) -> Option<&Collector> {
    let alive = network.nodes().filter(|node| network.is_alive(*node));
    let collectors = alive.filter_map(|node| network.application(node).collector());
    collectors.max_by_key(|own| {
        let has_ended = (own.result().is_some(), own.round(), own.is_complete());
        (has_ended, own.plan().is_some(), own.counted())
    })
}

/// A note on the first of the rounds that lacks blocks; without rounds there is none.
fn lost_in_rounds(ends: &[RoundEnd]) -> Option<String> {
    let mut ends = ends.iter().enumerate();
    let lacks = ends.find(|(_, end)| end.blocks_counted < end.blocks);
    lacks.map(|(number, end)| {
        let lost = end.blocks - end.blocks_counted;
        format!("{lost} of {} blocks are lost in round {number}", end.blocks)
    })
}

fn rounds(ends: &[RoundEnd], rounds: &[Round], staged: Instant) -> TableRows {
    let row = |(number, (end, round)): (usize, (&RoundEnd, &Round))| {
        let times = [round.begun?, end.ended].map(|at| at.since(staged).as_secs_f64());
        Some(round_row(number, end, times))
    };
    let rows = ends.iter().zip(rounds).enumerate();
    TableRows(rows.filter_map(row).collect())
}

/// The blocks that are not counted.
fn lost<P: GroundTruth>(
    network: &Network<P, FileJob>,
    collector: Option<&Collector>,
    records: &Records,
) -> Vec<LostBlock> {
    let plan = collector.and_then(Collector::plan);
    let blocks = plan.iter().flat_map(|plan| plan.blocks());
    let open = blocks.filter(|block| records.edges(block.number).is_none());
    open.map(|block| {
        let holds = |node: &Node| {
            let stored = network.application(*node).storage().store().get(&block.key);
            stored.is_some_and(|stored| stored.content().is_some())
        };
        LostBlock {
            number: block.number,
            key: block
                .key
                .to_bytes()
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect(),
            is_held: network.members().iter().any(holds),
        }
    })
    .collect()
}

/// Number of keys whose values differ, or that are in one of the two only. Both are ascending.
fn differing(rows: &[(String, String)], plain: &[(String, String)]) -> usize {
    let (mut a, mut b) = (rows.iter().peekable(), plain.iter().peekable());
    let mut differing = 0;
    loop {
        let order = match (a.peek(), b.peek()) {
            (None, None) => return differing,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => a.0.cmp(&b.0),
        };
        differing += match order {
            std::cmp::Ordering::Equal => usize::from(a.next() != b.next()),
            std::cmp::Ordering::Less => a.next().map_or(0, |_| 1),
            std::cmp::Ordering::Greater => b.next().map_or(0, |_| 1),
        };
    }
}
