//! Random injection that does without barren ranges: ours, along what the dissertation names as
//! future work (marking the ranges in which Sybils find nothing).

use super::super::arc::{Arc, Piece};
use super::super::tasks::Tasks;
use super::super::tick_network::TickNetwork;
use super::{Balancing, may_help};

/// A node with little to do looks up a random point; where that lies in a barren range it goes on
/// behind it, a few times, until it finds an arc with tasks, and makes a Sybil there.
///
/// No tasks are added during a run, and a node that runs idle has done all tasks of its places:
/// their arcs are barren for good. It notes that, and also what it is told: an idle node answers
/// one that comes to its place with the barren range around it as far as it knows, and who asks
/// goes on at the end of that. So ranges that touch grow together, and few steps pass many idle
/// nodes.
#[derive(Clone, Debug)]
pub struct Barren {
    /// Tasks at or below which a node has little to do.
    pub threshold: u32,
    /// Barren ranges that are passed before a node gives up until its next turn.
    pub successors: usize,
    /// What each host knows, with the serial number of the host.
    known: Vec<(u32, Ranges)>,
}

impl Barren {
    /// Nobody knows anything yet.
    pub fn new(threshold: u32, successors: usize) -> Self {
        Self {
            threshold,
            successors,
            known: Vec::new(),
        }
    }

    /// What `host` knows; nothing if it is new.
    fn ranges<T: Tasks>(&mut self, network: &TickNetwork<T>, host: u32) -> &mut Ranges {
        let (at, serial) = (host as usize, network.host(host).serial);
        if self.known.len() <= at {
            self.known
                .resize_with(at + 1, || (u32::MAX, Ranges::default()));
        }
        let entry = &mut self.known[at];
        if entry.0 != serial {
            *entry = (serial, Ranges::default());
        }
        &mut entry.1
    }

    /// The barren range around the end of `place`, as far as its host knows it, which is idle.
    fn around<T: Tasks>(&mut self, network: &TickNetwork<T>, place: u32) -> Piece {
        let arc = network.arc(place);
        let ranges = self.ranges(network, network.ring.place(place).host);
        ranges.add(arc);
        ranges.around(arc.to)
    }
}

impl<T: Tasks> Balancing<T> for Barren {
    fn act(&mut self, network: &mut TickNetwork<T>, host: u32) {
        if !may_help(network, host, self.threshold) {
            return;
        }
        let mut point = network.identities.anywhere();
        network.look_up();
        let mut drawn = Some(point);
        for _ in 0..=self.successors {
            let place = network.ring.owner(point);
            if network.load_at(place) > 0 {
                let id = drawn.or_else(|| network.identities.within(network.arc(place)));
                if let Some(id) = id {
                    network.inject(network.host(host).main, id);
                }
                return;
            }
            let range = self.around(network, place);
            self.ranges(network, host).add_piece(range);
            (point, drawn) = (range.last.wrapping_add(1), None);
            network.ask(1);
        }
    }
}

/// Stretches of the ring, apart from each other and in order.
#[derive(Clone, Debug, Default)]
struct Ranges(Vec<Piece>);

impl Ranges {
    fn add(&mut self, arc: Arc) {
        for piece in arc.pieces() {
            self.add_piece(piece);
        }
    }

    fn add_piece(&mut self, mut piece: Piece) {
        let touches_from = |known: &Piece| known.last.saturating_add(1) >= piece.first;
        let first = self.0.partition_point(|known| !touches_from(known));
        let end = self
            .0
            .partition_point(|known| known.first <= piece.last.saturating_add(1));
        if let [low, .., high] | [low @ high] = &self.0[first..end] {
            piece.first = piece.first.min(low.first);
            piece.last = piece.last.max(high.last);
        }
        self.0.splice(first..end, [piece]);
    }

    /// The range that `point` lies in, which is in one.
    fn around(&self, point: u64) -> Piece {
        self.0[self.0.partition_point(|known| known.last < point)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against a set of points.
        #[test]
        fn ranges_are_sets(arcs in prop::collection::vec((0u64..64, 0u64..64), 1..20)) {
            let mut ranges = Ranges::default();
            let mut set = [false; 64];
            for (first, last) in arcs {
                let piece = Piece { first: first.min(last), last: first.max(last) };
                ranges.add_piece(piece);
                set[piece.first as usize..=piece.last as usize].fill(true);
                for (point, within) in set.iter().enumerate() {
                    let range = |range: &&Piece| (range.first..=range.last).contains(&(point as u64));
                    let found = ranges.0.iter().find(range);
                    prop_assert_eq!(found.is_some(), *within);
                    if let Some(found) = found {
                        prop_assert_eq!(ranges.around(point as u64), *found);
                    }
                }
                for pair in ranges.0.windows(2) {
                    prop_assert!(pair[0].last + 1 < pair[1].first);
                }
            }
        }
    }
}
