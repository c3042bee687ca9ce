//! The end of a route: a message is delivered, the answer of a lookup returns, or it is lost.

use super::event::{Event, RoutedId};
use super::observer::{LookupEnd, LookupResult, RouteEnd, RouteId, Signal};
use super::routed_message::Payload;
use super::{Network, Travel};
use crate::engine::Instant;
use crate::overlay::{Application, GroundTruth, Node};

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Ends a routed message, `at` a node or nowhere.
    pub(super) fn end_route(&mut self, id: RoutedId, at: Option<Node>, end: RouteEnd) {
        let route = RouteId(id);
        self.router.in_flight.decides(id, at.is_some());
        self.signal(Signal::RouteEnded { route, at, end });
        self.router.in_flight.end(id);
    }

    /// Ends the routing of a message at `node`, which is the `root` or has named it.
    pub(super) fn deliver(&mut self, node: Node, root: Node, id: RoutedId) {
        let routed = self.router.in_flight.get(id);
        let (key, origin, hops) = (routed.key, routed.origin, routed.hops);
        match routed.payload.clone() {
            Payload::Lookup => self.score_lookup(node, id),
            Payload::Query(query) => {
                self.end_route(id, Some(node), RouteEnd::Delivered);
                self.with_node(node, |state, context| {
                    state.on_query(context, origin, query, root);
                });
            }
            Payload::Message(message) => {
                self.end_route(id, Some(node), RouteEnd::Delivered);
                self.upcall(node, |application, context| {
                    context.hops = hops;
                    application.deliver(context, origin, key, message);
                });
            }
        }
    }

    /// Compares the result of a lookup that ended at `node` with the true root, and sends the
    /// answer.
    pub(super) fn score_lookup(&mut self, node: Node, id: RoutedId) {
        if !self.router.in_flight.decides(id, true) {
            self.router.in_flight.end(id);
            return;
        }
        let routed = self.router.in_flight.get(id);
        let (origin, left) = (routed.origin, routed.path.len() as u32);
        let (issued, timeouts) = (routed.issued, routed.timeouts);
        let captured = self.is_sybil(node);
        let intercepted = routed.intercepted || captured;
        let root = self.root(&routed.key);
        let result = if root == Some(node) {
            let (hops, underlay_hops) = (routed.hops, routed.underlay_hops);
            let mut direct = self.path(origin, node).latency;
            if self.setup.travel == Travel::Iterative {
                // The lookup ends when the root's answer arrives.
                direct += self.path(node, origin).latency;
            }
            LookupResult::Correct {
                hops,
                underlay_hops,
                latency: self.state.now.since(issued),
                direct,
            }
        } else {
            LookupResult::Wrong
        };
        self.signal(Signal::RouteEnded {
            route: RouteId(id),
            at: Some(node),
            end: RouteEnd::Lookup(LookupEnd {
                issued,
                timeouts,
                root,
                result,
                intercepted,
                captured,
            }),
        });
        let is_correct = matches!(result, LookupResult::Correct { .. });
        if node == origin || self.setup.travel == Travel::Iterative {
            if is_correct {
                self.signal_answered(issued);
            }
            self.router.in_flight.end(id);
        } else {
            let routed = self.router.in_flight.get_mut(id);
            routed.holder = node;
            routed.is_correct = is_correct;
            self.router.answers_under_way += u64::from(self.wire.transport.is_some());
            self.answer(id, left);
        }
    }

    /// Sends the answer of a recursive lookup one node back.
    pub(super) fn answer(&mut self, id: RoutedId, left: u32) {
        let routed = self.router.in_flight.get(id);
        let (from, origin) = (routed.holder, routed.origin);
        let (is_correct, issued) = (routed.is_correct, routed.issued);
        if from == origin || !self.is_alive(from) {
            if from == origin && is_correct && self.is_alive(origin) {
                self.signal_answered(issued);
            }
            self.end_answer(id);
            return;
        }
        // Without a recorded path the root answers directly.
        let left = left.saturating_sub(1);
        let to = routed.path.get(left as usize).copied().unwrap_or(origin);
        self.router.in_flight.get_mut(id).holder = to;
        match self.send_answer(id, (from, to), true) {
            Some(after) => {
                self.queue
                    .schedule(self.state.now + after, Event::Answer { routed: id, left });
            }
            None => self.end_answer(id),
        }
    }

    /// Signals an answer. Without a transport, answers are not counted.
    fn signal_answered(&mut self, issued: Instant) {
        if self.wire.transport.is_some() {
            self.signal(Signal::Answered { issued });
        }
    }

    fn end_answer(&mut self, id: RoutedId) {
        self.router.answers_under_way -= u64::from(self.wire.transport.is_some());
        self.router.in_flight.end(id);
    }

    /// A message is lost.
    pub(super) fn fail(&mut self, id: RoutedId) {
        if !self.router.in_flight.decides(id, false) {
            if let Payload::Message(message) = &self.router.in_flight.get(id).payload {
                A::on_copy_lost(message, &mut self.state.metrics);
            }
            self.router.in_flight.end(id);
            return;
        }
        let routed = self.router.in_flight.get(id);
        let end = match &routed.payload {
            Payload::Lookup => RouteEnd::Lookup(LookupEnd {
                issued: routed.issued,
                timeouts: routed.timeouts,
                root: None,
                result: LookupResult::Failed {
                    abandoned: !self.is_alive(routed.origin),
                },
                intercepted: routed.intercepted,
                captured: false,
            }),
            Payload::Query(_) => RouteEnd::Lost,
            Payload::Message(message) => {
                A::on_lost(message, &mut self.state.metrics);
                RouteEnd::Lost
            }
        };
        self.end_route(id, None, end);
    }
}
