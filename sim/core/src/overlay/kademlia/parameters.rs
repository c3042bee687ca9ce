//! The parameters of Kademlia.

use super::{GroupLimit, Kademlia};
use crate::engine::{Duration, Period};
use crate::overlay::{Configuration, CostEstimate, Deployment, ProtocolVisitor, Start};
use crate::parameter::{ConfigError, Map, Parameters, Table, Value};
use crate::space::Key;
use std::collections::BTreeMap;

crate::choices! {
    /// When a contact of a full bucket is replaced by a new node. "ping" is the paper's basic rule (section 2.2).
    pub enum Eviction {
        /// The least recently seen contact is pinged and removed if it does not reply (section 2.2); stale contacts are replaced at once.
        Ping = "ping",
        /// Only stale contacts are replaced (section 4.1): fewer messages.
        Stale = "stale",
        /// A full bucket rejects new nodes, as in go-libp2p-kad-dht.
        Never = "never",
    }
}

crate::choices! {
    /// Whose defaults the keys of this table have.
    pub enum Profile {
        /// The paper (IPTPS 2002).
        Paper = "paper",
        /// go-libp2p-kad-dht, the DHT of IPFS, from 2023 on: k = 20, alpha = 10, beta = 3, buckets refreshed each 10 min, new nodes enter after a check and only where there is a place, a contact that does not reply is removed at once, 2 contacts of a /16 per bucket and 3 per node.
        Libp2p = "libp2p",
        /// Mainline, the DHT of BitTorrent, as in libtorrent: k = 8, alpha = 5, buckets of 128, 64, 32, 16 and 8 contacts, idle ones refreshed each 15 min (BEP 5), a stale contact replaced by one of 8 replacements, new nodes enter after a check, one contact of a /24 per bucket and per lookup.
        Mainline = "mainline",
    }
}

crate::choices! {
    /// Which nodes enter a bucket that has a place.
    pub enum Admission {
        /// Those that have sent a message (section 2.2).
        Messages = "messages",
        /// Those that have replied to a request. Nobody asks a node that joins, so only the nodes of the start become contacts.
        Replies = "replies",
        /// Those that have sent a message, after they have replied to a ping, as in go-libp2p-kad-dht from 2023 on, and in libtorrent.
        Checked = "checked",
    }
}

crate::choices! {
    /// Which nodes a full bucket keeps.
    pub enum Near {
        /// Those that it knows for the longest time, as published.
        LongestSeen = "none",
        /// Proximity neighbour selection: a new node with a shorter round trip replaces the contact with the longest one, as in OverSim. Round trips that are not known are measured by a ping. The least recently seen contact is not pinged: a silent one is replaced once it is stale.
        Pns = "pns",
        /// Those that it knows for the longest time; of the contacts in the bucket nearest to the key, a message goes to the one with the shortest round trip, not to the nearest by ID, and a lookup asks nodes that share as many leading bits with the key in that order: proximity route selection (Gummadi et al., SIGCOMM 2003), as in OverSim. Round trips are measured by replies.
        Prs = "prs",
    }
}

