//! The growth of four topologies node by node, as in the program behind UrDHT's figures (the UrDHT
//! model, Rosen, Benshoof, Harrison and Bourgeois 2016).
//!
//! Its differences from the text, and its choices where the text is silent, are all here:
//!
//! * a joining node learns of all nodes, and all nodes of it;
//! * in a tick, a node collects its peers, all peers of each of its *short* peers, and the nodes
//!   that notified it since its last tick; it chooses anew among them, and notifies its new short
//!   peers. Nodes tick one after the other in the order in which they joined, and each sees at once
//!   what earlier ones chose. There are no messages and no losses;
//! * short peers: by rule "a taken peer is closer to the candidate than the node itself is", with a
//!   flag that is never reset, so that everything behind the first rejected candidate is rejected,
//!   too; then filled to 7 with the nearest. Nodes that know 7 or fewer take all;
//! * nodes that filled the short peers are *not* removed from the candidates for long peers. So a
//!   node knows up to 7 + 49 = 56 others, but often fewer, as some are drawn twice;
//! * Kademlia's buckets are split where the node's own, which counts the node as one of its 3
//!   members, is full; for a new node's bucket only one split is tried;
//! * Chord's fingers are the nearest nodes *preceding* id + 2^i, and neither successor nor
//!   predecessor is a candidate. So all fingers that are too short end at the node before the
//!   predecessor;
//! * the Euclidean square has borders: nothing wraps;
//! * the hyperbolic nodes of the published figures are in the disc of Euclidean radius .8 (another
//!   run of the authors used the whole disc, and about three in a hundred of its greedy walks
//!   failed);
//! * sources and targets are drawn each without repetition but independently, so a node can be its
//!   own target, which takes 0 hops: hence means below 1 where every node knows all others;
//! * a greedy walk continues when the nearest peer is farther away, and fails at a node that it has
//!   visited before;
//! * degrees are in + out, and the "worst case" is the diameter by shortest paths.
//!
//! The program's IDs had 120 bits, of which 53 were random; these have 160. This makes no
//! difference: the decisions depend on the order of distances alone, and with 500 nodes no two
//! share their first 53 bits. All fingers shorter than the distance to the next node coincide.

mod peers;

use crate::{OverlayGraph, Walk};
use dhtlab_core::engine::{Seed, Stream};
use peers::{Chord, Euclidean, Hyperbolic, Kademlia, Program};

dhtlab_core::choices! {
    /// A topology of the figures.
    pub enum Topology {
        /// A ring: successor, predecessor, and one finger per bit.
        Chord = "chord",
        /// The XOR metric, with buckets of 3 as long peers.
        Kademlia = "kademlia",
        /// The unit square.
        Euclidean = "euclidean",
        /// A disc of the hyperbolic plane.
        Hyperbolic = "hyperbolic",
    }
}

/// The published program: nodes that join one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The space of the nodes and their choice of peers.
    pub topology: Topology,
    /// Final number of nodes.
    pub nodes: usize,
    /// Ticks of all nodes after each join.
    pub ticks_per_join: usize,
    /// Pairs between which greedy walks are measured, at most as many as there are nodes.
    pub pairs: usize,
}

dhtlab_scenario::columns! {
    /// The measurements at one size.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Point {
        /// The number of nodes.
        nodes [""]: usize,
        /// Mean number of nodes that a node knows.
        degree_out_mean [""]: f64,
        /// Mean number of nodes that a node knows plus nodes that know it, as in the published figures.
        degree_inout_mean [""]: f64,
        /// The largest such sum.
        degree_inout_max [""]: u32,
        /// Mean hops of the greedy walks that arrived; empty if none did.
        greedy_hops_mean [""]: f64,
        /// The most hops of a greedy walk that arrived.
        greedy_hops_max [""]: u32,
        /// The longest shortest path, the published "worst case"; empty if some node is out of reach.
        diameter [""]: Option<u32>,
        /// The fraction of the greedy walks that arrived; empty if there were none. The published
        /// figures leave out points below 1.
        hit_rate ["fraction"]: f64,
    }
}

impl Growth {
    /// The sizes of the published table.
    pub const SIZES: [usize; 7] = [10, 50, 100, 200, 300, 400, 500];

