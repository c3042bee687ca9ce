//! Services: state machines that run on any overlay by the common API, and know not which one it
//! is.

pub mod custody;
pub mod job;
pub mod storage;

pub use custody::{Change, Custody, Item, Items, Letters, Names, Store};
