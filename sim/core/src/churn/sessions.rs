//! Each participant alternates between sessions and absences.

use super::steps::Pending;
use super::{Change, ChurnPlan, Family, SessionSource, Step};
use crate::engine::{Duration, DurationDistribution, Instant, Seed, Stream};

crate::choices! {
    /// The participants that are online when the run begins.
    pub enum Presence {
        /// All of them, each at the beginning of a session.
        All = "all",
        /// Those of the stationary state, long after the process has begun; then `overlay.nodes` is the number of participants.
        Equilibrium = "equilibrium",
    }
}

crate::parameters! {
    /// Sessions and absences of each participant, drawn from distributions.
    pub struct SessionParameters {
        /// Length of a session.
        pub up: DurationDistribution = DurationDistribution::Exponential { mean: Duration::from_secs(3600) };
        /// Length of an absence, until the participant rejoins.
        pub down: DurationDistribution = DurationDistribution::Exponential { mean: Duration::from_secs(3600) };
        /// A measured source of sessions and absences; replaces both distributions.
        pub measured: Option<SessionSource> = None;
        /// The family of the fits to the measured source.
        pub family: Family = Family::Weibull;
        /// Median of exponential sessions and absences; replaces both distributions.
        pub median: Option<Duration> = None, within crate::parameter::Range::above(0.0);
        /// The participants that are online when the run begins.
        pub presence: Presence = Presence::All;
    }
}

impl SessionParameters {
    /// The distributions of sessions and absences.
    pub(super) fn distributions(&self) -> (DurationDistribution, DurationDistribution) {
        if let Some(measured) = self.measured {
            return measured.distributions(self.family);
        }
        let Some(median) = self.median else {
            return (self.up, self.down);
        };
        let mean = Duration::from_secs_f64(median.as_secs_f64() / std::f64::consts::LN_2);
        let both = DurationDistribution::Exponential { mean };
        (both, both)
    }
}

/// The participants online at the start, and the plan from `begin` on.
///
/// Each participant has its own random stream, so its sessions do not depend on the number of
/// participants.
pub(super) fn plan(
    parameters: &SessionParameters,
    participants: usize,
    change: Change,
    begin: Instant,
    seed: Seed,
) -> (Vec<u32>, ChurnPlan) {
    let (up, down) = parameters.distributions();
    let mut plan = Sessions {
        up,
        down,
        change,
        streams: (0..participants as u64)
            .map(|index| seed.stream("sessions", index))
            .collect(),
        pending: Pending::default(),
    };
    let mut here = Vec::new();
    for participant in 0..participants as u32 {
        let (is_here, left) = plan.enter(parameters.presence, participant);
        if is_here {
            here.push(participant);
        }
        let next = if is_here { change } else { Change::Join };
        plan.pending.push(begin + left, participant, next);
    }
    (here, Box::new(plan))
}

struct Sessions {
    up: DurationDistribution,
    down: DurationDistribution,
    change: Change,
    streams: Vec<Stream>,
    pending: Pending,
}

impl Sessions {
    /// Whether a participant is online at the start, and how long this state lasts.
    fn enter(&mut self, presence: Presence, participant: u32) -> (bool, Duration) {
        let stream = &mut self.streams[participant as usize];
        match presence {
            Presence::All => (true, self.up.sample(stream)),
            Presence::Equilibrium => {
                // An alternating renewal process that began long ago: the participant is online for
                // the sessions' share of the time, and the moment is uniform in the current
                // session.
                let (up, down) = (self.up.mean(), self.down.mean());
                let is_here = stream.chance(up / (up + down));
                let present = if is_here { self.up } else { self.down };
                (is_here, present.residual(stream))
            }
        }
    }
}

impl Iterator for Sessions {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let step = self.pending.pop()?;
        let stream = &mut self.streams[step.participant as usize];
        let (span, next) = match step.change {
            Change::Join => (self.up.sample(stream), self.change),
            Change::Leave | Change::Crash => (self.down.sample(stream), Change::Join),
        };
        // Time advances even if a distribution gives only zeros.
        let span = span.max(Duration::from_micros(1));
        self.pending.push(step.time + span, step.participant, next);
        Some(step)
    }
}
