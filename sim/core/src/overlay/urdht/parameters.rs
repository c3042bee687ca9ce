//! The parameters of UrDHT.

use super::{Expected, Topology, TopologyVisitor, Urdht, UrdhtSpace};
use crate::engine::{Duration, Period};
use crate::overlay::{Configuration, CostEstimate, Deployment, ProtocolVisitor};
use crate::parameter::ConfigError;
use crate::space::Rule;

crate::parameters! {
    /// UrDHT: any space with a closeness and a rule to choose peers, maintained by gossip.
    ///
    /// Keys that do not apply to a space have no effect, so that a sweep can cover several spaces.
    pub struct UrdhtParameters {
        /// The space and the rule by which peers are chosen in it.
        pub space: UrdhtSpace = UrdhtSpace::Ring;
        /// Dimensions d of the torus (euclidean, can).
        pub dimensions: usize = 2, within 1..=32;
        /// When DGVH rejects a candidate (euclidean, hyperbolic, can).
        pub rule: Rule = Rule::Midpoint;
        /// Minimum number of short peers. If absent: 5 (ring: 4 successors and the predecessor), 7
        /// (xor, hyperbolic), 3 d + 1 (euclidean, can), 4 (symphony). A clique has all nodes.
        pub table_size: Option<usize> = None, within 1..=100_000;
        /// Maximum number of long peers, in spaces that do not fix it. If absent: (3 d + 1)^2
        /// (euclidean; hyperbolic with d = 2), 4 (symphony), 0 (can).
        pub long_peers: Option<usize> = None, within 0..=1_000_000;
        /// Nodes per bucket (xor); 3 as in the published program.
        pub bucket: usize = 3, within 1..=100_000;
        /// Time between two gossip exchanges of a node with a random short peer, or "never". The published program counts in ticks; the times here are ours.
        pub gossip: Period = Period::every(Duration::from_secs(10));
        /// Time between two liveness checks, which go to all short and long peers in turn and also request their peers, or "never".
        pub refresh: Period = Period::every(Duration::from_secs(10));
        /// Time after which an unfinished join is restarted through another member.
        pub join_timeout: Duration = Duration::from_secs(10), within crate::parameter::Range::above(0.0);
    }
}

impl UrdhtParameters {
    /// Refuses a table of fewer than `least` short peers, which must include `what`.
    pub(super) fn least_table(&self, least: usize, what: &str) -> Result<(), ConfigError> {
        match self.table_size {
            Some(size) if size < least => Err(ConfigError::new(
                "overlay.urdht.table-size",
                format_args!(
                    "on this space a node needs {what}; expected at least {least}, found {size}"
                ),
            )),
            _ => Ok(()),
        }
    }

    fn expected(&self, nodes: usize) -> Expected {
        struct Ask(f64);
        impl TopologyVisitor for Ask {
            type Output = Expected;
            fn visit<T: Topology>(self, shared: Shared<T>) -> Expected {
                shared.topology.expected(self.0)
            }
        }
        self.accept_topology(Ask(nodes as f64))
    }
}

/// The parameters of UrDHT in the form that its nodes use.
#[derive(Clone, Debug)]
pub struct Shared<T> {
    pub(super) topology: T,
    pub(super) gossip: Period,
    pub(super) refresh: Period,
    pub(super) join_timeout: Duration,
}

impl<T: Topology> Shared<T> {
    /// The state shared by nodes over topology `T`, which has the space that `parameters` name.
    pub fn new(parameters: &UrdhtParameters) -> Self {
        Self {
            topology: T::new(parameters),
            gossip: parameters.gossip,
            refresh: parameters.refresh,
            join_timeout: parameters.join_timeout,
        }
    }

    /// The space, its closeness, and how peers are chosen.
    pub fn topology(&self) -> &T {
        &self.topology
    }

    /// The time between two gossip exchanges of a node.
    pub fn gossip(&self) -> Period {
        self.gossip
    }
}

impl Configuration for UrdhtParameters {
    fn check(&self, deployment: &Deployment) -> Result<(), ConfigError> {
        if self.gossip.span().is_none() && deployment.need_maintenance() {
            return Err(ConfigError::new(
                "overlay.urdht.gossip",
                "nodes find their peers by gossip; expected a duration",
            ));
        }
        self.check_space()
    }

    fn cost_estimate(&self, nodes: usize) -> CostEstimate {
        let expected = self.expected(nodes);
        CostEstimate {
            hops: expected.hops,
            maintenance: self
                .maintenance_rates(nodes)
                .iter()
                .map(|(_, rate)| rate)
                .sum(),
            build: expected.peers + nodes as f64 / 20.0,
            bytes: expected.peers * (4.0 + size_of::<crate::space::TorusPoint>() as f64),
            peers: expected.peers,
        }
    }

    fn maintenance_rates(&self, _: usize) -> Vec<(&'static str, f64)> {
        vec![
            ("overlay.urdht.gossip", 3.0 * self.gossip.rate()),
            ("overlay.urdht.refresh", 3.0 * self.refresh.rate()),
        ]
    }

    fn is_ring(&self) -> bool {
        struct Ask;
        impl TopologyVisitor for Ask {
            type Output = bool;
            fn visit<T: Topology>(self, shared: Shared<T>) -> bool {
                shared.topology.is_ring()
            }
        }
        self.accept_topology(Ask)
    }

    fn accept<L: ProtocolVisitor>(&self, visitor: L) -> L::Output {
        struct Open<L>(L);
        impl<L: ProtocolVisitor> TopologyVisitor for Open<L> {
            type Output = L::Output;
            fn visit<T: Topology>(self, shared: Shared<T>) -> L::Output {
                self.0.visit::<Urdht<T>>(shared)
            }
        }
        self.accept_topology(Open(visitor))
    }
}
