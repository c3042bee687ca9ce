//! The experiments that simulate a network event by event: lookups, jobs, storage and provider
//! records. Each is compiled for every protocol, so they are a crate of their own: a change of another
//! experiment does not compile them again.
//!
//! The runner builds the network of a scenario, runs it through its phases, and says what to know about
//! the result; an experiment adds its service and its load.

pub mod histogram;
mod job;
mod network_experiment;
mod own_protocol;
mod providers;
mod recorder;
mod runner;
mod storage;

pub use job::JobExperiment;
pub use network_experiment::NetworkExperiment;
pub use own_protocol::with_protocol;
pub use providers::ProvidersExperiment;
pub use recorder::Recorder;
pub use storage::StorageExperiment;
