//! The parameters of provider records.

use crate::engine::{Duration, Period};
use crate::parameter::Range;

crate::choices! {
    /// How a node finds the nodes that are to hold a record.
    pub enum Method {
        /// It looks up the key and then sends the record to the nearest nodes.
        Walk = "walk",
        /// It sends the record to nodes during the lookup that are near enough by its estimate of the size of the network, and returns when most have it (go-libp2p-kad-dht, 2023).
        Optimistic = "optimistic",
        /// It crawls the network each hour, and sends the record at once to the nearest of the nodes that the last crawl has reached; it returns when most have it (the accelerated client of go-libp2p-kad-dht, 2021). The limit of 3 addresses of a group is left out.
        FullTable = "full-table",
    }
}

crate::choices! {
    /// How a provider sends its records again.
    pub enum Republishing {
        /// By an operation for each content.
        Each = "each",
        /// By regions of the space: the nodes of each region with contents of the provider are found once in `republish`, and each node gets all its records in one message (the sweeping provider of go-libp2p-kad-dht).
        Sweep = "sweep",
    }
}

crate::choices! {
    /// How a Sybil answers a request for nodes, or for providers.
    pub enum SybilAnswer {
        /// With the nodes nearest to the key that it knows, as others do, but without providers.
        Nodes = "nodes",
        /// With the Sybils of the same content only.
        Sybils = "sybils",
        /// Not at all.
        Silent = "silent",
    }
}

crate::choices! {
    /// What a Sybil does with a record that it is to store.
    pub enum SybilStore {
        /// It acknowledges the record.
        Accept = "accept",
        /// It does not answer.
        Silent = "silent",
    }
}

crate::parameters! {
    /// Provider records, as in go-libp2p-kad-dht: the providers of the content with a key are stored at the nodes nearest to the key.
    pub struct ProviderParameters {
        /// Nodes to which a record is sent; 20 in go-libp2p-kad-dht, 8 in Mainline.
        pub holders: usize = 20, within 1..=1000;
        /// How a node finds them.
        pub method: Method = Method::Walk;
        /// Providers at which a search ends; 20 in go-libp2p-kad-dht. With fewer it asks all nodes near the key.
        pub count: usize = 20, within 1..=1000;
        /// Lifetime of a record at its holder; 48 h in go-libp2p-kad-dht, 24 h until December 2022, 45 min in libtorrent.
        pub expire: Duration = Duration::from_secs(48 * 3600), within Range::above(0.0);
        /// Time after which a provider that is online sends its records again, or "never"; 22 h in go-libp2p-kad-dht, 12 h until December 2022, 15 min in libtorrent.
        pub republish: Period = Period::every(Duration::from_secs(22 * 3600));
        /// How a provider sends its records again.
        pub republish_by: Republishing = Republishing::Each;
        /// How long a node waits for a reply before it gives the request up; 10 s in go-libp2p-kad-dht. `transport.timeout` says how long until it knows that a node does not accept messages.
        pub reply_timeout: Duration = Duration::from_secs(10), within Range::above(0.0);
        /// Whether records are sent to, and searched at, all nodes of a region around the key that has `holders` honest nodes by the estimated size of the network, found by lookups on both sides (Sridhar et al., NDSS 2024, section VI).
        pub regions: bool = false;
    }
}
