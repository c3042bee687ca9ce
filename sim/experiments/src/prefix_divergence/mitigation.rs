//! Searches of a region with exact lookups in a static network: how a publisher reaches honest nodes
//! around a key that Sybils surround.

use dhtlab_core::engine::Stream;
use dhtlab_core::service::providers::Region;
use dhtlab_core::space::{Key, KeyTrie};

/// The honest nodes and the Sybils, and lookups that find exactly the closest of both.
pub(super) struct ExactLookups<'a> {
    pub honest: &'a KeyTrie,
    pub sybils: &'a KeyTrie,
    /// The number of nodes that a lookup finds.
    pub closest: usize,
    /// The number of lookups so far.
    pub lookups: usize,
}

impl ExactLookups<'_> {
    /// The IDs of all nodes that a [`Region`] of the first `bits` bits of `key` finds.
    ///
    /// One lookup for about each `closest` nodes and each bit, of O(log^2 n + closest log closest).
    pub fn search(&mut self, key: &Key, bits: u32, stream: &mut Stream) -> Vec<Key> {
        let mut region = Region::new(*key, bits);
        let mut next = Some(*key);
        while let Some(target) = next {
            let found = self.lookup(&target).into_iter();
            let found: Vec<(Key, Key)> = found.map(|id| (id, id)).collect();
            next = region.found(&found, stream);
        }
        region.nodes().to_vec()
    }

    /// The IDs of the closest nodes, nearest first.
    fn lookup(&mut self, key: &Key) -> Vec<Key> {
        self.lookups += 1;
        let (mut places, mut found) = (Vec::new(), Vec::new());
        for nodes in [self.honest, self.sybils] {
            nodes.nearest(key, self.closest, &mut places);
            found.extend(places.iter().map(|place| nodes.keys()[*place]));
        }
        found.sort_unstable_by_key(|id| id.xor(*key));
        found.truncate(self.closest);
        found
    }
}
