//! The gossip cycles: partner selection and peer updates.

use dhtlab_core::engine::Stream;
use dhtlab_core::space::{Dgvh, Rule, Space};

/// Number of initial cycles in which nodes learn of random others.
const CONTACT_CYCLES: u32 = 2;

/// How nodes choose peers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tables {
    /// When DGVH does not take a candidate.
    pub rule: Rule,
    /// Minimum number of short peers.
    pub least_short: usize,
    /// Maximum number of long peers.
    pub most_long: usize,
    /// Random nodes that a node learns of in each of the first cycles.
    pub contacts: usize,
}

/// All nodes with their peers.
pub(super) struct Mesh<S: Space> {
    space: S,
    tables: Tables,
    points: Vec<S::Point>,
    short: Vec<Vec<u32>>,
    long: Vec<Vec<u32>>,
    cycle: u32,
    dgvh: Dgvh,
    marks: NodeSet,
    pool: Vec<u32>,
    pool_points: Vec<S::Point>,
    order: Vec<(S::Distance, u32)>,
}

impl<S: Space> Mesh<S>
where
    S::Point: Copy,
{
    /// Nodes at `points` without peers.
    pub fn new(space: S, tables: Tables, points: Vec<S::Point>) -> Self {
        let n = points.len();
        Self {
            space,
            tables,
            points,
            short: vec![Vec::new(); n],
            long: vec![Vec::new(); n],
            cycle: 0,
            dgvh: Dgvh::new(tables.rule, tables.least_short),
            marks: NodeSet::new(n),
            pool: Vec::new(),
            pool_points: Vec::new(),
            order: Vec::new(),
        }
    }

    /// Where the nodes are.
    pub fn points(&self) -> &[S::Point] {
        &self.points
    }

    /// The short peers of a node.
    pub fn short(&self, node: u32) -> &[u32] {
        &self.short[node as usize]
    }

    /// The long peers of a node.
    pub fn long(&self, node: u32) -> &[u32] {
        &self.long[node as usize]
    }

    /// Runs one cycle: in the order of their numbers, each node gossips with one of its short
    /// peers, drawn uniformly.
    ///
    /// Time O(n (c log c + c k + l)) for n nodes, c candidates, k short and l long peers.
    pub fn cycle(&mut self, stream: &mut Stream) {
        for node in 0..self.points.len() as u32 {
            if self.cycle < CONTACT_CYCLES {
                self.add_random_contacts(node, stream);
            }
            let short = self.short(node);
            if !short.is_empty() {
                let partner = short[stream.index(short.len())];
                self.gossip(node, partner, stream);
            }
        }
        self.cycle += 1;
    }

    /// Adds random other nodes to the short peers, until the next choice.
    fn add_random_contacts(&mut self, node: u32, stream: &mut Stream) {
        let others = self.points.len() - 1;
        let short = &mut self.short[node as usize];
        for _ in 0..self.tables.contacts {
            // The last number means the node itself, which cannot be drawn.
            let drawn = stream.index(others) as u32;
            let contact = if drawn == node { others as u32 } else { drawn };
            if !short.contains(&contact) {
                short.push(contact);
            }
        }
    }

    /// Both nodes choose among the two and the short peers that the two had before.
    fn gossip(&mut self, node: u32, partner: u32, stream: &mut Stream) {
        self.marks.clear();
        self.pool.clear();
        let both = [&self.short[node as usize], &self.short[partner as usize]];
        for candidate in [node, partner].iter().chain(both.into_iter().flatten()) {
            if self.marks.set(*candidate) {
                self.pool.push(*candidate);
            }
        }
        self.pool_points.clear();
        let points = self.pool.iter().map(|node| self.points[*node as usize]);
        self.pool_points.extend(points);
        // The two are at positions 0 and 1 of the pool.
        for me in [0, 1] {
            self.choose(me);
            self.update_long_peers(me, stream);
        }
    }

    /// The node at position `me` of the pool chooses its short peers among the others there.
    fn choose(&mut self, me: usize) {
        let here = self.pool_points[me];
        self.order.clear();
        for (place, point) in self.pool_points.iter().enumerate() {
            if place != me {
                let distance = self.space.distance(&here, point);
                self.order.push((distance, place as u32));
            }
        }
        self.order.sort_unstable();
        let chosen = self
            .dgvh
            .select_sorted(&self.space, &here, &self.pool_points, &self.order);
        let short = &mut self.short[self.pool[me] as usize];
        short.clear();
        short.extend(chosen.iter().map(|place| self.pool[*place as usize]));
    }

    /// The node at position `me` of the pool adds the others to its long peers, and drops random
    /// ones beyond the maximum.
    fn update_long_peers(&mut self, me: usize, stream: &mut Stream) {
        let long = &mut self.long[self.pool[me] as usize];
        self.marks.clear();
        for node in long.iter() {
            self.marks.set(*node);
        }
        for (place, node) in self.pool.iter().enumerate() {
            if place != me && self.marks.set(*node) {
                long.push(*node);
            }
        }
        while long.len() > self.tables.most_long {
            let gone = stream.index(long.len());
            long.swap_remove(gone);
        }
    }
}

/// A set of nodes that is cleared in constant time.
struct NodeSet {
    stamps: Vec<u32>,
    now: u32,
}

impl NodeSet {
    fn new(nodes: usize) -> Self {
        Self {
            stamps: vec![0; nodes],
            now: 0,
        }
    }

    fn clear(&mut self) {
        if self.now == u32::MAX {
            self.stamps.fill(0);
            self.now = 0;
        }
        self.now += 1;
    }

