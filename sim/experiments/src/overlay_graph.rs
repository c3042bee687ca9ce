//! The graph of an overlay, in which a node's links are the nodes it knows, and its measurements:
//! degrees, greedy walks, the diameter.
//!
//! It is independent of the protocol: the caller gives the links, and for greedy walks the distance
//! from a node to a target.

/// The out-links of every node, in flat arrays.
///
/// # Example
/// ```
/// use dhtlab_experiments::{OverlayGraph, Walk};
///
/// // A ring of five nodes with the clockwise distance.
/// let ring = OverlayGraph::new((0..5).map(|i| [(i + 1) % 5]));
/// assert_eq!(ring.greedy_hops(1, 0, Walk::Descending, |at, to| (to + 5 - at) % 5), Some(4));
/// assert_eq!(ring.diameter(), Some(4));
/// assert_eq!(ring.degrees_in_and_out(), [2; 5]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverlayGraph {
    /// The start of each node's links, and the end of the last.
    starts: Vec<usize>,
    links: Vec<u32>,
}

/// When a greedy walk ends without success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// Where no peer is nearer to the target than the node itself, as a DHT's lookup does.
    Descending,
    /// At a node that it has visited before: it goes to the peer nearest to the target even if that
    /// is farther, as in UrDHT's program.
    UntilRepeated,
}

/// The results of a number of greedy walks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GreedyWalks {
    /// Number of walks that reached their target.
    pub arrived: u64,
    /// Number of walks that did not.
    pub failed: u64,
    /// Sum of the hops of the walks that arrived.
    pub hops: u64,
    /// The most hops of a walk that arrived.
    pub longest: u32,
}

impl GreedyWalks {
    /// Mean hops of the walks that arrived; not a number if none did.
    pub fn mean(&self) -> f64 {
        self.hops as f64 / self.arrived as f64
    }

    /// The fraction of the walks that arrived; not a number if there were none.
    pub fn hit_rate(&self) -> f64 {
        self.arrived as f64 / (self.arrived + self.failed) as f64
    }
}

impl OverlayGraph {
    /// The graph with the given out-links, one list per node, in the order of the nodes.
    /// The links of a node must be different from each other and below the number of nodes.
    /// Time and memory O(n + m) for n nodes and m links.
    pub fn new<L: IntoIterator<Item = u32>>(nodes: impl IntoIterator<Item = L>) -> Self {
        let mut graph = Self {
            starts: vec![0],
            links: Vec::new(),
        };
        for links in nodes {
            graph.links.extend(links);
            graph.starts.push(graph.links.len());
        }
        graph
    }

