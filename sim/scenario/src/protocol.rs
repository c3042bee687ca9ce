//! The protocols of a scenario.

use dhtlab_core::engine::Duration;
use dhtlab_core::overlay::chord::ChordParameters;
use dhtlab_core::overlay::kademlia::KademliaParameters;
use dhtlab_core::overlay::pastry::PastryParameters;
use dhtlab_core::overlay::urdht::UrdhtParameters;
use dhtlab_core::overlay::vhash::VHashParameters;
use dhtlab_core::overlay::{Configuration, CostEstimate, Deployment, Metric, ProtocolVisitor};
use dhtlab_core::parameter::{ConfigError, Section, Table};
use std::sync::Arc;

/// Declares the protocols: the word in a file, which is also the name of the table of parameters,
/// and the type of the parameters.
macro_rules! protocols {
    ($( #[doc = $doc:literal] $variant:ident($parameters:ty) = $word:literal, )+) => {
        dhtlab_core::choices! {
            /// The protocols.
            pub enum Protocol {
                $( #[doc = $doc] $variant = $word, )+
            }
        }

        /// The parameters of the chosen protocol.
        #[derive(Clone, Debug)]
        pub enum ProtocolParameters {
            $( #[doc = $doc] $variant($parameters), )+
            /// A protocol of one's own: its word in a file, and its parameters.
            Own(&'static str, Arc<dyn super::own_protocol::OwnProtocol>),
        }

        impl ProtocolParameters {
            /// The tables of all protocols.
            pub fn sections() -> Vec<Section> {
                vec![$( Section::of::<$parameters>(concat!("overlay.", $word)) ),+]
            }

            /// Reads the parameters of `protocol` from its table in `overlay`.
            ///
            /// # Errors
            /// The first key that is wrong.
            pub fn read(protocol: Protocol, overlay: &Table<'_>) -> Result<Self, ConfigError> {
                let table = overlay.sub(protocol.as_str())?;
                Ok(match protocol {
                    $( Protocol::$variant => Self::$variant(Configuration::read_from(&table)?), )+
                })
            }

            /// The word in a file.
            pub fn name(&self) -> &'static str {
                match self {
                    $( Self::$variant(_) => Protocol::$variant.as_str(), )+
                    Self::Own(name, _) => name,
                }
            }

            /// Every key with its value.
            pub fn write(&self) -> dhtlab_core::parameter::Map {
                match self {
                    $( Self::$variant(parameters) => parameters.resolved().into_iter().collect(), )+
                    Self::Own(_, parameters) => parameters.values(),
                }
            }

            /// Validates the parameters for a deployment.
            ///
            /// # Errors
            /// The first key that is invalid in this deployment.
            pub fn check(&self, deployment: &Deployment) -> Result<(), ConfigError> {
                match self {
                    $( Self::$variant(parameters) => parameters.check(deployment), )+
                    Self::Own(_, parameters) => parameters.check(deployment),
                }
            }

            /// Rough cost estimate of the protocol.
            pub fn cost_estimate(&self, nodes: usize) -> CostEstimate {
                match self {
                    $( Self::$variant(parameters) => parameters.cost_estimate(nodes), )+
                    Self::Own(_, parameters) => parameters.cost_estimate(nodes),
                }
            }

            /// Maintenance messages per node and second, each with the key that sets its rate.
            pub fn maintenance_rates(&self, nodes: usize) -> Vec<(&'static str, f64)> {
                match self {
                    $( Self::$variant(parameters) => parameters.maintenance_rates(nodes), )+
                    Self::Own(_, parameters) => parameters.maintenance_rates(nodes),
                }
            }

            /// Whether IDs form a ring.
            pub fn is_ring(&self) -> bool {
                match self {
                    $( Self::$variant(parameters) => parameters.is_ring(), )+
                    Self::Own(_, parameters) => parameters.is_ring(),
                }
            }

            /// What an exchange of messages measures.
            pub fn metric(&self) -> Metric {
                match self {
                    $( Self::$variant(parameters) => parameters.metric(), )+
                    Self::Own(_, parameters) => parameters.metric(),
                }
            }

            /// Maximum number of other nodes that a node knows as replicas of its keys, and the key
            /// that sets it, if there is one.
            pub fn max_replicas(&self) -> Option<(usize, &'static str)> {
                match self {
                    $( Self::$variant(parameters) => parameters.max_replicas(), )+
                    Self::Own(_, parameters) => parameters.max_replicas(),
                }
            }

            /// The time in which a position in the ring admits one new node, where joins have to
            /// wait.
            pub fn join_interval(&self) -> Option<Duration> {
                match self {
                    $( Self::$variant(parameters) => parameters.join_interval(), )+
                    Self::Own(_, parameters) => parameters.join_interval(),
                }
            }

            /// Calls `visitor` with the type of the protocol.
            ///
            /// # Panics
            /// With a protocol of one's own: only its experiment knows the type.
            pub fn accept<L: ProtocolVisitor>(&self, visitor: L) -> L::Output {
                match self {
                    $( Self::$variant(parameters) => parameters.accept(visitor), )+
                    Self::Own(name, _) => unreachable!("the experiment knows the type of `{name}`"),
                }
            }
        }
    };
}

protocols! {
    #[doc = "Chord."]
    Chord(ChordParameters) = "chord",
    #[doc = "Kademlia."]
    Kademlia(KademliaParameters) = "kademlia",
    #[doc = "Pastry."]
    Pastry(PastryParameters) = "pastry",
    #[doc = "UrDHT over any space."]
    Urdht(UrdhtParameters) = "urdht",
    #[doc = "VHash."]
    VHash(VHashParameters) = "vhash",
}
