//! Choice of the next Sybil's ID from what the adversary knows.

use super::Strategy;
use super::key_index::on_arc;
use crate::engine::Stream;
use crate::space::Key;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Bound;

/// An ID that the adversary may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The ID.
    pub id: Key,
    /// Which of the adversary's addresses it belongs to.
    pub address: u32,
    /// Its rank in the adversary's search order.
    pub rank: u32,
}

/// The IDs from which the adversary chooses.
#[derive(Clone, Debug)]
pub enum IdSupply {
    /// These IDs only.
    Listed(Vec<Identity>),
    /// Any ID, from this many addresses.
    Chosen {
        /// The number of addresses.
        addresses: u32,
    },
}

/// Places that the adversary tries for one Sybil; then it waits for its next turn, when it may know
/// more.
const PATIENCE: usize = 64;

/// Plan of an attack: it learns of honest nodes and chooses one Sybil ID after the other.
///
/// It knows only what its Sybils have learnt.
#[derive(Clone, Debug)]
pub struct SybilPlacement {
    strategy: Strategy,
    id_supply: IdSupply,
    most: usize,
    named: usize,
    /// The honest nodes that it knows.
    known: BTreeSet<Key>,
    /// The IDs of its Sybils.
    taken: BTreeSet<Key>,
    /// The honest node of the last attempt, and the bit of the finger.
    place: Key,
    bit: u32,
    /// Honest nodes tried since it last learnt of a new one.
    passed: usize,
    stream: Stream,
}

impl SybilPlacement {
    /// An attack by `strategy` with at most `most` Sybils. `target` is the key of an attack around
    /// a key, and `cmp_closeness` compares the distances of two IDs to it.
    ///
    /// O(k log k) comparisons for k listed IDs.
    pub fn new(
        strategy: Strategy,
        mut id_supply: IdSupply,
        most: usize,
        target: Option<&Key>,
        cmp_closeness: impl Fn(&Key, &Key, &Key) -> Ordering,
        mut stream: Stream,
    ) -> Self {
        match (&mut id_supply, target) {
            (IdSupply::Listed(listed), Some(target)) if strategy == Strategy::AroundKey => {
                listed.sort_by(|a, b| cmp_closeness(target, &a.id, &b.id));
            }
            (IdSupply::Chosen { addresses }, Some(target)) if strategy == Strategy::AroundKey => {
                let ids = chosen_around(target, most, cmp_closeness, &mut stream);
                let identity = |(i, id): (usize, Key)| Identity {
                    id,
                    address: i as u32 % *addresses,
                    rank: i as u32,
                };
                id_supply = IdSupply::Listed(ids.into_iter().enumerate().map(identity).collect());
            }
            (IdSupply::Listed(listed), _) if strategy == Strategy::Random => stream.shuffle(listed),
            (IdSupply::Listed(listed), _) => listed.sort_unstable_by_key(|identity| identity.id),
            (IdSupply::Chosen { .. }, _) => {}
        }
        Self {
            strategy,
            id_supply,
            most,
            named: 0,
            known: BTreeSet::new(),
            taken: BTreeSet::new(),
            place: Key::default(),
            bit: Key::BITS,
            passed: 0,
            stream,
        }
    }

    /// A Sybil has learnt of the honest node `id`.
    pub fn learn_node(&mut self, id: Key) {
        if self.known.insert(id) {
            self.passed = 0;
        }
    }

    /// Whether it chooses no more IDs, whatever it may learn.
    pub fn is_over(&self) -> bool {
        let listed = match (&self.strategy, &self.id_supply) {
            (Strategy::None, _) => 0,
            (_, IdSupply::Listed(listed)) => listed.len(),
            (_, IdSupply::Chosen { .. }) => usize::MAX,
        };
        self.named >= self.most.min(listed)
    }

    /// The ID with which the next Sybil joins; `None` if all have joined, or if the adversary
    /// currently knows no place for one.
    pub fn next_identity(&mut self) -> Option<Identity> {
        if self.is_over() {
            return None;
        }
        let next = match self.strategy {
            Strategy::None => None,
            Strategy::Random | Strategy::AroundKey => match &self.id_supply {
                IdSupply::Listed(listed) => listed.get(self.named).copied(),
                IdSupply::Chosen { .. } => Some(self.random_identity()),
            },
            // Without known nodes any ID serves as a start.
            _ if self.known.is_empty() => self.first(),
            // Every place was tried, and nothing has changed since.
            _ if self.passed > self.known.len() => None,
            Strategy::Neighbours => (0..PATIENCE).find_map(|_| self.fill_next_gap()),
            Strategy::Fingers => (0..PATIENCE).find_map(|_| self.fill_next_finger()),
        }?;
        self.named += 1;
        self.taken.insert(next.id);
        Some(next)
    }

