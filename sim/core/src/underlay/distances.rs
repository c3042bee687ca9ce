//! Distances between the hosts in use, computed row by row on demand.

use super::graph::{Adjacency, Latencies};
use super::shortest_paths::ShortestPaths;
use super::{Host, Path, Shape, Underlay};
use crate::engine::Duration;
use std::sync::Arc;

/// Distances between the hosts in use, the *sites*.
///
/// A site is an index into the list given to [`new`](Self::new); several sites may be the same
/// host, at distance zero. A row, the distances of one site to all others, is computed when it is
/// first needed and kept. Distances on a graph are symmetric, so a path is also read from the row
/// of its other end.
///
/// # Cost
///
/// On a graph a row takes one search over all hosts (breadth first where all links have one
/// latency, otherwise Dijkstra's) and stores, for each distinct host among the sites, the hops,
/// mostly in one byte, and where links differ the latency in four bytes. Without a graph nothing is
/// stored.
/// graph nothing is kept at all.
#[derive(Debug)]
pub struct Distances {
    underlay: Arc<Underlay>,
    /// Index in `hosts` of each site; without a graph, the host itself.
    slots: Vec<u32>,
    /// The distinct hosts among the sites, ascending, then the added ones; empty without a graph.
    hosts: Vec<u32>,
    /// How many of them are ascending.
    sorted: usize,
    rows: Vec<Option<Row>>,
    search: ShortestPaths,
}

/// A resolved site, for callers that read many distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(u32);

/// The distances from one host to all `hosts`.
#[derive(Debug)]
struct Row {
    hops: Packed,
    /// Absent where all links have one latency.
    micros: Option<Packed>,
}

/// Numbers in the narrowest type that holds them all.
#[derive(Debug)]
enum Packed {
    Bytes(Box<[u8]>),
    Shorts(Box<[u16]>),
    Words(Box<[u32]>),
    Longs(Box<[u64]>),
}

impl Packed {
    fn new(numbers: impl Iterator<Item = u64> + Clone) -> Self {
        let largest = numbers.clone().max().unwrap_or(0);
        if u8::try_from(largest).is_ok() {
            Self::Bytes(numbers.map(|x| x as u8).collect())
        } else if u16::try_from(largest).is_ok() {
            Self::Shorts(numbers.map(|x| x as u16).collect())
        } else if u32::try_from(largest).is_ok() {
            Self::Words(numbers.map(|x| x as u32).collect())
        } else {
            Self::Longs(numbers.collect())
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Bytes(numbers) => numbers.len(),
            Self::Shorts(numbers) => numbers.len(),
            Self::Words(numbers) => numbers.len(),
            Self::Longs(numbers) => numbers.len(),
        }
    }

    fn get(&self, i: usize) -> u64 {
        match self {
            Self::Bytes(numbers) => u64::from(numbers[i]),
            Self::Shorts(numbers) => u64::from(numbers[i]),
            Self::Words(numbers) => u64::from(numbers[i]),
            Self::Longs(numbers) => numbers[i],
        }
    }
}

