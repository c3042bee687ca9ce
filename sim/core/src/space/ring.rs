//! The ring of integers modulo 2^160 with the unidirectional distance (Chord).

use super::{Key, Space};

/// The ring: distance is measured clockwise only.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ring;

impl Ring {
    /// The distance between two points in the shorter direction.
    pub fn either_way(a: &Key, b: &Key) -> Key {
        b.wrapping_sub(*a).min(a.wrapping_sub(*b))
    }
}

impl Space for Ring {
    type Point = Key;
    type Distance = Key;

    fn point(&self, key: &Key) -> Key {
        *key
    }

    fn distance(&self, from: &Key, to: &Key) -> Key {
        to.wrapping_sub(*from)
    }

    fn midpoint(&self, from: &Key, to: &Key) -> Key {
        from.wrapping_add(to.wrapping_sub(*from).half())
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::tests::keys;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn laws(a in keys(), b in keys(), c in keys()) {
            let zero = Key::default();
            let d = |x, y| Ring.distance(x, y);
            prop_assert_eq!(d(&a, &a), zero);
            prop_assert_eq!(d(&a, &b) == zero, a == b);
            // Unidirectional: both distances add up to the whole ring, unless they are zero.
            prop_assert_eq!(d(&a, &b).wrapping_add(d(&b, &a)), zero);
            // The triangle inequality is an equality, modulo the ring.
            prop_assert_eq!(d(&a, &b).wrapping_add(d(&b, &c)), d(&a, &c));
            // For each point and distance there is exactly one point at that distance.
            prop_assert_eq!(a.wrapping_add(d(&a, &b)), b);
            // The midpoint halves the arc.
            let m = Ring.midpoint(&a, &b);
            prop_assert!(d(&a, &m) <= d(&a, &b));
            let rest = d(&m, &b).wrapping_sub(d(&a, &m));
            prop_assert!(rest <= Key::power_of_two(0));
            prop_assert_eq!(Ring::either_way(&a, &b), Ring::either_way(&b, &a));
        }
    }
}
