//! The blocks of a job's files, as their keyfiles list them.

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

/// The blocks of all files of a job, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    round: u32,
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

    /// All blocks.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The numbers of the blocks of each file.
    pub fn files(&self) -> &[Range<u32>] {
        &self.files
    }
}
