//! Partial results: results of atoms, reduced together.

use super::tasks::{Task, Value};

/// The reduced results of some atoms.
#[derive(Clone, Debug, PartialEq)]
pub struct PartialResult {
    /// The atoms, ascending and distinct.
    pub atoms: Vec<u32>,
    /// Their results, reduced.
    pub value: Value,
}

impl PartialResult {
    /// The result of one atom.
    pub fn of(atom: u32, value: Value) -> Self {
        Self {
            atoms: vec![atom],
            value,
        }
    }

    /// Size in a message: the numbers of the atoms and the entries of the value.
    pub fn bytes(&self) -> u32 {
        4 * self.atoms.len() as u32 + 12 * self.value.len() as u32
    }

    /// Whether the two have no common atom. O(a + b).
    fn is_disjoint(&self, other: &Self) -> bool {
        let (mut mine, mut theirs) = (self.atoms.iter().peekable(), other.atoms.iter().peekable());
        while let (Some(a), Some(b)) = (mine.peek(), theirs.peek()) {
            match a.cmp(b) {
                std::cmp::Ordering::Less => drop(mine.next()),
                std::cmp::Ordering::Greater => drop(theirs.next()),
                std::cmp::Ordering::Equal => return false,
            }
        }
        true
    }
}

/// Reduces `partial` into the first of `partials` with which it shares no atom, so that no atom
/// counts twice; otherwise appends it.
pub fn combine(partials: &mut Vec<PartialResult>, partial: PartialResult, task: &dyn Task) {
    match partials
        .iter_mut()
        .find(|other| other.is_disjoint(&partial))
    {
        Some(other) => {
            other.atoms.extend_from_slice(&partial.atoms);
            // Two ascending runs: a merge.
            other.atoms.sort();
            task.reduce(&mut other.value, &partial.value);
        }
        None => partials.push(partial),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::job::tasks::Pi;
    use proptest::prelude::*;
    use smallvec::smallvec;

    /// Partial results whose value is the sum over their atoms of the number plus one.
    fn partials() -> impl Strategy<Value = Vec<PartialResult>> {
        let atoms = proptest::collection::btree_set(0_u32..40, 1..6);
        let partial = atoms.prop_map(|atoms| PartialResult {
            value: smallvec![(0, atoms.iter().map(|atom| f64::from(atom + 1)).sum())],
            atoms: atoms.into_iter().collect(),
        });
        proptest::collection::vec(partial, 0..30)
    }

    proptest! {
        /// No partial result contains an atom twice, no atom is lost, and each value matches its
        /// atoms.
        #[test]
        fn no_atom_is_twice_in_a_partial_result(partials in partials()) {
            let mut bundles = Vec::new();
            let mut all: Vec<u32> = partials.iter().flat_map(|partial| partial.atoms.clone()).collect();
            for partial in partials {
                combine(&mut bundles, partial, &Pi);
            }
            for bundle in &bundles {
                prop_assert!(bundle.atoms.is_sorted_by(|a, b| a < b));
                let sum: f64 = bundle.atoms.iter().map(|atom| f64::from(atom + 1)).sum();
                prop_assert_eq!(bundle.value[0].1, sum);
            }
            let mut bundled: Vec<u32> = bundles.iter().flat_map(|bundle| bundle.atoms.clone()).collect();
            all.sort_unstable();
            bundled.sort_unstable();
            prop_assert_eq!(bundled, all);
        }

        /// Partial results without a common atom become one.
        #[test]
        fn what_is_disjoint_goes_together(numbers in proptest::collection::btree_set(0_u32..1000, 1..50)) {
            let mut bundles = Vec::new();
            for atom in numbers.iter().rev() {
                combine(&mut bundles, PartialResult::of(*atom, smallvec![(0, 1.0)]), &Pi);
            }
            prop_assert_eq!(bundles.len(), 1);
            prop_assert_eq!(bundles[0].value[0].1, numbers.len() as f64);
            prop_assert_eq!(bundles[0].bytes() as usize, 4 * numbers.len() + 12);
        }
    }
}
