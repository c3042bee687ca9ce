//! The topologies whose points are keys, as one type: the code of networks is compiled once for them.

use super::{ChordRing, Clique, Expected, Members, Symphony, Topology, UrdhtSpace, XorBuckets};
use crate::engine::Stream;
use crate::overlay::MemberIndex;
use crate::overlay::urdht::UrdhtParameters;
use crate::parameter::ConfigError;
use crate::space::{Geometry, Key};

/// A topology on a ring or with the XOR metric.
#[derive(Clone, Debug)]
pub enum OnKeys {
    /// Chord.
    Ring(ChordRing),
    /// Kademlia.
    Xor(XorBuckets),
    /// ZHT.
    Clique(Clique),
    /// Symphony.
    Symphony(Symphony),
}

/// Calls the same function of each topology.
macro_rules! each {
    ($self:ident, $topology:ident => $call:expr) => {
        match $self {
            OnKeys::Ring($topology) => $call,
            OnKeys::Xor($topology) => $call,
            OnKeys::Clique($topology) => $call,
            OnKeys::Symphony($topology) => $call,
        }
    };
}

impl Topology for OnKeys {
    type Point = Key;
    type Distance = Key;

    /// The topology of the space that the parameters name; the ring if that has no keys as points.
    fn new(parameters: &UrdhtParameters) -> Self {
        match parameters.space {
            UrdhtSpace::Xor => Self::Xor(XorBuckets::new(parameters)),
            UrdhtSpace::Clique => Self::Clique(Clique::new(parameters)),
            UrdhtSpace::Symphony => Self::Symphony(Symphony::new(parameters)),
            UrdhtSpace::Ring | UrdhtSpace::Euclidean | UrdhtSpace::Hyperbolic | UrdhtSpace::Can => {
                Self::Ring(ChordRing::new(parameters))
            }
        }
    }

    fn check(parameters: &UrdhtParameters) -> Result<(), ConfigError> {
        match parameters.space {
            UrdhtSpace::Ring => ChordRing::check(parameters),
            UrdhtSpace::Xor => XorBuckets::check(parameters),
            UrdhtSpace::Clique => Clique::check(parameters),
            UrdhtSpace::Symphony => Symphony::check(parameters),
            UrdhtSpace::Euclidean | UrdhtSpace::Hyperbolic | UrdhtSpace::Can => Ok(()),
        }
    }

    fn root_is_nearest(&self) -> bool {
        each!(self, topology => topology.root_is_nearest())
    }

    fn is_ring(&self) -> bool {
        each!(self, topology => topology.is_ring())
    }

    fn point(&self, key: &Key) -> Key {
        *key
    }

    #[inline]
    fn distance(&self, from: &Key, to: &Key) -> Key {
        each!(self, topology => topology.distance(from, to))
    }

    #[inline]
    fn root_distance(&self, key: &Key, node: &Key) -> Key {
        each!(self, topology => topology.root_distance(key, node))
    }

    fn short(&self, me: &Key, candidates: &[Key]) -> Vec<u32> {
        each!(self, topology => topology.short(me, candidates))
    }

    fn long(
        &self,
        me: &Key,
        candidates: &[Key],
        is_short: &[bool],
        random: &mut Stream,
    ) -> Vec<u32> {
        each!(self, topology => topology.long(me, candidates, is_short, random))
    }

    fn short_candidates(
        &self,
        all_members: &Members<'_, Key>,
        me: usize,
        random: &mut Stream,
    ) -> Vec<u32> {
        each!(self, topology => topology.short_candidates(all_members, me, random))
    }

    fn long_candidates(
        &self,
        members: usize,
        me: usize,
        short_candidates: &[u32],
        second: &[u32],
        random: &mut Stream,
    ) -> Vec<u32> {
        each!(self, topology => {
            topology.long_candidates(members, me, short_candidates, second, random)
        })
    }

    fn root(&self, member_index: &MemberIndex, key: &Key) -> Option<usize> {
        each!(self, topology => topology.root(member_index, key))
    }

    fn geometry(&self) -> Geometry {
        each!(self, topology => topology.geometry())
    }

    fn expected(&self, nodes: f64) -> Expected {
        each!(self, topology => topology.expected(nodes))
    }
}
