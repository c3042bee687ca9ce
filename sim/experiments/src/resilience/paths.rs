//! Paths between live nodes.

use super::ResilienceParameters;
use super::geometry::Population;
use super::tables::{Measure, Tables};
use dhtlab_core::engine::Seed;

/// The paths of a number of pairs.
pub(super) struct Paths {
    pub pairs: u64,
    pub failed: u64,
    /// Number of paths by hops.
    pub hops: Vec<u64>,
    /// Mean number of different entries.
    pub degree: f64,
    /// Sums over the paths of hosts with positions: of the ratios, the latencies and the direct ones.
    ratios: f64,
    latency: f64,
    direct: f64,
    measured: u64,
}

impl Paths {
    /// Finds the paths between random pairs of live nodes.
    pub fn find(
        parameters: &ResilienceParameters,
        population: &Population,
        tables: &Tables,
        seed: Seed,
    ) -> Self {
        let n = parameters.nodes;
        let mut order: Vec<u32> = (0..n as u32).collect();
        seed.stream("dead", 0).shuffle(&mut order);
        let live = &order[..parameters.live()];
        let mut is_alive = vec![false; n];
        live.iter().for_each(|node| is_alive[*node as usize] = true);
        let mut paths = Self {
            pairs: 0,
            failed: 0,
            hops: Vec::new(),
            degree: degree(tables),
            ratios: 0.0,
            latency: 0.0,
            direct: 0.0,
            measured: 0,
        };
        let mut stream = seed.stream("pairs", 0);
        let router = Router {
            population,
            tables,
            is_alive,
        };
        for _ in 0..parameters.pairs {
            let from = stream.index(live.len());
            let to = (from + 1 + stream.index(live.len() - 1)) % live.len();
            paths.add(population, &router, live[from] as usize, live[to] as usize);
        }
        paths
    }

    /// Follows the path between two nodes, and counts it.
    fn add(&mut self, population: &Population, router: &Router<'_>, from: usize, to: usize) {
        self.pairs += 1;
        let (mut node, mut hops, mut latency) = (from, 0, 0.0);
        while node != to {
            let Some(next) = router.next(node, to) else {
                self.failed += 1;
                return;
            };
            if !population.hosts.is_empty() {
                latency += population.latency(node, next);
            }
            hops += 1;
            node = next;
        }
        if self.hops.len() <= hops {
            self.hops.resize(hops + 1, 0);
        }
        self.hops[hops] += 1;
        if !population.hosts.is_empty() {
            let direct = population.latency(from, to);
            if direct > 0.0 {
                self.ratios += latency / direct;
                self.latency += latency;
                self.direct += direct;
                self.measured += 1;
            }
        }
    }

    /// Mean hops of the paths that do not fail.
    pub fn hops_mean(&self) -> f64 {
        dhtlab_network_experiments::histogram::mean(&self.hops)
    }

    /// The quantile `q` of these hops.
    pub fn hops_quantile(&self, q: f64) -> f64 {
        dhtlab_network_experiments::histogram::quantile(&self.hops, q)
    }

    /// Mean ratio of the latency of a path to that of the direct one; `None` without positions.
    pub fn stretch_mean(&self) -> Option<f64> {
        (self.measured > 0).then(|| self.ratios / self.measured as f64)
    }

    /// Ratio of the mean latency of the paths to that of the direct ones; `None` without positions.
    pub fn stretch_of_means(&self) -> Option<f64> {
        (self.measured > 0).then(|| self.latency / self.direct)
    }
}

/// Mean number of different entries of a node.
fn degree(tables: &Tables) -> f64 {
    let distinct = |list: &Vec<u32>| {
        let mut list = list.clone();
        list.sort_unstable();
        list.dedup();
        list.len()
    };
    let all: usize = tables.entries.iter().map(distinct).sum();
    all as f64 / tables.entries.len() as f64
}

struct Router<'a> {
    population: &'a Population,
    tables: &'a Tables,
    is_alive: Vec<bool>,
}

impl Router<'_> {
    /// The live entry of `node` that is nearest to `to`, if it is nearer than the node itself.
    fn next(&self, node: usize, to: usize) -> Option<usize> {
        let (ids, measure) = (&self.population.ids, &self.tables.measure);
        let own = measure.distance(ids, node, to);
        let live = self.tables.entries[node]
            .iter()
            .map(|entry| *entry as usize);
        let live = live.filter(|entry| self.is_alive[*entry]);
        // The digit that a path through a tree has to correct next is the first that differs.
        let first = (ids[node] ^ ids[to]).leading_zeros();
        let corrects = |entry: &usize| match measure {
            Measure::Prefix => (ids[*entry] ^ ids[to]).leading_zeros() > first,
            _ => true,
        };
        live.filter(corrects)
            .map(|entry| (measure.distance(ids, entry, to), entry))
            .filter(|(distance, _)| *distance < own)
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
            .map(|(_, entry)| entry)
    }
}
