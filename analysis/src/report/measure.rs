//! Measures the quantity of a published value in the results.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::figure::select::{same, text_of};
use crate::statistics::{self, Summary};
use crate::table::Table;

use super::claims::{Filter, Quantity, Rule};
use super::folder::{Folder, Results, State};
use super::location::{Absent, PointRows, ValueLocation};

/// A measured value with its accuracy.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Number of runs.
    pub n: usize,
    /// Number of published samples in one run.
    pub samples_a_run: f64,
    /// The mean over the runs.
    pub mean: f64,
    /// The 95 % interval, if known.
    pub interval: Option<(f64, f64)>,
    /// The standard error, if known.
    pub error: Option<f64>,
    /// The standard deviation of the values of single runs, if known.
    pub run_sd: Option<f64>,
    /// The standard deviation of one published sample, if a metric gives it.
    pub sample_sd: Option<f64>,
}

/// A value that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The value.
    pub estimate: Estimate,
    /// Why the value must not be judged, if so.
    pub stale: Option<String>,
    /// A further note, such as that some of the runs are missing.
    pub note: Option<String>,
}

/// Finds `quantity` at `place`.
///
/// # Errors
/// [`Absent`] if there is none; a quantity that no table has counts as missing.
pub fn find(
    folder: &Folder,
    place: &ValueLocation,
    quantity: &Quantity,
    rule: &Rule,
) -> Result<Found, Absent> {
    let results = match &folder.state {
        State::There(results) => results.as_ref(),
        State::Absent => {
            let why = format!("there are no results of {}", folder.name);
            return Err(Absent::Missing(why));
        }
        State::Broken(why) => return Err(Absent::Missing(why.clone())),
    };
    let single = |place: &ValueLocation| Single::read(results, place, quantity, rule);
    let (key, least) = match (&quantity.least_at, &quantity.most_at) {
        (Some(key), _) => (key, true),
        (None, Some(key)) => (key, false),
        (None, None) => {
            let here = single(place)?;
            return if !quantity.ratio_to.is_empty() {
                let there = single(&place.with(&quantity.ratio_to))?;
                Ok(here.against(&there, ratio))
            } else if !quantity.inverse_ratio_to.is_empty() {
                let there = single(&place.with(&quantity.inverse_ratio_to))?;
                Ok(there.against(&here, ratio))
            } else if !quantity.difference_from.is_empty() {
                let there = single(&place.with(&quantity.difference_from))?;
                Ok(here.against(&there, difference))
            } else {
                Ok(here.found())
            };
        }
    };
    let mut best: Option<(Single, String)> = None;
    let mut all = Vec::new();
    for value in &quantity.among {
        let one = Filter::from([(key.clone(), value.clone())]);
        let here = single(&place.with(&one))?;
        all.push(here.estimate.n);
        let better = best.as_ref().is_none_or(|(best, _)| {
            (here.estimate.mean < best.estimate.mean) == least
                && here.estimate.mean != best.estimate.mean
        });
        if better {
            best = Some((here, text_of(value)));
        }
    }
    let Some((best, at)) = best else {
        return Err(Absent::NotRun("no points to choose from".to_owned()));
    };
    let Ok(mean) = at.parse() else {
        return Err(Absent::NotRun(format!("{key} is not a number")));
    };
    Ok(Found {
        estimate: Estimate {
            n: all.into_iter().min().unwrap_or(0),
            samples_a_run: best.estimate.samples_a_run,
            mean,
            interval: None,
            error: Some(0.0),
            run_sd: None,
            sample_sd: None,
        },
        stale: best.stale,
        note: best.note,
    })
}

fn ratio(one: f64, other: f64) -> (f64, f64, f64) {
    let quotient = one / other;
    (quotient, 1.0 / other, quotient / other)
}

fn difference(one: f64, other: f64) -> (f64, f64, f64) {
    (one - other, 1.0, 1.0)
}

/// The value at one point of the sweep.
struct Single {
    estimate: Estimate,
    stale: Option<String>,
    note: Option<String>,
}

impl Single {
    fn found(self) -> Found {
        Found {
            estimate: self.estimate,
            stale: self.stale,
            note: self.note,
        }
    }

