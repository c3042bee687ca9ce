//! What an observer finds, from which it estimates the number of nodes.

use dhtlab_core::engine::Stream;
use dhtlab_core::overlay::{SizeEstimator, SizeSample, sample_weight};
use dhtlab_core::space::{Key, KeyTrie};

/// How observers of a static network estimate its size.
pub(crate) struct Observers<'a> {
    /// The nodes. An observer is not one of them.
    pub nodes: &'a KeyTrie,
    pub estimator: SizeEstimator,
    /// The lookups of an observer, and the number of nodes that each finds.
    pub lookups: usize,
    pub closest: usize,
}

impl Observers<'_> {
    /// The estimate of an observer with a random ID; `None` if its lookups leave the estimator without
    /// a number. O(lookups times the time of a search for the closest nodes).
    pub fn estimate(&self, stream: &mut Stream) -> Option<f64> {
        let own = Key::random(stream);
        let mut found = Vec::new();
        let samples: Vec<SizeSample> = (0..self.lookups as u32)
            .map(|lookup| self.sample(&own, lookup, &mut found, stream))
            .collect();
        self.estimator.estimate(&samples)
    }

    /// What lookup number `lookup` of the observer with ID `own` finds.
    ///
    /// * `Mainline` looks up random keys.
    /// * `Libp2p` looks up a key of each bucket, as refreshes do: it shares exactly `lookup` first bits
    ///   with the observer. The weight is by the number of nodes in that bucket.
    /// * `Ratio` looks up a key that shares these bits, or more, and takes the number of nodes of that
    ///   bucket that the lookup finds, as the program of the paper does.
    ///
    /// Keys have 160 bits, those of IPFS 256. Lookups beyond the last bit repeat those of the last:
    /// they find the nodes next to the observer, as all do from about log2 n bits on, and have the
    /// least weight.
    fn sample(
        &self,
        own: &Key,
        lookup: u32,
        found: &mut Vec<usize>,
        stream: &mut Stream,
    ) -> SizeSample {
        let (last, keys) = (Key::BITS - 1, self.nodes.keys());
        let key = match self.estimator {
            SizeEstimator::Mainline => Key::random(stream),
            SizeEstimator::Libp2p => own.random_with_exact_prefix(lookup.min(last), stream),
            SizeEstimator::Ratio => own.random_with_prefix(lookup.min(Key::BITS), stream),
        };
        self.nodes.nearest(&key, self.closest, found);
        let weight = match self.estimator {
            SizeEstimator::Mainline => 1.0,
            SizeEstimator::Libp2p => {
                let bucket = self.nodes.subtree(&key, lookup.min(last) + 1);
                sample_weight(bucket.len().min(self.closest), self.closest)
            }
            SizeEstimator::Ratio => {
                let known = |place: &&usize| keys[**place].common_prefix(*own) == lookup;
                sample_weight(found.iter().filter(known).count(), self.closest)
            }
        };
        let distance = |place: &usize| keys[*place].xor(key).to_fraction();
        SizeSample {
            distances: found.iter().map(distance).collect(),
            weight,
        }
    }
}
