//! The underlay: hosts, the links between them, and the distance between two hosts.
//!
//! This module does not depend on DHTs. A scenario's `[underlay]` table is read into a
//! [`Specification`], which [builds](Specification::build) an immutable [`Underlay`] from a seed.
//! [`Distances`] then gives the [`Path`] between two of the hosts in use, with its links and its
//! latency.
//!
//! ```
//! use dhtlab_core::engine::Seed;
//! use dhtlab_core::parameter::{Map, Table};
//! use dhtlab_core::underlay::{Distances, Host, Specification};
//! use std::sync::Arc;
//!
//! let keys = Map::from_iter([("model".to_owned(), "grid".into()), ("nodes".to_owned(), 9.into())]);
//! let specification = Specification::read(&Table::root(&keys), std::path::Path::new("."))?;
//! let underlay = Arc::new(specification.build(Seed::new(1))?);
//!
//! let sites = vec![Host(0), Host(4), Host(8)];
//! let mut distances = Distances::new(underlay, sites);
//! let path = distances.path(0, 2);
//! assert_eq!(path.hops, 4);
//! assert_eq!(path.latency.to_string(), "4 ms");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a distance is
//!
//! On a graph a message takes the path of least latency, and among those the one with the fewest
//! links. Links have no direction. Link latencies are whole microseconds of at least one, so a
//! path's latency is an exact sum. For `rtt-matrix` and `rtt-pairs` files and the models
//! `euclidean` and `constant` there is no graph: every message is one hop.
//!
//! # An underlay of your own
//!
//! An underlay is made from links with latencies ([`Underlay::from_links`]) or from the latency of
//! each pair ([`Underlay::from_latencies`]). Nodes need not run on all hosts; in this example the
//! sites are servers in racks, and the switches between them only forward messages.
//!
//! ```
//! use dhtlab_core::engine::{Instant, Seed, Duration};
//! use dhtlab_core::network::{End, Network, Setup, Travel, oracle};
//! use dhtlab_core::overlay::chord::{Chord, ChordParameters};
//! use dhtlab_core::space::Key;
//! use dhtlab_core::underlay::{Distances, Host, Underlay};
//! use dhtlab_core::workload::LookupPlan;
//! use std::sync::Arc;
//!
//! /// Racks of servers: each server is linked to the switch of its rack, each switch to two spines.
//! struct LeafSpine {
//!     racks: u32,
//!     servers: u32,
//! }
//!
//! impl LeafSpine {
//!     /// The servers come first, rack by rack, then the switches, then the spines.
//!     fn links(&self) -> Vec<(Host, Host, Duration)> {
//!         let switch = |rack| Host(self.racks * self.servers + rack);
//!         let spine = |number| Host(self.racks * (self.servers + 1) + number);
//!         let mut links = Vec::new();
//!         for rack in 0..self.racks {
//!             for server in rack * self.servers..(rack + 1) * self.servers {
//!                 links.push((Host(server), switch(rack), Duration::from_micros(5)));
//!             }
//!             links.push((switch(rack), spine(0), Duration::from_micros(20)));
//!             links.push((switch(rack), spine(1), Duration::from_micros(30)));
//!         }
//!         links
//!     }
//! }
//!
//! let hall = LeafSpine { racks: 8, servers: 16 };
//! let underlay = Underlay::from_links(8 * 17 + 2, hall.links())?;
//! assert_eq!((underlay.hosts(), underlay.links()), (138, Some(144)));
//! let servers = 8 * 16;
//! let mut distances = Distances::new(Arc::new(underlay), (0..servers).map(Host).collect());
//! // Within a rack by its switch; to another one by two switches and the faster spine.
//! assert_eq!((distances.path(0, 1).hops, distances.path(0, 1).latency), (2, Duration::from_micros(10)));
//! assert_eq!((distances.path(0, 16).hops, distances.path(0, 16).latency), (4, Duration::from_micros(50)));
//!
//! // Chord on all servers, and two thousand lookups.
//! let seed = Seed::new(7);
//! let timeout = Duration::from_millis(500);
//! let setup = Setup { seed, travel: Travel::SemiRecursive, timeout, ask_root: true };
//! let mut network: Network<Chord> = Network::new(setup, ChordParameters::default(), distances);
//! let mut stream = seed.stream("ids", 0);
//! let ids: Vec<Key> = (0..servers).map(|_| Key::random(&mut stream)).collect();
//! let sites: Vec<u32> = (0..servers).collect();
//! oracle::populate_converged(&mut network, &ids, &sites);
//! let lookups = seed.stream("lookups", 0);
//! network.plan_lookups(LookupPlan::evenly(lookups, Instant::START, Duration::from_millis(1), 2000));
//! assert_eq!(network.run(Instant::START + Duration::from_secs(60), true, 1_000_000), End::Done);
//!
//! let tally = network.tally();
//! assert_eq!(tally.counts.ok, 2000);
//! let sum = |counts: &[u64]| counts.iter().zip(0..).map(|(count, value)| count * value).sum::<u64>();
//! // Of the 127 other servers 112 are in other racks, four links away, and 15 in the same, at two:
//! // 3.76 links a hop, since Chord chooses its peers regardless of latency.
//! let links_a_hop = sum(&tally.underlay_hops) as f64 / sum(&tally.hops) as f64;
//! assert!((links_a_hop - 3.76).abs() < 0.1, "{links_a_hop}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A model for scenario files is one more module in [`models`] (see CONTRIBUTING.md).
//!
//! # Modules
//!
//! | module | subject |
//! |---|---|
//! | [`models`] | the generators, one model a file |
//! | [`files`] | measured topologies, one format a file |
//! | `specification` | the `[underlay]` table |
//! | `graph` | loops, parallel links, components, link latencies; the compact adjacency |
//! | `shortest_paths`, `radix_heap` | shortest paths from one host: breadth first, and Dijkstra |
//! | `custom` | links or latencies given by the caller |
//! | `pairwise` | latencies without a graph: constant, plane, matrix |
//! | `hub_labels` | distances between all hosts of a large graph, without rows |
//! | `rows` | distances from one host |
//! | `rows_or_labels` | which of the two, and what they cost |
//! | `recent_paths` | the paths that were asked for last |
//! | `distances` | distances between the hosts in use: by rows, or by hub labels |
//! | `packed` | numbers in the narrowest type |

