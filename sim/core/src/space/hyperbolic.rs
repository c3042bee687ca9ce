//! The hyperbolic plane as Poincare's disc (UrDHT).

use super::{Key, Space};
use ordered_float::OrderedFloat;

/// A point of the hyperbolic plane: its two coordinates in the open unit disc.
pub type DiscPoint = [f64; 2];

/// The hyperbolic plane of curvature -1 in Poincare's disc model.
///
/// Distances are given as `sinh(d / 2)^2`, which grows strictly with the distance d: the order is
/// the same, and a lookup needs no transcendental function. [`length`](Self::length) converts them
/// to true distances.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hyperbolic;

/// `1 - |u|^2`: positive inside the disc, 0 on its rim.
fn inside(u: &DiscPoint) -> f64 {
    1.0 - (u[0] * u[0] + u[1] * u[1])
}

/// The square of the Euclidean distance.
fn squared(u: &DiscPoint, v: &DiscPoint) -> f64 {
    let (x, y) = (u[0] - v[0], u[1] - v[1]);
    x * x + y * y
}

impl Hyperbolic {
    /// The true distance for a value of [`distance`](Space::distance): `acosh(1 + 2 x)` for the
    /// value x, written as `2 asinh(sqrt(x))`, which loses no digits when the points are near.
    pub fn length(distance: OrderedFloat<f64>) -> f64 {
        2.0 * libm::asinh(distance.0.sqrt())
    }

    /// The point at an angle, in turns, and at a Euclidean distance below 1 from the centre.
    pub fn polar(radius: f64, turns: f64) -> DiscPoint {
        let (sin, cos) = libm::sincos(std::f64::consts::TAU * turns);
        [radius * cos, radius * sin]
    }
}

impl Space for Hyperbolic {
    type Point = DiscPoint;
    type Distance = OrderedFloat<f64>;

    /// The first word of the key, as a fraction of 2^32, is the square of the radius; the second,
    /// likewise, the angle in turns. So uniform keys are uniform in the *Euclidean* area of the
    /// disc, as in UrDHT with its hash. By hyperbolic area, most nodes are in the middle; a density
    /// that is uniform by that area does not exist, because the area is infinite.
    fn point(&self, key: &Key) -> DiscPoint {
        let fraction = |word: u32| f64::from(word) / 4_294_967_296.0;
        let words = key.words();
        Self::polar(fraction(words[0]).sqrt(), fraction(words[1]))
    }

    /// `|u - v|^2 / ((1 - |u|^2) (1 - |v|^2))`, which is `sinh(d / 2)^2` for the distance d.
    fn distance(&self, from: &DiscPoint, to: &DiscPoint) -> OrderedFloat<f64> {
        OrderedFloat(squared(from, to) / (inside(from) * inside(to)))
    }

