//! Storage after CFS: blocks keyed by the SHA-1 of their content, replicated on the replica set of
//! their key.
//!
//! Dabek, Kaashoek, Karger, Morris and Stoica, "Wide-area cooperative storage with CFS" (SOSP
//! 2001). A block is sent to the root of its key, which creates and repairs replicas
//! ([`replication`](super::replication)). A get is sent to the root. If the root has no copy, it
//! asks its replica set, and a node with a copy sends it directly to the reader. The reader
//! computes the SHA-1 and requests another copy if it does not equal the key. Files are split into
//! blocks; a keyfile lists them (`files`).
//!
//! Beyond CFS: it has no deletion, but lets blocks expire. Here a deletion leaves a tombstone on
//! the replica set, and the later of a content and a tombstone wins everywhere ([`Block`]). So a
//! copy that was cut off does not restore the block, provided it is offered to the root before the
//! tombstones are removed (`storage.tombstone`). Not implemented from CFS: signed keyfiles, caches
//! on the lookup path, quotas of publishers, virtual servers.
//!
//! Two further placements give each copy a key of its own (`placement`), from which a put or delete
//! goes to all roots, and a get asks one after the other; `checks` restores lost copies. A node may
//! have a limited `capacity`. `client` is the part of the initiator of a request, this file that of
//! the nodes that store.

mod block;
mod capacity;
mod checks;
mod client;
mod files;
mod message;
mod metrics;
mod parameters;
mod placement;

pub use block::{Block, BlockKind, Content};
pub use files::{has_length, join, key_of, read_keyfile, split};
pub use message::{Message, Ticket};
pub use metrics::{Answer, CompletedRequest, Effort, Operation, StorageMetrics};
pub use parameters::StorageParameters;
pub use placement::{Places, ReplicaPlacement, Slot};

use super::replication::{Outbox, ReplicationMessage, Store};
use crate::engine::{Instant, Stream};
use crate::overlay::{Application, HEADER_BYTES, ItemState, Node};
use crate::space::Key;
use client::{Client, Purpose};
use message::Refused;

type StorageContext<'a> = crate::overlay::AppContext<'a, Storage>;

/// Storage on one node.
#[derive(Clone, Debug)]
pub struct Storage {
    store: Store<Block>,
    client: Client,
    random: Stream,
}

/// Timers of a node.
#[derive(Clone, Copy, Debug)]
pub enum Timer {
    /// Send keep-alives to replicas, and checks to the roots of other copies.
    Repair,
    /// Remove old tombstones.
    Sweep,
    /// Check whether try (second number) of the request (first number) was answered.
    Retry(u32, u32),
}

impl Storage {
    /// The store of this node.
    pub fn store(&self) -> &Store<Block> {
        &self.store
    }

    /// Stores a block under the SHA-1 of `content`. The result is in the [`StorageMetrics`], as for
    /// all requests.
    pub fn put(&mut self, context: &mut StorageContext<'_>, content: Content) {
        self.client.put(context, content);
    }

    /// Reads the block with `key`.
    pub fn get(&mut self, context: &mut StorageContext<'_>, key: Key) {
        self.client.get(context, key);
    }

    /// Deletes the block or keyfile with `key`. The blocks of a file remain when its keyfile is
    /// deleted: other files may share them.
    pub fn delete(&mut self, context: &mut StorageContext<'_>, key: Key) {
        self.client.delete(context, key);
    }

    /// Stores `file` under `name`: its blocks, then its keyfile.
    pub fn put_file(&mut self, context: &mut StorageContext<'_>, name: &str, file: &[u8]) {
        self.client.put_file(context, name, file, Purpose::User);
    }

    /// Reads the file with `name`: its keyfile, then all blocks at once.
    pub fn get_file(&mut self, context: &mut StorageContext<'_>, name: &str) {
        self.client.get_file(context, name, Purpose::User);
    }

    /// Reads the keyfile of the file `name` for the service above on this node; returns the number of
    /// the request, under which [`take_fetched`](Self::take_fetched) has the answer.
    pub(in crate::service) fn fetch_keyfile(
        &mut self,
        context: &mut StorageContext<'_>,
        name: &str,
    ) -> u32 {
        self.client.fetch_keyfile(context, name)
    }

    /// Stores `file` under `name` for the service above, as [`fetch_keyfile`](Self::fetch_keyfile).
    pub(in crate::service) fn store_file(
        &mut self,
        context: &mut StorageContext<'_>,
        name: &str,
        file: &[u8],
    ) -> u32 {
        self.client.put_file(context, name, file, Purpose::Service)
    }

    /// Reads the file `name` for the service above, as [`fetch_keyfile`](Self::fetch_keyfile).
    pub(in crate::service) fn fetch_file(
        &mut self,
        context: &mut StorageContext<'_>,
        name: &str,
    ) -> u32 {
        self.client.get_file(context, name, Purpose::Service)
    }

    /// The answers to the service above since the last call: the number of the request and its result.
    pub(in crate::service) fn take_fetched(&mut self) -> Vec<(u32, Answer)> {
        self.client.take_fetched()
    }