pub mod files;
pub mod models;

mod custom;
mod distances;
mod graph;
mod hub_labels;
mod packed;
mod pairwise;
mod radix_heap;
mod recent_paths;
mod rows;
mod rows_or_labels;
mod shortest_paths;
mod specification;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod properties;

pub use distances::{Distances, Slot};
pub use models::Model;
pub use specification::{Facts, General, Specification};

use crate::engine::Duration;
use graph::Adjacency;
use hub_labels::HubLabels;
use pairwise::Pairwise;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// A host of the underlay: a number in `0..Underlay::hosts()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(pub u32);

/// The path of a message from one host to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// Links on the least-latency path, fewer links first; 0 from a host to itself.
    pub hops: u32,
    /// One-way latency.
    pub latency: Duration,
}

impl Path {
    /// The path from a host to itself.
    pub const NONE: Self = Self {
        hops: 0,
        latency: Duration::ZERO,
    };
}

/// Why an underlay cannot be built from a valid specification.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnderlayError {
    /// A latency that does not fit the 32 bits of a link.
    #[error("underlay: a latency of {latency} was drawn; at most 4294 s are possible")]
    LatencyTooLong {
        /// The drawn latency.
        latency: Duration,
    },
    /// Paths whose latency does not fit the 64 bits of a search key.
    #[error("underlay: paths are too long for their latency to be an exact sum")]
    PathTooLong,
}

/// A built underlay: immutable, shared between threads.
#[derive(Debug)]
pub struct Underlay {
    shape: Shape,
    notes: Vec<String>,
    /// Made when they are first needed; `None` inside if they exceed their budget.
    labels: OnceLock<Option<HubLabels>>,
}

/// The source of the latencies of an underlay.
#[derive(Debug)]
enum Shape {
    Graph(Adjacency),
    Pairs(Pairwise),
}

impl Underlay {
    fn of_pairs(pairs: Pairwise, notes: Vec<String>) -> Self {
        Self::of(Shape::Pairs(pairs), notes)
    }

    fn of_graph(graph: Adjacency, notes: Vec<String>) -> Self {
        Self::of(Shape::Graph(graph), notes)
    }

    fn of(shape: Shape, notes: Vec<String>) -> Self {
        Self {
            shape,
            notes,
            labels: OnceLock::new(),
        }
    }

    /// The number of hosts, which can all reach each other.
    pub fn hosts(&self) -> usize {
        match &self.shape {
            Shape::Graph(graph) => graph.hosts(),
            Shape::Pairs(pairs) => pairs.hosts(),
        }
    }

    /// The number of links; `None` where there is no graph.
    pub fn links(&self) -> Option<usize> {
        match &self.shape {
            Shape::Graph(graph) => Some(graph.links()),
            Shape::Pairs(_) => None,
        }
    }

    /// The component of each host if the links in `cut`, each with its smaller host first, did not
    /// exist: hosts have the same number if they reach each other. O(links).
    ///
    /// # Errors
    /// A sentence if there are no links, or one of `cut` is not there.
    pub fn components_without(&self, cut: &BTreeSet<(u32, u32)>) -> Result<Vec<u32>, String> {
        let Shape::Graph(graph) = &self.shape else {
            return Err("this underlay has no links".to_owned());
        };
        let components = graph.components_without(cut);
        components.map_err(|(a, b)| format!("hosts {a} and {b} are not joined by a link"))
    }

    /// Notes for the reader of the results: links and hosts that were left out, gaps that were
    /// filled. One sentence each, in a fixed order.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// A latency in whole microseconds of at least one, as links and pairs store it.
fn micros(latency: Duration) -> Result<std::num::NonZeroU32, UnderlayError> {
    let rounded = latency.as_nanos().saturating_add(500) / 1_000;
    let fits = u32::try_from(rounded.max(1)).ok();
    fits.and_then(std::num::NonZeroU32::new)
        .ok_or(UnderlayError::LatencyTooLong { latency })
}
