//! What tells one DHT from another: a space, a closeness, and which peers a node keeps.
//!
//! A topology is one file here. It implements [`Topology`], and takes a `mod` line and a line in
//! the list `spaces!` below; gossip, joining, mending, greedy lookups, the converged network and
//! the word in a scenario file follow. Spaces of Voronoi regions need say but what `delaunay` does
//! not know: see `can`.

mod arc;
mod can;
mod clique;
mod delaunay;
mod euclidean;
mod hyperbolic;
mod ring;
mod symphony;
mod xor;

pub use can::{Can, CanZones};
pub use clique::Clique;
pub use delaunay::{Delaunay, Voronoi};
pub use euclidean::{Euclidean, EuclideanRegions};
pub use hyperbolic::{HyperbolicDisc, HyperbolicRegions};
pub use ring::ChordRing;
pub use symphony::Symphony;
pub use xor::XorBuckets;

use super::{Shared, UrdhtParameters};
use crate::engine::Stream;
use crate::overlay::MemberIndex;
use crate::parameter::ConfigError;
use crate::space::{Coordinates, Geometry, Key};
use std::fmt::Debug;

/// A space with a closeness, and the rules by which a node chooses its peers there.
///
/// A rule is asked for places in a list of candidates, which come in the order in which the node
/// got to know them and hold neither a node twice nor the node itself.
pub trait Topology: Sized + Sync {
    /// A place in the space.
    type Point: Clone + PartialEq + Debug;
    /// How far a point is from another: totally ordered.
    type Distance: Copy + Ord + Debug;

    /// Whether the root of a key is the node nearest to it by [`distance`](Self::distance);
    /// otherwise [`root_distance`](Self::root_distance) says who is.
    const ROOT_IS_NEAREST: bool = true;

    /// Whether nodes form a ring in which each has to know the next: the one for which
    /// [`root_distance`](Self::root_distance) from its own place is the least.
    const RING: bool = false;

    /// The topology with the parameters of a scenario.
    fn new(parameters: &UrdhtParameters) -> Self;

    /// Refuses parameters that cannot be meant in this space.
    ///
    /// # Errors
    /// A [`ConfigError`] with the dotted path of the key.
    fn check(_parameters: &UrdhtParameters) -> Result<(), ConfigError> {
        Ok(())
    }

    /// The point that a key, or a node of this ID, stands for.
    fn point(&self, key: &Key) -> Self::Point;

    /// The closeness by which lookups are greedy: how far a node at `from` is from `to`.
    fn distance(&self, from: &Self::Point, to: &Self::Point) -> Self::Distance;

    /// How far a node is from being the root of a key: the root is the one nearest by this.
    fn root_distance(&self, key: &Self::Point, node: &Self::Point) -> Self::Distance {
        self.distance(node, key)
    }

    /// The candidates that become short peers of a node at `me`: those that make the topology.
    ///
    /// The rule must not depend on candidates that it does not choose: without one of them it
    /// would choose the same.
    fn short(&self, me: &Self::Point, candidates: &[Self::Point]) -> Vec<u32>;

    /// The candidates beside the short peers that become long peers: those that make it fast.
    fn long(
        &self,
        me: &Self::Point,
        candidates: &[Self::Point],
        is_short: &[bool],
        random: &mut Stream,
    ) -> Vec<u32>;

    /// The members on which the choice of peers of the member at place `me` depends once it has
    /// heard of everybody; all others unless a topology knows better. For converged networks.
    fn short_candidates(
        &self,
        all_members: &Members<'_, Self::Point>,
        me: usize,
        _random: &mut Stream,
    ) -> Vec<u32> {
        (0..all_members.points.len() as u32)
            .filter(|place| *place as usize != me)
            .collect()
    }

    /// The members among whom that member chooses its long peers: the `short_candidates` unless what a node
    /// hears of in the long run is but a part of it. `second` are the short peers of its short
    /// peers, beside these, each once.
    fn long_candidates(
        &self,
        _members: usize,
        _me: usize,
        short_candidates: &[u32],
        _second: &[u32],
        _random: &mut Stream,
    ) -> Vec<u32> {
        short_candidates.to_vec()
    }

    /// The place of the root of `key` among the members, where the order of IDs tells it without
    /// a look at all; `None` if it does not, or if nobody is there.
    fn root(&self, _census: &MemberIndex, _key: &Key) -> Option<usize> {
        None
    }

    /// The shape of the space, for pictures of it.
    fn geometry(&self) -> Geometry {
        Geometry::Ring
    }

    /// The place of `key` in it.
    fn locate(&self, key: &Key) -> Coordinates {
        Geometry::fraction(key)
    }

    /// What is to be expected of so many nodes, roughly.
    fn expected(&self, nodes: f64) -> Expected;
}

/// All members, in the order of their IDs.
#[derive(Clone, Copy, Debug)]
pub struct Members<'a, P> {
    /// Their IDs.
    pub ids: &'a [Key],
    /// Their points.
    pub points: &'a [P],
}

/// What is to be expected of a topology, roughly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// Hops of a lookup.
    pub hops: f64,
    /// Peers of a node.
    pub peers: f64,
}

/// Something that is done with UrDHT over a space, whichever it is.
pub trait TopologyVisitor {
    /// What comes of it.
    type Output;

    /// Does it over topology `T`.
    fn visit<T: Topology>(self, shared: Shared<T>) -> Self::Output;
}

/// Declares the spaces: the word in a file and the topology.
macro_rules! spaces {
    ($( #[doc = $doc:literal] $variant:ident($topology:ty) = $word:literal, )+) => {
        crate::choices! {
            /// The spaces with their peer strategies.
            pub enum UrdhtSpace {
                $( #[doc = $doc] $variant = $word, )+
            }
        }

        impl UrdhtParameters {
            /// Opens `visit` with what the nodes of UrDHT share in the space that was chosen.
            pub fn accept_topology<V: TopologyVisitor>(&self, visitor: V) -> V::Output {
                match self.space {
                    $( UrdhtSpace::$variant => visitor.visit(Shared::<$topology>::new(self)), )+
                }
            }

            /// Refuses what cannot be meant in the space that was chosen.
            pub(super) fn check_space(&self) -> Result<(), ConfigError> {
                match self.space {
                    $( UrdhtSpace::$variant => <$topology>::check(self), )+
                }
            }
        }
    };
}

spaces! {
    #[doc = "Chord: a ring with fingers."]
    Ring(ChordRing) = "ring",
    #[doc = "Kademlia: the XOR metric with buckets."]
    Xor(XorBuckets) = "xor",
    #[doc = "VHash: a Euclidean torus with DGVH."]
    Euclidean(Euclidean) = "euclidean",
    #[doc = "The hyperbolic plane with DGVH."]
    Hyperbolic(HyperbolicDisc) = "hyperbolic",
    #[doc = "ZHT: everybody knows everybody."]
    Clique(Clique) = "clique",
    #[doc = "Symphony: a ring with harmonic long links."]
    Symphony(Symphony) = "symphony",
    #[doc = "CAN: a torus with neighbours alone."]
    Can(Can) = "can",
}
