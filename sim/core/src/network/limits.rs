//! The limits of a run: the memory of the process, the pending events, and the time of a trial.

use super::trial::{TrialClock, TrialProgress};
use super::{End, Network};
use crate::engine::interruption;
use crate::engine::memory::MemoryWatch;
use crate::overlay::{Application, GroundTruth};

/// Events between two checks of the memory of the process: a check costs as much as a hundred
/// events.
const EVENTS_A_LOOK: u64 = 1 << 14;

/// Pending events at which a run ends as short of memory: the queue holds 2^28.
const MOST_PENDING: usize = (1 << 28) - (1 << 22);

/// Events between two checks of the clock in a trial.
const EVENTS_A_LOOK_OF_A_TRIAL: u64 = 1 << 6;

/// What ends a run early.
pub(super) struct Limits {
    memory: MemoryWatch,
    trial: Option<Box<TrialClock>>,
}

impl Limits {
    /// Watches the memory from now on.
    pub(super) fn begin() -> Self {
        Self {
            memory: MemoryWatch::begin(),
            trial: None,
        }
    }
}

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Makes the run a trial, which ends after `budget` of processor time.
    pub fn begin_trial(&mut self, budget: std::time::Duration) {
        self.limits.trial = Some(Box::new(TrialClock::new(budget)));
    }

    /// Progress of the trial when half of its time was over, and now.
    pub fn trial_moments(&self) -> Option<(Option<TrialProgress>, TrialProgress)> {
        let trial = self.limits.trial.as_ref()?;
        let now = (self.state.now.as_secs_f64(), self.wire.distances.rows().0);
        Some((trial.middle, trial.moment(now)))
    }

    /// Why the run has to end early, if it has to. Checks from time to time.
    pub(super) fn cut_short(&mut self) -> Option<End> {
        let events = self.observers.tally.counts.events;
        if events.is_multiple_of(EVENTS_A_LOOK) {
            if interruption::is_requested() {
                return Some(End::Interrupted);
            }
            if self.queue.len() > MOST_PENDING || self.limits.memory.is_over() {
                return Some(End::Memory);
            }
        }
        let trial = self.limits.trial.as_mut()?;
        if !events.is_multiple_of(EVENTS_A_LOOK_OF_A_TRIAL) {
            return None;
        }
        let at = || (self.state.now.as_secs_f64(), self.wire.distances.rows().0);
        trial.is_over(at).then_some(End::Trial)
    }
}
