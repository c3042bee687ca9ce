//! The capacity of a node: what a full node does not take.

use super::block::Block;
use super::message::Message;
use super::{Storage, StorageContext};
use crate::overlay::Node;
use crate::service::replication::{Items, ReplicationMessage};
use crate::space::Key;

impl Storage {
    /// Bytes of all contents on this node. O(k) for k values.
    pub fn bytes_stored(&self) -> u64 {
        self.store.iter().map(|(_, block)| block.size()).sum()
    }

    /// Whether this node can store `block` under `key`. A new value for a key that is here always
    /// has room: a keyfile that is overwritten, a tombstone.
    pub(super) fn has_room(&self, context: &StorageContext<'_>, key: &Key, block: &Block) -> bool {
        let Some(capacity) = context.shared.capacity else {
            return true;
        };
        self.store.get(key).is_some() || self.bytes_stored() + block.size() <= capacity
    }

    /// Removes from a message of `from` the copies for which there is no space. The sender of a
    /// copy keeps its own, so none is lost. An owner is notified; otherwise it would send the copy
    /// again in each round.
    pub(super) fn drop_surplus(
        &mut self,
        context: &mut StorageContext<'_>,
        from: Node,
        replication: &mut ReplicationMessage<Block>,
    ) {
        let Some(capacity) = context.shared.capacity else {
            return;
        };
        let (items, is_copy): (&mut Items<Block>, bool) = match replication {
            ReplicationMessage::Take { items, .. } => (items, false),
            ReplicationMessage::Copy(items) => (items, true),
            _ => return,
        };
        let mut stored = self.bytes_stored();
        let mut surplus = Vec::new();
        items.retain(|(key, block)| {
            if self.store.get(key).is_some() {
                return true;
            }
            let fits = stored + block.size() <= capacity;
            if fits {
                stored += block.size();
            } else {
                surplus.push(*key);
            }
            fits
        });
        context.metrics.copies_full += surplus.len() as u64;
        if is_copy && !surplus.is_empty() {
            let full = ReplicationMessage::Full(surplus);
            self.send_repair(context, from, Message::Replication(full));
        }
    }
}
