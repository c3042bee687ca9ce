//! How far the common prefix lengths of the nodes found nearest to a key are from those of an honest
//! network: the detector of Sybils around a key of Sridhar and others, "Content censorship in the
//! InterPlanetary File System" (NDSS 2024).
//!
//! Of n nodes with uniform IDs, B of at least x common bits with a key are binomial with n and 2^-x,
//! and min(k, B) of them are among its k nearest. So the expected fraction of these with exactly x
//! common bits is q(x) = (E min(k, B(x)) - E min(k, B(x + 1))) / k, which is the paper's mean over i < k
//! of P(B(x + 1) <= i) - P(B(x) <= i).

use crate::space::Key;

/// The distribution of the common prefix lengths of the `closest` nodes nearest to a key.
#[derive(Clone, Debug)]
pub struct PrefixModel {
    /// The natural logarithm of the probability of each length below [`Key::BITS`].
    logarithms: Vec<f64>,
}

impl PrefixModel {
    /// The distribution for `nodes` nodes with uniform IDs and the `closest` nearest ones.
    ///
    /// `nodes` may be an estimate that is not whole; one below `closest` counts as `closest`, as so
    /// many nodes are found. O(closest) for each of the 160 lengths. The relative error of a
    /// probability is below 10^-9 up to 10^7 nodes.
    ///
    /// # Panics
    /// If `closest` is 0.
    pub fn new(nodes: f64, closest: usize) -> Self {
        assert!(closest > 0, "a node must be found");
        let nodes = nodes.max(closest as f64);
        let found: Vec<Found> = (0..=Key::BITS)
            .map(|bits| Found::new(nodes, closest, bits))
            .collect();
        let scale = libm::log(closest as f64);
        let logarithms = found
            .windows(2)
            .map(|pair| log_difference(pair[0], pair[1], closest as f64) - scale)
            .collect();
        Self { logarithms }
    }

    /// The probability that one of the found nodes shares exactly the first `bits` < 160 bits with the
    /// key.
    pub fn probability(&self, bits: u32) -> f64 {
        libm::exp(self.logarithms[bits as usize])
    }

    /// The Kullback-Leibler divergence of `counts` from the model, in nats: the sum over the lengths
    /// x in `cells` of p(x) ln(p(x) / q(x)), where p(x) is the share of `counts[x]` among all counts.
    /// Empty cells add nothing, nothing is smoothed, and without any count it is 0.
    ///
    /// It is not negative if `cells` holds all counts.
    pub fn divergence(&self, counts: &[u32], cells: std::ops::RangeInclusive<u32>) -> f64 {
        let all: u32 = counts.iter().sum();
        let of_cell = |bits: u32| {
            let count = counts.get(bits as usize).copied().unwrap_or(0);
            let share = f64::from(count) / f64::from(all);
            (count > 0).then(|| share * (libm::log(share) - self.logarithms[bits as usize]))
        };
        cells.filter_map(of_cell).sum()
    }
}

/// The number of `ids` by their common prefix lengths with `key`. A node at the key itself counts among
/// those of all bits but the last.
pub fn prefix_counts(key: &Key, ids: impl IntoIterator<Item = Key>) -> Vec<u32> {
    let mut counts = vec![0; Key::BITS as usize];
    for id in ids {
        let bits = key.common_prefix(id).min(Key::BITS - 1);
        counts[bits as usize] += 1;
    }
    counts
}

/// The expected number of found nodes with at least so many common bits, min(k, B).
#[derive(Clone, Copy)]
enum Found {
    /// The expectation itself, if fewer than k nodes have so many bits on average.
    Few(f64),
    /// The natural logarithm of k minus the expectation: it may be too small for a number.
    Most(f64),
}

