//! The converged state of UrDHT, and the root of a key.

use super::{Members, Shared, Topology, Urdht};
use crate::engine::Stream;
use crate::overlay::{GroundTruth, MemberIndex, Node, NodeIds, RootIndex};
use crate::space::{Key, TorusGrid};

impl<T: Topology> GroundTruth for Urdht<T> {
    type Index = MemberGrid;

    fn new(shared: &Shared<T>, id: &Key) -> Self {
        Self::at(shared, id)
    }

    fn with_contacts(
        shared: &Shared<T>,
        ids: &NodeIds,
        me: Node,
        contacts: &[Node],
        random: &mut Stream,
    ) -> Option<Self> {
        let topology = &shared.topology;
        let mut node = Self::at(shared, &ids.id(me));
        node.peers
            .add_candidates(topology, ids, me, contacts.iter().copied());
        node.peers.choose(topology, &node.point, random);
        Some(node)
    }

    /// Applies the topology's rules for each member to the members that can affect it.
    ///
    /// Time O(n log n) on rings and with buckets, O(n) on average in spaces with a grid, O(n^2) in
    /// the others.
    fn converged(
        shared: &Shared<T>,
        ids: &NodeIds,
        members: &[Node],
        random: &mut [Stream],
    ) -> Vec<Self> {
        let topology = &shared.topology;
        let mut states: Vec<Self> = members
            .iter()
            .map(|node| Self::at(shared, &ids.id(*node)))
            .collect();
        let mut order: Vec<usize> = (0..members.len()).collect();
        order.sort_unstable_by_key(|member| ids.id(members[*member]));
        let sorted: Vec<Key> = order
            .iter()
            .map(|member| ids.id(members[*member]))
            .collect();
        let points: Vec<T::Point> = order
            .iter()
            .map(|member| states[*member].point.clone())
            .collect();
        let grid = topology.grid().map(|mut grid| {
            for (place, point) in points.iter().enumerate() {
                grid.put(place as u32, T::in_grid(point));
            }
            grid
        });
        let all_members = Members {
            ids: &sorted,
            points: &points,
            grid: grid.as_ref(),
        };
        let point = |place: &u32| points[*place as usize].clone();
        let mut horizons = Vec::with_capacity(order.len());
        let mut short: Vec<Vec<u32>> = Vec::with_capacity(order.len());
        for (place, member) in order.iter().enumerate() {
            let short_candidates =
                topology.short_candidates(&all_members, place, &mut random[*member]);
            let candidates: Vec<T::Point> = short_candidates.iter().map(point).collect();
            let chosen = topology.short(&points[place], &candidates);
            short.push(
                chosen
                    .iter()
                    .map(|peer| short_candidates[*peer as usize])
                    .collect(),
            );
            horizons.push(short_candidates);
        }
        let mut seen = VisitedMembers::new(order.len());
        for (place, member) in order.iter().enumerate() {
            let random = &mut random[*member];
            let mine = &short[place];
            seen.begin(place as u32);
            mine.iter().for_each(|peer| _ = seen.is_new(*peer));
            let theirs = mine.iter().flat_map(|peer| &short[*peer as usize]);
            let second: Vec<u32> = theirs.copied().filter(|peer| seen.is_new(*peer)).collect();
            let short_candidates = std::mem::take(&mut horizons[place]);
            let heard =
                topology.long_candidates(order.len(), place, &short_candidates, &second, random);
            seen.begin(place as u32);
            let mut known: Vec<u32> = mine.clone();
            known.extend(heard);
            known.retain(|peer| seen.is_new(*peer));
            let candidates: Vec<T::Point> = known.iter().map(point).collect();
            let is_short: Vec<bool> = (0..known.len()).map(|peer| peer < mine.len()).collect();
            let long = topology.long(&points[place], &candidates, &is_short, random);
            let long = long.iter().map(|peer| known[*peer as usize]);
            let chosen: Vec<u32> = mine.iter().copied().chain(long).collect();
            states[*member].peers.set(
                chosen
                    .iter()
                    .map(|peer| members[order[*peer as usize]])
                    .collect(),
                chosen.iter().map(point).collect(),
                mine.len(),
            );
        }
        states
    }

    /// By the order of IDs where the topology supports it; by the grid where the space has one, in
    /// O(1) on average; otherwise time O(n). Of equally near members the first in the
    /// [`MemberIndex`].
    fn root(
        shared: &Shared<T>,
        member_index: &MemberIndex,
        nodes: &[Self],
        index: &MemberGrid,
        key: &Key,
    ) -> Option<Node> {
        let topology = &shared.topology;
        if let Some(place) = topology.root(member_index, key) {
            return member_index.nodes().get(place).copied();
        }
        let target = topology.point(key);
        if let Some(grid) = &index.grid {
            let before = |a, b| member_index.is_before(Node(a), Node(b));
            return grid.nearest(T::in_grid(&target), before).map(Node);
        }
        let members = member_index.nodes().iter().copied();
        members.min_by_key(|node| topology.root_distance(&target, &nodes[node.index()].point))
    }

