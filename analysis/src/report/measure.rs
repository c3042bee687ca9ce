//! Measures the quantity of a published value in the results.

use crate::figure::range::Range;
use crate::figure::select::text_of;

use super::claims::{Filter, Quantity, Rule};
use super::folder::{Folder, FolderState};
use super::location::{Absent, ValueLocation};
use super::point::{self, normal_interval};

/// A measured value with its accuracy.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Number of runs.
    pub n: usize,
    /// Number of published samples in one run.
    pub samples_a_run: f64,
    /// The mean over the runs.
    pub mean: f64,
    /// The possible values.
    pub range: Range,
    /// The possible part of the 95 % interval, if known.
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
        FolderState::There(results) => results.as_ref(),
        FolderState::Absent => {
            let why = format!("there are no results of {}", folder.name);
            return Err(Absent::Missing(why));
        }
        FolderState::Broken(why) => return Err(Absent::Missing(why.clone())),
    };
    let single = |place: &ValueLocation| point::read(results, place, quantity, rule);
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
                Ok(here)
            };
        }
    };
    let mut points = Vec::new();
    for value in &quantity.among {
        let one = Filter::from([(key.clone(), value.clone())]);
        let here = single(&place.with(&one))?;
        let Ok(at) = text_of(value).parse::<f64>() else {
            return Err(Absent::NotRun(format!("{key} is not a number")));
        };
        points.push((at, here));
    }
    best_of(&points, least).ok_or_else(|| Absent::NotRun("no points to choose from".to_owned()))
}

/// The point with the least or the largest mean. The interval spans the points whose mean could be
/// the same: the difference is within its 95 % interval.
fn best_of(points: &[(f64, Found)], least: bool) -> Option<Found> {
    let (mean, best) = points.iter().min_by(|(_, one), (_, other)| {
        let order = one.estimate.mean.total_cmp(&other.estimate.mean);
        if least { order } else { order.reverse() }
    })?;
    let is_equal = |here: &Estimate| {
        let error = here.error?.hypot(best.estimate.error?);
        let (low, high) = normal_interval(here.mean - best.estimate.mean, error);
        Some(low <= 0.0 && high >= 0.0)
    };
    let mut interval = Some((*mean, *mean));
    for (at, here) in points {
        interval = interval
            .zip(is_equal(&here.estimate))
            .map(|((low, high), equal)| {
                if equal {
                    (low.min(*at), high.max(*at))
                } else {
                    (low, high)
                }
            });
    }
    Some(Found {
        estimate: Estimate {
            n: points.iter().map(|(_, here)| here.estimate.n).min()?,
            samples_a_run: best.estimate.samples_a_run,
            mean: *mean,
            range: Range::default(),
            interval,
            error: Some(0.0),
            run_sd: None,
            sample_sd: None,
        },
        stale: best.stale.clone(),
        note: best.note.clone(),
    })
}

fn ratio(one: f64, other: f64) -> (f64, f64, f64) {
    let quotient = one / other;
    (quotient, 1.0 / other, quotient / other)
}

fn difference(one: f64, other: f64) -> (f64, f64, f64) {
    (one - other, 1.0, 1.0)
}

