//! The honest nodes of the experiments on the key space: IDs on the ring and nothing else.

use crate::engine::Seed;
use crate::space::{Key, sort_by_key};

crate::parameters! {
    /// The nodes that are attacked: their IDs are random, and no message is sent.
    pub struct HonestParameters {
        /// Number of nodes.
        pub nodes: usize = 1000, within 2..=100_000_000;
    }
}

impl HonestParameters {
    /// The IDs of network number `network`, ascending: 20 bytes a node, O(n log n).
    pub fn ids(&self, seed: Seed, network: u64) -> Vec<Key> {
        let mut stream = seed.stream("ids", network);
        let mut ids: Vec<Key> = (0..self.nodes).map(|_| Key::random(&mut stream)).collect();
        sort_by_key(&mut ids, |id| *id);
        ids
    }
}
