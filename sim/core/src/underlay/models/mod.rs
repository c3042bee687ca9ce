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

use super::UnderlayError;
use super::files::{File, Loaded};
use super::graph::Links;
use crate::choices;
use crate::engine::Stream;
use crate::parameter::{ConfigError, Parameters, Section, Table, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Declares the models: those that draw links, and the others, each with the word in a scenario,
/// which is also the name of the table of its keys.
macro_rules! models {
    (
        graphs { $( #[doc = $doc:literal] $module:ident::$graph:ident = $word:literal, )+ }
        others { $( #[doc = $other_doc:literal] $other:ident = $other_word:literal, )+ }
    ) => {
        $( pub use $module::$graph; )+

        choices! {
            /// The model of the underlay.
            pub enum Model {
                $( #[doc = $doc] $graph = $word, )+
                $( #[doc = $other_doc] $other = $other_word, )+
            }
        }

        impl Model {
            /// The table of its keys.
            pub(super) fn section(self) -> Section {
                match self {
                    $( Self::$graph => Section::of::<$graph>(concat!("underlay.", $word)), )+
                    $( Self::$other => Section::of::<$other>(concat!("underlay.", $other_word)), )+
                }
            }

            /// Reads and checks its keys in `table` for a network of `nodes` hosts; relative paths
            /// start in `base`.
            pub(super) fn read(
                self,
                table: &Table<'_>,
                nodes: usize,
                base: &Path,
            ) -> Result<(Chosen, Values), ConfigError> {
                match self {
                    $( Self::$graph => graph::<$graph>(table, nodes), )+
                    $( Self::$other => $other::read(table)?.chosen(table, base), )+
                }
            }
        }
    };
}

models! {
    graphs {
        #[doc = "Growth by preferential attachment."]
        barabasi_albert::BarabasiAlbert = "barabasi-albert",
        #[doc = "Directed scale-free growth, directions dropped."]
        scale_free_directed::ScaleFreeDirected = "scale-free-directed",
        #[doc = "Each pair with the same probability."]
        erdos_renyi::ErdosRenyi = "erdos-renyi",
        #[doc = "A ring with shortcuts."]
        watts_strogatz::WattsStrogatz = "watts-strogatz",
        #[doc = "The probability of a link decreases with distance."]
        waxman::Waxman = "waxman",
        #[doc = "A rectangle or a torus."]
        grid::Grid = "grid",
        #[doc = "Stub domains on transit domains."]
        transit_stub::TransitStub = "transit-stub",
    }
    others {
        #[doc = "Hosts in a square, without links."]
        Euclidean = "euclidean",
        #[doc = "The same latency between all hosts."]
        Constant = "constant",
        #[doc = "From a file."]
        File = "file",
    }
}

pub use constant::Constant;
pub use euclidean::Euclidean;

/// The resolved keys of a model.
pub(super) type Values = BTreeMap<String, Value>;

/// The greatest number of links: twice as many positions fit 32 bits.
const MOST_LINKS: f64 = 2e9;

/// The model that was chosen.
#[derive(Clone, Debug)]
pub(super) enum Chosen {
    /// A model that draws links.
    Graph(Arc<dyn GraphModel>),
    Euclidean(Euclidean),
    Constant(Constant),
    /// The content is shared: a sweep copies specifications.
    File(Arc<Loaded>, String),
}

/// The keys of a model that draws no links.
trait OtherModel: Parameters {
    /// The model and its resolved keys.
    fn chosen(self, table: &Table<'_>, base: &Path) -> Result<(Chosen, Values), ConfigError>;
}

impl OtherModel for Euclidean {
    fn chosen(self, _: &Table<'_>, _: &Path) -> Result<(Chosen, Values), ConfigError> {
        let values = self.write();
        Ok((Chosen::Euclidean(self), values))
    }
}

impl OtherModel for Constant {
    fn chosen(self, _: &Table<'_>, _: &Path) -> Result<(Chosen, Values), ConfigError> {
        let values = self.write();
        Ok((Chosen::Constant(self), values))
    }
}

impl OtherModel for File {
    fn chosen(mut self, table: &Table<'_>, base: &Path) -> Result<(Chosen, Values), ConfigError> {
        let loaded = self.load(table, base)?;
        let values = self.resolved();
        Ok((Chosen::File(loaded, self.path.unwrap_or_default()), values))
    }
}

/// Reads and checks a model that draws links.
fn graph<M>(table: &Table<'_>, nodes: usize) -> Result<(Chosen, Values), ConfigError>
where
    M: GraphModel + Parameters + 'static,
{
    let model = M::read(table)?;
    model.check(nodes, table)?;
    let links = model.expected_links(nodes);
    if links > MOST_LINKS {
        let message = format!("{nodes} hosts have about {links:.1e} links, more than 2e9");
        return Err(ConfigError::new(NODES, message));
    }
    let values = model.write();
    Ok((Chosen::Graph(Arc::new(model)), values))
}

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

    /// An upper estimate of the mean number of hubs in a label (see `hub_labels`); infinite where
    /// labels may be given up. On random graphs without hubs or hierarchy they may: 290 and 850 were
    /// measured on 10,000 and 30,000 hosts of the Erdős-Rényi model, of mean degree 4.
    fn expected_hubs(&self, _: usize) -> f64 {
        f64::INFINITY
    }

    /// Whether the model's own keys, and not `link-latency`, decide the latencies of links.
    fn own_latencies(&self) -> bool {
        false
    }

    /// Draws the graph.
    fn links(&self, nodes: usize, streams: &mut Streams) -> Result<Links, UnderlayError>;
}

/// The key of the number of hosts, which is in the table above the model's own.
pub(super) const NODES: &str = "underlay.nodes";