    fn is_intact(shared: &Shared<T>, member_index: &MemberIndex, nodes: &[Self]) -> Option<bool> {
        let topology = &shared.topology;
        if !topology.is_ring() {
            return None;
        }
        let next = |node: &Node| {
            let Self { point, peers, .. } = &nodes[node.index()];
            let ways = peers.points()[..peers.short().len()].iter();
            let ways = ways.map(|peer| topology.root_distance(point, peer));
            let nearest = ways.zip(peers.short()).min();
            nearest.map(|(_, peer)| *peer)
        };
        let members = member_index.nodes();
        let following = members.iter().cycle().skip(1);
        let follows = |(node, following): (&Node, &Node)| {
            let successor = next(node);
            successor == Some(*following) || (successor.is_none() && node == following)
        };
        Some(members.iter().zip(following).all(follows))
    }
}

/// The members in the grid of the space, for the oracle's search for the nearest to a key.
#[derive(Debug, Default)]
pub struct MemberGrid {
    /// Created with the first member; none if the space has none.
    grid: Option<TorusGrid>,
}

impl<T: Topology> RootIndex<Urdht<T>> for MemberGrid {
    fn enter(&mut self, shared: &Shared<T>, node: Node, state: &Urdht<T>) {
        if self.grid.is_none() {
            self.grid = shared.topology.grid();
        }
        if let Some(grid) = &mut self.grid {
            grid.put(node.0, T::in_grid(&state.point));
        }
    }

    fn depart(&mut self, node: Node) {
        if let Some(grid) = &mut self.grid {
            grid.remove(node.0);
        }
    }
}

/// The members visited in the current round.
struct VisitedMembers {
    met: Vec<u32>,
    round: u32,
}

impl VisitedMembers {
    fn new(members: usize) -> Self {
        Self {
            met: vec![0; members],
            round: 0,
        }
    }

    /// Starts a new round, in which `me` is visited.
    fn begin(&mut self, me: u32) {
        self.round += 1;
        self.met[me as usize] = self.round;
    }

    /// Visits `member`; true if this is its first visit.
    fn is_new(&mut self, member: u32) -> bool {
        std::mem::replace(&mut self.met[member as usize], self.round) != self.round
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Euclidean, UrdhtParameters};
    use super::*;
    use crate::engine::Seed;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// A search in the grid finds what a look at all members finds: the candidates of a member,
        /// and the root of a key while members leave.
        #[test]
        fn the_grid_finds_what_a_look_at_all_members_finds(
            seed: u64, dimensions in 1usize..5, count in 1usize..400, coarse: bool,
        ) {
            let shared = Shared::<Euclidean>::new(&UrdhtParameters {
                dimensions,
                table_size: Some(4),
                ..UrdhtParameters::default()
            });
            let topology = &shared.topology;
            let mut stream = Seed::new(seed).stream("ids", 0);
            // On a coarse lattice many distances are equal.
            let mut key = || {
                let bytes = Key::random(&mut stream).to_bytes();
                Key::from_bytes(bytes.map(|byte| if coarse { byte & 0xc0 } else { byte }))
            };
            let mut ids = NodeIds::default();
            let members: Vec<Node> = (0..count).map(|_| ids.add(key())).collect();
            let nodes: Vec<Urdht<Euclidean>> =
                members.iter().map(|node| Urdht::at(&shared, &ids.id(*node))).collect();
            let mut member_index = MemberIndex::new(&ids, &members);
            let mut index = MemberGrid::default();
            for node in &members {
                index.enter(&shared, *node, &nodes[node.index()]);
            }
            for node in &members {
                let key = key();
                let found = |index| Urdht::root(&shared, &member_index, &nodes, index, &key);
                prop_assert_eq!(found(&index), found(&MemberGrid::default()));
                member_index.remove(&ids.id(*node), *node);
                RootIndex::<Urdht<Euclidean>>::depart(&mut index, *node);
            }
            let sorted: Vec<Key> = members.iter().map(|node| ids.id(*node)).collect();
            let points: Vec<_> = nodes.iter().map(|state| state.point.clone()).collect();
            let mut grid = topology.grid().expect("a torus has a grid");
            for (place, point) in points.iter().enumerate() {
                grid.put(place as u32, point);
            }
            let all = Members { ids: &sorted, points: &points, grid: None };
            for me in 0..count {
                let mut sets = [None, Some(&grid)].map(|grid| {
                    topology.short_candidates(&Members { grid, ..all }, me, &mut stream_of(seed))
                });
                sets.iter_mut().for_each(|set| set.sort_unstable());
                prop_assert_eq!(&sets[0], &sets[1]);
            }
        }
    }

    fn stream_of(seed: u64) -> Stream {
        Seed::new(seed).stream("candidates", 0)
    }
}
