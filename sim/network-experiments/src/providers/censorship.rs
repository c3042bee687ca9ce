//! The attack that hides the providers of single contents, and what a searcher can see of it.

use super::CensorshipParameters;
use dhtlab_core::engine::{Seed, Stream};
use dhtlab_core::network::Network;
use dhtlab_core::overlay::{GroundTruth, IdRule, IdScheme, Node, PrefixModel, prefix_counts};
use dhtlab_core::service::providers::{Censor, CompletedOperation, Providers, Purpose};
use dhtlab_core::space::Key;
use rand_distr::{Distribution, Geometric};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The attacked contents of a run.
#[derive(Debug, Default)]
pub(super) struct Censorship {
    keys: BTreeSet<Key>,
    /// IDs that the attacker has drawn or compared.
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

    /// Lets the Sybils of the content with this `number` join on `sites`. Tables admit at most `admitted`
    /// nodes of one address.
    pub fn attack<P: GroundTruth>(
        &mut self,
        network: &mut Network<P, Providers>,
        (seed, number): (Seed, u64),
        sites: Range<u32>,
        (parameters, rule, admitted): (&CensorshipParameters, IdRule, usize),
    ) {
        let key = key(seed, number);
        self.keys.insert(key);
        let mut stream = seed.stream("attack", number);
        let Some(nearest) = network.root(&key) else {
            return;
        };
        let count = parameters.sybils;
        let (identities, tried) = match rule.scheme {
            IdScheme::Random => {
                let distance = network.ids().id(nearest).xor(key);
                let (ids, tried) = drawn_ids(key, distance, count, &mut stream);
                (ids.into_iter().zip(sites.cycle()).collect(), tried)
            }
            _ => granted_ids((rule, admitted), (seed, key), sites, count, &mut stream),
        };
        self.ids_tried += tried;
        let join = |(id, site)| network.join_apart(id, site);
        let sybils: Vec<Node> = identities.into_iter().map(join).collect();
        let censor = Censor {
            sybils: sybils.as_slice().into(),
            ..parameters.censor()
        };
        for node in &sybils {
            let censor = censor.clone();
            network.instruct(*node, |providers, _| providers.censor(censor));
        }
        self.sybils.extend(&sybils);
        self.online.insert(number, sybils);
    }

    /// The Sybils of the content with this `number` stop.
    pub fn end<P: GroundTruth>(&mut self, network: &mut Network<P, Providers>, number: u64) {
        let sybils = self.online.remove(&number).unwrap_or_default();
        sybils.into_iter().for_each(|node| network.crash(node));
    }

    /// IDs that the attacker has drawn or compared per Sybil; NaN without Sybils.
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
                    let (sybils, found) =
                        (count(&operation.closest), operation.closest.len() as u64);
                    outcome.all_eclipsed += u64::from(found > 0 && sybils == found);
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

/// `count` IDs that are nearer to `key` than `distance`, and how many the attacker has drawn for them.
///
/// It draws IDs until one is near enough. Its number of draws is geometric; the ID that is near enough
/// is uniform among those.
fn drawn_ids(key: Key, distance: Key, count: usize, stream: &mut Stream) -> (Vec<Key>, f64) {
    let draws = Geometric::new(distance.to_fraction().clamp(1e-18, 1.0));
    let below_zero = Key::default().wrapping_sub(Key::power_of_two(0));
    let mut tried = 0.0;
    let ids = (0..count).map(|_| {
        // No ID is nearer than that of a node at the key itself.
        let nearer = Key::random_between(below_zero, distance, stream);
        tried += 1.0 + draws.map_or(0.0, |draws| draws.sample(stream) as f64);
        key.xor(nearer.unwrap_or_default())
    });
    (ids.collect(), tried)
}

/// So many IDs are compared at a time.
const MOST_TURNS: usize = 100_000;

/// At most `count` IDs near `key` that the addresses of `sites` may have, each with its site, and how
/// many IDs the attacker has compared.
///
/// The nearest address gets as many Sybils as a table admits of it, then the next one, and all over
/// again if there are fewer addresses.
fn granted_ids(
    (rule, admitted): (IdRule, usize),
    (seed, key): (Seed, Key),
    sites: Range<u32>,
    count: usize,
    stream: &mut Stream,
) -> (Vec<(Key, u32)>, f64) {
    let choices = rule.choices_of_address();
    let tried = f64::from(choices) * sites.len() as f64;
    // An address gets no more in as many turns as are needed.
    let at_once = admitted.min(count).max(1);
    let each = at_once * count.div_ceil(at_once * sites.len().max(1));
    let mut turns: Vec<(usize, Key, u32)> = Vec::new();
    let shorten = |turns: &mut Vec<(usize, Key, u32)>| {
        turns.sort_unstable();
        // Addresses of one /24 may have the same IDs.
        turns.dedup_by_key(|(_, distance, _)| *distance);
        turns.truncate(count);
    };
    for site in sites {
        let ids = rule.nearest(rule.address(seed, site), key, each, stream);
        let turn = |(index, id): (usize, Key)| (index / at_once, id.xor(key), site);
        turns.extend(ids.into_iter().enumerate().map(turn));
        if turns.len() > MOST_TURNS + count {
            shorten(&mut turns);
        }
    }
    shorten(&mut turns);
    let identity = |(_, distance, site): (usize, Key, u32)| (key.xor(distance), site);
    (turns.into_iter().map(identity).collect(), tried)
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
