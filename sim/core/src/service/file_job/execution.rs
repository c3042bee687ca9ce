//! Execution: every node passes tasks on, maps the blocks that it holds, and sends results towards the
//! address.

use super::{
    Block, FileJob, FileJobMetrics, FileJobShared, JobContext, Locality, Message, Records, Timer,
};
use crate::engine::{Duration, Instant};
use crate::overlay::{NextHop, Node};
use crate::service::balancing::{Balanced, LocalMessage, SharedProcessor};
use crate::service::storage::{self, Content};
use crate::space::Key;

/// A block that waits to be mapped.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueuedTask {
    pub block: Block,
    /// It follows its block to another owner.
    follows: bool,
}

/// A block that is mapped.
#[derive(Clone, Copy, Debug)]
pub struct MapTask {
    pub(super) block: Block,
    /// Its size.
    bytes: u64,
}

impl FileJob {
    /// Sends the tasks of `blocks` towards their roots, those with the same next hop together; keeps
    /// those of which this node is the root. With `last` it is considered the root of all.
    pub(super) fn dispatch(&mut self, context: JobContext<'_, '_>, blocks: &[Block], last: bool) {
        let mut batches: Vec<(Node, bool, Vec<Block>)> = Vec::new();
        for block in blocks {
            let (to, is_last) = match context.routing.next_hop(&block.key) {
                NextHop::Next(next) if !last => (next, false),
                NextHop::Last(next) if !last => (next, true),
                _ => {
                    self.take_task(context, *block);
                    continue;
                }
            };
            let known = batches
                .iter_mut()
                .find(|batch| (batch.0, batch.1) == (to, is_last));
            match known {
                Some(batch) => batch.2.push(*block),
                None => batches.push((to, is_last, vec![*block])),
            }
        }
        for (to, last, blocks) in batches {
            context.send(to, Message::Map { blocks, last });
        }
    }

    /// Takes the task of a block as its root: maps it, or gives it to a node with a copy.
    pub(super) fn take_task(&mut self, context: JobContext<'_, '_>, block: Block) {
        let replicas = context.shared.storage.replicas;
        let mut holders = context
            .routing
            .replica_set(&block.key, replicas.saturating_sub(1));
        let turn = match context.shared.locality {
            Locality::Root => 0,
            Locality::Replica => block.number as usize % (holders.len() + 1),
        };
        if turn > 0 {
            // The chosen node first, then the others, this one last.
            holders.rotate_left(turn - 1);
            holders.push(context.me);
            holders.reverse();
            self.seek(context, block, holders);
        } else if !self.keep_task(context, block, self.is_followed(&block.key)) {
            context.metrics.sought += 1;
            holders.reverse();
            self.seek(context, block, holders);
        }
    }

    /// Whether the task of a block follows it to another owner: this node owns the block, or is about
    /// to leave. Two nodes that take each other for the owner do not pass the task to and fro.
    fn is_followed(&self, key: &Key) -> bool {
        self.storage.store().owns(key) || self.host.identities.is_retiring()
    }

    /// Queues the task of a block that this node holds, and which `follows` the block to another owner
    /// or not; returns whether it holds it.
    pub(super) fn keep_task(
        &mut self,
        context: JobContext<'_, '_>,
        block: Block,
        follows: bool,
    ) -> bool {
        if self.done.contains(&(block.round, block.number))
            && let Some(records) = self.records_of(context.shared, &block)
        {
            self.buffer(context, vec![records]);
            return true;
        }
        if self.content_of(&block.key).is_none() {
            return false;
        }
        let is_queued =
            self.own_current() == Some(block) || self.todo.iter().any(|task| task.block == block);
        if !is_queued {
            self.todo.push_back(QueuedTask { block, follows });
            self.work(context);
        }
        true
    }

    /// The block of this node that is mapped, by itself or by the first identity on its host.
    pub(super) fn own_current(&self) -> Option<Block> {
        let current = self.current.filter(|(_, lender)| lender.is_none());
        current.map(|(task, _)| task.block)
    }

    /// Sends waiting tasks whose blocks another node owns to that node; a dismissed Sybil leaves when
    /// nothing keeps it.
    pub(super) fn follow_blocks(&mut self, context: JobContext<'_, '_>) {
        let store = self.storage.store();
        let mut gone: Vec<(Node, Vec<Block>)> = Vec::new();
        self.todo.retain(|QueuedTask { block, follows }| {
            let owner = store.other_owner(&block.key).filter(|_| *follows);
            if let Some(owner) = owner {
                match gone.iter_mut().find(|(to, _)| *to == owner) {
                    Some((_, blocks)) => blocks.push(*block),
                    None => gone.push((owner, vec![*block])),
                }
            }
            owner.is_none()
        });
        for (owner, blocks) in gone {
            context.metrics.moved += blocks.len() as u64;
            context.send(owner, Message::Map { blocks, last: true });
        }
        self.leave_if_safe(context);
    }

    /// The content of a block, if this node holds it.
    pub(super) fn content_of(&self, key: &Key) -> Option<&Content> {
        self.storage
            .store()
            .get(key)
            .and_then(storage::Block::content)
    }

