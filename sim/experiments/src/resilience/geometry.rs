//! The nodes of a static network: IDs, points, and positions of hosts.

use super::{Choice, ResilienceParameters};
use dhtlab_core::engine::{Seed, Stream};
use dhtlab_core::space::Torus;
use rand::Rng;

dhtlab_core::choices! {
    /// Which entries a node has, and what is nearer.
    pub enum Geometry {
        /// IDs on a ring: for each i an entry at a distance from 2^i to 2^(i+1), clockwise.
        Ring = "ring",
        /// IDs with the XOR metric: for each i an entry that differs first in digit i.
        Xor = "xor",
        /// The entries of "xor"; a path corrects the digits in their order.
        Tree = "tree",
        /// All IDs of log2 n digits: for each digit the node that differs in it alone. A path corrects the digits in any order.
        Hypercube = "hypercube",
        /// A grid on a torus: the neighbours on both sides in each dimension, as in CAN.
        Torus = "torus",
        /// Random points on a torus: the Delaunay neighbours that DGVH finds, as in VHash.
        Voronoi = "voronoi",
        /// Random points in the hyperbolic disc: the neighbours that DGVH finds.
        Hyperbolic = "hyperbolic",
    }
}

dhtlab_core::choices! {
    /// Where the hosts of the nodes are.
    pub enum Plane {
        /// They have no position.
        None = "none",
        /// Random points of a square whose opposite sides are joined.
        Torus = "torus",
        /// Random points of a square.
        Square = "square",
    }
}

/// The nodes.
pub(super) struct Population {
    /// IDs, ascending: of 64 bits, random or evenly spaced, or all numbers below n.
    pub ids: Vec<u64>,
    /// The positions of hosts.
    pub hosts: Vec<[f64; 2]>,
    plane: Plane,
}

/// The side of a grid of `nodes` in `dimensions`, if there is one.
pub(super) fn side(nodes: usize, dimensions: usize) -> Option<usize> {
    let root = libm::round(libm::pow(nodes as f64, 1.0 / dimensions as f64)) as usize;
    let power = root.checked_pow(dimensions as u32);
    (power == Some(nodes) && root > 1).then_some(root)
}

impl Population {
    pub fn new(parameters: &ResilienceParameters, seed: Seed) -> Self {
        let (n, mut stream) = (parameters.nodes, seed.stream("ids", 0));
        let ids = match parameters.geometry {
            Geometry::Ring | Geometry::Xor | Geometry::Tree
                if parameters.choice == Choice::Exact =>
            {
                (0..n as u64)
                    .map(|place| place << (64 - n.ilog2()))
                    .collect()
            }
            Geometry::Ring | Geometry::Xor | Geometry::Tree => random_ids(n, &mut stream),
            _ => (0..n as u64).collect(),
        };
        let mut places = seed.stream("hosts", 0);
        let hosts = match parameters.plane {
            Plane::None => Vec::new(),
            _ => (0..n).map(|_| [places.unit(), places.unit()]).collect(),
        };
        Self {
            ids,
            hosts,
            plane: parameters.plane,
        }
    }

    /// The latency between the hosts of two nodes, in sides of the square.
    pub fn latency(&self, a: usize, b: usize) -> f64 {
        let (a, b) = (&self.hosts[a], &self.hosts[b]);
        match self.plane {
            Plane::None => 0.0,
            Plane::Torus => libm::sqrt(Torus::new(2).squared_distance(a, b)),
            Plane::Square => libm::hypot(a[0] - b[0], a[1] - b[1]),
        }
    }
}

/// `n` different random IDs, ascending.
fn random_ids(n: usize, stream: &mut Stream) -> Vec<u64> {
    let mut ids = Vec::new();
    while ids.len() < n {
        ids.extend(std::iter::repeat_with(|| stream.next_u64()).take(n - ids.len()));
        ids.sort_unstable();
        ids.dedup();
    }
    ids
}
