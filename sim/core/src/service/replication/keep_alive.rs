//! Keep-alives: the owner of items and the holders of replicas compare the expected replicas with
//! the present ones.
//!
//! A keep-alive carries a sum of digests over all replicas that the owner expects at its receiver;
//! the order does not matter. If the receiver's own sum is equal, it does not answer. If not,
//! another node has taken over or released replicas. Then the receiver requests the full list, asks
//! for the items it lacks, and offers to their roots the items that the owner does not list.

use super::entry::{Owner, Takeover};
use super::outbox::{Outbox, forward_to};
use super::{Item, Names, ReplicationMessage, Store};
use crate::engine::{Duration, Instant, mix};
use crate::overlay::{LocalRouting, Node};
use crate::space::Key;

/// The digest of an item's name in a sum.
fn digest(key: &Key, version: u64) -> u64 {
    mix(key.prefix() ^ mix(version))
}

impl<I: Item> Store<I> {
    /// Sends keep-alives to replicas. Offers to their roots the items whose owner has been silent
    /// for `patience`, and those that this node owns without being the root. To be called
    /// periodically. Returns the keys of items that this node newly owns.
    pub fn keep_alive(
        &mut self,
        me: Node,
        routing: &dyn LocalRouting,
        now: Instant,
        patience: Duration,
        outbox: &mut Outbox<I>,
    ) -> Vec<Key> {
        self.owners
            .retain(|(_, heard)| now.since(*heard) <= patience);
        let mut holders: Vec<(Node, u64)> = Vec::new();
        let mut unsure: Vec<Key> = Vec::new();
        for (key, entry) in &mut self.items {
            match entry.owner {
                Owner::Me => {
                    let digest = digest(key, entry.item.version());
                    for copy in &entry.copies {
                        match holders.iter_mut().find(|(node, _)| *node == copy.node) {
                            Some((_, sum)) => *sum = sum.wrapping_add(digest),
                            None => holders.push((copy.node, digest)),
                        }
                    }
                    if forward_to(routing.next_hop(key)).is_some() {
                        unsure.push(*key);
                    }
                }
                Owner::Node(node) => {
                    // The new owner has had the time to create replicas of its own.
                    entry.renounce_copies(key, outbox);
                    if !self.owners.iter().any(|(owner, _)| *owner == node) {
                        unsure.push(*key);
                    }
                }
                Owner::Offered(at) => {
                    if now.since(at) > patience {
                        unsure.push(*key);
                    }
                }
            }
        }
        holders.sort_unstable();
        let keep = |(holder, sum)| (holder, ReplicationMessage::Keep(sum));
        outbox.extend(holders.into_iter().map(keep));
        let mut fresh = Vec::new();
        for key in unsure {
            match forward_to(routing.next_hop(&key)) {
                Some(next) => self.hand_over(me, key, next, now, outbox),
                None if self.take_over(key, None) == Takeover::Promoted => {
                    fresh.push(key);
                    self.replicate(routing, &key, Takeover::Promoted, None, outbox);
                }
                None => {}
            }
        }
        fresh
    }

    pub(super) fn note_owner_alive(&mut self, node: Node, now: Instant) {
        match self.owners.iter_mut().find(|(owner, _)| *owner == node) {
            Some((_, heard)) => *heard = now,
            None => self.owners.push((node, now)),
        }
    }

    /// Compares `sum`, over the replicas that `from` expects here, with the present ones; requests
    /// the full list if they differ.
    pub(super) fn compare(&self, from: Node, sum: u64, outbox: &mut Outbox<I>) {
        let copies = self.items.iter();
        let copies = copies.filter(|(_, entry)| entry.owner == Owner::Node(from));
        let here = copies.map(|(key, entry)| digest(key, entry.item.version()));
        if here.fold(0, u64::wrapping_add) != sum {
            outbox.push((from, ReplicationMessage::Recount));
        }
    }

    /// The names of all items that this node owns with a replica at `holder`.
    pub(super) fn names_at(&self, holder: Node) -> Names {
        let mine = self.items.iter();
        let mine = mine.filter(|(_, entry)| entry.owner == Owner::Me && entry.is_at(holder));
        mine.map(|(key, entry)| (*key, entry.item.version()))
            .collect()
    }

    /// Marks the replicas of `from` that are not in `names` as without an owner: the next
    /// keep-alive round offers them.
    pub(super) fn unassign_unlisted(&mut self, from: Node, names: &Names) {
        for (key, entry) in &mut self.items {
            let is_named = names.binary_search_by_key(key, |(key, _)| *key).is_ok();
            if entry.owner == Owner::Node(from) && !is_named {
                entry.owner = Owner::Offered(Instant::START);
            }
        }
    }
}
