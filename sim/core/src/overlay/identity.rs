//! Nodes and their IDs.

use crate::space::Key;

/// A node's address: one incarnation of one node, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(pub u32);

impl Node {
    /// Its index in flat arrays over all nodes.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The ID of each node.
///
/// A peer record is an address and an ID. The ID of an incarnation never changes, so it is stored
/// once here instead of in every table and message: a node may only read the ID of a node whose
/// address it has received. Changing values, such as a position, travel in messages.
#[derive(Clone, Debug, Default)]
pub struct NodeIds(Vec<Key>);

impl NodeIds {
    /// Adds the next node, with its ID.
    pub fn add(&mut self, id: Key) -> Node {
        let node = Node(u32::try_from(self.0.len()).expect("fewer than 2^32 nodes"));
        self.0.push(id);
        node
    }

    /// The ID of `node`.
    pub fn id(&self, node: Node) -> Key {
        self.0[node.index()]
    }

    /// The number of nodes so far.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there has been no node yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
