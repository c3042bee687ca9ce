//! The core of a graph, and searches on it.

use super::super::graph::{Adjacency, Latencies};
use super::super::radix_heap::RadixHeap;
use super::link_key;
use std::collections::VecDeque;

/// The part of a graph between some of its hosts, with numbers of its own.
pub(super) struct Core {
    offsets: Vec<u32>,
    targets: Vec<u32>,
    /// The key of each link in `targets`; empty where every key is 1.
    keys: Vec<u64>,
}

impl Core {
    /// The links between `hosts`, which are numbered by their places in the list. O(n + m).
    pub(super) fn new(graph: &Adjacency, hop_bits: u32, hosts: &[u32]) -> Self {
        let mut numbers = vec![u32::MAX; graph.hosts()];
        for (number, &host) in (0..).zip(hosts) {
            numbers[host as usize] = number;
        }
        let mut core = Self {
            offsets: vec![0],
            targets: Vec::new(),
            keys: Vec::new(),
        };
        for &host in hosts {
            for place in graph.places(host) {
                let number = numbers[graph.targets[place] as usize];
                if number == u32::MAX {
                    continue;
                }
                core.targets.push(number);
                if let Latencies::Each(_) = graph.latencies {
                    core.keys.push(link_key(graph, hop_bits, place));
                }
            }
            core.offsets.push(core.targets.len() as u32);
        }
        core
    }

    /// The number of hosts.
    pub(super) fn hosts(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The number of links of `host`.
    pub(super) fn degree(&self, host: u32) -> usize {
        self.places(host).len()
    }

    fn places(&self, host: u32) -> std::ops::Range<usize> {
        let host = host as usize;
        self.offsets[host] as usize..self.offsets[host + 1] as usize
    }

    /// The neighbours of `host`, each with the key of the link.
    pub(super) fn neighbours(&self, host: u32) -> impl Iterator<Item = (u32, u64)> {
        self.places(host).map(|place| {
            let key = self.keys.get(place).copied().unwrap_or(1);
            (self.targets[place], key)
        })
    }
}

/// The hosts that a search has found and not yet visited, those of least key first.
pub(super) trait Frontier: Default {
    fn clear(&mut self);
    fn push(&mut self, key: u64, host: u32);
    fn pop(&mut self) -> Option<(u64, u32)>;
}

/// The frontier of Dijkstra's search.
impl Frontier for RadixHeap {
    fn clear(&mut self) {
        RadixHeap::clear(self);
    }

    fn push(&mut self, key: u64, host: u32) {
        RadixHeap::push(self, key, host);
    }

    fn pop(&mut self) -> Option<(u64, u32)> {
        RadixHeap::pop(self)
    }
}

/// The frontier of a search breadth first: where every link has one key, hosts are found in the
/// order of their keys.
impl Frontier for VecDeque<(u64, u32)> {
    fn clear(&mut self) {
        VecDeque::clear(self);
    }

    fn push(&mut self, key: u64, host: u32) {
        self.push_back((key, host));
    }

    fn pop(&mut self) -> Option<(u64, u32)> {
        self.pop_front()
    }
}

/// A search from one host after the other, with reused space.
pub(super) struct Search<'a, F> {
    pub(super) core: &'a Core,
    frontier: F,
    /// The least key found so far; `u64::MAX` for a host that is not found.
    keys: Vec<u64>,
    found: Vec<u32>,
}

impl<'a, F: Frontier> Search<'a, F> {
    pub(super) fn new(core: &'a Core) -> Self {
        Self {
            core,
            frontier: F::default(),
            keys: vec![u64::MAX; core.hosts()],
            found: Vec::new(),
        }
    }

    /// Calls `visit` for the hosts in the order of their least keys, each once, and goes on from
    /// those for which it is true.
    pub(super) fn run(&mut self, source: u32, mut visit: impl FnMut(u32, u64) -> bool) {
        self.frontier.clear();
        self.frontier.push(0, source);
        self.keys[source as usize] = 0;
        self.found.push(source);
        while let Some((key, host)) = self.frontier.pop() {
            // No host is pushed twice with one key.
            if key > self.keys[host as usize] || !visit(host, key) {
                continue;
            }
            for (neighbour, link) in self.core.neighbours(host) {
                let longer = key.saturating_add(link);
                let best = &mut self.keys[neighbour as usize];
                if longer < *best {
                    if *best == u64::MAX {
                        self.found.push(neighbour);
                    }
                    *best = longer;
                    self.frontier.push(longer, neighbour);
                }
            }
        }
        for host in self.found.drain(..) {
            self.keys[host as usize] = u64::MAX;
        }
    }
}
