//! Chord: the ring with the unidirectional distance.
//!
//! Stoica, Morris, Karger, Kaashoek and Balakrishnan (SIGCOMM 2001); Stoica, Morris,
//! Liben-Nowell, Karger, Kaashoek, Dabek and Balakrishnan (IEEE/ACM ToN 2003, "ToN" below);
//! Zave, "Reasoning about identifier spaces: how to make Chord correct" (TSE 2017).
//! A node keeps its predecessor, the next `r` nodes on the ring (the successor list) and
//! fingers: the first node at or after its ID + j b^i, for each i and each j from 1 to b - 1, with
//! the base b = 2 by default (ToN, section VI-D; Li et al., INFOCOM 2005, sweep b).
//!
//! This module has the state of a node, its lookups, and its event handling. `ring` has joining and
//! neighbour maintenance in the two variants; `finger` numbers the fingers, `near` chooses them by
//! latency; `table` has the peers, `message` the messages.

mod converged;
mod finger;
mod message;
mod near;
mod parameters;
mod ring;
mod table;

pub use finger::Base;
pub use message::{Message, Purpose, Query, Timer};
pub use parameters::{ChordParameters, Closest, Join, Near, Recovery, Variant};
pub use table::{Peer, PeerTable};

use super::{
    ByRouter, Context, HEADER_BYTES, Layout, NODE_BYTES, NextHop, Node, NodeIds, Overlay,
    RoundTrip, Stage,
};
use crate::space::{Geometry, Key, Ring};
use std::cmp::Ordering;

/// The state of one Chord node.
#[derive(Clone, Debug, Default)]
pub struct Chord {
    /// Its own ID, duplicated so that a lookup reads only this struct and the table.
    id: Key,
    peers: PeerTable,
    predecessor: Option<Peer>,
    next_finger: u16,
    stage: Stage,
    /// The number of its last attempt to join: results of earlier ones are ignored.
    attempt: u8,
}

/// Nodes and keys on the ring of the kind that `closest` sets.
#[derive(Clone, Copy, Debug)]
pub struct OnChordRing;

impl Layout<Chord> for OnChordRing {
    fn geometry(shared: &ChordParameters) -> Geometry {
        match shared.closest {
            Closest::Successor => Geometry::Ring,
            Closest::Nearest => Geometry::TwoWayRing,
        }
    }
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

    fn first_successor(&self) -> Option<Node> {
        self.peers.successors().first().map(|peer| peer.node())
    }

    fn rearm(context: &mut Context<'_, Self>, timer: Timer) {
        let period = context.shared.period(timer);
        if let Some(after) = period.next(context.shared.jitter, context.random) {
            context.set_timer(after, timer);
        }
    }

    /// Asks the successor for its neighbours.
    fn ask_successor(&self, context: &mut Context<'_, Self>, purpose: Purpose) {
        if let Some(successor) = self.first_successor() {
            context.request(successor, Message::Neighbours, purpose);
        }
    }

    /// Removes a node; true if it was a successor or a finger.
    fn forget(&mut self, context: &mut Context<'_, Self>, node: Node) -> bool {
        if self.predecessor() == Some(node) {
            self.predecessor = None;
        }
        // In SIGCOMM 2001 a node whose list leads back to itself becomes its own successor.
        let classic = context.shared.variant == Variant::Classic;
        let known = self.peers.remove(node, classic);
        if known && self.peers.is_lost() && self.stage == Stage::Member {
            self.stage = Stage::Lost;
            context.rejoin();
        }
        known
    }

    /// A copy of the node without `peers` as successors and fingers.
    fn without(&self, peers: &[Node]) -> Self {
        let mut without = self.clone();
        for peer in peers {
            without.peers.remove(*peer, true);
        }
        without
    }

    /// Refreshes the next finger.
    fn fix_finger(&mut self, context: &mut Context<'_, Self>) {
        // Fingers that begin within the successor list are covered by it.
        let base = context.shared.base;
        let first = self.peers.first_finger(base, context.ids, context.me);
        let lowest = context.shared.lowest_finger();
        let turn = if context.shared.skip_near {
            first.max(lowest).max(self.next_finger)
        } else {
            lowest.max(self.next_finger)
        };
        if turn >= base.fingers() {
            return;
        }
        self.next_finger = (turn + 1) % base.fingers();
        if turn >= first {
            let start = self.id.wrapping_add(base.start(turn));
            context.route(start, Query::FindFinger(turn));
        }
    }
}

impl Overlay for Chord {
    type Shared = ChordParameters;
    type Message = Message;
    type Query = Query;
    type Timer = Timer;
    type Purpose = Purpose;
    type Route = ();
    type Lookups = ByRouter;
    type Layout = OnChordRing;