    /// The published run of a topology: 500 nodes, 3 ticks per join, 100 pairs.
    pub fn published(topology: Topology) -> Self {
        Self {
            topology,
            nodes: 500,
            ticks_per_join: 3,
            pairs: 100,
        }
    }

    /// Lets the nodes join, and calls `report` with the measurements at each of `sizes`, in
    /// ascending order. Sizes below 2 or above the number of nodes are left out.
    ///
    /// Positions, choices and pairs have separate streams, with one stream of pairs per size: the
    /// measured sizes do not affect the run. Time O(n^2 p log p) with p, the nodes that a node
    /// learns of in a tick, a few hundred at most.
    pub fn run(&self, sizes: &[usize], seed: Seed, report: impl FnMut(Point)) {
        match self.topology {
            Topology::Chord => self.grow::<Chord>(sizes, seed, report),
            Topology::Kademlia => self.grow::<Kademlia>(sizes, seed, report),
            Topology::Euclidean => self.grow::<Euclidean>(sizes, seed, report),
            Topology::Hyperbolic => self.grow::<Hyperbolic>(sizes, seed, report),
        }
    }

    fn grow<P: Program>(&self, sizes: &[usize], seed: Seed, mut report: impl FnMut(Point)) {
        let mut places = seed.stream("places", 0);
        let mut choices = seed.stream("long-peers", 0);
        let mut joined = JoinedNodes::<P>::default();
        joined.join(&mut places);
        while joined.nodes.len() < self.nodes {
            joined.join(&mut places);
            for _ in 0..self.ticks_per_join {
                (0..joined.nodes.len()).for_each(|me| joined.tick(me, &mut choices));
            }
            if sizes.contains(&joined.nodes.len()) {
                report(self.measure(&joined, seed));
            }
        }
    }

    fn measure<P: Program>(&self, joined: &JoinedNodes<P>, seed: Seed) -> Point {
        let nodes = joined.nodes.len();
        let links = joined.nodes.iter().map(|node| node.peers.iter().copied());
        let graph = OverlayGraph::new(links);
        let mut stream = seed.stream("lookups", nodes as u64);
        let mut sample = || {
            let mut all: Vec<u32> = (0..nodes as u32).collect();
            stream.sample_to_front(&mut all, self.pairs);
            all.truncate(self.pairs);
            all
        };
        let pairs: Vec<(u32, u32)> = sample().into_iter().zip(sample()).collect();
        let place = |node: u32| &joined.places[node as usize];
        let walks = graph.greedy_walks(pairs, Walk::UntilRepeated, |node, target| {
            P::distance(place(node), place(target))
        });
        let degrees = graph.degrees_in_and_out();
        let degree_out_mean = graph.links() as f64 / nodes as f64;
        Point {
            nodes,
            degree_out_mean,
            degree_inout_mean: 2.0 * degree_out_mean,
            degree_inout_max: degrees.into_iter().max().unwrap_or(0),
            greedy_hops_mean: walks.mean(),
            greedy_hops_max: walks.longest,
            diameter: graph.diameter(),
            hit_rate: walks.hit_rate(),
        }
    }
}

/// The state of a node.
#[derive(Default)]
struct Node {
    /// The nodes it knows, each once: short peers first.
    peers: Vec<u32>,
    /// Number of short peers.
    short: usize,
    /// The nodes that made this node a short peer since its last tick.
    notified: Vec<u32>,
}

/// The nodes that have joined.
struct JoinedNodes<P: Program> {
    places: Vec<P::Place>,
    nodes: Vec<Node>,
    /// The node in whose tick each node was collected last: each is collected once.
    met: Vec<u64>,
    ticks: u64,
    pool: Vec<u32>,
}

impl<P: Program> Default for JoinedNodes<P> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            nodes: Vec::new(),
            met: Vec::new(),
            ticks: 0,
            pool: Vec::new(),
        }
    }
}

impl<P: Program> JoinedNodes<P> {
    /// A node at a random position joins: all others become its short peers and learn of it.
    fn join(&mut self, places: &mut Stream) {
        let joiner = self.nodes.len() as u32;
        for node in &mut self.nodes {
            node.notified.push(joiner);
        }
        self.places.push(P::place(places));
        self.met.push(0);
        self.nodes.push(Node {
            peers: (0..joiner).collect(),
            short: joiner as usize,
            notified: Vec::new(),
        });
    }

