//! Labels give the paths of searches.

use super::super::golden::{build, specification};
use super::super::shortest_paths::ShortestPaths;
use super::super::{Distances, Host, Underlay};
use super::*;
use crate::engine::Seed;
use proptest::prelude::*;
use std::sync::Arc;

const BOUNDLESS: Budget = Budget {
    steps: u64::MAX,
    hubs: u64::MAX,
};

const LOGNORMAL: &str =
    "link-latency = { distribution = 'lognormal', median = '5 ms', sigma = 0.8 }";

fn micros(micros: u32) -> Duration {
    Duration::from_micros(u64::from(micros))
}

/// An underlay of at least one host.
fn underlay(hosts: u32, links: &[(u32, u32, u32)]) -> Underlay {
    let links = links.iter();
    let links = links.map(|&(a, b, latency)| (Host(a), Host(b), micros(latency)));
    Underlay::from_links(hosts as usize, links).unwrap()
}

/// Compares all pairs, or those of some hosts; gives the labels.
fn verify(underlay: &Underlay, from: impl IntoIterator<Item = u32>) -> HubLabels {
    let graph = underlay.graph().unwrap();
    let labels = HubLabels::new(graph, BOUNDLESS).unwrap();
    let mut search = ShortestPaths::default();
    for source in from {
        search.run(graph, source);
        for host in 0..graph.hosts() as u32 {
            let path = Path {
                hops: search.hops(graph, host),
                latency: Duration::from_micros(search.latency(graph, host)),
            };
            assert_eq!(labels.path(source, host), path, "{source} to {host}");
            assert_eq!(labels.path(host, source), path, "{host} to {source}");
        }
    }
    labels
}

fn verify_all(underlay: &Underlay) -> HubLabels {
    verify(underlay, 0..underlay.hosts() as u32)
}

/// Links of a connected graph: a random tree, and random links.
fn links(hosts: u32, more: usize, longest: u32) -> impl Strategy<Value = Vec<(u32, u32, u32)>> {
    let tree = prop::collection::vec((any::<u32>(), 1..=longest), hosts as usize - 1);
    let more = prop::collection::vec((0..hosts, 0..hosts, 1..=longest), 0..=more);
    (tree, more).prop_map(|(tree, mut links)| {
        let tree = (1..).zip(tree);
        links.extend(tree.map(|(host, (draw, latency))| (draw % host, host, latency)));
        links
    })
}

proptest! {
    #[test]
    fn underlay_labels_give_the_paths_of_random_graphs(
        (hosts, links) in (1u32..40, 0usize..40, prop::sample::select(vec![1, 3, 1_000_000, u32::MAX]))
            .prop_flat_map(|(hosts, more, longest)| (Just(hosts), links(hosts, more, longest))),
    ) {
        verify_all(&underlay(hosts, &links));
    }

    #[test]
    fn underlay_labels_give_the_paths_of_rings_with_trees(
        ring in 1u32..20,
        trees in prop::collection::vec((any::<u32>(), 1u32..4), 0..40),
        longest in 1u32..4,
    ) {
        let mut links: Vec<_> = (0..ring).map(|a| (a, (a + 1) % ring, a % longest + 1)).collect();
        let trees = (ring..).zip(trees);
        links.extend(trees.map(|(host, (draw, latency))| (draw % host, host, latency.min(longest))));
        verify_all(&underlay(links.len() as u32, &links));
    }

    #[test]
    fn underlay_labels_give_the_paths_of_every_model(
        model in prop::sample::select(vec![
            "barabasi-albert'", "barabasi-albert'\nbarabasi-albert.edges-per-node = 1",
            "barabasi-albert'\nbarabasi-albert.edges-per-node = 4", "scale-free-directed'",
            "erdos-renyi'", "watts-strogatz'", "watts-strogatz'\nwatts-strogatz.rewire = 0.0",
            "waxman'\nwaxman.beta = 0.3", "grid'\ngrid.columns = 12",
            "grid'\ngrid.columns = 12\ngrid.wrap = true", "transit-stub'",
            "transit-stub'\ntransit-stub.extra-stub-stub = 5\ntransit-stub.extra-transit-stub = 5",
        ]),
        equal: bool,
        dozens in 11u32..17,
        seed: u64,
    ) {
        let latency = if equal { "" } else { LOGNORMAL };
        verify_all(&build(&format!("nodes = {}\n{latency}\nmodel = '{model}", 12 * dozens), seed));
    }

    #[test]
    fn underlay_distances_by_labels_are_those_by_rows(
        (hosts, links) in (2u32..30, 0usize..30, 1u32..5)
            .prop_flat_map(|(hosts, more, longest)| (Just(hosts), links(hosts, more, longest))),
        sites in prop::collection::vec(any::<u32>(), 1..60),
        added in prop::collection::vec(any::<u32>(), 0..10),
        switch in 0usize..10,
    ) {
        let host = |draw: &u32| Host(draw % hosts);
        let sites: Vec<Host> = sites.iter().map(host).collect();
        let distances = || Distances::new(Arc::new(underlay(hosts, &links)), sites.clone());
        let (mut rows, mut labels) = (distances(), distances());
        labels.label_after(switch);
        let mut slots: Vec<_> = (0..sites.len() as u32).map(|site| rows.slot(site)).collect();
        for round in 0..=added.len() {
            for &from in &slots {
                for &to in &slots {
                    prop_assert_eq!(rows.between(from, to), labels.between(from, to));
                }
            }
            if let Some(draw) = added.get(round) {
                let slot = rows.add(host(draw));
                prop_assert_eq!(slot, labels.add(host(draw)));
                slots.push(slot);
            }
        }
    }
}

