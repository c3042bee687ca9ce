//! How long records survive: the nodes that have stored a record, at later times.

use super::table_health::ReachableMembers;
use dhtlab_core::engine::{Duration, Instant};
use dhtlab_core::network::Network;
use dhtlab_core::overlay::{GroundTruth, Node};
use dhtlab_core::service::providers::Providers;
use dhtlab_core::space::Key;
use dhtlab_scenario::TableRows;

dhtlab_scenario::columns! {
    pub(super) SURVIVAL, fn survival_row(time: f64, of: &At) {
        /// Time since the record was stored, to the nearest multiple of `providers.survival`.
        time_s ["s"] = time,
        /// Number of records.
        records [""] = of.records,
        /// Fraction of the nodes that stored a record that hold it and can be reached.
        holders_rate ["fraction"] = of.holding as f64 / of.holders as f64,
        /// Fraction of the nodes that stored a record that hold it, can be reached, and are among the
        /// k nearest nodes to its key: what a lookup finds.
        holders_found_rate ["fraction"] = of.found as f64 / of.holders as f64,
        /// Fraction of the nodes that stored a record that are among the k nearest nodes to its key,
        /// whether they still hold it or not.
        nearest_rate ["fraction"] = of.nearest as f64 / of.holders as f64,
        /// Fraction of the records that a lookup finds at a node at least.
        found_rate ["fraction"] = of.found_once as f64 / of.records as f64,
    }
}

/// Counts at one time since the records were stored.
#[derive(Clone, Copy, Debug, Default)]
struct At {
    records: u64,
    holders: u64,
    holding: u64,
    nearest: u64,
    found: u64,
    found_once: u64,
}

/// The holders of records over time.
#[derive(Debug, Default)]
pub(super) struct Survival {
    records: Vec<Record>,
    /// Counts by the number of periods since a record was stored.
    by_age: Vec<At>,
}

/// A record that is followed.
#[derive(Debug)]
struct Record {
    key: Key,
    stored: Instant,
    /// Those that stored it first.
    holders: Vec<Node>,
}

impl Survival {
    /// From now on looks at the `holders` of the record with `key`, stored at `stored`.
    pub fn follow(&mut self, key: Key, stored: Instant, holders: Vec<Node>) {
        self.records.push(Record {
            key,
            stored,
            holders,
        });
    }

    /// Looks at the holders of all records, once in a `period`; lookups find the `k` nearest nodes.
    pub fn look<P: GroundTruth>(
        &mut self,
        network: &Network<P, Providers>,
        period: Duration,
        k: usize,
    ) {
        let (now, members) = (network.now(), ReachableMembers::of(network));
        for record in &self.records {
            let age = now.since(record.stored).as_secs_f64() / period.as_secs_f64();
            let age = libm::round(age) as usize;
            if self.by_age.len() <= age {
                self.by_age.resize(age + 1, At::default());
            }
            let nearest = members.nearest(&record.key, k);
            let is_near = |node: &Node| nearest.contains(node);
            let holds = |node: &Node| {
                network.is_member(*node)
                    && network.is_reachable(*node)
                    && network.application(*node).records().holds(&record.key, now)
            };
            let count = |is_counted: &dyn Fn(&Node) -> bool| {
                record
                    .holders
                    .iter()
                    .filter(|node| is_counted(node))
                    .count() as u64
            };
            let found = count(&|node| is_near(node) && holds(node));
            let at = &mut self.by_age[age];
            at.records += 1;
            at.holders += record.holders.len() as u64;
            at.holding += count(&holds);
            at.nearest += count(&is_near);
            at.found += found;
            at.found_once += u64::from(found > 0);
        }
    }

    /// The rows of the table, one for each multiple of `period`.
    pub fn rows(&self, period: Duration) -> TableRows {
        let seen = self
            .by_age
            .iter()
            .enumerate()
            .filter(|(_, at)| at.records > 0);
        let row = |(age, at): (usize, &At)| survival_row(age as f64 * period.as_secs_f64(), at);
        TableRows(seen.map(row).collect())
    }
}
