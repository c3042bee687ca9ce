//! The regions of a Chord ring: the root of each key, and the tasks with random keys.
//!
//! Rosen's dissertation (2016, chapter 2) and slides have both pictures. With Chord's closeness a
//! node has the keys after its predecessor up to its own ID; where closest means nearest in either
//! direction, it has those from half-way to half-way. The slides on load balancing have one with
//! 100 tasks on 10 nodes.

use super::ring::{RingLayout, RingParameters};
use super::{Drawn, Subject, own_tables};
use dhtlab_core::engine::Seed;
use dhtlab_core::overlay::chord::Closest;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Table};

dhtlab_core::parameters! {
    /// The regions of a Chord ring.
    pub struct RingRegionsParameters {
        /// Which node is the root of a key.
        pub closest: Closest = Closest::Successor;
        /// Number of tasks with random keys, drawn in the regions; each node shows its number of
        /// tasks.
        pub tasks: u32 = 0, within 0..=2_000;
    }
}

/// The picture `ring-regions`.
pub(super) struct RingRegions {
    ring: RingParameters,
    own: RingRegionsParameters,
}

impl RingRegions {
    /// Reads and checks the picture from the table `diagram`.
    ///
    /// # Errors
    /// The first invalid key.
    pub fn read(table: &Table<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            ring: RingParameters::checked(table)?,
            own: RingRegionsParameters::read(&table.sub("ring-regions")?)?,
        })
    }
}

/// A region: its keys from the first to the last, which may wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Region {
    first: u64,
    last: u64,
}

impl Region {
    /// Whether the region contains `key`.
    fn has(self, key: u64, ring: &RingLayout) -> bool {
        (key.wrapping_sub(self.first) & (ring.size() - 1)) < self.keys(ring)
    }

    /// Number of keys in the region.
    fn keys(self, ring: &RingLayout) -> u64 {
        (self.last.wrapping_sub(self.first) & (ring.size() - 1)) + 1
    }
}

/// Number of keys of a node after its ID; `gap` is the distance to the next node.
fn reach(gap: u64, closest: Closest) -> u64 {
    match closest {
        Closest::Successor => 0,
        // A key at equal distance belongs to the next node.
        Closest::Nearest => (gap - 1) / 2,
    }
}

/// The regions of all nodes, in the order of their IDs; there are at least two.
fn regions(ring: &RingLayout, closest: Closest) -> Vec<Region> {
    let ids = &ring.ids;
    let modulo = ring.size() - 1;
    let last_of = |place: usize| {
        let (id, next) = (ids[place], ids[(place + 1) % ids.len()]);
        let gap = next.wrapping_sub(id) & modulo;
        (id + reach(gap, closest)) & modulo
    };
    (0..ids.len())
        .map(|place| Region {
            first: (last_of((place + ids.len() - 1) % ids.len()) + 1) & modulo,
            last: last_of(place),
        })
        .collect()
}

impl Subject for RingRegions {
    fn resolved(&self) -> Map {
        own_tables(vec![
            ("ring", self.ring.write()),
            ("ring-regions", self.own.write()),
        ])
    }

