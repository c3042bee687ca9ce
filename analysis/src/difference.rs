//! The differences between results: of two folders, or of the values of a swept key in one folder.

use std::path::Path;

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::statistics;
use crate::summary::metric_columns;
use crate::table::Table;
use dhtlab_format::Error;
use dhtlab_format::manifest::{self, Manifest};

/// A metric at a point of the sweep in two results.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The swept keys with their values; none if nothing is swept.
    pub point: Vec<(String, String)>,
    /// The name of the metric.
    pub metric: String,
    /// The results that are compared: two folders, or two values of a key.
    pub sides: [String; 2],
    /// Number of values of each side.
    pub n: [usize; 2],
    /// The mean of each side.
    pub means: [f64; 2],
    /// The second mean less the first.
    pub difference: f64,
    /// Its 95 % confidence interval; none with fewer than two values of a side.
    pub interval: Option<(f64, f64)>,
    /// Whether runs of the same seed are compared with each other; runs of other seeds are left out then.
    pub is_paired: bool,
}

impl Difference {
    /// Whether the interval excludes 0. Without an interval nothing is decided.
    pub fn is_significant(&self) -> bool {
        self.interval
            .is_some_and(|(low, high)| low > 0.0 || high < 0.0)
    }
}

/// The differences of the results in `second` from those in `first`, metric by metric at each point that
/// both have.
///
/// # Errors
/// Results that are missing, malformed or were changed; different kinds of experiment; sweeps of
/// different keys.
pub fn of_folders(first: &Path, second: &Path) -> Result<Vec<Difference>, Error> {
    let [one, other] = [first, second].map(Results::read);
    let (one, other) = (one?, other?);
    if one.experiment != other.experiment {
        return Err(Error::Incomparable {
            path: second.to_owned(),
            why: format!(
                "its experiment is `{}`, that of {} is `{}`",
                other.experiment,
                first.display(),
                one.experiment
            ),
        });
    }
    let mut keys = one.swept.clone();
    keys.sort_unstable();
    let mut others = other.swept.clone();
    others.sort_unstable();
    if keys != others {
        return Err(Error::Incomparable {
            path: second.to_owned(),
            why: format!(
                "its sweep is of {}, that of {} of {}",
                listed(&others),
                first.display(),
                listed(&keys)
            ),
        });
    }
    let sides = [(&one, first), (&other, second)];
    let sides = sides.map(|(results, folder)| Side {
        label: folder.display().to_string(),
        rows: results.rows_by_point(&one.swept, |_| true),
        results,
    });
    sides[0].differences(&sides[1], &one.swept)
}

/// The differences of the other values of the swept key `by` from its first value, in the results in
/// `folder`, at each point of the other keys.
///
/// # Errors
/// Results that are missing, malformed or were changed; a key that is not swept.
pub fn by_key(folder: &Path, by: &str) -> Result<Vec<Difference>, Error> {
    let results = Results::read(folder)?;
    if !results.swept.iter().any(|key| key == by) {
        return Err(Error::Incomparable {
            path: folder.to_owned(),
            why: format!(
                "`{by}` is not swept; its sweep is of {}",
                listed(&results.swept)
            ),
        });
    }
    let column = results.runs.column(by)?;
    let mut values: Vec<&str> = Vec::new();
    for row in 0..results.runs.len() {
        let value = results.runs.text(row, column);
        if !values.contains(&value) {
            values.push(value);
        }
    }
    let keys: Vec<String> = results
        .swept
        .iter()
        .filter(|key| *key != by)
        .cloned()
        .collect();
    let sides = values.iter().map(|value| Side {
        label: format!("{by} = {value}"),
        rows: results.rows_by_point(&keys, |row| results.runs.text(row, column) == *value),
        results: &results,
    });
    let sides: Vec<Side<'_>> = sides.collect();
    let mut all = Vec::new();
    if let Some((first, others)) = sides.split_first() {
        for other in others {
            all.extend(first.differences(other, &keys)?);
        }
    }
    Ok(all)
}

