//! Popularity: how often each of some objects is asked for.

use crate::engine::Stream;
use rand_distr::{Distribution, Zipf};

crate::choices! {
    /// Which of some objects a request asks for.
    pub enum Popularity {
        /// Each with the same probability.
        Uniform = "uniform",
        /// Object k with a probability proportional to 1 / k^s.
        Zipf = "zipf",
    }
}

impl Popularity {
    /// The place, from 0 on, of one of `count` >= 1 objects. A uniform place follows from `draw`, a
    /// random number; Zipf's law with this `exponent` draws from `stream`. Expected O(1): the
    /// rejection-inversion of Hörmann and Derflinger (1996).
    pub fn place(self, draw: u64, count: usize, exponent: f64, stream: &mut Stream) -> usize {
        let uniform = ((u128::from(draw) * count as u128) >> 64) as usize;
        match self {
            Self::Uniform => uniform,
            Self::Zipf => Zipf::new(count as f64, exponent).map_or(uniform, |zipf| {
                // A rank is a whole number from 1 on.
                (zipf.sample(stream) as usize).clamp(1, count) - 1
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;
    use proptest::prelude::*;

    proptest! {
        /// Each object is asked for as often as the law says, to within six standard errors.
        #[test]
        fn frequencies_follow_the_law(seed: u64, count in 1usize..30, exponent in 0.0..3.0f64) {
            const DRAWS: usize = 4000;
            let mut stream = Seed::new(seed).stream("popularity", 0);
            let mut draws = Seed::new(seed).stream("draws", 0);
            let mut counts = [vec![0; count], vec![0; count]];
            for _ in 0..DRAWS {
                let draw = draws.below(u64::MAX);
                for (popularity, counts) in Popularity::ALL.iter().zip(&mut counts) {
                    counts[popularity.place(draw, count, exponent, &mut stream)] += 1;
                }
            }
            let weight = |place: usize, exponent: f64| libm::pow(place as f64 + 1.0, -exponent);
            for (counts, exponent) in counts.iter().zip([0.0, exponent]) {
                let all: f64 = (0..count).map(|place| weight(place, exponent)).sum();
                for (place, seen) in counts.iter().enumerate() {
                    let p = weight(place, exponent) / all;
                    let mean = p * DRAWS as f64;
                    let margin = 6.0 * (mean * (1.0 - p)).sqrt() + 6.0;
                    prop_assert!((f64::from(*seen) - mean).abs() <= margin, "{} {}", seen, mean);
                }
            }
        }
    }
}
