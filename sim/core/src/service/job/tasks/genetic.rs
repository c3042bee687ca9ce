//! Maximum of a function, by genetic algorithms on islands.

use super::{Mapped, Task, Value};
use crate::engine::Stream;
use rand::Rng;

/// Maximises the ones in a 64-bit word (OneMax): every atom is an island with its own population,
/// and the best of all islands counts. A sample is a child.
#[derive(Clone, Copy, Debug)]
pub struct Genetic;

/// Words on an island.
pub const POPULATION: usize = 32;

impl Genetic {
    /// Lets an island make up to `children` children, each of which takes the place of the worst word
    /// if it is better. Returns how many were made: at the maximum no child can be better.
    pub fn evolve(island: &mut [u64], children: u64, stream: &mut Stream) -> u64 {
        let mut made = 0;
        while made < children && island.iter().all(|one| one.count_ones() < u64::BITS) {
            made += 1;
            // Tournament selection of two parents; each bit comes from one of them, and about one
            // of 64 bits mutates.
            let mut parent = || {
                let (a, b) = (stream.index(island.len()), stream.index(island.len()));
                *[island[a], island[b]]
                    .iter()
                    .max_by_key(|one| one.count_ones())
                    .unwrap_or(&0)
            };
            let (mother, father) = (parent(), parent());
            let mask = stream.next_u64();
            let child = (mother & mask | father & !mask) ^ 1 << stream.below(64);
            let worst = (0..island.len()).min_by_key(|place| island[*place].count_ones());
            if let Some(worst) = worst
                && island[worst].count_ones() < child.count_ones()
            {
                island[worst] = child;
            }
        }
        made
    }
}

impl Task for Genetic {
    fn map(&self, _: u64, samples: u64, stream: &mut Stream) -> Mapped {
        let mut island: Vec<u64> = (0..POPULATION).map(|_| stream.next_u64()).collect();
        let made = Self::evolve(&mut island, samples, stream);
        let best = island.iter().map(|one| one.count_ones()).max();
        Mapped {
            value: best.map(|ones| (0, f64::from(ones))).into_iter().collect(),
            effort: POPULATION as u64 + made,
        }
    }

    fn reduce(&self, value: &mut Value, other: &Value) {
        match (value.first_mut(), other.first()) {
            (Some(mine), Some(theirs)) => mine.1 = mine.1.max(theirs.1),
            (None, Some(theirs)) => value.push(*theirs),
            _ => {}
        }
    }

    /// The maximum number of ones, and its distance from 64.
    fn result(&self, value: &Value, _: u64) -> (f64, Option<f64>) {
        let best = value.first().map_or(0.0, |(_, ones)| *ones);
        (best, Some(best - 64.0))
    }
}
