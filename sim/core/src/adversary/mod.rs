//! The adversary: the keys that it has, the IDs that its Sybils take, and their behaviour. The
//! network carries the attack out.
//!
//! Where the ID of a node is the hash of its address and port, an attacker with some addresses has
//! a fixed set of IDs, one for each port, and can compute all of them before the attack:
//! [`KeyIndex`], sorted. It *mashes* a region of the ring (the term of the published paper on the
//! Sybil attack) if one of these IDs lies there: in the gap between two neighbours, in the arc in
//! which a finger looks for its node, or around a key. [`probability`] computes how likely that is.
//!
//! In a running network the attacker does not see the ring. A [`SybilPlacement`] chooses one Sybil
//! ID after the other from what the Sybils have learnt.
//!
//! # Memory of the keys
//!
//! An address has 16,384 dynamic ports (49152 to 65535) and as many keys. The paper gives 320 KiB
//! an address on its slides, which is the keys alone at 20 bytes, and 352 kB in its text, which is
//! 352 KiB: the keys and two bytes each for the port. [`KeyIndex`] takes 24 bytes a key,
//! [`IndexedKey`], to sort the keys of many addresses together: 384 KiB an address.

mod addresses;
mod attack;
mod config;
mod key_index;
mod pairs;
mod parameters;
pub mod probability;
mod sybil_placement;

pub use addresses::Addresses;
pub use attack::{AttackParameters, Behaviour, Strategy, Supply};
pub use config::AdversaryConfig;
pub use key_index::{IndexedKey, KeyIndex};
pub use pairs::{KeyForm, Pair, Pairs, SearchResult};
pub use parameters::AdversaryParameters;
pub use sybil_placement::{IdSupply, Identity, SybilPlacement};
