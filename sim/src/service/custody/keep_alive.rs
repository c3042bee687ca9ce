//! Keep-alives: the owner of items and those who hold copies for it compare what it counts on with
//! what is there.
//!
//! A keep-alive carries a sum over the names of all copies on which the owner counts at its receiver;
//! the order of the names does not matter. As long as the holder comes to the same sum nothing more
//! is said. If not, somebody else has taken over copies, or released them: the holder has the owner
//! name all, asks for what it lacks, and offers to its root what the owner does not count on.

use super::held::{Adoption, Keeper};
use super::letters::{Letters, onward};
use super::{Custody, Item, Names, Store};
use crate::engine::{Instant, Span, mix};
use crate::overlay::{Node, View};
use crate::space::Key;

/// What the name of an item adds to a sum.
fn digest(key: &Key, version: u64) -> u64 {
    mix(key.prefix() ^ mix(version))
}

impl<I: Item> Store<I> {
    /// Says to those who hold copies that they are looked after, and offers what nobody has looked
    /// after for `patience`, and what this node looks after without being the root, to its root.
    /// To be called from time to time. Gives the keys of what is new to this node to look after.
    pub fn remind(
        &mut self,
        me: Node,
        view: &dyn View,
        now: Instant,
        patience: Span,
        letters: &mut Letters<I>,
    ) -> Vec<Key> {
        self.keepers
            .retain(|(_, heard)| now.since(*heard) <= patience);
        let mut holders: Vec<(Node, u64)> = Vec::new();
        let mut unsure: Vec<Key> = Vec::new();
        for (key, held) in &mut self.items {
            match held.keeper {
                Keeper::Me => {
                    let digest = digest(key, held.item.version());
                    for copy in &held.copies {
                        match holders.iter_mut().find(|(node, _)| *node == copy.node) {
                            Some((_, sum)) => *sum = sum.wrapping_add(digest),
                            None => holders.push((copy.node, digest)),
                        }
                    }
                    if onward(view.next_hop(key)).is_some() {
                        unsure.push(*key);
                    }
                }
                Keeper::Node(node) => {
                    // Who looks after the item now has had the time to ask for copies of its own.
                    held.dismiss(key, letters);
                    if !self.keepers.iter().any(|(keeper, _)| *keeper == node) {
                        unsure.push(*key);
                    }
                }
                Keeper::Offered(at) => {
                    if now.since(at) > patience {
                        unsure.push(*key);
                    }
                }
            }
        }
        holders.sort_unstable();
        let keep = |(holder, sum)| (holder, Custody::Keep(sum));
        letters.extend(holders.into_iter().map(keep));
        let mut fresh = Vec::new();
        for key in unsure {
            match onward(view.next_hop(&key)) {
                Some(next) => self.hand_over(me, key, next, now, letters),
                None if self.adopt(key, None) == Adoption::TakenOver => {
                    fresh.push(key);
                    self.replicate(view, &key, Adoption::TakenOver, None, letters);
                }
                None => {}
            }
        }
        fresh
    }

    pub(super) fn hear_of(&mut self, node: Node, now: Instant) {
        match self.keepers.iter_mut().find(|(keeper, _)| *keeper == node) {
            Some((_, heard)) => *heard = now,
            None => self.keepers.push((node, now)),
        }
    }

    /// `from` counts on copies here whose names have this sum.
    pub(super) fn compare(&self, from: Node, sum: u64, letters: &mut Letters<I>) {
        let copies = self.items.iter();
        let copies = copies.filter(|(_, held)| held.keeper == Keeper::Node(from));
        let here = copies.map(|(key, held)| digest(key, held.item.version()));
        if here.fold(0, u64::wrapping_add) != sum {
            letters.push((from, Custody::Recount));
        }
    }

    /// The names of all that this node looks after with a copy at `holder`.
    pub(super) fn names_at(&self, holder: Node) -> Names {
        let mine = self.items.iter();
        let mine = mine.filter(|(_, held)| held.keeper == Keeper::Me && held.is_at(holder));
        mine.map(|(key, held)| (*key, held.item.version()))
            .collect()
    }

    /// `from` counts on copies of `names` here, and on no others: those wait for the next reminder, as
    /// what nobody looks after does.
    pub(super) fn disown_others(&mut self, from: Node, names: &Names) {
        for (key, held) in &mut self.items {
            let is_named = names.binary_search_by_key(key, |(key, _)| *key).is_ok();
            if held.keeper == Keeper::Node(from) && !is_named {
                held.keeper = Keeper::Offered(Instant::START);
            }
        }
    }
}
