//! What can be set about an attack on a living network.

use crate::engine::Duration;
use crate::space::Key;

crate::choices! {
    /// Where the adversary puts its Sybils.
    pub enum Strategy {
        /// There is no attack.
        None = "none",
        /// Between neighbours on the ring: one Sybil in every gap for which a key is found.
        Neighbours = "neighbours",
        /// Between the beginning of a finger of an honest node and the node that it leads to.
        Fingers = "fingers",
        /// As near to one key as its IDs allow.
        AroundKey = "around-key",
        /// Wherever its IDs fall.
        Random = "random",
    }
}

crate::choices! {
    /// What Sybils do with what they are asked to pass on or to answer; they take part in the
    /// maintenance like all others.
    pub enum Behaviour {
        /// What they should, and note it down.
        Observe = "observe",
        /// Nothing.
        Drop = "drop",
        /// They say that they are the root; asked for a way, they name their accomplices nearest to the key.
        Misroute = "misroute",
        /// What they should, but what a service sends from there or by way of them is altered.
        Forge = "forge",
    }
}

crate::choices! {
    /// How the adversary comes by the IDs of its Sybils where the network binds them to nothing.
    pub enum Supply {
        /// By mashing: the keys of its address and port pairs.
        Mashed = "mashed",
        /// As it likes.
        Chosen = "chosen",
    }
}

crate::parameters! {
    /// A Sybil attack while the network runs.
    pub struct AttackParameters {
        /// Where Sybils are put.
        pub strategy: Strategy = Strategy::None;
        /// What they do.
        pub behaviour: Behaviour = Behaviour::Observe;
        /// When the first one joins.
        pub start: Duration = Duration::ZERO;
        /// Sybils that join each second, by the messages of the protocol.
        pub joins_per_s: f64 = 10.0, within 0.001..=1e6;
        /// Greatest number of Sybils; as many as there are address and port pairs if absent.
        pub sybils: Option<usize> = None, within 1..=10_000_000;
        /// How it comes by IDs where `overlay.ids` is "random".
        pub ids: Supply = Supply::Mashed;
        /// The key of `strategy = "around-key"`; that of `workload.key` if absent.
        pub target: Option<Key> = None;
    }
}
