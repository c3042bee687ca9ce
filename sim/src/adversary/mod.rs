//! Plans: which keys an attacker has, and how its Sybils behave.

mod addresses;
mod attack;
mod campaign;
mod holdings;
mod intruder;
pub mod odds;
mod pairs;
mod parameters;

pub use addresses::Addresses;
pub use attack::{AttackParameters, Behaviour, Strategy, Supply};
pub use campaign::{Campaign, Identity, Reservoir};
pub use holdings::{Held, Holdings};
pub use intruder::Intruder;
pub use pairs::{KeyForm, Pair, Pairs, Search};
pub use parameters::AdversaryParameters;
