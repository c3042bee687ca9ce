//! The converged state of VHash, and the root of a key.

use super::choice::in_dimensions;
use super::position_index::PositionIndex;
use super::positions::padded;
use super::{Record, Shared, VHash};
use crate::engine::{Instant, Stream};
use crate::overlay::{GroundTruth, MemberIndex, Node, NodeIds};
use crate::space::{Dgvh, FixedTorus, Key, Space, TorusGrid};
use ordered_float::OrderedFloat;

/// How many of the nearest nodes DGVH examines, per required short peer, but not fewer than for the
/// published 3 d + 1. Nodes farther away are nearly always hidden: about one of 500 nodes has a
/// neighbour beyond.
const NEAREST: usize = 24;

impl GroundTruth for VHash {
    type Index = PositionIndex;

    fn new(shared: &Shared, id: &Key) -> Self {
        Self::at(shared, id)
    }

    fn with_contacts(
        shared: &Shared,
        ids: &NodeIds,
        me: Node,
        contacts: &[Node],
        random: &mut Stream,
    ) -> Option<Self> {
        let mut node = Self::at(shared, &ids.id(me));
        let records: Vec<Record> = records(shared, ids, contacts).collect();
        node.peers
            .merge_records(Instant::START, None, records.iter());
        node.peers.choose(shared, ids, &node.position, random);
        Some(node)
    }

    /// Short peers by DGVH over the nearest nodes; long peers a random choice of the short peers'
    /// short peers. Time O(n) on average for random IDs and a fixed dimension.
    fn converged(
        shared: &Shared,
        ids: &NodeIds,
        members: &[Node],
        random: &mut [Stream],
    ) -> Vec<Self> {
        let short =
            in_dimensions!(shared.torus.dimensions(), D => short_peers::<D>(shared, ids, members));
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
                    .set(short[me].len(), records(shared, ids, &known));
                node
            })
            .collect()
    }

    /// The member nearest to the key at its present position; of equally near ones the first in the
    /// [`MemberIndex`]. Time O(1) on average for random IDs and a fixed dimension.
    fn root(
        shared: &Shared,
        member_index: &MemberIndex,
        _: &[Self],
        index: &PositionIndex,
        key: &Key,
    ) -> Option<Node> {
        let target = shared.torus.point(key);
        index.nearest(&target, |a, b| member_index.is_before(a, b))
    }
}

/// The short peers of each of `members`, as indices of members.
fn short_peers<const D: usize>(shared: &Shared, ids: &NodeIds, members: &[Node]) -> Vec<Vec<u32>> {
    let count = NEAREST * shared.least_short.max(3 * shared.torus.dimensions() + 1);
    let mut grid = TorusGrid::for_searches_of(shared.torus, count);
    let mut points: Vec<[f64; D]> = Vec::with_capacity(members.len());
    for (place, node) in members.iter().enumerate() {
        let point = shared.torus.point(&ids.id(*node));
        grid.put(place as u32, &point);
        points.push(padded(&point));
    }
    let mut dgvh = Dgvh::new(shared.rule, shared.least_short);
    let mut order: Vec<(OrderedFloat<f64>, u32)> = Vec::new();
    let mut short: Vec<Vec<u32>> = vec![Vec::new(); points.len()];
    for me in grid.names() {
        let point = &points[me as usize];
        let target = &point[..shared.torus.dimensions()];
        grid.nearest_few(target, count, me, &mut order);
        let chosen = dgvh.select_sorted(&FixedTorus::<D>, point, &points, &order);
        short[me as usize] = chosen.to_vec();
    }
    short
}

/// Records of nodes that have not moved yet.
fn records(
    shared: &Shared,
    ids: &NodeIds,
    nodes: &[Node],
) -> impl ExactSizeIterator<Item = Record> {
    nodes.iter().map(|node| Record::of(shared, ids, *node))
}

#[cfg(test)]
mod tests {
    use super::super::VHashParameters;
    use super::*;
    use crate::engine::Seed;
    use crate::space::{Rule, TorusPoint};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        /// Short peers are those that DGVH chooses among the nearest of all other nodes, found by a
        /// full search; and nearly always those that it chooses among all of them.
        #[test]
        fn short_peers_are_those_of_a_look_at_all_nodes(
            seed: u64, d in 1usize..4, nodes in 1usize..600, least in 1usize..12, midpoint: bool,
        ) {
            let shared = Shared::from(&VHashParameters {
                dimensions: d,
                rule: if midpoint { Rule::Midpoint } else { Rule::Distance },
                table_size: Some(least),
                ..VHashParameters::default()
            });
            let mut stream = Seed::new(seed).stream("ids", 0);
            let mut ids = NodeIds::default();
            let members: Vec<Node> = (0..nodes).map(|_| ids.add(Key::random(&mut stream))).collect();
            let mut random: Vec<Stream> =
                (0..nodes as u64).map(|i| Seed::new(seed).stream("node", i)).collect();
            let built = VHash::converged(&shared, &ids, &members, &mut random);
            let points: Vec<TorusPoint> =
                members.iter().map(|node| shared.torus.point(&ids.id(*node))).collect();
            let mut dgvh = Dgvh::new(shared.rule, least);
            let count = NEAREST * least.max(3 * d + 1);
            let mut farther = 0;
            for (me, state) in built.iter().enumerate() {
                let mut others: Vec<(OrderedFloat<f64>, u32)> = (0..nodes)
                    .filter(|i| *i != me)
                    .map(|i| (shared.torus.distance(&points[me], &points[i]), i as u32))
                    .collect();
                others.sort_unstable();
                let among_all = dgvh.select_sorted(&shared.torus, &points[me], &points, &others).to_vec();
                others.truncate(count);
                let chosen = dgvh.select_sorted(&shared.torus, &points[me], &points, &others);
                farther += usize::from(chosen != among_all);
                let chosen: Vec<Node> = chosen.iter().map(|i| members[*i as usize]).collect();
                prop_assert_eq!(state.peers().short(), &chosen[..]);
            }
            prop_assert!(farther * 20 <= nodes, "{farther} of {nodes}");
        }
    }
}
