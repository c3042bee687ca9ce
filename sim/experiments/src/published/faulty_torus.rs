//! The torus of the published VHash programs, with their error.

use dhtlab_core::space::{FixedTorus, Key, Space};
use ordered_float::OrderedFloat;

/// The unit torus whose midpoint is wrong where a coordinate wraps: half of the wrapped sum,
/// `((a + b) mod 1) / 2`, which lies half a turn off when `a + b < 1`.
///
/// With it a node can reject a candidate as hidden although no peer is nearer to the candidate, and
/// so lose the path to it: lookups end early however long the nodes gossip.
#[derive(Clone, Copy, Debug, Default)]
pub struct FaultyTorus<const D: usize>;

impl<const D: usize> Space for FaultyTorus<D> {
    type Point = [f64; D];
    type Distance = OrderedFloat<f64>;

    fn point(&self, key: &Key) -> [f64; D] {
        FixedTorus.point(key)
    }

    #[inline]
    fn distance(&self, from: &[f64; D], to: &[f64; D]) -> OrderedFloat<f64> {
        FixedTorus.distance(from, to)
    }

    #[inline]
    fn midpoint(&self, from: &[f64; D], to: &[f64; D]) -> [f64; D] {
        faulty_midpoint(from, to, 1.0)
    }
}

/// The published midpoint on a torus of side `side`: of a coordinate that wraps, half of the
/// wrapped sum.
#[inline]
pub(super) fn faulty_midpoint<const D: usize>(a: &[f64; D], b: &[f64; D], side: f64) -> [f64; D] {
    std::array::from_fn(|i| {
        let sum = a[i] + b[i];
        if (a[i] - b[i]).abs() > side / 2.0 {
            sum % side / 2.0
        } else {
            sum / 2.0
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use dhtlab_core::engine::Seed;
    use dhtlab_core::space::{Dgvh, Rule};

    #[test]
    fn the_fault_is_where_the_sum_stays_below_the_side() {
        let faulty = |a, b| FaultyTorus.midpoint(&[a], &[b])[0];
        let correct = |a, b| FixedTorus.midpoint(&[a], &[b])[0];
        assert_eq!(faulty(0.25, 0.5), correct(0.25, 0.5));
        // Wraps, and the sum reaches 1: right.
        assert_eq!(
            (faulty(0.875, 0.25), correct(0.875, 0.25)),
            (0.0625, 0.0625)
        );
        // Wraps, and the sum stays below 1: half a turn off.
        assert_eq!(
            (faulty(0.75, 0.125), correct(0.75, 0.125)),
            (0.4375, 0.9375)
        );
    }

    /// With the correct midpoint a rejected candidate is nearer to some chosen one than to the node
    /// (see `space::Dgvh`); the error breaks that for about one pair in 200.
    #[test]
    fn the_fault_makes_dead_ends() {
        assert_eq!(dead_ends(&FixedTorus::<5>), 0);
        assert_eq!(dead_ends(&FixedTorus::<2>), 0);
        assert!(dead_ends(&FaultyTorus::<5>) > 0);
        assert!(dead_ends(&FaultyTorus::<2>) > 0);
    }

    /// Number of pairs of 200 nodes where the one has no chosen neighbour nearer to the other.
    fn dead_ends<const D: usize>(
        space: &impl Space<Point = [f64; D], Distance = OrderedFloat<f64>>,
    ) -> usize {
        let mut stream = Seed::new(1).stream("positions", 0);
        let points: Vec<[f64; D]> = (0..200)
            .map(|_| space.point(&Key::random(&mut stream)))
            .collect();
        let mut dgvh = Dgvh::new(Rule::Midpoint, 0);
        let mut ends = 0;
        for (i, me) in points.iter().enumerate() {
            let others = [&points[..i], &points[i + 1..]].concat();
            let short = dgvh.select(space, me, &others);
            let is_end = |other: &&[f64; D]| {
                let mine = space.distance(me, other);
                let mut peers = short.iter().map(|i| &others[*i as usize]);
                peers.all(|peer| space.distance(peer, other) >= mine)
            };
            ends += others.iter().filter(is_end).count();
        }
        ends
    }
}
