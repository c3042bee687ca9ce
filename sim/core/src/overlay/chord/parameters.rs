//! The parameters of Chord.

use super::{Base, Chord, Timer};
use crate::engine::{Duration, Period};
use crate::overlay::{Configuration, CostEstimate, Deployment, ProtocolVisitor, Start};
use crate::parameter::{ConfigError, Parameters, Value};
use crate::space::Key;
use std::collections::BTreeMap;

crate::choices! {
    /// Which node is the root of a key.
    pub enum Closest {
        /// The first node at or after the key: Chord as published.
        Successor = "successor",
        /// The nearest node in either direction.
        Nearest = "nearest",
    }
}

crate::choices! {
    /// The algorithms for join and stabilisation.
    pub enum Variant {
        /// As in SIGCOMM 2001, with its known faults.
        Classic = "classic",
        /// As corrected by Zave (TSE 2017).
        Correct = "correct",
    }
}

crate::choices! {
    /// Which node of its interval a finger is.
    pub enum Near {
        /// The first one, as published.
        First = "none",
        /// Proximity neighbour selection (Gummadi et al., SIGCOMM 2003; Dabek et al., NSDI 2004): the one with the least latency of the first `candidates`. A refresh asks the first node for its successors, and sends a ping to each: the first reply decides.
        Pns = "pns",
        /// The first one; a message goes to the finger with the shortest round trip of those that cross a digit of the distance to its key, not to the last one before the key: proximity route selection (Gummadi et al., SIGCOMM 2003). It needs recursive lookups, and round trips that `transport.timeouts` estimates.
        Prs = "prs",
    }
}

crate::choices! {
    /// When a node learns that the list of its successor has changed.
    pub enum Recovery {
        /// When it stabilises.
        Periodic = "periodic",
        /// At once: a node whose list changes sends it to its predecessor, whose own list then changes, and so on through as many nodes as the list is long (Rhea et al., USENIX 2004, compare both).
        Reactive = "reactive",
    }
}

crate::choices! {
    /// Which nodes a joining node notifies.
    pub enum Join {
        /// None: the predecessor learns of it at its next stabilisation.
        Plain = "plain",
        /// Its predecessor, at once.
        Announced = "announced",
    }
}

crate::parameters! {
    /// Chord: the ring, with a successor list and fingers.
    pub struct ChordParameters {
        /// The algorithms for join and stabilisation.
        pub variant: Variant = Variant::Correct;
        /// Length r of the successor list; in a smaller ring, all other nodes. 16 as in the authors' implementation (MIT's `lsd`); ToN simulates 20.
        pub successors: usize = 16, within 1..=10_000;
        /// Which node is the root of a key.
        pub closest: Closest = Closest::Successor;
        /// Base b of the fingers, a power of 2: a node keeps the first node at or after its ID + j b^i, for each i and each j from 1 to b - 1. Larger bases give shorter lookups and larger tables. 2 is that of SIGCOMM 2001; Li et al. (INFOCOM 2005) sweep it.
        pub base: Base = Base::TWO;
        /// Number of fingers in the table: the highest ones, of 160. With a larger base, those that begin at a distance of at least 2^(160 - fingers).
        pub fingers: u32 = 160, within 0..=160;
        /// Whether the refresh of a finger within the successor list is used for the next finger beyond it.
        pub skip_near: bool = true;
        /// Whether a node that has the root of a key in its successor list sends a message there at once, as in MIT's `lsd`; otherwise the message goes to the node before the root first, as in ToN.
        pub list_routing: bool = false;
        /// Which node a finger is.
        pub near: Near = Near::First;
        /// Number of nodes of an interval among which `near = "pns"` chooses: 16 as in DHash++ (Dabek et al., NSDI 2004). While the network runs, at most those in the successor list of the first one.
        pub candidates: usize = 16, within 1..=1_000_000;
        /// Whether a joining node copies the fingers of its predecessor as hints (SIGCOMM 2001, section 4.4).
        pub copy_fingers: bool = true;
        /// Whether a node removes a peer when a message to it times out; otherwise only that message avoids the peer, which stays in the table until maintenance detects the failure.
        pub forget: bool = true;
        /// Which nodes a joining node notifies.
        pub join: Join = Join::Plain;
        /// When a node learns that the list of its successor has changed.
        pub recovery: Recovery = Recovery::Periodic;
        /// Time after which an unfinished join is restarted through another member.
        pub join_timeout: Duration = Duration::from_secs(10), within crate::parameter::Range::above(0.0);
        /// Mean time between two stabilisations of a node, or "never"; 30 s as in ToN, section VI-C.
        pub stabilise: Period = Period::every(Duration::from_secs(30));
        /// Mean time between two refreshes of one finger, or "never"; as often as it stabilises, as in ToN.
        pub fix_fingers: Period = Period::every(Duration::from_secs(30));
        /// Mean time between two checks of the predecessor, or "never".
        pub check_predecessor: Period = Period::every(Duration::from_secs(30));
        /// Maximum deviation of the time between two maintenance actions from its mean, as a fraction; ToN uses one half.
        pub jitter: f64 = 0.5, within 0.0..=1.0;
    }
}

