use super::{GraphModel, NODES, Streams};
use crate::parameter::{ConfigError, Table};
use crate::parameters;
use crate::underlay::UnderlayError;
use crate::underlay::graph::{Links, link, unlinked};
use rustc_hash::FxHashSet;

parameters! {
    /// A ring of hosts with shortcuts (Watts and Strogatz: "Collective dynamics of
    /// 'small-world' networks", Nature 393, 1998).
    ///
    /// Each host is linked to its `neighbours` nearest on the ring. Then, the nearest first and
    /// round the ring, each link from a host to one of its clockwise neighbours is rewired with
    /// probability `rewire` to a host drawn uniformly, but never to itself or along an existing
    /// link. A graph of n hosts has n `neighbours` / 2 links. O(n `neighbours`).
    pub struct WattsStrogatz {
        /// Nearest neighbours that a host is linked to; even, half of them on each side.
        pub neighbours: usize = 4, within 2..=1000;
        /// Probability that a link is rewired.
        pub rewire: f64 = 0.1, within 0.0..=1.0;
    }
}

impl GraphModel for WattsStrogatz {
    fn check(&self, nodes: usize, table: &Table<'_>) -> Result<(), ConfigError> {
        let refuse = |expected: String| {
            let found = self.neighbours;
            let message = format!("expected {expected}, found {found}");
            Err(ConfigError::new(table.path_of("neighbours"), message))
        };
        if !self.neighbours.is_multiple_of(2) {
            return refuse("an even number".to_owned());
        }
        if self.neighbours >= nodes {
            return refuse(format!("less than {NODES} ({nodes})"));
        }
        Ok(())
    }

    fn expected_links(&self, nodes: usize) -> f64 {
        nodes as f64 * (self.neighbours / 2) as f64
    }

    fn links(&self, nodes: usize, streams: &mut Streams) -> Result<Links, UnderlayError> {
        let stream = &mut streams.graph;
        let pair = |a: usize, b: usize| (a.min(b) as u32, a.max(b) as u32);
        let mut links = Vec::with_capacity(nodes * self.neighbours / 2);
        for distance in 1..=self.neighbours / 2 {
            links.extend((0..nodes).map(|host| (host, (host + distance) % nodes)));
        }
        let mut degree = vec![self.neighbours; nodes];
        // Used for lookups only, never iterated: its order reaches no result.
        let mut there: FxHashSet<(u32, u32)> = links.iter().map(|&(a, b)| pair(a, b)).collect();
        for place in &mut links {
            let (host, old) = *place;
            // A host that is linked to all others cannot rewire a link.
            if !stream.chance(self.rewire) || degree[host] >= nodes - 1 {
                continue;
            }
            let new = loop {
                let new = stream.index(nodes);
                if new != host && !there.contains(&pair(host, new)) {
                    break new;
                }
            };
            there.remove(&pair(host, old));
            there.insert(pair(host, new));
            degree[old] -= 1;
            degree[new] += 1;
            *place = (host, new);
        }
        let mut graph = unlinked(nodes, links.len());
        for (a, b) in links {
            link(&mut graph, a, b);
        }
        Ok(graph)
    }
}
