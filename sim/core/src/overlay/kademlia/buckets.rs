//! The contacts of a node, in buckets.
//!
//! A bucket belongs to one subtree of the space: the IDs that share the digits of the node's own
//! down to some level and then differ, in a given way, in a digit of b bits (section 2.4 with b =
//! 1, section 4.2 with b > 1). So a distance determines its bucket: the level is the number of
//! leading digits 0, and the next digit gives one of the 2^b - 1 buckets of that level. Only
//! buckets that had a contact, or were refreshed, exist.
//!
//! All contacts are in one vector, bucket by bucket, the least recently seen of each first,
//! followed by its replacements: 8 bytes per contact, for the address, the number of its unanswered
//! requests, and 24 bits of its ID, so that the nearest is mostly found without reading the full
//! IDs.

use crate::engine::{Instant, Stream};
use crate::overlay::{Node, NodeIds};
use crate::space::Key;
use std::cmp::Ordering;
use std::ops::Range;

/// The subtree of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subtree {
    level: u8,
    digit: u8,
}

impl Subtree {
    /// The subtree at `level` whose distance has `digit` there, which is not 0.
    pub(super) fn new(level: u32, digit: u32) -> Self {
        Self {
            level: level as u8,
            digit: digit as u8,
        }
    }

    /// The subtree at `distance`, with digits of `b` bits; `None` for distance zero.
    pub fn at(distance: Key, b: u32) -> Option<Self> {
        let level = (Key::BITS - 1 - distance.log2()?) / b;
        Some(Self::new(level, distance.bits(level * b, b)))
    }

    /// The number of digits shared with the node's own ID.
    pub fn level(self) -> u32 {
        self.level.into()
    }

    /// The digit of the distance at its level.
    pub fn digit(self) -> u32 {
        self.digit.into()
    }

    /// A distance in the subtree, drawn uniformly.
    pub(super) fn random(self, b: u32, stream: &mut Stream) -> Key {
        // The last digit may have fewer bits.
        let end = (self.level() + 1) * b;
        let mut distance = Key::random(stream).low_bits(Key::BITS.saturating_sub(end));
        for bit in (0..b).filter(|bit| self.digit() >> bit & 1 == 1) {
            if let Some(place) = (Key::BITS + bit).checked_sub(end) {
                distance = distance.xor(Key::power_of_two(place));
            }
        }
        distance
    }
}

/// A known node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact {
    node: Node,
    /// The first 24 bits of its ID, then the number of unanswered requests.
    bits: u32,
}

/// The bits of a contact that count its failures.
const FAILURES: u32 = 0xff;

impl Contact {
    pub(super) fn new(node: Node, id: &Key) -> Self {
        Self {
            node,
            bits: id.words()[0] & !FAILURES,
        }
    }

    /// Its address.
    pub fn node(self) -> Node {
        self.node
    }

    /// The number of its consecutive unanswered requests.
    pub fn failures(self) -> u8 {
        self.bits as u8
    }

    /// The first 24 bits of its distance to `key`; the others are 0.
    pub(super) fn distance(self, key: &Key) -> u32 {
        (self.bits ^ key.words()[0]) & !FAILURES
    }

    /// Compares two contacts by closeness to `key`.
    pub(super) fn cmp_closeness(&self, other: &Self, ids: &NodeIds, key: &Key) -> Ordering {
        let exact = |contact: &Self| (ids.id(contact.node).xor(*key), contact.node);
        let rough = self.distance(key).cmp(&other.distance(key));
        rough.then_with(|| exact(self).cmp(&exact(other)))
    }
}

/// A bucket: the position of its contacts, and its maintenance.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// The time of its next refresh.
    due: Instant,
    start: u32,
    count: u16,
    replacements: u16,
    subtree: Subtree,
    /// Whether a ping to its least recently seen contact is outstanding.
    pinging: bool,
}

impl Bucket {
    fn contacts(&self) -> Range<usize> {
        let start = self.start as usize;
        start..start + usize::from(self.count)
    }

    fn replacements(&self) -> Range<usize> {
        let end = self.contacts().end;
        end..end + usize::from(self.replacements)
    }
}

/// The result of a sighting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The node was a contact already.
    Known,
    /// The node has become a contact.
    Added,
    /// Its bucket is full.
    Full {
        /// The least recently seen contact of the bucket, unless a ping to it is outstanding.
        ping: Option<Node>,
    },
    /// The node has the same ID as this node, and thus no bucket.
    OwnId,
}

/// The limits of the buckets of all nodes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Contacts per bucket.
    pub k: usize,
    /// Bits per digit.
    pub b: u32,
    /// Consecutive failures that make a contact stale.
    pub stale: u8,
    /// Replacements per bucket.
    pub replacements: usize,
    /// Whether a stale contact without a replacement is removed.
    pub remove_stale: bool,
    /// The levels whose buckets hold more than k contacts.
    pub wide: u32,
}

