//! Lookups in rounds.

use super::LookupRoundsParameters;
use super::buckets::Buckets;
use dhtlab_core::engine::Seed;
use dhtlab_core::space::{Key, KeyTrie};

/// The rounds of all lookups.
pub(super) struct Rounds {
    /// The number of lookups by their round.
    pub counts: Vec<u64>,
    /// The lookups that found none of the nodes.
    pub failed: u64,
}

impl Rounds {
    /// Looks up random keys from random nodes, and returns the round of each in which one of the nodes
    /// closest to the key is asked.
    pub fn find(parameters: &LookupRoundsParameters, seed: Seed) -> Self {
        let nodes = KeyTrie::random(parameters.nodes, &mut seed.stream("ids", 0));
        let buckets = Buckets {
            nodes: &nodes,
            k: parameters.k,
            filling: parameters.filling,
            seed,
        };
        let mut lookup = Lookup {
            parameters,
            buckets: &buckets,
            asked: Vec::new(),
            answers: Vec::new(),
            picks: Vec::new(),
        };
        let mut stream = seed.stream("lookups", 0);
        let mut rounds = Self {
            counts: Vec::new(),
            failed: 0,
        };
        for _ in 0..parameters.lookups {
            let starter = stream.index(nodes.len());
            match lookup.rounds(starter, &Key::random(&mut stream)) {
                Some(round) => {
                    if rounds.counts.len() <= round {
                        rounds.counts.resize(round + 1, 0);
                    }
                    rounds.counts[round] += 1;
                }
                None => rounds.failed += 1,
            }
        }
        rounds
    }
}

/// A lookup, with arrays that the next one uses again.
struct Lookup<'a> {
    parameters: &'a LookupRoundsParameters,
    buckets: &'a Buckets<'a>,
    /// The nodes that are asked in a round, and all that they return.
    asked: Vec<usize>,
    answers: Vec<usize>,
    picks: Vec<usize>,
}

impl Lookup<'_> {
    /// The round in which one of the nodes closest to `key` is asked, 0 if the starter is one. `None`
    /// if the lookup ends before: no node returns another one, or it has taken as many rounds as a
    /// key has bits, of which each useful round corrects one.
    ///
    /// O(asked nodes times the time of a bucket) for each round.
    fn rounds(&mut self, starter: usize, key: &Key) -> Option<usize> {
        let (nodes, closest) = (self.buckets.nodes, self.parameters.closest);
        let distance = |place: usize| nodes.keys()[place].xor(*key);
        nodes.nearest(key, closest, &mut self.asked);
        let reach = self.asked.last().map(|place| distance(*place))?;
        self.asked.clear();
        self.asked.push(starter);
        let mut most = self.parameters.concurrency;
        for round in 0..=Key::BITS as usize {
            // The nearest of them is asked first.
            if distance(*self.asked.first()?) <= reach {
                return Some(round);
            }
            self.answers.clear();
            for place in &self.asked {
                self.buckets
                    .answer(*place, key, &mut self.picks, &mut self.answers);
            }
            self.answers.sort_unstable_by_key(|place| distance(*place));
            self.answers.dedup();
            self.answers.truncate(most);
            std::mem::swap(&mut self.asked, &mut self.answers);
            most = closest;
        }
        None
    }
}
