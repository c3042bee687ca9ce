//! The world: hosts that run nodes, messages delivered after the underlay's latency,
//! requests with time-outs, plans carried out, everything counted.
//!
//! * [`Network`] holds the nodes and handles one event after the other; `membership` is their
//!   coming and going, `delivery` what they do and tell each other, `services` what the
//!   applications above them do.
//! * `recording` takes down what happens, where somebody wants to watch.
//! * `router` is the way of a message to the root of a key, the same for every overlay.
//! * [`Tally`] is what was counted; [`oracle`] builds converged networks and judges answers.

mod delivery;
mod event;
mod lookups;
mod membership;
pub mod oracle;
mod placement;
mod recording;
mod routed_message;
mod router;
mod sample;
mod services;
mod sybils;
mod tally;
mod timeline;
mod trial;

pub use placement::{Placement, place};
pub use recording::{MOST_EVENTS, MOST_NODES};
pub use router::Travel;
pub use sample::Sample;
pub use sybils::Attack;
pub use tally::{Counts, Tally};
pub use timeline::{Interval, Timeline};
pub use trial::TrialProgress;

use crate::engine::memory::MemoryWatch;
use crate::engine::{Duration, EventQueue, Instant, Seed, Stream};
use crate::overlay::{
    Action, AppContext, Application, Effect, GroundTruth, MemberIndex, Node, NodeIds,
};
use crate::space::Key;
use crate::underlay::{Distances, Slot};
use event::Event;
use lookups::Lookups;
use membership::Population;
use recording::Recorder;
use routed_message::{Payload, RoutedMessages};
use sybils::Sybils;
use trial::TrialClock;

/// What a network is made with, whatever its protocol.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The seed from which nodes have their streams.
    pub seed: Seed,
    /// How messages travel to the root of a key.
    pub travel: Travel,
    /// How long a node waits for an answer.
    pub timeout: Duration,
    /// Whether the initiator of an iterative lookup asks the root that another node has named, before
    /// the lookup is over.
    pub ask_root: bool,
}

/// A network of nodes that speak protocol `P` and run application `A`.
pub struct Network<P: GroundTruth, A: Application = ()> {
    setup: Setup,
    shared: P::Shared,
    distances: Distances,
    queue: EventQueue<Event<P, A>>,
    now: Instant,
    ids: NodeIds,
    nodes: Vec<P>,
    applications: Vec<A>,
    service: A::Shared,
    metrics: A::Metrics,
    node_meta: Vec<NodeMeta>,
    random: Vec<Stream>,
    member_index: MemberIndex,
    index: P::Index,
    in_flight: RoutedMessages<P, A>,
    lookups: Lookups,
    population: Population,
    sybils: Option<Box<Sybils>>,
    /// Whether, and how far, what happens is taken down.
    recorder: Option<Box<Recorder>>,
    tally: Tally,
    effects: Vec<Effect<P>>,
    actions: Vec<Action<A>>,
    /// How long a node handles a message of the application.
    service_time: Duration,
    /// Until when nodes handle those that have come; empty unless that takes time.
    busy: Vec<Instant>,
    memory: MemoryWatch,
    trial: Option<Box<TrialClock>>,
}

/// What every message to a node has to know of it, in one place.
#[derive(Clone, Copy, Debug)]
struct NodeMeta {
    /// Where the distances of its host are kept.
    slot: Slot,
    /// Which site that is.
    site: u32,
    alive: bool,
    /// It has its place: lookups start there, and it may be the root of keys.
    member: bool,
    /// It belongs to the adversary.
    sybil: bool,
    /// How often it has stopped: one that comes back under its old address begins another life.
    session: u32,
}

/// Nodes from which on looking ahead pays: a run of a million lookups took a tenth less time at
/// 10,000 nodes, a sixth at 30,000, a third and more at 100,000 and at a million.
const LARGE: usize = 5_000;

/// Events from one look at the memory that the process takes to the next: a look costs as much as
/// a hundred events.
const EVENTS_A_LOOK: u64 = 1 << 14;

/// Pending events from which on a run ends as if memory were short: the queue holds 2^28.
const MOST_PENDING: usize = (1 << 28) - (1 << 22);