impl Bounds {
    /// Contacts of a bucket at `level`.
    pub fn capacity(self, level: u32) -> usize {
        self.k << self.wide.saturating_sub(level)
    }
}

/// The contacts of one node.
#[derive(Clone, Debug, Default)]
pub struct Buckets {
    /// In the order of their subtrees, the largest first.
    buckets: Vec<Bucket>,
    contacts: Vec<Contact>,
}

impl Buckets {
    /// Reserves room for exactly so many buckets and contacts.
    pub(super) fn with_capacity(buckets: usize, contacts: usize) -> Self {
        Self {
            buckets: Vec::with_capacity(buckets),
            contacts: Vec::with_capacity(contacts),
        }
    }

    /// Appends a bucket with these contacts.
    pub(super) fn append(&mut self, subtree: Subtree, contacts: impl Iterator<Item = Contact>) {
        let start = self.contacts.len();
        self.contacts.extend(contacts);
        self.buckets.push(Bucket {
            due: Instant::START,
            start: start as u32,
            count: (self.contacts.len() - start) as u16,
            replacements: 0,
            subtree,
            pinging: false,
        });
    }

    /// The buckets with their contacts, the largest subtree first, the least recently seen contact
    /// first.
    pub fn all(&self) -> impl Iterator<Item = (Subtree, &[Contact])> {
        let with_contacts = |bucket: &Bucket| (bucket.subtree, &self.contacts[bucket.contacts()]);
        self.buckets.iter().map(with_contacts)
    }

    /// The replacements of a bucket, the most recently seen last.
    pub fn replacements(&self, subtree: Subtree) -> &[Contact] {
        match self.find(subtree) {
            Ok(place) => &self.contacts[self.buckets[place].replacements()],
            Err(_) => &[],
        }
    }

    /// The number of buckets.
    pub(super) fn len(&self) -> usize {
        self.buckets.len()
    }

    fn find(&self, subtree: Subtree) -> Result<usize, usize> {
        self.buckets
            .binary_search_by_key(&subtree, |bucket| bucket.subtree)
    }

    /// The index of the bucket for `subtree`; creates it if necessary, with a refresh at `due`.
    pub(super) fn ensure(&mut self, subtree: Subtree, due: Instant) -> usize {
        self.find(subtree).unwrap_or_else(|place| {
            let last = place.checked_sub(1).map(|before| self.buckets[before]);
            let bucket = Bucket {
                due,
                start: last.map_or(0, |last| last.replacements().end) as u32,
                count: 0,
                replacements: 0,
                subtree,
                pinging: false,
            };
            self.buckets.insert(place, bucket);
            place
        })
    }

    fn insert(&mut self, bucket: usize, at: usize, contact: Contact) {
        self.contacts.insert(at, contact);
        for later in &mut self.buckets[bucket + 1..] {
            later.start += 1;
        }
    }

    fn remove(&mut self, bucket: usize, at: usize) {
        self.contacts.remove(at);
        for later in &mut self.buckets[bucket + 1..] {
            later.start -= 1;
        }
    }

    fn position(&self, within: Range<usize>, node: Node) -> Option<usize> {
        let start = within.start;
        let place = self.contacts[within].iter().position(|c| c.node == node);
        place.map(|place| start + place)
    }

    /// Records a sighting of `node`, at `distance` with `id`: it moves to the end of its bucket. A
    /// new node replaces a stale one or takes a free place; a full bucket keeps it as a replacement
    /// (sections 2.2 and 4.1).
    ///
    /// O(k) within the bucket, O(contacts) for a new one. `due` is the time of the first refresh of
    /// a new bucket.
    pub fn see(
        &mut self,
        bounds: Bounds,
        distance: Key,
        id: &Key,
        node: Node,
        due: Instant,
    ) -> Seen {
        let Some(subtree) = Subtree::at(distance, bounds.b) else {
            return Seen::OwnId;
        };
        let place = self.ensure(subtree, due);
        let bucket = self.buckets[place];
        let (range, fresh) = (bucket.contacts(), Contact::new(node, id));
        if let Some(at) = self.position(range.clone(), node) {
            self.contacts[at..range.end].rotate_left(1);
            self.contacts[range.end - 1] = fresh;
            return Seen::Known;
        }
        let mut contacts = self.contacts[range.clone()].iter();
        if let Some(stale) = contacts.position(|c| c.failures() >= bounds.stale) {
            self.contacts[range.start + stale..range.end].rotate_left(1);
            self.contacts[range.end - 1] = fresh;
            self.forget_replacement(place, node);
            return Seen::Added;
        }
        if range.len() < bounds.capacity(subtree.level()) {
            self.forget_replacement(place, node);
            self.insert(place, range.end, fresh);
            self.buckets[place].count += 1;
            return Seen::Added;
        }
        self.forget_replacement(place, node);
        if bounds.replacements > 0 {
            let spares = self.buckets[place].replacements();
            if spares.len() == bounds.replacements {
                self.contacts[spares.clone()].rotate_left(1);
                self.contacts[spares.end - 1] = fresh;
            } else {
                self.insert(place, spares.end, fresh);
                self.buckets[place].replacements += 1;
            }
        }
        let ping = (!bucket.pinging).then(|| self.contacts[range.start].node);
        Seen::Full { ping }
    }