    fn next_hop(&self, shared: &ChordParameters, ids: &NodeIds, _: Node, key: &Key) -> NextHop {
        let ahead = key.wrapping_sub(self.id);
        let Some(successor) = self.peers.successors().first() else {
            return NextHop::Root;
        };
        let nearer_ahead = |behind: &Key, ahead: &Key| {
            shared.closest == Closest::Successor
                || Ring::either_way(ahead, key) <= Ring::either_way(behind, key)
        };
        // Whether the key is between the predecessor and this node.
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
        if shared.list_routing
            && shared.closest == Closest::Successor
            && let Some(root) = self.peers.first_successor_from(ids, self.id, &ahead)
        {
            return NextHop::Last(root);
        }
        match self
            .peers
            .closest_preceding(shared.base, ids, self.id, &ahead)
        {
            Some(peer) => NextHop::Next(peer),
            // No peer is before the key: it is between this node and its successor.
            None if nearer_ahead(&self.id, &ids.id(successor.node())) => {
                NextHop::Last(successor.node())
            }
            None => NextHop::Root,
        }
    }

    fn next_hop_avoiding(
        &mut self,
        context: &mut Context<'_, Self>,
        key: &Key,
        silent: &[Node],
        (): &mut (),
    ) -> NextHop {
        if context.shared.forget {
            for peer in silent {
                self.on_timeout(context, *peer, None);
            }
            return self.next_hop(context.shared, context.ids, context.me, key);
        }
        self.without(silent)
            .next_hop(context.shared, context.ids, context.me, key)
    }

    fn next_hop_without(
        &self,
        shared: &ChordParameters,
        ids: &NodeIds,
        me: Node,
        key: &Key,
        except: Node,
    ) -> NextHop {
        let mut without = self.without(&[except]);
        without.predecessor = self.predecessor.filter(|peer| peer.node() != except);
        without.next_hop(shared, ids, me, key)
    }

    fn each_other_hop(
        &self,
        shared: &ChordParameters,
        ids: &NodeIds,
        key: &Key,
        see: &mut dyn FnMut(Node),
    ) {
        if shared.near == Near::Prs {
            self.each_digit_finger(shared.base, ids, key, see);
        }
    }

    fn cmp_closeness(shared: &ChordParameters, key: &Key, a: &Key, b: &Key) -> Ordering {
        let far = |id: &Key| match shared.closest {
            Closest::Successor => id.wrapping_sub(*key),
            Closest::Nearest => Ring::either_way(id, key),
        };
        far(a).cmp(&far(b))
    }

    fn prefetch(&self) -> u32 {
        self.next_finger.into()
    }

    fn bytes(message: &Message) -> u32 {
        let nodes = match message {
            Message::Neighbours | Message::Notify | Message::Precede => 0,
            Message::Ping | Message::Pong => 0,
            Message::Finger(..) | Message::Ask(_) | Message::Met(_) => 1,
            Message::Welcome(list, fingers) => list.len() + fingers.len(),
            Message::Candidates(_, nodes) => nodes.len(),
            Message::NeighboursAre(before, list)
            | Message::Changed(before, list)
            | Message::Leaving(before, list) => before.iter().len() + list.len(),
        };
        HEADER_BYTES + NODE_BYTES * nodes as u32
    }

    /// A joiner needs the node before the root of its ID. In SIGCOMM 2001 that node answers
    /// `find_successor` for fingers, too.
    fn answered_by_predecessor(shared: &ChordParameters, query: &Query) -> bool {
        match query {
            Query::Join | Query::Meet => true,
            Query::FindFinger(_) => shared.variant == Variant::Classic,
        }
    }

    fn join(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        match bootstrap {
            Some(node) => {
                self.attempt = self.attempt.wrapping_add(1);
                context.route_via(node, context.id(), Query::Join);
                context.set_timer(context.shared.join_timeout, Timer::Join(self.attempt));
            }
            None => self.complete_join(context),
        }
    }

    /// Continues with its successors, and asks the first of them at once for its predecessor.
    fn resume(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        match self.first_successor() {
            Some(successor) if self.stage == Stage::Member => {
                self.maintain(context);
                context.joined();
                context.request(successor, Message::Neighbours, Purpose::Stabilise);
            }
            _ => {
                self.stage = Stage::Joining;
                self.join(context, bootstrap);
            }
        }
    }

    fn maintain(&mut self, context: &mut Context<'_, Self>) {
        self.stage = Stage::Member;
        let periodic = [
            Timer::Stabilise,
            Timer::Reconcile,
            Timer::FixFinger,
            Timer::CheckPredecessor,
        ];
        for timer in periodic {
            if let Some(first) = context.shared.period(timer).first(context.random) {
                context.set_timer(first, timer);
            }
        }
    }

