//! A fraction of all nodes fails at once.

use super::{Change, ChurnPlan, Step};
use crate::engine::{Duration, Instant, Stream};

crate::parameters! {
    /// A fraction of all nodes fails at once (Chord, ToN 2003, section V-E).
    pub struct FailureParameters {
        /// The fraction of the nodes.
        pub fraction: f64 = 0.1, within 0.0..=1.0;
        /// When they fail, from the start of the run on; at the end of `time.transition` if absent.
        pub at: Option<Duration> = None;
    }
}

/// The plan: a random choice of `round(fraction * nodes)` participants at `at`.
pub(super) fn plan(
    parameters: &FailureParameters,
    nodes: usize,
    change: Change,
    at: Instant,
    mut stream: Stream,
) -> ChurnPlan {
    let count = failed_nodes(parameters, nodes);
    let mut participants: Vec<u32> = (0..nodes as u32).collect();
    stream.sample_to_front(&mut participants, count);
    participants.truncate(count);
    participants.sort_unstable();
    Box::new(participants.into_iter().map(move |participant| Step {
        time: at,
        participant,
        change,
    }))
}

/// How many of `nodes` nodes fail.
pub(super) fn failed_nodes(parameters: &FailureParameters, nodes: usize) -> usize {
    (libm::round(parameters.fraction * nodes as f64) as usize).min(nodes)
}
