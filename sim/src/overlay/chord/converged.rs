//! How a converged Chord looks, and who the root of a key is.

use super::{Chord, ChordParameters, Closest, PeerTable};
use crate::engine::Stream;
use crate::overlay::{Census, Identities, Node, Omniscient, RingCensus};
use crate::space::{Key, Ring};

impl Omniscient for Chord {
    type Census = RingCensus;

    fn newcomer(_: &ChordParameters, _: &Key) -> Self {
        Self::default()
    }

    /// Time O(n (r + log n)), walking the ring once with one pointer a finger.
    fn converged(
        shared: &ChordParameters,
        ids: &Identities,
        members: &[Node],
        _: &mut [Stream],
    ) -> Vec<Self> {
        let ring = RingCensus::new(ids, members);
        let (order, sorted) = (ring.nodes(), ring.ids());
        let n = order.len();
        let r = shared.successors.min(n - 1);
        let mut states: Vec<(Node, Chord)> = Vec::with_capacity(n);
        // For each finger, how many places ahead of the node it was found last: it moves on
        // by at most as much as the node does.
        let mut pointers = [0usize; Key::BITS as usize];
        let mut peers: Vec<Node> = Vec::new();
        for place in 0..n {
            let my_id = sorted[place];
            let at = |steps: usize| {
                let place = place + steps;
                if place >= n { place - n } else { place }
            };
            peers.clear();
            peers.extend((1..=r).map(|steps| order[at(steps)]));
            let mut found = r;
            let reach = sorted[at(r)].wrapping_sub(my_id);
            for finger in reach.log2().map_or(0, |bit| bit + 1)..Key::BITS {
                let start = Key::power_of_two(finger);
                let pointer = &mut pointers[finger as usize];
                // Pointers are absolute places, so that they only ever move forward.
                let mut steps = (*pointer).max(place + found) - place;
                while steps < n && sorted[at(steps)].wrapping_sub(my_id) < start {
                    steps += 1;
                }
                *pointer = place + steps;
                if steps >= n {
                    break;
                }
                if steps > found {
                    found = steps;
                    peers.push(order[at(steps)]);
                }
            }
            let predecessor = (n > 1).then(|| order[at(n - 1)]);
            let table = PeerTable::of_sorted(ids, my_id, peers.iter().copied(), r);
            states.push((
                order[place],
                Chord {
                    peers: table,
                    predecessor,
                    next_finger: 0,
                },
            ));
        }
        in_order_of(members, states)
    }
}

/// Brings states from the order of the ring into the order of `members`.
fn in_order_of(members: &[Node], mut states: Vec<(Node, Chord)>) -> Vec<Chord> {
    if members.is_sorted() {
        states.sort_unstable_by_key(|(node, _)| *node);
        return states.into_iter().map(|(_, state)| state).collect();
    }
    let mut places: Vec<usize> = (0..members.len()).collect();
    places.sort_unstable_by_key(|place| members[*place]);
    states.sort_unstable_by_key(|(node, _)| *node);
    let mut ordered = vec![Chord::default(); members.len()];
    for (place, (_, state)) in places.into_iter().zip(states) {
        ordered[place] = state;
    }
    ordered
}

impl Census<Chord> for RingCensus {
    fn of(ids: &Identities, members: &[Node]) -> Self {
        Self::new(ids, members)
    }

    fn enter(&mut self, ids: &Identities, node: Node) {
        self.insert(ids.id(node), node);
    }

    fn exit(&mut self, ids: &Identities, node: Node) {
        self.remove(&ids.id(node), node);
    }

    fn members(&self) -> &[Node] {
        self.nodes()
    }

    fn root(
        &self,
        shared: &ChordParameters,
        _: &Identities,
        _: &[Chord],
        key: &Key,
    ) -> Option<Node> {
        let (nodes, ids) = (self.nodes(), self.ids());
        let last = nodes.len().checked_sub(1)?;
        let place = self.successor(key);
        let before = if place == 0 { last } else { place - 1 };
        let behind_is_nearer = shared.closest == Closest::Nearest
            && Ring::either_way(&ids[before], key) < Ring::either_way(&ids[place], key);
        Some(nodes[if behind_is_nearer { before } else { place }])
    }
}
