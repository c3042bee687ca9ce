//! Keys in their order: a binary trie without pointers, in which each subtree is a range.

use super::{Key, sort_by_key};
use crate::engine::Stream;
use std::ops::Range;

/// Different keys, ascending. Those that share their first bits form a range, so subtrees and the
/// keys that are nearest by XOR are found by binary search. A key is named by its place in the order.
///
/// 20 bytes for each key.
#[derive(Clone, Debug, Default)]
pub struct KeyTrie(Vec<Key>);

impl KeyTrie {
    /// The trie of `keys`; equal ones count once. O(n log n).
    pub fn new(mut keys: Vec<Key>) -> Self {
        sort_by_key(&mut keys, |key| *key);
        keys.dedup();
        Self(keys)
    }

    /// A trie of `count` different keys drawn uniformly. O(n log n).
    pub fn random(count: usize, stream: &mut Stream) -> Self {
        let mut trie = Self::default();
        while trie.len() < count {
            let missing = count - trie.len();
            trie.0.extend((0..missing).map(|_| Key::random(stream)));
            trie = Self::new(trie.0);
        }
        trie
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys, ascending.
    pub fn keys(&self) -> &[Key] {
        &self.0
    }

    /// The places of the keys that share the first `bits` bits with `key`, or more. O(log n).
    pub fn subtree(&self, key: &Key, bits: u32) -> Range<usize> {
        let free = Key::BITS - bits;
        let first = key.xor(key.low_bits(free));
        let last = first.xor(
            Key::default()
                .wrapping_sub(Key::power_of_two(0))
                .low_bits(free),
        );
        let start = self.0.partition_point(|other| *other < first);
        let length = self.0[start..].partition_point(|other| *other <= last);
        start..start + length
    }

    /// Divides `range`, whose keys share their first `bit` bits, into those in which bit `bit` is 0
    /// and those in which it is 1. O(log n).
    pub fn halves(&self, range: Range<usize>, bit: u32) -> [Range<usize>; 2] {
        let zeros = self.0[range.clone()].partition_point(|key| key.bits(bit, 1) == 0);
        let middle = range.start + zeros;
        [range.start..middle, middle..range.end]
    }

    /// Replaces `places` by the places of the `count` keys nearest to `key` by XOR, nearest first,
    /// or of all keys. O(log^2 n + `count` log `count`) for uniform keys.
    pub fn nearest(&self, key: &Key, count: usize, places: &mut Vec<usize>) {
        // Uniform keys have several times `count` keys in this subtree, almost surely.
        let mut bits = (self.len() / (4 * count.max(1)))
            .checked_ilog2()
            .unwrap_or(0);
        let mut range = self.subtree(key, bits);
        if range.len() < count {
            (bits, range) = (0, 0..self.len());
        }
        while bits < Key::BITS {
            let own = key.bits(bits, 1) as usize;
            let half = self.halves(range.clone(), bits)[own].clone();
            if half.len() < count {
                break;
            }
            (bits, range) = (bits + 1, half);
        }
        places.clear();
        places.extend(range);
        places.sort_unstable_by_key(|place| self.0[*place].xor(*key));
        places.truncate(count);
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::tests::keys;
    use super::*;
    use crate::engine::Seed;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Keys of which many share long prefixes.
    fn crowded() -> impl Strategy<Value = Vec<Key>> {
        vec((keys(), 0u32..=160), 0..80).prop_map(|keys| {
            let low = |(key, bits): (Key, u32)| key.low_bits(bits);
            keys.into_iter().map(low).collect()
        })
    }

    proptest! {
        #[test]
        fn subtrees_and_nearest_keys_are_those_of_a_scan(
            some in crowded(), few in 0usize..100, count in 0usize..40, key in keys(),
            kept in 0u32..=160, bits in 0u32..=160, seed: u64,
        ) {
            let mut stream = Seed::new(seed).stream("keys", 0);
            let key = key.low_bits(kept);
            for trie in [KeyTrie::new(some), KeyTrie::random(few, &mut stream)] {
                prop_assert!(trie.keys().is_sorted_by(|a, b| a < b));
                let shares = |place: &usize| trie.keys()[*place].common_prefix(key) >= bits;
                let expected: Vec<usize> = (0..trie.len()).filter(shares).collect();
                let subtree = trie.subtree(&key, bits);
                prop_assert_eq!(subtree.clone().collect::<Vec<_>>(), expected);
                if bits < Key::BITS {
                    let [zeros, ones] = trie.halves(subtree.clone(), bits);
                    prop_assert_eq!((zeros.start, zeros.end, ones.end), (subtree.start, ones.start, subtree.end));
                    prop_assert!(zeros.into_iter().all(|place| trie.keys()[place].bits(bits, 1) == 0));
                    prop_assert!(ones.into_iter().all(|place| trie.keys()[place].bits(bits, 1) == 1));
                }
                let mut expected: Vec<usize> = (0..trie.len()).collect();
                expected.sort_by_key(|place| trie.keys()[*place].xor(key));
                expected.truncate(count);
                let mut places = vec![3];
                trie.nearest(&key, count, &mut places);
                prop_assert_eq!(places, expected);
            }
        }
    }

    #[test]
    fn nearest_of_many_are_those_of_a_scan() {
        let mut stream = Seed::new(5).stream("keys", 0);
        let trie = KeyTrie::random(3000, &mut stream);
        assert_eq!(trie.len(), 3000);
        let mut places = Vec::new();
        for _ in 0..20 {
            let key = Key::random(&mut stream);
            let mut expected: Vec<usize> = (0..trie.len()).collect();
            expected.sort_by_key(|place| trie.keys()[*place].xor(key));
            trie.nearest(&key, 20, &mut places);
            assert_eq!(places, expected[..20]);
        }
    }
}
