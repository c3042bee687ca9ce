//! VHash: a DHT on the Voronoi regions of a Euclidean torus.
//!
//! Benshoof, Rosen, Bourgeois and Harrison (DPDNS 2015). A node has a position and is the root
//! of the keys that are nearer to it than to any other node. Its short peers are its Delaunay
//! neighbours as the heuristic DGVH finds them among the nodes it has heard of; its long
//! peers are others it has heard of, in a table of limited size. Peers are found by gossip: a
//! node and one of its short peers tell each other their short peers. With an embedding
//! (see [`Embedding`]), positions move so that distances follow latencies.
//!
//! The papers leave open how the dead are found out. Here a record says how long ago its node gave
//! a sign of life, and expires; a node looks after the peers of whom it has not heard for the
//! longest, and does not believe what others tell of a peer's life before it was found silent.
//! A newcomer asks its short peers for their news, and so is known to them at once; who leaves or
//! moves tells them.

mod converged;
mod parameters;
mod peers;
mod springs;
mod whereabouts;

pub use parameters::{Embedding, Shared, VHashParameters};
pub use peers::{PeerSet, Record};
pub use whereabouts::Whereabouts;

use super::{Context, HEADER_BYTES, Identities, NODE_BYTES, NextHop, Node, Overlay};
use crate::engine::{Instant, Period, Span};
use crate::space::{Coordinates, Geometry, Key, Space, TorusPoint};
use springs::Springs;
use std::cmp::Ordering;

/// The state of one VHash node.
#[derive(Clone, Debug)]
pub struct VHash {
    position: TorusPoint,
    /// How often the position has moved: of two records of a node, the later one counts.
    version: u32,
    peers: PeerSet,
    springs: Springs,
    /// It has found its place.
    joined: bool,
    /// The short peers whom it has told of itself, while it is new.
    greeted: Option<Vec<Node>>,
}

/// What VHash nodes tell each other.
#[derive(Clone, Debug)]
pub enum Message {
    /// Request and answer: who I am, how my springs stand, my short peers and a few long ones.
    Gossip(Box<News>),
    /// Request: where are you? A measurement for the embedding.
    Probe,
    /// Answer: here.
    Position(Box<News>),
    /// To a joiner: me and my short peers.
    Welcome(Box<News>),
    /// To short peers: I go; these are the peers that I had.
    Farewell(Box<News>),
}

/// What a node says of itself and of those around it.
#[derive(Clone, Debug)]
pub struct News {
    sender: Record,
    springs: springs::Stated,
    peers: Vec<Record>,
}

/// How many long peers a node tells of beside its short ones: so long tables become random
/// samples of the whole network, where short peers alone would tell of the neighbourhood.
const LONG_TOLD: usize = 4;

/// What a VHash node asks the root of a key.
#[derive(Clone, Copy, Debug)]
pub enum Query {
    /// I am new.
    Join,
}

/// What a VHash node wakes up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Gossip with a short peer.
    Gossip,
    /// Measure the latency to a peer, one after the other, and learn where it is now.
    Probe,
    /// See whether a peer is alive: in turn a short one and a long one.
    Check {
        /// Whether a short one's turn has come.
        short: bool,
    },
    /// See whether the join has come to its end.
    Join,
}

