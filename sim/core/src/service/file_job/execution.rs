//! Execution: every node passes tasks on, maps the blocks that it holds, and sends results towards the
//! address.

use super::{Block, FileJob, FileJobMetrics, JobContext, Locality, Message, Records, Timer};
use crate::engine::Duration;
use crate::overlay::{NextHop, Node};
use crate::service::storage::{self, Content};
use crate::space::Key;

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
        } else if !self.keep_task(context, block) {
            context.metrics.sought += 1;
            holders.reverse();
            self.seek(context, block, holders);
        }
    }

    /// Queues the task of a block that this node holds; returns whether it does.
    pub(super) fn keep_task(&mut self, context: JobContext<'_, '_>, block: Block) -> bool {
        if let Some(records) = self.done.get(&(block.round, block.number)) {
            let records = records.clone();
            self.buffer(context, vec![records]);
            return true;
        }
        if self.content_of(&block.key).is_none() {
            return false;
        }
        let is_queued = self.current == Some(block) || self.todo.contains(&block);
        if !is_queued {
            self.todo.push_back(block);
            self.work(context);
        }
        true
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
                if !self.keep_task(context, block) {
                    self.seek(context, block, others);
                }
            }
            Some(next) => context.send(next, Message::Seek { block, others }),
            None => context.route(context.shared.address(), Message::Absent(block)),
        }
    }

    /// Begins to map the next block, if there is one, the node is idle, and it knows the state of the
    /// block's round.
    pub(super) fn work(&mut self, context: JobContext<'_, '_>) {
        while self.current.is_none()
            && let Some(block) = self.todo.pop_front()
        {
            if self.state_of(context.shared, block.round).is_none() {
                if self.state.as_ref().is_none_or(|(of, _)| *of < block.round) {
                    self.todo.push_front(block);
                    return self.fetch_state(context, block.round);
                }
                // The job is in a later round.
                continue;
            }
            match self.content_of(&block.key) {
                Some(content) => {
                    let seconds = content.bytes().len() as f64 / self.speed;
                    context.metrics.begin_map(context.now);
                    context.set_timer(Duration::from_secs_f64(seconds), Timer::Mapped);
                    self.current = Some(block);
                }
                // It has been released since: others have it now.
                None => self.take_task(context, block),
            }
        }
    }

    /// The current block is mapped, if it is still here.
    pub(super) fn finish(&mut self, context: JobContext<'_, '_>) {
        let Some(block) = self.current.take() else {
            return;
        };
        let content = self.content_of(&block.key).cloned();
        match (content, self.state_of(context.shared, block.round)) {
            (Some(content), Some(state)) => {
                let bytes = content.bytes();
                let (me, now) = (context.me, context.now);
                context.metrics.end_map(&block, me, bytes.len(), now);
                let records = context.shared.mapper.map(&block, &state, bytes);
                let is_new_round = |(round, _): &(u32, u32)| *round < block.round;
                if self.done.keys().next().is_some_and(is_new_round) {
                    self.done = self.done.split_off(&(block.round, 0));
                }
                self.done
                    .insert((block.round, block.number), records.clone());
                self.buffer(context, vec![records]);
            }
            (None, Some(_)) => {
                context.metrics.break_map(context.now);
                self.take_task(context, block);
            }
            (_, None) => context.metrics.break_map(context.now),
        }
        self.work(context);
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
