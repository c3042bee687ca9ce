//! What the operations of all nodes have measured.

use super::crawl::{CompletedCrawl, ObservedSession};
use super::walk::WalkHops;
use crate::engine::{Duration, Instant};
use crate::overlay::Node;
use crate::space::Key;

/// What an operation was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To store the record of a provider.
    Provide,
    /// To send a record again.
    Republish,
    /// To send the records of a region again.
    Sweep,
    /// To find providers.
    Find,
    /// To estimate the size of the network.
    Estimate,
}

/// An operation that has ended.
#[derive(Clone, Debug)]
pub struct CompletedOperation {
    /// Its initiator.
    pub node: Node,
    /// The key of the content, or of one of those of a region.
    pub key: Key,
    /// What it was for.
    pub purpose: Purpose,
    /// When it began.
    pub begun: Instant,
    /// Time of its walks, with their last requests.
    pub walked: Duration,
    /// Time until only the last requests of the first walk were left; `None` for a walk that ends before,
    /// or whose rules have no last requests.
    pub approached: Option<Duration>,
    /// Time until it returned to its caller: records may still be under way in the background.
    pub returned: Duration,
    /// Time until all its requests had ended.
    pub ended: Duration,
    /// Time until 15 and until 20 records were stored, if so many were.
    pub stored_after: [Option<Duration>; 2],
    /// The lengths of the first walk.
    pub hops: WalkHops,
    /// Walks.
    pub walks: u32,
    /// Requests of the walks.
    pub asked: u32,
    /// Of these, requests without a reply.
    pub silent: u32,
    /// Nodes to which the record was to be sent, those included that were known to be silent.
    pub receivers: u32,
    /// Nodes that have stored the record.
    pub holders: Vec<Node>,
    /// Contents whose records are sent.
    pub contents: u32,
    /// Records that are stored: one for each content and holder.
    pub records: u32,
    /// The nodes nearest to the key that the first walk found, nearest first.
    pub closest: Vec<Node>,
    /// The nodes of the region, with regions.
    pub region: Vec<Node>,
    /// Time until the first record was found, and the steps of the shortest chain of referrals to the
    /// node that gave it.
    pub first_record: Option<(Duration, u16)>,
    /// Providers that were found.
    pub providers: Vec<Node>,
    /// The initiator's estimate of the size of the network when the operation began.
    pub estimate: Option<f64>,
}

/// Numbers of the times in [`CompletedOperation::stored_after`].
pub(super) const STORED: [usize; 2] = [15, 20];

/// Measurements over all nodes.
#[derive(Clone, Debug, Default)]
pub struct ProviderMetrics {
    /// The operations that have ended, in this order.
    pub ended: Vec<CompletedOperation>,
    /// Operations that have begun.
    pub begun: u64,
    /// Operations whose initiator has stopped.
    pub abandoned: u64,
    /// Crawls that have begun.
    pub crawls_begun: u64,
    /// The crawls that have ended.
    pub crawls: Vec<CompletedCrawl>,
    /// The sessions whose end the monitors have seen.
    pub sessions: Vec<ObservedSession>,
    /// Messages of the service.
    pub messages: u64,
}

impl ProviderMetrics {
    /// Operations under way.
    pub fn under_way(&self) -> u64 {
        self.begun - self.abandoned - self.ended.len() as u64
    }
}