    /// Gives the task of a block to the last of `others`; without any, reports that there is no copy.
    pub(super) fn seek(
        &mut self,
        context: JobContext<'_, '_>,
        block: Block,
        mut others: Vec<Node>,
    ) {
        match others.pop() {
            Some(next) if next == context.me => {
                if !self.keep_task(context, block, false) {
                    self.seek(context, block, others);
                }
            }
            Some(next) => context.send(next, Message::Seek { block, others }),
            None => context.route(context.shared.address(), Message::Absent(block)),
        }
    }

    /// Begins to map the next block, if there is one and the processor is idle.
    pub(super) fn begin_next(&mut self, context: JobContext<'_, '_>) {
        if self.host.identities.first().is_some() {
            self.report_work(context);
        } else if self.current.is_none() && !self.host.identities.is_waiting() {
            match self.next_block(context) {
                Some(task) => self.begin_map(context, task, None),
                None => self.request_work(context),
            }
        }
    }

    /// Takes the next block that this node holds and knows the state of its round of.
    pub(super) fn next_block(&mut self, context: JobContext<'_, '_>) -> Option<MapTask> {
        while let Some(QueuedTask { block, follows }) = self.todo.pop_front() {
            if self.state_of(context.shared, block.round).is_none() {
                if self.state.as_ref().is_none_or(|(of, _)| *of < block.round) {
                    self.todo.push_front(QueuedTask { block, follows });
                    self.fetch_state(context, block.round);
                    return None;
                }
                // The job is in a later round.
                continue;
            }
            match self.content_of(&block.key) {
                Some(content) => {
                    let bytes = content.size();
                    return Some(MapTask { block, bytes });
                }
                // It has been released since: others have it now.
                None => self.take_task(context, block),
            }
        }
        None
    }

    /// Begins to map a block of this identity, or one that another has lent.
    pub(super) fn begin_map(
        &mut self,
        context: JobContext<'_, '_>,
        task: MapTask,
        lender: Option<Node>,
    ) {
        let seconds = task.bytes as f64 / self.speed;
        context.metrics.begin_map(context.now);
        context.set_timer(Duration::from_secs_f64(seconds), Timer::Mapped);
        self.current = Some((task, lender));
    }

    /// The node stops, or pauses with its queue, before the current block is mapped.
    pub(super) fn break_map(&mut self, metrics: &mut FileJobMetrics, now: Instant) {
        let is_first = self.host.identities.first().is_none();
        if let Some((MapTask { block, .. }, lender)) = self.current.take() {
            if is_first {
                metrics.break_map(now);
            }
            if lender.is_none() {
                let follows = self.is_followed(&block.key);
                self.todo.push_front(QueuedTask { block, follows });
            }
        }
    }

    /// The current block is mapped.
    pub(super) fn finish(&mut self, context: JobContext<'_, '_>) {
        let Some((task, lender)) = self.current.take() else {
            return;
        };
        let (me, now) = (context.me, context.now);
        if let Some(lender) = lender {
            context.metrics.end_map(&task.block, me, task.bytes, now);
            context.metrics.add_results();
            context.send_local(lender, Message::Local(LocalMessage::Done(task)));
        } else if self.map(context, &task.block) {
            context.metrics.end_map(&task.block, me, task.bytes, now);
        } else {
            context.metrics.break_map(now);
        }
        self.work(context);
    }

    /// Maps a block whose time has passed, and buffers its records. Returns false if it is not here any
    /// more, or the state of its round is not.
    pub(super) fn map(&mut self, context: JobContext<'_, '_>, block: &Block) -> bool {
        let Some(records) = self.records_of(context.shared, block) else {
            if self.content_of(&block.key).is_none() {
                self.take_task(context, *block);
            }
            return false;
        };
        let is_new_round = |(round, _): &(u32, u32)| *round < block.round;
        if self.done.first().is_some_and(is_new_round) {
            self.done = self.done.split_off(&(block.round, 0));
        }
        self.done.insert((block.round, block.number));
        self.buffer(context, vec![records]);
        true
    }

    /// The records of a block that this node holds, in a round whose state it knows.
    fn records_of(&self, shared: &FileJobShared, block: &Block) -> Option<Records> {
        let state = self.state_of(shared, block.round)?;
        let content = self.content_of(&block.key)?;
        Some(shared.mapper.map(block, &state, content.bytes()))
    }

    /// Buffers results to be sent on; those without a common block are merged.
    pub(super) fn buffer(&mut self, context: JobContext<'_, '_>, parts: Vec<Records>) {
        for part in parts {
            match self
                .buffered
                .iter_mut()
                .find(|other| other.can_merge(&part))
            {
                Some(other) => other.merge(&part),
                None => self.buffered.push(part),
            }
        }
        if !self.flushing && !self.buffered.is_empty() {
            self.flushing = true;
            context.metrics.add_results();
            context.set_timer(context.shared.reduce_wait, Timer::Flush);
        }
    }

    /// The timer to send results is lost.
    pub(super) fn stop_flushing(&mut self, metrics: &mut FileJobMetrics) {
        if std::mem::take(&mut self.flushing) {
            metrics.remove_results();
        }
    }

    /// Sends the buffered results to the root of the job's address.
    pub(super) fn flush(&mut self, context: JobContext<'_, '_>) {
        self.flushing = false;
        let parts = std::mem::take(&mut self.buffered);
        // The node was about to send; now the message is under way.
        let address = context.shared.address();
        context.route(address, Message::Results(context.me, parts));
    }
}
