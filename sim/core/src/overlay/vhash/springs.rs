//! The embedding: damped springs between a node and the peers it measures.
//!
//! What is measured is a latency, or with another `overlay.vhash.metric` a number of links or a cost;
//! below it is called latency.
//!
//! After Vivaldi (Dabek, Cox, Kaashoek and Morris, SIGCOMM 2004): each measured latency is a spring
//! whose length at rest is the latency times a scale; the node moves along the force, farther if
//! its own position is less certain than its peer's. Two things differ. The torus is bounded, so
//! the scale is fixed such that the mean latency takes the mean distance of two random points, and
//! nodes agree on the mean latency by gossip. And a DHT needs positions that come to rest, since
//! otherwise the nodes' knowledge of each other is never exact: the step is damped with the number
//! of measurements, and a node announces a new position only after its springs have moved it by a
//! fraction of the distance to its nearest peer.

use super::StateUpdate;
use crate::space::{Torus, TorusPoint};

/// The largest part of a spring's force that one step follows (Vivaldi's c_c).
const STEP: f64 = 0.25;
/// How fast the estimate of a node's own error follows new measurements (Vivaldi's c_e).
const ADAPT: f64 = 0.25;
/// Measurements after which the step has halved: enough at nearly full step for nodes to sort
/// themselves from a random start, and a bound on the remaining movement.
const HALF_LIFE: f64 = 150.0;
/// Measurements after which a node stays at its position: a step is then below 1/250 of the first,
/// and only then can the knowledge of its peers become exact.
const REST: u32 = 1200;
/// The fraction of the distance to the nearest peer that a node moves before it announces its
/// position.
const ANNOUNCE: f64 = 0.25;
/// Weight of a new measurement in the mean latency.
const MEAN_WEIGHT: f64 = 0.05;

/// The springs of a node.
#[derive(Clone, Debug)]
pub(super) struct Springs {
    estimates: SpringEstimates,
    measurements: u32,
    /// The position to which the springs have moved the node; empty until the first measurement.
    coordinate: TorusPoint,
}

/// The values of its springs that a node sends to others.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpringEstimates {
    /// Relative error of the node's distances, 0 to 1.
    error: f64,
    /// Mean one-way latency between nodes in seconds, if the node has an estimate.
    mean_latency: Option<f64>,
}

impl Default for Springs {
    fn default() -> Self {
        Self {
            estimates: SpringEstimates {
                error: 1.0,
                mean_latency: None,
            },
            measurements: 0,
            coordinate: TorusPoint::new(),
        }
    }
}

impl Springs {
    pub(super) fn estimates(&self) -> SpringEstimates {
        self.estimates
    }

    /// Adds a latency to a random peer, in seconds, to the mean.
    pub(super) fn sample(&mut self, latency: f64) {
        let mean = self.estimates.mean_latency.get_or_insert(latency);
        *mean += MEAN_WEIGHT * (latency - *mean);
    }

    /// Averages the mean latency with that of a peer.
    pub(super) fn average(&mut self, other: &SpringEstimates) {
        self.estimates.mean_latency = match (self.estimates.mean_latency, other.mean_latency) {
            (Some(mine), Some(theirs)) => Some((mine + theirs) / 2.0),
            (mine, theirs) => mine.or(theirs),
        };
    }

    /// Moves along the spring to the sender of `state_update`, measured at `latency` seconds;
    /// returns the new position of a node at `position` if it is to be announced. `nearest` is the
    /// squared distance of the nearest peer.
    pub(super) fn pull(
        &mut self,
        torus: &Torus,
        position: &TorusPoint,
        nearest: f64,
        state_update: &StateUpdate,
        latency: f64,
    ) -> Option<TorusPoint> {
        if self.measurements >= REST {
            return None;
        }
        let mean = self
            .estimates
            .mean_latency
            .filter(|mean| *mean > 0.0 && latency > 0.0)?;
        if self.coordinate.is_empty() {
            self.coordinate.clone_from(position);
        }
        // Two random coordinates on a circle of length 1 have a mean square difference of 1/12.
        let scale = libm::sqrt(torus.dimensions() as f64 / 12.0) / mean;
        let rest = latency * scale;
        let away: TorusPoint = torus
            .vector(&state_update.sender.position, &self.coordinate)
            .collect();
        let distance = libm::sqrt(away.iter().map(|x| x * x).sum());
        if distance < 1e-9 {
            return None;
        }
        let trust =
            self.estimates.error / (self.estimates.error + state_update.springs.error).max(1e-9);
        let off = ((distance - rest).abs() / rest).min(1.0);
        self.estimates.error += ADAPT * trust * (off - self.estimates.error);
        let damping = libm::exp2(-f64::from(self.measurements) / HALF_LIFE);
        let step = STEP * trust * damping;
        self.measurements += 1;
        for (x, away) in self.coordinate.iter_mut().zip(&away) {
            *x = Torus::wrap(*x + step * (rest - distance) * away / distance);
        }
        let moved = torus.squared_distance(&self.coordinate, position);
        (moved > ANNOUNCE * ANNOUNCE * nearest).then(|| self.coordinate.clone())
    }
}
