//! VHash: a DHT on the Voronoi regions of a Euclidean torus.
//!
//! Benshoof, Rosen, Bourgeois and Harrison (DPDNS 2015). A node has a position and is the root of
//! the keys that are nearer to it than to any other node. Its short peers are its Delaunay
//! neighbours as the heuristic DGVH finds them among the nodes it has learnt of; its long peers are
//! other known nodes, in a table of limited size. Peers are found by gossip: a node and one of its
//! short peers exchange their short peers. With an embedding (see [`Embedding`]), positions move so
//! that distances follow latencies.
//!
//! The papers leave open how failures are detected. Here a record has the age of its node's last
//! sign of life, and expires; a node checks the short peers that have been silent for the longest,
//! and with `check-long` the long ones, too. It ignores signs of life, reported by others, from
//! before it found a peer silent. A joiner asks its short peers for their state, and so they learn
//! of it at once; a node that leaves or moves notifies them.

mod choice;
mod converged;
mod message;
mod parameters;
mod peers;
mod position_index;
mod positions;
mod springs;

pub use message::{Message, Purpose, Query, StateUpdate, Timer};
pub use parameters::{Embedding, Shared, VHashParameters};
pub use peers::{PeerSet, Record};
pub use position_index::PositionIndex;

use super::{
    ByRouter, Context, HEADER_BYTES, Layout, NODE_BYTES, NextHop, Node, NodeIds, Overlay, RoundTrip,
};
use crate::engine::{Duration, Instant, Period};
use crate::space::{Coordinates, Geometry, Key, Space, TorusPoint};
use springs::Springs;
use std::cmp::Ordering;

/// The state of one VHash node.
#[derive(Clone, Debug)]
pub struct VHash {
    position: TorusPoint,
    /// How often the position has moved: of two records of a node, the one with the higher version
    /// counts.
    version: u32,
    peers: PeerSet,
    springs: Springs,
    /// Whether it has found its place.
    joined: bool,
    /// The short peers that it has notified of itself, while it is new.
    introduced: Option<Vec<Node>>,
}

/// How many long peers a node sends besides its short ones: so long tables become random samples of
/// the whole network, while short peers alone would give the neighbourhood.
const LONG_SENT: usize = 4;

/// Nodes and keys on the torus; nodes move.
#[derive(Clone, Copy, Debug)]
pub struct OnTorus;

impl Layout<VHash> for OnTorus {
    fn geometry(shared: &Shared) -> Geometry {
        Geometry::Torus {
            dimensions: shared.torus.dimensions(),
        }
    }

    fn locate(shared: &Shared, key: &Key) -> Coordinates {
        Coordinates::from_slice(&shared.torus.point(key))
    }

    fn place(state: &VHash, _: &Shared, _: &Key) -> Coordinates {
        Coordinates::from_slice(&state.position)
    }
}

impl VHash {
    /// The position of the node.
    pub fn position(&self) -> &TorusPoint {
        &self.position
    }

    /// Its short and long peers.
    pub fn peers(&self) -> &PeerSet {
        &self.peers
    }

    fn at(shared: &Shared, id: &Key) -> Self {
        Self {
            position: shared.torus.point(id),
            version: 0,
            peers: PeerSet::new(shared),
            springs: Springs::default(),
            joined: false,
            introduced: None,
        }
    }

    /// A state update without peers.
    fn state_update(&self, shared: &Shared, me: Node) -> Box<StateUpdate> {
        Box::new(StateUpdate {
            sender: Record {
                node: me,
                version: self.version,
                position: shared.sent_position(|| self.position.clone()),
                age: Duration::ZERO,
            },
            springs: self.springs.estimates(),
            peers: Vec::new(),
            dimensions: shared.torus.dimensions() as u32,
        })
    }

    /// A state update with peers.
    fn full_state_update(&self, context: &mut Context<'_, Self>) -> Box<StateUpdate> {
        let mut state_update = self.state_update(context.shared, context.me);
        state_update.peers = self
            .peers
            .gossip_sample(context.now, LONG_SENT, context.random);
        state_update
    }

    /// Merges the records of a state update, and chooses peers again.
    fn learn(&mut self, context: &mut Context<'_, Self>, state_update: &StateUpdate) {
        self.merge_records(
            context,
            std::iter::once(&state_update.sender).chain(&state_update.peers),
        );
        self.choose(context);
    }

