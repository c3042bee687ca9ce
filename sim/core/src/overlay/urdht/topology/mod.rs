//! The topologies: a space, its closeness, and which peers a node keeps.
//!
//! A topology is one module here. It implements [`Topology`], and needs a `mod` line and a line in
//! the list `spaces!` below; gossip, joining, repair, greedy lookups, the converged network and the
//! word in a scenario file follow. One whose points are keys is a variant of [`OnKeys`]; spaces of
//! Voronoi regions define only what `delaunay` leaves open: see `hyperbolic`.

mod arc;
mod clique;
mod delaunay;
mod euclidean;
mod hyperbolic;
mod on_keys;
mod ring;
mod symphony;
mod xor;

pub use clique::Clique;
pub use delaunay::{Delaunay, Voronoi};
pub use euclidean::{Euclidean, EuclideanRegions};
pub use hyperbolic::{HyperbolicDisc, HyperbolicRegions};
pub use on_keys::OnKeys;
pub use ring::ChordRing;
pub use symphony::Symphony;
pub use xor::XorBuckets;

use super::{Shared, UrdhtParameters};
use crate::engine::Stream;
use crate::overlay::MemberIndex;
use crate::parameter::ConfigError;
use crate::space::{Coordinates, Geometry, Key, TorusGrid};
use std::fmt::Debug;

/// A space with a closeness, and the rules by which a node chooses its peers there.
///
/// A rule returns indices into a list of candidates, which are in the order in which the node
/// learnt of them, without duplicates and without the node itself.
pub trait Topology: Sized + Sync {
    /// A point of the space.
    type Point: Clone + PartialEq + Debug;
    /// The distance of one point from another: totally ordered.
    type Distance: Copy + Ord + Debug;

    /// Whether the root of a key is the node nearest to it by [`distance`](Self::distance);
    /// otherwise it is the nearest by [`root_distance`](Self::root_distance).
    fn root_is_nearest(&self) -> bool {
        true
    }

    /// Whether nodes form a ring in which each has to know the next: the node with the least
    /// [`root_distance`](Self::root_distance) from its own point.
    fn is_ring(&self) -> bool {
        false
    }

    /// The topology with the parameters of a scenario, in the space that they name.
    fn new(parameters: &UrdhtParameters) -> Self;

    /// Refuses parameters that are not valid in this space.
    ///
    /// # Errors
    /// A [`ConfigError`] with the dotted path of the key.
    fn check(_parameters: &UrdhtParameters) -> Result<(), ConfigError> {
        Ok(())
    }

    /// The point of a key, or of a node with this ID.
    fn point(&self, key: &Key) -> Self::Point;

    /// The closeness of greedy lookups: the distance of a node at `from` from `to`.
    fn distance(&self, from: &Self::Point, to: &Self::Point) -> Self::Distance;

    /// The distance that defines the root: the root of a key is the nearest node by it.
    fn root_distance(&self, key: &Self::Point, node: &Self::Point) -> Self::Distance {
        self.distance(node, key)
    }

    /// The candidates that become short peers of a node at `me`: those that form the topology.
    ///
    /// The rule must not depend on rejected candidates: without one of them the result must be the
    /// same.
    fn short(&self, me: &Self::Point, candidates: &[Self::Point]) -> Vec<u32>;

    /// The other candidates that become long peers: those that shorten lookups.
    fn long(
        &self,
        me: &Self::Point,
        candidates: &[Self::Point],
        is_short: &[bool],
        random: &mut Stream,
    ) -> Vec<u32>;

    /// The members that determine the short peers of the member at index `me` once it has learnt of
    /// all members; by default all others. For converged networks.
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

    /// The members from which that member chooses its long peers; by default the
    /// `short_candidates`, but a topology may restrict them to the nodes that a node learns of in
    /// the long run. `second` are the short peers of its short peers that are not its own, each
    /// once.
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

    /// The index of the root of `key` among the members, if the order of IDs determines it without
    /// a search; `None` if not, or without members.
    fn root(&self, _members: &MemberIndex, _key: &Key) -> Option<usize> {
        None
    }

    /// An empty grid for searches of the nearest members by
    /// [`root_distance`](Self::root_distance); `None` if there is none for this space.
    fn grid(&self) -> Option<TorusGrid> {
        None
    }

    /// The coordinates of `point` in such a grid; empty without one.
    fn in_grid(_point: &Self::Point) -> &[f64] {
        &[]
    }

    /// The shape of the space, for drawing.
    fn geometry(&self) -> Geometry {
        Geometry::Ring
    }

    /// The coordinates of `key`.
    fn locate(&self, key: &Key) -> Coordinates {
        Geometry::fraction(key)
    }

    /// Expected numbers for `nodes` nodes, roughly.
    fn expected(&self, nodes: f64) -> Expected;
}

/// All members, in the order of their IDs.
#[derive(Clone, Copy, Debug)]
pub struct Members<'a, P> {
    /// Their IDs.
    pub ids: &'a [Key],
    /// Their points.
    pub points: &'a [P],
    /// Their indices in the grid of the space, if it has one.
    pub grid: Option<&'a TorusGrid>,
}

/// Expected numbers for a topology, roughly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// Hops per lookup.
    pub hops: f64,
    /// Peers per node.
    pub peers: f64,
}

/// An operation on UrDHT over any space.
pub trait TopologyVisitor {
    /// The result.
    type Output;

    /// Runs the operation over topology `T`.
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
            /// Calls `visitor` with the state shared by the nodes of UrDHT in the chosen space.
            pub fn accept_topology<V: TopologyVisitor>(&self, visitor: V) -> V::Output {
                match self.space {
                    $( UrdhtSpace::$variant => visitor.visit(Shared::<$topology>::new(self)), )+
                }
            }

            /// Refuses parameters that are not valid in the chosen space.
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
    Ring(OnKeys) = "ring",
    #[doc = "Kademlia: the XOR metric with buckets."]
    Xor(OnKeys) = "xor",
    #[doc = "VHash: a Euclidean torus with DGVH."]
    Euclidean(Euclidean) = "euclidean",
    #[doc = "The hyperbolic plane with DGVH."]
    Hyperbolic(HyperbolicDisc) = "hyperbolic",
    #[doc = "ZHT: each node knows all others."]
    Clique(OnKeys) = "clique",
    #[doc = "Symphony: a ring with harmonic long links."]
    Symphony(OnKeys) = "symphony",
    #[doc = "CAN: a torus with neighbours alone."]
    Can(Euclidean) = "can",
}
