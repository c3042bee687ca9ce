//! The spaces that IDs live in: distance, midpoint, closeness, and DGVH over any of them.
//!
//! A DHT is a space, a closeness and a way to keep peers (the UrDHT model, Rosen, Benshoof,
//! Harrison and Bourgeois 2016). Nothing here knows nodes or messages. A [`Key`] is 160 bits
//! whatever the space; each space maps it to a point of its own.

mod dgvh;
mod fixed_torus;
mod geometry;
mod hyperbolic;
pub(crate) mod key;
mod key_order;
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
pub use plane::Plane;
pub use ring::Ring;
pub use torus::{Torus, TorusPoint};
pub use torus_grid::TorusGrid;
pub use xor::Xor;

use std::fmt::Debug;

/// A space with a closeness.
pub trait Space {
    /// A place in the space.
    type Point: Clone + PartialEq + Debug;
    /// How far a point is from another: totally ordered, zero from a point to itself alone.
    type Distance: Copy + Ord + Debug;

    /// The point that a key stands for. Uniform keys give uniform points; what uniform means
    /// where the space is infinite ([`Hyperbolic`]), the space says.
    fn point(&self, key: &Key) -> Self::Point;

    /// The distance from one point to another; not symmetric in every space.
    fn distance(&self, from: &Self::Point, to: &Self::Point) -> Self::Distance;

    /// The point half-way on the shortest path from one point to another; where a space has
    /// none ([`Xor`]), a point between the two that the space names.
    fn midpoint(&self, from: &Self::Point, to: &Self::Point) -> Self::Point;
}