    fn random_identity(&mut self) -> Identity {
        let id = Key::random(&mut self.stream);
        self.identity(id)
    }

    /// A freely chosen ID.
    fn identity(&self, id: Key) -> Identity {
        let addresses = match self.id_supply {
            IdSupply::Chosen { addresses } => addresses,
            IdSupply::Listed(_) => 1,
        };
        Identity {
            id,
            address: self.named as u32 % addresses,
            rank: self.named as u32,
        }
    }

    fn first(&mut self) -> Option<Identity> {
        if !self.taken.is_empty() {
            return None;
        }
        match &self.id_supply {
            IdSupply::Listed(listed) => listed.get(self.stream.index(listed.len().max(1))).copied(),
            IdSupply::Chosen { .. } => Some(self.random_identity()),
        }
    }

    /// Advances to the next gap between honest nodes, and looks for an ID in it.
    fn fill_next_gap(&mut self) -> Option<Identity> {
        let before = after(&self.known, &self.place)?;
        let behind = after(&self.known, &before)?;
        self.place = before;
        self.passed += 1;
        self.mash(before, behind)
    }

    /// Advances to the next finger, from the longest of a node down, and looks for an ID between
    /// its start and the node that it points to.
    fn fill_next_finger(&mut self) -> Option<Identity> {
        if self.bit == 0 {
            self.bit = Key::BITS;
            self.place = after(&self.known, &self.place)?;
            self.passed += 1;
        }
        self.bit -= 1;
        let start = self.place.wrapping_add(Key::power_of_two(self.bit));
        // The start itself belongs to the finger's arc.
        let before = start.wrapping_sub(Key::power_of_two(0));
        let target = after(&self.known, &before)?;
        if target == self.place {
            // The finger wraps around to the node itself.
            return None;
        }
        if Some(target) == after(&self.known, &self.place) {
            // This finger and all shorter ones point to the successor.
            self.bit = 0;
            return self.mash(self.place, target);
        }
        self.mash(before, target)
    }

    /// An ID between `before` and `behind`, unless a Sybil is there already. Of several listed IDs
    /// it is the one of least rank, as a search would find it.
    fn mash(&self, before: Key, behind: Key) -> Option<Identity> {
        let within = |id: &Key| id.is_between(before, behind);
        if after(&self.taken, &before).is_some_and(|id| within(&id)) {
            return None;
        }
        match &self.id_supply {
            IdSupply::Chosen { .. } => {
                let id = before.wrapping_add(behind.wrapping_sub(before).half());
                within(&id).then(|| self.identity(id))
            }
            IdSupply::Listed(listed) => {
                let inside = on_arc(listed, |identity| identity.id, before, behind);
                let found = inside.min_by_key(|identity| identity.rank);
                found.copied()
            }
        }
    }
}

/// The first key of `keys` clockwise after `key`; `key` itself if there is no other.
fn after(keys: &BTreeSet<Key>, key: &Key) -> Option<Key> {
    let behind = keys.range((Bound::Excluded(key), Bound::Unbounded));
    behind.chain(keys).next().copied()
}

