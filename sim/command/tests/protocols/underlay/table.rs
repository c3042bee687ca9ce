//! The keys of `[underlay]`: refusals, and the resolved table.

use super::read;
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::Table;
use dhtlab_core::underlay::Specification;
use std::path::Path;

#[test]
fn underlay_tells_what_cannot_be_meant() {
    let cases = [
        (
            "nodes = 0",
            "underlay.nodes: expected an integer between 1 and 100000000, found 0",
        ),
        (
            "model = 'mesh'",
            "underlay.model: expected one of \"barabasi-albert\", \"scale-free-directed\", \"erdos-renyi\", \"watts-strogatz\", \"waxman\", \"grid\", \"transit-stub\", \"euclidean\", \"constant\", \"file\", found \"mesh\"",
        ),
        (
            "nodes = 2",
            "underlay.barabasi-albert.edges-per-node: expected less than underlay.nodes (2), found 2",
        ),
        (
            "nodes = 100_000_000\nbarabasi-albert.edges-per-node = 50",
            "underlay.nodes: 100000000 hosts have about 5.0e9 links, more than 2e9",
        ),
        (
            "model = 'scale-free-directed'\nnodes = 2",
            "underlay.nodes: expected at least 3 for the cycle that starts it, found 2",
        ),
        (
            "model = 'scale-free-directed'\nscale-free-directed.alpha = 0.5",
            "underlay.scale-free-directed.alpha: expected alpha + beta + gamma = 1, found 1.09",
        ),
        (
            "model = 'erdos-renyi'\nnodes = 6",
            "underlay.erdos-renyi.mean-degree: expected less than underlay.nodes (6), found 6",
        ),
        (
            "model = 'watts-strogatz'\nwatts-strogatz.neighbours = 3",
            "underlay.watts-strogatz.neighbours: expected an even number, found 3",
        ),
        (
            "model = 'watts-strogatz'\nnodes = 4",
            "underlay.watts-strogatz.neighbours: expected less than underlay.nodes (4), found 4",
        ),
        (
            "model = 'watts-strogatz'\nwatts-strogatz.rewire = 1.5",
            "underlay.watts-strogatz.rewire: expected a number between 0 and 1, found 1.5",
        ),
        (
            "model = 'waxman'\nnodes = 1_000_000",
            "underlay.waxman.beta: with underlay.nodes = 1000000 expected at most 4.0e-3, or the graph takes too long to draw; found 0.005",
        ),
        (
            "model = 'grid'\nnodes = 10",
            "underlay.grid.columns: must be given, because underlay.nodes (10) is not a square number",
        ),
        (
            "model = 'grid'\nnodes = 10\ngrid.columns = 3",
            "underlay.grid.columns: expected a divisor of underlay.nodes (10), found 3",
        ),
        (
            "model = 'transit-stub'\nnodes = 100",
            "underlay.nodes: expected at least 128 for 32 transit hosts and 96 stub domains, found 100",
        ),
        (
            "model = 'file'\nfile.format = 'dot'",
            "underlay.file.format: expected one of \"guess\", \"edge-list\", \"adjacency-list\", \"gml\", \"graphml\", \"rtt-matrix\", \"rtt-pairs\", \"matrix-market\", \"dimacs\", \"pajek\", \"konect\", \"brite\", \"inet\", \"as-relationships\", found \"dot\"",
        ),
        (
            "model = 'grid'\ngrid = 3",
            "underlay.grid: expected a table, found 3",
        ),
    ];
    for (keys, message) in cases {
        let problem = read(keys, Path::new(".")).unwrap_err();
        assert_eq!(problem.to_string(), message, "{keys}");
    }
    // The table of a model that is not chosen is not looked at.
    assert!(
        read(
            "model = 'constant'\nerdos-renyi.mean-degree = -7",
            Path::new(".")
        )
        .is_ok()
    );
}

#[test]
fn underlay_latencies_must_fit() {
    let latency = "link-latency = '2 h'\nnodes = 10";
    let error = read(latency, Path::new("."))
        .unwrap()
        .build(Seed::new(1))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "underlay: a latency of 2 h was drawn; at most 4294 s are possible"
    );
}

#[test]
fn underlay_is_written_as_it_is_resolved() {
    let write = |keys: &str| {
        let written = read(keys, Path::new(".")).unwrap().write();
        dhtlab_core::parameter::Value::Table(written).to_string()
    };
    assert_eq!(
        write("nodes = 50\nconstant.latency = '3 s'"),
        "{ link-latency = \"1 ms\", model = \"barabasi-albert\", nodes = 50, \
         barabasi-albert = { edges-per-node = 2 } }"
    );
    assert!(!write("model = 'constant'").contains("link-latency"));
}

#[test]
fn underlay_that_is_written_reads_the_same() {
    for section in Specification::sections().iter().skip(1) {
        let model = section.path.strip_prefix("underlay.").unwrap();
        if model == "file" {
            continue;
        }
        let once = read(&format!("model = '{model}'"), Path::new("."))
            .unwrap()
            .write();
        let file =
            dhtlab_core::parameter::Map::from_iter([("underlay".to_owned(), once.clone().into())]);
        let table = Table::root(&file).sub("underlay").unwrap();
        assert_eq!(
            Specification::read(&table, Path::new(".")).unwrap().write(),
            once
        );
        // Every key that is written is one that a section knows.
        for key in once[model].as_table().unwrap().keys() {
            assert!(
                section.parameters.iter().any(|known| known.key == *key),
                "{key}"
            );
        }
    }
}

#[test]
fn underlay_estimates_its_memory() {
    let memory = |keys: &str, sites| read(keys, Path::new(".")).unwrap().memory(sites);
    assert!(memory("nodes = 100_000", 10_000) < 1 << 30);
    assert!(memory("model = 'constant'\nnodes = 1_000_000", 1_000_000) < 10_000_000);
    // Rows of latencies are larger than rows of hops; large graphs have labels.
    let varied = "nodes = 4000\nlink-latency = { distribution = 'exponential', mean = '1 ms' }";
    assert!(memory(varied, 4000) > memory("nodes = 4000", 4000));
    assert!(memory("nodes = 100_000", 100_000) < 1 << 30);
}
