//! Points of the torus in a grid of cells, for nearest-neighbour searches that examine only a part
//! of them.

use super::Torus;
use ordered_float::OrderedFloat;

/// Named points of a [`Torus`] that are added, removed and moved, for exact searches of the
/// nearest.
///
/// The torus is divided into equal cells, about one per two points unless searches of many are
/// expected, and divided again when the number of points has changed much. A search visits the
/// cells dimension by dimension, nearest first, and stops where even the nearest corner of the rest
/// is too far away. Its result equals that of a search through all points: distances are those of
/// [`Torus::squared_distance`], and the distances of cells are underestimated by more than any
/// rounding error.
///
/// Time of a search is O(1) on average for uniform points and a fixed dimension; it grows like 3^d,
/// and with too few cells (more than some ten dimensions) all points are examined.
#[derive(Clone, Debug)]
pub struct TorusGrid {
    torus: Torus,
    /// Cells along each dimension.
    side: usize,
    cells: Vec<Cell>,
    /// The cell of each name with a point.
    cell_of: Vec<Option<u32>>,
    count: usize,
    /// The number of points when the cells were made.
    cut_for: usize,
    /// Points per cell on average, when the cells are made.
    occupancy: usize,
}

/// The points in a cell, coordinate after coordinate.
#[derive(Clone, Debug, Default)]
struct Cell {
    names: Vec<u32>,
    coordinates: Vec<f64>,
}

/// Points per cell on average for searches of the nearest one.
const OCCUPANCY: usize = 2;
/// Points searched per point of a cell: with so large cells fewer are visited, and not many more
/// points.
const SEARCHED: usize = 40;
/// For fewer points the cells are not made anew.
const FEW: usize = 16;
/// By how much the distance of a cell is underestimated: far above the rounding of a coordinate,
/// far below any relevant distance.
const SLACK: f64 = 1e-12;

impl TorusGrid {
    /// A grid without points.
    pub fn new(torus: Torus) -> Self {
        Self {
            torus,
            side: 1,
            cells: vec![Cell::default()],
            cell_of: Vec::new(),
            count: 0,
            cut_for: FEW,
            occupancy: OCCUPANCY,
        }
    }

    /// A grid without points whose cells fit searches of the `count` nearest.
    pub fn for_searches_of(torus: Torus, count: usize) -> Self {
        Self {
            occupancy: OCCUPANCY.max(count / SEARCHED),
            ..Self::new(torus)
        }
    }

    /// The number of points.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether `name` has a point.
    pub fn holds(&self, name: u32) -> bool {
        matches!(self.cell_of.get(name as usize), Some(Some(_)))
    }

    /// All names, those of near points together: searches in this order find more in the cache.
    pub fn names(&self) -> impl Iterator<Item = u32> {
        self.cells
            .iter()
            .flat_map(|cell| cell.names.iter().copied())
    }

    /// Puts `name` at `point`; a previous point of this name is removed. Amortised O(1). Names
    /// should be small numbers: memory is linear in the largest.
    pub fn put(&mut self, name: u32, point: &[f64]) {
        self.remove(name);
        self.add(name, point);
        self.count += 1;
        if self.count > 2 * self.cut_for {
            self.cut();
        }
    }

    /// Removes `name`; false if it has no point. Amortised O(1).
    pub fn remove(&mut self, name: u32) -> bool {
        let home = self.cell_of.get_mut(name as usize).and_then(Option::take);
        let Some(cell) = home.map(|home| &mut self.cells[home as usize]) else {
            return false;
        };
        if let Some(place) = cell.names.iter().position(|other| *other == name) {
            let (d, last) = (self.torus.dimensions(), cell.names.len() - 1);
            cell.names.swap_remove(place);
            cell.coordinates.copy_within(last * d.., place * d);
            cell.coordinates.truncate(last * d);
        }
        self.count -= 1;
        if self.cut_for > FEW && self.count < self.cut_for / 4 {
            self.cut();
        }
        true
    }

    /// The name whose point is nearest to `target`; of equally near ones the one that is `before`
    /// the others. `None` if there is no point.
    pub fn nearest(&self, target: &[f64], mut before: impl FnMut(u32, u32) -> bool) -> Option<u32> {
        let mut best: Option<u32> = None;
        self.search(target, f64::INFINITY, &mut |name, distance, bound| {
            let better = match best {
                Some(best) if distance == *bound => before(name, best),
                _ => distance < *bound,
            };
            if better {
                best = Some(name);
                *bound = distance;
            }
        });
        best
    }