    fn merge_records<'a>(
        &mut self,
        context: &Context<'_, Self>,
        records: impl Iterator<Item = &'a Record>,
    ) {
        let mut known = 0;
        let others = records.filter(|record| {
            let is_me = record.node == context.me;
            if is_me {
                known = known.max(record.version);
            }
            !is_me
        });
        self.peers
            .merge_records(context.now, context.shared.expiry, others);
        // Other nodes know it from an earlier session, with a higher version: its own version has
        // to be higher still.
        if known > self.version {
            self.version = known + 1;
        }
    }

    /// Chooses peers again among those that have not expired. A new node notifies its short ones.
    fn choose(&mut self, context: &mut Context<'_, Self>) {
        let shared = context.shared;
        let expired = shared
            .expiry
            .is_some_and(|expiry| self.peers.expire(context.now, expiry));
        let changed = self
            .peers
            .choose(shared, context.ids, &self.position, context.random);
        if changed || expired {
            context.update();
            self.introduce(context);
        }
    }

    /// While the node is new, asks each short peer for its state, which notifies the peer: a node
    /// that is unknown to its neighbours is not found.
    fn introduce(&mut self, context: &mut Context<'_, Self>) {
        let Some(mut introduced) = self.introduced.take() else {
            return;
        };
        for peer in self.peers.short() {
            if !introduced.contains(peer) {
                introduced.push(*peer);
                let state_update = self.state_update(context.shared, context.me);
                context.request(*peer, Message::Gossip(state_update), Purpose::Gossip);
            }
        }
        self.introduced = Some(introduced);
    }

    /// Probes the short or long peer that has been silent for the longest.
    fn check(&self, context: &mut Context<'_, Self>, short: bool) {
        if let Some(peer) = self.peers.least_recently_heard(short) {
            context.request(peer, Message::Probe, Purpose::Check { short });
        }
    }

    /// Removes a failed node; a node without any peer joins again.
    fn on_peer_failed(&mut self, context: &mut Context<'_, Self>, node: Node) {
        if self.peers.remove_failed(node, context.now) {
            self.peers
                .choose(context.shared, context.ids, &self.position, context.random);
            context.update();
            if self.joined && self.peers.is_empty() {
                context.rejoin();
            }
        }
    }

    /// Makes the node a member.
    fn complete_join(&mut self, context: &mut Context<'_, Self>) {
        if !self.joined {
            self.maintain(context);
            context.joined();
        }
    }

    fn again(&self, context: &mut Context<'_, Self>, period: Period, timer: Timer) {
        if let Some(period) = period.span() {
            context.set_timer(period, timer);
        }
    }

    fn measure(
        &mut self,
        context: &mut Context<'_, Self>,
        state_update: &StateUpdate,
        round_trip: RoundTrip,
    ) {
        if context.shared.embedding == Embedding::Springs {
            let torus = &context.shared.torus;
            let nearest = self.peers.nearest_distance();
            let moved = self.springs.pull(
                torus,
                &self.position,
                nearest,
                state_update,
                round_trip.distance,
            );
            if let Some(position) = moved {
                self.position = position;
                self.version += 1;
                self.peers.on_moved();
                // A node with the old position would send it messages that it cannot deliver.
                let state_update = self.state_update(context.shared, context.me);
                for peer in self.peers.short() {
                    context.send(*peer, Message::Position(state_update.clone()));
                }
            }
        }
    }
}

impl Overlay for VHash {
    type Shared = Shared;
    type Message = Message;
    type Query = Query;
    type Timer = Timer;
    type Purpose = Purpose;
    type Route = ();
    type Lookups = ByRouter;
    type Layout = OnTorus;

    fn next_hop(&self, shared: &Shared, ids: &NodeIds, _: Node, key: &Key) -> NextHop {
        let target = shared.torus.point(key);
        let mine = shared.torus.squared_distance(&self.position, &target);
        match self.peers.nearest(shared, ids, key, &target) {
            Some((peer, distance)) if distance < mine => NextHop::Next(peer),
            _ => NextHop::Root,
        }
    }

    /// The peers nearest to the key, by their last known positions. O(p log p) for p peers.
    fn replica_set(
        &self,
        shared: &Shared,
        ids: &NodeIds,
        _: Node,
        key: &Key,
        count: usize,
    ) -> Vec<Node> {
        self.peers.nearest_few(shared, ids, key, count)
    }

    fn next_hop_without(
        &self,
        shared: &Shared,
        ids: &NodeIds,
        me: Node,
        key: &Key,
        except: Node,
    ) -> NextHop {
        let mut without = self.clone();
        without.peers.remove_failed(except, Instant::START);
        without.next_hop(shared, ids, me, key)
    }

    /// By the positions of the IDs: where nodes start, whatever an embedding does.
    fn cmp_closeness(shared: &Shared, key: &Key, a: &Key, b: &Key) -> Ordering {
        let key = shared.torus.point(key);
        let far = |id| shared.torus.squared_distance(&shared.torus.point(id), &key);
        far(a).total_cmp(&far(b))
    }

    fn prefetch(&self) -> u32 {
        self.peers.prefetch()
    }

    fn bytes(message: &Message) -> u32 {
        match message {
            Message::Gossip(state_update)
            | Message::Position(state_update)
            | Message::Welcome(state_update)
            | Message::Farewell(state_update) => {
                // Address, age and coordinates.
                let record = NODE_BYTES * (2 + state_update.dimensions);
                HEADER_BYTES + record * (1 + state_update.peers.len() as u32)
            }
            Message::Probe => HEADER_BYTES,
        }
    }

