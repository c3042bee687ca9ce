//! Metrics of a job, with global knowledge.

use crate::engine::Instant;
use crate::overlay::Node;

/// The course of a job.
#[derive(Clone, Debug, Default)]
pub struct JobMetrics {
    /// When it was staged.
    pub staged: Option<Instant>,
    /// When an atom was last counted; an atom that was lost with its collectors counts again.
    pub counted_at: Option<Instant>,
    /// It is known to be over: every atom is counted, or the request for it was lost.
    pub(super) over: bool,
    /// Results that came again and were not counted, in atoms.
    pub duplicates: u64,
    /// By atom.
    atoms: Vec<Record>,
    /// Atoms that some node holds, and that no node knows to be counted.
    open: u32,
    /// Atoms that some node knows to be counted; and the number of them that each such node knows,
    /// in no order.
    known: u32,
    collectors: Vec<u32>,
    /// Messages that carry results, and nodes with pending results.
    under_way: u32,
    /// Begins (true) and ends (false) of maps, in order.
    pub maps: Vec<(Instant, bool)>,
    /// When each atom was mapped for the first time, in order.
    pub first_maps: Vec<Instant>,
    /// Samples that each node has worked on, by node number.
    pub work: Vec<u64>,
    /// Sybils that nodes have created on their hosts.
    pub sybils: u64,
    /// Random nodes that walks of atoms have visited.
    pub walk_steps: u64,
    /// How often an unmapped atom was assigned to a node.
    assignments: u64,
}

/// State of one atom.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    /// Number of nodes and messages that hold it.
    copies: u32,
    /// Number of nodes that know that it is counted and its result.
    known: u32,
    /// Number of times it was mapped.
    maps: u32,
    counted: bool,
}

impl Record {
    /// Whether some node holds it, and none knows it to be counted.
    fn is_open(&self) -> bool {
        self.copies > 0 && self.known == 0
    }
}

impl JobMetrics {
    /// Stages a job of this many atoms.
    pub(super) fn stage(&mut self, atoms: u32, now: Instant) {
        self.staged.get_or_insert(now);
        // Another root may stage a job again whose request the network has duplicated.
        self.atoms.resize(atoms as usize, Record::default());
    }

    /// One more node or message holds an atom.
    pub(super) fn hold(&mut self, atom: u32) {
        self.change(atom, |record| record.copies += 1);
    }

    /// One node or message fewer holds an atom.
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

    /// One more node becomes a collector; it knows of no counted atom yet.
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

    /// A node that knew of these `count` counted atoms has stopped.
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

    /// A message with results is sent, or a node has pending results.
    pub(super) fn add_pending_results(&mut self) {
        self.under_way += 1;
    }

    /// The message has arrived or is lost; the node has sent its results or has stopped.
    pub(super) fn remove_pending_results(&mut self) {
        self.under_way -= 1;
    }

    /// Whether the job makes no more progress: every atom is counted, or no node has the missing
    /// atoms or their results. Where several nodes know of different counted atoms, they may still
    /// merge. O(nodes that know of counted atoms).
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

    /// A node stopped before it had mapped an atom.
    pub(super) fn break_map(&mut self, now: Instant) {
        self.maps.push((now, false));
    }

    /// An atom is assigned to a node.
    pub(super) fn assign(&mut self) {
        self.assignments += 1;
    }

    /// How often an atom was taken over by another node to be mapped there.
    pub fn moved(&self) -> u64 {
        self.assignments.saturating_sub(self.atoms.len() as u64)
    }

    /// Repeated maps of atoms, summed over all atoms.
    pub fn redone(&self) -> u64 {
        let more = |record: &Record| u64::from(record.maps.saturating_sub(1));
        self.atoms.iter().map(more).sum()
    }

    /// Atoms that were lost before they were counted: every node and message that held them is
    /// gone.
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

    fn is_held(metrics: &JobMetrics, atom: usize) -> bool {
        metrics.atoms[atom].copies > 0
    }

    /// An atom is held as long as one copy exists, counted or not; counting it again changes the
    /// time, not the number.
    #[test]
    fn an_atom_is_held_until_its_last_copy_goes() {
        let mut metrics = JobMetrics::default();
        metrics.stage(2, Instant::START);
        metrics.hold(1);
        metrics.hold(1);
        metrics.release(1);
        assert!(is_held(&metrics, 1) && !is_held(&metrics, 0));
        for second in [3, 7] {
            let now = Instant::START + Duration::from_secs(second);
            metrics.count(1, now);
            assert!(is_held(&metrics, 1));
            assert_eq!((metrics.counted(), metrics.counted_at), (1, Some(now)));
        }
        metrics.release(1);
        assert!(!is_held(&metrics, 1));
    }

    /// A job whose request is lost before it is staged is over; a staged job continues.
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

    /// A job continues while some node has an uncounted atom, or a result of one is in flight; it
    /// ends when the last is lost.
    #[test]
    fn a_job_ends_when_nobody_has_what_is_missing() {
        let mut metrics = JobMetrics::default();
        metrics.stage(2, Instant::START);
        metrics.add_collector();
        metrics.hold(0);
        metrics.hold(1);
        assert!(!metrics.is_over());
        // The result of atom 0 is known, and that of atom 1 is in flight when its holder fails.
        metrics.add_counted(0, &[0]);
        metrics.add_pending_results();
        metrics.release(1);
        assert!(!metrics.is_over());
        metrics.remove_pending_results();
        assert!(metrics.is_over());
        // With the nodes that know of atom 0 lost, it must be counted again: a node still has it.
        metrics.remove_collector(1, [0].iter());
        assert!(!metrics.is_over());
        metrics.release(0);
        assert!(metrics.is_over());
    }

    /// Two nodes that know of different counted atoms can still merge.
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
