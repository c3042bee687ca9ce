//! Two graphs on the same points: the links that DGVH chooses when every node knows all others, and
//! the edges of the Delaunay triangulation.

use dhtlab_core::space::{Plane, Rule, Space};
use spade::{DelaunayTriangulation, HasPosition, InsertionError, Point2, Triangulation};

/// An undirected edge: the smaller number first.
pub(crate) type Edge = (u32, u32);

/// Parameters of a node's choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    /// When a candidate is rejected.
    pub rule: Rule,
    /// Number of nearest nodes that are always neighbours.
    pub nearest: usize,
    /// Minimum number of neighbours.
    pub least: usize,
}

/// Chooses neighbours among all nodes like [`Dgvh`](dhtlab_core::space::Dgvh), but without sorting:
/// the nearest candidate becomes a neighbour, the candidates that it hides are dropped, and the
/// next is the nearest of the rest.
#[derive(Default)]
pub(super) struct Chooser {
    plane: Plane<2>,
    distances: Vec<f64>,
    visible: Vec<u32>,
    chosen: Vec<u32>,
}

impl Chooser {
    /// The neighbours of node `me`, with those added to reach the minimum last.
    ///
    /// Time O(n k) for n nodes and k neighbours at most; most candidates are hidden by the
    /// first neighbours.
    pub fn neighbours(&mut self, points: &[[f64; 2]], me: u32, choice: &Choice) -> &[u32] {
        let Self {
            plane,
            distances,
            visible,
            chosen,
        } = self;
        let here = &points[me as usize];
        distances.clear();
        distances.extend(points.iter().map(|point| plane.distance(here, point).0));
        visible.clear();
        visible.extend((0..points.len() as u32).filter(|node| *node != me));
        chosen.clear();
        for _ in 0..choice.nearest {
            chosen.extend(take_nearest(visible, distances));
        }
        let mut applied = 0;
        loop {
            let new = &chosen[applied..];
            visible.retain(|node| {
                let candidate = &points[*node as usize];
                let (target, mine) = match choice.rule {
                    Rule::Midpoint => {
                        let middle = plane.midpoint(here, candidate);
                        (middle, plane.distance(here, &middle).0)
                    }
                    Rule::Distance => (*candidate, distances[*node as usize]),
                };
                let hides = |peer: &u32| plane.distance(&points[*peer as usize], &target).0 < mine;
                !new.iter().any(hides)
            });
            applied = chosen.len();
            match take_nearest(visible, distances) {
                Some(node) => chosen.push(node),
                None => break,
            }
        }
        if chosen.len() < choice.least {
            visible.extend((0..points.len() as u32).filter(|n| *n != me && !chosen.contains(n)));
            while chosen.len() < choice.least {
                match take_nearest(visible, distances) {
                    Some(node) => chosen.push(node),
                    None => break,
                }
            }
        }
        chosen
    }
}

/// Removes and returns the nearest of `nodes`, the first of equals. The others keep their order.
fn take_nearest(nodes: &mut Vec<u32>, distances: &[f64]) -> Option<u32> {
    let mut best = (0, f64::INFINITY);
    for (place, node) in nodes.iter().enumerate() {
        let distance = distances[*node as usize];
        if distance < best.1 {
            best = (place, distance);
        }
    }
    (!nodes.is_empty()).then(|| nodes.remove(best.0))
}

/// The edges of DGVH, sorted: an edge exists where either end chose the other.
///
/// Time O(n² k) for n nodes of k neighbours at most.
pub(crate) fn dgvh(points: &[[f64; 2]], choice: &Choice) -> Vec<Edge> {
    let mut chooser = Chooser::default();
    let mut edges = Vec::new();
    for me in 0..points.len() as u32 {
        let neighbours = chooser.neighbours(points, me, choice);
        edges.extend(
            neighbours
                .iter()
                .map(|other| (me.min(*other), me.max(*other))),
        );
    }
    sorted(edges)
}

struct Site {
    node: u32,
    position: Point2<f64>,
}

impl HasPosition for Site {
    type Scalar = f64;

    fn position(&self) -> Point2<f64> {
        self.position
    }
}

/// The edges of the Delaunay triangulation, sorted: exact, with robust predicates (the crate
/// `spade`). Time O(n log n).
///
/// # Errors
/// If the triangulation refuses a coordinate; it accepts those of the unit square.
pub(crate) fn delaunay(points: &[[f64; 2]]) -> Result<Vec<Edge>, InsertionError> {
    let sites = points.iter().zip(0..).map(|([x, y], node)| Site {
        node,
        position: Point2::new(*x, *y),
    });
    let triangulation = DelaunayTriangulation::<Site>::bulk_load(sites.collect())?;
    let edges = triangulation.undirected_edges().map(|edge| {
        let [a, b] = edge.vertices().map(|vertex| vertex.data().node);
        (a.min(b), a.max(b))
    });
    Ok(sorted(edges.collect()))
}

