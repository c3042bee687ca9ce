//! The unit cube without wrap, the plane for two dimensions.

use super::{Key, Space, Torus};
use ordered_float::OrderedFloat;

/// Euclidean space cut to `[0, 1)^D`, whose sides are not joined. Distances are squared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plane<const D: usize>;

impl<const D: usize> Space for Plane<D> {
    type Point = [f64; D];
    type Distance = OrderedFloat<f64>;

    /// The point of [`Torus`] for the same key.
    fn point(&self, key: &Key) -> [f64; D] {
        let point = Torus::new(D).point(key);
        std::array::from_fn(|i| point[i])
    }

    #[inline]
    fn distance(&self, from: &[f64; D], to: &[f64; D]) -> OrderedFloat<f64> {
        let mut sum = 0.0;
        for i in 0..D {
            let across = from[i] - to[i];
            sum += across * across;
        }
        OrderedFloat(sum)
    }

    #[inline]
    fn midpoint(&self, from: &[f64; D], to: &[f64; D]) -> [f64; D] {
        std::array::from_fn(|i| (from[i] + to[i]) / 2.0)
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
            let plane = Plane::<3>;
            let [a, b, c] = [a, b, c].map(|key| plane.point(&key));
            let root = |x, y| plane.distance(x, y).0.sqrt();
            prop_assert_eq!(root(&a, &a), 0.0);
            prop_assert_eq!(root(&a, &b), root(&b, &a));
            prop_assert!(root(&a, &c) <= root(&a, &b) + root(&b, &c) + 1e-12);
            let m = plane.midpoint(&a, &b);
            prop_assert!((root(&a, &m) - root(&a, &b) / 2.0).abs() < 1e-12);
            prop_assert!((root(&m, &b) - root(&a, &b) / 2.0).abs() < 1e-12);
            // Without wrap nothing is nearer than on the torus.
            prop_assert!(root(&a, &b) >= Torus::new(3).squared_distance(&a, &b).sqrt());
        }
    }
}
