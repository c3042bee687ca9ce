//! `experiment = "job"`: a MapReduce job on an overlay, with or without churn and attack; `file` has jobs
//! over stored files.

mod file;
mod file_output;
mod output;
mod ticks;

use crate::histogram::HISTOGRAM;
use crate::own_protocol::OnAnyProtocol;
use crate::runner::{AnyShipped, NetworkRun, NetworkTask, ProtocolType};
use dhtlab_core::adversary::Behaviour;
use dhtlab_core::engine::{Duration, Instant, Seed};
use dhtlab_core::network::{End, Network};
use dhtlab_core::overlay::GroundTruth;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Section, Table, Value};
use dhtlab_core::service::balancing::{BalancingParameters, BalancingStrategy};
use dhtlab_core::service::file_job::{CorpusParameters, InputParameters, IterationParameters};
use dhtlab_core::service::job::{
    Compute, Cost as JobCost, Dispatch, JobParameters, JobSpecification, Message, Model,
    NodeParameters, Shared, Worker,
};
use dhtlab_core::service::storage::StorageParameters;
use dhtlab_scenario::{Column, Cost, Experiment, NetworkScenario, Run, RunOutput, TableSpec};
use file::{FileJobInput, FileJobRun};
use output::JobOutcome;
use std::path::Path;
use ticks::Ticks;

/// Approximate time, in seconds, within which atoms and their copies spread.
const STAGING: f64 = 2.0;

/// Shortest trial of a job at work: a shorter one would see nothing but the spreading of its atoms.
const LEAST_WORKING: std::time::Duration = std::time::Duration::from_millis(100);

/// The experiment kind `job`.
pub struct JobExperiment;

impl Experiment for JobExperiment {
    fn name(&self) -> &'static str {
        "job"
    }

    fn doc(&self) -> &'static str {
        "a MapReduce job (ChordReduce) on a DHT, simulated message by message"
    }

    fn sections(&self) -> Vec<Section> {
        let mut sections = NetworkScenario::sections();
        sections.extend([
            Section::of::<JobParameters>("job"),
            Section::of::<InputParameters>("job"),
            Section::of::<CorpusParameters>("job.corpus"),
            Section::of::<IterationParameters>("job.iteration"),
            Section::of::<StorageParameters>("storage"),
            Section::of::<NodeParameters>("nodes"),
            Section::of::<BalancingParameters>("balancing"),
        ]);
        sections
    }

    fn metrics(&self) -> &'static [Column] {
        JobOutcome::COLUMNS
    }

    fn tables(&self) -> &'static [TableSpec] {
        &[
            TableSpec {
                name: "histogram",
                columns: HISTOGRAM,
                quantities: &["work_over_mean"],
            },
            TableSpec {
                name: "timeline",
                columns: output::TIMELINE,
                quantities: &[],
            },
            TableSpec {
                name: "output",
                columns: file_output::OUTPUT,
                quantities: &[],
            },
            TableSpec {
                name: "lost",
                columns: file_output::LOST,
                quantities: &[],
            },
            TableSpec {
                name: "rounds",
                columns: file_output::ROUNDS,
                quantities: &[],
            },
        ]
    }

    fn prepare(&self, values: &Table<'_>, folder: &Path) -> Result<Box<dyn Run>, ConfigError> {
        let network = NetworkScenario::read(values, folder)?;
        self.prepare_on(AnyShipped, network, values, folder)
    }
}

impl OnAnyProtocol for JobExperiment {
    fn prepare_on<P: ProtocolType>(
        &self,
        protocol: P,
        network: NetworkScenario,
        values: &Table<'_>,
        folder: &Path,
    ) -> Result<Box<dyn Run>, ConfigError> {
        let input = FileJobInput::read(values)?;
        if input.is_file() {
            check_without_lookups(&network)?;
            let task = FileJobRun::read(network, input, values, folder)?;
            return Ok(Box::new(NetworkRun { task, protocol }));
        }
        let job = JobSpecification::read(&values.sub("job")?, folder)?;
        let nodes = NodeParameters::read(&values.sub("nodes")?)?;
        let balancing = BalancingParameters::read(&values.sub("balancing")?)?;
        let task = JobRun {
            network,
            job,
            nodes,
            balancing,
        };
        task.check()?;
        Ok(match task.job.parameters.model {
            Model::Messages => Box::new(NetworkRun { task, protocol }),
            Model::Ticks => Box::new(Ticks::new(task)?),
        })
    }
}