impl Found {
    fn new(nodes: f64, closest: usize, bits: u32) -> Self {
        let p = libm::exp2(-f64::from(bits));
        // Of all nodes k are found.
        if bits == 0 {
            return Self::Most(f64::NEG_INFINITY);
        }
        let (mean, k) = (nodes * p, closest as f64);
        // ln of the probability that exactly k - 1 nodes have so many bits.
        let ways: f64 = (0..closest - 1)
            .map(|i| libm::log((nodes - i as f64) / (i + 1) as f64))
            .sum();
        let others = nodes - (k - 1.0);
        let last = ways + (k - 1.0) * libm::log(p) + others * libm::log1p(-p);
        // The probability of m over that of m - 1.
        let ratio = |m: f64| (nodes - m + 1.0) / m * p / (1.0 - p);
        if mean < k {
            // E (B - k)+, from m = k + 1 on. The terms fall once m exceeds the mean.
            let (mut term, mut excess, mut m) = (libm::exp(last) * ratio(k), 0.0, k + 1.0);
            loop {
                term *= ratio(m);
                let next = term * (m - k);
                if m > nodes || next <= excess * f64::EPSILON / 16.0 {
                    return Self::Few(mean - excess);
                }
                excess += next;
                m += 1.0;
            }
        }
        // E (k - B)+, from m = k - 1 down to 0.
        let (mut term, mut lack) = (1.0, 0.0);
        for m in (0..closest).rev() {
            lack += term * (closest - m) as f64;
            term /= ratio(m as f64);
        }
        Self::Most(last + libm::log(lack))
    }
}

/// The logarithm of the difference of two expectations, the first of which is not smaller.
fn log_difference(more: Found, fewer: Found, k: f64) -> f64 {
    match (more, fewer) {
        (Found::Few(more), Found::Few(fewer)) => libm::log(more - fewer),
        (Found::Most(lack), Found::Few(fewer)) => libm::log(k - libm::exp(lack) - fewer),
        (Found::Most(less), Found::Most(lack)) => lack + libm::log1p(-libm::exp(less - lack)),
        (Found::Few(_), Found::Most(_)) => unreachable!("the mean falls with the length"),
    }
}

