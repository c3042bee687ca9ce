//! How the sender of a routed message learns that it has arrived, and copies of messages.
//!
//! A message has several copies where the network duplicates it, or where its sender does not learn
//! that it has arrived: then the sender sends it again, at last by another node.

use super::Network;
use super::event::{Event, RoutedId};
use super::observer::{RouteId, SentMessage};
use super::routed_message::Payload;
use super::router::Travel;
use crate::engine::{Duration, Instant};
use crate::overlay::{Application, GroundTruth, HEADER_BYTES, Node};
use crate::transport::Acknowledgements;

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// The transport has made a duplicate of a message, which arrives after `after`. The duplicate
    /// of a step of a lookup has no effect: the receiver recognises it.
    pub(super) fn duplicate_routed(&mut self, id: RoutedId, after: Duration) {
        let routed = self.router.in_flight.get(id);
        if matches!(routed.payload, Payload::Lookup) || routed.has_arrived {
            return;
        }
        let to = routed.target;
        let routed = self.copy_routed(id);
        self.queue
            .schedule(self.state.now + after, Event::Hop { to, routed });
    }

    /// Makes a copy of a message in its present state.
    fn copy_routed(&mut self, id: RoutedId) -> RoutedId {
        if let Payload::Message(message) = &self.router.in_flight.get(id).payload {
            A::on_copied(message, &mut self.state.metrics);
        }
        self.router.in_flight.copy(id)
    }

    /// The message has reached `node`: tells the sender, if it expects that. Returns false if the
    /// node had it before.
    pub(super) fn acknowledge(&mut self, node: Node, id: RoutedId) -> bool {
        let routed = self.router.in_flight.get(id);
        let (holder, sent, patience) = (routed.holder, routed.sent, routed.patience);
        let (is_first_attempt, has_arrived) = (routed.attempts == 0, routed.has_arrived);
        let is_of_lookup = matches!(routed.payload, Payload::Lookup);
        if self.is_answered_by_the_next_hop(id) {
            return true;
        }
        let route = Some(RouteId(id));
        let times = (sent, patience, is_first_attempt);
        let is_known = self.send_acknowledgement((node, holder), times, route, is_of_lookup);
        match (is_known, has_arrived) {
            (true, true) => self.fail(id),
            (true, false) => {}
            (false, true) => self.bounce_back(id),
            (false, false) => {
                let copy = self.copy_routed(id);
                self.router.in_flight.get_mut(copy).has_arrived = true;
                self.bounce_back(copy);
            }
        }
        !has_arrived
    }

    /// `from` tells `to` that a message has arrived, which `to` has sent at `sent` and for which it
    /// waits for `patience`. Returns whether `to` knows it in time, or does not wait for it.
    pub(super) fn send_acknowledgement(
        &mut self,
        (from, to): (Node, Node),
        (sent, patience, is_first_attempt): (Instant, Duration, bool),
        route: Option<RouteId>,
        is_of_lookup: bool,
    ) -> bool {
        let waited = self.state.now.since(sent);
        let latency = self.path(from, to).latency;
        let arrives = match self.acknowledgements() {
            Acknowledgements::None => return true,
            Acknowledgements::Implied => Some((latency, None)),
            Acknowledgements::Sent => {
                let left = patience.as_nanos().checked_sub(waited.as_nanos());
                let acknowledgement = SentMessage {
                    from,
                    to,
                    bytes: HEADER_BYTES + self.reply_bytes(),
                    latency: Some(latency),
                    route,
                    is_answer: true,
                    is_of_lookup,
                    kind: "",
                };
                self.transmit(acknowledgement, Some(left.map(Duration::from_nanos)))
            }
        };
        if let Some((after, _)) = arrives
            && is_first_attempt
        {
            self.measure_round_trip(to, from, waited + after);
        }
        arrives.is_some()
    }

    /// Whether the receiver of a message answers it with the next hop.
    fn is_answered_by_the_next_hop(&self, id: RoutedId) -> bool {
        let routed = self.router.in_flight.get(id);
        let is_lookup = matches!(routed.payload, Payload::Lookup);
        self.setup.travel == Travel::Iterative && (!routed.last || is_lookup)
    }

    /// The receiver has not accepted the message: the sender times out, or does not know.
    pub(super) fn not_accepted(&mut self, id: RoutedId) {
        let is_silent = self.acknowledgements() == Acknowledgements::None;
        if is_silent && !self.is_answered_by_the_next_hop(id) {
            self.fail(id);
        } else {
            self.bounce_back(id);
        }
    }

    /// Schedules the sender's time-out.
    pub(super) fn bounce_back(&mut self, id: RoutedId) {
        let routed = self.router.in_flight.get(id);
        let back = routed.sent + routed.patience;
        self.queue
            .schedule(back.max(self.state.now), Event::Bounce { routed: id });
    }
}
