use super::{GraphModel, NODES, Streams};
use crate::engine::Stream;
use crate::parameter::{ConfigError, Table};
use crate::parameters;
use crate::underlay::UnderlayError;
use crate::underlay::graph::{Links, link, unlinked};

parameters! {
    /// G(n, p): each pair of hosts is linked with the same probability (Gilbert: "Random
    /// graphs", Annals of Mathematical Statistics 30, 1959; Erdős and Rényi 1959).
    ///
    /// p is `mean-degree` / (n - 1). Pairs without a link are skipped in one draw (Batagelj and
    /// Brandes: "Efficient generation of large random networks", Physical Review E 71, 2005).
    /// Below a mean degree of about ln n some hosts are not reached and left out. O(n + m).
    pub struct ErdosRenyi {
        /// Expected links of a host, at most n - 1.
        pub mean_degree: f64 = 6.0, within 0.0..;
    }
}

/// The pairs (v, w), w < v < hosts, each taken with probability `p`, in order: Batagelj and
/// Brandes, algorithm 1. O(hosts + pairs taken).
pub(super) struct RandomPairs<'a> {
    hosts: u64,
    p: f64,
    log_miss: f64,
    v: u64,
    w: u64,
    stream: &'a mut Stream,
}

impl<'a> RandomPairs<'a> {
    pub(super) fn new(hosts: usize, p: f64, stream: &'a mut Stream) -> Self {
        Self {
            hosts: hosts as u64,
            p,
            log_miss: libm::log1p(-p),
            v: 1,
            w: 0,
            stream,
        }
    }

    /// The next pair; what the caller draws in between comes from the same stream.
    pub(super) fn next(&mut self) -> Option<(usize, usize)> {
        if self.p <= 0.0 || self.v >= self.hosts {
            return None;
        }
        if self.p < 1.0 {
            // 1 - unit() is never 0, so the skip is finite; the cast saturates huge values.
            let skip = libm::floor(libm::log(1.0 - self.stream.unit()) / self.log_miss);
            self.w = self.w.saturating_add(skip as u64);
        }
        while self.w >= self.v {
            self.w -= self.v;
            self.v += 1;
            if self.v >= self.hosts {
                return None;
            }
        }
        let pair = (self.v as usize, self.w as usize);
        self.w += 1;
        Some(pair)
    }

    pub(super) fn stream(&mut self) -> &mut Stream {
        self.stream
    }
}

impl GraphModel for ErdosRenyi {
    fn check(&self, nodes: usize, table: &Table<'_>) -> Result<(), ConfigError> {
        if self.mean_degree <= (nodes - 1) as f64 {
            return Ok(());
        }
        Err(ConfigError::new(
            table.path_of("mean-degree"),
            format_args!(
                "expected less than {NODES} ({nodes}), found {}",
                self.mean_degree
            ),
        ))
    }

    fn expected_links(&self, nodes: usize) -> f64 {
        nodes as f64 * self.mean_degree / 2.0
    }

    fn links(&self, nodes: usize, streams: &mut Streams) -> Result<Links, UnderlayError> {
        let mut graph = unlinked(nodes, self.expected_links(nodes) as usize);
        let p = self.mean_degree / (nodes.max(2) - 1) as f64;
        let mut pairs = RandomPairs::new(nodes, p, &mut streams.graph);
        while let Some((a, b)) = pairs.next() {
            link(&mut graph, a, b);
        }
        Ok(graph)
    }
}
