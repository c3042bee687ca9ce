//! The integers below 2^160 with the XOR metric (Kademlia).
//!
//! Maymounkov and Mazieres, "Kademlia: a peer-to-peer information system based on the XOR
//! metric" (IPTPS 2002), section 2.1.

use super::{Key, Space};

/// Kademlia's space: the distance of two keys is the integer whose bits are those in which the
/// keys differ. A point is the key itself.
///
/// The metric is symmetric and unidirectional: for each point and distance there is exactly
/// one point at that distance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Xor;

impl Space for Xor {
    type Point = Key;
    type Distance = Key;

    fn point(&self, key: &Key) -> Key {
        *key
    }

    fn distance(&self, from: &Key, to: &Key) -> Key {
        from.xor(*to)
    }

    /// `from` with the highest bit in which the two differ flipped: the point nearest to `from` in
    /// the bucket of `to`. From a point to itself, the point.
    ///
    /// No point is equally far from two others here, because the highest differing bit belongs to
    /// only one of the two ways. The shortest paths lead through the points that keep some of the
    /// differing bits, and of these this is the one where the path enters the half of the tree that
    /// has `to`. So DGVH with [`Rule::Midpoint`](super::Rule::Midpoint) hides a candidate exactly
    /// if a nearer one of the same bucket was taken: it keeps one peer per k-bucket, which is
    /// Kademlia with k = 1. (With the point on the near side of that bit, peers of nearer buckets
    /// would hide whole halves of the tree.)
    fn midpoint(&self, from: &Key, to: &Key) -> Key {
        match from.xor(*to).log2() {
            Some(bit) => from.xor(Key::power_of_two(bit)),
            None => *from,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::tests::keys;
    use super::super::{Dgvh, Rule};
    use super::*;
    use proptest::prelude::*;

    /// The sum, or `None` if it needs more than 160 bits.
    fn sum(a: Key, b: Key) -> Option<Key> {
        Some(a.wrapping_add(b)).filter(|sum| *sum >= a)
    }

    proptest! {
        #[test]
        fn laws(a in keys(), b in keys(), c in keys(), cut in 0u32..161) {
            // Random keys differ in their first bits; short distances need common prefixes.
            let b = if cut < 160 {
                let below = Key::power_of_two(cut).wrapping_sub(Key::power_of_two(0));
                a.xor(Key::from_bytes(std::array::from_fn(|i| b.to_bytes()[i] & below.to_bytes()[i])))
            } else {
                b
            };
            let d = |x: &Key, y: &Key| Xor.distance(x, y);
            prop_assert_eq!(Xor.point(&a), a);
            // Identity and symmetry.
            prop_assert_eq!(d(&a, &a), Key::default());
            prop_assert_eq!(d(&a, &b) == Key::default(), a == b);
            prop_assert_eq!(d(&a, &b), d(&b, &a));
            // The triangle inequality; a sum that does not fit is larger than any distance.
            prop_assert!(sum(d(&a, &b), d(&b, &c)).is_none_or(|sum| d(&a, &c) <= sum));
            // Unidirectional: for each point and distance one point at that distance.
            prop_assert_eq!(a.xor(d(&a, &b)), b);
            prop_assert!(b == c || d(&a, &b) != d(&a, &c));
            // The midpoint is on a shortest path, so it is between.
            let m = Xor.midpoint(&a, &b);
            prop_assert_eq!(sum(d(&a, &m), d(&m, &b)), Some(d(&a, &b)));
            prop_assert_eq!(Xor.midpoint(&a, &a), a);
            // It is in the bucket of b, and no point of that bucket is nearer to a.
            prop_assert_eq!(d(&a, &m).log2(), d(&a, &b).log2());
            prop_assert!(d(&a, &m) <= d(&a, &b));
        }

        #[test]
        fn by_midpoints_dgvh_keeps_one_peer_a_bucket(
            me in keys(), candidates in prop::collection::vec(keys(), 1..60),
        ) {
            prop_assume!(!candidates.contains(&me));
            let mut dgvh = Dgvh::new(Rule::Midpoint, 0);
            let bucket = |key: &Key| Xor.distance(&me, key).log2();
            let mut kept: Vec<_> = dgvh
                .select(&Xor, &me, &candidates)
                .iter()
                .map(|i| candidates[*i as usize])
                .collect();
            for peer in &kept {
                let same = candidates.iter().filter(|c| bucket(c) == bucket(peer));
                prop_assert_eq!(same.min_by_key(|c| Xor.distance(&me, c)), Some(peer));
            }
            let mut buckets: Vec<_> = candidates.iter().map(bucket).collect();
            buckets.sort_unstable();
            buckets.dedup();
            kept.sort_unstable();
            kept.dedup();
            prop_assert_eq!(kept.len(), buckets.len());
        }
    }
}
