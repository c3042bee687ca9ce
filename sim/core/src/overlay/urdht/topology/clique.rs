//! ZHT: every node knows all others.

use super::{Expected, Topology};
use crate::engine::Stream;
use crate::overlay::MemberIndex;
use crate::overlay::urdht::UrdhtParameters;
use crate::space::{Key, Ring, Space};

/// The zero-hop DHT of Li et al. (IPDPS 2013): a ring on which every node knows all others.
///
/// The root of a key is the first node at or after it, and every other node sends to it directly,
/// so the closeness is the distance from the key on to the node. A joiner gets the whole table from
/// the root of its ID and notifies all nodes; gossip repairs losses.
#[derive(Clone, Debug)]
pub struct Clique;

impl Topology for Clique {
    type Point = Key;
    type Distance = Key;

    fn new(_: &UrdhtParameters) -> Self {
        Self
    }

    fn is_ring(&self) -> bool {
        true
    }

    fn point(&self, key: &Key) -> Key {
        *key
    }

    fn distance(&self, from: &Key, to: &Key) -> Key {
        Ring.distance(to, from)
    }

    fn short(&self, _: &Key, candidates: &[Key]) -> Vec<u32> {
        (0..candidates.len() as u32).collect()
    }

    fn long(&self, _: &Key, _: &[Key], _: &[bool], _: &mut Stream) -> Vec<u32> {
        Vec::new()
    }

    fn root(&self, member_index: &MemberIndex, key: &Key) -> Option<usize> {
        (!member_index.nodes().is_empty()).then(|| member_index.successor(key))
    }

    fn expected(&self, nodes: f64) -> Expected {
        Expected {
            hops: 1.0,
            peers: nodes,
        }
    }
}