impl Found {
    /// Combines this value and another one with `together`, which returns the combined value and
    /// the magnitudes of its derivatives. Errors propagate to first order, as for independent
    /// values.
    fn against(self, other: &Self, together: fn(f64, f64) -> (f64, f64, f64)) -> Self {
        let (one, two) = (&self.estimate, &other.estimate);
        let (mean, by_one, by_two) = together(one.mean, two.mean);
        let both = |a: Option<f64>, b: Option<f64>| Some((a? * by_one).hypot(b? * by_two));
        let error = both(one.error, two.error);
        // A ratio of two that are not negative is not; a difference may be.
        let is_ratio = together(2.0, 2.0).0 == 1.0;
        let range = if is_ratio && one.range.low >= 0.0 && two.range.low >= 0.0 {
            Range::new(Some(0.0), None)
        } else {
            Range::default()
        };
        Self {
            estimate: Estimate {
                n: one.n.min(two.n),
                samples_a_run: one.samples_a_run,
                mean,
                range,
                interval: error.map(|error| range.clip(normal_interval(mean, error))),
                error,
                run_sd: both(one.run_sd, two.run_sd),
                sample_sd: both(one.sample_sd, two.sample_sd),
            },
            stale: self.stale.or_else(|| other.stale.clone()),
            note: self.note.or_else(|| other.note.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::*;
    use crate::report::plan::{Form, Plan};

    const RUNS: &str = "run,repetition,seed,x.nodes,hops,wrong,lookups,se,known\n\
        a,0,1,10,3,1,100,0.3,1\nb,1,2,10,5,3,100,0.4,3\nc,2,3,10,3,1,100,0.3,1\n\
        d,3,4,10,5,3,100,0.4,3\ne,0,1,20,4,0,100,0.1,0\nf,1,2,20,6,2,50,0.1,2\n\
        g,2,3,20,4,0,100,0.1,0\nh,3,4,20,6,2,50,0.1,2\n";
    const COUNTS: &str = "run,repetition,x.nodes,quantity,value,count\n\
        a,0,10,hops,1,3\na,0,10,hops,2,1\nb,1,10,hops,2,4\na,0,10,other,1,9\ne,0,20,hops,1,1\n";

    fn folder(plan: Option<&Plan>, runs: &str) -> Folder {
        let directory = TempDir::new().unwrap();
        let inner = directory.path().join("s");
        fs::create_dir(&inner).unwrap();
        let manifest = json!({
            "dhtlab": "1.0", "seed": 1, "repetitions": 4, "runs_planned": 8, "runs_done": 8,
            "swept": ["x.nodes"], "ranges": {"known": [0.0, null]}, "scenario": {"x": {"lookups": 100, "kind": "chord"}},
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
            file: "scenarios/s.toml".into(),
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
        // The means 4 and 5 have a standard error of 1/sqrt(3) each: either may be the least.
        let least = found("metric = 'hops'\nleast-at = 'x.nodes'\namong = [10, 20]");
        assert_eq!((least.mean, least.interval), (10.0, Some((10.0, 20.0))));
        let sure = found("metric = 'x.nodes'\nleast-at = 'x.nodes'\namong = [10, 20]");
        assert_eq!((sure.mean, sure.interval), (10.0, Some((10.0, 10.0))));
        assert_eq!(
            found("metric = 'hops'\nmost-at = 'x.nodes'\namong = [10, 20]").mean,
            20.0
        );
        let with_third = quantity("metric = 'hops'\nleast-at = 'x.nodes'\namong = [10, 20, 30]");
        assert!(find(&folder, &twenty, &with_third, &rule("")).is_err());
    }

    #[test]
    fn intervals_end_where_values_are_impossible() {
        // Of 10 and 20 nodes 2 and 1 of 100 lookups are wrong on average, each with a spread of 1.
        let folder = folder(None, RUNS);
        let interval = |nodes: u32, text: &str| {
            let place = at(&json!({"x.nodes": nodes}));
            let found = find(&folder, &place, &quantity(text), &rule("")).unwrap();
            found.estimate.interval.unwrap()
        };
        let (low, high) = interval(20, "metric = 'wrong'\nrange = [0, 1.5]");
        assert_eq!((low, high), (0.0, 1.5));
        // The range is that of the quantity, after its factor and summand.
        let lost = "metric = 'wrong'\ntimes = -1\nplus = 1\nrange = [-2, 1]";
        assert_eq!(interval(20, lost).1, 1.0);
        let (low, _) = interval(20, "metric = 'wrong'");
        assert!(low < 0.0, "{low}");
        // The manifest has the range of a metric.
        assert_eq!(interval(20, "metric = 'known'").0, 0.0);
        let (low, high) = interval(20, "metric = 'known'\ntimes = -1\nplus = 1");
        assert!(low < -0.5 && high == 1.0, "{low} {high}");
        let ratio = "metric = 'known'\nratio-to = { 'x.nodes' = 10 }";
        assert_eq!(interval(20, ratio).0, 0.0);
        let difference = "metric = 'known'\ndifference-from = { 'x.nodes' = 10 }";
        assert!(interval(20, difference).0 < 0.0);
        // A part of a histogram is a fraction.
        let mut place = at(&json!({"x.nodes": 10}));
        place.at.push(("value".to_owned(), "2".to_owned()));
        let part = quantity("table = 'histogram'\nquantity = 'hops'");
        let found = find(&folder, &place, &part, &rule("")).unwrap();
        assert_eq!(found.estimate.interval, Some((0.0, 1.0)));
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
        let fewer = RUNS.replace("b,1,2,10,5,3,100,0.4,3\n", "");
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
