//! The way of a message to the root of a key: one router for every overlay.
//!
//! A node is asked for its next hop, and the message goes there: from node to node
//! (recursive), or the initiator asks one node after the other (iterative). A node that does
//! not take a message costs its sender the time-out and one try; then the sender's table is
//! asked again, or, in an iterative lookup, the node that has named the silent one. A protocol
//! may conduct iterative lookups itself; its requests are counted as their hops.

use super::event::{Event, RoutedId};
use super::routed_message::Payload;
use super::tally::{Interception, Success};
use super::{Network, oracle};
use crate::overlay::{
    Application, Forward, GroundTruth, HEADER_BYTES, LookupHandle, NODE_BYTES, NextHop, Node,
};
use crate::space::Key;
use dhtlab_analysis::view::RouteOutcome;

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

/// Bytes of a routed message: its key and its origin.
const ROUTED_BYTES: u32 = HEADER_BYTES + 2 * NODE_BYTES;
/// Bytes of an answer, or of the name of a next hop: one node.
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
        let session = self.node_meta[origin.index()].session;
        let id = self
            .in_flight
            .start((origin, session), key, payload, self.now);
        self.in_flight.get_mut(id).is_join = via.is_some();
        if self.recorder.is_some() {
            self.record_routed(id);
        }
        self.forge(origin, id);
        match (via, self.setup.travel) {
            (Some(via), Travel::Iterative) => self.ask(id, via),
            (Some(via), _) => self.hop(origin, via, id, false),
            (None, Travel::Iterative) if self.start_overlay_lookup(origin, id) => {}
            (None, Travel::Iterative) => self.on_next_hop_reply(id, self.next_hop(origin, &key)),
            (None, _) => self.step(origin, id),
        }
    }

    pub(super) fn next_hop(&self, node: Node, key: &Key) -> NextHop {
        self.nodes[node.index()].next_hop(&self.shared, &self.ids, node, key)
    }

    /// Where a message for `key` from `from` would end if no table changed and nobody were silent;
    /// `None` if it reached one who has gone, or went around.
    pub fn walk(&self, from: Node, key: &Key) -> Option<Node> {
        let mut at = from;
        for _ in 0..self.node_meta.len() {
            match self.next_hop(at, key) {
                NextHop::Root => return Some(at),
                NextHop::Last(next) => return self.is_alive(next).then_some(next),
                NextHop::Next(next) if self.is_alive(next) => at = next,
                NextHop::Next(_) => return None,
            }
        }
        None
    }

    /// Asks the overlay on `origin` to look the key up in its own way; false if it has none.
    fn start_overlay_lookup(&mut self, origin: Node, id: RoutedId) -> bool {
        let routed = self.in_flight.get_mut(id);
        routed.by_overlay = true;
        let key = routed.key;
        let handle = LookupHandle {
            routed: id,
            number: routed.number,
        };
        let own = self.with_node(origin, |state, context| {
            state.look_up(context, &key, handle)
        });
        if !own {
            self.in_flight.get_mut(id).by_overlay = false;
        }
        own
    }

    /// Counts a step of `handle`: `from` has asked `to`.
    pub(super) fn count_lookup_step(&mut self, handle: LookupHandle, from: Node, to: Node) {
        if let Some(id) = self.in_flight.of(handle) {
            let sybil = self.is_sybil(to);
            let links = self.path(from, to).hops;
            let routed = self.in_flight.get_mut(id);
            routed.hops += 1;
            routed.underlay_hops += links;
            routed.intercepted |= sybil;
        }
    }

    /// A lookup that its origin has conducted itself is over.
    pub(super) fn on_overlay_lookup_done(&mut self, handle: LookupHandle, root: Option<Node>) {
        let Some(id) = self.in_flight.of(handle) else {
            return;
        };
        self.in_flight.get_mut(id).by_overlay = false;
        match root {
            Some(root) => self.finish_iterative(root, true, id),
            None => self.fail(id),
        }
    }

    /// Whether `id` asks for the name of the root alone.
    fn is_answered_by_predecessor(&self, id: RoutedId) -> bool {
        matches!(&self.in_flight.get(id).payload, Payload::Query(query) if P::answered_by_predecessor(&self.shared, query))
    }

    /// Decides at `node` where a recursive message goes, and sends it there.
    fn step(&mut self, node: Node, id: RoutedId) {
        let next = self.next_hop(node, &self.in_flight.get(id).key);
        let next = self.excluding_origin(node, id, next);
        self.proceed(node, id, next);
    }

    /// `next`, or whom `node` names instead if that is the origin, which looks for its place: it may
    /// be known from an earlier life, or hold a place that it has lost.
    fn excluding_origin(&self, node: Node, id: RoutedId, next: NextHop) -> NextHop {
        let routed = self.in_flight.get(id);
        match next {
            NextHop::Next(to) | NextHop::Last(to) if routed.is_join && to == routed.origin => {
                let state = &self.nodes[node.index()];
                state.next_hop_without(&self.shared, &self.ids, node, &routed.key, to)
            }
            _ => next,
        }
    }

    /// Sends a recursive message on from `node`.
    fn proceed(&mut self, node: Node, id: RoutedId, next: NextHop) {
        match next {
            NextHop::Root if self.in_flight.get(id).hops == 0 => {
                // An event without delay, so that nobody is called while it acts.
                let routed = self.in_flight.get_mut(id);
                routed.last = true;
                routed.links = None;
                self.queue.schedule(
                    self.now,
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

    /// Lets the application see a message that is about to go on.
    fn forward(&mut self, node: Node, next: Node, id: RoutedId, last: bool) {
        let routed = self.in_flight.get_mut(id);
        if let Payload::Message(message) = &routed.payload {
            let (key, mut message) = (routed.key, message.clone());
            let verdict = self.upcall(node, |application, context| {
                application.forward(context, key, &mut message, next)
            });
            if verdict == Forward::Absorb {
                if let Some(recorder) = &mut self.recorder {
                    recorder.ended(self.now, id, RouteOutcome::Absorbed, Some(node), None);
                }
                self.in_flight.end(id);
                return;
            }
            self.in_flight.get_mut(id).payload = Payload::Message(message);
            self.forge(node, id);
        }
        self.hop(node, next, id, last);
    }

    /// Sends a message on from `node` to `next`.
    fn hop(&mut self, node: Node, next: Node, id: RoutedId, last: bool) {
        let path = self.path(node, next);
        let travel = self.setup.travel;
        let session = self.node_meta[node.index()].session;
        let routed = self.in_flight.get_mut(id);
        if routed.hops >= MAX_HOPS {
            self.fail(id);
            return;
        }
        routed.last = last;
        routed.holder = node;
        routed.holder_session = session;
        routed.target = next;
        routed.sent = self.now;
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
        self.count_message(bytes, lookup);
        if let Some(recorder) = &mut self.recorder {
            recorder.carried(self.now, Some(id), (node, next), path.latency, false);
        }
        self.queue.schedule(
            self.now + path.latency,
            Event::Hop {
                to: next,
                routed: id,
            },
        );
    }

    /// A message reaches `node`: to be delivered, to go on, or, in an iterative lookup, to be
    /// answered.
    pub(super) fn arrive(&mut self, node: Node, id: RoutedId) {
        let iterative = self.setup.travel == Travel::Iterative;
        let takes = self.takes_messages(node);
        let routed = self.in_flight.get_mut(id);
        if !takes {
            // A node that is back and holds itself for the root knows nobody else to go to.
            if node == routed.origin && routed.links.is_none() {
                self.fail(id);
            } else {
                self.bounce_back(id);
            }
            return;
        }
        if let Some(links) = routed.links.take() {
            routed.hops += 1;
            routed.underlay_hops += links;
            if !iterative {
                // The next node knows nothing of whom this one could not reach.
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

    /// Nobody takes the message that was sent last: its sender notices when its patience ends.
    pub(super) fn bounce_back(&mut self, id: RoutedId) {
        let back = self.in_flight.get(id).sent + self.setup.timeout;
        self.queue
            .schedule(back.max(self.now), Event::Bounce { routed: id });
    }

    /// `node`, asked by the initiator of an iterative lookup, looks for its next hop.
    fn answer_query(&mut self, node: Node, id: RoutedId) {
        let Some(next) = self.choose(node, id) else {
            return;
        };
        if let NextHop::Last(root) = next
            && self.is_answered_by_predecessor(id)
        {
            self.deliver(node, root, id);
            return;
        }
        self.send_next_hop_reply(node, id, next);
    }

    /// `node` tells the initiator of an iterative lookup its next hop.
    pub(super) fn send_next_hop_reply(&mut self, node: Node, id: RoutedId, next: NextHop) {
        let routed = self.in_flight.get_mut(id);
        routed.path.push(node);
        let origin = routed.origin;
        let lookup = matches!(routed.payload, Payload::Lookup);
        self.count_message(ANSWER_BYTES, lookup);
        let latency = self.path(node, origin).latency;
        if let Some(recorder) = &mut self.recorder {
            recorder.carried(self.now, Some(id), (node, origin), latency, true);
        }
        self.queue
            .schedule(self.now + latency, Event::NextHopReply { routed: id, next });
    }

    /// The node that a message was sent to has not taken it: its sender goes another way.
    pub(super) fn bounce(&mut self, id: RoutedId) {
        let travel = self.setup.travel;
        let routed = self.in_flight.get_mut(id);
        routed.timeouts += 1;
        if travel == Travel::Recursive {
            routed.path.pop();
        }
        let (sender, session, silent) = (routed.holder, routed.holder_session, routed.target);
        if let Some(recorder) = &mut self.recorder {
            recorder.timed_out(self.now, id, sender, silent);
        }
        if travel == Travel::Iterative
            && let Some(adviser) = routed.path.pop()
        {
            // Who has named the silent node is asked for another; if that was the adviser
            // itself, the one before.
            routed.silent.push(silent);
            if !self.is_in_session(sender, session) {
                self.fail(id);
                return;
            }
            self.hop(sender, adviser, id, false);
            // It has been asked and counted before.
            self.in_flight.get_mut(id).links = None;
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

    /// The next hop that `node` chooses without the peers that have been silent; `None` if the
    /// message is lost, since it knows nobody else.
    fn choose(&mut self, node: Node, id: RoutedId) -> Option<NextHop> {
        let routed = self.in_flight.get_mut(id);
        let key = routed.key;
        if routed.silent.is_empty() {
            let next = self.next_hop(node, &key);
            return Some(self.excluding_origin(node, id, next));
        }
        let silent = std::mem::take(&mut routed.silent);
        let next = self.with_node(node, |state, context| {
            state.next_hop_avoiding(context, &key, &silent)
        });
        let next = self.excluding_origin(node, id, next);
        let again = match next {
            NextHop::Next(next) | NextHop::Last(next) => silent.contains(&next),
            NextHop::Root => false,
        };
        self.in_flight.get_mut(id).silent = silent;
        if again {
            self.fail(id);
            return None;
        }
        Some(next)
    }

    /// The initiator of an iterative lookup asks `node`.
    fn ask(&mut self, id: RoutedId, node: Node) {
        let origin = self.in_flight.get(id).origin;
        self.hop(origin, node, id, false);
    }

    /// The initiator of an iterative lookup learns what the node it asked last holds for the
    /// next hop.
    pub(super) fn on_next_hop_reply(&mut self, id: RoutedId, next: NextHop) {
        let routed = self.in_flight.get(id);
        let (origin, session, asked) = (routed.origin, routed.origin_session, routed.target);
        if !self.is_in_session(origin, session) {
            self.fail(id);
            return;
        }
        match next {
            NextHop::Next(node) => self.ask(id, node),
            NextHop::Last(node) => self.finish_iterative(node, false, id),
            NextHop::Root => self.finish_iterative(asked, true, id),
        }
    }

    /// The initiator of an iterative lookup knows the root, which has answered or was named by
    /// another node: a lookup is over once the root has been asked, anything else goes there.
    fn finish_iterative(&mut self, root: Node, answered: bool, id: RoutedId) {
        let takes = self.takes_messages(root);
        let ask_root = self.setup.ask_root;
        let routed = self.in_flight.get_mut(id);
        let origin = routed.origin;
        match routed.payload {
            // A dead node that was named is found out when it is asked.
            Payload::Lookup if takes && (answered || root == origin || !ask_root) => {
                self.score_lookup(root, id);
            }
            _ if root == origin => {
                routed.last = true;
                routed.links = None;
                self.queue.schedule(
                    self.now,
                    Event::Hop {
                        to: root,
                        routed: id,
                    },
                );
            }
            _ => self.hop(origin, root, id, true),
        }
    }

    /// A message has come to the end of its way at `node`, which is or has named the `root`.
    pub(super) fn deliver(&mut self, node: Node, root: Node, id: RoutedId) {
        let routed = self.in_flight.get(id);
        let (key, origin) = (routed.key, routed.origin);
        match routed.payload.clone() {
            Payload::Lookup => self.score_lookup(node, id),
            Payload::Query(query) => {
                self.in_flight.end(id);
                self.with_node(node, |state, context| {
                    state.on_query(context, origin, query, root);
                });
            }
            Payload::Message(message) => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.ended(self.now, id, RouteOutcome::Delivered, Some(node), None);
                }
                self.in_flight.end(id);
                self.upcall(node, |application, context| {
                    application.deliver(context, origin, key, message);
                });
            }
        }
    }

    /// Writes down how a lookup went that ended at `node`, and sends the answer.
    fn score_lookup(&mut self, node: Node, id: RoutedId) {
        let routed = self.in_flight.get(id);
        let (origin, left) = (routed.origin, routed.path.len() as u32);
        let (issued, timeouts) = (routed.issued, routed.timeouts);
        let captured = self.is_sybil(node);
        let intercepted = routed.intercepted || captured;
        let root = oracle::root(self, &routed.key);
        let is_root = root == Some(node);
        if let Some(recorder) = &mut self.recorder {
            let outcome = if is_root {
                RouteOutcome::Ok
            } else {
                RouteOutcome::Wrong
            };
            recorder.ended(self.now, id, outcome, Some(node), root);
        }
        if is_root {
            let (hops, underlay_hops) = (routed.hops, routed.underlay_hops);
            let latency = self.now.since(issued);
            let mut direct = self.path(origin, node).latency;
            if self.setup.travel == Travel::Iterative {
                // It is over when the answer of the root is there.
                direct += self.path(node, origin).latency;
            }
            let success = Success {
                hops,
                underlay_hops,
                latency,
                direct,
            };
            self.tally.ok(issued, timeouts, success);
        } else {
            self.tally.wrong(issued, timeouts);
        }
        if self.sybils.is_some() {
            let attack = Interception {
                intercepted,
                captured,
                hijacked: captured && !is_root,
            };
            self.tally.attacked(issued, attack);
        }
        if node == origin || self.setup.travel == Travel::Iterative {
            self.in_flight.end(id);
        } else {
            self.in_flight.get_mut(id).holder = node;
            self.answer(id, left);
        }
    }

    /// Sends the answer of a recursive lookup one node further back.
    pub(super) fn answer(&mut self, id: RoutedId, left: u32) {
        let routed = self.in_flight.get(id);
        let (from, origin) = (routed.holder, routed.origin);
        if from == origin || !self.is_alive(from) {
            self.in_flight.end(id);
            return;
        }
        // Without a recorded path the root answers directly.
        let left = left.saturating_sub(1);
        let to = routed.path.get(left as usize).copied().unwrap_or(origin);
        self.in_flight.get_mut(id).holder = to;
        self.count_message(ANSWER_BYTES, true);
        let latency = self.path(from, to).latency;
        if let Some(recorder) = &mut self.recorder {
            recorder.carried(self.now, Some(id), (from, to), latency, true);
        }
        self.queue
            .schedule(self.now + latency, Event::Answer { routed: id, left });
    }

    /// A message is lost.
    pub(super) fn fail(&mut self, id: RoutedId) {
        if let Some(recorder) = &mut self.recorder {
            recorder.ended(self.now, id, RouteOutcome::Failed, None, None);
        }
        let routed = self.in_flight.get(id);
        match &routed.payload {
            Payload::Lookup => {
                let (issued, timeouts) = (routed.issued, routed.timeouts);
                let is_abandoned = !self.is_alive(routed.origin);
                self.tally.counts.abandoned += u64::from(is_abandoned);
                let attack = Interception {
                    intercepted: routed.intercepted,
                    ..Interception::default()
                };
                self.tally.failed(issued, timeouts);
                self.tally.attacked(issued, attack);
            }
            Payload::Query(_) => {}
            Payload::Message(message) => A::on_lost(message, &mut self.metrics),
        }
        self.in_flight.end(id);
    }
}
