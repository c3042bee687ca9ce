//! DGVH, the distributed greedy Voronoi heuristic: it approximates the Delaunay neighbours of a
//! node.
//!
//! Benshoof, Rosen, Bourgeois and Harrison, "A distributed greedy heuristic for computing
//! Voronoi tessellations with applications towards peer-to-peer networks" (DPDNS 2015).

use super::Space;
use smallvec::SmallVec;

crate::choices! {
    /// When a candidate is rejected as a neighbour.
    pub enum Rule {
        /// A neighbour is closer to the midpoint between node and candidate than the node itself is
        /// (the paper and the slides).
        Midpoint = "midpoint",
        /// A neighbour is closer to the candidate than the node itself is (the dissertation).
        Distance = "distance",
    }
}

impl Rule {
    /// The point and the distance that decide about a candidate at `distance` from a node at `me`:
    /// each nearer neighbour that is closer than this distance to this point hides the candidate.
    #[inline]
    pub fn test<S: Space>(
        self,
        space: &S,
        me: &S::Point,
        candidate: &S::Point,
        distance: S::Distance,
    ) -> (S::Point, S::Distance) {
        match self {
            Self::Midpoint => {
                let middle = space.midpoint(me, candidate);
                let mine = space.distance(me, &middle);
                (middle, mine)
            }
            Self::Distance => (candidate.clone(), distance),
        }
    }
}

/// The heuristic with its rule, least number of neighbours and scratch space.
///
/// # Example
/// ```
/// use dhtlab_core::space::{Dgvh, Rule, Space, Torus, TorusPoint};
///
/// let torus = Torus::new(2);
/// let me = TorusPoint::from_slice(&[0.5, 0.5]);
/// let east = TorusPoint::from_slice(&[0.6, 0.5]);
/// let far_east = TorusPoint::from_slice(&[0.8, 0.5]);
/// let north = TorusPoint::from_slice(&[0.5, 0.7]);
/// let mut dgvh = Dgvh::new(Rule::Midpoint, 0);
/// // Behind its neighbour in the east, the far east is hidden.
/// let short = dgvh.select(&torus, &me, &[far_east, east, north]);
/// assert_eq!(short, [1, 2]);
/// ```
#[derive(Clone, Debug)]
pub struct Dgvh {
    rule: Rule,
    least: usize,
    chosen: SmallVec<[u32; 64]>,
    rejected: SmallVec<[u32; 64]>,
    /// How many the heuristic itself has chosen.
    neighbours: usize,
    comparisons: u64,
}

impl Dgvh {
    /// The heuristic with `rule`; if it finds fewer than `least` neighbours, the nearest rejected
    /// candidates are added.
    pub fn new(rule: Rule, least: usize) -> Self {
        Self {
            rule,
            least,
            chosen: SmallVec::new(),
            rejected: SmallVec::new(),
            neighbours: 0,
            comparisons: 0,
        }
    }

    /// The indices of the candidates that become short peers of a node at `me`: first the
    /// neighbours of the heuristic, nearest first, then the added ones, nearest first.
    ///
    /// Candidates must not include the node itself. Time O(n log n + n k) for n candidates and k
    /// neighbours.
    pub fn select<S: Space>(
        &mut self,
        space: &S,
        me: &S::Point,
        candidates: &[S::Point],
    ) -> &[u32] {
        let mut order: Vec<(S::Distance, u32)> = candidates
            .iter()
            .enumerate()
            .map(|(i, point)| (space.distance(me, point), i as u32))
            .collect();
        order.sort_unstable();
        self.select_sorted(space, me, candidates, &order)
    }

    /// How many distances between a chosen neighbour and a candidate (or its midpoint) were
    /// examined so far: the cost of the choice apart from sorting, on any machine.
    pub fn comparisons(&self) -> u64 {
        self.comparisons
    }

    /// How many of the short peers selected last are neighbours of the heuristic: the first ones.
    pub fn neighbours(&self) -> usize {
        self.neighbours
    }

    /// The same for candidates with known and sorted distances: pairs of distance from `me` and
    /// index into `candidates`.
    pub fn select_sorted<S: Space>(
        &mut self,
        space: &S,
        me: &S::Point,
        candidates: &[S::Point],
        order: &[(S::Distance, u32)],
    ) -> &[u32] {
        self.chosen.clear();
        self.rejected.clear();
        // One after the other in memory, since each candidate is compared with them.
        let mut neighbours: SmallVec<[S::Point; 32]> = SmallVec::new();
        for (distance, index) in order {
            let candidate = &candidates[*index as usize];
            let (target, mine) = self.rule.test(space, me, candidate, *distance);
            let hides = |neighbour: &S::Point| space.distance(neighbour, &target) < mine;
            let hides = neighbours.iter().position(hides);
            let looked_at = hides.map_or(self.chosen.len(), |place| place + 1);
            self.comparisons += looked_at as u64;
            if hides.is_some() {
                self.rejected.push(*index);
            } else {
                self.chosen.push(*index);
                neighbours.push(candidate.clone());
            }
        }
        self.neighbours = self.chosen.len();
        let missing = self.least.saturating_sub(self.chosen.len());
        self.chosen
            .extend(self.rejected.iter().copied().take(missing));
        &self.chosen
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Key, Plane, Ring, Torus};
    use super::*;
    use crate::engine::Seed;
    use proptest::prelude::*;

