//! Keep-alives: the owner of items and those who hold copies for it compare what it counts on with
//! what is there.
//!
//! A keep-alive carries a sum over the names of all copies on which the owner counts at its receiver;
//! the order of the names does not matter. As long as the holder comes to the same sum nothing more
//! is said. If not, somebody else has taken over copies, or released them: the holder has the owner
//! name all, asks for what it lacks, and offers to its root what the owner does not count on.

use super::entry::{Owner, Takeover};
use super::outbox::{Outbox, forward_to};
use super::{Item, Names, ReplicationMessage, Store};
use crate::engine::{Duration, Instant, mix};
use crate::overlay::{LocalRouting, Node};
use crate::space::Key;

/// What the name of an item adds to a sum.
fn digest(key: &Key, version: u64) -> u64 {
    mix(key.prefix() ^ mix(version))
}

impl<I: Item> Store<I> {
    /// Says to those who hold copies that they are looked after, and offers what nobody has looked
    /// after for `patience`, and what this node looks after without being the root, to its root.
    /// To be called from time to time. Gives the keys of what is new to this node to look after.
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
                    // Who looks after the item now has had the time to ask for copies of its own.
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

    /// `from` counts on copies here whose names have this sum.
    pub(super) fn compare(&self, from: Node, sum: u64, outbox: &mut Outbox<I>) {
        let copies = self.items.iter();
        let copies = copies.filter(|(_, entry)| entry.owner == Owner::Node(from));
        let here = copies.map(|(key, entry)| digest(key, entry.item.version()));
        if here.fold(0, u64::wrapping_add) != sum {
            outbox.push((from, ReplicationMessage::Recount));
        }
    }

    /// The names of all that this node looks after with a copy at `holder`.
    pub(super) fn names_at(&self, holder: Node) -> Names {
        let mine = self.items.iter();
        let mine = mine.filter(|(_, entry)| entry.owner == Owner::Me && entry.is_at(holder));
        mine.map(|(key, entry)| (*key, entry.item.version()))
            .collect()
    }

    /// `from` counts on copies of `names` here, and on no others: those wait for the next reminder, as
    /// what nobody looks after does.
    pub(super) fn unassign_unlisted(&mut self, from: Node, names: &Names) {
        for (key, entry) in &mut self.items {
            let is_named = names.binary_search_by_key(key, |(key, _)| *key).is_ok();
            if entry.owner == Owner::Node(from) && !is_named {
                entry.owner = Owner::Offered(Instant::START);
            }
        }
    }
}
