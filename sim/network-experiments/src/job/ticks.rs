//! A job in ticks: the same job in the tick model of `experiment = "balance"`, for comparison with
//! the message model.
//!
//! A tick is the time that a node takes for an atom. There are no messages, no latency and no
//! failures: a node has its information at once, and a Sybil has its atoms in the tick in which it
//! is created.

use super::output::JobOutcome;
use super::{JobExperiment, JobRun};
use crate::runner::NetworkTask;
use dhtlab_core::engine::{Instant, Seed};
use dhtlab_core::parameter::{ConfigError, Map};
use dhtlab_core::service::balancing::BalancingStrategy;
use dhtlab_core::service::job::SpeedDistribution;
use dhtlab_core::underlay::Facts;
use dhtlab_scenario::{Cost, Experiment, Recordable, Run, RunOutput, TableRows};
use dhtlab_ticks::BalanceParameters;

/// A job in the tick model.
pub(super) struct Ticks {
    job: JobRun,
    parameters: BalanceParameters,
    /// Length of a tick in seconds.
    tick: f64,
    /// Seconds after which the message model would stop.
    most: f64,
}

impl Ticks {
    /// The job of `run`.
    ///
    /// # Errors
    /// The key that the tick model does not support.
    pub fn new(run: JobRun) -> Result<Self, ConfigError> {
        let (job, balancing, network) = (&run.job.parameters, &run.balancing, &run.network);
        for (key, stands) in [
            ("churn", network.churn.is_some()),
            ("adversary", network.adversary.is_some()),
        ] {
            if stands {
                let message = "a job in ticks has no such key; expected `job.model` = \"messages\"";
                return Err(ConfigError::new(key, message));
            }
        }
        if !network.protocol.is_ring() {
            let message = "ticks need a ring; expected \"chord\"";
            return Err(ConfigError::new("overlay.protocol", message));
        }
        if run.nodes.speed_distribution != SpeedDistribution::Homogeneous {
            let message = "a tick is the time of an atom on any node; expected \"homogeneous\"";
            return Err(ConfigError::new("nodes.speed-distribution", message));
        }
        let tick = run.job.samples() as f64 / f64::from(job.atoms) / run.nodes.speed;
        let interval = balancing.interval.as_secs_f64() / tick;
        let whole = libm::round(interval);
        let acts = balancing.strategy != BalancingStrategy::None;
        let is_whole = (1.0..=1e6).contains(&whole) && libm::fabs(interval - whole) <= 1e-9 * whole;
        if acts && !is_whole {
            let message = format_args!(
                "expected whole ticks (an atom takes {tick} s), at most 1,000,000, found {interval} of them"
            );
            return Err(ConfigError::new("balancing.interval", message));
        }
        let parameters = BalanceParameters {
            strategy: balancing
                .strategy
                .try_into()
                .map_err(|reason| ConfigError::new("balancing.strategy", reason))?,
            nodes: network.overlay.nodes,
            tasks: job.atoms,
            max_sybils: balancing.max_sybils,
            virtual_nodes: (balancing.strategy == BalancingStrategy::VirtualNodes)
                .then_some(balancing.max_sybils + 1),
            threshold: balancing.threshold,
            successors: balancing.successors,
            interval: if acts { whole as u32 } else { 1 },
            ..BalanceParameters::default()
        };
        if parameters.nodes < 2 {
            let message = "expected at least 2 nodes in ticks";
            return Err(ConfigError::new("overlay.nodes", message));
        }
        let start = Instant::START + job.start;
        let most = network.end().since(start).as_secs_f64();
        Ok(Self {
            parameters,
            tick,
            most,
            job: run,
        })
    }
}

impl Run for Ticks {
    fn resolved(&self) -> Map {
        self.job.resolved()
    }

    fn facts(&self) -> Option<Facts> {
        self.job.network.underlay.facts()
    }

    fn cost(&self) -> Cost {
        let (events, bytes) = self.parameters.cost();
        Cost { events, bytes }
    }

    fn recorded(&self) -> Result<&dyn Recordable, ConfigError> {
        let message = "ticks have no messages to record";
        Err(ConfigError::new("job.model", message))
    }

    /// Runs the job. Metrics that exist only with messages are empty; the tables have no rows.
    fn run(&self, seed: Seed) -> Result<RunOutput, ConfigError> {
        let trial = dhtlab_ticks::run(&self.parameters, seed, 0)?;
        let seconds = f64::from(trial.ticks) * self.tick;
        let nodes = self.parameters.nodes as f64;
        let (ticks, tasks) = (f64::from(trial.ticks), f64::from(self.parameters.tasks));
        let outcome = JobOutcome {
            runtime_s: seconds,
            complete: true,
            speedup: tasks / ticks,
            runtime_factor: ticks * nodes / tasks,
            last_mapped_s: seconds,
            atoms: self.parameters.tasks,
            atoms_counted: self.parameters.tasks,
            sybils_made: trial.effort.sybils,
            atoms_moved: trial.effort.moved,
            ..JobOutcome::default()
        };
        let mut notes = Vec::new();
        if seconds > self.most {
            notes.push(format!(
                "the job ends after {seconds} s, beyond time.max, which has no effect on ticks"
            ));
        }
        let tables = JobExperiment.tables().iter();
        Ok(RunOutput {
            metrics: outcome.row(),
            tables: tables.map(|_| TableRows::default()).collect(),
            notes,
        })
    }
}
