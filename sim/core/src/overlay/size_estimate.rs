//! Estimates of the number of nodes from the distances of the nodes nearest to some keys.
//!
//! Of n nodes with uniform IDs the j-th nearest to a key is at the mean distance j / (n + 1) of the
//! space. Each estimator fits n to the distances that a few lookups find. [`Libp2p`] is that of
//! go-libp2p-kad-dht (package `netsize`), [`Ratio`] that of the programs of Sridhar, Ascigil, Keizer,
//! Genon, Pierre, Psaras, Riviere and Krol, "Content censorship in the InterPlanetary File System"
//! (NDSS 2024), [`Mainline`] that of the crate `mainline` (pubky).
//!
//! [`Libp2p`]: SizeEstimator::Libp2p
//! [`Ratio`]: SizeEstimator::Ratio
//! [`Mainline`]: SizeEstimator::Mainline

crate::choices! {
    /// How the number of nodes is estimated from lookups.
    pub enum SizeEstimator {
        /// Least squares through the mean distance of each rank, weighted by its standard deviation.
        Libp2p = "libp2p",
        /// The sum of the ranks over the sum of the mean distances.
        Ratio = "ratio",
        /// The mean over lookups of a least-squares fit of each; all weigh the same.
        Mainline = "mainline",
    }
}

/// What a lookup finds: the distances of the nodes nearest to its key.
#[derive(Clone, Debug, PartialEq)]
pub struct SizeSample {
    /// The distance of the j-th nearest node at index j - 1, as a fraction of the space.
    pub distances: Vec<f64>,
    /// The weight of the lookup, as of [`sample_weight`].
    pub weight: f64,
}

/// The weight of a lookup, 2^(`known` - `closest`), if the initiator knows `known` nodes that share
/// exactly as many first bits with it as the key does, of at most `closest`.
///
/// A bucket that is not full weighs less: the nodes nearest to its keys are near to the initiator,
/// too, so lookups of several such keys find the same nodes.
pub fn sample_weight(known: usize, closest: usize) -> f64 {
    libm::exp2(known as f64 - closest as f64)
}

impl SizeEstimator {
    /// The estimated number of nodes. `None` without a sample that has a distance, if all distances
    /// are 0, and from a single sample for [`Libp2p`](Self::Libp2p), which needs their spread.
    ///
    /// Ranks that some sample does not have are not used. O(samples times ranks).
    pub fn estimate(self, samples: &[SizeSample]) -> Option<f64> {
        let estimate = match self {
            Self::Libp2p => by_regression(samples),
            Self::Ratio => by_ratio(samples),
            Self::Mainline => by_least_squares(samples),
        };
        Some(estimate).filter(|estimate| estimate.is_finite())
    }
}

/// The number of ranks that all samples have.
fn ranks(samples: &[SizeSample]) -> usize {
    let lengths = samples.iter().map(|sample| sample.distances.len());
    lengths.min().unwrap_or(0)
}

/// The weighted mean and standard deviation of the distances at index `at`.
///
/// go-libp2p divides the variance by (samples - 1) / samples, too; this factor, common to all ranks,
/// has no effect on the slope.
fn moments(samples: &[SizeSample], at: usize) -> (f64, f64) {
    let weights: f64 = samples.iter().map(|sample| sample.weight).sum();
    let weighted = |value: &dyn Fn(f64) -> f64| {
        let values = samples.iter().map(|s| s.weight * value(s.distances[at]));
        values.sum::<f64>() / weights
    };
    let mean = weighted(&|distance| distance);
    let variance = weighted(&|distance| (distance - mean) * (distance - mean));
    (mean, libm::sqrt(variance))
}

/// With the weighted means y and standard deviations s of rank j: the slope is the sum of s j y over
/// the sum of s j^2, and n = 1 / slope - 1.
fn by_regression(samples: &[SizeSample]) -> f64 {
    let (mut products, mut squares) = (0.0, 0.0);
    for (at, rank) in (1..=ranks(samples)).enumerate() {
        let (mean, deviation) = moments(samples, at);
        products += deviation * rank as f64 * mean;
        squares += deviation * (rank * rank) as f64;
    }
    squares / products - 1.0
}

fn by_ratio(samples: &[SizeSample]) -> f64 {
    let (mut means, mut all) = (0.0, 0.0);
    for (at, rank) in (1..=ranks(samples)).enumerate() {
        means += moments(samples, at).0;
        all += rank as f64;
    }
    all / means
}

