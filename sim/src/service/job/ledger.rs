//! What is written down about a job by one who sees all nodes.

use crate::engine::Instant;
use crate::overlay::Node;

/// The course of a job.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// When it was staged.
    pub staged: Option<Instant>,
    /// When an atom was counted last: one that was lost with those who had counted it counts again.
    pub counted_at: Option<Instant>,
    /// Nothing more will come of it: every atom is counted or lost.
    pub over: bool,
    /// Results that came again and were not counted, in atoms.
    pub duplicates: u64,
    /// By atom.
    atoms: Vec<Record>,
    /// Atoms that somebody holds, and nodes that know what was counted.
    held: u32,
    collectors: u32,
    /// When maps began (true) and ended (false), in order.
    pub maps: Vec<(Instant, bool)>,
    /// When each atom was mapped for the first time, in order.
    pub first_maps: Vec<Instant>,
    /// Samples that each node has worked on, by its number.
    pub work: Vec<u64>,
    /// Other identities that nodes have made on their hosts.
    pub sybils: u64,
    /// How often an atom that was not mapped came to a node to be mapped there.
    charges: u64,
}

/// What is known of one atom.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    /// How many nodes and messages hold it.
    copies: u32,
    /// How often it was mapped.
    maps: u32,
    counted: bool,
}

impl Ledger {
    /// A job of so many atoms is staged.
    pub(super) fn stage(&mut self, atoms: u32, now: Instant) {
        self.staged = Some(now);
        self.atoms = vec![Record::default(); atoms as usize];
    }

    /// One more holds an atom.
    pub(super) fn hold(&mut self, atom: u32) {
        let copies = &mut self.atoms[atom as usize].copies;
        *copies += 1;
        self.held += u32::from(*copies == 1);
    }

    /// One less holds an atom.
    pub(super) fn release(&mut self, atom: u32) {
        let copies = &mut self.atoms[atom as usize].copies;
        *copies -= 1;
        self.held -= u32::from(*copies == 0);
    }

    /// One more node knows what was counted, be it nothing yet.
    pub(super) fn collect(&mut self) {
        self.collectors += 1;
    }

    /// Such a node is gone.
    pub(super) fn forget(&mut self) {
        self.collectors -= 1;
    }

    /// Something is gone for ever: if it was the last that there was of the job, that is over.
    pub(super) fn see_whether_over(&mut self) {
        self.over |= self.held == 0 && self.collectors == 0;
    }

    /// An atom was counted.
    pub(super) fn count(&mut self, atom: u32, now: Instant) {
        self.atoms[atom as usize].counted = true;
        self.counted_at = Some(now);
    }

    /// A node begins to map.
    pub(super) fn begin_map(&mut self, now: Instant) {
        self.maps.push((now, true));
    }

    /// `node` has mapped an atom of so many samples.
    pub(super) fn end_map(&mut self, atom: u32, node: Node, samples: u64, now: Instant) {
        self.maps.push((now, false));
        let record = &mut self.atoms[atom as usize];
        record.maps += 1;
        if record.maps == 1 {
            self.first_maps.push(now);
        }
        if self.work.len() <= node.index() {
            self.work.resize(node.index() + 1, 0);
        }
        self.work[node.index()] += samples;
    }

    /// A node was gone before it had mapped an atom.
    pub(super) fn break_map(&mut self, now: Instant) {
        self.maps.push((now, false));
    }

    /// Whether an atom is still somewhere, on a node or on its way to one.
    pub(super) fn is_held(&self, atom: u32) -> bool {
        self.atoms[atom as usize].copies > 0
    }

    /// An atom has come to a node to be mapped there.
    pub(super) fn charge(&mut self) {
        self.charges += 1;
    }

    /// How often an atom was taken over to be mapped by another node than the one that had it first.
    pub fn moved(&self) -> u64 {
        self.charges.saturating_sub(self.atoms.len() as u64)
    }

    /// Atoms that were mapped more than once, each so often as it was more.
    pub fn redone(&self) -> u64 {
        let more = |record: &Record| u64::from(record.maps.saturating_sub(1));
        self.atoms.iter().map(more).sum()
    }

    /// Atoms of which every holder has died, and every message that carried them been lost, before
    /// they were counted.
    pub fn orphaned(&self) -> u64 {
        let is_orphan = |record: &&Record| record.copies == 0 && !record.counted;
        self.atoms.iter().filter(is_orphan).count() as u64
    }

    /// Atoms that were counted at some time.
    pub fn counted(&self) -> u64 {
        self.atoms.iter().filter(|record| record.counted).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Message, Worker};
    use super::*;
    use crate::engine::Span;
    use crate::overlay::Application;

    /// An atom is held as long as one copy is somewhere, whether it was counted or not; counting
    /// it again moves the time, not the number.
    #[test]
    fn an_atom_is_held_until_its_last_copy_goes() {
        let mut ledger = Ledger::default();
        ledger.stage(2, Instant::START);
        ledger.hold(1);
        ledger.hold(1);
        ledger.release(1);
        assert!(ledger.is_held(1) && !ledger.is_held(0));
        for second in [3, 7] {
            let now = Instant::START + Span::from_secs(second);
            ledger.count(1, now);
            assert!(ledger.is_held(1));
            assert_eq!((ledger.counted(), ledger.counted_at), (1, Some(now)));
        }
        ledger.release(1);
        assert!(!ledger.is_held(1));
    }

    /// A job of which nobody has heard when its request is gone is over; one that is staged goes on.
    #[test]
    fn a_request_that_is_lost_ends_the_job() {
        let lose = |ledger: &mut Ledger| Worker::vanish(&Message::Stage, ledger);
        let mut ledger = Ledger::default();
        lose(&mut ledger);
        assert!(ledger.over);
        let mut ledger = Ledger::default();
        ledger.stage(2, Instant::START);
        lose(&mut ledger);
        assert!(!ledger.over);
    }
}
