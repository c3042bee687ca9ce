//! ChordReduce over stored files: MapReduce on the storage of CFS, on any overlay.
//!
//! Rosen, Benshoof, Harrison and Bourgeois, "MapReduce on a Chord distributed hash table" (2014). A file
//! lies in the storage as blocks under the SHA-1 of their contents, and a keyfile lists them
//! ([`storage`]). The root of the job's address, the *stager*, reads the keyfiles and
//! sends a map task for each key in them; tasks with the same next hop travel in one message. The root
//! of a block maps the bytes that it holds. If it holds none, because the holder has failed, the task
//! goes to the nodes of the replica set until one has a copy. Results return to the address; every node
//! on the path waits a while and merges its results before it sends them on (the `forward` upcall).
//!
//! The root of the address counts each block once. When nothing comes for a while, it sends the missing
//! tasks again. Its counted results have copies at the replica set, so that the stager may fail, too; a
//! root that knows none reads the keyfiles again. A block of which no node in the replica set has a copy,
//! at three times of asking, is reported lost.
//!
//! Tasks that run in rounds store the outcome of each round as a file, which the next one reads
//! ([`Iteration`]).
//!
//! `input` reads the files, `task` maps a block, `records` holds results, `plan` the blocks of the files,
//! `collector` what is counted. This file holds the state of a node and its event handlers; `execution` is
//! the part of every node, `aggregation` and `rounds` are the part of the root of the address.

mod aggregation;
mod balanced;
mod collector;
mod execution;
mod input;
mod iteration;
mod message;
mod metrics;
mod parameters;
mod plan;
mod records;
mod rounds;
mod task;

pub use collector::Collector;
pub use input::{CorpusParameters, FileNames, Files, Input, InputParameters};
pub use iteration::{Iteration, IterationParameters, IterationState, Outcome};
pub use message::Message;
pub use metrics::{FileJobMetrics, Round};
pub use parameters::{FileJobShared, Locality};
pub use plan::{Block, Plan, RoundEnd};
pub use records::{Edges, Records};
pub use task::{FileTask, Mapper};

use super::balancing::{Balanced, BalancingTimer, Host, LoadBalancing, SharedProcessor};
use super::storage::{self, Storage};
use crate::engine::{Instant, Stream};
use crate::overlay::{Action, AppContext, Application, Forward, ItemState, Node};
use crate::space::Key;
use execution::{MapTask, QueuedTask};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Timers of a node.
#[derive(Clone, Copy, Debug)]
pub enum Timer {
    /// Of the storage.
    Storage(storage::Timer),
    /// The current block is mapped.
    Mapped,
    /// Send the buffered results.
    Flush,
    /// Check whether results come in.
    Progress,
    /// Of load balancing.
    Balancing(BalancingTimer),
}

/// A node that stores files and runs jobs over them.
#[derive(Clone, Debug)]
pub struct FileJob {
    /// Bytes a second.
    speed: f64,
    /// For load balancing; created when it is first needed.
    random: Option<Stream>,
    storage: Storage,
    /// Blocks to be mapped, and the current one, which a Sybil has lent to its first identity; with the
    /// identity that has lent it to this one.
    todo: VecDeque<QueuedTask>,
    current: Option<(MapTask, Option<Node>)>,
    /// The blocks that this node has mapped, by round and number: those of the last round. To map one of
    /// them again takes no time.
    done: BTreeSet<(u32, u32)>,
    /// Results to be sent on.
    buffered: Vec<Records>,
    flushing: bool,
    collector: Option<Collector>,
    /// The open requests to the storage, with their numbers, and the keyfiles that have come.
    requests: Vec<(u32, Wanted)>,
    keyfiles: BTreeMap<usize, Vec<Key>>,
    /// The state of the last round that this node has read.
    state: Option<(u32, Arc<IterationState>)>,
    host: Host,
}

/// What a request to the storage is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// The keyfile of the file with this number.
    Keyfile(usize),
    /// The state of this round.
    State(u32),
    /// The outcome of the round before this one is stored.
    Stored(u32),
}

type JobContext<'a, 'b> = &'a mut AppContext<'b, FileJob>;

impl FileJob {
    /// What this node has counted, if it is or was the root of the job's address, or holds a copy.
    pub fn collector(&self) -> Option<&Collector> {
        self.collector.as_ref()
    }

    /// The storage of this node.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Stores `file` under `name`.
    pub fn put_file(&mut self, context: JobContext<'_, '_>, name: &str, file: &[u8]) {
        self.with_storage(context, |storage, context| {
            storage.put_file(context, name, file);
        });
    }

