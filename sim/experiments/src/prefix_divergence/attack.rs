//! Sybils around a key.

use dhtlab_core::engine::Stream;
use dhtlab_core::overlay::prefix_counts;
use dhtlab_core::space::{Key, KeyTrie};
use rand::Rng;

dhtlab_core::choices! {
    /// The IDs of Sybils around a key.
    pub enum SybilIds {
        /// Each shares as many first bits with the key as the closest honest node, and with probability 1/2 one more, 1/4 two more and so on, as in the published simulation.
        Prefixes = "prefixes",
        /// Each is drawn until it is closer to the key than the closest honest node, as in the published attack on the live network.
        Closer = "closer",
    }
}

impl SybilIds {
    /// `count` Sybils around `key`; the closest honest node has the ID `honest`.
    ///
    /// An ID that is drawn until it is closer is uniform among the closer ones, so it is drawn from
    /// these at once. O(count log count).
    pub(super) fn sybils(
        self,
        key: &Key,
        honest: &Key,
        count: usize,
        stream: &mut Stream,
    ) -> KeyTrie {
        let shared = key.common_prefix(*honest);
        let distance = key.xor(*honest);
        let below_zero = Key::default().wrapping_sub(Key::power_of_two(0));
        let draw = |_| match self {
            Self::Prefixes => {
                let more = stream.next_u64().leading_zeros();
                let bits = (shared + more).min(Key::BITS - 1);
                key.random_with_exact_prefix(bits, stream)
            }
            // No ID is closer than that of a node at the key itself.
            Self::Closer => match Key::random_between(below_zero, distance, stream) {
                Some(closer) => key.xor(closer),
                None => *key,
            },
        };
        KeyTrie::new((0..count).map(draw).collect())
    }
}

/// The common prefix lengths, counted, of the `closest` nodes that a lookup of `key` finds: each Sybil
/// takes the place of the farthest honest node that is left.
///
/// `honest` are the IDs of the closest honest nodes, nearest first.
pub(super) fn counts_with_sybils(
    key: &Key,
    honest: &[Key],
    sybils: &KeyTrie,
    closest: usize,
) -> Vec<u32> {
    let mut places = Vec::new();
    sybils.nearest(key, closest, &mut places);
    let found = places.iter().map(|place| sybils.keys()[*place]);
    let left = honest.iter().copied().take(closest - places.len());
    prefix_counts(key, found.chain(left))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dhtlab_core::engine::Seed;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sybils_are_where_they_have_to_be(
            seed: u64, count in 0usize..60, closest in 1usize..30, bits in 0u32..=160,
        ) {
            let mut stream = Seed::new(seed).stream("test", 0);
            let key = Key::random(&mut stream);
            let nodes = KeyTrie::random(40, &mut stream);
            let mut places = Vec::new();
            nodes.nearest(&key, closest, &mut places);
            let mut honest: Vec<Key> = places.iter().map(|place| nodes.keys()[*place]).collect();
            honest[0] = key.random_with_prefix(bits.max(key.common_prefix(honest[0])), &mut stream);
            let shared = key.common_prefix(honest[0]).min(Key::BITS - 1);
            for placement in [SybilIds::Prefixes, SybilIds::Closer] {
                let sybils = placement.sybils(&key, &honest[0], count, &mut stream);
                prop_assert!(sybils.len() <= count);
                for id in sybils.keys() {
                    prop_assert!(key.common_prefix(*id) >= shared);
                    let closer = id.xor(key) < honest[0].xor(key) || honest[0] == key;
                    prop_assert!(placement == SybilIds::Prefixes || closer);
                }
                let counts = counts_with_sybils(&key, &honest, &sybils, closest);
                prop_assert_eq!(counts.iter().sum::<u32>() as usize, closest);
                if sybils.len() >= closest {
                    prop_assert!(counts[..shared as usize].iter().all(|count| *count == 0));
                }
            }
            let none = counts_with_sybils(&key, &honest, &KeyTrie::default(), closest);
            for (bits, count) in none.iter().enumerate() {
                let same = |id: &&Key| key.common_prefix(**id).min(Key::BITS - 1) == bits as u32;
                prop_assert_eq!(honest.iter().filter(same).count(), *count as usize);
            }
        }
    }

    /// A quarter of the Sybils share one bit more than the closest honest node: of 100,000 the
    /// standard deviation is 137, of which four are allowed.
    #[test]
    fn lengths_halve_from_one_to_the_next() {
        let mut stream = Seed::new(2).stream("test", 0);
        let key = Key::random(&mut stream);
        let honest = key.random_with_exact_prefix(12, &mut stream);
        let sybils = SybilIds::Prefixes.sybils(&key, &honest, 100_000, &mut stream);
        let counts = counts_with_sybils(&key, &[], &sybils, 100_000);
        assert!(counts[12].abs_diff(50_000) < 640, "{}", counts[12]);
        assert!(counts[13].abs_diff(25_000) < 550, "{}", counts[13]);
        assert_eq!(counts[..12].iter().sum::<u32>(), 0);
    }
}
