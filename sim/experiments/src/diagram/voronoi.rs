//! Points in the unit square: their Voronoi cells, their Delaunay triangulation, and the
//! differences between it and the edges that DGVH finds.
//!
//! The slides show a Voronoi tessellation and the Delaunay triangulation of the same points; DGVH
//! approximates the latter (Benshoof, Rosen, Bourgeois and Harrison, DPDNS 2015).

use super::shapes::DiagramPoint;
use super::{Drawn, Subject, own_tables};
use crate::delaunay::graphs::{self, Choice, Edge};
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Table};
use dhtlab_core::space::{Key, Plane, Rule, Space};
use dhtlab_scenario::Cost;

dhtlab_core::parameters! {
    /// Points in the unit square.
    pub struct VoronoiParameters {
        /// Number of points.
        pub nodes: usize = 40, within 2..=2000;
        /// When DGVH rejects a candidate as a neighbour.
        pub rule: Rule = Rule::Midpoint;
        /// Number of nearest points that are always neighbours.
        pub nearest: usize = 1, within 1..=1999;
    }
}

/// The picture `voronoi`.
pub(super) struct Voronoi(VoronoiParameters);

impl Voronoi {
    /// Reads and checks the picture from the table `diagram`.
    ///
    /// # Errors
    /// The first invalid key.
    pub fn read(table: &Table<'_>) -> Result<Self, ConfigError> {
        let table = table.sub("voronoi")?;
        let parameters = VoronoiParameters::read(&table)?;
        let others = parameters.nodes - 1;
        if parameters.nearest > others {
            let message = format_args!(
                "expected at most the {others} other points, found {}",
                parameters.nearest
            );
            return Err(ConfigError::new(table.path_of("nearest"), message));
        }
        Ok(Self(parameters))
    }
}

/// The part of the convex polygon `cell` that is no nearer to `other` than to `me`: one step of
/// Sutherland and Hodgman (CACM 1974), at the line half-way between the two.
fn cut(cell: &[DiagramPoint], me: [f64; 2], other: [f64; 2]) -> Vec<DiagramPoint> {
    let middle = Plane.midpoint(&me, &other);
    let (dx, dy) = (other[0] - me[0], other[1] - me[1]);
    let beyond = |(x, y): DiagramPoint| (x - middle[0]) * dx + (y - middle[1]) * dy;
    let mut kept = Vec::with_capacity(cell.len() + 1);
    for (place, corner) in cell.iter().enumerate() {
        let next = cell[(place + 1) % cell.len()];
        let (here, there) = (beyond(*corner), beyond(next));
        if here <= 0.0 {
            kept.push(*corner);
        }
        if here * there < 0.0 {
            let part = here / (here - there);
            kept.push((
                corner.0 + part * (next.0 - corner.0),
                corner.1 + part * (next.1 - corner.1),
            ));
        }
    }
    kept
}

/// The Voronoi cells of `points` in the unit square, in their order. A cell is the intersection of
/// the half-planes towards its point, one for each neighbour in the Delaunay triangulation; `edges`
/// are the edges of that.
fn cells(points: &[[f64; 2]], edges: &[Edge]) -> Vec<Vec<DiagramPoint>> {
    let square = vec![(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)];
    let mut cells = vec![square; points.len()];
    for (a, b) in edges {
        for (me, other) in [(*a as usize, *b as usize), (*b as usize, *a as usize)] {
            cells[me] = cut(&cells[me], points[me], points[other]);
        }
    }
    cells
}

/// The area of a polygon.
fn area(cell: &[DiagramPoint]) -> f64 {
    let next = cell.iter().cycle().skip(1);
    let twice: f64 = cell
        .iter()
        .zip(next)
        .map(|(a, b)| a.0 * b.1 - b.0 * a.1)
        .sum();
    twice.abs() / 2.0
}

impl Subject for Voronoi {
    fn resolved(&self) -> Map {
        own_tables(vec![("voronoi", self.0.write())])
    }

    fn cost(&self) -> Cost {
        let n = self.0.nodes as f64;
        Cost {
            events: n * n / 20.0,
            bytes: n * 2000.0,
        }
    }

