//! Messages of a file job.

use super::collector::Collector;
use super::execution::MapTask;
use super::plan::{Block, Plan};
use super::records::Records;
use crate::overlay::Application;
use crate::overlay::{NODE_BYTES, Node};
use crate::service::balancing::{LoadMessage, LocalMessage};
use crate::service::storage::{self, Storage};
use std::sync::Arc;

/// Messages between nodes.
#[derive(Clone, Debug)]
pub enum Message {
    /// Of the storage.
    Storage(Box<storage::Message>),
    /// To the root of the address: stage the job.
    Stage,
    /// To the next hop of these blocks: map them at their roots.
    Map {
        /// The blocks.
        blocks: Vec<Block>,
        /// The receiver is considered the root.
        last: bool,
    },
    /// To a node that may have a copy of the block: map it, or send this on.
    Seek {
        /// The block.
        block: Block,
        /// The nodes to ask next, the last of them first.
        others: Vec<Node>,
    },
    /// To the root of the address: results, sent on by this node.
    Results(Node, Vec<Records>),
    /// To the root of the address: no node that was asked has a copy of this block.
    Absent(Block),
    /// What a node has counted: a copy of it, or of what is new.
    Counted {
        /// The blocks of the job, if the receiver does not know them.
        plan: Option<Arc<Plan>>,
        /// The results.
        parts: Vec<Records>,
        /// The sender leaves: perhaps nobody else knows the job.
        is_last: bool,
    },
    /// Between identities of one host.
    Local(LocalMessage<MapTask>),
    /// About loads and help.
    Load(LoadMessage),
}

/// Bytes of the number of a block, and of that of its file, in a message.
const NUMBERS: u32 = 4 + 4;

/// Bytes of the number of a round, in a message; the first one is left out.
fn round_bytes(round: Option<u32>) -> u32 {
    if round.is_some_and(|round| round > 0) {
        4
    } else {
        0
    }
}

impl Message {
    /// All that `collector` has counted; `is_last` if its node leaves.
    pub(super) fn counted(collector: &mut Collector, is_last: bool) -> Self {
        Self::Counted {
            plan: collector.plan().cloned(),
            parts: collector.merge_all().into_iter().collect(),
            is_last,
        }
    }

    /// What the root of the address has counted since.
    pub(super) fn counted_parts(parts: Vec<Records>) -> Self {
        Self::Counted {
            plan: None,
            parts,
            is_last: false,
        }
    }

    /// Whether it carries results of blocks.
    pub(super) fn carries_results(&self) -> bool {
        match self {
            Self::Results(..) | Self::Local(LocalMessage::Done(_)) => true,
            Self::Counted { is_last, .. } => *is_last,
            _ => false,
        }
    }

    /// Bytes, without the header.
    pub(super) fn bytes(&self) -> u32 {
        let records = |parts: &[Records]| {
            let part = |part: &Records| part.bytes() + round_bytes(Some(part.round()));
            parts.iter().map(part).sum::<u32>()
        };
        let round = |blocks: &[Block]| round_bytes(blocks.first().map(|block| block.round));
        match self {
            Self::Storage(message) => Storage::bytes(message),
            Self::Stage | Self::Local(_) => 0,
            Self::Load(message) => message.bytes(),
            Self::Map { blocks, .. } => {
                (NODE_BYTES + NUMBERS) * blocks.len() as u32 + round(blocks)
            }
            Self::Seek { block, others } => {
                NODE_BYTES * (1 + others.len() as u32) + NUMBERS + round(&[*block])
            }
            Self::Results(_, parts) => NODE_BYTES + records(parts),
            Self::Absent(block) => 4 + round(&[*block]),
            Self::Counted { plan, parts, .. } => {
                let blocks = plan.as_ref().map_or(&[][..], |plan| plan.blocks());
                NODE_BYTES * blocks.len() as u32 + round(blocks) + records(parts)
            }
        }
    }

    /// Its kind, for display.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Storage(message) => Storage::kind(message),
            Self::Stage => "stage the job",
            Self::Map { .. } => "map tasks",
            Self::Seek { .. } => "map task, to a copy",
            Self::Results(..) => "results",
            Self::Absent(_) => "no copy of a block",
            Self::Counted { .. } => "counted results",
            Self::Local(_) => "message between identities of one host",
            Self::Load(_) => "load message",
        }
    }
}
