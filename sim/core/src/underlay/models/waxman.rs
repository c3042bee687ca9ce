use super::erdos_renyi::RandomPairs;
use super::{GraphModel, NODES, Streams};
use crate::parameter::{ConfigError, Table};
use crate::parameters;
use crate::underlay::UnderlayError;
use crate::underlay::graph::{Links, link, unlinked};

parameters! {
    /// Near hosts are linked with a higher probability than far ones (Waxman: "Routing of
    /// multipoint connections", IEEE Journal on Selected Areas in Communications 6, 1988).
    ///
    /// Hosts are uniform in the unit square, and two at distance d are linked with probability
    /// `beta` exp(-d / (`alpha` L)), where L is the diagonal. This is Waxman's convention and that
    /// of networkx; BRITE and GT-ITM exchange the names alpha and beta. A host far from the border
    /// has about 4 pi n `alpha`^2 `beta` links: the defaults give 6 for 10,000 hosts. Hosts that
    /// are not reached are left out. Pairs are skipped at rate `beta` and then thinned by distance:
    /// O(n + `beta` n^2).
    pub struct Waxman {
        /// Range of links: the probability decreases more slowly with a larger value.
        pub alpha: f64 = 0.1, within 0.0001..=1000.0;
        /// The probability of a link between hosts at distance zero.
        pub beta: f64 = 0.005, within 0.0..=1.0;
    }
}

/// The greatest number of pairs to examine: about a minute.
const PAIRS: f64 = 2e9;

impl Waxman {
    fn candidates(&self, nodes: usize) -> f64 {
        self.beta * nodes as f64 * nodes as f64 / 2.0
    }
}

impl GraphModel for Waxman {
    fn check(&self, nodes: usize, table: &Table<'_>) -> Result<(), ConfigError> {
        if self.candidates(nodes) <= PAIRS {
            return Ok(());
        }
        Err(ConfigError::new(
            table.path_of("beta"),
            format_args!(
                "with {NODES} = {nodes} expected at most {:.1e}, or the graph takes too long \
                 to draw; found {}",
                2.0 * PAIRS / (nodes as f64 * nodes as f64),
                self.beta
            ),
        ))
    }

    fn expected_links(&self, nodes: usize) -> f64 {
        let everywhere = 4.0 * std::f64::consts::PI * self.alpha * self.alpha;
        self.candidates(nodes) * everywhere.min(1.0)
    }

    fn links(&self, nodes: usize, streams: &mut Streams) -> Result<Links, UnderlayError> {
        let stream = &mut streams.graph;
        let positions: Vec<(f64, f64)> =
            (0..nodes).map(|_| (stream.unit(), stream.unit())).collect();
        let reach = self.alpha * std::f64::consts::SQRT_2;
        let mut graph = unlinked(nodes, self.expected_links(nodes) as usize);
        let mut pairs = RandomPairs::new(nodes, self.beta, stream);
        while let Some((a, b)) = pairs.next() {
            let (dx, dy) = (
                positions[a].0 - positions[b].0,
                positions[a].1 - positions[b].1,
            );
            let distance = (dx * dx + dy * dy).sqrt();
            if pairs.stream().chance(libm::exp(-distance / reach)) {
                link(&mut graph, a, b);
            }
        }
        Ok(graph)
    }
}