    /// Adds a node; returns whether it was absent.
    fn set(&mut self, node: u32) -> bool {
        let stamp = &mut self.stamps[node as usize];
        let new = *stamp != self.now;
        *stamp = self.now;
        new
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use dhtlab_core::engine::Seed;
    use dhtlab_core::space::{FixedTorus, Key, Torus, TorusPoint};
    use proptest::prelude::*;

    pub fn mesh(seed: u64, nodes: usize, tables: Tables) -> Mesh<FixedTorus<3>> {
        let mut stream = Seed::new(seed).stream("positions", 0);
        let points = (0..nodes).map(|_| FixedTorus.point(&Key::random(&mut stream)));
        Mesh::new(FixedTorus, tables, points.collect())
    }

    fn sorted(nodes: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let mut nodes: Vec<u32> = nodes.into_iter().collect();
        nodes.sort_unstable();
        nodes
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// No node is its own peer, no table has duplicates, and tables keep their sizes.
        #[test]
        fn tables_stay_in_order(
            seed: u64, nodes in 2usize..40, least_short in 0usize..12, most_long in 0usize..40,
            contacts in 1usize..20, midpoint: bool,
        ) {
            let rule = if midpoint { Rule::Midpoint } else { Rule::Distance };
            let tables = Tables { rule, least_short, most_long, contacts };
            let mut mesh = mesh(seed, nodes, tables);
            let mut stream = Seed::new(seed).stream("gossip", 0);
            for _ in 0..4 {
                mesh.cycle(&mut stream);
                for node in 0..nodes as u32 {
                    for peers in [mesh.short(node), mesh.long(node)] {
                        prop_assert!(peers.iter().all(|peer| (*peer as usize) < nodes && *peer != node));
                        let mut all = sorted(peers.iter().copied());
                        all.dedup();
                        prop_assert_eq!(all.len(), peers.len());
                    }
                    prop_assert!(!mesh.short(node).is_empty());
                    prop_assert!(mesh.long(node).len() <= most_long);
                }
            }
        }

        /// After a gossip both have the short peers that [`Dgvh`] chooses on the torus among the
        /// union of the known nodes, and long peers that have lost only what exceeds the maximum.
        #[test]
        fn a_gossip_is_dgvh_of_what_both_know(
            seed: u64, nodes in 3usize..60, least_short in 0usize..12, most_long in 0usize..60,
        ) {
            let tables = Tables { rule: Rule::Midpoint, least_short, most_long, contacts: 8 };
            let mut mesh = mesh(seed, nodes, tables);
            let mut stream = Seed::new(seed).stream("gossip", 0);
            (0..nodes as u32).for_each(|node| mesh.add_random_contacts(node, &mut stream));
            for _ in 0..3 {
                let node = stream.index(nodes) as u32;
                let short = mesh.short(node);
                let partner = short[stream.index(short.len())];
                let mut known = sorted([node, partner].into_iter()
                    .chain(mesh.short(node).iter().copied())
                    .chain(mesh.short(partner).iter().copied()));
                known.dedup();
                let before = [node, partner].map(|me| mesh.long(me).to_vec());
                mesh.gossip(node, partner, &mut stream);
                for (me, before) in [node, partner].into_iter().zip(before) {
                    let others: Vec<u32> = known.iter().copied().filter(|peer| *peer != me).collect();
                    let place = |peer: u32| TorusPoint::from_slice(&mesh.points()[peer as usize]);
                    let points: Vec<TorusPoint> = others.iter().map(|peer| place(*peer)).collect();
                    let mut dgvh = Dgvh::new(tables.rule, least_short);
                    let chosen = dgvh.select(&Torus::new(3), &place(me), &points);
                    let chosen: Vec<u32> = chosen.iter().map(|i| others[*i as usize]).collect();
                    prop_assert_eq!(mesh.short(me), &chosen[..]);
                    let mut all = sorted(before.into_iter().chain(others));
                    all.dedup();
                    let kept = sorted(mesh.long(me).iter().copied());
                    prop_assert_eq!(kept.len(), all.len().min(most_long));
                    prop_assert!(kept.iter().all(|peer| all.contains(peer)));
                }
            }
        }
    }

    #[test]
    fn who_is_forgotten_is_drawn_uniformly() {
        // Node 0 learns of nodes 2 to 21 and keeps 5 of the 21 others of the pool. Over 4000 trials
        // each is kept 952 times, with a standard deviation of 27; 5 of them are 134.
        let tables = Tables {
            rule: Rule::Midpoint,
            least_short: 0,
            most_long: 5,
            contacts: 1,
        };
        let mut stream = Seed::new(1).stream("gossip", 0);
        let mut kept = [0i32; 22];
        for _ in 0..4000 {
            let mut mesh = mesh(1, 22, tables);
            mesh.short[0] = (1..22).collect();
            mesh.gossip(0, 1, &mut stream);
            mesh.long(0)
                .iter()
                .for_each(|peer| kept[*peer as usize] += 1);
        }
        assert!(
            kept[1..].iter().all(|count| (count - 952).abs() < 134),
            "{kept:?}"
        );
    }

    #[test]
    fn marks_are_cleared_when_their_stamps_run_out() {
        let mut marks = NodeSet::new(2);
        marks.clear();
        assert!(marks.set(0));
        marks.now = u32::MAX - 1;
        marks.clear();
        assert!(marks.set(1));
        marks.clear();
        assert!(marks.set(0) && marks.set(1) && !marks.set(1));
    }
}
