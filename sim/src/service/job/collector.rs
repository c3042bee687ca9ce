//! What has come in of a job: at the root of the job's address, with copies at its replica set.

use super::package::Package;
use super::tasks::{Task, Value};
use crate::engine::Instant;
use crate::overlay::Node;

/// The results that have been counted. Each atom counts once, whatever comes twice.
#[derive(Clone, Debug)]
pub struct Collector {
    packages: Vec<Package>,
    /// One bit an atom.
    counted: Vec<u64>,
    count: u32,
    /// When the last atom was counted.
    pub(super) changed: Instant,
    /// Whether this node counts, rather than one whose copy this is.
    pub(super) mine: bool,
    /// Who has copies.
    pub(super) copies: Vec<Node>,
}

/// What became of a package.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It counts.
    Counted,
    /// All its atoms had been counted.
    Known,
    /// Some of its atoms had been counted, so that it cannot be taken in; these others had not.
    Mixed(Vec<u32>),
}

impl Collector {
    /// Nothing has come in of a job of `atoms` atoms.
    pub fn new(atoms: u32, now: Instant) -> Self {
        Self {
            packages: Vec::new(),
            counted: vec![0; atoms.div_ceil(64) as usize],
            count: 0,
            changed: now,
            mine: false,
            copies: Vec::new(),
        }
    }

    /// Whether `atom` has been counted.
    pub fn has(&self, atom: u32) -> bool {
        self.counted[atom as usize / 64] >> (atom % 64) & 1 == 1
    }

    /// How many atoms have been counted.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// What has been counted.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The result so far.
    pub fn value(&self, task: &dyn Task) -> Value {
        let mut value = Value::new();
        for package in &self.packages {
            task.reduce(&mut value, &package.value);
        }
        value
    }

    /// Counts a package, unless an atom of it has been counted before.
    pub fn add(&mut self, package: &Package, now: Instant) -> Verdict {
        let fresh = |atom: &&u32| !self.has(**atom);
        let missing = package.atoms.iter().filter(fresh).count();
        if missing == 0 {
            return Verdict::Known;
        }
        if missing < package.atoms.len() {
            return Verdict::Mixed(package.atoms.iter().filter(fresh).copied().collect());
        }
        for atom in &package.atoms {
            self.counted[*atom as usize / 64] |= 1 << (atom % 64);
        }
        self.count += missing as u32;
        self.packages.push(package.clone());
        self.changed = now;
        Verdict::Counted
    }
}
