//! How long a call of DGVH takes, and how long the oracle takes to build a converged VHash.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use dhtlab_core::engine::Seed;
use dhtlab_core::overlay::vhash::{Shared, VHash, VHashParameters};
use dhtlab_core::overlay::{GroundTruth, Node, NodeIds};
use dhtlab_core::space::{Dgvh, Key, Rule, Space, Torus, TorusPoint};
use std::hint::black_box;

/// A call among as many random candidates.
fn call(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dgvh");
    for dimensions in [2, 5] {
        let torus = Torus::new(dimensions);
        for candidates in [32, 100, 1_000, 10_000] {
            let mut stream = Seed::new(1).stream("points", 0);
            let points: Vec<TorusPoint> = (0..=candidates)
                .map(|_| torus.point(&Key::random(&mut stream)))
                .collect();
            let id = BenchmarkId::new(format!("{dimensions} dimensions"), candidates);
            group.bench_function(id, |bencher| {
                let mut dgvh = Dgvh::new(Rule::Midpoint, 3 * dimensions + 1);
                bencher.iter(|| {
                    let chosen = dgvh.select(&torus, &points[0], black_box(&points[1..]));
                    chosen.len()
                });
            });
        }
    }
    group.finish();
}

/// A converged network of ten thousand nodes.
fn converged(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("converged vhash");
    group.sample_size(10);
    for dimensions in [2, 5] {
        let shared = Shared::from(&VHashParameters {
            dimensions,
            ..VHashParameters::default()
        });
        let mut stream = Seed::new(1).stream("ids", 0);
        let mut ids = NodeIds::default();
        let members: Vec<Node> = (0..10_000)
            .map(|_| ids.add(Key::random(&mut stream)))
            .collect();
        group.bench_function(format!("{dimensions} dimensions"), |bencher| {
            let mut random: Vec<_> = (0..10_000)
                .map(|index| Seed::new(1).stream("node", index))
                .collect();
            bencher.iter(|| VHash::converged(&shared, &ids, &members, &mut random).len());
        });
    }
    group.finish();
}

criterion_group!(benches, call, converged);
criterion_main!(benches);
