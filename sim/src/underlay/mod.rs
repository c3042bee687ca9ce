//! The underlay: hosts, the links between them, and the distance between two hosts.
//!
//! Nothing here knows of DHTs. A scenario's `[underlay]` table is read into a
//! [`Specification`], which [builds](Specification::build) an immutable [`Underlay`] from a
//! seed. [`Distances`] then answers what a message meets on its way between two of the hosts
//! that are used: a [`Path`] with its links and its latency.
//!
//! ```
//! use dhtlab::engine::Seed;
//! use dhtlab::parameter::Table;
//! use dhtlab::underlay::{Distances, Host, Specification};
//! use std::sync::Arc;
//!
//! let file: toml::Table = "[underlay]\nmodel = \"grid\"\nnodes = 9".parse()?;
//! let table = Table::root(&file).sub("underlay")?;
//! let specification = Specification::read(&table, std::path::Path::new("."))?;
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
//! On a graph a message takes the path of least latency, and among those the one with the
//! fewest links. Links have no direction. Link latencies are whole microseconds of at least
//! one, so a path's latency is an exact sum. On `rtt-matrix` files and on the models
//! `euclidean` and `constant` there is no graph: every message is one hop.
//!
//! # Where what lives
//!
//! | module | subject |
//! |---|---|
//! | [`models`] | the generators, one model a file |
//! | [`files`] | measured topologies, one format a file |
//! | `specification` | the `[underlay]` table |
//! | `graph` | loops, parallel links, components, link latencies; the compact adjacency |
//! | `search`, `radix_heap` | shortest paths from one host: breadth first, and Dijkstra |
//! | `pairwise` | latencies without a graph: constant, plane, matrix |
//! | `distances` | rows of distances between the hosts in use |

pub mod files;
pub mod models;

mod distances;
mod graph;
mod pairwise;
mod radix_heap;
mod search;
mod specification;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod laws;

pub use distances::{Distances, Slot};
pub use specification::{General, Model, Specification};

use crate::engine::Span;
use graph::Adjacency;
use pairwise::Pairwise;

/// A host of the underlay: a number in `0..Underlay::hosts()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(pub u32);

/// What a message meets on its way from one host to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// Links on the least-latency path, fewer links first; 0 from a host to itself.
    pub hops: u32,
    /// Time under way, one direction.
    pub latency: Span,
}

impl Path {
    /// From a host to itself.
    pub const NONE: Self = Self {
        hops: 0,
        latency: Span::ZERO,
    };
}

/// Why an underlay could not be built from a specification that reads well.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnderlayError {
    /// A latency that does not fit the 32 bits of a link.
    #[error("underlay: a latency of {latency} was drawn; at most 4294 s are possible")]
    LatencyTooLong {
        /// What was drawn.
        latency: Span,
    },
    /// Paths whose latency does not fit the 64 bits of a search key.
    #[error("underlay: paths are too long for their latency to be an exact sum")]
    PathTooLong,
}

/// An underlay that is built: immutable, to be shared between threads.
#[derive(Debug)]
pub struct Underlay {
    shape: Shape,
    notes: Vec<String>,
}

/// How an underlay knows its latencies.
#[derive(Debug)]
enum Shape {
    Graph(Adjacency),
    Pairs(Pairwise),
}

impl Underlay {
    fn of_pairs(pairs: Pairwise, notes: Vec<String>) -> Self {
        Self {
            shape: Shape::Pairs(pairs),
            notes,
        }
    }

    /// How many hosts there are: all can reach each other.
    pub fn hosts(&self) -> usize {
        match &self.shape {
            Shape::Graph(graph) => graph.hosts(),
            Shape::Pairs(pairs) => pairs.hosts(),
        }
    }

    /// How many links there are; `None` where there is no graph.
    pub fn links(&self) -> Option<usize> {
        match &self.shape {
            Shape::Graph(graph) => Some(graph.links()),
            Shape::Pairs(_) => None,
        }
    }

    /// What a reader of the results should know: links and hosts that were left out, gaps
    /// that were filled. One sentence each, in a fixed order.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// A latency as whole microseconds of at least one, which is what links and pairs keep.
fn micros(latency: Span) -> Result<std::num::NonZeroU32, UnderlayError> {
    let rounded = latency.as_nanos().saturating_add(500) / 1_000;
    let fits = u32::try_from(rounded.max(1)).ok();
    fits.and_then(std::num::NonZeroU32::new)
        .ok_or(UnderlayError::LatencyTooLong { latency })
}
