//! Mean of a distribution, by independent Markov chains.

use super::{Mapped, Task, Value};
use crate::engine::Stream;
use smallvec::smallvec;

/// Metropolis algorithm on the exponential distribution with mean 1: every atom is its own chain. A
/// sample is a step.
#[derive(Clone, Copy, Debug)]
pub struct MarkovChain;

/// Steps of a chain that are discarded.
const BURN_IN: u64 = 1000;

impl Task for MarkovChain {
    fn map(&self, _: u64, samples: u64, stream: &mut Stream) -> Mapped {
        let mut x: f64 = 1.0;
        let mut sum = 0.0;
        for step in 0..BURN_IN + samples {
            let next = x + 4.0 * stream.unit() - 2.0;
            if next >= 0.0 && stream.unit() < libm::exp(x - next) {
                x = next;
            }
            if step >= BURN_IN {
                sum += x;
            }
        }
        // In fixed point, so that the order of addition does not matter.
        Mapped {
            value: smallvec![(0, libm::round(sum * 1024.0))],
            effort: BURN_IN + samples,
        }
    }

    fn result(&self, value: &Value, samples: u64) -> (f64, Option<f64>) {
        let sum = value.first().map_or(0.0, |(_, sum)| sum / 1024.0);
        let mean = sum / samples as f64;
        (mean, Some(mean - 1.0))
    }
}
