//! What all nodes know of a job.

use super::tasks::{Task, Value};
use super::{BalancingParameters, Compute, JobParameters, JobSpecification, NodeParameters};
use crate::engine::{Seed, Stream};
use crate::space::Key;
use rayon::prelude::*;

/// The randomness of the work on an atom.
pub fn stream_of(seed: Seed, atom: u32) -> Stream {
    seed.stream("atom", atom.into())
}

/// What all nodes know of the job, and of each other's speed nothing.
pub struct Shared {
    pub(super) parameters: JobParameters,
    nodes: NodeParameters,
    pub(super) balancing: BalancingParameters,
    /// Nodes at the start: how large a network is, nodes are taken to know.
    size: usize,
    seed: Seed,
    task: Box<dyn Task>,
    samples: u64,
    /// The address of the job.
    pub(super) address: Key,
    /// The key of each atom, ascending.
    pub(super) keys: Vec<Key>,
    /// What comes of each atom; nothing where the work is modelled.
    results: Vec<Value>,
}

impl Shared {
    /// The job of `specification` on `size` nodes, with the random streams of `seed`. Where the work is real, it is
    /// done here, on all cores: what comes of an atom depends on nothing else.
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

    /// Atoms a node, at the start.
    pub(super) fn mean_load(&self) -> f64 {
        f64::from(self.parameters.atoms) / self.size as f64
    }

    /// The address of the job.
    pub fn address(&self) -> Key {
        self.address
    }

    /// What is computed.
    pub fn task(&self) -> &dyn Task {
        &*self.task
    }

    /// How many samples an atom has.
    pub fn samples_of(&self, atom: u32) -> u64 {
        let share = self.parameters.share_of(atom, self.samples);
        share.end - share.start
    }

    /// The atom with `key`, which must be that of one. O(log a) for a atoms.
    pub(super) fn number_of(&self, key: &Key) -> u32 {
        self.keys.partition_point(|other| other < key) as u32
    }

    /// The samples a second of the nodes of `site`.
    pub(super) fn speed_of(&self, site: u32) -> f64 {
        self.nodes.speed_of(site, self.seed)
    }

    /// What comes of an atom.
    pub(super) fn result_of(&self, atom: u32) -> Value {
        self.results.get(atom as usize).cloned().unwrap_or_default()
    }
}