    fn torus_points(seed: u64, dimensions: usize, count: usize) -> Vec<super::super::TorusPoint> {
        let mut stream = Seed::new(seed).stream("points", 0);
        let torus = Torus::new(dimensions);
        (0..count)
            .map(|_| torus.point(&Key::random(&mut stream)))
            .collect()
    }

    /// DGVH has edges that the Delaunay triangulation does not have. A rejected candidate rejects
    /// no other: `p` hides `q` and leaves `far`, though `q` and its mirror image are within the
    /// circle whose diameter ends at `far`, one on each side, so that every circle through its ends
    /// contains one of them.
    #[test]
    fn an_edge_of_dgvh_need_not_be_one_of_delaunay() {
        let at = |x: f64, y: f64| [0.1 + x / 20.0, 0.5 + y / 20.0];
        let (me, far) = (at(0.0, 0.0), at(10.0, 0.0));
        let [p, q, p_below, q_below] =
            [(0.3, 3.0), (2.0, 3.9), (0.3, -3.0), (2.0, -3.9)].map(|(x, y)| at(x, y));
        let candidates = [q, q_below, far, p, p_below];
        let mut dgvh = Dgvh::new(Rule::Midpoint, 0);
        let mut short = dgvh.select(&Plane, &me, &candidates).to_vec();
        short.sort_unstable();
        assert_eq!(short, [2, 3, 4]);
        let centre = Plane.midpoint(&me, &far);
        for inside in [q, q_below] {
            assert!(Plane.distance(&centre, &inside) < Plane.distance(&centre, &me));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// The defining properties of the heuristic, for both rules.
        #[test]
        fn selection_is_greedy_and_maximal(
            seed: u64, d in 1usize..6, count in 1usize..60, least in 0usize..20, midpoint: bool,
        ) {
            let rule = if midpoint { Rule::Midpoint } else { Rule::Distance };
            let torus = Torus::new(d);
            let points = torus_points(seed, d, count + 1);
            let (me, candidates) = points.split_first().expect("at least one");
            let mut free = Dgvh::new(rule, 0);
            let found = free.select(&torus, me, candidates).to_vec();
            let mut filled = Dgvh::new(rule, least);
            let short = filled.select(&torus, me, candidates).to_vec();
            // Filling only appends.
            prop_assert_eq!(&short[..found.len()], &found[..]);
            prop_assert_eq!(short.len(), found.len().max(least.min(count)));
            // The nearest candidate is always a neighbour.
            let nearest = (0..count).min_by_key(|i| torus.distance(me, &candidates[*i]));
            prop_assert_eq!(Some(found[0] as usize), nearest);
            // A neighbour hides exactly those that were rejected.
            for c in 0..count {
                let target = match rule {
                    Rule::Midpoint => torus.midpoint(me, &candidates[c]),
                    Rule::Distance => candidates[c].clone(),
                };
                let mine = torus.distance(me, &target);
                let nearer = |p: &u32| torus.distance(me, &candidates[*p as usize]) < torus.distance(me, &candidates[c]);
                let hidden = found.iter().filter(|p| nearer(p)).any(|p| torus.distance(&candidates[*p as usize], &target) < mine);
                prop_assert_eq!(hidden, !found.contains(&(c as u32)));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// A candidate that is not chosen is nearer to some chosen one than to the node, for either
        /// rule: so a greedy walk among nodes that chose from all others reaches every node.
        #[test]
        fn what_is_hidden_lies_nearer_to_a_neighbour(
            seed: u64, d in 1usize..6, count in 2usize..60, midpoint: bool,
        ) {
            let rule = if midpoint { Rule::Midpoint } else { Rule::Distance };
            let torus = Torus::new(d);
            let points = torus_points(seed, d, count);
            let (me, others) = points.split_first().expect("at least one");
            let mut dgvh = Dgvh::new(rule, 0);
            let short = dgvh.select(&torus, me, others);
            for other in others {
                let nearest = short.iter().map(|i| torus.distance(&others[*i as usize], other)).min();
                prop_assert!(nearest < Some(torus.distance(me, other)));
            }
        }
    }

    #[test]
    fn on_a_circle_the_two_neighbours_are_found() {
        let torus = Torus::new(1);
        for seed in 0..50 {
            let points = torus_points(seed, 1, 20);
            let mut sorted: Vec<usize> = (1..20).collect();
            let offset =
                |i: &usize| ordered_float::OrderedFloat(Torus::wrap(points[*i][0] - points[0][0]));
            sorted.sort_by_key(offset);
            let mut dgvh = Dgvh::new(Rule::Distance, 0);
            let mut short: Vec<usize> = dgvh
                .select(&torus, &points[0], &points[1..])
                .iter()
                .map(|i| *i as usize + 1)
                .collect();
            short.sort_by_key(offset);
            // Where all others are on one side, one neighbour is enough to hide the rest.
            assert!(
                short == [sorted[0], sorted[18]] || short.len() == 1,
                "{short:?}"
            );
        }
    }

    #[test]
    fn on_the_ring_the_successor_is_found() {
        let mut stream = Seed::new(3).stream("points", 0);
        let keys: Vec<Key> = (0..30).map(|_| Key::random(&mut stream)).collect();
        let mut dgvh = Dgvh::new(Rule::Distance, 0);
        let short = dgvh.select(&Ring, &keys[0], &keys[1..]).to_vec();
        let successor = (1..30).min_by_key(|i| Ring.distance(&keys[0], &keys[*i]));
        assert_eq!(short, [successor.expect("29 keys") as u32 - 1]);
    }
}