/// A scenario with a job, checked.
#[derive(Clone)]
struct JobRun {
    network: NetworkScenario,
    job: JobSpecification,
    nodes: NodeParameters,
    balancing: BalancingParameters,
}

fn check_without_lookups(network: &NetworkScenario) -> Result<(), ConfigError> {
    let workload = &network.workload;
    for (key, stands) in [
        ("workload.lookups", workload.lookups.is_some()),
        ("workload.interval", workload.interval.is_some()),
    ] {
        if stands {
            let message = "a network with a job has no lookups";
            return Err(ConfigError::new(key, message));
        }
    }
    Ok(())
}

impl JobRun {
    fn check(&self) -> Result<(), ConfigError> {
        let (job, network) = (&self.job.parameters, &self.network);
        network.check_replicas("job.replicas", job.replicas)?;
        check_without_lookups(network)?;
        check_balancing(&self.balancing, network, job.model)?;
        if Instant::START + job.start < network.settled() {
            let message = format_args!(
                "nodes join until {}",
                network.settled().since(Instant::START)
            );
            return Err(ConfigError::new("job.start", message));
        }
        if Instant::START + job.start >= network.end() {
            let message = format_args!(
                "the run would stop before, at {}",
                network.end().since(Instant::START)
            );
            return Err(ConfigError::new("job.start", message));
        }
        Ok(())
    }
}

impl JobRun {
    /// Expected duration of the job in seconds: until the node with the largest region is done,
    /// which on average has ln n + .58 times the mean. A job whose messages are dropped waits for
    /// them until the end.
    fn expected_seconds(&self) -> f64 {
        let attack = &self.network.adversary.attack;
        if self.network.adversary.is_some() && attack.behaviour == Behaviour::Drop {
            let start = Instant::START + self.job.parameters.start;
            return self.network.end().since(start).as_secs_f64();
        }
        let n = self.network.overlay.nodes as f64;
        let mean = self.job.samples() as f64 / (self.nodes.speed * n);
        mean * (libm::log(n) + 0.58)
    }
}

/// Checks that a strategy has a ring where it needs one, and that a node knows enough others.
fn check_balancing(
    balancing: &BalancingParameters,
    network: &NetworkScenario,
    model: Model,
) -> Result<(), ConfigError> {
    if balancing.strategy == BalancingStrategy::None {
        return Ok(());
    }
    let needs_ring = matches!(
        balancing.strategy,
        BalancingStrategy::NeighbourInjection | BalancingStrategy::Invitation
    ) || model == Model::Ticks;
    if needs_ring && !network.protocol.is_ring() {
        let message = "\"neighbour-injection\", \"invitation\", and every strategy in ticks use the arcs \
                       of nodes, and need a ring: `overlay.protocol` must be \"chord\"";
        return Err(ConfigError::new("balancing.strategy", message));
    }
    let asks_neighbours = matches!(
        balancing.strategy,
        BalancingStrategy::NeighbourInjection
            | BalancingStrategy::SmartNeighbour
            | BalancingStrategy::Invitation
    );
    let successors = balancing.successors;
    match network.protocol.max_replicas() {
        Some((max_replicas, key)) if asks_neighbours && max_replicas < successors => {
            let message = format_args!(
                "with `{key}` = {max_replicas} a node knows {max_replicas} successors, not {successors}"
            );
            Err(ConfigError::new("balancing.successors", message))
        }
        _ => Ok(()),
    }
}

/// Without a strategy its keys have no effect and must not give another run.
fn insert_balancing(table: &mut Map, balancing: &BalancingParameters) {
    if balancing.strategy != BalancingStrategy::None {
        table.insert("balancing".to_owned(), balancing.resolved());
    }
}

impl NetworkTask for JobRun {
    type Application = Worker;
    type Course = ();

