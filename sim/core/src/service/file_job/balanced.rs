//! Load balancing of a job over files: its tasks are blocks to be mapped. A Sybil becomes the root of
//! blocks, the storage sends it these, and their tasks follow.

use super::execution::MapTask;
use super::{FileJob, FileJobMetrics, FileJobShared, JobContext, Message, Timer};
use crate::engine::Stream;
use crate::overlay::Node;
use crate::service::balancing::{
    Balanced, BalancingRules, BalancingTimer, Host, LoadMessage, LocalMessage,
};
use crate::space::Key;

impl FileJob {
    /// Whether this identity was created by another one on the same host.
    pub fn is_friendly_sybil(&self) -> bool {
        self.host.identities.first().is_some()
    }
}

impl Balanced for FileJob {
    type Task = MapTask;

    fn rules(shared: &FileJobShared) -> &BalancingRules {
        &shared.balancing
    }

    fn host(&mut self) -> &mut Host {
        &mut self.host
    }

    fn random(&mut self, context: JobContext<'_, '_>) -> &mut Stream {
        let node = context.me.index() as u64;
        self.random
            .get_or_insert_with(|| context.shared.seed.stream("balancing", node))
    }

    fn speed(&self) -> f64 {
        self.speed
    }

    fn local(message: LocalMessage<MapTask>) -> Message {
        Message::Local(message)
    }

    fn load(message: LoadMessage) -> Message {
        Message::Load(message)
    }

    fn timer(timer: BalancingTimer) -> Timer {
        Timer::Balancing(timer)
    }

    fn count_sybil(metrics: &mut FileJobMetrics) {
        metrics.sybils += 1;
    }

    fn open_keys(&self) -> Vec<Key> {
        let waiting = self.todo.iter().map(|task| task.block);
        let blocks = waiting.chain(self.own_current());
        let mut keys: Vec<Key> = blocks.map(|block| block.key).collect();
        keys.sort_unstable();
        keys
    }

    fn open(&self) -> u32 {
        (self.todo.len() + usize::from(self.own_current().is_some())) as u32
    }

    fn is_queued(&self) -> bool {
        !self.todo.is_empty()
    }

    fn next_task(&mut self, context: JobContext<'_, '_>) -> Option<MapTask> {
        let task = self.next_block(context)?;
        self.current = Some((task, None));
        Some(task)
    }

    fn work(&mut self, context: JobContext<'_, '_>) {
        self.begin_next(context);
    }

    fn execute_lent(&mut self, context: JobContext<'_, '_>, task: MapTask, lender: Node) {
        self.begin_map(context, task, Some(lender));
    }

    fn on_executed(&mut self, context: JobContext<'_, '_>, task: MapTask) {
        self.current = None;
        self.map(context, &task.block);
        self.work(context);
    }

    /// The block is lost with its lender: its task goes to the root that it has now.
    fn on_lender_gone(&mut self, context: JobContext<'_, '_>, task: MapTask) {
        self.dispatch(context, &[task.block], false);
    }

    fn hand_over_all(&mut self, context: JobContext<'_, '_>, successor: Node) {
        self.with_storage(context, |storage, context| {
            storage.hand_over_all(context, successor);
        });
    }

    fn before_leave(&mut self, context: JobContext<'_, '_>) {
        self.hand_over_counted(context);
    }

    fn is_safe_to_leave(&self) -> bool {
        let is_idle = self.todo.is_empty() && self.current.is_none();
        let has_sent = self.buffered.is_empty() && self.requests.is_empty();
        is_idle && has_sent && self.storage.store().has_only_copies()
    }
}
