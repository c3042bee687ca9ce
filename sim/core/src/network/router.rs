//! Routing of a message to the root of a key, for every overlay.
//!
//! A node computes the next hop, and the message goes there: from node to node (recursive), or the
//! initiator asks one node after the other (iterative). A node that does not accept a message costs
//! its sender the time-out and one try. Then the sender chooses another next hop or, in an
//! iterative lookup, asks the node that named the silent one again. A protocol may run iterative
//! lookups itself; its requests are counted as their hops. `iterative` has what only iterative lookups
//! need, `route_ends` what happens at the end.

use super::Network;
use super::event::{Event, RoutedId};
use super::lookups::Lookups;
use super::observer::{PayloadKind, RouteEnd, RouteId, SentMessage, Signal};
use super::routed_message::{Payload, RoutedMessages};
use crate::engine::Duration;
use crate::overlay::{
    Application, Forward, GroundTruth, HEADER_BYTES, NODE_BYTES, NextHop, Node, Overlay,
    ROUTED_BYTES,
};
use crate::space::Key;
use smallvec::SmallVec;

crate::choices! {
    /// The routing mode of a lookup.
    pub enum Travel {
        /// From node to node; the answer returns on the same path.
        Recursive = "recursive",
        /// From node to node; the root answers the initiator directly.
        SemiRecursive = "semi-recursive",
        /// The initiator asks one node after the other.
        Iterative = "iterative",
    }
}

/// The messages on the way to the roots of keys.
pub(super) struct Router<P: Overlay, A: Application> {
    pub in_flight: RoutedMessages<P, A>,
    /// The lookups of the workload.
    pub lookups: Lookups,
    /// Answers of lookups that are waited for: only with a transport.
    pub answers_under_way: u64,
}

// Not derived: a derive would require `P: Default` and `A: Default`.
impl<P: Overlay, A: Application> Default for Router<P, A> {
    fn default() -> Self {
        Self {
            in_flight: RoutedMessages::default(),
            lookups: Lookups::default(),
            answers_under_way: 0,
        }
    }
}

/// A message with more hops is lost: moved positions or broken rings can make it loop.
const MAX_HOPS: u32 = 1 << 14;