    /// Combines this value and another one with `together`, which returns the combined value and
    /// the magnitudes of its derivatives. Errors propagate to first order, as for independent
    /// values.
    fn against(self, other: &Self, together: fn(f64, f64) -> (f64, f64, f64)) -> Found {
        let (one, two) = (&self.estimate, &other.estimate);
        let (mean, by_one, by_two) = together(one.mean, two.mean);
        let both = |a: Option<f64>, b: Option<f64>| Some((a? * by_one).hypot(b? * by_two));
        let error = both(one.error, two.error);
        Found {
            estimate: Estimate {
                n: one.n.min(two.n),
                samples_a_run: one.samples_a_run,
                mean,
                interval: error.map(|error| normal_interval(mean, error)),
                error,
                run_sd: both(one.run_sd, two.run_sd),
                sample_sd: both(one.sample_sd, two.sample_sd),
            },
            stale: self.stale.or_else(|| other.stale.clone()),
            note: self.note.or_else(|| other.note.clone()),
        }
    }

    fn read(
        results: &Results,
        place: &ValueLocation,
        quantity: &Quantity,
        rule: &Rule,
    ) -> Result<Self, Absent> {
        let rows = PointRows::select(results, place)?;
        let (table, stale) = match &quantity.table {
            None => (&results.runs, rows.stale.clone()),
            Some(name) => {
                let Some(table) = results.tables.get(name) else {
                    return Err(Absent::Missing(format!("{name}.csv is not there")));
                };
                (table, rows.stale.clone().or_else(|| results.stale(name)))
            }
        };
        let values = match (&quantity.table, &quantity.quantity) {
            (None, _) => metric(table, &rows.rows, quantity),
            (Some(_), None) => metric(
                table,
                &rows.in_table(table, place, stale.as_ref())?,
                quantity,
            ),
            (Some(_), Some(counted)) => part(table, &rows, place, counted),
        }
        .map_err(Absent::Missing)?;
        let Some(summary) = Summary::of(&values) else {
            return Err(Absent::Missing("no run has a value".to_owned()));
        };
        let read = |name: &Option<String>| match name {
            None => Ok(None),
            Some(name) => column(&results.runs, &rows.rows, name).map(Some),
        };
        let errors = read(&rule.error_metric).map_err(Absent::Missing)?;
        let errors = errors.filter(|errors| !errors.is_empty());
        let deviations = read(&rule.sd_metric).map_err(Absent::Missing)?;
        let factor = quantity.times.unwrap_or(1.0).abs();
        let n = summary.n as f64;
        let squares = errors.map(|errors| {
            let squares = errors.iter().map(|error| (error * factor).powi(2));
            squares.sum::<f64>() / errors.len() as f64
        });
        let mut sample_sd = deviations
            .and_then(|sds| statistics::mean(&sds))
            .map(|sd| sd * factor);
        let number = |what: &Option<Value>| rows.number(results, what.as_ref()?);
        let squares = match number(&rule.successes_of) {
            None => squares,
            Some(trials) => {
                // One more success and one more failure: none in all trials is no certainty.
                let total = trials * n;
                let part = (summary.mean * total + 1.0) / (total + 2.0);
                let variance = part * (1.0 - part);
                sample_sd = Some(variance.sqrt());
                Some(variance / trials)
            }
        };
        let (error, run_sd, interval) = match squares {
            Some(mean_square) => {
                let error = (mean_square / n).sqrt();
                let interval = normal_interval(summary.mean, error);
                (Some(error), Some(mean_square.sqrt()), Some(interval))
            }
            None => {
                let sd = summary.sd.filter(|_| summary.n >= FEWEST_RUNS);
                (sd.map(|sd| sd / n.sqrt()), sd, summary.interval)
            }
        };
        Ok(Self {
            estimate: Estimate {
                n: summary.n,
                samples_a_run: number(&rule.samples_a_run)
                    .or_else(|| number(&rule.successes_of))
                    .unwrap_or(1.0),
                mean: summary.mean,
                interval,
                error,
                run_sd,
                sample_sd,
            },
            stale,
            note: rows.note,
        })
    }
}

