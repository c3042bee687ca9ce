//! The world: hosts that run nodes, messages delivered after the underlay's latency,
//! requests with time-outs, plans carried out, everything counted.
//!
//! * [`Network`] holds the nodes and handles one event after the other.
//! * `router` is the way of a message to the root of a key, the same for every overlay.
//! * [`Tally`] is what was counted; [`oracle`] builds converged networks and judges answers.

mod event;
pub mod oracle;
mod placement;
mod router;
mod tally;
mod trip;

pub use placement::{Placement, place};
pub use router::Travel;
pub use tally::{Counts, Tally};

use crate::engine::{EventQueue, Instant, Seed, Span, Stream};
use crate::overlay::{Application, Census, Context, Effect, Identities, Node, Omniscient, Turn};
use crate::space::Key;
use crate::underlay::{Distances, Slot};
use crate::workload::{Lookup, LookupPlan};
use event::{Event, Parcel};
use trip::{Cargo, Trips};

/// What a network is made with, whatever its protocol.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The seed from which nodes have their streams.
    pub seed: Seed,
    /// How messages travel to the root of a key.
    pub travel: Travel,
    /// How long a node waits for an answer.
    pub timeout: Span,
}

/// A network of nodes that speak protocol `P` and run application `A`.
pub struct Network<P: Omniscient, A: Application = ()> {
    setup: Setup,
    shared: P::Shared,
    distances: Distances,
    queue: EventQueue<Event<P>>,
    now: Instant,
    ids: Identities,
    nodes: Vec<P>,
    applications: Vec<A>,
    seats: Vec<Seat>,
    random: Vec<Stream>,
    census: Census,
    trips: Trips<P, A>,
    plan: Option<LookupPlan>,
    planned: Option<Lookup>,
    joins: Stream,
    tally: Tally,
    effects: Vec<Effect<P>>,
    outbox: Vec<(Key, A::Message)>,
}

/// What every message to a node has to know of it, in one place.
#[derive(Clone, Copy, Debug)]
struct Seat {
    /// Where the distances of its host are kept.
    slot: Slot,
    alive: bool,
}

/// Nodes from which on looking ahead pays: a run of a million lookups took a tenth less time at
/// 10,000 nodes, a sixth at 30,000, a third and more at 100,000 and at a million.
const LARGE: usize = 5_000;

/// Why a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All that was planned is done.
    Done,
    /// The bound on virtual time was reached.
    Time,
    /// The bound on events was reached.
    Events,
}

impl<P: Omniscient, A: Application> Network<P, A> {
    /// A network without nodes, over hosts whose distances are `distances`.
    pub fn new(setup: Setup, shared: P::Shared, distances: Distances) -> Self {
        let joins = setup.seed.stream("bootstrap", 0);
        Self {
            setup,
            shared,
            distances,
            queue: EventQueue::new(),
            now: Instant::START,
            ids: Identities::default(),
            nodes: Vec::new(),
            applications: Vec::new(),
            seats: Vec::new(),
            random: Vec::new(),
            census: Census::default(),
            trips: Trips::default(),
            plan: None,
            planned: None,
            joins,
            tally: Tally::default(),
            effects: Vec::new(),
            outbox: Vec::new(),
        }
    }

    /// The virtual time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The state of `node`.
    pub fn node(&self, node: Node) -> &P {
        &self.nodes[node.index()]
    }

    /// The application on `node`.
    pub fn application(&self, node: Node) -> &A {
        &self.applications[node.index()]
    }

    /// What all nodes share.
    pub fn shared(&self) -> &P::Shared {
        &self.shared
    }

    /// The IDs of all nodes.
    pub fn ids(&self) -> &Identities {
        &self.ids
    }

    /// The living members.
    pub fn members(&self) -> &[Node] {
        self.census.nodes()
    }

    /// What was counted so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The way from one node to another through the underlay.
    pub fn path(&mut self, from: Node, to: Node) -> crate::underlay::Path {
        let slot = |node: Node| self.seats[node.index()].slot;
        let (from, to) = (slot(from), slot(to));
        self.distances.between(from, to)
    }

