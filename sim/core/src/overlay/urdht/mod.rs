//! UrDHT: a DHT over any space.
//!
//! Rosen, Benshoof, Harrison and Bourgeois, "UrDHT: a unified model for distributed hash tables"
//! (2016): DHTs differ in their space, its closeness, and which peers a node keeps; everything else
//! is the same and is implemented here once. A node is at the point of its ID. Its *short peers*
//! form the topology, its *long peers* shorten lookups; both are chosen among the nodes it has
//! learnt of, by the rules of a [`Topology`]. Nodes learn of each other by gossip: a node and one
//! of its short peers exchange their short peers and a few long ones, and all peers are asked for
//! theirs in turn. Lookups are greedy.

mod converged;
mod parameters;
mod peers;
mod topology;

pub use converged::MemberGrid;
pub use parameters::{Shared, UrdhtParameters};
pub use peers::PeerSet;
pub use topology::{
    ChordRing, Clique, Delaunay, Euclidean, EuclideanRegions, Expected, HyperbolicDisc,
    HyperbolicRegions, Members, OnKeys, Symphony, Topology, TopologyVisitor, UrdhtSpace, Voronoi,
    XorBuckets,
};

use super::{
    ByRouter, Context, HEADER_BYTES, Layout, NODE_BYTES, NextHop, Node, NodeIds, Overlay, RoundTrip,
};
use crate::engine::Period;
use crate::space::{Coordinates, Geometry, Key};
use std::cmp::Ordering;

/// The state of one node of UrDHT over topology `T`.
#[derive(Clone, Debug)]
pub struct Urdht<T: Topology> {
    point: T::Point,
    peers: PeerSet<T::Point>,
    /// Whether it has found its place.
    joined: bool,
}

/// The messages between nodes.
#[derive(Clone, Debug)]
pub enum Message {
    /// Request and reply with the sender's short peers and a few long ones.
    Gossip(Box<[Node]>),
    /// Request for a sign of life and for the peers of the receiver.
    Look,
    /// All peers of the sender, to a joiner.
    Welcome(Box<[Node]>),
    /// From a new or returning node to its short peers.
    Notify,
    /// From a leaving node to its short peers, with its short peers.
    Leaving(Box<[Node]>),
}

/// The queries to the root of a key.
#[derive(Clone, Copy, Debug)]
pub enum Query {
    /// A joiner asks for its place.
    Join,
}

/// The timers of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Gossip with a random short peer.
    Gossip,
    /// Ask the next peer for a sign of life and its peers.
    Refresh,
    /// Check whether the join is complete.
    Join,
}

/// Nodes and keys in the space of the topology.
#[derive(Clone, Copy, Debug)]
pub struct InSpace;

impl<T: Topology> Layout<Urdht<T>> for InSpace {
    fn geometry(shared: &Shared<T>) -> Geometry {
        shared.topology.geometry()
    }

    fn locate(shared: &Shared<T>, key: &Key) -> Coordinates {
        shared.topology.locate(key)
    }
}

impl<T: Topology> Urdht<T> {
    /// The point of the node.
    pub fn point(&self) -> &T::Point {
        &self.point
    }

    /// Its short and long peers.
    pub fn peers(&self) -> &PeerSet<T::Point> {
        &self.peers
    }

    fn at(shared: &Shared<T>, id: &Key) -> Self {
        Self {
            point: shared.topology.point(id),
            peers: PeerSet::default(),
            joined: false,
        }
    }

    /// Adds `from`, which is alive, and the nodes it sent, and chooses peers again.
    fn learn(&mut self, context: &mut Context<'_, Self>, from: Node, told: &[Node]) {
        self.peers.alive(from);
        self.consider(context, std::iter::once(from).chain(told.iter().copied()));
    }

    /// Chooses peers again among those known and `heard`.
    fn consider(&mut self, context: &mut Context<'_, Self>, heard: impl Iterator<Item = Node>) {
        let topology = &context.shared.topology;
        self.peers
            .add_candidates(topology, context.ids, context.me, heard);
        if self.peers.choose(topology, &self.point, context.random) {
            context.update();
        }
    }

    /// Makes the node a member.
    fn complete_join(&mut self, context: &mut Context<'_, Self>) {
        if !self.joined {
            self.maintain(context);
            context.joined();
        }
    }

    fn again(context: &mut Context<'_, Self>, period: Period, timer: Timer) {
        if let Some(period) = period.span() {
            context.set_timer(period, timer);
        }
    }
}

impl<T: Topology> Overlay for Urdht<T> {
    type Shared = Shared<T>;
    type Message = Message;
    type Query = Query;
    type Timer = Timer;
    /// A reply says itself what it is for, and a time-out always means the same.
    type Purpose = ();
    type Route = ();
    type Lookups = ByRouter;
    type Layout = InSpace;