fn sorted(mut edges: Vec<Edge>) -> Vec<Edge> {
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// Number of edges of `a` that are not in `b`, both sorted.
pub(super) fn absent(a: &[Edge], b: &[Edge]) -> usize {
    a.iter()
        .filter(|edge| b.binary_search(edge).is_err())
        .count()
}

/// Whether the edges connect all `n` nodes.
pub(super) fn is_connected(n: usize, edges: &[Edge]) -> bool {
    // Union-find with path halving: each component has a leader, which is its own leader.
    let mut leaders: Vec<u32> = (0..n as u32).collect();
    let mut parts = n;
    for (a, b) in edges {
        let [a, b] = [*a, *b].map(|mut node| {
            while leaders[node as usize] != node {
                let above = leaders[node as usize];
                leaders[node as usize] = leaders[above as usize];
                node = above;
            }
            node
        });
        if a != b {
            leaders[a as usize] = b;
            parts -= 1;
        }
    }
    parts <= 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use dhtlab_core::engine::Seed;
    use dhtlab_core::space::{Dgvh, Key};
    use proptest::prelude::*;

    fn points(seed: u64, count: usize) -> Vec<[f64; 2]> {
        let mut stream = Seed::new(seed).stream("positions", 0);
        (0..count)
            .map(|_| Plane.point(&Key::random(&mut stream)))
            .collect()
    }

    /// The edges of all triangles whose circumcircle contains no other point.
    fn by_empty_circles(points: &[[f64; 2]]) -> Vec<Edge> {
        let n = points.len();
        let cross = |a: [f64; 2], b: [f64; 2]| a[0] * b[1] - a[1] * b[0];
        let mut edges = Vec::new();
        for (a, b, c) in
            (0..n).flat_map(|a| (a + 1..n).flat_map(move |b| (b + 1..n).map(move |c| (a, b, c))))
        {
            let from_a = |i: usize| [points[i][0] - points[a][0], points[i][1] - points[a][1]];
            let (b_, c_) = (from_a(b), from_a(c));
            let square = |v: [f64; 2]| v[0] * v[0] + v[1] * v[1];
            let twice = 2.0 * cross(b_, c_);
            let centre = [
                (c_[1] * square(b_) - b_[1] * square(c_)) / twice,
                (b_[0] * square(c_) - c_[0] * square(b_)) / twice,
            ];
            let inside = |i: usize| {
                let [x, y] = from_a(i);
                square([x - centre[0], y - centre[1]]) < square(centre)
            };
            if !(0..n).any(|i| ![a, b, c].contains(&i) && inside(i)) {
                edges.extend([(a, b), (a, c), (b, c)].map(|(a, b)| (a as u32, b as u32)));
            }
        }
        sorted(edges)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn triangulations_have_empty_circles(seed: u64, count in 3usize..22) {
            let points = points(seed, count);
            prop_assert_eq!(delaunay(&points).expect("a triangulation"), by_empty_circles(&points));
        }

        /// The choice equals that with sorting.
        #[test]
        fn the_choice_is_that_of_dgvh(
            seed: u64, count in 2usize..60, least in 0usize..12, midpoint: bool,
        ) {
            let rule = if midpoint { Rule::Midpoint } else { Rule::Distance };
            let points = points(seed, count);
            let mut chooser = Chooser::default();
            let mut sorting = Dgvh::new(rule, least);
            for me in 0..count {
                let others: Vec<usize> = (0..count).filter(|other| *other != me).collect();
                let candidates: Vec<[f64; 2]> = others.iter().map(|i| points[*i]).collect();
                let expected: Vec<u32> = sorting.select(&Plane, &points[me], &candidates)
                    .iter().map(|i| others[*i as usize] as u32).collect();
                let choice = Choice { rule, nearest: 1, least };
                prop_assert_eq!(chooser.neighbours(&points, me as u32, &choice), &expected[..]);
            }
        }

        /// The claim of the slides holds, and more: a greedy walk along the chosen directed links
        /// reaches every node, so the graph is strongly connected. A node that a neighbour hides
        /// from me is nearer to that neighbour than to me, by either rule.
        #[test]
        fn greedy_walks_reach_every_node(
            seed: u64, count in 2usize..60, nearest in 1usize..4, midpoint: bool,
        ) {
            let rule = if midpoint { Rule::Midpoint } else { Rule::Distance };
            let choice = Choice { rule, nearest, least: 0 };
            let points = points(seed, count);
            prop_assert!(is_connected(count, &dgvh(&points, &choice)));
            let mut chooser = Chooser::default();
            let links: Vec<Vec<u32>> = (0..count as u32)
                .map(|me| chooser.neighbours(&points, me, &choice).to_vec()).collect();
            for target in 0..count {
                let distance = |node: usize| Plane.distance(&points[node], &points[target]);
                for start in 0..count {
                    let mut at = start;
                    while at != target {
                        let next = links[at].iter().map(|peer| *peer as usize)
                            .min_by_key(|peer| distance(*peer)).expect("a neighbour");
                        prop_assert!(distance(next) < distance(at), "{at} is a dead end to {target}");
                        at = next;
                    }
                }
            }
        }
    }

    #[test]
    fn the_nearest_are_taken_in_any_case() {
        // On a line, the first hides the others.
        let row: Vec<[f64; 2]> = (0..8).map(|i| [0.1 * f64::from(i), 0.5]).collect();
        let mut chooser = Chooser::default();
        let mut choose = |nearest, least| {
            let choice = Choice {
                rule: Rule::Midpoint,
                nearest,
                least,
            };
            chooser.neighbours(&row, 0, &choice).to_vec()
        };
        assert_eq!(choose(1, 0), [1]);
        assert_eq!(choose(3, 0), [1, 2, 3]);
        assert_eq!(choose(1, 4), [1, 2, 3, 4]);
        assert_eq!(choose(7, 7), [1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn a_square_and_an_island() {
        assert!(is_connected(4, &[(0, 1), (2, 3), (1, 2), (0, 3)]));
        assert!(!is_connected(5, &[(0, 1), (1, 2), (0, 2), (3, 4)]));
        assert!(is_connected(1, &[]) && !is_connected(2, &[]));
        assert_eq!(absent(&[(0, 1), (0, 2)], &[(0, 2), (1, 2)]), 1);
        // Two nodes are joined by an edge, without a triangle.
        assert_eq!(delaunay(&points(1, 2)).expect("an edge"), [(0, 1)]);
    }
}
