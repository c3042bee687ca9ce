//! Forecasts of the time and memory of a scenario's runs: their cost estimates, calibrated by short
//! trials of some of them.

use cpu_time::ProcessTime;
use dhtlab_core::engine::{Duration, memory};
use dhtlab_scenario::{Cost, EVENTS_PER_SECOND, Scenario};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Approximate processor time for all trials of a scenario, in seconds.
const BUDGET: f64 = 1.0;

/// Seconds of a forecast above which its most costly points have longer trials.
const LONG: f64 = 2.0;

/// Seconds of processor time of each longer trial, and how many there are.
const LONGER_TRIAL: f64 = 0.4;
const MOST_LONGER_TRIALS: usize = 8;

/// Groups of points that have trials of their own.
const MOST_GROUPS: usize = 24;

/// Maximum number of trials of one group.
const MOST_TRIALS: usize = 8;

/// The cost of all runs of a scenario.
pub struct Forecast {
    /// Seconds of processor time in total.
    pub seconds: f64,
    /// Bytes of the process while only the largest run is active.
    pub bytes: f64,
}

/// Points that differ only in numbers.
struct PointGroup {
    /// Their indices, by rising cost.
    points: Vec<usize>,
    /// Results of trials: the cost in events, and seconds per event.
    shown: Vec<(f64, f64)>,
    /// Seconds left for trials.
    left: f64,
}

/// The forecast for `scenario`, with or without trials of some of its points.
pub fn of(scenario: &Scenario, with_trials: bool) -> Forecast {
    let mut runs = vec![0_u32; scenario.points.len()];
    for run in &scenario.runs {
        runs[run.point] += 1;
    }
    let costs: Vec<Cost> = scenario
        .points
        .iter()
        .map(|point| point.run.cost())
        .collect();
    // Memory of the process itself, before any trial.
    static BEFORE: OnceLock<u64> = OnceLock::new();
    let before = *BEFORE.get_or_init(|| memory::resident().unwrap_or(0));
    let mut groups = groups(scenario, &runs, &costs);
    let budget = BUDGET / groups.len().max(1) as f64;
    for group in &mut groups {
        group.left = budget;
        if with_trials {
            group.try_out(scenario, &costs);
        }
    }
    let seconds_of = |group: &PointGroup, point: usize| {
        f64::from(runs[point]) * costs[point].events * group.rate(costs[point].events)
    };
    let total = |group: &PointGroup| -> f64 {
        let points = group.points.iter();
        points.map(|point| seconds_of(group, *point)).sum()
    };
    if with_trials && groups.iter().map(total).sum::<f64>() > LONG {
        // Kinds without any trial come first: their rate is a guess.
        groups.sort_by(|a, b| {
            let is_tried = |group: &PointGroup| !group.shown.is_empty();
            is_tried(a)
                .cmp(&is_tried(b))
                .then(total(b).total_cmp(&total(a)))
        });
        for group in groups.iter_mut().take(MOST_LONGER_TRIALS) {
            let points = group.points.iter().copied();
            let by_seconds =
                |a: &usize, b: &usize| seconds_of(group, *a).total_cmp(&seconds_of(group, *b));
            if let Some(most) = points.max_by(by_seconds) {
                group.left = 2.0 * LONGER_TRIAL;
                group.try_point(scenario, most, costs[most].events, LONGER_TRIAL);
            }
        }
    }
    let seconds = groups.iter().map(total).sum();
    let used = runs.iter().zip(&costs).filter(|(runs, _)| **runs > 0);
    let most = used.map(|(_, cost)| cost.bytes).fold(0.0, f64::max);
    Forecast {
        seconds,
        bytes: most + before as f64,
    }
}

/// The points that have runs, grouped by the values of the swept keys that are not numbers.
fn groups(scenario: &Scenario, runs: &[u32], costs: &[Cost]) -> Vec<PointGroup> {
    let is_number = |text: &str| text.parse::<f64>().is_ok() || text.parse::<Duration>().is_ok();
    let mut keys = scenario.swept.len();
    loop {
        let mut groups: BTreeMap<Vec<&str>, Vec<usize>> = BTreeMap::new();
        for (place, point) in scenario.points.iter().enumerate() {
            if runs[place] > 0 {
                let values = point.values[..keys].iter().map(String::as_str);
                let words = values.filter(|value| !is_number(value)).collect();
                groups.entry(words).or_default().push(place);
            }
        }
        if groups.len() <= MOST_GROUPS {
            let by_cost = |mut points: Vec<usize>| {
                points.sort_by(|a, b| costs[*a].events.total_cmp(&costs[*b].events));
                points
            };
            let group = |points| PointGroup {
                points: by_cost(points),
                shown: Vec::new(),
                left: 0.0,
            };
            return groups.into_values().map(group).collect();
        }
        keys -= 1;
    }
}

