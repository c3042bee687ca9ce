//! The trees that hang off the core of a graph.

use super::super::graph::Adjacency;
use super::link_key;

/// No host: the parent of a host of the core.
const NONE: u32 = u32::MAX;

/// The longest way from a host of a tree up to the core, in links. Deeper parts of a tree belong to
/// the core, so that a query walks no long way.
const DEEPEST: u32 = 64;

/// For each host the core host over which it reaches all others outside its tree.
#[derive(Debug)]
pub(super) struct Trees {
    /// The next host on the way to the core; [`NONE`] in the core.
    parents: Vec<u32>,
    /// Where the tree meets the core; a host of the core itself.
    roots: Vec<u32>,
    /// The key of the way there.
    depths: Vec<u64>,
}

impl Trees {
    /// Takes hosts of one link away, again and again, up to [`DEEPEST`] times. At least one host
    /// remains. O(n + m).
    pub(super) fn new(graph: &Adjacency, hop_bits: u32) -> Self {
        let hosts = graph.hosts();
        let degree = |host: u32| graph.places(host).len();
        let mut degrees: Vec<usize> = (0..hosts as u32).map(degree).collect();
        let mut parents = vec![NONE; hosts];
        let mut depths = vec![0; hosts];
        // Those taken away, outer hosts first.
        let mut taken: Vec<u32> = Vec::new();
        let mut leaves: Vec<u32> = (0..hosts as u32).filter(|&h| degree(h) == 1).collect();
        for _ in 0..DEEPEST {
            let mut next = Vec::new();
            for host in leaves {
                // The other host of a last link was taken away before this one.
                if degrees[host as usize] != 1 {
                    continue;
                }
                let remains = |place: &usize| {
                    let other = graph.targets[*place] as usize;
                    parents[other] == NONE
                };
                let Some(place) = graph.places(host).find(remains) else {
                    continue;
                };
                let parent = graph.targets[place];
                parents[host as usize] = parent;
                depths[host as usize] = link_key(graph, hop_bits, place);
                taken.push(host);
                degrees[parent as usize] -= 1;
                if degrees[parent as usize] == 1 {
                    next.push(parent);
                }
            }
            leaves = next;
        }
        let mut roots: Vec<u32> = (0..hosts as u32).collect();
        for &host in taken.iter().rev() {
            let parent = parents[host as usize] as usize;
            roots[host as usize] = roots[parent];
            depths[host as usize] += depths[parent];
        }
        Self {
            parents,
            roots,
            depths,
        }
    }

    /// The hosts of the core, ascending.
    pub(super) fn core(&self) -> impl Iterator<Item = u32> {
        let parents = self.parents.iter().zip(0..);
        parents.filter_map(|(&parent, host)| (parent == NONE).then_some(host))
    }

    /// Where the tree of `host` meets the core, and the key of the way there.
    pub(super) fn root(&self, host: u32) -> (u32, u64) {
        (self.roots[host as usize], self.depths[host as usize])
    }

    /// The key of the path between two hosts of one tree: by their lowest common ancestor. It walks
    /// at most 2 * [`DEEPEST`] links.
    pub(super) fn between(&self, a: u32, b: u32) -> u64 {
        let depth = |host: u32| self.depths[host as usize];
        let (mut up, mut other) = (a, b);
        while up != other {
            // The deeper of the two is no ancestor of the other; of two of one depth, neither is.
            if depth(up) < depth(other) {
                std::mem::swap(&mut up, &mut other);
            }
            up = self.parents[up as usize];
        }
        depth(a) + depth(b) - 2 * depth(up)
    }
}