    /// Whether `node` is a member.
    pub fn is_alive(&self, node: Node) -> bool {
        self.seats[node.index()].alive
    }

    /// A node with `id` on `site` comes at `time` and joins through a random member.
    pub fn join_at(&mut self, time: Instant, id: Key, site: u32) {
        self.queue.schedule(time, Event::Join { id, site });
    }

    /// `node` stops at once and tells nobody.
    pub fn crash(&mut self, node: Node) {
        if std::mem::replace(&mut self.seats[node.index()].alive, false) {
            self.census.remove(&self.ids.id(node), node);
        }
    }

    /// Takes `plan` as what is to be looked up.
    pub fn plan_lookups(&mut self, plan: LookupPlan) {
        self.plan = Some(plan);
        self.plan_next_lookup();
    }

    /// Sends `message` of the application on `from` to the root of `key`.
    pub fn send(&mut self, from: Node, key: Key, message: A::Message) {
        self.route(from, None, key, Cargo::Message(message));
    }

    /// Handles events up to and including `until`, or until all planned lookups are done if
    /// `drain` is set, and at most `max_events` of them in the whole run.
    pub fn run(&mut self, until: Instant, drain: bool, max_events: u64) -> End {
        loop {
            if drain && self.planned.is_none() && self.tally.under_way() == 0 {
                return End::Done;
            }
            if self.tally.counts.events >= max_events {
                return End::Events;
            }
            match self.queue.pop_before(until) {
                Some((time, event)) => {
                    self.now = time;
                    self.tally.counts.events += 1;
                    if self.seats.len() >= LARGE {
                        self.look_ahead();
                    }
                    self.handle(event);
                }
                None => {
                    self.now = until;
                    return if drain { End::Time } else { End::Done };
                }
            }
        }
    }

    /// Fetches what the next events will read while this one is handled: first the node, some
    /// events later its table. In large networks a message is little else than waiting for
    /// memory. Changes nothing.
    fn look_ahead(&self) {
        if let Some(Event::Hop { to, .. }) = self.queue.upcoming(8) {
            std::hint::black_box(self.nodes[to.index()].touch());
        }
        if let Some(Event::Hop { to, trip }) = self.queue.upcoming(3) {
            let key = self.trips.get(*trip).key;
            std::hint::black_box(self.next_hop(*to, &key));
        }
    }

    fn handle(&mut self, event: Event<P>) {
        match event {
            Event::Hop { to, trip } => self.arrive(to, trip),
            Event::Bounce { trip } => self.bounce(trip),
            Event::Answer { trip, left } => self.answer(trip, left),
            Event::Verdict { trip, next } => self.learn_next(trip, next),
            Event::Parcel { from, to, parcel } => self.unpack(from, to, parcel),
            Event::Timeout {
                node,
                silent,
                purpose,
            } => {
                if self.is_alive(node) {
                    self.turn(node, |state, context| {
                        state.on_timeout(context, silent, Some(purpose));
                    });
                }
            }
            Event::Timer { node, timer } => {
                if self.is_alive(node) {
                    self.turn(node, |state, context| state.on_timer(context, timer));
                }
            }
            Event::Lookup => self.look_up(),
            Event::Join { id, site } => self.join(id, site),
        }
    }

    /// Makes a node of `state`; it is a member from now on.
    fn settle(&mut self, id: Key, site: u32, state: P) -> Node {
        let node = self.add(id, site, state);
        self.census.insert(id, node);
        node
    }

    /// Makes a node of `state` without counting it among the members.
    fn add(&mut self, id: Key, site: u32, state: P) -> Node {
        let node = self.ids.add(id);
        let index = u64::from(node.0);
        self.nodes.push(state);
        self.applications
            .push(A::new(node, self.setup.seed.stream("application", index)));
        let slot = self.distances.slot(site);
        self.seats.push(Seat { slot, alive: true });
        self.random.push(self.setup.seed.stream("node", index));
        node
    }

