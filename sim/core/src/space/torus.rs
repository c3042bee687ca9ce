//! The Euclidean unit torus `[0, 1)^d` (VHash).

use super::{Key, Space, TorusGrid};
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
    /// The largest number of dimensions at which the words of a key are the coordinates of its
    /// point.
    pub const IN_KEY: usize = 5;

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

    /// Calls `see` with the index and squared distance of each of the points whose coordinates
    /// follow each other in `points`.
    #[inline]
    pub(super) fn each_distance(
        &self,
        to: &[f64],
        points: &[f64],
        mut see: impl FnMut(usize, f64),
    ) {
        match self.dimensions {
            2 => each_of::<2>(to, points, see),
            3 => each_of::<3>(to, points, see),
            4 => each_of::<4>(to, points, see),
            5 => each_of::<5>(to, points, see),
            d => (points.chunks_exact(d).map(|point| squared_any(to, point)))
                .enumerate()
                .for_each(|(i, distance)| see(i, distance)),
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

    /// The first `D` coordinates of the point of `key`, at most [`Torus::IN_KEY`], and 0 beyond the
    /// dimensions of the torus.
    #[inline]
    pub fn coordinates<const D: usize>(&self, key: &Key) -> [f64; D] {
        let words = key.words();
        std::array::from_fn(|i| match words.get(i) {
            Some(word) if i < self.dimensions => fraction(*word),
            _ => 0.0,
        })
    }

    /// The index and squared distance of the node nearest to the point of `key` among the nodes
    /// whose `ids` follow each other; the first of equally near ones. Exactly what
    /// [`nearest`](Self::nearest) finds among their points, for at most [`Torus::IN_KEY`]
    /// dimensions. Linear in the IDs.
    pub fn nearest_id(&self, key: &Key, ids: impl Iterator<Item = Key>) -> Option<(usize, f64)> {
        match self.dimensions {
            1 => nearest_words::<1>(key, ids),
            2 => nearest_words::<2>(key, ids),
            3 => nearest_words::<3>(key, ids),
            4 => nearest_words::<4>(key, ids),
            _ => nearest_words::<5>(key, ids),
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

#[inline]
fn each_of<const D: usize>(to: &[f64], points: &[f64], mut see: impl FnMut(usize, f64)) {
    if let Some(to) = to.first_chunk::<D>() {
        for (i, point) in points.as_chunks::<D>().0.iter().enumerate() {
            see(i, squared(to, point));
        }
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

fn nearest_words<const D: usize>(
    key: &Key,
    ids: impl Iterator<Item = Key>,
) -> Option<(usize, f64)> {
    let to = key.words();
    let mut best = None;
    let mut least = f64::INFINITY;
    for (i, id) in ids.enumerate() {
        let at = id.words();
        let mut sum = 0.0;
        for j in 0..D {
            // The shorter way around as a signed number of 32 bits. It is 2^32 times the
            // difference of the coordinates without rounding, and so are squares and sums 2^64
            // times the squared distance with the same rounding.
            let across = f64::from(at[j].wrapping_sub(to[j]) as i32);
            sum += across * across;
        }
        if sum < least {
            least = sum;
            best = Some(i);
        }
    }
    best.map(|i| (i, least / TURN / TURN))
}

/// A whole turn in steps of a word.
const TURN: f64 = 4_294_967_296.0;

/// A word of a key as a coordinate.
fn fraction(word: u32) -> f64 {
    f64::from(word) / TURN
}

impl Space for Torus {
    type Point = TorusPoint;
    type Distance = OrderedFloat<f64>;

    /// Coordinate `i` is word `i` of the key as a fraction of 2^32; from the sixth coordinate
    /// on the words come from SHA-1 of the key and a counter.
    fn point(&self, key: &Key) -> TorusPoint {
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

    fn grid(&self) -> Option<TorusGrid> {
        Some(TorusGrid::new(*self))
    }

    fn in_grid(point: &TorusPoint) -> &[f64] {
        point
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
        fn the_nearest_id_has_the_nearest_point(d in 1..=Torus::IN_KEY, few: bool, keys in prop::collection::vec(keys(), 3..20)) {
            let torus = Torus::new(d);
            // Few different words give equal distances and exact half turns.
            let coarse = |key: &Key| Key::from_bytes(key.to_bytes().map(|byte| if few { byte & 0xc0 } else { byte }));
            let keys: Vec<Key> = keys.iter().map(coarse).collect();
            let flat: Vec<f64> = keys[1..].iter().flat_map(|key| torus.point(key)).collect();
            prop_assert_eq!(
                torus.nearest_id(&keys[0], keys[1..].iter().copied()),
                torus.nearest(&torus.point(&keys[0]), &flat)
            );
            let padded = torus.coordinates::<8>(&keys[0]);
            prop_assert_eq!(&padded[..d], &torus.point(&keys[0])[..]);
            prop_assert_eq!(&padded[d..], &[0.0; 8][d..]);
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
