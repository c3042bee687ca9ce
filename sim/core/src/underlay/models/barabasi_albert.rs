use super::{GraphModel, NODES, Streams};
use crate::parameter::{ConfigError, Table};
use crate::parameters;
use crate::underlay::UnderlayError;
use crate::underlay::graph::{Links, link, unlinked};

parameters! {
    /// Growth by preferential attachment (Barabási and Albert: "Emergence of scaling in random
    /// networks", Science 286, 1999).
    ///
    /// Starts, as networkx does, with a star: host 0 linked to `edges-per-node` others. Each
    /// further host links to as many different hosts, drawn from the list of all ends of links, so
    /// that a host is chosen in proportion to its degree. A graph of n hosts has m (n - m) links
    /// and is connected. O(n m).
    pub struct BarabasiAlbert {
        /// Links of each new host.
        pub edges_per_node: usize = 2, within 1..=1000;
    }
}

impl GraphModel for BarabasiAlbert {
    fn check(&self, nodes: usize, table: &Table<'_>) -> Result<(), ConfigError> {
        if self.edges_per_node < nodes {
            return Ok(());
        }
        Err(ConfigError::new(
            table.path_of("edges-per-node"),
            format_args!(
                "expected less than {NODES} ({nodes}), found {}",
                self.edges_per_node
            ),
        ))
    }

    fn expected_links(&self, nodes: usize) -> f64 {
        self.edges_per_node as f64 * (nodes - self.edges_per_node) as f64
    }

    fn expected_hubs(&self, nodes: usize) -> f64 {
        // Measured: 38, 63 and 112 on 10,000 to 100,000 hosts of two links each; 106 and 150 on
        // 10,000 hosts of 5 and 10.
        0.25 * self.edges_per_node as f64 * (nodes as f64).sqrt()
    }

    fn links(&self, nodes: usize, streams: &mut Streams) -> Result<Links, UnderlayError> {
        let each = self.edges_per_node;
        let mut graph = unlinked(nodes, each * (nodes - each));
        let mut ends: Vec<u32> = Vec::with_capacity(2 * each * (nodes - each));
        let mut chosen: Vec<u32> = (1..=each as u32).collect();
        let mut newcomer = 0;
        loop {
            for &target in &chosen {
                link(&mut graph, newcomer, target as usize);
                ends.extend([newcomer as u32, target]);
            }
            // The star has the hosts 0..=each.
            newcomer = (newcomer + 1).max(each + 1);
            if newcomer >= nodes {
                return Ok(graph);
            }
            chosen.clear();
            while chosen.len() < each {
                let target = ends[streams.graph.index(ends.len())];
                if !chosen.contains(&target) {
                    chosen.push(target);
                }
            }
        }
    }
}
