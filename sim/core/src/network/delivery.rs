//! Execution of node handlers, and direct messages between nodes.

use super::Network;
use super::event::{DirectMessage, Event};
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
            now: self.now,
            me: node,
            shared: &self.shared,
            ids: &self.ids,
            random: &mut self.random[node.index()],
            effects: &mut effects,
        };
        let state = &mut self.nodes[node.index()];
        let result = act(state, &mut context);
        self.index.on_state_changed(&self.shared, node, state);
        if self.recorder.is_some() {
            self.record_place(node);
        }
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
                    sent: self.now,
                    session: self.node_meta[node.index()].session,
                };
                self.send_direct(node, to, request);
            }
            Effect::SetTimer { after, timer } => {
                let session = self.node_meta[node.index()].session;
                self.queue.schedule(
                    self.now + after,
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
        self.count_message(bytes, lookup);
        let path = self.path(from, to);
        if let Some(recorder) = &mut self.recorder {
            recorder.carried(self.now, routed, (from, to), path.latency, answer);
        }
        self.queue.schedule(
            self.now + path.latency,
            Event::DirectMessage { from, to, direct },
        );
    }

    /// Counts a message of `bytes` bytes; `lookup` is whether it belongs to a lookup of the
    /// workload.
    pub(super) fn count_message(&mut self, bytes: u32, lookup: bool) {
        let counts = &mut self.tally.counts;
        counts.messages += 1;
        counts.bytes += u64::from(bytes);
        if lookup {
            counts.lookup_messages += 1;
            counts.lookup_bytes += u64::from(bytes);
        }
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
                let mut in_time = alive && self.now + self.path(to, from).latency <= deadline;
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
                            self.count_message(P::bytes(&message), false);
                            if let Some(recorder) = &mut self.recorder {
                                recorder.uncounted(self.now);
                            }
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
                    self.queue.schedule(deadline.max(self.now), silent);
                }
            }
            DirectMessage::Reply {
                message,
                purpose,
                sent,
                session,
            } if self.is_in_session(to, session) => {
                let round_trip = self.now.since(sent);
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
            if let Some(recorder) = &mut self.recorder {
                recorder.timed_out(self.now, id, node, silent);
            }
        }
        self.with_node(node, |state, context| {
            state.on_timeout(context, silent, Some(purpose));
        });
    }
}
