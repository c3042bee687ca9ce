//! The unit torus whose dimension is known to the compiler.

use super::torus::{around, squared};
use super::{Key, Space, Torus};
use ordered_float::OrderedFloat;

/// The unit torus `[0, 1)^D`: the same space as [`Torus`], with points that are plain arrays, for
/// experiments that choose among millions of candidates. Distances are squared.
#[derive(Clone, Copy, Debug, Default)]
pub struct FixedTorus<const D: usize>;

impl<const D: usize> Space for FixedTorus<D> {
    type Point = [f64; D];
    type Distance = OrderedFloat<f64>;

    /// The point of [`Torus`] for the same key.
    fn point(&self, key: &Key) -> [f64; D] {
        let point = Torus::new(D).point(key);
        std::array::from_fn(|i| point[i])
    }

    #[inline]
    fn distance(&self, from: &[f64; D], to: &[f64; D]) -> OrderedFloat<f64> {
        OrderedFloat(squared(from, to))
    }

    #[inline]
    fn midpoint(&self, from: &[f64; D], to: &[f64; D]) -> [f64; D] {
        std::array::from_fn(|i| {
            match from[i] + around(from[i], to[i]) / 2.0 {
                // A step of at most a quarter leaves [0, 1) by less than one turn.
                half if half < 0.0 => Torus::wrap(half),
                half if half >= 1.0 => half - 1.0,
                half => half,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::tests::keys;
    use super::*;
    use proptest::prelude::*;

    fn agree<const D: usize>(a: &Key, b: &Key) {
        let (fixed, torus) = (FixedTorus::<D>, Torus::new(D));
        let (p, q) = (fixed.point(a), fixed.point(b));
        let (r, s) = (torus.point(a), torus.point(b));
        assert_eq!(p[..], r[..]);
        assert_eq!(fixed.distance(&p, &q), torus.distance(&r, &s));
        assert_eq!(fixed.midpoint(&p, &q)[..], torus.midpoint(&r, &s)[..]);
    }

    proptest! {
        #[test]
        fn it_is_the_torus(a in keys(), b in keys()) {
            agree::<1>(&a, &b);
            agree::<2>(&a, &b);
            agree::<5>(&a, &b);
            agree::<6>(&a, &b);
        }
    }
}
