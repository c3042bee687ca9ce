//! Autonomous load balancing: a node adjusts its own load by Sybils of its own, which take over a
//! part of the ring and its atoms from other nodes.
//!
//! Rosen, "Towards a framework for DHT distributed computing" (dissertation, Georgia State
//! University 2016), chapter on autonomous load balancing, by messages: a node asks for what it
//! knows at once in the tick model of `experiment = "balance"`, a join takes the time of the
//! protocol, and replication moves atoms. Where the source is ambiguous, this follows that model:
//! the load of a node is that of its host with all Sybils; a node without work dismisses its
//! Sybils; neighbour injection takes the largest gap.

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
        /// An underloaded node creates a Sybil in the largest gap among its next successors.
        NeighbourInjection = "neighbour-injection",
        /// An underloaded node asks its successors for their loads, and creates a Sybil in the arc of the most loaded.
        SmartNeighbour = "smart-neighbour",
        /// An underloaded node reports this to its successors; an overloaded node asks the least loaded of the reporting nodes for a Sybil in its own arc.
        Invitation = "invitation",
    }
}

crate::parameters! {
    /// Load balancing by each node on its own; needs a ring.
    pub struct BalancingParameters {
        /// The load-balancing strategy.
        pub strategy: BalancingStrategy = BalancingStrategy::None;
        /// Maximum number of Sybils of a node.
        pub max_sybils: u32 = 5, within 1..=1000;
        /// A node is underloaded at this fraction of the initial mean load or less, rounded down to whole atoms.
        pub threshold: f64 = 0.0, within 0.0..=1000.0;
        /// Number of successors that a node queries or notifies.
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
    /// Reply: that many on the host of that node.
    IsLoad(Node, u32),
    /// The sender is underloaded, with this many open atoms.
    Underloaded(u32),
    /// Request: create a Sybil on this arc, both ends excluded.
    Invitation(Key, Key),
}

impl LoadMessage {
    /// Bytes beside the header.
    pub fn bytes(self) -> u32 {
        match self {
            Self::Load => 0,
            Self::Underloaded(_) => 4,
            Self::IsLoad(..) => 10,
            Self::Invitation(..) => 40,
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
    /// Successors that were asked for their loads, with their arcs and their answers.
    asked: Vec<(Node, Key, Key, Option<u32>)>,
    /// Underloaded nodes, their loads, and when they reported them.
    free: Vec<(Node, u32, Instant)>,
}

impl Worker {
    /// Starts load balancing, at a random time in the first interval of the job; a Sybil reports to
    /// its first identity instead.
    pub(super) fn start_balancing(&mut self, context: JobContext<'_, '_>) {
        if let Some(first) = self.colocated.first() {
            context.send_local(first, Message::Local(LocalMessage::Joined));
        } else if context.shared.balancing.strategy != BalancingStrategy::None {
            let start = Instant::START + context.shared.parameters.start;
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
        let open = self.store.iter().filter(|(key, atom)| {
            atom.result.is_none() && self.store.owns(key) && !self.mapped.contains(&atom.number)
        });
        open.count() as u32
    }

    /// Counts the open atoms on the host, and then acts.
    pub(super) fn balance_load(&mut self, context: JobContext<'_, '_>) {
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
                let widest = arcs(context, successors)
                    .into_iter()
                    .map(|(_, after, to)| (after, to))
                    // The nearest among equals.
                    .rev()
                    .max_by_key(|(after, to)| to.wrapping_sub(*after));
                if let Some((after, to)) = widest {
                    let id = Key::random_between(after, to, &mut self.random);
                    self.make_sybil(context, id);
                }
            }
            BalancingStrategy::SmartNeighbour if is_free => {
                self.balancer.asked = arcs(context, successors)
                    .into_iter()
                    .map(|(node, after, to)| (node, after, to, None))
                    .collect();
                for (node, ..) in &self.balancer.asked {
                    context.send(*node, Message::Load(LoadMessage::Load));
                }
                context.set_timer(context.shared.balancing.wait, Timer::LoadsKnown);
            }
            BalancingStrategy::Invitation if is_free => {
                for (node, ..) in arcs(context, successors) {
                    context.send(node, Message::Load(LoadMessage::Underloaded(load)));
                }
            }
            BalancingStrategy::Invitation if f64::from(load) >= context.shared.high_load() => {
                self.invite(context);
            }
            BalancingStrategy::RandomInjection
            | BalancingStrategy::NeighbourInjection
            | BalancingStrategy::SmartNeighbour
            | BalancingStrategy::Invitation => {}
        }
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
            LoadMessage::IsLoad(node, load) => {
                for (asked, .., said) in &mut self.balancer.asked {
                    if *asked == node {
                        *said = Some(load);
                    }
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
        }
    }

    /// Sends the load of the host to `asker`, which has asked `node`, one of its identities.
    pub(super) fn send_load(&mut self, context: JobContext<'_, '_>, asker: Node, node: Node) {
        let answer = LoadMessage::IsLoad(node, self.balancer.load);
        context.send(asker, Message::Load(answer));
    }

    /// Creates a Sybil in the arc of the most loaded of the answering nodes, if it has more to do
    /// than this node.
    pub(super) fn choose_most_loaded(&mut self, context: JobContext<'_, '_>) {
        let asked = std::mem::take(&mut self.balancer.asked);
        let busiest = asked.into_iter().rev().max_by_key(|(.., said)| *said);
        if let Some((_, after, to, Some(load))) = busiest
            && load > self.balancer.load
        {
            let id = Key::random_between(after, to, &mut self.random);
            self.make_sybil(context, id);
        }
    }
}

/// The next `count` nodes on the ring with their arcs, both ends excluded.
fn arcs(context: JobContext<'_, '_>, count: usize) -> Vec<(Node, Key, Key)> {
    let mut after = context.id();
    let next = context.routing.replica_set(&after, count);
    let arc = |node: Node| {
        let to = context.routing.id(node);
        (node, std::mem::replace(&mut after, to), to)
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
