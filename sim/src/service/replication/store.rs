//! The items on one node: how they come, are handed over and go.

use super::entry::{Owner, StoreEntry, Takeover};
use super::outbox::{self, Outbox, forward_to};
use super::{Item, Items, Names, ReplicationMessage};
use crate::engine::Instant;
use crate::overlay::{LocalRouting, NextHop, Node};
use crate::space::Key;
use std::collections::BTreeMap;

/// The items on one node.
#[derive(Clone, Debug)]
pub struct Store<I> {
    pub(super) items: BTreeMap<Key, StoreEntry<I>>,
    /// Who looks after copies here, and when it was heard of last.
    pub(super) owners: Vec<(Node, Instant)>,
    replicas: usize,
    /// What came and what went since somebody asked.
    changes: Vec<ItemChange>,
    /// This node, once it has offered something.
    me: Option<Node>,
}

/// An item has come to a node, or is there no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemChange {
    /// It has come.
    Added(Key),
    /// It is gone.
    Removed(Key),
}

impl<I: Item> Store<I> {
    /// A store on a node of a network that has `replicas` >= 1 of each item, that of the root
    /// included.
    pub fn new(replicas: usize) -> Self {
        Self {
            items: BTreeMap::new(),
            owners: Vec::new(),
            replicas,
            changes: Vec::new(),
            me: None,
        }
    }

    /// The item with `key`, if it is here. O(log k) for k items.
    pub fn get(&self, key: &Key) -> Option<&I> {
        self.items.get(key).map(|entry| &entry.item)
    }

    /// All items here, by their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &I)> {
        self.items.iter().map(|(key, entry)| (key, &entry.item))
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
    pub fn owns(&self, key: &Key) -> bool {
        self.items
            .get(key)
            .is_some_and(|entry| entry.owner == Owner::Me)
    }

    /// Whether all that is here are copies for others, who look after it.
    pub fn has_only_copies(&self) -> bool {
        self.items
            .values()
            .all(|entry| matches!(entry.owner, Owner::Node(_)))
    }

    /// Offers all that this node looks after to `successor`, which will be the root of it when this node
    /// has left.
    pub fn hand_over_all(
        &mut self,
        me: Node,
        successor: Node,
        now: Instant,
        outbox: &mut Outbox<I>,
    ) {
        let is_mine = |entry: &StoreEntry<I>| !matches!(entry.owner, Owner::Node(_));
        let items = self.items.iter().filter(|(_, entry)| is_mine(entry));
        let keys: Vec<Key> = items.map(|(key, _)| *key).collect();
        for key in keys {
            self.hand_over(me, key, (successor, true), now, outbox);
        }
    }

    /// Changes the item with `key`, if it is here, and has the copies changed, too, if this node
    /// looks after it.
    pub fn change(&mut self, key: &Key, change: impl FnOnce(&mut I), outbox: &mut Outbox<I>) {
        if let Some(entry) = self.items.get_mut(key) {
            change(&mut entry.item);
            if entry.owner == Owner::Me {
                for copy in &entry.copies {
                    outbox::copy(outbox, copy.node, *key, &entry.item);
                }
            }
        }
    }

    /// Forgets the item with `key` here.
    pub fn remove(&mut self, key: &Key) -> Option<I> {
        let entry = self.items.remove(key)?;
        self.changes.push(ItemChange::Removed(*key));
        Some(entry.item)
    }

    /// What has come to this node and gone from it since it was asked last, in order.
    pub fn changes(&mut self) -> impl Iterator<Item = ItemChange> {
        self.changes.drain(..)
    }

    fn insert(&mut self, key: Key, item: I, owner: Owner) {
        self.items.insert(key, StoreEntry::new(item, owner));
        self.changes.push(ItemChange::Added(key));
    }

