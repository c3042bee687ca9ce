//! Chord's ring: successors, a predecessor, and fingers chosen among the known nodes.

use super::arc::{clockwise, first_after, neighbours, places_around};
use super::{Expected, Members, Topology};
use crate::engine::Stream;
use crate::overlay::MemberIndex;
use crate::overlay::urdht::UrdhtParameters;
use crate::parameter::ConfigError;
use crate::space::{Key, Ring, Space};

/// The ring of Stoica et al. (SIGCOMM 2001) with the unidirectional distance.
///
/// Short peers are the next nodes on the ring and the one before; long peers are Chord's fingers,
/// the first known node at or after ID + 2^i for each i. The root of a key is the first node at or
/// after it. Lookups go to the node nearest *before* the key, which names its successor as the
/// root. Differences from [`Chord`](crate::overlay::chord): fingers are found by gossip instead of
/// lookups, and a key equal to a peer's ID goes directly to that peer.
#[derive(Clone, Debug)]
pub struct ChordRing {
    successors: usize,
}

impl Topology for ChordRing {
    type Point = Key;
    type Distance = Key;

    fn new(parameters: &UrdhtParameters) -> Self {
        Self {
            successors: parameters.table_size.unwrap_or(5) - 1,
        }
    }

    fn check(parameters: &UrdhtParameters) -> Result<(), ConfigError> {
        parameters.least_table(2, "a successor and a predecessor")
    }

    fn root_is_nearest(&self) -> bool {
        false
    }

    fn is_ring(&self) -> bool {
        true
    }

    fn point(&self, key: &Key) -> Key {
        *key
    }

    fn distance(&self, from: &Key, to: &Key) -> Key {
        Ring.distance(from, to)
    }

    fn root_distance(&self, key: &Key, node: &Key) -> Key {
        Ring.distance(key, node)
    }

    fn short(&self, me: &Key, candidates: &[Key]) -> Vec<u32> {
        neighbours(&clockwise(me, candidates), self.successors, 1)
    }

    /// The first node in each interval `[2^i, 2^(i+1))` of distances: these are all fingers.
    fn long(&self, me: &Key, candidates: &[Key], is_short: &[bool], _: &mut Stream) -> Vec<u32> {
        let mut order = clockwise(me, candidates);
        order.dedup_by_key(|(ahead, _)| ahead.log2());
        order
            .into_iter()
            .map(|(_, place)| place)
            .filter(|place| !is_short[*place as usize])
            .collect()
    }

    /// Neighbours and fingers. Time O(log n) per finger.
    fn short_candidates(
        &self,
        all_members: &Members<'_, Key>,
        me: usize,
        _: &mut Stream,
    ) -> Vec<u32> {
        let mut places = places_around(all_members.ids.len(), me, self.successors, 1);
        let fingers = (0..Key::BITS).map(|bit| {
            let start = all_members.ids[me].wrapping_add(Key::power_of_two(bit));
            first_after(all_members.ids, &start) as u32
        });
        places.extend(fingers.filter(|place| *place as usize != me));
        places.sort_unstable();
        places.dedup();
        places
    }

    fn root(&self, member_index: &MemberIndex, key: &Key) -> Option<usize> {
        (!member_index.nodes().is_empty()).then(|| member_index.successor(key))
    }

    fn expected(&self, nodes: f64) -> Expected {
        let doublings = libm::log2(nodes.max(2.0));
        Expected {
            hops: doublings / 2.0 + 1.0,
            peers: doublings + self.successors as f64,
        }
    }
}
