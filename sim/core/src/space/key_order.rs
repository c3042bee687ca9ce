//! Sorting by keys, for tens of millions of items.

use super::Key;

/// Sorts `items` ascending. `key` returns the key of an item; the order of items must compare keys
/// first.
///
/// Sorts by the 64 most significant bits of the keys, without branches, and again where these are
/// equal: among n random keys there are about n^2 / 2^65 such pairs. Time O(n log n), no additional
/// memory.
pub fn sort_by_key<T: Ord>(items: &mut [T], key: impl Fn(&T) -> Key) {
    items.sort_unstable_by_key(|item| key(item).prefix());
    for alike in items.chunk_by_mut(|a, b| key(a).prefix() == key(b).prefix()) {
        alike.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::tests::keys;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Keys with equal first bits are ordered by their other bits.
        #[test]
        fn it_is_the_order_of_the_whole_keys(
            mut some in prop::collection::vec((keys(), 0u32..160), 0..60),
        ) {
            for (key, kept) in &mut some {
                *key = key.low_bits(*kept);
            }
            let mut expected = some.clone();
            expected.sort();
            sort_by_key(&mut some, |(key, _)| *key);
            prop_assert_eq!(some, expected);
        }
    }
}
