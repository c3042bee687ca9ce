//! The ID spaces: distance, midpoint, closeness, and DGVH over any of them.
//!
//! A DHT is a space, a closeness and a strategy to choose peers (the UrDHT model, Rosen, Benshoof,
//! Harrison and Bourgeois 2016). This module does not depend on nodes or messages. A [`Key`] has
//! 160 bits in every space; each space maps it to a point of its own.

mod dgvh;
mod fixed_torus;
mod geometry;
mod hyperbolic;
pub(crate) mod key;
mod key_order;
mod key_trie;
mod plane;
mod ring;
mod torus;
mod torus_grid;
mod xor;

pub use dgvh::{Dgvh, Rule};
pub use fixed_torus::FixedTorus;
pub use geometry::{Coordinates, Geometry};
pub use hyperbolic::{DiscPoint, Hyperbolic};
pub use key::Key;
pub use key_order::sort_by_key;
pub use key_trie::KeyTrie;
pub use plane::Plane;
pub use ring::Ring;
pub use torus::{Torus, TorusPoint};
pub use torus_grid::TorusGrid;
pub use xor::Xor;

use std::fmt::Debug;

/// A space with a closeness.
pub trait Space {
    /// A point of the space.
    type Point: Clone + PartialEq + Debug;
    /// The distance of one point from another: totally ordered, zero only from a point to itself.
    type Distance: Copy + Ord + Debug;

    /// The point of a key. Uniform keys give uniform points; an infinite space ([`Hyperbolic`])
    /// defines what uniform means.
    fn point(&self, key: &Key) -> Self::Point;

    /// The distance from one point to another; not symmetric in every space.
    fn distance(&self, from: &Self::Point, to: &Self::Point) -> Self::Distance;

    /// The midpoint of the shortest path from one point to another; where a space has none
    /// ([`Xor`]), a point between the two that the space defines.
    fn midpoint(&self, from: &Self::Point, to: &Self::Point) -> Self::Point;

    /// An empty grid for searches of the nearest points by [`distance`](Self::distance); `None` if
    /// there is none for this space.
    fn grid(&self) -> Option<TorusGrid> {
        None
    }

    /// The coordinates of `point` in such a grid; empty without one.
    fn in_grid(_point: &Self::Point) -> &[f64] {
        &[]
    }
}
