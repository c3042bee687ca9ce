//! Iterative lookups: the initiator asks one node after the other, or its overlay runs the lookup.

use super::Network;
use super::event::{Event, RoutedId};
use super::routed_message::Payload;
use crate::overlay::{Application, GroundTruth, LookupAlgorithm, LookupHandle, NextHop, Node};

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Starts the lookup procedure of the overlay on `origin`; false if it has none.
    pub(super) fn start_overlay_lookup(&mut self, origin: Node, id: RoutedId) -> bool {
        if !P::Lookups::IS_OWN {
            return false;
        }
        let routed = self.router.in_flight.get_mut(id);
        routed.by_overlay = true;
        let key = routed.key;
        let handle = LookupHandle {
            routed: id,
            number: routed.number,
        };
        self.with_node(origin, |state, context| {
            P::Lookups::look_up(state, context, &key, handle);
        });
        true
    }

    /// Counts a step of the lookup `handle`: `from` has asked `to`.
    pub(super) fn count_lookup_step(&mut self, handle: LookupHandle, from: Node, to: Node) {
        if let Some(id) = self.router.in_flight.of(handle) {
            let sybil = self.is_sybil(to);
            let links = self.path(from, to).hops;
            let routed = self.router.in_flight.get_mut(id);
            routed.hops += 1;
            routed.underlay_hops += links;
            routed.intercepted |= sybil;
        }
    }

    /// Ends a lookup that its origin's overlay has run.
    pub(super) fn on_overlay_lookup_done(&mut self, handle: LookupHandle, root: Option<Node>) {
        let Some(id) = self.router.in_flight.of(handle) else {
            return;
        };
        self.router.in_flight.get_mut(id).by_overlay = false;
        match root {
            Some(root) => self.finish_iterative(root, true, id),
            None => self.fail(id),
        }
    }

    /// `node`, asked by the initiator of an iterative lookup, chooses its next hop.
    pub(super) fn answer_query(&mut self, node: Node, id: RoutedId) {
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

    /// `node` sends its next hop to the initiator of an iterative lookup.
    pub(super) fn send_next_hop_reply(&mut self, node: Node, id: RoutedId, next: NextHop) {
        let routed = self.router.in_flight.get(id);
        let (origin, holder) = (routed.origin, routed.holder);
        let (is_first_attempt, deadline) = (routed.attempts == 0, routed.sent + routed.patience);
        let lookup = matches!(routed.payload, Payload::Lookup);
        let Some(after) = self.send_answer(id, (node, origin), lookup) else {
            self.bounce_back(id);
            return;
        };
        let arrival = self.state.now + after;
        if self.wire.transport.is_some() {
            if arrival > deadline {
                self.bounce_back(id);
                return;
            }
            if is_first_attempt {
                let sent = self.router.in_flight.get(id).sent;
                self.measure_round_trip(holder, node, arrival.since(sent));
            }
        }
        self.router.in_flight.get_mut(id).path.push(node);
        self.queue
            .schedule(arrival, Event::NextHopReply { routed: id, next });
    }

    /// The initiator of an iterative lookup asks `node`.
    pub(super) fn ask(&mut self, id: RoutedId, node: Node) {
        let origin = self.router.in_flight.get(id).origin;
        self.hop(origin, node, id, false);
    }

    /// The initiator of an iterative lookup receives the next hop from the node that it asked.
    pub(super) fn on_next_hop_reply(&mut self, id: RoutedId, next: NextHop) {
        let routed = self.router.in_flight.get(id);
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
    /// another node. A lookup ends once the root was asked; another message is sent to the root.
    pub(super) fn finish_iterative(&mut self, root: Node, answered: bool, id: RoutedId) {
        let takes = self.takes_messages(root);
        let ask_root = self.setup.ask_root;
        let routed = self.router.in_flight.get_mut(id);
        let origin = routed.origin;
        match routed.payload {
            // Asking a named root detects whether it has failed.
            Payload::Lookup if takes && (answered || root == origin || !ask_root) => {
                self.score_lookup(root, id);
            }
            _ if root == origin => {
                routed.last = true;
                routed.links = None;
                self.queue.schedule(
                    self.state.now,
                    Event::Hop {
                        to: root,
                        routed: id,
                    },
                );
            }
            _ => self.hop(origin, root, id, true),
        }
    }
}