/// With fewer runs, the spread is no estimate of the error of the mean.
pub const FEWEST_RUNS: usize = 4;

fn normal_interval(mean: f64, error: f64) -> (f64, f64) {
    /// The 97.5 % quantile of the normal distribution.
    const HALF_WIDTH: f64 = 1.959_964;
    (mean - HALF_WIDTH * error, mean + HALF_WIDTH * error)
}

/// The numbers of a column, without missing ones.
fn column(table: &Table, rows: &[usize], name: &str) -> Result<Vec<f64>, String> {
    let column = table.column(name).map_err(|error| error.to_string())?;
    let mut numbers = Vec::with_capacity(rows.len());
    for &row in rows {
        numbers.extend(
            table
                .number(row, column)
                .map_err(|error| error.to_string())?,
        );
    }
    Ok(numbers)
}

/// The sum of the metrics of each row over the divisor; rows without one of them are left out.
fn metric(table: &Table, rows: &[usize], quantity: &Quantity) -> Result<Vec<f64>, String> {
    let place = |name: &String| table.column(name).map_err(|error| error.to_string());
    let metrics = quantity
        .metric
        .0
        .iter()
        .map(place)
        .collect::<Result<Vec<_>, _>>()?;
    let over = quantity.over.as_ref().map(place).transpose()?;
    let mut values = Vec::with_capacity(rows.len());
    for &row in rows {
        let number = |column: usize| table.number(row, column).map_err(|error| error.to_string());
        let mut sum = Some(0.0);
        for &column in &metrics {
            sum = sum.zip(number(column)?).map(|(sum, value)| sum + value);
        }
        let divisor = over.map_or(Ok(Some(1.0)), number)?;
        if let (Some(sum), Some(divisor)) = (sum, divisor) {
            values.push(quantity.times.unwrap_or(1.0) * sum / divisor + quantity.plus);
        }
    }
    Ok(values)
}

