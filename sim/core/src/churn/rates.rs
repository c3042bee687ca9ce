//! Joins and departures as Poisson processes of given rates (Chord).

use super::{Change, ChurnPlan, Step};
use crate::engine::{Duration, Instant, Stream};
use rand_distr::{Distribution, Exp1};
use std::collections::VecDeque;

crate::parameters! {
    /// Joins and departures of random nodes as Poisson processes (Chord, ToN 2003, section V-F).
    pub struct RateParameters {
        /// Joins per second.
        pub joins: f64 = 0.1, within 0.0..=1_000_000.0;
        /// Departures per second; equal to the joins if absent.
        pub leaves: Option<f64> = None, within 0.0..=1_000_000.0;
    }
}

impl RateParameters {
    /// Departures per second.
    pub fn departures(&self) -> f64 {
        self.leaves.unwrap_or(self.joins)
    }
}

/// The plan from `begin` on for `nodes` participants that are online at the start.
pub(super) fn plan(
    parameters: &RateParameters,
    nodes: usize,
    change: Change,
    begin: Instant,
    stream: Stream,
) -> ChurnPlan {
    Box::new(Rates {
        joins: parameters.joins,
        departures: parameters.departures(),
        change,
        stream,
        now: begin,
        here: (0..nodes as u32).collect(),
        away: VecDeque::new(),
        participants: nodes as u32,
    })
}

struct Rates {
    joins: f64,
    departures: f64,
    change: Change,
    stream: Stream,
    now: Instant,
    here: Vec<u32>,
    /// Participants offline, longest first: their hosts are used again.
    away: VecDeque<u32>,
    participants: u32,
}

impl Iterator for Rates {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        // Two Poisson processes are one with the sum of their rates, and a random choice for each
        // event.
        let rate = self.joins + self.departures;
        if rate <= 0.0 {
            return None;
        }
        let factor: f64 = Exp1.sample(&mut self.stream);
        self.now = self.now + Duration::from_secs_f64(factor / rate);
        let (participant, change) = if self.stream.chance(self.joins / rate) {
            let participant = self.away.pop_front().unwrap_or(self.participants);
            self.participants = self.participants.max(participant + 1);
            self.here.push(participant);
            (participant, Change::Join)
        } else {
            if self.here.is_empty() {
                return None;
            }
            let place = self.stream.index(self.here.len());
            let participant = self.here.swap_remove(place);
            self.away.push_back(participant);
            (participant, self.change)
        };
        Some(Step {
            time: self.now,
            participant,
            change,
        })
    }
}