    /// Brings `items` to their roots: takes in those whose root this node is, or is held to be,
    /// and sends on the others, all for one next hop together. Gives the keys of what is new to
    /// this node to look after, or has changed.
    pub fn take(
        &mut self,
        routing: &dyn LocalRouting,
        items: Items<I>,
        holder: Option<Node>,
        last: bool,
        outbox: &mut Outbox<I>,
    ) -> Vec<Key> {
        let mut fresh = Vec::new();
        for (key, item) in items {
            match forward_to(routing.next_hop(&key)) {
                Some(next) if !last => outbox::take(outbox, next, holder, key, item),
                _ => {
                    let told = item.version();
                    let takeover = self.take_over(key, Some(item));
                    if takeover != Takeover::AlreadyOwned {
                        fresh.push(key);
                    }
                    // Who hands an item over has had copies made; nobody else has.
                    let takeover = match (takeover, holder) {
                        (Takeover::Changed, Some(_)) => Takeover::Behind,
                        _ => takeover,
                    };
                    self.replicate(routing, &key, takeover, None, outbox);
                    if let Some(holder) = holder {
                        self.answer(&key, holder, told, outbox);
                    }
                }
            }
        }
        fresh
    }

    /// Looks after the item with `key`, which is here or is `item`, from now on.
    pub(super) fn take_over(&mut self, key: Key, item: Option<I>) -> Takeover {
        match (self.items.get_mut(&key), item) {
            (Some(entry), item) => {
                let was_mine = std::mem::replace(&mut entry.owner, Owner::Me) == Owner::Me;
                match item.is_some_and(|item| entry.item.merge(item)) {
                    true => Takeover::Changed,
                    false if was_mine => Takeover::AlreadyOwned,
                    false => Takeover::Promoted,
                }
            }
            (None, Some(item)) => {
                self.insert(key, item, Owner::Me);
                Takeover::Changed
            }
            (None, None) => Takeover::AlreadyOwned,
        }
    }

    /// Has the replica set hold copies of an item that this node looks after, and nobody else once
    /// all of these are there. `gone` is no part of it, whatever the overlay holds of that node.
    pub(super) fn replicate(
        &mut self,
        routing: &dyn LocalRouting,
        key: &Key,
        takeover: Takeover,
        gone: Option<Node>,
        outbox: &mut Outbox<I>,
    ) {
        let Some(entry) = self.items.get_mut(key) else {
            return;
        };
        let others = self.replicas - 1;
        let mut set = routing.replica_set(key, others + usize::from(gone.is_some()));
        set.retain(|node| Some(*node) != gone);
        set.truncate(others);
        entry.replicate(key, &set, others, takeover, outbox);
    }

    /// Tells `holder` that this node looks after an item of which it has a copy of that version.
    fn answer(&mut self, key: &Key, holder: Node, version: u64, outbox: &mut Outbox<I>) {
        if let Some(entry) = self.items.get_mut(key) {
            let is_same = entry.item.version() == version;
            entry.answer(key, holder, is_same, self.replicas - 1, outbox);
        }
    }

    /// `from` has copies of these items.
    fn confirm(&mut self, from: Node, keys: &[Key], outbox: &mut Outbox<I>) {
        for key in keys {
            if let Some(entry) = self.items.get_mut(key)
                && let Some(copy) = entry.copies.iter_mut().find(|copy| copy.node == from)
            {
                copy.confirmed = true;
                if entry.owner == Owner::Me {
                    entry.release_surplus(key, self.replicas - 1, outbox);
                }
            }
        }
    }

