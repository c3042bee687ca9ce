//! How long the runs of a scenario take, and how much memory: by what they say themselves, held
//! against short trials of some of them.

use crate::engine::{Duration, memory};
use crate::scenario::{Cost, EVENTS_PER_SECOND, Scenario};
use cpu_time::ProcessTime;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Seconds of processor time that all trials of a scenario may take, about.
const BUDGET: f64 = 1.0;

/// Kinds of points that have trials of their own.
const MOST_KINDS: usize = 24;

/// Trials of one kind of points.
const MOST_TRIALS: usize = 8;

/// What all runs of a scenario take.
pub(super) struct Forecast {
    /// Seconds of processor time in all.
    pub seconds: f64,
    /// Bytes that the process takes while the largest of them goes on, and no other.
    pub bytes: f64,
}

/// Points that differ only in numbers.
struct Kind {
    /// Their places, by rising cost.
    points: Vec<usize>,
    /// What trials have shown of some of them: the cost, and seconds for each event of it.
    shown: Vec<(f64, f64)>,
    /// Seconds that are left for trials.
    left: f64,
}

/// The forecast for `scenario`, with trials of some of its points or without.
pub(super) fn of(scenario: &Scenario, with_trials: bool) -> Forecast {
    let mut runs = vec![0_u32; scenario.points.len()];
    for run in &scenario.runs {
        runs[run.point] += 1;
    }
    let costs: Vec<Cost> = scenario
        .points
        .iter()
        .map(|point| point.run.cost())
        .collect();
    // What the process takes by itself, before any trial.
    static BEFORE: OnceLock<u64> = OnceLock::new();
    let before = *BEFORE.get_or_init(|| memory::resident().unwrap_or(0));
    let mut kinds = kinds(scenario, &runs, &costs);
    let budget = BUDGET / kinds.len().max(1) as f64;
    let mut seconds = 0.0;
    for kind in &mut kinds {
        kind.left = budget;
        if with_trials {
            kind.try_out(scenario, &costs);
        }
        for point in &kind.points {
            seconds +=
                f64::from(runs[*point]) * costs[*point].events * kind.rate(costs[*point].events);
        }
    }
    let used = runs.iter().zip(&costs).filter(|(runs, _)| **runs > 0);
    let most = used.map(|(_, cost)| cost.bytes).fold(0.0, f64::max);
    Forecast {
        seconds,
        bytes: most + before as f64,
    }
}

/// The points that have runs, by the values of the swept keys that are no numbers.
fn kinds(scenario: &Scenario, runs: &[u32], costs: &[Cost]) -> Vec<Kind> {
    let is_number = |text: &str| text.parse::<f64>().is_ok() || text.parse::<Duration>().is_ok();
    let mut keys = scenario.swept.len();
    loop {
        let mut kinds: BTreeMap<Vec<&str>, Vec<usize>> = BTreeMap::new();
        for (place, point) in scenario.points.iter().enumerate() {
            if runs[place] > 0 {
                let values = point.values[..keys].iter().map(String::as_str);
                let words = values.filter(|value| !is_number(value)).collect();
                kinds.entry(words).or_default().push(place);
            }
        }
        if kinds.len() <= MOST_KINDS {
            let by_cost = |mut points: Vec<usize>| {
                points.sort_by(|a, b| costs[*a].events.total_cmp(&costs[*b].events));
                points
            };
            let kind = |points| Kind {
                points: by_cost(points),
                shown: Vec::new(),
                left: 0.0,
            };
            return kinds.into_values().map(kind).collect();
        }
        keys -= 1;
    }
}

impl Kind {
    /// Tries the cheapest point, the most costly one that can be afforded, and some between.
    fn try_out(&mut self, scenario: &Scenario, costs: &[Cost]) {
        let mut untried = self.points.clone();
        let first = untried.remove(0);
        self.try_point(scenario, first, costs[first].events);
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
            // The most costly one, then the one in the middle, ever again.
            let place = if self.shown.len() % 2 == 1 {
                end - 1
            } else {
                end / 2
            };
            let point = untried.remove(place);
            if !self.try_point(scenario, point, costs[point].events) {
                break;
            }
        }
    }

    /// Tries a point; false if that gave nothing.
    fn try_point(&mut self, scenario: &Scenario, point: usize, events: f64) -> bool {
        let Some(planned) = scenario.runs.iter().find(|run| run.point == point) else {
            return false;
        };
        let run = &scenario.points[point].run;
        let rate = self.rate(events);
        if run.least_trial() * rate > self.left.max(BUDGET / 8.0) {
            return false;
        }
        let started = ProcessTime::now();
        let trials = self.points.len().min(5) as f64;
        let budget = std::time::Duration::from_secs_f64((self.left / trials).max(0.01));
        let seconds = run.trial(planned.seed, budget).ok().and_then(|shown| {
            // Only a whole run tells.
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
    /// have shown, and no further than they reach.
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
        // The fit is one of logarithms: what it gives is brought to the sum that was seen.
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
        let at = libm::log(events.max(1.0)).clamp(low, high);
        fitted(at) * if sum > 0.0 { seen / sum } else { 1.0 }
    }
}
