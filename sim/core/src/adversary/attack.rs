//! Parameters of a Sybil attack on a running network.

use crate::engine::Duration;
use crate::space::Key;

crate::choices! {
    /// Where the adversary places its Sybils.
    pub enum Strategy {
        /// No attack.
        None = "none",
        /// Between neighbours on the ring: one Sybil in every gap for which a key is found.
        Neighbours = "neighbours",
        /// Between the start of a finger of an honest node and the node that the finger points to.
        Fingers = "fingers",
        /// At the IDs of the adversary that are closest to one key.
        AroundKey = "around-key",
        /// Random IDs of the adversary.
        Random = "random",
    }
}

crate::choices! {
    /// Behaviour of Sybils with messages that they should forward or answer; they take part in
    /// maintenance like honest nodes.
    pub enum Behaviour {
        /// They behave correctly and only observe.
        Observe = "observe",
        /// They drop these messages.
        Drop = "drop",
        /// They claim to be the root; on a lookup request they name the accomplices nearest to the key.
        Misroute = "misroute",
        /// They behave correctly, but alter the messages that a service sends from them or through them.
        Forge = "forge",
    }
}

crate::choices! {
    /// How the adversary gets the IDs of its Sybils where the network does not bind IDs to addresses.
    pub enum Supply {
        /// By mashing: IDs are the keys of its address and port pairs.
        Mashed = "mashed",
        /// Freely chosen IDs.
        Chosen = "chosen",
    }
}

crate::parameters! {
    /// A Sybil attack while the network runs.
    pub struct AttackParameters {
        /// Where the Sybils are placed.
        pub strategy: Strategy = Strategy::None;
        /// Behaviour of the Sybils.
        pub behaviour: Behaviour = Behaviour::Observe;
        /// When the first Sybil joins.
        pub start: Duration = Duration::ZERO;
        /// Sybils that join each second, by the join protocol of the overlay.
        pub joins_per_s: f64 = 10.0, within 0.001..=1e6;
        /// Maximum number of Sybils; the number of address and port pairs if absent.
        pub sybils: Option<usize> = None, within 1..=10_000_000;
        /// How the adversary gets IDs where `overlay.ids` is "random".
        pub ids: Supply = Supply::Mashed;
        /// The key of `strategy = "around-key"`; `workload.key` if absent.
        pub target: Option<Key> = None;
    }
}
