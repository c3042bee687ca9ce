//! One trial, tick by tick.
//!
//! A tick consists of the strategy, in its rounds, churn, and work. Ticks with work alone are
//! skipped.

use super::churn::Churn;
use super::parameters::{BalanceParameters, Strategy};
use super::start::{self, InitialTasks};
use super::strategy::{
    Balancing, Barren, Invitation, ItemBalancing, NeighbourInjection, RandomInjection,
    SmartNeighbour, StrengthAware, run_round,
};
use super::tasks::{Counted, Listed};
use super::tick_network::{Effort, TickNetwork};
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::ConfigError;

/// The result of one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Ticks until the last task was done.
    pub ticks: u32,
    /// Tasks over the tasks that all initial hosts together do per tick.
    pub ideal_ticks: f64,
    /// Tasks of each host before the first tick, ascending.
    pub start_loads: Vec<u32>,
    /// The largest number of tasks done by a host that is present at the end.
    pub hardest: u64,
    /// Cost of load balancing.
    pub effort: Effort,
    /// Digests computed in searches for Sybil IDs.
    pub hashes: u64,
    /// Tasks of each host at the start of the requested tick.
    pub loads_then: Vec<u32>,
}

/// Runs trial number `trial`. Takes O(nodes + tasks / 32 + changes); with SHA-1 keys or item
/// balancing O(nodes + tasks + changes and the lists of tasks that they touch).
///
/// # Errors
/// [`BalanceParameters::max_ticks`] is too small.
pub fn run(parameters: &BalanceParameters, seed: Seed, trial: u64) -> Result<Trial, ConfigError> {
    let listed = parameters.keys == super::id_generator::Keys::Sha1;
    if parameters.strategy == Strategy::ItemBalancing {
        run_as(parameters, seed, trial, |_| {
            Some(Box::new(ItemBalancing {
                imbalance: parameters.imbalance,
            }))
        })
    } else if listed {
        run_as::<Listed>(parameters, seed, trial, |ideal| strategy(parameters, ideal))
    } else {
        run_as::<Counted>(parameters, seed, trial, |ideal| strategy(parameters, ideal))
    }
}

fn run_as<T: InitialTasks>(
    parameters: &BalanceParameters,
    seed: Seed,
    trial: u64,
    strategy: impl FnOnce(f64) -> Option<Box<dyn Balancing<T>>>,
) -> Result<Trial, ConfigError> {
    let (mut network, mut joining) = start::network::<T>(parameters, seed, trial);
    let rates = network.present().iter();
    let rate: u64 = rates.map(|host| u64::from(network.host(*host).rate)).sum();
    let ideal_ticks = f64::from(parameters.tasks) / rate as f64;
    let start_loads = loads(&network);
    let mut strategy = strategy(ideal_ticks);
    let mut churn = (parameters.churn > 0.0).then(|| {
        Churn::new(
            parameters.churn,
            parameters.nodes,
            seed.stream("churn", trial),
        )
    });
    let mut loads_then = Vec::new();
    let mut tick = 0;
    let ticks = loop {
        network.work_until(tick);
        if network.is_finished() {
            break network.end();
        }
        if tick >= parameters.max_ticks {
            let left: u64 = loads(&network).into_iter().map(u64::from).sum();
            return Err(ConfigError::new(
                "balance.max-ticks",
                format_args!("{left} tasks are left after {tick} ticks"),
            ));
        }
        if parameters.histogram_tick == Some(tick) {
            loads_then = loads(&network);
        }
        if let Some(strategy) = &mut strategy
            && tick % parameters.interval == 0
        {
            run_round(strategy.as_mut(), &mut network);
        }
        if let Some(churn) = &mut churn {
            for _ in 0..churn.step(&mut network) {
                joining.join(&mut network);
            }
        }
        let next_turn = match &strategy {
            Some(_) => (tick / parameters.interval + 1) * parameters.interval,
            None => network.end(),
        };
        let next_histogram = parameters.histogram_tick.filter(|at| *at > tick);
        tick = match &churn {
            Some(_) => tick + 1,
            None => next_turn
                .min(next_histogram.unwrap_or(u32::MAX))
                .min(parameters.max_ticks),
        };
    };
    let hardest = network.present().iter().map(|host| network.done(*host));
    Ok(Trial {
        ticks,
        ideal_ticks,
        start_loads,
        hardest: hardest.max().unwrap_or_default(),
        effort: network.effort,
        hashes: network.identities.hashes,
        loads_then,
    })
}

/// Tasks that each host has left, ascending.
fn loads<T: InitialTasks>(network: &TickNetwork<T>) -> Vec<u32> {
    let present = network.present().iter();
    let mut loads: Vec<u32> = present.map(|host| network.load(*host)).collect();
    loads.sort_unstable();
    loads
}

/// The strategies that work on any representation of tasks.
pub fn strategy<T: InitialTasks>(
    parameters: &BalanceParameters,
    ideal_ticks: f64,
) -> Option<Box<dyn Balancing<T>>> {
    let (threshold, successors) = (parameters.threshold_tasks(), parameters.successors);
    Some(match parameters.strategy {
        Strategy::None
        | Strategy::Churn
        | Strategy::VirtualNodes
        | Strategy::TwoChoices
        // Needs keys.
        | Strategy::ItemBalancing => return None,
        Strategy::RandomInjection => Box::new(RandomInjection { threshold }),
        Strategy::NeighbourInjection => Box::new(NeighbourInjection {
            threshold,
            successors,
            reading: parameters.reading,
        }),
        Strategy::SmartNeighbour => Box::new(SmartNeighbour {
            threshold,
            successors,
        }),
        // The program uses the ideal number of ticks as the ideal load. Where work goes by
        // strength, it is less than the mean load.
        Strategy::Invitation => Box::new(Invitation {
            threshold,
            overload: ideal_ticks - f64::from(threshold),
            successors,
        }),
        Strategy::StrengthAware => Box::new(StrengthAware {
            threshold,
            interval: parameters.interval,
            probes: successors,
        }),
        Strategy::Barren => Box::new(Barren::new(threshold, successors)),
    })
}
