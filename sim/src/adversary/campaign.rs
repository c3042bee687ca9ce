//! Which ID the next Sybil takes, by what the adversary knows.

use super::Strategy;
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
    /// Its place in the order in which the adversary tries them.
    pub rank: u32,
}

/// The IDs among which the adversary can choose.
#[derive(Clone, Debug)]
pub enum Reservoir {
    /// These and no others.
    Held(Vec<Identity>),
    /// Any, from so many addresses.
    Free {
        /// The number of addresses.
        addresses: u32,
    },
}

/// Places that the adversary looks at for one Sybil; then it waits for its next turn, in which it
/// may know more.
const PATIENCE: usize = 64;

/// The plan of an attack: it hears of honest nodes and names one ID after the other.
///
/// It knows what its Sybils have been told, and nothing else.
#[derive(Clone, Debug)]
pub struct Campaign {
    strategy: Strategy,
    reservoir: Reservoir,
    most: usize,
    named: usize,
    /// Honest nodes of whom it has heard.
    known: BTreeSet<Key>,
    /// The IDs of its Sybils.
    taken: BTreeSet<Key>,
    /// The honest node at which it was last, and the bit of the finger at which it is.
    place: Key,
    bit: u32,
    stream: Stream,
}

impl Campaign {
    /// An attack by `strategy` with at most `most` Sybils. `target` is the key of an attack around
    /// a key, and `nearer` tells which of two IDs is nearer to it.
    ///
    /// O(k log k) comparisons for k IDs that are held.
    pub fn new(
        strategy: Strategy,
        mut reservoir: Reservoir,
        most: usize,
        target: Option<&Key>,
        nearer: impl Fn(&Key, &Key, &Key) -> Ordering,
        mut stream: Stream,
    ) -> Self {
        match (&mut reservoir, target) {
            (Reservoir::Held(held), Some(target)) if strategy == Strategy::AroundKey => {
                held.sort_by(|a, b| nearer(target, &a.id, &b.id));
            }
            (Reservoir::Free { addresses }, Some(target)) if strategy == Strategy::AroundKey => {
                let ids = chosen_around(target, most, nearer, &mut stream);
                let identity = |(i, id): (usize, Key)| Identity {
                    id,
                    address: i as u32 % *addresses,
                    rank: i as u32,
                };
                reservoir = Reservoir::Held(ids.into_iter().enumerate().map(identity).collect());
            }
            (Reservoir::Held(held), _) if strategy == Strategy::Random => stream.shuffle(held),
            (Reservoir::Held(held), _) => held.sort_unstable_by_key(|identity| identity.id),
            (Reservoir::Free { .. }, _) => {}
        }
        Self {
            strategy,
            reservoir,
            most,
            named: 0,
            known: BTreeSet::new(),
            taken: BTreeSet::new(),
            place: Key::default(),
            bit: Key::BITS,
            stream,
        }
    }

    /// A Sybil has heard of the honest node `id`.
    pub fn hear_of(&mut self, id: Key) {
        self.known.insert(id);
    }

    /// The ID with which the next Sybil joins; `None` if all are there, or if the adversary knows
    /// of no place for one at present.
    pub fn next_identity(&mut self) -> Option<Identity> {
        if self.named >= self.most {
            return None;
        }
        let next = match self.strategy {
            Strategy::None => None,
            Strategy::Random | Strategy::AroundKey => match &self.reservoir {
                Reservoir::Held(held) => held.get(self.named).copied(),
                Reservoir::Free { .. } => Some(self.anywhere()),
            },
            // Who knows nobody has to begin somewhere.
            _ if self.known.is_empty() => self.first(),
            Strategy::Neighbours => (0..PATIENCE).find_map(|_| self.into_next_gap()),
            Strategy::Fingers => (0..PATIENCE).find_map(|_| self.into_next_finger()),
        }?;
        self.named += 1;
        self.taken.insert(next.id);
        Some(next)
    }

    fn anywhere(&mut self) -> Identity {
        let id = Key::random(&mut self.stream);
        self.identity(id)
    }

    /// An ID of its own choice.
    fn identity(&self, id: Key) -> Identity {
        let addresses = match self.reservoir {
            Reservoir::Free { addresses } => addresses,
            Reservoir::Held(_) => 1,
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
        match &self.reservoir {
            Reservoir::Held(held) => held.get(self.stream.index(held.len().max(1))).copied(),
            Reservoir::Free { .. } => Some(self.anywhere()),
        }
    }

    /// Goes on to the next gap between honest nodes, and looks for an ID that falls into it.
    fn into_next_gap(&mut self) -> Option<Identity> {
        let before = after(&self.known, &self.place)?;
        let behind = after(&self.known, &before)?;
        self.place = before;
        self.mash(before, behind)
    }

    /// Goes on to the next finger, from the longest of a node down, and looks for an ID between
    /// its beginning and the node that it leads to.
    fn into_next_finger(&mut self) -> Option<Identity> {
        if self.bit == 0 {
            self.bit = Key::BITS;
            self.place = after(&self.known, &self.place)?;
        }
        self.bit -= 1;
        let start = self.place.wrapping_add(Key::power_of_two(self.bit));
        // The first key before it that no node can have.
        let before = start.wrapping_sub(Key::power_of_two(0));
        let target = after(&self.known, &before)?;
        if target == self.place {
            // It leads around to the node itself.
            return None;
        }
        if Some(target) == after(&self.known, &self.place) {
            // This finger and all shorter ones lead to the successor.
            self.bit = 0;
            return self.mash(self.place, target);
        }
        self.mash(before, target)
    }

    /// An ID between `before` and `behind`, unless a Sybil is there already: of those that are
    /// held the one of the least rank, as a search would find it.
    fn mash(&self, before: Key, behind: Key) -> Option<Identity> {
        let within = |id: &Key| id.is_between(before, behind);
        if after(&self.taken, &before).is_some_and(|id| within(&id)) {
            return None;
        }
        match &self.reservoir {
            Reservoir::Free { .. } => {
                let id = before.wrapping_add(behind.wrapping_sub(before).half());
                within(&id).then(|| self.identity(id))
            }
            Reservoir::Held(held) => {
                let begin = held.partition_point(|identity| identity.id <= before);
                let around = held[begin..].iter().chain(&held[..begin]);
                let inside = around.take_while(|identity| within(&identity.id));
                let found = inside.min_by_key(|identity| identity.rank);
                found.copied()
            }
        }
    }
}

/// The first key of `keys` after `key`, once around the ring; `key` itself if there is no other.
fn after(keys: &BTreeSet<Key>, key: &Key) -> Option<Key> {
    let behind = keys.range((Bound::Excluded(key), Bound::Unbounded));
    behind.chain(keys).next().copied()
}

/// `count` IDs about as near to `key` as 2^-24 of the space, in every space whose points are made
/// of the words of a key: each is the nearest of a few draws that differ from the key in the last
/// bits of each word.
fn chosen_around(
    key: &Key,
    count: usize,
    nearer: impl Fn(&Key, &Key, &Key) -> Ordering,
    stream: &mut Stream,
) -> Vec<Key> {
    const DRAWS: usize = 8;
    let mut draw = |_| {
        let mut bytes = key.to_bytes();
        let fresh = Key::random(stream).to_bytes();
        for last in (3..20).step_by(4) {
            bytes[last] = fresh[last];
        }
        Key::from_bytes(bytes)
    };
    (0..count)
        .filter_map(|_| (0..DRAWS).map(&mut draw).min_by(|a, b| nearer(key, a, b)))
        .collect()
}