    fn draw(&self, seed: Seed) -> Result<Drawn, ConfigError> {
        let mut stream = seed.stream("positions", 0);
        let points: Vec<[f64; 2]> = (0..self.0.nodes)
            .map(|_| Plane.point(&Key::random(&mut stream)))
            .collect();
        let exact = graphs::delaunay(&points)
            .map_err(|error| ConfigError::new("diagram.voronoi.nodes", error))?;
        let choice = Choice {
            rule: self.0.rule,
            nearest: self.0.nearest,
            least: 0,
        };
        let chosen = graphs::dgvh(&points, &choice);
        let cells = cells(&points, &exact);

        let mut drawn = Drawn::default();
        let shapes = &mut drawn.shapes;
        let at = |node: u32| (points[node as usize][0], points[node as usize][1]);
        let is_in = |edges: &[Edge], edge: &Edge| edges.binary_search(edge).is_ok();
        let line = |(a, b): &Edge| [at(*a), at(*b)];
        let (both, missing): (Vec<&Edge>, Vec<&Edge>) =
            exact.iter().partition(|edge| is_in(&chosen, edge));
        let extra: Vec<&Edge> = chosen.iter().filter(|edge| !is_in(&exact, edge)).collect();
        both.iter()
            .for_each(|edge| shapes.line("edge of both", &line(edge)));
        for node in 0..points.len() as u32 {
            shapes.point("point", at(node));
        }
        exact
            .iter()
            .for_each(|edge| shapes.line("Delaunay edge", &line(edge)));
        for edge in &missing {
            shapes.line("Delaunay edge that DGVH misses", &line(edge));
        }
        extra
            .iter()
            .for_each(|edge| shapes.line("edge of DGVH alone", &line(edge)));
        for cell in &cells {
            shapes.cell("Voronoi cell", cell);
        }
        let areas: Vec<f64> = cells.iter().map(|cell| area(cell)).collect();
        drawn.counted = vec![
            ("nodes", points.len() as f64),
            ("edges", exact.len() as f64),
            ("missing_edges", missing.len() as f64),
            ("extra_edges", extra.len() as f64),
            ("largest_region", areas.iter().copied().fold(0.0, f64::max)),
            ("region_total", areas.iter().sum()),
        ];
        Ok(drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagram::tests::{drawn, metric, rows};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// The cells fill the square, and a position in a cell is nearest to its point: the middle
        /// of its corners, and the corners, which may be equally near to others.
        #[test]
        fn cells_are_what_is_nearest(seed: u64, count in 2usize..80) {
            let mut stream = Seed::new(seed).stream("positions", 0);
            let points: Vec<[f64; 2]> =
                (0..count).map(|_| Plane.point(&Key::random(&mut stream))).collect();
            let cells = cells(&points, &graphs::delaunay(&points).expect("a triangulation"));
            let total: f64 = cells.iter().map(|cell| area(cell)).sum();
            prop_assert!((total - 1.0).abs() < 1e-9, "{total}");
            for (me, cell) in points.iter().zip(&cells) {
                let corners = cell.len() as f64;
                let sum = cell.iter().fold((0.0, 0.0), |sum, (x, y)| (sum.0 + x, sum.1 + y));
                let middle = (sum.0 / corners, sum.1 / corners);
                for (x, y) in cell.iter().copied().chain([middle]) {
                    let far = |point: &[f64; 2]| Plane.distance(point, &[x, y]).0;
                    let least = points.iter().map(far).fold(f64::INFINITY, f64::min);
                    prop_assert!(far(me) <= least + 1e-9);
                }
            }
        }
    }

    /// The drawing has the counted edges, and the edges of both graphs are those of the
    /// triangulation that DGVH does not miss.
    #[test]
    fn the_layers_are_the_graphs() {
        for rule in ["midpoint", "distance"] {
            let text = format!(
                "[diagram]\npicture = \"voronoi\"\nvoronoi = {{ nodes = 300, rule = \"{rule}\" }}"
            );
            let outcome = drawn(&text, 2).expect("a picture");
            let lines = |layer| rows(&outcome, layer, "line").len() as f64 / 2.0;
            let [edges, missing, extra] =
                ["edges", "missing_edges", "extra_edges"].map(|name| metric(&outcome, name));
            assert_eq!(lines("Delaunay edge"), edges);
            assert_eq!(lines("Delaunay edge that DGVH misses"), missing);
            assert_eq!(lines("edge of both"), edges - missing);
            assert_eq!(lines("edge of DGVH alone"), extra);
            // Euler: 3 n - 3 edges, less one for each point on the hull.
            assert!((860.0..=897.0).contains(&edges), "{edges}");
            assert!(missing > 0.0, "{rule}");
            assert_eq!(rows(&outcome, "point", "point").len(), 300);
        }
    }
}
