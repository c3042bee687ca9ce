//! Fingerprints of generated graphs: if one changes, every result based on it changes.

use super::graph::{Adjacency, Latencies};
use super::{Distances, Host, Shape, Specification, Underlay};
use crate::engine::Seed;
use crate::parameter::Table;
use std::path::Path;
use std::sync::Arc;

/// Builds the `[underlay]` that `keys` describe.
pub(super) fn build(keys: &str, seed: u64) -> Underlay {
    specification(keys).build(Seed::new(seed)).unwrap()
}

/// Reads the `[underlay]` that `keys` describe.
pub(super) fn specification(keys: &str) -> Specification {
    let file = crate::parameter::text::parse(keys);
    let file = crate::parameter::Map::from_iter([(
        "underlay".to_owned(),
        crate::parameter::Value::Table(file),
    )]);
    let table = Table::root(&file).sub("underlay").unwrap();
    Specification::read(&table, Path::new(".")).unwrap()
}

fn graph(underlay: &Underlay) -> &Adjacency {
    match &underlay.shape {
        Shape::Graph(graph) => graph,
        Shape::Pairs(_) => panic!("no graph"),
    }
}

/// FNV-1a over the numbers given.
fn fingerprint(numbers: impl IntoIterator<Item = u64>) -> u64 {
    let bytes = numbers.into_iter().flat_map(u64::to_le_bytes);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn fingerprint_of(underlay: &Underlay) -> u64 {
    let graph = graph(underlay);
    let ends = graph.offsets.iter().chain(&graph.targets).copied();
    match &graph.latencies {
        Latencies::Equal(latency) => fingerprint(ends.chain([*latency]).map(u64::from)),
        Latencies::Each(each) => fingerprint(ends.chain(each.iter().copied()).map(u64::from)),
    }
}

/// Distances between all hosts.
fn distances(underlay: Underlay) -> Distances {
    let sites = (0..underlay.hosts() as u32).map(Host).collect();
    Distances::new(Arc::new(underlay), sites)
}

#[test]
fn underlay_graphs_are_golden() {
    let graphs = [
        ("model = 'barabasi-albert'", 0xce66_5cc7_e9c6_c019),
        (
            "model = 'barabasi-albert'\nlink-latency = { distribution = 'lognormal', median = '5 ms', sigma = 0.8 }",
            0xbb14_54cc_4490_f6ec,
        ),
        ("model = 'scale-free-directed'", 0x0f5a_bfff_1f1b_8e8c),
        ("model = 'erdos-renyi'", 0xc182_ad46_5a9a_217e),
        ("model = 'watts-strogatz'", 0xb866_bf59_3607_af2d),
        ("model = 'waxman'\nwaxman.beta = 0.3", 0x3d6d_e624_b9f5_2993),
        ("model = 'grid'\ngrid.columns = 20", 0x0094_2143_2012_0690),
        (
            "model = 'transit-stub'\ntransit-stub.extra-stub-stub = 5\ntransit-stub.extra-transit-stub = 5",
            0x759f_3fc7_98a5_ccb6,
        ),
    ];
    let found: Vec<(&str, u64)> = graphs
        .iter()
        .map(|(keys, _)| {
            (
                *keys,
                fingerprint_of(&build(&format!("nodes = 300\n{keys}"), 1)),
            )
        })
        .collect();
    assert_eq!(found, graphs, "found {found:#018x?}");
}

#[test]
fn underlay_planes_are_golden() {
    let mut distances = distances(build(
        "model = 'euclidean'\nnodes = 50\neuclidean.access-delay = { distribution = 'exponential', mean = '1 ms' }",
        1,
    ));
    let latencies = (1..50).map(|host| distances.path(0, host).latency.as_nanos());
    assert_eq!(fingerprint(latencies), 0xf8f8_f19c_1a73_56cf);
}

#[test]
fn underlay_repeats_itself_and_differs_by_seed() {
    for model in [
        "barabasi-albert",
        "scale-free-directed",
        "erdos-renyi",
        "watts-strogatz",
    ] {
        let keys = format!("nodes = 500\nmodel = '{model}'");
        assert_eq!(
            fingerprint_of(&build(&keys, 1)),
            fingerprint_of(&build(&keys, 1))
        );
        assert_ne!(
            fingerprint_of(&build(&keys, 1)),
            fingerprint_of(&build(&keys, 2))
        );
    }
}

#[test]
fn underlay_latencies_leave_the_graph_alone() {
    let keys = "nodes = 500\nmodel = 'erdos-renyi'\n";
    let uniform = "link-latency = { distribution = 'uniform', low = '1 ms', high = '9 ms' }";
    let (plain, varied) = (build(keys, 1), build(&format!("{keys}{uniform}"), 1));
    assert_eq!(graph(&plain).targets, graph(&varied).targets);
    let Latencies::Each(each) = &graph(&varied).latencies else {
        panic!("they differ")
    };
    assert!(each.iter().all(|latency| (1_000..=9_000).contains(latency)));
}

#[test]
fn underlay_barabasi_albert_has_its_links() {
    for each in [1, 2, 5] {
        let keys = format!("nodes = 1000\nbarabasi-albert.edges-per-node = {each}");
        let underlay = build(&keys, 3);
        assert_eq!(underlay.links(), Some(each * (1000 - each)));
        assert_eq!((underlay.hosts(), underlay.notes().len()), (1000, 0));
    }
    // The complete graph of two, and the smallest star.
    assert_eq!(
        build("nodes = 2\nbarabasi-albert.edges-per-node = 1", 1).links(),
        Some(1)
    );
    assert_eq!(build("nodes = 3", 1).links(), Some(2));
}

#[test]
fn underlay_erdos_renyi_has_its_mean_degree() {
    // The number of links is binomial with mean 300,000 and deviation 548; four of those.
    let underlay = build(
        "model = 'erdos-renyi'\nnodes = 50_000\nerdos-renyi.mean-degree = 12",
        1,
    );
    assert!(underlay.links().unwrap().abs_diff(300_000) < 2_200);
    // p = 1 is the complete graph, p = 0 no link at all.
    let all = build(
        "model = 'erdos-renyi'\nnodes = 40\nerdos-renyi.mean-degree = 39",
        1,
    );
    assert_eq!(all.links(), Some(780));
    let none = build(
        "model = 'erdos-renyi'\nnodes = 40\nerdos-renyi.mean-degree = 0",
        1,
    );
    assert_eq!((none.hosts(), none.links()), (1, Some(0)));
}

#[test]
fn underlay_erdos_renyi_links_all_pairs_alike() {
    // 20 hosts, p = 1/2: over 2,000 graphs each pair is linked 1,000 times, deviation 22.
    let mut linked = [[0u32; 20]; 20];
    for seed in 0..2_000 {
        let keys = "model = 'erdos-renyi'\nnodes = 20\nerdos-renyi.mean-degree = 9.5";
        let underlay = build(keys, seed);
        for host in (0..20).filter(|_| underlay.hosts() == 20) {
            for place in graph(&underlay).places(host) {
                linked[host as usize][graph(&underlay).targets[place] as usize] += 1;
            }
        }
    }
    for (a, row) in linked.iter().enumerate() {
        for (b, &times) in row.iter().enumerate() {
            assert!(
                if a == b {
                    times == 0
                } else {
                    times.abs_diff(1_000) < 110
                },
                "{times}"
            );
        }
    }
}

#[test]
fn underlay_watts_strogatz_keeps_its_links() {
    let ring = build(
        "model = 'watts-strogatz'\nnodes = 100\nwatts-strogatz.rewire = 0",
        1,
    );
    assert!((0..100).all(|host| graph(&ring).places(host).len() == 4));
    let mut distances = distances(ring);
    assert_eq!(distances.path(0, 50).hops, 25);
    assert_eq!(distances.path(98, 3).hops, 3);
    for rewire in [0.1, 1.0] {
        let keys =
            format!("model = 'watts-strogatz'\nnodes = 2000\nwatts-strogatz.rewire = {rewire}");
        let rewired = build(&keys, 1);
        assert!(rewired.links().unwrap() >= 3_990);
        // A host always keeps the two links that it may rewire.
        assert!((0..rewired.hosts() as u32).all(|host| graph(&rewired).places(host).len() >= 2));
    }
    let complete = build(
        "model = 'watts-strogatz'\nnodes = 5\nwatts-strogatz.rewire = 1",
        1,
    );
    assert_eq!(complete.links(), Some(10));
}

#[test]
fn underlay_grid_distances_are_differences_of_rows_and_columns() {
    let mut plain = distances(build("model = 'grid'\nnodes = 60\ngrid.columns = 10", 1));
    let mut torus = distances(build(
        "model = 'grid'\nnodes = 60\ngrid.columns = 10\ngrid.wrap = true",
        1,
    ));
    for a in 0..60u32 {
        for b in 0..60u32 {
            let (rows, columns) = ((a / 10).abs_diff(b / 10), (a % 10).abs_diff(b % 10));
            assert_eq!(plain.path(a, b).hops, rows + columns);
            assert_eq!(
                torus.path(a, b).hops,
                rows.min(6 - rows) + columns.min(10 - columns)
            );
        }
    }
    // Rings of two hosts are single links; rings of one host have none.
    assert_eq!(
        build("model = 'grid'\nnodes = 4\ngrid.wrap = true", 1).links(),
        Some(4)
    );
    assert_eq!(
        build("model = 'grid'\nnodes = 1\ngrid.wrap = true", 1).links(),
        Some(0)
    );
}

#[test]
fn underlay_transit_stub_reaches_all_hosts() {
    let underlay = build("model = 'transit-stub'\nnodes = 1000", 1);
    assert_eq!((underlay.hosts(), underlay.notes().len()), (1000, 0));
    let mut distances = distances(underlay);
    // Hosts of one stub domain are near, those of different transit domains at least
    // 5 + 20 + 5 ms apart.
    assert!(distances.path(32, 33).latency.as_micros() < 30_000);
    assert!(distances.path(32, 999).latency.as_micros() >= 30_000);
}

#[test]
fn underlay_waxman_prefers_near_hosts() {
    let local = build(
        "model = 'waxman'\nnodes = 4000\nwaxman.beta = 0.02\nwaxman.alpha = 0.05",
        1,
    );
    let degree = 2.0 * local.links().unwrap() as f64 / 4000.0;
    // 4 pi n alpha^2 beta is 2.51, minus the border effect.
    assert!((1.8..2.52).contains(&degree), "{degree}");
}

#[test]
fn underlay_scale_free_directed_is_as_wide_as_networkx_makes_it() {
    // Twenty graphs of networkx 3.6.1 (seeds 0 to 19) lie between 3.13 and 3.56 links a pair,
    // their mean is 3.36 and their deviation 0.13.
    let mut means = Vec::new();
    for seed in 0..20 {
        let underlay = Arc::new(build("model = 'scale-free-directed'\nnodes = 10000", seed));
        let mut stream = Seed::new(seed).stream("sites", 0);
        let hosts = underlay.hosts();
        let sites = (0..200).map(|_| Host(stream.index(hosts) as u32)).collect();
        let mut distances = Distances::new(underlay, sites);
        let pairs = (0..200).flat_map(|a| (0..a).map(move |b| (a, b)));
        let hops: u32 = pairs.map(|(a, b)| distances.path(a, b).hops).sum();
        means.push(f64::from(hops) / 19_900.0);
    }
    let mean = means.iter().sum::<f64>() / 20.0;
    assert!((3.28..3.46).contains(&mean), "{mean} of {means:?}");
    assert!(
        means.iter().all(|mean| (3.0..3.75).contains(mean)),
        "{means:?}"
    );
}

#[test]
fn underlay_without_links_is_one_hop() {
    let underlay = build("model = 'constant'\nnodes = 100_000_000", 1);
    assert_eq!((underlay.hosts(), underlay.links()), (100_000_000, None));
    let sites = vec![Host(0), Host(99_999_999), Host(0)];
    let mut distances = Distances::new(Arc::new(underlay), sites);
    assert_eq!(distances.sites(), 3);
    let path = distances.path(0, 1);
    assert_eq!(
        (path.hops, path.latency.to_string()),
        (1, "50 ms".to_owned())
    );
    assert_eq!(distances.path(0, 2), super::Path::NONE);
}
