//! `experiment = "balance"`: hosts on a ring execute tasks; hosts with few tasks take over tasks of
//! others, without central control.
//!
//! Rosen, "Towards a framework for DHT distributed computing" (dissertation, Georgia State
//! University 2016), chapter on autonomous load balancing. Hashing gives most nodes few tasks and a
//! few nodes many: the loads are nearly exponential, and the last of 1000 nodes finishes after 7.5
//! times the ideal time. Nodes reduce this with Sybils: additional IDs under which they take over
//! the tasks of others.
//!
//! # The model
//!
//! Time is counted in ticks. A task has a key and belongs to the first node at or after it. A tick
//! consists of the strategy (in ticks that are multiples of `interval`; nodes act in the order of
//! their IDs), churn, and work. A host executes one task per tick, or as many as its strength, the
//! most recently received first. All ring nodes of a host share one list of tasks, and a query for
//! the load of any of them returns the load of the host. A host without tasks drops its Sybils. The
//! runtime factor is ticks over `tasks / nodes`, or over tasks by the sum of strengths.
//!
//! The model follows the published program, which differs from the text. `reading` selects between
//! the two for the gap that neighbour injection takes.
//!
//! # Exactness
//!
//! With `keys = "uniform"` tasks are counted by ranges of the ring and drawn when a range is cut,
//! which gives the same distribution as keys do (see [`tasks`]). With `keys = "sha1"` every task
//! has its key. Work is not executed tick by tick: the load of a host follows from its last change.

mod arc;
mod binomial;
mod churn;
mod id_generator;
mod node_ring;
mod parameters;
mod start;
mod strategy;
mod tasks;
#[cfg(test)]
mod tests;
mod tick_network;
pub(super) mod trial;

pub(super) use parameters::{BalanceParameters, Strategy};

use super::format::cell;
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Section, Table};
use dhtlab_scenario::{Cost, Experiment, Run, RunOutput, TableRows, TableSpec, sections};
use std::collections::BTreeMap;
use std::path::Path;
use trial::Trial;

/// The experiment kind `balance`.
pub struct Balance;

impl Experiment for Balance {
    fn name(&self) -> &'static str {
        "balance"
    }

    fn doc(&self) -> &'static str {
        "load balancing in ticks: hosts on a ring execute tasks and balance their load by Sybils, churn or moving"
    }

    fn sections(&self) -> Vec<Section> {
        vec![Section::of::<BalanceParameters>("balance")]
    }

    /// Means over the trials of a run. `runtime_factor` is the mean number of ticks over the mean
    /// ideal number, and `runtime_factor_se` its standard error from the spread of the trials'
    /// factors (empty with one trial). `start_load_*` describe the hosts' loads before the first
    /// tick: the lower median, the standard deviation, and the 1st and 99th percentile and the
    /// maximum over the mean. `tasks_hardest` is the largest number of tasks executed by a host
    /// that is present at the end. `tasks_moved` counts tasks that moved from one host to another.
    /// `messages` counts from the first tick on: a lookup (half the binary logarithm of the number
    /// of ring nodes, and the answer), two for each ring node that joins and each that leaves, two
    /// for each node queried, and one for an invitation; moving tasks and maintaining the ring are
    /// not included. `hashes` counts the digests of searches for Sybil IDs.
    fn metrics(&self) -> &'static [&'static str] {
        &[
            "ticks",
            "ideal_ticks",
            "runtime_factor",
            "runtime_factor_se",
            "start_load_median",
            "start_load_sd",
            "start_load_p1",
            "start_load_p99",
            "start_load_max",
            "tasks_per_tick",
            "tasks_hardest",
            "sybils_made",
            "tasks_moved",
            "messages",
            "hashes",
        ]
    }

    /// `timeline`: the hosts by their loads at the start of `tick`, before the strategy, in bins of
    /// a fifth of `tasks / nodes` (at least one task). `value` is the smallest load of a bin,
    /// `count` the number of hosts in all trials. Trials that have ended by then add no rows.
    fn tables(&self) -> &'static [TableSpec] {
        &[TableSpec {
            name: "timeline",
            columns: &["tick", "quantity", "value", "count"],
            quantities: &["load"],
        }]
    }

    fn prepare(&self, values: &Table<'_>, _: &Path) -> Result<Box<dyn Run>, ConfigError> {
        let parameters = BalanceParameters::read(&values.sub("balance")?)?;
        parameters.check()?;
        Ok(Box::new(BalanceRun(parameters)))
    }
}