    /// `from` says something of the items that it or this node keeps. Gives the keys of what is new
    /// to this node to look after, or has changed.
    pub fn receive(
        &mut self,
        routing: &dyn LocalRouting,
        now: Instant,
        from: Node,
        replication: ReplicationMessage<I>,
        outbox: &mut Outbox<I>,
    ) -> Vec<Key> {
        let mut fresh = Vec::new();
        match replication {
            ReplicationMessage::Take {
                items,
                holder,
                last,
            } => return self.take(routing, items, holder, last, outbox),
            ReplicationMessage::Offer {
                names,
                holder,
                last,
            } => return self.consider(routing, names, holder, last, None, outbox),
            ReplicationMessage::Copy(items) => {
                self.note_owner_alive(from, now);
                for (key, item) in items {
                    if self.hold(routing, key, item, from, outbox) {
                        fresh.push(key);
                    }
                }
            }
            ReplicationMessage::Hold(names) => {
                self.note_owner_alive(from, now);
                for (key, version) in names {
                    match self.items.get_mut(&key) {
                        Some(entry) if entry.item.version() == version => {
                            entry.set_owner(from);
                            outbox::have(outbox, from, key);
                        }
                        _ => outbox::want(outbox, from, key),
                    }
                }
            }
            ReplicationMessage::Want(keys) => {
                for key in keys {
                    match self.items.get_mut(&key) {
                        Some(entry) if entry.owner == Owner::Me => entry.send(&key, from, outbox),
                        Some(entry) => {
                            let (to, item) = ((from, true), entry.item.clone());
                            outbox::take(outbox, to, self.me, key, item);
                        }
                        None => {}
                    }
                }
            }
            ReplicationMessage::Have(keys) => self.confirm(from, &keys, outbox),
            ReplicationMessage::Keep(sum) => {
                self.note_owner_alive(from, now);
                self.compare(from, sum, outbox);
            }
            ReplicationMessage::Recount => {
                outbox.push((from, ReplicationMessage::All(self.names_at(from))));
            }
            ReplicationMessage::All(names) => {
                self.unassign_unlisted(from, &names);
                return self.receive(routing, now, from, ReplicationMessage::Hold(names), outbox);
            }
            ReplicationMessage::Renounce(keys) => {
                for key in keys {
                    if let Some(entry) = self.items.get_mut(&key)
                        && entry.owner == Owner::Node(from)
                    {
                        // It waits for the next reminder.
                        entry.owner = Owner::Offered(Instant::START);
                    }
                }
            }
            ReplicationMessage::Release(keys) => {
                for key in keys {
                    let Some(entry) = self.items.get_mut(&key) else {
                        continue;
                    };
                    // Somebody else may have asked for a copy meanwhile.
                    if entry.owner == Owner::Node(from) {
                        entry.renounce_copies(&key, outbox);
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
        routing: &dyn LocalRouting,
        key: Key,
        item: I,
        from: Node,
        outbox: &mut Outbox<I>,
    ) -> bool {
        outbox::have(outbox, from, key);
        let Some(entry) = self.items.get_mut(&key) else {
            self.insert(key, item, Owner::Node(from));
            return false;
        };
        let told = item.version();
        let changed = entry.item.merge(item);
        if entry.owner != Owner::Me {
            entry.set_owner(from);
            if entry.item.version() != told {
                // It knows less than this node does.
                let (to, item) = ((from, true), entry.item.clone());
                outbox::take(outbox, to, self.me, key, item);
            }
        } else if changed {
            self.replicate(routing, &key, Takeover::Changed, None, outbox);
        }
        changed
    }

    /// `holder` offers items to their root, which this node is, or is held to be, or else the
    /// names go on; not to `silent`, who has not taken them.
    fn consider(
        &mut self,
        routing: &dyn LocalRouting,
        names: Names,
        holder: Node,
        last: bool,
        silent: Option<Node>,
        outbox: &mut Outbox<I>,
    ) -> Vec<Key> {
        let mut fresh = Vec::new();
        let mine = Some(holder) == self.me;
        for (key, version) in names {
            match forward_to(routing.next_hop(&key)) {
                // The holder offers it again when it has waited for long enough.
                Some((next, _)) if !last && (Some(next) == silent || mine) => {}
                Some(next) if !last => outbox::offer(outbox, next, holder, (key, version)),
                _ if mine => {
                    if self.take_over(key, None) == Takeover::Promoted {
                        fresh.push(key);
                    }
                    self.replicate(routing, &key, Takeover::Promoted, None, outbox);
                }
                _ => match self.items.get(&key).map(|entry| entry.item.version()) {
                    Some(here) if here == version => {
                        if self.take_over(key, None) == Takeover::Promoted {
                            fresh.push(key);
                        }
                        self.replicate(routing, &key, Takeover::Promoted, None, outbox);
                        self.answer(&key, holder, version, outbox);
                    }
                    _ => outbox::want(outbox, holder, key),
                },
            }
        }
        fresh
    }

    /// Nobody took `replication` at `node`: it holds no copies and looks after nothing, and what was
    /// on its way to a root goes another. Gives the keys of what is new to this node to look
    /// after.
    ///
    /// The overlay has heard of it, but may wait for more such signs before it forgets the node;
    /// nothing is sent there again until it is looked at anew.
    pub fn undelivered(
        &mut self,
        routing: &dyn LocalRouting,
        node: Node,
        replication: ReplicationMessage<I>,
        outbox: &mut Outbox<I>,
    ) -> Vec<Key> {
        self.owners.retain(|(owner, _)| *owner != node);
        let mut under_replicated = Vec::new();
        for (key, entry) in &mut self.items {
            let before = entry.copies.len();
            entry.copies.retain(|copy| copy.node != node);
            if entry.copies.len() < before && entry.owner == Owner::Me {
                under_replicated.push(*key);
            }
        }
        for key in under_replicated {
            self.replicate(routing, &key, Takeover::AlreadyOwned, Some(node), outbox);
        }
        match replication {
            // It is here, too, and will be offered anew.
            ReplicationMessage::Take {
                holder: Some(_), ..
            } => Vec::new(),
            ReplicationMessage::Take { items, .. } => {
                let known = |next: NextHop| forward_to(next).map(|(next, _)| next);
                let (stuck, others): (Items<I>, Items<I>) = items
                    .into_iter()
                    .partition(|(key, _)| known(routing.next_hop(key)) == Some(node));
                for (key, item) in stuck {
                    // It waits here until the overlay knows another way.
                    match self.items.get_mut(&key) {
                        Some(entry) => drop(entry.item.merge(item)),
                        None => self.insert(key, item, Owner::Offered(Instant::START)),
                    }
                }
                self.take(routing, others, None, false, outbox)
            }
            ReplicationMessage::Offer { names, holder, .. } => {
                self.consider(routing, names, holder, false, Some(node), outbox)
            }
            ReplicationMessage::Copy(_)
            | ReplicationMessage::Hold(_)
            | ReplicationMessage::Want(_)
            | ReplicationMessage::Have(_)
            | ReplicationMessage::Keep(_)
            | ReplicationMessage::Recount
            | ReplicationMessage::All(_)
            | ReplicationMessage::Release(_)
            | ReplicationMessage::Renounce(_) => Vec::new(),
        }
    }

    /// The neighbourhood may have changed: takes over what this node is the root of by now, hands
    /// over what it is not, and mends the replica sets. Gives the keys of what is new to this node
    /// to look after. O(k) local lookups for k items.
    pub fn update_ownership(
        &mut self,
        me: Node,
        routing: &dyn LocalRouting,
        now: Instant,
        outbox: &mut Outbox<I>,
    ) -> Vec<Key> {
        let keys: Vec<Key> = self.items.keys().copied().collect();
        let mut fresh = Vec::new();
        for key in keys {
            let mine = self.owns(&key);
            match forward_to(routing.next_hop(&key)) {
                None => {
                    let takeover = self.take_over(key, None);
                    if takeover == Takeover::Promoted {
                        fresh.push(key);
                    }
                    self.replicate(routing, &key, takeover, None, outbox);
                }
                Some(next) if mine => self.hand_over(me, key, next, now, outbox),
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
        outbox: &mut Outbox<I>,
    ) {
        self.me = Some(me);
        if let Some(entry) = self.items.get_mut(&key) {
            entry.owner = Owner::Offered(now);
            outbox::offer(outbox, next, me, (key, entry.item.version()));
        }
    }
}
