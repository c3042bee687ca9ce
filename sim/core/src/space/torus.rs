//! The Euclidean unit torus `[0, 1)^d` (VHash).

use super::{Key, Space};
use ordered_float::OrderedFloat;
use smallvec::SmallVec;

/// A point of the torus: its coordinates, each in `[0, 1)`.
pub type TorusPoint = SmallVec<[f64; 6]>;

/// The unit torus of some dimension. Distances are squared: the order is the same, and a lookup
/// needs no square root.
#[derive(Clone, Copy, Debug)]
pub struct Torus {
    dimensions: usize,
}

/// The difference `b - a` on a circle of length 1, in `[-1/2, 1/2]`, for `a` and `b` in `[0, 1)`.
pub(super) fn around(a: f64, b: f64) -> f64 {
    match b - a {
        difference if difference > 0.5 => difference - 1.0,
        difference if difference < -0.5 => difference + 1.0,
        difference => difference,
    }
}

/// Squared distance of two points of `D` coordinates.
pub(super) fn squared<const D: usize>(a: &[f64; D], b: &[f64; D]) -> f64 {
    let mut sum = 0.0;
    for i in 0..D {
        // In [0, 1): the shorter way around is `min(x, 1 - x)`, without a rounding call.
        let across = (a[i] - b[i]).abs();
        let short = across.min(1.0 - across);
        sum += short * short;
    }
    sum
}

fn squared_any(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| {
        let across = (a - b).abs();
        let short = across.min(1.0 - across);
        sum + short * short
    })
}

impl Torus {
    /// The torus of `dimensions` >= 1 dimensions.
    pub fn new(dimensions: usize) -> Self {
        Self { dimensions }
    }

    /// The number of dimensions.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The squared distance of two points given by their coordinates.
    pub fn squared_distance(&self, a: &[f64], b: &[f64]) -> f64 {
        match self.dimensions {
            2 => fixed::<2>(a, b),
            3 => fixed::<3>(a, b),
            4 => fixed::<4>(a, b),
            5 => fixed::<5>(a, b),
            _ => squared_any(a, b),
        }
    }

    /// The index and squared distance of the point nearest to `to` among the points whose
    /// coordinates follow each other in `points`; the first of equally near ones.
    pub fn nearest(&self, to: &[f64], points: &[f64]) -> Option<(usize, f64)> {
        match self.dimensions {
            2 => nearest_of::<2>(to, points),
            3 => nearest_of::<3>(to, points),
            4 => nearest_of::<4>(to, points),
            5 => nearest_of::<5>(to, points),
            d => points
                .chunks_exact(d)
                .map(|point| squared_any(to, point))
                .enumerate()
                .reduce(|best, next| if next.1 < best.1 { next } else { best }),
        }
    }

    /// The shortest vector from `a` to `b`, coordinate by coordinate.
    pub fn vector<'a>(&self, a: &'a [f64], b: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        a.iter().zip(b).map(|(a, b)| around(*a, *b))
    }

    /// Wraps a coordinate into `[0, 1)`.
    pub fn wrap(x: f64) -> f64 {
        let wrapped = x - libm::floor(x);
        // Just below a whole number the difference rounds up to 1.
        if wrapped >= 1.0 { 0.0 } else { wrapped }
    }
}

fn fixed<const D: usize>(a: &[f64], b: &[f64]) -> f64 {
    match (a.first_chunk::<D>(), b.first_chunk::<D>()) {
        (Some(a), Some(b)) => squared(a, b),
        _ => f64::INFINITY,
    }
}

fn nearest_of<const D: usize>(to: &[f64], points: &[f64]) -> Option<(usize, f64)> {
    let to = to.first_chunk::<D>()?;
    let mut best = None;
    let mut least = f64::INFINITY;
    for (i, point) in points.as_chunks::<D>().0.iter().enumerate() {
        let distance = squared(to, point);
        if distance < least {
            least = distance;
            best = Some(i);
        }
    }
    best.map(|i| (i, least))
}

