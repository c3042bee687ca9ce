//! CAN's torus: neighbours in d dimensions and nobody else.

use super::delaunay::Delaunay;
use super::{Crowd, Expected, Topology};
use crate::engine::Stream;
use crate::overlay::urdht::UrdhtParameters;
use crate::space::{Key, Space, Torus, TorusPoint};
use ordered_float::OrderedFloat;

/// The torus of Ratnasamy, Francis, Handley, Karp and Shenker (SIGCOMM 2001).
///
/// A node knows the nodes whose zones touch its own, of the order of d of them, and a lookup
/// takes about (d / 4) n^(1/d) hops. What differs from CAN: there a zone is a box, halved when a
/// node joins in it, handed over when its node leaves. Here a node's zone is its Voronoi region,
/// what is nearer to it than to any other, so that zones follow from where the nodes are and not
/// from the order in which they came; neighbours are those of the Voronoi diagram as DGVH finds
/// them, filled to 3 d + 1 with the nearest, instead of 2 d across the faces of a box. And boxes
/// always lead to the owner of a key, while DGVH misses neighbours: in two dimensions, of 100
/// lookups of random keys 1 or 2 end beside the root, by the distance rule up to 7.
#[derive(Clone, Debug)]
pub struct Can {
    torus: Torus,
    peers: Delaunay,
}

impl Topology for Can {
    type Point = TorusPoint;
    type Distance = OrderedFloat<f64>;

    fn new(parameters: &UrdhtParameters) -> Self {
        Self {
            torus: Torus::new(parameters.dimensions),
            peers: Delaunay::new(parameters, parameters.dimensions, |_| 0),
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
        let d = self.torus.dimensions() as f64;
        Expected {
            hops: d / 4.0 * libm::pow(nodes, 1.0 / d) + 1.0,
            peers: self.peers.peers().min(nodes),
        }
    }
}
