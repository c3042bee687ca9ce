//! Repair of copies with keys of their own: the root of each copy checks the next one.
//!
//! In each turn of `storage.repair` a node sends, for each copy that it owns, a message with its
//! version to the key of the next copy. The root of that key asks for the value if it has none, or
//! another version, and the later one wins. So one copy that is left restores all others, one in
//! each turn.

use super::message::Message;
use super::placement::Slot;
use super::{Storage, StorageContext};
use crate::overlay::{Application, HEADER_BYTES, Node, ROUTED_BYTES};
use crate::service::replication::{Item, ReplicationMessage};
use crate::space::Key;

impl Storage {
    /// Sends the checks of a turn.
    pub(super) fn check_others(&self, context: &mut StorageContext<'_>) {
        let places = context.shared.places();
        if places.keys() == 1 {
            return;
        }
        for (key, block) in self.store.iter() {
            if let Some(slot) = block.slot()
                && self.store.owns(key)
            {
                let slot = places.next(slot);
                let version = block.version();
                context.route(places.key_of(slot), Message::Check { slot, version });
            }
        }
    }

    /// The root of the copy before this one, `origin`, has the value in this version.
    pub(super) fn on_check(
        &mut self,
        context: &mut StorageContext<'_>,
        origin: Node,
        (key, slot): (Key, Slot),
        version: u64,
    ) {
        // Counted here, where the hops are known.
        let bytes = ROUTED_BYTES + Message::Check { slot, version }.bytes();
        context.metrics.repair_messages += u64::from(context.hops);
        context.metrics.repair_bytes += u64::from(context.hops * bytes);
        let here = self.store.get(&key).map(Item::version);
        if here != Some(version) {
            self.send_repair(context, origin, Message::Fetch { slot });
        }
    }

    /// `from` asks for the value of a copy, whose predecessor is here.
    pub(super) fn on_fetch(&mut self, context: &mut StorageContext<'_>, from: Node, slot: Slot) {
        let places = context.shared.places();
        let own = places.key_of(places.previous(slot));
        if let Some(block) = self.store.get(&own) {
            let item = (places.key_of(slot), block.clone().in_slot(Some(slot)));
            let take = ReplicationMessage::Take {
                items: vec![item],
                holder: None,
                last: false,
            };
            self.send_repair(context, from, Message::Replication(take));
        }
    }

    /// Sends a message of repair to `to`, or handles it here if that is this node.
    pub(super) fn send_repair(
        &mut self,
        context: &mut StorageContext<'_>,
        to: Node,
        message: Message,
    ) {
        if to == context.me {
            return self.receive(context, to, message);
        }
        context.metrics.repair_messages += 1;
        context.metrics.repair_bytes += u64::from(HEADER_BYTES + message.bytes());
        context.send(to, message);
    }
}
