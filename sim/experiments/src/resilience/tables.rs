//! The entries of each node of a static network.

use super::ResilienceParameters;
use super::geometry::{Geometry, Population, side};
use dhtlab_core::engine::{Seed, Stream};
use dhtlab_core::space::{Dgvh, Hyperbolic, Key, Rule, Space, Torus};
use ordered_float::OrderedFloat;
use std::ops::Range;

dhtlab_core::choices! {
    /// Which nodes of a level the entries are.
    pub enum Choice {
        /// Random ones.
        Random = "random",
        /// IDs are evenly spaced: on a ring the node 2^i nodes ahead, with XOR and in a tree the one whose ID differs in digit i alone.
        Exact = "exact",
        /// The nearest in the plane of a number of random ones: proximity neighbour selection.
        Near = "near",
    }
}

/// What is nearer to a target, and the entries of all nodes.
pub(super) struct Tables {
    pub entries: Vec<Vec<u32>>,
    pub measure: Measure,
}

/// The distance that a path reduces.
pub(super) enum Measure {
    Clockwise,
    Xor,
    /// The first digit that differs, and the entry for it.
    Prefix,
    Hamming,
    /// Steps on a grid with this side and these dimensions.
    Grid(usize, usize),
    /// That between points of a space.
    Points(Box<dyn Fn(usize, usize) -> f64 + Send + Sync>),
}

impl Measure {
    /// The distance from node `a` to node `b`.
    pub fn distance(&self, ids: &[u64], a: usize, b: usize) -> f64 {
        let (x, y) = (ids[a], ids[b]);
        match self {
            Self::Clockwise => y.wrapping_sub(x) as f64,
            Self::Xor | Self::Prefix => (x ^ y) as f64,
            Self::Hamming => f64::from((x ^ y).count_ones()),
            Self::Grid(side, dimensions) => {
                let (mut x, mut y, side) = (x, y, *side as u64);
                let mut steps = 0;
                for _ in 0..*dimensions {
                    let apart = (x % side).abs_diff(y % side);
                    steps += apart.min(side - apart);
                    (x, y) = (x / side, y / side);
                }
                steps as f64
            }
            Self::Points(distance) => distance(a, b),
        }
    }
}

/// The entries of all nodes.
pub(super) fn build(
    parameters: &ResilienceParameters,
    population: &Population,
    seed: Seed,
) -> Tables {
    let n = parameters.nodes;
    let mut stream = seed.stream("tables", 0);
    let levels = Levels {
        parameters,
        population,
    };
    let (mut entries, measure): (Vec<Vec<u32>>, Measure) = match parameters.geometry {
        Geometry::Ring => (levels.all(&mut stream, Levels::arc), Measure::Clockwise),
        Geometry::Xor => (levels.all(&mut stream, Levels::subtree), Measure::Xor),
        Geometry::Tree => (levels.all(&mut stream, Levels::subtree), Measure::Prefix),
        Geometry::Hypercube => {
            let digits = n.ilog2();
            let flip = |node: u32| (0..digits).map(|digit| node ^ 1 << digit).collect();
            ((0..n as u32).map(flip).collect(), Measure::Hamming)
        }
        Geometry::Torus => {
            let (d, side) = (parameters.dimensions, side(n, parameters.dimensions));
            let side = side.expect("checked");
            let around = |node: usize| grid_neighbours(node, side, d);
            ((0..n).map(around).collect(), Measure::Grid(side, d))
        }
        Geometry::Voronoi => points(
            parameters,
            Torus::new(parameters.dimensions),
            seed,
            &mut stream,
        ),
        Geometry::Hyperbolic => points(parameters, Hyperbolic, seed, &mut stream),
    };
    let n = n as u32;
    let count = (parameters.sequential as u32).min(n - 1);
    let after = match parameters.geometry {
        Geometry::Ring => count,
        _ => count.div_ceil(2),
    };
    for (node, list) in (0..n).zip(&mut entries) {
        list.extend((1..=after).map(|step| (node + step) % n));
        list.extend((1..=count - after).map(|step| (node + n - step) % n));
        list.retain(|entry| *entry != node);
    }
    Tables { entries, measure }
}

/// The entries of rings, trees and XOR, level by level.
struct Levels<'a> {
    parameters: &'a ResilienceParameters,
    population: &'a Population,
}

