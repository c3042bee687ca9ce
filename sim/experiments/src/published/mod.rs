//! Published experiments as their authors' programs ran them, quirks included.

mod faulty_torus;
pub mod urdht_growth;
mod vhash_latency;

pub use faulty_torus::FaultyTorus;
pub use vhash_latency::VHashLatency;
