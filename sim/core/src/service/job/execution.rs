//! Execution: a node maps its atoms one after the other, buffers the results and sends them on.

use super::{Atom, JobContext, JobMetrics, Message, PartialResult, Timer, Worker, combine};
use crate::overlay::Node;
use crate::service::balancing::{Balanced, LocalMessage, SharedProcessor};
use crate::service::replication::Outbox;

/// An atom that is being mapped, and the identity on the host that has lent it, if it is lent.
#[derive(Clone, Copy, Debug)]
pub(super) struct MapTask {
    pub atom: u32,
    pub lender: Option<Node>,
}

impl Worker {
    /// Begins to map the next atom, if there is one and the processor is idle.
    pub(super) fn begin_next(&mut self, context: JobContext<'_, '_>) {
        if self.host.identities.first().is_some() {
            self.report_work(context);
        } else if self.current_map.is_none() && !self.host.identities.is_waiting() {
            match self.next_atom(context) {
                Some(atom) => self.map(context, atom, None),
                None => self.request_work(context),
            }
        }
    }

    /// Resumes after a restart with kept state: sends results, checks progress and maps atoms.
    pub(super) fn go_on(&mut self, context: JobContext<'_, '_>) {
        self.buffer_results(context, Vec::new());
        if self
            .collector
            .as_ref()
            .is_some_and(|collector| collector.is_active)
        {
            context.set_timer(context.shared.parameters.patience, Timer::Progress);
        }
        self.work(context);
    }

    /// The next atom of this node to be mapped.
    pub(super) fn next_atom(&mut self, context: JobContext<'_, '_>) -> Option<u32> {
        while let Some(atom) = self.todo.pop_front() {
            let key = context.shared.keys[atom as usize];
            let open = self
                .store
                .get(&key)
                .is_some_and(|atom| atom.result.is_none());
            // The result may exist without being stored: the atom was handed over and has come back
            // meanwhile.
            let is_done = self.mapped.contains(&atom);
            if open && !is_done && self.store.owns(&key) {
                return Some(atom);
            }
        }
        None
    }

    /// Begins to map `atom`.
    pub(super) fn map(&mut self, context: JobContext<'_, '_>, atom: u32, lender: Option<Node>) {
        let takes = context.shared.begin(atom, self.speed);
        context.metrics.begin_map(context.now);
        context.set_timer(takes, Timer::Mapped);
        self.current_map = Some(MapTask { atom, lender });
        self.update_pending_results(context.metrics);
    }

    /// Updates the metrics on whether this node has pending results, the current map included.
    pub(super) fn update_pending_results(&mut self, metrics: &mut JobMetrics) {
        let has_results =
            self.current_map.is_some() || !self.mapped.is_empty() || !self.buffered.is_empty();
        match (
            has_results,
            std::mem::replace(&mut self.has_results, has_results),
        ) {
            (true, false) => metrics.add_pending_results(),
            (false, true) => metrics.remove_pending_results(),
            _ => {}
        }
    }

    /// The current atom is mapped.
    pub(super) fn finish(&mut self, context: JobContext<'_, '_>) {
        let Some(MapTask { atom, lender }) = self.current_map.take() else {
            return;
        };
        let samples = context.shared.samples_of(atom);
        context
            .metrics
            .end_map(atom, context.me, samples, context.now);
        match lender {
            Some(other) => {
                context.metrics.add_pending_results();
                context.send_local(other, Message::Local(LocalMessage::Done(atom)));
            }
            None => self.mapped(context, atom),
        }
        self.update_pending_results(context.metrics);
        self.work(context);
    }

    /// `atom`, which is or was an item of this node, is mapped.
    pub(super) fn mapped(&mut self, context: JobContext<'_, '_>, atom: u32) {
        self.mapped.push(atom);
        self.buffer_results(
            context,
            vec![PartialResult::of(atom, context.shared.result_of(atom))],
        );
    }

    /// Buffers results to be sent on.
    pub(super) fn buffer_results(
        &mut self,
        context: JobContext<'_, '_>,
        partials: Vec<PartialResult>,
    ) {
        for partial in partials {
            combine(&mut self.buffered, partial, context.shared.task());
        }
        if !self.flushing && !self.buffered.is_empty() {
            self.flushing = true;
            context.set_timer(context.shared.parameters.reduce_wait, Timer::Flush);
        }
        self.update_pending_results(context.metrics);
    }

    /// Updates the copies of the mapped atoms, and sends the buffered results.
    pub(super) fn flush(&mut self, context: JobContext<'_, '_>) {
        self.flushing = false;
        let mut outbox = Outbox::new();
        for atom in std::mem::take(&mut self.mapped) {
            let key = context.shared.keys[atom as usize];
            let result = context.shared.result_of(atom);
            let done = |atom: &mut Atom| atom.result = Some(result);
            self.store.change(&key, done, &mut outbox);
        }
        self.send_outbox(context, outbox, &[]);
        let partials = std::mem::take(&mut self.buffered);
        self.update_pending_results(context.metrics);
        self.last_report = context.now;
        context.metrics.add_pending_results();
        context.route(
            context.shared.address,
            Message::Results(context.me, partials),
        );
    }
}
