//! Random injection that skips barren ranges. A strategy of this project, after the dissertation's
//! future work (marking the ranges in which Sybils find nothing).

use super::super::arc::{Arc, Piece};
use super::super::tasks::Tasks;
use super::super::tick_network::TickNetwork;
use super::{Balancing, may_help};

/// A node with few tasks looks up a random point. If the point is in a barren range, the node
/// continues behind that range, a few times, until it finds an arc with tasks, and creates a Sybil
/// there.
///
/// No tasks are added during a run, and an idle node has executed all tasks of its ring nodes:
/// their arcs stay barren. The node stores this, and also what others report: an idle node that is
/// queried answers with the barren range around its ring node as far as it knows, and the querying
/// node continues at the end of that range. So adjacent ranges merge, and few steps pass many idle
/// nodes.
#[derive(Clone, Debug)]
pub struct Barren {
    /// Tasks at or below which a node has few.
    pub threshold: u32,
    /// Barren ranges that a node passes before it gives up until its next turn.
    pub successors: usize,
    /// The ranges that each host knows, with the serial number of the host.
    known: Vec<(u32, Ranges)>,
}

impl Barren {
    /// No host knows a range yet.
    pub fn new(threshold: u32, successors: usize) -> Self {
        Self {
            threshold,
            successors,
            known: Vec::new(),
        }
    }

    /// The ranges that `host` knows; none if it is new.
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

    /// The barren range around the end of `place`, as far as its idle host knows it.
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
        let mut point = network.identities.random_id();
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

/// Ranges of the ring, disjoint and in order.
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

    /// The range that contains `point`; there must be one.
    fn around(&self, point: u64) -> Piece {
        self.0[self.0.partition_point(|known| known.last < point)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Compares with a set of points.
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
