//! The `[underlay]` table of a scenario.

use super::files::FileContent;
use super::graph::{Adjacency, distinct_links};
use super::models::{Chosen, Model, Streams, Values};
use super::pairwise::Pairwise;
use super::rows_or_labels;
use super::{Underlay, UnderlayError, shortest_paths};
use crate::engine::{Duration, DurationDistribution, Seed};
use crate::parameter::{ConfigError, Parameters, Section, Table};
use crate::parameters;
use std::path::Path;

parameters! {
    /// The underlay: hosts, their links, and how long a message takes from one to another.
    pub struct General {
        /// The model; its own keys are in a table of its name.
        pub model: Model = Model::BarabasiAlbert;
        /// Number of hosts. A file has its own number.
        pub nodes: usize = 10_000, within 1..=100_000_000;
        /// Latency of each link, drawn once per link, in whole microseconds of at least one. The
        /// models transit-stub, euclidean and constant and RTT matrices have latencies of their
        /// own.
        pub link_latency: DurationDistribution = DurationDistribution::Constant(Duration::from_millis(1));
    }
}

/// Facts about a file that holds an underlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The file, as the scenario names it.
    pub file: String,
    /// Its format, hosts, links, components, used hosts, smallest and largest latency, and number
    /// of links without latency.
    pub line: String,
    /// Notes for the reader of results; see [`Underlay::notes`].
    pub notes: Vec<String>,
}

/// The `[underlay]` table, read and checked.
#[derive(Clone, Debug)]
pub struct Specification {
    general: General,
    chosen: Chosen,
    /// The resolved keys of the chosen model.
    own: Values,
}

impl Specification {
    /// The tables of the underlay with all their keys.
    pub fn sections() -> Vec<Section> {
        let mut sections = vec![Section::of::<General>("underlay")];
        sections.extend(Model::ALL.iter().map(|model| model.section()));
        sections
    }

    /// Reads `table`, the `[underlay]` of a scenario, and the table of the chosen model in it.
    ///
    /// `base` is the folder where relative paths start. A file is read and parsed here, so that a
    /// check finds every fault.
    ///
    /// # Errors
    /// The first key that is wrong, by itself or together with others; for a file,
    /// `underlay.file.path` and a message with the file and the line.
    pub fn read(table: &Table<'_>, base: &Path) -> Result<Self, ConfigError> {
        let general = General::read(table)?;
        let nodes = general.nodes;
        let own = table.sub(general.model.as_str())?;
        let (chosen, own) = general.model.read(&own, nodes, base)?;
        Ok(Self {
            general,
            chosen,
            own,
        })
    }

    /// The resolved table: every key that has an effect, with its value, defaults included.
    ///
    /// A model with latencies of its own leaves out `link-latency`, a file leaves out `nodes`: keys
    /// without effect do not change the identity of a run. `content` is the SHA-1 of the file's
    /// content.
    pub fn write(&self) -> crate::parameter::Map {
        let mut table: crate::parameter::Map = self.general.write().into_iter().collect();
        if let Chosen::File(..) = self.chosen {
            table.shift_remove("nodes");
        }
        let own_latencies = match &self.chosen {
            Chosen::Graph(model) => model.own_latencies(),
            Chosen::Euclidean(_) | Chosen::Constant(_) => true,
            Chosen::File(loaded, _) => matches!(loaded.measured, FileContent::Matrix(_)),
        };
        if own_latencies {
            table.shift_remove("link-latency");
        }
        let name = self.general.model.as_str().to_owned();
        table.insert(
            name,
            crate::parameter::Value::Table(self.own.clone().into_iter().collect()),
        );
        table
    }

    /// The chosen model.
    pub fn model(&self) -> Model {
        self.general.model
    }

    /// The greatest number of hosts: those outside the largest component are not used.
    pub fn hosts(&self) -> usize {
        match &self.chosen {
            Chosen::File(loaded, _) => loaded.measured.hosts(),
            _ => self.general.nodes,
        }
    }

    /// Facts about the file, if the underlay comes from one.
    pub fn facts(&self) -> Option<Facts> {
        match &self.chosen {
            Chosen::File(loaded, name) => Some(Facts {
                file: name.clone(),
                line: loaded.facts.clone(),
                notes: loaded.notes.clone(),
            }),
            _ => None,
        }
    }

    /// An upper estimate, in bytes, of the memory of the underlay and of the distances of `sites`
    /// sites: the graph while it is built, and a row for every site or the labels of all hosts.
    pub fn memory(&self, sites: usize) -> u64 {
        let hosts = self.hosts() as u64;
        let links = match &self.chosen {
            Chosen::Constant(_) => return 4 * sites as u64,
            Chosen::Euclidean(_) => return 20 * hosts + 4 * sites as u64,
            Chosen::File(loaded, _) => match &loaded.measured {
                FileContent::Matrix(_) => return 4 * hosts * hosts.saturating_sub(1),
                FileContent::Graph(_, links) => links.len() as u64,
            },
            Chosen::Graph(model) => model.expected_links(self.general.nodes) as u64,
        };
        // petgraph's nodes and edges, the links while they are normalised and their order; then the
        // adjacency, and the scratch space of a search.
        let building = 24 * hosts + 60 * links;
        let (equal_links, hubs) = (self.has_equal_links(), self.expected_hubs());
        let distances = rows_or_labels::bytes(self.hosts(), sites, equal_links, hubs);
        building
            .saturating_add(16 * hosts + 16 * links)
            .saturating_add(distances)
    }