impl Space for Torus {
    type Point = TorusPoint;
    type Distance = OrderedFloat<f64>;

    /// Coordinate `i` is word `i` of the key as a fraction of 2^32; from the sixth coordinate
    /// on the words come from SHA-1 of the key and a counter.
    fn point(&self, key: &Key) -> TorusPoint {
        let fraction = |word: u32| f64::from(word) / 4_294_967_296.0;
        let mut point = TorusPoint::with_capacity(self.dimensions);
        let mut words = key.words();
        for i in 0..self.dimensions {
            if i > 0 && i % 5 == 0 {
                let mut more = key.to_bytes().to_vec();
                more.push((i / 5) as u8);
                words = Key::sha1(&more).words();
            }
            point.push(fraction(words[i % 5]));
        }
        point
    }

    fn distance(&self, from: &TorusPoint, to: &TorusPoint) -> OrderedFloat<f64> {
        OrderedFloat(self.squared_distance(from, to))
    }

    fn midpoint(&self, from: &TorusPoint, to: &TorusPoint) -> TorusPoint {
        let mut middle = from.clone();
        for (x, to) in middle.iter_mut().zip(to) {
            let half = *x + around(*x, *to) / 2.0;
            // Half a step leaves [0, 1) by less than one turn.
            *x = match half {
                half if half < 0.0 => Self::wrap(half),
                half if half >= 1.0 => half - 1.0,
                half => half,
            };
        }
        middle
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::tests::keys;
    use super::*;
    use proptest::prelude::*;

    fn points() -> impl Strategy<Value = (Torus, Vec<TorusPoint>)> {
        (1usize..12, prop::collection::vec(keys(), 3..20)).prop_map(|(d, keys)| {
            let torus = Torus::new(d);
            (torus, keys.iter().map(|key| torus.point(key)).collect())
        })
    }

    proptest! {
        #[test]
        fn laws((torus, points) in points()) {
            let [a, b, c] = [&points[0], &points[1], &points[2]];
            let root = |x, y| torus.distance(x, y).0.sqrt();
            prop_assert_eq!(a.len(), torus.dimensions());
            prop_assert_eq!(root(a, a), 0.0);
            prop_assert_eq!(root(a, b), root(b, a));
            prop_assert!(root(a, c) <= root(a, b) + root(b, c) + 1e-12);
            prop_assert!(root(a, b) <= (torus.dimensions() as f64).sqrt() / 2.0 + 1e-12);
            let m = torus.midpoint(a, b);
            prop_assert!((root(a, &m) - root(a, b) / 2.0).abs() < 1e-9);
            prop_assert!((root(&m, b) - root(a, b) / 2.0).abs() < 1e-9);
        }

        #[test]
        fn nearest_is_the_nearest((torus, points) in points()) {
            let flat: Vec<f64> = points[1..].iter().flatten().copied().collect();
            let (place, distance) = torus.nearest(&points[0], &flat).expect("there are points");
            let least = points[1..].iter().map(|p| torus.distance(&points[0], p)).min();
            prop_assert_eq!(Some(OrderedFloat(distance)), least);
            prop_assert_eq!(torus.distance(&points[0], &points[1 + place]).0, distance);
        }

        #[test]
        fn wrapping_stays_inside(x in -1e6f64..1e6) {
            prop_assert!((0.0..1.0).contains(&Torus::wrap(x)));
        }
    }

    #[test]
    fn a_key_becomes_a_point() {
        let mut bytes = [0; 20];
        bytes[0] = 0x80;
        bytes[7] = 1;
        let point = Torus::new(7).point(&Key::from_bytes(bytes));
        assert_eq!(point[..5], [0.5, 1.0 / 4_294_967_296.0, 0.0, 0.0, 0.0]);
        assert!(point[5] != point[0] && point[6] != point[1]);
        assert_eq!(Torus::wrap(-1e-18), 0.0);
    }
}
