//! Distances between the hosts in use, computed on demand: by rows, or by hub labels.

use super::graph::Adjacency;
use super::hub_labels::HubLabels;
use super::recent_paths::RecentPaths;
use super::rows::Row;
use super::shortest_paths::ShortestPaths;
use super::{Host, Path, Shape, Underlay, rows_or_labels};
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
///
/// If a graph of n > 4096 hosts needs many rows, hub labels replace them, which give the same
/// paths. They are expected to take as long as n / 32 rows where all links have one latency,
/// otherwise as n / 128. If there can be twice as many rows, labels are made once a quarter as many
/// are computed. They belong to the underlay, so that all distances on it share them. A path then
/// takes a comparison of two labels, about a hundred hubs each on 100,000 hosts of the
/// Barabási-Albert model (16 s, 0.4 GB). Where labels take more than a quarter of the time of all
/// rows, or more than their memory, as on large graphs without hubs or hierarchy, their construction
/// is given up and rows remain.
#[derive(Debug)]
pub struct Distances {
    underlay: Arc<Underlay>,
    /// Index in `hosts` of each site; without a graph, the host itself.
    slots: Vec<u32>,
    /// The distinct hosts among the sites, ascending, then the added ones; empty without a graph.
    hosts: Vec<u32>,
    /// How many of them are ascending.
    sorted: usize,
    /// Empty where labels replace them.
    rows: Vec<Option<Row>>,
    /// How many rows are computed.
    computed: usize,
    method: Method,
    search: ShortestPaths,
    /// Of those from labels.
    recent: RecentPaths,
}

/// Where paths come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    /// From rows.
    Rows,
    /// From rows, until there are this many.
    RowsUpTo(usize),
    /// From the labels of the underlay.
    Labels,
}

/// A resolved site, for callers that read many distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(u32);

impl Slot {
    /// Its number, small enough for an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
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
        let rows: Vec<_> = hosts.iter().map(|_| None).collect();
        let before = underlay.graph().and_then(|graph| {
            let equal_links = graph.has_equal_links();
            rows_or_labels::rows_before_labels(graph.hosts(), rows.len(), equal_links)
        });
        Self {
            underlay,
            slots,
            sorted: hosts.len(),
            hosts,
            rows,
            computed: 0,
            method: before.map_or(Method::Rows, Method::RowsUpTo),
            search: ShortestPaths::default(),
            recent: RecentPaths::default(),
        }
    }

    /// Makes labels once `rows` rows are computed, of however small a graph.
    #[cfg(test)]
    pub(super) fn label_after(&mut self, rows: usize) {
        self.method = Method::RowsUpTo(rows);
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
            if self.method != Method::Labels {
                self.rows.push(None);
            }
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

    /// How much is computed, and how much there can be, in rows: none without a graph.
    ///
    /// Labels count as the rows that they are expected to take as long as. Where they turn out to
    /// be dearer than all rows, the maximum is from then on that of rows.
    pub fn rows(&self) -> (usize, usize) {
        match self.method {
            Method::Rows => (self.computed, self.rows.len()),
            Method::RowsUpTo(before) => (self.computed, before + self.worth_of_labels()),
            Method::Labels => {
                let all = self.computed + self.worth_of_labels();
                (all, all)
            }
        }
    }

    fn worth_of_labels(&self) -> usize {
        self.underlay.graph().map_or(0, |graph| {
            rows_or_labels::worth_of_labels(graph.hosts(), graph.has_equal_links())
        })
    }

    /// Computes one more row, or the labels; false if all is computed.
    pub fn compute_next(&mut self) -> bool {
        if self.method == Method::Labels {
            return false;
        }
        let Some(place) = self.rows.iter().position(Option::is_none) else {
            return false;
        };
        self.compute(place);
        true
    }

    /// Computes the row at `place`, or the labels instead.
    fn compute(&mut self, place: usize) {
        let Some(graph) = self.underlay.graph() else {
            return;
        };
        let is_enough = matches!(self.method, Method::RowsUpTo(most) if self.computed >= most);
        if is_enough || self.underlay.has_labels() {
            if self.underlay.labels().is_some() {
                self.method = Method::Labels;
                self.rows = Vec::new();
                return;
            }
            self.method = Method::Rows;
        }
        let row = Row::new(graph, &mut self.search, &self.hosts, self.hosts[place]);
        self.computed += usize::from(self.rows[place].is_none());
        self.rows[place] = Some(row);
    }

    /// The path from site `from` to site `to`; [`Path::NONE`] if they are one host.
    ///
    /// O(1) where the row of either end is computed, linear in two labels where labels are,
    /// otherwise one search over the underlay, or the construction of the labels.
    ///
    /// # Panics
    /// If there is no such site.
    pub fn path(&mut self, from: u32, to: u32) -> Path {
        self.between(self.slot(from), self.slot(to))
    }

    /// The host of a slot.
    pub fn host(&self, Slot(slot): Slot) -> Host {
        Host(self.hosts.get(slot as usize).copied().unwrap_or(slot))
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
    #[inline]
    pub fn between(&mut self, from: Slot, to: Slot) -> Path {
        if let Shape::Pairs(pairs) = &self.underlay.shape {
            return pairs.path(from.0, to.0);
        }
        self.between_on_graph(from, to)
    }

    fn between_on_graph(&mut self, from: Slot, to: Slot) -> Path {
        let (Slot(from), Slot(to)) = (from, to);
        let Shape::Graph(graph) = &self.underlay.shape else {
            return Path::NONE;
        };
        if from == to {
            return Path::NONE;
        }
        let (from, to) = (from as usize, to as usize);
        if self.method == Method::Labels
            && let Some(labels) = self.underlay.labels()
        {
            let hosts = (self.hosts[from], self.hosts[to]);
            return self.recent.path(from, to, || labels.path(hosts.0, hosts.1));
        }
        // A row does not have the hosts that were added after it was computed.
        for (row, other) in [(from, to), (to, from)] {
            if let Some(row) = self.rows[row].as_ref().filter(|row| other < row.len()) {
                return row.path(graph, other);
            }
        }
        self.compute(from);
        self.between_on_graph(Slot(from as u32), Slot(to as u32))
    }
}

impl Underlay {
    pub(super) fn graph(&self) -> Option<&Adjacency> {
        match &self.shape {
            Shape::Graph(graph) => Some(graph),
            Shape::Pairs(_) => None,
        }
    }

    /// Whether there are labels already.
    pub(super) fn has_labels(&self) -> bool {
        self.labels.get().is_some_and(Option::is_some)
    }

    /// The labels of a graph, made if they are not there; `None` if they exceed their budget.
    fn labels(&self) -> Option<&HubLabels> {
        let graph = self.graph()?;
        let make = || HubLabels::new(graph, rows_or_labels::budget(graph));
        let made = self.labels.get_or_init(make);
        made.as_ref()
    }
}