    /// Writes the `count` names other than `except` whose points are nearest to `target` into
    /// `found`, nearest first, with their squared distances; smaller names first where these are
    /// equal. All names if there are no more.
    pub fn nearest_few(
        &self,
        target: &[f64],
        count: usize,
        except: u32,
        found: &mut Vec<(OrderedFloat<f64>, u32)>,
    ) {
        let d = self.torus.dimensions() as f64;
        // Points within a radius are found exactly; a radius with too few points is enlarged.
        let mut reach = self.squared_reach(count);
        loop {
            found.clear();
            self.search(target, reach, &mut |name, distance, bound| {
                if distance <= *bound && name != except {
                    found.push((OrderedFloat(distance), name));
                }
            });
            // The distance of two points is at most half a turn in each dimension.
            if found.len() >= count || reach > d / 4.0 {
                break;
            }
            reach *= 1.5;
        }
        if count < found.len() {
            found.select_nth_unstable(count);
            found.truncate(count);
        }
        found.sort_unstable();
    }

    /// The square of a radius that contains a little more than `count` uniform points.
    fn squared_reach(&self, count: usize) -> f64 {
        let d = self.torus.dimensions();
        // The volume of the unit ball: V(d) = V(d - 2) 2 pi / d.
        let volume = (1..=d)
            .rev()
            .step_by(2)
            .map(|k| match k {
                1 => 2.0,
                k => std::f64::consts::TAU / k as f64,
            })
            .product::<f64>();
        let part = (1.2 * count as f64 + 4.0) / self.count.max(1) as f64;
        libm::pow(part / volume, 2.0 / d as f64)
    }

    /// Calls `see` with the name and squared distance of every point that may be within the squared
    /// distance `bound` of `target`, and of some others; `see` may lower the bound.
    fn search(&self, target: &[f64], mut bound: f64, see: &mut impl FnMut(u32, f64, &mut f64)) {
        self.descend(target, 0, 0, 0.0, &mut bound, see);
    }

    /// Visits the cells whose coordinates in the first `depth` dimensions are those of `cell`, at
    /// the squared distance `gap` in these dimensions.
    fn descend(
        &self,
        target: &[f64],
        depth: usize,
        cell: usize,
        gap: f64,
        bound: &mut f64,
        see: &mut impl FnMut(u32, f64, &mut f64),
    ) {
        if depth == self.torus.dimensions() {
            let cell = &self.cells[cell];
            self.torus
                .each_distance(target, &cell.coordinates, |i, distance| {
                    see(cell.names[i], distance, bound);
                });
            return;
        }
        for (coordinate, across) in Outward::new(target[depth], self.side) {
            let gap = gap + across * across;
            if gap > *bound {
                break;
            }
            self.descend(
                target,
                depth + 1,
                cell * self.side + coordinate,
                gap,
                bound,
                see,
            );
        }
    }

    fn add(&mut self, name: u32, point: &[f64]) {
        let home = point
            .iter()
            .fold(0, |cell, x| cell * self.side + interval(*x, self.side));
        let place = name as usize;
        if self.cell_of.len() <= place {
            self.cell_of.resize(place + 1, None);
        }
        self.cell_of[place] = Some(home as u32);
        let cell = &mut self.cells[home];
        cell.names.push(name);
        cell.coordinates.extend_from_slice(point);
    }

    /// Makes the cells for the present number of points.
    fn cut(&mut self) {
        let d = self.torus.dimensions();
        let cells = |side: usize| side.checked_pow(d as u32).unwrap_or(usize::MAX);
        let wanted = self.count / self.occupancy;
        self.cut_for = self.count.max(FEW);
        self.side = 1;
        while cells(self.side + 1) <= wanted {
            self.side += 1;
        }
        let old = std::mem::take(&mut self.cells);
        self.cells.resize_with(cells(self.side), Cell::default);
        for cell in old {
            for (name, point) in cell.names.iter().zip(cell.coordinates.chunks_exact(d)) {
                self.add(*name, point);
            }
        }
    }
}

/// The index of the interval that contains `x` of `[0, 1)`, for a circle divided into `side` equal
/// ones.
fn interval(x: f64, side: usize) -> usize {
    ((x * side as f64) as usize).min(side - 1)
}

/// The intervals of a circle divided into equal ones, from a point outward: each with its least
/// distance, ascending.
struct Outward {
    x: f64,
    side: usize,
    home: usize,
    /// How many were visited upward and downward.
    up: usize,
    down: usize,
    begun: bool,
}

