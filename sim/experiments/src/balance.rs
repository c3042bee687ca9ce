//! `experiment = "balance"`: hosts on a ring execute tasks; hosts with few tasks take over tasks of
//! others, without central control.
//!
//! Rosen, "Towards a framework for DHT distributed computing" (dissertation, Georgia State
//! University 2016), chapter on autonomous load balancing. Hashing gives most nodes few tasks and a
//! few nodes many: the loads are nearly exponential, and the last of 1000 nodes finishes after 7.5
//! times the ideal time. Nodes reduce this with Sybils: additional IDs under which they take over
//! the tasks of others.
//!
//! The model is that of [`dhtlab_ticks`].

use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Section, Table};
use dhtlab_scenario::{Column, Cost, Experiment, Run, RunOutput, TableRows, TableSpec, sections};
use dhtlab_ticks::{BalanceParameters, Trial};
use std::collections::BTreeMap;
use std::path::Path;

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

    fn metrics(&self) -> &'static [Column] {
        METRICS
    }

    fn tables(&self) -> &'static [TableSpec] {
        &[TableSpec {
            name: "timeline",
            columns: TIMELINE,
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
        let (events, bytes) = self.0.cost();
        Cost { events, bytes }
    }

    fn run(&self, seed: Seed) -> Result<RunOutput, ConfigError> {
        let mut trials = Trials::default();
        for trial in 0..self.0.trials {
            trials.add(&dhtlab_ticks::run(&self.0, seed, trial.into())?, &self.0);
        }
        let tick = self.0.histogram_tick.unwrap_or_default();
        let bins = trials.bins.iter();
        let bins = bins.map(|(load, hosts)| bin(tick, *load, *hosts));
        Ok(RunOutput {
            metrics: metrics(&trials),
            tables: vec![TableRows(bins.collect())],
            notes: Vec::new(),
        })
    }
}

dhtlab_scenario::columns! {
    METRICS, fn metrics(trials: &Trials) {
        /// Ticks until the last task is done. This and the other metrics are means over the trials.
        ticks [""] = trials.mean(|t| t.ticks),
        /// Tasks over the tasks that all initial hosts together do in a tick.
        ideal_ticks [""] = trials.mean(|t| t.ideal_ticks),
        /// `ticks` over `ideal_ticks`.
        runtime_factor [""] = trials.mean(|t| t.ticks) / trials.mean(|t| t.ideal_ticks),
        /// Standard error of `runtime_factor`, from the spread of the trials' factors; empty with one
        /// trial.
        runtime_factor_se [""] = trials.error_of_factor(),
        /// Lower median of the hosts' loads before the first tick. A load is a number of tasks.
        start_load_median [""] = trials.mean(|t| t.start_load_median),
        /// Standard deviation of these loads.
        start_load_sd [""] = trials.mean(|t| t.start_load_sd),
        /// 1st percentile of these loads, over their mean.
        start_load_p1 [""] = trials.mean(|t| t.start_load_p1),
        /// 99th percentile of these loads, over their mean.
        start_load_p99 [""] = trials.mean(|t| t.start_load_p99),
        /// The largest of these loads, over their mean.
        start_load_max [""] = trials.mean(|t| t.start_load_max),
        /// Tasks that are done in a tick.
        tasks_per_tick [""] = trials.mean(|t| t.tasks_per_tick),
        /// The largest number of tasks done by a host that is present at the end.
        tasks_hardest [""] = trials.mean(|t| t.tasks_hardest),
        /// Sybils that hosts have created.
        sybils_made [""] = trials.mean(|t| t.sybils_made),
        /// Tasks that moved from one host to another.
        tasks_moved [""] = trials.mean(|t| t.tasks_moved),
        /// Messages from the first tick on: a lookup (half the binary logarithm of the number of ring
        /// nodes, and the answer), two for each ring node that joins and each that leaves, two for each
        /// node queried, and one for an invitation. Moving tasks and maintaining the ring are not
        /// included.
        messages [""] = trials.mean(|t| t.messages),
        /// Digests that were computed in searches for IDs of Sybils.
        hashes [""] = trials.mean(|t| t.hashes),
    }
}

