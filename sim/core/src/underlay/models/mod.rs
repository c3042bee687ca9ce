//! The generators: one model per module, each with its paper, its keys and its cost.
//!
//! A model of a graph draws it from one stream and returns its links in a fixed order; its draws
//! never change (golden fingerprints check them).

mod barabasi_albert;
mod constant;
mod erdos_renyi;
mod euclidean;
mod grid;
mod scale_free_directed;
mod transit_stub;
mod watts_strogatz;
mod waxman;

pub use barabasi_albert::BarabasiAlbert;
pub use constant::Constant;
pub use erdos_renyi::ErdosRenyi;
pub use euclidean::Euclidean;
pub use grid::Grid;
pub use scale_free_directed::ScaleFreeDirected;
pub use transit_stub::TransitStub;
pub use watts_strogatz::WattsStrogatz;
pub use waxman::Waxman;

use super::UnderlayError;
use super::graph::Links;
use crate::engine::Stream;
use crate::parameter::{ConfigError, Table};

/// The two streams of a model.
pub(super) struct Streams {
    /// For the links and for the positions of hosts.
    pub(super) graph: Stream,
    /// For the latencies.
    pub(super) latency: Stream,
}

/// A model whose hosts are joined by links.
pub(super) trait GraphModel: std::fmt::Debug + Send + Sync {
    /// Checks whether a graph of `nodes` hosts is possible; `table` is the model's own.
    fn check(&self, nodes: usize, table: &Table<'_>) -> Result<(), ConfigError>;

    /// The expected number of links, for estimates.
    fn expected_links(&self, nodes: usize) -> f64;

    /// Whether the model's own keys, and not `link-latency`, decide the latencies of links.
    fn own_latencies(&self) -> bool {
        false
    }

    /// Draws the graph.
    fn links(&self, nodes: usize, streams: &mut Streams) -> Result<Links, UnderlayError>;
}

/// The key of the number of hosts, which is in the table above the model's own.
pub(super) const NODES: &str = "underlay.nodes";
