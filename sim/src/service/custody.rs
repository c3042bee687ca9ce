//! Items with keys that a network keeps: the root of a key looks after the item, and the replica
//! set holds copies.
//!
//! Dabek, Kaashoek, Karger, Morris and Stoica, "Wide-area cooperative storage with CFS" (SOSP
//! 2001), section 6: copies at the nodes that would be the root next, made and mended by the root
//! alone. A node that has become the root of something it holds looks after it from then on; one
//! that is not the root any more hands it over. Beyond CFS, whoever holds a copy and hears nothing
//! from the node that looks after it offers it to the root, so that no item is lost while a copy
//! of it is somewhere.
//!
//! Services use it through messages of their own that carry a [`Custody`]: what a node is told goes
//! in by [`Store::receive`], what others are to be told comes out in a list.

use crate::engine::{Instant, Span};
use crate::overlay::{NextHop, Node, View};
use crate::space::Key;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// What is kept.
pub trait Item: Clone + std::fmt::Debug {
    /// Takes in what another copy of the same item says; whether this one has changed.
    fn merge(&mut self, other: Self) -> bool;

    /// Its size in a message.
    fn bytes(&self) -> u32;
}

/// Items with their keys.
pub type Items<I> = Vec<(Key, I)>;

/// What nodes tell each other of the items they keep.
#[derive(Clone, Debug)]
pub enum Custody<I> {
    /// To the next hop of their keys: the root is to look after these.
    Take {
        /// The items.
        items: Items<I>,
        /// Who holds copies of them, if anybody does.
        holder: Option<Node>,
        /// The receiver is held to be the root.
        last: bool,
    },
    /// To the replica set: hold copies of these.
    Copy(Items<I>),
    /// I still look after the copies that you have from me.
    Keep,
    /// I have others hold copies of these.
    Release(Vec<Key>),
}

/// What others are to be told.
pub type Letters<I> = Vec<(Node, Custody<I>)>;

/// The items on one node.
#[derive(Clone, Debug)]
pub struct Store<I> {
    items: BTreeMap<Key, Held<I>>,
    /// Who looks after copies here, and when it was heard of last.
    keepers: Vec<(Node, Instant)>,
    replicas: usize,
    /// What came and what went since somebody asked.
    changes: Vec<Change>,
}

/// An item has come to a node, or is there no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has come.
    Came(Key),
    /// It is gone.
    Went(Key),
}

#[derive(Clone, Debug)]
struct Held<I> {
    item: I,
    keeper: Keeper,
    /// Where copies are, if this node looks after it.
    copies: SmallVec<[Node; 4]>,
}

/// Who looks after an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeper {
    /// This node.
    Me,
    /// That one, which has sent the copy here.
    Node(Node),
    /// Its root, to which it was offered at this time; nothing was heard yet.
    Offered(Instant),
}

