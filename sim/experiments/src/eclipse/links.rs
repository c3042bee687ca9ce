//! The links that lead to a Sybil once all keys of an adversary are on the ring.
//!
//! Every count is for the first 1, 2, ... addresses at once. A link is occluded from the first
//! address on that has a key in its arc, between its beginning and the honest node that it leads
//! to.

use super::Links;
use dhtlab_core::adversary::KeyIndex;
use dhtlab_core::space::{Key, sort_by_key};

/// The counts of one network, for 1, 2, ... addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// Occluded links.
    pub occluded: Vec<u64>,
    /// Sybils on the ring.
    pub sybils: Vec<u64>,
}

/// Number of links per node.
pub(super) fn a_node(links: Links) -> u64 {
    match links {
        Links::Neighbours => 1,
        Links::Fingers => Key::BITS.into(),
    }
}

/// Counts the occluded links of the nodes with `ids`, ascending.
pub(super) fn count(links: Links, ids: &[Key], key_index: &KeyIndex) -> Count {
    let mut sybils = ByAddress::of(key_index);
    for indexed in key_index.all() {
        sybils.add(key_index.pairs().address_of(indexed.pair), 1);
    }
    let occluded = match links {
        Links::Neighbours => neighbours(ids, key_index),
        Links::Fingers => fingers(ids, key_index),
    };
    Count {
        occluded: occluded.up_to_each(),
        sybils: sybils.up_to_each(),
    }
}

/// Counts by the first address that causes them.
struct ByAddress(Vec<u64>);

impl ByAddress {
    fn of(key_index: &KeyIndex) -> Self {
        Self(vec![0; key_index.pairs().addresses().len()])
    }

    fn add(&mut self, address: usize, count: u64) {
        self.0[address] += count;
    }

    /// The counts for the first 1, 2, ... addresses.
    fn up_to_each(self) -> Vec<u64> {
        let sums = self.0.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        sums.collect()
    }
}

/// The occluded links from each node to the next: O(n + k) for n nodes and k Sybils.
fn neighbours(ids: &[Key], key_index: &KeyIndex) -> ByAddress {
    let mut occluded = ByAddress::of(key_index);
    let pairs = key_index.pairs();
    // The gap after the last node and before the first is one gap.
    let over_zero = key_index.mash_gap(ids[ids.len() - 1], ids[0]);
    if let Some(first) = over_zero
        .map(|indexed| pairs.address_of(indexed.pair))
        .min()
    {
        occluded.add(first, 1);
    }
    let mut indexed = key_index.all();
    indexed = &indexed[indexed.partition_point(|indexed| indexed.key <= ids[0])..];
    for id in &ids[1..] {
        let mut first = usize::MAX;
        while let Some((next, rest)) = indexed.split_first()
            && next.key < *id
        {
            first = first.min(pairs.address_of(next.pair));
            indexed = rest;
        }
        if first < usize::MAX {
            occluded.add(first, 1);
        }
        if let Some((_, rest)) = indexed.split_first().filter(|(next, _)| next.key == *id) {
            indexed = rest;
        }
    }
    occluded
}

/// A key on the merged ring of nodes and Sybils.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Merged {
    key: Key,
    /// [`HONEST`], or the first address that has a key from this one to the next honest node.
    first: u32,
}

const HONEST: u32 = u32::MAX;

/// Bytes of a node or a Sybil on the merged ring.
pub(super) const MERGED_BYTES: usize = size_of::<Merged>();

/// The merged ring: nodes with `ids`, and Sybils.
fn merge(ids: &[Key], key_index: &KeyIndex) -> Vec<Merged> {
    let mut ring = Vec::with_capacity(ids.len() + key_index.all().len());
    ring.extend(key_index.all().iter().map(|indexed| Merged {
        key: indexed.key,
        first: key_index.pairs().address_of(indexed.pair) as u32,
    }));
    ring.extend(ids.iter().map(|id| Merged {
        key: *id,
        first: HONEST,
    }));
    sort_by_key(&mut ring, |place| place.key);
    // An honest node at the same key keeps its ID.
    ring.dedup_by(|later, place| {
        let same = later.key == place.key;
        if same {
            place.first = place.first.max(later.first);
        }
        same
    });
    // Counter-clockwise from the last node, each Sybil takes the minimum over those between it and
    // a node; the Sybils after the last node come at the end of the pass.
    let last = ring.iter().rposition(|place| place.first == HONEST);
    let last = last.unwrap_or(0);
    let mut first = HONEST;
    for place in (0..=last).rev().chain((last + 1..ring.len()).rev()) {
        let place = &mut ring[place];
        first = if place.first == HONEST {
            HONEST
        } else {
            first.min(place.first)
        };
        place.first = first;
    }
    ring
}

