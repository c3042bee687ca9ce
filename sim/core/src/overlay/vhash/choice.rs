//! How a VHash node chooses its peers.

use super::Shared;
use super::peers::PeerSet;
use super::positions::padded;
use crate::engine::Stream;
use crate::overlay::{Node, NodeIds};
use crate::space::{Dgvh, FixedTorus, Space};
use ordered_float::OrderedFloat;
use smallvec::SmallVec;

/// Evaluates `$body` with the constant `$D`, at least `$dimensions` (at most 32), for code whose
/// points are arrays. Coordinates of 0 beyond the dimensions of a torus change no distance.
macro_rules! in_dimensions {
    ($dimensions:expr, $D:ident => $body:expr) => {
        in_dimensions!(@ $dimensions, $D => $body; 0..=2 => 2, 3 => 3, 4 => 4, 5 => 5, 6..=8 => 8, 9..=16 => 16, _ => 32)
    };
    (@ $dimensions:expr, $D:ident => $body:expr; $($range:pat => $d:expr),+) => {
        match $dimensions {
            $( $range => {
                const $D: usize = $d;
                $body
            } )+
        }
    };
}
pub(super) use in_dimensions;

/// The order of candidates: the nearest first, of equally near ones the smaller address.
type Order = (OrderedFloat<f64>, Node);

/// An [`Order`] with the index of the candidate, as a number of the same order: sorting compares
/// numbers without branches. Distances are not negative, and so the order of their bits is theirs.
#[inline]
fn packed(distance: f64, node: Node, place: u32) -> u128 {
    u128::from(distance.to_bits()) << 64 | u128::from(node.0) << 32 | u128::from(place)
}

fn distance_in(packed: u128) -> f64 {
    f64::from_bits((packed >> 64) as u64)
}

fn place_in(packed: u128) -> u32 {
    packed as u32
}

impl PeerSet {
    /// Chooses the short peers by DGVH and limits the long ones by random choice; true if the set
    /// of short peers has changed.
    ///
    /// Candidates are the old short peers, the nodes learnt of since, and the long peers nearer
    /// than the farthest short one: with the published candidates alone, a near node that is
    /// already a long peer would be missed.
    pub(super) fn choose(
        &mut self,
        shared: &Shared,
        ids: &NodeIds,
        me: &[f64],
        stream: &mut Stream,
    ) -> bool {
        let changed = in_dimensions!(shared.torus.dimensions(), D => {
            let here = padded::<D>(me);
            !self.stays_short(shared, ids, &here) && self.choose_short(shared, ids, &here)
        });
        while self.nodes.len() - self.short > shared.most_long {
            let place = self.short + stream.index(self.nodes.len() - self.short);
            self.drop_long(place);
        }
        self.heard = self.nodes.len();
        changed
    }

    /// Whether DGVH is certain to choose the same short peers again, since its neighbours hide all
    /// nodes learnt of since the last choice: no rejected candidate changes the choice of others,
    /// and none of the new ones is nearer than those that fill up the table.
    fn stays_short<const D: usize>(&self, shared: &Shared, ids: &NodeIds, me: &[f64; D]) -> bool {
        let Some(hiding) = self.hiding else {
            return false;
        };
        let torus = FixedTorus::<D>;
        let at = |place: usize| {
            let node = self.nodes[place];
            let point = self.positions.point(&shared.torus, ids, (place, node));
            let order: Order = (torus.distance(me, &point), node);
            (order, point)
        };
        if self.heard == self.nodes.len() {
            return true;
        }
        let mut hides: SmallVec<[(Order, [f64; D]); 32]> = SmallVec::new();
        let mut last_filler = None;
        for place in 0..self.short {
            let peer = at(place);
            if hiding & 1 << place == 0 {
                last_filler = last_filler.max(Some(peer.0));
            } else {
                hides.push(peer);
            }
        }
        (self.heard..self.nodes.len()).all(|place| {
            let (order, point) = at(place);
            let (target, mine) = shared.rule.test(&torus, me, &point, order.0);
            last_filler < Some(order)
                && hides
                    .iter()
                    .any(|(nearer, peer)| torus.distance(peer, &target) < mine && *nearer < order)
        })
    }

