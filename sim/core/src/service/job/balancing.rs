//! Autonomous load balancing: a node adjusts its own load by Sybils of its own, which take over a
//! part of the key space and its atoms from other nodes.
//!
//! Rosen, "Towards a framework for DHT distributed computing" (dissertation, Georgia State
//! University 2016), chapter on autonomous load balancing, by messages: a node asks for what it
//! knows at once in the tick model of `experiment = "balance"`, a join takes the time of the
//! protocol, and replication moves atoms. Where the source is ambiguous, this follows that model:
//! the load of a node is that of its host with all Sybils; a node without work dismisses its
//! Sybils; neighbour injection takes the largest gap.
//!
//! "strength-aware" is a strategy of this project, after the dissertation's future work (strategies that know
//! the strength of nodes); "virtual-nodes" are those of Chord (Stoica et al., SIGCOMM 2001) and CFS.
//!
//! On overlays without a ring the neighbours of a node are those that would take over its keys, and a
//! node does not know what part of the space a neighbour has. There a loaded node names the key of one
//! of its open atoms, the middle one, and the Sybil takes it as its ID. This is an addition to the source.

use super::colocated::LocalMessage;
use super::{JobContext, Message, Shared, Timer, Worker};
use crate::engine::{Duration, Instant};
use crate::overlay::Node;
use crate::space::Key;

crate::choices! {
    /// The load-balancing strategy.
    pub enum BalancingStrategy {
        /// No balancing.
        None = "none",
        /// An underloaded node creates a Sybil at a random ID.
        RandomInjection = "random-injection",
        /// An underloaded node creates a Sybil in the largest gap among its next successors; needs a ring.
        NeighbourInjection = "neighbour-injection",
        /// An underloaded node asks its successors for their loads, and creates a Sybil in the arc of the most loaded.
        SmartNeighbour = "smart-neighbour",
        /// An underloaded node reports this to its successors; an overloaded node asks the least loaded of the reporting nodes for a Sybil in its own arc; needs a ring.
        Invitation = "invitation",
        /// A node that would be without work before its next check asks the roots of random keys how long they will be busy, and creates a Sybil at a key of the one that will be busy for longest, so that it takes the part of the open atoms that corresponds to its share of the two speeds.
        StrengthAware = "strength-aware",
        /// Each node has `max-sybils` further identities at random IDs from the start, and keeps them (Chord, CFS).
        VirtualNodes = "virtual-nodes",
    }
}

crate::parameters! {
    /// Load balancing by each node on its own.
    pub struct BalancingParameters {
        /// The load-balancing strategy.
        pub strategy: BalancingStrategy = BalancingStrategy::None;
        /// Maximum number of Sybils of a node; with virtual-nodes their number.
        pub max_sybils: u32 = 5, within 1..=1000;
        /// A node is underloaded at this fraction of the initial mean load or less, rounded down to whole atoms.
        pub threshold: f64 = 0.0, within 0.0..=1000.0;
        /// Number of successors, or of other neighbours, that a node queries or notifies; with strength-aware the number of random keys.
        pub successors: usize = 5, within 1..=64;
        /// Time between two checks of the load.
        pub interval: Duration = Duration::from_secs(5), within crate::parameter::Range::above(0.0);
        /// Time-out of load queries.
        pub wait: Duration = Duration::from_secs(1), within crate::parameter::Range::above(0.0);
    }
}

/// Messages about loads.
#[derive(Clone, Copy, Debug)]
pub enum LoadMessage {
    /// Request: number of open atoms on the receiver's host.
    Load,
    /// Reply: that many on the host of that node; without a ring the key of an open atom.
    IsLoad(Node, u32, Option<Key>),
    /// The sender is underloaded, with this many open atoms.
    Underloaded(u32),
    /// Request: create a Sybil on this arc, both ends excluded.
    Invitation(Key, Key),
    /// Request of a node with this speed: how long the receiver will be busy.
    BusyTime(Node, f64),
    /// Reply: that many seconds, and the key where a Sybil takes its share.
    Busy(f64, Option<Key>),
}

impl LoadMessage {
    /// Bytes beside the header.
    pub fn bytes(self) -> u32 {
        match self {
            Self::Load => 0,
            Self::Underloaded(_) => 4,
            Self::IsLoad(.., None) => 10,
            Self::IsLoad(.., Some(_)) => 30,
            Self::Invitation(..) => 40,
            Self::BusyTime(..) => 14,
            Self::Busy(..) => 28,
        }
    }
}