    fn on_introduced(&mut self, context: &mut Context<'_, Self>, member: Node) {
        if self.stage == Stage::Member {
            context.route_via(member, self.id, Query::Meet);
        }
    }

    fn leave(&mut self, context: &mut Context<'_, Self>) {
        let (before, list) = (self.predecessor(), self.list());
        for neighbour in before.into_iter().chain(self.first_successor()) {
            context.send(neighbour, Message::Leaving(before, list.clone()));
        }
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: Node, message: Message) {
        match message {
            Message::Notify => self.on_notify(context, from),
            Message::Precede => self.on_precede(context, from),
            Message::Finger(finger, node) => {
                let base = context.shared.base;
                self.peers
                    .set_finger(base, context.ids, context.me, finger, node);
            }
            Message::Candidates(finger, nodes) => self.compare(context, finger, &nodes),
            Message::Welcome(list, fingers) => self.on_welcome(context, from, &list, &fingers),
            Message::Ask(before) => self.on_ask(context, before),
            Message::Met(root) => self.on_precede(context, root),
            Message::Changed(before, list) => {
                self.on_neighbours(context, from, Purpose::Stabilise, before, &list);
            }
            Message::Leaving(before, list) => self.on_leaving(context, from, before, &list),
            Message::Neighbours | Message::NeighboursAre(..) | Message::Ping | Message::Pong => {}
        }
    }

    fn on_request(&mut self, _: &mut Context<'_, Self>, _: Node, message: Message) -> Message {
        match message {
            // Other nodes may know it from an earlier session: an empty list would mean a lone
            // node.
            Message::Neighbours if self.stage == Stage::Joining => Message::Pong,
            Message::Neighbours => Message::NeighboursAre(self.predecessor(), self.list()),
            _ => Message::Pong,
        }
    }

    fn on_reply(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        purpose: Purpose,
        message: Message,
        _: RoundTrip,
    ) {
        match (message, purpose) {
            (Message::NeighboursAre(before, list), _) => {
                self.on_neighbours(context, from, purpose, before, &list);
            }
            (Message::Pong, Purpose::Compare(finger, number)) => {
                self.on_compared(context, from, finger, number);
            }
            // The node has no place itself.
            (_, Purpose::Place(attempt)) => self.abandon_join(context, attempt),
            _ => {}
        }
    }

    fn on_timeout(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        purpose: Option<Purpose>,
    ) {
        let known = self.forget(context, from);
        self.on_no_answer(context, purpose);
        if known {
            context.update();
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::Stabilise => self.ask_successor(context, Purpose::Stabilise),
            Timer::Reconcile => self.ask_successor(context, Purpose::Reconcile),
            Timer::FixFinger => self.fix_finger(context),
            Timer::CheckPredecessor => {
                if let Some(predecessor) = self.predecessor() {
                    context.request(predecessor, Message::Ping, Purpose::CheckPredecessor);
                }
            }
            Timer::Join(attempt) => return self.abandon_join(context, attempt),
        }
        Self::rearm(context, timer);
    }

    fn on_query(
        &mut self,
        context: &mut Context<'_, Self>,
        origin: Node,
        query: Query,
        root: Node,
    ) {
        match query {
            Query::FindFinger(finger) => {
                let message = match context.shared.near {
                    Near::Pns if root == context.me => {
                        Message::Candidates(finger, self.candidates(context))
                    }
                    _ => Message::Finger(finger, root),
                };
                context.send(origin, message);
            }
            Query::Join => self.on_join(context, origin, root),
            Query::Meet => self.on_meet(context, origin, root),
        }
    }

    /// The beginning of the successor list; with `closest = "nearest"` the predecessor competes.
    fn replica_set(
        &self,
        shared: &ChordParameters,
        ids: &NodeIds,
        me: Node,
        key: &Key,
        count: usize,
    ) -> Vec<Node> {
        let mut list = self.list().into_vec();
        list.retain(|node| *node != me);
        if shared.closest == Closest::Nearest {
            list.extend(self.predecessor());
            list.sort_by(|a, b| Self::cmp_closeness(shared, key, &ids.id(*a), &ids.id(*b)));
            list.dedup();
        }
        list.truncate(count);
        list
    }

    /// From its predecessor; the whole ring if it knows none. `None` with `closest = "nearest"`:
    /// half of that interval belongs to other nodes.
    fn range(&self, shared: &ChordParameters, ids: &NodeIds, me: Node) -> Option<(Key, Key)> {
        let to = ids.id(me);
        let after = self.predecessor().map_or(to, |node| ids.id(node));
        (shared.closest == Closest::Successor).then_some((after, to))
    }

    fn each_peer(&self, see: &mut dyn FnMut(Node)) {
        self.predecessor().into_iter().for_each(&mut *see);
        self.peers.all().iter().for_each(|peer| see(peer.node()));
    }
}
