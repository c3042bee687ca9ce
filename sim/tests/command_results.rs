//! What the command leaves behind and prints: columns, sums, figures, options.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use support::{Lab, Table};

const METRICS: [&str; 29] = [
    "lookups",
    "lookups_ok",
    "lookups_wrong",
    "lookups_failed",
    "overlay_hops_mean",
    "overlay_hops_p50",
    "overlay_hops_p99",
    "underlay_hops_mean",
    "latency_ms_mean",
    "latency_ms_p50",
    "latency_ms_p99",
    "stretch_mean",
    "degree_mean",
    "degree_max",
    "messages",
    "events",
    "overlay_hops_mean_if_any",
    "underlay_hops_per_hop",
    "member_underlay_hops_mean",
    "success_rate",
    "timeouts_mean",
    "joins",
    "leaves",
    "rejoins",
    "maintenance_messages",
    "maintenance_bytes_per_node_s",
    "bytes_per_node_s",
    "members_mean",
    "ring_ok",
];

/// Few VHash nodes that have barely begun to gossip: some lookups go wrong, and the bound on
/// time ends some.
const BOTH: &str = r#"
title = "Both protocols"
reproduces = "nothing"
experiment = "network"
seed = 5
repetitions = 3

[underlay]
model = "barabasi-albert"
nodes = 300

[overlay]
nodes = 60
contacts = 3
[overlay.vhash]
gossip = "20 s"

[workload]
lookups = 400

[time]
transition = "20 s"
measure = "4 s"
max = "24 s"

[sweep]
[[sweep.zip]]
"overlay.protocol" = ["chord", "vhash"]
"overlay.start" = ["converged", "random"]

[[figure]]
name = "hops"
kind = "histogram"
quantity = "overlay_hops"
series = "overlay.protocol"

[[figure]]
x = "overlay.protocol"
y = "messages"

[quick]
repetitions = 1
"workload.lookups" = 40
"overlay.start" = "converged"
[quick.sweep]
"overlay.protocol" = ["chord"]
"#;

fn both() -> Lab {
    let lab = Lab::new();
    lab.write("both.toml", BOTH);
    lab.succeed(&["run", "both.toml", "--out", "out"]);
    lab
}

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
        with(&["run", "repetition", "seed"], &METRICS)
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

/// The mean of the values of a histogram of one run, and how many there are.
fn mean_and_count(histogram: &Table, run: &str, quantity: &str) -> (f64, f64) {
    let (mut sum, mut count) = (0.0, 0.0);
    let [id, name, value, counts] =
        ["run", "quantity", "value", "count"].map(|column| histogram.at(column));
    for row in &histogram.rows {
        if row[id] == run && row[name] == quantity {
            let number = |place: usize| row[place].parse::<f64>().expect("a number");
            sum += number(value) * number(counts);
            count += number(counts);
        }
    }
    (sum / count, count)
}

