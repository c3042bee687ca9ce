//! Residual spans at a random moment of a renewal process.

use super::{Duration, DurationDistribution, Stream};
use rand_distr::{Distribution, Exp1, Gamma, StandardNormal};

impl DurationDistribution {
    /// The mean in seconds; infinite for a Pareto of shape 1 or below.
    pub fn mean(&self) -> f64 {
        match *self {
            Self::Constant(span) => span.as_secs_f64(),
            Self::Uniform { low, high } => (low.as_secs_f64() + high.as_secs_f64()) / 2.0,
            Self::Normal { mean, sd } => {
                let (mean, sd) = (mean.as_secs_f64(), sd.as_secs_f64());
                if sd <= 0.0 {
                    return mean;
                }
                let z = mean / sd;
                let above = libm::erfc(-z / std::f64::consts::SQRT_2) / 2.0;
                mean * above + sd * libm::exp(-z * z / 2.0) / libm::sqrt(std::f64::consts::TAU)
            }
            Self::LogNormal { median, sigma } => {
                median.as_secs_f64() * libm::exp(sigma * sigma / 2.0)
            }
            Self::Exponential { mean } => mean.as_secs_f64(),
            Self::Weibull { scale, shape } => scale.as_secs_f64() * libm::tgamma(1.0 + 1.0 / shape),
            Self::Pareto { shape, .. } if shape <= 1.0 => f64::INFINITY,
            Self::Pareto { scale, shape } => scale.as_secs_f64() * shape / (shape - 1.0),
        }
    }

    /// Draws the rest of a span that is observed at a random moment: the forward recurrence time of
    /// a stationary renewal process (Cox, Renewal Theory, 1962, chapter 5).
    ///
    /// A span is observed with a probability proportional to its length, and the moment is uniform
    /// in it. The draw is exact; the mean must be finite.
    pub fn residual(&self, stream: &mut Stream) -> Duration {
        let met = self.length_biased(stream);
        Duration::from_secs_f64(met * stream.unit())
    }

    /// Draws a span, in seconds, with a density proportional to its length times its own density.
    fn length_biased(&self, stream: &mut Stream) -> f64 {
        match *self {
            Self::Constant(span) => span.as_secs_f64(),
            // The inverse of the distribution function (x^2 - low^2) / (high^2 - low^2).
            Self::Uniform { low, high } => {
                let (low, high) = (low.as_secs_f64(), high.as_secs_f64());
                libm::sqrt(low * low + stream.unit() * (high * high - low * low))
            }
            Self::Normal { mean, sd } if sd.is_zero() => mean.as_secs_f64(),
            Self::Normal { mean, sd } => {
                let (mean, sd) = (mean.as_secs_f64(), sd.as_secs_f64());
                sd * normal_length_biased(mean / sd, stream)
            }
            // The logarithm is normal with the same deviation, and its mean is larger by sigma^2.
            Self::LogNormal { median, sigma } => {
                let z: f64 = StandardNormal.sample(stream);
                median.as_secs_f64() * libm::exp(sigma * sigma + sigma * z)
            }
            // Gamma of shape 2.
            Self::Exponential { mean } => {
                let (first, second): (f64, f64) = (Exp1.sample(stream), Exp1.sample(stream));
                mean.as_secs_f64() * (first + second)
            }
            // (x / scale)^shape, which is exponential, becomes gamma of shape 1 + 1 / shape.
            Self::Weibull { scale, shape } => {
                let power = Gamma::new(1.0 + 1.0 / shape, 1.0).map_or(1.0, |d| d.sample(stream));
                scale.as_secs_f64() * libm::pow(power, 1.0 / shape)
            }
            // A Pareto again, of a shape less by one.
            Self::Pareto { scale, shape } => {
                let uniform = 1.0 - stream.unit();
                scale.as_secs_f64() * libm::pow(uniform, -1.0 / (shape - 1.0))
            }
        }
    }
}

