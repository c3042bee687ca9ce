//! The simulated network: nodes on hosts, messages with the underlay's latency, requests with
//! time-outs, the execution of plans, and the measurements.
//!
//! * [`Network`] holds the nodes and handles one event after the other. `membership` is joins and
//!   departures, `delivery` the handlers and direct messages of the protocol, `services` the
//!   applications above it.
//! * [`NetworkState`] is what observers see of it; [`observer`] has the signals that they get.
//! * `router`, `iterative` and `route_ends` route a message to the root of a key, for every overlay;
//!   `transmission` and `acknowledgement` have what happens to a message on the transport, `wire` the
//!   distances between hosts.
//! * `limits` ends a run that takes too much memory or time.
//! * [`Tally`] holds the counts; [`oracle`] builds converged networks and checks answers.

mod acknowledgement;
mod clients;
mod delivery;
mod event;
mod iterative;
mod limits;
mod lookups;
mod membership;
pub mod observer;
pub mod oracle;
mod placement;
mod route_ends;
mod routed_message;
mod router;
mod sample;
mod services;
mod state;
mod sybils;
mod tally;
mod timeline;
mod transmission;
mod trial;
mod wire;

pub use observer::{Observer, Signal};
pub use placement::{Placement, place};
pub use router::Travel;
pub use sample::Sample;
pub use state::NetworkState;
pub use sybils::Attack;
pub use tally::{Counts, Tally};
pub use timeline::{Interval, Timeline};
pub use trial::TrialProgress;

use crate::engine::{Duration, EventQueue, Instant, Seed};
use crate::overlay::{AppContext, Application, GroundTruth, Node};
use crate::space::Key;
use crate::transport::Transport;
use crate::underlay::Distances;
use delivery::Handlers;
use event::Event;
use limits::Limits;
use membership::Population;
use observer::Observers;
use routed_message::Payload;
use router::Router;
use services::Services;
use state::NodeMeta;
use std::ops::Deref;
use wire::Wire;

/// Settings of a network, independent of the protocol.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The seed of the nodes' random streams.
    pub seed: Seed,
    /// How a message travels to the root of a key.
    pub travel: Travel,
    /// How long a node waits for an answer.
    pub timeout: Duration,
    /// Whether the initiator of an iterative lookup asks a root named by another node before it ends
    /// the lookup.
    pub ask_root: bool,
}

/// A network of nodes that run protocol `P` and application `A`.
pub struct Network<P: GroundTruth, A: Application = ()> {
    setup: Setup,
    /// The nodes, as observers see them.
    state: NetworkState<P, A>,
    queue: EventQueue<Event<P, A>>,
    handlers: Handlers<P>,
    router: Router<P, A>,
    services: Services<A>,
    wire: Wire,
    population: Population,
    observers: Observers<P, A>,
    limits: Limits,
}

/// Smallest network that prefetches: a run of a million lookups took a tenth less time at 10,000
/// nodes, a sixth at 30,000, a third and more at 100,000 and at a million.
const LARGE: usize = 5_000;

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The whole plan was carried out.
    Done,
    /// It reached the bound on virtual time.
    Time,
    /// It reached the bound on events.
    Events,
    /// No member is left.
    Extinct,
    /// The process exceeded its memory, or the pending events their bound.
    Memory,
    /// It was a trial, and its time is over.
    Trial,
    /// The user has interrupted it.
    Interrupted,
}

impl<P: GroundTruth, A: Application> Deref for Network<P, A> {
    type Target = NetworkState<P, A>;

    fn deref(&self) -> &Self::Target {
        &self.state
    }
}