impl Row {
    fn new(graph: &Adjacency, search: &mut ShortestPaths, hosts: &[u32], from: u32) -> Self {
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
    fn len(&self) -> usize {
        self.hops.len()
    }

    fn path(&self, graph: &Adjacency, to: usize) -> Path {
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

/// An estimate in bytes of all rows of `sites` sites: per entry two bytes where all links have one
/// latency, otherwise one byte for the hops and four for the latency.
pub(super) fn row_bytes(sites: usize, equal_links: bool) -> u64 {
    let sites = sites as u64;
    let entry = if equal_links { 2 } else { 5 };
    sites
        .saturating_mul(sites)
        .saturating_mul(entry)
        .saturating_add(64 * sites)
}

impl Distances {
    /// Distances between `sites`, none of them computed yet. O(s log s) for s sites.
    ///
    /// # Panics
    /// If a site is not a host of `underlay`.
    pub fn new(underlay: Arc<Underlay>, sites: Vec<Host>) -> Self {
        for &site in &sites {
            assert!(
                (site.0 as usize) < underlay.hosts(),
                "{site:?} is not in the underlay"
            );
        }
        let mut slots: Vec<u32> = sites.into_iter().map(|host| host.0).collect();
        let mut hosts = Vec::new();
        if matches!(underlay.shape, Shape::Graph(_)) {
            hosts.clone_from(&slots);
            hosts.sort_unstable();
            hosts.dedup();
            for slot in &mut slots {
                *slot = hosts.partition_point(|host| host < slot) as u32;
            }
        }
        let rows = hosts.iter().map(|_| None).collect();
        Self {
            underlay,
            slots,
            sorted: hosts.len(),
            hosts,
            rows,
            search: ShortestPaths::default(),
        }
    }

    /// Adds a host that is not a site; computed rows are kept. Linear in the hosts added before.
    ///
    /// # Panics
    /// If it is not a host of the underlay.
    pub fn add(&mut self, host: Host) -> Slot {
        assert!(
            (host.0 as usize) < self.underlay.hosts(),
            "{host:?} is not in the underlay"
        );
        if !matches!(self.underlay.shape, Shape::Graph(_)) {
            return Slot(host.0);
        }
        let (first, added) = self.hosts.split_at(self.sorted);
        let known = first.binary_search(&host.0).ok().or_else(|| {
            let place = added.iter().position(|other| *other == host.0);
            place.map(|place| self.sorted + place)
        });
        let place = known.unwrap_or_else(|| {
            self.hosts.push(host.0);
            self.rows.push(None);
            self.hosts.len() - 1
        });
        Slot(place as u32)
    }

    /// Number of hosts of the underlay.
    pub fn hosts(&self) -> usize {
        self.underlay.hosts()
    }

    /// The number of sites.
    pub fn sites(&self) -> usize {
        self.slots.len()
    }

    /// How many rows are computed, and how many there can be: none without a graph.
    pub fn rows(&self) -> (usize, usize) {
        let computed = self.rows.iter().filter(|row| row.is_some()).count();
        (computed, self.rows.len())
    }

    /// Computes one more row; false if all are computed.
    pub fn compute_next(&mut self) -> bool {
        let Shape::Graph(graph) = &self.underlay.shape else {
            return false;
        };
        let Some(place) = self.rows.iter().position(Option::is_none) else {
            return false;
        };
        let row = Row::new(graph, &mut self.search, &self.hosts, self.hosts[place]);
        self.rows[place] = Some(row);
        true
    }

    /// The path from site `from` to site `to`; [`Path::NONE`] if they are one host.
    ///
    /// O(1) where the row of either end is computed, otherwise one search over the underlay.
    ///
    /// # Panics
    /// If there is no such site.
    pub fn path(&mut self, from: u32, to: u32) -> Path {
        self.between(self.slot(from), self.slot(to))
    }

    /// The slot of a site, for [`between`](Self::between).
    ///
    /// # Panics
    /// If there is no such site.
    pub fn slot(&self, site: u32) -> Slot {
        Slot(self.slots[site as usize])
    }

    /// The path between the sites of two slots; like [`path`](Self::path), without resolving the
    /// sites.
    ///
    /// # Panics
    /// If a slot belongs to other distances.
    pub fn between(&mut self, from: Slot, to: Slot) -> Path {
        let (Slot(from), Slot(to)) = (from, to);
        let graph = match &self.underlay.shape {
            Shape::Pairs(pairs) => return pairs.path(from, to),
            Shape::Graph(graph) => graph,
        };
        if from == to {
            return Path::NONE;
        }
        let (from, to) = (from as usize, to as usize);
        // A row does not have the hosts that were added after it was computed.
        for (row, other) in [(from, to), (to, from)] {
            if let Some(row) = self.rows[row].as_ref().filter(|row| other < row.len()) {
                return row.path(graph, other);
            }
        }
        let row = Row::new(graph, &mut self.search, &self.hosts, self.hosts[from]);
        let path = row.path(graph, to);
        self.rows[from] = Some(row);
        path
    }
}
