//! Properties of distances, on random small graphs.

use super::graph::{Adjacency, Latencies, Links, distinct_links, unlinked};
use super::pairwise::{Pairwise, Plane};
use super::shortest_paths::ShortestPaths;
use super::{Distances, Host, Path, Underlay, shortest_paths};
use crate::engine::{Duration, DurationDistribution, Seed};
use petgraph::algo::floyd_warshall;
use petgraph::graph::NodeIndex;
use proptest::prelude::*;
use std::num::NonZeroU32;
use std::sync::Arc;

/// Links between up to `hosts` hosts: two ends and a latency of up to `longest` microseconds.
fn links(hosts: usize, longest: u32) -> impl Strategy<Value = Links> {
    let link = (0..hosts, 0..hosts, 1..=longest);
    (1..=hosts, prop::collection::vec(link, 0..3 * hosts)).prop_map(|(hosts, links)| {
        let mut graph = unlinked(hosts, links.len());
        for (a, b, latency) in links {
            let ends = (NodeIndex::new(a % hosts), NodeIndex::new(b % hosts));
            graph.add_edge(ends.0, ends.1, NonZeroU32::new(latency));
        }
        graph
    })
}

fn adjacency(links: &Links) -> Adjacency {
    let latency = DurationDistribution::Constant(Duration::from_millis(1));
    let mut stream = Seed::new(1).stream("test", 0);
    let adjacency = {
        let notes = &mut Vec::new();
        let tidy = distinct_links(links, notes);
        Adjacency::new(links.node_count(), tidy, &latency, &mut stream, notes).unwrap()
    };
    shortest_paths::check_range(&adjacency).unwrap();
    adjacency
}

/// Distances between all hosts of a graph, each host twice.
fn distances(graph: Adjacency) -> Distances {
    let hosts = graph.hosts() as u32;
    let underlay = Underlay::of_graph(graph, Vec::new());
    Distances::new(
        Arc::new(underlay),
        (0..2 * hosts).map(|i| Host(i % hosts)).collect(),
    )
}

/// The same graph with a latency for each link even if they are equal.
fn spelled_out(mut graph: Adjacency) -> Adjacency {
    if let Latencies::Equal(latency) = graph.latencies {
        graph.latencies = Latencies::Each(vec![latency; graph.targets.len()]);
    }
    graph
}

fn latency_of(graph: &Adjacency, place: usize) -> u32 {
    match &graph.latencies {
        Latencies::Equal(latency) => *latency,
        Latencies::Each(latencies) => latencies[place],
    }
}

/// The Bellman-Ford method on (latency, hops): slow and simple.
fn bellman_ford(graph: &Adjacency, source: u32) -> Vec<(u64, u32)> {
    let mut best = vec![(u64::MAX, 0); graph.hosts()];
    best[source as usize] = (0, 0);
    for _ in 0..graph.hosts() {
        for host in 0..graph.hosts() as u32 {
            let (latency, hops) = best[host as usize];
            for place in graph.places(host).filter(|_| latency < u64::MAX) {
                let there = &mut best[graph.targets[place] as usize];
                let way = (latency + u64::from(latency_of(graph, place)), hops + 1);
                *there = (*there).min(way);
            }
        }
    }
    best
}

