//! The parameters of Kademlia.

use super::Kademlia;
use crate::engine::{Duration, Period};
use crate::overlay::{Configuration, CostEstimate, Deployment, ProtocolVisitor, Start};
use crate::parameter::{ConfigError, Parameters, Value};
use std::collections::BTreeMap;

crate::choices! {
    /// When a contact of a full bucket is replaced by a new node. "ping" is the paper's basic rule (section 2.2).
    pub enum Eviction {
        /// The least recently seen contact is pinged and removed if it does not reply (section 2.2); stale contacts are replaced at once.
        Ping = "ping",
        /// Only stale contacts are replaced (section 4.1): fewer messages.
        Stale = "stale",
    }
}

crate::choices! {
    /// Which nodes a full bucket keeps.
    pub enum Near {
        /// Those that it knows for the longest time, as published.
        LongestSeen = "none",
        /// Proximity neighbour selection: a new node with a shorter round trip replaces the contact with the longest one, as in OverSim. Round trips that are not known are measured by a ping. The least recently seen contact is not pinged: a silent one is replaced once it is stale.
        Pns = "pns",
    }
}

crate::parameters! {
    /// Kademlia: the XOR metric, with buckets of contacts.
    pub struct KademliaParameters {
        /// Contacts per bucket, and nodes per reply; 20 as in the paper (IPTPS 2002, section 2.2).
        pub k: usize = 20, within 1..=1000;
        /// Concurrent requests of a lookup; 3 as in the paper (section 2.3).
        pub alpha: usize = 3, within 1..=100;
        /// Number of disjoint paths of an iterative lookup: each node is queried on one path only, and the closest node of all paths is the root (Baumgart and Mies, S/Kademlia, ICPADS 2007, section 4.4).
        pub paths: usize = 1, within 1..=64;
        /// Bits b resolved by each step of a lookup: each b bits of the distance have 2^b - 1 buckets. 1 is the basic protocol; the paper's evaluation proposes 5 (section 4.2).
        pub b: u32 = 1, within 1..=8;
        /// Time after which a bucket without a lookup is refreshed, or "never"; one hour as in the paper (section 2.3).
        pub refresh: Period = Period::every(Duration::from_secs(3600));
        /// Number of consecutive time-outs after which a contact is stale; 5 as in the paper (section 4.1).
        pub stale: u16 = 5, within 1..=255;
        /// When a contact of a full bucket is replaced by a new node.
        pub eviction: Eviction = Eviction::Ping;
        /// Size of the replacement cache of a full bucket; the paper gives no size (section 4.1).
        pub replacements: usize = 8, within 0..=1000;
        /// Which nodes a full bucket keeps.
        pub near: Near = Near::LongestSeen;
        /// With `near = "pns"`, a network that starts converged keeps the k nearest of k times as many nodes of each bucket.
        pub candidates: usize = 16, within 1..=1_000_000;
        /// Time after which an unfinished join is restarted through another member.
        pub join_timeout: Duration = Duration::from_secs(10), within crate::parameter::Range::above(0.0);
    }
}

/// Expected numbers for a node.
struct Expected {
    /// Nodes that a lookup asks.
    asked: f64,
    /// Nonempty buckets.
    buckets: f64,
    /// Contacts in them.
    contacts: f64,
}

impl KademliaParameters {
    fn expected(&self, nodes: usize) -> Expected {
        let (n, k, b) = (nodes.max(2) as f64, self.k as f64, f64::from(self.b));
        let log = libm::log2(n);
        let digits = libm::exp2(b) - 1.0;
        // Levels with full buckets, and a few nodes beyond.
        let levels = (libm::log2(n / k) / b).max(0.0);
        // A step resolves b bits, and more the more contacts there are to choose from.
        let steps = 1.0 + log / (b + libm::log2(k).min(log) / 2.0);
        Expected {
            asked: (self.paths as f64 * (steps + self.alpha as f64 - 1.0)).min(n),
            buckets: (log / b + 1.0) * digits,
            contacts: (levels * digits * k + 2.0 * k).min(n),
        }
    }
}

impl Configuration for KademliaParameters {
    fn check(&self, deployment: &Deployment) -> Result<(), ConfigError> {
        if deployment.start == Start::Random && self.refresh.span().is_none() {
            return Err(ConfigError::new(
                "overlay.kademlia.refresh",
                "nodes that know a few random others find their neighbours when they refresh; \
                 expected a duration",
            ));
        }
        if self.paths > self.k {
            return Err(ConfigError::new(
                "overlay.kademlia.paths",
                format_args!(
                    "a lookup begins with `k` = {} contacts, at least one a path; found {} paths",
                    self.k, self.paths
                ),
            ));
        }
        if self.paths > 1 && !deployment.iterative {
            return Err(ConfigError::new(
                "overlay.kademlia.paths",
                "disjoint paths need iterative lookups; expected `overlay.lookup` = \"iterative\"",
            ));
        }
        Ok(())
    }

    fn resolved(&self) -> BTreeMap<String, Value> {
        self.write_without_defaults(&["near", "candidates"])
    }

    fn cost_estimate(&self, nodes: usize) -> CostEstimate {
        let Expected {
            asked,
            buckets,
            contacts,
        } = self.expected(nodes);
        CostEstimate {
            hops: asked,
            maintenance: self
                .maintenance_rates(nodes)
                .iter()
                .map(|(_, rate)| rate)
                .sum(),
            bytes: 8.0 * contacts + 24.0 * buckets,
            build: contacts / 10.0,
            peers: contacts,
        }
    }

    fn maintenance_rates(&self, nodes: usize) -> Vec<(&'static str, f64)> {
        let expected = self.expected(nodes);
        let (n, k) = (nodes.max(2) as f64, self.k as f64);
        // Refreshing a bucket asks k nodes; each request and each reply is a message.
        let refresh = 2.0 * expected.buckets * (k + expected.asked).min(n);
        vec![("overlay.kademlia.refresh", refresh * self.refresh.rate())]
    }

    fn accept<L: ProtocolVisitor>(&self, visitor: L) -> L::Output {
        visitor.visit::<Kademlia>(self.clone())
    }
}
