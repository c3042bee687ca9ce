//! `experiment = "network"`: a DHT on an underlay, with or without churn, that looks up keys.
//! `setup` builds it from a scenario, `output` turns the counters into rows.

mod output;
pub(super) mod setup;
pub(super) mod state;
pub(super) mod trial;

use dhtlab_core::adversary::Behaviour;
use dhtlab_core::engine::{Instant, Seed};
use dhtlab_core::network::End;
use dhtlab_core::overlay::{GroundTruth, ProtocolVisitor, Start};
use dhtlab_core::parameter::{ConfigError, Section, Table};
use dhtlab_core::underlay::Facts;
use dhtlab_format::recording::Recording;
use dhtlab_scenario::{Cost, Experiment, NetworkScenario, Recordable, Run, RunOutput, TableSpec};
use std::path::Path;
use trial::{Observer, Trial};

/// The experiment kind `network`.
pub struct NetworkExperiment;

impl Experiment for NetworkExperiment {
    fn name(&self) -> &'static str {
        "network"
    }

    fn doc(&self) -> &'static str {
        "a DHT on an underlay, simulated message by message, asked to look up keys"
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
        Ok(Box::new(NetworkRun(scenario)))
    }
}

struct NetworkRun(NetworkScenario);

impl Run for NetworkRun {
    fn resolved(&self) -> dhtlab_core::parameter::Map {
        let mut table = self.0.resolved();
        table.insert("experiment".to_owned(), NetworkExperiment.name().into());
        table
    }

    fn facts(&self) -> Option<Facts> {
        self.0.underlay.facts()
    }

    fn cost(&self) -> Cost {
        self.0.cost()
    }

    fn network(&self) -> Option<&NetworkScenario> {
        Some(&self.0)
    }

    fn least_trial(&self) -> f64 {
        self.0.building()
    }

    fn trial(&self, seed: Seed, budget: std::time::Duration) -> Result<Option<f64>, ConfigError> {
        let scenario = &self.0;
        let mut trial = Trial::new(budget);
        self.run_observed(seed, Observer::Trial(&mut trial))?;
        let (lasts, measure_from) = (scenario.lasts(), scenario.time.transition.as_secs_f64());
        if trial.has_reached(measure_from) || scenario.overlay.start != Start::Converged {
            return Ok(Some(trial.whole(lasts, true, |t| scenario.events_by(t))));
        }
        // The phases before and after measuring begins differ, so each has its own trial.
        let measured = scenario.without_first(scenario.time.transition);
        let before = trial.whole(measure_from, false, |t| scenario.events_by(t));
        let mut trial = Trial::new(budget);
        Self(measured.clone()).run_observed(seed, Observer::Trial(&mut trial))?;
        let after = trial.whole(measured.lasts(), true, |t| measured.events_by(t));
        Ok(Some(before + after - trial.building()))
    }

    fn run(&self, seed: Seed) -> Result<RunOutput, ConfigError> {
        self.run_observed(seed, Observer::None)
    }

    fn recorded(&self) -> Result<&dyn Recordable, ConfigError> {
        self.0.check_recordable()?;
        Ok(self)
    }
}

impl NetworkRun {
    /// Runs the network with an observer.
    fn run_observed(&self, seed: Seed, observer: Observer<'_>) -> Result<RunOutput, ConfigError> {
        self.0.protocol.accept(ProtocolRunner {
            scenario: &self.0,
            seed,
            observer,
        })
    }
}

impl Recordable for NetworkRun {
    fn record(&self, seed: Seed, recording: &mut Recording) -> Result<RunOutput, ConfigError> {
        self.run_observed(seed, Observer::Recording(recording))
    }
}

/// Runs a scenario on its protocol.
struct ProtocolRunner<'a> {
    scenario: &'a NetworkScenario,
    seed: Seed,
    observer: Observer<'a>,
}

impl ProtocolVisitor for ProtocolRunner<'_> {
    type Output = Result<RunOutput, ConfigError>;

    fn visit<P: GroundTruth>(self, shared: P::Shared) -> Self::Output {
        let Self {
            scenario,
            seed,
            observer,
        } = self;
        let (mut network, mut notes) = setup::build::<P, ()>(scenario, seed, shared, ())?;
        let mut observer = observer;
        setup::begin(&mut network, &mut observer);
        let max_events = scenario.time.max_events;
        let mut end = network.run(scenario.measure_from(), false, max_events);
        if end == End::Done {
            notes.extend(state::not_whole(&network, scenario, seed, true));
            network.begin_measuring(scenario.intervals());
            setup::plan_lookups(&mut network, scenario, seed);
            end = network.run(scenario.measure_to(), false, max_events);
        }
        if end == End::Done {
            end = network.run(scenario.end(), true, max_events);
        }
        if setup::end(&mut network, observer, end) {
            return Ok(RunOutput::default());
        }
        notes.extend(state::not_whole(&network, scenario, seed, false));
        notes.extend(state::slow_pairs(&mut network, scenario, seed));
        let lasted = network.now().since(Instant::START);
        match end {
            End::Done | End::Trial => {}
            End::Memory => notes.push(setup::memory_note(lasted)),
            End::Time => notes.push(format!(
                "stopped at time.max, {lasted} of virtual time, with lookups under way"
            )),
            End::Events => notes.push(format!(
                "stopped after time.max-events, {max_events} events, at {lasted} of virtual time"
            )),
            End::Extinct => notes.push(format!("the network died out at {lasted} of virtual time")),
        }
        network.end_measuring();
        Ok(output::outcome(&mut network, seed, notes))
    }
}
