//! The histogram that several experiments write, and its statistics.

use dhtlab_scenario::{Cell, Column, TableRows};

/// The columns of a table of counts.
pub const HISTOGRAM: &[Column] = COLUMNS;

dhtlab_scenario::columns! {
    pub(crate) COLUMNS, fn histogram_row(of: &'static str, its: Cell, times: u64) {
        /// Name of the quantity.
        quantity ["text"] = of,
        /// Value, in the unit that the name of the quantity states. Real values are truncated to two
        /// leading digits, those of a job to tenths.
        value [""] = its,
        /// Number of times that the quantity has this value.
        count [""] = times,
    }
}

/// The counts by value of some `values`.
pub fn histogram_of(values: impl IntoIterator<Item = usize>) -> Vec<u64> {
    let mut counts = Vec::new();
    for value in values {
        if counts.len() <= value {
            counts.resize(value + 1, 0);
        }
        counts[value] += 1;
    }
    counts
}

/// Mean of the values of a histogram, given as counts by value.
pub fn mean(counts: &[u64]) -> f64 {
    let total: u64 = counts.iter().sum();
    let sum: u64 = counts
        .iter()
        .enumerate()
        .map(|(value, count)| value as u64 * count)
        .sum();
    sum as f64 / total as f64
}

/// The smallest value that at least the fraction `q` of a histogram does not exceed.
pub fn quantile(counts: &[u64], q: f64) -> f64 {
    let total: u64 = counts.iter().sum();
    let rank = libm::ceil(q * total as f64).max(1.0) as u64;
    let mut seen = 0;
    for (value, count) in counts.iter().enumerate() {
        seen += count;
        if seen >= rank {
            return value as f64;
        }
    }
    f64::NAN
}

/// The value of rank `ceil(q n)` among `values`, ascending, each with its count.
pub fn quantile_of_counted(values: &[(f64, u64)], q: f64) -> f64 {
    let total: u64 = values.iter().map(|(_, count)| count).sum();
    let rank = libm::ceil(q * total as f64).max(1.0) as u64;
    let mut seen = 0;
    for (value, count) in values {
        seen += count;
        if seen >= rank {
            return *value;
        }
    }
    f64::NAN
}

/// Mean of values with counts.
pub fn mean_of_counted(values: &[(f64, u64)]) -> f64 {
    let total: u64 = values.iter().map(|(_, count)| count).sum();
    let sum: f64 = values
        .iter()
        .map(|(value, count)| value * *count as f64)
        .sum();
    sum / total as f64
}

/// Adds the rows of a histogram, given as counts by value.
pub fn add_counts(rows: &mut TableRows, quantity: &'static str, counts: &[u64]) {
    let seen = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    let row = |(value, count): (usize, &u64)| histogram_row(quantity, value.into(), *count);
    rows.0.extend(seen.map(row));
}

/// Adds the rows of real values with counts, each at its two leading digits (cut, not rounded) so
/// that the bins of all runs are the same.
pub fn add_binned(rows: &mut TableRows, quantity: &'static str, values: &[(f64, u64)]) {
    let bin = |value: &(f64, u64)| leading_digits(value.0);
    for alike in values.chunk_by(|a, b| bin(a) == bin(b)) {
        let count = alike.iter().map(|(_, count)| count).sum();
        rows.0
            .push(histogram_row(quantity, bin(&alike[0]).into(), count));
    }
}

fn leading_digits(x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    // The factor keeps 0.7, which is slightly smaller in binary, in the bin 0.7.
    let exponent = libm::floor(libm::log10(x * (1.0 + 1e-12))) - 1.0;
    let scale = libm::pow(10.0, libm::fabs(exponent));
    let scaled = if exponent < 0.0 { x * scale } else { x / scale };
    let digits = libm::floor(scaled * (1.0 + 1e-12));
    if exponent < 0.0 {
        digits / scale
    } else {
        digits * scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_bins() {
        assert_eq!(histogram_of([2, 0, 2, 2]), [1, 0, 3]);
        assert_eq!(mean(&[1, 0, 3]), 1.5);
        assert_eq!(quantile(&[1, 0, 3], 0.25), 0.0);
        assert_eq!(quantile(&[1, 0, 3], 0.5), 2.0);
        assert!(quantile(&[], 0.5).is_nan());
        assert_eq!(quantile_of_counted(&[(1.0, 1), (2.0, 3)], 0.25), 1.0);
        assert_eq!(quantile_of_counted(&[(1.0, 1), (2.0, 3)], 0.26), 2.0);
        assert_eq!(mean_of_counted(&[(1.0, 1), (2.0, 3)]), 1.75);
        for (x, bin) in [
            (0.7, 0.7),
            (12.9, 12.0),
            (1.0, 1.0),
            (99.99, 99.0),
            (1234.0, 1200.0),
            (0.0, 0.0),
        ] {
            assert_eq!(leading_digits(x), bin);
        }
    }
}
