//! The keys of an adversary, sorted, so that mashing a region of the ring needs no search.

use super::pairs::{Pair, Pairs, SearchResult};
use crate::space::{Key, sort_by_key};

/// A key and its pair: 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexedKey {
    /// The key.
    pub key: Key,
    /// The index of its pair in [`KeyIndex::pairs`].
    pub pair: u32,
}

/// Every key of an adversary with its pair, sorted by key.
///
/// A key that several pairs share ([`KeyForm::Source`](super::KeyForm::Source) writes no dots)
/// occurs once, with the first of them: it is one ID.
#[derive(Clone, Debug)]
pub struct KeyIndex {
    pairs: Pairs,
    indexed: Vec<IndexedKey>,
}

impl KeyIndex {
    /// Hashes all pairs and sorts the keys: O(k log k) for k pairs.
    pub fn new(pairs: Pairs) -> Self {
        let with_place = (0..).zip(pairs.keys());
        let mut indexed: Vec<IndexedKey> = Vec::with_capacity(pairs.len());
        indexed.extend(with_place.map(|(pair, key)| IndexedKey { key, pair }));
        sort_by_key(&mut indexed, |indexed| indexed.key);
        indexed.dedup_by_key(|indexed| indexed.key);
        Self { pairs, indexed }
    }

    /// The pairs.
    pub fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    /// The address and port of a key.
    pub fn pair(&self, indexed: &IndexedKey) -> Pair {
        self.pairs.pair(indexed.pair)
    }

    /// All keys, ascending.
    pub fn all(&self) -> &[IndexedKey] {
        &self.indexed
    }

    /// All keys clockwise from `start`, inclusive.
    pub fn clockwise(&self, start: Key) -> impl Iterator<Item = &IndexedKey> {
        let (before, rest) = self.indexed.split_at(self.place(start));
        rest.iter().chain(before)
    }

    /// The keys between two neighbours, from `after` clockwise to `before`, both excluded; the
    /// whole ring if the two are equal. O(log k) before the first.
    pub fn mash_gap(&self, after: Key, before: Key) -> impl Iterator<Item = &IndexedKey> {
        on_arc(&self.indexed, |indexed| indexed.key, after, before)
    }

    /// The result of [`Pairs::search`] in the gap, without hashing: the first pair in search order
    /// whose key lies there. O(log k) and the keys in the gap.
    pub fn search(&self, after: Key, before: Key) -> SearchResult {
        let first = self
            .mash_gap(after, before)
            .map(|indexed| indexed.pair)
            .min();
        self.pairs.ended(first)
    }

    /// The index of the first key at or after `key`.
    fn place(&self, key: Key) -> usize {
        self.indexed.partition_point(|indexed| indexed.key < key)
    }
}

/// The elements of `sorted` (by `key`) from `after` clockwise to `before`, both excluded; the whole
/// ring if the two are equal. O(log k) before the first of k.
pub(super) fn on_arc<T>(
    sorted: &[T],
    key: impl Fn(&T) -> Key,
    after: Key,
    before: Key,
) -> impl Iterator<Item = &T> {
    let from = sorted.partition_point(|one| key(one) <= after);
    let to = sorted.partition_point(|one| key(one) < before);
    let (first, second) = if after < before {
        (&sorted[from..to.max(from)], &[][..])
    } else {
        (&sorted[from..], &sorted[..to])
    };
    first.iter().chain(second)
}

#[cfg(test)]
mod tests {
    use super::super::{Addresses, KeyForm};
    use super::*;
    use crate::engine::Seed;
    use crate::space::key::tests::keys;
    use proptest::prelude::*;

    fn key_index(addresses: usize, ports: u32) -> KeyIndex {
        let mut stream = Seed::new(1).stream("addresses", 0);
        let addresses = Addresses::Random.take(addresses, &mut stream);
        KeyIndex::new(Pairs::new(addresses, 49152, ports, KeyForm::Source))
    }

    #[test]
    fn they_are_the_keys_of_all_pairs_in_order() {
        let key_index = key_index(2, 16384);
        assert_eq!(size_of_val(key_index.all()), 2 * 384 * 1024);
        assert!(key_index.all().is_sorted_by(|a, b| a.key < b.key));
        for indexed in key_index.all().iter().step_by(997) {
            assert_eq!(KeyForm::Source.key(key_index.pair(indexed)), indexed.key);
        }
    }

    /// Two addresses with the same digits have the same keys.
    #[test]
    fn a_key_is_held_once() {
        let addresses = ["1.11.1.1", "2.2.2.2", "11.1.1.1"];
        let addresses = addresses
            .map(|text| text.parse().expect("an address"))
            .to_vec();
        let of = |form| KeyIndex::new(Pairs::new(addresses.clone(), 50000, 100, form));
        let source = of(KeyForm::Source);
        assert_eq!(source.all().len(), 200);
        assert!(source.all().iter().all(|indexed| indexed.pair < 200));
        assert_eq!(of(KeyForm::Plain).all().len(), 300);
    }

    proptest! {
        #[test]
        fn regions_hold_what_lies_in_them(a in keys(), b in keys(), at in 0usize..60) {
            let key_index = key_index(1, 60);
            let all = key_index.all();
            let expect = |start: Key, inside: &dyn Fn(Key) -> bool| {
                let mut there: Vec<Key> = all.iter().map(|indexed| indexed.key).filter(|key| inside(*key)).collect();
                there.sort_by_key(|key| key.wrapping_sub(start));
                there
            };
            let found = |indexed: &IndexedKey| indexed.key;
            let one = Key::power_of_two(0);
            // The critical cases: ends that are keys of the index.
            for (a, b) in [(a, b), (all[at].key, b), (a, all[at].key), (a, a), (all[at].key, all[at].key)] {
                let gap: Vec<Key> = key_index.mash_gap(a, b).map(found).collect();
                prop_assert_eq!(gap, expect(a.wrapping_add(one), &|key| key.is_between(a, b)));
                prop_assert_eq!(key_index.search(a, b), key_index.pairs().search(a, b));
                let clockwise: Vec<Key> = key_index.clockwise(a).map(found).collect();
                prop_assert_eq!(clockwise, expect(a, &|_| true));
            }
        }
    }
}
