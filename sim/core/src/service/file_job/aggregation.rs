//! Aggregation: the root of the job's address reads the keyfiles, sends out the tasks and counts the
//! results.

use super::plan::Plan;
use super::records::Records;
use super::{Block, Collector, FileJob, JobContext, Message, Timer, Wanted};
use crate::service::storage::{Answer, read_keyfile};
use std::sync::Arc;

impl FileJob {
    /// Stages the job: reads its keyfiles.
    pub(super) fn stage(&mut self, context: JobContext<'_, '_>) {
        context.metrics.staged.get_or_insert(context.now);
        self.become_collector(context);
    }

    /// Makes this node count, if it does not yet; it reads the keyfiles if it does not know the blocks.
    fn become_collector(&mut self, context: JobContext<'_, '_>) {
        let collector = self.collector_or_new(context);
        collector.is_active = true;
        if collector.plan().is_none() {
            self.fetch_keyfiles(context);
        }
        self.copy_counted(context);
    }

    /// The collector of this node, which is created if there is none.
    pub(super) fn collector_or_new(&mut self, context: JobContext<'_, '_>) -> &mut Collector {
        if self.collector.is_none() {
            context.metrics.collectors += 1;
            context.set_timer(context.shared.patience, Timer::Progress);
        }
        let now = context.now;
        self.collector.get_or_insert_with(|| Collector::new(now))
    }

    /// Requests the keyfiles that have neither come nor been requested.
    fn fetch_keyfiles(&mut self, context: JobContext<'_, '_>) {
        let shared = context.shared;
        for (file, name) in shared.files.iter().enumerate() {
            if !self.keyfiles.contains_key(&file) {
                self.request(context, Wanted::Keyfile(file), |storage, context| {
                    storage.fetch_keyfile(context, name)
                });
            }
        }
    }

    /// Takes a keyfile that has come; with the last of them the tasks go out.
    pub(super) fn take_keyfile(
        &mut self,
        context: JobContext<'_, '_>,
        file: usize,
        answer: &Answer,
    ) {
        let keyfile = match answer {
            Answer::Content(content) => read_keyfile(content.bytes()),
            _ => None,
        };
        match keyfile {
            Some((_, keys)) => drop(self.keyfiles.insert(file, keys)),
            None => drop(context.metrics.missing_files.insert(file)),
        }
        let is_known = self
            .collector
            .as_ref()
            .is_none_or(|own| own.plan().is_some());
        if !is_known && self.keyfiles.len() == context.shared.files.len() {
            self.begin(context);
        }
    }

    /// Sends out the tasks of all blocks.
    fn begin(&mut self, context: JobContext<'_, '_>) {
        let files: Vec<_> = std::mem::take(&mut self.keyfiles).into_values().collect();
        let plan = Arc::new(Plan::new(0, &files));
        let now = context.now;
        context.metrics.begin_round(0, Vec::new(), now);
        self.set_plan(context, plan);
        let collector = self.collector_or_new(context);
        collector.changed = now;
        let open = collector.open();
        // The copies learn the blocks.
        collector.copies.clear();
        self.copy_counted(context);
        self.end_if_complete(context);
        self.dispatch(context, &open, false);
    }

    /// The blocks of the job are those of `plan`.
    pub(super) fn set_plan(&mut self, context: JobContext<'_, '_>, plan: Arc<Plan>) {
        let now = context.now;
        let collector = self.collector_or_new(context);
        let is_new = collector.plan().is_none();
        collector.set_plan(plan, now);
        context.metrics.planned += u32::from(is_new);
    }

    /// Ends the job, or the round, if every block is counted or lost.
    pub(super) fn end_if_complete(&mut self, context: JobContext<'_, '_>) {
        if self.collector.as_ref().is_some_and(Collector::is_complete) {
            if context.shared.mapper.task.is_iterative() {
                self.end_round(context);
            } else {
                context.metrics.over = true;
            }
        }
    }

    /// Counts results at this node, the root of the address. Returns the number of blocks whose results
    /// were not counted, since they had come before.
    pub(super) fn collect(&mut self, context: JobContext<'_, '_>, parts: Vec<Records>) -> usize {
        self.become_collector(context);
        let Some(collector) = &mut self.collector else {
            return 0;
        };
        let mut repeated = 0;
        let (mut fresh, mut again) = (Vec::new(), Vec::new());
        for part in parts {
            let addition = collector.add(&part, context.now);
            if addition.is_counted {
                context.metrics.counted_at = Some(context.now);
                fresh.push(part);
            }
            repeated += addition.repeated;
            again.extend(addition.again);
        }
        let again = collector.not_counted(&again);
        if !fresh.is_empty() {
            for copy in &collector.copies {
                let parts = fresh.clone();
                context.send(*copy, Message::counted_parts(parts));
            }
        }
        self.dispatch(context, &again, false);
        self.end_if_complete(context);
        repeated
    }

