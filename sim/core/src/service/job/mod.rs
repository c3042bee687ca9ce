//! ChordReduce: MapReduce without a coordinator, on any overlay.
//!
//! Rosen, Benshoof, Harrison and Bourgeois, "MapReduce on a Chord distributed hash table" (2014).
//! The root of the job's address, the *stager*, splits the job into *atoms* with random keys. Each
//! atom is sent to the root of its key, which maps it. Results return to the address; every node on
//! the path waits a while and reduces its results before it sends them on (the `forward` upcall).
//! Atoms and results are replicated on the replica set, whose next root takes over after a failure
//! ([`replication`](super::replication)).
//!
//! The papers do not state how a result is neither lost nor counted twice. Here a reduced result
//! lists its atoms. The root of the address counts it only if none of them was counted before.
//! Otherwise it asks for the missing ones, one by one, as it does when no result comes for a while.
//! The counted results are replicated, too, so any node on the path, the stager included, may fail.
//!
//! This file holds the state of a node and its event handlers. `execution` maps atoms, `work` computes
//! them, `aggregation` counts results, and `balanced` connects the job with
//! [`balancing`](super::balancing).

mod aggregation;
mod balanced;
mod collector;
mod execution;
mod message;
mod metrics;
mod parameters;
mod partial_result;
mod shared;
pub mod tasks;
mod work;

pub use collector::{AddResult, Collector};
pub use message::{Atom, Message};
pub use metrics::JobMetrics;
pub use parameters::{
    Compute, Cost, Dispatch, JobParameters, JobSpecification, Model, NodeParameters,
    SpeedDistribution,
};
pub use partial_result::{PartialResult, combine};
pub use shared::{Shared, stream_of};

use super::balancing::{Balanced, BalancingTimer, Host, LoadBalancing, SharedProcessor};
use super::replication::{ItemChange, Items, Outbox, ReplicationMessage, Store};
use crate::engine::{Duration, Instant, Stream};
use crate::overlay::{AppContext, Application, Forward, ItemState, Node};
use crate::space::Key;
use execution::MapTask;
use std::collections::VecDeque;

/// Timers of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The current atom is mapped.
    Mapped,
    /// Send the buffered results.
    Flush,
    /// Check replicas and send keep-alives.
    Repair,
    /// Check whether results come in.
    Progress,
    /// Of load balancing.
    Balancing(BalancingTimer),
}

/// A node that runs jobs.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Samples a second.
    speed: f64,
    random: Stream,
    store: Store<Atom>,
    /// Atoms to be mapped, and the current one.
    todo: VecDeque<u32>,
    current_map: Option<MapTask>,
    /// Atoms mapped since the last flush: their copies are not updated yet.
    mapped: Vec<u32>,
    /// Results to be sent on.
    buffered: Vec<PartialResult>,
    /// It has results to send, the current map included, as counted in the metrics.
    has_results: bool,
    flushing: bool,
    /// When this node last sent or forwarded a message to the root of the address.
    last_report: Instant,
    collector: Option<Collector>,
    host: Host,
}

type JobContext<'a, 'b> = &'a mut AppContext<'b, Worker>;

impl Worker {
    /// The results counted here, if this node is or was the root of the job's address, or holds a
    /// copy.
    pub fn collector(&self) -> Option<&Collector> {
        self.collector.as_ref()
    }

    /// The numbers of the atoms on this node.
    pub fn held(&self) -> impl Iterator<Item = u32> {
        self.store.iter().map(|(_, atom)| atom.number)
    }

    /// Whether this identity was created by another one on the same host.
    pub fn is_friendly_sybil(&self) -> bool {
        self.host.identities.first().is_some()
    }

    /// Splits the job into atoms and sends them out.
    fn stage(&mut self, context: JobContext<'_, '_>) {
        let atoms = context.shared.parameters.atoms;
        context.metrics.stage(atoms, context.now);
        let item = |number: u32| {
            let atom = Atom {
                number,
                result: None,
            };
            (context.shared.keys[number as usize], atom)
        };
        let items: Items<Atom> = (0..atoms).map(item).collect();
        self.collect(context, Vec::new());
        match context.shared.parameters.bundle {
            Dispatch::Fingers => {
                let mut outbox = Outbox::new();
                let fresh = self
                    .store
                    .take(context.routing, items, None, false, &mut outbox);
                self.send_outbox(context, outbox, &fresh);
            }
            Dispatch::None => {
                for (key, atom) in items {
                    context.metrics.hold(atom.number);
                    let replication = ReplicationMessage::Take {
                        items: vec![(key, atom)],
                        holder: None,
                        last: true,
                    };
                    context.route(key, Message::Replication(replication));
                }
            }
            Dispatch::Walk => {
                for (_, atom) in &items {
                    context.metrics.hold(atom.number);
                }
                self.walk(context, items);
            }
        }
    }

