//! Growth with messages: nodes join a running network through a random member.

use super::GrowthParameters;
use crate::published::urdht_growth::Point;
use crate::{OverlayGraph, Walk};
use dhtlab_core::engine::{Duration, Instant, Seed};
use dhtlab_core::network::{Network, Setup, Travel};
use dhtlab_core::overlay::Node;
use dhtlab_core::overlay::urdht::{Shared, Topology, TopologyVisitor, Urdht};
use dhtlab_core::parameter::Value;
use dhtlab_core::parameter::{ConfigError, Table};
use dhtlab_core::space::Key;
use dhtlab_core::underlay::{Distances, Host, Specification};
use std::path::Path;
use std::sync::Arc;

/// Default number of random pairs at each size.
const PAIRS: usize = 1000;

/// A run with messages. Every message takes 50 ms.
pub(super) struct ProtocolRun<'a> {
    pub growth: &'a GrowthParameters,
    pub timeout: Duration,
    /// The sizes at which the graph is measured, ascending.
    pub sizes: &'a [usize],
    pub seed: Seed,
    pub points: &'a mut Vec<Point>,
}

impl TopologyVisitor for ProtocolRun<'_> {
    type Output = Result<Vec<String>, ConfigError>;

    fn visit<T: Topology>(self, shared: Shared<T>) -> Self::Output {
        let Self { growth, seed, .. } = self;
        let Some(gossip) = shared.gossip().span() else {
            return Err(ConfigError::new(
                "overlay.urdht.gossip",
                "expected a duration",
            ));
        };
        let between = gossip * growth.ticks_per_join as u64;
        let setup = Setup {
            seed,
            travel: Travel::SemiRecursive,
            timeout: self.timeout,
            ask_root: true,
        };
        let distances = distances(growth.nodes, seed)?;
        let mut network = Network::<Urdht<T>>::new(setup, shared, distances);
        let mut ids = seed.stream("ids", 0);
        for i in 0..growth.nodes as u32 {
            let id = Key::random(&mut ids);
            network.join_at(Instant::START + between * u64::from(i), id, i);
        }
        let mut notes = Vec::new();
        for size in self.sizes {
            // Just before the next node joins.
            let until = between * *size as u64;
            let until = Instant::START + Duration::from_nanos(until.as_nanos() - 1);
            network.run(until, false, u64::MAX);
            let members = network.members().len();
            if members != *size {
                notes.push(format!(
                    "{members} of {size} nodes have found their place in time"
                ));
            }
            self.points.push(self.measure(&network, *size));
        }
        Ok(notes)
    }
}

impl ProtocolRun<'_> {
    fn measure<T: Topology>(&self, network: &Network<Urdht<T>>, size: usize) -> Point {
        let members = network.members();
        let n = members.len();
        let mut places = vec![u32::MAX; network.ids().len()];
        for (place, node) in members.iter().enumerate() {
            places[node.index()] = place as u32;
        }
        let place = |peer: &Node| Some(places[peer.index()]).filter(|place| *place != u32::MAX);
        let peers = |node: &Node| network.node(*node).peers().nodes();
        let graph = OverlayGraph::new(
            members
                .iter()
                .map(|node| peers(node).iter().filter_map(place)),
        );
        let mut stream = self.seed.stream("lookups", size as u64);
        let pairs: Vec<(u32, u32)> = (0..self.growth.pairs.unwrap_or(PAIRS))
            .filter(|_| n > 1)
            .map(|_| {
                let from = stream.index(n);
                let to = (from + 1 + stream.index(n - 1)) % n;
                (from as u32, to as u32)
            })
            .collect();
        let topology = network.shared().topology();
        let point = |place: u32| network.node(members[place as usize]).point();
        let walks = graph.greedy_walks(pairs, Walk::Descending, |node, target| {
            topology.distance(point(node), point(target))
        });
        let degree_out_mean = graph.links() as f64 / n as f64;
        Point {
            nodes: size,
            degree_out_mean,
            degree_inout_mean: 2.0 * degree_out_mean,
            degree_inout_max: graph.degrees_in_and_out().into_iter().max().unwrap_or(0),
            greedy_hops_mean: walks.mean(),
            greedy_hops_max: walks.longest,
            diameter: graph.diameter(),
            hit_rate: walks.hit_rate(),
        }
    }
}

/// Hosts at equal distances from each other.
fn distances(nodes: usize, seed: Seed) -> Result<Distances, ConfigError> {
    let keys = [
        ("model", Value::String("constant".to_owned())),
        ("nodes", Value::Integer(nodes as i64)),
    ];
    let table: dhtlab_core::parameter::Map = keys
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    let specification = Specification::read(&Table::root(&table), Path::new(""))?;
    let underlay = specification
        .build(seed)
        .map_err(|error| ConfigError::new("underlay", error))?;
    let hosts = (0..nodes as u32).map(Host).collect();
    Ok(Distances::new(Arc::new(underlay), hosts))
}
