//! `experiment = "growth"`: nodes join one by one, and the overlay's graph is measured at several
//! sizes (the UrDHT model, Rosen, Benshoof, Harrison and Bourgeois 2016).
//!
//! There are two readings. `sound` is the protocol [`urdht`](dhtlab_core::overlay::urdht) with its
//! messages; `as-coded` is the program behind the published figures, whose quirks are in
//! [`published::urdht_growth`](super::published::urdht_growth).

mod protocol_run;

use super::published::urdht_growth::{self, Point};
use cpu_time::ProcessTime;
use dhtlab_core::engine::Seed;
use dhtlab_core::overlay::urdht::{UrdhtParameters, UrdhtSpace};
use dhtlab_core::overlay::{Configuration, Deployment, Start};
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Section, Table, Value};
use dhtlab_core::transport::TransportParameters;
use dhtlab_scenario::{Column, Cost, Experiment, Run, RunOutput, TableRows, TableSpec, sections};
use protocol_run::ProtocolRun;
use std::path::Path;

dhtlab_core::choices! {
    /// The model of the experiment.
    pub enum GrowthReading {
        /// The protocol with its messages: joins through a random member, gossip, greedy lookups.
        Sound = "sound",
        /// The program behind the published figures, with its faults.
        AsCoded = "as-coded",
    }
}

dhtlab_core::parameters! {
    /// The growth of an overlay node by node.
    pub struct GrowthParameters {
        /// The protocol with its messages, or the published program; the latter supports the spaces
        /// ring, xor, euclidean and hyperbolic, and has constants for all other keys of
        /// overlay.urdht.
        pub reading: GrowthReading = GrowthReading::Sound;
        /// Final number of nodes.
        pub nodes: usize = 500, within 2..=20_000;
        /// Gossip periods between two joins; as coded, ticks of every node.
        pub ticks_per_join: usize = 3, within 1..=1000;
        /// Random pairs between which greedy routing is measured at each size. If absent, 1000; as
        /// coded, 100 or the number of nodes if smaller.
        pub pairs: Option<usize> = None, within 1..=1_000_000;
        /// Increase in the number of nodes from one measurement to the next; 10, 20, 50 and the
        /// final number are always measured.
        pub step: usize = 50, within 1..=20_000;
    }
}

impl GrowthParameters {
    /// The sizes at which the graph is measured.
    fn sizes(&self) -> Vec<usize> {
        let steps = (1..=self.nodes / self.step).map(|i| i * self.step);
        let mut sizes: Vec<usize> = [10, 20, 50, self.nodes].into_iter().chain(steps).collect();
        sizes.retain(|size| (2..=self.nodes).contains(size));
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }
}

/// The experiment kind `growth`.
pub struct GrowthExperiment;

impl Experiment for GrowthExperiment {
    fn name(&self) -> &'static str {
        "growth"
    }

    fn doc(&self) -> &'static str {
        "growth of UrDHT node by node over any space: degrees, greedy hops and diameter"
    }

    fn sections(&self) -> Vec<Section> {
        vec![
            Section::of::<GrowthParameters>("growth"),
            Section::of::<UrdhtParameters>("overlay.urdht"),
        ]
    }

    fn metrics(&self) -> &'static [Column] {
        Point::COLUMNS
    }

    fn tables(&self) -> &'static [TableSpec] {
        &[TableSpec {
            name: "timeline",
            columns: Point::COLUMNS,
            quantities: &[],
        }]
    }

    fn prepare(&self, values: &Table<'_>, _: &Path) -> Result<Box<dyn Run>, ConfigError> {
        let growth = GrowthParameters::read(&values.sub("growth")?)?;
        let urdht = UrdhtParameters::read(&values.sub("overlay")?.sub("urdht")?)?;
        match growth.reading {
            GrowthReading::Sound => urdht.check(&Deployment {
                nodes: growth.nodes,
                start: Start::Join,
                joins: true,
                iterative: false,
                knows_round_trips: false,
            })?,
            GrowthReading::AsCoded => {
                published_topology(urdht.space)?;
            }
        }
        Ok(Box::new(GrowthRun { growth, urdht }))
    }
}

