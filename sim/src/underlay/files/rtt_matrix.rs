use super::{Fault, RttUnit, data_lines, last_line};
use crate::underlay::pairwise::Matrix;

/// An entry that stands for no measurement.
pub(super) fn is_missing(word: &str) -> bool {
    matches!(word, "-" | "?" | "*")
}

/// The two measurements of a pair of hosts as they were read, in the unit of the file.
struct Entries {
    hosts: usize,
    /// Row by row; NaN where the measurement is missing.
    rtt: Vec<f64>,
}

impl Entries {
    fn get(&self, from: usize, to: usize) -> Option<f64> {
        Some(self.rtt[from * self.hosts + to]).filter(|rtt| !rtt.is_nan())
    }
}

/// Reads a matrix; see [`Format::RttMatrix`](super::Format::RttMatrix).
///
/// O(n^2), and O(n) for each pair that neither direction has measured.
pub(super) fn read(text: &str, unit: RttUnit, notes: &mut Vec<String>) -> Result<Matrix, Fault> {
    let micros = match unit {
        RttUnit::Seconds => 1e6,
        RttUnit::Milliseconds => 1e3,
        RttUnit::Microseconds => 1.0,
    };
    let entries = parse(text, f64::from(u32::MAX) / micros, notes)?;
    let n = entries.hosts;
    let (mut other_way, mut asymmetric, mut largest_gap) = (0, 0, 0f64);
    // Below the diagonal, row by row; NaN where neither direction was measured.
    let mut known = Vec::with_capacity(n * (n - 1) / 2);
    for high in 0..n {
        for low in 0..high {
            known.push(match (entries.get(high, low), entries.get(low, high)) {
                (Some(a), Some(b)) => {
                    if a != b {
                        asymmetric += 1;
                        largest_gap = largest_gap.max((a - b).abs());
                    }
                    f64::midpoint(a, b)
                }
                (Some(a), None) | (None, Some(a)) => {
                    other_way += 1;
                    a
                }
                (None, None) => f64::NAN,
            });
        }
    }
    let measured = known.iter().filter(|rtt| !rtt.is_nan()).count();
    if measured == 0 {
        return Err(Fault::new(
            last_line(text),
            "no entry off the diagonal is a measurement",
        ));
    }
    let pairs = known.len();
    let (filled, over_third, by_median) = fill(n, &known);
    let missing = pairs - measured;
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
        notes.push(format!(
            "RTT matrix: {asymmetric} of {pairs} pairs differ by direction, by up to {:.3} ms; \
             their mean is taken",
            largest_gap * micros / 1e3
        ));
    }
    let one_way = filled
        .iter()
        .map(|rtt| (libm::round(rtt * micros / 2.0) as u32).max(1));
    Ok(Matrix::new(n, one_way.collect()))
}

/// The entries of the text, none of them above `most`.
fn parse(text: &str, most: f64, notes: &mut Vec<String>) -> Result<Entries, Fault> {
    let mut rtt = Vec::new();
    let (mut hosts, mut rows, mut diagonal) = (0, 0, 0);
    for (line, content) in data_lines(text) {
        let start = rtt.len();
        for word in content.split_whitespace() {
            let column = rtt.len() - start;
            let entry = match word.parse::<f64>() {
                Ok(entry) if (0.0..=most).contains(&entry) => entry,
                Ok(entry) if entry < 0.0 => {
                    let message = format!(
                        "malformed entry \"{word}\" in column {}: a round-trip time cannot be \
                         negative; `-`, `?` or `*` stand for a missing one",
                        column + 1
                    );
                    return Err(Fault::new(line, message));
                }
                Err(_) if is_missing(word) => f64::NAN,
                _ => {
                    let message = format!(
                        "malformed entry \"{word}\" in column {}, expected a round-trip time",
                        column + 1
                    );
                    return Err(Fault::new(line, message));
                }
            };
            if column == rows && entry > 0.0 {
                diagonal += 1;
            }
            // Nobody measures nothing between two hosts.
            rtt.push(if entry == 0.0 { f64::NAN } else { entry });
        }
        let columns = rtt.len() - start;
        if rows == 0 {
            hosts = columns;
        }
        if columns != hosts {
            let message = format!("expected {hosts} columns as in the first row, found {columns}");
            return Err(Fault::new(line, message));
        }
        rows += 1;
        if rows > hosts {
            let message = format!("expected {hosts} rows, as many as columns, found more");
            return Err(Fault::new(line, message));
        }
    }
    if rows < hosts || rows == 0 {
        let message = format!("expected {hosts} rows, as many as columns, found {rows}");
        return Err(Fault::new(last_line(text), message));
    }
    if hosts < 2 {
        return Err(Fault::new(
            last_line(text),
            "expected at least two hosts, found 1",
        ));
    }
    if diagonal > 0 {
        notes.push(format!(
            "RTT matrix: {diagonal} entries on the diagonal are not 0, taken as 0"
        ));
    }
    Ok(Entries { hosts, rtt })
}

/// Fills the pairs that are NaN from those that are not: with the best way over a third host,
/// where there is one, else with the median. Gives how many it filled either way.
fn fill(hosts: usize, known: &[f64]) -> (Vec<f64>, usize, usize) {
    let at = |a: usize, b: usize| {
        let (low, high) = (a.min(b), a.max(b));
        known[high * (high - 1) / 2 + low]
    };
    let mut sorted: Vec<f64> = known.iter().copied().filter(|rtt| !rtt.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    };
    let (mut over_third, mut by_median) = (0, 0);
    let mut filled = known.to_vec();
    let mut place = 0;
    for high in 0..hosts {
        for low in 0..high {
            if known[place].is_nan() {
                let thirds = (0..hosts).filter(|&third| third != low && third != high);
                // `min` of floats skips NaN, which stands for a way that is not there.
                let best = thirds
                    .map(|third| at(low, third) + at(third, high))
                    .fold(f64::INFINITY, f64::min);
                if best.is_finite() {
                    over_third += 1;
                    filled[place] = best;
                } else {
                    by_median += 1;
                    filled[place] = median;
                }
            }
            place += 1;
        }
    }
    (filled, over_third, by_median)
}
