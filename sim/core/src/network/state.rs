//! The state of a simulated network that observers see: its nodes, members and applications.

use super::sybils::Sybils;
use crate::engine::Instant;
use crate::overlay::{
    Application, GroundTruth, Layout, MemberIndex, Members, NextHop, Node, NodeIds,
};
use crate::space::{Coordinates, Key};
use crate::underlay::Slot;

/// The nodes of a network, with their overlays and applications, at one moment.
///
/// [`Network`](super::Network) dereferences to it, and each
/// [`Observer`](super::Observer) gets it with each signal.
pub struct NetworkState<P: GroundTruth, A: Application> {
    pub(super) now: Instant,
    pub(super) shared: P::Shared,
    pub(super) ids: NodeIds,
    pub(super) nodes: Vec<P>,
    pub(super) node_meta: Vec<NodeMeta>,
    pub(super) member_index: MemberIndex,
    pub(super) index: P::Index,
    pub(super) sybils: Option<Box<Sybils>>,
    pub(super) service: A::Shared,
    pub(super) applications: Vec<A>,
    pub(super) metrics: A::Metrics,
}

/// The data of a node that every message to it needs, in one place.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodeMeta {
    /// The slot of its host in the distances.
    pub slot: Slot,
    /// Its site.
    pub site: u32,
    pub alive: bool,
    /// It has joined: lookups start there, and it may be the root of keys.
    pub member: bool,
    /// It belongs to the adversary.
    pub sybil: bool,
    /// How often it has stopped: a node that restarts under its old address begins a new session.
    pub session: u32,
}

impl<P: GroundTruth, A: Application> NetworkState<P, A> {
    pub(super) fn new(shared: P::Shared, service: A::Shared) -> Self {
        Self {
            now: Instant::START,
            shared,
            ids: NodeIds::default(),
            nodes: Vec::new(),
            node_meta: Vec::new(),
            member_index: MemberIndex::default(),
            index: P::Index::default(),
            sybils: None,
            service,
            applications: Vec::new(),
            metrics: A::Metrics::default(),
        }
    }

    /// The virtual time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The overlay of `node`.
    pub fn node(&self, node: Node) -> &P {
        &self.nodes[node.index()]
    }

    /// The application on `node`.
    pub fn application(&self, node: Node) -> &A {
        &self.applications[node.index()]
    }

    /// The data that all applications share.
    pub fn service(&self) -> &A::Shared {
        &self.service
    }

    /// The metrics of the applications.
    pub fn metrics(&self) -> &A::Metrics {
        &self.metrics
    }

    /// The data that all nodes share.
    pub fn shared(&self) -> &P::Shared {
        &self.shared
    }

    /// The IDs of all nodes.
    pub fn ids(&self) -> &NodeIds {
        &self.ids
    }

    /// All nodes that have started, in this order; those that have stopped included.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + use<P, A> {
        (0..self.node_meta.len() as u32).map(Node)
    }

    /// The number of the host of `node` in the placement.
    pub fn site(&self, node: Node) -> u32 {
        self.node_meta[node.index()].site
    }

    /// The coordinates of `node` in the space of the protocol.
    pub fn place(&self, node: Node) -> Coordinates {
        P::Layout::place(self.node(node), &self.shared, &self.ids.id(node))
    }

    /// The current members.
    pub fn members(&self) -> Members<'_> {
        self.member_index.nodes()
    }

    /// Whether `node` has joined the network.
    pub fn is_member(&self, node: Node) -> bool {
        self.node_meta[node.index()].member
    }

    /// Whether `node` runs, as a member or while it joins.
    pub fn is_alive(&self, node: Node) -> bool {
        self.node_meta[node.index()].alive
    }

    /// Whether `node` runs in its session `session`.
    pub(super) fn is_in_session(&self, node: Node, session: u32) -> bool {
        let meta = &self.node_meta[node.index()];
        meta.alive && meta.session == session
    }

    /// Whether `node` accepts messages for keys and those of the service. A node that has restarted
    /// and not yet joined does not know what others still send to it.
    pub(super) fn takes_messages(&self, node: Node) -> bool {
        let meta = &self.node_meta[node.index()];
        meta.alive && (meta.member || meta.session == 0)
    }

    /// The true root of `key`: the member that owns it. Complexity: that of
    /// [`GroundTruth::root`].
    pub fn root(&self, key: &Key) -> Option<Node> {
        P::root(
            &self.shared,
            &self.member_index,
            &self.nodes,
            &self.index,
            key,
        )
    }

    pub(super) fn next_hop(&self, node: Node, key: &Key) -> NextHop {
        self.node(node).next_hop(&self.shared, &self.ids, node, key)
    }

    /// The nodes that a message for `key` from `from` would pass with the current tables and without
    /// silent nodes, both ends included; empty if it reached a departed node or looped.
    pub fn walk(&self, from: Node, key: &Key) -> Vec<Node> {
        let mut path = vec![from];
        let mut route = P::Route::default();
        while path.len() <= self.node_meta.len() {
            let node = path[path.len() - 1];
            let state = self.node(node);
            match state.next_hop_with_route(&self.shared, &self.ids, node, key, &mut route) {
                NextHop::Root => return path,
                NextHop::Last(next) | NextHop::Next(next) if !self.is_alive(next) => break,
                NextHop::Last(next) => {
                    path.push(next);
                    return path;
                }
                NextHop::Next(next) => path.push(next),
            }
        }
        Vec::new()
    }

    /// Sets `links` to the distinct peers of `node`, ascending.
    pub fn links(&self, node: Node, links: &mut Vec<Node>) {
        links.clear();
        self.node(node).each_peer(&mut |peer| links.push(peer));
        links.sort_unstable();
        links.dedup();
    }

    /// Whether there is an attack.
    pub fn is_attacked(&self) -> bool {
        self.sybils.is_some()
    }

    /// Whether `node` is a Sybil.
    pub fn is_sybil(&self, node: Node) -> bool {
        self.node_meta[node.index()].sybil
    }

    /// The members that are Sybils.
    pub fn sybils(&self) -> Members<'_> {
        self.sybils
            .as_ref()
            .map_or_else(Members::none, |sybils| sybils.members())
    }

    /// The members that are honest.
    pub fn honest(&self) -> Members<'_> {
        match &self.sybils {
            Some(sybils) => sybils.honest(),
            None => self.members(),
        }
    }

    /// Number of links of honest members, and how many of them point to Sybils; several links of a
    /// member to one node count once. O(links).
    pub fn occluded_links(&self) -> (u64, u64) {
        let (mut links, mut occluded) = (0, 0);
        let mut peers = Vec::new();
        for node in self.honest() {
            self.links(*node, &mut peers);
            links += peers.len() as u64;
            occluded += peers.iter().filter(|peer| self.is_sybil(**peer)).count() as u64;
        }
        (links, occluded)
    }
}
