use super::{GraphModel, NODES, Streams};
use crate::engine::{Duration, DurationDistribution, Stream};
use crate::parameter::{ConfigError, Table};
use crate::parameters;
use crate::underlay::graph::{Links, unlinked};
use crate::underlay::{UnderlayError, micros};
use petgraph::graph::NodeIndex;
use rustc_hash::FxHashSet;
use std::ops::Range;

parameters! {
    /// Transit domains that carry traffic between stub domains, as in GT-ITM (Zegura, Calvert
    /// and Bhattacharjee: "How to model an internetwork", INFOCOM 1996).
    ///
    /// The first hosts are transit hosts, domain by domain; all others are distributed over the
    /// stub domains as evenly as possible, and each stub domain is linked to one transit host. The
    /// transit domains among each other, the hosts of a transit domain and those of a stub domain
    /// each form a connected random graph: every host links to a random earlier one, and random
    /// links are added up to the mean degree. (GT-ITM draws graphs with a fixed probability until
    /// one is connected, which is not feasible for large domains.) Where domains are linked, the
    /// hosts of the link are drawn. Latencies are drawn by kind of link; `link-latency` has no
    /// effect. O(n + m).
    pub struct TransitStub {
        /// Transit domains.
        pub transit_domains: usize = 4, within 1..=10_000;
        /// Hosts of a transit domain.
        pub transit_hosts: usize = 8, within 1..=10_000;
        /// Stub domains linked to each transit host.
        pub stubs_per_transit_host: usize = 3, within 1..=10_000;
        /// Mean degree inside a transit domain, and of the transit domains among each other.
        pub transit_degree: f64 = 3.0, within 0.0..=1000.0;
        /// Mean degree inside a stub domain.
        pub stub_degree: f64 = 3.0, within 0.0..=1000.0;
        /// Further links from a random stub host to a random transit host.
        pub extra_transit_stub: usize = 0, within 0..=100_000_000;
        /// Further links between two random stub hosts.
        pub extra_stub_stub: usize = 0, within 0..=100_000_000;
        /// Latency of a link between transit hosts.
        pub transit_transit_latency: DurationDistribution =
            DurationDistribution::Constant(Duration::from_millis(20));
        /// Latency of a link between a transit host and a stub host.
        pub transit_stub_latency: DurationDistribution =
            DurationDistribution::Constant(Duration::from_millis(5));
        /// Latency of a link between stub hosts.
        pub stub_stub_latency: DurationDistribution =
            DurationDistribution::Constant(Duration::from_millis(2));
    }
}

/// The graph while it grows.
struct Growth<'a> {
    graph: Links,
    streams: &'a mut Streams,
}

impl Growth<'_> {
    fn link(&mut self, a: usize, b: usize, by: &DurationDistribution) -> Result<(), UnderlayError> {
        let latency = micros(by.sample(&mut self.streams.latency))?;
        self.graph
            .add_edge(NodeIndex::new(a), NodeIndex::new(b), Some(latency));
        Ok(())
    }

    fn pick(&mut self, from: &Range<usize>) -> usize {
        from.start + self.streams.graph.index(from.len())
    }

    /// Links the hosts of one domain.
    fn domain(
        &mut self,
        hosts: &Range<usize>,
        degree: f64,
        by: &DurationDistribution,
    ) -> Result<(), UnderlayError> {
        for (a, b) in connected(hosts.len(), degree, &mut self.streams.graph) {
            self.link(hosts.start + a, hosts.start + b, by)?;
        }
        Ok(())
    }
}

