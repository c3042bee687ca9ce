//! The messages, queries, timers and requests of a node.

use super::peers::Record;
use super::springs::SpringEstimates;

/// The messages between VHash nodes.
#[derive(Clone, Debug)]
pub enum Message {
    /// Request and reply with the sender's record, its springs, its short peers and a few long
    /// ones.
    Gossip(Box<StateUpdate>),
    /// Request for the position, a measurement for the embedding, or a sign of life.
    Probe,
    /// The sender's present position; the reply to a probe.
    Position(Box<StateUpdate>),
    /// To a joiner, with the sender's record and its peers.
    Welcome(Box<StateUpdate>),
    /// From a leaving node to its short peers, with its peers.
    Farewell(Box<StateUpdate>),
}

/// A node's own record, its springs and records of its peers.
#[derive(Clone, Debug)]
pub struct StateUpdate {
    pub(super) sender: Record,
    pub(super) springs: SpringEstimates,
    pub(super) peers: Vec<Record>,
    /// The dimensions of the torus: a message has positions even where a record is without.
    pub(super) dimensions: u32,
}

/// The queries to the root of a key.
#[derive(Clone, Copy, Debug)]
pub enum Query {
    /// A joiner asks for its place.
    Join,
}

/// The timers of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Gossip with a short peer.
    Gossip,
    /// Measure the latency to the next peer, and learn its present position.
    Probe,
    /// Check whether a peer is alive: short and long ones alternate.
    Check {
        /// Whether a short one is checked.
        short: bool,
    },
    /// Check whether the join is complete.
    Join,
}

/// The purposes of a node's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Gossip with a short peer.
    Gossip,
    /// Measure the latency to a peer, and learn its present position.
    Probe,
    /// Check whether a peer is alive.
    Check {
        /// Whether it is a short one.
        short: bool,
    },
}
