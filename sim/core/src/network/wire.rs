//! What lies between the hosts of a network: distances, costs and the transport.

use super::Network;
use crate::engine::Duration;
use crate::overlay::{Application, GroundTruth, Metric, Node, RoundTrip};
use crate::transport::Transport;
use crate::underlay::{Distances, Path};

/// What lies between the hosts.
pub(super) struct Wire {
    pub distances: Distances,
    /// The costs between hosts, if the underlay has them.
    pub costs: Option<Distances>,
    /// What exchanges measure.
    pub metric: Metric,
    pub transport: Option<Box<Transport>>,
}

impl Wire {
    pub(super) fn new(distances: Distances) -> Self {
        Self {
            distances,
            costs: None,
            metric: Metric::Latency,
            transport: None,
        }
    }
}

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Sets what happens to messages beyond the latency of the underlay; nothing else with `None`.
    pub fn set_transport(&mut self, transport: Option<Transport>) {
        self.wire.transport = transport.map(Box::new);
    }

    /// The transport, if messages do not only take the latency of the underlay.
    pub fn transport(&self) -> Option<&Transport> {
        self.wire.transport.as_deref()
    }

    /// The number of sites on which the network was built.
    pub fn sites(&self) -> u32 {
        self.wire.distances.sites() as u32
    }

    /// The underlay path from one node to another.
    pub fn path(&mut self, from: Node, to: Node) -> Path {
        let slot = |node: Node| self.state.node_meta[node.index()].slot;
        let (from, to) = (slot(from), slot(to));
        self.wire.distances.between(from, to)
    }

    /// From now on exchanges measure `metric`. `costs` are the costs between the sites of the distances, in
    /// the same order, as latencies of one millisecond each.
    pub fn measure_by(&mut self, metric: Metric, costs: Option<Distances>) {
        (self.wire.metric, self.wire.costs) = (metric, costs);
    }

    /// The cost between the hosts of two nodes; `None` without costs.
    pub fn cost(&mut self, from: Node, to: Node) -> Option<f64> {
        let slot = |node: Node| self.state.node_meta[node.index()].slot;
        let (from, to) = (slot(from), slot(to));
        let costs = self.wire.costs.as_mut()?;
        Some(costs.between(from, to).latency.as_millis_f64())
    }

    /// What an exchange of `time` between two nodes has measured.
    pub(super) fn round_trip(&mut self, from: Node, to: Node, time: Duration) -> RoundTrip {
        let distance = match self.wire.metric {
            Metric::Latency => time.as_secs_f64() / 2.0,
            Metric::Hops => self.path(from, to).hops.into(),
            Metric::Cost => self.cost(from, to).unwrap_or(0.0),
        };
        RoundTrip { time, distance }
    }

    /// How much of the distances is computed, and how much there can be: see [`Distances::rows`].
    pub fn distance_rows(&self) -> (usize, usize) {
        self.wire.distances.rows()
    }

    /// Computes a missing row of distances, or what replaces rows; false if nothing is missing.
    pub fn compute_distances(&mut self) -> bool {
        self.wire.distances.compute_next()
    }
}
