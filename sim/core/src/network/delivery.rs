//! Execution of node handlers, and direct messages between nodes.

use super::Network;
use super::event::{DirectMessage, Event};
use super::observer::{RouteId, SentMessage, Signal};
use super::routed_message::Payload;
use crate::overlay::{Application, Context, Effect, GroundTruth, LookupAlgorithm, Node, RootIndex};

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Runs a handler of `node` and applies its effects.
    pub(super) fn with_node<R>(
        &mut self,
        node: Node,
        act: impl FnOnce(&mut P, &mut Context<'_, P>) -> R,
    ) -> R {
        let mut effects = std::mem::take(&mut self.effects);
        let mut context = Context {
            now: self.state.now,
            me: node,
            shared: &self.state.shared,
            ids: &self.state.ids,
            random: &mut self.random[node.index()],
            effects: &mut effects,
        };
        let state = &mut self.state.nodes[node.index()];
        let result = act(state, &mut context);
        self.state
            .index
            .on_state_changed(&self.state.shared, node, state);
        self.signal(Signal::OverlayRan(node));
        for effect in effects.drain(..) {
            self.carry_out(node, effect);
        }
        self.effects = effects;
        result
    }

    fn carry_out(&mut self, node: Node, effect: Effect<P>) {
        match effect {
            Effect::Send { to, message } => {
                self.send_direct(node, to, DirectMessage::Message(message));
            }
            Effect::Request {
                to,
                message,
                purpose,
            } => {
                let request = DirectMessage::Request {
                    message,
                    purpose,
                    sent: self.state.now,
                    session: self.state.node_meta[node.index()].session,
                };
                self.send_direct(node, to, request);
            }
            Effect::SetTimer { after, timer } => {
                let session = self.state.node_meta[node.index()].session;
                self.queue.schedule(
                    self.state.now + after,
                    Event::Timer {
                        node,
                        session,
                        timer,
                    },
                );
            }
            Effect::Route { via, key, query } => self.route(node, via, key, Payload::Query(query)),
            Effect::Update => self.upcall(node, |application, context| application.update(context)),
            Effect::Joined => self.on_joined(node),
            Effect::Rejoin => self.join_again(node),
            Effect::Found { handle, root } => self.on_overlay_lookup_done(handle, root),
        }
    }

    /// Sends a direct message to another node.
    fn send_direct(&mut self, from: Node, to: Node, direct: DirectMessage<P>) {
        let (message, handle) = match &direct {
            DirectMessage::Message(message) => (message, None),
            DirectMessage::Request {
                message, purpose, ..
            }
            | DirectMessage::Reply {
                message, purpose, ..
            } => (message, P::Lookups::lookup_of(purpose)),
        };
        let bytes = P::bytes(message);
        let routed = handle.and_then(|handle| self.in_flight.of(handle));
        let lookup =
            routed.is_some_and(|id| matches!(self.in_flight.get(id).payload, Payload::Lookup));
        let answer = matches!(direct, DirectMessage::Reply { .. });
        let path = self.path(from, to);
        self.signal(Signal::MessageSent(SentMessage {
            from,
            to,
            bytes,
            latency: Some(path.latency),
            route: routed.map(RouteId),
            is_answer: answer,
            is_of_lookup: lookup,
            kind: "",
        }));
        self.queue.schedule(
            self.state.now + path.latency,
            Event::DirectMessage { from, to, direct },
        );
    }

    pub(super) fn on_direct_message(&mut self, from: Node, to: Node, direct: DirectMessage<P>) {
        let alive = self.is_alive(to);
        match direct {
            DirectMessage::Message(message) if alive => {
                self.with_node(to, |state, context| {
                    state.on_message(context, from, message);
                });
            }
            DirectMessage::Request {
                message,
                purpose,
                sent,
                session,
            } => {
                if alive && let Some(handle) = P::Lookups::lookup_of(&purpose) {
                    self.count_lookup_step(handle, from, to);
                }
                let request = self.is_sybil(to).then(|| message.clone());
                // It is known here whether the answer arrives in time, so only requests that time
                // out need a time-out event.
                let deadline = sent + self.setup.timeout;
                let mut in_time = alive && self.state.now + self.path(to, from).latency <= deadline;
                if alive {
                    let honest = self.with_node(to, |state, context| {
                        state.on_request(context, from, message)
                    });
                    let answer = match request {
                        Some(request) => self.misbehave_on_request(to, from, &request, honest),
                        None => Some(honest),
                    };
                    match answer {
                        Some(message) if in_time => {
                            let reply = DirectMessage::Reply {
                                message,
                                purpose,
                                sent,
                                session,
                            };
                            self.send_direct(to, from, reply);
                        }
                        Some(message) => {
                            self.signal(Signal::MessageSent(SentMessage {
                                from: to,
                                to: from,
                                bytes: P::bytes(&message),
                                latency: None,
                                route: None,
                                is_answer: true,
                                is_of_lookup: false,
                                kind: "",
                            }));
                        }
                        None => in_time = false,
                    }
                }
                if !in_time {
                    let silent = Event::Timeout {
                        node: from,
                        session,
                        silent: to,
                        purpose,
                    };
                    self.queue.schedule(deadline.max(self.state.now), silent);
                }
            }
            DirectMessage::Reply {
                message,
                purpose,
                sent,
                session,
            } if self.is_in_session(to, session) => {
                let round_trip = self.round_trip(to, from, self.state.now.since(sent));
                self.with_node(to, |state, context| {
                    state.on_reply(context, from, purpose, message, round_trip);
                });
            }
            DirectMessage::Message(_) | DirectMessage::Reply { .. } => {}
        }
    }

    /// A request of `node` has timed out.
    pub(super) fn time_out(
        &mut self,
        (node, session): (Node, u32),
        silent: Node,
        purpose: P::Purpose,
    ) {
        if !self.is_in_session(node, session) {
            return;
        }
        if let Some(id) =
            P::Lookups::lookup_of(&purpose).and_then(|handle| self.in_flight.of(handle))
        {
            self.in_flight.get_mut(id).timeouts += 1;
            self.signal(Signal::RouteTimedOut {
                route: RouteId(id),
                from: node,
                to: silent,
            });
        }
        self.with_node(node, |state, context| {
            state.on_timeout(context, silent, Some(purpose));
        });
    }
}
