//! Results of atoms, reduced together.

use super::tasks::{Task, Value};

/// What came of some atoms.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    /// The atoms, ascending, each once.
    pub atoms: Vec<u32>,
    /// Their results, reduced.
    pub value: Value,
}

impl Package {
    /// The result of one atom.
    pub fn of(atom: u32, value: Value) -> Self {
        Self {
            atoms: vec![atom],
            value,
        }
    }

    /// Its size in a message: the numbers of the atoms and the entries of the value.
    pub fn bytes(&self) -> u32 {
        4 * self.atoms.len() as u32 + 12 * self.value.len() as u32
    }

    /// Whether the two have no atom in common. O(a + b).
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

/// Reduces `package` into the first of `packages` with which it has no atom in common, so that
/// nothing is ever counted twice in one of them; else it stays beside them.
pub fn bundle(packages: &mut Vec<Package>, package: Package, task: &dyn Task) {
    match packages
        .iter_mut()
        .find(|other| other.is_disjoint(&package))
    {
        Some(other) => {
            other.atoms.extend_from_slice(&package.atoms);
            // Two ascending runs: a merge.
            other.atoms.sort();
            task.reduce(&mut other.value, &package.value);
        }
        None => packages.push(package),
    }
}
