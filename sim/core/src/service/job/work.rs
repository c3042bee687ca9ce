//! The work on atoms: computed while nodes map them, on all cores.
//!
//! The result of an atom depends on its number and on the seed alone, so it does not matter which
//! thread computes it, nor when. A node that begins to map an atom has it computed in the background;
//! when it is done, in virtual time, it waits for the result. An atom that no node maps is not computed.

use super::tasks::{Mapped, Task};
use super::{Compute, JobParameters, shared::stream_of};
use crate::engine::Seed;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The atoms of a job with their results.
#[derive(Clone)]
pub(super) struct Work(Arc<Atoms>);

struct Atoms {
    task: Box<dyn Task>,
    parameters: JobParameters,
    samples: u64,
    seed: Seed,
    /// By atom; empty where the work is modelled.
    results: Box<[OnceLock<Mapped>]>,
    /// Atoms that are to be computed in the background.
    begun: Mutex<Vec<u32>>,
}

impl Work {
    /// The work of `task` on `samples` samples, of which nothing is computed yet.
    pub(super) fn new(
        task: Box<dyn Task>,
        parameters: &JobParameters,
        samples: u64,
        seed: Seed,
    ) -> Self {
        let computed = match parameters.compute {
            Compute::Real => parameters.atoms,
            Compute::Modelled => 0,
        };
        Self(Arc::new(Atoms {
            task,
            parameters: parameters.clone(),
            samples,
            seed,
            results: (0..computed).map(|_| OnceLock::new()).collect(),
            begun: Mutex::default(),
        }))
    }

    /// The task.
    pub(super) fn task(&self) -> &dyn Task {
        &*self.0.task
    }

    /// Number of samples of an atom.
    pub(super) fn samples_of(&self, atom: u32) -> u64 {
        let share = self.0.parameters.share_of(atom, self.0.samples);
        share.end - share.start
    }

    /// Number of samples of all atoms.
    pub(super) fn samples(&self) -> u64 {
        self.0.samples
    }

    /// Has an atom computed in the background, if there is another thread.
    pub(super) fn begin(&self, atom: u32) {
        if !self.0.results.is_empty() && rayon::current_num_threads() > 1 {
            self.0.begun().push(atom);
            let work = self.clone();
            rayon::spawn(move || {
                // The run waits for the first atoms first, so other threads take the last ones.
                let last = work.0.begun().pop();
                if let Some(atom) = last {
                    work.result_of(atom);
                }
            });
        }
    }

    /// The result of an atom, which is computed now if no thread has begun to; `None` where the work is
    /// modelled.
    pub(super) fn result_of(&self, atom: u32) -> Option<&Mapped> {
        let result = self.0.results.get(atom as usize)?;
        Some(result.get_or_init(|| self.0.map(atom)))
    }
}

impl Atoms {
    fn begun(&self) -> std::sync::MutexGuard<'_, Vec<u32>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn map(&self, atom: u32) -> Mapped {
        let share = self.parameters.share_of(atom, self.samples);
        let mut stream = stream_of(self.seed, atom);
        self.task
            .map(share.start, share.end - share.start, &mut stream)
    }
}
