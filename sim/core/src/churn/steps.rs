//! Pending steps.

use super::{Change, Step};
use crate::engine::Instant;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Pending steps, by time, then by participant.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending(BinaryHeap<Reverse<Step>>);

impl Pending {
    pub fn push(&mut self, time: Instant, participant: u32, change: Change) {
        self.0.push(Reverse(Step {
            time,
            participant,
            change,
        }));
    }

    /// The time of the earliest step.
    pub fn earliest(&self) -> Option<Instant> {
        self.0.peek().map(|step| step.0.time)
    }

    pub fn pop(&mut self) -> Option<Step> {
        self.0.pop().map(|step| step.0)
    }
}
