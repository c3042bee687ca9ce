//! The items on one node: how they come, are handed over and go.

use super::held::{Adoption, Held, Keeper};
use super::letters::{self, Letters, onward};
use super::{Custody, Item, Items, Names};
use crate::engine::Instant;
use crate::overlay::{NextHop, Node, View};
use crate::space::Key;
use std::collections::BTreeMap;

/// The items on one node.
#[derive(Clone, Debug)]
pub struct Store<I> {
    pub(super) items: BTreeMap<Key, Held<I>>,
    /// Who looks after copies here, and when it was heard of last.
    pub(super) keepers: Vec<(Node, Instant)>,
    replicas: usize,
    /// What came and what went since somebody asked.
    changes: Vec<Change>,
    /// This node, once it has offered something.
    me: Option<Node>,
}

/// An item has come to a node, or is there no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has come.
    Came(Key),
    /// It is gone.
    Went(Key),
}

impl<I: Item> Store<I> {
    /// A store on a node of a network that has `replicas` >= 1 of each item, that of the root
    /// included.
    pub fn new(replicas: usize) -> Self {
        Self {
            items: BTreeMap::new(),
            keepers: Vec::new(),
            replicas,
            changes: Vec::new(),
            me: None,
        }
    }

    /// The item with `key`, if it is here. O(log k) for k items.
    pub fn get(&self, key: &Key) -> Option<&I> {
        self.items.get(key).map(|held| &held.item)
    }

