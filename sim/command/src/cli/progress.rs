//! Progress of the command: on a terminal one bar over all scenarios with the time left, otherwise
//! a line at each tenth of the work.

use crate::streams;
use dhtlab_scenario::Scenario;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Units of the bar for the whole work.
const UNITS: f64 = 10_000.0;

/// The most characters of a point of a sweep beside the bar.
const LONGEST_POINT: usize = 48;

/// The progress of all scenarios of a command. Runs count by their forecast cost.
pub(super) struct Progress {
    bar: ProgressBar,
    plain: bool,
    /// The cost of the planned runs of each scenario.
    costs: Vec<f64>,
    /// The cost of the finished runs.
    done: f64,
    /// The current scenario: its name, and its number if there are several.
    at_hand: String,
    runs_left: usize,
    /// The point of the run that has started last.
    now: String,
    /// Tenths that were reported.
    tenths: u32,
}

impl Progress {
    /// The progress of scenarios with these `costs`.
    pub fn new(costs: Vec<f64>) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let target = if plain || streams::is_quiet() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(UNITS as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{prefix} [{wide_bar}] {msg}, {eta} left") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self {
            bar,
            plain,
            costs,
            done: 0.0,
            at_hand: String::new(),
            runs_left: 0,
            now: String::new(),
            tenths: 0,
        }
    }

    /// Begins the runs `todo` (indices in `scenario.runs`) of the scenario number `place`.
    pub fn begin(&mut self, place: usize, scenario: &Scenario, todo: &[usize]) {
        // The opened results replace the earlier estimate.
        self.costs[place] = todo.iter().map(|run| cost(scenario, *run)).sum();
        self.at_hand = match self.costs.len() {
            1 => scenario.folder_name(),
            several => format!("{} ({} of {several})", scenario.folder_name(), place + 1),
        };
        self.runs_left = todo.len();
        self.bar.set_prefix(self.at_hand.clone());
        self.bar.set_message(format!("{} runs", todo.len()));
        self.move_bar();
    }

    /// Shows the point of a run that starts (its index in `scenario.runs`).
    pub fn starts(&mut self, scenario: &Scenario, run: usize) {
        let planned = &scenario.runs[run];
        let values = &scenario.points[planned.point].values;
        let point = scenario.swept.iter().zip(values);
        let point = point.map(|(key, value)| {
            let key = key.rsplit('.').next().unwrap_or(key);
            format!("{key} = {value}")
        });
        let repetition = format!("repetition {}", planned.repetition + 1);
        let whole = point.chain([repetition]).collect::<Vec<_>>().join(", ");
        let is_short = whole.chars().count() <= LONGEST_POINT;
        self.now = match is_short {
            true => whole,
            false => whole.chars().take(LONGEST_POINT - 1).chain(['…']).collect(),
        };
        self.show_message();
    }

    fn show_message(&self) {
        let runs = if self.runs_left == 1 { "run" } else { "runs" };
        let now = &self.now;
        self.bar
            .set_message(format!("{} {runs} left ({now})", self.runs_left));
    }

    /// Counts a finished run (its index in `scenario.runs`).
    pub fn done(&mut self, scenario: &Scenario, run: usize) {
        self.done += cost(scenario, run);
        self.runs_left -= 1;
        self.show_message();
        self.move_bar();
        let tenths = (10.0 * self.part()) as u32;
        // The line of the last scenario reports the end.
        if self.plain && tenths > self.tenths && tenths < 10 {
            streams::print_note(format_args!(
                "{}: {} % of the total work done",
                self.at_hand,
                10 * tenths
            ));
        }
        self.tenths = self.tenths.max(tenths);
    }

    /// Prints a message above the bar.
    pub fn print_note(&self, text: &str) {
        if self.plain || streams::is_quiet() {
            streams::print_note(text);
        } else {
            self.bar.println(text);
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// The finished fraction of the work.
    fn part(&self) -> f64 {
        let total: f64 = self.costs.iter().sum();
        // A small addend, so that sums of the same costs in another order give the same tenth.
        if total > 0.0 {
            (self.done / total * (1.0 + 1e-12)).min(1.0)
        } else {
            1.0
        }
    }

    fn move_bar(&self) {
        self.bar.set_position((UNITS * self.part()) as u64);
    }
}

/// The cost of a run (its index in `scenario.runs`).
pub(super) fn cost(scenario: &Scenario, run: usize) -> f64 {
    let point = scenario.runs[run].point;
    scenario.points[point].run.cost().events.max(1.0)
}
