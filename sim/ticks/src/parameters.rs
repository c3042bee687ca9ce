//! The keys of `[balance]` and their validation.

use super::id_generator::{Keys, SybilId};
use dhtlab_core::parameter::ConfigError;
use dhtlab_core::service::balancing::BalancingStrategy;

dhtlab_core::choices! {
    /// The load-balancing strategy.
    pub enum Strategy {
        /// No strategy.
        None = "none",
        /// Churn alone, at the rate of the key `churn`, which may be combined with any other
        /// strategy.
        Churn = "churn",
        /// An underloaded node creates a Sybil at a random ID.
        RandomInjection = "random-injection",
        /// An underloaded node creates a Sybil in a nearby gap; `reading` selects the gap.
        NeighbourInjection = "neighbour-injection",
        /// An underloaded node creates a Sybil in the arc of its most loaded successor.
        SmartNeighbour = "smart-neighbour",
        /// An overloaded node invites one of its predecessors to create a Sybil in its arc.
        Invitation = "invitation",
        /// A node about to run idle queries the owners of random points and takes over tasks of the
        /// one that would be busy longest, in proportion to its strength.
        StrengthAware = "strength-aware",
        /// Random injection that skips ranges known to have no tasks left.
        Barren = "barren",
        /// Every host has several ring nodes from the start (Chord, CFS).
        VirtualNodes = "virtual-nodes",
        /// Nodes compare their load with random others and move (Karger and Ruhl, SPAA 2004).
        ItemBalancing = "item-balancing",
        /// A joining node takes the better of two random IDs (Mitzenmacher's power of two choices).
        TwoChoices = "two-choices",
    }
}

/// The strategies of a job that runs by messages are strategies of the tick model. They have an enum of
/// their own, so that no job has a strategy that messages do not carry out.
impl TryFrom<BalancingStrategy> for Strategy {
    type Error = &'static str;

    fn try_from(strategy: BalancingStrategy) -> Result<Self, Self::Error> {
        Ok(match strategy {
            BalancingStrategy::None => Self::None,
            BalancingStrategy::RandomInjection => Self::RandomInjection,
            BalancingStrategy::NeighbourInjection => Self::NeighbourInjection,
            BalancingStrategy::SmartNeighbour => Self::SmartNeighbour,
            BalancingStrategy::Invitation => Self::Invitation,
            BalancingStrategy::StrengthAware => Self::StrengthAware,
            BalancingStrategy::Barren => Self::Barren,
            BalancingStrategy::VirtualNodes => Self::VirtualNodes,
            BalancingStrategy::TwoChoices | BalancingStrategy::ItemBalancing => {
                return Err(
                    "in ticks nodes choose or change their own IDs by this strategy, and create no \
                     Sybils: see `experiment = \"balance\"`",
                );
            }
        })
    }
}

dhtlab_core::choices! {
    /// Which gap neighbour injection takes.
    pub enum InjectionReading {
        /// The largest of the gaps before the next `successors` nodes, as in the text.
        AsDescribed = "as-described",
        /// The gap of the published program, which compares positions in the list of IDs instead of
        /// IDs.
        AsCoded = "as-coded",
    }
}

dhtlab_core::choices! {
    /// Tasks that a host executes per tick.
    pub enum Work {
        /// One task.
        One = "one",
        /// As many tasks as its strength.
        Strength = "strength",
    }
}

