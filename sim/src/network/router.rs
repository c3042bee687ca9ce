//! The way of a message to the root of a key: one router for every overlay.
//!
//! A node is asked for its next hop, and the message goes there: from node to node
//! (recursive), or the initiator asks one node after the other (iterative). A node that does
//! not take a message costs its sender the time-out and one try; then the sender's table is
//! asked again.

use super::event::{Event, TripId};
use super::trip::Cargo;
use super::{Network, oracle};
use crate::overlay::{Application, Forward, NextHop, Node, Omniscient};
use crate::space::Key;

crate::choices! {
    /// How a lookup travels.
    pub enum Travel {
        /// From node to node; the answer goes back the same way.
        Recursive = "recursive",
        /// From node to node; the root answers the initiator directly.
        SemiRecursive = "semi-recursive",
        /// The initiator asks one node after the other.
        Iterative = "iterative",
    }
}

/// A message that has made so many hops is lost: moved positions or broken rings can send it
/// around for ever.
const MAX_HOPS: u32 = 1 << 14;

impl<P: Omniscient, A: Application> Network<P, A> {
    /// Sends `cargo` from `origin` to the root of `key`, by way of `via` if it is given.
    pub(super) fn route(&mut self, origin: Node, via: Option<Node>, key: Key, cargo: Cargo<P, A>) {
        let id = self.trips.start(origin, key, cargo, self.now);
        match (via, self.setup.travel) {
            (Some(via), Travel::Iterative) => self.ask(id, via),
            (Some(via), _) => self.hop(origin, via, id, false),
            (None, Travel::Iterative) => self.learn_next(id, self.next_hop(origin, &key)),
            (None, _) => self.step(origin, id),
        }
    }

    pub(super) fn next_hop(&self, node: Node, key: &Key) -> NextHop {
        self.nodes[node.index()].next_hop(&self.shared, &self.ids, node, key)
    }

    /// Decides at `node` where a recursive message goes, and sends it there.
    fn step(&mut self, node: Node, id: TripId) {
        let key = self.trips.get(id).key;
        match self.next_hop(node, &key) {
            NextHop::Root if self.trips.get(id).hops == 0 => {
                // An event without delay, so that nobody is called while it acts.
                self.trips.get_mut(id).last = true;
                self.queue
                    .schedule(self.now, Event::Hop { to: node, trip: id });
            }
            NextHop::Root => self.deliver(node, id),
            NextHop::Next(next) => self.forward(node, next, id, false),
            NextHop::Last(next) => self.forward(node, next, id, true),
        }
    }

    /// Lets the application see a message that is about to go on.
    fn forward(&mut self, node: Node, next: Node, id: TripId, last: bool) {
        let trip = self.trips.get_mut(id);
        if let Cargo::Message(message) = &trip.cargo {
            let (key, mut message) = (trip.key, message.clone());
            let verdict = self.upcall(node, |application, turn| {
                application.forward(turn, key, &mut message, next)
            });
            if verdict == Forward::Absorb {
                self.trips.end(id);
                return;
            }
            self.trips.get_mut(id).cargo = Cargo::Message(message);
        }
        self.hop(node, next, id, last);
    }

    /// Sends a message on from `node` to `next`.
    fn hop(&mut self, node: Node, next: Node, id: TripId, last: bool) {
        let path = self.path(node, next);
        self.tally.counts.messages += 1;
        let trip = self.trips.get_mut(id);
        if trip.hops >= MAX_HOPS {
            self.lose(id);
            return;
        }
        trip.last = last;
        trip.holder = node;
        trip.target = next;
        trip.sent = self.now;
        trip.hops += 1;
        trip.underlay_hops += path.hops;
        if self.setup.travel == Travel::Recursive && matches!(trip.cargo, Cargo::Lookup) {
            trip.path.push(node);
        }
        self.queue
            .schedule(self.now + path.latency, Event::Hop { to: next, trip: id });
    }

    /// A message reaches `node`: to be delivered, to go on, or, in an iterative lookup, to be
    /// answered.
    pub(super) fn arrive(&mut self, node: Node, id: TripId) {
        let trip = self.trips.get(id);
        if !self.is_alive(node) {
            let back = trip.sent + self.setup.timeout;
            self.queue
                .schedule(back.max(self.now), Event::Bounce { trip: id });
        } else if trip.last {
            self.deliver(node, id);
        } else if self.setup.travel == Travel::Iterative {
            let (origin, next) = (trip.origin, self.next_hop(node, &trip.key));
            self.tally.counts.messages += 1;
            let latency = self.path(node, origin).latency;
            self.queue
                .schedule(self.now + latency, Event::Verdict { trip: id, next });
        } else {
            self.step(node, id);
        }
    }

