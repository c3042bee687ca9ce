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
//! What may be there already is named first, by its key and version, and sent to those who want
//! it: what goes from hop to hop are keys, and who holds a copy gets no other. Only what has
//! just come into the network, and what is no larger than the header of a message, is sent unasked.
//! A copy that does not belong to the replica set any more is released when all that do have said
//! that they are there.
//!
//! While nodes know too little of each other two may hold themselves to be the root of one key, and
//! the one may release a copy on which the other counts. So the owner's keep-alives carry a sum of
//! the names of all that it counts on at the receiver, and a receiver whose own sum differs has them
//! named (`keep_alive`): synchronisation of replicas by digests, as by the Merkle trees of DHash (Cates,
//! MIT 2003), with a tree of one node.
//!
//! Services use it through messages of their own that carry a [`ReplicationMessage`]: what a node is told goes
//! in by [`Store::receive`], what others are to be told comes out in a list.

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

/// What is kept.
pub trait Item: Clone + std::fmt::Debug {
    /// Takes in what another copy of the same item says; whether this one has changed. In which
    /// order copies are taken in must not matter in the end.
    fn merge(&mut self, other: Self) -> bool;

    /// Its size in a message.
    fn bytes(&self) -> u32;

    /// Bytes of a version in a message.
    const VERSION_BYTES: u32 = 8;

    /// A number that two copies of one item share only if they say the same.
    fn version(&self) -> u64;
}

/// Items with their keys.
pub type Items<I> = Vec<(Key, I)>;

/// The keys of items with their versions.
pub type Names = Vec<(Key, u64)>;

/// What nodes tell each other of the items they keep.
#[derive(Clone, Debug)]
pub enum ReplicationMessage<I> {
    /// To the next hop of their keys: the root is to look after these.
    Take {
        /// The items.
        items: Items<I>,
        /// Who holds copies of them, if anybody does.
        holder: Option<Node>,
        /// The receiver is held to be the root.
        last: bool,
    },
    /// To the next hop of their keys: the root is to look after these, and may ask `holder` for
    /// those that it wants.
    Offer {
        /// Which items.
        names: Names,
        /// Who holds copies of them.
        holder: Node,
        /// The receiver is held to be the root.
        last: bool,
    },
    /// To the replica set: hold copies of these, which I look after.
    Copy(Items<I>),
    /// The same; ask for those that you have not.
    Hold(Names),
    /// I have not got these that you have named: send them.
    Want(Vec<Key>),
    /// I have got copies of these, which you look after.
    Have(Vec<Key>),
    /// I still look after the copies that you have from me, whose names have this sum.
    Keep(u64),
    /// What I have from you has another sum: name all that I should have.
    Recount,
    /// You hold copies of these for me, and of no others.
    All(Names),
    /// I have others hold copies of these.
    Release(Vec<Key>),
    /// I do not look after these any more: offer them to their roots.
    Renounce(Vec<Key>),
}

impl<I: Item> ReplicationMessage<I> {
    /// The items that nobody holds while this is on its way.
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

    /// What it is, in a word or two, for those who watch; empty for what is said to keep things as
    /// they are.
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
            | Self::Release(_)
            | Self::Renounce(_) => "",
        }
    }

    /// Its size in a message: a key has the size of an ID, a sum 8 bytes, and a version and an item
    /// their own.
    pub fn bytes(&self) -> u32 {
        const SUM: u32 = 8;
        let named = |names: &Names| (NODE_BYTES + I::VERSION_BYTES) * names.len() as u32;
        match self {
            Self::Take { items, .. } | Self::Copy(items) => items
                .iter()
                .map(|(_, item)| NODE_BYTES + item.bytes())
                .sum(),
            Self::Offer { names, .. } => NODE_BYTES + named(names),
            Self::Hold(names) | Self::All(names) => named(names),
            Self::Keep(_) => SUM,
            Self::Recount => 0,
            Self::Want(keys) | Self::Have(keys) | Self::Release(keys) | Self::Renounce(keys) => {
                NODE_BYTES * keys.len() as u32
            }
        }
    }
}