/// The state of a node's load balancing.
#[derive(Clone, Debug, Default)]
pub(super) struct Balancer {
    /// Open atoms on the host at the last count.
    load: u32,
    /// The current count: identities that have not answered, and the sum.
    counting: Option<(usize, u32)>,
    /// Neighbours that were asked for their loads.
    asked: Vec<Asked>,
    /// Underloaded nodes, their loads, and when they reported them.
    free: Vec<(Node, u32, Instant)>,
    /// The answer of the node that will be busy for longest: the seconds and a key.
    busiest: Option<(f64, Key)>,
}

/// A neighbour that was asked for its load.
#[derive(Clone, Copy, Debug)]
struct Asked {
    node: Node,
    /// Its arc of the ring, both ends excluded; `None` without a ring.
    arc: Option<(Key, Key)>,
    /// Its answer: the load, and the key of an open atom.
    load: Option<u32>,
    key: Option<Key>,
}

impl Worker {
    /// Starts load balancing, at a random time in the first interval of the job; a Sybil reports to
    /// its first identity instead.
    pub(super) fn start_balancing(&mut self, context: JobContext<'_, '_>) {
        if let Some(first) = self.colocated.first() {
            context.send_local(first, Message::Local(LocalMessage::Joined));
        } else if context.shared.balancing.strategy != BalancingStrategy::None {
            let start = match context.shared.balancing.strategy {
                BalancingStrategy::VirtualNodes => Instant::START,
                _ => Instant::START + context.shared.parameters.start,
            };
            let interval = context.shared.balancing.interval.as_secs_f64();
            let phase = Duration::from_secs_f64(interval * self.random.unit());
            context.set_timer(
                start.max(context.now).since(context.now) + phase,
                Timer::Balance,
            );
        }
    }

    /// Number of open atoms of this node, the current one included.
    pub(super) fn open(&self) -> u32 {
        self.open_keys().count() as u32
    }

    /// The keys of the open atoms, ascending.
    fn open_keys(&self) -> impl Iterator<Item = &Key> {
        let open = self.store.iter().filter(|(key, atom)| {
            atom.result.is_none() && self.store.owns(key) && !self.mapped.contains(&atom.number)
        });
        open.map(|(key, _)| key)
    }

    /// The key of an open atom such that this part of the open atoms comes before it: a Sybil with this
    /// ID takes over some of them, on a ring that part.
    fn key_at(&self, context: JobContext<'_, '_>, part: f64) -> Option<Key> {
        let mut keys: Vec<Key> = self.open_keys().copied().collect();
        if context.shared.has_ring
            && let Some((after, _)) = context.routing.range()
        {
            keys.sort_unstable_by_key(|key| key.wrapping_sub(after));
        }
        keys.get((keys.len() as f64 * part) as usize).copied()
    }

    /// Counts the open atoms on the host, and then acts.
    pub(super) fn balance_load(&mut self, context: JobContext<'_, '_>) {
        if context.shared.balancing.strategy == BalancingStrategy::VirtualNodes {
            return self.make_virtual_nodes(context);
        }
        context.set_timer(context.shared.balancing.interval, Timer::Balance);
        let own = self.open();
        self.balancer.counting = Some((self.colocated.others().len(), own));
        for other in self.colocated.others() {
            context.send_local(*other, Message::Local(LocalMessage::Count));
        }
        if self.colocated.others().is_empty() {
            self.act(context, own);
        }
    }

    /// Creates the other identities of the host, which stay.
    fn make_virtual_nodes(&mut self, context: JobContext<'_, '_>) {
        for _ in 0..context.shared.balancing.max_sybils {
            let id = Key::random(&mut self.random);
            self.make_sybil(context, Some(id));
        }
    }

    /// Adds the open atoms of a Sybil of the host to the count.
    pub(super) fn add_load(&mut self, context: JobContext<'_, '_>, open: u32) {
        let Some((left, sum)) = &mut self.balancer.counting else {
            return;
        };
        *left = left.saturating_sub(1);
        *sum += open;
        if *left == 0 {
            let load = *sum;
            self.act(context, load);
        }
    }

