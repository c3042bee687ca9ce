//! The converged state of Pastry, and the root of a key.

use super::{LeafSet, Near, Pastry, PastryParameters, RoutingTable, Stage};
use crate::engine::{Duration, Stream};
use crate::overlay::{GroundTruth, MemberIndex, Node, NodeIds, Overlay};
use crate::space::Key;
use std::ops::Range;

/// The routing table of the member at `place`: each entry is a random member of its subtree.
/// O(2^b log^2 n).
fn routing_table(
    (sorted, nodes): (&[Key], &[Node]),
    ids: &NodeIds,
    b: u32,
    place: usize,
    random: &mut Stream,
) -> RoutingTable {
    let my_id = sorted[place];
    let mut table = RoutingTable::default();
    // The members that share the first `row` digits are adjacent.
    let mut around: Range<usize> = 0..sorted.len();
    let mut row = 0;
    while around.len() > 1 && row * b < Key::BITS {
        let digit = |id: &Key| id.bits(row * b, b);
        let (mut start, mut own) = (around.start, 0..0);
        while start < around.end {
            let value = digit(&sorted[start]);
            let rest = &sorted[start..around.end];
            let end = start + rest.partition_point(|id| digit(id) == value);
            if value == digit(&my_id) {
                own = start..end;
            } else {
                let pick = nodes[start + random.index(end - start)];
                table.insert(ids, my_id, b, pick);
            }
            start = end;
        }
        around = own;
        row += 1;
    }
    table
}

impl GroundTruth for Pastry {
    type Index = ();

    fn new(_: &PastryParameters, id: &Key) -> Self {
        Self::with_id(*id)
    }

    /// Every leaf set is complete, and every entry of a routing table is a random node of its
    /// subtree, if there is one. Time O(n (|L| + 2^b log^2 n)).
    fn converged(
        shared: &PastryParameters,
        ids: &NodeIds,
        members: &[Node],
        random: &mut [Stream],
    ) -> Vec<Self> {
        let index = MemberIndex::new(ids, members);
        let (sorted, nodes) = (Vec::from_iter(index.ids().copied()), index.nodes().to_vec());
        let n = members.len();
        let leaves = shared.half().min(n.saturating_sub(1));
        let state = |node: &Node| {
            let place = index.place(&ids.id(*node), *node).expect("a member");
            let at = |steps: usize| nodes[(place + steps) % n];
            let after = (1..=leaves).map(at).collect();
            let before = (1..=leaves).map(|steps| at(n - steps)).collect();
            let random = &mut random[node.index()];
            Self {
                leaves: LeafSet::of_sorted(after, before),
                table: routing_table((&sorted, &nodes), ids, shared.b, place, random),
                stage: Stage::Member,
                ..Self::with_id(ids.id(*node))
            }
        };
        members.iter().map(state).collect()
    }

    fn chooses_near(shared: &PastryParameters) -> bool {
        shared.near == Near::Pns
    }

    /// Each entry is the nearest of the first `candidates` members of its subtree from a random one
    /// on, which is its entry before.
    fn choose_near(
        nodes: &mut [Self],
        shared: &PastryParameters,
        ids: &NodeIds,
        member_index: &MemberIndex,
        latency: &mut dyn FnMut(Node, Node) -> Duration,
    ) {
        let (b, members) = (shared.b, member_index.nodes());
        let sorted: Vec<Key> = member_index.ids().copied().collect();
        for &me in members {
            let my_id = ids.id(me);
            let entries: Vec<Node> = nodes[me.index()].table.all().collect();
            for entry in entries {
                let id = ids.id(entry);
                let bits = (RoutingTable::place(my_id, id, b).row + 1) * b;
                let is_in_subtree = |other: &Key| {
                    let common = other.xor(id).log2();
                    common.is_none_or(|bit| bit < Key::BITS.saturating_sub(bits))
                };
                let from = sorted.partition_point(|other| *other < id && !is_in_subtree(other));
                let rest = &sorted[from..];
                let count = rest.partition_point(is_in_subtree);
                let first = member_index.successor(&id) - from;
                let nearest = (0..count.min(shared.candidates))
                    .map(|step| members[from + (first + step) % count])
                    .min_by_key(|node| (latency(me, *node), *node));
                if let Some(nearest) = nearest {
                    nodes[me.index()].table.replace(ids, my_id, b, nearest);
                }
            }
        }
    }

    /// The numerically nearest member.
    fn root(
        shared: &PastryParameters,
        member_index: &MemberIndex,
        _: &[Self],
        (): &(),
        key: &Key,
    ) -> Option<Node> {
        let last = member_index.len().checked_sub(1)?;
        let place = member_index.successor(key);
        let before = if place == 0 { last } else { place - 1 };
        let (behind, ahead) = (member_index.id(before), member_index.id(place));
        let behind_is_nearer = Self::cmp_closeness(shared, key, behind, ahead).is_lt();
        Some(member_index.nodes()[if behind_is_nearer { before } else { place }])
    }

    /// Whether every member knows the members next to it on both sides.
    fn is_intact(_: &PastryParameters, member_index: &MemberIndex, nodes: &[Self]) -> Option<bool> {
        let members = member_index.nodes();
        let next = members.iter().cycle().skip(1);
        let linked = |(node, next): (&Node, &Node)| {
            let after = nodes[node.index()].leaves.after().first();
            let before = nodes[next.index()].leaves.before().first();
            node == next || (after == Some(next) && before == Some(node))
        };
        Some(members.iter().zip(next).all(linked))
    }
}
