//! The counted results of a job, at the root of the job's address and, as copies, at its replica set.

use super::plan::{Block, Plan, RoundEnd};
use super::records::Records;
use crate::engine::Instant;
use crate::overlay::Node;
use std::sync::Arc;

/// Times of asking without a copy of a block after which it counts as lost. Between two of them there is
/// the job's patience, in which a copy can come to the replica set.
pub(super) const REPORTS: u8 = 3;

/// The counted results. Each block counts once, even if its result comes twice.
#[derive(Clone, Debug)]
pub struct Collector {
    /// The round of the job.
    round: u32,
    /// The blocks of the job, once the keyfiles are read.
    plan: Option<Arc<Plan>>,
    /// What is counted, in parts of distinct blocks: a large one first, then those that have come since.
    parts: Vec<Records>,
    /// The outcome that this node has computed and stores for the others, and the round that begins with
    /// it.
    pub(super) outcome: Option<(u32, Arc<[u8]>)>,
    /// The end of the round, if this node has computed its outcome.
    pub(super) end: Option<RoundEnd>,
    /// Number of times that the state of the round was not found.
    pub(super) state_absent: u8,
    /// The result of the last round, if this node has computed it.
    pub(super) result: Option<Vec<u8>>,
    /// By block.
    state: Vec<BlockState>,
    counted: u32,
    lost: u32,
    /// When a block was last counted or reported.
    pub(super) changed: Instant,
    /// When a copy last received a message of the root.
    pub(super) heard: Instant,
    /// Whether this node counts; otherwise it holds a copy.
    pub(super) is_active: bool,
    /// The nodes with copies.
    pub(super) copies: Vec<Node>,
}

/// The outcome of counting a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Addition {
    /// The part is counted.
    pub is_counted: bool,
    /// Number of its blocks that had been counted before.
    pub repeated: usize,
    /// Blocks that are not counted and whose results have come or had been counted: they are asked for
    /// again.
    pub again: Vec<u32>,
}

/// What is known of one block.
#[derive(Clone, Copy, Debug, Default)]
struct BlockState {
    counted: bool,
    /// Times of asking at which it was reported that no node has a copy.
    absent: u8,
    /// It was reported since it was last asked for.
    is_reported: bool,
}

impl BlockState {
    fn is_lost(self) -> bool {
        !self.counted && self.absent >= REPORTS
    }
}

impl Collector {
    /// An empty collector.
    pub fn new(now: Instant) -> Self {
        Self {
            round: 0,
            plan: None,
            parts: Vec::new(),
            outcome: None,
            end: None,
            state_absent: 0,
            result: None,
            state: Vec::new(),
            counted: 0,
            lost: 0,
            changed: now,
            heard: now,
            is_active: false,
            copies: Vec::new(),
        }
    }

