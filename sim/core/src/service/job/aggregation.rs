//! Aggregation: the root of the job's address counts results, and its replicas hold copies of what
//! it has counted.

use super::partial_result::PartialResult;
use super::{AddResult, Collector, JobContext, Message, Timer, Worker};
use crate::overlay::{NextHop, Node};

impl Worker {
    /// Counts results at this node, the root of the address; returns how many atoms had been
    /// counted before.
    pub(super) fn collect(
        &mut self,
        context: JobContext<'_, '_>,
        partials: Vec<PartialResult>,
    ) -> usize {
        self.become_collector(context);
        let mut dropped = 0;
        let mut counted = Vec::new();
        let mut missing = Vec::new();
        if let Some(collector) = &mut self.collector {
            for partial in partials {
                let before = collector.count();
                match collector.add(&partial, context.now) {
                    AddResult::Counted => {
                        context.metrics.add_counted(before, &partial.atoms);
                        for atom in &partial.atoms {
                            context.metrics.count(*atom, context.now);
                        }
                        counted.push(partial);
                    }
                    AddResult::Duplicate => dropped += partial.atoms.len(),
                    AddResult::Overlapping(others) => {
                        dropped += partial.atoms.len() - others.len();
                        missing.extend(others);
                    }
                }
            }
            if !counted.is_empty() {
                for copy in &collector.copies {
                    context.metrics.add_pending_results();
                    context.send(*copy, Message::Counted(counted.clone()));
                }
            }
            if collector.count() == context.shared.parameters.atoms {
                context.metrics.over = true;
            }
        }
        self.recall(context, missing, false);
        dropped
    }

    /// Whether this node has sent nothing towards the root of the address for long; if so, resets
    /// the time.
    pub(super) fn report_due(&mut self, context: JobContext<'_, '_>) -> bool {
        let is_late = context.now.since(self.last_report) >= context.shared.parameters.patience;
        if is_late {
            self.last_report = context.now;
        }
        is_late
    }

    /// A node with atoms reports the job to the root of the address from time to time: the root may
    /// be new, and all copies of the counted results lost.
    pub(super) fn announce_job(&mut self, context: JobContext<'_, '_>) {
        if !self.store.is_empty() && self.report_due(context) {
            context.route(context.shared.address, Message::Pending(context.me));
        }
    }

    /// Makes this node the collector, if it is not yet: the active root of the address.
    pub(super) fn become_collector(&mut self, context: JobContext<'_, '_>) {
        let collector = self.collector_or_new(context);
        if !std::mem::replace(&mut collector.is_active, true) {
            // Under churn no root stays long enough for a full wait of its own. So the time counts
            // from the last result, at the previous root or here.
            let quiet = context.now.since(collector.changed);
            let rest = context.shared.parameters.patience - quiet;
            let wait = rest.max(context.shared.parameters.reduce_wait);
            context.set_timer(wait, Timer::Progress);
        }
        self.copy_counted(context);
    }

    /// The results that this node knows to be counted.
    fn collector_or_new(&mut self, context: JobContext<'_, '_>) -> &mut Collector {
        if self.collector.is_none() {
            context.metrics.add_collector();
        }
        let (atoms, now) = (context.shared.parameters.atoms, context.now);
        self.collector
            .get_or_insert_with(|| Collector::new(atoms, now))
    }

    /// Replicates the counted results to the replica set of the address, even when there are none:
    /// a node with a copy knows the job and continues it once it is the root.
    fn copy_counted(&mut self, context: JobContext<'_, '_>) {
        let others = context.shared.parameters.replicas - 1;
        let set = context.routing.replica_set(&context.shared.address, others);
        if let Some(collector) = &mut self.collector {
            for node in &set {
                if !collector.copies.contains(node) {
                    let counted = Message::Counted(collector.partials().to_vec());
                    if counted.carries_results() {
                        context.metrics.add_pending_results();
                    }
                    context.send(*node, counted);
                }
            }
            collector.copies = set;
        }
    }

    /// Merges results that another root of the address has counted.
    pub(super) fn merge_counted(
        &mut self,
        context: JobContext<'_, '_>,
        partials: Vec<PartialResult>,
    ) {
        if context.is_root_of(&context.shared.address) {
            self.collect(context, partials);
            return;
        }
        let now = context.now;
        self.collector_or_new(context);
        let Some(collector) = &mut self.collector else {
            return;
        };
        for partial in partials {
            // If this node becomes the root, it asks for results that cannot be merged now.
            let before = collector.count();
            if collector.add(&partial, now) == AddResult::Counted {
                context.metrics.add_counted(before, &partial.atoms);
            }
        }
    }

    /// Asks the roots of `atoms` for their results, one by one.
    pub(super) fn recall(&mut self, context: JobContext<'_, '_>, atoms: Vec<u32>, last: bool) {
        let mut batches: Vec<(Node, bool, Vec<u32>)> = Vec::new();
        for atom in atoms {
            let key = context.shared.keys[atom as usize];
            let (to, is_last) = match context.routing.next_hop(&key) {
                NextHop::Next(next) if !last => (next, false),
                NextHop::Last(next) if !last => (next, true),
                _ => {
                    let result = self.store.get(&key).and_then(|atom| atom.result.clone());
                    if let Some(result) = result {
                        self.buffer_results(context, vec![PartialResult::of(atom, result)]);
                    }
                    continue;
                }
            };
            match batches
                .iter_mut()
                .find(|batch| (batch.0, batch.1) == (to, is_last))
            {
                Some(batch) => batch.2.push(atom),
                None => batches.push((to, is_last, vec![atom])),
            }
        }
        for (to, last, atoms) in batches {
            context.send(to, Message::Recall(atoms, last));
        }
    }

    /// Asks for the missing results if none has come for a while.
    pub(super) fn check_progress(&mut self, context: JobContext<'_, '_>) {
        let patience = context.shared.parameters.patience;
        let atoms = context.shared.parameters.atoms;
        let Some(collector) = self
            .collector
            .as_mut()
            .filter(|collector| collector.is_active)
        else {
            return;
        };
        if collector.count() == atoms {
            return;
        }
        context.set_timer(patience, Timer::Progress);
        if context.now.since(collector.changed) < patience {
            return;
        }
        let missing = (0..atoms).filter(|atom| !collector.has(*atom)).collect();
        self.recall(context, missing, false);
    }

    /// Reacts to a change of the neighbourhood: a node with atoms or counted results becomes the
    /// collector if it is now the root of the address, and sends its counted results to the root if
    /// it no longer is.
    pub(super) fn check_collector(&mut self, context: JobContext<'_, '_>) {
        let is_concerned = self.collector.is_some() || !self.store.is_empty();
        if is_concerned && context.is_root_of(&context.shared.address) {
            self.become_collector(context);
        } else if let Some(collector) = self
            .collector
            .as_mut()
            .filter(|collector| collector.is_active)
        {
            collector.is_active = false;
            // The new collector counts on, so the copies become outdated.
            collector.copies.clear();
            let counted = Message::Counted(collector.partials().to_vec());
            if counted.carries_results() {
                context.metrics.add_pending_results();
            }
            context.route(context.shared.address, counted);
        }
    }
}