dhtlab_scenario::columns! {
    TIMELINE, fn bin(at: u32, load: u32, hosts: u64) {
        /// The tick at whose start, before the strategy, the loads are counted.
        tick [""] = at,
        /// Name of the quantity: the load of a host, in tasks.
        quantity ["text"] = "load",
        /// Smallest load of a bin. The width of a bin is a fifth of `tasks / nodes`, at least one task.
        value [""] = load,
        /// Number of hosts in the bin, over all trials that have not ended before the tick.
        count [""] = hosts,
    }
}

/// The numbers of a trial whose means are metrics.
struct TrialNumbers {
    ticks: f64,
    ideal_ticks: f64,
    start_load_median: f64,
    start_load_sd: f64,
    start_load_p1: f64,
    start_load_p99: f64,
    start_load_max: f64,
    tasks_per_tick: f64,
    tasks_hardest: f64,
    sybils_made: f64,
    tasks_moved: f64,
    messages: f64,
    hashes: f64,
}

impl TrialNumbers {
    fn of(trial: &Trial, tasks: u32) -> Self {
        let (tasks, ticks) = (f64::from(tasks), f64::from(trial.ticks));
        let hosts = trial.start_loads.len();
        let mean = tasks / hosts as f64;
        let at = |rank: usize| f64::from(trial.start_loads[rank.min(hosts - 1)]);
        let quantile = |q: f64| at((libm::ceil(q * hosts as f64) as usize).max(1) - 1);
        let squares = trial.start_loads.iter().map(|load| {
            let off = f64::from(*load) - mean;
            off * off
        });
        Self {
            ticks,
            ideal_ticks: trial.ideal_ticks,
            start_load_median: at((hosts - 1) / 2),
            start_load_sd: libm::sqrt(squares.sum::<f64>() / hosts as f64),
            start_load_p1: quantile(0.01) / mean,
            start_load_p99: quantile(0.99) / mean,
            start_load_max: at(hosts - 1) / mean,
            tasks_per_tick: tasks / ticks,
            tasks_hardest: trial.hardest as f64,
            sybils_made: trial.effort.sybils as f64,
            tasks_moved: trial.effort.moved as f64,
            messages: trial.effort.messages as f64,
            hashes: trial.hashes as f64,
        }
    }

    fn factor(&self) -> f64 {
        self.ticks / self.ideal_ticks
    }
}

/// The trials of a run.
#[derive(Default)]
struct Trials {
    numbers: Vec<TrialNumbers>,
    /// Number of hosts by load bin.
    bins: BTreeMap<u32, u64>,
}

impl Trials {
    fn add(&mut self, trial: &Trial, parameters: &BalanceParameters) {
        let mean = f64::from(parameters.tasks) / parameters.nodes as f64;
        let width = libm::round(mean / 5.0).max(1.0) as u32;
        for load in &trial.loads_then {
            *self.bins.entry(load / width * width).or_default() += 1;
        }
        self.numbers.push(TrialNumbers::of(trial, parameters.tasks));
    }

    fn mean(&self, number: impl Fn(&TrialNumbers) -> f64) -> f64 {
        self.numbers.iter().map(number).sum::<f64>() / self.numbers.len() as f64
    }

    /// Standard error of the mean factor; 0 / 0, not a number, with a single trial.
    fn error_of_factor(&self) -> f64 {
        let trials = self.numbers.len() as f64;
        let mean = self.mean(TrialNumbers::factor);
        let squares = self.numbers.iter().map(|trial| {
            let off = trial.factor() - mean;
            off * off
        });
        libm::sqrt(squares.sum::<f64>() / (trials - 1.0) / trials)
    }
}