    const UNFINISHED: &'static str = "the job unfinished";
    const NEEDS_ALL_ROWS: bool = false;
    const LEAST_TRIAL: std::time::Duration = LEAST_WORKING;

    fn network(&self) -> &NetworkScenario {
        &self.network
    }

    fn resolved(&self) -> Map {
        let mut table = self.network.resolved();
        let mut job = self.job.parameters.write();
        // The common cost is left out, so that it gives no other run.
        if self.job.parameters.cost == JobCost::Samples {
            job.remove("cost");
        }
        table.insert("job".to_owned(), Value::Table(job.into_iter().collect()));
        table.insert("nodes".to_owned(), self.nodes.table());
        insert_balancing(&mut table, &self.balancing);
        table
    }

    fn service(&self, seed: Seed) -> Shared {
        let (nodes, balancing) = (self.nodes.clone(), self.balancing.clone());
        let size = self.network.overlay.nodes;
        let shared = Shared::new(&self.job, nodes, balancing, size, seed);
        match self.network.protocol.is_ring() {
            true => shared,
            false => shared.without_ring(),
        }
    }

    fn warm_up<P: GroundTruth>(
        &self,
        network: &mut Network<P, Worker>,
        _: Seed,
        (): &mut (),
    ) -> End {
        network.set_service_time(self.nodes.handling_time);
        let start = Instant::START + self.job.parameters.start;
        network.run(start, false, self.max_events())
    }

    /// A random honest member stages the job.
    fn measure<P: GroundTruth>(
        &self,
        network: &mut Network<P, Worker>,
        seed: Seed,
        (): &mut (),
    ) -> End {
        network.begin_measuring(None);
        let honest = network.honest();
        let place = seed.stream("stager", 0).index(honest.len().max(1));
        if let Some(client) = honest.get(place).copied() {
            let address = network.service().address();
            network.send(client, address, Message::Stage);
        }
        End::Done
    }

    fn output<P: GroundTruth>(
        &self,
        network: &mut Network<P, Worker>,
        _: Seed,
        (): (),
    ) -> RunOutput {
        output::output(self, network)
    }

    fn cost(&self) -> Cost {
        let job = &self.job.parameters;
        let network = self.network.cost_of(0, self.lasts());
        let copies = f64::from(job.atoms) * job.replicas as f64;
        Cost {
            events: self.building() + self.events_by(self.lasts()),
            bytes: network.bytes + 300.0 * copies,
        }
    }

    /// Atoms are computed while nodes map them. A sample costs far less than an event.
    fn building(&self) -> f64 {
        let samples = match self.job.parameters.compute {
            Compute::Real => self.job.samples() as f64,
            Compute::Modelled => 0.0,
        };
        self.network.building() + samples / 50.0
    }

    fn lasts(&self) -> f64 {
        self.job.parameters.start.as_secs_f64() + self.expected_seconds()
    }

    fn events_by(&self, seconds: f64) -> f64 {
        let job = &self.job.parameters;
        let nodes = self.network.overlay.nodes;
        let (atoms, n) = (f64::from(job.atoms), nodes as f64);
        let hops = self.network.protocol.cost_estimate(nodes).hops;
        let sending = match job.bundle {
            Dispatch::Fingers | Dispatch::Walk => 2.0 * n.min(atoms),
            Dispatch::None => atoms * hops,
        };
        // Checking a replica costs less than an event, but happens at each repair for each
        // neighbour.
        let copies = atoms * job.replicas as f64;
        let begun = (seconds - job.start.as_secs_f64()).max(0.0);
        let part = |of: f64| (begun / of.max(1e-9)).min(1.0);
        let looks = copies * begun / job.repair.as_secs_f64() / 5.0;
        self.network.maintenance_by(seconds)
            + part(STAGING) * 4.0 * copies
            + part(self.expected_seconds()) * sending
            + looks
    }

    fn skippable(&self) -> Duration {
        self.job.parameters.start - Duration::from_secs(1)
    }

    fn without_first(&self, skipped: Duration) -> Self {
        let mut rest = self.clone();
        rest.network = self.network.without_first(skipped);
        rest.job.parameters.start = self.job.parameters.start - skipped;
        rest
    }
}
