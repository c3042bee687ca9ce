//! The command `dhtlab` as a library.
//!
//! [`main_with`] is the whole command (sweeps, CSV files, figures, resumption, the report) for a list of
//! kinds of experiment, such as those of [`dhtlab_experiments::KINDS`] and one's own; [`session::run`] runs a
//! scenario inside another program.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     dhtlab::main_with(dhtlab_experiments::KINDS, std::env::args_os())
//! }
//! ```

mod cli;
mod failure;
#[cfg(feature = "parquet")]
pub mod frame;
mod lock;
pub mod session;
mod store;
mod streams;

pub use failure::Failure;

use dhtlab_scenario::Experiment;
use std::ffi::OsString;
use std::process::ExitCode;

/// Kinds of experiment, each with a name of its own.
pub type Kinds = &'static [&'static dyn Experiment];

pub use cli::{Forecast, command, explain, find_scenario, forecast, verify};

/// Runs the command with these `kinds` of experiment, as the whole of a program: see [`command`].
pub fn main_with(kinds: Kinds, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    ExitCode::from(command(kinds, arguments))
}
