//! Load balancing of a job: its tasks are the atoms.

use super::{JobContext, JobMetrics, Message, PartialResult, Shared, Timer, Worker};
use crate::engine::Stream;
use crate::overlay::Node;
use crate::service::balancing::{
    Balanced, BalancingRules, BalancingTimer, Host, LoadMessage, LocalMessage,
};
use crate::service::replication::Outbox;
use crate::space::Key;

impl Worker {
    /// The keys of the open atoms, ascending.
    fn each_open(&self) -> impl Iterator<Item = &Key> {
        let open = self.store.iter().filter(|(key, atom)| {
            atom.result.is_none() && self.store.owns(key) && !self.mapped.contains(&atom.number)
        });
        open.map(|(key, _)| key)
    }
}

impl Balanced for Worker {
    type Task = u32;

    fn rules(shared: &Shared) -> &BalancingRules {
        &shared.balancing
    }

    fn host(&mut self) -> &mut Host {
        &mut self.host
    }

    fn random(&mut self, _: JobContext<'_, '_>) -> &mut Stream {
        &mut self.random
    }

    fn speed(&self) -> f64 {
        self.speed
    }

    fn local(message: LocalMessage<u32>) -> Message {
        Message::Local(message)
    }

    fn load(message: LoadMessage) -> Message {
        Message::Load(message)
    }

    fn timer(timer: BalancingTimer) -> Timer {
        Timer::Balancing(timer)
    }

    fn count_sybil(metrics: &mut JobMetrics) {
        metrics.sybils += 1;
    }

    fn open_keys(&self) -> Vec<Key> {
        self.each_open().copied().collect()
    }

    fn open(&self) -> u32 {
        self.each_open().count() as u32
    }

    fn is_queued(&self) -> bool {
        !self.todo.is_empty()
    }

    fn next_task(&mut self, context: JobContext<'_, '_>) -> Option<u32> {
        self.next_atom(context)
    }

    fn work(&mut self, context: JobContext<'_, '_>) {
        self.begin_next(context);
    }

    fn execute_lent(&mut self, context: JobContext<'_, '_>, atom: u32, lender: Node) {
        self.map(context, atom, Some(lender));
    }

    fn on_executed(&mut self, context: JobContext<'_, '_>, atom: u32) {
        self.mapped(context, atom);
    }

    fn on_lender_gone(&mut self, context: JobContext<'_, '_>, atom: u32) {
        let result = context.shared.result_of(atom);
        self.buffer_results(context, vec![PartialResult::of(atom, result)]);
    }

    fn hand_over_all(&mut self, context: JobContext<'_, '_>, successor: Node) {
        let mut outbox = Outbox::new();
        self.store
            .hand_over_all(context.me, successor, context.now, &mut outbox);
        self.send_outbox(context, outbox, &[]);
    }

    fn is_safe_to_leave(&self) -> bool {
        self.mapped.is_empty() && self.buffered.is_empty() && self.store.has_only_copies()
    }
}
