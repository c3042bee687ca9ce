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
//! just come into the network, and what has no versions, is sent unasked. A copy that does not
//! belong to the replica set any more is released when all that do have said that they are there.
//!
//! Services use it through messages of their own that carry a [`Custody`]: what a node is told goes
//! in by [`Store::receive`], what others are to be told comes out in a list.

mod held;
mod letters;
mod store;
#[cfg(test)]
mod tests;

pub use letters::Letters;
pub use store::{Change, Store};

use crate::overlay::{NODE_BYTES, Node};
use crate::space::Key;

/// What is kept.
pub trait Item: Clone + std::fmt::Debug {
    /// Takes in what another copy of the same item says; whether this one has changed. In which
    /// order copies are taken in must not matter in the end.
    fn merge(&mut self, other: Self) -> bool;

    /// Its size in a message.
    fn bytes(&self) -> u32;

    /// A number that two copies of one item share only if they say the same; `None` where that
    /// cannot be told, and copies are then sent unasked.
    fn version(&self) -> Option<u64> {
        None
    }
}

/// Items with their keys.
pub type Items<I> = Vec<(Key, I)>;

/// The keys of items with their versions.
pub type Names = Vec<(Key, Option<u64>)>;

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
    /// I still look after the copies that you have from me.
    Keep,
    /// I have others hold copies of these.
    Release(Vec<Key>),
    /// I do not look after these any more: offer them to their roots.
    Disown(Vec<Key>),
}

impl<I: Item> Custody<I> {
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
            | Self::Keep
            | Self::Want(_)
            | Self::Have(_)
            | Self::Release(_)
            | Self::Disown(_) => "",
        }
    }

    /// Its size in a message: a key has the size of an ID, a version 8 bytes, and an item its own.
    pub fn bytes(&self) -> u32 {
        const VERSION: u32 = 8;
        let named = |names: &Names| {
            let version = |version: &Option<u64>| version.map_or(0, |_| VERSION);
            let name = |(_, of): &(Key, Option<u64>)| NODE_BYTES + version(of);
            names.iter().map(name).sum::<u32>()
        };
        match self {
            Self::Take { items, .. } | Self::Copy(items) => items
                .iter()
                .map(|(_, item)| NODE_BYTES + item.bytes())
                .sum(),
            Self::Offer { names, .. } => NODE_BYTES + named(names),
            Self::Hold(names) => named(names),
            Self::Keep => 0,
            Self::Want(keys) | Self::Have(keys) | Self::Release(keys) | Self::Disown(keys) => {
                NODE_BYTES * keys.len() as u32
            }
        }
    }
}
