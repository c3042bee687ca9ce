//! Reads and validates scenario files in TOML.
//!
//! [`Source`] is the content of a file. [`Scenario::read`] expands its sweep, has its kind of
//! experiment read and validate every point, and returns the list of runs. An error is a
//! [`ScenarioError`] that names file, line and key. The trait [`Experiment`] defines a kind of
//! experiment; the kinds themselves are in another crate.

mod advice;
mod column;
mod error;
mod expectation;
mod experiment;
mod faults;
mod figure_table;
mod figures;
mod keys;
mod network_scenario;
mod overrides;
mod own_protocol;
#[cfg(test)]
mod plain_network;
mod plan;
mod protocol;
mod schema;
mod shard;
mod source;
mod sweep;
mod table_filter;
mod toml_value;

pub use advice::Advice;
pub use column::{Cell, Column};
pub use error::{KeyLocation, ScenarioError};
pub use experiment::{
    Cost, EVENTS_PER_SECOND, Experiment, Recordable, Run, RunOutput, STOPPED_FOR_MEMORY, TableRows,
    TableSpec, sections,
};
pub use network_scenario::{NetworkScenario, OverlayScenario, TimeParameters};
pub use overrides::Overrides;
pub use own_protocol::OwnProtocol;
pub use plan::{Header, PlannedRun, Point, Scenario};
pub use protocol::{Protocol, ProtocolParameters};
pub use schema::schema;
pub use shard::{Shard, ShardInfo};
pub use source::Source;
pub use table_filter::TableFilter;
pub use toml_value::parse_toml;