    /// Acts on the load of the host, `load` open atoms.
    fn act(&mut self, context: JobContext<'_, '_>, load: u32) {
        self.balancer.counting = None;
        self.balancer.load = load;
        if load == 0 {
            self.dismiss_sybils(context);
        }
        let threshold = context.shared.low_load();
        let successors = context.shared.balancing.successors;
        let is_free =
            load <= threshold && self.colocated.len() < context.shared.balancing.max_sybils;
        match context.shared.balancing.strategy {
            BalancingStrategy::None => {}
            BalancingStrategy::RandomInjection if is_free => {
                let id = Key::random(&mut self.random);
                self.make_sybil(context, Some(id));
            }
            BalancingStrategy::NeighbourInjection if is_free => {
                let widest = neighbours(context, successors)
                    .into_iter()
                    .filter_map(|(_, arc)| arc)
                    // The nearest among equals.
                    .rev()
                    .max_by_key(|(after, to)| to.wrapping_sub(*after));
                if let Some((after, to)) = widest {
                    let id = Key::random_between(after, to, &mut self.random);
                    self.make_sybil(context, id);
                }
            }
            BalancingStrategy::SmartNeighbour if is_free => {
                let asked = |(node, arc)| Asked {
                    node,
                    arc,
                    load: None,
                    key: None,
                };
                self.balancer.asked = neighbours(context, successors)
                    .into_iter()
                    .map(asked)
                    .collect();
                for asked in &self.balancer.asked {
                    context.send(asked.node, Message::Load(LoadMessage::Load));
                }
                context.set_timer(context.shared.balancing.wait, Timer::LoadsKnown);
            }
            BalancingStrategy::Invitation if is_free => {
                for (node, _) in neighbours(context, successors) {
                    context.send(node, Message::Load(LoadMessage::Underloaded(load)));
                }
            }
            BalancingStrategy::Invitation if f64::from(load) >= context.shared.high_load() => {
                self.invite(context);
            }
            BalancingStrategy::StrengthAware
                if self.ends_soon(context.shared, load)
                    && self.colocated.len() < context.shared.balancing.max_sybils =>
            {
                self.balancer.busiest = None;
                for _ in 0..successors {
                    let key = Key::random(&mut self.random);
                    let request = LoadMessage::BusyTime(context.me, self.speed);
                    context.route(key, Message::Load(request));
                }
                context.set_timer(context.shared.balancing.wait, Timer::LoadsKnown);
            }
            BalancingStrategy::RandomInjection
            | BalancingStrategy::NeighbourInjection
            | BalancingStrategy::SmartNeighbour
            | BalancingStrategy::Invitation
            | BalancingStrategy::StrengthAware
            | BalancingStrategy::VirtualNodes => {}
        }
    }

    /// Whether the node is underloaded or has done `load` atoms before its next check.
    fn ends_soon(&self, shared: &Shared, load: u32) -> bool {
        load <= shared.low_load()
            || self.seconds_for(shared, load) <= shared.balancing.interval.as_secs_f64()
    }

    /// The time in which this node maps `load` atoms of mean size, in seconds.
    fn seconds_for(&self, shared: &Shared, load: u32) -> f64 {
        f64::from(load) * shared.mean_samples() / self.speed
    }

    fn make_sybil(&mut self, context: JobContext<'_, '_>, id: Option<Key>) {
        if let Some(id) = id {
            context.metrics.sybils += 1;
            self.colocated.expect_join();
            context.spawn_identity(id);
        }
    }

    /// Asks the least loaded of the recently reporting underloaded nodes for help.
    fn invite(&mut self, context: JobContext<'_, '_>) {
        let interval = context.shared.balancing.interval;
        self.balancer
            .free
            .retain(|(.., heard)| context.now.since(*heard) <= interval);
        let least = (0..self.balancer.free.len()).min_by_key(|place| self.balancer.free[*place].1);
        if let (Some(place), Some((after, to))) = (least, context.routing.range()) {
            let (node, ..) = self.balancer.free.remove(place);
            context.send(node, Message::Load(LoadMessage::Invitation(after, to)));
        }
    }

