//! The search of a region, by which a publisher reaches honest nodes around a key that Sybils surround.
//!
//! The method is `GetPeersWithCPL` of the fork of go-libp2p-kad-dht of Sridhar and others (NDSS 2024).

use dhtlab_core::engine::Stream;
use dhtlab_core::space::{Key, KeyTrie};

/// Common bits up to which a random ID can be made for a bucket: go-libp2p-kbucket has a list of
/// preimages for each prefix of 16 bits, and no longer ones.
const MOST_BITS: u32 = 15;

/// The honest nodes and the Sybils, and lookups that find exactly the closest of both.
pub(super) struct Region<'a> {
    pub honest: &'a KeyTrie,
    pub sybils: &'a KeyTrie,
    /// The number of nodes that a lookup finds.
    pub closest: usize,
    /// The number of lookups so far.
    pub lookups: usize,
}

impl Region<'_> {
    /// The IDs of all nodes that share at least the first `bits` bits with `key`, nearest first.
    ///
    /// A lookup of the key comes first. While the nodes that it finds share c >= `bits` bits with the
    /// key, those with exactly c bits may not all be found: they are the region of c + 1 bits of a
    /// random key there, which is searched in the same way, and c falls by 1. Where no such key can be
    /// made, the last node found is looked up, which may leave nodes out.
    ///
    /// One lookup for about each `closest` nodes and each bit, of O(log^2 n + closest log closest).
    pub fn search(&mut self, key: &Key, bits: u32, stream: &mut Stream) -> Vec<Key> {
        let mut found = self.lookup(key);
        let least = found.iter().map(|id| id.common_prefix(*key)).min();
        // A node at the key itself shares all bits, and no key shares all of them and differs.
        let least = least.map(|shared| shared.min(Key::BITS - 1));
        let below = least.map_or(0, |shared| shared + 1);
        for shared in (bits..below).rev() {
            let more = match found.last() {
                Some(last) if shared > MOST_BITS => {
                    let last = *last;
                    self.lookup(&last)
                }
                _ => {
                    let other = key.random_with_exact_prefix(shared, stream);
                    self.search(&other, shared + 1, stream)
                }
            };
            found.extend(more);
        }
        found.retain(|id| id.common_prefix(*key) >= bits);
        found.sort_unstable_by_key(|id| id.xor(*key));
        found.dedup();
        found
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

#[cfg(test)]
mod tests {
    use super::super::Placement;
    use super::*;
    use dhtlab_core::engine::Seed;
    use proptest::prelude::*;

    proptest! {
        /// Without Sybils, and with Sybils while no lookup finds more than 15 common bits, all nodes of
        /// the region are found and no others.
        #[test]
        fn a_region_is_searched_completely(
            seed: u64, nodes in 20usize..2000, sybils in 0usize..60, bits in 0u32..9,
        ) {
            let mut stream = Seed::new(seed).stream("test", 0);
            let honest = KeyTrie::random(nodes, &mut stream);
            let key = Key::random(&mut stream);
            let mut places = Vec::new();
            honest.nearest(&key, 1, &mut places);
            let nearest = honest.keys()[places[0]];
            let sybils = Placement::Closer.sybils(&key, &nearest, sybils, &mut stream);
            let mut region = Region { honest: &honest, sybils: &sybils, closest: 20, lookups: 0 };
            let least = region.lookup(&key).iter().map(|id| id.common_prefix(key)).min();
            prop_assume!(least < Some(MOST_BITS) && nodes > 20 << bits >> 2);
            let found = region.search(&key, bits, &mut stream);
            let inside = |id: &&Key| id.common_prefix(key) >= bits;
            let all = honest.keys().iter().chain(sybils.keys()).filter(inside);
            let mut all: Vec<Key> = all.copied().collect();
            all.sort_by_key(|id| id.xor(key));
            prop_assert_eq!(found, all);
        }
    }
}
