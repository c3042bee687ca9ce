//! The items on one node: arrival, handover and removal.

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
    /// The owners of copies on this node, and when each was last heard from.
    pub(super) owners: Vec<(Node, Instant)>,
    replicas: usize,
    /// Items added and removed since the last query.
    changes: Vec<ItemChange>,
    /// This node, once it has offered an item.
    me: Option<Node>,
}

/// A change of the items on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemChange {
    /// The item was added.
    Added(Key),
    /// The item was removed.
    Removed(Key),
}

impl<I: Item> Store<I> {
    /// An empty store in a network with `replicas` >= 1 of each item, that of the root included.
    pub fn new(replicas: usize) -> Self {
        Self {
            items: BTreeMap::new(),
            owners: Vec::new(),
            replicas,
            changes: Vec::new(),
            me: None,
        }
    }

    /// The item with `key`, if it is on this node. O(log k) for k items.
    pub fn get(&self, key: &Key) -> Option<&I> {
        self.items.get(key).map(|entry| &entry.item)
    }

    /// All items on this node, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &I)> {
        self.items.iter().map(|(key, entry)| (key, &entry.item))
    }

    /// Number of items on this node.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether this node has no items.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether this node owns the item with `key`.
    pub fn owns(&self, key: &Key) -> bool {
        self.items
            .get(key)
            .is_some_and(|entry| entry.owner == Owner::Me)
    }

    /// The owner of the item with `key`, of which this node has a copy.
    pub fn other_owner(&self, key: &Key) -> Option<Node> {
        match self.items.get(key)?.owner {
            Owner::Node(owner) => Some(owner),
            Owner::Me | Owner::Offered(_) => None,
        }
    }

    /// Whether all items on this node are copies that other nodes own.
    pub fn has_only_copies(&self) -> bool {
        self.items
            .values()
            .all(|entry| matches!(entry.owner, Owner::Node(_)))
    }

    /// Offers all items of this node without another owner to `successor`, which becomes their root
    /// when this node leaves.
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

    /// Changes the item with `key`, if it is on this node; if this node owns it, updates the
    /// replicas.
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

    /// Removes the item with `key` from this node.
    pub fn remove(&mut self, key: &Key) -> Option<I> {
        let entry = self.items.remove(key)?;
        self.changes.push(ItemChange::Removed(*key));
        Some(entry.item)
    }

    /// The items added and removed since the last call, in order.
    pub fn changes(&mut self) -> impl Iterator<Item = ItemChange> {
        self.changes.drain(..)
    }

    fn insert(&mut self, key: Key, item: I, owner: Owner) {
        self.items.insert(key, StoreEntry::new(item, owner));
        self.changes.push(ItemChange::Added(key));
    }

    /// Brings `items` to their roots: takes ownership of those whose root this node is, or is
    /// considered to be (`last`), and forwards the others, with one message per next hop. Returns
    /// the keys of items that this node newly owns or that have changed.
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
                    // A node that hands an item over has created replicas of it; otherwise there
                    // are none.
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

    /// Takes ownership of the item with `key`, which is here or is `item`.
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

    /// Replicates an item of this node to its replica set, and releases other replicas once the set
    /// is confirmed. `gone` is excluded, even if the overlay still knows that node.
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

    /// Claims ownership of an item towards `holder`, which has a copy of this `version`.
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

    /// Handles a message of `from`. Returns the keys of items that this node newly owns or that
    /// have changed.
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
            ReplicationMessage::Full(keys) => {
                // The next change of the neighbourhood asks the node again.
                for key in keys {
                    if let Some(entry) = self.items.get_mut(&key) {
                        entry.copies.retain(|copy| copy.node != from);
                    }
                }
            }
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
                        // It waits for the next keep-alive round.
                        entry.owner = Owner::Offered(Instant::START);
                    }
                }
            }
            ReplicationMessage::Release(keys) => {
                for key in keys {
                    let Some(entry) = self.items.get_mut(&key) else {
                        continue;
                    };
                    // Another node may own the copy meanwhile.
                    if entry.owner == Owner::Node(from) {
                        entry.renounce_copies(&key, outbox);
                        self.remove(&key);
                    }
                }
            }
        }
        fresh
    }

    /// Stores a copy of an item that `from` owns; returns whether this has changed an existing one.
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
                // The sender's version is older than this node's.
                let (to, item) = ((from, true), entry.item.clone());
                outbox::take(outbox, to, self.me, key, item);
            }
        } else if changed {
            self.replicate(routing, &key, Takeover::Changed, None, outbox);
        }
        changed
    }

    /// Handles an offer of `holder` to the items' roots: as a root, or if considered one (`last`),
    /// takes ownership or requests the items; otherwise forwards the names, except to `silent`,
    /// which has not accepted them.
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
                // The holder offers it again later.
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

    /// Handles the failed delivery of `replication` to `node`: removes the node as a replica and an
    /// owner, and sends what was on its way to a root by another path. Returns the keys of items
    /// that this node newly owns.
    ///
    /// The overlay has been notified, but may wait for more time-outs before it removes the node;
    /// nothing is sent there until the next update of ownership.
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
            // The items are also on this node, which offers them again.
            ReplicationMessage::Take {
                holder: Some(_), ..
            } => Vec::new(),
            ReplicationMessage::Take { items, .. } => {
                let known = |next: NextHop| forward_to(next).map(|(next, _)| next);
                let (stuck, others): (Items<I>, Items<I>) = items
                    .into_iter()
                    .partition(|(key, _)| known(routing.next_hop(key)) == Some(node));
                for (key, item) in stuck {
                    // It waits here until the overlay knows another path.
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
            | ReplicationMessage::Full(_)
            | ReplicationMessage::Keep(_)
            | ReplicationMessage::Recount
            | ReplicationMessage::All(_)
            | ReplicationMessage::Release(_)
            | ReplicationMessage::Renounce(_) => Vec::new(),
        }
    }

    /// Reacts to a change of the neighbourhood: takes ownership of items whose root this node has
    /// become, hands over those whose root it no longer is, and repairs the replica sets. Returns
    /// the keys of items that this node newly owns. O(k) local lookups for k items.
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

    /// Offers an item to its root by way of `next`, and keeps a copy until told otherwise.
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
