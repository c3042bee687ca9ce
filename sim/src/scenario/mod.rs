//! TOML in, checked scenario out.
//!
//! [`Source`] is a file as it stands; [`Scenario::read`] expands its sweep, has every point
//! read and checked by its kind of experiment, and gives the list of runs. A fault is a
//! [`ScenarioError`] that names file, line and key. What an experiment is, is said by the trait
//! [`Experiment`]; the kinds themselves live on the floor above.

mod advice;
mod changes;
mod error;
mod expectation;
mod experiment;
mod figures;
mod kept;
mod keys;
mod network;
mod plan;
mod protocol;
mod schema;
mod shard;
mod source;
mod sweep;

pub use advice::Advice;
pub use changes::Options;
pub use error::ScenarioError;
pub use experiment::{
    Cost, EVENTS_PER_SECOND, Experiment, Outcome, Recorded, Rows, Run, STOPPED_FOR_MEMORY,
    TableSpec,
};
pub use kept::Kept;
pub use network::{NetworkScenario, OverlayScenario, TimeParameters};
pub use plan::{Header, PlannedRun, Point, Scenario};
pub use protocol::{Protocol, ProtocolParameters};
pub use schema::schema;
pub use shard::{Shard, Share};
pub use source::Source;