    /// All items here, by their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &I)> {
        self.items.iter().map(|(key, held)| (key, &held.item))
    }

    /// How many items are here.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing is here.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether this node looks after the item with `key`.
    pub fn looks_after(&self, key: &Key) -> bool {
        self.items
            .get(key)
            .is_some_and(|held| held.keeper == Keeper::Me)
    }

    /// Whether all that is here are copies for others, who look after it.
    pub fn has_only_copies(&self) -> bool {
        self.items
            .values()
            .all(|held| matches!(held.keeper, Keeper::Node(_)))
    }

    /// Offers all that this node looks after to `heir`, which will be the root of it when this node
    /// has left.
    pub fn bequeath(&mut self, me: Node, heir: Node, now: Instant, letters: &mut Letters<I>) {
        let is_mine = |held: &Held<I>| !matches!(held.keeper, Keeper::Node(_));
        let items = self.items.iter().filter(|(_, held)| is_mine(held));
        let keys: Vec<Key> = items.map(|(key, _)| *key).collect();
        for key in keys {
            self.hand_over(me, key, (heir, true), now, letters);
        }
    }

    /// Changes the item with `key`, if it is here, and has the copies changed, too, if this node
    /// looks after it.
    pub fn change(&mut self, key: &Key, change: impl FnOnce(&mut I), letters: &mut Letters<I>) {
        if let Some(held) = self.items.get_mut(key) {
            change(&mut held.item);
            if held.keeper == Keeper::Me {
                for copy in &held.copies {
                    letters::copy(letters, copy.node, *key, &held.item);
                }
            }
        }
    }

    /// Forgets the item with `key` here.
    pub fn remove(&mut self, key: &Key) -> Option<I> {
        let held = self.items.remove(key)?;
        self.changes.push(Change::Went(*key));
        Some(held.item)
    }

    /// What has come to this node and gone from it since it was asked last, in order.
    pub fn changes(&mut self) -> impl Iterator<Item = Change> {
        self.changes.drain(..)
    }

    fn insert(&mut self, key: Key, item: I, keeper: Keeper) {
        self.items.insert(key, Held::new(item, keeper));
        self.changes.push(Change::Came(key));
    }

    /// Brings `items` to their roots: takes in those whose root this node is, or is held to be,
    /// and sends on the others, all for one next hop together. Gives the keys of what is new to
    /// this node to look after, or has changed.
    pub fn take(
        &mut self,
        view: &dyn View,
        items: Items<I>,
        holder: Option<Node>,
        last: bool,
        letters: &mut Letters<I>,
    ) -> Vec<Key> {
        let mut fresh = Vec::new();
        for (key, item) in items {
            match onward(view.next_hop(&key)) {
                Some(next) if !last => letters::take(letters, next, holder, key, item),
                _ => {
                    let told = item.version();
                    let adoption = self.adopt(key, Some(item));
                    if adoption != Adoption::Known {
                        fresh.push(key);
                    }
                    // Who hands an item over has had copies made; nobody else has.
                    let adoption = match (adoption, holder) {
                        (Adoption::Changed, Some(_)) => Adoption::Behind,
                        _ => adoption,
                    };
                    self.replicate(view, &key, adoption, None, letters);
                    if let Some(holder) = holder {
                        self.answer(&key, holder, told, letters);
                    }
                }
            }
        }
        fresh
    }

    /// Looks after the item with `key`, which is here or is `item`, from now on.
    pub(super) fn adopt(&mut self, key: Key, item: Option<I>) -> Adoption {
        match (self.items.get_mut(&key), item) {
            (Some(held), item) => {
                let was_mine = std::mem::replace(&mut held.keeper, Keeper::Me) == Keeper::Me;
                match item.is_some_and(|item| held.item.merge(item)) {
                    true => Adoption::Changed,
                    false if was_mine => Adoption::Known,
                    false => Adoption::TakenOver,
                }
            }
            (None, Some(item)) => {
                self.insert(key, item, Keeper::Me);
                Adoption::Changed
            }
            (None, None) => Adoption::Known,
        }
    }

    /// Has the replica set hold copies of an item that this node looks after, and nobody else once
    /// all of these are there. `gone` is no part of it, whatever the overlay holds of that node.
    pub(super) fn replicate(
        &mut self,
        view: &dyn View,
        key: &Key,
        adoption: Adoption,
        gone: Option<Node>,
        letters: &mut Letters<I>,
    ) {
        let Some(held) = self.items.get_mut(key) else {
            return;
        };
        let others = self.replicas - 1;
        let mut set = view.replica_set(key, others + usize::from(gone.is_some()));
        set.retain(|node| Some(*node) != gone);
        set.truncate(others);
        held.replicate(key, &set, others, adoption, letters);
    }

    /// Tells `holder` that this node looks after an item of which it has a copy of that version.
    fn answer(&mut self, key: &Key, holder: Node, version: u64, letters: &mut Letters<I>) {
        if let Some(held) = self.items.get_mut(key) {
            let is_same = held.item.version() == version;
            held.answer(key, holder, is_same, self.replicas - 1, letters);
        }
    }

    /// `from` has copies of these items.
    fn confirm(&mut self, from: Node, keys: &[Key], letters: &mut Letters<I>) {
        for key in keys {
            if let Some(held) = self.items.get_mut(key)
                && let Some(copy) = held.copies.iter_mut().find(|copy| copy.node == from)
            {
                copy.confirmed = true;
                if held.keeper == Keeper::Me {
                    held.thin(key, self.replicas - 1, letters);
                }
            }
        }
    }

    /// `from` says something of the items that it or this node keeps. Gives the keys of what is new
    /// to this node to look after, or has changed.
    pub fn receive(
        &mut self,
        view: &dyn View,
        now: Instant,
        from: Node,
        custody: Custody<I>,
        letters: &mut Letters<I>,
    ) -> Vec<Key> {
        let mut fresh = Vec::new();
        match custody {
            Custody::Take {
                items,
                holder,
                last,
            } => return self.take(view, items, holder, last, letters),
            Custody::Offer {
                names,
                holder,
                last,
            } => return self.consider(view, names, holder, last, None, letters),
            Custody::Copy(items) => {
                self.hear_of(from, now);
                for (key, item) in items {
                    if self.hold(view, key, item, from, letters) {
                        fresh.push(key);
                    }
                }
            }
            Custody::Hold(names) => {
                self.hear_of(from, now);
                for (key, version) in names {
                    match self.items.get_mut(&key) {
                        Some(held) if held.item.version() == version => {
                            held.serve(from);
                            letters::have(letters, from, key);
                        }
                        _ => letters::want(letters, from, key),
                    }
                }
            }
            Custody::Want(keys) => {
                for key in keys {
                    match self.items.get_mut(&key) {
                        Some(held) if held.keeper == Keeper::Me => held.send(&key, from, letters),
                        Some(held) => {
                            let (to, item) = ((from, true), held.item.clone());
                            letters::take(letters, to, self.me, key, item);
                        }
                        None => {}
                    }
                }
            }
            Custody::Have(keys) => self.confirm(from, &keys, letters),
            Custody::Keep(sum) => {
                self.hear_of(from, now);
                self.compare(from, sum, letters);
            }
            Custody::Recount => letters.push((from, Custody::All(self.names_at(from)))),
            Custody::All(names) => {
                self.disown_others(from, &names);
                return self.receive(view, now, from, Custody::Hold(names), letters);
            }
            Custody::Disown(keys) => {
                for key in keys {
                    if let Some(held) = self.items.get_mut(&key)
                        && held.keeper == Keeper::Node(from)
                    {
                        // It waits for the next reminder.
                        held.keeper = Keeper::Offered(Instant::START);
                    }
                }
            }
            Custody::Release(keys) => {
                for key in keys {
                    let Some(held) = self.items.get_mut(&key) else {
                        continue;
                    };
                    // Somebody else may have asked for a copy meanwhile.
                    if held.keeper == Keeper::Node(from) {
                        held.dismiss(&key, letters);
                        self.remove(&key);
                    }
                }
            }
        }
        fresh
    }

    /// Holds a copy of an item that `from` looks after; whether that has changed anything.
    fn hold(
        &mut self,
        view: &dyn View,
        key: Key,
        item: I,
        from: Node,
        letters: &mut Letters<I>,
    ) -> bool {
        letters::have(letters, from, key);
        let Some(held) = self.items.get_mut(&key) else {
            self.insert(key, item, Keeper::Node(from));
            return false;
        };
        let told = item.version();
        let changed = held.item.merge(item);
        if held.keeper != Keeper::Me {
            held.serve(from);
            if held.item.version() != told {
                // It knows less than this node does.
                let (to, item) = ((from, true), held.item.clone());
                letters::take(letters, to, self.me, key, item);
            }
        } else if changed {
            self.replicate(view, &key, Adoption::Changed, None, letters);
        }
        changed
    }

    /// `holder` offers items to their root, which this node is, or is held to be, or else the
    /// names go on; not to `silent`, who has not taken them.
    fn consider(
        &mut self,
        view: &dyn View,
        names: Names,
        holder: Node,
        last: bool,
        silent: Option<Node>,
        letters: &mut Letters<I>,
    ) -> Vec<Key> {
        let mut fresh = Vec::new();
        let mine = Some(holder) == self.me;
        for (key, version) in names {
            match onward(view.next_hop(&key)) {
                // The holder offers it again when it has waited for long enough.
                Some((next, _)) if !last && (Some(next) == silent || mine) => {}
                Some(next) if !last => letters::offer(letters, next, holder, (key, version)),
                _ if mine => {
                    if self.adopt(key, None) == Adoption::TakenOver {
                        fresh.push(key);
                    }
                    self.replicate(view, &key, Adoption::TakenOver, None, letters);
                }
                _ => match self.items.get(&key).map(|held| held.item.version()) {
                    Some(here) if here == version => {
                        if self.adopt(key, None) == Adoption::TakenOver {
                            fresh.push(key);
                        }
                        self.replicate(view, &key, Adoption::TakenOver, None, letters);
                        self.answer(&key, holder, version, letters);
                    }
                    _ => letters::want(letters, holder, key),
                },
            }
        }
        fresh
    }

    /// Nobody took `custody` at `node`: it holds no copies and looks after nothing, and what was
    /// on its way to a root goes another. Gives the keys of what is new to this node to look
    /// after.
    ///
    /// The overlay has heard of it, but may wait for more such signs before it forgets the node;
    /// nothing is sent there again until it is looked at anew.
    pub fn undelivered(
        &mut self,
        view: &dyn View,
        node: Node,
        custody: Custody<I>,
        letters: &mut Letters<I>,
    ) -> Vec<Key> {
        self.keepers.retain(|(keeper, _)| *keeper != node);
        let mut bereft = Vec::new();
        for (key, held) in &mut self.items {
            let before = held.copies.len();
            held.copies.retain(|copy| copy.node != node);
            if held.copies.len() < before && held.keeper == Keeper::Me {
                bereft.push(*key);
            }
        }
        for key in bereft {
            self.replicate(view, &key, Adoption::Known, Some(node), letters);
        }
        match custody {
            // It is here, too, and will be offered anew.
            Custody::Take {
                holder: Some(_), ..
            } => Vec::new(),
            Custody::Take { items, .. } => {
                let known = |next: NextHop| onward(next).map(|(next, _)| next);
                let (stuck, others): (Items<I>, Items<I>) = items
                    .into_iter()
                    .partition(|(key, _)| known(view.next_hop(key)) == Some(node));
                for (key, item) in stuck {
                    // It waits here until the overlay knows another way.
                    match self.items.get_mut(&key) {
                        Some(held) => drop(held.item.merge(item)),
                        None => self.insert(key, item, Keeper::Offered(Instant::START)),
                    }
                }
                self.take(view, others, None, false, letters)
            }
            Custody::Offer { names, holder, .. } => {
                self.consider(view, names, holder, false, Some(node), letters)
            }
            Custody::Copy(_)
            | Custody::Hold(_)
            | Custody::Want(_)
            | Custody::Have(_)
            | Custody::Keep(_)
            | Custody::Recount
            | Custody::All(_)
            | Custody::Release(_)
            | Custody::Disown(_) => Vec::new(),
        }
    }

    /// The neighbourhood may have changed: takes over what this node is the root of by now, hands
    /// over what it is not, and mends the replica sets. Gives the keys of what is new to this node
    /// to look after. O(k) local lookups for k items.
    pub fn review(
        &mut self,
        me: Node,
        view: &dyn View,
        now: Instant,
        letters: &mut Letters<I>,
    ) -> Vec<Key> {
        let keys: Vec<Key> = self.items.keys().copied().collect();
        let mut fresh = Vec::new();
        for key in keys {
            let mine = self.looks_after(&key);
            match onward(view.next_hop(&key)) {
                None => {
                    let adoption = self.adopt(key, None);
                    if adoption == Adoption::TakenOver {
                        fresh.push(key);
                    }
                    self.replicate(view, &key, adoption, None, letters);
                }
                Some(next) if mine => self.hand_over(me, key, next, now, letters),
                Some(_) => {}
            }
        }
        fresh
    }

    /// Offers an item to its root by way of `next`, and holds a copy until it is told otherwise.
    pub(super) fn hand_over(
        &mut self,
        me: Node,
        key: Key,
        next: (Node, bool),
        now: Instant,
        letters: &mut Letters<I>,
    ) {
        self.me = Some(me);
        if let Some(held) = self.items.get_mut(&key) {
            held.keeper = Keeper::Offered(now);
            letters::offer(letters, next, me, (key, held.item.version()));
        }
    }
}