struct BalanceRun(BalanceParameters);

impl Run for BalanceRun {
    fn resolved(&self) -> Map {
        sections([("balance", self.0.table())])
    }

    fn cost(&self) -> Cost {
        self.0.cost()
    }

    fn run(&self, seed: Seed) -> Result<RunOutput, ConfigError> {
        let mut sums = Sums::new(&self.0);
        for trial in 0..self.0.trials {
            sums.add(trial::run(&self.0, seed, trial.into())?);
        }
        Ok(sums.outcome())
    }
}

/// Sums over trials.
struct Sums<'a> {
    parameters: &'a BalanceParameters,
    /// Sums of the metrics other than `runtime_factor` and its error.
    metrics: [f64; 13],
    factors: Vec<f64>,
    /// Number of hosts by load bin.
    bins: BTreeMap<u32, u64>,
}

impl<'a> Sums<'a> {
    fn new(parameters: &'a BalanceParameters) -> Self {
        Self {
            parameters,
            metrics: [0.0; 13],
            factors: Vec::new(),
            bins: BTreeMap::new(),
        }
    }

    fn bin_width(&self) -> u32 {
        let mean = f64::from(self.parameters.tasks) / self.parameters.nodes as f64;
        libm::round(mean / 5.0).max(1.0) as u32
    }

    fn add(&mut self, trial: Trial) {
        let (ticks, hosts) = (f64::from(trial.ticks), trial.start_loads.len());
        let mean = f64::from(self.parameters.tasks) / hosts as f64;
        let at = |rank: usize| f64::from(trial.start_loads[rank.min(hosts - 1)]);
        let quantile = |q: f64| at((libm::ceil(q * hosts as f64) as usize).max(1) - 1);
        let squares = trial.start_loads.iter().map(|load| {
            let off = f64::from(*load) - mean;
            off * off
        });
        let sd = libm::sqrt(squares.sum::<f64>() / hosts as f64);
        let values = [
            ticks,
            trial.ideal_ticks,
            at((hosts - 1) / 2),
            sd,
            quantile(0.01) / mean,
            quantile(0.99) / mean,
            at(hosts - 1) / mean,
            f64::from(self.parameters.tasks) / ticks,
            trial.hardest as f64,
            trial.effort.sybils as f64,
            trial.effort.moved as f64,
            trial.effort.messages as f64,
            trial.hashes as f64,
        ];
        for (sum, value) in self.metrics.iter_mut().zip(values) {
            *sum += value;
        }
        self.factors.push(ticks / trial.ideal_ticks);
        let width = self.bin_width();
        for load in trial.loads_then {
            *self.bins.entry(load / width * width).or_default() += 1;
        }
    }

    fn outcome(self) -> RunOutput {
        let trials = self.factors.len() as f64;
        let means = self.metrics.map(|sum| sum / trials);
        let mean = self.factors.iter().sum::<f64>() / trials;
        let squares = self
            .factors
            .iter()
            .map(|factor| (factor - mean) * (factor - mean));
        // 0 / 0 with a single trial: an empty cell.
        let error = libm::sqrt(squares.sum::<f64>() / (trials - 1.0) / trials);
        let mut metrics: Vec<String> = means.map(cell).to_vec();
        metrics.splice(2..2, [cell(means[0] / means[1]), cell(error)]);
        let tick = self.parameters.histogram_tick.unwrap_or_default();
        let rows = self.bins.iter().map(|(bin, count)| {
            let text = [
                tick.to_string(),
                "load".to_owned(),
                bin.to_string(),
                count.to_string(),
            ];
            text.to_vec()
        });
        RunOutput {
            metrics,
            tables: vec![TableRows(rows.collect())],
            notes: Vec::new(),
        }
    }
}