/// Events from one look at the clock to the next in a trial.
const EVENTS_A_LOOK_OF_A_TRIAL: u64 = 1 << 6;

/// Why a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All that was planned is done.
    Done,
    /// The bound on virtual time was reached.
    Time,
    /// The bound on events was reached.
    Events,
    /// Nobody is left.
    Extinct,
    /// The process took more memory than it may, or more events were pending than fit.
    Memory,
    /// It was a trial, and its time is over.
    Trial,
}

impl<P: GroundTruth, A: Application<Shared = ()>> Network<P, A> {
    /// A network without nodes, over hosts whose distances are `distances`.
    pub fn new(setup: Setup, shared: P::Shared, distances: Distances) -> Self {
        Self::serving(setup, shared, (), distances)
    }
}

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// A network without nodes, over hosts whose distances are `distances`; all nodes share
    /// `shared`, and all applications `service`.
    pub fn serving(
        setup: Setup,
        shared: P::Shared,
        service: A::Shared,
        distances: Distances,
    ) -> Self {
        Self {
            population: Population::new(setup.seed),
            setup,
            shared,
            distances,
            queue: EventQueue::new(),
            now: Instant::START,
            ids: NodeIds::default(),
            nodes: Vec::new(),
            applications: Vec::new(),
            service,
            metrics: A::Metrics::default(),
            node_meta: Vec::new(),
            random: Vec::new(),
            member_index: MemberIndex::default(),
            index: P::Index::default(),
            in_flight: RoutedMessages::default(),
            lookups: Lookups::default(),
            sybils: None,
            recorder: None,
            tally: Tally::default(),
            effects: Vec::new(),
            actions: Vec::new(),
            service_time: Duration::ZERO,
            busy: Vec::new(),
            memory: MemoryWatch::begin(),
            trial: None,
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

    /// What all applications share.
    pub fn service(&self) -> &A::Shared {
        &self.service
    }

    /// What was written down about the applications.
    pub fn metrics(&self) -> &A::Metrics {
        &self.metrics
    }

    /// What all nodes share.
    pub fn shared(&self) -> &P::Shared {
        &self.shared
    }

    /// The IDs of all nodes.
    pub fn ids(&self) -> &NodeIds {
        &self.ids
    }

    /// The living members.
    pub fn members(&self) -> &[Node] {
        self.member_index.nodes()
    }

    /// What was counted so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The way from one node to another through the underlay.
    pub fn path(&mut self, from: Node, to: Node) -> crate::underlay::Path {
        let slot = |node: Node| self.node_meta[node.index()].slot;
        let (from, to) = (slot(from), slot(to));
        self.distances.between(from, to)
    }

    /// Whether `node` has its place in the network.
    pub fn is_member(&self, node: Node) -> bool {
        self.node_meta[node.index()].member
    }

    /// Whether `node` runs: as a member, or about to join.
    pub fn is_alive(&self, node: Node) -> bool {
        self.node_meta[node.index()].alive
    }

    /// Whether `node` runs, and still in its life `session`.
    fn is_in_session(&self, node: Node, session: u32) -> bool {
        let meta = &self.node_meta[node.index()];
        meta.alive && meta.session == session
    }

    /// Whether `node` takes messages for keys and those of the service. One that is back and has not
    /// its place yet knows nothing of what others still send it.
    fn takes_messages(&self, node: Node) -> bool {
        let meta = &self.node_meta[node.index()];
        meta.alive && (meta.member || meta.session == 0)
    }

    /// Makes `links` the different peers that `node` knows, ascending.
    pub fn links(&self, node: Node, links: &mut Vec<Node>) {
        links.clear();
        self.node(node).each_peer(&mut |peer| links.push(peer));
        links.sort_unstable();
        links.dedup();
    }

    /// From now on it is measured; with `intervals` also by intervals of such a length until then.
    pub fn begin_measuring(&mut self, intervals: Option<(Duration, Instant)>) {
        self.tally.begin(self.now);
        if let Some(recorder) = &mut self.recorder {
            recorder.measuring(self.now);
        }
        if let Some((length, end)) = intervals {
            self.tally.timeline = Timeline::new((self.now, end), length);
            for end in self.tally.timeline.ends() {
                self.queue.schedule(end, Event::Interval);
            }
        }
    }

    /// Nothing is measured any more: the last interval ends. To be called once the run is over.
    pub fn end_measuring(&mut self) {
        if self.tally.timeline.is_open() {
            let state = self.interval_end();
            self.tally.timeline.stop(self.now, state);
        }
    }

    /// What an interval that ends now is told of the network.
    fn interval_end(&self) -> impl FnOnce(&mut Interval) + use<P, A> {
        let (members, sybils) = (self.member_index.nodes().len(), self.sybils().len());
        let occlusion = self.sybils.as_ref().map(|_| self.occluded_links());
        let (links, occluded) = occlusion.unwrap_or_default();
        move |interval| {
            interval.members = members as u64;
            interval.sybils = sybils as u64;
            interval.links = links;
            interval.occluded_links = occluded;
        }
    }

    /// Sends `message` of the application on `from` to the root of `key`.
    pub fn send(&mut self, from: Node, key: Key, message: A::Message) {
        self.route(from, None, key, Payload::Message(message));
    }

    /// From now on a node takes `service_time` for each message of the application that reaches it,
    /// one after the other.
    pub fn set_service_time(&mut self, service_time: Duration) {
        self.service_time = service_time;
    }

    /// Lets the application on `node` act.
    pub fn instruct<R>(
        &mut self,
        node: Node,
        act: impl FnOnce(&mut A, &mut AppContext<'_, A>) -> R,
    ) -> R {
        self.upcall(node, act)
    }

    /// From now on a run is a trial, which ends when `budget` is over in the time of the machine.
    pub fn begin_trial(&mut self, budget: std::time::Duration) {
        self.trial = Some(Box::new(TrialClock::new(budget)));
    }

    /// Where the trial was when half of its time was over, and where it is now.
    pub fn trial_moments(&self) -> Option<(Option<TrialProgress>, TrialProgress)> {
        let trial = self.trial.as_ref()?;
        let now = (self.now.as_secs_f64(), self.distances.rows().0);
        Some((trial.middle, trial.moment(now)))
    }

    /// How many rows of distances are computed, and how many there can be.
    pub fn distance_rows(&self) -> (usize, usize) {
        self.distances.rows()
    }

    /// Computes a row of distances that is not there yet; false if all are.
    pub fn compute_distances(&mut self) -> bool {
        self.distances.compute_next()
    }

    /// Why the run has to end before its plan does, if it has to. Looks now and then.
    fn cut_short(&mut self) -> Option<End> {
        let events = self.tally.counts.events;
        if events.is_multiple_of(EVENTS_A_LOOK)
            && (self.queue.len() > MOST_PENDING || self.memory.is_over())
        {
            return Some(End::Memory);
        }
        let trial = self.trial.as_mut()?;
        if !events.is_multiple_of(EVENTS_A_LOOK_OF_A_TRIAL) {
            return None;
        }
        let at = || (self.now.as_secs_f64(), self.distances.rows().0);
        trial.is_over(at).then_some(End::Trial)
    }

    /// Handles events up to and including `until`, or until all planned lookups and the work of
    /// the application are done if `drain` is set, and at most `max_events` of them in the whole run.
    pub fn run(&mut self, until: Instant, drain: bool, max_events: u64) -> End {
        loop {
            if self.population.is_extinct() {
                return End::Extinct;
            }
            if drain
                && self.lookups.is_over(self.now)
                && self.tally.under_way() == 0
                && A::is_over(&self.metrics)
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
                    self.now = time;
                    self.tally.counts.events += 1;
                    if self.node_meta.len() >= LARGE {
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
            std::hint::black_box(self.nodes[to.index()].prefetch());
        }
        if let Some(Event::Hop { to, routed }) = self.queue.upcoming(3) {
            let key = self.in_flight.get(*routed).key;
            std::hint::black_box(self.next_hop(*to, &key));
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
            Event::AppMessageReturned(app_message) => self.on_app_message_returned(*app_message),
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
            Event::SybilJoin => self.sybil_join(),
            Event::Interval => {
                let state = self.interval_end();
                self.tally.timeline.close(state);
            }
        }
    }
}
