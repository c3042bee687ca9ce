//! A trial of a run: how far it comes in a little time, and what the whole will take by that.

use crate::network::{End, Network, TrialProgress};
use crate::overlay::{Application, GroundTruth};
use cpu_time::ProcessTime;
use dhtlab_analysis::view::Recording;

/// Who watches a run, beside its own counters.
pub(in crate::experiment) enum Observer<'a> {
    /// Nobody.
    None,
    /// It is taken down event by event.
    Recording(&'a mut Recording),
    /// It is a trial, which ends when its time is over.
    Trial(&'a mut Trial),
}

impl<'a> From<Option<&'a mut Recording>> for Observer<'a> {
    fn from(recording: Option<&'a mut Recording>) -> Self {
        recording.map_or(Self::None, Self::Recording)
    }
}

/// The most seconds that an event is taken to need where searches in the underlay hide what it does.
const MOST_AN_EVENT: f64 = 1e-5;

/// A trial.
pub(in crate::experiment) struct Trial {
    budget: std::time::Duration,
    started: ProcessTime,
    /// Seconds of processor time until the world was built.
    built: f64,
    /// Where it was when half of its time was over.
    middle: Option<TrialProgress>,
    /// Where it ended.
    last: TrialProgress,
    /// Rows of distances that there can be.
    rows: usize,
    /// Rows that were computed before it began.
    first_rows: usize,
    /// Seconds that a row takes.
    row: f64,
    /// Whether the run came to its own end.
    is_whole: bool,
}

impl Trial {
    /// A trial that begins now; once the world is built it goes on for `budget`.
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

    /// The world is built.
    pub fn begin<P: GroundTruth, A: Application>(&mut self, network: &mut Network<P, A>) {
        self.built = self.started.elapsed().as_secs_f64();
        // Rows that come while it runs would pass for the work of its events.
        let before = ProcessTime::now();
        let mut computed = 0;
        while before.elapsed() < self.budget && network.compute_distances() {
            computed += 1;
        }
        let taken = before.elapsed().as_secs_f64();
        self.row = taken / f64::from(computed.max(1));
        self.first_rows = network.distance_rows().0;
        network.begin_trial(self.budget);
    }

    /// The run has ended so.
    pub fn end<P: GroundTruth, A: Application>(&mut self, network: &mut Network<P, A>, end: End) {
        if let Some((middle, last)) = network.trial_moments() {
            (self.middle, self.last) = (middle, last);
        }
        self.is_whole = end != End::Trial;
        self.rows = network.distance_rows().1;
    }

    /// Seconds of processor time that the run takes which lasts for `lasts` virtual seconds, if
    /// `expected(t)` events are expected in its first `t` of them: what the trial took, and for the rest
    /// what its second half took for each of them. In the end the run has all rows of distances if it
    /// `needs_all`, or else as many as the events make likely.
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

    /// Seconds that building the world took.
    pub fn building(&self) -> f64 {
        self.built
    }

    /// Whether the run came to its own end.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether the run reached that virtual time, in seconds, or its own end.
    pub fn has_reached(&self, seconds: f64) -> bool {
        self.is_whole || self.last.reached > seconds
    }
}