impl VHash {
    /// Where the node is.
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
            peers: PeerSet::new(shared.torus.dimensions()),
            springs: Springs::default(),
            joined: false,
            greeted: None,
        }
    }

    fn record(&self, me: Node) -> Record {
        Record {
            node: me,
            version: self.version,
            position: self.position.clone(),
            age: Span::ZERO,
        }
    }

    /// What the node says of itself.
    fn news(&self, me: Node) -> Box<News> {
        Box::new(News {
            sender: self.record(me),
            springs: self.springs.stated(),
            peers: Vec::new(),
        })
    }

    /// What the node says of itself and its peers.
    fn all_news(&self, context: &mut Context<'_, Self>) -> Box<News> {
        let peers = self.peers.told(context.now, LONG_TOLD, context.random);
        Box::new(News {
            peers,
            ..*self.news(context.me)
        })
    }

    /// Takes in what another node has told, and chooses peers anew.
    fn learn(&mut self, context: &mut Context<'_, Self>, news: &News) {
        self.hear(context, std::iter::once(&news.sender).chain(&news.peers));
        self.choose(context);
    }

    fn hear<'a>(&mut self, context: &Context<'_, Self>, records: impl Iterator<Item = &'a Record>) {
        let mut known = 0;
        let others = records.filter(|record| {
            let is_me = record.node == context.me;
            if is_me {
                known = known.max(record.version);
            }
            !is_me
        });
        self.peers.hear(context.now, context.shared.expiry, others);
        // Others know it from an earlier life, at a later position than its first one: what it says
        // of itself has to be later still.
        if known > self.version {
            self.version = known + 1;
        }
    }

    /// Chooses peers anew among those that have not expired. Who is new tells the short ones.
    fn choose(&mut self, context: &mut Context<'_, Self>) {
        let shared = context.shared;
        let expired = shared
            .expiry
            .is_some_and(|expiry| self.peers.expire(context.now, expiry));
        let changed = self.peers.choose(shared, &self.position, context.random);
        if changed || expired {
            context.update();
            self.greet(context);
        }
    }

    /// While it is new, asks each short peer for its news, and so tells it of itself: a newcomer
    /// of whom its neighbours do not know is not found.
    fn greet(&mut self, context: &mut Context<'_, Self>) {
        let Some(mut greeted) = self.greeted.take() else {
            return;
        };
        for peer in self.peers.short() {
            if !greeted.contains(peer) {
                greeted.push(*peer);
                let news = self.news(context.me);
                context.request(*peer, Message::Gossip(news), Timer::Gossip);
            }
        }
        self.greeted = Some(greeted);
    }

    /// Asks the short or long peer of whom nothing was heard for the longest for a sign of life.
    fn check(&self, context: &mut Context<'_, Self>, short: bool) {
        if let Some(peer) = self.peers.least_recently_heard(short) {
            context.request(peer, Message::Probe, Timer::Check { short });
        }
    }

    /// Takes leave of a node that is gone; who has lost the last peer joins anew.
    fn bury(&mut self, context: &mut Context<'_, Self>, node: Node) {
        if self.peers.bury(node, context.now) {
            self.peers
                .choose(context.shared, &self.position, context.random);
            context.update();
            if self.joined && self.peers.is_empty() {
                context.rejoin();
            }
        }
    }

    /// The node has its place.
    fn found_place(&mut self, context: &mut Context<'_, Self>) {
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

    fn measure(&mut self, context: &mut Context<'_, Self>, news: &News, round_trip: Span) {
        if context.shared.embedding == Embedding::Springs {
            let latency = round_trip.as_secs_f64() / 2.0;
            let torus = &context.shared.torus;
            let nearest = self.peers.nearest_distance();
            let moved = self
                .springs
                .pull(torus, &self.position, nearest, news, latency);
            if let Some(position) = moved {
                self.position = position;
                self.version += 1;
                // Who holds it to be where it was sends it what it cannot deliver.
                let news = self.news(context.me);
                for peer in self.peers.short() {
                    context.send(*peer, Message::Position(news.clone()));
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

    fn next_hop(&self, shared: &Shared, _: &Identities, _: Node, key: &Key) -> NextHop {
        let target = shared.torus.point(key);
        let mine = shared.torus.squared_distance(&self.position, &target);
        match self.peers.nearest(&shared.torus, &target) {
            Some((peer, distance)) if distance < mine => NextHop::Next(peer),
            _ => NextHop::Root,
        }
    }

    /// The peers nearest to the key, where they were when this node heard of them last. O(p log p) for
    /// p peers.
    fn replica_set(
        &self,
        shared: &Shared,
        _: &Identities,
        _: Node,
        key: &Key,
        count: usize,
    ) -> Vec<Node> {
        let target = shared.torus.point(key);
        self.peers.nearest_few(&shared.torus, &target, count)
    }

    fn next_hop_but(
        &self,
        shared: &Shared,
        ids: &Identities,
        me: Node,
        key: &Key,
        except: Node,
    ) -> NextHop {
        let mut without = self.clone();
        without.peers.bury(except, Instant::START);
        without.next_hop(shared, ids, me, key)
    }

    /// By the places that IDs stand for: where nodes begin, whatever an embedding does with them.
    fn nearer(shared: &Shared, key: &Key, a: &Key, b: &Key) -> Ordering {
        let key = shared.torus.point(key);
        let far = |id| shared.torus.squared_distance(&shared.torus.point(id), &key);
        far(a).total_cmp(&far(b))
    }

    fn geometry(shared: &Shared) -> Geometry {
        Geometry::Torus {
            dimensions: shared.torus.dimensions(),
        }
    }

    fn locate(shared: &Shared, key: &Key) -> Coordinates {
        Coordinates::from_slice(&shared.torus.point(key))
    }

    fn place(&self, _: &Shared, _: &Key) -> Coordinates {
        Coordinates::from_slice(&self.position)
    }

    fn bytes(message: &Message) -> u32 {
        match message {
            Message::Gossip(news)
            | Message::Position(news)
            | Message::Welcome(news)
            | Message::Farewell(news) => {
                // Address, age and coordinates.
                let record = |record: &Record| NODE_BYTES * (2 + record.position.len() as u32);
                let peers: u32 = news.peers.iter().map(record).sum();
                HEADER_BYTES + record(&news.sender) + peers
            }
            Message::Probe => HEADER_BYTES,
        }
    }

    fn join(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        match bootstrap {
            Some(node) => {
                self.greeted = None;
                context.route_via(node, context.id(), Query::Join);
                context.set_timer(context.shared.join_timeout, Timer::Join);
            }
            None => self.found_place(context),
        }
    }

    /// Goes on with those of its peers that have not expired, and tells the short ones that it is
    /// back.
    fn resume(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        self.greeted = None;
        self.choose(context);
        if !std::mem::take(&mut self.joined) || self.peers.is_empty() {
            self.join(context, bootstrap);
            return;
        }
        self.maintain(context);
        context.joined();
        self.greeted = Some(Vec::new());
        self.greet(context);
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
        let news = self.all_news(context);
        for peer in self.peers.short() {
            context.send(*peer, Message::Farewell(news.clone()));
        }
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: Node, message: Message) {
        match message {
            Message::Welcome(news) => {
                self.greeted = Some(Vec::new());
                self.learn(context, &news);
                self.found_place(context);
            }
            Message::Farewell(news) => {
                // Who goes tells of those who close the gap.
                self.hear(context, news.peers.iter());
                self.bury(context, from);
            }
            Message::Position(news) => self.learn(context, &news),
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
            Message::Gossip(news) => {
                let answer = self.all_news(context);
                self.learn(context, &news);
                self.springs.average(&news.springs);
                Message::Gossip(answer)
            }
            _ => Message::Position(self.news(context.me)),
        }
    }

    fn on_reply(
        &mut self,
        context: &mut Context<'_, Self>,
        _: Node,
        purpose: Timer,
        message: Message,
        round_trip: Span,
    ) {
        match message {
            Message::Gossip(news) => {
                self.springs.average(&news.springs);
                self.measure(context, &news, round_trip);
                self.learn(context, &news);
            }
            Message::Position(news) => {
                if purpose == Timer::Probe {
                    self.springs.sample(round_trip.as_secs_f64() / 2.0);
                    self.measure(context, &news, round_trip);
                }
                self.hear(context, std::iter::once(&news.sender));
            }
            Message::Probe | Message::Welcome(_) | Message::Farewell(_) => {}
        }
    }

    fn on_timeout(&mut self, context: &mut Context<'_, Self>, from: Node, purpose: Option<Timer>) {
        self.bury(context, from);
        // Who finds one peer dead looks after the next at once: often many die together.
        if let Some(Timer::Check { short }) = purpose {
            self.check(context, short);
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::Gossip => {
                if let Some(partner) = self.peers.random_short(context.random) {
                    let news = self.all_news(context);
                    context.request(partner, Message::Gossip(news), timer);
                }
                self.again(context, context.shared.gossip, timer);
            }
            Timer::Probe => {
                if let Some(peer) = self.peers.least_recently_probed() {
                    context.request(peer, Message::Probe, timer);
                }
                self.again(context, context.shared.probe, timer);
            }
            Timer::Check { short } => {
                self.check(context, short);
                let next = Timer::Check { short: !short };
                self.again(context, context.shared.check, next);
            }
            Timer::Join => {
                self.greeted = None;
                if !self.joined || self.peers.is_empty() {
                    context.rejoin();
                }
            }
        }
    }

    fn on_query(&mut self, context: &mut Context<'_, Self>, origin: Node, query: Query, _: Node) {
        match query {
            Query::Join => {
                let news = self.all_news(context);
                context.send(origin, Message::Welcome(news));
                // Part of what was this node's is the newcomer's now.
                let newcomer = Record {
                    node: origin,
                    version: 0,
                    position: context.shared.torus.point(&context.ids.id(origin)),
                    age: Span::ZERO,
                };
                self.hear(context, std::iter::once(&newcomer));
                self.choose(context);
            }
        }
    }

    fn each_peer(&self, see: &mut dyn FnMut(Node)) {
        self.peers.nodes().iter().copied().for_each(see);
    }
}
