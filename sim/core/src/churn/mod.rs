//! Churn plans: which participants join, leave and crash, and when. The network carries a plan out.
//!
//! A *participant* has a host and is online or offline. Each time it joins it is a new node
//! or its former one, as the scenario sets. A plan knows participants only, so all protocols meet
//! the same churn.

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
pub use measured::{Family, SessionSource};
pub use parameters::{
    Churn, ChurnParameters, Departure, InitialPopulation, Model, Rejoin, RejoinState,
};
pub use per_second::PerSecondParameters;
pub use rates::RateParameters;
pub use sessions::{Presence, SessionParameters};
pub use trace::{Trace, TraceParameters};

use crate::engine::Instant;

/// A change of one participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It joins.
    Join,
    /// It leaves gracefully.
    Leave,
    /// It crashes without notice.
    Crash,
}

/// One step of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// When.
    pub time: Instant,
    /// The participant.
    pub participant: u32,
    /// Its change.
    pub change: Change,
}

/// The steps of a plan, ascending by time; unlimited for most models.
pub type ChurnPlan = Box<dyn Iterator<Item = Step>>;
