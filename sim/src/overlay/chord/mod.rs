//! Chord: the ring with the unidirectional distance.
//!
//! Stoica, Morris, Karger, Kaashoek and Balakrishnan (SIGCOMM 2001); Stoica, Morris,
//! Liben-Nowell, Karger, Kaashoek, Dabek and Balakrishnan (IEEE/ACM ToN 2003, "ToN" below).
//! A node keeps its predecessor, the next `r` nodes on the ring (the successor list) and
//! fingers: the first node at or after its ID + 2^i, for each i.

mod converged;
mod table;

pub use table::{Peer, PeerTable};

use super::{Context, Identities, NextHop, Node, Overlay};
use crate::engine::{Period, Span};
use crate::space::{Key, Ring};

crate::choices! {
    /// Which node is the root of a key.
    pub enum Closest {
        /// The first node at or after the key: Chord as published.
        Successor = "successor",
        /// The nearest node in either direction.
        Nearest = "nearest",
    }
}

crate::parameters! {
    /// Chord: the ring, with a successor list and fingers.
    pub struct ChordParameters {
        /// Length r of the successor list.
        pub successors: usize = 1, within 1..=10_000;
        /// Which node is the root of a key.
        pub closest: Closest = Closest::Successor;
        /// Mean time between two stabilisations of a node, or "never".
        pub stabilise: Period = Period::every(Span::from_secs(30));
        /// Mean time between two refreshments of one finger, or "never".
        pub fix_fingers: Period = Period::every(Span::from_secs(30));
        /// Mean time between two checks of the predecessor, or "never".
        pub check_predecessor: Period = Period::every(Span::from_secs(30));
        /// How far the time between two turns of maintenance strays from its mean, as a fraction; ToN has one half.
        pub jitter: f64 = 0.5, within 0.0..=1.0;
        /// How long a node waits for an answer.
        pub timeout: Span = Span::from_millis(500), within crate::parameter::Range::above(0.0);
    }
}

/// The state of one Chord node.
#[derive(Clone, Debug, Default)]
pub struct Chord {
    /// Its own ID, here too so that a lookup passes with one look at this struct and one at the
    /// table.
    id: Key,
    peers: PeerTable,
    predecessor: Option<Peer>,
    next_finger: u8,
}

/// What Chord nodes tell each other.
#[derive(Clone, Debug)]
pub enum Message {
    /// Request: who is your predecessor, who are your successors?
    Neighbours,
    /// Answer: the predecessor and the successor list.
    NeighboursAre(Option<Node>, Box<[Node]>),
    /// "I might be your predecessor."
    Notify,
    /// Request: are you there?
    Ping,
    /// Answer: I am.
    Pong,
    /// "The finger you asked for is me": the number of the finger.
    Finger(u8),
    /// "Your successor is me": my successor list.
    Welcome(Box<[Node]>),
}

/// What a Chord node asks the root of a key.
#[derive(Clone, Copy, Debug)]
pub enum Query {
    /// I need finger number i.
    FindFinger(u8),
    /// I am new.
    Join,
}

/// What a Chord node wakes up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Ask the successor for its neighbours.
    Stabilise,
    /// Refresh one finger.
    FixFinger,
    /// See whether the predecessor is alive.
    CheckPredecessor,
}

impl Chord {
    /// The predecessor, if it is known.
    pub fn predecessor(&self) -> Option<Node> {
        self.predecessor.map(Peer::node)
    }

    /// The successor list and the fingers.
    pub fn peers(&self) -> &PeerTable {
        &self.peers
    }

    fn rearm(context: &mut Context<'_, Self>, timer: Timer) {
        let period = context.shared.period(timer);
        if let Some(after) = period.next(context.shared.jitter, context.random) {
            context.set_timer(after, timer);
        }
    }

    /// Takes `successor` and what it says of its own list as the new successor list.
    fn adopt(&mut self, context: &mut Context<'_, Self>, successor: Node, list: &[Node]) {
        let mut followers = Vec::with_capacity(list.len() + 1);
        followers.push(successor);
        followers.extend_from_slice(list);
        let r = context.shared.successors;
        if self
            .peers
            .set_successors(context.ids, context.me, &followers, r)
        {
            context.update();
        }
    }

    fn list(&self) -> Box<[Node]> {
        self.peers
            .successors()
            .iter()
            .map(|peer| peer.node())
            .collect()
    }
}

impl ChordParameters {
    fn period(&self, timer: Timer) -> Period {
        match timer {
            Timer::Stabilise => self.stabilise,
            Timer::FixFinger => self.fix_fingers,
            Timer::CheckPredecessor => self.check_predecessor,
        }
    }
}

impl Overlay for Chord {
    type Shared = ChordParameters;
    type Message = Message;
    type Query = Query;
    type Timer = Timer;

