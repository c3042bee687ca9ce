use super::{GraphModel, NODES, Streams};
use crate::engine::Stream;
use crate::parameter::{ConfigError, Table};
use crate::parameters;
use crate::underlay::UnderlayError;
use crate::underlay::graph::{Links, link, unlinked};

parameters! {
    /// Directed scale-free graphs (Bollobás, Borgs, Chayes and Riordan: "Directed scale-free
    /// graphs", SODA 2003), step by step as `scale_free_graph` of networkx grows them; then
    /// directions, parallel links and loops are dropped.
    ///
    /// Starts with the cycle 0 -> 1 -> 2 -> 0. Each step adds one link: with probability `alpha`
    /// from a new host to an old one, with `beta` between old hosts, with `gamma` from an old host
    /// to a new one. The source of a link is chosen in proportion to out-degree + `delta-out`, its
    /// target in proportion to in-degree + `delta-in`. As in networkx, a new host of the first kind
    /// may choose itself; such a loop leaves it isolated unless later links reach it, and hosts
    /// outside the largest component are not used. O(n / (alpha + gamma)).
    pub struct ScaleFreeDirected {
        /// Probability of a link from a new host.
        pub alpha: f64 = 0.41, within 0.001..=1.0;
        /// Probability of a link between old hosts; alpha + beta + gamma must be 1.
        pub beta: f64 = 0.54, within 0.0..=0.999;
        /// Probability of a link to a new host.
        pub gamma: f64 = 0.05, within 0.0..=1.0;
        /// Constant added to in-degrees.
        pub delta_in: f64 = 0.2, within 0.0..;
        /// Constant added to out-degrees.
        pub delta_out: f64 = 0.0, within 0.0..;
    }
}

/// The hosts at one end of all links, for one direction: a uniform draw is a draw by degree.
struct Ends(Vec<u32>);

impl Ends {
    /// A host drawn in proportion to its degree + `delta`, of the hosts `0..hosts`.
    fn choose(&self, hosts: u32, delta: f64, stream: &mut Stream) -> u32 {
        if delta > 0.0 {
            let bias = f64::from(hosts) * delta;
            if stream.chance(bias / (bias + self.0.len() as f64)) {
                return stream.index(hosts as usize) as u32;
            }
        }
        self.0[stream.index(self.0.len())]
    }
}

impl GraphModel for ScaleFreeDirected {
    fn check(&self, nodes: usize, table: &Table<'_>) -> Result<(), ConfigError> {
        let sum = self.alpha + self.beta + self.gamma;
        if (sum - 1.0).abs() >= 1e-9 {
            return Err(ConfigError::new(
                table.path_of("alpha"),
                format_args!("expected alpha + beta + gamma = 1, found {sum}"),
            ));
        }
        if nodes < 3 {
            return Err(ConfigError::new(
                NODES,
                format_args!("expected at least 3 for the cycle that starts it, found {nodes}"),
            ));
        }
        Ok(())
    }

    fn expected_links(&self, nodes: usize) -> f64 {
        nodes as f64 / (self.alpha + self.gamma)
    }

    fn expected_hubs(&self, nodes: usize) -> f64 {
        // Measured: 3 on 10,000 hosts, most of which hang off a few.
        (nodes as f64).sqrt() / 4.0
    }

    fn links(&self, nodes: usize, streams: &mut Streams) -> Result<Links, UnderlayError> {
        let stream = &mut streams.graph;
        let mut graph = unlinked(nodes, self.expected_links(nodes) as usize);
        let (mut starts, mut finishes) = (Ends(vec![0, 1, 2]), Ends(vec![1, 2, 0]));
        for (from, to) in [(0, 1), (1, 2), (2, 0)] {
            link(&mut graph, from, to);
        }
        let mut hosts = 3;
        while (hosts as usize) < nodes {
            let kind = stream.unit();
            let (from, to);
            if kind < self.alpha {
                from = hosts;
                hosts += 1;
                to = finishes.choose(hosts, self.delta_in, stream);
            } else if kind < self.alpha + self.beta {
                from = starts.choose(hosts, self.delta_out, stream);
                to = finishes.choose(hosts, self.delta_in, stream);
            } else {
                from = starts.choose(hosts, self.delta_out, stream);
                to = hosts;
                hosts += 1;
            }
            link(&mut graph, from as usize, to as usize);
            starts.0.push(from);
            finishes.0.push(to);
        }
        Ok(graph)
    }
}
