//! What nodes do, and what they tell each other directly.

use super::Network;
use super::event::{Event, Parcel};
use super::trip::Cargo;
use crate::overlay::{Application, Context, Effect, Index, Node, Omniscient};

impl<P: Omniscient, A: Application> Network<P, A> {
    /// Lets `node` act, and carries out what it wants.
    pub(super) fn turn<R>(
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
        self.index.acted(&self.shared, node, state);
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
            Effect::Send { to, message } => self.post(node, to, Parcel::Message(message)),
            Effect::Request {
                to,
                message,
                purpose,
            } => {
                let request = Parcel::Request {
                    message,
                    purpose,
                    sent: self.now,
                    life: self.seats[node.index()].life,
                };
                self.post(node, to, request);
            }
            Effect::SetTimer { after, timer } => {
                let life = self.seats[node.index()].life;
                self.queue
                    .schedule(self.now + after, Event::Timer { node, life, timer });
            }
            Effect::Route { via, key, query } => self.route(node, via, key, Cargo::Query(query)),
            Effect::Update => self.upcall(node, |application, turn| application.update(turn)),
            Effect::Joined => self.welcome(node),
            Effect::Rejoin => self.join_again(node),
            Effect::Found { search, root } => self.found(search, root),
        }
    }

    /// Sends a parcel straight to another node.
    fn post(&mut self, from: Node, to: Node, parcel: Parcel<P>) {
        let (message, search) = match &parcel {
            Parcel::Message(message) => (message, None),
            Parcel::Request {
                message, purpose, ..
            }
            | Parcel::Reply {
                message, purpose, ..
            } => (message, P::search_of(purpose)),
        };
        let bytes = P::bytes(message);
        let trip = search.and_then(|search| self.trips.of(search));
        let lookup = trip.is_some_and(|id| matches!(self.trips.get(id).cargo, Cargo::Lookup));
        let answer = matches!(parcel, Parcel::Reply { .. });
        self.count_message(bytes, lookup);
        let path = self.path(from, to);
        if let Some(recorder) = &mut self.recorder {
            recorder.carried(self.now, trip, (from, to), path.latency, answer);
        }
        self.queue
            .schedule(self.now + path.latency, Event::Parcel { from, to, parcel });
    }

    /// Counts a message of `bytes` bytes, which serves a lookup of the workload or not.
    pub(super) fn count_message(&mut self, bytes: u32, lookup: bool) {
        let counts = &mut self.tally.counts;
        counts.messages += 1;
        counts.bytes += u64::from(bytes);
        if lookup {
            counts.lookup_messages += 1;
            counts.lookup_bytes += u64::from(bytes);
        }
    }

    pub(super) fn unpack(&mut self, from: Node, to: Node, parcel: Parcel<P>) {
        let alive = self.is_alive(to);
        match parcel {
            Parcel::Message(message) if alive => {
                self.turn(to, |state, context| {
                    state.on_message(context, from, message);
                });
            }
            Parcel::Request {
                message,
                purpose,
                sent,
                life,
            } => {
                if alive && let Some(search) = P::search_of(&purpose) {
                    self.step_of_search(search, from, to);
                }
                let request = self.is_sybil(to).then(|| message.clone());
                // Whether an answer will come in time is known here, so that only requests
                // that time out cost an event for it.
                let deadline = sent + self.setup.timeout;
                let mut in_time = alive && self.now + self.path(to, from).latency <= deadline;
                if alive {
                    let honest = self.turn(to, |state, context| {
                        state.on_request(context, from, message)
                    });
                    let answer = match request {
                        Some(request) => self.betray_request(to, from, &request, honest),
                        None => Some(honest),
                    };
                    match answer {
                        Some(message) if in_time => {
                            let reply = Parcel::Reply {
                                message,
                                purpose,
                                sent,
                                life,
                            };
                            self.post(to, from, reply);
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
                        life,
                        silent: to,
                        purpose,
                    };
                    self.queue.schedule(deadline.max(self.now), silent);
                }
            }
            Parcel::Reply {
                message,
                purpose,
                sent,
                life,
            } if self.lives(to, life) => {
                let round_trip = self.now.since(sent);
                self.turn(to, |state, context| {
                    state.on_reply(context, from, purpose, message, round_trip);
                });
            }
            Parcel::Message(_) | Parcel::Reply { .. } => {}
        }
    }

    /// No answer came to a request of `node`.
    pub(super) fn time_out(&mut self, (node, life): (Node, u32), silent: Node, purpose: P::Timer) {
        if !self.lives(node, life) {
            return;
        }
        if let Some(id) = P::search_of(&purpose).and_then(|search| self.trips.of(search)) {
            self.trips.get_mut(id).timeouts += 1;
            if let Some(recorder) = &mut self.recorder {
                recorder.timed_out(self.now, id, node, silent);
            }
        }
        self.turn(node, |state, context| {
            state.on_timeout(context, silent, Some(purpose));
        });
    }
}
