//! A node's estimate of the size of the network from its own walks.

use crate::engine::{Duration, Instant};
use crate::overlay::{SizeEstimator, SizeSample};
use std::collections::VecDeque;

/// Most samples of a node; as in go-libp2p-kad-dht.
const MOST: usize = 150;
/// Fewest samples for an estimate; as in go-libp2p-kad-dht.
pub const FEWEST: usize = 5;
/// How long a sample counts; as in go-libp2p-kad-dht.
const LIFETIME: Duration = Duration::from_secs(2 * 3600);

/// The distances that the last walks of a node have found.
#[derive(Clone, Debug, Default)]
pub(super) struct SizeSamples(VecDeque<(Instant, SizeSample)>);

impl SizeSamples {
    /// A walk has ended at `now`.
    pub fn add(&mut self, now: Instant, sample: SizeSample) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((now, sample));
    }

    /// The estimate; `None` with fewer than 5 samples.
    pub fn estimate(&self, now: Instant) -> Option<f64> {
        let valid: Vec<SizeSample> = self
            .0
            .iter()
            .filter(|(time, _)| now.since(*time) <= LIFETIME)
            .map(|(_, sample)| sample.clone())
            .collect();
        if valid.len() < FEWEST {
            return None;
        }
        SizeEstimator::Libp2p.estimate(&valid)
    }
}