    fn join(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        match bootstrap {
            Some(node) => {
                self.introduced = None;
                context.route_via(node, context.id(), Query::Join);
                context.set_timer(context.shared.join_timeout, Timer::Join);
            }
            None => self.complete_join(context),
        }
    }

    /// Continues with those of its peers that have not expired, and notifies the short ones of its
    /// return.
    fn resume(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        self.introduced = None;
        self.choose(context);
        if !std::mem::take(&mut self.joined) || self.peers.is_empty() {
            self.join(context, bootstrap);
            return;
        }
        self.maintain(context);
        context.joined();
        self.introduced = Some(Vec::new());
        self.introduce(context);
        context.set_timer(context.shared.join_timeout, Timer::Join);
    }

    fn maintain(&mut self, context: &mut Context<'_, Self>) {
        self.joined = true;
        for (period, timer) in [
            (context.shared.gossip, Timer::Gossip),
            (context.shared.probe, Timer::Probe),
            (context.shared.check, Timer::Check { short: true }),
        ] {
            if let Some(first) = period.first(context.random) {
                context.set_timer(first, timer);
            }
        }
    }

    fn leave(&mut self, context: &mut Context<'_, Self>) {
        let state_update = self.full_state_update(context);
        for peer in self.peers.short() {
            context.send(*peer, Message::Farewell(state_update.clone()));
        }
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: Node, message: Message) {
        match message {
            Message::Welcome(state_update) => {
                self.introduced = Some(Vec::new());
                self.learn(context, &state_update);
                self.complete_join(context);
            }
            Message::Farewell(state_update) => {
                // A leaving node reports the nodes that close the gap.
                self.merge_records(context, state_update.peers.iter());
                self.on_peer_failed(context, from);
            }
            Message::Position(state_update) => self.learn(context, &state_update),
            Message::Gossip(_) | Message::Probe => {}
        }
    }

    fn on_request(
        &mut self,
        context: &mut Context<'_, Self>,
        _: Node,
        message: Message,
    ) -> Message {
        match message {
            Message::Gossip(state_update) => {
                let answer = self.full_state_update(context);
                self.learn(context, &state_update);
                self.springs.average(&state_update.springs);
                Message::Gossip(answer)
            }
            _ => Message::Position(self.state_update(context.shared, context.me)),
        }
    }

    fn on_reply(
        &mut self,
        context: &mut Context<'_, Self>,
        _: Node,
        purpose: Purpose,
        message: Message,
        round_trip: RoundTrip,
    ) {
        match message {
            Message::Gossip(state_update) => {
                self.springs.average(&state_update.springs);
                self.measure(context, &state_update, round_trip);
                self.learn(context, &state_update);
            }
            Message::Position(state_update) => {
                if purpose == Purpose::Probe {
                    self.springs.sample(round_trip.distance);
                    self.measure(context, &state_update, round_trip);
                }
                self.merge_records(context, std::iter::once(&state_update.sender));
            }
            Message::Probe | Message::Welcome(_) | Message::Farewell(_) => {}
        }
    }

    fn on_timeout(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        purpose: Option<Purpose>,
    ) {
        self.on_peer_failed(context, from);
        // After one failure the next peer is checked at once: failures are often correlated.
        if let Some(Purpose::Check { short }) = purpose {
            self.check(context, short);
        }
    }

    /// Exchanges peers with the member.
    fn on_introduced(&mut self, context: &mut Context<'_, Self>, member: Node) {
        let state_update = self.full_state_update(context);
        context.request(member, Message::Gossip(state_update), Purpose::Gossip);
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::Gossip => {
                if let Some(partner) = self.peers.random_short(context.random) {
                    let state_update = self.full_state_update(context);
                    context.request(partner, Message::Gossip(state_update), Purpose::Gossip);
                }
                self.again(context, context.shared.gossip, timer);
            }
            Timer::Probe => {
                if let Some(peer) = self.peers.least_recently_probed() {
                    context.request(peer, Message::Probe, Purpose::Probe);
                }
                self.again(context, context.shared.probe, timer);
            }
            Timer::Check { short } => {
                self.check(context, short);
                let next = Timer::Check {
                    short: !(short && context.shared.check_long),
                };
                self.again(context, context.shared.check, next);
            }
            Timer::Join => {
                self.introduced = None;
                if !self.joined || self.peers.is_empty() {
                    context.rejoin();
                }
            }
        }
    }

    fn on_query(&mut self, context: &mut Context<'_, Self>, origin: Node, query: Query, _: Node) {
        match query {
            Query::Join => {
                let state_update = self.full_state_update(context);
                context.send(origin, Message::Welcome(state_update));
                // Part of this node's region now belongs to the joiner.
                let newcomer = Record::of(context.shared, context.ids, origin);
                self.merge_records(context, std::iter::once(&newcomer));
                self.choose(context);
            }
        }
    }

    fn each_peer(&self, see: &mut dyn FnMut(Node)) {
        self.peers.nodes().iter().copied().for_each(see);
    }
}
