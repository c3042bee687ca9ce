//! The tick model of load balancing: hosts on a ring execute tasks, and those with few tasks take over
//! tasks of others, without messages and without latency.
//!
//! Rosen, "Towards a framework for DHT distributed computing" (dissertation, Georgia State
//! University 2016), chapter on autonomous load balancing.
//!
//! # The model
//!
//! Time is counted in ticks. A task has a key and belongs to the first node at or after it. A tick
//! consists of the strategy (in ticks that are multiples of `interval`; nodes act in the order of
//! their IDs), churn, and work. A host executes one task per tick, or as many as its strength, the
//! most recently received first. All ring nodes of a host share one list of tasks, and a query for
//! the load of any of them returns the load of the host. A host without tasks drops its Sybils. The
//! runtime factor is ticks over `tasks / nodes`, or over tasks by the sum of strengths.
//!
//! The model follows the published program, which differs from the text. `reading` selects between
//! the two for the gap that neighbour injection takes.
//!
//! # Exactness
//!
//! With `keys = "uniform"` tasks are counted by ranges of the ring and drawn when a range is cut,
//! which gives the same distribution as keys do (see `tasks`). With `keys = "sha1"` every task
//! has its key. Work is not executed tick by tick: the load of a host follows from its last change.

mod arc;
mod binomial;
mod churn;
mod id_generator;
mod node_ring;
mod parameters;
mod start;
mod strategy;
mod tasks;
#[cfg(test)]
mod tests;
mod tick_network;
mod trial;

pub use id_generator::{Keys, SybilId};
pub use parameters::{BalanceParameters, InjectionReading, Strategy, Work};
pub use tick_network::Effort;
pub use trial::{Trial, run};
