//! The peers of a node of UrDHT: short ones first, then long ones, in flat arrays.

use super::Topology;
use crate::engine::Stream;
use crate::overlay::{Node, NodeIds};

/// How many short peers a gossip message has: all, except for cliques.
const SHORT_SENT: usize = 32;
/// How many long peers a gossip message has besides the short ones: so long tables become random
/// samples of the whole network, while short peers alone would give the neighbourhood.
const LONG_SENT: usize = 4;
/// The least number of silent nodes to remember, so that they are not learnt again from nodes that
/// still send them; as many as there are peers if these are more.
const SILENT: usize = 64;

/// The peers that a node knows, with their points.
#[derive(Clone, Debug)]
pub struct PeerSet<P> {
    nodes: Vec<Node>,
    points: Vec<P>,
    short: usize,
    /// The index of the first node learnt of since the last choice.
    settled: usize,
    /// Whether a short peer was lost since the last choice.
    lost: bool,
    /// The index after the last peer that was checked.
    turn: usize,
    /// The nodes that did not reply, the oldest first.
    silent: Vec<Node>,
}

impl<P> Default for PeerSet<P> {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            points: Vec::new(),
            short: 0,
            settled: 0,
            lost: false,
            turn: 0,
            silent: Vec::new(),
        }
    }
}

impl<P: Clone> PeerSet<P> {
    /// All peers, short ones first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The short peers.
    pub fn short(&self) -> &[Node] {
        &self.nodes[..self.short]
    }

    /// The long peers.
    pub fn long(&self) -> &[Node] {
        &self.nodes[self.short..]
    }

    /// The points of all peers, in the order of [`nodes`](Self::nodes).
    pub fn points(&self) -> &[P] {
        &self.points
    }

    /// A short peer drawn uniformly.
    pub(super) fn random_short(&self, stream: &mut Stream) -> Option<Node> {
        (self.short > 0).then(|| self.nodes[stream.index(self.short)])
    }

    /// The next peer in turn, among short and long ones.
    pub(super) fn next_in_turn(&mut self) -> Option<Node> {
        self.turn = if self.turn < self.nodes.len() {
            self.turn + 1
        } else {
            1
        };
        self.nodes.get(self.turn - 1).copied()
    }

    /// The peers in a gossip message: short peers and a few long ones, drawn uniformly.
    pub(super) fn gossip_sample(&self, stream: &mut Stream) -> Box<[Node]> {
        let mut told: Vec<Node> = Vec::with_capacity(self.short.min(SHORT_SENT) + LONG_SENT);
        let mut draw = |from: &[Node], count: usize| {
            told.extend((0..count).map(|_| from[stream.index(from.len())]));
        };
        if self.short > SHORT_SENT {
            draw(self.short(), SHORT_SENT);
        }
        draw(self.long(), LONG_SENT.min(self.long().len()));
        if self.short <= SHORT_SENT {
            told.extend(self.short());
        }
        told.into()
    }

    /// Records that `node` is alive, even if it was silent before.
    pub(super) fn alive(&mut self, node: Node) {
        self.silent.retain(|silent| *silent != node);
    }

    /// Adds nodes that were learnt of; new ones wait for the next choice.
    pub(super) fn add_candidates<T: Topology<Point = P>>(
        &mut self,
        topology: &T,
        ids: &NodeIds,
        me: Node,
        heard: impl Iterator<Item = Node>,
    ) {
        for node in heard {
            if node != me && !contains(&self.nodes, node) && !contains(&self.silent, node) {
                self.nodes.push(node);
                self.points.push(topology.point(&ids.id(node)));
            }
        }
    }

    /// Chooses short and long peers among all known nodes; true if the short ones changed.
    ///
    /// Returns at once if no node was added or lost. Nodes that were not chosen before are examined
    /// only if the choice among the short peers and the new nodes differs from the old one:
    /// [`Topology::short`] guarantees this, and most gossip brings nothing new.
    pub(super) fn choose<T: Topology<Point = P>>(
        &mut self,
        topology: &T,
        me: &P,
        random: &mut Stream,
    ) -> bool {
        if self.settled == self.nodes.len() && !self.lost {
            return false;
        }
        let lost = std::mem::take(&mut self.lost);
        let changed = lost || !self.stays_short(topology, me);
        let short = if changed {
            topology.short(me, &self.points)
        } else {
            (0..self.short as u32).collect()
        };
        let mut is_short = vec![false; self.nodes.len()];
        short
            .iter()
            .for_each(|place| is_short[*place as usize] = true);
        let long = topology.long(me, &self.points, &is_short, random);
        self.keep(&short, &long);
        changed
    }

    /// Whether the same short peers are chosen among themselves and the new nodes.
    fn stays_short<T: Topology<Point = P>>(&self, topology: &T, me: &P) -> bool {
        let (short, new) = (&self.points[..self.short], &self.points[self.settled..]);
        if new.is_empty() {
            return true;
        }
        let some = [short, new].concat();
        let chosen = topology.short(me, &some);
        chosen.len() == self.short && chosen.iter().all(|place| (*place as usize) < self.short)
    }

    /// Removes `node`, which is gone; true if it was known. Peers must be chosen again.
    pub(super) fn forget(&mut self, node: Node) -> bool {
        if !contains(&self.silent, node) {
            if self.silent.len() >= SILENT.max(self.nodes.len()) {
                self.silent.remove(0);
            }
            self.silent.push(node);
        }
        let Some(place) = self.nodes.iter().position(|other| *other == node) else {
            return false;
        };
        self.nodes.remove(place);
        self.points.remove(place);
        self.settled -= usize::from(place < self.settled);
        self.turn -= usize::from(place < self.turn);
        if place < self.short {
            self.short -= 1;
            self.lost = true;
        }
        true
    }

    /// Makes `nodes` the peers, the first `short` of them the short ones.
    pub(super) fn set(&mut self, nodes: Vec<Node>, points: Vec<P>, short: usize) {
        self.settled = nodes.len();
        (self.nodes, self.points, self.short) = (nodes, points, short);
    }

    /// Keeps the peers at the indices `short` and `long`, in that order.
    fn keep(&mut self, short: &[u32], long: &[u32]) {
        let places = || short.iter().chain(long).map(|place| *place as usize);
        let count = short.len() + long.len();
        if places().eq(0..count) {
            self.nodes.truncate(count);
            self.points.truncate(count);
        } else {
            self.nodes = places().map(|place| self.nodes[place]).collect();
            self.points = places().map(|place| self.points[place].clone()).collect();
        }
        self.short = short.len();
        self.settled = count;
    }
}

/// Whether `node` is in `nodes`, without early exit: several are compared at a time.
fn contains(nodes: &[Node], node: Node) -> bool {
    nodes
        .iter()
        .fold(false, |found, other| found | (*other == node))
}
