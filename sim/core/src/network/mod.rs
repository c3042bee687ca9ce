//! The simulated network: nodes on hosts, messages with the underlay's latency, requests with
//! time-outs, the execution of plans, and the measurements.
//!
//! * [`Network`] holds the nodes and handles one event after the other. `membership` is joins and
//!   departures, `delivery` the handlers and direct messages of the protocol, `services` the
//!   applications above it.
//! * [`NetworkState`] is what observers see of it; [`observer`] has the signals that they get.
//! * `router` and `route_ends` route a message to the root of a key, for every overlay;
//!   `transmission` and `acknowledgement` have what happens to a message on the transport.
//! * [`Tally`] holds the counts; [`oracle`] builds converged networks and checks answers.

mod acknowledgement;
mod clients;
mod delivery;
mod event;
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

pub use observer::{Observer, Signal};
pub use placement::{Placement, place};
pub use router::Travel;
pub use sample::Sample;
pub use state::NetworkState;
pub use sybils::Attack;
pub use tally::{Counts, Tally};
pub use timeline::{Interval, Timeline};
pub use trial::TrialProgress;

use crate::engine::interruption;
use crate::engine::memory::MemoryWatch;
use crate::engine::{Duration, EventQueue, Instant, Seed, Stream};
use crate::overlay::{
    Action, AppContext, Application, Effect, GroundTruth, Metric, Node, RoundTrip,
};
use crate::space::Key;
use crate::transport::Transport;
use crate::underlay::Distances;
use clients::Clients;
use event::Event;
use lookups::Lookups;
use membership::Population;
use observer::Observers;
use routed_message::{Payload, RoutedMessages};
use state::NodeMeta;
use std::ops::Deref;
use trial::TrialClock;

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
    state: NetworkState<P, A>,
    distances: Distances,
    /// What exchanges measure.
    metric: Metric,
    transport: Option<Box<Transport>>,
    /// The costs between hosts, if the underlay has them.
    costs: Option<Distances>,
    queue: EventQueue<Event<P, A>>,
    random: Vec<Stream>,
    in_flight: RoutedMessages<P, A>,
    lookups: Lookups,
    population: Population,
    clients: Clients,
    tally: Tally,
    observers: Observers<P, A>,
    effects: Vec<Effect<P>>,
    actions: Vec<Action<A>>,
    /// Service time of a message of the application at a node.
    service_time: Duration,
    /// Until when each node is busy with earlier messages; empty without service time.
    busy: Vec<Instant>,
    /// Answers of lookups that are waited for: only with a transport.
    answers_under_way: u64,
    memory: MemoryWatch,
    trial: Option<Box<TrialClock>>,
}

/// Smallest network that prefetches: a run of a million lookups took a tenth less time at 10,000
/// nodes, a sixth at 30,000, a third and more at 100,000 and at a million.
const LARGE: usize = 5_000;

/// Events between two checks of the memory of the process: a check costs as much as a hundred
/// events.
const EVENTS_A_LOOK: u64 = 1 << 14;

/// Pending events at which a run ends as short of memory: the queue holds 2^28.
const MOST_PENDING: usize = (1 << 28) - (1 << 22);

