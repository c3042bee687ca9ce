//! The data of a job that all nodes know.

use super::tasks::{Task, Value};
use super::{BalancingParameters, Compute, JobParameters, JobSpecification, NodeParameters};
use crate::engine::{Seed, Stream};
use crate::space::Key;
use rayon::prelude::*;

/// The random stream of the work on an atom.
pub fn stream_of(seed: Seed, atom: u32) -> Stream {
    seed.stream("atom", atom.into())
}

/// The data of a job that all nodes know; nodes do not know each other's speed.
pub struct Shared {
    pub(super) parameters: JobParameters,
    nodes: NodeParameters,
    pub(super) balancing: BalancingParameters,
    /// Initial number of nodes, which nodes are assumed to know.
    size: usize,
    seed: Seed,
    task: Box<dyn Task>,
    samples: u64,
    /// The address of the job.
    pub(super) address: Key,
    /// The key of each atom, ascending.
    pub(super) keys: Vec<Key>,
    /// The result of each atom; empty where the work is modelled.
    results: Vec<Value>,
}

impl Shared {
    /// The job of `specification` on `size` nodes, with the random streams of `seed`. Where the
    /// work is computed, it is computed here, on all cores: the result of an atom depends on
    /// nothing else.
    pub fn new(
        specification: &JobSpecification,
        nodes: NodeParameters,
        balancing: BalancingParameters,
        size: usize,
        seed: Seed,
    ) -> Self {
        let parameters = specification.parameters.clone();
        let mut stream = seed.stream("atom-keys", 0);
        let mut shared = Self {
            task: specification.task(seed),
            samples: specification.samples(),
            address: JobSpecification::address(seed),
            keys: (0..parameters.atoms)
                .map(|_| Key::random(&mut stream))
                .collect(),
            results: Vec::new(),
            parameters,
            nodes,
            balancing,
            size,
            seed,
        };
        shared.keys.sort_unstable();
        if shared.parameters.compute == Compute::Real {
            let map = |atom: u32| {
                let share = shared.parameters.share_of(atom, shared.samples);
                let mut stream = stream_of(seed, atom);
                shared
                    .task
                    .map(share.start, share.end - share.start, &mut stream)
            };
            shared.results = (0..shared.parameters.atoms)
                .into_par_iter()
                .map(map)
                .collect();
        }
        shared
    }

    /// Initial mean number of atoms per node.
    pub(super) fn mean_load(&self) -> f64 {
        f64::from(self.parameters.atoms) / self.size as f64
    }

    /// The address of the job.
    pub fn address(&self) -> Key {
        self.address
    }

    /// The task.
    pub fn task(&self) -> &dyn Task {
        &*self.task
    }

    /// Number of samples of an atom.
    pub fn samples_of(&self, atom: u32) -> u64 {
        let share = self.parameters.share_of(atom, self.samples);
        share.end - share.start
    }

    /// The number of the atom with `key`; there must be one. O(log a) for a atoms.
    pub(super) fn number_of(&self, key: &Key) -> u32 {
        self.keys.partition_point(|other| other < key) as u32
    }

    /// The speed of the nodes of `site`, in samples per second.
    pub(super) fn speed_of(&self, site: u32) -> f64 {
        self.nodes.speed_of(site, self.seed)
    }

    /// The result of an atom.
    pub(super) fn result_of(&self, atom: u32) -> Value {
        self.results.get(atom as usize).cloned().unwrap_or_default()
    }
}