fn listed(keys: &[String]) -> String {
    match keys {
        [] => "no key".to_owned(),
        keys => format!("`{}`", keys.join("`, `")),
    }
}

/// The runs of a folder of results.
struct Results {
    runs: Table,
    swept: Vec<String>,
    /// The kind of experiment.
    experiment: String,
}

impl Results {
    fn read(folder: &Path) -> Result<Self, Error> {
        manifest::verify(folder)?;
        let manifest = Manifest::read(folder)?;
        Ok(Self {
            runs: Table::read(&folder.join("runs.csv"))?,
            swept: manifest.swept,
            experiment: manifest.experiment,
        })
    }

    /// The rows that are `meant`, by the values of `keys`, in the order of the file.
    fn rows_by_point(
        &self,
        keys: &[String],
        meant: impl Fn(usize) -> bool,
    ) -> Vec<(Vec<String>, Vec<usize>)> {
        let columns: Vec<Option<usize>> = keys.iter().map(|key| self.runs.find(key)).collect();
        self.runs.groups(&columns, meant)
    }
}

/// One of the results that are compared.
struct Side<'a> {
    label: String,
    results: &'a Results,
    rows: Vec<(Vec<String>, Vec<usize>)>,
}

impl Side<'_> {
    fn differences(&self, other: &Side<'_>, keys: &[String]) -> Result<Vec<Difference>, Error> {
        let (one, two) = (&self.results.runs, &other.results.runs);
        let own = metric_columns(one, &self.results.swept);
        let metrics = own.into_iter().filter_map(|column| {
            let name = &one.columns[column];
            Some((name, column, two.find(name)?))
        });
        let metrics: Vec<_> = metrics.collect();
        let mut all = Vec::new();
        for (point, rows) in &self.rows {
            let Some((_, others)) = other.rows.iter().find(|(values, _)| values == point) else {
                continue;
            };
            for (name, first, second) in &metrics {
                let sides = [
                    values_by_seed(one, rows, *first)?,
                    values_by_seed(two, others, *second)?,
                ];
                if sides.iter().any(Vec::is_empty) {
                    continue;
                }
                let named = keys.iter().cloned().zip(point.iter().cloned());
                all.push(difference(
                    named.collect(),
                    (*name).clone(),
                    [&self.label, &other.label].map(Clone::clone),
                    &sides,
                ));
            }
        }
        Ok(all)
    }
}

/// The values of a metric in `rows` that are not empty, each with the seed of its run, by seed. A text is no
/// metric.
fn values_by_seed(
    runs: &Table,
    rows: &[usize],
    column: usize,
) -> Result<Vec<(String, f64)>, Error> {
    let seed = runs.column("seed")?;
    let values = rows.iter().filter_map(|row| {
        let value = runs.number(*row, column).ok().flatten()?;
        Some((runs.text(*row, seed).to_owned(), value))
    });
    let mut values: Vec<(String, f64)> = values.collect();
    values.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(values)
}

fn difference(
    point: Vec<(String, String)>,
    metric: String,
    labels: [String; 2],
    sides: &[Vec<(String, f64)>; 2],
) -> Difference {
    let [first, second] = sides;
    // Both are in the order of seeds. A seed that occurs twice pairs nothing.
    let pairs: Vec<f64> = first
        .iter()
        .filter_map(|(seed, value)| {
            let place = second.binary_search_by(|other| other.0.cmp(seed)).ok()?;
            Some(second[place].1 - value)
        })
        .collect();
    let is_unique = |side: &[(String, f64)]| side.windows(2).all(|pair| pair[0].0 != pair[1].0);
    let is_paired = pairs.len() >= 2 && is_unique(first) && is_unique(second);
    let values: [Vec<f64>; 2] = sides
        .each_ref()
        .map(|side| side.iter().map(|(_, value)| *value).collect());
    let mut n = values.each_ref().map(Vec::len);
    let mut means = values
        .each_ref()
        .map(|values| statistics::mean(values).unwrap_or(f64::NAN));
    let interval = if is_paired {
        n = [pairs.len(); 2];
        let is_in = |side: &[(String, f64)], seed: &String| side.iter().any(|own| own.0 == *seed);
        let [one, other] = [(first, second), (second, first)].map(|(own, others)| {
            let common = own.iter().filter(|(seed, _)| is_in(others, seed));
            let values: Vec<f64> = common.map(|(_, value)| *value).collect();
            statistics::mean(&values).unwrap_or(f64::NAN)
        });
        means = [one, other];
        statistics::confidence_interval(&pairs)
    } else {
        welch_interval(&values[0], &values[1])
    };
    Difference {
        point,
        metric,
        sides: labels,
        n,
        means,
        difference: means[1] - means[0],
        interval,
        is_paired,
    }
}

