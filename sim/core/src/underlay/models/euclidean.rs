use super::Streams;
use crate::engine::{Duration, DurationDistribution};
use crate::parameters;
use crate::underlay::UnderlayError;
use crate::underlay::pairwise::{Pairwise, Plane};

parameters! {
    /// Hosts uniformly in a square; latency grows with the distance.
    ///
    /// The latency of two hosts is their distance, in whole microseconds rounded up, plus the
    /// access delay of each: coordinates with a height, as in Vivaldi (Dabek, Cox, Kaashoek and
    /// Morris: "Vivaldi: a decentralized network coordinate system", SIGCOMM 2004). It satisfies
    /// the triangle inequality. There are no links: each message is one underlay hop, and
    /// `link-latency` has no effect. O(n), and O(1) per distance.
    pub struct Euclidean {
        /// One-way latency along a side of the square.
        pub side: Duration = Duration::from_millis(100);
        /// Access delay added to all latencies of a host, drawn once per host.
        pub access_delay: DurationDistribution = DurationDistribution::Constant(Duration::from_millis(1));
    }
}

impl Euclidean {
    /// Draws the positions from one stream and the access delays from the other.
    pub(in crate::underlay) fn pairs(
        &self,
        nodes: usize,
        streams: &mut Streams,
    ) -> Result<Pairwise, UnderlayError> {
        let mut plane = Plane::new(self.side, nodes);
        for _ in 0..nodes {
            let position = (streams.graph.unit(), streams.graph.unit());
            plane.push(position, self.access_delay.sample(&mut streams.latency))?;
        }
        Ok(Pairwise::Plane(plane))
    }
}
