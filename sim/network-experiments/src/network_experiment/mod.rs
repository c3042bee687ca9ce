//! `experiment = "network"`: a DHT on an underlay, with or without churn, that looks up keys.

mod lookup_log;
mod output;

use crate::histogram::HISTOGRAM;
use crate::own_protocol::OnAnyProtocol;
use crate::runner::{AnyShipped, NetworkRun, NetworkTask, ProtocolType, plan_lookups};
use dhtlab_core::adversary::Behaviour;
use dhtlab_core::engine::{Duration, Seed};
use dhtlab_core::network::{End, Network};
use dhtlab_core::overlay::GroundTruth;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Section, Table, Value};
use dhtlab_scenario::{
    Column, Cost, Experiment, NetworkScenario, Run, RunOutput, TableRows, TableSpec,
};
use lookup_log::{LogParameters, LookupLog};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

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
        let mut sections = NetworkScenario::sections();
        sections.push(Section::of::<LogParameters>(WORKLOAD));
        sections
    }

    fn measures_lookups(&self) -> bool {
        true
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
            TableSpec {
                name: "lookups",
                columns: lookup_log::LOOKUPS,
                quantities: &[],
            },
        ]
    }

    fn prepare(&self, values: &Table<'_>, folder: &Path) -> Result<Box<dyn Run>, ConfigError> {
        let network = NetworkScenario::read(values, folder)?;
        self.prepare_on(AnyShipped, network, values, folder)
    }
}

impl OnAnyProtocol for NetworkExperiment {
    fn prepare_on<P: ProtocolType>(
        &self,
        protocol: P,
        network: NetworkScenario,
        values: &Table<'_>,
        _: &Path,
    ) -> Result<Box<dyn Run>, ConfigError> {
        let log = LogParameters::read(&values.sub(WORKLOAD)?)?;
        if network.adversary.is_some() && network.adversary.attack.behaviour == Behaviour::Forge {
            return Err(ConfigError::new(
                "adversary.behaviour",
                "\"forge\" alters what a service sends, and this kind of experiment runs none",
            ));
        }
        let is_logged = log.log;
        let task = Lookups { network, is_logged };
        Ok(Box::new(NetworkRun { task, protocol }))
    }
}

const WORKLOAD: &str = "workload";

/// Members look up keys.
#[derive(Clone)]
struct Lookups {
    network: NetworkScenario,
    is_logged: bool,
}

impl NetworkTask for Lookups {
    type Application = ();
    type Course = Option<Rc<RefCell<LookupLog>>>;

    const UNFINISHED: &'static str = "lookups under way";
    const NEEDS_ALL_ROWS: bool = true;

    fn network(&self) -> &NetworkScenario {
        &self.network
    }

    fn resolved(&self) -> Map {
        let mut all = self.network.resolved();
        // Left out by default: the IDs of runs are older than this key.
        if self.is_logged
            && let Some(Value::Table(workload)) = all.get_mut(WORKLOAD)
        {
            workload.insert("log".to_owned(), Value::Boolean(true));
        }
        all
    }

    fn service(&self, _: Seed) {}

    fn measure<P: GroundTruth>(
        &self,
        network: &mut Network<P>,
        seed: Seed,
        log: &mut Self::Course,
    ) -> End {
        network.begin_measuring(self.network.intervals());
        *log = self.is_logged.then(|| LookupLog::attach(network));
        plan_lookups(network, &self.network, seed);
        network.run(self.network.measure_to(), false, self.max_events())
    }

    fn output<P: GroundTruth>(
        &self,
        network: &mut Network<P>,
        seed: Seed,
        log: Self::Course,
    ) -> RunOutput {
        let log = log.map_or_else(TableRows::default, |log| log.borrow().rows());
        output::output(network, seed, log)
    }

    fn empty_tables(&self) -> Vec<(&'static str, &'static str)> {
        let timeline = ("timeline", "rows with churn, an attack or a partition only");
        let lookups = ("lookups", "rows with `workload.log` only");
        let is_empty = [self.network.intervals().is_none(), !self.is_logged];
        let tables = [timeline, lookups].into_iter().zip(is_empty);
        tables
            .filter(|(_, is_empty)| *is_empty)
            .map(|(table, _)| table)
            .collect()
    }

    fn cost(&self) -> Cost {
        let mut cost = self.network.cost();
        if self.is_logged {
            cost.bytes += self.network.lookups() as f64 * lookup_log::ROW_BYTES;
        }
        cost
    }

    fn events_by(&self, seconds: f64) -> f64 {
        self.network.events_by(seconds)
    }

    fn skippable(&self) -> Duration {
        self.network.time.transition
    }

    fn without_first(&self, skipped: Duration) -> Self {
        Self {
            network: self.network.without_first(skipped),
            ..self.clone()
        }
    }
}
