//! What an exchange of messages measures.

use crate::engine::Duration;

crate::choices! {
    /// A quantity between two nodes that each of them can measure.
    pub enum Metric {
        /// The latency of a message, half of a round trip.
        Latency = "latency",
        /// The links of the underlay on the way of a message, as a node counts them by the time to live of packets.
        Hops = "hops",
        /// The cost between the two hosts: the least sum of `underlay.file.cost` over the links of a path.
        Cost = "cost",
    }
}

/// What a request and its reply have measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoundTrip {
    /// The time from the request to the reply.
    pub time: Duration,
    /// The distance to the other node in the metric of the protocol
    /// ([`Configuration::metric`](super::Configuration::metric)): seconds for a latency, a number of
    /// links, or a cost.
    pub distance: f64,
}