/// The topology of the published program for a space.
fn published_topology(space: UrdhtSpace) -> Result<urdht_growth::Topology, ConfigError> {
    match space {
        UrdhtSpace::Ring => Ok(urdht_growth::Topology::Chord),
        UrdhtSpace::Xor => Ok(urdht_growth::Topology::Kademlia),
        UrdhtSpace::Euclidean => Ok(urdht_growth::Topology::Euclidean),
        UrdhtSpace::Hyperbolic => Ok(urdht_growth::Topology::Hyperbolic),
        other => Err(ConfigError::new(
            "overlay.urdht.space",
            format_args!(
                "the published program knows \"ring\", \"xor\", \"euclidean\" and \"hyperbolic\", \
                 not \"{}\"; set `growth.reading = \"sound\"`",
                other.as_str()
            ),
        )),
    }
}

struct GrowthRun {
    growth: GrowthParameters,
    urdht: UrdhtParameters,
}

impl GrowthRun {
    /// The same run with as few nodes as take about `seconds`, but at least sixty.
    fn smaller(&self, seconds: f64) -> Self {
        let part = libm::sqrt(1e6 * seconds / self.cost().events.max(1.0)).min(1.0);
        let nodes = (self.growth.nodes as f64 * part) as usize;
        Self {
            growth: GrowthParameters {
                nodes: nodes.max(60).min(self.growth.nodes),
                ..self.growth.clone()
            },
            urdht: self.urdht.clone(),
        }
    }
}

impl Run for GrowthRun {
    fn resolved(&self) -> Map {
        let overlay = sections([("urdht", self.urdht.table())]);
        sections([
            ("growth", self.growth.table()),
            ("overlay", Value::Table(overlay)),
        ])
    }

    fn cost(&self) -> Cost {
        let n = self.growth.nodes as f64;
        let cost_estimate = self.urdht.cost_estimate(self.growth.nodes);
        // Each node takes part in its ticks while on average half of the nodes are present.
        let turns = n * n / 2.0 * self.growth.ticks_per_join as f64;
        let turn = self.urdht.gossip.span().map_or(0.0, |gossip| {
            cost_estimate.maintenance * gossip.as_secs_f64()
        });
        Cost {
            events: match self.growth.reading {
                GrowthReading::Sound => turns * turn,
                // A tick examines all nodes that a node learns of.
                GrowthReading::AsCoded => turns * 50.0,
            },
            bytes: n * (160.0 + cost_estimate.bytes),
        }
    }

    fn least_trial(&self) -> f64 {
        self.smaller(0.0).cost().events
    }

    /// Runs a smaller network and scales by the ratio of the cost estimates.
    fn trial(&self, seed: Seed, budget: std::time::Duration) -> Result<Option<f64>, ConfigError> {
        let smaller = self.smaller(budget.as_secs_f64());
        let before = ProcessTime::now();
        smaller.run(seed)?;
        let scale = self.cost().events / smaller.cost().events.max(1.0);
        // Larger networks also have more peers and longer paths.
        Ok(Some(before.elapsed().as_secs_f64() * libm::pow(scale, 1.2)))
    }

    fn run(&self, seed: Seed) -> Result<RunOutput, ConfigError> {
        let growth = &self.growth;
        let sizes = growth.sizes();
        let mut points: Vec<Point> = Vec::with_capacity(sizes.len());
        let notes = match growth.reading {
            GrowthReading::Sound => self.urdht.accept_topology(ProtocolRun {
                growth,
                timeout: TransportParameters::default().timeout,
                sizes: &sizes,
                seed,
                points: &mut points,
            })?,
            GrowthReading::AsCoded => {
                let program = urdht_growth::Growth {
                    topology: published_topology(self.urdht.space)?,
                    nodes: growth.nodes,
                    ticks_per_join: growth.ticks_per_join,
                    pairs: growth.pairs.unwrap_or(100),
                };
                program.run(&sizes, seed, |point| points.push(point));
                Vec::new()
            }
        };
        let rows = points.iter().map(|point| point.row());
        Ok(RunOutput {
            metrics: rows.clone().next_back().unwrap_or_default(),
            tables: vec![TableRows(rows.collect())],
            notes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_hold_the_published_ones_and_the_last() {
        let sizes = |nodes, step| {
            let growth = GrowthParameters {
                nodes,
                step,
                ..GrowthParameters::default()
            };
            growth.sizes()
        };
        for published in urdht_growth::Growth::SIZES {
            assert!(sizes(500, 50).contains(&published));
        }
        assert_eq!(sizes(60, 25), [10, 20, 25, 50, 60]);
        assert_eq!(sizes(2, 1), [2]);
    }
}