    /// No node that was asked has a copy of `block`.
    pub(super) fn on_absent(&mut self, context: JobContext<'_, '_>, block: Block) {
        self.become_collector(context);
        if let Some(collector) = &mut self.collector {
            collector.note_absent(block, context.now);
        }
        self.end_if_complete(context);
    }

    /// Sends what is counted to the nodes of the replica set that do not have it.
    pub(super) fn copy_counted(&mut self, context: JobContext<'_, '_>) {
        let others = context.shared.replicas.saturating_sub(1);
        let set = context
            .routing
            .replica_set(&context.shared.address(), others);
        if let Some(collector) = &mut self.collector {
            for node in &set {
                if !collector.copies.contains(node) {
                    context.send(*node, Message::counted(collector, false));
                }
            }
            collector.copies = set;
        }
    }

    /// Takes what another node has counted, as the root of the address.
    pub(super) fn take_over(
        &mut self,
        context: JobContext<'_, '_>,
        plan: Option<Arc<Plan>>,
        parts: Vec<Records>,
    ) {
        if let Some(plan) = plan {
            self.set_plan(context, plan);
        }
        self.collect(context, parts);
    }

    /// This node leaves: if it is the root of the address, the next one continues with what it has counted.
    pub(super) fn hand_over_counted(&mut self, context: JobContext<'_, '_>) {
        let set = context.routing.replica_set(&context.shared.address(), 1);
        if let Some(collector) = self.collector.as_mut().filter(|own| own.is_active)
            && let Some(next) = set.first()
        {
            context.metrics.add_results();
            context.send(*next, Message::counted(collector, true));
        }
    }

    /// Merges what another node has counted, as a copy.
    pub(super) fn merge_counted(
        &mut self,
        context: JobContext<'_, '_>,
        plan: Option<Arc<Plan>>,
        parts: Vec<Records>,
    ) {
        if context.is_root_of(&context.shared.address()) {
            return self.take_over(context, plan, parts);
        }
        if let Some(plan) = plan {
            self.set_plan(context, plan);
        }
        let now = context.now;
        let collector = self.collector_or_new(context);
        collector.heard = now;
        for part in parts {
            // What is not counted is asked for if this node becomes the root.
            collector.add(&part, now);
        }
    }

    /// Sends the missing tasks again if nothing has come for a while. A copy that has received nothing
    /// for longer sends what it has to the root of the address, which may not know the job.
    pub(super) fn check_progress(&mut self, context: JobContext<'_, '_>) {
        let patience = context.shared.patience;
        let address = context.shared.address();
        let Some(collector) = &mut self.collector else {
            return;
        };
        if !collector.is_active {
            context.set_timer(patience, Timer::Progress);
            if context.now.since(collector.heard) >= patience * 2 {
                collector.heard = context.now;
                let counted = Message::counted(collector, false);
                context.route(address, counted);
            }
            return;
        }
        if collector.is_complete() && collector.result.is_some() {
            return;
        }
        context.set_timer(patience, Timer::Progress);
        if context.now.since(collector.changed) < patience {
            return;
        }
        collector.changed = context.now;
        if collector.plan().is_none() {
            self.fetch_keyfiles(context);
        } else if collector.is_complete() {
            self.end_if_complete(context);
        } else {
            self.resume_round(context);
        }
    }

    /// Sends the tasks of all open blocks.
    pub(super) fn ask_for_open(&mut self, context: JobContext<'_, '_>) {
        if let Some(collector) = &mut self.collector {
            collector.ask_again();
            let open = collector.open();
            self.dispatch(context, &open, false);
        }
    }

    /// Reacts to a change of the neighbourhood: a node that knows the job counts if it is now the root of
    /// the address, and sends what it has counted to the root if it no longer is.
    pub(super) fn check_collector(&mut self, context: JobContext<'_, '_>) {
        let Some(collector) = &mut self.collector else {
            return;
        };
        let address = context.shared.address();
        if context.is_root_of(&address) {
            self.become_collector(context);
        } else if collector.is_active {
            collector.is_active = false;
            // The new root counts on, so the copies become outdated.
            collector.copies.clear();
            let counted = Message::counted(collector, false);
            context.route(address, counted);
        }
    }
}
