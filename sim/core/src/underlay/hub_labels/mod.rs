//! Hub labels: exact distances between all hosts of a graph, without a row for each host.
//!
//! The label of a host is a list of *hubs* with the distance to each, such that any two hosts have
//! a hub on one of their best paths in common. A distance is then the least sum over the common
//! hubs. Labels are made by pruned landmark labelling (Akiba, Iwata and Yoshida: "Fast exact
//! shortest-path distance queries on large networks by pruned landmark labeling", SIGMOD 2013):
//! every host, the most important first, becomes the hub of the hosts that a search from it
//! reaches, and the search does not go on behind a host whose distance the labels already give.
//!
//! Distances are keys as in `shortest_paths`, latency * 2^b + links: their sums compare by latency,
//! then by links. In a sum over a hub that is on no best path, links may carry into the latency;
//! it is an exact sum of integers all the same, and greater.

mod core;
mod order;
mod pruning;
mod trees;

#[cfg(test)]
mod tests;

use super::Path;
use super::graph::{Adjacency, Latencies};
use super::packed::Packed;
use super::radix_heap::RadixHeap;
use super::shortest_paths::hop_bits;
use crate::engine::Duration;
use core::{Core, Frontier};
use pruning::{Label, prune};
use std::collections::VecDeque;
use trees::Trees;

pub(super) use pruning::Budget;

/// The key of the link at `place`: links alone where all have one latency.
fn link_key(graph: &Adjacency, hop_bits: u32, place: usize) -> u64 {
    match &graph.latencies {
        Latencies::Equal(_) => 1,
        Latencies::Each(latencies) => (u64::from(latencies[place]) << hop_bits) + 1,
    }
}

/// Distances between all hosts of a graph.
#[derive(Debug)]
pub(super) struct HubLabels {
    trees: Trees,
    /// The rank of each host of the core; of others, any number.
    ranks: Vec<u32>,
    /// By rank, where a host's label begins in `hubs` and `keys`; one more than there are hosts.
    offsets: Vec<usize>,
    /// The hubs of each label by rank, ascending.
    hubs: Vec<u32>,
    keys: Packed,
    /// The bits for links in the keys of `trees`.
    wide: Bits,
    /// Those in `keys`.
    narrow: Bits,
    /// The latency of a link, where all links have one.
    equal_latency: Option<u32>,
}

impl HubLabels {
    /// The labels of `graph`; `None` if they exceed `budget`.
    ///
    /// For labels of l hubs, about 2 l n visits of hosts at up to l steps each, and up to 32 bytes
    /// a hub until all are known, then 5 to 12. l depends on the graph: 112 on 100,000 hosts of the
    /// Barabási-Albert model, but thousands on a random graph without hubs, whose labels grow like
    /// its rows.
    pub(super) fn new(graph: &Adjacency, budget: Budget) -> Option<Self> {
        match graph.latencies {
            Latencies::Equal(_) => Self::by::<VecDeque<(u64, u32)>>(graph, budget),
            Latencies::Each(_) => Self::by::<RadixHeap>(graph, budget),
        }
    }

    fn by<F: Frontier>(graph: &Adjacency, budget: Budget) -> Option<Self> {
        let hop_bits = hop_bits(graph.hosts());
        let trees = Trees::new(graph, hop_bits);
        let mut hosts: Vec<u32> = trees.core().collect();
        let order = order::order::<F>(&Core::new(graph, hop_bits, &hosts));
        hosts = order.iter().map(|&place| hosts[place as usize]).collect();
        // By rank: the hubs that searches visit most are near each other.
        let core = Core::new(graph, hop_bits, &hosts);
        let labels = prune::<F>(&core, budget)?;
        let mut ranks = vec![0; graph.hosts()];
        for (rank, &host) in (0..).zip(&hosts) {
            ranks[host as usize] = rank;
        }
        Some(Self::pack(graph, trees, ranks, &labels))
    }

