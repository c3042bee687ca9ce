//! Latencies of all pairs from measured round-trip times: directions, and gaps that are filled.

use super::File;
use crate::underlay::pairwise::Matrix;

/// The latencies of the pairs of `hosts` hosts with the round-trip times `rtt`, row by row, and the
/// number of pairs without a measurement. NaN, 0 and the diagonal are no measurements. `None` if no
/// pair has a measurement.
///
/// O(n^2), and O(n) for each pair that is not measured in either direction.
pub(super) fn complete(
    hosts: usize,
    mut rtt: Vec<f64>,
    file: &File,
    notes: &mut Vec<String>,
) -> Option<(Matrix, usize)> {
    let n = hosts;
    let micros = file.rtt_unit().micros();
    // Infinite where there is no measurement: sums and minima then need no branch.
    for entry in &mut rtt {
        // A measured round-trip time is never 0.
        if entry.is_nan() || *entry == 0.0 {
            *entry = f64::INFINITY;
        }
    }
    let (mut other_way, mut asymmetric, mut missing, mut largest_gap) = (0, 0, 0, 0f64);
    let mut known = Vec::new();
    for high in 0..n {
        rtt[high * n + high] = f64::INFINITY;
        for low in 0..high {
            let (there, back) = (high * n + low, low * n + high);
            let (a, b) = (rtt[there], rtt[back]);
            match (a.is_finite(), b.is_finite()) {
                (true, true) => {
                    if a != b {
                        asymmetric += 1;
                        largest_gap = largest_gap.max((a - b).abs());
                    }
                    if file.asymmetric {
                        known.extend([a, b]);
                        continue;
                    }
                    let mean = f64::midpoint(a, b);
                    (rtt[there], rtt[back]) = (mean, mean);
                    known.push(mean);
                }
                (false, false) => missing += 1,
                _ => {
                    other_way += 1;
                    let one = a.min(b);
                    (rtt[there], rtt[back]) = (one, one);
                    known.push(one);
                }
            }
        }
    }
    let median = median(&mut known)?;
    let pairs = n * (n - 1) / 2;
    let mut filled = rtt.clone();
    let (mut over_third, mut by_median) = (0, 0);
    // By columns, for latencies that differ by direction.
    let columns = if file.asymmetric && missing > 0 {
        transposed(n, &rtt)
    } else {
        Vec::new()
    };
    let columns = if file.asymmetric { &columns } else { &rtt };
    for high in 0..n {
        for low in 0..high {
            if rtt[high * n + low].is_finite() {
                continue;
            }
            let mut is_over_third = false;
            // Both directions are equal unless each is kept.
            let both = [(high, low), (low, high)];
            for (from, to) in both.into_iter().take(1 + usize::from(file.asymmetric)) {
                let first = &rtt[from * n..(from + 1) * n];
                let second = &columns[to * n..(to + 1) * n];
                let ways = first
                    .iter()
                    .zip(second)
                    .map(|(first, second)| first + second);
                let best = ways.fold(f64::INFINITY, f64::min);
                is_over_third |= best.is_finite();
                filled[from * n + to] = if best.is_finite() { best } else { median };
            }
            if is_over_third {
                over_third += 1;
            } else {
                by_median += 1;
            }
        }
    }
    if other_way > 0 {
        notes.push(format!(
            "RTT matrix: {other_way} entries missing, filled with those of the other direction"
        ));
    }
    if missing > 0 {
        notes.push(format!(
            "RTT matrix: {missing} of {pairs} pairs missing, {over_third} filled with the best \
             way over a third host, {by_median} with the median"
        ));
    }
    if asymmetric > 0 {
        let taken = if file.asymmetric {
            "each is kept"
        } else {
            "their mean is taken"
        };
        notes.push(format!(
            "RTT matrix: {asymmetric} of {pairs} pairs differ by direction, by up to {:.3} ms; \
             {taken}",
            largest_gap * micros / 1e3
        ));
    }
    let one_way = |rtt: f64| (libm::round(rtt * micros / 2.0) as u32).max(1);
    if file.asymmetric {
        let matrix = Matrix::directed(n, filled.into_iter().map(one_way).collect());
        return Some((matrix, missing));
    }
    let below = (0..n).flat_map(|high| &filled[high * n..high * n + high]);
    let matrix = Matrix::new(n, below.map(|rtt| one_way(*rtt)).collect());
    Some((matrix, missing))
}

/// The median; `None` if there are no values.
fn median(known: &mut [f64]) -> Option<f64> {
    known.sort_unstable_by(f64::total_cmp);
    let middle = known.len() / 2;
    let upper = *known.get(middle)?;
    Some(if known.len() % 2 == 1 {
        upper
    } else {
        f64::midpoint(known[middle - 1], upper)
    })
}

fn transposed(n: usize, rtt: &[f64]) -> Vec<f64> {
    (0..n * n)
        .map(|place| rtt[place % n * n + place / n])
        .collect()
}
