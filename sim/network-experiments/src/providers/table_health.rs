//! The routing tables of all members against the network: how full each bucket is, how many of its
//! contacts cannot be reached, and whether a node knows the nodes nearest to itself.

use dhtlab_core::network::Network;
use dhtlab_core::overlay::{Application, GroundTruth, Node};
use dhtlab_core::space::{Key, KeyTrie};
use dhtlab_scenario::TableRows;

dhtlab_scenario::columns! {
    #[derive(Clone, Copy)]
    pub(super) struct BucketRow {
        /// First bits that the contacts of a bucket share with the ID of the node.
        bucket [""]: u64,
        /// Mean number of contacts.
        contacts [""]: f64,
        /// Mean number of contacts that can be reached.
        contacts_reached [""]: f64,
        /// Fraction of the contacts that cannot be reached: nodes that are offline, or behind a NAT.
        stale_rate ["fraction"]: f64,
        /// Mean number of reachable members in the subtree of the bucket.
        candidates [""]: f64,
        /// Mean number of contacts that are missing: as many reachable members as have a place, less the
        /// contacts.
        missing [""]: f64,
        /// Fraction of the nodes whose bucket is full.
        full_rate ["fraction"]: f64,
    }
}

/// The members that can be reached, at a moment.
pub(super) struct ReachableMembers {
    trie: KeyTrie,
    /// Those with the keys of the trie.
    nodes: Vec<Node>,
}

impl ReachableMembers {
    /// Those of `network`. O(n log n).
    pub fn of<P: GroundTruth, A: Application>(network: &Network<P, A>) -> Self {
        let members = network.members();
        let reachable = members.iter().filter(|node| network.is_reachable(**node));
        // Members are in the order of their IDs.
        let mut nodes: Vec<Node> = reachable.copied().collect();
        nodes.dedup_by_key(|node| network.ids().id(*node));
        let keys = nodes.iter().map(|node| network.ids().id(*node)).collect();
        Self {
            trie: KeyTrie::new(keys),
            nodes,
        }
    }

    /// The `count` nearest to `key`, nearest first. O(log^2 n + `count` log `count`).
    pub fn nearest(&self, key: &Key, count: usize) -> Vec<Node> {
        let mut places = Vec::new();
        self.trie.nearest(key, count, &mut places);
        places.into_iter().map(|place| self.nodes[place]).collect()
    }
}

/// What is summed over the nodes for one bucket.
#[derive(Clone, Copy, Default)]
struct BucketSums {
    contacts: u64,
    reached: u64,
    candidates: u64,
    missing: u64,
    full: u64,
}

/// The routing tables of all members at a moment.
#[derive(Clone, Debug, Default)]
pub(super) struct TableHealth {
    /// Rows by bucket.
    pub rows: TableRows,
    /// Members.
    pub nodes: u64,
    /// Contacts of all members, and those of them that cannot be reached.
    pub contacts: u64,
    pub stale: u64,
    /// Fraction of the contacts of the first bucket that cannot be reached.
    pub first_stale: f64,
    /// Buckets of all members in whose subtree there are at least as many reachable members as have a
    /// place, and those of them that are full.
    pub large: u64,
    pub large_full: u64,
    /// Contacts that can be reached in the other buckets, and the reachable members there.
    pub small_reached: u64,
    pub small_candidates: u64,
    /// Nodes by how many of the nodes nearest to themselves they know.
    pub known_nearest: Vec<u64>,
}

/// Buckets that are looked at: farther ones than this share all bits of its nodes by chance only.
const BUCKETS: usize = 32;

impl TableHealth {
    /// The tables of the members of `network`, with buckets of `capacity` contacts by the shared bits;
    /// `count` nearest nodes are looked for. O(n (log n + contacts)).
    pub fn of<P: GroundTruth, A: Application>(
        network: &Network<P, A>,
        capacity: impl Fn(u32) -> usize,
        count: usize,
    ) -> Self {
        let ids = network.ids();
        let reachable = ReachableMembers::of(network);
        let mut sums = [BucketSums::default(); BUCKETS];
        let mut health = Self {
            known_nearest: vec![0; count + 1],
            ..Self::default()
        };
        let mut contacts = Vec::new();
        let is_reached = |node: &Node| network.is_member(*node) && network.is_reachable(*node);
        for me in network.members().iter().copied() {
            let id = ids.id(me);
            network.links(me, &mut contacts);
            health.nodes += 1;
            let mut of_node = [(0_u64, 0_u64); BUCKETS];
            for contact in &contacts {
                let bits = id.common_prefix(ids.id(*contact)) as usize;
                let reached = u64::from(is_reached(contact));
                health.contacts += 1;
                health.stale += 1 - reached;
                if let Some(bucket) = of_node.get_mut(bits) {
                    bucket.0 += 1;
                    bucket.1 += reached;
                }
            }
            let trie = &reachable.trie;
            let mut around = 0..trie.len();
            for (bits, (sums, (held, reached))) in (0..).zip(sums.iter_mut().zip(of_node)) {
                let [low, high] = trie.halves(around, bits);
                let (same, other) = if id.bits(bits, 1) == 0 {
                    (low, high)
                } else {
                    (high, low)
                };
                let (candidates, capacity) = (other.len() as u64, capacity(bits) as u64);
                sums.contacts += held;
                sums.reached += reached;
                sums.candidates += candidates;
                sums.missing += candidates.min(capacity).saturating_sub(held);
                sums.full += u64::from(held >= capacity);
                if candidates >= capacity {
                    health.large += 1;
                    health.large_full += u64::from(held >= capacity);
                } else {
                    health.small_reached += reached;
                    health.small_candidates += candidates;
                }
                around = same;
            }
            let mut nearest = reachable.nearest(&id, count + 1);
            nearest.retain(|node| *node != me);
            nearest.truncate(count);
            let known = nearest.iter().filter(|node| contacts.contains(node));
            health.known_nearest[known.count()] += 1;
        }
        let n = health.nodes as f64;
        let first = &sums[0];
        health.first_stale = (first.contacts - first.reached) as f64 / first.contacts as f64;
        let deepest = sums.iter().rposition(|bucket| bucket.contacts > 0);
        let rows = (0..).zip(&sums).take(deepest.map_or(0, |last| last + 1));
        health.rows = TableRows(
            rows.map(|(bucket, sums)| {
                BucketRow {
                    bucket,
                    contacts: sums.contacts as f64 / n,
                    contacts_reached: sums.reached as f64 / n,
                    stale_rate: (sums.contacts - sums.reached) as f64 / sums.contacts as f64,
                    candidates: sums.candidates as f64 / n,
                    missing: sums.missing as f64 / n,
                    full_rate: sums.full as f64 / n,
                }
                .row()
            })
            .collect(),
        );
        health
    }

    /// Fraction of the nodes that know at least `least` of the nodes nearest to themselves.
    pub fn knows_at_least(&self, least: usize) -> f64 {
        let known = self.known_nearest.iter().skip(least).sum::<u64>();
        known as f64 / self.nodes as f64
    }
}