impl Levels<'_> {
    /// The entries of all nodes, of the highest level first. `of` gives the nodes of a level, as
    /// steps ahead of a node, and the exact one.
    fn all(
        &self,
        stream: &mut Stream,
        of: impl Fn(&Self, usize, u32) -> (Range<usize>, usize),
    ) -> Vec<Vec<u32>> {
        let n = self.population.ids.len();
        let mut nodes = Vec::with_capacity(n);
        for node in 0..n {
            let mut list = Vec::new();
            for level in (0..64).rev() {
                let (range, exact) = of(self, node, level);
                if range.is_empty() && self.parameters.choice != Choice::Exact {
                    continue;
                }
                // A level without nodes has the entry of the next one on a ring, none otherwise.
                match self.parameters.choice {
                    Choice::Exact if exact != node => list.push(exact as u32),
                    Choice::Exact => {}
                    Choice::Random => {
                        for _ in 0..self.parameters.contacts {
                            list.push((draw(&range, stream) % n) as u32);
                        }
                    }
                    Choice::Near => self.nearest(node, &range, stream, &mut list),
                }
            }
            if self.parameters.geometry == Geometry::Ring {
                // The next node, without which no path is sure to end.
                list.push(((node + 1) % n) as u32);
            }
            list.dedup();
            nodes.push(list);
        }
        nodes
    }

    /// The nearest of some candidates in `range`, as many as there are contacts of a level.
    fn nearest(&self, node: usize, range: &Range<usize>, stream: &mut Stream, list: &mut Vec<u32>) {
        let n = self.population.ids.len();
        let count = self.parameters.candidates;
        let mut some: Vec<usize> = if range.len() <= count {
            range.clone().map(|other| other % n).collect()
        } else {
            (0..count).map(|_| draw(range, stream) % n).collect()
        };
        some.sort_by(|a, b| {
            let far = |other: usize| self.population.latency(node, other);
            far(*a).total_cmp(&far(*b)).then(a.cmp(b))
        });
        some.dedup();
        let nearest = some.into_iter().take(self.parameters.contacts);
        list.extend(nearest.map(|other| other as u32));
    }

    /// The nodes at a distance from 2^level to 2^(level+1) of a node, and the first one from 2^level
    /// on, wherever it is. Indices may be beyond n, once around the ring.
    fn arc(&self, node: usize, level: u32) -> (Range<usize>, usize) {
        let ids = &self.population.ids;
        let n = ids.len();
        let at = |distance: u64| {
            let target = ids[node].wrapping_add(distance);
            let place = ids.partition_point(|id| *id < target);
            if target < ids[node] { place + n } else { place }
        };
        let begin = at(1 << level);
        let end = match 1_u64.checked_shl(level + 1) {
            Some(distance) if level < 63 => at(distance),
            _ => node + n,
        };
        (begin..end.max(begin), begin % n)
    }

    /// The nodes that differ from a node first in the digit of `level`, and the one whose ID differs
    /// in that digit alone, if IDs are evenly spaced.
    fn subtree(&self, node: usize, level: u32) -> (Range<usize>, usize) {
        let ids = &self.population.ids;
        let target = ids[node] ^ 1 << level;
        let low = target >> level << level;
        let begin = ids.partition_point(|id| *id < low);
        let end = match low.checked_add(1 << level) {
            Some(high) => ids.partition_point(|id| *id < high),
            None => ids.len(),
        };
        // With evenly spaced IDs a level that has nodes has this one.
        let exact = match begin == end {
            true => node,
            false => ids.partition_point(|id| *id < target).min(end - 1),
        };
        (begin..end, exact)
    }
}

fn draw(range: &Range<usize>, stream: &mut Stream) -> usize {
    range.start + stream.index(range.len())
}

fn grid_neighbours(node: usize, side: usize, dimensions: usize) -> Vec<u32> {
    let mut list = Vec::new();
    let mut unit = 1;
    for _ in 0..dimensions {
        let own = node / unit % side;
        for next in [(own + 1) % side, (own + side - 1) % side] {
            list.push((node - own * unit + next * unit) as u32);
        }
        unit *= side;
    }
    list.sort_unstable();
    list.dedup();
    list
}

/// Random points of a space: the neighbours that DGVH finds among all nodes, and random long
/// entries. O(n^2).
fn points<S>(
    parameters: &ResilienceParameters,
    space: S,
    seed: Seed,
    stream: &mut Stream,
) -> (Vec<Vec<u32>>, Measure)
where
    S: Space<Distance = OrderedFloat<f64>> + Send + Sync + 'static,
    S::Point: Send + Sync,
{
    let (n, mut places) = (parameters.nodes, seed.stream("points", 0));
    let points: Vec<S::Point> = (0..n)
        .map(|_| space.point(&Key::random(&mut places)))
        .collect();
    let mut dgvh = Dgvh::new(Rule::Midpoint, 0);
    let mut order: Vec<(OrderedFloat<f64>, u32)> = Vec::with_capacity(n);
    let mut entries = Vec::with_capacity(n);
    for (node, me) in points.iter().enumerate() {
        let others = (0..n as u32).filter(|other| *other as usize != node);
        order.clear();
        order.extend(others.map(|other| (space.distance(me, &points[other as usize]), other)));
        let few = NEAREST.min(order.len() - 1);
        order.select_nth_unstable(few);
        order[..=few].sort_unstable();
        let mut list = dgvh
            .select_sorted(&space, me, &points, &order[..=few])
            .to_vec();
        let long = (0..parameters.contacts).map(|_| stream.index(n) as u32);
        list.extend(long.filter(|other| *other as usize != node));
        entries.push(list);
    }
    let distance = move |a: usize, b: usize| space.distance(&points[a], &points[b]).into_inner();
    (entries, Measure::Points(Box::new(distance)))
}

/// The nearest nodes, among which DGVH looks for neighbours. A node has fewer than a tenth as many in
/// up to 4 dimensions; in more, some may be missing.
const NEAREST: usize = 1000;