    fn forget_replacement(&mut self, bucket: usize, node: Node) {
        if let Some(at) = self.position(self.buckets[bucket].replacements(), node) {
            self.remove(bucket, at);
            self.buckets[bucket].replacements -= 1;
        }
    }

    /// Records an unanswered request to `node`, at `distance`. A stale contact is replaced by the
    /// newest replacement; without one it stays (section 4.1), in case the node itself was
    /// disconnected. True if the contacts that messages are routed to have changed.
    pub fn fail(&mut self, bounds: Bounds, distance: Key, node: Node) -> bool {
        let Some((place, at)) = self.locate(bounds.b, distance, node) else {
            return false;
        };
        let contact = &mut self.contacts[at];
        let was_sound = contact.failures() == 0;
        if contact.failures() < u8::MAX {
            contact.bits += 1;
        }
        let is_stale = contact.failures() >= bounds.stale;
        let bucket = self.buckets[place];
        if is_stale && bucket.replacements == 0 && bounds.remove_stale {
            self.remove(place, at);
            self.buckets[place].count -= 1;
            return true;
        }
        if !is_stale || bucket.replacements == 0 {
            return was_sound;
        }
        // It was seen less recently than the others, so it goes to the front.
        let newest = bucket.replacements().end - 1;
        self.contacts[at] = self.contacts[newest];
        self.contacts[bucket.start as usize..=at].rotate_right(1);
        self.remove(place, newest);
        self.buckets[place].replacements -= 1;
        true
    }

    /// Removes the contact `node`, at `distance`; true if it was one.
    pub fn evict(&mut self, bounds: Bounds, distance: Key, node: Node) -> bool {
        let Some((place, at)) = self.locate(bounds.b, distance, node) else {
            return false;
        };
        self.remove(place, at);
        self.buckets[place].count -= 1;
        true
    }

    /// The contacts of the bucket at `distance`.
    pub(super) fn contacts_at(&self, b: u32, distance: Key) -> &[Contact] {
        let place = Subtree::at(distance, b).map(|subtree| self.find(subtree));
        match place {
            Some(Ok(place)) => &self.contacts[self.buckets[place].contacts()],
            _ => &[],
        }
    }

    /// The contacts and replacements of the bucket at `distance`.
    pub(super) fn entries_at(&self, b: u32, distance: Key) -> &[Contact] {
        let place = Subtree::at(distance, b).map(|subtree| self.find(subtree));
        match place {
            Some(Ok(place)) => {
                let bucket = self.buckets[place];
                &self.contacts[bucket.start as usize..bucket.replacements().end]
            }
            _ => &[],
        }
    }

    /// The contacts and replacements of all buckets.
    pub(super) fn entries(&self) -> &[Contact] {
        &self.contacts
    }

    fn locate(&self, b: u32, distance: Key, node: Node) -> Option<(usize, usize)> {
        let place = self.find(Subtree::at(distance, b)?).ok()?;
        let at = self.position(self.buckets[place].contacts(), node)?;
        Some((place, at))
    }

    /// Sets whether a ping to the least recently seen contact of the bucket at `distance` is
    /// outstanding.
    pub(super) fn set_pinging(&mut self, b: u32, distance: Key, pinging: bool) {
        let place = Subtree::at(distance, b).map(|subtree| self.find(subtree));
        if let Some(Ok(place)) = place {
            self.buckets[place].pinging = pinging;
        }
    }

    /// Clears all outstanding pings.
    pub(super) fn end_pings(&mut self) {
        self.buckets
            .iter_mut()
            .for_each(|bucket| bucket.pinging = false);
    }

    /// The contacts of the bucket with this index in [`all`](Self::all).
    pub(super) fn contacts_in(&self, place: usize) -> &[Contact] {
        &self.contacts[self.buckets[place].contacts()]
    }

    /// The time of the next refresh of each bucket.
    pub(super) fn dues(&mut self) -> impl Iterator<Item = (Subtree, &mut Instant)> {
        self.buckets
            .iter_mut()
            .map(|bucket| (bucket.subtree, &mut bucket.due))
    }

    /// Sets the time of the next refresh of `subtree` to `due`.
    pub(super) fn put_off(&mut self, subtree: Subtree, due: Instant) {
        if let Ok(place) = self.find(subtree) {
            self.buckets[place].due = due;
        }
    }
}
