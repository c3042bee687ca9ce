//! Every second, each node fails with a probability and rejoins soon (ChordReduce).

use super::steps::Pending;
use super::{Change, ChurnPlan, Step};
use crate::engine::{Duration, Instant, Stream};

crate::parameters! {
    /// Each node fails with a probability per second, rejoins after a fixed time or with another probability, and is then immune for some time (Rosen et al., ChordReduce, 2014).
    pub struct PerSecondParameters {
        /// Probability that a node fails in a second.
        pub probability: f64 = 0.001, within 0.0..=1.0;
        /// Time until it rejoins; without effect if `join` is given.
        pub wait: Duration = Duration::from_secs(1);
        /// Probability that a node that is offline rejoins in a second. If absent, it rejoins after `wait`.
        pub join: Option<f64> = None, within crate::parameter::Range::above(0.0).and_at_most(1.0);
        /// Time after its join in which it does not fail.
        pub immunity: Duration = Duration::from_secs(20);
    }
}

impl PerSecondParameters {
    /// The mean fraction of the nodes that is online with `join`; 1 without, where absences are
    /// short.
    pub(super) fn presence(&self) -> f64 {
        self.join
            .map_or(1.0, |join| join / (join + self.probability))
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
    /// Draws the nodes that fail and those that rejoin in the next second.
    fn draw(&mut self) {
        self.second = self.second + Duration::from_secs(1);
        let (second, own) = (self.second, &self.parameters);
        for (participant, spared) in self.spared.iter_mut().enumerate() {
            let participant = participant as u32;
            match (*spared, own.join) {
                (None, Some(join)) if self.stream.chance(join) => {
                    self.pending.push(second, participant, Change::Join);
                }
                (Some(until), join) if until <= second && self.stream.chance(own.probability) => {
                    self.pending.push(second, participant, self.change);
                    if join.is_none() {
                        self.pending
                            .push(second + own.wait, participant, Change::Join);
                    }
                    *spared = None;
                }
                _ => {}
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