/// `count` IDs within about 2^-24 of the space around `key`, in every space whose points are made
/// of the words of a key. Each is the nearest of a few draws that differ from the key in the last
/// byte of each word: half of the draws replace the byte, the others add to it. Replacing stays
/// near by XOR; adding stays near clockwise on a ring, even across a carry.
fn chosen_around(
    key: &Key,
    count: usize,
    cmp_closeness: impl Fn(&Key, &Key, &Key) -> Ordering,
    stream: &mut Stream,
) -> Vec<Key> {
    const DRAWS: usize = 8;
    let mut draw = |i: usize| {
        let mut bytes = key.to_bytes();
        let fresh = Key::random(stream).to_bytes();
        for (word, fresh) in bytes.chunks_exact_mut(4).zip(fresh.chunks_exact(4)) {
            if i.is_multiple_of(2) {
                word[3] = fresh[3];
            } else {
                let near = u32::from_be_bytes([word[0], word[1], word[2], word[3]]);
                let near = near.wrapping_add(fresh[3].into());
                word.copy_from_slice(&near.to_be_bytes());
            }
        }
        Key::from_bytes(bytes)
    };
    (0..count)
        .filter_map(|_| {
            (0..DRAWS)
                .map(&mut draw)
                .min_by(|a, b| cmp_closeness(key, a, b))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    // Proptest has a trait of this name.
    use crate::adversary::Strategy;
    use crate::engine::Seed;
    use crate::space::key::tests::keys;
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    fn on_ring(key: &Key, a: &Key, b: &Key) -> Ordering {
        a.wrapping_sub(*key).cmp(&b.wrapping_sub(*key))
    }

    fn by_xor(key: &Key, a: &Key, b: &Key) -> Ordering {
        a.xor(*key).cmp(&b.xor(*key))
    }

    fn listed(ids: &BTreeSet<Key>) -> Vec<Identity> {
        let identity = |(rank, id): (u32, &Key)| Identity {
            id: *id,
            address: 0,
            rank,
        };
        (0..).zip(ids).map(identity).collect()
    }

    fn sybil_placement(
        strategy: Strategy,
        id_supply: IdSupply,
        most: usize,
        target: Option<Key>,
    ) -> SybilPlacement {
        let stream = Seed::new(7).stream("adversary", 0);
        SybilPlacement::new(strategy, id_supply, most, target.as_ref(), on_ring, stream)
    }

    /// Asks for IDs often enough to try every place.
    fn all(sybil_placement: &mut SybilPlacement, asked: usize) -> Vec<Identity> {
        (0..asked)
            .filter_map(|_| sybil_placement.next_identity())
            .collect()
    }

    /// The gap between honest nodes that holds an ID, given by its end.
    fn gap(honest: &BTreeSet<Key>, id: &Key) -> Key {
        *honest.range(id..).chain(honest).next().expect("a node")
    }

    proptest! {
        /// In each gap the listed ID of least rank is chosen, and no other: the adversary knows all
        /// honest nodes but one before it begins.
        #[test]
        fn gaps_are_filled_once_by_the_first_that_fits(
            honest in btree_set(keys(), 2..40),
            ids in btree_set(keys(), 1..60),
            most in 1usize..80,
        ) {
            prop_assume!(honest.is_disjoint(&ids));
            let id_supply = IdSupply::Listed(listed(&ids));
            let mut sybil_placement = sybil_placement(Strategy::Neighbours, id_supply, most, None);
            honest.iter().for_each(|id| sybil_placement.learn_node(*id));
            let named = all(&mut sybil_placement, 200);
            let mut first: Vec<(Key, u32)> = Vec::new();
            for identity in listed(&ids) {
                let gap = gap(&honest, &identity.id);
                if first.iter().all(|(other, _)| *other != gap) {
                    first.push((gap, identity.rank));
                }
            }
            prop_assert_eq!(named.len(), first.len().min(most));
            let mut gaps = BTreeSet::new();
            for identity in &named {
                let gap = gap(&honest, &identity.id);
                prop_assert!(gaps.insert(gap));
                prop_assert!(first.contains(&(gap, identity.rank)));
            }
        }

        /// An attacked finger points to the Sybil afterwards: the Sybil lies between the finger's
        /// start and its former node.
        #[test]
        fn fingers_are_led_astray(
            honest in btree_set(keys(), 2..20),
            ids in btree_set(keys(), 1..60),
        ) {
            prop_assume!(honest.is_disjoint(&ids));
            let id_supply = IdSupply::Listed(listed(&ids));
            let mut sybil_placement = sybil_placement(Strategy::Fingers, id_supply, usize::MAX, None);
            honest.iter().for_each(|id| sybil_placement.learn_node(*id));
            let mut taken: BTreeSet<Key> = BTreeSet::new();
            for identity in all(&mut sybil_placement, 300) {
                let starts = honest.iter().flat_map(|id| {
                    (0..Key::BITS).map(move |bit| (*id, id.wrapping_add(Key::power_of_two(bit))))
                });
                let with_sybils: BTreeSet<Key> = honest.union(&taken).copied().collect();
                let mut moved = starts.filter(|(id, start)| {
                    let target = gap(&with_sybils, start);
                    target != *id && identity.id.wrapping_sub(*start) < target.wrapping_sub(*start)
                });
                prop_assert!(moved.next().is_some());
                prop_assert!(ids.contains(&identity.id) && taken.insert(identity.id));
            }
        }

        /// Around a key the nearest listed IDs come first, each once.
        #[test]
        fn around_a_key_the_nearest_come_first(
            ids in btree_set(keys(), 1..60),
            target in keys(),
            most in 1usize..80,
        ) {
            let id_supply = IdSupply::Listed(listed(&ids));
            let mut sybil_placement = sybil_placement(Strategy::AroundKey, id_supply, most, Some(target));
            let named: Vec<Key> = all(&mut sybil_placement, 100).iter().map(|named| named.id).collect();
            prop_assert!(sybil_placement.is_over());
            let mut nearest: Vec<Key> = ids.iter().copied().collect();
            nearest.sort_by(|a, b| on_ring(&target, a, b));
            nearest.truncate(most);
            prop_assert_eq!(named, nearest);
        }

        /// Freely chosen IDs are nearer to the key than the nearest of 2^23 nodes, wherever the key
        /// lies, on the ring and by XOR.
        #[test]
        fn chosen_ids_lie_around_the_key(target in keys(), last in vec(any::<bool>(), 5)) {
            // Words with a full last byte are exceeded only by a carry.
            let mut bytes = target.to_bytes();
            for (word, full) in bytes.chunks_exact_mut(4).zip(&last) {
                if *full {
                    word.fill(0xff);
                }
            }
            let target = Key::from_bytes(bytes);
            let cmp_closeness: [fn(&Key, &Key, &Key) -> Ordering; 2] = [on_ring, by_xor];
            for (cmp_closeness, distance) in cmp_closeness.into_iter().zip([
                (|id, key| Key::wrapping_sub(id, key)) as fn(Key, Key) -> Key,
                Key::xor,
            ]) {
                let mut stream = Seed::new(7).stream("adversary", 0);
                for id in chosen_around(&target, 20, cmp_closeness, &mut stream) {
                    prop_assert!(distance(id, target) < Key::power_of_two(Key::BITS - 23));
                }
            }
        }
    }

    #[test]
    fn it_knows_nobody_at_first_and_learns() {
        let ids: BTreeSet<Key> = (0..40u8).map(|i| Key::sha1(&[i])).collect();
        for strategy in [Strategy::Neighbours, Strategy::Fingers] {
            let mut sybil_placement =
                sybil_placement(strategy, IdSupply::Listed(listed(&ids)), 40, None);
            let first = sybil_placement.next_identity().expect("somewhere");
            assert!(ids.contains(&first.id));
            assert_eq!(sybil_placement.next_identity(), None);
            assert!(!sybil_placement.is_over());
            sybil_placement.learn_node(Key::sha1(b"a"));
            sybil_placement.learn_node(Key::sha1(b"b"));
            let named = all(&mut sybil_placement, 40);
            assert!(!named.is_empty() && !named.contains(&first));
        }
        let mut none = sybil_placement(Strategy::None, IdSupply::Listed(listed(&ids)), 40, None);
        assert!(none.is_over() && none.next_identity().is_none());
    }

    #[test]
    fn who_may_choose_takes_the_middle_of_a_gap_and_its_addresses_in_turn() {
        let free = IdSupply::Chosen { addresses: 3 };
        let mut middle = sybil_placement(Strategy::Neighbours, free.clone(), 50, None);
        let honest: Vec<Key> = (0..8u8).map(|i| Key::sha1(&[i])).collect();
        honest.iter().for_each(|id| middle.learn_node(*id));
        let named = all(&mut middle, 100);
        assert_eq!(named.len(), honest.len());
        for (i, identity) in named.iter().enumerate() {
            assert_eq!(identity.address as usize, i % 3);
            let ahead = |id: &&Key| id.wrapping_sub(identity.id);
            let behind = |id: &&Key| identity.id.wrapping_sub(**id);
            let ahead = honest.iter().map(|id| ahead(&id)).min().expect("a node");
            let behind = honest.iter().map(|id| behind(&id)).min().expect("a node");
            assert!(
                ahead.wrapping_sub(behind) <= Key::power_of_two(0),
                "{identity:?}"
            );
        }
        let mut random = sybil_placement(Strategy::Random, free, 50, None);
        let named: BTreeSet<Key> = all(&mut random, 100).iter().map(|named| named.id).collect();
        assert_eq!(named.len(), 50);
    }
}
