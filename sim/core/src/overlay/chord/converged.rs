//! The converged state of Chord, and the root of a key.

use super::{Chord, ChordParameters, Closest, Peer, PeerTable, Stage};
use crate::engine::{Duration, Stream};
use crate::overlay::{GroundTruth, MemberIndex, Node, NodeIds};
use crate::space::{Key, Ring};

impl GroundTruth for Chord {
    type Index = ();

    fn new(_: &ChordParameters, id: &Key) -> Self {
        Self {
            id: *id,
            ..Self::default()
        }
    }

    /// Time O(n (r + log n)): one pass around the ring with one pointer per finger.
    fn converged(
        shared: &ChordParameters,
        ids: &NodeIds,
        members: &[Node],
        _: &mut [Stream],
    ) -> Vec<Self> {
        let n = members.len();
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.sort_unstable_by_key(|place| ids.id(members[*place as usize]));
        let sorted: Vec<Key> = order
            .iter()
            .map(|place| ids.id(members[*place as usize]))
            .collect();
        let r = shared.successors.min(n.saturating_sub(1));
        let mut states = vec![Chord::default(); n];
        // For each finger, the absolute index where it was found last: it only moves forward.
        let base = shared.base;
        let mut pointers = vec![0usize; base.fingers().into()];
        let mut peers: Vec<Node> = Vec::new();
        let lowest = shared.lowest_finger();
        for place in 0..n {
            let my_id = sorted[place];
            let at = |steps: usize| {
                let place = place + steps;
                if place >= n { place - n } else { place }
            };
            let node = |steps: usize| members[order[at(steps)] as usize];
            peers.clear();
            peers.extend((1..=r).map(node));
            let mut found = r;
            let reach = sorted[at(r)].wrapping_sub(my_id);
            for finger in lowest.max(base.first_beyond(&reach))..base.fingers() {
                let start = base.start(finger);
                let pointer = &mut pointers[usize::from(finger)];
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
                    peers.push(node(steps));
                }
            }
            let predecessor = (n > 1).then(|| Peer::new(ids, my_id, node(n - 1)));
            states[order[place] as usize] = Chord {
                id: my_id,
                peers: PeerTable::of_sorted(ids, my_id, peers.iter().copied(), r),
                predecessor,
                next_finger: 0,
                stage: Stage::Member,
                attempt: 0,
            };
        }
        states
    }

    fn chooses_near(shared: &ChordParameters) -> bool {
        shared.chooses_near()
    }

    fn choose_near(
        nodes: &mut [Self],
        shared: &ChordParameters,
        ids: &NodeIds,
        member_index: &MemberIndex,
        latency: &mut dyn FnMut(Node, Node) -> Duration,
    ) {
        Self::choose_near_fingers(nodes, shared, ids, member_index, latency);
    }

    fn root(
        shared: &ChordParameters,
        member_index: &MemberIndex,
        _: &[Self],
        (): &(),
        key: &Key,
    ) -> Option<Node> {
        if shared.closest != Closest::Nearest {
            return member_index.successor_node(key);
        }
        let last = member_index.len().checked_sub(1)?;
        let place = member_index.successor(key);
        let before = if place == 0 { last } else { place - 1 };
        let way = |place| Ring::either_way(member_index.id(place), key);
        let behind_is_nearer = way(before) < way(place);
        Some(member_index.nodes()[if behind_is_nearer { before } else { place }])
    }

    fn is_intact(_: &ChordParameters, member_index: &MemberIndex, nodes: &[Self]) -> Option<bool> {
        let members = member_index.nodes();
        let next = members.iter().cycle().skip(1);
        let follows = |(node, next): (&Node, &Node)| {
            let successor = nodes[node.index()].first_successor();
            successor == Some(*next) || (successor.is_none() && node == next)
        };
        Some(members.iter().zip(next).all(follows))
    }
}
