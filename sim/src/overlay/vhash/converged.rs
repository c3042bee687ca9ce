//! How a converged VHash looks, and who the root of a key is.

use super::{Record, Shared, VHash};
use crate::engine::Stream;
use crate::overlay::{Census, Identities, Node, Omniscient};
use crate::space::{Dgvh, Key, Space, TorusPoint};
use ordered_float::OrderedFloat;

/// How many of the nearest nodes DGVH looks at, for each short peer at least wanted: what lies
/// behind so many others is hidden. A test compares it with all nodes.
const NEAREST: usize = 24;

impl Omniscient for VHash {
    fn newcomer(shared: &Shared, id: &Key) -> Self {
        Self::at(shared, id)
    }

    fn acquainted(
        shared: &Shared,
        ids: &Identities,
        me: Node,
        contacts: &[Node],
        random: &mut Stream,
    ) -> Option<Self> {
        let mut node = Self::at(shared, &ids.id(me));
        let records = records(shared, ids, contacts);
        node.peers.hear(records.iter());
        node.peers.choose(shared, &node.position, random);
        Some(node)
    }

    /// Short peers by DGVH over the nearest nodes; long peers a random choice of the short
    /// peers' short peers. Time O(n^2).
    fn converged(
        shared: &Shared,
        ids: &Identities,
        members: &[Node],
        random: &mut [Stream],
    ) -> Vec<Self> {
        let points: Vec<TorusPoint> = members
            .iter()
            .map(|node| shared.torus.point(&ids.id(*node)))
            .collect();
        let count = (NEAREST * shared.least_short).min(members.len() - 1);
        let mut dgvh = Dgvh::new(shared.rule, shared.least_short);
        let mut order: Vec<(OrderedFloat<f64>, u32)> = Vec::with_capacity(members.len());
        let short: Vec<Vec<u32>> = (0..members.len())
            .map(|me| {
                order.clear();
                order.extend(
                    points
                        .iter()
                        .enumerate()
                        .filter(|(other, _)| *other != me)
                        .map(|(other, point)| {
                            (shared.torus.distance(&points[me], point), other as u32)
                        }),
                );
                if count < order.len() {
                    order.select_nth_unstable(count);
                    order.truncate(count);
                }
                order.sort_unstable();
                dgvh.select_sorted(&shared.torus, &points[me], &points, &order)
                    .to_vec()
            })
            .collect();
        (0..members.len())
            .map(|me| {
                let mut long: Vec<u32> = short[me]
                    .iter()
                    .flat_map(|peer| &short[*peer as usize])
                    .copied()
                    .filter(|other| *other as usize != me && !short[me].contains(other))
                    .collect();
                long.sort_unstable();
                long.dedup();
                random[me].sample_to_front(&mut long, shared.most_long);
                long.truncate(shared.most_long);
                let mut node = Self::at(shared, &ids.id(members[me]));
                let known: Vec<Node> = short[me]
                    .iter()
                    .chain(&long)
                    .map(|place| members[*place as usize])
                    .collect();
                node.peers
                    .set(short[me].len(), records(shared, ids, &known).iter());
                node
            })
            .collect()
    }

    /// The member nearest to the key, where it is now. Time O(n).
    fn root(shared: &Shared, census: &Census, nodes: &[Self], key: &Key) -> Option<Node> {
        let target = shared.torus.point(key);
        let distance = |node: &Node| {
            let position = &nodes[node.index()].position;
            OrderedFloat(shared.torus.squared_distance(position, &target))
        };
        census.nodes().iter().copied().min_by_key(distance)
    }
}

/// Records of nodes that have not moved yet.
fn records(shared: &Shared, ids: &Identities, nodes: &[Node]) -> Vec<Record> {
    let record = |node: &Node| Record {
        node: *node,
        version: 0,
        position: shared.torus.point(&ids.id(*node)),
    };
    nodes.iter().map(record).collect()
}