    fn next_hop(&self, shared: &ChordParameters, ids: &Identities, _: Node, key: &Key) -> NextHop {
        let ahead = key.wrapping_sub(self.id);
        let Some(successor) = self.peers.successors().first() else {
            return NextHop::Root;
        };
        let nearer_ahead = |behind: &Key, ahead: &Key| {
            shared.closest == Closest::Successor
                || Ring::either_way(ahead, key) <= Ring::either_way(behind, key)
        };
        // Between the predecessor and this node?
        if let Some(predecessor) = self.predecessor
            && (ahead == Key::default() || predecessor.compare(ids, self.id, &ahead).is_lt())
        {
            let behind = ids.id(predecessor.node());
            let mine = nearer_ahead(&behind, &self.id);
            return if mine {
                NextHop::Root
            } else {
                NextHop::Last(predecessor.node())
            };
        }
        match self.peers.closest_preceding(ids, self.id, &ahead) {
            Some(peer) => NextHop::Next(peer),
            // No peer lies before the key: it is between this node and its successor.
            None if nearer_ahead(&self.id, &ids.id(successor.node())) => {
                NextHop::Last(successor.node())
            }
            None => NextHop::Root,
        }
    }

    fn touch(&self) -> u32 {
        self.next_finger.into()
    }

    fn join(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        match bootstrap {
            Some(node) => context.route_via(node, context.id(), Query::Join),
            None => self.maintain(context),
        }
    }

    fn maintain(&mut self, context: &mut Context<'_, Self>) {
        for timer in [Timer::Stabilise, Timer::FixFinger, Timer::CheckPredecessor] {
            if let Some(first) = context.shared.period(timer).first(context.random) {
                context.set_timer(first, timer);
            }
        }
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: Node, message: Message) {
        match message {
            Message::Notify => {
                let ahead = context.ids.id(from).wrapping_sub(self.id);
                let further = |old: Peer| old.compare(context.ids, self.id, &ahead).is_lt();
                if self.predecessor.is_none_or(further) {
                    self.predecessor = Some(Peer::new(context.ids, self.id, from));
                    context.update();
                }
                // Who was alone has its first successor.
                if self.peers.successors().is_empty() {
                    self.adopt(context, from, &[]);
                }
            }
            Message::Finger(finger) => {
                self.peers
                    .set_finger(context.ids, context.me, finger.into(), from);
            }
            Message::Welcome(list) => {
                let alone = self.peers.successors().is_empty();
                self.adopt(context, from, &list);
                context.send(from, Message::Notify);
                if alone {
                    self.maintain(context);
                }
            }
            Message::Neighbours | Message::NeighboursAre(..) | Message::Ping | Message::Pong => {}
        }
    }

    fn on_request(&mut self, _: &mut Context<'_, Self>, _: Node, message: Message) -> Message {
        match message {
            Message::Neighbours => Message::NeighboursAre(self.predecessor(), self.list()),
            _ => Message::Pong,
        }
    }

    fn on_reply(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        _: Timer,
        message: Message,
        _: Span,
    ) {
        let Message::NeighboursAre(predecessor, list) = message else {
            return;
        };
        let ahead = |node| context.ids.id(node).wrapping_sub(self.id);
        match predecessor {
            // Someone has come between: the new successor, with the old one behind it.
            Some(between) if between != context.me && ahead(between) < ahead(from) => {
                let mut rest = Vec::with_capacity(list.len() + 1);
                rest.push(from);
                rest.extend_from_slice(&list);
                self.adopt(context, between, &rest);
                context.send(between, Message::Notify);
            }
            _ => {
                self.adopt(context, from, &list);
                context.send(from, Message::Notify);
            }
        }
    }

    fn on_timeout(&mut self, context: &mut Context<'_, Self>, from: Node, _: Option<Timer>) {
        let known = self.peers.remove(from);
        if self.predecessor() == Some(from) {
            self.predecessor = None;
        }
        if known {
            context.update();
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::Stabilise => {
                if let Some(successor) = self.peers.successors().first() {
                    context.request(successor.node(), Message::Neighbours, timer);
                }
            }
            Timer::FixFinger => {
                // Fingers that begin within the successor list are that list's business.
                let first = self.peers.first_finger(context.ids, context.me);
                if first < Key::BITS {
                    let finger = first.max(self.next_finger.into());
                    self.next_finger = ((finger + 1) % Key::BITS) as u8;
                    let start = self.id.wrapping_add(Key::power_of_two(finger));
                    context.route(start, Query::FindFinger(finger as u8));
                }
            }
            Timer::CheckPredecessor => {
                if let Some(predecessor) = self.predecessor() {
                    context.request(predecessor, Message::Ping, timer);
                }
            }
        }
        Self::rearm(context, timer);
    }

    fn on_query(&mut self, context: &mut Context<'_, Self>, origin: Node, _: Key, query: Query) {
        match query {
            Query::FindFinger(finger) => context.send(origin, Message::Finger(finger)),
            Query::Join => context.send(origin, Message::Welcome(self.list())),
        }
    }

    fn each_peer(&self, see: &mut dyn FnMut(Node)) {
        self.predecessor().into_iter().for_each(&mut *see);
        self.peers.all().iter().for_each(|peer| see(peer.node()));
    }
}
