//! Every second, each node fails with a probability and rejoins soon (ChordReduce).

use super::steps::Pending;
use super::{Change, ChurnPlan, Step};
use crate::engine::{Duration, Instant, Stream};

crate::parameters! {
    /// Each node fails with a probability per second, rejoins after a fixed time, and is then immune for some time (Rosen et al., ChordReduce, 2014).
    pub struct PerSecondParameters {
        /// Probability that a node fails in a second.
        pub probability: f64 = 0.001, within 0.0..=1.0;
        /// Time until it rejoins.
        pub wait: Duration = Duration::from_secs(1);
        /// Time after its join in which it does not fail.
        pub immunity: Duration = Duration::from_secs(20);
    }
}

/// The plan from `begin` on; every participant is online at the start.
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
    /// Until when each participant is immune; `None` while it is offline.
    spared: Vec<Option<Instant>>,
    pending: Pending,
    second: Instant,
}

impl PerSecond {
    /// Draws the nodes that fail in the next second.
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
        // A step is final once its second is drawn.
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
