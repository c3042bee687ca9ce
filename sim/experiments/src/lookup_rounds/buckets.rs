//! The k-buckets of a static network.

use dhtlab_core::engine::{Seed, Stream};
use dhtlab_core::space::{Key, KeyTrie};
use std::ops::Range;

dhtlab_core::choices! {
    /// Which nodes of its range a bucket holds.
    pub enum Filling {
        /// Random ones.
        Random = "random",
        /// Half of them from each half of the range, and so on recursively.
        Balanced = "balanced",
    }
}

/// The buckets of all nodes: bucket c of a node holds up to k of the nodes that share exactly its
/// first c bits.
///
/// A bucket is a function of the seed, the node and c. It is drawn each time that it is read, so
/// buckets need no memory, and those that no lookup reads no time.
pub(super) struct Buckets<'a> {
    pub nodes: &'a KeyTrie,
    pub k: usize,
    pub filling: Filling,
    pub seed: Seed,
}

impl Buckets<'_> {
    /// Appends the places of the nodes in bucket `bits` of the node at `place`. O(log n + k^2) for a
    /// random bucket, O(k log n) for a balanced one.
    fn append(&self, place: usize, bits: u32, picks: &mut Vec<usize>, into: &mut Vec<usize>) {
        let id = self.nodes.keys()[place];
        let sibling = id.xor(Key::power_of_two(Key::BITS - 1 - bits));
        let range = self.nodes.subtree(&sibling, bits + 1);
        if range.len() <= self.k {
            into.extend(range);
            return;
        }
        let bucket = place as u64 * u64::from(Key::BITS) + u64::from(bits);
        let mut stream = self.seed.stream("buckets", bucket);
        match self.filling {
            Filling::Random => {
                stream.sample_range(range, self.k, picks);
                into.append(picks);
            }
            Filling::Balanced => self.balance(range, self.k, &mut stream, into),
        }
    }

    /// Appends `count` nodes of `range`, which has as many: half of them from each half, and of a half
    /// with fewer all. An odd one goes to a random half.
    fn balance(
        &self,
        range: Range<usize>,
        count: usize,
        stream: &mut Stream,
        into: &mut Vec<usize>,
    ) {
        if count == 0 || range.len() == count {
            into.extend(range.take(count));
            return;
        }
        let keys = self.nodes.keys();
        // Bits that all keys of the range share do not divide it.
        let bit = keys[range.start].common_prefix(keys[range.end - 1]);
        let [zeros, ones] = self.nodes.halves(range, bit);
        let half = count.div_ceil(2);
        let first = match (zeros.len() >= half, ones.len() >= half) {
            (true, true) if count % 2 == 1 => half - usize::from(stream.chance(0.5)),
            (true, true) => half,
            (true, false) => count - ones.len(),
            _ => zeros.len(),
        };
        self.balance(zeros, first, stream, into);
        self.balance(ones, count - first, stream, into);
    }

    /// Appends the answer of the node at `place` to a request for `key`: the bucket that the key falls
    /// into. If it is empty, all buckets of more common bits, and if these are empty, too, the one of
    /// the most common bits below that is not.
    pub fn answer(&self, place: usize, key: &Key, picks: &mut Vec<usize>, into: &mut Vec<usize>) {
        let (id, before) = (self.nodes.keys()[place], into.len());
        let own = id.common_prefix(*key);
        if own < Key::BITS {
            self.append(place, own, picks, into);
        }
        let mut bits = own + 1;
        if into.len() == before {
            // The node itself is one of those that share so many bits.
            while bits < Key::BITS && self.nodes.subtree(&id, bits).len() > 1 {
                self.append(place, bits, picks, into);
                bits += 1;
            }
        }
        let mut bits = own;
        while into.len() == before && bits > 0 {
            bits -= 1;
            self.append(place, bits, picks, into);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bucket(buckets: &Buckets<'_>, place: usize, bits: u32) -> Vec<usize> {
        let mut into = Vec::new();
        buckets.append(place, bits, &mut Vec::new(), &mut into);
        into.sort_unstable();
        into
    }

    proptest! {
        /// A bucket has k different nodes of its range or all, the same each time; a balanced one has
        /// numbers from the two halves of any subtree that differ by more than 1 only if a half has
        /// too few nodes.
        #[test]
        fn buckets_have_nodes_of_their_range(
            seed: u64, n in 2usize..400, k in 1usize..30, place in 0usize..400, bits in 0u32..8,
        ) {
            let seed = Seed::new(seed);
            let nodes = KeyTrie::random(n, &mut seed.stream("ids", 0));
            let (place, keys) = (place % n, nodes.keys());
            let own = |other: &usize| keys[*other].common_prefix(keys[place]) == bits;
            let range: Vec<usize> = (0..n).filter(own).collect();
            for filling in [Filling::Random, Filling::Balanced] {
                let buckets = Buckets { nodes: &nodes, k, filling, seed };
                let mut held = bucket(&buckets, place, bits);
                prop_assert_eq!(&bucket(&buckets, place, bits), &held);
                prop_assert!(held.iter().all(|other| range.contains(other)));
                held.dedup();
                prop_assert_eq!(held.len(), k.min(range.len()));
                if filling == Filling::Random || held.is_empty() {
                    continue;
                }
                for deeper in bits + 1..12 {
                    let subtree = nodes.subtree(&keys[held[0]], deeper);
                    let halves = nodes.halves(subtree, deeper);
                    let [a, b] = halves.map(|half| {
                        let taken = held.iter().filter(|other| half.contains(other)).count();
                        (taken, taken == half.len())
                    });
                    prop_assert!(a.0.abs_diff(b.0) <= 1 || a.1 && a.0 < b.0 || b.1 && b.0 < a.0);
                }
            }
        }

        /// An answer is the bucket of the key, or what stands in for an empty one.
        #[test]
        fn answers_are_the_bucket_of_the_key(
            seed: u64, n in 2usize..100, place in 0usize..100, shared in 0u32..12,
        ) {
            let seed = Seed::new(seed);
            let mut stream = seed.stream("ids", 0);
            let nodes = KeyTrie::random(n, &mut stream);
            let (place, keys) = (place % n, nodes.keys());
            let buckets = Buckets { nodes: &nodes, k: n, filling: Filling::Random, seed };
            let key = keys[place].random_with_exact_prefix(shared, &mut stream);
            let mut answer = Vec::new();
            buckets.answer(place, &key, &mut Vec::new(), &mut answer);
            answer.sort_unstable();
            let lengths: Vec<u32> = keys.iter().map(|other| other.common_prefix(keys[place])).collect();
            let of = |fits: &dyn Fn(u32) -> bool| -> Vec<usize> {
                (0..n).filter(|other| *other != place && fits(lengths[*other])).collect()
            };
            let mut expected = of(&|bits| bits == shared);
            if expected.is_empty() {
                expected = of(&|bits| bits > shared);
            }
            if expected.is_empty() {
                let most = (0..n).filter(|other| *other != place).map(|other| lengths[other]).max();
                expected = of(&|bits| Some(bits) == most);
            }
            prop_assert_eq!(answer, expected);
        }
    }
}
