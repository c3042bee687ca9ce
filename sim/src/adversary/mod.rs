//! Plans: which keys an attacker has, which IDs its Sybils take and how they behave. How they come
//! into a network is the network's business.
//!
//! Where the ID of a node is the hash of its address and port, an attacker with some addresses has
//! a fixed set of IDs, one a port, and can know all of them before it attacks: [`KeyIndex`],
//! sorted. It *mashes* a region of the ring, in the word of the published paper on the Sybil
//! attack, if one of them lies there: the gap between two neighbours, the arc in which a finger
//! looks for its node, the surroundings of a key. How likely that is, is told by [`probability`].
//!
//! In a living network the attacker does not see the ring. A [`SybilPlacement`] names the ID of one
//! Sybil after the other by what those that have joined were told.
//!
//! # What the keys cost
//!
//! 16,384 ports an address (49152 to 65535, the dynamic ones) are as many keys. The paper gives
//! 320 KiB an address on its slides, which is the keys alone at 20 bytes, and 352 kB in its text,
//! which is 352 KiB: the keys and two bytes each for the port. [`KeyIndex`] take 24 bytes a key,
//! [`IndexedKey`], so that the keys of many addresses can stand in one order: 384 KiB an address.

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