impl<I: Item> Custody<I> {
    /// Its size in a message.
    pub fn bytes(&self) -> u32 {
        const KEY: u32 = crate::overlay::NODE_BYTES;
        match self {
            Self::Take { items, .. } | Self::Copy(items) => {
                items.iter().map(|(_, item)| KEY + item.bytes()).sum()
            }
            Self::Keep => 0,
            Self::Release(keys) => KEY * keys.len() as u32,
        }
    }
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
        }
    }

    /// The item with `key`, if it is here.
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

    /// Changes the item with `key`, if it is here, and has the copies changed, too.
    pub fn change(&mut self, key: &Key, change: impl FnOnce(&mut I), letters: &mut Letters<I>) {
        if let Some(held) = self.items.get_mut(key) {
            change(&mut held.item);
            for copy in &held.copies {
                batch_copy(letters, *copy, *key, &held.item);
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
        let held = Held {
            item,
            keeper,
            copies: SmallVec::new(),
        };
        self.items.insert(key, held);
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
        let mut unwanted = Vec::new();
        for (key, item) in items {
            let next = match view.next_hop(&key) {
                NextHop::Root => None,
                _ if last => None,
                NextHop::Last(next) => Some((next, true)),
                NextHop::Next(next) => Some((next, false)),
            };
            if let Some((next, last)) = next {
                batch_take(letters, next, last, holder, key, item);
                continue;
            }
            if self.adopt(key, Some(item)) {
                fresh.push(key);
            }
            self.replicate(view, &key, holder, letters);
            let copies = &self.items[&key].copies;
            if holder.is_some_and(|holder| !copies.contains(&holder)) {
                unwanted.push(key);
            }
        }
        if let Some(holder) = holder
            && !unwanted.is_empty()
        {
            letters.push((holder, Custody::Release(unwanted)));
        }
        fresh
    }

    /// Looks after the item with `key` from now on; whether it is new to do so, or has changed.
    fn adopt(&mut self, key: Key, item: Option<I>) -> bool {
        match (self.items.get_mut(&key), item) {
            (Some(held), item) => {
                let is_new = std::mem::replace(&mut held.keeper, Keeper::Me) != Keeper::Me;
                let changed = item.is_some_and(|item| held.item.merge(item));
                if changed {
                    // Copies are behind: they are made again.
                    held.copies.clear();
                }
                is_new || changed
            }
            (None, Some(item)) => {
                self.insert(key, item, Keeper::Me);
                true
            }
            (None, None) => false,
        }
    }

    /// Has the replica set hold copies of an item that this node looks after, and nobody else.
    /// `holder` has one already.
    fn replicate(
        &mut self,
        view: &dyn View,
        key: &Key,
        holder: Option<Node>,
        letters: &mut Letters<I>,
    ) {
        let Some(held) = self.items.get_mut(key) else {
            return;
        };
        let set = view.replica_set(key, self.replicas - 1);
        held.copies.retain(|copy| {
            let stays = set.contains(copy);
            if !stays {
                batch_release(letters, *copy, *key);
            }
            stays
        });
        for node in set {
            if !held.copies.contains(&node) {
                held.copies.push(node);
                if holder != Some(node) {
                    batch_copy(letters, node, *key, &held.item);
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
        match custody {
            Custody::Take {
                items,
                holder,
                last,
            } => self.take(view, items, holder, last, letters),
            Custody::Copy(items) => {
                self.hear_of(from, now);
                let mut changed = Vec::new();
                for (key, item) in items {
                    match self.items.get_mut(&key) {
                        Some(held) => {
                            if held.item.merge(item) {
                                changed.push(key);
                            }
                            if held.keeper != Keeper::Me {
                                held.keeper = Keeper::Node(from);
                            }
                        }
                        None => self.insert(key, item, Keeper::Node(from)),
                    }
                }
                changed
            }
            Custody::Keep => {
                self.hear_of(from, now);
                Vec::new()
            }
            Custody::Release(keys) => {
                for key in keys {
                    // Somebody else may have asked for a copy meanwhile.
                    let released = match self.items.get(&key).map(|held| held.keeper) {
                        Some(Keeper::Node(keeper)) => keeper == from,
                        Some(Keeper::Offered(_)) => true,
                        Some(Keeper::Me) | None => false,
                    };
                    if released {
                        self.remove(&key);
                    }
                }
                Vec::new()
            }
        }
    }

    fn hear_of(&mut self, node: Node, now: Instant) {
        match self.keepers.iter_mut().find(|(keeper, _)| *keeper == node) {
            Some((_, heard)) => *heard = now,
            None => self.keepers.push((node, now)),
        }
    }

    /// Nobody took `custody` at `node`, which the overlay has forgotten: it holds no copies, and
    /// what was on its way to a root goes another. Gives the keys of what is new to this node to
    /// look after.
    pub fn undelivered(
        &mut self,
        view: &dyn View,
        node: Node,
        custody: Custody<I>,
        letters: &mut Letters<I>,
    ) -> Vec<Key> {
        for held in self.items.values_mut() {
            held.copies.retain(|copy| *copy != node);
        }
        match custody {
            Custody::Take { items, holder, .. } => self.take(view, items, holder, false, letters),
            Custody::Copy(items) => {
                for (key, _) in items {
                    if self.looks_after(&key) {
                        self.replicate(view, &key, None, letters);
                    }
                }
                Vec::new()
            }
            Custody::Keep | Custody::Release(_) => Vec::new(),
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
            match view.next_hop(&key) {
                NextHop::Root => {
                    if !mine && self.adopt(key, None) {
                        fresh.push(key);
                    }
                    self.replicate(view, &key, None, letters);
                }
                NextHop::Last(next) if mine => self.hand_over(me, key, next, true, now, letters),
                NextHop::Next(next) if mine => self.hand_over(me, key, next, false, now, letters),
                NextHop::Last(_) | NextHop::Next(_) => {}
            }
        }
        fresh
    }

    /// Says to those who hold copies that they are looked after, and offers what nobody has looked
    /// after for `patience` to its root, or looks after it if this node is the root: it may never
    /// have known of the one that is gone, so that no neighbourhood changed. To be called from
    /// time to time. Gives the keys of what is new to this node to look after.
    pub fn remind(
        &mut self,
        me: Node,
        view: &dyn View,
        now: Instant,
        patience: Span,
        letters: &mut Letters<I>,
    ) -> Vec<Key> {
        let mine = self.items.values().filter(|held| held.keeper == Keeper::Me);
        let mut holders: Vec<Node> = mine.flat_map(|held| held.copies.iter().copied()).collect();
        holders.sort_unstable();
        holders.dedup();
        letters.extend(holders.into_iter().map(|holder| (holder, Custody::Keep)));
        let silent = |keeper: Keeper| match keeper {
            Keeper::Me => false,
            Keeper::Offered(at) => now.since(at) > patience,
            Keeper::Node(node) => {
                let heard = self.keepers.iter().find(|(keeper, _)| *keeper == node);
                heard.is_none_or(|(_, heard)| now.since(*heard) > patience)
            }
        };
        let orphans: Vec<Key> = self
            .items
            .iter()
            .filter(|(_, held)| silent(held.keeper))
            .map(|(key, _)| *key)
            .collect();
        let mut fresh = Vec::new();
        for key in orphans {
            match view.next_hop(&key) {
                NextHop::Root => {
                    if self.adopt(key, None) {
                        fresh.push(key);
                    }
                    self.replicate(view, &key, None, letters);
                }
                NextHop::Last(next) => self.hand_over(me, key, next, true, now, letters),
                NextHop::Next(next) => self.hand_over(me, key, next, false, now, letters),
            }
        }
        self.keepers
            .retain(|(_, heard)| now.since(*heard) <= patience);
        fresh
    }

    /// Offers an item to its root by way of `next`, and holds a copy until it is told otherwise.
    fn hand_over(
        &mut self,
        me: Node,
        key: Key,
        next: Node,
        last: bool,
        now: Instant,
        letters: &mut Letters<I>,
    ) {
        if let Some(held) = self.items.get_mut(&key) {
            held.keeper = Keeper::Offered(now);
            held.copies.clear();
            batch_take(letters, next, last, Some(me), key, held.item.clone());
        }
    }
}

fn batch_take<I>(
    letters: &mut Letters<I>,
    to: Node,
    last: bool,
    holder: Option<Node>,
    key: Key,
    item: I,
) {
    let place = letters
        .iter_mut()
        .find_map(|(node, custody)| match custody {
            Custody::Take {
                items,
                holder: theirs,
                last: theirs_last,
            } if *node == to && *theirs == holder && *theirs_last == last => Some(items),
            _ => None,
        });
    match place {
        Some(items) => items.push((key, item)),
        None => letters.push((
            to,
            Custody::Take {
                items: vec![(key, item)],
                holder,
                last,
            },
        )),
    }
}

fn batch_copy<I: Clone>(letters: &mut Letters<I>, to: Node, key: Key, item: &I) {
    let place = letters
        .iter_mut()
        .find_map(|(node, custody)| match custody {
            Custody::Copy(items) if *node == to => Some(items),
            _ => None,
        });
    match place {
        Some(items) => items.push((key, item.clone())),
        None => letters.push((to, Custody::Copy(vec![(key, item.clone())]))),
    }
}

fn batch_release<I>(letters: &mut Letters<I>, to: Node, key: Key) {
    let place = letters
        .iter_mut()
        .find_map(|(node, custody)| match custody {
            Custody::Release(keys) if *node == to => Some(keys),
            _ => None,
        });
    match place {
        Some(keys) => keys.push(key),
        None => letters.push((to, Custody::Release(vec![key]))),
    }
}
