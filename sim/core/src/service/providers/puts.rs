//! The requests of an operation beyond its walks: records that are sent to the nodes near the key, and
//! requests for records.

use super::message::{Message, Tag};
use super::metrics::{Purpose, STORED};
use super::{ProviderContext, Providers, Timer};
use crate::engine::Duration;
use crate::overlay::Node;

/// A request beyond the walks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Put {
    pub node: Node,
    /// Records in the request.
    pub records: u32,
    pub state: PutState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PutState {
    UnderWay,
    Stored,
    Failed,
}

/// Requests after which an optimistic operation returns; as in go-libp2p-kad-dht.
const RETURNS_AFTER: usize = 15;
/// With a full table: how long a node waits for an acknowledgement at most; as in go-libp2p-kad-dht.
const TABLE_PATIENCE: Duration = Duration::from_secs(5);

impl Providers {
    /// All nodes near the key are known.
    pub(super) fn after_walks(
        &mut self,
        context: &mut ProviderContext<'_>,
        number: u32,
        nearest: &[(Node, bool)],
    ) {
        let holders = context.shared.parameters.holders;
        let Some(operation) = self.operation(number) else {
            return;
        };
        if operation.completed.purpose == Purpose::Sweep {
            self.put_region(context, number);
            return;
        }
        let receivers: Vec<(Node, bool)> = if operation.region.is_some() {
            let nodes = operation.completed.region.iter();
            nodes.map(|node| (*node, false)).collect()
        } else if operation.sends_records() {
            nearest.iter().take(holders).copied().collect()
        } else {
            Vec::new()
        };
        let is_new = |(node, _): &(Node, bool)| operation.puts.iter().all(|put| put.node != *node);
        let receivers: Vec<_> = receivers.into_iter().filter(is_new).collect();
        // A node that was just silent is not dialled again.
        let silent = receivers.iter().filter(|(_, is_silent)| *is_silent);
        operation.puts.extend(silent.map(|(node, _)| Put {
            node: *node,
            records: 1,
            state: PutState::Failed,
        }));
        for (node, _) in receivers.iter().filter(|(_, is_silent)| !is_silent) {
            self.put(context, number, *node);
        }
        self.check_puts(context, number);
    }

    /// All nodes of a region are known: each gets its records.
    fn put_region(&mut self, context: &mut ProviderContext<'_>, number: u32) {
        let Some(operation) = self.operation(number) else {
            return;
        };
        let (tag, key) = (operation.tag(), operation.completed.key);
        let found = operation.completed.region.clone();
        let records = self.records_of_region(context, key, &found);
        if let Some(operation) = self.operation(number) {
            operation.completed.contents = records.contents;
            let puts = records.of_nodes.iter().map(|(node, keys)| Put {
                node: *node,
                records: keys.len() as u32,
                state: PutState::UnderWay,
            });
            operation.puts.extend(puts);
        }
        for (node, keys) in records.of_nodes {
            Self::send(context, node, Message::AddProvider { tag, keys });
            context.set_timer(
                context.shared.parameters.reply_timeout,
                Timer::Put(tag, node),
            );
        }
        self.check_puts(context, number);
    }

    /// Sends the record to `node`, or asks it for records.
    pub(super) fn put(&mut self, context: &mut ProviderContext<'_>, number: u32, node: Node) {
        let patience = context.shared.parameters.reply_timeout;
        let Some(operation) = self.operation(number) else {
            return;
        };
        let (tag, key) = (operation.tag(), operation.completed.key);
        let patience = match operation.is_from_table {
            true => patience.min(TABLE_PATIENCE),
            false => patience,
        };
        let state = PutState::UnderWay;
        let records = 1;
        operation.puts.push(Put {
            node,
            records,
            state,
        });
        let message = if operation.asks_for_records() {
            let content = Some(key);
            Message::FindNode { tag, key, content }
        } else {
            let keys = Box::new([key]);
            Message::AddProvider { tag, keys }
        };
        Self::send(context, node, message);
        context.set_timer(patience, Timer::Put(tag, node));
    }

    /// A request beyond the walks has ended.
    pub(super) fn on_put_ended(
        &mut self,
        context: &mut ProviderContext<'_>,
        tag: Tag,
        node: Node,
        is_stored: bool,
    ) {
        let now = context.now;
        let Some(operation) = self.operation(tag.operation) else {
            return;
        };
        let elapsed = operation.elapsed(now);
        let mut puts = operation.puts.iter_mut();
        let under_way = puts.find(|put| put.node == node && put.state == PutState::UnderWay);
        let Some(put) = under_way else {
            return;
        };
        put.state = if is_stored {
            PutState::Stored
        } else {
            PutState::Failed
        };
        let records = put.records;
        if is_stored && operation.sends_records() {
            operation.completed.records += records;
            operation.completed.holders.push(node);
            let stored = operation.completed.holders.len();
            for (index, count) in STORED.into_iter().enumerate() {
                if stored == count {
                    operation.completed.stored_after[index] = Some(elapsed);
                }
            }
        }
        self.check_puts(context, tag.operation);
    }

    /// Ends the operation if all its requests have ended.
    fn check_puts(&mut self, context: &mut ProviderContext<'_>, number: u32) {
        let now = context.now;
        let Some(place) = self.operations.iter().position(|o| o.number == number) else {
            return;
        };
        let operation = &mut self.operations[place];
        let under_way = operation.count(PutState::UnderWay);
        let elapsed = operation.elapsed(now);
        let is_walking = operation.walk.is_some();
        let ended = operation.puts.len() - under_way;
        let returns = match operation.optimistic {
            _ if operation.is_from_table => {
                ended + operation.count(PutState::Stored) >= operation.puts.len()
            }
            Some(_) => !is_walking && ended >= RETURNS_AFTER.min(operation.puts.len()),
            None => !is_walking && under_way == 0,
        };
        if returns && !operation.has_returned {
            operation.has_returned = true;
            operation.completed.returned = elapsed;
        }
        if !is_walking && under_way == 0 {
            let mut operation = self.operations.swap_remove(place);
            operation.completed.ended = elapsed;
            operation.completed.receivers = operation.puts.len() as u32;
            context.metrics.ended.push(operation.completed);
            self.plan_waiting(context);
        }
    }
}
