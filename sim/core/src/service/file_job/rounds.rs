//! The rounds of a job: the root of the address computes the outcome of a round and stores it, and the
//! nodes read it before they map blocks in the next one.

use super::iteration::{Iteration, State};
use super::plan::Plan;
use super::{FileJob, FileJobShared, JobContext, Wanted};
use crate::service::storage::{Answer, join, split};
use std::sync::Arc;

impl FileJob {
    /// Every block of the round is counted or lost: computes its outcome, with which the next round
    /// begins, or the job ends.
    pub(super) fn end_round(&mut self, context: JobContext<'_, '_>) {
        let mapper = &context.shared.mapper;
        let Some(collector) = &self.collector else {
            return;
        };
        let round = collector.round();
        let Some(state) = self.state_of(context.shared, round) else {
            self.fetch_state(context, round);
            return;
        };
        let Some(plan) = collector.plan().cloned() else {
            return;
        };
        let counted = collector.records();
        let sums = mapper.mend(&counted, plan.files(), &state);
        let outcome = mapper.iteration.advance(mapper.task, round, &state, &sums);
        let now = context.now;
        context.metrics.end_round(round, &outcome, &counted, now);
        if outcome.is_last {
            self.collector_or_new(context).result = Some(outcome.file);
            context.metrics.over = true;
            return;
        }
        let next = match Iteration::replaces_input(mapper.task) {
            true => {
                let (blocks, _) = split(&outcome.file, context.shared.storage.block_size);
                let keys = blocks.iter().map(|block| block.digest()).collect();
                Plan::new(round + 1, &[keys])
            }
            false => plan.in_round(round + 1),
        };
        self.set_plan(context, Arc::new(next));
        let collector = self.collector_or_new(context);
        collector.outcome = Some(outcome.file.into());
        // The copies learn of the round.
        collector.copies.clear();
        self.copy_counted(context);
        self.store_outcome(context);
    }

    /// Stores the outcome of the round before; then the tasks go out. Nodes that were stopped while they
    /// read it find it again.
    pub(super) fn store_outcome(&mut self, context: JobContext<'_, '_>) {
        let Some(collector) = &self.collector else {
            return;
        };
        let round = collector.round();
        if let Some(outcome) = collector.outcome.clone() {
            let name = FileJobShared::round_file(round);
            self.request(context, Wanted::Stored(round), |storage, context| {
                storage.store_file(context, &name, &outcome)
            });
        }
    }

    /// The outcome of the round before `round` is stored, or could not be.
    pub(super) fn on_stored(&mut self, context: JobContext<'_, '_>, round: u32, answer: &Answer) {
        let now = context.now;
        if let Some(collector) = &mut self.collector
            && (collector.round(), collector.is_active) == (round, true)
            && *answer == Answer::Done
        {
            collector.changed = now;
            context.metrics.begin_round(round, now);
            self.ask_for_open(context);
        }
    }

    /// The state that blocks of `round` are mapped with, if this node knows it.
    pub(super) fn state_of(&self, shared: &FileJobShared, round: u32) -> Option<Arc<State>> {
        let mapper = &shared.mapper;
        if !Iteration::needs_state(mapper.task, round) {
            let start = Iteration::read_state(mapper.task, &mapper.iteration.start);
            return Some(Arc::new(start.unwrap_or_default()));
        }
        let known = self.state.as_ref().filter(|(of, _)| *of == round);
        known.map(|(_, state)| Arc::clone(state))
    }

    /// Reads the state of `round`, unless a request is open.
    pub(super) fn fetch_state(&mut self, context: JobContext<'_, '_>, round: u32) {
        let name = FileJobShared::round_file(round);
        self.request(context, Wanted::State(round), |storage, context| {
            storage.fetch_file(context, &name)
        });
    }

    /// The state of `round` has come, or could not be read: then the tasks that need it are dropped, and
    /// the root of the address sends them again.
    pub(super) fn take_state(&mut self, context: JobContext<'_, '_>, round: u32, answer: Answer) {
        let task = context.shared.mapper.task;
        let state = match answer {
            Answer::File(blocks) => Iteration::read_state(task, &join(&blocks)),
            _ => None,
        };
        match state {
            Some(state) => {
                if self.state.as_ref().is_none_or(|(of, _)| *of < round) {
                    self.state = Some((round, Arc::new(state)));
                }
                let is_complete = self
                    .collector
                    .as_ref()
                    .is_some_and(|own| own.is_active && own.round() == round);
                if is_complete {
                    self.end_if_complete(context);
                }
            }
            None => self.todo.retain(|block| block.round != round),
        }
        self.work(context);
    }
}
