//! Nodes and their IDs.

use crate::space::Key;
use std::net::Ipv4Addr;

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
pub struct NodeIds {
    ids: Vec<Key>,
    /// The IPv4 address of each node, if the protocol uses them.
    addresses: Vec<u32>,
}

impl NodeIds {
    /// Adds the next node, with its ID.
    pub fn add(&mut self, id: Key) -> Node {
        let node = Node(u32::try_from(self.ids.len()).expect("fewer than 2^32 nodes"));
        self.ids.push(id);
        node
    }

    /// Sets the IPv4 address of the node that was added last. All nodes have one, or none.
    pub fn set_address(&mut self, address: Ipv4Addr) {
        self.addresses.resize(self.ids.len() - 1, 0);
        self.addresses.push(address.to_bits());
    }

    /// The IPv4 address of `node`, if nodes have addresses.
    pub fn address(&self, node: Node) -> Option<Ipv4Addr> {
        let address = self.addresses.get(node.index()).copied();
        address.map(Ipv4Addr::from_bits)
    }

    /// The first `bits` of the IPv4 address of `node`, 1 to 32; 0 if nodes have no addresses.
    pub fn group(&self, node: Node, bits: u32) -> u32 {
        let address = self.addresses.get(node.index()).copied().unwrap_or(0);
        address >> (32 - bits)
    }

    /// The ID of `node`.
    pub fn id(&self, node: Node) -> Key {
        self.ids[node.index()]
    }

    /// The number of nodes so far.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there has been no node yet.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}
