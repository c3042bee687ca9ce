//! Messages of a job.

use super::partial_result::PartialResult;
use super::tasks::Value;
use crate::overlay::Node;
use crate::service::balancing::{LoadMessage, LocalMessage};
use crate::service::replication::{Item, Items, ReplicationMessage};
use crate::space::Key;

/// A part of a job, and its result.
#[derive(Clone, Debug, PartialEq)]
pub struct Atom {
    pub(super) number: u32,
    pub(super) result: Option<Value>,
}

impl Item for Atom {
    fn merge(&mut self, other: Self) -> bool {
        let news = self.result.is_none() && other.result.is_some();
        if news {
            self.result = other.result;
        }
        news
    }

    fn bytes(&self) -> u32 {
        4 + self
            .result
            .as_ref()
            .map_or(0, |value| 12 * value.len() as u32)
    }

    const VERSION_BYTES: u32 = 1;

    /// The result of an atom is always the same.
    fn version(&self) -> u64 {
        self.result.is_some().into()
    }
}

/// Messages between nodes.
#[derive(Clone, Debug)]
pub enum Message {
    /// To the root of the address: stage the job.
    Stage,
    /// Replication of atoms.
    Replication(ReplicationMessage<Atom>),
    /// As in the published code: atoms on their walk from one random node to the next.
    Walk(Items<Atom>),
    /// To the root of the address: results, sent on by this node.
    Results(Node, Vec<PartialResult>),
    /// Counted results: a copy.
    Counted(Vec<PartialResult>),
    /// To the root of the address, sent on by this node: the job exists.
    Pending(Node),
    /// To the roots of these atoms: request for their results. The flag is whether the receiver is
    /// considered the root.
    Recall(Vec<u32>, bool),
    /// Between identities of one host.
    Local(LocalMessage<u32>),
    /// About loads and help.
    Load(LoadMessage),
}

impl Message {
    /// The atoms in it that no node holds.
    pub(super) fn unheld(&self) -> &[(Key, Atom)] {
        match self {
            Self::Replication(replication) => replication.unheld(),
            Self::Walk(items) => items,
            _ => &[],
        }
    }

    /// Whether it carries results of atoms.
    pub(super) fn carries_results(&self) -> bool {
        match self {
            Self::Results(..) | Self::Local(LocalMessage::Done(_)) => true,
            Self::Counted(partials) => !partials.is_empty(),
            _ => false,
        }
    }

    /// Doubles the results in it.
    pub(super) fn forge(&mut self) {
        if let Self::Results(_, partials) = self {
            for (_, number) in partials.iter_mut().flat_map(|partial| &mut partial.value) {
                *number *= 2.0;
            }
        }
    }

    /// Bytes, without the header.
    pub(super) fn bytes(&self) -> u32 {
        let atoms = |items: &Items<Atom>| items.iter().map(|(_, atom)| 4 + atom.bytes()).sum();
        match self {
            Self::Stage | Self::Pending(_) | Self::Local(_) => 0,
            Self::Replication(replication) => replication.bytes(),
            Self::Walk(items) => atoms(items),
            Self::Results(_, partials) | Self::Counted(partials) => {
                partials.iter().map(PartialResult::bytes).sum()
            }
            Self::Recall(atoms, _) => 4 * atoms.len() as u32,
            Self::Load(load_message) => load_message.bytes(),
        }
    }

    /// Its kind, for display.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Stage => "stage the job",
            Self::Replication(replication) => replication.kind(),
            Self::Walk(_) => "atoms on their walk",
            Self::Results(..) => "results",
            Self::Counted(_) => "counted results",
            Self::Pending(_) => "job announcement",
            Self::Recall(..) => "recall of results",
            Self::Local(_) => "message between identities of one host",
            Self::Load(_) => "load message",
        }
    }
}
