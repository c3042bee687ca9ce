//! The recording of one run: `recording.json`.
//!
//! Times are whole microseconds of virtual time. Nodes, keys and routes have numbers: their
//! indices in the lists, and for routes the order in which they began.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The version of the format.
pub const FORMAT: u32 = 2;

/// The events of one run of a small network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Recording {
    /// [`FORMAT`].
    pub format: u32,
    /// The identity of the run.
    pub head: Head,
    /// The space of nodes and keys.
    pub space: Space,
    /// How lookups are routed.
    pub travel: Cow<'static, str>,
    /// The kind of item that nodes hold for the network; empty if there are none.
    pub item: Cow<'static, str>,
    /// The names of the counters of the service, in the order of [`What::Counters`].
    pub counters: Vec<Cow<'static, str>>,
    /// The time of the end.
    pub end: u64,
    /// Whether the recording reached its maximum number of events and the run continued after
    /// `end`.
    pub cut: bool,
    /// Messages that are not recorded individually.
    pub others: Rate,
    /// All nodes of the run.
    pub nodes: Vec<NodeEntry>,
    /// The keys of routes and items.
    pub keys: Vec<KeyEntry>,
    /// The events, in the order of time.
    pub events: Vec<Event>,
    /// The peers of nodes: an entry for each change, in the order of events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<PeersEntry>,
}

/// The nodes that a node knows from some moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PeersEntry {
    /// Number of events before.
    pub events: u32,
    /// The node.
    pub node: u32,
    /// Its peers, ascending.
    pub peers: Vec<u32>,
}

/// The identity of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Head {
    /// The title of the scenario.
    pub title: String,
    /// The name of the scenario.
    pub scenario: String,
    /// The kind of experiment.
    pub experiment: String,
    /// The protocol.
    pub protocol: String,
    /// The name of the run.
    pub run: String,
    /// The swept keys with their values in this run.
    pub point: Vec<(String, String)>,
    /// The notes of the run.
    pub notes: Vec<String>,
}

/// The space of nodes and keys, which determines the root of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Space {
    /// A ring of length 1: a key belongs to the first node at or after it.
    #[default]
    Ring,
    /// A ring of length 1: a key belongs to the node nearest to it in either direction.
    TwoWayRing,
    /// Integers with the XOR metric, as fractions of 2^160.
    Xor,
    /// The unit torus: a key belongs to the node nearest to it.
    Torus {
        /// Its dimensions.
        dimensions: usize,
    },
    /// The Poincaré disc of the hyperbolic plane.
    Disc,
}

impl Space {
    /// Number of coordinates of a position.
    pub fn coordinates(self) -> usize {
        match self {
            Self::Ring | Self::TwoWayRing | Self::Xor => 1,
            Self::Torus { dimensions } => dimensions,
            Self::Disc => 2,
        }
    }
}

/// Counts for each interval of time from 0 on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rate {
    /// The length of an interval.
    pub width: u64,
    /// The counts.
    pub counts: Vec<u64>,
}

/// A node: one incarnation, which joins and leaves once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NodeEntry {
    /// Its ID in hex digits.
    pub id: String,
    /// The number of its host.
    pub site: u32,
    /// Whether it belongs to the adversary.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sybil: bool,
}

/// A key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeyEntry {
    /// The key in hex digits.
    pub key: String,
    /// Its position in the space.
    pub place: Vec<f64>,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The time.
    pub at: u64,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum What {
    /// A node starts.
    Appear {
        /// The node.
        node: u32,
        /// Its position.
        place: Vec<f64>,
    },
    /// The node has joined: it is a member.
    Join {
        /// The node.
        node: u32,
    },
    /// The node has left after notifying others.
    Leave {
        /// The node.
        node: u32,
    },
    /// The node has failed.
    Crash {
        /// The node.
        node: u32,
    },
    /// The node has a new position.
    Move {
        /// The node.
        node: u32,
        /// The new position.
        place: Vec<f64>,
    },
    /// Measuring begins.
    Measure,
    /// A lookup, or a message of the service, begins its route to the root of a key. Its number
    /// is the next one.
    Begin {
        /// The key.
        key: u32,
        /// The source; `None` if no node was present.
        from: Option<u32>,
        /// `lookup`, or the service's name of the message.
        kind: Cow<'static, str>,
    },
    /// The message travels between nodes; in an iterative lookup, the initiator sends a request.
    Hop {
        /// The route.
        route: u32,
        /// The sender.
        from: u32,
        /// The receiver.
        to: u32,
        /// The time of arrival.
        arrival: u64,
    },
    /// A reply to the message travels between nodes.
    Answer {
        /// The route.
        route: u32,
        /// The sender.
        from: u32,
        /// The receiver.
        to: u32,
        /// The time of arrival.
        arrival: u64,
    },
    /// A node's request has timed out.
    Timeout {
        /// The route.
        route: u32,
        /// The sender of the request.
        from: u32,
        /// The receiver that has not replied.
        to: u32,
    },
    /// A Sybil misbehaves.
    Misbehave {
        /// The route.
        route: u32,
        /// The Sybil.
        node: u32,
        /// Its action.
        action: SybilAction,
    },
    /// The route has ended.
    End {
        /// The route.
        route: u32,
        /// The outcome.
        outcome: RouteOutcome,
        /// The node at its end, unless it was lost.
        node: Option<u32>,
        /// The true root of the key of a lookup at this moment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        root: Option<u32>,
    },
    /// A message of the service is sent directly to another node.
    Message {
        /// The sender.
        from: u32,
        /// The receiver.
        to: u32,
        /// The service's name of the message.
        kind: Cow<'static, str>,
        /// The time of arrival.
        arrival: u64,
    },
    /// A direct message was not delivered and returns to its sender.
    Returned {
        /// The sender.
        from: u32,
        /// The receiver.
        to: u32,
        /// The service's name of the message.
        kind: Cow<'static, str>,
    },
    /// The state of items at a node changes.
    Items {
        /// The node.
        node: u32,
        /// The keys of the items, ascending by number.
        items: Vec<u32>,
        /// The new state.
        holding: ItemState,
    },
    /// The counters of the service have these values.
    Counters {
        /// The values, in the order of [`Recording::counters`].
        values: Vec<u64>,
    },
}

/// What a Sybil does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SybilAction {
    /// The Sybil drops it.
    Drop,
    /// The Sybil keeps it, as if it were the root.
    Misroute,
}

/// How a route ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteOutcome {
    /// A lookup has found the true root.
    Ok,
    /// A lookup has ended elsewhere.
    Wrong,
    /// The route was lost.
    Failed,
    /// The service has received the message at its presumed root.
    Delivered,
    /// The service has taken the message at a node on the path.
    Absorbed,
}

/// The state of an item at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemState {
    /// The node does not hold it.
    None,
    /// The node holds a replica that another node owns.
    Replica,
    /// The node owns it, and work is left.
    Pending,
    /// The node works on it.
    Running,
    /// The node owns it, and no work is left.
    Done,
}
