//! Replication of keyed items: the root of a key owns the item, and the replica set holds copies.
//!
//! Dabek, Kaashoek, Karger, Morris and Stoica, "Wide-area cooperative storage with CFS" (SOSP
//! 2001), section 6: replicas at the nodes that would be the root next, created and repaired by the
//! root alone. A node that has become the root of an item it holds takes ownership; one that is no
//! longer the root hands the item over. Beyond CFS, a node with a copy whose owner is silent offers
//! it to the root, so no item is lost while a copy exists.
//!
//! Items that the receiver may have are first named by key and version, and sent on request. So
//! only keys travel from hop to hop, and a node does not receive an item that it has. Items that
//! are new to the network, or not larger than a message header, are sent at once. A replica outside
//! the replica set is released when the whole set is confirmed.
//!
//! While nodes do not know all their neighbours, two of them may consider themselves the root of
//! one key, and one may release a replica on which the other relies. So the owner's keep-alives
//! carry a sum of digests of all replicas that it expects at the receiver, and a receiver with
//! another sum requests the list (`keep_alive`). This is replica synchronisation by digests, as by
//! the Merkle trees of DHash (Cates, MIT 2003), with a tree of one node.
//!
//! A service carries each [`ReplicationMessage`] in a message of its own: [`Store::receive`]
//! handles a received message, and the messages to send are returned in an [`Outbox`].

mod entry;
mod keep_alive;
mod outbox;
mod store;
#[cfg(test)]
mod tests;

pub use outbox::Outbox;
pub use store::{ItemChange, Store};

use crate::overlay::{NODE_BYTES, Node};
use crate::space::Key;

/// An item to be replicated.
pub trait Item: Clone + std::fmt::Debug {
    /// Merges another copy of the same item; returns whether this one has changed. The order of
    /// merges must not affect the final state.
    fn merge(&mut self, other: Self) -> bool;

    /// Its size in a message.
    fn bytes(&self) -> u32;

    /// Bytes of a version in a message.
    const VERSION_BYTES: u32 = 8;

    /// A number that is equal for two copies of an item only if their contents are.
    fn version(&self) -> u64;
}

/// Largest size of a message; headers are added to it.
const MOST_BYTES: u64 = 1 << 31;

/// Items with their keys.
pub type Items<I> = Vec<(Key, I)>;

/// The keys of items with their versions.
pub type Names = Vec<(Key, u64)>;

/// Messages between nodes about replicated items.
#[derive(Clone, Debug)]
pub enum ReplicationMessage<I> {
    /// To the next hop of their keys: the root takes ownership of these items.
    Take {
        /// The items.
        items: Items<I>,
        /// A node with copies of them, if there is one.
        holder: Option<Node>,
        /// The receiver is considered the root.
        last: bool,
    },
    /// To the next hop of their keys: the root takes ownership of these items, and may request them
    /// from `holder`.
    Offer {
        /// The items' names.
        names: Names,
        /// The node with copies of them.
        holder: Node,
        /// The receiver is considered the root.
        last: bool,
    },
    /// To the replica set: the sender owns these items; hold copies.
    Copy(Items<I>),
    /// The same by name: request the items that are missing.
    Hold(Names),
    /// The sender lacks these named items: send them.
    Want(Vec<Key>),
    /// The sender has copies of these items, which the receiver owns.
    Have(Vec<Key>),
    /// Keep-alive: the sender still owns its replicas at the receiver, whose digests have this sum.
    Keep(u64),
    /// The sum of the receiver's replicas differs at the sender: list them all.
    Recount,
    /// The receiver holds replicas of exactly these items for the sender.
    All(Names),
    /// The sender has no room for copies of these.
    Full(Vec<Key>),
    /// Other nodes hold replicas of these: delete them.
    Release(Vec<Key>),
    /// The sender no longer owns these: offer them to their roots.
    Renounce(Vec<Key>),
}

impl<I: Item> ReplicationMessage<I> {
    /// The items that no node holds while this message is in flight.
    pub fn unheld(&self) -> &[(Key, I)] {
        match self {
            Self::Take {
                items,
                holder: None,
                ..
            } => items,
            _ => &[],
        }
    }

    /// Its kind for display, in a word or two; empty for maintenance messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Take { .. } => "items, to their root",
            Self::Copy(_) => "copies",
            Self::Offer { .. }
            | Self::Hold(_)
            | Self::Keep(_)
            | Self::Recount
            | Self::All(_)
            | Self::Want(_)
            | Self::Have(_)
            | Self::Full(_)
            | Self::Release(_)
            | Self::Renounce(_) => "",
        }
    }

    /// Size in a message: a key has the size of an ID, a sum 8 bytes, and a version and an item
    /// their own. Items of more than 2 GiB count as 2 GiB.
    pub fn bytes(&self) -> u32 {
        const SUM: u32 = 8;
        let named = |names: &Names| (NODE_BYTES + I::VERSION_BYTES) * names.len() as u32;
        match self {
            Self::Take { items, .. } | Self::Copy(items) => {
                let bytes = |(_, item): &(Key, I)| u64::from(NODE_BYTES) + u64::from(item.bytes());
                let all: u64 = items.iter().map(bytes).sum();
                all.min(MOST_BYTES) as u32
            }
            Self::Offer { names, .. } => NODE_BYTES + named(names),
            Self::Hold(names) | Self::All(names) => named(names),
            Self::Keep(_) => SUM,
            Self::Recount => 0,
            Self::Want(keys)
            | Self::Have(keys)
            | Self::Full(keys)
            | Self::Release(keys)
            | Self::Renounce(keys) => NODE_BYTES * keys.len() as u32,
        }
    }
}
