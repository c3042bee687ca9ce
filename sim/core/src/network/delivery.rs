//! Execution of node handlers, and direct messages between nodes.

use super::Network;
use super::event::{DirectMessage, Event, Unanswered, Wait};
use super::observer::{RouteId, SentMessage, Signal};
use super::routed_message::Payload;
use crate::engine::{Duration, Instant, Stream};
use crate::overlay::{
    Application, Context, Effect, GroundTruth, LookupAlgorithm, Node, Overlay, RootIndex,
};

/// What the handlers of nodes use.
pub(super) struct Handlers<P: Overlay> {
    /// The random stream of each node.
    pub random: Vec<Stream>,
    /// Reused for its capacity.
    pub effects: Vec<Effect<P>>,
}

// Not derived: a derive would require `P: Default`.
impl<P: Overlay> Default for Handlers<P> {
    fn default() -> Self {
        Self {
            random: Vec::new(),
            effects: Vec::new(),
        }
    }
}

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Runs a handler of `node` and applies its effects.
    pub(super) fn with_node<R>(
        &mut self,
        node: Node,
        act: impl FnOnce(&mut P, &mut Context<'_, P>) -> R,
    ) -> R {
        let mut effects = std::mem::take(&mut self.handlers.effects);
        let mut context = Context {
            now: self.state.now,
            me: node,
            shared: &self.state.shared,
            ids: &self.state.ids,
            random: &mut self.handlers.random[node.index()],
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
        self.handlers.effects = effects;
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
                    wait: self.wait(node, to, 0),
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

    /// Sends a direct message to another node. Returns whether it arrives, a reply in time.
    fn send_direct(&mut self, from: Node, to: Node, direct: DirectMessage<P>) -> bool {
        let (message, handle) = match &direct {
            DirectMessage::Message(message) => (message, None),
            DirectMessage::Request {
                message, purpose, ..
            }
            | DirectMessage::Reply {
                message, purpose, ..
            } => (message, P::Lookups::lookup_of(purpose)),
        };
        let answer = matches!(direct, DirectMessage::Reply { .. });
        let bytes = P::bytes(message) + if answer { self.reply_bytes() } else { 0 };
        let routed = handle.and_then(|handle| self.router.in_flight.of(handle));
        let lookup = routed
            .is_some_and(|id| matches!(self.router.in_flight.get(id).payload, Payload::Lookup));
        let sent = SentMessage {
            from,
            to,
            bytes,
            latency: Some(self.path(from, to).latency),
            route: routed.map(RouteId),
            is_answer: answer,
            is_of_lookup: lookup,
            kind: "",
        };
        let within = match &direct {
            // A duplicate of a request is answered, but its sender does not wait for the answer.
            DirectMessage::Reply { wait, .. } if wait.is_duplicate() => Some(None),
            DirectMessage::Reply { sent, wait, .. } => {
                let deadline = self.deadline(*sent, *wait);
                Some((deadline >= self.state.now).then(|| deadline.since(self.state.now)))
            }
            DirectMessage::Message(_) | DirectMessage::Request { .. } => None,
        };
        let Some((after, again)) = self.transmit(sent, within) else {
            if let DirectMessage::Request {
                message,
                purpose,
                sent,
                wait,
            } = direct
            {
                let request = Unanswered {
                    from,
                    to,
                    purpose,
                    wait,
                };
                self.await_in_vain(sent, request, Some(message));
            }
            return false;
        };
        if let Some(again) = again {
            self.duplicate_direct(again, (from, to), &direct);
        }
        self.queue.schedule(
            self.state.now + after,
            Event::DirectMessage { from, to, direct },
        );
        true
    }

    /// A request that was sent at `sent` is not answered in time. It is sent again if `message` is
    /// given and there are retries left.
    fn await_in_vain(
        &mut self,
        sent: Instant,
        request: Unanswered<P>,
        message: Option<P::Message>,
    ) {
        if request.wait.is_duplicate() {
            return;
        }
        let deadline = self.deadline(sent, request.wait).max(self.state.now);
        let event = match message {
            Some(message) if request.wait.number() < self.retries() => {
                Event::RequestAgain(Box::new((request, message)))
            }
            _ => Event::Timeout {
                node: request.from,
                session: request.wait.session(),
                silent: request.to,
                purpose: request.purpose,
            },
        };
        self.queue.schedule(deadline, event);
    }

    /// Until when the sender of a request waits.
    fn deadline(&self, sent: Instant, wait: Wait) -> Instant {
        match wait.patience {
            0 => sent + self.setup.timeout,
            micros => sent + Duration::from_nanos(1000 * u64::from(micros)),
        }
    }

    /// How `from`, after `number` attempts, waits for an answer of `to`.
    fn wait(&mut self, from: Node, to: Node, number: u32) -> Wait {
        let session = self.state.node_meta[from.index()].session;
        let patience = self.patience(from, to);
        let micros = if patience == self.setup.timeout {
            0
        } else {
            let micros = patience.as_nanos() / 1000;
            u32::try_from(micros).unwrap_or(u32::MAX).max(1)
        };
        Wait::new(session, number, micros)
    }

    /// Sends a request again.
    pub(super) fn request_again(&mut self, (request, message): (Unanswered<P>, P::Message)) {
        let Unanswered { from, to, wait, .. } = request;
        if !self.is_in_session(from, wait.session()) {
            return;
        }
        self.note_silence(from, to);
        self.signal(Signal::SentAgain { from, to });
        let request = DirectMessage::Request {
            message,
            purpose: request.purpose,
            sent: self.state.now,
            wait: self.wait(from, to, wait.number() + 1),
        };
        self.send_direct(from, to, request);
    }

    /// The transport has made a duplicate of `direct`, which arrives after `after`. Of a reply, only
    /// the first one has an effect.
    fn duplicate_direct(
        &mut self,
        after: Duration,
        (from, to): (Node, Node),
        direct: &DirectMessage<P>,
    ) {
        let direct = match direct {
            DirectMessage::Message(message) => DirectMessage::Message(message.clone()),
            DirectMessage::Request {
                message,
                purpose,
                sent,
                wait,
            } => DirectMessage::Request {
                message: message.clone(),
                purpose: *purpose,
                sent: *sent,
                wait: wait.of_duplicate(),
            },
            DirectMessage::Reply { .. } => return,
        };
        self.queue.schedule(
            self.state.now + after,
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
                wait,
            } => {
                if alive && let Some(handle) = P::Lookups::lookup_of(&purpose) {
                    self.count_lookup_step(handle, from, to);
                }
                let is_last = wait.number() >= self.retries();
                let again = (!is_last && !wait.is_duplicate()).then(|| message.clone());
                let mut is_answered = false;
                if alive {
                    let request = self.is_sybil(to).then(|| message.clone());
                    let honest = self.with_node(to, |state, context| {
                        state.on_request(context, from, message)
                    });
                    let answer = match request {
                        Some(request) => self.misbehave_on_request(to, from, &request, honest),
                        None => Some(honest),
                    };
                    if let Some(message) = answer {
                        let reply = DirectMessage::Reply {
                            message,
                            purpose,
                            sent,
                            wait,
                        };
                        is_answered = self.send_direct(to, from, reply);
                    }
                }
                // It is known here whether the answer arrives in time, so only requests that time
                // out need a time-out event.
                if !is_answered {
                    let request = Unanswered {
                        from,
                        to,
                        purpose,
                        wait,
                    };
                    self.await_in_vain(sent, request, again);
                }
            }
            DirectMessage::Reply {
                message,
                purpose,
                sent,
                wait,
            } if self.is_in_session(to, wait.session()) => {
                let time = self.state.now.since(sent);
                if wait.number() == 0 {
                    // It is not known which of several attempts was answered (Karn and Partridge
                    // 1987).
                    self.measure_round_trip(to, from, time);
                }
                let round_trip = self.round_trip(to, from, time);
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
        self.note_silence(node, silent);
        self.signal(Signal::RequestTimedOut {
            from: node,
            to: silent,
        });
        if let Some(id) =
            P::Lookups::lookup_of(&purpose).and_then(|handle| self.router.in_flight.of(handle))
        {
            self.router.in_flight.get_mut(id).timeouts += 1;
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
