//! One item on a node: who looks after it, and where its copies are.

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
    /// Where copies are, if this node looks after it, or did until it offered it to its root.
    pub copies: SmallVec<[Replica; 4]>,
}

/// A copy on another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Replica {
    pub node: Node,
    /// It belongs to the replica set; else it goes when all of these are there.
    wanted: bool,
    /// The node has said that it is there.
    pub confirmed: bool,
}

/// Who looks after an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// This node.
    Me,
    /// That one, which has had the copy put here.
    Node(Node),
    /// Its root, to which it was offered at this time; nothing was heard yet.
    Offered(Instant),
}

/// What has become of an item that this node was to look after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takeover {
    /// It looks after it already, and knew what came.
    AlreadyOwned,
    /// It has had it, and looks after it from now on.
    Promoted,
    /// It has not had it, or not as it is now, and nobody else has.
    Changed,
    /// The same, but others may have it.
    Behind,
}

impl<I: Item> StoreEntry<I> {
    /// An item that has come, and that `owner` looks after.
    pub fn new(item: I, owner: Owner) -> Self {
        Self {
            item,
            owner,
            copies: SmallVec::new(),
        }
    }

    /// Has `set` hold copies, and nobody else once all of these, `others` if the set is whole, are
    /// there. Copies of a small item are sent unasked: to ask would take more.
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
                // Somebody else may have looked after it, and released it, meanwhile.
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

    /// Tells `holder`, who has a copy, that this node looks after the item; whether that copy says the
    /// same as this one.
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

    /// `node` has not got the copy that this one counts on, or is to, and is sent it.
    pub fn send(&mut self, key: &Key, node: Node, outbox: &mut Outbox<I>) {
        self.replica_at(node).confirmed = false;
        outbox::copy(outbox, node, *key, &self.item);
    }

    /// Whether this node counts on a copy at `node`, or has sent one there.
    pub fn is_at(&self, node: Node) -> bool {
        self.copies.iter().any(|copy| copy.node == node)
    }

    /// What is known of the copy at `node`. Whoever is sent one is counted on, so that it is released
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

    /// `owner` looks after the item from now on, unless this node does.
    pub fn set_owner(&mut self, owner: Node) {
        if self.owner != Owner::Me {
            self.owner = Owner::Node(owner);
        }
    }

    /// Releases the copies outside of the replica set if all `others` of that are there. Who knows
    /// fewer has lost its place, or has not found it.
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

    /// Tells those whom this node had hold copies while it looked after the item that it does so no
    /// more. They are not released: who looks after the item now may hold itself to be in the same
    /// place, and each would have the other forget it.
    pub fn renounce_copies(&mut self, key: &Key, outbox: &mut Outbox<I>) {
        for copy in self.copies.drain(..) {
            outbox::renounce(outbox, copy.node, *key);
        }
    }
}