/// The occluded fingers of all nodes.
///
/// A finger not longer than the distance to the next key on the merged ring leads to that key.
/// Beyond the smallest of these distances, the fingers of each length begin in the order of the
/// nodes, so one pass around the ring finds the ends of all: O((n + k) log(n + k)) for n nodes and
/// k Sybils.
fn fingers(ids: &[Key], key_index: &KeyIndex) -> ByAddress {
    let ring = merge(ids, key_index);
    let mut occluded = ByAddress::of(key_index);
    let mut add = |first: u32, count: u64| {
        if first != HONEST {
            occluded.add(first as usize, count);
        }
    };
    // Fingers below this bit lead to the next key for every node.
    let mut near = Key::BITS;
    for (place, node) in ring.iter().enumerate() {
        if node.first == HONEST {
            let next = ring[(place + 1) % ring.len()].key;
            let reach = next.wrapping_sub(node.key).log2();
            near = near.min(reach.map_or(Key::BITS, |bit| bit + 1));
        }
    }
    for (place, node) in ring.iter().enumerate() {
        if node.first == HONEST {
            add(ring[(place + 1) % ring.len()].first, near.into());
        }
    }
    for bit in near..Key::BITS {
        let length = Key::power_of_two(bit);
        let over_zero = ids.partition_point(|id| *id < Key::default().wrapping_sub(length));
        for part in [&ids[over_zero..], &ids[..over_zero]] {
            let Some(first) = part.first() else {
                continue;
            };
            let start = first.wrapping_add(length);
            let mut place = ring.partition_point(|other| other.key < start);
            for id in part {
                let start = id.wrapping_add(length);
                while place < ring.len() && ring[place].key < start {
                    place += 1;
                }
                add(ring[place % ring.len()].first, 1);
            }
        }
    }
    occluded
}

#[cfg(test)]
mod tests {
    use super::*;
    use dhtlab_core::adversary::{Addresses, KeyForm, Pairs};
    use dhtlab_core::engine::Seed;
    use proptest::prelude::*;

    fn keys() -> impl Strategy<Value = Key> {
        any::<[u8; 20]>().prop_map(Key::from_bytes)
    }

    fn key_index(seed: u64, addresses: usize, ports: u32) -> KeyIndex {
        let mut stream = Seed::new(seed).stream("addresses", 0);
        let addresses = Addresses::Random.take(addresses, &mut stream);
        KeyIndex::new(Pairs::new(addresses, 50000, ports, KeyForm::Plain))
    }

    /// Checks link by link whether each leads to a Sybil of one of the first `addresses`: to the
    /// first of all keys at or after the beginning of the link.
    fn one_by_one(links: Links, ids: &[Key], key_index: &KeyIndex, addresses: usize) -> u64 {
        let starts = |id: &Key| match links {
            Links::Neighbours => vec![id.wrapping_add(Key::power_of_two(0))],
            Links::Fingers => (0..Key::BITS)
                .map(|bit| id.wrapping_add(Key::power_of_two(bit)))
                .collect(),
        };
        let sybils: Vec<Key> = key_index
            .all()
            .iter()
            .filter(|indexed| key_index.pairs().address_of(indexed.pair) < addresses)
            .map(|indexed| indexed.key)
            .collect();
        let ahead = |keys: &[Key], start: Key| keys.iter().map(|key| key.wrapping_sub(start)).min();
        let is_occluded = |start: &Key| ahead(&sybils, *start) < ahead(ids, *start);
        ids.iter().flat_map(starts).filter(is_occluded).count() as u64
    }

    proptest! {
        #[test]
        fn it_is_the_count_of_all_links_one_by_one(
            mut ids in prop::collection::vec(keys(), 2..12),
            seed: u64,
            ports in 1u32..8,
            close in 0u32..160,
            at in 0usize..8,
        ) {
            let key_index = key_index(seed, 3, ports);
            // Some nodes are close to one another and to a Sybil, and one is at a Sybil's ID.
            let indexed = key_index.all()[at % key_index.all().len()].key;
            ids.push(ids[0].wrapping_add(Key::power_of_two(close)));
            ids.push(indexed.wrapping_sub(Key::power_of_two(close)));
            ids.push(indexed.wrapping_add(Key::power_of_two(close)));
            ids.sort_unstable();
            ids.dedup();
            for links in Links::ALL {
                let found = count(*links, &ids, &key_index);
                for addresses in 1..=3 {
                    let expected = one_by_one(*links, &ids, &key_index, addresses);
                    prop_assert_eq!(found.occluded[addresses - 1], expected, "{:?}", links);
                }
                prop_assert_eq!(&found.sybils, &[1, 2, 3].map(|m| m * u64::from(ports)));
            }
        }
    }

    /// A Sybil cannot replace a node with the same ID.
    #[test]
    fn a_node_keeps_its_id() {
        let key_index = key_index(1, 1, 5);
        let ids: Vec<Key> = key_index.all().iter().map(|indexed| indexed.key).collect();
        for links in Links::ALL {
            assert_eq!(count(*links, &ids, &key_index).occluded, [0]);
        }
    }
}
