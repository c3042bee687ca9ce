//! What is written down of the requests of all nodes.

use super::block::Content;
use crate::engine::{Duration, Instant};
use crate::space::Key;

/// What somebody wanted of the storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// To have a block stored.
    Put,
    /// To read a block.
    Get,
    /// To have deleted what stands under a key.
    Delete,
    /// To have a file stored.
    PutFile,
    /// To read a file.
    GetFile,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is stored, or deleted, at the root of its key.
    Done,
    /// The block.
    Content(Content),
    /// The file.
    File(Vec<u8>),
    /// It was deleted.
    Deleted,
    /// Whoever was asked does not have it.
    Absent,
    /// No answer came, or none that could be right.
    Failed,
    /// The node that wanted it went before.
    Abandoned,
}

/// A request that is over.
#[derive(Clone, Debug)]
pub struct CompletedRequest {
    /// What was wanted.
    pub operation: Operation,
    /// The key of the block, or of the keyfile.
    pub key: Key,
    /// When it began.
    pub begun: Instant,
    /// How long it took; zero if it was abandoned.
    pub took: Duration,
    /// How often somebody was asked, over all blocks of a file.
    pub tries: u32,
    /// What came of it.
    pub answer: Answer,
}

/// What is written down about all nodes.
#[derive(Debug, Default)]
pub struct StorageMetrics {
    /// The requests that are over, in the order in which they were.
    pub ended: Vec<CompletedRequest>,
    /// Requests that are not over.
    pub open: u64,
    /// Contents whose SHA-1 was not their key, refused by readers.
    pub refused_by_readers: u64,
    /// The same, refused by nodes that were to hold them.
    pub refused_by_holders: u64,
    /// Messages with which copies are made, moved and looked after.
    pub repair_messages: u64,
    /// Their bytes, headers included.
    pub repair_bytes: u64,
}
