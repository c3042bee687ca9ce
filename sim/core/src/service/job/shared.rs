//! The data of a job that all nodes know.

use super::tasks::{Task, Value};
use super::work::Work;
use super::{Cost, JobParameters, JobSpecification, NodeParameters};
use crate::engine::{Duration, Seed, Stream};
use crate::service::balancing::{BalancingParameters, BalancingRules};
use crate::space::Key;

/// The random stream of the work on an atom.
pub fn stream_of(seed: Seed, atom: u32) -> Stream {
    seed.stream("atom", atom.into())
}

/// The data of a job that all nodes know; nodes do not know each other's speed.
pub struct Shared {
    pub(super) parameters: JobParameters,
    nodes: NodeParameters,
    /// Nodes are assumed to know their initial number.
    pub(super) balancing: BalancingRules,
    seed: Seed,
    work: Work,
    /// The address of the job.
    pub(super) address: Key,
    /// The key of each atom, ascending.
    pub(super) keys: Vec<Key>,
}

impl Shared {
    /// The job of `specification` on `size` nodes, with the random streams of `seed`.
    pub fn new(
        specification: &JobSpecification,
        nodes: NodeParameters,
        balancing: BalancingParameters,
        size: usize,
        seed: Seed,
    ) -> Self {
        let parameters = specification.parameters.clone();
        let mut stream = seed.stream("atom-keys", 0);
        let task = specification.task(seed);
        let work = Work::new(task, &parameters, specification.samples(), seed);
        let atoms = f64::from(parameters.atoms);
        let mut shared = Self {
            address: JobSpecification::address(seed),
            keys: (0..parameters.atoms)
                .map(|_| Key::random(&mut stream))
                .collect(),
            balancing: BalancingRules {
                parameters: balancing,
                start: parameters.start,
                has_ring: true,
                mean_load: atoms / size as f64,
                mean_size: work.samples() as f64 / atoms,
            },
            work,
            parameters,
            nodes,
            seed,
        };
        shared.keys.sort_unstable();
        shared
    }

    /// The same on an overlay without a ring, where load balancing places Sybils by keys.
    pub fn without_ring(mut self) -> Self {
        self.balancing.has_ring = false;
        self
    }

    /// The address of the job.
    pub fn address(&self) -> Key {
        self.address
    }

    /// The task.
    pub fn task(&self) -> &dyn Task {
        self.work.task()
    }

    /// Number of samples of an atom.
    pub fn samples_of(&self, atom: u32) -> u64 {
        self.work.samples_of(atom)
    }

    /// The number of the atom with `key`; there must be one. O(log a) for a atoms.
    pub(super) fn number_of(&self, key: &Key) -> u32 {
        self.keys.partition_point(|other| other < key) as u32
    }

    /// The speed of the nodes of `site`, in samples per second.
    pub(super) fn speed_of(&self, site: u32) -> f64 {
        self.nodes.speed_of(site, self.seed)
    }

    /// A node with this speed begins to map an atom: the time that it takes.
    pub(super) fn begin(&self, atom: u32, speed: f64) -> Duration {
        if self.parameters.cost == Cost::Samples {
            self.work.begin(atom);
        }
        Duration::from_secs_f64(self.effort_of(atom) as f64 / speed)
    }

    /// The effort of an atom, in samples: its samples, or what its task states.
    pub fn effort_of(&self, atom: u32) -> u64 {
        let stated = match self.parameters.cost {
            Cost::Samples => None,
            Cost::Stated => self.work.result_of(atom).map(|mapped| mapped.effort),
        };
        stated.unwrap_or_else(|| self.samples_of(atom))
    }

    /// The result of an atom; empty where the work is modelled.
    pub(super) fn result_of(&self, atom: u32) -> Value {
        let mapped = self.work.result_of(atom);
        mapped.map_or_else(Value::new, |mapped| mapped.value.clone())
    }
}
