//! What a scenario has to know of a protocol before it runs: what cannot be meant, what it will
//! take, and the types that it stands for.

use super::Omniscient;
use crate::engine::Span;
use crate::parameter::{Parameters, Problem};

crate::choices! {
    /// How a network comes about.
    pub enum Start {
        /// As if the protocol had run for long enough.
        Converged = "converged",
        /// One node after the other joins through a random member, over the first half of `time.transition`.
        Join = "join",
        /// Every node knows a few random others.
        Random = "random",
    }
}

/// Under which circumstances a protocol is to run.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// Number of nodes that can be there: those at first, and those that come later.
    pub nodes: usize,
    /// How the network comes about.
    pub start: Start,
    /// Whether nodes join later on.
    pub joins: bool,
    /// Whether initiators conduct their lookups themselves.
    pub iterative: bool,
}

impl Circumstances {
    /// Whether nodes have to find their place by messages.
    pub fn need_maintenance(&self) -> bool {
        self.joins || self.start != Start::Converged
    }
}

/// What a protocol takes, roughly, for an estimate before a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burden {
    /// Hops of a lookup.
    pub hops: f64,
    /// Maintenance messages that a node sends each second.
    pub maintenance: f64,
    /// Bytes of the tables of a node.
    pub bytes: f64,
    /// Steps of the size of an event that building a node's converged state takes.
    pub build: f64,
    /// Different nodes that a node knows.
    pub peers: f64,
}

/// The parameters of a protocol, as the scenario sees them.
pub trait Configuration: Parameters {
    /// Refuses what cannot be meant under the circumstances.
    ///
    /// # Errors
    /// A [`Problem`] with the dotted path of the key.
    fn check(&self, circumstances: &Circumstances) -> Result<(), Problem>;

    /// What it will take.
    fn burden(&self, nodes: usize) -> Burden;

    /// Maintenance messages that a node sends each second, by the key that sets how often.
    fn upkeep(&self, nodes: usize) -> Vec<(&'static str, f64)>;

    /// How long a node waits for an answer.
    fn timeout(&self) -> Span;

    /// Whether IDs stand on a ring, on which a node follows the one before it: whether it means
    /// anything to come between two neighbours.
    fn is_ring(&self) -> bool {
        false
    }

    /// How many others a node knows at most that could be the root of its keys one after the other,
    /// and the key that says so, where there is one.
    fn heirs(&self) -> Option<(usize, &'static str)> {
        None
    }

    /// The time in which a place in the ring takes in one newcomer, where newcomers have to wait for
    /// their turn.
    fn takes_in_one_each(&self) -> Option<Span> {
        None
    }

    /// Opens `launch` with the type of the protocol and what its nodes share.
    fn launch<L: Launch>(&self, launch: L) -> L::Output;
}

/// Something that is done with a protocol, whichever it is.
pub trait Launch {
    /// What comes of it.
    type Output;

    /// Does it with protocol `P`.
    fn with<P: Omniscient>(self, shared: P::Shared) -> Self::Output;
}
