//! The basis: virtual time, the event queue, random streams.
//!
//! This module does not depend on networks or DHTs. It gives three guarantees:
//!
//! * events are handled in a total order, time first, then the order of scheduling
//!   ([`EventQueue`]);
//! * time is an integer count of nanoseconds ([`Instant`], [`Duration`]);
//! * every consumer of randomness has its own stream, derived from
//!   (seed, purpose, index) ([`Seed`], [`Stream`]).

mod distribution;
pub mod interruption;
pub mod memory;
mod period;
mod queue;
mod random;
mod stationary;
mod time;

pub use distribution::{DistributionOf, DurationDistribution, Quantity, SizeDistribution};
pub use period::Period;
pub use queue::EventQueue;
pub(crate) use random::mix;
pub use random::{Seed, Stream};
pub use time::{Duration, Instant, ParseDurationError};
