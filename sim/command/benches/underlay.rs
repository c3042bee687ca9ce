//! How long distances take: rows, breadth first and by Dijkstra, and hub labels.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::Table;
use dhtlab_core::underlay::{Distances, Host, Specification};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

const EQUAL: &str = "link-latency = '1 ms'";
const LOGNORMAL: &str =
    "link-latency = { distribution = 'lognormal', median = '5 ms', sigma = 0.8 }";

/// The distances of `sites` random sites on `nodes` hosts, no row computed yet.
fn distances(nodes: usize, sites: usize, latency: &str) -> impl Fn() -> Distances {
    let file = dhtlab_scenario::parse_toml(&format!("[underlay]\nnodes = {nodes}\n{latency}"))
        .expect("TOML");
    let table = Table::root(&file).sub("underlay").unwrap();
    let specification = Specification::read(&table, Path::new(".")).unwrap();
    let underlay = Arc::new(specification.build(Seed::new(1)).unwrap());
    let mut stream = Seed::new(1).stream("sites", 0);
    let sites: Vec<Host> = (0..sites)
        .map(|_| Host(stream.index(nodes) as u32))
        .collect();
    move || Distances::new(Arc::clone(&underlay), sites.clone())
}

/// Asks for `rows` rows.
fn compute(distances: &mut Distances, rows: u32) -> u32 {
    let last = distances.sites() as u32 - 1;
    (0..rows).map(|from| distances.path(from, last).hops).sum()
}

fn rows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("underlay");
    group.sample_size(10);
    for (latency, keys) in [("equal", EQUAL), ("lognormal", LOGNORMAL)] {
        let ten_thousand = distances(10_000, 1_000, keys);
        group.bench_function(
            format!("1000 rows of 1000 sites on 10k hosts, {latency}"),
            |b| {
                b.iter_batched_ref(&ten_thousand, |d| compute(d, 999), BatchSize::PerIteration);
            },
        );
        let hundred_thousand = distances(100_000, 10_000, keys);
        group.bench_function(
            format!("100 rows of 10k sites on 100k hosts, {latency}"),
            |b| {
                b.iter_batched_ref(
                    &hundred_thousand,
                    |d| compute(d, 100),
                    BatchSize::PerIteration,
                );
            },
        );
        let mut computed = ten_thousand();
        compute(&mut computed, 999);
        let mut stream = Seed::new(2).stream("pairs", 0);
        group.bench_function(format!("path of a computed row, {latency}"), |b| {
            b.iter(|| {
                let pair = (stream.index(1000) as u32, stream.index(1000) as u32);
                black_box(computed.path(pair.0, pair.1))
            });
        });
    }
    group.finish();
}

/// An underlay keeps its labels, so each time it is built again, without being measured.
fn labels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("underlay");
    group.sample_size(10);
    for (name, nodes, keys) in [
        ("10k hosts, equal", 10_000, EQUAL),
        ("10k hosts, lognormal", 10_000, LOGNORMAL),
        ("30k hosts, equal", 30_000, EQUAL),
        ("30k transit-stub hosts", 30_000, "model = 'transit-stub'"),
    ] {
        group.bench_function(format!("labels of {name}"), |b| {
            let unlabelled = || distances(nodes, nodes, keys)();
            let label = |d: &mut Distances| while d.compute_next() {};
            b.iter_batched_ref(unlabelled, label, BatchSize::PerIteration);
        });
        let mut labelled = distances(nodes, nodes, keys)();
        while labelled.compute_next() {}
        let mut stream = Seed::new(2).stream("pairs", 0);
        group.bench_function(format!("path by labels of {name}"), |b| {
            b.iter(|| {
                let pair = (stream.index(nodes) as u32, stream.index(nodes) as u32);
                black_box(labelled.path(pair.0, pair.1))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, rows, labels);
criterion_main!(benches);
