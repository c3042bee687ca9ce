//! `experiment = "network"`: a DHT on an underlay, with or without churn, that looks up keys.

mod output;

use crate::histogram::HISTOGRAM;
use crate::runner::{NetworkRun, Task, plan_lookups};
use dhtlab_core::adversary::Behaviour;
use dhtlab_core::engine::{Duration, Seed};
use dhtlab_core::network::{End, Network};
use dhtlab_core::overlay::GroundTruth;
use dhtlab_core::parameter::{ConfigError, Map, Section, Table};
use dhtlab_scenario::{Column, Cost, Experiment, NetworkScenario, Run, RunOutput, TableSpec};
use std::path::Path;

/// The experiment kind `network`.
pub struct NetworkExperiment;

impl Experiment for NetworkExperiment {
    fn name(&self) -> &'static str {
        "network"
    }

    fn doc(&self) -> &'static str {
        "lookups in a DHT on an underlay, simulated message by message"
    }

    fn sections(&self) -> Vec<Section> {
        NetworkScenario::sections()
    }

    fn metrics(&self) -> &'static [Column] {
        output::METRICS
    }

    fn tables(&self) -> &'static [TableSpec] {
        &[
            TableSpec {
                name: "histogram",
                columns: HISTOGRAM,
                quantities: &[
                    "overlay_hops",
                    "underlay_hops",
                    "latency_ms",
                    "stretch",
                    "degree",
                    "member_underlay_hops",
                    "lookup_cost",
                    "member_cost",
                ],
            },
            TableSpec {
                name: "timeline",
                columns: output::TIMELINE,
                quantities: &[],
            },
        ]
    }

    fn prepare(&self, values: &Table<'_>, folder: &Path) -> Result<Box<dyn Run>, ConfigError> {
        let scenario = NetworkScenario::read(values, folder)?;
        if scenario.adversary.is_some() && scenario.adversary.attack.behaviour == Behaviour::Forge {
            return Err(ConfigError::new(
                "adversary.behaviour",
                "\"forge\" alters what a service sends, and this kind of experiment runs none",
            ));
        }
        Ok(Box::new(NetworkRun(Lookups(scenario))))
    }
}

/// Members look up keys.
#[derive(Clone)]
struct Lookups(NetworkScenario);

impl Task for Lookups {
    type Application = ();
    type Course = ();

    const UNFINISHED: &'static str = "lookups under way";
    const NEEDS_ALL_ROWS: bool = true;

    fn network(&self) -> &NetworkScenario {
        &self.0
    }

    fn resolved(&self) -> Map {
        self.0.resolved()
    }

    fn service(&self, _: Seed) {}

    fn measure<P: GroundTruth>(&self, network: &mut Network<P>, seed: Seed, (): &mut ()) -> End {
        network.begin_measuring(self.0.intervals());
        plan_lookups(network, &self.0, seed);
        network.run(self.0.measure_to(), false, self.max_events())
    }

    fn output<P: GroundTruth>(&self, network: &mut Network<P>, seed: Seed, (): ()) -> RunOutput {
        output::output(network, seed)
    }

    fn cost(&self) -> Cost {
        self.0.cost()
    }

    fn events_by(&self, seconds: f64) -> f64 {
        self.0.events_by(seconds)
    }

    fn skippable(&self) -> Duration {
        self.0.time.transition
    }

    fn without_first(&self, skipped: Duration) -> Self {
        Self(self.0.without_first(skipped))
    }
}