    /// Offers all blocks of this node without another owner to `successor`, before it leaves.
    pub(in crate::service) fn hand_over_all(
        &mut self,
        context: &mut StorageContext<'_>,
        successor: Node,
    ) {
        self.with_store(context, |store, context, outbox| {
            store.hand_over_all(context.me, successor, context.now, outbox);
        });
    }

    /// Runs `act` on the store, and sends its messages.
    fn with_store<R>(
        &mut self,
        context: &mut StorageContext<'_>,
        act: impl FnOnce(&mut Store<Block>, &StorageContext<'_>, &mut Outbox<Block>) -> R,
    ) -> R {
        let mut outbox = Outbox::new();
        let result = act(&mut self.store, context, &mut outbox);
        // Storage does not use the list of changes.
        drop(self.store.changes());
        for (to, replication) in outbox {
            let message = Message::Replication(replication);
            context.metrics.repair_messages += 1;
            context.metrics.repair_bytes += u64::from(HEADER_BYTES + Self::bytes(&message));
            context.send(to, message);
        }
        result
    }

    /// Stores a block whose root this node is.
    fn take(&mut self, context: &mut StorageContext<'_>, key: Key, block: Block) {
        self.with_store(context, |store, context, outbox| {
            store.take(context.routing, vec![(key, block)], None, true, outbox)
        });
    }

    /// Sends `message` to `to`, or handles it here if that is this node.
    fn reply(&mut self, context: &mut StorageContext<'_>, to: Node, message: Message) {
        if to == context.me {
            self.receive(context, to, message);
        } else {
            context.send(to, message);
        }
    }

    /// Answers a reader if this node has a value for `key`; returns whether it does.
    fn serve(
        &mut self,
        context: &mut StorageContext<'_>,
        key: &Key,
        reader: Node,
        ticket: Ticket,
    ) -> bool {
        let Some(block) = self.store.get(key) else {
            return false;
        };
        let message = match block.content() {
            Some(_) => Message::Found {
                ticket,
                block: block.clone(),
            },
            None => Message::Absent {
                ticket,
                deleted: true,
            },
        };
        context.metrics.count_answer(context.me);
        self.reply(context, reader, message);
        true
    }

    /// Answers a reader as the root of `key`, or asks the replica set, without the nodes in
    /// `refused`.
    fn read(
        &mut self,
        context: &mut StorageContext<'_>,
        key: Key,
        reader: Node,
        ticket: Ticket,
        refused: &Refused,
    ) {
        if refused.contains(&context.me) || !self.serve(context, &key, reader, ticket) {
            let copies = context.shared.places().copies_of_a_key();
            let mut others = context.routing.replica_set(&key, copies);
            others.retain(|node| !refused.contains(node));
            others.reverse();
            self.seek(context, key, reader, ticket, others);
        }
    }

    /// Asks the last of `others` for a content; if there is none, reports to the reader that the
    /// value does not exist.
    fn seek(
        &mut self,
        context: &mut StorageContext<'_>,
        key: Key,
        reader: Node,
        ticket: Ticket,
        mut others: Vec<Node>,
    ) {
        match others.pop() {
            Some(next) => context.send(
                next,
                Message::Seek {
                    key,
                    reader,
                    ticket,
                    others,
                },
            ),
            None => {
                let deleted = false;
                self.reply(context, reader, Message::Absent { ticket, deleted });
            }
        }
    }

    /// Removes the blocks whose SHA-1 is not their key from a replication message.
    fn drop_invalid(context: &mut StorageContext<'_>, replication: &mut ReplicationMessage<Block>) {
        if let ReplicationMessage::Take { items, .. } | ReplicationMessage::Copy(items) =
            replication
            && context.shared.verify
        {
            let before = items.len();
            let places = context.shared.places();
            items.retain(|(key, block)| block.is_sound(key, places));
            context.metrics.refused_by_holders += (before - items.len()) as u64;
        }
    }
}

impl Application for Storage {
    type Shared = StorageParameters;
    type Message = Message;
    type Timer = Timer;
    type Metrics = StorageMetrics;
    const ITEM: &'static str = "block";

    fn new(shared: &StorageParameters, _: u32, random: Stream) -> Self {
        Self {
            store: Store::new(shared.places().copies_of_a_key()),
            client: Client::new(random.clone()),
            random,
        }
    }

    fn start(&mut self, context: &mut StorageContext<'_>) {
        if let Some(first) = context.shared.repair.first(&mut self.random) {
            context.set_timer(first, Timer::Repair);
        }
        context.set_timer(context.shared.sweep(), Timer::Sweep);
    }

