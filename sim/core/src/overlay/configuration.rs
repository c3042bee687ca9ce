//! Properties of a protocol before a run: validation, cost estimate and protocol dispatch.

use super::{GroundTruth, Metric};
use crate::engine::Duration;
use crate::parameter::{ConfigError, Parameters, Table};

crate::choices! {
    /// How a network starts.
    pub enum Start {
        /// In the state that a long run of the protocol reaches.
        Converged = "converged",
        /// Nodes join one after the other through a random member, over the first half of `time.transition`.
        Join = "join",
        /// Every node knows a few random other nodes.
        Random = "random",
    }
}

/// The conditions under which a protocol runs.
#[derive(Clone, Copy, Debug)]
pub struct Deployment {
    /// Number of nodes at most: the first ones, and those that join later.
    pub nodes: usize,
    /// How the network starts.
    pub start: Start,
    /// Whether nodes join during the run.
    pub joins: bool,
    /// Whether lookups are iterative.
    pub iterative: bool,
    /// Whether nodes estimate round trips.
    pub knows_round_trips: bool,
}

impl Deployment {
    /// Whether nodes have to find their place by messages.
    pub fn need_maintenance(&self) -> bool {
        self.joins || self.start != Start::Converged
    }
}

/// The estimated costs of a protocol, before a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CostEstimate {
    /// Hops per lookup.
    pub hops: f64,
    /// Maintenance messages per node and second.
    pub maintenance: f64,
    /// Bytes of the tables of a node.
    pub bytes: f64,
    /// Cost of building a node's converged state, in units of one event.
    pub build: f64,
    /// Distinct nodes that a node knows.
    pub peers: f64,
}

/// The parameters of a protocol, for the scenario.
pub trait Configuration: Parameters {
    /// Reads the parameters from their table.
    ///
    /// # Errors
    /// A [`ConfigError`] for the first key with a wrong kind or outside its range.
    fn read_from(table: &Table<'_>) -> Result<Self, ConfigError> {
        Self::read(table)
    }

    /// Refuses parameters that are not valid for this deployment.
    ///
    /// # Errors
    /// A [`ConfigError`] with the dotted path of the key.
    fn check(&self, deployment: &Deployment) -> Result<(), ConfigError>;

    /// The estimated costs in a network of `nodes` nodes.
    fn cost_estimate(&self, nodes: usize) -> CostEstimate;

    /// Maintenance messages per node and second, by the key that sets their rate.
    fn maintenance_rates(&self, nodes: usize) -> Vec<(&'static str, f64)>;

    /// What an exchange of messages measures for the protocol.
    fn metric(&self) -> Metric {
        Metric::Latency
    }

    /// The values in a resolved scenario.
    fn resolved(&self) -> std::collections::BTreeMap<String, crate::parameter::Value> {
        self.write()
    }

    /// Whether IDs form a ring on which each node follows its predecessor, so that a node can be
    /// placed between two neighbours.
    fn is_ring(&self) -> bool {
        false
    }

    /// How many replicas of an item a node can place at most, and the key that sets this, if there
    /// is such a limit.
    fn max_replicas(&self) -> Option<(usize, &'static str)> {
        None
    }

    /// The time that a position in the ring needs to take in one joiner, where joiners have to wait
    /// for each other.
    fn join_interval(&self) -> Option<Duration> {
        None
    }

    /// Calls `visitor` with the type of the protocol and the state shared by its nodes.
    fn accept<L: ProtocolVisitor>(&self, visitor: L) -> L::Output;
}

/// An operation on a protocol of any type.
pub trait ProtocolVisitor {
    /// The result.
    type Output;

    /// Runs the operation with protocol `P`.
    fn visit<P: GroundTruth>(self, shared: P::Shared) -> Self::Output;
}
