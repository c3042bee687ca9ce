//! Storage in the manner of CFS: blocks keyed by the SHA-1 of their content, with copies on the
//! replica set of their key.
//!
//! Dabek, Kaashoek, Karger, Morris and Stoica, "Wide-area cooperative storage with CFS" (SOSP
//! 2001). A block goes to the root of its key, which has copies made and mended (`custody`). A get
//! goes to the root; if that has no copy, it asks its replica set, and whoever has one sends it
//! straight to the reader. The reader computes the SHA-1 and asks for another copy if it is not
//! the key. Files are cut into blocks; a keyfile stands where the file would be (`files`).
//!
//! What CFS does not have: it never deletes, but lets blocks expire. Here a deletion leaves a
//! tombstone on the replica set, and of a content and a tombstone for one key the later counts
//! everywhere ([`Block`]); so a copy that was cut off does not bring the block back, as long as it
//! is offered to the root before the tombstones are forgotten (`storage.tombstone`). What CFS has
//! and this has not: signed keyfiles, caches on the way of a lookup, quotas, virtual servers.

mod block;
mod client;
mod files;
mod metrics;
mod parameters;

pub use block::{Block, Content, Kind};
pub use files::{join, key_of, read_keyfile, split};
pub use metrics::{Answer, CompletedRequest, Operation, StorageMetrics};
pub use parameters::StorageParameters;

use super::replication::{Item, Outbox, ReplicationMessage, Store};
use crate::engine::{Instant, Stream};
use crate::overlay::{Application, HEADER_BYTES, ItemState, NODE_BYTES, Node};
use crate::space::Key;
use block::STAMP_BYTES;
use client::{Client, Refused};

type StorageContext<'a> = crate::overlay::AppContext<'a, Storage>;

/// Storage on one node.
#[derive(Clone, Debug)]
pub struct Storage {
    store: Store<Block>,
    client: Client,
    random: Stream,
}

/// What nodes tell each other.
#[derive(Clone, Debug)]
pub enum Message {
    /// To the root: store this.
    Put {
        /// The number of the request.
        number: u32,
        /// What is to be stored.
        block: Block,
    },
    /// To the root: delete what is stored under the key.
    Delete {
        /// The number of the request.
        number: u32,
        /// When it was asked for first.
        stamp: Instant,
    },
    /// To the root: send the content.
    Get {
        /// The number of the request.
        number: u32,
        /// Who has sent what was not the content.
        refused: Refused,
    },
    /// To one of the replica set: send the content to the reader, or pass this on.
    Seek {
        /// The key.
        key: Key,
        /// Who wants it.
        reader: Node,
        /// The number of the reader's request.
        number: u32,
        /// Who is to be asked next, the last of them first.
        others: Vec<Node>,
    },
    /// To the initiator: it is stored, or deleted.
    Done {
        /// The number of the request.
        number: u32,
    },
    /// To the reader: the content.
    Found {
        /// The number of the request.
        number: u32,
        /// What is stored under the key.
        block: Block,
    },
    /// To the reader: it is not there.
    Absent {
        /// The number of the request.
        number: u32,
        /// It was deleted.
        deleted: bool,
    },
    /// Copies are made, moved and looked after.
    Replication(ReplicationMessage<Block>),
}

/// What a node wakes up for.
#[derive(Clone, Copy, Debug)]
pub enum Timer {
    /// Tell those who hold copies that they are looked after.
    Repair,
    /// Forget old tombstones.
    Sweep,
    /// See whether try number two of request number one has been answered.
    Retry(u32, u32),
}

impl Storage {
    /// What is stored on this node.
    pub fn store(&self) -> &Store<Block> {
        &self.store
    }

    /// Has a block stored under the SHA-1 of `content`. The [`StorageMetrics`] tells what came of it, as of
    /// all requests.
    pub fn put(&mut self, context: &mut StorageContext<'_>, content: Content) {
        self.client.put(context, content);
    }

    /// Reads the block with `key`.
    pub fn get(&mut self, context: &mut StorageContext<'_>, key: Key) {
        self.client.get(context, key);
    }

