//! Symphony: a ring with long links whose lengths are drawn from the harmonic distribution.

use super::arc::{clockwise, first_after, neighbours, places_around};
use super::{Expected, Members, Topology};
use crate::engine::Stream;
use crate::overlay::MemberIndex;
use crate::overlay::urdht::UrdhtParameters;
use crate::parameter::ConfigError;
use crate::space::{Key, Ring, Space};

/// The small world of Manku, Bawa and Raghavan (USITS 2003).
///
/// Short peers are the neighbours on both sides. Long peers are the first nodes at or after points
/// whose distance ahead, as a fraction of the ring, is drawn with density 1 / (x ln n) on `[1/n,
/// 1]`; n is estimated from the density of the short peers. The root of a key is the first node at
/// or after it; lookups use the peer nearest to the key in either direction (the paper's
/// bidirectional routing, section 3.4): O(log^2 n / k) hops with k long peers.
///
/// Differences: a node's draws follow from its ID, so they are the same at every choice; the node
/// at a drawn point is found by gossip instead of a lookup; the number of incoming links is not
/// limited, and these are not used backwards.
#[derive(Clone, Debug)]
pub struct Symphony {
    ahead: usize,
    behind: usize,
    long: usize,
}

const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

/// A distance on the ring as a fraction of its length.
fn part(way: Key) -> f64 {
    way.prefix() as f64 / TWO_TO_64
}

impl Symphony {
    /// The drawn distances ahead of node `me` in a network of about `nodes` nodes.
    fn draws(&self, me: Key, nodes: f64) -> impl Iterator<Item = Key> {
        (0..self.long as u32).map(move |draw| {
            let mut seed = me.to_bytes().to_vec();
            seed.extend(draw.to_be_bytes());
            // Uniform u gives n^(u - 1) with the wanted density.
            let part = libm::pow(nodes, part(Key::sha1(&seed)) - 1.0);
            let mut bytes = [0; 20];
            bytes[..8].copy_from_slice(&((part * TWO_TO_64) as u64).to_be_bytes());
            Key::from_bytes(bytes)
        })
    }

    /// The estimated number of nodes, with the density around a node that knows `known` others, the
    /// farthest neighbours of which are so far ahead and behind.
    fn estimate(&self, known: usize, ahead: Key, behind: Key) -> f64 {
        let short = self.ahead + self.behind;
        if known <= short {
            known as f64 + 1.0
        } else {
            short as f64 / (part(ahead) + part(behind)).max(1.0 / TWO_TO_64)
        }
    }
}

impl Topology for Symphony {
    type Point = Key;
    type Distance = Key;

    fn new(parameters: &UrdhtParameters) -> Self {
        let short = parameters.table_size.unwrap_or(4);
        Self {
            ahead: short.div_ceil(2),
            behind: short / 2,
            long: parameters.long_peers.unwrap_or(4),
        }
    }

    fn check(parameters: &UrdhtParameters) -> Result<(), ConfigError> {
        parameters.least_table(2, "a neighbour on each side")
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
        Ring::either_way(from, to)
    }

    fn root_distance(&self, key: &Key, node: &Key) -> Key {
        Ring.distance(key, node)
    }

    fn short(&self, me: &Key, candidates: &[Key]) -> Vec<u32> {
        neighbours(&clockwise(me, candidates), self.ahead, self.behind)
    }

    fn long(&self, me: &Key, candidates: &[Key], is_short: &[bool], _: &mut Stream) -> Vec<u32> {
        let order = clockwise(me, candidates);
        let n = order.len();
        let nodes = match (order.get(self.ahead - 1), n.checked_sub(self.behind)) {
            (Some(last), Some(first)) if first < n => {
                self.estimate(n, last.0, Key::default().wrapping_sub(order[first].0))
            }
            _ => n as f64 + 1.0,
        };
        let mut places: Vec<u32> = self
            .draws(*me, nodes)
            .filter_map(|way| order.get(order.partition_point(|(ahead, _)| *ahead < way)))
            .map(|(_, place)| *place)
            .filter(|place| !is_short[*place as usize])
            .collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Neighbours and the nodes at the drawn points. Time O(log n) per long peer.
    fn short_candidates(
        &self,
        all_members: &Members<'_, Key>,
        me: usize,
        _: &mut Stream,
    ) -> Vec<u32> {
        let (ids, n) = (all_members.ids, all_members.ids.len());
        let mut places = places_around(n, me, self.ahead, self.behind);
        if n > self.ahead + self.behind + 1 {
            let ahead = ids[(me + self.ahead) % n].wrapping_sub(ids[me]);
            let behind = ids[me].wrapping_sub(ids[(me + n - self.behind) % n]);
            let nodes = self.estimate(n - 1, ahead, behind);
            let drawn = self.draws(ids[me], nodes);
            let found = drawn.map(|way| first_after(ids, &ids[me].wrapping_add(way)) as u32);
            places.extend(found.filter(|place| *place as usize != me));
            places.sort_unstable();
            places.dedup();
        }
        places
    }

    fn root(&self, member_index: &MemberIndex, key: &Key) -> Option<usize> {
        (!member_index.nodes().is_empty()).then(|| member_index.successor(key))
    }

    fn expected(&self, nodes: f64) -> Expected {
        let doublings = libm::log2(nodes.max(2.0));
        Expected {
            hops: doublings * doublings / (self.long.max(1) as f64 * 2.0) + 1.0,
            peers: (self.ahead + self.behind + self.long) as f64,
        }
    }
}