    /// Handles a message of `from` about loads.
    pub(super) fn on_load_message(
        &mut self,
        context: JobContext<'_, '_>,
        from: Node,
        load_message: LoadMessage,
    ) {
        match load_message {
            LoadMessage::Load => match self.colocated.first() {
                Some(first) => {
                    context.send_local(first, Message::Local(LocalMessage::LoadAsked(from)));
                }
                None => self.send_load(context, from, context.me),
            },
            LoadMessage::IsLoad(node, load, key) => {
                let asked = self.balancer.asked.iter_mut();
                for asked in asked.filter(|asked| asked.node == node) {
                    (asked.load, asked.key) = (Some(load), key);
                }
            }
            LoadMessage::Underloaded(load) => {
                self.balancer.free.retain(|(node, ..)| *node != from);
                self.balancer.free.push((from, load, context.now));
            }
            LoadMessage::Invitation(after, to) => {
                let few = context.shared.low_load();
                if self.balancer.load <= few
                    && self.colocated.len() < context.shared.balancing.max_sybils
                {
                    let id = Key::random_between(after, to, &mut self.random);
                    self.make_sybil(context, id);
                }
            }
            LoadMessage::BusyTime(asker, speed) => match self.colocated.first() {
                Some(first) => {
                    let asked = LocalMessage::BusyTimeAsked(asker, speed);
                    context.send_local(first, Message::Local(asked));
                }
                None => self.send_busy_time(context, asker, speed),
            },
            LoadMessage::Busy(seconds, key) => {
                let most = self.balancer.busiest.map_or(0.0, |(most, _)| most);
                if let Some(key) = key.filter(|_| seconds > most) {
                    self.balancer.busiest = Some((seconds, key));
                }
            }
        }
    }

    /// Sends `asker`, a node with `speed`, how long this host will be busy.
    pub(super) fn send_busy_time(&mut self, context: JobContext<'_, '_>, asker: Node, speed: f64) {
        if asker != context.me {
            let seconds = self.seconds_for(context.shared, self.balancer.load);
            let key = self.key_at(context, speed / (speed + self.speed));
            context.send(asker, Message::Load(LoadMessage::Busy(seconds, key)));
        }
    }

    /// The loads of the asked nodes are known, as far as they have answered.
    pub(super) fn on_loads_known(&mut self, context: JobContext<'_, '_>) {
        match context.shared.balancing.strategy {
            BalancingStrategy::StrengthAware => self.choose_busiest(context),
            _ => self.choose_most_loaded(context),
        }
    }

    /// Creates a Sybil at the key that the busiest of the answering nodes has named, unless it will be
    /// without work before the next check.
    fn choose_busiest(&mut self, context: JobContext<'_, '_>) {
        if let Some((seconds, key)) = self.balancer.busiest.take()
            && seconds > context.shared.balancing.interval.as_secs_f64()
        {
            self.make_sybil(context, Some(key));
        }
    }

    /// Sends the load of the host to `asker`, which has asked `node`, one of its identities.
    pub(super) fn send_load(&mut self, context: JobContext<'_, '_>, asker: Node, node: Node) {
        let key = if context.shared.has_ring {
            None
        } else {
            self.key_at(context, 0.5)
        };
        let answer = LoadMessage::IsLoad(node, self.balancer.load, key);
        context.send(asker, Message::Load(answer));
    }

    /// Creates a Sybil in the arc of the most loaded of the answering nodes, or at the key that it names,
    /// if it has more to do than this node.
    fn choose_most_loaded(&mut self, context: JobContext<'_, '_>) {
        let asked = std::mem::take(&mut self.balancer.asked);
        let busiest = asked.into_iter().rev().max_by_key(|asked| asked.load);
        if let Some(Asked { arc, load, key, .. }) = busiest
            && load.is_some_and(|load| load > self.balancer.load)
        {
            let id = match arc {
                Some((after, to)) => Key::random_between(after, to, &mut self.random),
                None => key,
            };
            self.make_sybil(context, id);
        }
    }
}

/// The next `count` nodes on the ring with their arcs, both ends excluded; without a ring the neighbours
/// that would take over keys of this node.
fn neighbours(context: JobContext<'_, '_>, count: usize) -> Vec<(Node, Option<(Key, Key)>)> {
    let mut after = context.id();
    let next = context.routing.replica_set(&after, count);
    let is_ring = context.shared.has_ring;
    let arc = |node: Node| {
        let to = context.routing.id(node);
        let arc = (std::mem::replace(&mut after, to), to);
        (node, is_ring.then_some(arc))
    };
    next.into_iter().map(arc).collect()
}

impl Shared {
    /// Maximum load of an underloaded node, in atoms.
    fn low_load(&self) -> u32 {
        (self.mean_load() * self.balancing.threshold) as u32
    }

    /// Minimum load of an overloaded node, in atoms.
    fn high_load(&self) -> f64 {
        self.mean_load() - f64::from(self.low_load())
    }
}
