//! The parameters of Pastry.

use super::Pastry;
use crate::engine::{Duration, Period};
use crate::overlay::{Configuration, CostEstimate, Deployment, ProtocolVisitor, Start};
use crate::parameter::{ConfigError, Parameters, Value};
use std::collections::BTreeMap;

crate::choices! {
    /// Which of the suitable nodes is in a place of the routing table.
    pub enum Near {
        /// The first that a node learns of.
        First = "none",
        /// Proximity neighbour selection (section 2.5): a node that a node learns of in an exchange of rows is compared with the present entry by a ping to each, and the first reply decides.
        Pns = "pns",
    }
}

crate::parameters! {
    /// Pastry: prefix routing, with a leaf set and a routing table.
    pub struct PastryParameters {
        /// Bits b of a digit: a row of the routing table has 2^b entries. 4 is the paper's typical value (Middleware 2001, section 2).
        pub b: u32 = 4, within 1..=8;
        /// Size |L| of the leaf set, half of it on each side; an even number. 16 as in the paper's evaluation (section 5).
        pub leaves: usize = 16, within 2..=1000;
        /// Time between two keep-alives that a node sends to each of its leaves, or "never"; 30 s as in MSPastry (Castro, Costa and Rowstron, DSN 2004).
        pub probe: Period = Period::every(Duration::from_secs(30));
        /// Time between two exchanges of the rows of the routing table, or "never"; 20 min as in MSPastry.
        pub maintenance: Period = Period::every(Duration::from_secs(1200));
        /// Which nodes the routing table has.
        pub near: Near = Near::First;
        /// With `near = "pns"`, a network that starts converged has the nearest of this number of suitable nodes in each place.
        pub candidates: usize = 16, within 1..=1_000_000;
        /// Time after which a joiner that has not found its place starts again through another member.
        pub join_timeout: Duration = Duration::from_secs(10), within crate::parameter::Range::above(0.0);
    }
}

impl PastryParameters {
    /// The number of leaves on each side.
    pub fn half(&self) -> usize {
        self.leaves / 2
    }

    /// The number of digits that tell `nodes` nodes apart: log_{2^b} n.
    fn digits(&self, nodes: usize) -> f64 {
        libm::log2(nodes.max(2) as f64) / f64::from(self.b)
    }
}

impl Configuration for PastryParameters {
    fn check(&self, deployment: &Deployment) -> Result<(), ConfigError> {
        if self.leaves % 2 == 1 {
            return Err(ConfigError::new(
                "overlay.pastry.leaves",
                format_args!(
                    "half of the leaves are on each side; expected an even number, found {}",
                    self.leaves
                ),
            ));
        }
        if deployment.start == Start::Random {
            return Err(ConfigError::new(
                "overlay.start",
                "pastry starts \"converged\" or by \"join\": nodes that know a few random others \
                 do not find their leaves",
            ));
        }
        Ok(())
    }

    fn resolved(&self) -> BTreeMap<String, Value> {
        self.write_without_defaults(&["near", "candidates"])
    }

    fn cost_estimate(&self, nodes: usize) -> CostEstimate {
        let (digits, others) = (self.digits(nodes), nodes.saturating_sub(1) as f64);
        let leaves = (self.leaves as f64).min(others);
        // A hop adds a digit, and by chance another one, until the key is within the leaf set.
        let beyond = self.digits(nodes) - libm::log2(self.leaves as f64) / f64::from(self.b);
        let hops = (1.0 - libm::exp2(-f64::from(self.b))) * beyond.max(0.0) + 1.0;
        let entries = ((libm::exp2(self.b.into()) - 1.0) * digits).min(others);
        CostEstimate {
            hops,
            maintenance: self
                .maintenance_rates(nodes)
                .iter()
                .map(|(_, rate)| rate)
                .sum(),
            bytes: 4.0 * (self.leaves as f64 + (digits + 1.0) * libm::exp2(self.b.into())),
            build: 1.0 + entries / 10.0,
            peers: (leaves + entries).min(others),
        }
    }

    fn maintenance_rates(&self, nodes: usize) -> Vec<(&'static str, f64)> {
        let leaves = self.leaves.min(nodes.saturating_sub(1)) as f64;
        // Each request has a reply.
        vec![
            ("overlay.pastry.probe", 2.0 * leaves * self.probe.rate()),
            (
                "overlay.pastry.maintenance",
                2.0 * (self.digits(nodes) + 1.0) * self.maintenance.rate(),
            ),
        ]
    }

    fn max_replicas(&self) -> Option<(usize, &'static str)> {
        Some((self.half(), "overlay.pastry.leaves"))
    }

    fn accept<L: ProtocolVisitor>(&self, visitor: L) -> L::Output {
        visitor.visit::<Pastry>(self.clone())
    }
}
