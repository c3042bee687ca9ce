//! A trial of a run: its progress in a short time, and the forecast for the whole run.

use cpu_time::ProcessTime;
use dhtlab_core::network::{End, Network, TrialProgress};
use dhtlab_core::overlay::{Application, GroundTruth};

/// Upper bound of the seconds per event where searches in the underlay hide the work of events.
const MOST_AN_EVENT: f64 = 1e-5;

/// A trial.
pub(super) struct Trial {
    budget: std::time::Duration,
    started: ProcessTime,
    /// Seconds of processor time until the network was built.
    built: f64,
    /// Progress at half of the time budget.
    middle: Option<TrialProgress>,
    /// Progress at the end.
    last: TrialProgress,
    /// Maximum number of rows of distances.
    rows: usize,
    /// Rows computed before the trial began.
    first_rows: usize,
    /// Seconds per row.
    row: f64,
    /// Whether the run ended by itself.
    is_whole: bool,
}

impl Trial {
    /// A trial that starts now; it continues for `budget` once the network is built.
    pub fn new(budget: std::time::Duration) -> Self {
        Self {
            budget,
            started: ProcessTime::now(),
            built: 0.0,
            middle: None,
            last: TrialProgress {
                reached: 0.0,
                taken: 0.0,
                rows: 0,
            },
            rows: 0,
            first_rows: 0,
            row: 0.0,
            is_whole: false,
        }
    }

    /// Begins the trial when the network is built.
    pub fn begin<P: GroundTruth, A: Application>(&mut self, network: &mut Network<P, A>) {
        self.built = self.started.elapsed().as_secs_f64();
        // Rows computed during the trial would be taken for the work of its events.
        let (before, rows_before) = (ProcessTime::now(), network.distance_rows().0);
        while before.elapsed() < self.budget && network.compute_distances() {}
        let taken = before.elapsed().as_secs_f64();
        // Labels that replace rows count as many at once.
        self.first_rows = network.distance_rows().0;
        let computed = self.first_rows.saturating_sub(rows_before);
        self.row = taken / computed.max(1) as f64;
        network.begin_trial(self.budget);
    }

    /// Ends the trial with the result `end` of the run.
    pub fn end<P: GroundTruth, A: Application>(&mut self, network: &mut Network<P, A>, end: End) {
        if let Some((middle, last)) = network.trial_moments() {
            (self.middle, self.last) = (middle, last);
        }
        self.is_whole = end != End::Trial;
        self.rows = network.distance_rows().1;
    }

    /// Forecast of the processor time, in seconds, of a run of `lasts` virtual seconds, with
    /// `expected(t)` events expected in its first `t` seconds: the time that the trial took, and
    /// for the remaining events the time per event of its second half. At its end the run has all
    /// rows of distances if it `needs_all`, or else as many as the events make likely.
    pub fn whole(&self, lasts: f64, needs_all: bool, expected: impl Fn(f64) -> f64) -> f64 {
        let steady = |moment: &TrialProgress| {
            let rows = (moment.rows - self.first_rows) as f64 * self.row;
            (moment.taken - rows).max(0.05 * moment.taken)
        };
        let (last, all) = (&self.last, self.rows as f64);
        let here = expected(last.reached);
        let left = if self.is_whole {
            0.0
        } else {
            (expected(lasts) - here).max(0.0)
        };
        let (before, since) = match &self.middle {
            Some(middle) if here > expected(middle.reached) => {
                (steady(middle), expected(middle.reached))
            }
            _ => (0.0, 0.0),
        };
        let mut each = (steady(last) - before).max(0.0) / (here - since).max(1e-9);
        if last.rows > self.first_rows {
            each = each.min(MOST_AN_EVENT);
        }
        let rest = if here > 0.0 { left * each } else { 0.0 };
        let rows = if needs_all || here <= 0.0 {
            all
        } else {
            all.min(last.rows as f64 * (here + left) / here)
        };
        self.built + steady(last) + rest + rows * self.row
    }

    /// Seconds spent on building the network.
    pub fn building(&self) -> f64 {
        self.built
    }

    /// Whether the run reached this virtual time, in seconds, or its end.
    pub fn has_reached(&self, seconds: f64) -> bool {
        self.is_whole || self.last.reached > seconds
    }
}
