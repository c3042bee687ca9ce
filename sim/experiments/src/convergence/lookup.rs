//! Greedy lookups, and the node truly nearest to a target.

use super::gossip::Mesh;
use dhtlab_core::engine::Stream;
use dhtlab_core::space::{Key, Space};
use ordered_float::OrderedFloat;

/// Points of the unit torus in the order of their first coordinates. A sweep to both sides of a
/// target finds the nearest point.
pub(super) struct SortedPoints<const D: usize> {
    points: Vec<[f64; D]>,
}

impl<const D: usize> SortedPoints<D> {
    /// Sorts the points.
    pub fn new(points: &[[f64; D]]) -> Self {
        let mut points = points.to_vec();
        points.sort_unstable_by(|a, b| a[0].total_cmp(&b[0]));
        Self { points }
    }

    /// Whether a point is nearer to `target` than `least`.
    ///
    /// Time O(n r) with r, the square root of `least`: beyond that no first coordinate can be.
    pub fn has_nearer<S>(&self, space: &S, target: &[f64; D], least: S::Distance) -> bool
    where
        S: Space<Point = [f64; D], Distance = OrderedFloat<f64>>,
    {
        let (before, after) = self
            .points
            .split_at(self.points.partition_point(|point| point[0] < target[0]));
        // On the circle 0 follows 1; half a turn is the farthest.
        let across = |point: &[f64; D]| (point[0] - target[0]).abs();
        let around = |point: &[f64; D]| 1.0 - across(point);
        let within = |gap: f64| gap <= 0.5 && gap * gap < least.0;
        let nearer = |point: &[f64; D]| space.distance(target, point) < least;
        let any = |points: &mut dyn Iterator<Item = &[f64; D]>, gap: &dyn Fn(&[f64; D]) -> f64| {
            points.take_while(|point| within(gap(point))).any(nearer)
        };
        any(&mut after.iter(), &across)
            || any(&mut before.iter().rev(), &across)
            || any(&mut before.iter(), &around)
            || any(&mut after.iter().rev(), &around)
    }
}

/// The end of a greedy walk from `start` to `target`, and its distance. Each node forwards to its
/// peer nearest to the target, short or long, if that is nearer than itself.
pub(super) fn walk<S: Space>(
    mesh: &Mesh<S>,
    space: &S,
    start: u32,
    target: &S::Point,
) -> (u32, S::Distance)
where
    S::Point: Copy,
{
    let points = mesh.points();
    let distance = |node: u32| space.distance(&points[node as usize], target);
    let (mut at, mut least) = (start, distance(start));
    loop {
        let before = at;
        for peer in mesh.short(before).iter().chain(mesh.long(before)) {
            let theirs = distance(*peer);
            if theirs < least {
                (at, least) = (*peer, theirs);
            }
        }
        if at == before {
            return (at, least);
        }
    }
}

/// The fraction of `lookups` greedy walks, each from a random node to a random point, that end at
/// the node truly nearest to the point.
pub(super) fn hit_rate<S, const D: usize>(
    mesh: &Mesh<S>,
    space: &S,
    sweep: &SortedPoints<D>,
    lookups: u32,
    stream: &mut Stream,
) -> f64
where
    S: Space<Point = [f64; D], Distance = OrderedFloat<f64>>,
{
    let mut hits = 0u32;
    for _ in 0..lookups {
        let start = stream.index(mesh.points().len()) as u32;
        let target = space.point(&Key::random(stream));
        let (_, distance) = walk(mesh, space, start, &target);
        if !sweep.has_nearer(space, &target, distance) {
            hits += 1;
        }
    }
    f64::from(hits) / f64::from(lookups)
}

#[cfg(test)]
mod tests {
    use super::super::gossip::{Tables, tests::mesh};
    use super::*;
    use dhtlab_core::engine::Seed;
    use dhtlab_core::space::{FixedTorus, Rule};
    use proptest::prelude::*;

    const TABLES: Tables = Tables {
        rule: Rule::Midpoint,
        least_short: 4,
        most_long: 20,
        contacts: 10,
    };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// The sweep finds a nearer point exactly where a scan of all points does.
        #[test]
        fn the_sweep_sees_what_brute_force_sees(seed: u64, nodes in 2usize..80) {
            let mesh = mesh(seed, nodes, TABLES);
            let sweep = SortedPoints::new(mesh.points());
            let mut stream = Seed::new(seed).stream("targets", 0);
            for _ in 0..20 {
                let target = FixedTorus.point(&Key::random(&mut stream));
                let least = FixedTorus.distance(&target, &mesh.points()[stream.index(nodes)]);
                let nearer = mesh.points().iter().any(|p| FixedTorus.distance(&target, p) < least);
                prop_assert_eq!(sweep.has_nearer(&FixedTorus, &target, least), nearer);
            }
        }

        /// A walk ends where no peer is nearer, and a hit is a walk that ends at the nearest of all
        /// nodes.
        #[test]
        fn a_walk_ends_at_a_node_without_nearer_peers(seed: u64, nodes in 2usize..60) {
            let mut mesh = mesh(seed, nodes, TABLES);
            mesh.cycle(&mut Seed::new(seed).stream("gossip", 0));
            let sweep = SortedPoints::new(mesh.points());
            let mut stream = Seed::new(seed).stream("lookups", 0);
            let mut again = stream.clone();
            let mut hits = 0;
            for _ in 0..10 {
                let start = stream.index(nodes) as u32;
                let target = FixedTorus.point(&Key::random(&mut stream));
                let distance = |node: u32| FixedTorus.distance(&mesh.points()[node as usize], &target);
                let (end, least) = walk(&mesh, &FixedTorus, start, &target);
                prop_assert_eq!(least, distance(end));
                let mut peers = mesh.short(end).iter().chain(mesh.long(end));
                prop_assert!(peers.all(|peer| distance(*peer) >= least));
                let nearest = (0..nodes as u32).min_by_key(|node| distance(*node));
                hits += u32::from(nearest == Some(end));
            }
            let rate = hit_rate(&mesh, &FixedTorus, &sweep, 10, &mut again);
            prop_assert_eq!(rate, f64::from(hits) / 10.0);
        }
    }

    #[test]
    fn who_knows_all_others_always_hits() {
        let tables = Tables {
            most_long: 1000,
            contacts: 1000,
            ..TABLES
        };
        let mut mesh = mesh(5, 30, tables);
        mesh.cycle(&mut Seed::new(5).stream("gossip", 0));
        assert!((0..30).all(|node| mesh.long(node).len() == 29));
        let sweep = SortedPoints::new(mesh.points());
        let mut stream = Seed::new(5).stream("lookups", 0);
        assert_eq!(hit_rate(&mesh, &FixedTorus, &sweep, 500, &mut stream), 1.0);
    }
}
