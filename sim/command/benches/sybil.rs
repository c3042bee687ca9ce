//! What an eclipse takes, beside hashing and sorting as many keys as there are nodes.

use criterion::{Criterion, criterion_group, criterion_main};
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::Table;
use dhtlab_core::space::{Key, sort_by_key};
use dhtlab_experiments::Eclipse;
use dhtlab_scenario::{Cell, Experiment};
use std::path::Path;

const NODES: u32 = 1_000_000;

/// The SHA-1 of six bytes for each node, sorted.
fn hash_and_sort() -> Vec<Key> {
    let hash = |node: u32| {
        let [a, b, c, d] = node.to_be_bytes();
        Key::sha1(&[a, b, c, d, 0xc0, 0x00])
    };
    let mut keys: Vec<Key> = (0..NODES).map(hash).collect();
    sort_by_key(&mut keys, |key| *key);
    keys
}

/// One network and 19 addresses of 16,384 ports.
fn eclipse(links: &str) -> Vec<Cell> {
    let text =
        format!("overlay.nodes = {NODES}\nadversary.ips = 19\neclipse.links = \"{links}\"\n");
    let values = dhtlab_scenario::parse_toml(&text).expect("TOML");
    let run = Eclipse
        .prepare(&Table::root(&values), Path::new("."))
        .unwrap();
    run.run(Seed::new(1)).unwrap().metrics
}

fn sybil(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sybil");
    group.sample_size(10);
    group.bench_function("hash and sort 1M keys", |b| b.iter(hash_and_sort));
    for links in ["neighbours", "fingers"] {
        group.bench_function(format!("eclipse of 1M nodes, 19 addresses, {links}"), |b| {
            b.iter(|| eclipse(links));
        });
    }
    group.finish();
}

criterion_group!(benches, sybil);
criterion_main!(benches);
