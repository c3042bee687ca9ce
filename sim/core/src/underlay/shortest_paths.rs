//! Shortest paths from one host to all others, with reused scratch space.

use super::UnderlayError;
use super::graph::{Adjacency, Latencies};
use super::radix_heap::RadixHeap;

/// Scratch space for searches on one graph.
///
/// After [`run`](Self::run), [`hops`](Self::hops) and [`latency`](Self::latency) give the path from
/// the source to each host. The graph is connected, so all hosts are reached.
#[derive(Debug, Default)]
pub(super) struct ShortestPaths {
    /// Breadth first: links from the source. Hosts not yet reached hold [`FAR`].
    depth: Vec<u32>,
    queue: Vec<u32>,
    /// Dijkstra: the key of the best path so far.
    key: Vec<u64>,
    heap: RadixHeap,
    /// The lowest bits of a key count links; the bits above are microseconds.
    hop_bits: u32,
}

const FAR: u32 = u32::MAX;

/// How many bits of a search key count links.
///
/// A key is latency * 2^bits + links: adding keys adds both, and comparing them compares
/// latency first. No path of least latency has as many links as there are hosts.
pub(super) fn hop_bits(hosts: usize) -> u32 {
    usize::BITS - hosts.leading_zeros()
}

impl ShortestPaths {
    /// Finds the best path from `source` to every host.
    ///
    /// With equal latencies: breadth first, O(n + m). Otherwise: Dijkstra (1959) with a radix heap,
    /// ordered by (latency, links), O(m + n log C) for paths of up to C microseconds.
    pub(super) fn run(&mut self, graph: &Adjacency, source: u32) {
        match &graph.latencies {
            Latencies::Equal(_) => self.breadth_first(graph, source),
            Latencies::Each(latencies) => self.dijkstra(graph, latencies, source),
        }
    }

    fn breadth_first(&mut self, graph: &Adjacency, source: u32) {
        self.depth.clear();
        self.depth.resize(graph.hosts(), FAR);
        self.queue.clear();
        self.queue.push(source);
        self.depth[source as usize] = 0;
        let mut head = 0;
        while let Some(&host) = self.queue.get(head) {
            head += 1;
            let next = self.depth[host as usize] + 1;
            for &neighbour in &graph.targets[graph.places(host)] {
                let depth = &mut self.depth[neighbour as usize];
                if *depth == FAR {
                    *depth = next;
                    self.queue.push(neighbour);
                }
            }
        }
    }

    fn dijkstra(&mut self, graph: &Adjacency, latencies: &[u32], source: u32) {
        self.hop_bits = hop_bits(graph.hosts());
        self.key.clear();
        self.key.resize(graph.hosts(), u64::MAX);
        self.heap.clear();
        self.heap.push(0, source);
        self.key[source as usize] = 0;
        while let Some((key, host)) = self.heap.pop() {
            if key > self.key[host as usize] {
                continue;
            }
            let places = graph.places(host);
            let neighbours = graph.targets[places.clone()].iter();
            for (&neighbour, &latency) in neighbours.zip(&latencies[places]) {
                // `check_range` has verified that nothing saturates.
                let longer = key.saturating_add((u64::from(latency) << self.hop_bits) + 1);
                let best = &mut self.key[neighbour as usize];
                if longer < *best {
                    *best = longer;
                    self.heap.push(longer, neighbour);
                }
            }
        }
    }

    /// Links on the best path to `host`.
    pub(super) fn hops(&self, graph: &Adjacency, host: u32) -> u32 {
        match graph.latencies {
            Latencies::Equal(_) => self.depth[host as usize],
            Latencies::Each(_) => (self.key[host as usize] & ((1 << self.hop_bits) - 1)) as u32,
        }
    }

    /// Microseconds on the best path to `host`.
    pub(super) fn latency(&self, graph: &Adjacency, host: u32) -> u64 {
        match graph.latencies {
            Latencies::Equal(latency) => u64::from(self.depth[host as usize]) * u64::from(latency),
            Latencies::Each(_) => self.key[host as usize] >> self.hop_bits,
        }
    }
}

/// Checks that no search key on `graph` overflows, by one search from host 0.
///
/// No best path is longer than twice the longest one from host 0, and a search looks at most
/// one link further.
pub(super) fn check_range(graph: &Adjacency) -> Result<(), UnderlayError> {
    let Latencies::Each(latencies) = &graph.latencies else {
        return Ok(());
    };
    let longest_link = u64::from(latencies.iter().copied().max().unwrap_or(0));
    if longest_link.leading_zeros() <= hop_bits(graph.hosts()) {
        return Err(UnderlayError::PathTooLong);
    }
    let mut search = ShortestPaths::default();
    search.run(graph, 0);
    let longest = search.key.iter().copied().max().unwrap_or(0);
    let link_key = (longest_link << search.hop_bits) + 1;
    let bound = longest
        .checked_mul(2)
        .and_then(|twice| twice.checked_add(link_key));
    bound.map(|_| ()).ok_or(UnderlayError::PathTooLong)
}
