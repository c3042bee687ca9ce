//! The common part of topologies whose short peers are the neighbours found by DGVH.

use super::{Expected, Members, Topology};
use crate::engine::Stream;
use crate::overlay::urdht::UrdhtParameters;
use crate::space::{Coordinates, Dgvh, Geometry, Key, Rule, Space, TorusGrid};
use std::fmt::Debug;

/// How many of the nearest nodes DGVH examines in a converged network, per required short peer:
/// nodes farther away are hidden.
const NEAREST: usize = 24;

/// A space in which the region of a node has all points nearer to it than to any other node.
pub trait Voronoi: Clone + Debug {
    /// The space.
    type Space: Space + Clone + Debug + Sync;

    /// The space of a scenario and its dimensions.
    fn space(parameters: &UrdhtParameters) -> (Self::Space, usize);

    /// The shape of the space with so many dimensions, for drawing.
    fn geometry(dimensions: usize) -> Geometry {
        Geometry::Torus { dimensions }
    }

    /// The coordinates of a point.
    fn coordinates(point: &<Self::Space as Space>::Point) -> Coordinates;

    /// The default limit of long peers of a node with at least `table` short ones.
    fn long_peers(parameters: &UrdhtParameters, table: usize) -> usize;
}

/// The topology of such a space: short peers are the neighbours found by DGVH, at least 3 d + 1,
/// long peers a random choice of the other known nodes. The root of a key is the node nearest to
/// it.
#[derive(Clone, Debug)]
pub struct Delaunay<V: Voronoi> {
    space: V::Space,
    dimensions: usize,
    rule: Rule,
    least: usize,
    most_long: usize,
}

impl<V: Voronoi> Topology for Delaunay<V> {
    type Point = <V::Space as Space>::Point;
    type Distance = <V::Space as Space>::Distance;

    fn new(parameters: &UrdhtParameters) -> Self {
        let (space, dimensions) = V::space(parameters);
        let table = 3 * dimensions + 1;
        Self {
            space,
            dimensions,
            rule: parameters.rule,
            least: parameters.table_size.unwrap_or(table),
            most_long: parameters
                .long_peers
                .unwrap_or_else(|| V::long_peers(parameters, table)),
        }
    }

    fn point(&self, key: &Key) -> Self::Point {
        self.space.point(key)
    }

    fn distance(&self, from: &Self::Point, to: &Self::Point) -> Self::Distance {
        self.space.distance(from, to)
    }

    fn short(&self, me: &Self::Point, candidates: &[Self::Point]) -> Vec<u32> {
        let mut dgvh = Dgvh::new(self.rule, self.least);
        dgvh.select(&self.space, me, candidates).to_vec()
    }

    fn long(
        &self,
        _: &Self::Point,
        _: &[Self::Point],
        is_short: &[bool],
        random: &mut Stream,
    ) -> Vec<u32> {
        let mut places: Vec<u32> = (0..is_short.len() as u32)
            .filter(|place| !is_short[*place as usize])
            .collect();
        if places.len() > self.most_long {
            random.sample_to_front(&mut places, self.most_long);
            places.truncate(self.most_long);
        }
        places
    }

    /// The nearest nodes. Time O(1) on average in a space with a grid, otherwise O(n).
    fn short_candidates(
        &self,
        all_members: &Members<'_, Self::Point>,
        me: usize,
        _: &mut Stream,
    ) -> Vec<u32> {
        let near = NEAREST * self.least;
        if let Some(grid) = all_members.grid {
            let mut order = Vec::new();
            let target = Self::in_grid(&all_members.points[me]);
            grid.nearest_few(target, near, me as u32, &mut order);
            return order.into_iter().map(|(_, place)| place).collect();
        }
        let others = (0..all_members.points.len()).filter(|place| *place != me);
        let mut order: Vec<(Self::Distance, u32)> = others
            .map(|place| {
                let distance = self.distance(&all_members.points[me], &all_members.points[place]);
                (distance, place as u32)
            })
            .collect();
        if near < order.len() {
            order.select_nth_unstable(near);
            order.truncate(near);
        }
        order.into_iter().map(|(_, place)| place).collect()
    }

    /// A node often learns of its short peers' short peers, and of others at random: a random
    /// choice of the table among those and as many others as the table has entries is close to the
    /// result of gossip, as a test shows.
    fn long_candidates(
        &self,
        members: usize,
        me: usize,
        _: &[u32],
        second: &[u32],
        random: &mut Stream,
    ) -> Vec<u32> {
        let mut heard = second.to_vec();
        let others = members.saturating_sub(1);
        if others > 0 {
            let drawn = (0..self.most_long).map(|_| (me + 1 + random.index(others)) % members);
            heard.extend(drawn.map(|place| place as u32));
        }
        heard
    }

    fn grid(&self) -> Option<TorusGrid> {
        self.space.grid()
    }

    fn in_grid(point: &Self::Point) -> &[f64] {
        V::Space::in_grid(point)
    }

    fn geometry(&self) -> Geometry {
        V::geometry(self.dimensions)
    }

    fn locate(&self, key: &Key) -> Coordinates {
        V::coordinates(&self.space.point(key))
    }

    /// With long peers a lookup takes about as many hops as on a ring with fingers, without as many as in
    /// CAN.
    fn expected(&self, nodes: f64) -> Expected {
        let dimensions = self.dimensions as f64;
        let hops = match self.most_long {
            0 => dimensions / 4.0 * libm::pow(nodes, 1.0 / dimensions),
            _ => libm::log2(nodes.max(2.0)) / 2.0,
        };
        Expected {
            hops: hops + 1.0,
            peers: ((self.least + self.most_long) as f64).min(nodes),
        }
    }
}