    /// The number of nodes.
    pub fn nodes(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The number of links, each counted once.
    pub fn links(&self) -> usize {
        self.links.len()
    }

    /// The nodes that `node` knows.
    pub fn peers(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.links[self.starts[node]..self.starts[node + 1]]
    }

    /// How many nodes each node knows.
    pub fn degrees_out(&self) -> Vec<u32> {
        let lengths = self.starts.windows(2).map(|ends| ends[1] - ends[0]);
        lengths.map(|length| length as u32).collect()
    }

    /// How many nodes know each node. Time O(n + m).
    pub fn degrees_in(&self) -> Vec<u32> {
        let mut degrees = vec![0; self.nodes()];
        for peer in &self.links {
            degrees[*peer as usize] += 1;
        }
        degrees
    }

    /// For each node, the number of nodes it knows plus the number that know it. Two nodes that
    /// know each other are counted twice at both.
    pub fn degrees_in_and_out(&self) -> Vec<u32> {
        let mut degrees = self.degrees_in();
        for (degree, out) in degrees.iter_mut().zip(self.degrees_out()) {
            *degree += out;
        }
        degrees
    }

    /// The hops of a greedy walk: from `from`, always to the peer nearest to `to`, the first
    /// of equally near ones. `None` if it gives up; 0 if it starts at its target.
    ///
    /// `distance(node, target)` is called for the peers along the walk.
    pub fn greedy_hops<D: Ord>(
        &self,
        from: u32,
        to: u32,
        walk: Walk,
        distance: impl Fn(u32, u32) -> D,
    ) -> Option<u32> {
        let mut at = from;
        let mut hops = 0;
        let mut path = Vec::new();
        while at != to {
            let next = *self.peers(at).iter().min_by_key(|p| distance(**p, to))?;
            match walk {
                // Each hop is nearer, so no node repeats.
                Walk::Descending if distance(next, to) >= distance(at, to) => return None,
                Walk::Descending => {}
                Walk::UntilRepeated => {
                    path.push(at);
                    if path.contains(&next) {
                        return None;
                    }
                }
            }
            at = next;
            hops += 1;
        }
        Some(hops)
    }

    /// The sums over greedy walks between the given pairs of source and target.
    pub fn greedy_walks<D: Ord>(
        &self,
        pairs: impl IntoIterator<Item = (u32, u32)>,
        walk: Walk,
        distance: impl Fn(u32, u32) -> D,
    ) -> GreedyWalks {
        let mut walks = GreedyWalks::default();
        for (from, to) in pairs {
            match self.greedy_hops(from, to, walk, &distance) {
                Some(hops) => {
                    walks.arrived += 1;
                    walks.hops += u64::from(hops);
                    walks.longest = walks.longest.max(hops);
                }
                None => walks.failed += 1,
            }
        }
        walks
    }

    /// The most hops of a shortest path along links from any node to any other; `None` if some
    /// node cannot be reached from some other, or if there is no node.
    ///
    /// A breadth-first search from each node: time O(n (n + m)).
    pub fn diameter(&self) -> Option<u32> {
        let mut search = BfsScratch::default();
        (0..self.nodes() as u32)
            .map(|node| search.eccentricity(self, node))
            .reduce(|most, next| Some(most?.max(next?)))?
    }
}

/// The memory of a breadth-first search, reused between searches.
#[derive(Default)]
struct BfsScratch {
    seen: Vec<bool>,
    queue: Vec<u32>,
}

impl BfsScratch {
    /// The hops to the node farthest from `source`, `None` if one is out of reach.
    fn eccentricity(&mut self, graph: &OverlayGraph, source: u32) -> Option<u32> {
        self.seen.clear();
        self.seen.resize(graph.nodes(), false);
        self.seen[source as usize] = true;
        self.queue.clear();
        self.queue.push(source);
        let (mut done, mut hops) = (0, 0);
        // When all nodes are found, the last level need not be expanded.
        while self.queue.len() < graph.nodes() {
            let ring = done..self.queue.len();
            if ring.is_empty() {
                return None;
            }
            done = ring.end;
            hops += 1;
            for i in ring {
                for peer in graph.peers(self.queue[i]) {
                    if !std::mem::replace(&mut self.seen[*peer as usize], true) {
                        self.queue.push(*peer);
                    }
                }
            }
        }
        Some(hops)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Links of up to 14 nodes, as a matrix.
    fn matrices() -> impl Strategy<Value = Vec<Vec<bool>>> {
        (1usize..14, 0.0f64..0.6).prop_flat_map(|(n, p)| {
            prop::collection::vec(prop::collection::vec(prop::bool::weighted(p), n), n)
        })
    }

    fn graph(matrix: &[Vec<bool>]) -> OverlayGraph {
        OverlayGraph::new(matrix.iter().enumerate().map(|(i, row)| {
            let linked = move |j: &u32| *j as usize != i && row[*j as usize];
            (0..row.len() as u32).filter(linked).collect::<Vec<_>>()
        }))
    }

    /// Hops of all shortest paths, by Floyd and Warshall.
    fn all_pairs(graph: &OverlayGraph) -> Vec<Vec<Option<u32>>> {
        let n = graph.nodes();
        let mut hops = vec![vec![None; n]; n];
        for (i, row) in hops.iter_mut().enumerate() {
            graph
                .peers(i as u32)
                .iter()
                .for_each(|j| row[*j as usize] = Some(1));
            row[i] = Some(0);
        }
        for k in 0..n {
            for i in 0..n {
                for j in 0..n {
                    if let (Some(a), Some(b)) = (hops[i][k], hops[k][j]) {
                        hops[i][j] = Some(hops[i][j].map_or(a + b, |old: u32| old.min(a + b)));
                    }
                }
            }
        }
        hops
    }

    proptest! {
        #[test]
        fn degrees_and_diameter_by_brute_force(matrix in matrices()) {
            let graph = graph(&matrix);
            let n = graph.nodes();
            prop_assert_eq!(n, matrix.len());
            let linked = |i: usize, j: usize| u32::from(i != j && matrix[i][j]);
            let sums = |f: &dyn Fn(usize, usize) -> u32| -> Vec<u32> {
                (0..n).map(|i| (0..n).map(|j| f(i, j)).sum()).collect()
            };
            prop_assert_eq!(graph.degrees_out(), sums(&linked));
            prop_assert_eq!(graph.degrees_in(), sums(&|i, j| linked(j, i)));
            prop_assert_eq!(graph.degrees_in_and_out(), sums(&|i, j| linked(i, j) + linked(j, i)));
            prop_assert_eq!(graph.links() as u32, graph.degrees_in().iter().sum::<u32>());
            let hops: Option<Vec<u32>> = all_pairs(&graph).into_iter().flatten().collect();
            prop_assert_eq!(graph.diameter(), hops.and_then(|hops| hops.into_iter().max()));
        }

        #[test]
        fn greedy_walks_by_brute_force(matrix in matrices(), places in prop::collection::vec(any::<u16>(), 14)) {
            let graph = graph(&matrix);
            let n = graph.nodes() as u32;
            let distance = |a: u32, b: u32| {
                let apart = places[a as usize].abs_diff(places[b as usize]);
                (apart, a != b)
            };
            // Follows every walk step by step, by its definition.
            let walked = |from: u32, to: u32, walk: Walk| {
                let mut path = vec![from];
                loop {
                    let at = path[path.len() - 1];
                    if at == to {
                        return Some(path.len() as u32 - 1);
                    }
                    let mut peers = graph.peers(at).to_vec();
                    peers.sort_by_key(|p| distance(*p, to));
                    let next = *peers.first()?;
                    let gives_up = match walk {
                        Walk::Descending => distance(next, to) >= distance(at, to),
                        Walk::UntilRepeated => path.contains(&next),
                    };
                    if gives_up {
                        return None;
                    }
                    path.push(next);
                }
            };
            let shortest = all_pairs(&graph);
            for walk in [Walk::Descending, Walk::UntilRepeated] {
                let pairs = || (0..n).flat_map(|a| (0..n).map(move |b| (a, b)));
                let mut expected = GreedyWalks::default();
                for (from, to) in pairs() {
                    let hops = graph.greedy_hops(from, to, walk, distance);
                    prop_assert_eq!(hops, walked(from, to, walk));
                    match hops {
                        Some(hops) => {
                            prop_assert!(shortest[from as usize][to as usize].is_some_and(|least| least <= hops));
                            expected.arrived += 1;
                            expected.hops += u64::from(hops);
                            expected.longest = expected.longest.max(hops);
                        }
                        None => expected.failed += 1,
                    }
                }
                prop_assert_eq!(graph.greedy_walks(pairs(), walk, distance), expected);
            }
        }
    }

    #[test]
    fn walks_differ_where_the_way_leads_uphill() {
        // Positions on a line; node 0 is a dead end for 3 unless the walk goes back over 2.
        let places = [5i32, 9, 1, 7];
        let graph = OverlayGraph::new([vec![2], vec![3], vec![1], vec![]]);
        let distance = |a: u32, b: u32| places[a as usize].abs_diff(places[b as usize]);
        assert_eq!(graph.greedy_hops(0, 3, Walk::Descending, distance), None);
        assert_eq!(
            graph.greedy_hops(0, 3, Walk::UntilRepeated, distance),
            Some(3)
        );
        // A node without links, and two nodes that know only each other.
        assert_eq!(graph.greedy_hops(3, 0, Walk::UntilRepeated, distance), None);
        let loopy = OverlayGraph::new([vec![1], vec![0], vec![]]);
        assert_eq!(loopy.greedy_hops(0, 2, Walk::UntilRepeated, distance), None);
        let none = GreedyWalks::default();
        assert!(none.mean().is_nan() && none.hit_rate().is_nan());
        assert_eq!(OverlayGraph::default().diameter(), None);
    }
}
