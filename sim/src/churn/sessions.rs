//! Each participant is there for a session and away for a while, again and again.

use super::steps::Pending;
use super::{Change, ChurnPlan, Family, Measured, Step};
use crate::engine::{Duration, DurationDistribution, Instant, Seed, Stream};

crate::choices! {
    /// Who is there when the run begins.
    pub enum Presence {
        /// Everybody, each at the beginning of a session.
        All = "all",
        /// Who would be there long after everything has begun: `overlay.nodes` then is the number of participants.
        Equilibrium = "equilibrium",
    }
}

crate::parameters! {
    /// Sessions and absences of each participant, drawn from distributions.
    pub struct SessionParameters {
        /// Length of a session.
        pub up: DurationDistribution = DurationDistribution::Exponential { mean: Duration::from_secs(3600) };
        /// Time until the participant comes back.
        pub down: DurationDistribution = DurationDistribution::Exponential { mean: Duration::from_secs(3600) };
        /// Where sessions and absences were measured; takes the place of both distributions.
        pub measured: Option<Measured> = None;
        /// Which family of distributions was fitted to what was measured.
        pub family: Family = Family::Weibull;
        /// Median of exponential sessions and absences; takes the place of both distributions.
        pub median: Option<Duration> = None, within crate::parameter::Range::above(0.0);
        /// Who is there when the run begins.
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

/// The participants that are there at first, and the plan from `begin` on.
///
/// Each participant has a stream of its own, so that the sessions of one do not depend on how
/// many others there are.
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
    /// Whether a participant is there at the beginning, and for how long that lasts.
    fn enter(&mut self, presence: Presence, participant: u32) -> (bool, Duration) {
        let stream = &mut self.streams[participant as usize];
        match presence {
            Presence::All => (true, self.up.sample(stream)),
            Presence::Equilibrium => {
                // An alternating renewal process that began long ago: of the time it is there the
                // share of the sessions, and the moment lies anywhere in the present one.
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
        // Time goes on, even if a distribution gives nothing but zeros.
        let span = span.max(Duration::from_micros(1));
        self.pending.push(step.time + span, step.participant, next);
        Some(step)
    }
}
