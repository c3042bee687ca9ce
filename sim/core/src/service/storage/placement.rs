//! Placement: the keys under which the copies of a value are stored.
//!
//! With `nearest` a value has one key, its name, and replicas on the replica set of that key
//! ([`replication`](crate::service::replication)). With the others each copy has a key of its own,
//! and the root of that key holds no further replicas: a copy is restored from the root of another
//! key (`checks`).

use crate::overlay::NODE_BYTES;
use crate::space::Key;

crate::choices! {
    /// Where the copies of a value are.
    pub enum ReplicaPlacement {
        /// On the root of its key and the nodes that would be the root next, as in CFS (SOSP 2001).
        Nearest = "nearest",
        /// Copy i of r under the key + i 2^160 / r: symmetric replication (Ghodsi, Alima and Haridi,
        /// DBISP2P 2005).
        Spread = "spread",
        /// Copy i under the SHA-1 of the key and i: several hash functions, as in CAN (Ratnasamy et al.,
        /// SIGCOMM 2001).
        Random = "random",
    }
}

/// A placement of so many copies of each value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    placement: ReplicaPlacement,
    replicas: u16,
}

/// A copy with a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The name of the value: the SHA-1 of a block's content, or of a file's name.
    pub name: Key,
    /// The number of the copy.
    pub index: u16,
}

/// Bytes of a copy's name and number in a message.
pub(super) const SLOT_BYTES: u32 = NODE_BYTES + 2;

impl Places {
    /// A placement of `replicas` copies, 1 to 1000.
    pub fn new(placement: ReplicaPlacement, replicas: usize) -> Self {
        Self {
            placement,
            replicas: replicas as u16,
        }
    }

    /// Number of keys under which a value is stored.
    pub fn keys(self) -> u16 {
        match self.placement {
            ReplicaPlacement::Nearest => 1,
            ReplicaPlacement::Spread | ReplicaPlacement::Random => self.replicas,
        }
    }

    /// Number of copies under each key, that of its root included.
    pub fn copies_of_a_key(self) -> usize {
        usize::from(self.replicas / self.keys())
    }

    /// The key of copy `index` of the value with this name.
    pub fn key(self, name: &Key, index: u16) -> Key {
        match self.placement {
            ReplicaPlacement::Nearest => *name,
            ReplicaPlacement::Spread => {
                let part = Key::fraction(index.into(), self.replicas.into());
                name.wrapping_add(part)
            }
            ReplicaPlacement::Random => {
                let mut bytes = [0; 22];
                bytes[..20].copy_from_slice(&name.to_bytes());
                bytes[20..].copy_from_slice(&index.to_be_bytes());
                Key::sha1(&bytes)
            }
        }
    }

    /// Copy `index` of a value, if copies have keys of their own.
    pub fn slot(self, name: Key, index: u16) -> Option<Slot> {
        (self.placement != ReplicaPlacement::Nearest).then_some(Slot { name, index })
    }

    /// The key of a copy.
    pub fn key_of(self, slot: Slot) -> Key {
        self.key(&slot.name, slot.index)
    }

    /// The copy after this one, the first after the last.
    pub fn next(self, slot: Slot) -> Slot {
        Slot {
            index: (slot.index + 1) % self.keys(),
            ..slot
        }
    }

    /// The copy before this one, the last before the first.
    pub fn previous(self, slot: Slot) -> Slot {
        Slot {
            index: (slot.index + self.keys() - 1) % self.keys(),
            ..slot
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;
    use proptest::prelude::*;

    fn key(seed: u64) -> Key {
        Key::random(&mut Seed::new(seed).stream("keys", 0))
    }

    proptest! {
        /// Each copy has a key of its own, all copies are there, and next and previous go around.
        #[test]
        fn copies_have_keys_of_their_own(seed: u64, replicas in 1usize..60) {
            let name = key(seed);
            for placement in ReplicaPlacement::ALL {
                let places = Places::new(*placement, replicas);
                let copies = usize::from(places.keys()) * places.copies_of_a_key();
                prop_assert_eq!(copies, replicas);
                let keys: std::collections::BTreeSet<Key> =
                    (0..places.keys()).map(|index| places.key(&name, index)).collect();
                prop_assert_eq!(keys.len(), usize::from(places.keys()));
                let Some(first) = places.slot(name, 0) else {
                    prop_assert_eq!(*placement, ReplicaPlacement::Nearest);
                    prop_assert_eq!(places.key(&name, 0), name);
                    continue;
                };
                let mut slot = first;
                for index in 0..places.keys() {
                    prop_assert_eq!(slot.index, index);
                    prop_assert_eq!(places.previous(places.next(slot)), slot);
                    slot = places.next(slot);
                }
                prop_assert_eq!(slot, first);
            }
        }

        /// Symmetric: the keys divide the ring into arcs that are equal to within 1, and the first
        /// is the name.
        #[test]
        fn spread_keys_divide_the_ring(seed: u64, replicas in 2usize..1000) {
            let (name, places) = (key(seed), Places::new(ReplicaPlacement::Spread, replicas));
            prop_assert_eq!(places.key(&name, 0), name);
            let arc = |index: u16| {
                let next = places.key(&name, (index + 1) % replicas as u16);
                next.wrapping_sub(places.key(&name, index))
            };
            let least = Key::fraction(1, replicas as u32);
            for index in 0..replicas as u16 {
                let more = arc(index).wrapping_sub(least);
                prop_assert!(more <= Key::power_of_two(0), "{:?}", more);
            }
        }
    }

    #[test]
    fn random_keys_are_those_of_sha1() {
        let name = Key::from_bytes([7; 20]);
        let mut bytes = vec![7; 20];
        bytes.extend([0, 3]);
        let places = Places::new(ReplicaPlacement::Random, 4);
        assert_eq!(places.key(&name, 3), Key::sha1(&bytes));
    }
}
