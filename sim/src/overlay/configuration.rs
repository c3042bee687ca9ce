//! What a scenario has to know of a protocol before it runs: what cannot be meant, what it will
//! take, and the types that it stands for.

use super::GroundTruth;
use crate::engine::Duration;
use crate::parameter::{ConfigError, Parameters};

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
pub struct Deployment {
    /// Number of nodes that can be there: those at first, and those that come later.
    pub nodes: usize,
    /// How the network comes about.
    pub start: Start,
    /// Whether nodes join later on.
    pub joins: bool,
    /// Whether initiators conduct their lookups themselves.
    pub iterative: bool,
}

impl Deployment {
    /// Whether nodes have to find their place by messages.
    pub fn need_maintenance(&self) -> bool {
        self.joins || self.start != Start::Converged
    }
}

/// What a protocol takes, roughly, for an estimate before a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CostEstimate {
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
    /// A [`ConfigError`] with the dotted path of the key.
    fn check(&self, deployment: &Deployment) -> Result<(), ConfigError>;

    /// What it will take.
    fn cost_estimate(&self, nodes: usize) -> CostEstimate;

    /// Maintenance messages that a node sends each second, by the key that sets how often.
    fn maintenance_rates(&self, nodes: usize) -> Vec<(&'static str, f64)>;

    /// How long a node waits for an answer.
    fn timeout(&self) -> Duration;

    /// Whether IDs stand on a ring, on which a node follows the one before it: whether it means
    /// anything to come between two neighbours.
    fn is_ring(&self) -> bool {
        false
    }

    /// How many others a node knows at most that could be the root of its keys one after the other,
    /// and the key that says so, where there is one.
    fn max_replicas(&self) -> Option<(usize, &'static str)> {
        None
    }

    /// The time in which a place in the ring takes in one newcomer, where newcomers have to wait for
    /// their turn.
    fn join_interval(&self) -> Option<Duration> {
        None
    }

    /// Opens `visitor` with the type of the protocol and what its nodes share.
    fn accept<L: ProtocolVisitor>(&self, visitor: L) -> L::Output;
}

/// Something that is done with a protocol, whichever it is.
pub trait ProtocolVisitor {
    /// What comes of it.
    type Output;

    /// Does it with protocol `P`.
    fn visit<P: GroundTruth>(self, shared: P::Shared) -> Self::Output;
}
