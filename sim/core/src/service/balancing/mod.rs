//! Autonomous load balancing: a node adjusts its own load by Sybils of its own, which take over a
//! part of the key space and its tasks from other nodes.
//!
//! Rosen, "Towards a framework for DHT distributed computing" (dissertation, Georgia State
//! University 2016), chapter on autonomous load balancing, by messages: a node asks for what it
//! knows at once in the tick model of `experiment = "balance"`, a join takes the time of the
//! protocol, and replication moves tasks. Where the source is ambiguous, this follows that model:
//! the load of a node is that of its host with all Sybils; a node without work dismisses its
//! Sybils; neighbour injection takes the largest gap.
//!
//! "strength-aware" is a strategy of this project, after the dissertation's future work (strategies that know
//! the strength of nodes), and so is "barren" (marking the ranges in which Sybils find nothing).
//! "virtual-nodes" are those of Chord (Stoica et al., SIGCOMM 2001) and CFS.
//!
//! On overlays without a ring the neighbours of a node are those that would take over its keys, and a
//! node does not know what part of the space a neighbour has. There a loaded node names the key of one
//! of its open tasks, the middle one, and the Sybil takes it as its ID. This is an addition to the source.
//!
//! A service whose tasks have keys implements [`Balanced`]. `strategy` has the strategies, `barren` what a
//! node knows of arcs without tasks, `identities` the sharing of a host's processor, `message` what nodes
//! and identities send each other.

mod barren;
mod identities;
mod message;
mod strategy;

use identities::Identities;
pub(in crate::service) use identities::SharedProcessor;
pub use message::{LoadMessage, LocalMessage};
use strategy::Balancer;
pub(in crate::service) use strategy::LoadBalancing;

use crate::engine::{Duration, Stream};
use crate::overlay::{AppContext, Application, Node};
use crate::parameter::{Parameters, Value};
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
        /// Random injection that asks the root of the ID first, and goes on from a root without open tasks, at most `successors` times: on a ring behind the arcs that are known to have none, elsewhere at another random ID.
        Barren = "barren",
        /// An underloaded node asks the roots of two random IDs for their open tasks, and creates a Sybil at the ID of the more loaded one (Mitzenmacher's power of two choices).
        TwoChoices = "two-choices",
        /// A node asks the root of a random key for its open tasks; a node that has at most the part `imbalance` of them creates a Sybil that takes half of them, and dismisses its earlier Sybils (Karger and Ruhl, SPAA 2004, where the node itself moves).
        ItemBalancing = "item-balancing",
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
        /// Number of successors, or of other neighbours, that a node queries or notifies; with strength-aware the number of random keys, with barren that of further ones.
        pub successors: usize = 5, within 1..=64;
        /// With item-balancing, a node that has at most this part of another's open tasks takes over half of them.
        pub imbalance: f64 = 0.25, within 0.0..=0.25;
        /// Time between two checks of the load.
        pub interval: Duration = Duration::from_secs(5), within crate::parameter::Range::above(0.0);
        /// Time-out of load queries.
        pub wait: Duration = Duration::from_secs(1), within crate::parameter::Range::above(0.0);
    }
}

impl BalancingParameters {
    /// The values in a resolved scenario.
    pub fn resolved(&self) -> Value {
        let values = self.write_without_defaults(&["imbalance"]);
        Value::Table(values.into_iter().collect())
    }
}

/// What all nodes know about the balancing of a job; by default there is none.
#[derive(Clone, Debug, Default)]
pub struct BalancingRules {
    /// The keys of the scenario.
    pub parameters: BalancingParameters,
    /// When the job is staged.
    pub start: Duration,
    /// Whether a node knows the arcs of its successors.
    pub has_ring: bool,
    /// Mean number of tasks per node at the start.
    pub mean_load: f64,
    /// Mean size of a task, in the unit of the speed of nodes times a second.
    pub mean_size: f64,
}

impl BalancingRules {
    /// Whether nodes balance their loads.
    pub fn is_on(&self) -> bool {
        self.parameters.strategy != BalancingStrategy::None
    }

    /// Maximum load of an underloaded node, in tasks.
    fn low_load(&self) -> u32 {
        (self.mean_load * self.parameters.threshold) as u32
    }

    /// Minimum load of an overloaded node, in tasks.
    fn high_load(&self) -> f64 {
        self.mean_load - f64::from(self.low_load())
    }
}

/// Timers of load balancing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BalancingTimer {
    /// Check the load.
    Check,
    /// The time for answers to load requests is over.
    LoadsKnown,
}

/// The load balancing of a node: what it knows of its host and of others.
#[derive(Clone, Debug, Default)]
pub struct Host {
    pub(in crate::service) identities: Identities,
    balancer: Balancer,
}

/// A service whose nodes have tasks with keys, and balance their number.
pub trait Balanced: Application {
    /// A task.
    type Task: Copy + std::fmt::Debug;

    /// What all nodes know.
    fn rules(shared: &Self::Shared) -> &BalancingRules;
    /// The state of this node's load balancing.
    fn host(&mut self) -> &mut Host;
    /// The random stream of this node.
    fn random(&mut self, context: &mut AppContext<'_, Self>) -> &mut Stream;
    /// The speed of the host.
    fn speed(&self) -> f64;

    /// A message between identities of one host.
    fn local(message: LocalMessage<Self::Task>) -> Self::Message;
    /// A message about loads.
    fn load(message: LoadMessage) -> Self::Message;
    /// A timer of load balancing.
    fn timer(timer: BalancingTimer) -> Self::Timer;
    /// A node creates a Sybil.
    fn count_sybil(metrics: &mut Self::Metrics);

    /// The keys of the open tasks of this identity, the current one included, ascending.
    fn open_keys(&self) -> Vec<Key>;
    /// Number of these tasks.
    fn open(&self) -> u32;
    /// Whether tasks wait.
    fn is_queued(&self) -> bool;
    /// Takes the next task of this identity, to be executed by the first one.
    fn next_task(&mut self, context: &mut AppContext<'_, Self>) -> Option<Self::Task>;
    /// Begins the next task, if the processor is idle.
    fn work(&mut self, context: &mut AppContext<'_, Self>);
    /// The first identity executes a task that `lender` has lent.
    fn execute_lent(&mut self, context: &mut AppContext<'_, Self>, task: Self::Task, lender: Node);
    /// A task of this identity is executed, by itself or by the first one.
    fn on_executed(&mut self, context: &mut AppContext<'_, Self>, task: Self::Task);
    /// A task is executed whose lender has stopped meanwhile.
    fn on_lender_gone(&mut self, context: &mut AppContext<'_, Self>, task: Self::Task);

    /// Hands over all items to `successor`.
    fn hand_over_all(&mut self, context: &mut AppContext<'_, Self>, successor: Node);
    /// Whether this node has sent all results, and other nodes own all its items.
    fn is_safe_to_leave(&self) -> bool;
    /// Sends what else others need of this node, which leaves.
    fn before_leave(&mut self, _context: &mut AppContext<'_, Self>) {}
}
