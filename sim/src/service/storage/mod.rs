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
mod ledger;
mod parameters;

pub use block::{Block, Content, Kind};
pub use files::{join, key_of, read_keyfile, split};
pub use ledger::{Answer, Ended, Ledger, Operation};
pub use parameters::StorageParameters;

use super::custody::{Custody, Item, Letters, Store};
use crate::engine::{Instant, Stream};
use crate::overlay::{Application, HEADER_BYTES, Holding, NODE_BYTES, Node};
use crate::space::Key;
use block::STAMP_BYTES;
use client::{Client, Refused};

type Turn<'a> = crate::overlay::Turn<'a, Storage>;

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
    Custody(Custody<Block>),
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

    /// Has a block stored under the SHA-1 of `content`. The [`Ledger`] tells what came of it, as of
    /// all requests.
    pub fn put(&mut self, turn: &mut Turn<'_>, content: Content) {
        self.client.put(turn, content);
    }

    /// Reads the block with `key`.
    pub fn get(&mut self, turn: &mut Turn<'_>, key: Key) {
        self.client.get(turn, key);
    }

    /// Has the block or keyfile with `key` deleted. The blocks of a file stay when its keyfile goes:
    /// other files may have the same ones.
    pub fn delete(&mut self, turn: &mut Turn<'_>, key: Key) {
        self.client.delete(turn, key);
    }

    /// Has `file` stored under `name`: its blocks, and its keyfile when all of these are stored.
    pub fn put_file(&mut self, turn: &mut Turn<'_>, name: &str, file: &[u8]) {
        self.client.put_file(turn, name, file);
    }

    /// Reads the file with `name`: its keyfile, then all blocks at once.
    pub fn get_file(&mut self, turn: &mut Turn<'_>, name: &str) {
        self.client.get_file(turn, name);
    }

    /// Lets the store act, and sends what it has to tell others.
    fn tend<R>(
        &mut self,
        turn: &mut Turn<'_>,
        act: impl FnOnce(&mut Store<Block>, &Turn<'_>, &mut Letters<Block>) -> R,
    ) -> R {
        let mut letters = Letters::new();
        let result = act(&mut self.store, turn, &mut letters);
        // Storage has nobody to tell what comes and goes.
        drop(self.store.changes());
        for (to, custody) in letters {
            let message = Message::Custody(custody);
            turn.ledger.repair_messages += 1;
            turn.ledger.repair_bytes += u64::from(HEADER_BYTES + Self::bytes(&message));
            turn.send(to, message);
        }
        result
    }

    /// Takes in what this node is the root of.
    fn take(&mut self, turn: &mut Turn<'_>, key: Key, block: Block) {
        self.tend(turn, |store, turn, letters| {
            store.take(turn.view, vec![(key, block)], None, true, letters)
        });
    }

    /// Sends `message` to `to`, or takes it in if that is this node.
    fn reply(&mut self, turn: &mut Turn<'_>, to: Node, message: Message) {
        if to == turn.me {
            self.receive(turn, to, message);
        } else {
            turn.send(to, message);
        }
    }

    /// Answers a reader if something is known of `key` here; whether it was answered.
    fn serve(&mut self, turn: &mut Turn<'_>, key: &Key, reader: Node, number: u32) -> bool {
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
        self.reply(turn, reader, message);
        true
    }

    /// Answers a reader as the root of `key`, or asks the replica set; never those in `refused`.
    fn read(
        &mut self,
        turn: &mut Turn<'_>,
        key: Key,
        reader: Node,
        number: u32,
        refused: &Refused,
    ) {
        if refused.contains(&turn.me) || !self.serve(turn, &key, reader, number) {
            let mut others = turn.view.replica_set(&key, turn.shared.replicas);
            others.retain(|node| !refused.contains(node));
            others.reverse();
            self.seek(turn, key, reader, number, others);
        }
    }

    /// Asks the last of `others` for a content, or tells the reader that nobody has it.
    fn seek(
        &mut self,
        turn: &mut Turn<'_>,
        key: Key,
        reader: Node,
        number: u32,
        mut others: Vec<Node>,
    ) {
        match others.pop() {
            Some(next) => turn.send(
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
                self.reply(turn, reader, Message::Absent { number, deleted });
            }
        }
    }

    /// Leaves out of what was sent to be held here the blocks whose SHA-1 is not their key.
    fn inspect(turn: &mut Turn<'_>, custody: &mut Custody<Block>) {
        if let Custody::Take { items, .. } | Custody::Copy(items) = custody
            && turn.shared.verify
        {
            let before = items.len();
            items.retain(|(key, block)| block.is_sound(key));
            turn.ledger.refused_by_holders += (before - items.len()) as u64;
        }
    }
}

impl Application for Storage {
    type Shared = StorageParameters;
    type Message = Message;
    type Timer = Timer;
    type Ledger = Ledger;
    const ITEM: &'static str = "block";

    fn new(shared: &StorageParameters, _: u32, random: Stream) -> Self {
        Self {
            store: Store::new(shared.replicas),
            client: Client::new(random.clone()),
            random,
        }
    }