    /// The greedy step: to the known peer nearest to the key, if it is nearer than this node. Where
    /// the nearest node is not the root, it names the root, and a node that considers itself the
    /// root keeps the message. Linear in the peers.
    fn next_hop(&self, shared: &Shared<T>, _: &NodeIds, _: Node, key: &Key) -> NextHop {
        let topology = &shared.topology;
        let target = topology.point(key);
        let nodes = self.peers.nodes();
        let points = self.peers.points().iter();
        let mut successor = None;
        if !topology.root_is_nearest() {
            let mut least = topology.root_distance(&target, &self.point);
            for (place, point) in points.clone().enumerate() {
                let way = topology.root_distance(&target, point);
                if way < least {
                    (least, successor) = (way, Some(place));
                }
            }
            if successor.is_none() {
                return NextHop::Root;
            }
        }
        let mut next = None;
        let mut least = topology.distance(&self.point, &target);
        for (place, point) in points.enumerate() {
            let distance = topology.distance(point, &target);
            if distance < least {
                (least, next) = (distance, Some(place));
            }
        }
        match (next, successor) {
            (Some(place), _) => NextHop::Next(nodes[place]),
            (None, Some(place)) => NextHop::Last(nodes[place]),
            (None, None) => NextHop::Root,
        }
    }

    fn next_hop_without(
        &self,
        shared: &Shared<T>,
        ids: &NodeIds,
        me: Node,
        key: &Key,
        except: Node,
    ) -> NextHop {
        let mut without = Self {
            point: self.point.clone(),
            peers: self.peers.clone(),
            joined: self.joined,
        };
        without.peers.forget(except);
        without.next_hop(shared, ids, me, key)
    }

    fn cmp_closeness(shared: &Shared<T>, key: &Key, a: &Key, b: &Key) -> Ordering {
        let topology = &shared.topology;
        let key = topology.point(key);
        let far = |id| topology.root_distance(&key, &topology.point(id));
        far(a).cmp(&far(b))
    }

    fn prefetch(&self) -> u32 {
        self.peers.nodes().len() as u32
    }

    fn bytes(message: &Message) -> u32 {
        let nodes = match message {
            Message::Gossip(told) | Message::Welcome(told) | Message::Leaving(told) => told.len(),
            Message::Look | Message::Notify => 0,
        };
        HEADER_BYTES + NODE_BYTES * nodes as u32
    }

    fn join(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        match bootstrap {
            Some(node) => {
                context.route_via(node, context.id(), Query::Join);
                context.set_timer(context.shared.join_timeout, Timer::Join);
            }
            None => self.complete_join(context),
        }
    }

    /// Continues with its peers, and notifies the short ones of its return.
    fn resume(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        if !std::mem::take(&mut self.joined) || self.peers.nodes().is_empty() {
            self.join(context, bootstrap);
            return;
        }
        for peer in self.peers.short() {
            context.send(*peer, Message::Notify);
        }
        self.complete_join(context);
    }

    fn maintain(&mut self, context: &mut Context<'_, Self>) {
        self.joined = true;
        for (period, timer) in [
            (context.shared.gossip, Timer::Gossip),
            (context.shared.refresh, Timer::Refresh),
        ] {
            if let Some(first) = period.first(context.random) {
                context.set_timer(first, timer);
            }
        }
    }

    fn leave(&mut self, context: &mut Context<'_, Self>) {
        let short: Box<[Node]> = self.peers.short().into();
        for peer in self.peers.short() {
            context.send(*peer, Message::Leaving(short.clone()));
        }
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: Node, message: Message) {
        match message {
            Message::Welcome(told) => {
                self.learn(context, from, &told);
                if !self.joined {
                    for peer in self.peers.short() {
                        context.send(*peer, Message::Notify);
                    }
                    self.complete_join(context);
                }
            }
            Message::Notify => self.learn(context, from, &[]),
            Message::Leaving(told) => {
                self.peers.forget(from);
                self.consider(context, told.iter().copied());
            }
            Message::Gossip(_) | Message::Look => {}
        }
    }

    fn on_request(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        message: Message,
    ) -> Message {
        let answer = self.peers.gossip_sample(context.random);
        match message {
            Message::Gossip(told) => self.learn(context, from, &told),
            _ => self.learn(context, from, &[]),
        }
        Message::Gossip(answer)
    }

    fn on_reply(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        (): (),
        message: Message,
        _: RoundTrip,
    ) {
        if let Message::Gossip(told) = message {
            self.learn(context, from, &told);
        }
    }

    fn on_timeout(&mut self, context: &mut Context<'_, Self>, from: Node, _: Option<()>) {
        if self.peers.forget(from) {
            let topology = &context.shared.topology;
            self.peers.choose(topology, &self.point, context.random);
            context.update();
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::Gossip => {
                if let Some(partner) = self.peers.random_short(context.random) {
                    let told = self.peers.gossip_sample(context.random);
                    context.request(partner, Message::Gossip(told), ());
                }
                Self::again(context, context.shared.gossip, timer);
            }
            Timer::Refresh => {
                if let Some(peer) = self.peers.next_in_turn() {
                    context.request(peer, Message::Look, ());
                }
                Self::again(context, context.shared.refresh, timer);
            }
            Timer::Join => {
                if !self.joined {
                    context.rejoin();
                }
            }
        }
    }

    fn on_query(&mut self, context: &mut Context<'_, Self>, origin: Node, query: Query, _: Node) {
        match query {
            Query::Join => {
                let all = self.peers.nodes().into();
                context.send(origin, Message::Welcome(all));
            }
        }
    }

    fn each_peer(&self, see: &mut dyn FnMut(Node)) {
        self.peers.nodes().iter().copied().for_each(see);
    }
}