    /// The node that a message was sent to has not taken it: its sender goes another way.
    pub(super) fn bounce(&mut self, id: TripId) {
        let trip = self.trips.get_mut(id);
        trip.timeouts += 1;
        // A hop is a forwarding that arrived.
        trip.hops -= 1;
        trip.path.pop();
        let (sender, silent, key) = (trip.holder, trip.target, trip.key);
        let wasted = self.path(sender, silent).hops;
        self.trips.get_mut(id).underlay_hops -= wasted;
        if !self.is_alive(sender) {
            self.lose(id);
            return;
        }
        self.turn(sender, |state, context| {
            state.on_timeout(context, silent, None);
        });
        match (self.setup.travel, self.next_hop(sender, &key)) {
            // Who has nobody else to turn to would send it to the same node for ever.
            (_, NextHop::Next(next) | NextHop::Last(next)) if next == silent => self.lose(id),
            (Travel::Iterative, next) => self.learn_next(id, next),
            _ => self.step(sender, id),
        }
    }

    /// The initiator of an iterative lookup asks `node`.
    fn ask(&mut self, id: TripId, node: Node) {
        let origin = self.trips.get(id).origin;
        self.hop(origin, node, id, false);
    }

    /// The initiator of an iterative lookup learns what the node it asked last holds for the
    /// next hop.
    pub(super) fn learn_next(&mut self, id: TripId, next: NextHop) {
        let trip = self.trips.get(id);
        let (origin, asked) = (trip.origin, trip.target);
        if !self.is_alive(origin) {
            self.lose(id);
            return;
        }
        let root = match next {
            NextHop::Next(node) => return self.ask(id, node),
            NextHop::Last(node) => node,
            NextHop::Root => asked,
        };
        match self.trips.get(id).cargo {
            Cargo::Lookup => self.judge(root, id),
            // Whatever is not a question goes to the root itself.
            _ if root == origin => {
                self.trips.get_mut(id).last = true;
                self.queue
                    .schedule(self.now, Event::Hop { to: root, trip: id });
            }
            _ => self.hop(origin, root, id, true),
        }
    }

    /// A message has come to the node that holds itself to be the root.
    fn deliver(&mut self, node: Node, id: TripId) {
        let trip = self.trips.get(id);
        let (key, origin) = (trip.key, trip.origin);
        match trip.cargo.clone() {
            Cargo::Lookup => self.judge(node, id),
            Cargo::Query(query) => {
                self.trips.end(id);
                self.turn(node, |state, context| {
                    state.on_query(context, origin, key, query);
                });
            }
            Cargo::Message(message) => {
                self.trips.end(id);
                self.upcall(node, |application, turn| {
                    application.deliver(turn, origin, key, message);
                });
            }
        }
    }

    /// Writes down how a lookup went that ended at `node`, and sends the answer.
    fn judge(&mut self, node: Node, id: TripId) {
        let trip = self.trips.get(id);
        let (origin, left) = (trip.origin, trip.path.len() as u32);
        if oracle::root(self, &trip.key) == Some(node) {
            let latency = self.now.since(trip.issued);
            let (hops, underlay_hops) = (trip.hops, trip.underlay_hops);
            let direct = self.path(origin, node).latency;
            self.tally.ok(hops, underlay_hops, latency, direct);
        } else {
            self.tally.counts.wrong += 1;
        }
        if node == origin || self.setup.travel == Travel::Iterative {
            self.trips.end(id);
        } else {
            self.trips.get_mut(id).holder = node;
            self.answer(id, left);
        }
    }

    /// Sends the answer of a recursive lookup one node further back.
    pub(super) fn answer(&mut self, id: TripId, left: u32) {
        let trip = self.trips.get(id);
        let (from, origin) = (trip.holder, trip.origin);
        if from == origin || !self.is_alive(from) {
            self.trips.end(id);
            return;
        }
        // Without a recorded path the root answers directly.
        let left = left.saturating_sub(1);
        let to = trip.path.get(left as usize).copied().unwrap_or(origin);
        self.trips.get_mut(id).holder = to;
        self.tally.counts.messages += 1;
        let latency = self.path(from, to).latency;
        self.queue
            .schedule(self.now + latency, Event::Answer { trip: id, left });
    }

    /// A message is lost.
    fn lose(&mut self, id: TripId) {
        if matches!(self.trips.get(id).cargo, Cargo::Lookup) {
            self.tally.counts.failed += 1;
        }
        self.trips.end(id);
    }
}
