//! An item on a node, with its owner and its replicas.

use super::Item;
use super::outbox::{self, Outbox};
use crate::engine::Instant;
use crate::overlay::{HEADER_BYTES, Node};
use crate::space::Key;
use smallvec::SmallVec;

#[derive(Clone, Debug)]
pub(super) struct StoreEntry<I> {
    pub item: I,
    pub owner: Owner,
    /// Its replicas on other nodes, if this node owns it, or owned it until it offered it to its
    /// root.
    pub copies: SmallVec<[Replica; 4]>,
}

/// A replica on another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Replica {
    pub node: Node,
    /// It belongs to the replica set; otherwise it is released once the whole set is confirmed.
    wanted: bool,
    /// The node has confirmed that it has the replica.
    pub confirmed: bool,
}

/// The owner of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// This node.
    Me,
    /// That node, which has placed the copy here.
    Node(Node),
    /// Its root, to which it was offered at this time, without an answer so far.
    Offered(Instant),
}

/// Outcome of taking over an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takeover {
    /// This node owned it already, in this version.
    AlreadyOwned,
    /// This node had it, and owns it from now on.
    Promoted,
    /// The item is new or changed; no replica has it.
    Changed,
    /// The item is new or changed; replicas may have it.
    Behind,
}

impl<I: Item> StoreEntry<I> {
    /// A new item with this `owner`.
    pub fn new(item: I, owner: Owner) -> Self {
        Self {
            item,
            owner,
            copies: SmallVec::new(),
        }
    }

    /// Replicates the item to `set`, and releases other replicas once the whole set of `others`
    /// nodes is confirmed. Small items are sent at once: a query would cost more.
    pub fn replicate(
        &mut self,
        key: &Key,
        set: &[Node],
        others: usize,
        takeover: Takeover,
        outbox: &mut Outbox<I>,
    ) {
        let version = self.item.version();
        let news = takeover != Takeover::AlreadyOwned;
        let unasked = takeover == Takeover::Changed || self.item.bytes() <= HEADER_BYTES;
        let item = &self.item;
        let mut tell = |node: Node| {
            if unasked {
                outbox::copy(outbox, node, *key, item);
            } else {
                outbox::hold(outbox, node, (*key, version));
            }
        };
        for replica in &mut self.copies {
            replica.wanted = set.contains(&replica.node);
            if replica.wanted && news {
                // Meanwhile another node may have owned and released it.
                replica.confirmed = false;
                tell(replica.node);
            }
        }
        for node in set {
            if !self.copies.iter().any(|replica| replica.node == *node) {
                self.copies.push(Replica {
                    node: *node,
                    wanted: true,
                    confirmed: false,
                });
                tell(*node);
            }
        }
        self.release_surplus(key, others, outbox);
    }

    /// Claims ownership towards `holder`, which has a copy; `is_same` is whether that copy has the
    /// version of this one.
    pub fn answer(
        &mut self,
        key: &Key,
        holder: Node,
        is_same: bool,
        others: usize,
        outbox: &mut Outbox<I>,
    ) {
        self.replica_at(holder).confirmed = is_same;
        if !outbox::is_last_named(outbox, holder, key) {
            outbox::hold(outbox, holder, (*key, self.item.version()));
        }
        self.release_surplus(key, others, outbox);
    }

    /// Sends the item to `node`, which lacks the replica that this node expects or wants there.
    pub fn send(&mut self, key: &Key, node: Node, outbox: &mut Outbox<I>) {
        self.replica_at(node).confirmed = false;
        outbox::copy(outbox, node, *key, &self.item);
    }

    /// Whether this node expects a replica at `node`, or has sent one there.
    pub fn is_at(&self, node: Node) -> bool {
        self.copies.iter().any(|copy| copy.node == node)
    }

    /// The record of the replica at `node`. A new record is not wanted, so the replica is released
    /// if it does not belong to the replica set.
    fn replica_at(&mut self, node: Node) -> &mut Replica {
        let place = self.copies.iter().position(|copy| copy.node == node);
        let place = place.unwrap_or_else(|| {
            self.copies.push(Replica {
                node,
                wanted: false,
                confirmed: false,
            });
            self.copies.len() - 1
        });
        &mut self.copies[place]
    }

    /// Sets the owner, unless this node is the owner.
    pub fn set_owner(&mut self, owner: Node) {
        if self.owner != Owner::Me {
            self.owner = Owner::Node(owner);
        }
    }

    /// Releases the replicas outside the replica set if all `others` of the set are confirmed. A
    /// node that knows fewer nodes has lost its position, or has not found it yet.
    pub fn release_surplus(&mut self, key: &Key, others: usize, outbox: &mut Outbox<I>) {
        let there = |copy: &&Replica| copy.wanted && copy.confirmed;
        if self.copies.iter().filter(there).count() < others {
            return;
        }
        self.copies.retain(|copy| {
            if !copy.wanted {
                outbox::release(outbox, copy.node, *key);
            }
            copy.wanted
        });
    }

    /// Renounces the ownership towards the replicas. They are not released: the new owner may have
    /// the same position as this node, and then both would release all copies.
    pub fn renounce_copies(&mut self, key: &Key, outbox: &mut Outbox<I>) {
        for copy in self.copies.drain(..) {
            outbox::renounce(outbox, copy.node, *key);
        }
    }
}