    fn deliver(
        &mut self,
        context: &mut StorageContext<'_>,
        origin: Node,
        key: Key,
        message: Message,
    ) {
        match message {
            Message::Put { ticket, block } => {
                if context.shared.verify && !block.is_sound(&key, context.shared.places()) {
                    context.metrics.refused_by_holders += 1;
                    return;
                }
                let ticket = ticket.after(context.hops);
                context.metrics.count_answer(context.me);
                if self.has_room(context, &key, &block) {
                    self.take(context, key, block);
                    self.reply(context, origin, Message::Done { ticket });
                } else {
                    self.reply(context, origin, Message::Full { ticket });
                }
            }
            Message::Delete {
                ticket,
                stamp,
                slot,
            } => {
                let ticket = ticket.after(context.hops);
                context.metrics.count_answer(context.me);
                self.take(context, key, Block::tombstone(stamp).in_slot(slot));
                self.reply(context, origin, Message::Done { ticket });
            }
            Message::Get { ticket, refused } => {
                let ticket = ticket.after(context.hops);
                self.read(context, key, origin, ticket, &refused);
            }
            Message::Check { slot, version } => {
                self.on_check(context, origin, (key, slot), version);
            }
            _ => {}
        }
    }

    fn receive(&mut self, context: &mut StorageContext<'_>, from: Node, message: Message) {
        match message {
            Message::Done { ticket } => self.client.done(context, ticket, false),
            Message::Full { ticket } => self.client.done(context, ticket, true),
            Message::Absent { ticket, deleted } => self.client.absent(context, ticket, deleted),
            Message::Found { ticket, block } => {
                if let Some(content) = block.content() {
                    self.client.found(context, from, ticket, content.clone());
                }
            }
            Message::Seek {
                key,
                reader,
                ticket,
                others,
            } => {
                if !self.serve(context, &key, reader, ticket) {
                    self.seek(context, key, reader, ticket, others);
                }
            }
            Message::Replication(mut replication) => {
                Self::drop_invalid(context, &mut replication);
                self.drop_surplus(context, from, &mut replication);
                self.with_store(context, |store, context, outbox| {
                    store.receive(context.routing, context.now, from, replication, outbox)
                });
            }
            Message::Fetch { slot } => self.on_fetch(context, from, slot),
            Message::Put { .. }
            | Message::Delete { .. }
            | Message::Get { .. }
            | Message::Check { .. } => {}
        }
    }

    fn undelivered(&mut self, context: &mut StorageContext<'_>, to: Node, message: Message) {
        match message {
            Message::Seek {
                key,
                reader,
                ticket,
                others,
            } => self.seek(context, key, reader, ticket, others),
            Message::Replication(replication) => {
                self.with_store(context, |store, context, outbox| {
                    store.undelivered(context.routing, to, replication, outbox)
                });
            }
            // The reader has departed.
            _ => {}
        }
    }

    fn on_timer(&mut self, context: &mut StorageContext<'_>, timer: Timer) {
        match timer {
            Timer::Repair => {
                let patience = context.shared.patience();
                self.with_store(context, |store, context, outbox| {
                    store.keep_alive(context.me, context.routing, context.now, patience, outbox)
                });
                self.check_others(context);
                if let Some(next) = context.shared.repair.next(0.0, &mut self.random) {
                    context.set_timer(next, Timer::Repair);
                }
            }
            Timer::Sweep => {
                let lifetime = context.shared.tombstone;
                let is_old = |block: &Block| {
                    block.content().is_none() && context.now.since(block.stamp()) > lifetime
                };
                let old = self.store.iter().filter(|(_, block)| is_old(block));
                let old: Vec<Key> = old.map(|(key, _)| *key).collect();
                for key in old {
                    self.store.remove(&key);
                }
                context.set_timer(context.shared.sweep(), Timer::Sweep);
            }
            Timer::Retry(number, tries) => self.client.time_out(context, number, tries),
        }
    }

    fn update(&mut self, context: &mut StorageContext<'_>) {
        self.with_store(context, |store, context, outbox| {
            store.update_ownership(context.me, context.routing, context.now, outbox)
        });
    }

    /// Blocks are on disk, requests are not.
    fn on_pause(&mut self, _: Instant, metrics: &mut StorageMetrics) {
        self.client.abandon(metrics);
    }

    fn on_stop(&mut self, _: Instant, metrics: &mut StorageMetrics) {
        self.client.abandon(metrics);
    }

    fn forge(message: &mut Message) {
        message.forge();
    }

    fn bytes(message: &Message) -> u32 {
        message.bytes()
    }

    fn kind(message: &Message) -> &'static str {
        message.kind()
    }

    /// Tombstones are not shown: they hold no content.
    fn each_item(&self, see: &mut dyn FnMut(&Key, ItemState)) {
        for (key, block) in self.store.iter() {
            match block.content() {
                Some(_) if self.store.owns(key) => see(key, ItemState::Done),
                Some(_) => see(key, ItemState::Replica),
                None => {}
            }
        }
    }

    fn counters(metrics: &StorageMetrics) -> Vec<(&'static str, u64)> {
        let answered = |ended: &&CompletedRequest| {
            matches!(
                ended.answer,
                Answer::Done | Answer::Content(_) | Answer::File(_)
            )
        };
        let answered = metrics.ended.iter().filter(answered).count();
        vec![
            ("requests under way", metrics.open),
            ("requests answered", answered as u64),
            ("requests failed", (metrics.ended.len() - answered) as u64),
        ]
    }

    fn is_over(metrics: &StorageMetrics) -> bool {
        metrics.open == 0
    }
}
