//! Where nodes and keys are in pictures.

use super::Overlay;
use crate::space::{Coordinates, Geometry, Key};

/// Where the nodes of protocol `P` and keys are in pictures; no run depends on it.
pub trait Layout<P: Overlay> {
    /// The shape of the space of nodes and keys.
    fn geometry(shared: &P::Shared) -> Geometry;

    /// The coordinates of `key` in that space; by default its fraction of all keys.
    fn locate(_shared: &P::Shared, key: &Key) -> Coordinates {
        Geometry::fraction(key)
    }

    /// The coordinates of a node with `state` and `id`: those of its ID, unless nodes move.
    fn place(_state: &P, shared: &P::Shared, id: &Key) -> Coordinates {
        Self::locate(shared, id)
    }
}

/// On a ring, where a key belongs to the first node at or after it.
#[derive(Clone, Copy, Debug)]
pub struct OnRing;

impl<P: Overlay> Layout<P> for OnRing {
    fn geometry(_: &P::Shared) -> Geometry {
        Geometry::Ring
    }
}

/// On a ring, where a key belongs to the nearest node in either direction.
#[derive(Clone, Copy, Debug)]
pub struct OnTwoWayRing;

impl<P: Overlay> Layout<P> for OnTwoWayRing {
    fn geometry(_: &P::Shared) -> Geometry {
        Geometry::TwoWayRing
    }
}

/// On a line of numbers with the XOR metric.
#[derive(Clone, Copy, Debug)]
pub struct OnXorLine;

impl<P: Overlay> Layout<P> for OnXorLine {
    fn geometry(_: &P::Shared) -> Geometry {
        Geometry::Xor
    }
}