impl PointGroup {
    /// Tries the cheapest point, the most costly affordable one, and some between.
    fn try_out(&mut self, scenario: &Scenario, costs: &[Cost]) {
        let mut untried = self.points.clone();
        let first = untried.remove(0);
        let trials = self.points.len().min(5) as f64;
        let budget = |left: f64| (left / trials).max(0.01);
        self.try_point(scenario, first, costs[first].events, budget(self.left));
        while self.shown.len() < MOST_TRIALS && !untried.is_empty() && self.left > 0.0 {
            let affordable = |point: &usize| {
                let run = &scenario.points[*point].run;
                run.least_trial() * self.rate(costs[*point].events) <= self.left
            };
            let end = untried
                .iter()
                .rposition(affordable)
                .map_or(0, |last| last + 1);
            if end == 0 {
                break;
            }
            // Alternates between the most costly one and the one in the middle.
            let place = if self.shown.len() % 2 == 1 {
                end - 1
            } else {
                end / 2
            };
            let point = untried.remove(place);
            if !self.try_point(scenario, point, costs[point].events, budget(self.left)) {
                break;
            }
        }
    }

    /// Tries a point for about `budget` seconds of processor time; false if that gave nothing.
    fn try_point(&mut self, scenario: &Scenario, point: usize, events: f64, budget: f64) -> bool {
        let Some(planned) = scenario.runs.iter().find(|run| run.point == point) else {
            return false;
        };
        let run = &scenario.points[point].run;
        // After a trial of a point as costly as this one, this one is affordable, too.
        let is_known = self.shown.iter().any(|shown| shown.0 >= events);
        let least = run.least_trial() * self.rate(events);
        if !is_known && least > self.left.max(BUDGET / 8.0) {
            return false;
        }
        let started = ProcessTime::now();
        let budget = std::time::Duration::from_secs_f64(budget);
        let seconds = run.trial(planned.seed, budget).ok().and_then(|shown| {
            // This experiment has no trials: runs it completely.
            shown.or_else(|| {
                let started = ProcessTime::now();
                run.run(planned.seed).ok()?;
                Some(started.elapsed().as_secs_f64())
            })
        });
        self.left -= started.elapsed().as_secs_f64();
        let Some(seconds) = seconds else {
            return false;
        };
        self.shown.push((events, seconds / events.max(1.0)));
        true
    }

    /// Seconds for each event of a run of cost `events`: a power of the cost that fits what trials
    /// have shown. Beyond them it does not fall, and rises with half of the slope: large tables miss the
    /// cache more often.
    fn rate(&self, events: f64) -> f64 {
        let n = self.shown.len() as f64;
        if self.shown.is_empty() {
            return 1.0 / EVENTS_PER_SECOND;
        }
        let logs = |of: (f64, f64)| (libm::log(of.0.max(1.0)), libm::log(of.1.max(1e-12)));
        let points: Vec<(f64, f64)> = self.shown.iter().map(|shown| logs(*shown)).collect();
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
        let (x, y) = (mean(&|point| point.0), mean(&|point| point.1));
        let (square, product) = (
            mean(&|point| (point.0 - x) * (point.0 - x)),
            mean(&|point| (point.0 - x) * (point.1 - y)),
        );
        let slope = if square > 1e-3 {
            (product / square).clamp(-0.7, 0.7)
        } else {
            0.0
        };
        let fitted = |at: f64| libm::exp(y + slope * (at - x));
        // The fit is in logarithms, so its values are scaled to the measured sum.
        let seen: f64 = self.shown.iter().map(|(events, rate)| events * rate).sum();
        let sum: f64 = points
            .iter()
            .map(|point| libm::exp(point.0) * fitted(point.0))
            .sum();
        let ends = points.iter().map(|point| point.0);
        let (low, high) = (
            ends.clone().fold(f64::INFINITY, f64::min),
            ends.fold(f64::NEG_INFINITY, f64::max),
        );
        let at = libm::log(events.max(1.0));
        let beyond = libm::exp((at - high).max(0.0) * slope.clamp(0.0, 0.4) / 2.0);
        fitted(at.clamp(low, high)) * beyond * if sum > 0.0 { seen / sum } else { 1.0 }
    }
}
