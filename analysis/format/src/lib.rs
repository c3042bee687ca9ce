//! The files of a run: what the simulator writes and the analysis reads.
//!
//! * [`manifest`] describes the results of a run and detects changes of them.
//! * [`figure`] is the specification of a figure.
//! * [`recording`] has the events of one run, for the player.
//! * [`nearest`] finds the name that a misspelt one is nearest to.

mod error;
pub mod figure;
pub mod manifest;
pub mod nearest;
pub mod output;
pub mod recording;

pub use error::Error;

/// The columns of `runs.csv` that identify the run of a row; all others are swept keys or metrics.
pub const RUN_COLUMNS: [&str; 3] = ["run", "repetition", "seed"];
