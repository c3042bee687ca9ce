//! The messages, queries, timers and requests of a node.

use crate::overlay::Node;

/// The messages between Chord nodes.
#[derive(Clone, Debug)]
pub enum Message {
    /// Request for the predecessor and the successors.
    Neighbours,
    /// Reply with the predecessor and the successor list.
    NeighboursAre(Option<Node>, Box<[Node]>),
    /// The sender may be the predecessor of the receiver.
    Notify,
    /// From a joiner to the node before it: the sender may be its successor.
    Precede,
    /// Request for a sign of life.
    Ping,
    /// Reply to a ping.
    Pong,
    /// A requested finger: its number and the node.
    Finger(u16, Node),
    /// The nodes among which a requested finger is chosen, in the order of the ring.
    Candidates(u16, Box<[Node]>),
    /// To a joiner from the node before it: its successors and its fingers.
    Welcome(Box<[Node]>, Box<[Node]>),
    /// To a member that asks for its neighbours in another ring: the root of its ID there.
    Met(Node),
    /// To the node before the sender, with `recovery = "reactive"`: the predecessor and the
    /// successor list.
    Changed(Option<Node>, Box<[Node]>),
    /// To a joiner from the root of its ID: the node before the root, to be asked next.
    Ask(Node),
    /// From a leaving node: its predecessor and its successors.
    Leaving(Option<Node>, Box<[Node]>),
}

/// The queries to the root of a key.
#[derive(Clone, Copy, Debug)]
pub enum Query {
    /// A node asks for this finger.
    FindFinger(u16),
    /// A joiner asks for its place.
    Join,
    /// A member asks for its neighbours in what may be another ring.
    Meet,
}

/// The timers of a Chord node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Check whether a node has joined before the successor, and read the successor's list.
    Stabilise,
    /// Take over the successor's list (classic).
    Reconcile,
    /// Refresh one finger.
    FixFinger,
    /// Check whether the predecessor is alive.
    CheckPredecessor,
    /// Check whether this attempt to join is complete.
    Join(u8),
}

/// The purposes of the requests of a Chord node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Check whether a node has joined before the successor, and read the successor's list.
    Stabilise,
    /// Take over the successor's list (classic).
    Reconcile,
    /// Check whether the predecessor is alive.
    CheckPredecessor,
    /// Check whether the node reported to be in between is alive, and read its list.
    Between,
    /// Check whether the old predecessor is alive, since this node claims its place.
    Rectify(Node),
    /// Ask the node that may be before a joiner for its successors.
    Place(u8),
    /// Measure who is nearest: the number of the finger, and of the comparison.
    Compare(u16, u8),
}