/// The mean over samples of the sum of i^2 over the sum of i d_i.
fn by_least_squares(samples: &[SizeSample]) -> f64 {
    let of_one = |sample: &SizeSample| {
        let (mut squares, mut products) = (0.0, 0.0);
        for (rank, distance) in (1..).zip(&sample.distances) {
            squares += f64::from(rank * rank);
            products += f64::from(rank) * distance;
        }
        squares / products
    };
    samples.iter().map(of_one).sum::<f64>() / samples.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const ALL: [SizeEstimator; 3] = [
        SizeEstimator::Libp2p,
        SizeEstimator::Ratio,
        SizeEstimator::Mainline,
    ];

    fn sample(weight: f64, distances: &[f64]) -> SizeSample {
        SizeSample {
            distances: distances.to_vec(),
            weight,
        }
    }

    #[test]
    fn weights_halve_with_each_node_that_is_missing() {
        assert_eq!(sample_weight(20, 20), 1.0);
        assert_eq!(sample_weight(17, 20), 0.125);
        assert_eq!(sample_weight(0, 20), libm::exp2(-20.0));
    }

    /// Computed by hand. Weighted means: (.1 * 3 + .2) / 4 = .125 and (.2 * 3 + .4) / 4 = .25.
    /// Deviations: sqrt(3/16) times the differences .1 and .2.
    #[test]
    fn small_samples() {
        let samples = [sample(3.0, &[0.1, 0.2]), sample(1.0, &[0.2, 0.4])];
        let estimate = |estimator: SizeEstimator| estimator.estimate(&samples).expect("distances");
        // (1 + 2 * 4) / (1 * .125 + 2 * 2 * .25) - 1.
        assert!((estimate(SizeEstimator::Libp2p) - 7.0).abs() < 1e-12);
        assert!((estimate(SizeEstimator::Ratio) - 3.0 / 0.375).abs() < 1e-12);
        // (5 / .5 + 5 / 1) / 2.
        assert!((estimate(SizeEstimator::Mainline) - 7.5).abs() < 1e-12);
    }

    #[test]
    fn nothing_to_estimate_from() {
        for estimator in ALL {
            assert_eq!(estimator.estimate(&[]), None);
            assert_eq!(estimator.estimate(&[sample(1.0, &[])]), None);
            assert_eq!(estimator.estimate(&[sample(1.0, &[0.0, 0.0])]), None);
        }
        let one = [sample(1.0, &[0.1])];
        assert_eq!(SizeEstimator::Libp2p.estimate(&one), None);
        assert_eq!(SizeEstimator::Ratio.estimate(&one), Some(10.0));
        assert_eq!(SizeEstimator::Mainline.estimate(&one), Some(10.0));
    }

    proptest! {
        /// Distances on a line through 0 give its slope, whatever the weights; a factor on all
        /// weights changes nothing; distances half as large are those of twice as many nodes.
        #[test]
        fn invariants(
            slope in 1e-9f64..1e-3,
            lookups in vec((vec(0.5f64..1.5, 20), 0.01f64..1.0), 2..10),
            factor in 0.001f64..1000.0,
        ) {
            let samples = |step: f64, weight: f64| -> Vec<SizeSample> {
                let of = |(noise, own): &(Vec<f64>, f64)| {
                    let ranks = (1..).zip(noise);
                    let distances = ranks.map(|(rank, noise)| f64::from(rank) * step * noise);
                    SizeSample { distances: distances.collect(), weight: own * weight }
                };
                lookups.iter().map(of).collect()
            };
            for estimator in ALL {
                let estimate = |step: f64, weight: f64| estimator.estimate(&samples(step, weight)).expect("distances");
                let n = estimate(slope, 1.0);
                prop_assert!((estimate(slope, factor) - n).abs() < 1e-9 * n);
                // n + 1 = 1 / slope for libp2p.
                let one = if estimator == SizeEstimator::Libp2p { 1.0 } else { 0.0 };
                prop_assert!((estimate(slope / 2.0, 1.0) + one - 2.0 * (n + one)).abs() < 1e-9 * n);
                prop_assert!(n + one > 0.6 / slope && n + one < 2.1 / slope);
            }
            let line: Vec<SizeSample> = lookups.iter().map(|(_, weight)| {
                let distances = (1..=20).map(|rank| f64::from(rank) * slope).collect();
                SizeSample { distances, weight: *weight }
            }).collect();
            for estimator in [SizeEstimator::Ratio, SizeEstimator::Mainline] {
                let n = estimator.estimate(&line).expect("distances");
                prop_assert!((n * slope - 1.0).abs() < 1e-9);
            }
        }
    }
}
