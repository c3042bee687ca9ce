//! One trial of the tick model, 1000 nodes and 100,000 tasks, with each strategy.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::Table;
use dhtlab_experiments::Balance;
use dhtlab_scenario::{Experiment, Run};
use std::path::Path;

const SETTINGS: [(&str, &str); 14] = [
    ("none", ""),
    ("churn of .01", "strategy = \"churn\"\nchurn = 0.01"),
    ("random injection", "strategy = \"random-injection\""),
    ("neighbour injection", "strategy = \"neighbour-injection\""),
    ("smart neighbour", "strategy = \"smart-neighbour\""),
    ("invitation", "strategy = \"invitation\""),
    (
        "random injection, churn of .01",
        "strategy = \"random-injection\"\nchurn = 0.01",
    ),
    (
        "random injection, 10 Sybils, threshold .25",
        "strategy = \"random-injection\"\nmax-sybils = 10\nthreshold = 0.25",
    ),
    (
        "neighbour injection, 10 Sybils, threshold .25",
        "strategy = \"neighbour-injection\"\nmax-sybils = 10\nthreshold = 0.25",
    ),
    ("strength-aware", "strategy = \"strength-aware\""),
    ("barren", "strategy = \"barren\""),
    ("virtual nodes", "strategy = \"virtual-nodes\""),
    ("two choices", "strategy = \"two-choices\""),
    ("item balancing", "strategy = \"item-balancing\""),
];

fn run(settings: &str) -> Box<dyn Run> {
    let values = dhtlab_scenario::parse_toml(&format!("[balance]\n{settings}\n")).expect("TOML");
    Balance
        .prepare(&Table::root(&values), Path::new("."))
        .unwrap()
}

fn balance(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("balance");
    for (name, settings) in SETTINGS {
        let (run, mut seed) = (run(settings), 0);
        group.bench_function(name, |b| {
            let next = || {
                seed += 1;
                Seed::new(seed)
            };
            b.iter_batched(next, |seed| run.run(seed).unwrap(), BatchSize::SmallInput);
        });
    }
    group.finish();
}

criterion_group!(benches, balance);
criterion_main!(benches);
