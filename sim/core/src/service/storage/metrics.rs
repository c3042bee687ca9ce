//! Metrics of the requests of all nodes.

use super::block::Content;
use crate::engine::{Duration, Instant};
use crate::overlay::Node;
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
    /// The blocks of the file, in order.
    File(Vec<Content>),
    /// It was deleted.
    Deleted,
    /// No node that was asked has it.
    Absent,
    /// No valid answer arrived.
    Failed,
    /// The root of the key is full.
    Refused,
    /// The initiator stopped before the request ended.
    Abandoned,
}

/// What a request has taken, over all blocks of a file and all keys of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Messages to roots.
    pub tries: u32,
    /// Hops on the way to the roots, over the messages that were answered.
    pub hops: u32,
    /// Messages to roots that were answered.
    pub answers: u32,
}

impl Effort {
    /// Adds what a part has taken.
    pub(super) fn add(&mut self, part: Self) {
        self.tries += part.tries;
        self.hops += part.hops;
        self.answers += part.answers;
    }

    /// A root has answered a message after so many hops.
    pub(super) fn add_answer(&mut self, hops: u32) {
        self.hops += hops;
        self.answers += 1;
    }
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
    /// What it took.
    pub effort: Effort,
    /// Bytes of the content that was to be stored, or was read.
    pub bytes: u64,
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
    /// Copies that full nodes did not take.
    pub copies_full: u64,
    /// Requests that each node has answered, by its number.
    pub answered: Vec<u64>,
    /// Messages of replication; a routed one counts at each hop, if it arrives.
    pub repair_messages: u64,
    /// Their bytes, headers included.
    pub repair_bytes: u64,
}

impl StorageMetrics {
    /// A request has ended.
    pub(super) fn end(&mut self, ended: CompletedRequest) {
        self.open -= 1;
        self.ended.push(ended);
    }

    /// `node` has answered a request.
    pub(super) fn count_answer(&mut self, node: Node) {
        if self.answered.len() <= node.index() {
            self.answered.resize(node.index() + 1, 0);
        }
        self.answered[node.index()] += 1;
    }
}
