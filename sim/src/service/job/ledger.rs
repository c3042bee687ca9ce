//! What is written down about a job by one who sees all nodes.

use crate::engine::Instant;
use crate::overlay::Node;

/// The course of a job.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// When it was staged.
    pub staged: Option<Instant>,
    /// When the last atom was counted that was counted.
    pub counted_at: Option<Instant>,
    /// Nothing more will come of it: every atom is counted or lost.
    pub over: bool,
    /// Results that came again and were not counted, in atoms.
    pub duplicates: u64,
    /// By atom.
    atoms: Vec<Record>,
    /// Atoms that were not counted and are somewhere.
    open: usize,
    /// When maps began (true) and ended (false), in order.
    pub maps: Vec<(Instant, bool)>,
    /// When each atom was mapped for the first time, in order.
    pub first_maps: Vec<Instant>,
    /// Samples that each node has worked on, by its number.
    pub work: Vec<u64>,
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
        let record = &mut self.atoms[atom as usize];
        record.copies += 1;
        self.open += usize::from(record.copies == 1 && !record.counted);
    }

    /// One less holds an atom.
    pub(super) fn release(&mut self, atom: u32) {
        let record = &mut self.atoms[atom as usize];
        record.copies -= 1;
        self.open -= usize::from(record.copies == 0 && !record.counted);
    }

    /// An atom was counted.
    pub(super) fn count(&mut self, atom: u32, now: Instant) {
        let record = &mut self.atoms[atom as usize];
        if !std::mem::replace(&mut record.counted, true) {
            self.open -= usize::from(record.copies > 0);
            self.counted_at = Some(now);
        }
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

    /// Whether an atom that was not counted is still somewhere.
    pub(super) fn is_open(&self) -> bool {
        self.open > 0
    }

    /// Atoms that were mapped more than once, each so often as it was more.
    pub fn redone(&self) -> u64 {
        let more = |record: &Record| u64::from(record.maps.saturating_sub(1));
        self.atoms.iter().map(more).sum()
    }

    /// Atoms that were counted at some time.
    pub fn counted(&self) -> u64 {
        self.atoms.iter().filter(|record| record.counted).count() as u64
    }
}