#[test]
fn underlay_labels_of_one_and_two_hosts() {
    assert_eq!(verify_all(&underlay(1, &[])).path(0, 0), Path::NONE);
    verify_all(&underlay(2, &[(0, 1, 7)]));
    verify_all(&underlay(3, &[(0, 1, 7), (1, 2, 8)]));
}

#[test]
fn underlay_labels_fold_trees_away() {
    // A random tree, and a line of twice 64 links, are folded to their last host.
    let tree = build(
        "model = 'barabasi-albert'\nbarabasi-albert.edges-per-node = 1\nnodes = 2000",
        1,
    );
    assert_eq!(verify(&tree, 0..50).hubs(), 1);
    let line = |hosts: u32| -> Vec<_> { (1..hosts).map(|b| (b - 1, b, b % 2 + 1)).collect() };
    assert_eq!(verify_all(&underlay(129, &line(129))).hubs(), 1);
    // A longer line keeps its middle, where each label has few hubs.
    let labels = verify(&underlay(4000, &line(4000)), (0..4000).step_by(97));
    assert!(
        (4000..200_000).contains(&labels.hubs()),
        "{}",
        labels.hubs()
    );
}

#[test]
fn underlay_labels_are_no_larger_than_expected() {
    let models = [
        "barabasi-albert'",
        "barabasi-albert'\nbarabasi-albert.edges-per-node = 1",
        "barabasi-albert'\nbarabasi-albert.edges-per-node = 5",
        "scale-free-directed'",
        "transit-stub'",
        "transit-stub'\ntransit-stub.extra-stub-stub = 20",
        "grid'",
    ];
    for model in models {
        for latency in ["", LOGNORMAL] {
            let keys = format!("nodes = 10000\n{latency}\nmodel = '{model}");
            let specification = specification(&keys);
            let underlay = specification.build(Seed::new(1)).unwrap();
            let labels = verify(&underlay, [0, 77, underlay.hosts() as u32 - 1]);
            let mean = labels.hubs() as f64 / underlay.hosts() as f64;
            let most = specification.expected_hubs();
            println!("{keys}: {mean:.1} hubs a host, at most {most:.1}");
            assert!(mean <= most && most < 150.0, "{keys}: {mean}, {most}");
        }
    }
}

#[test]
fn underlay_labels_that_are_dearer_than_rows_are_given_up() {
    let underlay = build("model = 'erdos-renyi'\nnodes = 1000", 1);
    let graph = underlay.graph().unwrap();
    for (steps, hubs) in [(1_000_000, u64::MAX), (u64::MAX, 10_000)] {
        assert!(HubLabels::new(graph, Budget { steps, hubs }).is_none());
    }
}

#[test]
fn underlay_labels_hold_the_longest_latencies() {
    // 2^32 us a link: sums of keys of two labels come near the end of 64 bits.
    let hosts = 1 << 13;
    let links: Vec<_> = (0..hosts)
        .map(|a| (a, (a + 1) % hosts, u32::MAX - a % 2))
        .collect();
    verify(&underlay(hosts, &links), [0, 1, 5000]);
}

#[test]
fn underlay_shares_labels_and_counts_them_as_rows() {
    let underlay = Arc::new(build("model = 'barabasi-albert'\nnodes = 5000", 1));
    let sites = |count: u32| Distances::new(Arc::clone(&underlay), (0..count).map(Host).collect());
    // Few sites have rows.
    let mut few = sites(300);
    assert_eq!(few.rows(), (0, 300));
    few.path(0, 1);
    assert_eq!(few.rows(), (1, 300));
    // Many have rows at first.
    let mut many = sites(5000);
    let most = 39 + 156;
    assert_eq!(many.rows(), (0, most));
    for site in 0..39 {
        many.path(site, 4999);
    }
    assert!(!underlay.has_labels());
    assert_eq!(many.rows(), (39, most));
    many.path(39, 4998);
    assert!(underlay.has_labels());
    assert_eq!(many.rows(), (most, most));
    assert!(!many.compute_next());
    // Sites that are added later have them at once.
    let mut later = sites(5000);
    assert_eq!(later.path(17, 4711), many.path(17, 4711));
    assert_eq!(later.rows(), (156, 156));
}
