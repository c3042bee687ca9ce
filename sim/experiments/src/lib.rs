//! The kinds of experiments, one module each: an experiment builds a network from a scenario, runs
//! it, and returns rows.
//!
//! Experiments that follow a published program, quirks included, are in [`published`], so that no
//! quirk enters a protocol.

mod balance;
mod convergence;
mod delaunay;
mod dgvh_cost;
mod diagram;
mod eclipse;
mod growth;
mod histogram;
mod honest_ids;
mod job;
mod lookup_rounds;
mod mashing;
mod network_experiment;
mod overlay_graph;
mod prefix_divergence;
mod providers;
pub mod published;
mod recorder;
mod resilience;
mod runner;
mod size_estimate;
mod storage;

pub use balance::Balance;
pub use convergence::Convergence;
pub use delaunay::Delaunay;
pub use dgvh_cost::DgvhCost;
pub use diagram::Diagram;
pub use eclipse::Eclipse;
pub use growth::GrowthExperiment;
pub use job::JobExperiment;
pub use lookup_rounds::LookupRounds;
pub use mashing::Mashing;
pub use network_experiment::NetworkExperiment;
pub use overlay_graph::{GreedyWalks, OverlayGraph, Walk};
pub use prefix_divergence::PrefixDivergence;
pub use providers::ProvidersExperiment;
pub use recorder::Recorder;
pub use resilience::Resilience;
pub use size_estimate::SizeEstimate;
pub use storage::StorageExperiment;

use dhtlab_scenario::Experiment;

/// All kinds of experiments.
pub const KINDS: &[&'static dyn Experiment] = &[
    &NetworkExperiment,
    &Balance,
    &Convergence,
    &Delaunay,
    &DgvhCost,
    &Diagram,
    &Eclipse,
    &GrowthExperiment,
    &JobExperiment,
    &LookupRounds,
    &Mashing,
    &PrefixDivergence,
    &ProvidersExperiment,
    &Resilience,
    &SizeEstimate,
    &StorageExperiment,
    &published::VHashLatency,
];
