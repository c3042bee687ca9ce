//! What is written down about a job by one who sees all nodes.

use crate::engine::Instant;
use crate::overlay::Node;

/// The course of a job.
#[derive(Clone, Debug, Default)]
pub struct JobMetrics {
    /// When it was staged.
    pub staged: Option<Instant>,
    /// When an atom was counted last: one that was lost with those who had counted it counts again.
    pub counted_at: Option<Instant>,
    /// It is known to be over: every atom is counted, or the request for it was lost.
    pub(super) over: bool,
    /// Results that came again and were not counted, in atoms.
    pub duplicates: u64,
    /// By atom.
    atoms: Vec<Record>,
    /// Atoms that somebody holds, and that no node knows to be counted.
    open: u32,
    /// Atoms that some node knows to be counted, and how many each such node knows, in no order.
    known: u32,
    collectors: Vec<u32>,
    /// Messages that carry results, and nodes that have results to send on or are about to.
    under_way: u32,
    /// When maps began (true) and ended (false), in order.
    pub maps: Vec<(Instant, bool)>,
    /// When each atom was mapped for the first time, in order.
    pub first_maps: Vec<Instant>,
    /// Samples that each node has worked on, by its number.
    pub work: Vec<u64>,
    /// Other identities that nodes have made on their hosts.
    pub sybils: u64,
    /// How often an atom that was not mapped came to a node to be mapped there.
    assignments: u64,
}

/// What is known of one atom.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    /// How many nodes and messages hold it.
    copies: u32,
    /// How many nodes know that it is counted, and what came of it.
    known: u32,
    /// How often it was mapped.
    maps: u32,
    counted: bool,
}

impl Record {
    /// Whether somebody holds it, and nobody knows it to be counted.
    fn is_open(&self) -> bool {
        self.copies > 0 && self.known == 0
    }
}

impl JobMetrics {
    /// A job of so many atoms is staged.
    pub(super) fn stage(&mut self, atoms: u32, now: Instant) {
        self.staged = Some(now);
        self.atoms = vec![Record::default(); atoms as usize];
    }

    /// One more holds an atom.
    pub(super) fn hold(&mut self, atom: u32) {
        self.change(atom, |record| record.copies += 1);
    }

    /// One less holds an atom.
    pub(super) fn release(&mut self, atom: u32) {
        self.change(atom, |record| record.copies -= 1);
    }

    fn change(&mut self, atom: u32, change: impl FnOnce(&mut Record)) {
        let record = &mut self.atoms[atom as usize];
        let before = *record;
        change(record);
        self.open = self.open + u32::from(record.is_open()) - u32::from(before.is_open());
        self.known = self.known + u32::from(record.known > 0) - u32::from(before.known > 0);
    }

    /// One more node is told what is counted; it knows of nothing yet.
    pub(super) fn add_collector(&mut self) {
        self.collectors.push(0);
    }

    /// A node that knew of `before` counted atoms knows of these, too.
    pub(super) fn add_counted(&mut self, before: u32, atoms: &[u32]) {
        for atom in atoms {
            self.change(*atom, |record| record.known += 1);
        }
        if let Some(count) = self.collectors.iter_mut().find(|count| **count == before) {
            *count += atoms.len() as u32;
        }
    }

    /// A node is gone that knew of these counted atoms, `count` of them.
    pub(super) fn remove_collector<'a>(
        &mut self,
        count: u32,
        atoms: impl Iterator<Item = &'a u32>,
    ) {
        for atom in atoms {
            self.change(*atom, |record| record.known -= 1);
        }
        if let Some(place) = self.collectors.iter().position(|known| *known == count) {
            self.collectors.swap_remove(place);
        }
    }

    /// A message that carries results is on its way, or a node has results to send on.
    pub(super) fn add_pending_results(&mut self) {
        self.under_way += 1;
    }

    /// It has arrived, or is lost; the node has sent them on, or is gone.
    pub(super) fn remove_pending_results(&mut self) {
        self.under_way -= 1;
    }

    /// Whether nothing more comes of it: every atom is counted, or nobody has those that are not, nor
    /// results of them. Where several nodes know of different atoms, one of them may still learn from
    /// another. O(nodes that know what is counted).
    pub fn is_over(&self) -> bool {
        let most = || self.collectors.iter().copied().max().unwrap_or(0);
        let is_still = || self.staged.is_some() && self.open == 0 && self.under_way == 0;
        self.over || (is_still() && most() == self.known)
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
    pub(super) fn assign(&mut self) {
        self.assignments += 1;
    }

    /// How often an atom was taken over to be mapped by another node than the one that had it first.
    pub fn moved(&self) -> u64 {
        self.assignments.saturating_sub(self.atoms.len() as u64)
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
    use crate::engine::Duration;
    use crate::overlay::Application;

    /// An atom is held as long as one copy is somewhere, whether it was counted or not; counting
    /// it again moves the time, not the number.
    #[test]
    fn an_atom_is_held_until_its_last_copy_goes() {
        let mut metrics = JobMetrics::default();
        metrics.stage(2, Instant::START);
        metrics.hold(1);
        metrics.hold(1);
        metrics.release(1);
        assert!(metrics.is_held(1) && !metrics.is_held(0));
        for second in [3, 7] {
            let now = Instant::START + Duration::from_secs(second);
            metrics.count(1, now);
            assert!(metrics.is_held(1));
            assert_eq!((metrics.counted(), metrics.counted_at), (1, Some(now)));
        }
        metrics.release(1);
        assert!(!metrics.is_held(1));
    }

    /// A job of which nobody has heard when its request is gone is over; one that is staged goes on.
    #[test]
    fn a_request_that_is_lost_ends_the_job() {
        let lose = |metrics: &mut JobMetrics| Worker::on_lost(&Message::Stage, metrics);
        let mut metrics = JobMetrics::default();
        lose(&mut metrics);
        assert!(metrics.is_over());
        let mut metrics = JobMetrics::default();
        metrics.stage(2, Instant::START);
        metrics.hold(0);
        lose(&mut metrics);
        assert!(!metrics.is_over());
    }

    /// A job goes on while anyone has an atom that is not counted, or a result of one is under way, and
    /// ends when the last is gone.
    #[test]
    fn a_job_ends_when_nobody_has_what_is_missing() {
        let mut metrics = JobMetrics::default();
        metrics.stage(2, Instant::START);
        metrics.add_collector();
        metrics.hold(0);
        metrics.hold(1);
        assert!(!metrics.is_over());
        // The result of atom 0 is known, and that of atom 1 is on its way when its holder dies.
        metrics.add_counted(0, &[0]);
        metrics.add_pending_results();
        metrics.release(1);
        assert!(!metrics.is_over());
        metrics.remove_pending_results();
        assert!(metrics.is_over());
        // With those who knew of atom 0, it is to be counted again: somebody still has it.
        metrics.remove_collector(1, [0].iter());
        assert!(!metrics.is_over());
        metrics.release(0);
        assert!(metrics.is_over());
    }

    /// Two nodes that know of different atoms can still tell each other.
    #[test]
    fn what_two_nodes_know_apart_may_still_come_together() {
        let mut metrics = JobMetrics::default();
        metrics.stage(3, Instant::START);
        metrics.add_collector();
        metrics.add_collector();
        metrics.add_counted(0, &[0]);
        metrics.add_counted(0, &[1]);
        assert!(!metrics.is_over());
        metrics.add_counted(1, &[1]);
        assert!(metrics.is_over());
    }
}
