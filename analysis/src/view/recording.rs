//! What was taken down of one run: `recording.json`.
//!
//! Times are whole microseconds of virtual time. Nodes, keys and journeys have numbers: their places
//! in the lists, and for journeys the order in which they began.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The version of the format.
pub const FORMAT: u32 = 1;

/// The course of one run of a small network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Recording {
    /// [`FORMAT`].
    pub format: u32,
    /// Which run it is.
    pub head: Head,
    /// Where nodes and keys stand.
    pub space: Space,
    /// How lookups travel.
    pub travel: Cow<'static, str>,
    /// What an item is that nodes hold for the network; empty if they hold none.
    pub item: Cow<'static, str>,
    /// The names of the accounts of the service, in the order of [`What::Account`].
    pub accounts: Vec<Cow<'static, str>>,
    /// The time of the last moment.
    pub end: u64,
    /// It holds as many events as it may, and the run went on after `end`.
    pub cut: bool,
    /// Messages that are not taken down one by one.
    pub others: Rate,
    /// All nodes there have been.
    pub nodes: Vec<NodeEntry>,
    /// The keys of journeys and items.
    pub keys: Vec<KeyEntry>,
    /// What happened, in the order of time.
    pub events: Vec<Event>,
}

/// Which run it is.
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
    /// What the run had to say of itself.
    pub notes: Vec<String>,
}

/// Where nodes and keys stand, and whose a key is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Space {
    /// A ring of length 1: a key belongs to the first node at or after it.
    #[default]
    Ring,
    /// A ring of length 1: a key belongs to the node nearest to it either way.
    TwoWayRing,
    /// Integers with the XOR metric, as fractions of 2^160.
    Xor,
    /// The unit torus: a key belongs to the node nearest to it.
    Torus {
        /// Its dimensions.
        dimensions: usize,
    },
    /// Poincare's disc of the hyperbolic plane.
    Disc,
}

impl Space {
    /// How many coordinates a place has.
    pub fn coordinates(self) -> usize {
        match self {
            Self::Ring | Self::TwoWayRing | Self::Xor => 1,
            Self::Torus { dimensions } => dimensions,
            Self::Disc => 2,
        }
    }
}

/// How many there were in each interval of time from 0 on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rate {
    /// The length of an interval.
    pub width: u64,
    /// The counts.
    pub counts: Vec<u64>,
}

/// A node: one incarnation, which comes and goes once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NodeEntry {
    /// Its ID in hex digits.
    pub id: String,
    /// The host that it is on has this number.
    pub site: u32,
    /// It belongs to the adversary.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sybil: bool,
}

/// A key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeyEntry {
    /// Its hex digits.
    pub key: String,
    /// Its place in the space.
    pub place: Vec<f64>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: u64,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum What {
    /// A node comes up.
    Appear {
        /// The node.
        node: u32,
        /// Where it is.
        place: Vec<f64>,
    },
    /// It has its place: it is a member.
    Join {
        /// The node.
        node: u32,
    },
    /// It has told others, and is gone.
    Leave {
        /// The node.
        node: u32,
    },
    /// It is gone.
    Crash {
        /// The node.
        node: u32,
    },
    /// It is elsewhere from now on.
    Move {
        /// The node.
        node: u32,
        /// Where it is.
        place: Vec<f64>,
    },
    /// From now on it is measured.
    Measure,
    /// A lookup, or a message of the service, begins its journey to the root of a key. The next
    /// number is its own.
    Begin {
        /// The key.
        key: u32,
        /// Where it begins; nowhere if nobody was there to begin it.
        from: Option<u32>,
        /// `lookup`, or what the service calls the message.
        kind: Cow<'static, str>,
    },
    /// It goes from one node to another; in an iterative lookup, the initiator asks.
    Hop {
        /// The journey.
        journey: u32,
        /// Who sends.
        from: u32,
        /// To whom.
        to: u32,
        /// When it is there.
        arrival: u64,
    },
    /// An answer of it goes from one node to another.
    Answer {
        /// The journey.
        journey: u32,
        /// Who sends.
        from: u32,
        /// To whom.
        to: u32,
        /// When it is there.
        arrival: u64,
    },
    /// A node has waited for another in vain.
    Timeout {
        /// The journey.
        journey: u32,
        /// Who has waited.
        from: u32,
        /// For whom.
        to: u32,
    },
    /// A Sybil does not do with it what it should.
    Betray {
        /// The journey.
        journey: u32,
        /// The Sybil.
        node: u32,
        /// What it does instead.
        deed: SybilAction,
    },
    /// It has come to its end.
    End {
        /// The journey.
        journey: u32,
        /// How.
        outcome: RouteOutcome,
        /// Where, unless it was lost.
        node: Option<u32>,
        /// The true root of the key of a lookup at this moment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        root: Option<u32>,
    },
    /// A message of the service goes straight to another node.
    Letter {
        /// Who sends.
        from: u32,
        /// To whom.
        to: u32,
        /// What the service calls it.
        kind: Cow<'static, str>,
        /// When it is there.
        arrival: u64,
    },
    /// Nobody has taken a letter: its sender has it back.
    Returned {
        /// Who has sent it.
        from: u32,
        /// To whom.
        to: u32,
        /// What the service calls it.
        kind: Cow<'static, str>,
    },
    /// How a node stands to items from now on.
    Items {
        /// The node.
        node: u32,
        /// The keys of the items, ascending by number.
        items: Vec<u32>,
        /// How.
        holding: ItemState,
    },
    /// The accounts of the service have changed to these values.
    Account {
        /// In the order of [`Recording::accounts`].
        values: Vec<u64>,
    },
}

/// What a Sybil does to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SybilAction {
    /// It is thrown away.
    Drop,
    /// It is kept as by the root.
    Misroute,
}

/// How a journey ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteOutcome {
    /// A lookup has found the true root.
    Ok,
    /// A lookup has ended elsewhere.
    Wrong,
    /// It was lost.
    Failed,
    /// The service has taken the message where it was held to belong.
    Delivered,
    /// The service has taken it on the way.
    Absorbed,
}

/// How a node stands to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemState {
    /// It does not hold it.
    None,
    /// It holds a copy that another node looks after.
    Copy,
    /// It looks after it, and there is work to be done.
    Open,
    /// It is at work on it.
    Begun,
    /// It looks after it, and there is nothing more to do.
    Done,
}
