//! The blocks of a job's files, as their keyfiles list them.

use crate::engine::Instant;
use crate::space::Key;
use std::ops::Range;

/// A block to be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The round of the job.
    pub round: u32,
    /// Its number among the blocks of all files.
    pub number: u32,
    /// The number of its file.
    pub file: u32,
    /// Its key.
    pub key: Key,
}

/// The end of a round: its outcome was computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoundEnd {
    /// When.
    pub ended: Instant,
    /// What the round has changed.
    pub change: f64,
    /// Bytes of its outcome.
    pub outcome_bytes: u64,
    /// Blocks of the round, and those of them that were counted for the outcome.
    pub blocks: u32,
    /// See `blocks`.
    pub blocks_counted: u32,
    /// Bytes of the counted blocks.
    pub bytes_counted: u64,
}

/// The blocks of all files of a job, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    round: u32,
    /// For the output of a run: the ends of the rounds before it, by the nodes that have led to it.
    earlier: Vec<RoundEnd>,
    blocks: Vec<Block>,
    files: Vec<Range<u32>>,
}

impl Plan {
    /// The plan of a round over files with these blocks.
    pub fn new(round: u32, files: &[Vec<Key>]) -> Self {
        let mut plan = Self {
            round,
            ..Self::default()
        };
        for (file, keys) in (0..).zip(files) {
            let first = plan.blocks.len() as u32;
            let blocks = (first..).zip(keys).map(|(number, key)| Block {
                round,
                number,
                file,
                key: *key,
            });
            plan.blocks.extend(blocks);
            plan.files.push(first..plan.blocks.len() as u32);
        }
        plan
    }

    /// The same, after these rounds.
    pub fn after(self, earlier: Vec<RoundEnd>) -> Self {
        Self { earlier, ..self }
    }

    /// The same blocks in another round.
    pub fn in_round(&self, round: u32) -> Self {
        let mut plan = self.clone();
        plan.round = round;
        let blocks = plan.blocks.iter_mut();
        blocks.for_each(|block| block.round = round);
        plan
    }

    /// The round.
    pub fn round(&self) -> u32 {
        self.round
    }

    /// The ends of the rounds before it.
    pub fn earlier(&self) -> &[RoundEnd] {
        &self.earlier
    }

    /// All blocks.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The numbers of the blocks of each file.
    pub fn files(&self) -> &[Range<u32>] {
        &self.files
    }
}