    /// An upper estimate of the mean number of hubs in the label of a host; infinite if unknown.
    pub(super) fn expected_hubs(&self) -> f64 {
        match &self.chosen {
            Chosen::Graph(model) => model.expected_hubs(self.general.nodes),
            _ => f64::INFINITY,
        }
    }

    /// The latency between two hosts, where it is the same for all.
    pub fn equal_latency(&self) -> Option<Duration> {
        match &self.chosen {
            Chosen::Constant(own) => Some(own.latency),
            _ => None,
        }
    }

    /// Cost of building it, in units of one event; distances are computed later.
    pub fn building(&self) -> f64 {
        match &self.chosen {
            Chosen::Graph(model) => model.expected_links(self.general.nodes),
            Chosen::File(loaded, _) => match &loaded.measured {
                FileContent::Graph(_, links) => links.len() as f64,
                FileContent::Matrix(_) => 0.0,
            },
            Chosen::Euclidean(_) => self.general.nodes as f64 / 10.0,
            Chosen::Constant(_) => 0.0,
        }
    }

    /// Builds the underlay.
    ///
    /// The graph is drawn from the stream "underlay", latencies from "link-latency", so that the
    /// same graph can have other latencies. O(n + m log m), and one shortest-path search where
    /// links differ in latency.
    ///
    /// # Errors
    /// If a drawn latency is too long to be stored.
    pub fn build(&self, seed: Seed) -> Result<Underlay, UnderlayError> {
        let mut streams = Streams {
            graph: seed.stream("underlay", 0),
            latency: seed.stream("link-latency", 0),
        };
        let nodes = self.general.nodes;
        let mut notes = Vec::new();
        let (hosts, links) = match &self.chosen {
            Chosen::Euclidean(own) => {
                return Ok(Underlay::of_pairs(own.pairs(nodes, &mut streams)?, notes));
            }
            Chosen::Constant(own) => return Ok(Underlay::of_pairs(own.pairs(nodes), notes)),
            Chosen::File(loaded, _) => {
                notes.clone_from(&loaded.notes);
                match &loaded.measured {
                    FileContent::Matrix(matrix) => {
                        return Ok(Underlay::of_pairs(Pairwise::Matrix(matrix.clone()), notes));
                    }
                    FileContent::Graph(hosts, links) => (*hosts, links.clone()),
                }
            }
            Chosen::Graph(model) => {
                let links = model.links(nodes, &mut streams)?;
                // Parallel links that a model draws are part of its method, so they need no note.
                (links.node_count(), distinct_links(&links, &mut Vec::new()))
            }
        };
        let latency = &self.general.link_latency;
        let stream = &mut streams.latency;
        let graph = Adjacency::new(hosts, links, latency, stream, &mut notes)?;
        shortest_paths::check_range(&graph)?;
        Ok(Underlay::of_graph(graph, notes))
    }

    /// Builds the costs between the hosts, as latencies of one millisecond each; `None` without costs.
    /// The hosts are those of [`build`](Self::build).
    ///
    /// # Errors
    /// If the costs of a path are no exact sum.
    pub fn build_costs(&self, seed: Seed) -> Result<Option<Underlay>, UnderlayError> {
        let Chosen::File(loaded, _) = &self.chosen else {
            return Ok(None);
        };
        let Some(FileContent::Graph(hosts, links)) = &loaded.costs else {
            return Ok(None);
        };
        // No link draws its cost.
        let stream = &mut seed.stream("link-cost", 0);
        let notes = &mut Vec::new();
        let latency = &self.general.link_latency;
        let graph = Adjacency::new(*hosts, links.clone(), latency, stream, notes)?;
        shortest_paths::check_range(&graph)?;
        Ok(Some(Underlay::of_graph(graph, Vec::new())))
    }

    /// Whether links have costs.
    pub fn has_costs(&self) -> bool {
        matches!(&self.chosen, Chosen::File(loaded, _) if loaded.costs.is_some())
    }

    /// Whether certainly no pair of hosts is joined by links.
    pub fn has_no_links(&self) -> bool {
        match &self.chosen {
            Chosen::Graph(_) => false,
            Chosen::Euclidean(_) | Chosen::Constant(_) => true,
            Chosen::File(loaded, _) => matches!(loaded.measured, FileContent::Matrix(_)),
        }
    }

    /// Whether all links certainly have one latency.
    fn has_equal_links(&self) -> bool {
        let own = match &self.chosen {
            Chosen::Graph(model) => model.own_latencies(),
            Chosen::File(loaded, _) => match &loaded.measured {
                FileContent::Graph(_, links) => links.iter().any(|link| link.latency.is_some()),
                FileContent::Matrix(_) => false,
            },
            Chosen::Euclidean(_) | Chosen::Constant(_) => false,
        };
        !own && self.general.link_latency.constant().is_some()
    }
}
