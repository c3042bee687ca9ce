//! What the topologies share whose short peers are the neighbours that DGVH finds.

use super::Crowd;
use crate::engine::Stream;
use crate::overlay::urdht::UrdhtParameters;
use crate::space::{Dgvh, Rule, Space};

/// How many of the nearest nodes DGVH looks at in a converged network, for each short peer at
/// least wanted: what lies behind so many others is hidden.
const NEAREST: usize = 24;

/// How peers are chosen.
#[derive(Clone, Debug)]
pub(super) struct Delaunay {
    rule: Rule,
    least: usize,
    most_long: usize,
}

impl Delaunay {
    /// In so many dimensions; with `long` long peers if the scenario does not say otherwise.
    pub(super) fn new(
        parameters: &UrdhtParameters,
        dimensions: usize,
        long: impl Fn(usize) -> usize,
    ) -> Self {
        let table = 3 * dimensions + 1;
        Self {
            rule: parameters.rule,
            least: parameters.table_size.unwrap_or(table),
            most_long: parameters.long_peers.unwrap_or(long(table)),
        }
    }

    /// The neighbours that DGVH finds, and the nearest others up to the least number.
    pub(super) fn short<S: Space>(
        &self,
        space: &S,
        me: &S::Point,
        candidates: &[S::Point],
    ) -> Vec<u32> {
        let mut dgvh = Dgvh::new(self.rule, self.least);
        dgvh.select(space, me, candidates).to_vec()
    }

    /// A random choice of the others.
    pub(super) fn long(&self, is_short: &[bool], random: &mut Stream) -> Vec<u32> {
        let mut places: Vec<u32> = (0..is_short.len() as u32)
            .filter(|place| !is_short[*place as usize])
            .collect();
        if places.len() > self.most_long {
            random.sample_to_front(&mut places, self.most_long);
            places.truncate(self.most_long);
        }
        places
    }

    /// The nearest nodes. Time O(n).
    pub(super) fn horizon<S: Space>(
        &self,
        space: &S,
        crowd: &Crowd<'_, S::Point>,
        me: usize,
    ) -> Vec<u32> {
        let others = (0..crowd.points.len()).filter(|place| *place != me);
        let mut order: Vec<(S::Distance, u32)> = others
            .map(|place| {
                let distance = space.distance(&crowd.points[me], &crowd.points[place]);
                (distance, place as u32)
            })
            .collect();
        let near = NEAREST * self.least;
        if near < order.len() {
            order.select_nth_unstable(near);
            order.truncate(near);
        }
        order.into_iter().map(|(_, place)| place).collect()
    }

    /// A node hears of its short peers' short peers all the time, and of others at random: a
    /// random choice of the table among those and as many others as the table holds comes close
    /// to what gossip leaves there, as a test shows.
    pub(super) fn acquaintances(
        &self,
        members: usize,
        me: usize,
        second: &[u32],
        random: &mut Stream,
    ) -> Vec<u32> {
        let mut heard = second.to_vec();
        let others = members.saturating_sub(1);
        if others > 0 {
            let drawn = (0..self.most_long).map(|_| (me + 1 + random.index(others)) % members);
            heard.extend(drawn.map(|place| place as u32));
        }
        heard
    }

    /// How many peers a node has at most, but for neighbours beyond the least number.
    pub(super) fn peers(&self) -> f64 {
        (self.least + self.most_long) as f64
    }
}