    fn draw(&self, seed: Seed) -> Result<Drawn, ConfigError> {
        let ring = self.ring.ring(seed);
        let mut drawn = Drawn::default();
        let shapes = &mut drawn.shapes;
        for id in &ring.ids {
            shapes.point("node", ring.place(*id as f64, 1.0));
        }
        let regions = regions(&ring, self.own.closest);
        let mut stream = seed.stream("tasks", 0);
        let tasks: Vec<u64> = (0..self.own.tasks)
            .map(|_| stream.below(ring.size()))
            .collect();
        let load = |region: &Region| tasks.iter().filter(|key| region.has(**key, &ring)).count();
        let loads: Vec<usize> = regions.iter().map(load).collect();
        if ring.is_labelled() {
            let label = |(id, load): (&u64, &usize)| match self.own.tasks {
                0 => (*id, id.to_string()),
                _ => (*id, format!("{id} ({load})")),
            };
            let labels: Vec<_> = ring.ids.iter().zip(&loads).map(label).collect();
            ring.label(shapes, "node", &labels);
        }
        for region in &regions {
            // A key is the range up to it from the one before, so a region by Chord's closeness
            // ends at its node.
            let end = |key: u64| match self.own.closest {
                Closest::Successor => key as f64,
                Closest::Nearest => key as f64 + 0.5,
            };
            let before = (region.first + ring.size() - 1) % ring.size();
            let mut corners = ring.arc(end(before), end(region.last), 1.0);
            let inner = ring.arc(end(before), end(region.last), 0.55);
            corners.extend(inner.into_iter().rev());
            shapes.cell("region: the keys of one node", &corners);
        }
        for key in &tasks {
            shapes.point("task, at its key", ring.place(*key as f64, 0.775));
        }
        let keys = |region: &Region| region.keys(&ring);
        let share = |keys: u64| keys as f64 / ring.size() as f64;
        let largest = regions.iter().map(keys).max().unwrap_or(0);
        drawn.counted = vec![
            ("nodes", ring.ids.len() as f64),
            ("largest_region", share(largest)),
            ("region_total", share(regions.iter().map(keys).sum())),
        ];
        if self.own.tasks > 0 {
            let largest = loads.iter().max().copied().unwrap_or(0);
            drawn.counted.extend([
                ("tasks", f64::from(self.own.tasks)),
                ("largest_load", largest as f64),
            ]);
        }
        Ok(drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagram::tests::{drawn, metric, rows};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Each key is in the region of its root in Chord, and in no other.
        #[test]
        fn a_key_is_in_the_region_of_its_root(
            bits in 1u32..9, wanted in 2usize..40, seed: u64, nearest: bool,
        ) {
            let count = wanted.min(1 << bits);
            let parameters = RingParameters { bits, nodes: Some(count), ids: Vec::new() };
            let closest = if nearest { Closest::Nearest } else { Closest::Successor };
            let ring = parameters.ring(Seed::new(seed));
            let (chord, regions) = (ring.chord(closest), regions(&ring, closest));
            for key in 0..ring.size() {
                let owners: Vec<u64> = regions
                    .iter()
                    .zip(&ring.ids)
                    .filter(|(region, _)| region.has(key, &ring))
                    .map(|(_, id)| *id)
                    .collect();
                prop_assert_eq!(&owners, &[chord.root(key).expect("a root")]);
            }
        }
    }

    /// The cells together have the area of the ring between the two radii, and each has the area of
    /// its fraction of the keys.
    #[test]
    fn the_cells_cover_the_ring() {
        for closest in ["successor", "nearest"] {
            let outcome = drawn(
                &format!(
                    "[diagram]\npicture = \"ring-regions\"\nring = {{ bits = 10, nodes = 12 }}\n\
                     ring-regions = {{ closest = \"{closest}\" }}"
                ),
                5,
            )
            .expect("a picture");
            let rows = rows(&outcome, "region: the keys of one node", "cell");
            let cells: Vec<_> = rows.chunk_by(|a, b| a.0 == b.0).collect();
            assert_eq!(cells.len(), 12);
            let area = |cell: &[(&str, f64, f64, &str)]| {
                let next = cell.iter().cycle().skip(1);
                let twice: f64 = cell
                    .iter()
                    .zip(next)
                    .map(|(a, b)| a.1 * b.2 - b.1 * a.2)
                    .sum();
                twice.abs() / 2.0
            };
            let whole = std::f64::consts::PI * (1.0 - 0.55 * 0.55);
            let total: f64 = cells.iter().map(|cell| area(cell)).sum();
            // Chords of two degrees instead of arcs: 1 - sin(2°) / 2° = 0.0002.
            assert!((total / whole - 1.0).abs() < 3e-4, "{closest}: {total}");
            let largest = cells.iter().map(|cell| area(cell)).fold(0.0, f64::max);
            let share = metric(&outcome, "largest_region");
            assert!((largest / whole / share - 1.0).abs() < 5e-4, "{closest}");
            assert_eq!(metric(&outcome, "region_total"), 1.0);
        }
    }

    /// Each task is counted at one node, and drawn within the band of the regions.
    #[test]
    fn each_task_is_of_one_node() {
        let text = "[diagram]\npicture = \"ring-regions\"\nring = { bits = 16, nodes = 10 }\n\
                    ring-regions = { tasks = 100 }";
        for seed in 0..5 {
            let outcome = drawn(text, seed).expect("a picture");
            let tasks = rows(&outcome, "task, at its key", "point");
            assert_eq!(tasks.len(), 100);
            for (_, x, y, _) in &tasks {
                assert!((0.77..0.78).contains(&libm::hypot(*x, *y)));
            }
            let cells = outcome.tables[0].0.iter();
            let labels = cells.filter(|row| row[0] == "node" && !row[5].is_empty());
            let loads: Vec<u32> = labels
                .map(|row| {
                    let load = row[5].split(['(', ')']).nth(1).expect("a load");
                    load.parse().expect("a number")
                })
                .collect();
            assert_eq!((loads.len(), loads.iter().sum::<u32>()), (10, 100));
            let largest = loads.iter().max().copied().expect("ten of them");
            assert_eq!(metric(&outcome, "largest_load"), f64::from(largest));
        }
    }
}