    /// The blocks of the job, if they are known.
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        self.plan.as_ref()
    }

    /// The blocks of the job are those of `plan`. If it is of a later round, that round begins.
    pub(super) fn set_plan(&mut self, plan: Arc<Plan>, now: Instant) {
        if plan.round() > self.round {
            *self = Self {
                round: plan.round(),
                is_active: self.is_active,
                copies: std::mem::take(&mut self.copies),
                outcome: self.outcome.take(),
                ..Self::new(now)
            };
        }
        if self.plan.is_none() && plan.round() == self.round {
            self.extend_to(plan.blocks().len());
            self.plan = Some(plan);
        }
    }

    /// The round of the job.
    pub fn round(&self) -> u32 {
        self.round
    }

    /// The ends of the rounds that have led to what is counted.
    pub fn ends(&self) -> Vec<RoundEnd> {
        let earlier = self.plan.iter().flat_map(|plan| plan.earlier());
        earlier.copied().chain(self.end).collect()
    }

    /// The result of a job in rounds: its last outcome.
    pub fn result(&self) -> Option<&[u8]> {
        self.result.as_deref()
    }

    fn extend_to(&mut self, blocks: usize) {
        if self.state.len() < blocks {
            self.state.resize(blocks, BlockState::default());
        }
    }

    /// Number of counted blocks.
    pub fn counted(&self) -> u32 {
        self.counted
    }

    /// Whether every block is counted or lost.
    pub fn is_complete(&self) -> bool {
        let plan = self.plan.as_ref();
        plan.is_some_and(|plan| (self.counted + self.lost) as usize == plan.blocks().len())
    }

    /// Those of the blocks with these numbers that are not counted.
    pub(super) fn not_counted(&self, numbers: &[u32]) -> Vec<Block> {
        let Some(plan) = &self.plan else {
            return Vec::new();
        };
        let numbers = numbers.iter().map(|number| *number as usize);
        let open = numbers.filter(|number| !self.state[*number].counted);
        open.map(|number| plan.blocks()[number]).collect()
    }

    /// The blocks that are neither counted nor lost.
    pub(super) fn open(&self) -> Vec<Block> {
        self.in_state(|state| !state.counted && !state.is_lost())
    }

    /// The blocks that are lost.
    pub fn lost(&self) -> Vec<Block> {
        self.in_state(BlockState::is_lost)
    }

    fn in_state(&self, is: impl Fn(BlockState) -> bool) -> Vec<Block> {
        let blocks = self.plan.iter().flat_map(|plan| plan.blocks());
        let chosen = blocks.filter(|block| is(self.state[block.number as usize]));
        chosen.copied().collect()
    }

    /// Counts `part`. Results of several blocks cannot be taken apart: if some of its blocks have been
    /// counted before, the parts in which they were are no longer counted, if they have fewer blocks in
    /// all; otherwise `part` is not counted. A part of another round is not counted.
    ///
    /// O(m log n) for the m records and blocks of the part and n blocks, amortised.
    pub(super) fn add(&mut self, part: &Records, now: Instant) -> Addition {
        let blocks = part.blocks().len();
        if part.round() != self.round {
            return Addition {
                repeated: blocks,
                ..Addition::default()
            };
        }
        let last = part.blocks().next_back();
        self.extend_to(last.map_or(0, |last| last as usize + 1));
        let fresh = |number: &u32| !self.state[*number as usize].counted;
        let mut addition = Addition {
            is_counted: blocks > 0,
            repeated: blocks - part.blocks().filter(fresh).count(),
            again: Vec::new(),
        };
        if addition.repeated > 0 {
            let shared = |own: &Records| !own.can_merge(part);
            let sizes = self.parts.iter().filter(|own| shared(own));
            addition.is_counted = blocks > sizes.map(|own| own.blocks().len()).sum();
            if !addition.is_counted {
                addition.again = part.blocks().filter(fresh).collect();
                return addition;
            }
            let mut dropped = Vec::new();
            self.parts.retain(|own| {
                let is_dropped = shared(own);
                if is_dropped {
                    dropped.extend(own.blocks());
                }
                !is_dropped
            });
            for number in &dropped {
                let state = &mut self.state[*number as usize];
                state.counted = false;
                self.lost += u32::from(state.is_lost());
            }
            self.counted -= dropped.len() as u32;
            let is_left = |number: &u32| part.edges(*number).is_none();
            addition.again = dropped.into_iter().filter(is_left).collect();
        }
        for number in part.blocks() {
            let state = &mut self.state[number as usize];
            self.lost -= u32::from(state.is_lost());
            state.counted = true;
        }
        self.counted += blocks as u32;
        if addition.is_counted {
            self.push(part.clone());
            self.changed = now;
        }
        addition
    }

    /// Adds a part; all are merged when the first one is less than eight times as large as the others.
    fn push(&mut self, part: Records) {
        self.parts.push(part);
        let first = self.parts.first().map_or(0, |part| part.blocks().len());
        if first < 8 * (self.counted as usize - first) {
            self.merge_all();
        }
    }

    /// All that is counted, as one part, which stays one. O(n) for n blocks, and O(m log n) for the m records
    /// of the parts after the first.
    pub(super) fn merge_all(&mut self) -> Option<Records> {
        if let Some((first, others)) = self.parts.split_first_mut() {
            first.merge_all(others);
            self.parts.truncate(1);
        }
        self.parts.first().cloned()
    }

    /// The open blocks are asked for again.
    pub(super) fn ask_again(&mut self) {
        self.state
            .iter_mut()
            .for_each(|state| state.is_reported = false);
    }

    /// No node that was asked has a copy of `block`; counts once each time that it is asked for.
    pub(super) fn note_absent(&mut self, block: Block, now: Instant) {
        if block.round != self.round {
            return;
        }
        let number = block.number;
        self.extend_to(number as usize + 1);
        let state = &mut self.state[number as usize];
        if !state.counted && !state.is_lost() && !state.is_reported {
            state.is_reported = true;
            state.absent += 1;
            self.lost += u32::from(state.is_lost());
            self.changed = now;
        }
    }

    /// The sums of the round so far.
    pub fn records(&self) -> Records {
        let mut sum = self.parts.first().cloned().unwrap_or_default();
        sum.merge_all(self.parts.get(1..).unwrap_or_default());
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::Edges;
    use super::*;
    use crate::space::Key;

    fn part(blocks: &[u32]) -> Records {
        let mut all = Records::default();
        for number in blocks {
            all.merge(&Records::of_block(
                0,
                *number,
                Edges::Whole(Default::default()),
            ));
        }
        all
    }

    #[test]
    fn a_part_replaces_smaller_ones() {
        let now = Instant::START;
        let mut collector = Collector::new(now);
        let range = |blocks: std::ops::Range<u32>| part(&blocks.collect::<Vec<u32>>());
        for few in [range(10..30), part(&[0]), part(&[1])] {
            assert!(collector.add(&few, now).is_counted);
        }
        assert_eq!(collector.parts.len(), 3);
        let mut added = |part: &Records, repeated, again: &[u32]| {
            let addition = collector.add(part, now);
            assert_eq!((addition.repeated, &addition.again[..]), (repeated, again));
            (addition.is_counted, collector.parts.len())
        };
        // Against 21 blocks, against 2, and against all 24.
        assert_eq!(added(&part(&[1, 5, 10]), 2, &[5]), (false, 3));
        assert_eq!(added(&part(&[0, 1, 5, 6]), 2, &[]), (true, 1));
        assert_eq!(added(&range(5..40), 22, &[0, 1]), (true, 1));
        assert_eq!(collector.counted(), 35);
        let all = collector.merge_all().expect("blocks");
        assert!(all.blocks().eq(5..40));
    }

    #[test]
    fn each_block_counts_once_and_lost_ones_end_the_job() {
        let now = Instant::START;
        let mut collector = Collector::new(now);
        let counted = |collector: &mut Collector, blocks: &[u32], repeated, again: &[u32]| {
            let addition = collector.add(&part(blocks), now);
            assert_eq!((addition.repeated, &addition.again[..]), (repeated, again));
            addition.is_counted
        };
        assert!(counted(&mut collector, &[0, 2], 0, &[]));
        assert!(!collector.is_complete());
        let keys = vec![Key::default(); 4];
        collector.set_plan(Arc::new(Plan::new(0, &[keys])), now);
        let block = |number| Block {
            round: 0,
            number,
            file: 0,
            key: Key::default(),
        };
        assert!(!counted(&mut collector, &[2], 1, &[]));
        assert!(!counted(&mut collector, &[1, 2], 1, &[1]));
        assert!(counted(&mut collector, &[1], 0, &[]));
        let open = |collector: &Collector| collector.open().iter().map(|b| b.number).collect();
        let numbers: Vec<u32> = open(&collector);
        assert_eq!(numbers, [3]);
        for report in 1..=4 {
            assert_eq!(collector.is_complete(), report > REPORTS);
            collector.note_absent(block(3), now);
            collector.note_absent(block(3), now);
            collector.ask_again();
        }
        assert_eq!(collector.lost().len(), 1);
        // A copy that comes back is counted.
        assert!(counted(&mut collector, &[3], 0, &[]));
        assert!(collector.is_complete() && collector.lost().is_empty());
        assert_eq!(collector.counted(), 4);
    }
}