impl ChordParameters {
    /// The number of the lowest finger that a node keeps.
    pub(super) fn lowest_finger(&self) -> u16 {
        match Key::BITS - self.fingers {
            Key::BITS => self.base.fingers(),
            bit => self.base.first_from(bit),
        }
    }

    /// Pings and replies of a refresh of a finger.
    fn pings(&self) -> f64 {
        match self.near {
            Near::First | Near::Prs => 0.0,
            Near::Pns => 2.0 * self.candidates.min(self.successors + 1) as f64,
        }
    }

    /// The period of `timer`.
    pub(super) fn period(&self, timer: Timer) -> Period {
        match timer {
            Timer::Stabilise => self.stabilise,
            Timer::Reconcile if self.variant == Variant::Classic => self.stabilise,
            Timer::FixFinger => self.fix_fingers,
            Timer::CheckPredecessor => self.check_predecessor,
            _ => Period::NEVER,
        }
    }
}

impl Configuration for ChordParameters {
    fn check(&self, deployment: &Deployment) -> Result<(), ConfigError> {
        if deployment.start == Start::Random {
            return Err(ConfigError::new(
                "overlay.start",
                "chord starts \"converged\" or by \"join\": nodes that know a few random others \
                 do not find their ring",
            ));
        }
        if self.near == Near::Prs && (deployment.iterative || !deployment.knows_round_trips) {
            return Err(ConfigError::new(
                "overlay.chord.near",
                "\"prs\" needs recursive lookups (`overlay.lookup`), and round trips that nodes know: \
                 `transport.timeouts` = \"estimated\" or \"coordinates\"",
            ));
        }
        if deployment.need_maintenance() && self.stabilise.span().is_none() {
            return Err(ConfigError::new(
                "overlay.chord.stabilise",
                "nodes that join need to stabilise; expected a duration",
            ));
        }
        Ok(())
    }

    fn resolved(&self) -> BTreeMap<String, Value> {
        self.write_without_defaults(&["list-routing", "near", "candidates", "recovery"])
    }

    fn cost_estimate(&self, nodes: usize) -> CostEstimate {
        let log = libm::log2(nodes.max(2) as f64);
        let fingers = self.base.per_doubling() * log.min(self.fingers.into());
        CostEstimate {
            hops: self.base.hops_per_doubling() * log + 1.0,
            maintenance: self
                .maintenance_rates(nodes)
                .iter()
                .map(|(_, rate)| rate)
                .sum(),
            bytes: 12.0 * (self.successors as f64 + fingers),
            build: 1.0,
            peers: (self.successors as f64 + fingers).min(nodes.saturating_sub(1) as f64),
        }
    }

    fn maintenance_rates(&self, nodes: usize) -> Vec<(&'static str, f64)> {
        let hops = libm::log2(nodes.max(2) as f64) * self.base.hops_per_doubling();
        vec![
            ("overlay.chord.stabilise", 4.0 * self.stabilise.rate()),
            (
                "overlay.chord.fix-fingers",
                (hops + 2.0 + self.pings()) * self.fix_fingers.rate(),
            ),
            (
                "overlay.chord.check-predecessor",
                3.0 * self.check_predecessor.rate(),
            ),
        ]
    }

    fn is_ring(&self) -> bool {
        true
    }

    fn join_interval(&self) -> Option<Duration> {
        self.stabilise.span().filter(|_| self.join == Join::Plain)
    }

    fn max_replicas(&self) -> Option<(usize, &'static str)> {
        Some((self.successors, "overlay.chord.successors"))
    }

    fn accept<L: ProtocolVisitor>(&self, visitor: L) -> L::Output {
        visitor.visit::<Chord>(self.clone())
    }
}
