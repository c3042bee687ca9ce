//! Messages between nodes, their sizes and their kinds.

use super::block::{Block, STAMP_BYTES};
use super::placement::{SLOT_BYTES, Slot};
use crate::engine::Instant;
use crate::overlay::{NODE_BYTES, Node};
use crate::service::replication::{Item, ReplicationMessage};
use crate::space::Key;
use smallvec::SmallVec;

/// Nodes whose content did not match the key.
pub(super) type Refused = SmallVec<[Node; 2]>;

/// What relates an answer to its request.
#[derive(Clone, Copy, Debug)]
pub struct Ticket {
    /// The number of the request.
    pub number: u32,
    /// The number of the copy that is asked. A real node would number its messages; this field has
    /// no size of its own.
    pub index: u16,
    /// Hops of the request on its way to the root: a measurement without a size.
    pub hops: u32,
}

impl Ticket {
    /// The ticket of a request that has reached the root after so many hops.
    pub(super) fn after(self, hops: u32) -> Self {
        Self { hops, ..self }
    }
}

/// Messages between nodes.
#[derive(Clone, Debug)]
pub enum Message {
    /// To the root: store this block.
    Put {
        /// The request.
        ticket: Ticket,
        /// The block.
        block: Block,
    },
    /// To the root: delete the value under the key.
    Delete {
        /// The request.
        ticket: Ticket,
        /// When the deletion was first issued.
        stamp: Instant,
        /// The copy, if copies have keys of their own.
        slot: Option<Slot>,
    },
    /// To the root: send the content.
    Get {
        /// The request.
        ticket: Ticket,
        /// Nodes that have sent an invalid content.
        refused: Refused,
    },
    /// To a node of the replica set: send the content to the reader, or forward this message.
    Seek {
        /// The key.
        key: Key,
        /// The reader.
        reader: Node,
        /// The reader's request.
        ticket: Ticket,
        /// The nodes to ask next, the last of them first.
        others: Vec<Node>,
    },
    /// To the initiator: the value is stored or deleted.
    Done {
        /// The request.
        ticket: Ticket,
    },
    /// To the initiator of a put: the root is full.
    Full {
        /// The request.
        ticket: Ticket,
    },
    /// To the reader: the content.
    Found {
        /// The request.
        ticket: Ticket,
        /// The stored block.
        block: Block,
    },
    /// To the reader: the value does not exist.
    Absent {
        /// The request.
        ticket: Ticket,
        /// It was deleted.
        deleted: bool,
    },
    /// To the root of a copy: the root of the copy before it has the value in this version.
    Check {
        /// The receiver's copy.
        slot: Slot,
        /// The version of the sender's copy.
        version: u64,
    },
    /// To the sender of a check: send the value of this copy.
    Fetch {
        /// The copy that is missing or has another version.
        slot: Slot,
    },
    /// Replication of blocks.
    Replication(ReplicationMessage<Block>),
}

impl Message {
    /// Alters the contents of the message.
    pub(super) fn forge(&mut self) {
        match self {
            Self::Put { block, .. } | Self::Found { block, .. } => block.forge(),
            Self::Replication(
                ReplicationMessage::Take { items, .. } | ReplicationMessage::Copy(items),
            ) => {
                items.iter_mut().for_each(|(_, block)| block.forge());
            }
            _ => {}
        }
    }

    /// Its size without the header.
    pub(super) fn bytes(&self) -> u32 {
        const NUMBER: u32 = 4;
        const FLAG: u32 = 1;
        match self {
            Self::Put { block, .. } | Self::Found { block, .. } => NUMBER + FLAG + block.bytes(),
            Self::Delete { slot, .. } => {
                NUMBER + STAMP_BYTES + slot.as_ref().map_or(0, |_| SLOT_BYTES)
            }
            Self::Get { refused, .. } => NUMBER + NODE_BYTES * refused.len() as u32,
            Self::Seek { others, .. } => NUMBER + NODE_BYTES * (2 + others.len() as u32),
            Self::Done { .. } | Self::Full { .. } => NUMBER,
            Self::Absent { .. } => NUMBER + FLAG,
            Self::Check { .. } => SLOT_BYTES + Block::VERSION_BYTES,
            Self::Fetch { .. } => SLOT_BYTES,
            Self::Replication(replication) => replication.bytes(),
        }
    }

    /// Its kind for display; empty for maintenance messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Put { .. } => "put",
            Self::Delete { .. } => "delete",
            Self::Get { .. } => "get",
            Self::Seek { .. } => "get, to a copy",
            Self::Done { .. } => "done",
            Self::Full { .. } => "full",
            Self::Found { .. } => "found",
            Self::Absent { .. } => "absent",
            Self::Check { .. } | Self::Fetch { .. } => "",
            Self::Replication(replication) => replication.kind(),
        }
    }
}
