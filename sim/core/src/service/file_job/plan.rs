//! The blocks of a job's files, as their keyfiles list them.

use crate::space::Key;
use std::ops::Range;

/// A block to be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
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
    blocks: Vec<Block>,
    files: Vec<Range<u32>>,
}

impl Plan {
    /// The plan of files with these blocks.
    pub fn new(files: &[Vec<Key>]) -> Self {
        let mut plan = Self::default();
        for (file, keys) in (0..).zip(files) {
            let first = plan.blocks.len() as u32;
            let blocks = (first..).zip(keys).map(|(number, key)| Block {
                number,
                file,
                key: *key,
            });
            plan.blocks.extend(blocks);
            plan.files.push(first..plan.blocks.len() as u32);
        }
        plan
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