/// The least common prefix length of the region that the mitigation searches, which holds `closest` to
/// twice as many nodes on average: ceil(log2(nodes / closest)) - 1, at least 0.
pub fn region_prefix(nodes: f64, closest: usize) -> u32 {
    let bits = libm::ceil(libm::log2(nodes / closest as f64)) - 1.0;
    // A negative number becomes 0.
    bits as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// q(x) by the paper's formula, summed term by term with plain powers.
    fn by_definition(n: i32, k: i32, x: i32) -> f64 {
        let at_most = |i: i32, x: i32| -> f64 {
            let p = 0.5_f64.powi(x + 1);
            let mut ways = 1.0;
            let mut sum = 0.0;
            for j in 0..=i.min(n) {
                sum += ways * p.powi(j) * (1.0 - p).powi(n - j);
                ways *= f64::from(n - j) / f64::from(j + 1);
            }
            sum
        };
        let below = |i: i32| if x == 0 { 0.0 } else { at_most(i, x - 1) };
        (0..k).map(|i| at_most(i, x) - below(i)).sum::<f64>() / f64::from(k)
    }

    #[test]
    fn the_model_is_the_papers() {
        for (n, k) in [
            (20, 20),
            (21, 20),
            (100, 20),
            (1000, 20),
            (25_000, 20),
            (5, 1),
            (500, 3),
        ] {
            let model = PrefixModel::new(f64::from(n), k as usize);
            for x in 0..40 {
                let (found, expected) = (model.probability(x as u32), by_definition(n, k, x));
                // The definition subtracts powers of the order n of numbers near 1.
                let error = 1e-9 * expected + 1e-13 + f64::from(n) * f64::EPSILON;
                assert!(
                    (found - expected).abs() < error,
                    "{n} {k} {x}: {found} {expected}"
                );
            }
        }
    }

    /// The nearest node, k = 1: no node of x + 1 bits, (1 - 2^-(x+1))^n - (1 - 2^-x)^n; and the tail,
    /// where each node of n is alone: n 2^-(x+1) / k.
    #[test]
    fn closed_forms() {
        let model = PrefixModel::new(1e7, 1);
        for x in 15..40 {
            let at = |bits: i32| libm::exp(1e7 * libm::log1p(-libm::exp2(f64::from(-bits))));
            let expected = at(x + 1) - at(x);
            let found = model.probability(x as u32);
            assert!((found - expected).abs() < 1e-9 * expected + 1e-15, "{x}");
        }
        let model = PrefixModel::new(1e7, 20);
        let deep = 1e7 * libm::exp2(-120.0) / 20.0;
        assert!((model.probability(119) / deep - 1.0).abs() < 1e-9);
        // At x = 0 the probability is too small for a number, and its logarithm is that of 19 nodes
        // of one bit: 10^7 ln(1/2) + ln C(10^7, 19) - ln 20 and 1e-6.
        let ways: f64 = (0..19)
            .map(|i| libm::log((1e7 - f64::from(i)) / f64::from(i + 1)))
            .sum();
        let expected = 1e7 * libm::log(0.5) + ways - libm::log(20.0);
        assert!((model.logarithms[0] - expected).abs() < 1e-5);
        assert_eq!(model.probability(0), 0.0);
    }

    #[test]
    fn divergences_by_hand() {
        let model = PrefixModel::new(1000.0, 20);
        let q = |x: u32| model.probability(x);
        let mut counts = [0; 12];
        (counts[5], counts[6]) = (15, 5);
        let (five, six) = (0.75 * libm::log(0.75 / q(5)), 0.25 * libm::log(0.25 / q(6)));
        assert!((model.divergence(&counts, 0..=159) - five - six).abs() < 1e-12);
        assert!((model.divergence(&counts, 6..=29) - six).abs() < 1e-12);
        assert_eq!(model.divergence(&counts, 7..=29), 0.0);
        assert_eq!(model.divergence(&[], 0..=159), 0.0);
    }

    #[test]
    fn regions_of_twenty_to_forty_nodes() {
        for (nodes, bits) in [
            (18_000.0, 9),
            (16_000.0, 9),
            (20_481.0, 10),
            (40.0, 0),
            (41.0, 1),
            (3.0, 0),
        ] {
            assert_eq!(region_prefix(nodes, 20), bits, "{nodes}");
        }
    }

    proptest! {
        #[test]
        fn probabilities_add_up_and_rise_and_fall(nodes in 20f64..1e7, closest in 1usize..=20) {
            let model = PrefixModel::new(nodes, closest);
            let all: Vec<f64> = (0..Key::BITS).map(|x| model.probability(x)).collect();
            prop_assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let most = all.iter().cloned().fold(0.0, f64::max);
            let peak = all.iter().position(|q| *q == most).expect("a largest");
            prop_assert!(all[..=peak].is_sorted());
            prop_assert!(all[peak..].is_sorted_by(|a, b| a >= b));
            prop_assert!(model.logarithms.iter().all(|q| q.is_finite()));
        }

        /// Never negative over all lengths, and larger if all nodes share one length than if they are
        /// spread as the model has it.
        #[test]
        fn divergences_are_not_negative(
            nodes in 20f64..1e6, counts in proptest::collection::vec(0u32..5, 1..60),
        ) {
            let model = PrefixModel::new(nodes, 20);
            prop_assert!(model.divergence(&counts, 0..=159) >= -1e-12);
            let model_counts: Vec<u32> = (0..60).map(|x| (1e6 * model.probability(x)) as u32).collect();
            prop_assert!(model.divergence(&model_counts, 0..=159) < 1e-3);
        }

        #[test]
        fn a_region_holds_closest_to_twice_as_many(nodes in 20f64..1e9, closest in 1usize..=20) {
            let held = nodes * libm::exp2(-f64::from(region_prefix(nodes, closest)));
            prop_assert!(held >= closest as f64 * (1.0 - 1e-12));
            prop_assert!(held <= 2.0 * closest as f64 * (1.0 + 1e-12));
        }
    }
}
