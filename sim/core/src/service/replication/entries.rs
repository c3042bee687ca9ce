//! The items on a node with their owners.

use super::Item;
use super::entry::{Owner, StoreEntry};
use crate::engine::mix;
use crate::overlay::Node;
use crate::space::Key;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

/// The items on a node by key, with the digests of the copies that each owner has there. These are
/// computed when one is wanted, and forgotten whenever an item may change: between two changes every
/// owner asks for its own.
#[derive(Clone, Debug)]
pub(super) struct Entries<I> {
    by_key: BTreeMap<Key, StoreEntry<I>>,
    digests: Option<Vec<(Node, u64)>>,
}

/// The digest of an item's name in a sum.
pub(super) fn digest(key: &Key, version: u64) -> u64 {
    mix(key.prefix() ^ mix(version))
}

impl<I> Default for Entries<I> {
    fn default() -> Self {
        Self {
            by_key: BTreeMap::new(),
            digests: None,
        }
    }
}

impl<I: Item> Entries<I> {
    /// The sum of the digests of the copies of `owner`. O(k) for k items after a change, else O(owners).
    pub fn digest_of(&mut self, owner: Node) -> u64 {
        let digests = self.digests.get_or_insert_with(|| {
            let mut digests: Vec<(Node, u64)> = Vec::new();
            for (key, entry) in &self.by_key {
                let Owner::Node(owner) = entry.owner else {
                    continue;
                };
                let digest = digest(key, entry.item.version());
                match digests.iter_mut().find(|(node, _)| *node == owner) {
                    Some((_, sum)) => *sum = sum.wrapping_add(digest),
                    None => digests.push((owner, digest)),
                }
            }
            digests
        });
        let mut of = digests.iter().filter(|(node, _)| *node == owner);
        of.next().map_or(0, |(_, sum)| *sum)
    }
}

impl<I> Deref for Entries<I> {
    type Target = BTreeMap<Key, StoreEntry<I>>;

    fn deref(&self) -> &Self::Target {
        &self.by_key
    }
}

/// Any change, so that no digest is of an earlier state.
impl<I> DerefMut for Entries<I> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.digests = None;
        &mut self.by_key
    }
}