#[test]
fn counts_add_up() {
    let lab = both();
    let runs = lab.table("out/both/runs.csv");
    let histogram = lab.table("out/both/histogram.csv");
    let [lookups, ok, wrong, failed] =
        ["lookups", "lookups_ok", "lookups_wrong", "lookups_failed"].map(|c| runs.numbers(c));
    // Of every kind there are some, so that the sums say something.
    for (name, counts) in [("ok", &ok), ("wrong", &wrong), ("failed", &failed)] {
        assert!(counts.iter().sum::<f64>() > 0.0, "no lookup is {name}");
    }
    for (i, run) in runs.column("run").into_iter().enumerate() {
        assert_eq!(lookups[i], 400.0);
        assert_eq!(lookups[i], ok[i] + wrong[i] + failed[i], "run {run}");
        for (quantity, exact) in [
            ("overlay_hops", true),
            ("underlay_hops", true),
            ("latency_ms", false),
        ] {
            let (mean, count) = mean_and_count(&histogram, run, quantity);
            assert_eq!(count, ok[i], "{quantity} of run {run}");
            let column = runs.numbers(&format!("{quantity}_mean"))[i];
            // Latencies are cut to two digits.
            let within = if exact { 1e-9 } else { 0.1 * column };
            assert!(
                (mean - column).abs() <= within,
                "{quantity}: {mean}, {column}"
            );
        }
        let (mean, count) = mean_and_count(&histogram, run, "degree");
        assert_eq!(count, 60.0);
        assert!((mean - runs.numbers("degree_mean")[i]).abs() < 1e-9);
        let (_, stretches) = mean_and_count(&histogram, run, "stretch");
        assert!(stretches <= ok[i]);
    }
    // The summary is of what stands in the runs.
    let summary = lab.table("out/both/summary.csv");
    for (point, protocol) in ["chord", "vhash"].into_iter().enumerate() {
        for (m, metric) in METRICS.iter().enumerate() {
            let row = &summary.rows[point * METRICS.len() + m];
            assert_eq!((&row[0][..], &row[2][..]), (protocol, *metric));
            // VHash has no ring.
            if *metric == "ring_ok" {
                continue;
            }
            let values = &runs.numbers(metric)[3 * point..3 * point + 3];
            let mean: f64 = row[summary.at("mean")].parse().expect("a number");
            let expected = values.iter().sum::<f64>() / 3.0;
            assert!((mean - expected).abs() <= 1e-9 * expected.abs(), "{metric}");
        }
    }
}

/// Runs of one repetition share the streams of what they share.
#[test]
fn runs_that_are_compared_share_their_random_numbers() {
    let lab = both();
    let runs = lab.table("out/both/runs.csv");
    let histogram = lab.table("out/both/histogram.csv");
    let members = |run: &str| -> Vec<(String, String)> {
        let [id, name, value, count] =
            ["run", "quantity", "value", "count"].map(|column| histogram.at(column));
        histogram
            .rows
            .iter()
            .filter(|row| row[id] == run && row[name] == "member_underlay_hops")
            .map(|row| (row[value].clone(), row[count].clone()))
            .collect()
    };
    let [seeds, ids, distances] =
        ["seed", "run", "member_underlay_hops_mean"].map(|column| runs.column(column));
    assert_eq!(runs.column("repetition"), ["0", "1", "2", "0", "1", "2"]);
    for (chord, vhash) in [(0, 3), (1, 4), (2, 5)] {
        assert_eq!(seeds[chord], seeds[vhash]);
        assert_eq!(distances[chord], distances[vhash]);
        assert!(!members(ids[chord]).is_empty());
        assert_eq!(members(ids[chord]), members(ids[vhash]));
        assert_ne!(ids[chord], ids[vhash]);
    }
    // Those of other repetitions do not.
    assert_ne!(seeds[0], seeds[1]);
    assert_ne!(members(ids[0]), members(ids[1]));
}

