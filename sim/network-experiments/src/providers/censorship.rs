//! The attack that hides the providers of single contents, and what a searcher can see of it.

use super::CensorshipParameters;
use dhtlab_core::engine::Seed;
use dhtlab_core::network::Network;
use dhtlab_core::overlay::{GroundTruth, Node, PrefixModel, prefix_counts};
use dhtlab_core::service::providers::{CompletedOperation, Providers, Purpose};
use dhtlab_core::space::Key;
use rand_distr::{Distribution, Geometric};
use std::collections::{BTreeMap, BTreeSet};

/// The attacked contents of a run.
#[derive(Debug, Default)]
pub(super) struct Censorship {
    keys: BTreeSet<Key>,
    /// IDs that the attacker has drawn.
    ids_tried: f64,
    /// All Sybils so far, and by the number of the content those that are online.
    sybils: BTreeSet<Node>,
    online: BTreeMap<u64, Vec<Node>>,
}

/// The key of the attacked content with this number.
pub(super) fn key(seed: Seed, number: u64) -> Key {
    Key::random(&mut seed.stream("attacked-content", number))
}

impl Censorship {
    /// Whether the content with this key is attacked.
    pub fn has_attacked(&self, key: &Key) -> bool {
        self.keys.contains(key)
    }

    /// Lets `sybils` Sybils of one attacker join on `site`, nearer to the key of the content with this
    /// `number` than any member.
    ///
    /// The attacker draws IDs until one is near enough. Its number of draws is geometric; the ID that
    /// is near enough is uniform among those.
    pub fn attack<P: GroundTruth>(
        &mut self,
        network: &mut Network<P, Providers>,
        (seed, number): (Seed, u64),
        site: u32,
        sybils: usize,
    ) {
        let key = key(seed, number);
        self.keys.insert(key);
        let mut stream = seed.stream("attack", number);
        let Some(nearest) = network.root(&key) else {
            return;
        };
        let distance = network.ids().id(nearest).xor(key);
        let draws = Geometric::new(distance.to_fraction().clamp(1e-18, 1.0));
        let below_zero = Key::default().wrapping_sub(Key::power_of_two(0));
        for _ in 0..sybils {
            // No ID is nearer than that of a node at the key itself.
            let nearer = Key::random_between(below_zero, distance, &mut stream);
            let id = key.xor(nearer.unwrap_or_default());
            self.ids_tried += 1.0 + draws.map_or(0.0, |draws| draws.sample(&mut stream) as f64);
            let node = network.join_apart(id, site);
            network.instruct(node, |providers, _| providers.censor());
            self.sybils.insert(node);
            self.online.entry(number).or_default().push(node);
        }
    }

    /// The Sybils of the content with this `number` stop.
    pub fn end<P: GroundTruth>(&mut self, network: &mut Network<P, Providers>, number: u64) {
        let sybils = self.online.remove(&number).unwrap_or_default();
        sybils.into_iter().for_each(|node| network.crash(node));
    }

    /// IDs that the attacker has drawn per Sybil; NaN without Sybils.
    pub fn ids_per_sybil(&self) -> f64 {
        self.ids_tried / self.sybils.len() as f64
    }

    /// What the searches for the attacked contents have met.
    pub fn outcome<P: GroundTruth>(
        &self,
        network: &Network<P, Providers>,
        ended: &[CompletedOperation],
        parameters: &CensorshipParameters,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let is_sybil = |node: &&Node| self.sybils.contains(*node);
        let count = |nodes: &[Node]| nodes.iter().filter(is_sybil).count() as u64;
        for operation in ended.iter().filter(|o| self.has_attacked(&o.key)) {
            match operation.purpose {
                Purpose::Provide => {
                    outcome.provides += 1;
                    outcome.sybil_holders += count(&operation.holders);
                    outcome.honest_holders +=
                        operation.holders.len() as u64 - count(&operation.holders);
                }
                Purpose::Find => {
                    outcome.finds += 1;
                    outcome.censored += u64::from(operation.providers.is_empty());
                    outcome.eclipsed += count(&operation.closest);
                    outcome.closest += operation.closest.len() as u64;
                    outcome.all_eclipsed +=
                        u64::from(count(&operation.closest) == operation.closest.len() as u64);
                    outcome.walks += u64::from(operation.walks);
                    outcome.region_sybils += count(&operation.region);
                    outcome.region_honest +=
                        operation.region.len() as u64 - count(&operation.region);
                    if let Some(size) = operation.estimate {
                        let value = divergence(network, operation, size);
                        outcome.divergences.push(value);
                        outcome.detected += u64::from(value > parameters.threshold);
                    }
                }
                Purpose::Republish | Purpose::Sweep | Purpose::Estimate => {}
            }
        }
        outcome
    }
}

/// The common prefix lengths that a node compares; those of the figures of the paper.
const LENGTHS: std::ops::RangeInclusive<u32> = 7..=29;

/// The divergence of the common prefix lengths of the nodes nearest to the key from those expected in
/// a network of `size` nodes.
pub(super) fn divergence<P: GroundTruth>(
    network: &Network<P, Providers>,
    operation: &CompletedOperation,
    size: f64,
) -> f64 {
    let ids = operation.closest.iter().map(|node| network.ids().id(*node));
    let counts = prefix_counts(&operation.key, ids);
    let model = PrefixModel::new(size, operation.closest.len().max(1));
    model.divergence(&counts, LENGTHS)
}

/// What the operations on attacked contents have met.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub provides: u64,
    /// Holders of the records that belong to the attacker, and others.
    pub sybil_holders: u64,
    pub honest_holders: u64,
    pub finds: u64,
    /// Searches that found no provider.
    pub censored: u64,
    /// Sybils among the nearest nodes that the searches have found, these nodes, and searches that
    /// found Sybils only.
    pub eclipsed: u64,
    pub closest: u64,
    pub all_eclipsed: u64,
    /// Walks of the searches, and the nodes of their regions.
    pub walks: u64,
    pub region_sybils: u64,
    pub region_honest: u64,
    /// The divergence of each search with an estimate.
    pub divergences: Vec<f64>,
    pub detected: u64,
}