/// The fraction of the values of `counted` that equal the one in `place.at`, for each run that has
/// any.
fn part(
    table: &Table,
    rows: &PointRows,
    place: &ValueLocation,
    counted: &str,
) -> Result<Vec<f64>, String> {
    let column = |name: &str| table.column(name).map_err(|error| error.to_string());
    let [id, quantity, count] = [column("run")?, column("quantity")?, column("count")?];
    let mut at = Vec::new();
    for (name, text) in &place.at {
        at.push((column(name)?, text));
    }
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for row in rows.of_point(table)? {
        if table.text(row, quantity) != counted {
            continue;
        }
        let weight = table
            .number(row, count)
            .map_err(|error| error.to_string())?;
        let (own, all) = sums.entry(table.text(row, id)).or_default();
        *all += weight.unwrap_or(0.0);
        if at
            .iter()
            .all(|&(column, text)| same(text, table.text(row, column)))
        {
            *own += weight.unwrap_or(0.0);
        }
    }
    let parts = sums.into_values().filter(|(_, all)| *all > 0.0);
    Ok(parts.map(|(own, all)| own / all).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use serde_json::json;
    use tempfile::TempDir;

    use super::*;
    use crate::report::plan::{Form, Plan};

    const RUNS: &str = "run,repetition,seed,x.nodes,hops,wrong,lookups,se\n\
        a,0,1,10,3,1,100,0.3\nb,1,2,10,5,3,100,0.4\nc,2,3,10,3,1,100,0.3\nd,3,4,10,5,3,100,0.4\n\
        e,0,1,20,4,0,100,0.1\nf,1,2,20,6,2,50,0.1\ng,2,3,20,4,0,100,0.1\nh,3,4,20,6,2,50,0.1\n";
    const COUNTS: &str = "run,repetition,x.nodes,quantity,value,count\n\
        a,0,10,hops,1,3\na,0,10,hops,2,1\nb,1,10,hops,2,4\na,0,10,other,1,9\ne,0,20,hops,1,1\n";

    fn folder(plan: Option<&Plan>, runs: &str) -> Folder {
        let directory = TempDir::new().unwrap();
        let inner = directory.path().join("s");
        fs::create_dir(&inner).unwrap();
        let manifest = json!({
            "dhtlab": "1.0", "seed": 1, "repetitions": 4, "runs_planned": 8, "runs_done": 8,
            "swept": ["x.nodes"], "scenario": {"x": {"lookups": 100, "kind": "chord"}},
        });
        fs::write(inner.join("manifest.json"), manifest.to_string()).unwrap();
        fs::write(inner.join("runs.csv"), runs).unwrap();
        fs::write(inner.join("histogram.csv"), COUNTS).unwrap();
        crate::summarise(&inner).unwrap();
        let tables = BTreeSet::from(["histogram".to_owned()]);
        Folder::open(directory.path(), "s", &tables, "1.0", plan)
    }

    fn quantity(text: &str) -> Quantity {
        toml::from_str(&format!("column = 'c'\n{text}")).unwrap()
    }

    fn rule(text: &str) -> Rule {
        toml::from_str(text).unwrap()
    }

    fn at(keys: &Value) -> ValueLocation {
        ValueLocation {
            keys: serde_json::from_value(keys.clone()).unwrap(),
            at: Vec::new(),
        }
    }

    fn form(ids: &[&str], points: &[&str]) -> Form {
        Form {
            swept: vec!["x.nodes".to_owned()],
            points: points
                .iter()
                .map(|value| vec![(*value).to_owned()])
                .collect(),
            runs: ids
                .iter()
                .enumerate()
                .map(|(i, id)| ((*id).to_owned(), i / 4))
                .collect(),
        }
    }

    fn plan(full: Form) -> Plan {
        Plan {
            name: "s".to_owned(),
            full,
            quick: Form::default(),
        }
    }

    #[test]
    fn a_mean_over_the_runs_of_a_point() {
        let folder = folder(None, RUNS);
        let ten = at(&json!({"x.nodes": 10, "x.lookups": 100}));
        let found = find(&folder, &ten, &quantity("metric = 'hops'"), &rule("")).unwrap();
        let estimate = found.estimate;
        assert_eq!((estimate.n, estimate.mean), (4, 4.0));
        // Deviations of 1 each: sqrt(4/3) for one run, half of that for the mean of four.
        assert!((estimate.error.unwrap() - 3.0_f64.sqrt().recip()).abs() < 1e-12);
        assert_eq!((found.stale, found.note), (None, None));
        // Sums, quotients and factors are formed per run.
        let failures =
            quantity("metric = ['wrong', 'hops']\nover = 'lookups'\ntimes = 1000.0\nplus = 2.0");
        let mean = |keys| {
            find(&folder, &at(&keys), &failures, &rule(""))
                .unwrap()
                .estimate
                .mean
        };
        assert!((mean(json!({"x.nodes": 10})) - 62.0).abs() < 1e-9);
        assert!((mean(json!({"x.nodes": 20})) - 102.0).abs() < 1e-9);
        // Errors within the runs: sqrt(.09 + .16 + .09 + .16) / 4.
        let rule = rule("error-metric = 'se'\nsamples-a-run = 'x.lookups'");
        let estimate = find(&folder, &ten, &quantity("metric = 'hops'"), &rule)
            .unwrap()
            .estimate;
        assert!((estimate.error.unwrap() - 0.5_f64.sqrt() / 4.0).abs() < 1e-12);
        assert_eq!(estimate.samples_a_run, 100.0);
    }

    #[test]
    fn two_points_and_the_best_of_several() {
        let folder = folder(None, RUNS);
        let twenty = at(&json!({"x.nodes": 20}));
        let found = |text: &str| {
            find(&folder, &twenty, &quantity(text), &rule(""))
                .unwrap()
                .estimate
        };
        let ratio = found("metric = 'hops'\nratio-to = { 'x.nodes' = 10 }");
        assert_eq!(ratio.mean, 1.25);
        // Both have the standard error 1/sqrt(3): times sqrt((1/4)^2 + (5/16)^2).
        assert!((ratio.error.unwrap() - 0.400_195_264_8 / 3.0_f64.sqrt()).abs() < 1e-9);
        assert_eq!(
            found("metric = 'hops'\ninverse-ratio-to = { 'x.nodes' = 10 }").mean,
            0.8
        );
        let difference = found("metric = 'hops'\ndifference-from = { 'x.nodes' = 10 }");
        assert_eq!(difference.mean, 1.0);
        assert!((difference.error.unwrap() - (2.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(
            found("metric = 'hops'\nleast-at = 'x.nodes'\namong = [10, 20]").mean,
            10.0
        );
        assert_eq!(
            found("metric = 'hops'\nmost-at = 'x.nodes'\namong = [10, 20]").mean,
            20.0
        );
        let with_third = quantity("metric = 'hops'\nleast-at = 'x.nodes'\namong = [10, 20, 30]");
        assert!(find(&folder, &twenty, &with_third, &rule("")).is_err());
    }

    #[test]
    fn a_part_of_a_histogram_is_that_of_each_run() {
        let folder = folder(None, RUNS);
        let mut place = at(&json!({"x.nodes": 10}));
        place.at.push(("value".to_owned(), "2".to_owned()));
        let part = quantity("table = 'histogram'\nquantity = 'hops'");
        let estimate = find(&folder, &place, &part, &rule("")).unwrap().estimate;
        assert_eq!((estimate.n, estimate.mean), (2, 0.625));
        // A value that no lookup had gives a fraction of 0 and is not missing.
        place.at[0].1 = "7".to_owned();
        assert_eq!(
            find(&folder, &place, &part, &rule(""))
                .unwrap()
                .estimate
                .mean,
            0.0
        );
    }

    #[test]
    fn other_parameters_are_not_run() {
        let folder = folder(None, RUNS);
        let hops = quantity("metric = 'hops'");
        let why = |keys| match find(&folder, &at(&keys), &hops, &rule("")) {
            Err(Absent::NotRun(why) | Absent::Missing(why)) => why,
            Ok(found) => panic!("{found:?}"),
        };
        let other = why(json!({"x.nodes": 10, "x.lookups": 200}));
        assert_eq!(other, "run with x.lookups = 100, published for 200");
        assert_eq!(
            why(json!({"x.speed": 1})),
            "the scenario has no key x.speed"
        );
        assert_eq!(why(json!({"x.nodes": 30})), "no run at this point");
        let several = why(json!({"x.kind": "chord"}));
        assert_eq!(several, "x.nodes is swept, and 10 and 20 fall together");
    }

    #[test]
    fn a_plan_tells_missing_stale_and_never_run_apart() {
        let hops = quantity("metric = 'hops'");
        let plan = plan(form(
            &["a", "b", "c", "d", "w", "x", "y", "z", "m", "n", "o", "p"],
            &["10", "20", "30"],
        ));
        let folder = folder(Some(&plan), RUNS);
        let at = |nodes: u32| find(&folder, &at(&json!({"x.nodes": nodes})), &hops, &rule(""));
        assert_eq!(at(10).unwrap().stale, None);
        let stale = at(20).unwrap().stale.unwrap();
        assert_eq!(stale, "the scenario has changed since these runs");
        assert_eq!(
            at(30).unwrap_err(),
            Absent::Missing("4 runs are missing".to_owned())
        );
        let never = Absent::NotRun("not a point of this sweep".to_owned());
        assert_eq!(at(40).unwrap_err(), never);
        assert_eq!(
            folder.faults(),
            [
                "stale: 4 of the runs are not from the current scenario",
                "missing: 8 of 12 runs"
            ]
        );
    }

    #[test]
    fn a_point_without_some_of_its_runs_says_so() {
        let plan = plan(form(
            &["a", "b", "c", "d", "e", "f", "g", "h"],
            &["10", "20"],
        ));
        let fewer = RUNS.replace("b,1,2,10,5,3,100,0.4\n", "");
        let folder = folder(Some(&plan), &fewer);
        let found = find(
            &folder,
            &at(&json!({"x.nodes": 10})),
            &quantity("metric = 'hops'"),
            &rule(""),
        );
        assert_eq!(found.unwrap().note.as_deref(), Some("3 of 4 runs"));
    }
}