    /// Has the block or keyfile with `key` deleted. The blocks of a file stay when its keyfile goes:
    /// other files may have the same ones.
    pub fn delete(&mut self, context: &mut StorageContext<'_>, key: Key) {
        self.client.delete(context, key);
    }

    /// Has `file` stored under `name`: its blocks, and its keyfile when all of these are stored.
    pub fn put_file(&mut self, context: &mut StorageContext<'_>, name: &str, file: &[u8]) {
        self.client.put_file(context, name, file);
    }

    /// Reads the file with `name`: its keyfile, then all blocks at once.
    pub fn get_file(&mut self, context: &mut StorageContext<'_>, name: &str) {
        self.client.get_file(context, name);
    }

    /// Lets the store act, and sends what it has to tell others.
    fn with_store<R>(
        &mut self,
        context: &mut StorageContext<'_>,
        act: impl FnOnce(&mut Store<Block>, &StorageContext<'_>, &mut Outbox<Block>) -> R,
    ) -> R {
        let mut outbox = Outbox::new();
        let result = act(&mut self.store, context, &mut outbox);
        // Storage has nobody to tell what comes and goes.
        drop(self.store.changes());
        for (to, replication) in outbox {
            let message = Message::Replication(replication);
            context.metrics.repair_messages += 1;
            context.metrics.repair_bytes += u64::from(HEADER_BYTES + Self::bytes(&message));
            context.send(to, message);
        }
        result
    }

    /// Takes in what this node is the root of.
    fn take(&mut self, context: &mut StorageContext<'_>, key: Key, block: Block) {
        self.with_store(context, |store, context, outbox| {
            store.take(context.routing, vec![(key, block)], None, true, outbox)
        });
    }

    /// Sends `message` to `to`, or takes it in if that is this node.
    fn reply(&mut self, context: &mut StorageContext<'_>, to: Node, message: Message) {
        if to == context.me {
            self.receive(context, to, message);
        } else {
            context.send(to, message);
        }
    }

    /// Answers a reader if something is known of `key` here; whether it was answered.
    fn serve(
        &mut self,
        context: &mut StorageContext<'_>,
        key: &Key,
        reader: Node,
        number: u32,
    ) -> bool {
        let Some(block) = self.store.get(key) else {
            return false;
        };
        let message = match block.content() {
            Some(_) => Message::Found {
                number,
                block: block.clone(),
            },
            None => Message::Absent {
                number,
                deleted: true,
            },
        };
        self.reply(context, reader, message);
        true
    }

    /// Answers a reader as the root of `key`, or asks the replica set; never those in `refused`.
    fn read(
        &mut self,
        context: &mut StorageContext<'_>,
        key: Key,
        reader: Node,
        number: u32,
        refused: &Refused,
    ) {
        if refused.contains(&context.me) || !self.serve(context, &key, reader, number) {
            let mut others = context.routing.replica_set(&key, context.shared.replicas);
            others.retain(|node| !refused.contains(node));
            others.reverse();
            self.seek(context, key, reader, number, others);
        }
    }

    /// Asks the last of `others` for a content, or tells the reader that nobody has it.
    fn seek(
        &mut self,
        context: &mut StorageContext<'_>,
        key: Key,
        reader: Node,
        number: u32,
        mut others: Vec<Node>,
    ) {
        match others.pop() {
            Some(next) => context.send(
                next,
                Message::Seek {
                    key,
                    reader,
                    number,
                    others,
                },
            ),
            None => {
                let deleted = false;
                self.reply(context, reader, Message::Absent { number, deleted });
            }
        }
    }

    /// Leaves out of what was sent to be held here the blocks whose SHA-1 is not their key.
    fn drop_invalid(context: &mut StorageContext<'_>, replication: &mut ReplicationMessage<Block>) {
        if let ReplicationMessage::Take { items, .. } | ReplicationMessage::Copy(items) =
            replication
            && context.shared.verify
        {
            let before = items.len();
            items.retain(|(key, block)| block.is_sound(key));
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
            store: Store::new(shared.replicas),
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
            Message::Put { number, block } => {
                if context.shared.verify && !block.is_sound(&key) {
                    context.metrics.refused_by_holders += 1;
                    return;
                }
                self.take(context, key, block);
                self.reply(context, origin, Message::Done { number });
            }
            Message::Delete { number, stamp } => {
                self.take(context, key, Block::tombstone(stamp));
                self.reply(context, origin, Message::Done { number });
            }
            Message::Get { number, refused } => self.read(context, key, origin, number, &refused),
            _ => {}
        }
    }

    fn receive(&mut self, context: &mut StorageContext<'_>, from: Node, message: Message) {
        match message {
            Message::Done { number } => self.client.done(context, number),
            Message::Absent { number, deleted } => self.client.absent(context, number, deleted),
            Message::Found { number, block } => {
                if let Some(content) = block.content() {
                    self.client.found(context, from, number, content.clone());
                }
            }
            Message::Seek {
                key,
                reader,
                number,
                others,
            } => {
                if !self.serve(context, &key, reader, number) {
                    self.seek(context, key, reader, number, others);
                }
            }
            Message::Replication(mut replication) => {
                Self::drop_invalid(context, &mut replication);
                self.with_store(context, |store, context, outbox| {
                    store.receive(context.routing, context.now, from, replication, outbox)
                });
            }
            Message::Put { .. } | Message::Delete { .. } | Message::Get { .. } => {}
        }
    }

    fn undelivered(&mut self, context: &mut StorageContext<'_>, to: Node, message: Message) {
        match message {
            Message::Seek {
                key,
                reader,
                number,
                others,
            } => self.seek(context, key, reader, number, others),
            Message::Replication(replication) => {
                self.with_store(context, |store, context, outbox| {
                    store.undelivered(context.routing, to, replication, outbox)
                });
            }
            // The reader is gone.
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

    /// Blocks are on the disk, requests are not.
    fn on_pause(&mut self, _: Instant, metrics: &mut StorageMetrics) {
        self.client.abandon(metrics);
    }

    fn on_stop(&mut self, _: Instant, metrics: &mut StorageMetrics) {
        self.client.abandon(metrics);
    }

    fn forge(message: &mut Message) {
        match message {
            Message::Put { block, .. } | Message::Found { block, .. } => block.forge(),
            Message::Replication(
                ReplicationMessage::Take { items, .. } | ReplicationMessage::Copy(items),
            ) => {
                items.iter_mut().for_each(|(_, block)| block.forge());
            }
            _ => {}
        }
    }

    fn bytes(message: &Message) -> u32 {
        const NUMBER: u32 = 4;
        const FLAG: u32 = 1;
        match message {
            Message::Put { block, .. } | Message::Found { block, .. } => {
                NUMBER + FLAG + block.bytes()
            }
            Message::Delete { .. } => NUMBER + STAMP_BYTES,
            Message::Get { refused, .. } => NUMBER + NODE_BYTES * refused.len() as u32,
            Message::Seek { others, .. } => NUMBER + NODE_BYTES * (2 + others.len() as u32),
            Message::Done { .. } => NUMBER,
            Message::Absent { .. } => NUMBER + FLAG,
            Message::Replication(replication) => replication.bytes(),
        }
    }

    fn kind(message: &Message) -> &'static str {
        match message {
            Message::Put { .. } => "put",
            Message::Delete { .. } => "delete",
            Message::Get { .. } => "get",
            Message::Seek { .. } => "get, to a copy",
            Message::Done { .. } => "done",
            Message::Found { .. } => "found",
            Message::Absent { .. } => "absent",
            Message::Replication(replication) => replication.kind(),
        }
    }

    /// Tombstones are not shown: nothing is there.
    fn each_item(&self, see: &mut dyn FnMut(&Key, ItemState)) {
        for (key, block) in self.store.iter() {
            match block.content() {
                Some(_) if self.store.owns(key) => see(key, ItemState::Done),
                Some(_) => see(key, ItemState::Copy),
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