crate::parameters! {
    /// Kademlia: the XOR metric, with buckets of contacts.
    pub struct KademliaParameters {
        /// Whose defaults the other keys of this table have.
        pub profile: Profile = Profile::Paper;
        /// Contacts per bucket, and nodes per reply; 20 as in the paper (IPTPS 2002, section 2.2) and go-libp2p-kad-dht, 8 in Mainline (BEP 5).
        pub k: usize = 20, within 1..=1000;
        /// Concurrent requests of a lookup; 3 as in the paper (section 2.3), 10 in go-libp2p-kad-dht, 5 in libtorrent.
        pub alpha: usize = 3, within 1..=100;
        /// Number of nearest known nodes whose replies complete a lookup of nodes; the other ones of the k nearest are then asked at once, and what they name is not asked any more, as in go-libp2p-kad-dht. 0: a lookup ends when the nearest node, or the k nearest ones, have replied, as in the paper (section 2.3).
        pub beta: usize = 0, within 0..=1000;
        /// Number of disjoint paths of an iterative lookup: each node is queried on one path only, and the closest node of all paths is the root (Baumgart and Mies, S/Kademlia, ICPADS 2007, section 4.4).
        pub paths: usize = 1, within 1..=64;
        /// Bits b resolved by each step of a lookup: each b bits of the distance have 2^b - 1 buckets. 1 is the basic protocol; the paper's evaluation proposes 5 (section 4.2).
        pub b: u32 = 1, within 1..=8;
        /// Time after which a bucket without a lookup is refreshed, or "never"; one hour as in the paper (section 2.3), 10 min in go-libp2p-kad-dht, 15 min in Mainline (BEP 5).
        pub refresh: Period = Period::every(Duration::from_secs(3600));
        /// Number of consecutive time-outs after which a contact is stale; 5 as in the paper (section 4.1), 1 in go-libp2p-kad-dht. BEP 5 says several; 3 in the profile of Mainline is ours.
        pub stale: u16 = 5, within 1..=255;
        /// When a contact of a full bucket is replaced by a new node.
        pub eviction: Eviction = Eviction::Ping;
        /// Whether a stale contact without a replacement is removed; in the paper it stays (section 4.1).
        pub remove_stale: bool = false;
        /// Which nodes enter a bucket that has a place.
        pub admission: Admission = Admission::Messages;
        /// Number of buckets, from the largest subtree on, that hold more than k contacts: the last of them 2k, each larger one twice as many; 4 in libtorrent. Needs `b` = 1.
        pub wide_buckets: u32 = 0, within 0..=8;
        /// Leading bits of an IPv4 address that are the same in a group of addresses; 16 in go-libp2p-kad-dht, 24 in libtorrent.
        pub group_bits: u32 = 16, within 1..=32;
        /// Most contacts of one group in a bucket; 0 for no limit. 2 in go-libp2p-kad-dht, 1 in libtorrent.
        pub group_per_bucket: usize = 0, within 0..=1000;
        /// Most contacts of one group in all buckets; 0 for no limit. 3 in go-libp2p-kad-dht.
        pub group_per_node: usize = 0, within 0..=1000;
        /// Fraction of the nodes whose tables have these limits, by their IDs. In the network of IPFS Kubo has them, other programs on the same library need not.
        pub group_share: f64 = 1.0, within 0.0..=1.0;
        /// Most nodes of one group that a lookup takes from replies; 0 for no limit. 1 in libtorrent.
        pub group_per_lookup: usize = 0, within 0..=1000;
        /// Size of the replacement cache of a full bucket; the paper gives no size (section 4.1), 8 in libtorrent, none in go-libp2p-kad-dht.
        pub replacements: usize = 8, within 0..=1000;
        /// Which nodes a full bucket keeps.
        pub near: Near = Near::LongestSeen;
        /// With `near = "pns"`, a network that starts converged keeps the k nearest of k times as many nodes of each bucket.
        pub candidates: usize = 16, within 1..=1_000_000;
        /// Time after which an unfinished join is restarted through another member; 2 min with the profiles of deployed networks, whose dials wait for seconds, is ours.
        pub join_timeout: Duration = Duration::from_secs(10), within crate::parameter::Range::above(0.0);
    }
}

/// Expected numbers for a node.
struct Expected {
    /// Nodes that a lookup asks.
    asked: f64,
    /// Nonempty buckets.
    buckets: f64,
    /// Contacts in them.
    contacts: f64,
}

impl KademliaParameters {
    fn expected(&self, nodes: usize) -> Expected {
        let (n, k, b) = (nodes.max(2) as f64, self.k as f64, f64::from(self.b));
        let log = libm::log2(n);
        let digits = libm::exp2(b) - 1.0;
        // Levels with full buckets, and a few nodes beyond.
        let levels = (libm::log2(n / k) / b).max(0.0);
        let wide = k * (libm::exp2(f64::from(self.wide_buckets) + 1.0) - 2.0);
        // A step resolves b bits, and more the more contacts there are to choose from.
        let steps = 1.0 + log / (b + libm::log2(k).min(log) / 2.0);
        Expected {
            asked: (self.paths as f64 * (steps + self.alpha as f64 - 1.0)).min(n),
            buckets: (log / b + 1.0) * digits,
            contacts: (levels * digits * k + 2.0 * k + wide).min(n),
        }
    }
}

impl Profile {
    /// The values of this profile that differ from those of the paper.
    fn values(self) -> Vec<(&'static str, Value)> {
        let word = |word: &str| Value::String(word.to_owned());
        let integer = |number: i64| Value::Integer(number);
        match self {
            Self::Paper => Vec::new(),
            Self::Libp2p => vec![
                ("alpha", integer(10)),
                ("beta", integer(3)),
                ("refresh", word("10 min")),
                ("stale", integer(1)),
                ("remove-stale", Value::Boolean(true)),
                ("eviction", word(Eviction::Never.as_str())),
                ("replacements", integer(0)),
                ("admission", word(Admission::Checked.as_str())),
                ("group-bits", integer(16)),
                ("group-per-bucket", integer(2)),
                ("group-per-node", integer(3)),
                ("join-timeout", word("2 min")),
            ],
            Self::Mainline => vec![
                ("k", integer(8)),
                ("alpha", integer(5)),
                ("refresh", word("15 min")),
                ("stale", integer(3)),
                ("remove-stale", Value::Boolean(true)),
                ("eviction", word(Eviction::Stale.as_str())),
                ("replacements", integer(8)),
                ("admission", word(Admission::Checked.as_str())),
                ("wide-buckets", integer(4)),
                ("group-bits", integer(24)),
                ("group-per-bucket", integer(1)),
                ("group-per-lookup", integer(1)),
                ("join-timeout", word("2 min")),
            ],
        }
    }
}

impl KademliaParameters {
    /// The most nodes of one group of addresses that a table near a key has, and a lookup of it takes.
    pub fn most_of_group(&self) -> Option<usize> {
        let limits = [
            self.group_per_bucket,
            self.group_per_node,
            self.group_per_lookup,
        ];
        limits.into_iter().filter(|limit| *limit > 0).min()
    }

