//! Messages between nodes.

use crate::overlay::{NODE_BYTES, Node};
use crate::space::Key;

/// What relates a reply to its request: the number of the operation of the initiator, and that of the
/// walk within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The operation.
    pub operation: u32,
    /// The walk.
    pub walk: u32,
}

/// Messages between nodes.
#[derive(Clone, Debug)]
pub enum Message {
    /// Request for the known nodes nearest to `key`, and for the providers of `content`, if given.
    FindNode {
        /// The operation.
        tag: Tag,
        /// The key of the walk.
        key: Key,
        /// The key of the content.
        content: Option<Key>,
    },
    /// Reply with these nodes, nearest first, and with the providers of the content.
    Nodes {
        /// The operation.
        tag: Tag,
        /// The nodes.
        nodes: Box<[Node]>,
        /// The providers.
        providers: Box<[Node]>,
    },
    /// Store that the sender provides the contents with these keys.
    AddProvider {
        /// The operation.
        tag: Tag,
        /// The keys of the contents.
        keys: Box<[Key]>,
    },
    /// Reply: the records are stored.
    Added {
        /// The operation.
        tag: Tag,
    },
}

impl Message {
    /// Bytes of the message without its header, as Li et al. (INFOCOM 2005) count.
    pub fn bytes(&self) -> u32 {
        let named = match self {
            Self::FindNode { content, .. } => 1 + u32::from(content.is_some()),
            Self::Nodes {
                nodes, providers, ..
            } => (nodes.len() + providers.len()) as u32,
            Self::AddProvider { keys, .. } => 1 + keys.len() as u32,
            Self::Added { .. } => 0,
        };
        NODE_BYTES * named
    }

    /// What the message is, in a word or two.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::FindNode { content: None, .. } => "find node",
            Self::FindNode { .. } => "get providers",
            Self::Nodes { .. } => "nodes",
            Self::AddProvider { .. } => "add provider",
            Self::Added { .. } => "added",
        }
    }
}
