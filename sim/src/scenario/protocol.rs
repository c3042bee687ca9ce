//! The protocols that a scenario may name.

use crate::engine::Duration;
use crate::overlay::chord::ChordParameters;
use crate::overlay::kademlia::KademliaParameters;
use crate::overlay::urdht::UrdhtParameters;
use crate::overlay::vhash::VHashParameters;
use crate::overlay::{Configuration, CostEstimate, Deployment, ProtocolVisitor};
use crate::parameter::{ConfigError, Parameters, Section, Table};

/// Declares the protocols: the word in a file, which is also the name of the table of its
/// parameters, and the parameters' type.
macro_rules! protocols {
    ($( #[doc = $doc:literal] $variant:ident($parameters:ty) = $word:literal, )+) => {
        crate::choices! {
            /// The protocols.
            pub enum Protocol {
                $( #[doc = $doc] $variant = $word, )+
            }
        }

        /// The parameters of the protocol that was chosen.
        #[derive(Clone, Debug, PartialEq)]
        pub enum ProtocolParameters {
            $( #[doc = $doc] $variant($parameters), )+
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
                    $( Protocol::$variant => Self::$variant(Parameters::read(&table)?), )+
                })
            }

            /// Every key with its value.
            pub fn write(&self) -> toml::Table {
                match self { $( Self::$variant(parameters) => parameters.write() ),+ }
                    .into_iter()
                    .collect()
            }

            /// Refuses what cannot be meant.
            ///
            /// # Errors
            /// The first key that cannot be meant under the circumstances.
            pub fn check(&self, deployment: &Deployment) -> Result<(), ConfigError> {
                match self { $( Self::$variant(parameters) => parameters.check(deployment) ),+ }
            }

            /// What the protocol takes, roughly.
            pub fn cost_estimate(&self, nodes: usize) -> CostEstimate {
                match self { $( Self::$variant(parameters) => parameters.cost_estimate(nodes) ),+ }
            }

            /// Maintenance messages that a node sends each second, by the key that sets how often.
            pub fn maintenance_rates(&self, nodes: usize) -> Vec<(&'static str, f64)> {
                match self { $( Self::$variant(parameters) => parameters.maintenance_rates(nodes) ),+ }
            }

            /// Whether IDs stand on a ring.
            pub fn is_ring(&self) -> bool {
                match self { $( Self::$variant(parameters) => parameters.is_ring() ),+ }
            }

            /// How long a node waits for an answer.
            pub fn timeout(&self) -> Duration {
                match self { $( Self::$variant(parameters) => parameters.timeout() ),+ }
            }

            /// How many others a node knows at most that could be the root of its keys one after the
            /// other, and the key that says so, where there is one.
            pub fn max_replicas(&self) -> Option<(usize, &'static str)> {
                match self { $( Self::$variant(parameters) => parameters.max_replicas() ),+ }
            }

            /// The time in which a place in the ring takes in one newcomer, where newcomers have to wait
            /// for their turn.
            pub fn join_interval(&self) -> Option<Duration> {
                match self { $( Self::$variant(parameters) => parameters.join_interval() ),+ }
            }

            /// Opens `visitor` with the protocol's type.
            pub fn accept<L: ProtocolVisitor>(&self, visitor: L) -> L::Output {
                match self { $( Self::$variant(parameters) => parameters.accept(visitor) ),+ }
            }
        }
    };
}

protocols! {
    #[doc = "Chord."]
    Chord(ChordParameters) = "chord",
    #[doc = "Kademlia."]
    Kademlia(KademliaParameters) = "kademlia",
    #[doc = "UrDHT over any space."]
    Urdht(UrdhtParameters) = "urdht",
    #[doc = "VHash."]
    VHash(VHashParameters) = "vhash",
}
