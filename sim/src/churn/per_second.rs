//! Every second, each node is gone with a probability, and comes back soon (ChordReduce).

use super::steps::Pending;
use super::{Change, ChurnPlan, Step};
use crate::engine::{Duration, Instant, Stream};

crate::parameters! {
    /// Each second each node is gone with a probability, and comes back after a while; for some time it is then spared (Rosen et al., ChordReduce, 2014).
    pub struct PerSecondParameters {
        /// Probability that a node goes in a second.
        pub probability: f64 = 0.001, within 0.0..=1.0;
        /// Time until it comes back.
        pub wait: Duration = Duration::from_secs(1);
        /// Time after its coming in which it is spared.
        pub immunity: Duration = Duration::from_secs(20);
    }
}

/// The plan from `begin` on; every participant is there at first.
pub(super) fn plan(
    parameters: PerSecondParameters,
    nodes: usize,
    change: Change,
    begin: Instant,
    stream: Stream,
) -> ChurnPlan {
    Box::new(PerSecond {
        parameters,
        change,
        stream,
        spared: vec![Some(begin); nodes],
        pending: Pending::default(),
        second: begin,
    })
}

struct PerSecond {
    parameters: PerSecondParameters,
    change: Change,
    stream: Stream,
    /// Until when each participant is spared; `None` while it is away.
    spared: Vec<Option<Instant>>,
    pending: Pending,
    second: Instant,
}

impl PerSecond {
    /// Draws who goes in the next second.
    fn draw(&mut self) {
        self.second = self.second + Duration::from_secs(1);
        for (participant, spared) in self.spared.iter_mut().enumerate() {
            if spared.is_none_or(|until| until > self.second) {
                continue;
            }
            if self.stream.chance(self.parameters.probability) {
                let (back, participant) = (self.second + self.parameters.wait, participant as u32);
                self.pending.push(self.second, participant, self.change);
                self.pending.push(back, participant, Change::Join);
                *spared = None;
            }
        }
    }
}

impl Iterator for PerSecond {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if self.parameters.probability <= 0.0 {
            return None;
        }
        // A step is final once the second in which it lies is drawn.
        while self
            .pending
            .earliest()
            .is_none_or(|time| time > self.second)
        {
            self.draw();
        }
        let step = self.pending.pop()?;
        if step.change == Change::Join {
            let spared = step.time + self.parameters.immunity;
            self.spared[step.participant as usize] = Some(spared);
        }
        Some(step)
    }
}
