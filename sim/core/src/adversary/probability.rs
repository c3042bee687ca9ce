//! Probability of a mash: the equations of the published paper on the Sybil attack, and extensions.
//!
//! n nodes and k Sybil keys are uniform on the ring and independent. Clockwise from a node the
//! other n + k - 1 are in random order, so the next one is a Sybil with probability k/(n + k - 1):
//! **Equation 2** of the paper, which is exact. A gap between two random nodes is itself random,
//! and this is the mean over gaps:
//!
//! * **Equation 1**, k/n, is its limit for few keys.
//! * **Equal gaps**, 1 - (1 - 1/n)^k, also in the text, assumes that every gap is 1/n of the ring
//!   and overestimates: with k = n, 0.63 instead of 0.5.
//!
//! # Deviation of one network from the mean
//!
//! All ways to put k Sybils into n gaps are equally likely (Bose-Einstein statistics), so the
//! number of gaps with a Sybil is hypergeometric: k are drawn of n + k - 1, of which n are marked
//! (Feller, An Introduction to Probability Theory and Its Applications, volume I, chapter II). Its
//! variance gives [`deviation`].
//!
//! Trials on *one* network are not independent. Two of them may choose the same gap, and a network
//! whose gaps happen to be uneven is harder to mash everywhere: [`deviation_of_trials`].

/// Equation 2: the probability that a link of `nodes` nodes is occluded by `sybils` keys.
pub fn occluded(nodes: f64, sybils: f64) -> f64 {
    sybils / (nodes + sybils - 1.0)
}

/// Equation 1: k/n, at most 1.
pub fn occluded_if_few(nodes: f64, sybils: f64) -> f64 {
    (sybils / nodes).min(1.0)
}

/// The result for equal gaps: 1 - (1 - 1/n)^k.
pub fn occluded_if_equal(nodes: f64, sybils: f64) -> f64 {
    -libm::expm1(sybils * libm::log1p(-1.0 / nodes))
}

/// Standard deviation of the fraction of occluded gaps in one network.
pub fn deviation(nodes: f64, sybils: f64) -> f64 {
    libm::sqrt(variance(nodes, sybils))
}

fn variance(n: f64, k: f64) -> f64 {
    let others = n + k - 1.0;
    if others <= 1.0 {
        return 0.0;
    }
    k * (k - 1.0) * (n - 1.0) / (n * others * others * (others - 1.0))
}

/// Standard deviation of the success rate of `trials` mashes of random gaps, spread evenly over
/// `networks` networks.
///
/// Given a network, a trial succeeds with probability p', the fraction of its occluded gaps. The
/// variance of the rate is (p(1 - p) - v)/trials + v/networks, where v is the variance of p'. On
/// one network it does not fall below v, however many trials there are.
pub fn deviation_of_trials(nodes: f64, sybils: f64, trials: f64, networks: f64) -> f64 {
    let (p, v) = (occluded(nodes, sybils), variance(nodes, sybils));
    libm::sqrt((p * (1.0 - p) - v).max(0.0) / trials + v / networks)
}

/// Mean number of tries of a search through `sybils` keys that ends at the first success: the sum
/// over j < k of (n - 1)/(n - 1 + j), the probability that the first j keys fail. O(k).
pub fn tries(nodes: f64, sybils: u64) -> f64 {
    let others = nodes - 1.0;
    (0..sybils).map(|j| others / (others + j as f64)).sum()
}

/// Number of addresses with `ports` ports each that occlude half of the links of `nodes` nodes:
/// Equation 2 is one half at n - 1 keys.
pub fn addresses_for_half(nodes: u64, ports: u32) -> u64 {
    (nodes - 1).div_ceil(u64::from(ports))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every one of the C(n + k - 1, k) ways to put k Sybils into n gaps, equally likely.
    #[test]
    fn the_moments_are_those_of_all_ways() {
        for (n, k) in [(2, 1), (2, 5), (4, 3), (5, 6)] {
            let mut parts: Vec<f64> = Vec::new();
            ways(n, k, 0, &mut |gaps| {
                parts.push(f64::from(gaps) / f64::from(n));
            });
            let count = parts.len() as f64;
            let mean = parts.iter().sum::<f64>() / count;
            let variance = parts.iter().map(|p| (p - mean) * (p - mean)).sum::<f64>() / count;
            let (n, k) = (f64::from(n), f64::from(k));
            assert!((occluded(n, k) - mean).abs() < 1e-12, "{n} {k}");
            assert!((deviation(n, k) - variance.sqrt()).abs() < 1e-12, "{n} {k}");
        }
    }

    /// Calls `tell` for each way with the number of gaps that hold a Sybil.
    fn ways(gaps: u32, sybils: u32, occupied: u32, tell: &mut impl FnMut(u32)) {
        if gaps == 1 {
            return tell(occupied + u32::from(sybils > 0));
        }
        for here in 0..=sybils {
            ways(
                gaps - 1,
                sybils - here,
                occupied + u32::from(here > 0),
                tell,
            );
        }
    }

    #[test]
    fn what_is_published() {
        // Slides: 1221 addresses of 16,383 ports for half the links of 20,000,000 nodes.
        assert_eq!(addresses_for_half(20_000_000, 16383), 1221);
        assert!(occluded(20e6, 1220.0 * 16383.0) < 0.5);
        assert!(occluded(20e6, 1221.0 * 16383.0) > 0.5);
        assert!((occluded_if_equal(1000.0, 1000.0) - 0.632_304_575).abs() < 1e-9);
        assert_eq!(occluded_if_few(10.0, 70.0), 1.0);
        // One node of two is met at the j-th try with probability 1/j(j + 1): harmonic numbers.
        assert!((tries(2.0, 4) - (1.0 + 1.0 / 2.0 + 1.0 / 3.0 + 1.0 / 4.0)).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn more_trials_help_only_so_far(n in 2f64..1e6, k in 1f64..1e6, trials in 1f64..1e6) {
            let p = occluded(n, k);
            let one = deviation_of_trials(n, k, 1.0, 1.0);
            prop_assert!((one - libm::sqrt(p * (1.0 - p))).abs() < 1e-9);
            let many = deviation_of_trials(n, k, trials, 1.0);
            prop_assert!(many >= deviation(n, k) - 1e-12 && many <= one + 1e-12);
            prop_assert!(deviation_of_trials(n, k, trials, trials) <= many + 1e-12);
            // The result for equal gaps lies between the two others.
            let equal = occluded_if_equal(n, k);
            prop_assert!(p <= equal + 1e-9 && equal <= occluded_if_few(n, k) + 1e-9);
        }
    }
}
