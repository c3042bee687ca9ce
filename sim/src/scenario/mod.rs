//! TOML in, checked scenario out.
//!
//! [`Source`] is a file as it stands; [`Scenario::read`] expands its sweep, has every point
//! read and checked by its kind of experiment, and gives the list of runs. A fault is a
//! [`ScenarioError`] that names file, line and key. What an experiment is, is said by the trait
//! [`Experiment`]; the kinds themselves live on the floor above.

mod advice;
mod error;
mod expectation;
mod experiment;
mod figures;
mod keys;
mod network_scenario;
mod overrides;
mod plan;
mod protocol;
mod schema;
mod shard;
mod source;
mod sweep;
mod table_filter;

pub use advice::Advice;
pub use error::ScenarioError;
pub use experiment::{
    Cost, EVENTS_PER_SECOND, Experiment, Recordable, Run, RunOutput, STOPPED_FOR_MEMORY, TableRows,
    TableSpec,
};
pub use network_scenario::{NetworkScenario, OverlayScenario, TimeParameters};
pub use overrides::Overrides;
pub use plan::{Header, PlannedRun, Point, Scenario};
pub use protocol::{Protocol, ProtocolParameters};
pub use schema::schema;
pub use shard::{Shard, ShardInfo};
pub use source::Source;
pub use table_filter::TableFilter;