impl Outward {
    fn new(x: f64, side: usize) -> Self {
        Self {
            x,
            side,
            home: interval(x, side),
            up: 0,
            down: 0,
            begun: false,
        }
    }
}

impl Iterator for Outward {
    type Item = (usize, f64);

    fn next(&mut self) -> Option<(usize, f64)> {
        if !std::mem::replace(&mut self.begun, true) {
            return Some((self.home, 0.0));
        }
        if self.up + self.down + 1 >= self.side {
            return None;
        }
        let (home, side) = (self.home as f64, self.side as f64);
        let above = (home + 1.0 + self.up as f64) / side - self.x;
        let below = self.x - (home - self.down as f64) / side;
        let (coordinate, gap) = if above < below {
            self.up += 1;
            (self.home + self.up, above)
        } else {
            self.down += 1;
            (self.home + self.side - self.down, below)
        };
        Some((coordinate % self.side, (gap - SLACK).max(0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Key, Space, TorusPoint};
    use super::*;
    use crate::engine::{Seed, Stream};
    use proptest::prelude::*;

    /// Uniform points, or points on a coarse lattice, where many distances are equal and many
    /// coordinates lie on the borders of cells.
    fn point(torus: &Torus, lattice: bool, stream: &mut Stream) -> TorusPoint {
        if lattice {
            (0..torus.dimensions())
                .map(|_| stream.below(8) as f64 / 8.0)
                .collect()
        } else {
            torus.point(&Key::random(stream))
        }
    }

    /// The nearest few by a search through all points.
    fn brute(
        torus: &Torus,
        points: &[Option<TorusPoint>],
        target: &[f64],
        except: u32,
    ) -> Vec<(OrderedFloat<f64>, u32)> {
        let mut all: Vec<_> = points
            .iter()
            .enumerate()
            .filter_map(|(name, point)| Some((name as u32, point.as_ref()?)))
            .filter(|(name, _)| *name != except)
            .map(|(name, point)| (OrderedFloat(torus.squared_distance(target, point)), name))
            .collect();
        all.sort_unstable();
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        /// While points are added, removed and moved, searches find what a search through all
        /// points finds.
        #[test]
        fn searches_find_what_brute_force_finds(
            seed: u64, d in 1usize..9, names in 1usize..400, lattice: bool, many in 0usize..400,
        ) {
            let torus = Torus::new(d);
            let mut stream = Seed::new(seed).stream("points", 0);
            let mut grid = TorusGrid::for_searches_of(torus, many);
            let mut points: Vec<Option<TorusPoint>> = vec![None; names];
            for round in 0..4 {
                // Mostly additions at first, mostly removals in the end.
                for _ in 0..names {
                    let name = stream.index(names);
                    if stream.below(4) >= round {
                        let at = point(&torus, lattice, &mut stream);
                        grid.put(name as u32, &at);
                        points[name] = Some(at);
                    } else {
                        prop_assert_eq!(grid.remove(name as u32), points[name].take().is_some());
                    }
                }
                prop_assert_eq!(grid.len(), points.iter().flatten().count());
                for _ in 0..20 {
                    let target = point(&torus, lattice, &mut stream);
                    let all = brute(&torus, &points, &target, u32::MAX);
                    let nearest = grid.nearest(&target, |a, b| a < b);
                    prop_assert_eq!(nearest, all.first().map(|(_, name)| *name));
                    let except = stream.index(names) as u32;
                    let mut few = brute(&torus, &points, &target, except);
                    let count = stream.index(few.len() + 2);
                    let mut found = Vec::new();
                    grid.nearest_few(&target, count, except, &mut found);
                    few.truncate(count);
                    prop_assert_eq!(found, few);
                }
            }
        }

        /// Every interval comes once, nearest first, and none of its points is nearer than stated.
        #[test]
        fn outward_goes_once_around(x in 0.0f64..1.0, side in 1usize..40) {
            let all: Vec<_> = Outward::new(x, side).collect();
            let mut seen: Vec<_> = all.iter().map(|(coordinate, _)| *coordinate).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..side).collect::<Vec<_>>());
            prop_assert!(all.is_sorted_by(|a, b| a.1 <= b.1));
            for (coordinate, gap) in all {
                for part in [0.0, 0.5, 1.0 - 1e-9] {
                    let y = (coordinate as f64 + part) / side as f64;
                    let across = (x - y).abs();
                    prop_assert!(gap <= across.min(1.0 - across));
                }
            }
        }
    }
}
