//! The columns of the tables of each experiment and their consistency.

use crate::both_protocols::{ATTACK_METRICS, METRICS, both};
use crate::lab::Lab;

const SWEPT: [&str; 2] = ["overlay.protocol", "overlay.start"];

#[test]
fn tables_have_the_columns_that_are_promised() {
    let lab = both();
    let columns = |name: &str| lab.table(&format!("out/both/{name}.csv")).columns;
    let with = |head: &[&str], tail: &[&str]| -> Vec<String> {
        let all = head.iter().chain(&SWEPT).chain(tail);
        all.map(|column| (*column).to_owned()).collect()
    };
    assert_eq!(
        columns("runs"),
        with(
            &["run", "repetition", "seed"],
            &[&METRICS[..], &ATTACK_METRICS].concat()
        )
    );
    assert_eq!(
        columns("histogram"),
        with(&["run", "repetition"], &["quantity", "value", "count"])
    );
    assert_eq!(
        columns("summary"),
        with(
            &[],
            &[
                "metric",
                "n",
                "mean",
                "sd",
                "ci95_low",
                "ci95_high",
                "min",
                "median",
                "max"
            ]
        )
    );
    let runs = lab.table("out/both/runs.csv");
    for run in runs.column("run") {
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        assert!(run.len() == 12 && run.chars().all(hex), "{run}");
    }
    // One row a point and metric.
    let summary = lab.table("out/both/summary.csv");
    let metrics: Vec<&str> = METRICS.iter().chain(&METRICS).copied().collect();
    assert_eq!(summary.column("metric"), metrics);
    for (place, metric) in metrics.iter().enumerate() {
        // VHash has no ring.
        let expected = if *metric == "ring_ok" && place >= METRICS.len() {
            "0"
        } else {
            "3"
        };
        assert_eq!(summary.column("n")[place], expected, "{metric}");
    }
}

