//! The generators: one model a file, each with its paper, its keys and its cost.
//!
//! A model that makes a graph draws it from one stream and gives its links in a fixed order;
//! what it draws never changes (golden fingerprints hold it).

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

/// The two streams that a model draws from.
pub(super) struct Streams {
    /// Who is linked to whom, and where hosts are.
    pub(super) graph: Stream,
    /// How long links take.
    pub(super) latency: Stream,
}

/// A model whose hosts are joined by links.
pub(super) trait GraphModel: std::fmt::Debug + Send + Sync {
    /// Whether a graph of `nodes` hosts can be meant; `table` is the model's own.
    fn check(&self, nodes: usize, table: &Table<'_>) -> Result<(), ConfigError>;

    /// How many links are to be expected, for estimates.
    fn expected_links(&self, nodes: usize) -> f64;

    /// Whether the model's own keys, and not `link-latency`, decide the latencies of links.
    fn own_latencies(&self) -> bool {
        false
    }

    /// Draws the graph.
    fn links(&self, nodes: usize, streams: &mut Streams) -> Result<Links, UnderlayError>;
}

/// The key of the number of hosts, which stands in the table above the model's own.
pub(super) const NODES: &str = "underlay.nodes";