    /// As in the published code: keeps the atoms of this node, and sends the others to a random
    /// node.
    fn walk(&mut self, context: JobContext<'_, '_>, items: Items<Atom>) {
        let (mine, others): (Items<Atom>, _) = items
            .into_iter()
            .partition(|(key, _)| context.is_root_of(key));
        for (_, atom) in &mine {
            context.metrics.release(atom.number);
        }
        let mut outbox = Outbox::new();
        let fresh = self
            .store
            .take(context.routing, mine, None, true, &mut outbox);
        self.send_outbox(context, outbox, &fresh);
        if !others.is_empty() {
            let key = Key::random(&mut self.random);
            context.route(key, Message::Walk(others));
        }
    }

    /// Sends the store's messages, records its changes, and queues the `fresh` atoms.
    fn send_outbox(&mut self, context: JobContext<'_, '_>, outbox: Outbox<Atom>, fresh: &[Key]) {
        for (to, replication) in outbox {
            for (_, atom) in replication.unheld() {
                context.metrics.hold(atom.number);
            }
            context.send(to, Message::Replication(replication));
        }
        for change in self.store.changes() {
            match change {
                ItemChange::Added(key) => context.metrics.hold(context.shared.number_of(&key)),
                ItemChange::Removed(key) => context.metrics.release(context.shared.number_of(&key)),
            }
        }
        for key in fresh {
            if let Some(atom) = self.store.get(key)
                && atom.result.is_none()
                && self.store.owns(key)
            {
                context.metrics.assign();
                self.todo.push_back(atom.number);
            }
        }
        self.work(context);
    }

    /// Updates the ownership of items after a change of the neighbourhood.
    fn update_ownership(&mut self, context: JobContext<'_, '_>) {
        let mut outbox = Outbox::new();
        let fresh =
            self.store
                .update_ownership(context.me, context.routing, context.now, &mut outbox);
        self.send_outbox(context, outbox, &fresh);
        self.check_collector(context);
    }

    /// Handles a replication message of `from`.
    fn on_replication(
        &mut self,
        context: JobContext<'_, '_>,
        from: Node,
        replication: ReplicationMessage<Atom>,
    ) {
        for (_, atom) in replication.unheld() {
            context.metrics.release(atom.number);
        }
        let mut outbox = Outbox::new();
        let fresh =
            self.store
                .receive(context.routing, context.now, from, replication, &mut outbox);
        self.send_outbox(context, outbox, &fresh);
        self.leave_if_safe(context);
    }
}

impl Application for Worker {
    type Shared = Shared;
    type Message = Message;
    type Timer = Timer;
    type Metrics = JobMetrics;
    const ITEM: &'static str = "atom";

    fn new(shared: &Shared, site: u32, random: Stream) -> Self {
        Self {
            speed: shared.speed_of(site),
            random,
            store: Store::new(shared.parameters.replicas),
            todo: VecDeque::new(),
            current_map: None,
            mapped: Vec::new(),
            buffered: Vec::new(),
            has_results: false,
            flushing: false,
            last_report: Instant::START,
            collector: None,
            host: Host::default(),
        }
    }

    fn on_colocated(&mut self, first: Node) {
        self.host.identities.set_first(first);
    }

    fn start(&mut self, context: JobContext<'_, '_>) {
        // Spreads the nodes' timers.
        let phase = context.shared.parameters.repair.as_secs_f64() * self.random.unit();
        context.set_timer(Duration::from_secs_f64(phase), Timer::Repair);
        self.start_balancing(context);
        self.go_on(context);
    }

    fn deliver(&mut self, context: JobContext<'_, '_>, origin: Node, _: Key, message: Message) {
        if message.carries_results() {
            context.metrics.remove_pending_results();
        }
        match message {
            // A node that has staged the job gets a request again that the network has duplicated.
            Message::Stage if self.collector.is_some() => {}
            Message::Stage => self.stage(context),
            Message::Replication(replication) => self.on_replication(context, origin, replication),
            Message::Walk(items) => {
                context.metrics.walk_steps += 1;
                self.walk(context, items);
            }
            Message::Results(_, partials) => {
                let dropped = self.collect(context, partials);
                context.metrics.duplicates += dropped as u64;
            }
            Message::Counted(partials) => {
                self.collect(context, partials);
            }
            Message::Pending(_) => self.become_collector(context),
            Message::Recall(atoms, last) => self.recall(context, atoms, last),
            Message::Load(load_message) => self.on_load_message(context, origin, load_message),
            Message::Local(_) => {}
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
            Message::Results(by, partials) if *by != context.me => {
                let partials = std::mem::take(partials);
                context.metrics.remove_pending_results();
                self.buffer_results(context, partials);
                Forward::Absorb
            }
            Message::Pending(by) if *by != context.me => {
                *by = context.me;
                if self.report_due(context) {
                    Forward::Pass
                } else {
                    Forward::Absorb
                }
            }
            _ => Forward::Pass,
        }
    }

