//! The keys of `[balance]`, and what cannot be meant.

use super::id_generator::{Keys, SybilId};
use crate::parameter::ConfigError;
use crate::scenario::Cost;

crate::choices! {
    /// What nodes do about their load.
    pub enum Strategy {
        /// Nothing.
        None = "none",
        /// Nothing but to come and go; the key `churn` says how much. Any other strategy may be
        /// combined with it.
        Churn = "churn",
        /// A node with little to do makes a Sybil at a random ID.
        RandomInjection = "random-injection",
        /// A node with little to do makes a Sybil in a gap near it; `reading` says in which.
        NeighbourInjection = "neighbour-injection",
        /// A node with little to do makes a Sybil in the arc of the most loaded of its successors.
        SmartNeighbour = "smart-neighbour",
        /// A node with much to do has one of its predecessors make a Sybil in its arc.
        Invitation = "invitation",
        /// A node that is about to run idle asks the owners of random points and takes from the one
        /// that would be busy for longest as much as its strength allows.
        StrengthAware = "strength-aware",
        /// Neighbour injection that leaves out the ranges where a node knows that no tasks are left
        /// and looks beyond them.
        Barren = "barren",
        /// Every host has several places from the start (Chord, CFS).
        VirtualNodes = "virtual-nodes",
        /// Nodes compare themselves with random others and move (Karger and Ruhl, SPAA 2004).
        ItemBalancing = "item-balancing",
        /// A joining node takes the better of two random IDs (Mitzenmacher's power of two choices).
        TwoChoices = "two-choices",
    }
}

crate::choices! {
    /// Which gap neighbour injection takes.
    pub enum Reading {
        /// The largest of the gaps before the next `successors` nodes, as the text has it.
        AsDescribed = "as-described",
        /// That of the published program, which compares places in the list of IDs instead of IDs.
        AsCoded = "as-coded",
    }
}

crate::choices! {
    /// What a host gets done in a tick.
    pub enum Work {
        /// One task.
        One = "one",
        /// As many tasks as its strength.
        Strength = "strength",
    }
}

crate::parameters! {
    /// Autonomous load balancing in ticks.
    pub struct BalanceParameters {
        /// What nodes do about their load.
        pub strategy: Strategy = Strategy::None;
        /// Number of hosts at the start, and in the pool of those that wait to join.
        pub nodes: usize = 1000, within 2..=10_000_000;
        /// Number of tasks.
        pub tasks: u32 = 100_000, within 1..=1_000_000_000;
        /// Probability with which a host leaves in a tick, and with which one that waits joins.
        pub churn: f64 = 0.0, within 0.0..=1.0;
        /// Sybils a host may have; its strength, or in heterogeneous networks the greatest one.
        pub max_sybils: u32 = 5, within 1..=10_000;
        /// A host has little to do at this part of the mean load or less, rounded down to whole tasks.
        pub threshold: f64 = 0.0, within 0.0..=1000.0;
        /// Neighbours that are looked at or asked; with `strength-aware` random points.
        pub successors: usize = 5, within 1..=1000;
        /// Whether the strength of hosts is uniform in 1..=max-sybils rather than max-sybils for all.
        pub heterogeneous: bool = false;
        /// What a host gets done in a tick.
        pub work: Work = Work::One;
        /// Ticks from one act of the strategy to the next; the first is before tick 0.
        pub interval: u32 = 5, within 1..=1_000_000;
        /// Which gap `neighbour-injection` takes.
        pub reading: Reading = Reading::AsDescribed;
        /// Where IDs and the keys of tasks come from.
        pub keys: Keys = Keys::Uniform;
        /// How a Sybil comes by an ID in a given gap.
        pub sybil_id: SybilId = SybilId::Uniform;
        /// Digests after which the search for a Sybil's ID is given up.
        pub search_limit: u64 = 1_000_000, within 1.0..=1e12;
        /// Places of a host with `virtual-nodes`, times its strength over the mean one where work goes by strength; log2(nodes), rounded up, if absent.
        pub virtual_nodes: Option<u32> = None, within 1..=1000;
        /// With `item-balancing`, a node that has at most this part of another's tasks takes over half of them.
        pub imbalance: f64 = 0.25, within 0.0..=0.25;
        /// Trials of a run; the metrics are their means.
        pub trials: u32 = 1, within 1..=100_000;
        /// The tick at whose start the loads are counted for `timeline.csv`; never if absent.
        pub histogram_tick: Option<u32> = None, within 0..=1_000_000_000;
        /// Ticks after which a run fails that is not done by then.
        pub max_ticks: u32 = 100_000_000, within 1..=1_000_000_000;
    }
}

impl BalanceParameters {
    /// Refuses what can be read but not meant.
    ///
    /// # Errors
    /// The key that is at fault.
    pub fn check(&self) -> Result<(), ConfigError> {
        let fastest = match self.work {
            Work::One => 1,
            Work::Strength => u64::from(self.max_sybils),
        };
        // Churn brings at most the waiting pool beside those that are there.
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

    /// Places of a host of mean strength from the start.
    pub fn places_of_a_host(&self) -> u32 {
        match self.strategy {
            Strategy::VirtualNodes => self
                .virtual_nodes
                .unwrap_or_else(|| (self.nodes - 1).ilog2() + 1),
            _ => 1,
        }
    }

    /// Tasks at or below which a host has little to do.
    pub fn threshold_tasks(&self) -> u32 {
        (f64::from(self.tasks) / self.nodes as f64 * self.threshold) as u32
    }

    /// What a run takes, roughly.
    pub fn cost(&self) -> Cost {
        let (nodes, tasks) = (self.nodes as f64, f64::from(self.tasks));
        let listed = self.keys == Keys::Sha1 || self.strategy == Strategy::ItemBalancing;
        let places = nodes * f64::from(self.places_of_a_host());
        let ticks = 3.0 * tasks / nodes;
        let turns = ticks / f64::from(self.interval);
        let churn = 3.0 * self.churn * ticks * nodes;
        let laid = if listed { tasks / 5.0 } else { tasks / 500.0 };
        Cost {
            events: f64::from(self.trials) * (places + laid + churn + turns * nodes / 10.0),
            bytes: 200.0 * nodes + 250.0 * places + if listed { 16.0 * tasks } else { 0.0 },
        }
    }
}