dhtlab_core::parameters! {
    /// Autonomous load balancing in ticks.
    pub struct BalanceParameters {
        /// The load-balancing strategy.
        pub strategy: Strategy = Strategy::None;
        /// Number of hosts at the start, and of further hosts that wait to join.
        pub nodes: usize = 1000, within 2..=10_000_000;
        /// Number of tasks.
        pub tasks: u32 = 100_000, within 1..=1_000_000_000;
        /// Probability per tick that a host leaves, and that a waiting host joins.
        pub churn: f64 = 0.0, within 0.0..=1.0;
        /// Maximum number of Sybils of a host, which is its strength; in heterogeneous networks the
        /// largest strength.
        pub max_sybils: u32 = 5, within 1..=10_000;
        /// A host is underloaded at this fraction of the mean load or less, rounded down to whole
        /// tasks.
        pub threshold: f64 = 0.0, within 0.0..=1000.0;
        /// Number of neighbours examined or queried; with `strength-aware`, of random points.
        pub successors: usize = 5, within 1..=1000;
        /// Whether the strength of hosts is uniform in 1..=max-sybils rather than max-sybils for
        /// all.
        pub heterogeneous: bool = false;
        /// Tasks that a host executes per tick.
        pub work: Work = Work::One;
        /// Ticks between two rounds of the strategy; the first round is before tick 0.
        pub interval: u32 = 5, within 1..=1_000_000;
        /// Which gap `neighbour-injection` takes.
        pub reading: InjectionReading = InjectionReading::AsDescribed;
        /// Source of IDs and task keys.
        pub keys: Keys = Keys::Uniform;
        /// How a Sybil gets an ID in a given gap.
        pub sybil_id: SybilId = SybilId::Uniform;
        /// Maximum number of digests in the search for a Sybil's ID.
        pub search_limit: u64 = 1_000_000, within 1.0..=1e12;
        /// Ring nodes per host with `virtual-nodes`, times its strength over the mean strength if
        /// work depends on strength; log2(nodes), rounded up, if absent.
        pub virtual_nodes: Option<u32> = None, within 1..=1000;
        /// With `item-balancing`, a node that has at most this fraction of another's tasks takes
        /// over half of them.
        pub imbalance: f64 = 0.25, within 0.0..=0.25;
        /// Number of trials of a run; the metrics are their means.
        pub trials: u32 = 1, within 1..=100_000;
        /// Tick at the start of which the loads are written to `timeline.csv`; none if absent.
        pub histogram_tick: Option<u32> = None, within 0..=1_000_000_000;
        /// Maximum number of ticks; a run that needs more fails.
        pub max_ticks: u32 = 100_000_000, within 1..=1_000_000_000;
    }
}

impl BalanceParameters {
    /// Validates the combination of parameters.
    ///
    /// # Errors
    /// The invalid key.
    pub fn check(&self) -> Result<(), ConfigError> {
        let fastest = match self.work {
            Work::One => 1,
            Work::Strength => u64::from(self.max_sybils),
        };
        // Churn adds at most the waiting pool to the present hosts.
        let hosts = self.nodes as u64 * if self.churn > 0.0 { 2 } else { 1 };
        let least = u64::from(self.tasks).div_ceil(hosts * fastest);
        if least > u64::from(self.max_ticks) {
            return Err(ConfigError::new(
                "balance.max-ticks",
                format_args!(
                    "{} tasks take {} nodes at least {least} ticks, and the run would end after {}",
                    self.tasks, self.nodes, self.max_ticks
                ),
            ));
        }
        if self.strategy == Strategy::VirtualNodes {
            let places = self.nodes as u64 * u64::from(self.places_of_a_host());
            if places > 1 << 28 {
                return Err(ConfigError::new(
                    "balance.virtual-nodes",
                    format_args!(
                        "{} nodes with {} places each are more than 2^28 places",
                        self.nodes,
                        self.places_of_a_host()
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Initial ring nodes of a host of mean strength.
    pub fn places_of_a_host(&self) -> u32 {
        match self.strategy {
            Strategy::VirtualNodes => self
                .virtual_nodes
                .unwrap_or_else(|| (self.nodes - 1).ilog2() + 1),
            _ => 1,
        }
    }

    /// Tasks at or below which a host has few.
    pub fn threshold_tasks(&self) -> u32 {
        (f64::from(self.tasks) / self.nodes as f64 * self.threshold) as u32
    }

    /// Rough estimate of a run: steps of the size of an event of a network, and bytes.
    pub fn cost(&self) -> (f64, f64) {
        let (nodes, tasks) = (self.nodes as f64, f64::from(self.tasks));
        let listed = self.keys == Keys::Sha1 || self.strategy == Strategy::ItemBalancing;
        let places = nodes * f64::from(self.places_of_a_host());
        let ticks = 3.0 * tasks / nodes;
        let turns = ticks / f64::from(self.interval);
        let churn = 3.0 * self.churn * ticks * nodes;
        let laid = if listed { tasks / 5.0 } else { tasks / 500.0 };
        let steps = f64::from(self.trials) * (places + laid + churn + turns * nodes / 10.0);
        let listed = if listed { 16.0 * tasks } else { 0.0 };
        (steps, 200.0 * nodes + 250.0 * places + listed)
    }
}