    fn receive(&mut self, context: JobContext<'_, '_>, from: Node, message: Message) {
        if message.carries_results() {
            context.metrics.remove_pending_results();
        }
        match message {
            Message::Replication(replication) => self.on_replication(context, from, replication),
            Message::Counted(partials) => self.merge_counted(context, partials),
            Message::Recall(atoms, last) => self.recall(context, atoms, last),
            Message::Local(local) => self.on_local(context, from, local),
            Message::Load(load_message) => self.on_load_message(context, from, load_message),
            Message::Stage | Message::Walk(_) | Message::Results(..) | Message::Pending(_) => {}
        }
    }

    fn undelivered(&mut self, context: JobContext<'_, '_>, to: Node, message: Message) {
        if message.carries_results() {
            context.metrics.remove_pending_results();
        }
        match message {
            Message::Replication(replication) => {
                for (_, atom) in replication.unheld() {
                    context.metrics.release(atom.number);
                }
                let mut outbox = Outbox::new();
                let fresh = self
                    .store
                    .undelivered(context.routing, to, replication, &mut outbox);
                self.send_outbox(context, outbox, &fresh);
            }
            Message::Recall(atoms, _) => self.recall(context, atoms, false),
            Message::Local(local) => self.on_local_failed(context, to, local),
            Message::Load(_) => {}
            Message::Counted(_) => {
                if let Some(collector) = &mut self.collector {
                    collector.copies.retain(|copy| *copy != to);
                }
            }
            Message::Stage | Message::Walk(_) | Message::Results(..) | Message::Pending(_) => {}
        }
    }

    fn on_timer(&mut self, context: JobContext<'_, '_>, timer: Timer) {
        match timer {
            Timer::Mapped => self.finish(context),
            Timer::Flush => self.flush(context),
            Timer::Progress => self.check_progress(context),
            Timer::Balancing(timer) => self.on_balancing_timer(context, timer),
            Timer::Repair => {
                let period = context.shared.parameters.repair;
                let mut outbox = Outbox::new();
                let fresh = self.store.keep_alive(
                    context.me,
                    context.routing,
                    context.now,
                    period * 3,
                    &mut outbox,
                );
                self.send_outbox(context, outbox, &fresh);
                self.announce_job(context);
                self.retire(context);
                context.set_timer(period, Timer::Repair);
            }
        }
    }

    fn update(&mut self, context: JobContext<'_, '_>) {
        self.update_ownership(context);
    }

    /// Atoms, results and counted results are on disk; the current atom must be mapped again.
    fn on_pause(&mut self, now: Instant, metrics: &mut JobMetrics) {
        if let Some(MapTask { atom, lender }) = self.current_map.take() {
            metrics.break_map(now);
            if lender.is_none() {
                self.todo.push_front(atom);
            }
        }
        self.update_pending_results(metrics);
        self.flushing = false;
        // The other identities on the host are lost.
        self.host = Host::default();
    }

    fn on_stop(&mut self, now: Instant, metrics: &mut JobMetrics) {
        for (_, atom) in self.store.iter() {
            metrics.release(atom.number);
        }
        if self.current_map.take().is_some() {
            metrics.break_map(now);
        }
        self.mapped.clear();
        self.buffered.clear();
        self.update_pending_results(metrics);
        if let Some(collector) = &self.collector {
            let partials = collector.partials().iter();
            let atoms = partials.flat_map(|partial| &partial.atoms);
            metrics.remove_collector(collector.count(), atoms);
        }
    }

    fn on_lost(message: &Message, metrics: &mut JobMetrics) {
        if matches!(message, Message::Stage) && metrics.staged.is_none() {
            // No node knows the job, and none will learn of it.
            metrics.over = true;
        }
        Self::on_copy_lost(message, metrics);
    }

    fn on_copied(message: &Message, metrics: &mut JobMetrics) {
        if message.carries_results() {
            metrics.add_pending_results();
        }
        for (_, atom) in message.unheld() {
            metrics.hold(atom.number);
        }
    }

    fn on_copy_lost(message: &Message, metrics: &mut JobMetrics) {
        if message.carries_results() {
            metrics.remove_pending_results();
        }
        for (_, atom) in message.unheld() {
            metrics.release(atom.number);
        }
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

    fn each_item(&self, see: &mut dyn FnMut(&Key, ItemState)) {
        for (key, atom) in self.store.iter() {
            let state = if !self.store.owns(key) {
                ItemState::Replica
            } else if self
                .current_map
                .is_some_and(|current_map| current_map.atom == atom.number)
            {
                ItemState::Running
            } else if atom.result.is_some() || self.mapped.contains(&atom.number) {
                ItemState::Done
            } else {
                ItemState::Pending
            };
            see(key, state);
        }
    }

    fn counters(metrics: &JobMetrics) -> Vec<(&'static str, u64)> {
        vec![
            ("atoms mapped", metrics.first_maps.len() as u64),
            ("atoms counted", metrics.counted()),
            ("atoms mapped again", metrics.redone()),
            ("duplicates dropped", metrics.duplicates),
        ]
    }

    fn is_over(metrics: &JobMetrics) -> bool {
        metrics.is_over()
    }
}
