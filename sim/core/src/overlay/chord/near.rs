//! Fingers that are near: proximity neighbour selection, and proximity route selection.

use super::table::PeerTable;
use super::{Base, Chord, ChordParameters, Message, Near, Purpose};
use crate::engine::Duration;
use crate::overlay::{Context, MemberIndex, Node, NodeIds};
use crate::space::Key;
use std::cmp::Ordering;

impl Chord {
    /// The nodes that this node proposes as fingers of another one: itself, and its first
    /// successors.
    pub(super) fn candidates(&self, context: &Context<'_, Self>) -> Box<[Node]> {
        let others = self.peers.successors().iter().map(|peer| peer.node());
        let all = std::iter::once(context.me).chain(others);
        all.take(context.shared.candidates).collect()
    }

    /// Sends a ping to each of `nodes` that can be finger number `finger`, and to the present one.
    pub(super) fn compare(&mut self, context: &mut Context<'_, Self>, finger: u16, nodes: &[Node]) {
        let (base, ids, me) = (context.shared.base, context.ids, context.me);
        let is_inside = |node: &Node| {
            let ahead = ids.id(*node).wrapping_sub(self.id);
            *node != me && base.finger_of(&ahead) == Some(finger)
        };
        let mut inside: Vec<Node> = nodes.iter().copied().filter(is_inside).collect();
        match (nodes.first(), inside.is_empty()) {
            (Some(first), true) => self.peers.set_finger(base, ids, me, finger, *first),
            (None, _) => {}
            _ => {
                let present = self.peers.fingers().iter().map(|peer| peer.node());
                inside.extend(present.filter(is_inside));
                inside.sort_unstable();
                inside.dedup();
                let number = self.peers.begin_comparison();
                for node in inside {
                    context.request(node, Message::Ping, Purpose::Compare(finger, number));
                }
            }
        }
    }

    /// `node` has replied to a ping of a comparison. All pings were sent at once, so the first
    /// reply is that of the nearest.
    pub(super) fn on_compared(
        &mut self,
        context: &mut Context<'_, Self>,
        node: Node,
        finger: u16,
        number: u8,
    ) {
        if self.peers.end_comparison(number) {
            let (base, ids, me) = (context.shared.base, context.ids, context.me);
            self.peers.set_near_finger(base, ids, me, finger, node);
        }
    }

    /// The fingers before `key` that cross one digit of its distance, in the base of the fingers. The sum of these
    /// steps is that of the digits in any order, so the number of hops hardly depends on which is first.
    /// O(f) for f fingers.
    pub(super) fn each_digit_finger(
        &self,
        base: Base,
        ids: &NodeIds,
        key: &Key,
        see: &mut dyn FnMut(Node),
    ) {
        let ahead = key.wrapping_sub(self.id);
        let mut rest = ahead;
        for peer in self.peers.fingers().iter().rev() {
            if peer.compare(ids, self.id, &ahead) != Ordering::Less {
                continue;
            }
            let finger = base.finger_of(&ids.id(peer.node()).wrapping_sub(self.id));
            // Digits that no finger crosses are left to later hops.
            while base.finger_of(&rest) > finger {
                let Some(crossed) = base.finger_of(&rest) else {
                    return;
                };
                rest = rest.wrapping_sub(base.start(crossed));
            }
            if base.finger_of(&rest) == finger {
                see(peer.node());
            }
        }
    }

    /// The fingers that a long time of comparisons finds: in each interval the nearest of its first
    /// `candidates` members. Time O(n candidates log n), and as many latencies.
    pub(super) fn choose_near_fingers(
        nodes: &mut [Self],
        shared: &ChordParameters,
        ids: &NodeIds,
        member_index: &MemberIndex,
        latency: &mut dyn FnMut(Node, Node) -> Duration,
    ) {
        let (base, members) = (shared.base, member_index.nodes());
        for &me in members {
            let state = &mut nodes[me.index()];
            let my_id = state.id;
            let successors = state.peers.successors().len();
            let mut peers: Vec<Node> = state.peers.all().iter().map(|peer| peer.node()).collect();
            for finger in &mut peers[successors..] {
                let ahead = ids.id(*finger).wrapping_sub(my_id);
                let interval = base.finger_of(&ahead);
                let from = member_index.successor(&ids.id(*finger));
                let in_interval = (0..shared.candidates.min(members.len()))
                    .map(|step| members[(from + step) % members.len()])
                    .take_while(|node| {
                        let ahead = ids.id(*node).wrapping_sub(my_id);
                        *node != me && base.finger_of(&ahead) == interval
                    });
                let nearest = in_interval.min_by_key(|node| (latency(me, *node), *node));
                *finger = nearest.unwrap_or(*finger);
            }
            let peers = peers.into_iter();
            state.peers = PeerTable::of_sorted(ids, my_id, peers, successors);
        }
    }
}

impl ChordParameters {
    pub(super) fn chooses_near(&self) -> bool {
        self.near == Near::Pns
    }
}

impl PeerTable {
    /// Begins a comparison of nodes, which ends an earlier one; its number is not 0.
    fn begin_comparison(&mut self) -> u8 {
        self.compared = self.compared % 127 + 1;
        self.is_comparing = true;
        self.compared
    }

    /// Ends the comparison `number`; false if it has ended before.
    fn end_comparison(&mut self, number: u8) -> bool {
        self.compared == number && std::mem::take(&mut self.is_comparing)
    }
}
