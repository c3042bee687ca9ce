//! Arcs of a ring in which no task is open any more.

use crate::space::Key;

/// Largest number of arcs that a node remembers.
const MOST: usize = 64;

/// Arcs of a ring without open tasks, each from the first key, excluded, to the second, included.
///
/// No task is added during a job, so an arc without open tasks stays so, unless a node fails that has
/// executed some and has not sent their results.
#[derive(Clone, Debug, Default)]
pub(super) struct BarrenArcs(Vec<(Key, Key)>);

impl BarrenArcs {
    /// Adds an arc; the oldest one is forgotten if there are too many.
    pub fn add(&mut self, after: Key, to: Key) {
        let length = to.wrapping_sub(after);
        self.0.retain(|(from, last)| {
            let (from, last) = (from.wrapping_sub(after), last.wrapping_sub(after));
            let is_within = after == to || (from < last && last <= length);
            !is_within
        });
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push((after, to));
    }

    /// The first key from `key` on that is in no arc; `None` if every key is in one. O(a^2) for a arcs.
    pub fn first_outside(&self, key: Key) -> Option<Key> {
        let mut point = key;
        for _ in 0..=self.0.len() {
            let holds = |(after, to): &&(Key, Key)| point == *to || point.is_between(*after, *to);
            match self.0.iter().find(holds) {
                Some((_, to)) => point = to.wrapping_add(Key::power_of_two(0)),
                None => return Some(point),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(place: u8) -> Key {
        Key::fraction(place.into(), 16)
    }

    proptest! {
        /// Compares with a set of the keys at sixteenths of the ring.
        #[test]
        fn arcs_are_sets(
            arcs in prop::collection::vec((0u8..16, 0u8..16), 0..12),
            start in 0u8..16,
        ) {
            let mut barren = BarrenArcs::default();
            let mut set = [false; 16];
            for (after, to) in arcs {
                barren.add(key(after), key(to));
                // From a key to itself: the whole ring.
                let length = if after == to { 16 } else { (to + 16 - after) % 16 };
                for step in 1..=length {
                    set[usize::from((after + step) % 16)] = true;
                }
            }
            let found = barren.first_outside(key(start));
            match found {
                _ if !set[usize::from(start)] => prop_assert_eq!(found, Some(key(start))),
                // All keys up to the found one are barren.
                Some(found) => {
                    for place in 0..16u8 {
                        let is_passed = key(place).is_between(key(start), found);
                        prop_assert!(!is_passed || set[usize::from(place)]);
                    }
                }
                None => prop_assert_eq!(set, [true; 16]),
            }
        }
    }
}