    /// Chooses the short peers; true if their set has changed.
    fn choose_short<const D: usize>(
        &mut self,
        shared: &Shared,
        ids: &NodeIds,
        me: &[f64; D],
    ) -> bool {
        let torus = FixedTorus::<D>;
        let point = |place: usize| {
            let peer = (place, self.nodes[place]);
            self.positions.point::<D>(&shared.torus, ids, peer)
        };
        let mut order: SmallVec<[u128; 64]> = SmallVec::new();
        // A node with too few peers considers all known nodes.
        let few = self.short < shared.least_short;
        let mut reach = OrderedFloat(if few { f64::INFINITY } else { 0.0 });
        for place in 0..self.nodes.len() {
            let distance = torus.distance(me, &point(place));
            if place < self.short {
                reach = reach.max(distance);
            }
            if place < self.short || place >= self.heard || distance <= reach {
                order.push(packed(distance.0, self.nodes[place], place as u32));
            }
        }
        order.sort_unstable();
        let points: SmallVec<[[f64; D]; 64]> = order
            .iter()
            .map(|packed| point(place_in(*packed) as usize))
            .collect();
        let sorted: SmallVec<[(OrderedFloat<f64>, u32); 64]> = order
            .iter()
            .enumerate()
            .map(|(i, packed)| (OrderedFloat(distance_in(*packed)), i as u32))
            .collect();
        let mut dgvh = Dgvh::new(shared.rule, shared.least_short);
        let chosen = dgvh.select_sorted(&torus, me, &points, &sorted).iter();
        let farthest = chosen.clone().map(|i| sorted[*i as usize].0).max();
        let mut places: SmallVec<[u32; 256]> =
            chosen.map(|i| place_in(order[*i as usize])).collect();
        self.nearest = order.first().map_or(0.0, |packed| distance_in(*packed));
        let short = places.len();
        let is_old = |place: &u32| (*place as usize) < self.short;
        let changed = short != self.short || !places.iter().all(is_old);
        if changed {
            let mut is_short: SmallVec<[bool; 256]> = SmallVec::from_elem(false, self.nodes.len());
            for place in &places {
                is_short[*place as usize] = true;
            }
            let all = 0..self.nodes.len() as u32;
            places.extend(all.filter(|place| !is_short[*place as usize]));
            self.keep(&places, short);
            places = (0..short as u32).collect();
        }
        // Every known node within the reach of the next choice has been a candidate of this one.
        let is_complete = short >= shared.least_short && farthest <= Some(reach);
        let neighbours = &places[..dgvh.neighbours()];
        self.hiding = (is_complete && short <= u128::BITS as usize)
            .then(|| neighbours.iter().fold(0, |all, place| all | 1 << place));
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::super::peers::Record;
    use super::super::{Embedding, VHashParameters};
    use super::*;
    use crate::engine::{Duration, Instant, Seed};
    use crate::space::{Key, Rule, TorusPoint};
    use proptest::prelude::*;

    /// Peers that are chosen anew from all candidates every time: nodes with their positions.
    #[derive(Default)]
    struct Plain {
        peers: Vec<(Node, TorusPoint)>,
        short: usize,
        heard: usize,
    }

    impl Plain {
        fn choose(&mut self, shared: &Shared, me: &TorusPoint, stream: &mut Stream) -> bool {
            let distance = |at: &TorusPoint| shared.torus.distance(me, at);
            let short = self.peers[..self.short].iter();
            let reach = short.map(|(_, at)| distance(at)).max();
            let few = self.short < shared.least_short;
            let mut candidates: Vec<usize> = (0..self.peers.len())
                .filter(|place| {
                    let is_near = few || Some(distance(&self.peers[*place].1)) <= reach;
                    *place < self.short || *place >= self.heard || is_near
                })
                .collect();
            candidates.sort_by_key(|place| (distance(&self.peers[*place].1), self.peers[*place].0));
            let points: Vec<TorusPoint> = candidates
                .iter()
                .map(|place| self.peers[*place].1.clone())
                .collect();
            let mut dgvh = Dgvh::new(shared.rule, shared.least_short);
            let chosen: Vec<usize> = dgvh
                .select(&shared.torus, me, &points)
                .iter()
                .map(|i| candidates[*i as usize])
                .collect();
            let changed =
                chosen.len() != self.short || chosen.iter().any(|place| *place >= self.short);
            if changed {
                let long = (0..self.peers.len()).filter(|place| !chosen.contains(place));
                let kept = chosen.iter().copied().chain(long);
                self.peers = kept.map(|place| self.peers[place].clone()).collect();
                self.short = chosen.len();
            }
            while self.peers.len() - self.short > shared.most_long {
                let place = self.short + stream.index(self.peers.len() - self.short);
                self.peers.swap_remove(place);
            }
            self.heard = self.peers.len();
            changed
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        /// After any messages, failures and moves, the tables of a node are those of a choice from
        /// all candidates, and as many random numbers are drawn.
        #[test]
        fn a_choice_is_that_from_all_candidates(
            seed: u64, d in 1usize..10, least in 1usize..20, most in 0usize..40,
            midpoint: bool, moves: bool, coarse: bool,
        ) {
            let shared = Shared::from(&VHashParameters {
                dimensions: d,
                rule: if midpoint { Rule::Midpoint } else { Rule::Distance },
                table_size: Some(least),
                long_peers: Some(most),
                embedding: if moves { Embedding::Springs } else { Embedding::Off },
                ..VHashParameters::default()
            });
            let mut events = Seed::new(seed).stream("events", 0);
            let mut ids = NodeIds::default();
            for _ in 0..150 {
                // On a coarse lattice many distances are equal.
                let bytes = Key::random(&mut events).to_bytes();
                ids.add(Key::from_bytes(bytes.map(|byte| if coarse { byte & 0xe0 } else { byte })));
            }
            let mut now = Instant::START;
            let me = Node(0);
            let mut here = shared.torus.point(&ids.id(me));
            let mut versions = vec![0; ids.len()];
            let mut places: Vec<TorusPoint> =
                (0..150).map(|node| shared.torus.point(&ids.id(Node(node)))).collect();
            let (mut peers, mut plain) = (PeerSet::new(&shared), Plain::default());
            let (mut random, mut same) = (events.clone(), events.clone());
            for _ in 0..60 {
                now = now + Duration::from_secs(1);
                match events.below(12) {
                    0 if moves => {
                        here = shared.torus.point(&Key::random(&mut events));
                        peers.on_moved();
                    }
                    1 if !plain.peers.is_empty() => {
                        let gone = plain.peers.remove(events.index(plain.peers.len()));
                        plain.short = peers.short().iter().filter(|peer| **peer != gone.0).count();
                        plain.heard = plain.short;
                        peers.remove_failed(gone.0, now);
                        // Messages may name it again.
                        now = now + Duration::from_secs(1);
                    }
                    _ => {
                        for _ in 0..events.below(12) {
                            let node = Node(1 + events.below(149) as u32);
                            if moves && events.chance(0.2) {
                                versions[node.index()] += 1;
                                places[node.index()] = shared.torus.point(&Key::random(&mut events));
                            }
                            let at = places[node.index()].clone();
                            let record = Record {
                                node,
                                version: versions[node.index()],
                                position: shared.sent_position(|| at.clone()),
                                age: Duration::ZERO,
                            };
                            peers.merge_records(now, None, std::iter::once(&record));
                            match plain.peers.iter_mut().find(|peer| peer.0 == node) {
                                Some(peer) => peer.1 = at,
                                None => plain.peers.push((node, at)),
                            }
                        }
                    }
                }
                let changed = peers.choose(&shared, &ids, &here, &mut random);
                prop_assert_eq!(changed, plain.choose(&shared, &here, &mut same));
                let nodes: Vec<Node> = plain.peers.iter().map(|peer| peer.0).collect();
                prop_assert_eq!(peers.nodes(), &nodes[..]);
                prop_assert_eq!(peers.short().len(), plain.short);
                prop_assert_eq!(random.below(u64::MAX), same.below(u64::MAX));
            }
        }
    }
}