    /// Runs `act` on the storage, and carries out its actions.
    fn with_storage<R>(
        &mut self,
        context: JobContext<'_, '_>,
        act: impl FnOnce(&mut Storage, &mut AppContext<'_, Storage>) -> R,
    ) -> R {
        let mut actions = Vec::new();
        let result = act(
            &mut self.storage,
            &mut AppContext {
                now: context.now,
                me: context.me,
                shared: &context.shared.storage,
                hops: context.hops,
                routing: context.routing,
                metrics: &mut context.metrics.storage,
                actions: &mut actions,
            },
        );
        let wrap = |message| Message::Storage(Box::new(message));
        context
            .actions
            .extend(actions.into_iter().map(|action| match action {
                Action::Route { key, message } => Action::Route {
                    key,
                    message: wrap(message),
                },
                Action::Send { to, message } => Action::Send {
                    to,
                    message: wrap(message),
                },
                Action::SendLocal { to, message } => Action::SendLocal {
                    to,
                    message: wrap(message),
                },
                Action::SetTimer { after, timer } => Action::SetTimer {
                    after,
                    timer: Timer::Storage(timer),
                },
                Action::SpawnIdentity { id } => Action::SpawnIdentity { id },
                Action::Leave => Action::Leave,
            }));
        result
    }

    /// The same for an upcall, after which answers may be there.
    fn storage_upcall(
        &mut self,
        context: JobContext<'_, '_>,
        act: impl FnOnce(&mut Storage, &mut AppContext<'_, Storage>),
    ) {
        self.with_storage(context, act);
        if !self.requests.is_empty() {
            self.take_answers(context);
        }
        if context.shared.balancing.is_on() {
            self.follow_blocks(context);
        }
    }

    /// Sends a request to the storage, unless one for the same is open.
    fn request(
        &mut self,
        context: JobContext<'_, '_>,
        wanted: Wanted,
        act: impl FnOnce(&mut Storage, &mut AppContext<'_, Storage>) -> u32,
    ) {
        if self.requests.iter().all(|(_, open)| *open != wanted) {
            let number = self.with_storage(context, act);
            self.requests.push((number, wanted));
            // Something is still to come.
            context.metrics.add_results();
            // A file without blocks is stored at once.
            self.take_answers(context);
        }
    }

    /// Takes the answers of the storage that have come.
    fn take_answers(&mut self, context: JobContext<'_, '_>) {
        for (number, answer) in self.storage.take_fetched() {
            let Some(place) = self.requests.iter().position(|(open, _)| *open == number) else {
                continue;
            };
            let (_, wanted) = self.requests.swap_remove(place);
            context.metrics.remove_results();
            match wanted {
                Wanted::Keyfile(file) => self.take_keyfile(context, file, &answer),
                Wanted::State(round) => self.take_state(context, round, answer),
                Wanted::Stored(round) => self.on_stored(context, round, &answer),
            }
        }
    }

    /// The answers to the open requests are lost.
    fn drop_requests(&mut self, metrics: &mut FileJobMetrics) {
        for _ in self.requests.drain(..) {
            metrics.remove_results();
        }
    }
}

impl Application for FileJob {
    type Shared = FileJobShared;
    type Message = Message;
    type Timer = Timer;
    type Metrics = FileJobMetrics;
    const ITEM: &'static str = "block";

    fn new(shared: &FileJobShared, site: u32, random: Stream) -> Self {
        Self {
            speed: shared.nodes.speed_of(site, shared.seed),
            random: None,
            storage: Storage::new(&shared.storage, site, random),
            todo: VecDeque::new(),
            current: None,
            done: BTreeSet::new(),
            buffered: Vec::new(),
            flushing: false,
            collector: None,
            requests: Vec::new(),
            keyfiles: BTreeMap::new(),
            state: None,
            host: Host::default(),
        }
    }

    fn on_colocated(&mut self, first: Node) {
        self.host.identities.set_first(first);
    }

    fn start(&mut self, context: JobContext<'_, '_>) {
        self.with_storage(context, |storage, context| storage.start(context));
        self.start_balancing(context);
        // A node that returns continues where it was.
        self.buffer(context, Vec::new());
        if self.collector.is_some() {
            context.set_timer(context.shared.patience, Timer::Progress);
        }
        self.work(context);
    }

    fn deliver(&mut self, context: JobContext<'_, '_>, origin: Node, key: Key, message: Message) {
        match message {
            Message::Storage(message) => self.storage_upcall(context, |storage, context| {
                storage.deliver(context, origin, key, *message);
            }),
            Message::Stage => self.stage(context),
            Message::Results(_, parts) => {
                context.metrics.remove_results();
                let repeated = self.collect(context, parts);
                context.metrics.duplicates += repeated as u64;
            }
            Message::Counted { plan, parts, .. } => self.take_over(context, plan, parts),
            Message::Absent(block) => self.on_absent(context, block),
            Message::Load(message) => self.on_load_message(context, origin, message),
            Message::Map { .. } | Message::Seek { .. } | Message::Local(_) => {}
        }
    }

    fn forward(
        &mut self,
        context: JobContext<'_, '_>,
        _: Key,
        message: &mut Message,
        _: Node,
    ) -> Forward {
        match message {
            Message::Results(by, parts) if *by != context.me => {
                let parts = std::mem::take(parts);
                context.metrics.remove_results();
                self.buffer(context, parts);
                Forward::Absorb
            }
            _ => Forward::Pass,
        }
    }

    fn receive(&mut self, context: JobContext<'_, '_>, from: Node, message: Message) {
        if message.carries_results() {
            context.metrics.remove_results();
        }
        match message {
            Message::Storage(message) => self.storage_upcall(context, |storage, context| {
                storage.receive(context, from, *message);
            }),
            Message::Map { blocks, last } => self.dispatch(context, &blocks, last),
            Message::Seek { block, others } => {
                if !self.keep_task(context, block, false) {
                    self.seek(context, block, others);
                }
            }
            Message::Counted { plan, parts, .. } => self.merge_counted(context, plan, parts),
            Message::Local(local) => self.on_local(context, from, local),
            Message::Load(message) => self.on_load_message(context, from, message),
            Message::Stage | Message::Results(..) | Message::Absent(_) => {}
        }
    }

    fn undelivered(&mut self, context: JobContext<'_, '_>, to: Node, message: Message) {
        if message.carries_results() {
            context.metrics.remove_results();
        }
        match message {
            Message::Storage(message) => self.storage_upcall(context, |storage, context| {
                storage.undelivered(context, to, *message);
            }),
            Message::Map { blocks, .. } => self.dispatch(context, &blocks, false),
            Message::Seek { block, others } => self.seek(context, block, others),
            Message::Counted { .. } => {
                if let Some(collector) = &mut self.collector {
                    collector.copies.retain(|copy| *copy != to);
                }
            }
            Message::Local(local) => self.on_local_failed(context, to, local),
            Message::Stage | Message::Results(..) | Message::Absent(_) | Message::Load(_) => {}
        }
    }

    fn on_timer(&mut self, context: JobContext<'_, '_>, timer: Timer) {
        match timer {
            Timer::Storage(timer) => {
                self.storage_upcall(context, |storage, context| {
                    storage.on_timer(context, timer);
                });
                self.retire(context);
            }
            Timer::Balancing(timer) => self.on_balancing_timer(context, timer),
            Timer::Mapped => self.finish(context),
            Timer::Flush => self.flush(context),
            Timer::Progress => self.check_progress(context),
        }
    }

    fn update(&mut self, context: JobContext<'_, '_>) {
        self.storage_upcall(context, |storage, context| storage.update(context));
        self.check_collector(context);
    }

    /// Blocks and results are on disk; the current block must be mapped again.
    fn on_pause(&mut self, now: Instant, metrics: &mut FileJobMetrics) {
        self.storage.on_pause(now, &mut metrics.storage);
        self.break_map(metrics, now);
        // The other identities on the host are lost.
        self.host = Host::default();
        self.stop_flushing(metrics);
        self.drop_requests(metrics);
    }

    fn on_stop(&mut self, now: Instant, metrics: &mut FileJobMetrics) {
        self.storage.on_stop(now, &mut metrics.storage);
        self.break_map(metrics, now);
        self.stop_flushing(metrics);
        self.drop_requests(metrics);
        if let Some(collector) = self.collector.take() {
            metrics.collectors -= 1;
            metrics.planned -= u32::from(collector.plan().is_some());
        }
    }

    fn on_lost(message: &Message, metrics: &mut FileJobMetrics) {
        match message {
            Message::Storage(message) => Storage::on_lost(message, &mut metrics.storage),
            // No node knows the job, and none will learn of it.
            Message::Stage if metrics.staged.is_none() => metrics.over = true,
            _ => Self::on_copy_lost(message, metrics),
        }
    }

    fn on_copied(message: &Message, metrics: &mut FileJobMetrics) {
        if message.carries_results() {
            metrics.add_results();
        }
    }

    fn on_copy_lost(message: &Message, metrics: &mut FileJobMetrics) {
        if message.carries_results() {
            metrics.remove_results();
        }
    }

    /// Doubles the counts of results.
    fn forge(message: &mut Message) {
        match message {
            Message::Storage(message) => Storage::forge(message),
            Message::Results(_, parts) => parts.iter_mut().for_each(Records::double),
            _ => {}
        }
    }

    fn bytes(message: &Message) -> u32 {
        message.bytes()
    }

    fn kind(message: &Message) -> &'static str {
        message.kind()
    }

    /// Blocks: those that are mapped here, and those in the storage.
    fn each_item(&self, see: &mut dyn FnMut(&Key, ItemState)) {
        let is_queued = |key: &Key| self.todo.iter().any(|task| task.block.key == *key);
        let current = self.own_current().map(|block| block.key);
        self.storage.each_item(&mut |key, state| {
            let state = match state {
                _ if current == Some(*key) => ItemState::Running,
                _ if is_queued(key) => ItemState::Pending,
                state => state,
            };
            see(key, state);
        });
    }

    fn counters(metrics: &FileJobMetrics) -> Vec<(&'static str, u64)> {
        vec![
            ("blocks mapped", metrics.first_maps.len() as u64),
            ("blocks mapped again", metrics.redone()),
            ("tasks sent to copies", metrics.sought),
            ("duplicates dropped", metrics.duplicates),
        ]
    }

    fn is_over(metrics: &FileJobMetrics) -> bool {
        metrics.is_over()
    }
}