/// Events between two checks of the clock in a trial.
const EVENTS_A_LOOK_OF_A_TRIAL: u64 = 1 << 6;

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
    /// The user does not wait for it.
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
            clients: Clients::new(setup.seed),
            setup,
            state: NetworkState::new(shared, service),
            distances,
            transport: None,
            metric: Metric::Latency,
            costs: None,
            queue: EventQueue::new(),
            random: Vec::new(),
            in_flight: RoutedMessages::default(),
            lookups: Lookups::default(),
            tally: Tally::default(),
            observers: Vec::new(),
            effects: Vec::new(),
            actions: Vec::new(),
            service_time: Duration::ZERO,
            busy: Vec::new(),
            answers_under_way: 0,
            memory: MemoryWatch::begin(),
            trial: None,
        }
    }

    /// How lookups travel.
    pub fn travel(&self) -> Travel {
        self.setup.travel
    }

    /// The counts so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The underlay path from one node to another.
    pub fn path(&mut self, from: Node, to: Node) -> crate::underlay::Path {
        let slot = |node: Node| self.state.node_meta[node.index()].slot;
        let (from, to) = (slot(from), slot(to));
        self.distances.between(from, to)
    }

    /// From now on exchanges measure `metric`. `costs` are the costs between the sites of the distances, in
    /// the same order, as latencies of one millisecond each.
    pub fn measure_by(&mut self, metric: Metric, costs: Option<Distances>) {
        (self.metric, self.costs) = (metric, costs);
    }

    /// The cost between the hosts of two nodes; `None` without costs.
    pub fn cost(&mut self, from: Node, to: Node) -> Option<f64> {
        let slot = |node: Node| self.state.node_meta[node.index()].slot;
        let (from, to) = (slot(from), slot(to));
        let costs = self.costs.as_mut()?;
        Some(costs.between(from, to).latency.as_millis_f64())
    }

    /// What an exchange of `time` between two nodes has measured.
    fn round_trip(&mut self, from: Node, to: Node, time: Duration) -> RoundTrip {
        let distance = match self.metric {
            Metric::Latency => time.as_secs_f64() / 2.0,
            Metric::Hops => self.path(from, to).hops.into(),
            Metric::Cost => self.cost(from, to).unwrap_or(0.0),
        };
        RoundTrip { time, distance }
    }

    /// Measuring begins; with `intervals`, also by intervals of this length until this time.
    pub fn begin_measuring(&mut self, intervals: Option<(Duration, Instant)>) {
        self.signal(Signal::MeasuringBegins);
        if let Some((length, end)) = intervals {
            self.tally.timeline = Timeline::new((self.state.now, end), length);
            self.tally.timeline.watches_ring =
                self.transport().is_some_and(Transport::has_partitions);
            for end in self.tally.timeline.ends() {
                self.queue.schedule(end, Event::Interval);
            }
        }
    }

    /// Measuring ends, and with it the last interval. To be called after the run.
    pub fn end_measuring(&mut self) {
        if self.tally.timeline.is_open() {
            self.signal(Signal::IntervalEnds);
            self.tally.timeline.end(self.state.now);
        }
    }

    /// Routes `message` of the application on `from` to the root of `key`.
    pub fn send(&mut self, from: Node, key: Key, message: A::Message) {
        self.route(from, None, key, Payload::Message(message));
    }

    /// Sets the time that a node needs for each message of the application; it handles them one
    /// after the other.
    pub fn set_service_time(&mut self, service_time: Duration) {
        self.service_time = service_time;
    }

    /// Runs the application on `node`.
    pub fn instruct<R>(
        &mut self,
        node: Node,
        act: impl FnOnce(&mut A, &mut AppContext<'_, A>) -> R,
    ) -> R {
        self.upcall(node, act)
    }

    /// Makes the run a trial, which ends after `budget` of processor time.
    pub fn begin_trial(&mut self, budget: std::time::Duration) {
        self.trial = Some(Box::new(TrialClock::new(budget)));
    }

    /// Progress of the trial when half of its time was over, and now.
    pub fn trial_moments(&self) -> Option<(Option<TrialProgress>, TrialProgress)> {
        let trial = self.trial.as_ref()?;
        let now = (self.state.now.as_secs_f64(), self.distances.rows().0);
        Some((trial.middle, trial.moment(now)))
    }

    /// How much of the distances is computed, and how much there can be: see [`Distances::rows`].
    pub fn distance_rows(&self) -> (usize, usize) {
        self.distances.rows()
    }

    /// Computes a missing row of distances, or what replaces rows; false if nothing is missing.
    pub fn compute_distances(&mut self) -> bool {
        self.distances.compute_next()
    }

    /// Why the run has to end early, if it has to. Checks from time to time.
    fn cut_short(&mut self) -> Option<End> {
        let events = self.tally.counts.events;
        if events.is_multiple_of(EVENTS_A_LOOK) {
            if interruption::is_requested() {
                return Some(End::Interrupted);
            }
            if self.queue.len() > MOST_PENDING || self.memory.is_over() {
                return Some(End::Memory);
            }
        }
        let trial = self.trial.as_mut()?;
        if !events.is_multiple_of(EVENTS_A_LOOK_OF_A_TRIAL) {
            return None;
        }
        let at = || (self.state.now.as_secs_f64(), self.distances.rows().0);
        trial.is_over(at).then_some(End::Trial)
    }

    /// Handles events up to and including `until`; with `drain`, until all planned lookups and the
    /// work of the application are done. Handles at most `max_events` events in the whole run.
    pub fn run(&mut self, until: Instant, drain: bool, max_events: u64) -> End {
        loop {
            if self.population.is_extinct() {
                return End::Extinct;
            }
            if drain
                && self.lookups.is_over(self.state.now)
                && self.tally.under_way() == 0
                && self.answers_under_way == 0
                && A::is_over(&self.state.metrics)
            {
                return End::Done;
            }
            if self.tally.counts.events >= max_events {
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
            let key = self.in_flight.get(*routed).key;
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