/// Draws `x > 0` with a density proportional to `x` times that of a normal with mean `mean` >= 0 and
/// deviation 1.
///
/// By rejection: `z = x - mean` is drawn with a density proportional to `(|z| + mean)` times the
/// standard normal one, a mixture of that and of a Rayleigh with a random sign; at least half of
/// the draws are taken.
fn normal_length_biased(mean: f64, stream: &mut Stream) -> f64 {
    let rayleigh = libm::sqrt(2.0 / std::f64::consts::PI);
    loop {
        let z: f64 = if stream.chance(mean / (mean + rayleigh)) {
            StandardNormal.sample(stream)
        } else {
            let half_square: f64 = Exp1.sample(stream);
            let sign = if stream.chance(0.5) { 1.0 } else { -1.0 };
            sign * libm::sqrt(2.0 * half_square)
        };
        let x = z + mean;
        if x > 0.0 && stream.chance(x / (z.abs() + mean)) {
            return x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;

    const SECOND: Duration = Duration::from_secs(1);

    /// A distribution, and the probability that a span is longer than so many seconds.
    type Case = (DurationDistribution, fn(f64) -> f64);

    fn above_normal(z: f64) -> f64 {
        libm::erfc(z / std::f64::consts::SQRT_2) / 2.0
    }

    /// One of each family, including the heaviest tails; `pl05` is the lognormal fitted to
    /// PlanetLab sessions (in hours).
    fn cases() -> Vec<Case> {
        vec![
            (DurationDistribution::Constant(SECOND), |t| {
                f64::from(t < 1.0)
            }),
            (
                DurationDistribution::Uniform {
                    low: SECOND,
                    high: Duration::from_secs(4),
                },
                |t| ((4.0 - t) / 3.0).clamp(0.0, 1.0),
            ),
            (
                DurationDistribution::Normal {
                    mean: SECOND,
                    sd: Duration::from_secs(2),
                },
                |t| above_normal((t - 1.0) / 2.0),
            ),
            (
                DurationDistribution::Normal {
                    mean: Duration::ZERO,
                    sd: SECOND,
                },
                above_normal,
            ),
            (DurationDistribution::Exponential { mean: SECOND }, |t| {
                libm::exp(-t)
            }),
            (
                DurationDistribution::Weibull {
                    scale: SECOND,
                    shape: 0.33,
                },
                |t| libm::exp(-libm::pow(t, 0.33)),
            ),
            (
                DurationDistribution::Weibull {
                    scale: SECOND,
                    shape: 3.0,
                },
                |t| libm::exp(-t * t * t),
            ),
            (
                DurationDistribution::LogNormal {
                    median: SECOND,
                    sigma: 2.86,
                },
                |t| above_normal(libm::log(t) / 2.86),
            ),
            (
                DurationDistribution::Pareto {
                    scale: SECOND,
                    shape: 1.1,
                },
                |t| libm::pow(t.max(1.0), -1.1),
            ),
            (
                DurationDistribution::Pareto {
                    scale: SECOND,
                    shape: 3.0,
                },
                |t| libm::pow(t.max(1.0), -3.0),
            ),
        ]
    }

    /// The integral of `f` from 0 to `end`, by the midpoint rule with finer pieces near 0, where
    /// some densities have a pole.
    fn integral(f: fn(f64) -> f64, end: f64) -> f64 {
        const PIECES: u32 = 40_000;
        let bound = |piece: u32| end * libm::pow(f64::from(piece) / f64::from(PIECES), 4.0);
        let piece = |piece| {
            let (from, to) = (bound(piece), bound(piece + 1));
            f((from + to) / 2.0) * (to - from)
        };
        (0..PIECES).map(piece).sum()
    }

    /// The rest of a span is at most t with probability integral from 0 to t of P(span > x) / mean
    /// (Cox 1962), for each family, at short and long t.
    #[test]
    fn what_is_left_of_a_span_is_as_renewal_theory_says() {
        const DRAWS: u32 = 100_000;
        for (place, (distribution, survival)) in cases().into_iter().enumerate() {
            let mut stream = Seed::new(1).stream("residual", place as u64);
            let mut left: Vec<f64> = (0..DRAWS)
                .map(|_| distribution.residual(&mut stream).as_secs_f64())
                .collect();
            left.sort_unstable_by(f64::total_cmp);
            let mean = distribution.mean();
            for t in [0.01 * mean, 0.3 * mean, mean, 3.0 * mean, 30.0 * mean] {
                let theory = integral(survival, t) / mean;
                let measured = left.partition_point(|x| *x <= t) as f64 / f64::from(DRAWS);
                // Five standard deviations of a binomial share, and the error of the integral.
                let tolerance =
                    5.0 * libm::sqrt(theory * (1.0 - theory).max(0.0) / f64::from(DRAWS));
                assert!(
                    (measured - theory).abs() <= tolerance + 1e-4,
                    "{distribution:?}, {t} s: {measured}, {theory} in theory"
                );
            }
        }
    }

    /// The mean is the integral of P(span > x), and that of many draws where the variance is small
    /// enough.
    #[test]
    fn means_are_those_of_the_draws() {
        for (distribution, survival) in cases() {
            let mean = distribution.mean();
            // The part beyond is negligible, except for the heaviest tails.
            let end = 1e4 * mean;
            let within = integral(survival, end);
            let heavy = match distribution {
                DurationDistribution::Pareto { shape, .. } => {
                    libm::pow(end, 1.0 - shape) / (shape - 1.0)
                }
                DurationDistribution::LogNormal { sigma, .. } => {
                    mean * above_normal(libm::log(end) / sigma - sigma) - end * survival(end)
                }
                _ => 0.0,
            };
            assert!(
                ((within + heavy) / mean - 1.0).abs() < 3e-3,
                "{distribution:?}: {mean}, {within} + {heavy}"
            );
        }
        let endless = DurationDistribution::Pareto {
            scale: SECOND,
            shape: 1.0,
        };
        assert_eq!(endless.mean(), f64::INFINITY);
    }
}
