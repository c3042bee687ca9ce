//! Metrics of a file job, with global knowledge.

use super::iteration::Outcome;
use super::plan::RoundEnd;
use super::{Block, Records};
use crate::engine::Instant;
use crate::overlay::Node;
use crate::service::storage::StorageMetrics;
use std::collections::BTreeSet;

/// The course of a file job.
#[derive(Debug, Default)]
pub struct FileJobMetrics {
    /// Those of the storage.
    pub storage: StorageMetrics,
    /// When the request of the job reached its stager.
    pub staged: Option<Instant>,
    /// When a block was last counted.
    pub counted_at: Option<Instant>,
    /// The job has ended: every block is counted or lost, or it could not begin.
    pub(super) over: bool,
    /// The numbers of files whose keyfile was asked for and not found.
    pub missing_files: BTreeSet<usize>,
    /// The round whose state was lost, so that the job ended.
    pub lost_state: Option<u32>,
    /// The rounds; one for a job without.
    pub rounds: Vec<Round>,
    /// Begins (true) and ends (false) of maps, in order.
    pub busy: Vec<(Instant, bool)>,
    /// When each block was mapped for the first time, in order.
    pub first_maps: Vec<Instant>,
    /// Bytes that each node has mapped, by node number.
    pub work: Vec<u64>,
    /// Results that came again and were not counted, in blocks.
    pub duplicates: u64,
    /// Tasks that a root without the block sent to a node that may have a copy.
    pub sought: u64,
    /// Tasks that another node took over with their blocks.
    pub moved: u64,
    /// Sybils that nodes have created on their hosts.
    pub sybils: u64,
    /// Live nodes that know of the job, and those of them that know its blocks.
    pub(super) collectors: u32,
    pub(super) planned: u32,
    /// Nodes that map a block; messages with results, and nodes that are about to send results.
    mapping: u32,
    under_way: u32,
}

/// The course of a round.
#[derive(Debug, Default)]
pub struct Round {
    /// When its tasks were sent out.
    pub begun: Option<Instant>,
    /// The ends of the rounds before it, by those who began it last.
    pub(super) earlier: Vec<RoundEnd>,
    /// Number of times that each block was mapped, by its number.
    pub maps: Vec<u32>,
    /// Bytes of each block that was mapped, by its number.
    pub sizes: Vec<u64>,
}

impl FileJobMetrics {
    /// Whether the job makes no more progress: every block is counted or lost; or no node counts
    /// results and none is under way; or no node knows the blocks and a keyfile is lost.
    pub fn is_over(&self) -> bool {
        let is_unknown = self.planned == 0 && !self.missing_files.is_empty();
        let is_still = self.collectors == 0 && self.mapping == 0 && self.under_way == 0;
        self.over || (self.staged.is_some() && (is_still || is_unknown))
    }

    /// A message with results is sent, or a node is about to send results.
    pub(super) fn add_results(&mut self) {
        self.under_way += 1;
    }

    /// The message has come or is lost; the node has sent them or has stopped.
    pub(super) fn remove_results(&mut self) {
        self.under_way -= 1;
    }

    /// A node begins to map a block.
    pub(super) fn begin_map(&mut self, now: Instant) {
        self.mapping += 1;
        self.busy.push((now, true));
    }

    /// `node` has mapped `block`, of `bytes` bytes.
    pub(super) fn end_map(&mut self, block: &Block, node: Node, bytes: u64, now: Instant) {
        self.break_map(now);
        let number = block.number as usize;
        let round = self.round(block.round);
        if round.maps.len() <= number {
            round.maps.resize(number + 1, 0);
            round.sizes.resize(number + 1, 0);
        }
        round.maps[number] += 1;
        round.sizes[number] = bytes;
        if round.maps[number] == 1 {
            self.first_maps.push(now);
        }
        if self.work.len() <= node.index() {
            self.work.resize(node.index() + 1, 0);
        }
        self.work[node.index()] += bytes;
    }

    /// A node stopped before it had mapped a block, or lost the block.
    pub(super) fn break_map(&mut self, now: Instant) {
        self.mapping -= 1;
        self.busy.push((now, false));
    }

    /// Repeated maps of blocks, summed over all blocks.
    pub fn redone(&self) -> u64 {
        let more = |maps: &u32| u64::from(maps.saturating_sub(1));
        let maps = self.rounds.iter().flat_map(|round| &round.maps);
        maps.map(more).sum()
    }

    fn round(&mut self, number: u32) -> &mut Round {
        let number = number as usize;
        if self.rounds.len() <= number {
            self.rounds.resize_with(number + 1, Round::default);
        }
        &mut self.rounds[number]
    }

    /// The tasks of a round are sent out, after the `earlier` ones.
    pub(super) fn begin_round(&mut self, number: u32, earlier: Vec<RoundEnd>, now: Instant) {
        let round = self.round(number);
        round.begun.get_or_insert(now);
        round.earlier = earlier;
    }

    /// How the rounds before this one have ended, for a node that has not taken part in them.
    pub(super) fn earlier(&mut self, number: u32) -> Vec<RoundEnd> {
        self.round(number).earlier.clone()
    }

    /// The end of a round of `blocks` blocks, whose outcome the root of the address has computed from those
    /// in `counted`.
    pub(super) fn end_of(
        &self,
        outcome: &Outcome,
        blocks: usize,
        counted: &Records,
        now: Instant,
    ) -> RoundEnd {
        let sizes = self.rounds.get(counted.round() as usize);
        let size = |number: u32| sizes?.sizes.get(number as usize).copied();
        RoundEnd {
            ended: now,
            change: outcome.change,
            outcome_bytes: outcome.file.len() as u64,
            blocks: blocks as u32,
            blocks_counted: counted.blocks().len() as u32,
            bytes_counted: counted.blocks().filter_map(size).sum(),
        }
    }
}
