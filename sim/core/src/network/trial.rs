//! The clock of a trial: the progress of a run after half of its time budget, and after all of it.

use cpu_time::ProcessTime;
use std::time::{Duration, Instant};

/// Maximum wall-clock time of a trial on a busy machine, in multiples of its budget.
const MOST_WAIT: u32 = 5;

/// Progress of a trial at a moment.
#[derive(Clone, Copy, Debug)]
pub struct TrialProgress {
    /// The virtual time in seconds.
    pub reached: f64,
    /// Processor time since the trial began, in seconds.
    pub taken: f64,
    /// Number of computed rows of distances.
    pub rows: usize,
}

/// The clock of a trial.
#[derive(Debug)]
pub(super) struct TrialClock {
    started: ProcessTime,
    /// Its budget of processor time in seconds.
    budget: f64,
    /// Wall-clock end, whatever processor time it has had.
    end: Instant,
    pub middle: Option<TrialProgress>,
}

impl TrialClock {
    /// Starts a trial with this `budget`.
    pub fn new(budget: Duration) -> Self {
        Self {
            started: ProcessTime::now(),
            budget: budget.as_secs_f64(),
            end: Instant::now() + MOST_WAIT * budget,
            middle: None,
        }
    }

    /// Whether the trial is over; `at` returns the current virtual time and rows.
    pub fn is_over(&mut self, at: impl FnOnce() -> (f64, usize)) -> bool {
        let taken = self.started.elapsed().as_secs_f64();
        if self.middle.is_none() && taken >= self.budget / 2.0 {
            self.middle = Some(self.moment(at()));
        }
        taken >= self.budget || Instant::now() >= self.end
    }

    /// The current progress of the trial.
    pub fn moment(&self, (reached, rows): (f64, usize)) -> TrialProgress {
        TrialProgress {
            reached,
            taken: self.started.elapsed().as_secs_f64(),
            rows,
        }
    }
}
