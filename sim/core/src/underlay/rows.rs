//! Rows of distances: from one host to others.

use super::Path;
use super::graph::{Adjacency, Latencies};
use super::packed::Packed;
use super::shortest_paths::ShortestPaths;
use crate::engine::Duration;

/// The distances from one host to all `hosts`.
#[derive(Debug)]
pub(super) struct Row {
    hops: Packed,
    /// Absent where all links have one latency.
    micros: Option<Packed>,
}

impl Row {
    pub(super) fn new(
        graph: &Adjacency,
        search: &mut ShortestPaths,
        hosts: &[u32],
        from: u32,
    ) -> Self {
        search.run(graph, from);
        let search = &*search;
        let hops = hosts
            .iter()
            .map(|&host| u64::from(search.hops(graph, host)));
        let micros = match graph.latencies {
            Latencies::Equal(_) => None,
            Latencies::Each(_) => Some(Packed::new(
                hosts.iter().map(|&host| search.latency(graph, host)),
            )),
        };
        Self {
            hops: Packed::new(hops),
            micros,
        }
    }

    /// The number of hosts in the row.
    pub(super) fn len(&self) -> usize {
        self.hops.len()
    }

    pub(super) fn path(&self, graph: &Adjacency, to: usize) -> Path {
        let hops = self.hops.get(to);
        let micros = match (&self.micros, &graph.latencies) {
            (Some(micros), _) => micros.get(to),
            (None, Latencies::Equal(latency)) => hops * u64::from(*latency),
            (None, Latencies::Each(_)) => unreachable!("rows of unequal links keep latencies"),
        };
        Path {
            hops: hops as u32,
            latency: Duration::from_micros(micros),
        }
    }
}
