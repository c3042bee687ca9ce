//! Arcs of the ring of 2^64 points.
//!
//! An ID is the first 64 bits of a key. Among a million IDs, two collide with a probability of 3 in
//! 10^8; an ID that is taken is refused.

use smallvec::SmallVec;

/// A range of points that does not wrap: `first..=last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The smallest point.
    pub first: u64,
    /// The largest point.
    pub last: u64,
}

/// One piece, or two where the range contains zero.
pub type Pieces = SmallVec<[Piece; 2]>;

impl Piece {
    /// Number of points.
    pub fn width(self) -> u128 {
        u128::from(self.last - self.first) + 1
    }

    /// The points in both pieces.
    pub fn common(self, other: Self) -> Option<Self> {
        let both = Self {
            first: self.first.max(other.first),
            last: self.last.min(other.last),
        };
        (both.first <= both.last).then_some(both)
    }

    /// The points of this piece before and after those of `inner`, which is a part of it.
    pub fn around(self, inner: Self) -> [Option<Self>; 2] {
        let before = (self.first < inner.first).then(|| Self {
            first: self.first,
            last: inner.first - 1,
        });
        let after = (inner.last < self.last).then(|| Self {
            first: inner.last + 1,
            last: self.last,
        });
        [before, after]
    }
}

/// The range that a node is responsible for: the points after its predecessor up to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arc {
    /// The predecessor's ID, excluded.
    pub after: u64,
    /// The node's ID, included; equal to `after` for the whole ring.
    pub to: u64,
}

impl Arc {
    /// Number of points, at least 1.
    pub fn width(self) -> u128 {
        u128::from(self.to.wrapping_sub(self.after).wrapping_sub(1)) + 1
    }

    /// Whether the range contains `point`.
    pub fn has(self, point: u64) -> bool {
        point.wrapping_sub(self.after).wrapping_sub(1)
            <= self.to.wrapping_sub(self.after).wrapping_sub(1)
    }

    /// The range as pieces that do not wrap.
    pub fn pieces(self) -> Pieces {
        let (first, last) = (self.after.wrapping_add(1), self.to);
        if first <= last {
            return Pieces::from_slice(&[Piece { first, last }]);
        }
        let wrapped = [
            Piece { first: 0, last },
            Piece {
                first,
                last: u64::MAX,
            },
        ];
        Pieces::from_slice(&wrapped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_are_the_arc(after: u64, to: u64, point: u64) {
            let arc = Arc { after, to };
            let pieces = arc.pieces();
            prop_assert_eq!(pieces.iter().map(|piece| piece.width()).sum::<u128>(), arc.width());
            let within = |p: u64| pieces.iter().any(|piece| (piece.first..=piece.last).contains(&p));
            for p in [point, to, after, after.wrapping_add(1), to.wrapping_add(1)] {
                prop_assert_eq!(within(p), arc.has(p));
            }
        }

        #[test]
        fn what_is_cut_out_and_what_stays_add_up(mut ends: [u64; 4]) {
            ends.sort_unstable();
            let [a, b, c, d] = ends;
            let (whole, inner) = (Piece { first: a, last: d }, Piece { first: b, last: c });
            prop_assert_eq!(whole.common(inner), Some(inner));
            let rest: u128 = whole.around(inner).into_iter().flatten().map(Piece::width).sum();
            prop_assert_eq!(rest + inner.width(), whole.width());
        }
    }
}