    /// Node `me` chooses its peers anew.
    fn tick(&mut self, me: usize, choices: &mut Stream) {
        self.ticks += 1;
        let (ticks, met) = (self.ticks, &mut self.met);
        met[me] = ticks;
        let mut new = |node: &u32| std::mem::replace(&mut met[*node as usize], ticks) != ticks;
        let Node {
            peers,
            short,
            notified,
        } = &self.nodes[me];
        self.pool.clear();
        let own = peers.iter().chain(notified);
        self.pool.extend(own.copied().filter(&mut new));
        for short_peer in &peers[..*short] {
            let theirs = self.nodes[*short_peer as usize].peers.iter();
            self.pool.extend(theirs.copied().filter(&mut new));
        }

        let node = &mut self.nodes[me];
        node.notified.clear();
        node.peers.clear();
        node.short = P::choose(me, &self.places, &self.pool, choices, &mut node.peers);
        for i in 0..self.nodes[me].short {
            let short_peer = self.nodes[me].peers[i] as usize;
            self.nodes[short_peer].notified.push(me as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(growth: &Growth, sizes: &[usize], seed: u64) -> Vec<Point> {
        let mut points = Vec::new();
        growth.run(sizes, Seed::new(seed), |point| points.push(point));
        points
    }

    /// The published points at 100 nodes, each one run, against the means of ten: mean degree
    /// within 10 %, the largest within 20 %, hops within .5, the diameter within 1.
    #[test]
    fn the_published_numbers_are_met() {
        let published = [
            (Topology::Chord, 16.42, 39.0, 3.54, 6.0),
            (Topology::Kademlia, 36.96, 46.0, 2.29, 4.0),
            (Topology::Euclidean, 106.3, 120.0, 1.47, 2.0),
            (Topology::Hyperbolic, 106.86, 120.0, 1.46, 2.0),
        ];
        for (topology, degree, most, hops, diameter) in published {
            let growth = Growth {
                nodes: 100,
                ..Growth::published(topology)
            };
            let runs: Vec<Point> = (0..10)
                .flat_map(|seed| measured(&growth, &[100], seed))
                .collect();
            assert_eq!(runs.len(), 10);
            let mean = |value: &dyn Fn(&Point) -> f64| runs.iter().map(value).sum::<f64>() / 10.0;
            let near = |mean: f64, published: f64, tolerance: f64| {
                let what = topology.as_str();
                let apart = (mean - published).abs();
                assert!(apart < tolerance, "{what}: {mean} against {published}");
            };
            near(mean(&|p| p.degree_inout_mean), degree, 0.1 * degree);
            near(mean(&|p| f64::from(p.degree_inout_max)), most, 0.2 * most);
            near(mean(&|p| p.greedy_hops_mean), hops, 0.5);
            let worst = |p: &Point| p.diameter.map_or(f64::INFINITY, f64::from);
            near(mean(&worst), diameter, 1.0);
            near(mean(&|p| p.hit_rate), 1.0, 0.01);
        }
    }

    /// Every node knows all others up to 50 nodes in the plane and the disc, as published.
    #[test]
    fn small_networks_are_fully_connected() {
        for topology in [Topology::Euclidean, Topology::Hyperbolic] {
            let growth = Growth {
                nodes: 50,
                ..Growth::published(topology)
            };
            for point in measured(&growth, &[10, 50], 1) {
                let others = point.nodes as f64 - 1.0;
                assert_eq!(point.degree_out_mean, others);
                assert_eq!(point.degree_inout_mean, 2.0 * others);
                assert_eq!(point.diameter, Some(1));
            }
        }
    }

    #[test]
    fn what_is_measured_changes_nothing_else() {
        for topology in Topology::ALL {
            let growth = Growth {
                nodes: 60,
                ..Growth::published(*topology)
            };
            let both = measured(&growth, &[60, 20, 1000], 2);
            let sizes: Vec<usize> = both.iter().map(|point| point.nodes).collect();
            assert_eq!(sizes, [20, 60]);
            assert_eq!(measured(&growth, &[60], 2), both[1..]);
            assert_ne!(measured(&growth, &[60], 3), both[1..]);
        }
    }
}