    fn start(&mut self, turn: &mut Turn<'_>) {
        if let Some(first) = turn.shared.repair.first(&mut self.random) {
            turn.set_timer(first, Timer::Repair);
        }
        turn.set_timer(turn.shared.sweep(), Timer::Sweep);
    }

    fn deliver(&mut self, turn: &mut Turn<'_>, origin: Node, key: Key, message: Message) {
        match message {
            Message::Put { number, block } => {
                if turn.shared.verify && !block.is_sound(&key) {
                    turn.ledger.refused_by_holders += 1;
                    return;
                }
                self.take(turn, key, block);
                self.reply(turn, origin, Message::Done { number });
            }
            Message::Delete { number, stamp } => {
                self.take(turn, key, Block::tombstone(stamp));
                self.reply(turn, origin, Message::Done { number });
            }
            Message::Get { number, refused } => self.read(turn, key, origin, number, &refused),
            _ => {}
        }
    }

    fn receive(&mut self, turn: &mut Turn<'_>, from: Node, message: Message) {
        match message {
            Message::Done { number } => self.client.done(turn, number),
            Message::Absent { number, deleted } => self.client.absent(turn, number, deleted),
            Message::Found { number, block } => {
                if let Some(content) = block.content() {
                    self.client.found(turn, from, number, content.clone());
                }
            }
            Message::Seek {
                key,
                reader,
                number,
                others,
            } => {
                if !self.serve(turn, &key, reader, number) {
                    self.seek(turn, key, reader, number, others);
                }
            }
            Message::Custody(mut custody) => {
                Self::inspect(turn, &mut custody);
                self.tend(turn, |store, turn, letters| {
                    store.receive(turn.view, turn.now, from, custody, letters)
                });
            }
            Message::Put { .. } | Message::Delete { .. } | Message::Get { .. } => {}
        }
    }

    fn undelivered(&mut self, turn: &mut Turn<'_>, to: Node, message: Message) {
        match message {
            Message::Seek {
                key,
                reader,
                number,
                others,
            } => self.seek(turn, key, reader, number, others),
            Message::Custody(custody) => {
                self.tend(turn, |store, turn, letters| {
                    store.undelivered(turn.view, to, custody, letters)
                });
            }
            // The reader is gone.
            _ => {}
        }
    }

    fn on_timer(&mut self, turn: &mut Turn<'_>, timer: Timer) {
        match timer {
            Timer::Repair => {
                let patience = turn.shared.patience();
                self.tend(turn, |store, turn, letters| {
                    store.remind(turn.me, turn.view, turn.now, patience, letters)
                });
                if let Some(next) = turn.shared.repair.next(0.0, &mut self.random) {
                    turn.set_timer(next, Timer::Repair);
                }
            }
            Timer::Sweep => {
                let lifetime = turn.shared.tombstone;
                let is_old = |block: &Block| {
                    block.content().is_none() && turn.now.since(block.stamp()) > lifetime
                };
                let old = self.store.iter().filter(|(_, block)| is_old(block));
                let old: Vec<Key> = old.map(|(key, _)| *key).collect();
                for key in old {
                    self.store.remove(&key);
                }
                turn.set_timer(turn.shared.sweep(), Timer::Sweep);
            }
            Timer::Retry(number, tries) => self.client.time_out(turn, number, tries),
        }
    }

    fn update(&mut self, turn: &mut Turn<'_>) {
        self.tend(turn, |store, turn, letters| {
            store.review(turn.me, turn.view, turn.now, letters)
        });
    }

    /// Blocks are on the disk, requests are not.
    fn pause(&mut self, _: Instant, ledger: &mut Ledger) {
        self.client.abandon(ledger);
    }

    fn perish(&mut self, _: Instant, ledger: &mut Ledger) {
        self.client.abandon(ledger);
    }

    fn forge(message: &mut Message) {
        match message {
            Message::Put { block, .. } | Message::Found { block, .. } => block.forge(),
            Message::Custody(Custody::Take { items, .. } | Custody::Copy(items)) => {
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
            Message::Custody(custody) => custody.bytes(),
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
            Message::Custody(custody) => custody.kind(),
        }
    }

    /// Tombstones are not shown: nothing is there.
    fn show(&self, see: &mut dyn FnMut(&Key, Holding)) {
        for (key, block) in self.store.iter() {
            match block.content() {
                Some(_) if self.store.looks_after(key) => see(key, Holding::Done),
                Some(_) => see(key, Holding::Copy),
                None => {}
            }
        }
    }

    fn accounts(ledger: &Ledger) -> Vec<(&'static str, u64)> {
        let answered = |ended: &&Ended| {
            matches!(
                ended.answer,
                Answer::Done | Answer::Content(_) | Answer::File(_)
            )
        };
        let answered = ledger.ended.iter().filter(answered).count();
        vec![
            ("requests under way", ledger.open),
            ("requests answered", answered as u64),
            ("requests failed", (ledger.ended.len() - answered) as u64),
        ]
    }

    fn is_over(ledger: &Ledger) -> bool {
        ledger.open == 0
    }
}
