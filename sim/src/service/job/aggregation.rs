//! Results come in: what the root of the job's address does, and those that hold copies of what it
//! has counted.

use super::partial_result::PartialResult;
use super::{AddResult, Collector, JobContext, Message, Timer, Worker};
use crate::overlay::{NextHop, Node};

impl Worker {
    /// Counts results that have come to the root of the address, this node; gives how many atoms
    /// had been counted before.
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

    /// Whether the root of the address has heard nothing by way of this node for long, and will now.
    pub(super) fn report_due(&mut self, context: JobContext<'_, '_>) -> bool {
        let is_late = context.now.since(self.last_report) >= context.shared.parameters.patience;
        if is_late {
            self.last_report = context.now;
        }
        is_late
    }

    /// Who holds atoms lets the root of the address know from time to time: it may be new, and all
    /// that had copies of what was counted gone.
    pub(super) fn announce_job(&mut self, context: JobContext<'_, '_>) {
        if !self.store.is_empty() && self.report_due(context) {
            context.route(context.shared.address, Message::Pending(context.me));
        }
    }

    /// Is the root of the address from now on, if it was not before.
    pub(super) fn become_collector(&mut self, context: JobContext<'_, '_>) {
        let collector = self.collector_or_new(context);
        if !std::mem::replace(&mut collector.is_active, true) {
            // Where roots come and go nobody would ever have been one for long enough: what counts is
            // when the last result came in, at the root that was before or here.
            let quiet = context.now.since(collector.changed);
            let rest = context.shared.parameters.patience - quiet;
            let wait = rest.max(context.shared.parameters.reduce_wait);
            context.set_timer(wait, Timer::Progress);
        }
        self.copy_counted(context);
    }

    /// What this node knows to be counted.
    fn collector_or_new(&mut self, context: JobContext<'_, '_>) -> &mut Collector {
        if self.collector.is_none() {
            context.metrics.add_collector();
        }
        let (atoms, now) = (context.shared.parameters.atoms, context.now);
        self.collector
            .get_or_insert_with(|| Collector::new(atoms, now))
    }

    /// Has the replica set of the address hold copies of what was counted, be it nothing yet: who
    /// has one knows of the job, and goes on with it once it is the root.
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

    /// Takes in what another root of the address has counted.
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
            // What cannot be taken in is asked for by the root, should this node become it.
            let before = collector.count();
            if collector.add(&partial, now) == AddResult::Counted {
                context.metrics.add_counted(before, &partial.atoms);
            }
        }
    }

    /// Asks the roots of atoms for their results, one by one.
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

    /// If nothing has come in for a while, asks for what is missing; if nobody has any of it, the
    /// job is over.
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
        let missing: Vec<u32> = (0..atoms).filter(|atom| !collector.has(*atom)).collect();
        // What others had counted, and was lost with them, counts for nothing.
        if !missing.iter().any(|atom| context.metrics.is_held(*atom)) {
            context.metrics.over = true;
        }
        self.recall(context, missing, false);
    }

    /// The neighbourhood may have changed: who holds atoms or copies knows of the job, and counts on
    /// if it is the root of the address now; who is so no more tells the root what it has counted.
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
            // Others count on: when this node is the root again, its copies are behind.
            collector.copies.clear();
            let counted = Message::Counted(collector.partials().to_vec());
            if counted.carries_results() {
                context.metrics.add_pending_results();
            }
            context.route(context.shared.address, counted);
        }
    }
}
