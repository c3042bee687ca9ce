//! Kademlia's XOR metric: the nearest nodes, and buckets of a few nodes per distance.

use super::{Expected, Members, Topology};
use crate::engine::Stream;
use crate::overlay::MemberIndex;
use crate::overlay::urdht::UrdhtParameters;
use crate::space::{Geometry, Key, Space, Xor};
use std::ops::Range;

/// The XOR metric of Maymounkov and Mazieres (IPTPS 2002).
///
/// Short peers are the nearest nodes, long peers fill the buckets: of the nodes that share exactly
/// so many leading bits with this one, the nearest `bucket`, short peers included. The root of a
/// key is the node nearest to it. As long as no bucket is empty that could have a node, greedy
/// lookups end there. Differences from Kademlia: lookups are forwarded from node to node, and
/// buckets are filled by gossip with the nearest nodes instead of by traffic with those known
/// longest. By gossip the latter would give all nodes the same few old ones.
#[derive(Clone, Debug)]
pub struct XorBuckets {
    nearest: usize,
    bucket: usize,
}

/// Whether bit `bit` of `key` is set.
fn is_set(key: &Key, bit: u32) -> bool {
    key.words()[4 - (bit / 32) as usize] >> (bit % 32) & 1 == 1
}

/// Splits `range` of the sorted `ids`, which share all bits above `bit`, at that bit: the IDs with
/// the same bit as `key`, and the others.
fn split(
    id: impl Fn(usize) -> Key,
    range: Range<usize>,
    bit: u32,
    key: &Key,
) -> (Range<usize>, Range<usize>) {
    let (mut middle, mut end) = (range.start, range.end);
    while middle < end {
        let place = middle.midpoint(end);
        if is_set(&id(place), bit) {
            end = place;
        } else {
            middle = place + 1;
        }
    }
    let (zeros, ones) = (range.start..middle, middle..range.end);
    if is_set(key, bit) {
        (ones, zeros)
    } else {
        (zeros, ones)
    }
}

/// Adds the indices of the `count` IDs of `range` nearest to `key` to `places`; the IDs in the
/// range share all bits from `bits` on.
fn add_nearest(
    ids: &[Key],
    range: Range<usize>,
    bits: u32,
    key: &Key,
    count: usize,
    places: &mut Vec<u32>,
) {
    match bits.checked_sub(1) {
        Some(bit) if range.len() > count => {
            let (same, other) = split(|place| ids[place], range, bit, key);
            let rest = count.saturating_sub(same.len());
            add_nearest(ids, same, bit, key, count, places);
            if rest > 0 {
                add_nearest(ids, other, bit, key, rest, places);
            }
        }
        _ => places.extend(range.take(count).map(|place| place as u32)),
    }
}

impl Topology for XorBuckets {
    type Point = Key;
    type Distance = Key;

    fn new(parameters: &UrdhtParameters) -> Self {
        Self {
            nearest: parameters.table_size.unwrap_or(7),
            bucket: parameters.bucket,
        }
    }

    fn point(&self, key: &Key) -> Key {
        *key
    }

    fn distance(&self, from: &Key, to: &Key) -> Key {
        Xor.distance(from, to)
    }

    fn short(&self, me: &Key, candidates: &[Key]) -> Vec<u32> {
        let away = |place: &u32| Xor.distance(me, &candidates[*place as usize]);
        let mut places: Vec<u32> = (0..candidates.len() as u32).collect();
        if places.len() > self.nearest {
            places.select_nth_unstable_by_key(self.nearest, away);
            places.truncate(self.nearest);
        }
        places.sort_unstable_by_key(away);
        places
    }

    fn long(&self, me: &Key, candidates: &[Key], is_short: &[bool], _: &mut Stream) -> Vec<u32> {
        let mut order: Vec<(Key, u32)> = candidates
            .iter()
            .enumerate()
            .map(|(place, id)| (Xor.distance(me, id), place as u32))
            .collect();
        // Short peers are the nearest of all, so they come first.
        order.sort_unstable();
        let mut filled = 0;
        let mut last = None;
        let has_room = |(distance, _): &(Key, u32)| {
            let bucket = distance.log2();
            if last != bucket {
                (last, filled) = (bucket, 0);
            }
            filled += 1;
            filled <= self.bucket
        };
        order
            .into_iter()
            .filter(has_room)
            .map(|(_, place)| place)
            .filter(|place| !is_short[*place as usize])
            .collect()
    }

    /// The nearest of each bucket, and enough to include the nearest of all. Time O(log^2 n).
    fn short_candidates(
        &self,
        all_members: &Members<'_, Key>,
        me: usize,
        _: &mut Stream,
    ) -> Vec<u32> {
        let own = &all_members.ids[me];
        let mut places = Vec::new();
        let mut near = 0..all_members.ids.len();
        for bit in (0..Key::BITS).rev() {
            if near.len() <= 1 {
                break;
            }
            let (same, other) = split(|place| all_members.ids[place], near, bit, own);
            // The nearest of all may have to come from this bucket.
            let missing = (self.nearest + 1).saturating_sub(same.len());
            let count = self.bucket.max(missing);
            add_nearest(all_members.ids, other, bit, own, count, &mut places);
            near = same;
        }
        places
    }

    /// Descends the prefix tree, along the key where there are nodes. Time O(log^2 n).
    fn root(&self, member_index: &MemberIndex, key: &Key) -> Option<usize> {
        let mut near = 0..member_index.len();
        for bit in (0..Key::BITS).rev() {
            if near.len() <= 1 {
                break;
            }
            let (same, other) = split(|place| *member_index.id(place), near, bit, key);
            near = if same.is_empty() { other } else { same };
        }
        near.next()
    }

    fn geometry(&self) -> Geometry {
        Geometry::Xor
    }

    fn expected(&self, nodes: f64) -> Expected {
        let doublings = libm::log2(nodes.max(2.0));
        Expected {
            hops: doublings / 2.0 + 1.0,
            peers: doublings * self.bucket as f64 + self.nearest as f64,
        }
    }
}