#[test]
fn the_manifest_tells_what_was_run() {
    let lab = both();
    let mut manifest = lab.manifest("out/both");
    // What changes from one version to the next.
    assert_eq!(manifest["dhtlab"].take(), env!("CARGO_PKG_VERSION"));
    let commit = manifest["commit"].take();
    assert!(commit.is_null() || commit.is_string());
    let figures = manifest["figures"].take();
    assert_eq!(figures.as_array().map(Vec::len), Some(2));
    assert_eq!(figures[0]["name"], "hops");
    // Bounds that ended a run are told, by run.
    let notes = manifest["notes"].take();
    for (run, said) in notes.as_object().expect("an object") {
        assert_eq!(run.len(), 12);
        assert_eq!(
            said[0],
            "stopped at time.max, 24 s of virtual time, with lookups under way"
        );
    }
    let runs = lab.table("out/both/runs.csv");
    let failed = runs.numbers("lookups_failed");
    let cut = failed.iter().filter(|failed| **failed > 0.0).count();
    assert_eq!(notes.as_object().map(serde_json::Map::len), Some(cut));
    insta::assert_snapshot!(format!("{manifest:#}"), @r#"
    {
      "dhtlab": null,
      "commit": null,
      "name": "both",
      "title": "Both protocols",
      "reproduces": "nothing",
      "experiment": "network",
      "seed": 5,
      "repetitions": 3,
      "runs_planned": 6,
      "runs_done": 6,
      "swept": [
        "overlay.protocol",
        "overlay.start"
      ],
      "scenario": {
        "underlay": {
          "link-latency": "1 ms",
          "model": "barabasi-albert",
          "nodes": 300,
          "barabasi-albert": {
            "edges-per-node": 2
          }
        },
        "overlay": {
          "contacts": 3,
          "ids": "random",
          "lookup": "recursive",
          "nodes": 60,
          "placement": "distinct",
          "protocol": "chord",
          "start": "converged",
          "chord": {
            "check-predecessor": "30 s",
            "closest": "successor",
            "copy-fingers": true,
            "fingers": 160,
            "fix-fingers": "30 s",
            "forget": true,
            "jitter": 0.5,
            "join": "plain",
            "join-timeout": "10 s",
            "skip-near": true,
            "stabilise": "30 s",
            "successors": 1,
            "timeout": "500 ms",
            "variant": "correct"
          }
        },
        "workload": {
          "lookups": 400
        },
        "churn": {
          "model": "none"
        },
        "time": {
          "max": "24 s",
          "max-events": 10000000000,
          "measure": "4 s",
          "transition": "20 s"
        },
        "experiment": "network"
      },
      "tables": [
        "histogram"
      ],
      "figures": null,
      "notes": null
    }
    "#);
}

/// The figures of the results, by name.
fn figures(lab: &Lab, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = lab.files(folder);
    files.retain(|name, _| name.ends_with(".svg") || name.ends_with(".png"));
    files
}

#[test]
fn figures_are_drawn_and_drawn_again() {
    let lab = both();
    let drawn = figures(&lab, "out/both");
    let names: Vec<&str> = drawn.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["figure-2.png", "figure-2.svg", "hops.png", "hops.svg"]
    );
    let text = String::from_utf8(drawn["hops.svg"].clone()).expect("UTF-8");
    assert!(text.starts_with("<svg") && text.contains("Both protocols"));
    assert!(drawn["hops.png"].starts_with(b"\x89PNG\r\n"));
    let before = lab.files("out/both");
    for name in drawn.keys() {
        fs::remove_file(lab.path(&format!("out/both/{name}"))).expect("a file");
    }
    fs::remove_file(lab.path("out/both/summary.csv")).expect("a file");
    let ended = lab.succeed(&["plot", "out/both"]);
    assert_eq!(
        ended.stdout,
        "out/both/hops.svg\nout/both/hops.png\nout/both/figure-2.svg\nout/both/figure-2.png\n"
    );
    assert!(lab.files("out/both") == before, "files differ");
    for folder in ["out", "nowhere"] {
        let ended = lab.dhtlab(&["plot", folder]);
        assert!(ended.code.is_some_and(|code| code != 0));
        let told = format!("error: {folder}/manifest.json: ");
        assert!(ended.stderr.starts_with(&told), "{}", ended.stderr);
        assert!(!lab.path("nowhere").exists());
    }
}