/// The two experiments of DGVH alone: their columns, and that these fit each other.
#[test]
fn dgvh_alone_has_its_columns() {
    let lab = Lab::new();
    lab.write(
        "c.toml",
        "experiment = \"convergence\"\nrepetitions = 2\n[convergence]\nnodes = 100\ncycles = 22\n\
         lookups = 300\n[sweep]\n\"convergence.reading\" = [\"as-described\", \"as-coded\"]\n\
         [[figure]]\ntable = \"timeline\"\nx = \"cycle\"\ny = \"hit_rate\"\n\
         series = \"convergence.reading\"\n",
    );
    lab.write(
        "d.toml",
        "experiment = \"delaunay\"\n[sweep]\n\"delaunay.nodes\" = [2, 4, 100]\n\
         \"delaunay.nearest\" = [1]\n",
    );
    lab.succeed(&["run", "c.toml", "d.toml", "--out", "out"]);
    let runs = lab.table("out/c/runs.csv");
    let metrics = [
        "run",
        "repetition",
        "seed",
        "convergence.reading",
        "hit_rate_first",
        "hit_rate_10",
        "hit_rate_20",
        "hit_rate_30",
        "hit_rate_last",
        "cycles_to_90",
        "short_peers_mean",
        "long_peers_mean",
    ];
    assert_eq!(runs.columns, metrics);
    let timeline = lab.table("out/c/timeline.csv");
    let columns = [
        "run",
        "repetition",
        "convergence.reading",
        "cycle",
        "hit_rate",
        "short_peers_mean",
        "long_peers_mean",
    ];
    assert_eq!(timeline.columns, columns);
    assert_eq!(timeline.rows.len(), 4 * 22);
    let rates = timeline.column("hit_rate");
    for (i, run) in rates.chunks(22).enumerate() {
        assert_eq!(runs.column("hit_rate_first")[i], run[0]);
        assert_eq!(runs.column("hit_rate_10")[i], run[10]);
        assert_eq!(runs.column("hit_rate_20")[i], run[20]);
        // There was no cycle 30.
        assert_eq!(runs.column("hit_rate_30")[i], "");
        assert_eq!(runs.column("hit_rate_last")[i], run[21]);
        let least = |rate: &&str| rate.parse::<f64>().expect("a number") >= 0.9;
        let settled = run.iter().position(least).expect("a network of 100 nodes");
        assert_eq!(runs.column("cycles_to_90")[i], settled.to_string());
    }
    // A table size of 3d + 1 = 7 at least, and (3d + 1)^2 = 49 long peers at most.
    assert!(
        runs.numbers("short_peers_mean")
            .iter()
            .all(|mean| *mean >= 7.0)
    );
    assert!(
        runs.numbers("long_peers_mean")
            .iter()
            .all(|mean| *mean <= 49.0)
    );
    assert!(lab.path("out/c/figure-1.svg").exists());

    let runs = lab.table("out/d/runs.csv");
    let metrics = [
        "run",
        "repetition",
        "seed",
        "delaunay.nodes",
        "delaunay.nearest",
        "errors",
        "errors_per_node",
        "missing_per_node",
        "extra_per_node",
        "true_edges",
        "dgvh_edges",
        "connected",
    ];
    assert_eq!(runs.columns, metrics);
    let [nodes, errors, each, missing, extra, exact, chosen] = [
        "delaunay.nodes",
        "errors",
        "errors_per_node",
        "missing_per_node",
        "extra_per_node",
        "true_edges",
        "dgvh_edges",
    ]
    .map(|column| runs.numbers(column));
    // Two nodes have one edge, whatever is asked.
    assert_eq!((exact[0], chosen[0], errors[0]), (1.0, 1.0, 0.0));
    for i in 0..3 {
        assert!((errors[i] - nodes[i] * each[i]).abs() < 1e-9);
        assert!((each[i] - missing[i] - extra[i]).abs() < 1e-9);
        assert!((exact[i] - chosen[i] - nodes[i] * (missing[i] - extra[i])).abs() < 1e-9);
    }
    assert_eq!(runs.column("connected"), ["1"; 3]);
}

/// What growth measures at each size stands in `timeline.csv`, and that of the last size in
/// `runs.csv`.
#[test]
fn growth_has_the_columns_that_are_promised() {
    const GROWTH: [&str; 8] = [
        "nodes",
        "degree_out_mean",
        "degree_inout_mean",
        "degree_inout_max",
        "greedy_hops_mean",
        "greedy_hops_max",
        "diameter",
        "hit_rate",
    ];
    let lab = Lab::new();
    lab.write(
        "growth.toml",
        "experiment = \"growth\"\nseed = 1\nrepetitions = 1\ngrowth.nodes = 30\ngrowth.step = 15\n\
         [sweep]\n\"growth.reading\" = [\"sound\", \"as-coded\"]\n",
    );
    lab.succeed(&["run", "growth.toml", "--out", "out"]);
    let runs = lab.table("out/growth/runs.csv");
    assert_eq!(
        runs.columns[..4],
        ["run", "repetition", "seed", "growth.reading"]
    );
    assert_eq!(runs.columns[4..], GROWTH);
    let timeline = lab.table("out/growth/timeline.csv");
    assert_eq!(
        timeline.columns[..3],
        ["run", "repetition", "growth.reading"]
    );
    assert_eq!(timeline.columns[3..], GROWTH);
    assert_eq!(
        timeline.numbers("nodes"),
        [10.0, 15.0, 20.0, 30.0, 10.0, 15.0, 20.0, 30.0]
    );
    for (run, last) in runs.rows.iter().zip([&timeline.rows[3], &timeline.rows[7]]) {
        assert_eq!(run[4..], last[3..]);
    }
    for (out, both) in timeline
        .numbers("degree_out_mean")
        .into_iter()
        .zip(timeline.numbers("degree_inout_mean"))
    {
        assert_eq!(both, 2.0 * out);
    }
}
