//! Published experiments as their authors' programs ran them, quirks included.

mod vhash_latency;

pub use vhash_latency::VHashLatency;
