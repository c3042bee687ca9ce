//! The kinds of experiments, one module each: an experiment turns a scenario into rows. Those that
//! simulate a network event by event are in [`dhtlab_network_experiments`]; those here need only its
//! state, its graph or its rounds.
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
mod honest_ids;
mod lookup_rounds;
mod mashing;
mod overlay_graph;
mod prefix_divergence;
pub mod published;
mod resilience;
mod size_estimate;

pub use balance::Balance;
pub use convergence::Convergence;
pub use delaunay::Delaunay;
pub use dgvh_cost::DgvhCost;
pub use diagram::Diagram;
pub use eclipse::Eclipse;
pub use growth::GrowthExperiment;
pub use lookup_rounds::LookupRounds;
pub use mashing::Mashing;
pub use overlay_graph::{GreedyWalks, OverlayGraph, Walk};
pub use prefix_divergence::PrefixDivergence;
pub use resilience::Resilience;
pub use size_estimate::SizeEstimate;

use dhtlab_network_experiments::{
    JobExperiment, NetworkExperiment, ProvidersExperiment, StorageExperiment,
};
use dhtlab_scenario::Experiment;

/// [`KINDS`] with `own` kinds: one with the name of a shipped kind takes its place. It is kept for the
/// life of the program.
#[must_use]
pub fn kinds_with(own: &[&'static dyn Experiment]) -> &'static [&'static dyn Experiment] {
    let is_replaced =
        |shipped: &&&'static dyn Experiment| own.iter().any(|kind| kind.name() == shipped.name());
    let kept = KINDS.iter().filter(|kind| !is_replaced(kind));
    Box::leak(own.iter().chain(kept).copied().collect())
}

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