    /// The limit of nodes of one group in a lookup.
    pub fn lookup_limit(&self) -> Option<GroupLimit> {
        (self.group_per_lookup > 0).then_some(GroupLimit {
            bits: self.group_bits,
            most: self.group_per_lookup,
        })
    }

    /// Whether nodes limit contacts of one group of addresses.
    pub fn has_group_limits(&self) -> bool {
        self.group_per_bucket > 0 || self.group_per_node > 0
    }

    /// Whether a bucket or a table with nodes of these groups takes no more of `group`. O(nodes).
    pub(super) fn is_group_full(
        &self,
        group: u32,
        of_bucket: impl Iterator<Item = u32>,
        of_node: impl Iterator<Item = u32>,
    ) -> bool {
        let count =
            |groups: &mut dyn Iterator<Item = u32>| groups.filter(|own| *own == group).count();
        let is_full =
            |groups: &mut dyn Iterator<Item = u32>, most: usize| most > 0 && count(groups) >= most;
        is_full(&mut { of_bucket }, self.group_per_bucket)
            || is_full(&mut { of_node }, self.group_per_node)
    }

    /// Whether the node with this `id` is one of those that do.
    pub fn limits_groups(&self, id: &Key) -> bool {
        // A hot path: the last word of the ID as a fraction is below 1.
        self.has_group_limits()
            && (self.group_share >= 1.0
                || f64::from(id.words()[4]) / 4_294_967_296.0 < self.group_share)
    }
}

impl Configuration for KademliaParameters {
    /// Keys that are absent have the defaults of the profile.
    fn read_from(table: &Table<'_>) -> Result<Self, ConfigError> {
        let profile = table.read("profile", Profile::Paper, None)?;
        let mut values: Map = profile
            .values()
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        let given = table.values().into_iter().flatten();
        values.extend(given.map(|(key, value)| (key.clone(), value.clone())));
        Self::read(&table.with(&values))
    }

    fn check(&self, deployment: &Deployment) -> Result<(), ConfigError> {
        if deployment.start == Start::Random && self.refresh.span().is_none() {
            return Err(ConfigError::new(
                "overlay.kademlia.refresh",
                "nodes that know a few random others find their neighbours when they refresh; \
                 expected a duration",
            ));
        }
        if self.paths > self.k {
            return Err(ConfigError::new(
                "overlay.kademlia.paths",
                format_args!(
                    "a lookup begins with `k` = {} contacts, at least one a path; found {} paths",
                    self.k, self.paths
                ),
            ));
        }
        if self.wide_buckets > 0 && self.b != 1 {
            return Err(ConfigError::new(
                "overlay.kademlia.wide-buckets",
                format_args!("expected `b` = 1, found {}", self.b),
            ));
        }
        if self.beta > self.k {
            return Err(ConfigError::new(
                "overlay.kademlia.beta",
                format_args!("expected at most `k` = {}, found {}", self.k, self.beta),
            ));
        }
        if self.paths > 1 && self.beta > 0 {
            return Err(ConfigError::new(
                "overlay.kademlia.paths",
                "the paths of a lookup end at the nearest node; expected `beta` = 0",
            ));
        }
        if self.paths > 1 && !deployment.iterative {
            return Err(ConfigError::new(
                "overlay.kademlia.paths",
                "disjoint paths need iterative lookups; expected `overlay.lookup` = \"iterative\"",
            ));
        }
        Ok(())
    }

    fn resolved(&self) -> BTreeMap<String, Value> {
        if self.profile != Profile::Paper {
            // A value may be the default of the paper, but not that of the profile.
            return self.write_without_defaults(&["group-per-lookup", "group-share"]);
        }
        self.write_without_defaults(&[
            "profile",
            "beta",
            "remove-stale",
            "admission",
            "wide-buckets",
            "group-bits",
            "group-per-bucket",
            "group-per-node",
            "group-per-lookup",
            "group-share",
            "near",
            "candidates",
        ])
    }

    fn cost_estimate(&self, nodes: usize) -> CostEstimate {
        let Expected {
            asked,
            buckets,
            contacts,
        } = self.expected(nodes);
        CostEstimate {
            hops: asked,
            maintenance: self
                .maintenance_rates(nodes)
                .iter()
                .map(|(_, rate)| rate)
                .sum(),
            bytes: 8.0 * contacts + 24.0 * buckets,
            build: contacts / 10.0,
            peers: contacts,
        }
    }

    fn maintenance_rates(&self, nodes: usize) -> Vec<(&'static str, f64)> {
        let expected = self.expected(nodes);
        let (n, k) = (nodes.max(2) as f64, self.k as f64);
        // Refreshing a bucket asks k nodes; each request and each reply is a message.
        let refresh = 2.0 * expected.buckets * (k + expected.asked).min(n);
        vec![("overlay.kademlia.refresh", refresh * self.refresh.rate())]
    }

    fn accept<L: ProtocolVisitor>(&self, visitor: L) -> L::Output {
        visitor.visit::<Kademlia>(self.clone())
    }
}
