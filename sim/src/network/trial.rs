//! The clock of a trial: how far a run has come when half of its time is over, and when all of it is.

use cpu_time::ProcessTime;
use std::time::{Duration, Instant};

/// How many times its processor time a trial may take on a busy machine.
const MOST_WAIT: u32 = 5;

/// Where a trial was at a moment.
#[derive(Clone, Copy, Debug)]
pub struct TrialProgress {
    /// The virtual time in seconds.
    pub reached: f64,
    /// Seconds of processor time since the trial began.
    pub taken: f64,
    /// Rows of distances that were computed.
    pub rows: usize,
}

/// The clock of a trial.
#[derive(Debug)]
pub(super) struct TrialClock {
    started: ProcessTime,
    /// Seconds of processor time that it may take.
    budget: f64,
    /// When it is over however little it has had.
    end: Instant,
    pub middle: Option<TrialProgress>,
}

impl TrialClock {
    /// A trial begins that goes on for `budget`.
    pub fn new(budget: Duration) -> Self {
        Self {
            started: ProcessTime::now(),
            budget: budget.as_secs_f64(),
            end: Instant::now() + MOST_WAIT * budget,
            middle: None,
        }
    }

    /// Whether the trial is over, by what `at` tells of the virtual time and the rows now.
    pub fn is_over(&mut self, at: impl FnOnce() -> (f64, usize)) -> bool {
        let taken = self.started.elapsed().as_secs_f64();
        if self.middle.is_none() && taken >= self.budget / 2.0 {
            self.middle = Some(self.moment(at()));
        }
        taken >= self.budget || Instant::now() >= self.end
    }

    /// This moment of the trial.
    pub fn moment(&self, (reached, rows): (f64, usize)) -> TrialProgress {
        TrialProgress {
            reached,
            taken: self.started.elapsed().as_secs_f64(),
            rows,
        }
    }
}
