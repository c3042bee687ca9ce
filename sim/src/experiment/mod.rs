//! The kinds of experiments, one file each: a world is built from a scenario, runs, and
//! gives rows.
//!
//! Experiments as somebody's program ran them, quirks included, are in [`published`], so that
//! no quirk enters a protocol.

mod cells;
mod network;
pub mod published;

pub use network::NetworkExperiment;

use crate::scenario::Experiment;

/// Every kind of experiment.
pub const KINDS: &[&'static dyn Experiment] = &[&NetworkExperiment, &published::VHashLatency];
