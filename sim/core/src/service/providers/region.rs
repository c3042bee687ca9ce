//! All nodes of a region of the space, by lookups on both sides of each branch.
//!
//! Sridhar et al., "Content censorship in the InterPlanetary File System" (NDSS 2024), section VI. The
//! nodes nearest to a key may all belong to an attacker. A region is all nodes that share a number of
//! first bits with the key. A lookup finds the nodes nearest to its key; where the farthest of them
//! shares c first bits with it, the other half of the subtree of c bits may hold more nodes, and so on
//! up to the region itself.

use crate::engine::Stream;
use crate::overlay::Node;
use crate::space::Key;

/// A search of a region in progress.
#[derive(Clone, Debug)]
pub struct Region {
    key: Key,
    /// The first bits that nodes of the region share with the key.
    prefix: u32,
    /// The subtrees in which the search goes on, the innermost last.
    open: Vec<Subregion>,
    /// The nodes of the region so far, in the order in which they were found.
    nodes: Vec<Node>,
    /// Lookups so far.
    pub lookups: u32,
}

#[derive(Clone, Copy, Debug)]
struct Subregion {
    key: Key,
    /// The first bits that its nodes share with `key`.
    prefix: u32,
    /// The shared bits of the branch that is searched next, after which fewer are; below 0 without any.
    next: i64,
}

impl Region {
    /// The region of the nodes that share `prefix` first bits with `key`. The first lookup is that of
    /// `key`.
    pub fn new(key: Key, prefix: u32) -> Self {
        let subregion = Subregion {
            key,
            prefix,
            next: -1,
        };
        Self {
            key,
            prefix,
            open: vec![subregion],
            nodes: Vec::new(),
            lookups: 0,
        }
    }

    /// A lookup has found `nodes`, the nearest to its key, each with its ID. Returns the key of the
    /// next one, if there is one.
    pub fn found(&mut self, nodes: &[(Node, Key)], stream: &mut Stream) -> Option<Key> {
        self.lookups += 1;
        for (node, id) in nodes {
            if id.common_prefix(self.key) >= self.prefix && !self.nodes.contains(node) {
                self.nodes.push(*node);
            }
        }
        let last = self.open.last_mut()?;
        let shared = nodes.iter().map(|(_, id)| id.common_prefix(last.key));
        let least = shared.min().unwrap_or(0).min(Key::BITS - 2);
        last.next = i64::from(least);
        loop {
            let last = self.open.last_mut()?;
            if last.next >= i64::from(last.prefix) {
                let bits = last.next as u32;
                last.next -= 1;
                let key = last.key.random_with_exact_prefix(bits, stream);
                self.open.push(Subregion {
                    key,
                    prefix: bits + 1,
                    next: -1,
                });
                return Some(key);
            }
            self.open.pop();
        }
    }

    /// The nodes of the region that were found.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;
    use proptest::prelude::*;

    proptest! {
        /// With exact lookups every node of the region is found, whoever is nearest to the key.
        #[test]
        fn all_nodes_of_a_region_are_found(
            seed: u64, nodes in 1usize..400, near in 0usize..60, prefix in 0u32..8,
        ) {
            let mut stream = Seed::new(seed).stream("region", 0);
            let key = Key::random(&mut stream);
            let mut ids: Vec<Key> = (0..nodes).map(|_| Key::random(&mut stream)).collect();
            ids.extend((0..near).map(|_| key.random_with_prefix(40, &mut stream)));
            let mut region = Region::new(key, prefix);
            let mut next = Some(key);
            while let Some(target) = next {
                let mut nearest: Vec<(Node, Key)> =
                    (0..).map(Node).zip(ids.iter().copied()).collect();
                nearest.sort_by_key(|(_, id)| id.xor(target));
                nearest.truncate(20);
                next = region.found(&nearest, &mut stream);
                prop_assert!(region.lookups < 2 * ids.len() as u32 + 200);
            }
            let all = ids.iter().filter(|id| id.common_prefix(key) >= prefix).count();
            prop_assert_eq!(region.nodes().len(), all);
        }
    }
}
