//! The kinds of experiments, one file each: a world is built from a scenario, runs, and
//! gives rows.
//!
//! Experiments as somebody's program ran them, quirks included, are in [`published`], so that
//! no quirk enters a protocol.

mod cells;
mod convergence;
mod delaunay;
mod dgvh_cost;
mod growth;
mod network;
mod overlay_graph;
pub mod published;
mod storage;

pub use convergence::Convergence;
pub use delaunay::Delaunay;
pub use dgvh_cost::DgvhCost;
pub use growth::GrowthExperiment;
pub use network::NetworkExperiment;
pub use overlay_graph::{GreedyWalks, OverlayGraph, Walk};
pub use storage::StorageExperiment;

use crate::scenario::Experiment;

/// Every kind of experiment.
pub const KINDS: &[&'static dyn Experiment] = &[
    &NetworkExperiment,
    &Convergence,
    &Delaunay,
    &DgvhCost,
    &GrowthExperiment,
    &published::VHashLatency,
    &StorageExperiment,
];
