//! Services: state machines that run on any overlay by the common API, and know not which one it
//! is.

pub mod job;
pub mod replication;
pub mod storage;

pub use replication::{Item, ItemChange, Items, Names, Outbox, ReplicationMessage, Store};