    /// The exact midpoint of the hyperbolic line.
    ///
    /// On the hyperboloid, whose points are `(2 u, 1 + |u|^2) / (1 - |u|^2)`, the midpoint is
    /// the sum of the two, scaled back. With `a = 1 - |u|^2` and `b = 1 - |v|^2` the projection
    /// of that onto the disc is `(b u + a v) / (a + b - a b + sqrt(a b (a b + |u - v|^2)))`:
    /// no transcendental function, and no difference of large numbers near the rim.
    fn midpoint(&self, from: &DiscPoint, to: &DiscPoint) -> DiscPoint {
        let (a, b) = (inside(from), inside(to));
        let both = a * b;
        let scale = a + b - both + (both * (both + squared(from, to))).sqrt();
        std::array::from_fn(|i| (b * from[i] + a * to[i]) / scale)
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::tests::keys;
    use super::*;
    use crate::engine::Seed;
    use proptest::prelude::*;

    /// Points up to hyperbolic distance 12 from the centre: nearer to the rim, `1 - |u|^2` has few
    /// digits left, and the laws could be tested only loosely.
    fn points() -> impl Strategy<Value = DiscPoint> {
        (0.0f64..12.0, 0.0f64..1.0)
            .prop_map(|(r, turns)| Hyperbolic::polar(libm::tanh(r / 2.0), turns))
    }

    fn length(u: &DiscPoint, v: &DiscPoint) -> f64 {
        Hyperbolic::length(Hyperbolic.distance(u, v))
    }

    proptest! {
        #[test]
        fn laws(u in points(), v in points(), w in points()) {
            let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
            prop_assert_eq!(length(&u, &u), 0.0);
            prop_assert_eq!(Hyperbolic.distance(&u, &v).0 == 0.0, u == v);
            prop_assert_eq!(length(&u, &v), length(&v, &u));
            prop_assert!(length(&u, &w) <= length(&u, &v) + length(&v, &w) + 1e-6);
            // The usual formula.
            let sigma = 2.0 * squared(&u, &v) / (inside(&u) * inside(&v));
            prop_assert!(near(length(&u, &v), libm::acosh(1.0 + sigma)));
            // The order of lengths equals that of distances.
            let order = Hyperbolic.distance(&u, &v).cmp(&Hyperbolic.distance(&u, &w));
            prop_assert!(order == length(&u, &v).total_cmp(&length(&u, &w)) || near(length(&u, &v), length(&u, &w)));
            // The midpoint is half-way, from both ends.
            let m = Hyperbolic.midpoint(&u, &v);
            prop_assert!(inside(&m) > 0.0);
            let half = length(&u, &v) / 2.0;
            prop_assert!((length(&u, &m) - half).abs() < 1e-5, "{} {half}", length(&u, &m));
            prop_assert!((length(&m, &v) - half).abs() < 1e-5, "{} {half}", length(&m, &v));
        }

        #[test]
        fn points_of_keys_are_inside(a in keys(), b in keys()) {
            let (u, v) = (Hyperbolic.point(&a), Hyperbolic.point(&b));
            prop_assert!(inside(&u) > 0.0);
            prop_assert!(Hyperbolic.distance(&u, &v).0.is_finite());
            prop_assert!(inside(&Hyperbolic.midpoint(&u, &v)) > 0.0);
        }
    }

    #[test]
    fn known_points() {
        // From the centre, the distance to radius tanh(1/2) is 1.
        let u = [libm::tanh(0.5), 0.0];
        assert!((length(&[0.0, 0.0], &u) - 1.0).abs() < 1e-12);
        assert_eq!(Hyperbolic.midpoint(&u, &[-u[0], 0.0]), [0.0, 0.0]);
        // Keys at the rim and at the centre.
        let rim = Hyperbolic.point(&Key::from_bytes([255; 20]));
        assert!(inside(&rim) > 0.0 && inside(&rim) < 1e-9, "{rim:?}");
        assert_eq!(Hyperbolic.point(&Key::default()), [0.0, 0.0]);
    }

    #[test]
    fn keys_are_uniform_in_euclidean_area() {
        let mut stream = Seed::new(3).stream("points", 0);
        let points: Vec<DiscPoint> = (0..20_000)
            .map(|_| Hyperbolic.point(&Key::random(&mut stream)))
            .collect();
        let share = |inner: &dyn Fn(&DiscPoint) -> bool| {
            points.iter().filter(|p| inner(p)).count() as f64 / points.len() as f64
        };
        // A quarter of the area is within half of the radius, a half right of the centre, and beyond
        // x = 1/2 a segment: arccos(1/2) / pi - sqrt(3) / (4 pi).
        assert!((share(&|p| inside(p) > 0.75) - 0.25).abs() < 0.01);
        assert!((share(&|p| p[0] > 0.0) - 0.5).abs() < 0.01);
        let segment = 1.0 / 3.0 - 3f64.sqrt() / (4.0 * std::f64::consts::PI);
        assert!((share(&|p| p[0] > 0.5) - segment).abs() < 0.01);
        assert!((share(&|p| p[1] > 0.5) - segment).abs() < 0.01);
    }
}
