//! What can be set about Chord.

use super::{Chord, Timer};
use crate::engine::{Period, Span};
use crate::overlay::{Burden, Circumstances, Configuration, Launch, Start};
use crate::parameter::Problem;

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
    /// How nodes join and keep their neighbours.
    pub enum Variant {
        /// As in SIGCOMM 2001, with its known faults.
        Classic = "classic",
        /// As corrected by Zave (TSE 2017).
        Correct = "correct",
    }
}

crate::choices! {
    /// Whom a joiner tells of itself.
    pub enum Join {
        /// The node before it finds it by its next stabilisation.
        Plain = "plain",
        /// It tells the node before it at once.
        Announced = "announced",
    }
}

crate::parameters! {
    /// Chord: the ring, with a successor list and fingers.
    pub struct ChordParameters {
        /// How nodes join and keep their neighbours.
        pub variant: Variant = Variant::Correct;
        /// Length r of the successor list.
        pub successors: usize = 1, within 1..=10_000;
        /// Which node is the root of a key.
        pub closest: Closest = Closest::Successor;
        /// How many entries the finger table has: the highest ones, of 160.
        pub fingers: u32 = 160, within 0..=160;
        /// Whether the turn of an entry that begins within the successor list goes to the next one beyond it.
        pub skip_near: bool = true;
        /// Whether a joiner takes over the fingers of the node before it, as hints (SIGCOMM 2001, section 4.4).
        pub copy_fingers: bool = true;
        /// Whether a node forgets a peer that has not taken a message; else that message alone passes it by, and the peer stays until its own turn of maintenance.
        pub forget: bool = true;
        /// Whom a joiner tells of itself.
        pub join: Join = Join::Plain;
        /// Time after which a joiner that has found no place begins again through somebody else.
        pub join_timeout: Span = Span::from_secs(10), within crate::parameter::Range::above(0.0);
        /// Mean time between two stabilisations of a node, or "never".
        pub stabilise: Period = Period::every(Span::from_secs(30));
        /// Mean time between two refreshments of one finger, or "never".
        pub fix_fingers: Period = Period::every(Span::from_secs(30));
        /// Mean time between two checks of the predecessor, or "never".
        pub check_predecessor: Period = Period::every(Span::from_secs(30));
        /// How far the time between two turns of maintenance strays from its mean, as a fraction; ToN has one half.
        pub jitter: f64 = 0.5, within 0.0..=1.0;
        /// How long a node waits for an answer.
        pub timeout: Span = Span::from_millis(500), within crate::parameter::Range::above(0.0);
    }
}

impl ChordParameters {
    /// The period of what `timer` does.
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
    fn check(&self, circumstances: &Circumstances) -> Result<(), Problem> {
        let others = circumstances.nodes.saturating_sub(1).max(1);
        if self.successors > others {
            return Err(Problem::new(
                "overlay.chord.successors",
                format_args!(
                    "expected at most the {others} other nodes, found {}",
                    self.successors
                ),
            ));
        }
        if circumstances.start == Start::Random {
            return Err(Problem::new(
                "overlay.start",
                "chord starts \"converged\" or by \"join\": nodes that know a few random others \
                 do not find their ring",
            ));
        }
        if circumstances.need_maintenance() && self.stabilise.span().is_none() {
            return Err(Problem::new(
                "overlay.chord.stabilise",
                "nodes that join need to stabilise; expected a duration",
            ));
        }
        Ok(())
    }

    fn burden(&self, nodes: usize) -> Burden {
        let log = libm::log2(nodes.max(2) as f64);
        Burden {
            hops: log / 2.0 + 1.0,
            maintenance: self.upkeep(nodes).iter().map(|(_, rate)| rate).sum(),
            bytes: 12.0 * (self.successors as f64 + log),
            build: 1.0,
            peers: (self.successors as f64 + log.min(self.fingers.into()))
                .min(nodes.saturating_sub(1) as f64),
        }
    }

    fn upkeep(&self, nodes: usize) -> Vec<(&'static str, f64)> {
        let hops = libm::log2(nodes.max(2) as f64) / 2.0;
        vec![
            ("overlay.chord.stabilise", 4.0 * self.stabilise.rate()),
            (
                "overlay.chord.fix-fingers",
                (hops + 2.0) * self.fix_fingers.rate(),
            ),
            (
                "overlay.chord.check-predecessor",
                3.0 * self.check_predecessor.rate(),
            ),
        ]
    }

    fn timeout(&self) -> Span {
        self.timeout
    }

    fn is_ring(&self) -> bool {
        true
    }

    fn takes_in_one_each(&self) -> Option<Span> {
        self.stabilise.span().filter(|_| self.join == Join::Plain)
    }

    fn heirs(&self) -> Option<(usize, &'static str)> {
        Some((self.successors, "overlay.chord.successors"))
    }

    fn launch<L: Launch>(&self, launch: L) -> L::Output {
        launch.with::<Chord>(self.clone())
    }
}