/// The links of a connected random graph of `size` members: a random recursive tree, then distinct
/// random links up to the mean `degree`. O(size * degree).
fn connected(size: usize, degree: f64, stream: &mut Stream) -> Vec<(usize, usize)> {
    let mut links: Vec<(usize, usize)> = (1..size).map(|new| (stream.index(new), new)).collect();
    let all = size * size.saturating_sub(1) / 2;
    let wanted = (libm::round(size as f64 * degree / 2.0) as usize).min(all);
    if wanted == all {
        return (0..size)
            .flat_map(|b| (0..b).map(move |a| (a, b)))
            .collect();
    }
    // Used for lookups only, never iterated: its order reaches no result.
    let mut there: FxHashSet<(usize, usize)> = links.iter().copied().collect();
    while links.len() < wanted {
        let (a, b) = (stream.index(size), stream.index(size));
        let pair = (a.min(b), a.max(b));
        if a != b && there.insert(pair) {
            links.push(pair);
        }
    }
    links
}

impl TransitStub {
    fn transit(&self) -> usize {
        self.transit_domains * self.transit_hosts
    }

    fn stubs(&self) -> usize {
        self.transit().saturating_mul(self.stubs_per_transit_host)
    }
}

impl GraphModel for TransitStub {
    fn check(&self, nodes: usize, _: &Table<'_>) -> Result<(), ConfigError> {
        let least = self.transit().saturating_add(self.stubs());
        if nodes >= least {
            return Ok(());
        }
        Err(ConfigError::new(
            NODES,
            format_args!(
                "expected at least {least} for {} transit hosts and {} stub domains, found {nodes}",
                self.transit(),
                self.stubs()
            ),
        ))
    }

    fn expected_links(&self, nodes: usize) -> f64 {
        let transit = self.transit() as f64 * self.transit_degree.max(2.0);
        let stub = (nodes - self.transit()) as f64 * self.stub_degree.max(2.0);
        let extra = (self.extra_transit_stub + self.extra_stub_stub + self.stubs()) as f64;
        (transit + stub) / 2.0 + extra
    }

    fn expected_hubs(&self, nodes: usize) -> f64 {
        // A gateway is a hub of its whole domain, and so is an end of a further link of its side.
        // Measured: 16, 31 and 51 in 96 domains of 104 to 1041 hosts.
        let domain = nodes as f64 / self.stubs() as f64;
        let further = (self.extra_transit_stub + self.extra_stub_stub) as f64;
        (self.transit() as f64 + domain) / 8.0 + 16.0 + further
    }

    fn own_latencies(&self) -> bool {
        true
    }

    fn links(&self, nodes: usize, streams: &mut Streams) -> Result<Links, UnderlayError> {
        let graph = unlinked(nodes, self.expected_links(nodes) as usize);
        let mut growth = Growth { graph, streams };
        let (between, down, within) = (
            &self.transit_transit_latency,
            &self.transit_stub_latency,
            &self.stub_stub_latency,
        );
        let transit = 0..self.transit();
        let domain = |i: usize| i * self.transit_hosts..(i + 1) * self.transit_hosts;
        for i in 0..self.transit_domains {
            growth.domain(&domain(i), self.transit_degree, between)?;
        }
        let domains = connected(
            self.transit_domains,
            self.transit_degree,
            &mut growth.streams.graph,
        );
        for (i, j) in domains {
            let (a, b) = (growth.pick(&domain(i)), growth.pick(&domain(j)));
            growth.link(a, b, between)?;
        }
        let (stubs, stub_hosts) = (self.stubs(), self.transit()..nodes);
        let start = |stub: usize| stub_hosts.start + stub * stub_hosts.len() / stubs;
        for stub in 0..stubs {
            let hosts = start(stub)..start(stub + 1);
            growth.domain(&hosts, self.stub_degree, within)?;
            let gateway = growth.pick(&hosts);
            growth.link(stub / self.stubs_per_transit_host, gateway, down)?;
        }
        for _ in 0..self.extra_transit_stub {
            let (a, b) = (growth.pick(&transit), growth.pick(&stub_hosts));
            growth.link(a, b, down)?;
        }
        for _ in 0..self.extra_stub_stub {
            let (a, b) = (growth.pick(&stub_hosts), growth.pick(&stub_hosts));
            growth.link(a, b, within)?;
        }
        Ok(growth.graph)
    }
}
