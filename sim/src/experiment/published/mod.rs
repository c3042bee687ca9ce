//! Published experiments as their authors' programs ran them, quirks included.

pub mod urdht_growth;
mod vhash_latency;

pub use vhash_latency::VHashLatency;
