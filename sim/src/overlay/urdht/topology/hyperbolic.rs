//! The hyperbolic plane.

use super::delaunay::Delaunay;
use super::{Crowd, Expected, Topology};
use crate::engine::Stream;
use crate::overlay::urdht::UrdhtParameters;
use crate::space::{DiscPoint, Hyperbolic, Key, Space};
use ordered_float::OrderedFloat;

/// Poincare's disc, in which nodes are uniform by *Euclidean* area (UrDHT, Rosen et al. 2016).
///
/// Short peers are the neighbours that DGVH finds, at least 7; long peers a random choice of the
/// others heard of, at most 49. The root of a key is the node nearest to it. There are two
/// dimensions whatever the scenario says.
#[derive(Clone, Debug)]
pub struct HyperbolicDisc {
    peers: Delaunay,
}

impl Topology for HyperbolicDisc {
    type Point = DiscPoint;
    type Distance = OrderedFloat<f64>;

    fn new(parameters: &UrdhtParameters) -> Self {
        Self {
            peers: Delaunay::new(parameters, 2, |table| table * table),
        }
    }

    fn point(&self, key: &Key) -> DiscPoint {
        Hyperbolic.point(key)
    }

    fn distance(&self, from: &DiscPoint, to: &DiscPoint) -> OrderedFloat<f64> {
        Hyperbolic.distance(from, to)
    }

    fn short(&self, me: &DiscPoint, candidates: &[DiscPoint]) -> Vec<u32> {
        self.peers.short(&Hyperbolic, me, candidates)
    }

    fn long(
        &self,
        _: &DiscPoint,
        _: &[DiscPoint],
        is_short: &[bool],
        random: &mut Stream,
    ) -> Vec<u32> {
        self.peers.long(is_short, random)
    }

    fn horizon(&self, crowd: &Crowd<'_, DiscPoint>, me: usize, _: &mut Stream) -> Vec<u32> {
        self.peers.horizon(&Hyperbolic, crowd, me)
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
