//! The parameters of VHash.

use super::VHash;
use crate::engine::{Duration, Period};
use crate::overlay::{Configuration, CostEstimate, Deployment, Metric, ProtocolVisitor};
use crate::parameter::{ConfigError, Parameters};
use crate::space::{Rule, Torus, TorusPoint};

crate::choices! {
    /// Whether positions follow measured distances: latencies, or another metric.
    pub enum Embedding {
        /// A node stays at the position given by the hash of its address.
        Off = "none",
        /// Damped springs move a node until its distances to peers fit the measured ones.
        Springs = "springs",
    }
}

crate::parameters! {
    /// VHash: Voronoi regions of a Euclidean torus, maintained by DGVH and gossip.
    pub struct VHashParameters {
        /// Dimensions d of the torus; the papers simulate 2 to 5.
        pub dimensions: usize = 4, within 1..=32;
        /// When DGVH rejects a candidate; the midpoint rule is that of the papers.
        pub rule: Rule = Rule::Midpoint;
        /// Minimum number of short peers; 3 d + 1 if absent, as in the papers.
        pub table_size: Option<usize> = None, within 1..=100_000;
        /// Maximum number of long peers; (3 d + 1)^2 if absent, as in the papers.
        pub long_peers: Option<usize> = None, within 0..=1_000_000;
        /// Whether positions follow measured distances: latencies, or another metric.
        pub embedding: Embedding = Embedding::Off;
        /// What the embedding follows: "latency, or any other metric we wanted" (VHash slides). Its mean takes the mean distance of two random points.
        pub metric: Metric = Metric::Latency;
        /// Time between two gossip exchanges of a node, or "never". The papers count in cycles and give no time; this one and the times below are ours.
        pub gossip: Period = Period::every(Duration::from_secs(10));
        /// Time between two latency measurements for the embedding.
        pub probe: Period = Period::every(Duration::from_secs(1));
        /// Time between two liveness checks of the short peer that has been silent for longest, or "never".
        pub check: Period = Period::every(Duration::from_secs(2));
        /// Whether every second check goes to a long peer. In the papers long peers are not pinged: they are replaced gradually.
        pub check_long: bool = false;
        /// Time after which a silent peer is removed, or "never"; no peer expires without gossip.
        pub expiry: Period = Period::every(Duration::from_secs(600));
        /// Time after which an unfinished join is restarted through another member.
        pub join_timeout: Duration = Duration::from_secs(10), within crate::parameter::Range::above(0.0);
    }
}

/// The parameters of VHash in the form that its nodes use.
#[derive(Clone, Debug)]
pub struct Shared {
    pub(super) torus: Torus,
    pub(super) rule: Rule,
    pub(super) least_short: usize,
    pub(super) most_long: usize,
    pub(super) embedding: Embedding,
    pub(super) gossip: Period,
    pub(super) probe: Period,
    pub(super) check: Period,
    pub(super) check_long: bool,
    pub(super) expiry: Option<Duration>,
    pub(super) join_timeout: Duration,
}

impl Shared {
    /// Whether positions are stored and sent: where nodes do not move and the words of an ID are the
    /// coordinates, the ID is enough.
    pub(super) fn are_positions_sent(&self) -> bool {
        self.embedding != Embedding::Off || self.torus.dimensions() > Torus::IN_KEY
    }

    /// The `position` in a record: empty if positions are not sent.
    pub(super) fn sent_position(&self, position: impl FnOnce() -> TorusPoint) -> TorusPoint {
        if self.are_positions_sent() {
            position()
        } else {
            TorusPoint::new()
        }
    }
}

impl From<&VHashParameters> for Shared {
    fn from(parameters: &VHashParameters) -> Self {
        let table = 3 * parameters.dimensions + 1;
        Self {
            torus: Torus::new(parameters.dimensions),
            rule: parameters.rule,
            least_short: parameters.table_size.unwrap_or(table),
            most_long: parameters.long_peers.unwrap_or(table * table),
            embedding: parameters.embedding,
            gossip: parameters.gossip,
            probe: match parameters.embedding {
                Embedding::Off => Period::NEVER,
                Embedding::Springs => parameters.probe,
            },
            // Without gossip a node gets no signs of life, so nothing expires and nothing is
            // checked.
            check: match parameters.gossip.span() {
                Some(_) => parameters.check,
                None => Period::NEVER,
            },
            check_long: parameters.check_long,
            expiry: parameters
                .gossip
                .span()
                .and_then(|_| parameters.expiry.span()),
            join_timeout: parameters.join_timeout,
        }
    }
}

impl Configuration for VHashParameters {
    fn check(&self, deployment: &Deployment) -> Result<(), ConfigError> {
        let moves = self.embedding != Embedding::Off;
        if self.gossip.span().is_none() && (deployment.need_maintenance() || moves) {
            return Err(ConfigError::new(
                "overlay.vhash.gossip",
                "nodes find their peers and measure latencies by gossip; expected a duration",
            ));
        }
        if self.metric != Metric::Latency && !moves {
            return Err(ConfigError::new(
                "overlay.vhash.metric",
                "the embedding follows it, and there is none; expected `overlay.vhash.embedding` = \"springs\"",
            ));
        }
        Ok(())
    }

    fn metric(&self) -> Metric {
        self.metric
    }

    fn resolved(&self) -> std::collections::BTreeMap<String, crate::parameter::Value> {
        self.write_without_defaults(&["metric"])
    }

    fn cost_estimate(&self, nodes: usize) -> CostEstimate {
        let shared = Shared::from(self);
        let peers = (shared.least_short + shared.most_long).min(nodes) as f64;
        CostEstimate {
            hops: libm::log2(nodes.max(2) as f64) / 2.0 + 1.0,
            maintenance: self
                .maintenance_rates(nodes)
                .iter()
                .map(|(_, rate)| rate)
                .sum(),
            build: 36.0 * shared.least_short.max(3 * self.dimensions + 1) as f64,
            // Address, last probe and last sign of life, and the position with its version if it is stored;
            // the arrays have room to grow.
            bytes: 1.25
                * peers
                * if shared.are_positions_sent() {
                    20.0 + 8.0 * self.dimensions as f64
                } else {
                    16.0
                },
            peers: peers.min(nodes.saturating_sub(1) as f64),
        }
    }

    fn maintenance_rates(&self, nodes: usize) -> Vec<(&'static str, f64)> {
        let shared = Shared::from(self);
        // A node moves after each measurement, and reports it to its short peers.
        let short = shared.least_short.min(nodes) as f64;
        vec![
            ("overlay.vhash.gossip", 4.0 * self.gossip.rate()),
            ("overlay.vhash.probe", (2.0 + short) * shared.probe.rate()),
            ("overlay.vhash.check", 2.0 * shared.check.rate()),
        ]
    }

    fn accept<L: ProtocolVisitor>(&self, visitor: L) -> L::Output {
        visitor.visit::<VHash>(Shared::from(self))
    }
}