#[test]
fn check_says_what_would_run_and_writes_nothing() {
    let lab = Lab::new();
    lab.write("both.toml", BOTH);
    lab.write("plain.toml", "experiment = \"network\"\n");
    let before = lab.files(".");
    let ended = lab.succeed(&["check", "both.toml", "plain.toml"]);
    assert_eq!(lab.files("."), before);
    assert_eq!(ended.stderr, "");
    insta::assert_snapshot!(ended.stdout, @r#"
    both.toml: Both protocols
      6 runs: 2 points x 3 repetitions of experiment "network"
      swept: overlay.protocol, overlay.start
      about a second of one core in all, 1 MB of memory a run
    plain.toml: plain
      1 runs: 1 points x 1 repetitions of experiment "network"
      about a second of one core in all, 4 MB of memory a run
    "#);
    let ended = lab.succeed(&["check", "both.toml", "--quick", "--set", "time.measure=9 s"]);
    assert_eq!(lab.files("."), before);
    insta::assert_snapshot!(ended.stdout, @r#"
    both.toml: Both protocols
      1 runs: 1 points x 1 repetitions of experiment "network"
      swept: overlay.protocol
      about a second of one core in all, 1 MB of memory a run
    "#);
}

#[test]
fn list_shows_the_scenarios_of_a_folder() {
    let lab = Lab::new();
    lab.write("shelf/both.toml", BOTH);
    lab.write(
        "shelf/a-longer-name.toml",
        "experiment = \"network\"\ntitle = \"Second\"\n",
    );
    lab.write("shelf/nameless.toml", "experiment = \"network\"\n");
    lab.write("shelf/notes.txt", "no scenario\n");
    lab.write("shelf/examples/inner.toml", "not even TOML\n");
    let ended = lab.succeed(&["list", "--scenarios", "shelf"]);
    insta::assert_snapshot!(ended.stdout, @r#"
    a-longer-name  Second
    both           Both protocols
                   reproduces: nothing
    nameless
    "#);
    // Without scenarios there, an error tells where they are looked for.
    lab.write("empty/notes.txt", "");
    for (folder, why) in [
        ("empty", "no scenario files there"),
        ("none", "No such file or directory (os error 2)"),
    ] {
        let ended = lab.dhtlab(&["list", "--scenarios", folder]);
        assert_eq!(ended.code, Some(2));
        assert_eq!(
            ended.stderr,
            format!(
                "error: {folder}: {why}; run from the top of the repository or give --scenarios DIR\n"
            )
        );
    }
}

#[test]
fn one_run_alone_prints_what_stands_in_its_row() {
    let lab = both();
    let runs = lab.table("out/both/runs.csv");
    let before = lab.files(".");
    for row in [&runs.rows[1], &runs.rows[5]] {
        let ended = lab.succeed(&["run", "both.toml", "--only", &row[0]]);
        let printed: Vec<Vec<&str>> = ended
            .stdout
            .lines()
            .map(|line| line.split(' ').collect())
            .collect();
        let expected: Vec<Vec<&str>> = METRICS
            .iter()
            .map(|metric| vec![*metric, row[runs.at(metric)].as_str()])
            .collect();
        assert_eq!(printed, expected);
    }
    assert_eq!(lab.files("."), before, "something was written");
}

#[test]
fn options_change_what_the_help_says() {
    let lab = both();
    let run = |out: &str, options: &[&str]| {
        lab.succeed(&[&["run", "both.toml", "--out", out], options].concat());
        lab.table(&format!("{out}/both/runs.csv"))
    };
    let plain = lab.table("out/both/runs.csv");
    // --seed: other streams for the same points, the same as if the file had that seed.
    let seeded = run("seed", &["--seed", "6"]);
    assert_eq!(seeded.columns, plain.columns);
    let both_seeds = [plain.column("seed"), seeded.column("seed")].concat();
    assert_eq!(both_seeds.len(), 12);
    assert!(
        seeded
            .column("seed")
            .iter()
            .all(|seed| !plain.column("seed").contains(seed))
    );
    lab.write("six/both.toml", BOTH.replace("seed = 5", "seed = 6"));
    lab.succeed(&["run", "six/both.toml", "--out", "six/out"]);
    assert_eq!(lab.tables("six/out"), lab.tables("seed"));
    assert_eq!(lab.manifest("seed/both")["seed"], 6);
    // --repetitions: as many runs a point, the first of which are the same.
    let single = run("single", &["--repetitions", "1"]);
    assert_eq!(single.rows, [plain.rows[0].clone(), plain.rows[3].clone()]);
    // --set: a key gets one value, and text needs no quotes.
    let set = run(
        "set",
        &[
            "--set",
            "workload.lookups=7",
            "--set",
            "overlay.placement=shared",
        ],
    );
    assert!(set.column("lookups").iter().all(|lookups| *lookups == "7"));
    let resolved = lab.manifest("set/both")["scenario"].clone();
    assert_eq!(resolved["overlay"]["placement"], "shared");
    assert_eq!(set.columns, plain.columns);
    // The last of two counts.
    let twice = run(
        "twice",
        &["--set", "workload.lookups=9", "--set", "workload.lookups=7"],
    );
    assert_eq!(twice.column("lookups"), set.column("lookups"));
    // --quick: what the table [quick] has.
    let quick = run("quick", &["--quick"]);
    assert_eq!(quick.column("overlay.protocol"), ["chord"]);
    assert!(
        quick
            .column("lookups")
            .iter()
            .all(|lookups| *lookups == "40")
    );
    // A sweep may be given anew, too.
    let sweep = run(
        "sweep",
        &[
            "--set",
            "sweep.overlay.protocol=[\"chord\"]",
            "--set",
            "overlay.start=converged",
        ],
    );
    assert_eq!(sweep.rows.len(), 3);
    assert_eq!(sweep.column("overlay.protocol"), ["chord"; 3]);
}

/// "Set a key of the scenario, swept or not": the figures that a sweep was for cannot be in the way.
#[test]
fn a_swept_key_can_be_set_to_one_value() {
    let lab = Lab::new();
    lab.write(
        "s.toml",
        "experiment = \"network\"\n[workload]\nlookups = 20\n[sweep]\n\
         \"overlay.nodes\" = [10, 20]\n\"overlay.lookup\" = [\"recursive\", \"iterative\"]\n",
    );
    lab.succeed(&["run", "s.toml", "--out", "out", "--set", "overlay.nodes=30"]);
    let runs = lab.table("out/s/runs.csv");
    assert_eq!(runs.column("overlay.lookup"), ["recursive", "iterative"]);
    assert!(!runs.columns.contains(&"overlay.nodes".to_owned()));
    assert_eq!(lab.manifest("out/s")["scenario"]["overlay"]["nodes"], 30);
    // As in the shipped scenarios, whose figures name what they sweep.
    let figure = "[[figure]]\nx = \"overlay.nodes\"\ny = \"events\"\nseries = \"overlay.lookup\"\n";
    let text = lab.read("s.toml") + figure;
    lab.write("s.toml", text);
    let ended = lab.dhtlab(&["run", "s.toml", "--out", "out", "--set", "overlay.nodes=30"]);
    assert_eq!(
        ended.code,
        Some(0),
        "a key that a figure uses cannot be set: {}",
        ended.stderr
    );
}

/// `reproduce` runs all that `list` shows, as `run` would; with --quick beside the full results.
#[test]
fn reproduce_runs_the_whole_folder() {
    let lab = both();
    lab.write("shelf/both.toml", BOTH);
    lab.write(
        "shelf/other.toml",
        "experiment = \"network\"\noverlay.nodes = 5\nworkload.lookups = 9\n",
    );
    lab.succeed(&["reproduce", "--scenarios", "shelf"]);
    assert_eq!(lab.files("results/both"), lab.files("out/both"));
    assert_eq!(lab.table("results/other/runs.csv").column("lookups"), ["9"]);
    lab.succeed(&["reproduce", "--scenarios", "shelf", "--quick"]);
    let quick = lab.table("results/quick/both/runs.csv");
    assert_eq!(quick.column("lookups"), ["40"]);
    assert_eq!(lab.files("results/both"), lab.files("out/both"));
}

#[test]
fn the_help_tells_the_commands() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.succeed(&["--help"]).stdout, @r#"
    A laboratory for distributed hash tables

    Usage: dhtlab <COMMAND>

    Commands:
      run        Run scenarios; what is already there is not run again
      check      Read and validate scenarios, and say what would run and how long and large it would be
      list       The shipped scenarios and what each reproduces
      plot       Draw the figures again from the CSV files
      reproduce  Run every shipped scenario
      schema     The JSON Schema of the scenario file, for editors
      help       Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version
    "#);
    insta::assert_snapshot!(lab.succeed(&["run", "--help"]).stdout, @r#"
    Run scenarios; what is already there is not run again

    Usage: dhtlab run [OPTIONS] <FILES>...

    Arguments:
      <FILES>...  Scenario files

    Options:
          --set <KEY=VALUE>            Set a key of the scenario, swept or not, such as
                                       overlay.nodes=500
          --seed <SEED>                The seed
          --repetitions <REPETITIONS>  How many times each point is run
          --quick                      Small sizes, as the scenario's [quick] table has them
          --out <DIR>                  Where the results go, one folder a scenario [default: results]
          --jobs <N>                   Runs at a time [default: one a core]
          --only <RUN>                 Run only the run with this name (the column `run`) and print its
                                       metrics; writes nothing
      -h, --help                       Print help
    "#);
    let version = lab.succeed(&["--version"]).stdout;
    assert_eq!(version, format!("dhtlab {}\n", env!("CARGO_PKG_VERSION")));
    // Without a command the help comes as an error.
    let ended = lab.dhtlab::<&str>(&[]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("Usage: dhtlab <COMMAND>"));
}

/// The scenario files of the repository.
fn shipped() -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join("scenarios");
    let mut files = Vec::new();
    let mut folders = vec![top];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn every_shipped_scenario_is_valid() {
    let files = shipped();
    assert!(files.len() >= 3, "{files:?}");
    let lab = Lab::new();
    for options in [&[] as &[&str], &["--quick"]] {
        for file in &files {
            let file = file.to_str().expect("UTF-8");
            let ended = lab.dhtlab(&[&["check", file], options].concat());
            if ended.stderr.contains("DHTLAB_DATA is not set") {
                println!("skipped: {file} needs the folder that DHTLAB_DATA names");
                continue;
            }
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            assert!(ended.stdout.contains(" runs: "), "{}", ended.stdout);
        }
    }
}

/// An editor that knows the schema must not underline what the command accepts.
#[test]
fn the_schema_knows_every_key_of_the_shipped_scenarios() {
    let lab = Lab::new();
    let schema: serde_json::Value =
        serde_json::from_str(&lab.succeed(&["schema"]).stdout).expect("JSON");
    for file in shipped() {
        let text = fs::read_to_string(&file).expect("a file");
        let scenario: toml::Table = text.parse().expect("TOML");
        for (key, value) in &scenario {
            if !["sweep", "quick", "figure"].contains(&key.as_str()) {
                fits(&schema["properties"][key], value, key, &file);
            }
        }
        let swept = scenario.get("sweep").and_then(toml::Value::as_table);
        for (key, values) in swept.into_iter().flatten() {
            let mut at = &schema;
            for part in key.split('.').filter(|part| *part != "zip") {
                at = &at["properties"][part];
            }
            for value in values
                .as_array()
                .into_iter()
                .flatten()
                .filter(|value| !value.is_table())
            {
                fits(at, value, key, &file);
            }
            let ends = values
                .as_table()
                .and_then(|range| Some([range.get("from")?, range.get("to")?]));
            for value in ends.into_iter().flatten() {
                fits(at, value, key, &file);
            }
        }
    }
}

/// Whether a value is within what the schema says of its key: known, and within its bounds.
fn fits(schema: &serde_json::Value, value: &toml::Value, key: &str, file: &Path) {
    let file = file.display();
    assert!(!schema.is_null(), "{file}: {key} is not in the schema");
    if let toml::Value::Table(table) = value {
        for (inner, value) in table.iter().filter(|_| schema.get("properties").is_some()) {
            fits(
                &schema["properties"][inner],
                value,
                &format!("{key}.{inner}"),
                Path::new(&file.to_string()),
            );
        }
    }
    if let Some(number) = value.as_integer() {
        let number = number as f64;
        let low = schema["minimum"].as_f64().unwrap_or(f64::NEG_INFINITY);
        let high = schema["maximum"].as_f64().unwrap_or(f64::INFINITY);
        assert!(
            (low..=high).contains(&number),
            "{file}: {key} = {number} is outside of the schema"
        );
    }
    if let (Some(word), Some(words)) = (value.as_str(), schema["enum"].as_array()) {
        assert!(
            words.iter().any(|known| known == word),
            "{file}: {key} = {word}"
        );
    }
}
