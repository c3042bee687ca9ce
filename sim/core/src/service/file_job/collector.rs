//! The counted results of a job, at the root of the job's address and, as copies, at its replica set.

use super::plan::{Block, Plan};
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
    /// As they have come: another root that has counted one block of a part takes none of its others.
    parts: Vec<Records>,
    /// The outcome that this node has computed and stores for the others, and the round that begins with
    /// it.
    pub(super) outcome: Option<(u32, Arc<[u8]>)>,
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

    /// The result of a job in rounds: its last outcome.
    pub fn result(&self) -> Option<&[u8]> {
        self.result.as_deref()
    }

    fn extend_to(&mut self, blocks: usize) {
        if self.state.len() < blocks {
            self.state.resize(blocks, BlockState::default());
        }
    }

    /// The counted results, in parts whose blocks are distinct.
    pub fn parts(&self) -> &[Records] {
        &self.parts
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

    /// Counts `part`, unless one of its blocks has been counted before; then returns its other blocks.
    /// A part of another round is not counted.
    pub(super) fn add(&mut self, part: &Records, now: Instant) -> Result<(), Vec<u32>> {
        if part.round() != self.round {
            return Err(Vec::new());
        }
        let last = part.blocks().next_back();
        self.extend_to(last.map_or(0, |last| last as usize + 1));
        let fresh = |number: &u32| !self.state[*number as usize].counted;
        let others: Vec<u32> = part.blocks().filter(fresh).collect();
        if others.is_empty() || others.len() < part.blocks().len() {
            return Err(others);
        }
        for number in others {
            let state = &mut self.state[number as usize];
            self.lost -= u32::from(state.is_lost());
            state.counted = true;
            self.counted += 1;
        }
        self.parts.push(part.clone());
        self.changed = now;
        Ok(())
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
        Records::sum(self.parts.clone())
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
    fn each_block_counts_once_and_lost_ones_end_the_job() {
        let now = Instant::START;
        let mut collector = Collector::new(now);
        assert_eq!(collector.add(&part(&[0, 2]), now), Ok(()));
        assert!(!collector.is_complete());
        let keys = vec![Key::default(); 4];
        collector.set_plan(Arc::new(Plan::new(0, &[keys])), now);
        let block = |number| Block {
            round: 0,
            number,
            file: 0,
            key: Key::default(),
        };
        assert_eq!(collector.add(&part(&[2]), now), Err(vec![]));
        assert_eq!(collector.add(&part(&[1, 2, 3]), now), Err(vec![1, 3]));
        assert_eq!(collector.add(&part(&[1]), now), Ok(()));
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
        assert_eq!(collector.add(&part(&[3]), now), Ok(()));
        assert!(collector.is_complete() && collector.lost().is_empty());
        assert_eq!(collector.counted(), 4);
    }
}
