//! Binomial random numbers from random bits alone: exact, and without a function that differs
//! between platforms.

use dhtlab_core::engine::Stream;
use rand::Rng;

/// How many of `count` numbers drawn uniformly from `[0, 1)` lie below `p / 2^64`.
///
/// The numbers are compared with the threshold together, bit by bit from the most significant one.
/// Those whose bit equals the threshold's stay undecided, half of them in each step. This takes
/// about `2 count / 64` words and log2 `count` steps.
pub fn binomial(stream: &mut Stream, count: u32, p: u64) -> u32 {
    let (mut below, mut undecided, mut rest) = (0, count, p);
    while undecided > 0 && rest != 0 {
        let ones = coins(stream, undecided);
        if rest >> 63 == 1 {
            below += undecided - ones;
            undecided = ones;
        } else {
            undecided -= ones;
        }
        rest <<= 1;
    }
    below
}

/// The number of heads among `count` fair coins.
fn coins(stream: &mut Stream, count: u32) -> u32 {
    let mut heads = 0;
    for _ in 0..count / 64 {
        heads += stream.next_u64().count_ones();
    }
    match count % 64 {
        0 => heads,
        left => heads + (stream.next_u64() >> (64 - left)).count_ones(),
    }
}

/// The fraction `part / whole` in units of 2^-64; `part` is less than `whole`, and `whole` at
/// most 2^64.
pub fn fraction(part: u128, whole: u128) -> u64 {
    debug_assert!(part < whole && whole <= 1 << 64);
    ((part << 64) / whole) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use dhtlab_core::engine::Seed;

    /// 40,000 draws each: mean and variance within 4.5 standard errors; the fourth central moment
    /// of a binomial is at most 3 variances squared plus the variance, which bounds the error of
    /// the variance. The seed is fixed.
    #[test]
    fn mean_and_variance_are_those_of_the_binomial() {
        let draws = 40_000;
        for (place, (n, q)) in [(1, 0.3), (7, 0.5), (100, 0.01), (100, 0.77), (1000, 0.999)]
            .into_iter()
            .enumerate()
        {
            let mut stream = Seed::new(3).stream("binomial", place as u64);
            let p = (q * 2f64.powi(64)) as u64;
            let (mut sum, mut squares) = (0.0, 0.0);
            for _ in 0..draws {
                let x = f64::from(binomial(&mut stream, n, p));
                sum += x;
                squares += x * x;
            }
            let (n, times) = (f64::from(n), f64::from(draws));
            let (mean, variance) = (n * q, n * q * (1.0 - q));
            let found = sum / times;
            assert!(
                (found - mean).abs() < 4.5 * (variance / times).sqrt(),
                "{n} {q}: {found}"
            );
            let spread = squares / times - found * found;
            let error = ((2.0 * variance * variance + variance) / times).sqrt();
            assert!((spread - variance).abs() < 4.5 * error, "{n} {q}: {spread}");
        }
    }

    /// Chi-squared over the 6 outcomes of 5 draws at 1/3, 60,000 times: 20.5 is the point of
    /// 0.1 % at 5 degrees of freedom.
    #[test]
    fn each_outcome_has_its_probability() {
        let mut stream = Seed::new(4).stream("binomial", 0);
        let mut seen = [0.0f64; 6];
        for _ in 0..60_000 {
            seen[binomial(&mut stream, 5, fraction(1, 3)) as usize] += 1.0;
        }
        let expected = [32.0, 80.0, 80.0, 40.0, 10.0, 1.0].map(|ways| ways / 243.0 * 60_000.0);
        let chi: f64 = seen
            .iter()
            .zip(expected)
            .map(|(seen, expected)| (seen - expected).powi(2) / expected)
            .sum();
        assert!(chi < 20.5, "{chi}: {seen:?}");
    }

    #[test]
    fn ends_of_the_range() {
        let mut stream = Seed::new(5).stream("binomial", 0);
        assert_eq!(binomial(&mut stream, 0, u64::MAX), 0);
        assert_eq!(binomial(&mut stream, 1000, 0), 0);
        assert_eq!(binomial(&mut stream, 1000, u64::MAX), 1000);
        assert_eq!(fraction(1, 2), 1 << 63);
        assert_eq!(fraction((1 << 64) - 1, 1 << 64), u64::MAX);
    }
}
