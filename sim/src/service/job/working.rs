//! A node's work on atoms: one after the other is mapped, and what came of them is gathered and
//! sent on.

use super::household::Word;
use super::{Atom, Context, Ledger, Message, Package, Timer, Worker, bundle};
use crate::engine::Span;
use crate::overlay::Node;
use crate::service::custody::Letters;

/// An atom that is mapped, and the other identity on the host that has lent it, if one has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doing {
    pub atom: u32,
    pub of: Option<Node>,
}

impl Worker {
    /// Begins to map the next atom, if there is one and nothing else is done.
    pub(super) fn work(&mut self, turn: Context<'_, '_>) {
        if self.household.first().is_some() {
            self.ask_for_work_to_be_done(turn);
        } else if self.doing.is_none() && !self.household.is_waiting() {
            match self.next_atom(turn) {
                Some(atom) => self.map(turn, atom, None),
                None => self.work_for_others(turn),
            }
        }
    }

    /// Goes on with what it kept, if it is back with that: sends results on, sees whether others come
    /// in, and maps what is to be mapped.
    pub(super) fn go_on(&mut self, turn: Context<'_, '_>) {
        self.gather(turn, Vec::new());
        if self
            .collector
            .as_ref()
            .is_some_and(|collector| collector.mine)
        {
            turn.set_timer(turn.shared.parameters.patience, Timer::Quiet);
        }
        self.work(turn);
    }

    /// The next atom that is to be mapped in the name of this node.
    pub(super) fn next_atom(&mut self, turn: Context<'_, '_>) -> Option<u32> {
        while let Some(atom) = self.todo.pop_front() {
            let key = turn.shared.keys[atom as usize];
            let open = self
                .store
                .get(&key)
                .is_some_and(|atom| atom.result.is_none());
            // It may be done, and not told yet: it was handed over and has come back meanwhile.
            let is_done = self.mapped.contains(&atom);
            if open && !is_done && self.store.looks_after(&key) {
                return Some(atom);
            }
        }
        None
    }

    /// Begins to map `atom`.
    pub(super) fn map(&mut self, turn: Context<'_, '_>, atom: u32, of: Option<Node>) {
        let seconds = turn.shared.samples_of(atom) as f64 / self.speed;
        turn.ledger.begin_map(turn.now);
        turn.set_timer(Span::from_secs_f64(seconds), Timer::Mapped);
        self.doing = Some(Doing { atom, of });
        self.account(turn.ledger);
    }

    /// Has the ledger know whether this node has results to send on, or is about to.
    pub(super) fn account(&mut self, ledger: &mut Ledger) {
        let has_results =
            self.doing.is_some() || !self.mapped.is_empty() || !self.gathered.is_empty();
        match (
            has_results,
            std::mem::replace(&mut self.has_results, has_results),
        ) {
            (true, false) => ledger.set_out(),
            (false, true) => ledger.come_to_rest(),
            _ => {}
        }
    }

    /// The atom at work is mapped.
    pub(super) fn finish(&mut self, turn: Context<'_, '_>) {
        let Some(Doing { atom, of }) = self.doing.take() else {
            return;
        };
        let samples = turn.shared.samples_of(atom);
        turn.ledger.end_map(atom, turn.me, samples, turn.now);
        match of {
            Some(other) => {
                turn.ledger.set_out();
                turn.tell(other, Message::Word(Word::Done(atom)));
            }
            None => self.mapped(turn, atom),
        }
        self.account(turn.ledger);
        self.work(turn);
    }

    /// `atom`, which this node has, or has had, is mapped.
    pub(super) fn mapped(&mut self, turn: Context<'_, '_>, atom: u32) {
        self.mapped.push(atom);
        self.gather(turn, vec![Package::of(atom, turn.shared.result_of(atom))]);
    }

    /// Takes results along that are to be sent on.
    pub(super) fn gather(&mut self, turn: Context<'_, '_>, packages: Vec<Package>) {
        for package in packages {
            bundle(&mut self.gathered, package, turn.shared.task());
        }
        if !self.flushing && !self.gathered.is_empty() {
            self.flushing = true;
            turn.set_timer(turn.shared.parameters.reduce_wait, Timer::Flush);
        }
        self.account(turn.ledger);
    }

    /// Tells those with copies what was mapped, and sends results on.
    pub(super) fn flush(&mut self, turn: Context<'_, '_>) {
        self.flushing = false;
        let mut letters = Letters::new();
        for atom in std::mem::take(&mut self.mapped) {
            let key = turn.shared.keys[atom as usize];
            let result = turn.shared.result_of(atom);
            let done = |atom: &mut Atom| atom.result = Some(result);
            self.store.change(&key, done, &mut letters);
        }
        self.post(turn, letters, &[]);
        let packages = std::mem::take(&mut self.gathered);
        self.account(turn.ledger);
        self.told = turn.now;
        turn.ledger.set_out();
        turn.route(turn.shared.address, Message::Results(turn.me, packages));
    }
}
