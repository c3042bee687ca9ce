//! VHash's Euclidean torus.

use super::delaunay::Delaunay;
use super::{Crowd, Expected, Topology};
use crate::engine::Stream;
use crate::overlay::urdht::UrdhtParameters;
use crate::space::{Key, Space, Torus, TorusPoint};
use ordered_float::OrderedFloat;

/// The Euclidean unit torus (Benshoof et al., DPDNS 2015).
///
/// Short peers are the Delaunay neighbours that DGVH finds, at least 3 d + 1; long peers a random
/// choice of the others heard of, at most (3 d + 1)^2. The root of a key is the node nearest to
/// it. What differs from [`VHash`](crate::overlay::vhash): nodes do not move.
#[derive(Clone, Debug)]
pub struct Euclidean {
    torus: Torus,
    peers: Delaunay,
}

impl Topology for Euclidean {
    type Point = TorusPoint;
    type Distance = OrderedFloat<f64>;

    fn new(parameters: &UrdhtParameters) -> Self {
        Self {
            torus: Torus::new(parameters.dimensions),
            peers: Delaunay::new(parameters, parameters.dimensions, |table| table * table),
        }
    }

    fn point(&self, key: &Key) -> TorusPoint {
        self.torus.point(key)
    }

    fn distance(&self, from: &TorusPoint, to: &TorusPoint) -> OrderedFloat<f64> {
        self.torus.distance(from, to)
    }

    fn short(&self, me: &TorusPoint, candidates: &[TorusPoint]) -> Vec<u32> {
        self.peers.short(&self.torus, me, candidates)
    }

    fn long(
        &self,
        _: &TorusPoint,
        _: &[TorusPoint],
        is_short: &[bool],
        random: &mut Stream,
    ) -> Vec<u32> {
        self.peers.long(is_short, random)
    }

    fn horizon(&self, crowd: &Crowd<'_, TorusPoint>, me: usize, _: &mut Stream) -> Vec<u32> {
        self.peers.horizon(&self.torus, crowd, me)
    }

    fn acquaintances(
        &self,
        members: usize,
        me: usize,
        _: &[u32],
        second: &[u32],
        random: &mut Stream,
    ) -> Vec<u32> {
        self.peers.acquaintances(members, me, second, random)
    }

    fn expected(&self, nodes: f64) -> Expected {
        Expected {
            hops: libm::log2(nodes.max(2.0)) / 2.0 + 1.0,
            peers: self.peers.peers().min(nodes),
        }
    }
}