proptest! {
    #[test]
    fn underlay_paths_are_those_of_bellman_and_ford(links in links(14, 4)) {
        let graph = adjacency(&links);
        let hosts = graph.hosts() as u32;
        let expected: Vec<_> = (0..hosts).map(|host| bellman_ford(&graph, host)).collect();
        let mut distances = distances(graph);
        for a in 0..hosts {
            for b in 0..hosts {
                let (micros, hops) = expected[a as usize][b as usize];
                let path = Path { hops, latency: Duration::from_micros(micros) };
                prop_assert_eq!(distances.path(a, b), path);
                prop_assert_eq!(distances.path(a + hosts, b), path);
            }
        }
    }

    #[test]
    fn underlay_latencies_are_those_of_petgraph(links in links(14, 1_000_000)) {
        let graph = adjacency(&links);
        let mut plain = Links::default();
        let hosts: Vec<_> = (0..graph.hosts()).map(|_| plain.add_node(())).collect();
        for host in 0..graph.hosts() {
            for place in graph.places(host as u32) {
                let latency = NonZeroU32::new(latency_of(&graph, place));
                plain.add_edge(hosts[host], hosts[graph.targets[place] as usize], latency);
            }
        }
        let expected =
            floyd_warshall(&plain, |edge| edge.weight().map_or(0, |l| u64::from(l.get()))).unwrap();
        let mut distances = distances(graph);
        for &a in &hosts {
            for &b in &hosts {
                let path = distances.path(a.index() as u32, b.index() as u32);
                prop_assert_eq!(path.latency, Duration::from_micros(expected[&(a, b)]));
            }
        }
    }

    #[test]
    fn underlay_distances_are_a_metric(links in links(12, 5)) {
        let graph = adjacency(&links);
        let hosts = graph.hosts() as u32;
        // Rows of one end and of the other, so that both are computed.
        let (mut there, mut back) = (distances(adjacency(&links)), distances(graph));
        for a in 0..hosts {
            for b in 0..hosts {
                let path = there.path(a, b);
                prop_assert_eq!(path, back.path(b, a));
                prop_assert_eq!(path == Path::NONE, a == b);
                prop_assert_eq!(path.latency.is_zero(), a == b);
                for c in 0..hosts {
                    let by = there.path(a, c).latency + there.path(c, b).latency;
                    prop_assert!(path.latency <= by);
                }
            }
        }
    }

    #[test]
    fn underlay_searches_agree_on_equal_links(links in links(40, 1)) {
        let graph = adjacency(&links);
        let each = spelled_out(adjacency(&links));
        let (mut breadth_first, mut dijkstra) = (ShortestPaths::default(), ShortestPaths::default());
        for source in 0..graph.hosts() as u32 {
            breadth_first.run(&graph, source);
            dijkstra.run(&each, source);
            for host in 0..graph.hosts() as u32 {
                prop_assert_eq!(breadth_first.hops(&graph, host), dijkstra.hops(&each, host));
                prop_assert_eq!(breadth_first.latency(&graph, host), dijkstra.latency(&each, host));
            }
        }
    }

    #[test]
    fn underlay_planes_keep_the_triangle_inequality(
        positions in prop::collection::vec((0.0..1.0, 0.0..1.0, 0u64..5_000), 3),
        side in 0u64..1_000_000,
    ) {
        let mut plane = Plane::new(Duration::from_micros(side), 3);
        for (x, y, access) in positions {
            plane.push((x, y), Duration::from_micros(access)).unwrap();
        }
        let pairs = Pairwise::Plane(plane);
        let latency = |a, b| pairs.path(a, b).latency;
        prop_assert!(latency(0, 2) <= latency(0, 1) + latency(1, 2));
        prop_assert_eq!(pairs.path(0, 2), pairs.path(2, 0));
    }
}

/// A line of `hosts` hosts whose links take `micros` each.
fn line(hosts: usize, micros: u32) -> Adjacency {
    let mut graph = unlinked(hosts, hosts - 1);
    for host in 1..hosts {
        graph.add_edge(
            NodeIndex::new(host - 1),
            NodeIndex::new(host),
            NonZeroU32::new(micros),
        );
    }
    adjacency(&graph)
}

#[test]
fn underlay_rows_hold_long_paths() {
    for hosts in [200, 300, 70_000] {
        let spelled = spelled_out(line(hosts, 1 << 28));
        assert_eq!(shortest_paths::check_range(&spelled), Ok(()));
        for graph in [line(hosts, 1 << 28), spelled] {
            let last = hosts as u32 - 1;
            let path = distances(graph).path(0, last);
            assert_eq!(path.hops, last);
            assert_eq!(
                path.latency,
                Duration::from_micros(1 << 28) * u64::from(last)
            );
        }
    }
}

#[test]
fn underlay_refuses_paths_that_are_no_exact_sum() {
    // 2^22 hosts leave 41 bits for microseconds, and 2^22 links of 2^32 us need 54.
    let graph = spelled_out(line(1 << 22, u32::MAX));
    assert_eq!(
        shortest_paths::check_range(&graph),
        Err(super::UnderlayError::PathTooLong)
    );
}
