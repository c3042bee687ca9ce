//! `experiment = "lookup-rounds"`: lookups in static Kademlia networks, without messages, and the
//! round in which one of the nodes closest to the key is asked.
//!
//! The model is the program of ProbeLab's RFM 19.1 (Michel, network-measurements,
//! `balanced_buckets.ipynb`). A node returns only the bucket that the key falls into. Round 1 asks the
//! nearest of what the starter returns, each later round the nearest of what the round before has
//! returned. The program has buckets of up to 19 common bits and keys of 256 bits; here a node has a
//! bucket for each length, and keys have 160 bits. Neither changes a lookup: a node with 20 or more
//! bits of a key is among the closest to it in networks of these sizes.

mod buckets;
mod rounds;

use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Section, Table};
use dhtlab_network_experiments::histogram::{self, HISTOGRAM, add_counts};
use dhtlab_scenario::{Column, Cost, Experiment, Run, RunOutput, TableRows, TableSpec, sections};
use rounds::Rounds;
use std::path::Path;

pub use buckets::Filling;

dhtlab_core::parameters! {
    /// A static Kademlia network, and lookups in rounds.
    pub struct LookupRoundsParameters {
        /// Number of nodes.
        pub nodes: usize = 25_000, within 2..=10_000_000;
        /// Nodes in a bucket at most.
        pub k: usize = 20, within 1..=1000;
        /// Which nodes of its range a bucket holds.
        pub filling: Filling = Filling::Random;
        /// Nodes that round 1 asks: the nearest of what the starter returns.
        pub concurrency: usize = 10, within 1..=1000;
        /// Nodes that a later round asks, and number of nodes closest to the key of which a lookup has to ask one.
        pub closest: usize = 20, within 1..=1000;
        /// Number of lookups of random keys by random nodes.
        pub lookups: usize = 10_000, within 1..=100_000_000;
    }
}

/// The experiment kind `lookup-rounds`.
pub struct LookupRounds;

impl Experiment for LookupRounds {
    fn name(&self) -> &'static str {
        "lookup-rounds"
    }

    fn doc(&self) -> &'static str {
        "rounds of lookups in static Kademlia networks with random or balanced buckets"
    }

    fn sections(&self) -> Vec<Section> {
        vec![Section::of::<LookupRoundsParameters>("lookup-rounds")]
    }

    fn metrics(&self) -> &'static [Column] {
        METRICS
    }

    fn tables(&self) -> &'static [TableSpec] {
        &[TableSpec {
            name: "histogram",
            columns: HISTOGRAM,
            quantities: &["rounds"],
        }]
    }

    fn prepare(&self, values: &Table<'_>, _: &Path) -> Result<Box<dyn Run>, ConfigError> {
        let parameters = LookupRoundsParameters::read(&values.sub("lookup-rounds")?)?;
        Ok(Box::new(parameters))
    }
}

impl Run for LookupRoundsParameters {
    fn resolved(&self) -> Map {
        sections([("lookup-rounds", self.table())])
    }

    fn cost(&self) -> Cost {
        // About one round asks nodes, and each returns a bucket.
        let asked = self.concurrency.max(self.closest) * (self.k + 10);
        Cost {
            events: self.nodes as f64 + (asked * self.lookups) as f64 / 5.0,
            bytes: 40.0 * self.nodes as f64,
        }
    }

    fn run(&self, seed: Seed) -> Result<RunOutput, ConfigError> {
        let rounds = Rounds::find(self, seed);
        let mut rows = TableRows::default();
        add_counts(&mut rows, "rounds", &rounds.counts);
        Ok(RunOutput {
            metrics: metrics(&rounds),
            tables: vec![rows],
            notes: Vec::new(),
        })
    }
}

impl Rounds {
    fn found(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The value of a histogram of the rounds; `None` if no lookup has found a node.
    fn of_found(&self, value: impl Fn(&[u64]) -> f64) -> Option<f64> {
        (self.found() > 0).then(|| value(&self.counts))
    }

    /// The fraction of all lookups that have found a node by `round`.
    fn by(&self, round: usize) -> f64 {
        let found: u64 = self.counts.iter().take(round + 1).sum();
        found as f64 / (self.found() + self.failed) as f64
    }
}

dhtlab_scenario::columns! {
    METRICS, fn metrics(r: &Rounds) {
        /// Mean round in which a lookup asks one of the nodes closest to its key, 0 if the starter is
        /// one; of the lookups that ask one.
        rounds_mean [""] = r.of_found(histogram::mean),
        /// Median of these rounds.
        rounds_p50 [""] = r.of_found(|counts| histogram::quantile(counts, 0.5)),
        /// 90th percentile of these rounds.
        rounds_p90 [""] = r.of_found(|counts| histogram::quantile(counts, 0.9)),
        /// 99th percentile of these rounds.
        rounds_p99 [""] = r.of_found(|counts| histogram::quantile(counts, 0.99)),
        /// Fraction of the lookups that ask one of these nodes in round 1 or before.
        found_by_1 ["fraction"] = r.by(1),
        /// Fraction of the lookups that ask one of these nodes in round 2 or before.
        found_by_2 ["fraction"] = r.by(2),
        /// Fraction of the lookups that ask one of these nodes in round 3 or before.
        found_by_3 ["fraction"] = r.by(3),
        /// Fraction of the lookups that ask none of these nodes.
        failed ["fraction"] = 1.0 - r.by(usize::MAX - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(parameters: &LookupRoundsParameters, seed: u64) -> Rounds {
        Rounds::find(parameters, Seed::new(seed))
    }

    /// The means that RFM 19.1 prints, of 5 networks with 10,000 lookups each. The mean of one network
    /// has a standard deviation of .003 to .005, that of five as much over sqrt(5); the tolerance is
    /// .02. Over 20 seeds the largest difference is .011.
    #[test]
    fn means_are_those_of_the_published_program() {
        for (k, filling, mean) in [
            (10, Filling::Random, 2.165),
            (20, Filling::Random, 1.926),
            (20, Filling::Balanced, 1.891),
            (100, Filling::Balanced, 1.632),
        ] {
            let parameters = LookupRoundsParameters {
                k,
                filling,
                ..LookupRoundsParameters::default()
            };
            let rounds = rounds(&parameters, 7);
            let found = histogram::mean(&rounds.counts);
            assert!((found - mean).abs() < 0.02, "{k}: {found} {mean}");
            assert_eq!(rounds.failed, 0);
        }
    }

    /// Where all nodes are among the closest, each starter is one. Where a bucket holds its whole range,
    /// that of the key holds the node nearest to it, so the first round asks it; the starter is one of
    /// the closest with probability 20 / n, here 200 of 10,000 times with a standard deviation of 14.
    #[test]
    fn networks_without_a_choice() {
        let parameters = LookupRoundsParameters {
            nodes: 15,
            lookups: 100,
            ..LookupRoundsParameters::default()
        };
        assert_eq!(rounds(&parameters, 7).counts, [100]);
        for filling in [Filling::Random, Filling::Balanced] {
            let parameters = LookupRoundsParameters {
                nodes: 1000,
                k: 1000,
                filling,
                ..LookupRoundsParameters::default()
            };
            let rounds = rounds(&parameters, 7);
            assert_eq!(rounds.counts.len(), 2);
            assert!(rounds.counts[0].abs_diff(200) < 60, "{:?}", rounds.counts);
            assert_eq!(rounds.by(1), 1.0);
        }
    }
}
