//! Messages between two nodes: whether they arrive, when, and how long a sender waits.

use super::Network;
use super::observer::{SentMessage, Signal};
use crate::engine::Duration;
use crate::overlay::{Application, GroundTruth, Node};
use crate::transport::{Acknowledgements, Delivery, Endpoint, Obstacle, Transport};

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Whether the host of `node` can be reached by hosts that it has not sent a message.
    pub fn is_reachable(&self, node: Node) -> bool {
        let host = self.endpoint(node).1;
        self.transport()
            .is_none_or(|transport| !transport.is_unreachable(host))
    }

    pub(super) fn endpoint(&self, node: Node) -> Endpoint {
        let slot = self.state.node_meta[node.index()].slot;
        (slot, self.wire.distances.host(slot))
    }

    /// `node` has started or stopped: its connections end with it.
    pub(super) fn host_online(&mut self, node: Node, is_online: bool) {
        if self.wire.transport.is_some() {
            let host = self.endpoint(node);
            if let Some(transport) = &mut self.wire.transport {
                if is_online {
                    transport.started(host);
                } else {
                    transport.stopped(host);
                }
            }
        }
    }

    /// How long `from` waits for `to`.
    #[inline]
    pub(super) fn patience(&mut self, from: Node, to: Node) -> Duration {
        if self.wire.transport.is_none() {
            return self.setup.timeout;
        }
        let (from, to) = (self.endpoint(from), self.endpoint(to));
        let transport = self.wire.transport.as_mut();
        transport.map_or(self.setup.timeout, |transport| transport.timeout(from, to))
    }

    /// How often a node sends again what was not answered.
    pub(super) fn retries(&self) -> u32 {
        self.transport()
            .map_or(0, |transport| transport.parameters().retries)
    }

    /// How senders learn that a message has arrived.
    pub(super) fn acknowledgements(&self) -> Acknowledgements {
        let transport = self.transport();
        transport.map_or(Acknowledgements::Implied, |transport| {
            transport.parameters().acknowledgements
        })
    }

    /// `from` has measured the round trip to `to`.
    pub(super) fn measure_round_trip(&mut self, from: Node, to: Node, time: Duration) {
        if self.wire.transport.is_some() {
            let (from, to) = (self.endpoint(from), self.endpoint(to));
            if let Some(transport) = &mut self.wire.transport {
                transport.measure(from, to, time);
            }
        }
    }

    /// The round trip to `to` that `from` knows, if it does.
    pub(super) fn known_round_trip(&mut self, from: Node, to: Node) -> Option<Duration> {
        let (from, to) = (self.endpoint(from), self.endpoint(to));
        self.wire.transport.as_mut()?.round_trip(from, to)
    }

    /// `from` has waited for `to` until the time-out.
    pub(super) fn note_silence(&mut self, from: Node, to: Node) {
        if self.wire.transport.is_some() {
            let (from, to) = (self.endpoint(from), self.endpoint(to));
            if let Some(transport) = &mut self.wire.transport {
                transport.silence(from, to);
            }
        }
    }

    /// Sends `message`, whose `latency` is that of the underlay. Returns the time until it arrives,
    /// and until its duplicate does; `None` if it does not arrive, or after the time `within`, if
    /// that is given: an answer that comes too late has no effect, and belongs to no lookup.
    #[inline(always)]
    pub(super) fn transmit(
        &mut self,
        message: SentMessage,
        within: Option<Option<Duration>>,
    ) -> Option<(Duration, Option<Duration>)> {
        if self.wire.transport.is_some() {
            return self.transmit_over_transport(message, within);
        }
        let after = message.latency.unwrap_or_default();
        if is_late(after, within) {
            self.signal_late(message);
            return None;
        }
        self.signal(Signal::MessageSent(message));
        Some((after, None))
    }

    /// The same, with what the transport does to the message.
    fn transmit_over_transport(
        &mut self,
        message: SentMessage,
        within: Option<Option<Duration>>,
    ) -> Option<(Duration, Option<Duration>)> {
        let latency = message.latency.unwrap_or_default();
        match self.transport_delivery(&message, latency) {
            Delivery::Arrives { after, again } => {
                let is_late = is_late(after, within);
                let SentMessage { from, to, .. } = message;
                if is_late {
                    self.signal_late(message);
                } else {
                    self.signal(Signal::MessageSent(SentMessage {
                        latency: Some(after),
                        ..message
                    }));
                }
                if again.is_some() {
                    self.signal(Signal::MessageDuplicated { from, to });
                }
                (!is_late).then_some((after, again))
            }
            Delivery::Lost(obstacle) => {
                self.signal(Signal::MessageSent(SentMessage {
                    latency: None,
                    ..message
                }));
                self.signal_loss(&message, obstacle);
                None
            }
        }
    }

    /// `message` is sent, an answer that comes too late.
    #[cold]
    fn signal_late(&mut self, message: SentMessage) {
        self.signal(Signal::MessageSent(SentMessage {
            latency: None,
            route: None,
            is_of_lookup: false,
            ..message
        }));
    }

    fn signal_loss(&mut self, message: &SentMessage, obstacle: Obstacle) {
        self.signal(Signal::MessageLost {
            from: message.from,
            to: message.to,
            obstacle,
        });
    }

    fn transport_delivery(&mut self, message: &SentMessage, latency: Duration) -> Delivery {
        let ends = (self.endpoint(message.from), self.endpoint(message.to));
        let now = self.state.now;
        let otherwise = Delivery::Arrives {
            after: latency,
            again: None,
        };
        let transport = self.wire.transport.as_mut();
        transport.map_or(otherwise, |transport| {
            transport.send(now, ends, message.bytes, latency)
        })
    }

    /// Bytes that a reply carries for the transport.
    pub(super) fn reply_bytes(&self) -> u32 {
        self.transport().map_or(0, Transport::reply_bytes)
    }
}

/// Whether a message that takes `after` is an answer that comes too late: no limit for other messages, and
/// no time at all for an answer that nobody waits for.
fn is_late(after: Duration, within: Option<Option<Duration>>) -> bool {
    within.is_some_and(|most| most.is_none_or(|most| after > most))
}
