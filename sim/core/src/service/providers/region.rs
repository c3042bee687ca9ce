//! All nodes of a region of the space, by lookups on both sides of each branch.
//!
//! `GetPeersWithCPL` of the fork of go-libp2p-kad-dht of Sridhar et al., "Content censorship in the
//! InterPlanetary File System" (NDSS 2024), section VI. The nodes nearest to a key may all belong to an
//! attacker. A region is all nodes that share a number of first bits with the key. A lookup finds the
//! nodes nearest to its key. While they share c bits with it and the region begins before, those that
//! share exactly c bits may not all be found: they are the region of c + 1 bits of a random key there,
//! which is searched in the same way, and c falls by one.

use crate::engine::Stream;
use crate::space::Key;

/// Common bits up to which a random ID can be made for a bucket: go-libp2p-kbucket has a list of
/// preimages for each prefix of 16 bits, and no longer ones.
pub const MOST_BITS: u32 = 15;

/// A search of a region in progress, for nodes named by `T`.
#[derive(Clone, Debug)]
pub struct Region<T> {
    /// The subregions in which the search goes on, the innermost last; the region itself is the first.
    open: Vec<Subregion>,
    /// The nodes of the region so far, in the order in which they were found.
    nodes: Vec<T>,
}

#[derive(Clone, Copy, Debug)]
struct Subregion {
    key: Key,
    /// The first bits that its nodes share with `key`; `None` for a lookup that opens no subregion.
    prefix: Option<u32>,
    /// The number of shared bits that is searched next; `None` before the first lookup and at the end.
    next: Option<u32>,
    /// The ID of the last node found.
    last: Key,
}

impl Subregion {
    fn new(key: Key, prefix: Option<u32>) -> Self {
        Self {
            key,
            prefix,
            next: None,
            last: key,
        }
    }

    fn holds(&self, id: &Key) -> bool {
        self.prefix
            .is_none_or(|prefix| id.common_prefix(self.key) >= prefix)
    }
}

impl<T: Copy + PartialEq> Region<T> {
    /// The region of the nodes that share `prefix` first bits with `key`. The first lookup is that of
    /// `key`.
    pub fn new(key: Key, prefix: u32) -> Self {
        Self {
            open: vec![Subregion::new(key, Some(prefix))],
            nodes: Vec::new(),
        }
    }

    /// A lookup has found `nodes`, the nearest to its key, nearest first, each with its ID. Returns the
    /// key of the next lookup, if there is one.
    ///
    /// Where no random key of so many common bits can be made (beyond 15 common bits), the last node found is
    /// looked up, which may leave nodes out.
    pub fn found(&mut self, nodes: &[(T, Key)], stream: &mut Stream) -> Option<Key> {
        for (node, id) in nodes {
            let is_inside = self.open.iter().all(|subregion| subregion.holds(id));
            if is_inside && !self.nodes.contains(node) {
                self.nodes.push(*node);
            }
        }
        let last = nodes.last().map(|(_, id)| *id);
        let found = self.open.last_mut()?;
        if found.prefix.is_some() {
            let shared = nodes.iter().map(|(_, id)| id.common_prefix(found.key));
            // A node at the key itself shares all bits, and no key shares all of them and differs.
            found.next = shared.min().map(|least| least.min(Key::BITS - 1));
            found.last = last.unwrap_or(found.key);
        } else {
            self.open.pop();
            if let (Some(outer), Some(last)) = (self.open.last_mut(), last) {
                outer.last = last;
            }
        }
        loop {
            let subregion = self.open.last_mut()?;
            let open = subregion
                .next
                .filter(|next| subregion.prefix.is_some_and(|prefix| *next >= prefix));
            let Some(bits) = open else {
                self.open.pop();
                continue;
            };
            subregion.next = bits.checked_sub(1);
            let (key, last) = (subregion.key, subregion.last);
            let (next, prefix) = if bits > MOST_BITS {
                (last, None)
            } else {
                (key.random_with_exact_prefix(bits, stream), Some(bits + 1))
            };
            self.open.push(Subregion::new(next, prefix));
            return Some(next);
        }
    }

    /// The nodes of the region that were found.
    pub fn nodes(&self) -> &[T] {
        &self.nodes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;
    use proptest::prelude::*;

    proptest! {
        /// With exact lookups every node of the region is found and no other one, unless more nodes than a
        /// lookup names share more than [`MOST_BITS`] bits. The 60 near ones share 8: for 20 of them to
        /// share 7 more has a probability of about 10^-24.
        #[test]
        fn all_nodes_of_a_region_are_found(
            seed: u64, nodes in 1usize..400, near in 0usize..60, prefix in 0u32..8,
            close in 0u32..9,
        ) {
            let mut stream = Seed::new(seed).stream("region", 0);
            let key = Key::random(&mut stream);
            let mut ids: Vec<Key> = (0..nodes).map(|_| Key::random(&mut stream)).collect();
            ids.extend((0..near).map(|_| key.random_with_exact_prefix(close, &mut stream)));
            let mut region = Region::new(key, prefix);
            let (mut next, mut lookups) = (Some(key), 0);
            while let Some(target) = next {
                let mut nearest: Vec<(usize, Key)> = ids.iter().copied().enumerate().collect();
                nearest.sort_by_key(|(_, id)| id.xor(target));
                nearest.truncate(20);
                next = region.found(&nearest, &mut stream);
                lookups += 1;
                prop_assert!(lookups < 2 * ids.len() + 200);
            }
            let is_inside = |place: &usize| ids[*place].common_prefix(key) >= prefix;
            let all = (0..ids.len()).filter(is_inside).count();
            prop_assert!(region.nodes().iter().all(is_inside));
            prop_assert_eq!(region.nodes().len(), all);
        }
    }
}
