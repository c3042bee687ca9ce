//! The statistics of repeated runs and of discrete distributions.
//!
//! ```
//! use dhtlab_analysis::statistics;
//! let hops = [4.0, 5.0, 6.0];
//! assert_eq!(statistics::mean(&hops), Some(5.0));
//! assert_eq!(statistics::standard_deviation(&hops), Some(1.0));
//! ```

use dhtlab_format::figure::Statistic;
use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};

/// The statistics of one metric at one point of the sweep in `summary.csv`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Number of values.
    pub n: usize,
    /// The arithmetic mean.
    pub mean: f64,
    /// The sample standard deviation; `None` for one value.
    pub sd: Option<f64>,
    /// The 95 % confidence interval of the mean; `None` for one value.
    pub interval: Option<(f64, f64)>,
    /// The smallest value.
    pub min: f64,
    /// The median.
    pub median: f64,
    /// The largest value.
    pub max: f64,
}

impl Summary {
    /// The statistics of `values`, or `None` when there are none.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            n: values.len(),
            mean: mean(values)?,
            sd: standard_deviation(values),
            interval: confidence_interval(values),
            min: quantile(values, 0.0)?,
            median: quantile(values, 0.5)?,
            max: quantile(values, 1.0)?,
        })
    }
}

/// The arithmetic mean, or `None` of no values.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let first = values.iter().sum::<f64>() / values.len() as f64;
    // A second pass corrects the rounding of the first; equal values then give exactly that value.
    let rest = values.iter().map(|value| value - first).sum::<f64>() / values.len() as f64;
    Some(first + rest)
}

/// The sample standard deviation (divisor n - 1, two passes), or `None` of fewer than two values.
#[must_use]
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = mean(values)?;
    let squares = values.iter().map(|value| (value - mean).powi(2));
    Some((squares.sum::<f64>() / (values.len() - 1) as f64).sqrt())
}

/// The 95 % confidence interval of the mean by Student's t with n - 1 degrees of freedom, or `None`
/// of fewer than two values.
#[must_use]
pub fn confidence_interval(values: &[f64]) -> Option<(f64, f64)> {
    let mean = mean(values)?;
    let deviation = standard_deviation(values)?;
    let student = StudentsT::new(0.0, 1.0, (values.len() - 1) as f64).ok()?;
    let half = student.inverse_cdf(0.975) * deviation / (values.len() as f64).sqrt();
    Some((mean - half, mean + half))
}

/// The 95 % confidence interval of a proportion of which `n` trials have `successes`, by Wilson's
/// score, or `None` without trials.
///
/// Unlike an interval by Student's t it is within 0 and 1, and not empty for 0 or `n` successes.
///
/// ```
/// use dhtlab_analysis::statistics::wilson_interval;
/// let (low, high) = wilson_interval(10, 10).unwrap();
/// assert!((low - 0.7225).abs() < 1e-4 && high == 1.0);
/// ```
#[must_use]
pub fn wilson_interval(successes: usize, n: usize) -> Option<(f64, f64)> {
    /// The normal quantile at 0.975.
    const Z: f64 = 1.959_963_984_540_054;
    if n == 0 {
        return None;
    }
    let (n, part) = (n as f64, successes as f64 / n as f64);
    let shrunk = 1.0 + Z * Z / n;
    let middle = (part + Z * Z / (2.0 * n)) / shrunk;
    let half = Z / shrunk * (part * (1.0 - part) / n + Z * Z / (4.0 * n * n)).sqrt();
    let low = if part == 0.0 { 0.0 } else { middle - half };
    let high = if part == 1.0 { 1.0 } else { middle + half };
    Some((low, high))
}

/// The 95 % confidence interval of the standard deviation of values with a normal distribution, by
/// the chi-squared distribution with n - 1 degrees of freedom, or `None` of fewer than two values.
#[must_use]
pub fn deviation_interval(values: &[f64]) -> Option<(f64, f64)> {
    let deviation = standard_deviation(values)?;
    let freedom = (values.len() - 1) as f64;
    let chi_squared = ChiSquared::new(freedom).ok()?;
    let bound = |level: f64| deviation * (freedom / chi_squared.inverse_cdf(level)).sqrt();
    Some((bound(0.975), bound(0.025)))
}

