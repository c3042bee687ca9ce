//! Metrics of the requests of all nodes.

use super::block::Content;
use crate::engine::{Duration, Instant};
use crate::space::Key;

/// A storage operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Store a block.
    Put,
    /// Read a block.
    Get,
    /// Delete the value under a key.
    Delete,
    /// Store a file.
    PutFile,
    /// Read a file.
    GetFile,
}

/// Result of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The value is stored or deleted at the root of its key.
    Done,
    /// The block.
    Content(Content),
    /// The file.
    File(Vec<u8>),
    /// It was deleted.
    Deleted,
    /// No node that was asked has it.
    Absent,
    /// No valid answer arrived.
    Failed,
    /// The initiator stopped before the request ended.
    Abandoned,
}

/// A request that has ended.
#[derive(Clone, Debug)]
pub struct CompletedRequest {
    /// The operation.
    pub operation: Operation,
    /// The key of the block, or of the keyfile.
    pub key: Key,
    /// When it began.
    pub begun: Instant,
    /// Duration; zero if the request was abandoned.
    pub took: Duration,
    /// Number of requests sent, over all blocks of a file.
    pub tries: u32,
    /// The result.
    pub answer: Answer,
}

/// Metrics of all nodes.
#[derive(Debug, Default)]
pub struct StorageMetrics {
    /// The requests that have ended, in the order of their ends.
    pub ended: Vec<CompletedRequest>,
    /// Open requests.
    pub open: u64,
    /// Contents whose SHA-1 was not their key, refused by readers.
    pub refused_by_readers: u64,
    /// Contents whose SHA-1 was not their key, refused by nodes that were to store them.
    pub refused_by_holders: u64,
    /// Replication messages.
    pub repair_messages: u64,
    /// Their bytes, headers included.
    pub repair_bytes: u64,
}
