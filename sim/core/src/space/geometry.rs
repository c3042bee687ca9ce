//! The shape of a space, for drawing nodes and keys.

use super::Key;
use smallvec::{SmallVec, smallvec};

/// The coordinates of a point.
pub type Coordinates = SmallVec<[f64; 2]>;

/// The shape of a space, and the owner of a key in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Geometry {
    /// A ring of length 1; a key belongs to the first node at or after it.
    Ring,
    /// A ring of length 1; a key belongs to the nearest node in either direction.
    TwoWayRing,
    /// Integers with the XOR metric, as fractions of 2^160.
    Xor,
    /// The unit torus; a key belongs to the nearest node.
    Torus {
        /// Number of dimensions.
        dimensions: usize,
    },
    /// Poincare's disc of the hyperbolic plane; a key belongs to the nearest node.
    Disc,
}

impl Geometry {
    /// The coordinate of `key` where a key is a number: its fraction of 2^160, in 53 bits.
    pub fn fraction(key: &Key) -> Coordinates {
        smallvec![(key.prefix() >> 11) as f64 / (1u64 << 53) as f64]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_below_one() {
        let of = |bytes| Geometry::fraction(&Key::from_bytes(bytes))[0];
        assert_eq!(of([0; 20]), 0.0);
        assert!(of([255; 20]) < 1.0);
        let mut half = [0; 20];
        half[0] = 0x80;
        assert_eq!(of(half), 0.5);
    }
}