    /// Puts the labels behind each other, with as few bits for links as their sums need.
    fn pack(graph: &Adjacency, trees: Trees, ranks: Vec<u32>, labels: &[Label]) -> Self {
        let wide = Bits::of(graph);
        let keys = || labels.iter().flatten().map(|&(_, key)| key);
        let longest = keys().map(|key| wide.split(key).1).max().unwrap_or(0);
        let narrow = wide.narrowed(2 * longest);
        let mut offsets = vec![0];
        let mut hubs = Vec::with_capacity(labels.iter().map(Vec::len).sum());
        for label in labels {
            hubs.extend(label.iter().map(|&(hub, _)| hub));
            offsets.push(hubs.len());
        }
        Self {
            trees,
            ranks,
            offsets,
            hubs,
            keys: Packed::new(keys().map(|key| narrow.join(wide.split(key)))),
            wide,
            narrow,
            equal_latency: match graph.latencies {
                Latencies::Equal(latency) => Some(latency),
                Latencies::Each(_) => None,
            },
        }
    }

    /// The path between two hosts. Linear in their labels, and in the depth of their trees if they
    /// hang off one host.
    pub(super) fn path(&self, a: u32, b: u32) -> Path {
        let ((root, up), (other, down)) = (self.trees.root(a), self.trees.root(b));
        let (mut latency, links) = if root == other {
            self.wide.split(self.trees.between(a, b))
        } else {
            let core = self.least(self.ranks[root as usize], self.ranks[other as usize]);
            let (inside, outside) = (self.narrow.split(core), self.wide.split(up + down));
            (inside.0 + outside.0, inside.1 + outside.1)
        };
        if let Some(equal) = self.equal_latency {
            latency = links * u64::from(equal);
        }
        Path {
            hops: links as u32,
            latency: Duration::from_micros(latency),
        }
    }

    /// The key between two hosts of the core, which are given by rank.
    fn least(&self, a: u32, b: u32) -> u64 {
        let range = |rank: u32| self.offsets[rank as usize]..self.offsets[rank as usize + 1];
        let (a, b) = (range(a), range(b));
        let hubs = (&self.hubs[a.clone()], &self.hubs[b.clone()]);
        match &self.keys {
            Packed::Bytes(keys) => least_sum(hubs, (&keys[a], &keys[b])),
            Packed::Shorts(keys) => least_sum(hubs, (&keys[a], &keys[b])),
            Packed::Words(keys) => least_sum(hubs, (&keys[a], &keys[b])),
            Packed::Longs(keys) => least_sum(hubs, (&keys[a], &keys[b])),
        }
    }

    /// The number of hubs in all labels together.
    #[cfg(test)]
    fn hubs(&self) -> usize {
        self.hubs.len()
    }
}

/// The least sum of two keys at one hub, of two labels with ascending hubs.
fn least_sum<K: Copy + Into<u64>>(hubs: (&[u32], &[u32]), keys: (&[K], &[K])) -> u64 {
    let (mut i, mut j, mut least) = (0, 0, u64::MAX);
    while i < hubs.0.len() && j < hubs.1.len() {
        let (a, b) = (hubs.0[i], hubs.1[j]);
        if a == b {
            let (a, b): (u64, u64) = (keys.0[i].into(), keys.1[j].into());
            least = least.min(a.saturating_add(b));
        }
        // Without a branch, which would be unpredictable.
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
    least
}

/// How many of the lowest bits of a key count links; all 64 where keys have no latency.
#[derive(Clone, Copy, Debug)]
struct Bits(u32);

impl Bits {
    /// Those of searches on `graph`.
    fn of(graph: &Adjacency) -> Self {
        Self(match graph.latencies {
            Latencies::Equal(_) => u64::BITS,
            Latencies::Each(_) => hop_bits(graph.hosts()),
        })
    }

    /// Only as many as hold up to `links` links.
    fn narrowed(self, links: u64) -> Self {
        match self.0 {
            u64::BITS => self,
            wide => Self(wide.min(u64::BITS - links.leading_zeros())),
        }
    }

    /// The latency and the links of a key.
    fn split(self, key: u64) -> (u64, u64) {
        let latency = key.checked_shr(self.0).unwrap_or(0);
        let links = key & 1u64.checked_shl(self.0).map_or(u64::MAX, |bit| bit - 1);
        (latency, links)
    }

    /// The key of a latency and of links.
    fn join(self, (latency, links): (u64, u64)) -> u64 {
        latency.checked_shl(self.0).unwrap_or(0) | links
    }
}