/// The quantile of `values` at `level` by linear interpolation between order statistics (type 7 of
/// Hyndman and Fan, the default of R and NumPy).
///
/// `level` outside of 0 to 1 counts as the nearer end. `None` of no values or of a level that is
/// not a number.
#[must_use]
pub fn quantile(values: &[f64], level: f64) -> Option<f64> {
    if values.is_empty() || level.is_nan() {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let position = level.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = position.ceil() as usize;
    let (low, high) = (sorted[below], sorted[above]);
    // Equal ends need no arithmetic, which would add a rounding error.
    if low == high {
        return Some(low);
    }
    Some(low + (high - low) * (position - below as f64))
}

/// The total variation distance of two discrete distributions: half the sum of the absolute
/// differences of their probabilities, from 0 (equal) to 1 (disjoint).
///
/// Each is a list of (value, weight); weights need not add up to 1, values may come in any order and
/// more than once. `None` when one has no weight.
#[must_use]
pub fn total_variation_distance(one: &[(f64, f64)], other: &[(f64, f64)]) -> Option<f64> {
    let differences = probability_differences(one, other)?;
    Some((differences.iter().map(|d| d.abs()).sum::<f64>() / 2.0).min(1.0))
}

/// The Kolmogorov distance of two discrete distributions: the largest absolute difference of their
/// cumulative distribution functions. The arguments are those of [`total_variation_distance`].
#[must_use]
pub fn kolmogorov_distance(one: &[(f64, f64)], other: &[(f64, f64)]) -> Option<f64> {
    let mut sum = 0.0_f64;
    let mut largest = 0.0_f64;
    for difference in probability_differences(one, other)? {
        sum += difference;
        largest = largest.max(sum.abs());
    }
    Some(largest.min(1.0))
}

/// P(one = v) - P(other = v) for every value v that either has, in increasing order of v.
fn probability_differences(one: &[(f64, f64)], other: &[(f64, f64)]) -> Option<Vec<f64>> {
    let total = |weights: &[(f64, f64)]| weights.iter().map(|&(_, weight)| weight).sum::<f64>();
    let (total_one, total_other) = (total(one), total(other));
    if !(total_one > 0.0 && total_other > 0.0) {
        return None;
    }
    let mut masses: Vec<(f64, f64)> = one
        .iter()
        .map(|&(value, weight)| (value, weight / total_one))
        .chain(
            other
                .iter()
                .map(|&(value, weight)| (value, -weight / total_other)),
        )
        .collect();
    masses.sort_by(|a, b| a.0.total_cmp(&b.0));
    Some(
        masses
            .chunk_by(|a, b| a.0 == b.0)
            .map(|same| same.iter().map(|&(_, mass)| mass).sum())
            .collect(),
    )
}

/// The value of a statistic over repetitions, and its interval; `None` without values.
pub fn of(statistic: Statistic, values: &[f64]) -> Option<(f64, Option<(f64, f64)>)> {
    match statistic {
        Statistic::Mean => Some((mean(values)?, confidence_interval(values))),
        Statistic::StandardDeviation => {
            Some((standard_deviation(values)?, deviation_interval(values)))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() <= 1e-9 * (1.0 + left.abs() + right.abs())
    }

    #[test]
    fn mean_and_deviation_by_hand() {
        // Deviations from 5: -3 -1 -1 -1 0 0 2 4; squares add up to 32; 32 / 7.
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(mean(&values), Some(5.0));
        let sd = standard_deviation(&values).unwrap();
        assert!(close(sd, (32.0_f64 / 7.0).sqrt()), "{sd}");
        assert_eq!(mean(&[]), None);
        assert_eq!(standard_deviation(&[1.0]), None);
    }

    #[test]
    fn interval_by_a_table_of_students_t() {
        // t(0.975; 2) = 4.302653, so 2 +- 4.302653 / sqrt(3).
        let (low, high) = confidence_interval(&[1.0, 2.0, 3.0]).unwrap();
        assert!(
            (high - 2.0 - 4.302_652_7 / 3.0_f64.sqrt()).abs() < 1e-6,
            "{high}"
        );
        assert!(close(low + high, 4.0));
        // t(0.975; 9) = 2.262157; the sd of 1..10 is sqrt(55 / 6).
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        let (_, high) = confidence_interval(&values).unwrap();
        let expected = 5.5 + 2.262_157_2 * (55.0_f64 / 6.0).sqrt() / 10.0_f64.sqrt();
        assert!((high - expected).abs() < 1e-6, "{high} {expected}");
        assert_eq!(confidence_interval(&[7.0]), None);
        assert_eq!(confidence_interval(&[7.0, 7.0]), Some((7.0, 7.0)));
    }

    #[test]
    fn proportions_by_known_values() {
        // Newcombe, Statistics in Medicine 1998, table I, method 3.
        for (successes, n, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let found = wilson_interval(successes, n).unwrap();
            assert!(
                (found.0 - low).abs() < 6e-5 && (found.1 - high).abs() < 6e-5,
                "{successes} of {n}: {found:?}"
            );
        }
        assert_eq!(wilson_interval(0, 0), None);
    }

    #[test]
    fn quantiles_of_type_7() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&values, 0.0), Some(1.0));
        assert_eq!(quantile(&values, 0.25), Some(1.75));
        assert_eq!(quantile(&values, 0.5), Some(2.5));
        assert_eq!(quantile(&values, 1.0), Some(4.0));
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&values, f64::NAN), None);
    }

    #[test]
    fn distances_by_hand() {
        let even = [(0.0, 1.0), (1.0, 1.0)];
        let skew = [(1.0, 3.0), (0.0, 1.0)];
        assert_eq!(total_variation_distance(&even, &skew), Some(0.25));
        assert_eq!(kolmogorov_distance(&even, &skew), Some(0.25));
        // A distant swap moves mass, but changes the cumulative functions by less.
        let left = [(0.0, 0.5), (2.0, 0.5)];
        let right = [(1.0, 0.5), (3.0, 0.5)];
        assert_eq!(total_variation_distance(&left, &right), Some(1.0));
        assert_eq!(kolmogorov_distance(&left, &right), Some(0.5));
        assert_eq!(total_variation_distance(&even, &[]), None);
    }

    fn distribution() -> impl Strategy<Value = Vec<(f64, f64)>> {
        prop::collection::vec((0_u8..20, 1_u16..1000), 1..20).prop_map(|pairs| {
            pairs
                .into_iter()
                .map(|(value, weight)| (f64::from(value), f64::from(weight)))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn a_shift_moves_the_mean_alone(
            values in prop::collection::vec(-1e3..1e3_f64, 2..50),
            shift in -1e3..1e3_f64,
        ) {
            let moved: Vec<f64> = values.iter().map(|value| value + shift).collect();
            prop_assert!(close(mean(&moved).unwrap(), mean(&values).unwrap() + shift));
            let (sd, moved_sd) = (
                standard_deviation(&values).unwrap(),
                standard_deviation(&moved).unwrap(),
            );
            prop_assert!(close(sd, moved_sd));
            let (low, high) = confidence_interval(&values).unwrap();
            prop_assert!(low <= mean(&values).unwrap() && mean(&values).unwrap() <= high);
        }

        #[test]
        fn quantiles_grow_with_the_level(
            values in prop::collection::vec(-1e3..1e3_f64, 1..50),
            a in 0.0..1.0_f64,
            b in 0.0..1.0_f64,
        ) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(quantile(&values, low).unwrap() <= quantile(&values, high).unwrap());
            prop_assert!(quantile(&values, 0.0).unwrap() <= mean(&values).unwrap() + 1e-9);
        }

        #[test]
        fn equal_values_do_not_deviate(value in -1e9..1e9_f64, n in 2_usize..30) {
            let values = vec![value; n];
            prop_assert_eq!(mean(&values), Some(value));
            prop_assert_eq!(standard_deviation(&values), Some(0.0));
        }

        #[test]
        fn distances_are_metrics(a in distribution(), b in distribution(), c in distribution()) {
            for distance in [total_variation_distance, kolmogorov_distance] {
                let between = |one: &[_], other: &[_]| distance(one, other).unwrap();
                prop_assert!(between(&a, &a) < 1e-12);
                prop_assert!(close(between(&a, &b), between(&b, &a)));
                prop_assert!(between(&a, &b) <= between(&a, &c) + between(&c, &b) + 1e-12);
                prop_assert!(between(&a, &b) <= 1.0);
            }
            prop_assert!(
                kolmogorov_distance(&a, &b).unwrap()
                    <= total_variation_distance(&a, &b).unwrap() + 1e-12
            );
        }
    }
}
