//! Plans: who comes, leaves and crashes, and when. How a plan is carried out is the network's
//! business.
//!
//! A *participant* is somebody with a host who is there or not; each time it comes it is a new
//! node, or the one that it was, as the scenario says. A plan knows participants alone, so that all protocols meet the same churn.

mod failures;
mod measured;
mod parameters;
mod per_second;
mod rates;
mod sessions;
mod steps;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod theory;
mod trace;

pub use failures::FailureParameters;
pub use measured::{Family, Measured};
pub use parameters::{Churn, ChurnParameters, Departure, InitialPopulation, Model, Rejoin, State};
pub use per_second::PerSecondParameters;
pub use rates::RateParameters;
pub use sessions::{Presence, SessionParameters};
pub use trace::{Trace, TraceParameters};

use crate::engine::Instant;

/// A coming or going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It comes.
    Join,
    /// It says goodbye and goes.
    Leave,
    /// It is gone without a word.
    Crash,
}

/// One step of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// When.
    pub time: Instant,
    /// Who.
    pub participant: u32,
    /// What it does.
    pub change: Change,
}

/// The steps of a plan in the order of time; without an end for most models.
pub type ChurnPlan = Box<dyn Iterator<Item = Step>>;
