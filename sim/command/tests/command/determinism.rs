//! A scenario gives the same bytes in the same order, whatever the number of threads.

use crate::lab::Lab;

/// Both protocols, all ways of looking up, all beginnings, a graph with links of different
/// latencies. Points that cannot be (Chord from random contacts) stand in no zip.
const SMALL: &str = r#"
experiment = "network"
seed = 7
repetitions = 2

[underlay]
model = "barabasi-albert"
nodes = 200
link-latency = { distribution = "uniform", low = "1 ms", high = "9 ms" }

[overlay]
nodes = 30
[overlay.chord]
successors = 3
[overlay.vhash]
embedding = "springs"

[workload]
lookups = 100

[time]
transition = "120 s"

[sweep]
"overlay.lookup" = ["recursive", "semi-recursive", "iterative"]
[[sweep.zip]]
"overlay.protocol" = ["chord", "chord", "vhash", "vhash", "vhash"]
"overlay.start" = ["converged", "join", "converged", "join", "random"]

[[figure]]
kind = "histogram"
quantity = "overlay_hops"
series = ["overlay.protocol", "overlay.start"]
panel = "overlay.lookup"
"#;

#[test]
fn threads_and_repetition_change_no_byte() {
    let lab = Lab::new();
    lab.write("small.toml", SMALL);
    let ended = lab.succeed(&["run", "small.toml", "--out", "one", "--jobs", "1"]);
    assert_eq!(ended.runs_and_new(), (30, 30));
    lab.succeed(&["run", "small.toml", "--out", "two", "--jobs", "2"]);
    lab.succeed(&["run", "small.toml", "--out", "again", "--jobs", "2"]);
    let one = lab.files("one/small");
    let names: Vec<&str> = one.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "figure-1.png",
            "figure-1.svg",
            "histogram.csv",
            "manifest.json",
            "runs.csv",
            "summary.csv"
        ]
    );
    for other in ["two/small", "again/small"] {
        let other = lab.files(other);
        assert!(one.keys().eq(other.keys()));
        for (name, bytes) in &one {
            assert!(bytes == &other[name], "{name} differs");
        }
    }
    // A run over what is there runs nothing and changes nothing.
    let ended = lab.succeed(&["run", "small.toml", "--out", "one"]);
    assert_eq!(ended.runs_and_new(), (30, 0));
    assert!(lab.files("one/small") == one, "files changed");
    // Another seed is another result.
    lab.succeed(&["run", "small.toml", "--out", "seed", "--seed", "8"]);
    let rows = |folder: &str| lab.table(&format!("{folder}/small/runs.csv"));
    assert_ne!(
        rows("one").column("messages"),
        rows("seed").column("messages")
    );
}

/// The same for the experiments that build no network.
#[test]
fn threads_change_no_byte_of_dgvh_alone() {
    let lab = Lab::new();
    lab.write(
        "c.toml",
        "experiment = \"convergence\"\nrepetitions = 3\n[convergence]\nnodes = 150\ncycles = 8\n\
         lookups = 100\n[sweep]\n\"convergence.reading\" = [\"as-described\", \"as-coded\"]\n\
         \"convergence.dimensions\" = [1, 2, 6]\n",
    );
    lab.write(
        "d.toml",
        "experiment = \"delaunay\"\nrepetitions = 3\n[sweep]\n\"delaunay.nodes\" = [100, 300]\n",
    );
    for (out, jobs) in [("one", "1"), ("two", "2")] {
        let ended = lab.succeed(&["run", "c.toml", "d.toml", "--out", out, "--jobs", jobs]);
        assert!(!ended.stderr.contains("note"), "{}", ended.stderr);
    }
    assert_eq!(lab.tables("one").len(), 5);
    assert_eq!(lab.files("one"), lab.files("two"));
}

#[test]
fn rows_are_in_the_order_of_the_sweep() {
    let lab = Lab::new();
    lab.write("small.toml", SMALL);
    lab.succeed(&["run", "small.toml", "--out", "out"]);
    let runs = lab.table("out/small/runs.csv");
    let mut expected = Vec::new();
    for lookup in ["recursive", "semi-recursive", "iterative"] {
        for (protocol, start) in [
            ("chord", "converged"),
            ("chord", "join"),
            ("vhash", "converged"),
            ("vhash", "join"),
            ("vhash", "random"),
        ] {
            for repetition in ["0", "1"] {
                expected.push([lookup, protocol, start, repetition]);
            }
        }
    }
    let columns = [
        "overlay.lookup",
        "overlay.protocol",
        "overlay.start",
        "repetition",
    ];
    let found: Vec<[&str; 4]> = runs
        .rows
        .iter()
        .map(|row| columns.map(|column| row[runs.at(column)].as_str()))
        .collect();
    assert_eq!(found, expected);
    // The long table and the summary go through the same points in the same order.
    let mut ids = lab
        .table("out/small/histogram.csv")
        .column("run")
        .join("\n");
    ids.push('\n');
    let mut ids: Vec<&str> = ids.lines().collect();
    ids.dedup();
    assert_eq!(ids, runs.column("run"));
    let summary = lab.table("out/small/summary.csv");
    let mut points: Vec<[&str; 3]> = summary
        .rows
        .iter()
        .map(|row| {
            ["overlay.lookup", "overlay.protocol", "overlay.start"]
                .map(|c| row[summary.at(c)].as_str())
        })
        .collect();
    points.dedup();
    let mut expected: Vec<[&str; 3]> = expected.iter().map(|[a, b, c, _]| [*a, *b, *c]).collect();
    expected.dedup();
    assert_eq!(points, expected);
}
