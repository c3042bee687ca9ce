//! `experiment = "balance"`: hosts on a ring work off tasks, and those with little to do help
//! others, each by itself.
//!
//! Rosen, "Towards a framework for DHT distributed computing" (dissertation, Georgia State
//! University 2016), chapter on autonomous load balancing. Hashing gives most nodes little and a
//! few much: the loads are nearly exponential, and the last of 1000 nodes is done after 7.5 times
//! the time that an even division would take. Nodes mend that by Sybils, IDs more under which they
//! take over the tasks of others.
//!
//! # The model
//!
//! Time is counted in ticks. A task has a key and belongs to the first node at or after it. A tick
//! is: the strategy, in ticks that are multiples of `interval`, nodes in the order of their IDs;
//! churn; work. A host does one task a tick, or its strength's worth, those first that it got last.
//! It does so on all its places together: its Sybils share its list of tasks, and whoever asks
//! about the load of any of its places is told that of the host. When a host has nothing left it
//! drops its Sybils. The runtime factor is ticks over `tasks / nodes`, or over tasks by the sum of
//! strengths.
//!
//! This is what the published program does, from which the text differs. Where the two differ in
//! what they say, `reading` tells them apart: the gap that neighbour injection takes.
//!
//! # Exactness
//!
//! With `keys = "uniform"` tasks are counted by stretches of the ring and drawn when a stretch is
//! cut, which gives the same distribution as keys do ([`tasks`] says why); with `keys = "sha1"`
//! every task has its key. Work is not carried out tick by tick: a host's load is known from when
//! it last changed.

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
use crate::engine::Seed;
use crate::parameter::{ConfigError, Parameters, Section, Table};
use crate::scenario::{Cost, Experiment, Run, RunOutput, TableRows, TableSpec};
use std::collections::BTreeMap;
use std::path::Path;
use toml::Value;
use trial::Trial;

/// The kind of experiment.
pub struct Balance;

impl Experiment for Balance {
    fn name(&self) -> &'static str {
        "balance"
    }

    fn doc(&self) -> &'static str {
        "hosts on a ring work off tasks in ticks, and help each other by Sybils, churn or moving"
    }

    fn sections(&self) -> Vec<Section> {
        vec![Section::of::<BalanceParameters>("balance")]
    }

    /// Means over the trials of a run. `runtime_factor` is the mean number of ticks over the mean
    /// ideal one, and `runtime_factor_se` its standard error from the spread of the trials' own
    /// factors (empty with one trial). `start_load_*` are of the hosts' loads before the first
    /// tick: the lower median, the standard deviation, and the 1st and 99th percentile and the
    /// maximum over the mean. `tasks_hardest` is the most tasks that a host did which is there at
    /// the end. `tasks_moved` counts tasks that went from one host to another. `messages` counts
    /// from the first tick on: a lookup (half the binary logarithm of the number of places and the
    /// answer), two for a place that comes and two for one that goes, two for each node that is
    /// asked, and one for an invitation; the moving of tasks and the maintenance of the ring are
    /// not in it. `hashes` are the digests of searches for Sybils' IDs.
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
    /// a fifth of `tasks / nodes` (at least one task); `value` is the least load of a bin, `count`
    /// of all trials together. No rows for trials that are over by then.
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
    fn resolved(&self) -> toml::Table {
        let values = self.0.write().into_iter().collect();
        [
            ("experiment", Value::String(Balance.name().to_owned())),
            ("balance", Value::Table(values)),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
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

/// Adds up trials.
struct Sums<'a> {
    parameters: &'a BalanceParameters,
    /// Sums of the metrics, `runtime_factor` and its error apart.
    metrics: [f64; 13],
    factors: Vec<f64>,
    /// Hosts by the bin of their load.
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
