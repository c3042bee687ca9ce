//! `experiment = "network"`: a DHT on an underlay, with or without churn, that looks up keys.

mod output;

use crate::runner::{NetworkRun, Task, plan_lookups};
use dhtlab_core::adversary::Behaviour;
use dhtlab_core::engine::{Duration, Seed};
use dhtlab_core::network::{End, Network};
use dhtlab_core::overlay::GroundTruth;
use dhtlab_core::parameter::{ConfigError, Map, Section, Table};
use dhtlab_scenario::{Cost, Experiment, NetworkScenario, Run, RunOutput, TableSpec};
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

    fn metrics(&self) -> &'static [&'static str] {
        &[
            "lookups",
            "lookups_ok",
            "lookups_wrong",
            "lookups_failed",
            "lookups_abandoned",
            "overlay_hops_mean",
            "overlay_hops_p50",
            "overlay_hops_p99",
            "underlay_hops_mean",
            "latency_ms_mean",
            "latency_ms_p50",
            "latency_ms_p99",
            "stretch_mean",
            "stretch_of_means",
            "degree_mean",
            "degree_max",
            "messages",
            "events",
            "overlay_hops_mean_if_any",
            "underlay_hops_per_hop",
            "member_underlay_hops_mean",
            "success_rate",
            "timeouts_mean",
            "joins",
            "leaves",
            "rejoins",
            "maintenance_messages",
            "maintenance_bytes_per_node_s",
            "bytes_per_node_s",
            "members_mean",
            "ring_ok",
            "sybils",
            "occluded_links_fraction",
            "lookups_intercepted",
            "lookups_hijacked",
            "interception_rate",
            "interception_predicted",
            "capture_rate",
        ]
    }

    fn tables(&self) -> &'static [TableSpec] {
        &[
            TableSpec {
                name: "histogram",
                columns: &["quantity", "value", "count"],
                quantities: &[
                    "overlay_hops",
                    "underlay_hops",
                    "latency_ms",
                    "stretch",
                    "degree",
                    "member_underlay_hops",
                ],
            },
            TableSpec {
                name: "timeline",
                columns: &[
                    "time_s",
                    "members",
                    "lookups",
                    "success_rate",
                    "wrong_rate",
                    "hops_mean",
                    "latency_ms_mean",
                    "timeouts_mean",
                    "sybils",
                    "occluded_links_fraction",
                    "interception_rate",
                    "hijack_rate",
                ],
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
