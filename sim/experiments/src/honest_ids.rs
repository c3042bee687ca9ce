//! The honest nodes of the experiments on the key space: IDs on the ring without a protocol.

use dhtlab_core::engine::Seed;
use dhtlab_core::space::{Key, sort_by_key};

dhtlab_core::parameters! {
    /// The attacked nodes: their IDs are random, and no message is sent.
    pub struct HonestParameters {
        /// Number of nodes.
        pub nodes: usize = 1000, within 2..=100_000_000;
    }
}

impl HonestParameters {
    /// The IDs of network number `network`, ascending: 20 bytes per node, O(n log n).
    pub fn ids(&self, seed: Seed, network: u64) -> Vec<Key> {
        let mut stream = seed.stream("ids", network);
        let mut ids: Vec<Key> = (0..self.nodes).map(|_| Key::random(&mut stream)).collect();
        sort_by_key(&mut ids, |id| *id);
        ids
    }
}
