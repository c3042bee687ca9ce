//! `experiment = "job"`: a MapReduce job on an overlay, with or without churn and attack.

mod output;
mod ticks;

use super::network_experiment::trial::{Observer, Trial};
use super::network_experiment::{setup, state};
use dhtlab_core::adversary::Behaviour;
use dhtlab_core::engine::{Duration, Instant, Seed};
use dhtlab_core::network::End;
use dhtlab_core::overlay::{GroundTruth, ProtocolVisitor, Start};
use dhtlab_core::parameter::Value;
use dhtlab_core::parameter::{ConfigError, Parameters, Section, Table};
use dhtlab_core::service::job::{
    BalancingParameters, BalancingStrategy, Compute, Dispatch, JobParameters, JobSpecification,
    Message, Model, NodeParameters, Shared, Worker,
};
use dhtlab_core::underlay::Facts;
use dhtlab_format::recording::Recording;
use dhtlab_scenario::{Cost, Experiment, NetworkScenario, Recordable, Run, RunOutput, TableSpec};
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
            Section::of::<NodeParameters>("nodes"),
            Section::of::<BalancingParameters>("balancing"),
        ]);
        sections
    }

    fn metrics(&self) -> &'static [&'static str] {
        &[
            "runtime_s",
            "complete",
            "speedup",
            "runtime_factor",
            "last_mapped_s",
            "last_counted_s",
            "result",
            "result_error",
            "samples_counted",
            "atoms",
            "atoms_counted",
            "atoms_redone",
            "atoms_lost",
            "atoms_orphaned",
            "duplicates_dropped",
            "messages",
            "bytes",
            "work_sd",
            "work_largest_share",
            "churn_events",
            "members_mean",
            "sybils",
            "sybils_made",
            "atoms_moved",
        ]
    }

    fn tables(&self) -> &'static [TableSpec] {
        &[
            TableSpec {
                name: "histogram",
                columns: &["quantity", "value", "count"],
                quantities: &["work_over_mean"],
            },
            TableSpec {
                name: "timeline",
                columns: &["time_s", "atoms_done", "nodes_busy"],
                quantities: &[],
            },
        ]
    }

    fn prepare(&self, values: &Table<'_>, folder: &Path) -> Result<Box<dyn Run>, ConfigError> {
        let network = NetworkScenario::read(values, folder)?;
        let job = JobSpecification::read(&values.sub("job")?, folder)?;
        let nodes = NodeParameters::read(&values.sub("nodes")?)?;
        let balancing = BalancingParameters::read(&values.sub("balancing")?)?;
        let run = JobRun {
            network,
            job,
            nodes,
            balancing,
        };
        run.check()?;
        Ok(Box::new(run))
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

impl JobRun {
    fn check(&self) -> Result<(), ConfigError> {
        let (job, network) = (&self.job.parameters, &self.network);
        network.check_replicas("job.replicas", job.replicas)?;
        let workload = &network.workload;
        for (key, stands) in [
            ("workload.lookups", workload.lookups.is_some()),
            ("workload.interval", workload.interval.is_some()),
        ] {
            if stands {
                let message = "a network that works on a job is not asked to look up keys";
                return Err(ConfigError::new(key, message));
            }
        }
        self.check_balancing()?;
        if Instant::START + job.start < network.settled() {
            let message = format_args!(
                "nodes still join until {}",
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
        self.in_ticks()?;
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

    /// The expected end of the job in seconds of virtual time.
    fn ends(&self) -> f64 {
        self.job.parameters.start.as_secs_f64() + self.expected_seconds()
    }

    /// Events expected in the first `seconds` of virtual time.
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

    /// Cost of computing the atoms before the run begins, in events.
    fn mapping(&self) -> f64 {
        match self.job.parameters.compute {
            // A sample costs far less than an event.
            Compute::Real => self.job.samples() as f64 / 50.0,
            Compute::Modelled => 0.0,
        }
    }

    /// The job in ticks, if the scenario selects that model.
    fn in_ticks(&self) -> Result<Option<Ticks>, ConfigError> {
        match self.job.parameters.model {
            Model::Messages => Ok(None),
            Model::Ticks => Ticks::of(self).map(Some),
        }
    }

    /// Checks that a strategy has a ring on which a node knows enough others.
    fn check_balancing(&self) -> Result<(), ConfigError> {
        if self.balancing.strategy == BalancingStrategy::None {
            return Ok(());
        }
        if !self.network.protocol.is_ring() {
            let message = "balancing is for rings: `overlay.protocol` must be \"chord\"";
            return Err(ConfigError::new("balancing.strategy", message));
        }
        let successors = self.balancing.successors;
        match self.network.protocol.max_replicas() {
            Some((heirs, key)) if heirs < successors => {
                let message = format_args!(
                    "with `{key}` = {heirs} a node knows {heirs} successors, not {successors}"
                );
                Err(ConfigError::new("balancing.successors", message))
            }
            _ => Ok(()),
        }
    }
}

impl Run for JobRun {
    fn resolved(&self) -> dhtlab_core::parameter::Map {
        let mut table = self.network.resolved();
        table.insert("experiment".to_owned(), JobExperiment.name().into());
        let job = self.job.parameters.write().into_iter().collect();
        table.insert("job".to_owned(), Value::Table(job));
        let nodes = self.nodes.write().into_iter().collect();
        table.insert("nodes".to_owned(), Value::Table(nodes));
        // Without a strategy its keys have no effect and must not give another run.
        if self.balancing.strategy != BalancingStrategy::None {
            let balancing = self.balancing.write().into_iter().collect();
            table.insert("balancing".to_owned(), Value::Table(balancing));
        }
        table
    }

    fn facts(&self) -> Option<Facts> {
        self.network.underlay.facts()
    }

    fn cost(&self) -> Cost {
        if let Ok(Some(ticks)) = self.in_ticks() {
            return ticks.cost();
        }
        let job = &self.job.parameters;
        let network = self.network.cost_of(0, self.ends());
        let copies = f64::from(job.atoms) * job.replicas as f64;
        Cost {
            events: self.network.building() + self.mapping() + self.events_by(self.ends()),
            bytes: network.bytes + 300.0 * copies,
        }
    }

    fn network(&self) -> Option<&NetworkScenario> {
        (self.job.parameters.model == Model::Messages).then_some(&self.network)
    }

    fn least_trial(&self) -> f64 {
        match self.job.parameters.model {
            Model::Messages => self.network.building() + self.mapping(),
            Model::Ticks => self.cost().events,
        }
    }

    fn trial(&self, seed: Seed, budget: std::time::Duration) -> Result<Option<f64>, ConfigError> {
        if self.in_ticks()?.is_some() {
            return Ok(None);
        }
        let mut trial = Trial::new(budget);
        self.run_observed(seed, Observer::Trial(&mut trial))?;
        let start = self.job.parameters.start;
        let is_begun = trial.has_reached(start.as_secs_f64());
        if is_begun || self.network.overlay.start != Start::Converged {
            return Ok(Some(trial.whole(self.ends(), false, |t| self.events_by(t))));
        }
        // The network without the job and with it differ, so each has its own trial.
        let skipped = start - Duration::from_secs(1);
        let before = trial.whole(skipped.as_secs_f64(), false, |t| self.events_by(t));
        let mut working = self.clone();
        working.network = self.network.without_first(skipped);
        working.job.parameters.start = start - skipped;
        let mut trial = Trial::new(budget.max(LEAST_WORKING));
        working.run_observed(seed, Observer::Trial(&mut trial))?;
        let after = trial.whole(working.ends(), false, |t| working.events_by(t));
        Ok(Some(before + after - trial.building()))
    }

    fn run(&self, seed: Seed) -> Result<RunOutput, ConfigError> {
        match self.in_ticks()? {
            Some(ticks) => ticks.run(seed),
            None => self.run_observed(seed, Observer::None),
        }
    }

    fn recorded(&self) -> Result<&dyn Recordable, ConfigError> {
        if self.job.parameters.model == Model::Ticks {
            let message = "ticks have no messages, so there is nothing to record";
            return Err(ConfigError::new("job.model", message));
        }
        self.network.check_recordable()?;
        Ok(self)
    }
}

impl JobRun {
    /// Runs the job with an observer.
    fn run_observed(&self, seed: Seed, observer: Observer<'_>) -> Result<RunOutput, ConfigError> {
        self.network.protocol.accept(ProtocolRunner {
            run: self,
            seed,
            observer,
        })
    }
}

impl Recordable for JobRun {
    fn record(&self, seed: Seed, recording: &mut Recording) -> Result<RunOutput, ConfigError> {
        self.run_observed(seed, Observer::Recording(recording))
    }
}

/// Runs a job on the protocol of the scenario.
struct ProtocolRunner<'a> {
    run: &'a JobRun,
    seed: Seed,
    observer: Observer<'a>,
}

impl ProtocolVisitor for ProtocolRunner<'_> {
    type Output = Result<RunOutput, ConfigError>;

    fn visit<P: GroundTruth>(self, shared: P::Shared) -> Self::Output {
        let Self {
            run,
            seed,
            observer,
        } = self;
        let scenario = &run.network;
        let (nodes, balancing) = (run.nodes.clone(), run.balancing.clone());
        let size = scenario.overlay.nodes;
        let service = Shared::new(&run.job, nodes, balancing, size, seed);
        let address = service.address();
        let (mut network, mut notes) = setup::build::<P, Worker>(scenario, seed, shared, service)?;
        let mut observer = observer;
        setup::begin(&mut network, &mut observer);
        network.set_service_time(run.nodes.handling_time);
        let max_events = scenario.time.max_events;
        let start = Instant::START + run.job.parameters.start;
        let mut end = network.run(start, false, max_events);
        if end == End::Done {
            notes.extend(state::not_whole(&network, scenario, seed, true));
            network.begin_measuring(None);
            let honest = network.honest();
            let place = seed.stream("stager", 0).index(honest.len().max(1));
            if let Some(client) = honest.get(place).copied() {
                network.send(client, address, Message::Stage);
            }
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
                "the job had not come to its end at time.max, {lasted} of virtual time"
            )),
            End::Events => notes.push(format!(
                "stopped after time.max-events, {max_events} events, at {lasted} of virtual time"
            )),
            End::Extinct => notes.push(format!("the network died out at {lasted} of virtual time")),
        }
        Ok(output::outcome(run, &network, notes))
    }
}