    fn join(&mut self, id: Key, site: u32) {
        let members = self.census.nodes();
        let bootstrap = (!members.is_empty()).then(|| members[self.joins.index(members.len())]);
        let node = self.settle(id, site, P::newcomer(&self.shared, &id));
        self.turn(node, |state, context| state.join(context, bootstrap));
    }

    fn plan_next_lookup(&mut self) {
        self.planned = self.plan.as_mut().and_then(Iterator::next);
        if let Some(lookup) = self.planned {
            self.queue.schedule(lookup.time, Event::Lookup);
        }
    }

    fn look_up(&mut self) {
        let Some(lookup) = self.planned else {
            return;
        };
        let members = self.census.nodes();
        self.tally.counts.lookups += 1;
        // The high bits choose, so that a draw picks alike in networks of like size.
        let place = (u128::from(lookup.source) * members.len() as u128) >> 64;
        if let Some(source) = members.get(place as usize) {
            self.route(*source, None, lookup.key, Cargo::Lookup);
        } else {
            self.tally.counts.failed += 1;
        }
        self.plan_next_lookup();
    }

    /// Lets `node` act, and carries out what it wants.
    fn turn<R>(&mut self, node: Node, act: impl FnOnce(&mut P, &mut Context<'_, P>) -> R) -> R {
        let mut effects = std::mem::take(&mut self.effects);
        let mut context = Context {
            now: self.now,
            me: node,
            shared: &self.shared,
            ids: &self.ids,
            random: &mut self.random[node.index()],
            effects: &mut effects,
        };
        let result = act(&mut self.nodes[node.index()], &mut context);
        for effect in effects.drain(..) {
            self.carry_out(node, effect);
        }
        self.effects = effects;
        result
    }

    /// Makes an upcall to the application on `node`, and routes what it sends.
    fn upcall<R>(&mut self, node: Node, call: impl FnOnce(&mut A, Turn<'_, A>) -> R) -> R {
        let mut out = std::mem::take(&mut self.outbox);
        let turn = Turn {
            now: self.now,
            me: node,
            out: &mut out,
        };
        let result = call(&mut self.applications[node.index()], turn);
        for (key, message) in out.drain(..) {
            self.route(node, None, key, Cargo::Message(message));
        }
        self.outbox = out;
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
                let sent = self.now;
                self.post(
                    node,
                    to,
                    Parcel::Request {
                        message,
                        purpose,
                        sent,
                    },
                );
            }
            Effect::SetTimer { after, timer } => {
                self.queue
                    .schedule(self.now + after, Event::Timer { node, timer });
            }
            Effect::Route { via, key, query } => self.route(node, via, key, Cargo::Query(query)),
            Effect::Update => self.upcall(node, |application, turn| application.update(turn)),
        }
    }

    /// Sends a parcel straight to another node.
    fn post(&mut self, from: Node, to: Node, parcel: Parcel<P>) {
        self.tally.counts.messages += 1;
        let path = self.path(from, to);
        self.queue
            .schedule(self.now + path.latency, Event::Parcel { from, to, parcel });
    }

    fn unpack(&mut self, from: Node, to: Node, parcel: Parcel<P>) {
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
            } => {
                // Whether an answer will come in time is known here, so that only requests
                // that time out cost an event for it.
                let deadline = sent + self.setup.timeout;
                let in_time = alive && self.now + self.path(to, from).latency <= deadline;
                if alive {
                    let message = self.turn(to, |state, context| {
                        state.on_request(context, from, message)
                    });
                    if in_time {
                        self.post(
                            to,
                            from,
                            Parcel::Reply {
                                message,
                                purpose,
                                sent,
                            },
                        );
                    } else {
                        self.tally.counts.messages += 1;
                    }
                }
                if !in_time {
                    let silent = Event::Timeout {
                        node: from,
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
            } if alive => {
                let round_trip = self.now.since(sent);
                self.turn(to, |state, context| {
                    state.on_reply(context, from, purpose, message, round_trip);
                });
            }
            Parcel::Message(_) | Parcel::Reply { .. } => {}
        }
    }
}