/// Bytes of an answer or of a next hop: one node.
const ANSWER_BYTES: u32 = HEADER_BYTES + NODE_BYTES;

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Sends `payload` from `origin` to the root of `key`, by way of `via` if it is given.
    pub(super) fn route(
        &mut self,
        origin: Node,
        via: Option<Node>,
        key: Key,
        payload: Payload<P, A>,
    ) {
        let session = self.state.node_meta[origin.index()].session;
        let id = self
            .router
            .in_flight
            .start((origin, session), key, payload, self.state.now);
        self.router.in_flight.get_mut(id).is_join = via.is_some();
        let payload = match &self.router.in_flight.get(id).payload {
            Payload::Lookup => PayloadKind::Lookup,
            Payload::Query(_) => PayloadKind::Query,
            Payload::Message(message) => PayloadKind::Message(A::kind(message)),
        };
        self.signal(Signal::RouteBegins {
            route: RouteId(id),
            from: origin,
            key,
            payload,
        });
        self.forge(origin, id);
        match (via, self.setup.travel) {
            (Some(via), Travel::Iterative) => self.ask(id, via),
            (Some(via), _) => self.hop(origin, via, id, false),
            (None, Travel::Iterative) if self.start_overlay_lookup(origin, id) => {}
            (None, Travel::Iterative) => {
                let next = self.next_hop_of(origin, id);
                self.on_next_hop_reply(id, next);
            }
            (None, _) => self.step(origin, id),
        }
    }

    /// Whether message `id` asks only for the name of the root.
    pub(super) fn is_answered_by_predecessor(&self, id: RoutedId) -> bool {
        matches!(&self.router.in_flight.get(id).payload, Payload::Query(query) if P::answered_by_predecessor(&self.state.shared, query))
    }

    /// Chooses the next hop of a recursive message at `node`, and sends it there.
    fn step(&mut self, node: Node, id: RoutedId) {
        let next = self.next_hop_of(node, id);
        let next = self.excluding_origin(node, id, next);
        self.proceed(node, id, next);
    }

    /// The next hop of a message at `node`, and what the message carries from there on.
    fn next_hop_of(&mut self, node: Node, id: RoutedId) -> NextHop {
        let routed = self.router.in_flight.get_mut(id);
        routed.onward = routed.route;
        let (state, key) = (&self.state, routed.key);
        let next = state.nodes[node.index()].next_hop_with_route(
            &state.shared,
            &state.ids,
            node,
            &key,
            &mut routed.onward,
        );
        match next {
            NextHop::Next(next) if self.wire.transport.is_some() => {
                NextHop::Next(self.nearest_hop(node, &key, next))
            }
            next => next,
        }
    }

    /// Of `next` and the other hops of `node` the one with the shortest known round trip; `next` until its
    /// own is known, so that it becomes known. In an iterative lookup `next` stays: the initiator
    /// sends the message.
    #[inline(never)]
    fn nearest_hop(&mut self, node: Node, key: &Key, next: Node) -> Node {
        let mut hops: SmallVec<[Node; 32]> = SmallVec::new();
        if self.setup.travel != Travel::Iterative {
            let state = &self.state;
            let overlay = &state.nodes[node.index()];
            overlay.each_other_hop(&state.shared, &state.ids, key, &mut |hop| hops.push(hop));
        }
        if hops.is_empty() {
            return next;
        }
        let Some(least) = self.known_round_trip(node, next) else {
            return next;
        };
        let known = |hop: Node| Some((self.known_round_trip(node, hop)?, hop));
        let others = hops.into_iter().filter_map(known);
        others
            .min()
            .map_or(next, |other| other.min((least, next)).1)
    }

    /// `next`, unless it is the joining origin; then another node that `node` names. The origin may
    /// be known from an earlier session, or have lost its position.
    fn excluding_origin(&mut self, node: Node, id: RoutedId, next: NextHop) -> NextHop {
        let routed = self.router.in_flight.get_mut(id);
        match next {
            NextHop::Next(to) | NextHop::Last(to) if routed.is_join && to == routed.origin => {
                // That is the next hop of a message that begins here.
                routed.onward = P::Route::default();
                let state = &self.state.nodes[node.index()];
                state.next_hop_without(&self.state.shared, &self.state.ids, node, &routed.key, to)
            }
            _ => next,
        }
    }

    /// Sends a recursive message on from `node`.
    fn proceed(&mut self, node: Node, id: RoutedId, next: NextHop) {
        match next {
            NextHop::Root if self.router.in_flight.get(id).hops == 0 => {
                // Schedules an event without delay, so that no upcall runs within another.
                let routed = self.router.in_flight.get_mut(id);
                routed.last = true;
                routed.links = None;
                self.queue.schedule(
                    self.state.now,
                    Event::Hop {
                        to: node,
                        routed: id,
                    },
                );
            }
            NextHop::Root => self.deliver(node, node, id),
            NextHop::Last(root) if self.is_answered_by_predecessor(id) => {
                self.deliver(node, root, id);
            }
            NextHop::Next(next) => self.forward(node, next, id, false),
            NextHop::Last(next) => self.forward(node, next, id, true),
        }
    }

    /// Makes the `forward` upcall, and sends the message on.
    fn forward(&mut self, node: Node, next: Node, id: RoutedId, last: bool) {
        let routed = self.router.in_flight.get_mut(id);
        if let Payload::Message(message) = &routed.payload {
            let (key, mut message) = (routed.key, message.clone());
            let verdict = self.upcall(node, |application, context| {
                application.forward(context, key, &mut message, next)
            });
            if verdict == Forward::Absorb {
                self.end_route(id, Some(node), RouteEnd::Absorbed);
                return;
            }
            self.router.in_flight.get_mut(id).payload = Payload::Message(message);
            self.forge(node, id);
        }
        self.hop(node, next, id, last);
    }

    /// Sends a message on from `node` to `next`.
    pub(super) fn hop(&mut self, node: Node, next: Node, id: RoutedId, last: bool) {
        let path = self.path(node, next);
        let patience = self.patience(node, next);
        let travel = self.setup.travel;
        let session = self.state.node_meta[node.index()].session;
        let routed = self.router.in_flight.get_mut(id);
        if routed.hops >= MAX_HOPS {
            self.fail(id);
            return;
        }
        routed.last = last;
        routed.holder = node;
        routed.holder_session = session;
        routed.target = next;
        routed.sent = self.state.now;
        routed.patience = patience;
        routed.links = Some(path.hops);
        routed.handled = false;
        let bytes = match &routed.payload {
            Payload::Message(message) => ROUTED_BYTES + A::bytes(message),
            Payload::Lookup | Payload::Query(_) => ROUTED_BYTES,
        };
        let lookup = matches!(routed.payload, Payload::Lookup);
        if travel == Travel::Recursive && lookup {
            routed.path.push(node);
        }
        let sent = SentMessage {
            from: node,
            to: next,
            bytes,
            latency: Some(path.latency),
            route: Some(RouteId(id)),
            is_answer: false,
            is_of_lookup: lookup,
            kind: "",
        };
        let Some((after, again)) = self.transmit(sent, None) else {
            self.not_accepted(id);
            return;
        };
        if let Some(again) = again {
            self.duplicate_routed(id, again);
        }
        self.queue.schedule(
            self.state.now + after,
            Event::Hop {
                to: next,
                routed: id,
            },
        );
    }

    /// Handles a message that reaches `node`: delivers it, sends it on or, in an iterative lookup,
    /// answers it.
    pub(super) fn arrive(&mut self, node: Node, id: RoutedId) {
        let iterative = self.setup.travel == Travel::Iterative;
        let takes = self.takes_messages(node);
        let routed = self.router.in_flight.get_mut(id);
        if !takes {
            // A restarted node that considers itself the root knows no other next hop.
            if node == routed.origin && routed.links.is_none() {
                self.fail(id);
            } else {
                self.not_accepted(id);
            }
            return;
        }
        let is_sent = !routed.handled && routed.holder != node;
        if is_sent && self.wire.transport.is_some() && !self.acknowledge(node, id) {
            return;
        }
        let routed = self.router.in_flight.get_mut(id);
        routed.route = routed.onward;
        routed.is_back = false;
        if let Some(links) = routed.links.take() {
            routed.hops += 1;
            routed.underlay_hops += links;
            if !iterative {
                // The silent nodes of the previous hop do not concern the next node.
                routed.silent.clear();
            }
        }
        let last = routed.last;
        let is_lookup = matches!(routed.payload, Payload::Lookup);
        if self.queue_for_service(node, id) {
            return;
        }
        if self.is_sybil(node) && self.misbehave(node, id) {
            return;
        }
        if last && iterative && is_lookup {
            self.send_next_hop_reply(node, id, NextHop::Root);
        } else if last {
            self.deliver(node, node, id);
        } else if iterative {
            self.answer_query(node, id);
        } else {
            self.step(node, id);
        }
    }

    /// Sends an answer; returns the time until it arrives, if it does.
    pub(super) fn send_answer(
        &mut self,
        id: RoutedId,
        (from, to): (Node, Node),
        lookup: bool,
    ) -> Option<Duration> {
        let sent = SentMessage {
            from,
            to,
            bytes: ANSWER_BYTES + self.reply_bytes(),
            latency: Some(self.path(from, to).latency),
            route: Some(RouteId(id)),
            is_answer: true,
            is_of_lookup: lookup,
            kind: "",
        };
        self.transmit(sent, None).map(|(after, _)| after)
    }

    /// The receiver has not accepted the message: its sender tries another node.
    pub(super) fn bounce(&mut self, id: RoutedId) {
        let travel = self.setup.travel;
        let retries = self.retries();
        let routed = self.router.in_flight.get_mut(id);
        if travel == Travel::Recursive && matches!(routed.payload, Payload::Lookup) {
            routed.path.pop();
        }
        let (sender, session, silent) = (routed.holder, routed.holder_session, routed.target);
        let is_again = u32::from(routed.attempts) < retries;
        routed.attempts = if is_again { routed.attempts + 1 } else { 0 };
        self.note_silence(sender, silent);
        if is_again && self.is_in_session(sender, session) {
            self.signal(Signal::SentAgain {
                from: sender,
                to: silent,
            });
            let last = self.router.in_flight.get(id).last;
            self.hop(sender, silent, id, last);
            return;
        }
        let routed = self.router.in_flight.get_mut(id);
        routed.has_arrived = false;
        routed.timeouts += 1;
        self.signal(Signal::RouteTimedOut {
            route: RouteId(id),
            from: sender,
            to: silent,
        });
        let routed = self.router.in_flight.get_mut(id);
        if travel == Travel::Iterative
            && let Some(adviser) = routed.path.pop()
        {
            // The node that named the silent one is asked again; if that is the silent node itself,
            // the one before it.
            routed.silent.push(silent);
            if !self.is_in_session(sender, session) {
                self.fail(id);
                return;
            }
            // What the message carries was that at the adviser; at one before it, it begins again.
            let routed = self.router.in_flight.get_mut(id);
            if std::mem::replace(&mut routed.is_back, true) {
                routed.route = P::Route::default();
            }
            routed.onward = routed.route;
            self.hop(sender, adviser, id, false);
            // This node was asked and counted before.
            self.router.in_flight.get_mut(id).links = None;
            return;
        }
        routed.silent.push(silent);
        if !self.is_in_session(sender, session) {
            self.fail(id);
            return;
        }
        let Some(next) = self.choose(sender, id) else {
            return;
        };
        match travel {
            Travel::Iterative if next == NextHop::Root => self.finish_iterative(sender, true, id),
            Travel::Iterative => self.on_next_hop_reply(id, next),
            Travel::Recursive | Travel::SemiRecursive => self.proceed(sender, id, next),
        }
    }

    /// The next hop of `node` that avoids silent peers; fails the message and returns `None` if
    /// there is no other.
    pub(super) fn choose(&mut self, node: Node, id: RoutedId) -> Option<NextHop> {
        let routed = self.router.in_flight.get_mut(id);
        let key = routed.key;
        if routed.silent.is_empty() {
            let next = self.next_hop_of(node, id);
            return Some(self.excluding_origin(node, id, next));
        }
        let silent = std::mem::take(&mut routed.silent);
        let mut route = routed.route;
        let next = self.with_node(node, |state, context| {
            state.next_hop_avoiding(context, &key, &silent, &mut route)
        });
        self.router.in_flight.get_mut(id).onward = route;
        let next = self.excluding_origin(node, id, next);
        let again = match next {
            NextHop::Next(next) | NextHop::Last(next) => silent.contains(&next),
            NextHop::Root => false,
        };
        self.router.in_flight.get_mut(id).silent = silent;
        if again {
            self.fail(id);
            return None;
        }
        Some(next)
    }
}
