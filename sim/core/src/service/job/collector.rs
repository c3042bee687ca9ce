//! The counted results of a job, at the root of the job's address and, as copies, at its replica
//! set.

use super::partial_result::PartialResult;
use super::tasks::{Task, Value};
use crate::engine::Instant;
use crate::overlay::Node;

/// The counted results. Each atom counts once, even if it comes twice.
#[derive(Clone, Debug)]
pub struct Collector {
    partials: Vec<PartialResult>,
    /// One bit for each atom.
    counted: Vec<u64>,
    count: u32,
    /// When the last atom was counted.
    pub(super) changed: Instant,
    /// Whether this node counts; otherwise it holds a copy.
    pub(super) is_active: bool,
    /// The nodes with copies.
    pub(super) copies: Vec<Node>,
}

/// Outcome of adding a partial result.
#[derive(Clone, Debug, PartialEq)]
pub enum AddResult {
    /// It is counted.
    Counted,
    /// All its atoms had been counted before.
    Duplicate,
    /// Some of its atoms had been counted before, so it cannot be added; these others had not.
    Overlapping(Vec<u32>),
}

impl Collector {
    /// An empty collector of a job of `atoms` atoms.
    pub fn new(atoms: u32, now: Instant) -> Self {
        Self {
            partials: Vec::new(),
            counted: vec![0; atoms.div_ceil(64) as usize],
            count: 0,
            changed: now,
            is_active: false,
            copies: Vec::new(),
        }
    }

    /// Whether `atom` has been counted.
    pub fn has(&self, atom: u32) -> bool {
        self.counted[atom as usize / 64] >> (atom % 64) & 1 == 1
    }

    /// Number of counted atoms.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The counted results.
    pub fn partials(&self) -> &[PartialResult] {
        &self.partials
    }

    /// The result so far.
    pub fn value(&self, task: &dyn Task) -> Value {
        let mut value = Value::new();
        for partial in &self.partials {
            task.reduce(&mut value, &partial.value);
        }
        value
    }

    /// Counts a partial result, unless one of its atoms has been counted before.
    pub fn add(&mut self, partial: &PartialResult, now: Instant) -> AddResult {
        let fresh = |atom: &&u32| !self.has(**atom);
        let missing = partial.atoms.iter().filter(fresh).count();
        if missing == 0 {
            return AddResult::Duplicate;
        }
        if missing < partial.atoms.len() {
            return AddResult::Overlapping(partial.atoms.iter().filter(fresh).copied().collect());
        }
        for atom in &partial.atoms {
            self.counted[*atom as usize / 64] |= 1 << (atom % 64);
        }
        self.count += missing as u32;
        self.partials.push(partial.clone());
        self.changed = now;
        AddResult::Counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::job::tasks::Pi;
    use proptest::prelude::*;
    use smallvec::smallvec;
    use std::collections::BTreeSet;

    const ATOMS: u32 = 70;

    proptest! {
        /// In any order and with repetitions, each atom counts once, and the atoms that cannot be
        /// added are returned exactly.
        #[test]
        fn each_atom_counts_once(
            sets in proptest::collection::vec(proptest::collection::btree_set(0..ATOMS, 1..8), 0..40)
        ) {
            let mut collector = Collector::new(ATOMS, Instant::START);
            let mut model = BTreeSet::new();
            for (second, atoms) in sets.into_iter().enumerate() {
                let now = Instant::START + crate::engine::Duration::from_secs(second as u64 + 1);
                let partial = PartialResult {
                    atoms: atoms.iter().copied().collect(),
                    value: smallvec![(0, atoms.len() as f64)],
                };
                let before = collector.changed;
                let others: Vec<u32> = atoms.difference(&model).copied().collect();
                let expected = match others.len() {
                    0 => AddResult::Duplicate,
                    fresh if fresh == atoms.len() => AddResult::Counted,
                    _ => AddResult::Overlapping(others),
                };
                prop_assert_eq!(collector.add(&partial, now), expected.clone());
                if expected == AddResult::Counted {
                    model.extend(atoms);
                }
                let changed = if expected == AddResult::Counted { now } else { before };
                prop_assert_eq!(collector.changed, changed);
            }
            prop_assert_eq!(collector.count() as usize, model.len());
            prop_assert!((0..ATOMS).all(|atom| collector.has(atom) == model.contains(&atom)));
            let sum = collector.value(&Pi).first().map_or(0.0, |(_, sum)| *sum);
            prop_assert_eq!(sum, model.len() as f64);
        }
    }
}
