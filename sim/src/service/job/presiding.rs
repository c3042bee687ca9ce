//! Results come in: what the root of the job's address does, and those that hold copies of what it
//! has counted.

use super::package::Package;
use super::{Collector, Context, Message, Timer, Verdict, Worker};
use crate::overlay::{NextHop, Node};

impl Worker {
    /// Counts results that have come to the root of the address, this node; gives how many atoms
    /// had been counted before.
    pub(super) fn collect(&mut self, turn: Context<'_, '_>, packages: Vec<Package>) -> usize {
        self.preside(turn);
        let mut dropped = 0;
        let mut counted = Vec::new();
        let mut missing = Vec::new();
        if let Some(collector) = &mut self.collector {
            for package in packages {
                let before = collector.count();
                match collector.add(&package, turn.now) {
                    Verdict::Counted => {
                        turn.ledger.know(before, &package.atoms);
                        for atom in &package.atoms {
                            turn.ledger.count(*atom, turn.now);
                        }
                        counted.push(package);
                    }
                    Verdict::Known => dropped += package.atoms.len(),
                    Verdict::Mixed(others) => {
                        dropped += package.atoms.len() - others.len();
                        missing.extend(others);
                    }
                }
            }
            if !counted.is_empty() {
                for copy in &collector.copies {
                    turn.ledger.set_out();
                    turn.send(*copy, Message::Counted(counted.clone()));
                }
            }
            if collector.count() == turn.shared.parameters.atoms {
                turn.ledger.over = true;
            }
        }
        self.recall(turn, missing, false);
        dropped
    }

    /// Whether the root of the address has heard nothing by way of this node for long, and will now.
    pub(super) fn tell(&mut self, turn: Context<'_, '_>) -> bool {
        let is_late = turn.now.since(self.told) >= turn.shared.parameters.patience;
        if is_late {
            self.told = turn.now;
        }
        is_late
    }

    /// Who holds atoms lets the root of the address know from time to time: it may be new, and all
    /// that had copies of what was counted gone.
    pub(super) fn see_whether_known(&mut self, turn: Context<'_, '_>) {
        if !self.store.is_empty() && self.tell(turn) {
            turn.route(turn.shared.address, Message::Pending(turn.me));
        }
    }

    /// Is the root of the address from now on, if it was not before.
    pub(super) fn preside(&mut self, turn: Context<'_, '_>) {
        let collector = self.remember(turn);
        if !std::mem::replace(&mut collector.mine, true) {
            // Where roots come and go nobody would ever have been one for long enough: what counts is
            // when the last result came in, at the root that was before or here.
            let quiet = turn.now.since(collector.changed);
            let rest = turn.shared.parameters.patience - quiet;
            let wait = rest.max(turn.shared.parameters.reduce_wait);
            turn.set_timer(wait, Timer::Quiet);
        }
        self.copy_counted(turn);
    }

    /// What this node knows to be counted.
    fn remember(&mut self, turn: Context<'_, '_>) -> &mut Collector {
        if self.collector.is_none() {
            turn.ledger.collect();
        }
        let (atoms, now) = (turn.shared.parameters.atoms, turn.now);
        self.collector
            .get_or_insert_with(|| Collector::new(atoms, now))
    }

    /// Has the replica set of the address hold copies of what was counted, be it nothing yet: who
    /// has one knows of the job, and goes on with it once it is the root.
    fn copy_counted(&mut self, turn: Context<'_, '_>) {
        let others = turn.shared.parameters.replicas - 1;
        let set = turn.view.replica_set(&turn.shared.address, others);
        if let Some(collector) = &mut self.collector {
            for node in &set {
                if !collector.copies.contains(node) {
                    let counted = Message::Counted(collector.packages().to_vec());
                    if counted.brings_results() {
                        turn.ledger.set_out();
                    }
                    turn.send(*node, counted);
                }
            }
            collector.copies = set;
        }
    }

    /// Takes in what another root of the address has counted.
    pub(super) fn learn(&mut self, turn: Context<'_, '_>, packages: Vec<Package>) {
        if turn.owns(&turn.shared.address) {
            self.collect(turn, packages);
            return;
        }
        let now = turn.now;
        self.remember(turn);
        let Some(collector) = &mut self.collector else {
            return;
        };
        for package in packages {
            // What cannot be taken in is asked for by the root, should this node become it.
            let before = collector.count();
            if collector.add(&package, now) == Verdict::Counted {
                turn.ledger.know(before, &package.atoms);
            }
        }
    }

    /// Asks the roots of atoms for their results, one by one.
    pub(super) fn recall(&mut self, turn: Context<'_, '_>, atoms: Vec<u32>, last: bool) {
        let mut batches: Vec<(Node, bool, Vec<u32>)> = Vec::new();
        for atom in atoms {
            let key = turn.shared.keys[atom as usize];
            let (to, is_last) = match turn.view.next_hop(&key) {
                NextHop::Next(next) if !last => (next, false),
                NextHop::Last(next) if !last => (next, true),
                _ => {
                    let result = self.store.get(&key).and_then(|atom| atom.result.clone());
                    if let Some(result) = result {
                        self.gather(turn, vec![Package::of(atom, result)]);
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
            turn.send(to, Message::Recall(atoms, last));
        }
    }

    /// If nothing has come in for a while, asks for what is missing; if nobody has any of it, the
    /// job is over.
    pub(super) fn see_quiet(&mut self, turn: Context<'_, '_>) {
        let patience = turn.shared.parameters.patience;
        let atoms = turn.shared.parameters.atoms;
        let Some(collector) = self.collector.as_mut().filter(|collector| collector.mine) else {
            return;
        };
        if collector.count() == atoms {
            return;
        }
        turn.set_timer(patience, Timer::Quiet);
        if turn.now.since(collector.changed) < patience {
            return;
        }
        let missing: Vec<u32> = (0..atoms).filter(|atom| !collector.has(*atom)).collect();
        // What others had counted, and was lost with them, counts for nothing.
        if !missing.iter().any(|atom| turn.ledger.is_held(*atom)) {
            turn.ledger.over = true;
        }
        self.recall(turn, missing, false);
    }

    /// The neighbourhood may have changed: who holds atoms or copies knows of the job, and counts on
    /// if it is the root of the address now; who is so no more tells the root what it has counted.
    pub(super) fn see_who_presides(&mut self, turn: Context<'_, '_>) {
        let is_concerned = self.collector.is_some() || !self.store.is_empty();
        if is_concerned && turn.owns(&turn.shared.address) {
            self.preside(turn);
        } else if let Some(collector) = self.collector.as_mut().filter(|collector| collector.mine) {
            collector.mine = false;
            // Others count on: when this node is the root again, its copies are behind.
            collector.copies.clear();
            let counted = Message::Counted(collector.packages().to_vec());
            if counted.brings_results() {
                turn.ledger.set_out();
            }
            turn.route(turn.shared.address, counted);
        }
    }
}
