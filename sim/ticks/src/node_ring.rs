//! The ring of IDs and the hosts that own them.
//!
//! A doubly linked list in the order of IDs, with the first ring node of each bucket of equal
//! width. IDs are nearly uniform, so finding the owner of a point takes constant time on average.
//! Insertion and removal take constant time.

use super::arc::Arc;

/// Why a host owns a ring node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The host's own ID.
    Main,
    /// A Sybil, dropped when its host has no tasks.
    Sybil,
    /// Kept as long as the host is present: a virtual node, or a Sybil created by another Sybil.
    Permanent,
}

/// A ring node: an ID and its host.
#[derive(Clone, Debug)]
pub struct RingNode {
    /// The ID.
    pub id: u64,
    /// The host that owns the ID.
    pub host: u32,
    /// Why the host owns it.
    pub role: Role,
    /// Sybils created by this ring node and not dropped.
    pub sybil_count: u32,
    next: u32,
    previous: u32,
}

const NONE: u32 = u32::MAX;

/// All ring nodes, in the order of their IDs.
#[derive(Clone, Debug)]
pub struct NodeRing {
    places: Vec<RingNode>,
    free: Vec<u32>,
    /// The first ring node of each bucket.
    heads: Vec<u32>,
    /// Number of bits that an ID is shifted by to give its bucket.
    shift: u32,
    /// The ring node with the smallest ID.
    first: u32,
    len: usize,
}

impl NodeRing {
    /// An empty ring for about `expected` ring nodes.
    pub fn new(expected: usize) -> Self {
        let buckets = (2 * expected).next_power_of_two().max(2);
        Self {
            places: Vec::with_capacity(expected),
            free: Vec::new(),
            heads: vec![NONE; buckets],
            shift: 64 - buckets.trailing_zeros(),
            first: NONE,
            len: 0,
        }
    }

    /// Number of ring nodes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The ring node with index `place`.
    pub fn place(&self, place: u32) -> &RingNode {
        &self.places[place as usize]
    }

    /// The ring node with index `place`, mutable.
    pub fn place_mut(&mut self, place: u32) -> &mut RingNode {
        &mut self.places[place as usize]
    }

    /// The ID of a ring node.
    pub fn id(&self, place: u32) -> u64 {
        self.places[place as usize].id
    }

    /// The ring node with the smallest ID; the ring is not empty.
    pub fn first(&self) -> u32 {
        self.first
    }

    /// The next ring node clockwise.
    pub fn next(&self, place: u32) -> u32 {
        self.places[place as usize].next
    }

    /// The next ring node counter-clockwise.
    pub fn previous(&self, place: u32) -> u32 {
        self.places[place as usize].previous
    }

    /// The range that a ring node is responsible for.
    pub fn arc(&self, place: u32) -> Arc {
        Arc {
            after: self.id(self.previous(place)),
            to: self.id(place),
        }
    }

    /// The ring node at or after `point`; the ring is not empty.
    pub fn owner(&self, point: u64) -> u32 {
        for bucket in (point >> self.shift) as usize..self.heads.len() {
            let mut place = self.heads[bucket];
            if place == NONE {
                continue;
            }
            while self.id(place) < point {
                place = self.next(place);
                if place == self.first {
                    break;
                }
            }
            return place;
        }
        self.first
    }

    /// Adds a ring node; returns its index, or `None` if the ID is taken.
    pub fn insert(&mut self, id: u64, host: u32, role: Role) -> Option<u32> {
        let mut made = RingNode {
            id,
            host,
            role,
            sybil_count: 0,
            next: NONE,
            previous: NONE,
        };
        let number = self
            .free
            .last()
            .copied()
            .unwrap_or(self.places.len() as u32);
        if self.len == 0 {
            (made.next, made.previous) = (number, number);
            self.first = number;
        } else {
            let next = self.owner(id);
            if self.id(next) == id {
                return None;
            }
            let previous = self.previous(next);
            (made.next, made.previous) = (next, previous);
            self.places[previous as usize].next = number;
            self.places[next as usize].previous = number;
            if id < self.id(self.first) {
                self.first = number;
            }
        }
        let head = &mut self.heads[(id >> self.shift) as usize];
        if *head == NONE || id < self.places[*head as usize].id {
            *head = number;
        }
        match self.free.pop() {
            Some(_) => self.places[number as usize] = made,
            None => self.places.push(made),
        }
        self.len += 1;
        Some(number)
    }

    /// Removes a ring node, which is not the last one.
    pub fn remove(&mut self, place: u32) {
        debug_assert!(self.len > 1);
        let RingNode {
            id, next, previous, ..
        } = self.places[place as usize];
        self.places[previous as usize].next = next;
        self.places[next as usize].previous = previous;
        let bucket = (id >> self.shift) as usize;
        if self.heads[bucket] == place {
            let follows = self.id(next);
            let same = follows > id && (follows >> self.shift) as usize == bucket;
            self.heads[bucket] = if same { next } else { NONE };
        }
        if self.first == place {
            self.first = next;
        }
        self.free.push(place);
        self.len -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Compares with a sorted map. The IDs are few, so that they collide, and some are next to
        /// zero.
        #[test]
        fn behaves_as_a_sorted_map(steps in prop::collection::vec((0u64..40, any::<bool>()), 1..200)) {
            let spread = |x: u64| x.wrapping_mul(u64::MAX / 39);
            let mut ring = NodeRing::new(8);
            let mut map = BTreeMap::new();
            for (x, adds) in steps {
                let id = spread(x);
                if adds {
                    let place = ring.insert(id, x as u32, Role::Main);
                    prop_assert_eq!(place.is_none(), map.contains_key(&id));
                    if let Some(place) = place {
                        map.insert(id, place);
                    }
                } else if map.len() > 1 && let Some(place) = map.remove(&id) {
                    ring.remove(place);
                }
                prop_assert_eq!(ring.len(), map.len());
                if map.is_empty() {
                    continue;
                }
                let mut place = ring.first();
                for (id, expected) in &map {
                    prop_assert_eq!((ring.id(place), place), (*id, *expected));
                    prop_assert_eq!(ring.previous(ring.next(place)), place);
                    place = ring.next(place);
                }
                prop_assert_eq!(place, ring.first());
                for point in (0..40).flat_map(|x| [spread(x), spread(x).wrapping_add(1)]) {
                    let after = map.range(point..).next().or_else(|| map.iter().next());
                    prop_assert_eq!(ring.owner(point), *after.expect("not empty").1);
                }
            }
        }
    }
}
