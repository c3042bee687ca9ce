//! How far a scenario is: a bar with the time left on a terminal, otherwise a line a point.

use crate::scenario::Scenario;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Units of the bar for a whole scenario: runs count by their forecast cost.
const UNITS: f64 = 10_000.0;

/// The progress of one scenario.
pub(super) struct Progress {
    bar: ProgressBar,
    plain: bool,
    units: f64,
    total: f64,
    /// Runs left at each point.
    left: Vec<usize>,
    points_done: usize,
}

impl Progress {
    /// The progress of the runs `todo` (places in `scenario.runs`).
    pub fn new(scenario: &Scenario, todo: &[usize]) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let mut left = vec![0; scenario.points.len()];
        for run in todo {
            left[scenario.runs[*run].point] += 1;
        }
        let target = if plain {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(UNITS as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{prefix} [{wide_bar}] {msg}, {eta} left") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(scenario.name.clone());
        bar.set_message(format!("{} runs", todo.len()));
        let total = todo.iter().map(|run| cost(scenario, *run)).sum();
        let points_done = left.iter().filter(|left| **left == 0).count();
        Self {
            bar,
            plain,
            units: 0.0,
            total,
            left,
            points_done,
        }
    }

    /// A run (its place in `scenario.runs`) is done.
    pub fn done(&mut self, scenario: &Scenario, run: usize) {
        self.units += cost(scenario, run) / self.total * UNITS;
        self.bar.set_position(self.units as u64);
        let point = scenario.runs[run].point;
        self.left[point] -= 1;
        let runs: usize = self.left.iter().sum();
        self.bar.set_message(format!("{runs} runs to go"));
        if self.left[point] == 0 {
            self.points_done += 1;
            if self.plain {
                let values = scenario.swept.iter().zip(&scenario.points[point].values);
                let values: Vec<String> = values.map(|(k, v)| format!(" {k}={v}")).collect();
                eprintln!(
                    "{}: {} of {} points done:{}",
                    scenario.name,
                    self.points_done,
                    scenario.points.len(),
                    values.concat()
                );
            }
        }
    }

    /// Says something without disturbing the bar.
    pub fn say(&self, text: &str) {
        if self.plain {
            eprintln!("{text}");
        } else {
            self.bar.println(text);
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn cost(scenario: &Scenario, run: usize) -> f64 {
    scenario.points[scenario.runs[run].point]
        .run
        .cost()
        .events
        .max(1.0)
}