impl<P: GroundTruth, A: Application<Shared = ()>> Network<P, A> {
    /// A network without nodes, over hosts with `distances`.
    pub fn new(setup: Setup, shared: P::Shared, distances: Distances) -> Self {
        Self::serving(setup, shared, (), distances)
    }
}

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// A network without nodes, over hosts with `distances`; all nodes share `shared`, and all
    /// applications `service`.
    pub fn serving(
        setup: Setup,
        shared: P::Shared,
        service: A::Shared,
        distances: Distances,
    ) -> Self {
        Self {
            population: Population::new(setup.seed),
            setup,
            state: NetworkState::new(shared, service),
            queue: EventQueue::new(),
            handlers: Handlers::default(),
            router: Router::default(),
            services: Services::default(),
            wire: Wire::new(distances),
            observers: Observers::default(),
            limits: Limits::begin(),
        }
    }

    /// How lookups travel.
    pub fn travel(&self) -> Travel {
        self.setup.travel
    }

    /// The counts so far.
    pub fn tally(&self) -> &Tally {
        &self.observers.tally
    }

    /// Measuring begins; with `intervals`, also by intervals of this length until this time.
    pub fn begin_measuring(&mut self, intervals: Option<(Duration, Instant)>) {
        self.signal(Signal::MeasuringBegins);
        if let Some((length, end)) = intervals {
            self.observers.tally.timeline = Timeline::new((self.state.now, end), length);
            self.observers.tally.timeline.watches_ring =
                self.transport().is_some_and(Transport::has_partitions);
            for end in self.observers.tally.timeline.ends() {
                self.queue.schedule(end, Event::Interval);
            }
        }
    }

    /// Measuring ends, and with it the last interval. To be called after the run.
    pub fn end_measuring(&mut self) {
        if self.observers.tally.timeline.is_open() {
            self.signal(Signal::IntervalEnds);
            self.observers.tally.timeline.end(self.state.now);
        }
    }

    /// Routes `message` of the application on `from` to the root of `key`.
    pub fn send(&mut self, from: Node, key: Key, message: A::Message) {
        self.route(from, None, key, Payload::Message(message));
    }

    /// Sets the time that a node needs for each message of the application; it handles them one
    /// after the other.
    pub fn set_service_time(&mut self, service_time: Duration) {
        self.services.time = service_time;
    }

    /// Runs the application on `node`.
    pub fn instruct<R>(
        &mut self,
        node: Node,
        act: impl FnOnce(&mut A, &mut AppContext<'_, A>) -> R,
    ) -> R {
        self.upcall(node, act)
    }

    /// Handles events up to and including `until`; with `drain`, until all planned lookups and the
    /// work of the application are done. Handles at most `max_events` events in the whole run.
    pub fn run(&mut self, until: Instant, drain: bool, max_events: u64) -> End {
        loop {
            if self.population.is_extinct() {
                return End::Extinct;
            }
            if drain
                && self.router.lookups.is_over(self.state.now)
                && self.observers.tally.under_way() == 0
                && self.router.answers_under_way == 0
                && A::is_over(&self.state.metrics)
            {
                return End::Done;
            }
            if self.observers.tally.counts.events >= max_events {
                return End::Events;
            }
            if let Some(end) = self.cut_short() {
                return end;
            }
            match self.queue.pop_before(until) {
                Some((time, event)) => {
                    self.state.now = time;
                    self.signal(Signal::Event);
                    if self.state.node_meta.len() >= LARGE {
                        self.prefetch_next();
                    }
                    self.handle(event);
                }
                None => {
                    self.state.now = until;
                    return if drain { End::Time } else { End::Done };
                }
            }
        }
    }

    /// Prefetches the data of the next events: first the node, some events later its routing table.
    /// In large networks the handling of a message mostly waits for memory. Does not change the
    /// result.
    fn prefetch_next(&self) {
        if let Some(
            Event::Hop { to: node, .. }
            | Event::DirectMessage { to: node, .. }
            | Event::Timer { node, .. },
        ) = self.queue.upcoming(8)
        {
            std::hint::black_box(self.state.nodes[node.index()].prefetch());
        }
        if let Some(Event::Hop { to, routed }) = self.queue.upcoming(3) {
            let key = self.router.in_flight.get(*routed).key;
            std::hint::black_box(self.state.next_hop(*to, &key));
        }
    }

    fn handle(&mut self, event: Event<P, A>) {
        match event {
            Event::Hop { to, routed } => self.arrive(to, routed),
            Event::Bounce { routed } => self.bounce(routed),
            Event::Answer { routed, left } => self.answer(routed, left),
            Event::NextHopReply { routed, next } => self.on_next_hop_reply(routed, next),
            Event::DirectMessage { from, to, direct } => self.on_direct_message(from, to, direct),
            Event::Timeout {
                node,
                session,
                silent,
                purpose,
            } => self.time_out((node, session), silent, purpose),
            Event::RequestAgain(request) => self.request_again(*request),
            Event::Timer {
                node,
                session,
                timer,
            } => {
                if self.is_in_session(node, session) {
                    self.with_node(node, |state, context| state.on_timer(context, timer));
                }
            }
            Event::AppMessage(app_message) => self.on_app_message(app_message),
            Event::AppMessageReturned(app_message) => self.on_app_message_returned(app_message),
            Event::AppTimer {
                node,
                session,
                timer,
            } => {
                if self.is_in_session(node, session) {
                    self.upcall(node, |application, context| {
                        application.on_timer(context, timer);
                    });
                }
            }
            Event::Lookup => self.look_up(),
            Event::Join { id, site } => self.join(id, site),
            Event::Churn => self.churn(),
            Event::Meeting => self.meet(),
            Event::SybilJoin => self.sybil_join(),
            Event::Interval => self.signal(Signal::IntervalEnds),
        }
    }
}
