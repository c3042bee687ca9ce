//! `experiment = "dgvh-cost"`: the cost of a call of DGVH and the number of neighbours found, by
//! the number of candidates.
//!
//! The VHash slides give O(k^2) for k candidates, and O(n log n) to sort n of them. The cost is
//! counted in comparisons, not seconds, so it is the same on every machine.

use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Section, Table};
use dhtlab_core::space::{Dgvh, Key, Rule, Space, Torus, TorusPoint};
use dhtlab_scenario::{Column, Cost, Experiment, Run, RunOutput, TableSpec, sections};
use std::path::Path;

dhtlab_core::parameters! {
    /// Calls of DGVH for a node among random candidates.
    pub struct DgvhCostParameters {
        /// Number of candidates.
        pub candidates: usize = 100, within 1..=1_000_000;
        /// Dimensions of the torus.
        pub dimensions: usize = 2, within 1..=32;
        /// When a candidate is rejected as a neighbour.
        pub rule: Rule = Rule::Midpoint;
        /// Number of calls, each with new candidates.
        pub calls: usize = 200, within 1..=1_000_000;
    }
}

/// The experiment kind `dgvh-cost`.
pub struct DgvhCost;

impl Experiment for DgvhCost {
    fn name(&self) -> &'static str {
        "dgvh-cost"
    }

    fn doc(&self) -> &'static str {
        "cost of a call of DGVH in comparisons, and its number of neighbours among random candidates"
    }

    fn sections(&self) -> Vec<Section> {
        vec![Section::of::<DgvhCostParameters>("dgvh-cost")]
    }

    fn metrics(&self) -> &'static [Column] {
        METRICS
    }

    fn tables(&self) -> &'static [TableSpec] {
        &[]
    }

    fn prepare(&self, values: &Table<'_>, _: &Path) -> Result<Box<dyn Run>, ConfigError> {
        let parameters = DgvhCostParameters::read(&values.sub("dgvh-cost")?)?;
        Ok(Box::new(DgvhCostRun(parameters)))
    }
}

dhtlab_scenario::columns! {
    METRICS, fn metrics(m: &CallResults) {
        /// Mean number of neighbours that a call finds.
        neighbours_mean [""] = m.found as f64 / m.calls,
        /// The most neighbours of a call.
        neighbours_max [""] = m.most,
        /// Mean comparisons of a call: distances between a chosen neighbour and a candidate, or its
        /// midpoint. Sorting is not included.
        comparisons_mean [""] = m.comparisons,
        /// `comparisons_mean` over the number of candidates.
        comparisons_per_candidate [""] = m.comparisons / m.candidates,
    }
}

/// The results of the calls.
struct CallResults {
    calls: f64,
    candidates: f64,
    /// Neighbours of all calls, and the most of one.
    found: usize,
    most: usize,
    /// Mean comparisons of a call.
    comparisons: f64,
}

struct DgvhCostRun(DgvhCostParameters);

impl Run for DgvhCostRun {
    fn resolved(&self) -> Map {
        sections([("dgvh-cost", self.0.table())])
    }

    fn cost(&self) -> Cost {
        let candidates = self.0.candidates as f64;
        Cost {
            events: candidates * self.0.calls as f64 / 5.0,
            bytes: candidates * 100.0,
        }
    }

    fn run(&self, seed: Seed) -> Result<RunOutput, ConfigError> {
        let torus = Torus::new(self.0.dimensions);
        let mut stream = seed.stream("positions", 0);
        let mut dgvh = Dgvh::new(self.0.rule, 0);
        let (mut found, mut most) = (0, 0);
        for _ in 0..self.0.calls {
            let me = torus.point(&Key::random(&mut stream));
            let candidates: Vec<TorusPoint> = (0..self.0.candidates)
                .map(|_| torus.point(&Key::random(&mut stream)))
                .collect();
            let neighbours = dgvh.select(&torus, &me, &candidates).len();
            found += neighbours;
            most = most.max(neighbours);
        }
        let calls = self.0.calls as f64;
        let measured = CallResults {
            calls,
            candidates: self.0.candidates as f64,
            found,
            most,
            comparisons: dgvh.comparisons() as f64 / calls,
        };
        Ok(RunOutput {
            metrics: metrics(&measured),
            ..RunOutput::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a circle with the distance rule a node has at most one neighbour on each side, and a
    /// candidate is compared with at most these; the first is compared with none.
    #[test]
    fn on_a_circle_two_comparisons_are_enough() {
        let run = DgvhCostRun(DgvhCostParameters {
            candidates: 50,
            dimensions: 1,
            rule: Rule::Distance,
            calls: 40,
        });
        let outcome = run.run(Seed::new(1)).expect("an outcome");
        let cells: Vec<f64> = outcome
            .metrics
            .iter()
            .map(|cell| cell.number().expect("a number"))
            .collect();
        assert!(cells[0] <= 2.0 && cells[1] == 2.0, "{cells:?}");
        assert!((49.0..=98.0).contains(&cells[2]), "{cells:?}");
        assert_eq!(cells[2] / 50.0, cells[3]);
    }
}
