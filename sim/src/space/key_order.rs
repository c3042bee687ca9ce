//! Sorting by keys, fast enough for tens of millions of them.

use super::Key;

/// Sorts `items` ascending; `key` gives the key of an item, by which the order of the items goes
/// first.
///
/// They are sorted by the 64 most significant bits of their keys, which no branch of the sort
/// then depends on, and once more where these are equal: among n random keys there are about
/// n^2 / 2^65 such pairs. Time O(n log n), no memory beside.
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
        /// Keys that share their first bits are put in order by the others.
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
