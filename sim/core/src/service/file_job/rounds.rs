//! The rounds of a job: the root of the address computes the outcome of a round and stores it, and the
//! nodes read it before they map blocks in the next one.

use super::collector::REPORTS;
use super::iteration::{Iteration, IterationState};
use super::plan::Plan;
use super::{FileJob, FileJobShared, JobContext, Wanted};
use crate::service::balancing::Balanced;
use crate::service::storage::{Answer, join, split};
use std::sync::Arc;

impl FileJob {
    /// Every block of the round is counted or lost: computes its outcome, with which the next round
    /// begins once it is stored, or the job ends. If this node fails before, the next root does so.
    pub(super) fn end_round(&mut self, context: JobContext<'_, '_>) {
        let mapper = &context.shared.mapper;
        let Some(collector) = &self.collector else {
            return;
        };
        let round = collector.round();
        if self.catch_up(context) {
            return;
        }
        let Some(collector) = &self.collector else {
            return;
        };
        let is_known = |(of, _): &(u32, Arc<[u8]>)| *of > round;
        if collector.outcome.as_ref().is_some_and(is_known) {
            return self.store_outcome(context);
        }
        let Some(state) = self.state_of(context.shared, round) else {
            return self.fetch_state(context, round);
        };
        let Some(plan) = collector.plan() else {
            return;
        };
        let counted = collector.records();
        let sums = mapper.mend(&counted, plan.files(), &state);
        let outcome = mapper.iteration.advance(mapper.task, round, &state, &sums);
        let (blocks, now) = (plan.blocks().len(), context.now);
        let end = context.metrics.end_of(&outcome, blocks, &counted, now);
        let collector = self.collector_or_new(context);
        collector.end = Some(end);
        if outcome.is_last {
            collector.result = Some(outcome.file);
            context.metrics.over = true;
        } else {
            collector.outcome = Some((round + 1, outcome.file.into()));
            self.store_outcome(context);
        }
    }

    /// Continues with a later round, if this node knows its state: another root has gone on, and no node maps
    /// blocks of earlier rounds. Returns whether it does.
    fn catch_up(&mut self, context: JobContext<'_, '_>) -> bool {
        let known = self.state.as_ref().map(|(round, _)| *round);
        let Some(collector) = self.collector.as_ref().filter(|own| own.is_active) else {
            return false;
        };
        let later = known.filter(|round| *round > collector.round());
        let (Some(round), Some(plan)) = (later, collector.plan()) else {
            return false;
        };
        let plan = plan.in_round(round).after(context.metrics.earlier(round));
        self.begin_round(context, plan);
        true
    }

    /// Begins the round of `plan`, as the root of the address.
    fn begin_round(&mut self, context: JobContext<'_, '_>, plan: Plan) {
        let (round, earlier) = (plan.round(), plan.earlier().to_vec());
        context.metrics.begin_round(round, earlier, context.now);
        self.set_plan(context, Arc::new(plan));
        // The copies learn of the round.
        self.collector_or_new(context).copies.clear();
        self.copy_counted(context);
        self.ask_for_open(context);
    }

    /// Stores the outcome of a round; then the next one begins.
    fn store_outcome(&mut self, context: JobContext<'_, '_>) {
        let outcome = self.collector.as_ref().and_then(|own| own.outcome.clone());
        if let Some((round, outcome)) = outcome {
            self.request(context, Wanted::Stored(round), |storage, context| {
                storage.store_file(context, &FileJobShared::round_file(round), &outcome)
            });
        }
    }

    /// The outcome with which `round` begins is stored, or could not be.
    pub(super) fn on_stored(&mut self, context: JobContext<'_, '_>, round: u32, answer: &Answer) {
        let Some(collector) = self.collector.as_mut().filter(|own| own.is_active) else {
            return;
        };
        if *answer != Answer::Done || collector.round() > round {
            return;
        }
        collector.changed = context.now;
        if let Some(plan) = collector.plan().filter(|plan| plan.round() < round)
            && let Some((_, outcome)) = &collector.outcome
        {
            let plan = if Iteration::replaces_input(context.shared.mapper.task) {
                let (blocks, _) = split(
                    outcome,
                    context.shared.storage.block_size,
                    context.shared.storage.scale,
                );
                let keys = blocks.iter().map(|block| block.digest()).collect();
                Plan::new(round, &[keys])
            } else {
                plan.in_round(round)
            };
            let plan = plan.after(collector.ends());
            return self.begin_round(context, plan);
        }
        self.ask_for_open(context);
    }

    /// Continues a round in which no result has arrived for a while. A node that knows the outcome
    /// of the round stores it again. Another sends the tasks of the open blocks again, and fetches
    /// the state of the round if it does not know it.
    pub(super) fn resume_round(&mut self, context: JobContext<'_, '_>) {
        let Some(collector) = &self.collector else {
            return;
        };
        let round = collector.round();
        if self.catch_up(context) {
            return;
        }
        let Some(collector) = &self.collector else {
            return;
        };
        match &collector.outcome {
            Some((of, _)) if *of == round => self.store_outcome(context),
            _ => {
                if self.state_of(context.shared, round).is_none() {
                    self.fetch_state(context, round);
                }
                self.ask_for_open(context);
            }
        }
    }

    /// The state that blocks of `round` are mapped with, if this node knows it.
    pub(super) fn state_of(
        &self,
        shared: &FileJobShared,
        round: u32,
    ) -> Option<Arc<IterationState>> {
        let mapper = &shared.mapper;
        if !Iteration::needs_state(mapper.task, round) {
            return Some(Arc::clone(&mapper.iteration.start));
        }
        let known = self.state.as_ref().filter(|(of, _)| *of == round);
        known.map(|(_, state)| Arc::clone(state))
    }

    /// Reads the state of `round`, unless a request is open.
    pub(super) fn fetch_state(&mut self, context: JobContext<'_, '_>, round: u32) {
        self.request(context, Wanted::State(round), |storage, context| {
            storage.fetch_file(context, &FileJobShared::round_file(round))
        });
    }

    /// The state of `round` has come, or could not be read: then the tasks that need it are dropped, and
    /// the root of the address sends them again. If it does not find the state either, at several times of
    /// asking, the job ends.
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
            None => {
                self.todo.retain(|task| task.block.round != round);
                if let Some(collector) = self.collector.as_mut().filter(|own| own.is_active)
                    && collector.round() == round
                {
                    collector.state_absent += 1;
                    if collector.state_absent >= REPORTS {
                        context.metrics.lost_state = Some(round);
                        context.metrics.over = true;
                    }
                }
            }
        }
        self.work(context);
    }
}
