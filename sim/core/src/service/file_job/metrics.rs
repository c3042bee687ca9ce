//! Metrics of a file job, with global knowledge.

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
    /// Number of times that each block was mapped, by its number.
    pub maps: Vec<u32>,
    /// Bytes of each block that was mapped, by its number.
    pub sizes: Vec<u32>,
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
    /// Living nodes that know of the job, and those of them that know its blocks.
    pub(super) collectors: u32,
    pub(super) planned: u32,
    /// Nodes that map a block; messages with results, and nodes that are about to send results.
    mapping: u32,
    under_way: u32,
}

impl FileJobMetrics {
    /// Whether the job makes no more progress: every block is counted or lost, or nobody counts and
    /// no result will come, or nobody knows the blocks and a keyfile is gone.
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

    pub(super) fn begin_map(&mut self, now: Instant) {
        self.mapping += 1;
        self.busy.push((now, true));
    }

    pub(super) fn end_map(&mut self, number: u32, node: Node, bytes: usize, now: Instant) {
        self.break_map(now);
        let number = number as usize;
        if self.maps.len() <= number {
            self.maps.resize(number + 1, 0);
            self.sizes.resize(number + 1, 0);
        }
        self.maps[number] += 1;
        self.sizes[number] = bytes as u32;
        if self.maps[number] == 1 {
            self.first_maps.push(now);
        }
        if self.work.len() <= node.index() {
            self.work.resize(node.index() + 1, 0);
        }
        self.work[node.index()] += bytes as u64;
    }

    /// A node stopped before it had mapped a block, or lost the block.
    pub(super) fn break_map(&mut self, now: Instant) {
        self.mapping -= 1;
        self.busy.push((now, false));
    }

    /// Repeated maps of blocks, summed over all blocks.
    pub fn redone(&self) -> u64 {
        let more = |maps: &u32| u64::from(maps.saturating_sub(1));
        self.maps.iter().map(more).sum()
    }
}
