//! K-means (Lloyd, IEEE Transactions on Information Theory 28(2), 1982): points in a plane, one per line
//! as `x y`. Each point belongs to the nearest centre, and a centre moves to the mean of its points.

use super::{Records, fields, number, to_fixed};

/// The centres: x and y.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Centres(Vec<[f64; 2]>);

/// Coordinates in fixed point: 2^-64 is the unit of the last place.
const UNIT: f64 = 18_446_744_073_709_551_616.0;

/// Sums of a centre: x, y and the number of points.
const SUMS: [u8; 3] = [b'x', b'y', b'n'];

/// The point of a line; `None` if there is none.
fn point(line: &[u8]) -> Option<[f64; 2]> {
    let mut fields = fields(line).map(number);
    match [fields.next(), fields.next(), fields.next()] {
        [Some(Some(x)), Some(Some(y)), None] => Some([x, y]),
        _ => None,
    }
}

/// The first `count` distinct points of the files; fewer if there are fewer. O(n count) for n points.
pub(super) fn first_centres(files: &[impl AsRef<[u8]>], count: usize) -> Centres {
    let lines = files
        .iter()
        .flat_map(|file| file.as_ref().split(|byte| *byte == b'\n'));
    let mut centres = Vec::new();
    for point in lines.filter_map(point) {
        if centres.len() == count {
            break;
        }
        if !centres.contains(&point) {
            centres.push(point);
        }
    }
    Centres(centres)
}

impl Centres {
    /// Reads the file of a round.
    pub(super) fn read(file: &[u8]) -> Option<Self> {
        let lines = file.split(|byte| *byte == b'\n').filter(|l| !l.is_empty());
        lines.map(point).collect::<Option<_>>().map(Self)
    }

    /// The file of a round: numbers are written so that they are read back exactly.
    pub(super) fn to_file(&self) -> Vec<u8> {
        let line = |[x, y]: &[f64; 2]| format!("{x} {y}\n");
        self.0.iter().map(line).collect::<String>().into_bytes()
    }

    pub(super) fn rows(&self) -> Vec<(String, String)> {
        let row = |(place, [x, y]): (usize, &[f64; 2])| (place.to_string(), format!("{x} {y}"));
        self.0.iter().enumerate().map(row).collect()
    }

    fn key(centre: usize, sum: u8) -> [u8; 5] {
        let [a, b, c, d] = (centre as u32).to_be_bytes();
        [a, b, c, d, sum]
    }

    /// Adds the point of a line to the sums of its centre: of equally near ones the first. O(k) for k
    /// centres.
    pub(super) fn emit(&self, line: &[u8], into: &mut Records) {
        let Some([x, y]) = point(line) else {
            return;
        };
        let squared = |[a, b]: &[f64; 2]| (x - a) * (x - a) + (y - b) * (y - b);
        let nearest =
            (0..self.0.len()).min_by(|i, j| squared(&self.0[*i]).total_cmp(&squared(&self.0[*j])));
        if let Some(centre) = nearest {
            let values = [to_fixed(x, UNIT), to_fixed(y, UNIT), 1];
            for (sum, value) in SUMS.into_iter().zip(values) {
                into.add(&Self::key(centre, sum), value);
            }
        }
    }

    /// The means of the points of each centre, and the largest move. A centre without points stays.
    pub(super) fn advance(&self, sums: &Records) -> (Self, f64) {
        let mean = |(centre, old): (usize, &[f64; 2])| {
            let [x, y, n] = SUMS.map(|sum| sums.count_of(&Self::key(centre, sum)));
            match n {
                0 => *old,
                _ => [x, y].map(|sum| sum as f64 / UNIT / n as f64),
            }
        };
        let next: Vec<[f64; 2]> = self.0.iter().enumerate().map(mean).collect();
        let pairs = self.0.iter().zip(&next);
        let moves = pairs.map(|(old, new)| libm::hypot(old[0] - new[0], old[1] - new[1]));
        let largest = moves.fold(0.0, f64::max);
        (Self(next), largest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Iteration, IterationParameters};
    use super::*;
    use crate::engine::Seed;
    use crate::service::file_job::{FileTask, Mapper};
    use proptest::prelude::*;

    proptest! {
        /// The centres are those of Lloyd's algorithm in floating point, to 12 digits.
        #[test]
        fn centres_are_those_of_a_plain_program(
            points in prop::collection::vec((-9.0..9.0_f64, 100.0..200.0_f64), 5..60),
            clusters in 1usize..5,
        ) {
            let lines = points.iter().map(|(x, y)| format!("{x} {y}\n"));
            let file = [lines.collect::<String>()];
            let parameters = IterationParameters { clusters, rounds: 4, ..Default::default() };
            let start = Iteration::start(FileTask::KMeans, &parameters, &file);
            let iteration = Iteration { parameters, seed: Seed::new(1), start };
            let task = FileTask::KMeans;
            let (rows, rounds) = Mapper { task, pattern: vec![], iteration }.plain_rows(&file, &[]);
            let mut centres: Vec<(f64, f64)> = points[..clusters].to_vec();
            for _ in 0..rounds {
                let mut sums = vec![(0.0, 0.0, 0.0); clusters];
                for (x, y) in &points {
                    let far = |c: &(f64, f64)| (x - c.0).powi(2) + (y - c.1).powi(2);
                    let mut best = 0;
                    for i in 1..clusters {
                        if far(&centres[i]) < far(&centres[best]) {
                            best = i;
                        }
                    }
                    sums[best].0 += x;
                    sums[best].1 += y;
                    sums[best].2 += 1.0;
                }
                for (centre, (x, y, n)) in centres.iter_mut().zip(sums) {
                    if n > 0.0 {
                        *centre = (x / n, y / n);
                    }
                }
            }
            prop_assert_eq!(rows.len(), clusters);
            for ((_, row), (x, y)) in rows.iter().zip(centres) {
                let [a, b] = point(row.as_bytes()).expect("a point");
                prop_assert!((a - x).abs() < 1e-11 && (b - y).abs() < 1e-10, "{} {} {}", row, x, y);
            }
        }
    }

    #[test]
    fn what_is_no_point_is_passed_over() {
        for line in ["", "# 1 2", "1", "1 2 3", "1 x", "1 nan", "1 inf"] {
            assert_eq!(point(line.as_bytes()), None, "{line}");
        }
        assert_eq!(point(b" 1\t-2.5e1 "), Some([1.0, -25.0]));
        let centres = first_centres(&["x\n1 2\n1 2\n", "3 4\n5 6"], 2);
        assert_eq!(centres, Centres(vec![[1.0, 2.0], [3.0, 4.0]]));
        assert_eq!(Centres::read(&centres.to_file()), Some(centres.clone()));
        // A centre without points stays.
        assert_eq!(centres.advance(&Records::default()), (centres, 0.0));
    }
}
