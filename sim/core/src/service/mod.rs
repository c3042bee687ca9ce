//! Services: applications that run on any overlay by the common API, independent of the overlay.

pub mod balancing;
pub mod file_job;
pub mod job;
pub mod providers;
pub mod replication;
pub mod storage;

pub use replication::{Item, ItemChange, Items, Names, Outbox, ReplicationMessage, Store};
