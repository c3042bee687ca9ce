//! The contacts nearest to a key.
//!
//! The buckets of a node are disjoint ranges of the distance to a key: whole buckets are nearer than
//! others.

use super::buckets::{Bounds, Buckets, Contact, Subtree};
use crate::overlay::{Node, NodeIds};
use crate::space::Key;
use smallvec::SmallVec;
use std::cmp::Ordering;

/// At most so many integers are sorted by counting.
const FEW: usize = 32;

/// Integers to sort: what orders an item, then its place in a list.
type Packed = SmallVec<[u32; FEW]>;

/// The bits of the place of a bucket: there are at most 5100 of them. 17 bits are left for its rank.
const BUCKET: u32 = 15;
/// The bits of the place of a contact in its bucket.
const CONTACT: u32 = 8;

/// The place in a packed integer.
fn place(packed: u32, bits: u32) -> usize {
    (packed & ((1 << bits) - 1)) as usize
}

impl Buckets {
    /// The contact that is first in `order` of those in the bucket nearest to a key, if that is nearer than
    /// the node itself, which is at `distance` from the key: in the order of closeness the nearest
    /// contact of all. A contact with an unanswered last request does not count.
    ///
    /// A contact is nearer exactly if, at the level where it differs from the node, it has a
    /// smaller digit of the distance; and the higher that level, the nearer. So one bucket, or one
    /// level where b > 1, decides: O(buckets + 2^b k), without allocation.
    pub fn greedy(
        &self,
        b: u32,
        distance: Key,
        order: impl Fn(&Contact, &Contact) -> Ordering,
    ) -> Option<Node> {
        let mut best: Option<(Subtree, u32, Contact)> = None;
        for (subtree, contacts) in self.all() {
            if best.is_some_and(|(found, ..)| found.level() != subtree.level()) {
                break;
            }
            let mine = distance.bits(subtree.level() * b, b);
            let left = subtree.digit() ^ mine;
            if left >= mine || best.is_some_and(|(_, least, _)| left > least) {
                continue;
            }
            let nearest = contacts
                .iter()
                .filter(|contact| contact.failures() == 0)
                .min_by(|one, other| order(one, other));
            if let Some(contact) = nearest {
                best = Some((subtree, left, *contact));
            }
        }
        best.map(|(.., contact)| contact.node())
    }

    /// The `count` contacts nearest to `key`, nearest first, without stale ones and without
    /// `except`; the node itself is at `distance` from the key.
    ///
    /// First come the buckets with a smaller digit of the distance at their level, the highest level
    /// first; then the others, the lowest level first. O(buckets log buckets + count log k).
    pub fn closest(
        &self,
        ids: &NodeIds,
        bounds: Bounds,
        distance: Key,
        key: &Key,
        count: usize,
        except: Option<Node>,
    ) -> Vec<Node> {
        let rank = |subtree: Subtree| {
            let mine = distance.bits(subtree.level() * bounds.b, bounds.b);
            let left = subtree.digit() ^ mine;
            let level = if left < mine {
                subtree.level()
            } else {
                2 * Key::BITS - subtree.level()
            };
            level << 8 | left
        };
        let mut order = Packed::new();
        for (place, (subtree, contacts)) in self.all().enumerate() {
            if !contacts.is_empty() {
                order.push(rank(subtree) << BUCKET | place as u32);
            }
        }
        sort(&mut order);
        let is_live =
            |contact: &Contact| contact.failures() < bounds.stale && Some(contact.node()) != except;
        let mut closest = Vec::with_capacity(count);
        let mut some = Packed::new();
        for bucket in order {
            let contacts = self.contacts_in(place(bucket, BUCKET));
            let left = count - closest.len();
            if contacts.len() > 1 << CONTACT {
                let mut live: Vec<&Contact> = contacts.iter().filter(|c| is_live(c)).collect();
                live.sort_unstable_by(|one, other| one.cmp_closeness(other, ids, key));
                closest.extend(live.iter().take(left).map(|contact| contact.node()));
            } else {
                some.clear();
                for (place, contact) in contacts.iter().enumerate() {
                    if is_live(contact) {
                        some.push(contact.distance(key) | place as u32);
                    }
                }
                sort(&mut some);
                // Equal first bits: the whole IDs decide.
                for equal in some.chunk_by_mut(|one, other| one >> CONTACT == other >> CONTACT) {
                    if equal.len() > 1 {
                        equal.sort_unstable_by(|one, other| {
                            let [one, other] =
                                [one, other].map(|packed| contacts[place(*packed, CONTACT)]);
                            one.cmp_closeness(&other, ids, key)
                        });
                    }
                }
                let nearest = some.iter().take(left);
                closest.extend(nearest.map(|packed| contacts[place(*packed, CONTACT)].node()));
            }
            if closest.len() == count {
                break;
            }
        }
        closest
    }
}

/// Sorts integers that all differ.
fn sort(items: &mut Packed) {
    match items.len() {
        0..=1 => {}
        2..=16 => sort_few::<16>(items),
        17..=24 => sort_few::<24>(items),
        25..=FEW => sort_few::<FEW>(items),
        _ => items.sort_unstable(),
    }
}

/// Sorts at most `N` integers that all differ: each has the place of as many as are smaller. Comparisons
/// of neighbours would be branches with random outcomes.
fn sort_few<const N: usize>(items: &mut [u32]) {
    // Vectors of signed integers are compared in one instruction; this keeps the order.
    let signed = |item: u32| (item ^ 1 << 31) as i32;
    let mut all = [i32::MAX; N];
    for (one, item) in all.iter_mut().zip(&*items) {
        *one = signed(*item);
    }
    for item in &all[..items.len()] {
        let smaller: i32 = all.iter().map(|other| i32::from(other < item)).sum();
        items[smaller as usize] = *item as u32 ^ 1 << 31;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_are_sorted(items in prop::collection::hash_set(any::<u32>(), 0..80)) {
            let mut sorted: Vec<u32> = items.iter().copied().collect();
            let mut packed: Packed = sorted.iter().copied().collect();
            sorted.sort_unstable();
            sort(&mut packed);
            prop_assert_eq!(packed.to_vec(), sorted);
        }
    }
}