/// The 95 % confidence interval of the mean of `second` less that of `first`, which are independent, by
/// Welch's t-test; `None` with fewer than two values of one.
///
/// B. L. Welch, "The generalization of 'Student's' problem", Biometrika 34 (1947).
fn welch_interval(first: &[f64], second: &[f64]) -> Option<(f64, f64)> {
    let part = |values: &[f64]| {
        let n = values.len() as f64;
        let variance = statistics::standard_deviation(values)?.powi(2) / n;
        Some((variance, variance * variance / (n - 1.0)))
    };
    let ((one, one_squared), (two, two_squared)) = (part(first)?, part(second)?);
    let difference = statistics::mean(second)? - statistics::mean(first)?;
    let variance = one + two;
    if variance == 0.0 {
        return Some((difference, difference));
    }
    let freedom = variance * variance / (one_squared + two_squared);
    let student = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let half = student.inverse_cdf(0.975) * variance.sqrt();
    Some((difference - half, difference + half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn welch_is_student_for_equal_samples() {
        let first = [1.0, 2.0, 3.0, 4.0];
        let second = [3.0, 4.0, 5.0, 6.0];
        let (low, high) = welch_interval(&first, &second).expect("an interval");
        // Equal variances and sizes: Student with 6 degrees of freedom, 2.4469, times the square root
        // of 5/3 / 2.
        let half = 2.446_911_848_8 * (5.0_f64 / 6.0).sqrt();
        assert!((low - (2.0 - half)).abs() < 1e-6 && (high - (2.0 + half)).abs() < 1e-6);
        assert_eq!(welch_interval(&[1.0, 1.0], &[2.0, 2.0]), Some((1.0, 1.0)));
        assert_eq!(welch_interval(&[1.0], &second), None);
    }

    #[test]
    fn runs_of_the_same_seeds_are_paired() {
        let side = |values: &[f64]| -> Vec<(String, f64)> {
            let seeds = (0..).map(|seed: u32| seed.to_string());
            seeds.zip(values.iter().copied()).collect()
        };
        let of = |first: &[f64], second: &[f64]| {
            let labels = ["a", "b"].map(str::to_owned);
            difference(
                Vec::new(),
                "m".to_owned(),
                labels,
                &[side(first), side(second)],
            )
        };
        // The values vary much, their differences little.
        let paired = of(&[1.0, 10.0, 100.0], &[1.5, 10.6, 100.4]);
        assert!(paired.is_paired && paired.is_significant(), "{paired:?}");
        // Runs without a partner are left out.
        let fewer = of(&[1.0, 10.0, 100.0], &[1.5, 10.6]);
        assert_eq!(
            (fewer.is_paired, fewer.n, fewer.means[0]),
            (true, [2, 2], 5.5)
        );
        // Other seeds are independent.
        let seeds = ["x", "y", "z"].map(str::to_owned);
        let others = seeds.into_iter().zip([1.5, 10.6, 100.4]).collect();
        let labels = ["a", "b"].map(str::to_owned);
        let sides = [side(&[1.0, 10.0, 100.0]), others];
        let unpaired = difference(Vec::new(), "m".to_owned(), labels, &sides);
        assert!(
            !unpaired.is_paired && !unpaired.is_significant(),
            "{unpaired:?}"
        );
        let same = of(&[1.0, 2.0], &[1.0, 2.0]);
        assert_eq!((same.difference, same.is_significant()), (0.0, false));
    }
}
