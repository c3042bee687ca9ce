//! The results of a run: checksums, the manifest, figures.

use crate::both_protocols::{METRICS, both};
use crate::lab::{Lab, Table};
use sha1::{Digest, Sha1};
use std::collections::BTreeMap;
use std::fs;

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
    // Bounds that ended a run are reported, by run.
    let notes = manifest["notes"].take();
    let mut stopped = 0;
    for (run, said) in notes.as_object().expect("an object") {
        assert_eq!(run.len(), 12);
        let said = said.as_array().expect("notes");
        // Networks built by joins also report whether they were whole.
        let bound = "stopped at time.max, 24 s of virtual time, with lookups under way";
        stopped += said.iter().filter(|note| *note == bound).count();
    }
    let runs = lab.table("out/both/runs.csv");
    let failed = runs.numbers("lookups_failed");
    let cut = failed.iter().filter(|failed| **failed > 0.0).count();
    assert_eq!(stopped, cut);
    // The checksums of the tables, in the order of their names.
    let files = manifest["files"].take();
    let names = ["histogram.csv", "runs.csv"];
    assert!(files.as_object().expect("an object").keys().eq(names));
    for name in names {
        let digest = Sha1::digest(lab.read(&format!("out/both/{name}")));
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(files[name], *hex, "{name}");
    }
    let seal = manifest["checksum"].take();
    assert_eq!(seal.as_str().map(str::len), Some(40));
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
        "transport": {
          "timeout": "500 ms"
        },
        "overlay": {
          "ask-root": true,
          "contacts": 3,
          "ids": "random",
          "ids-per-address": 1,
          "lookup": "recursive",
          "nodes": 60,
          "placement": "distinct",
          "protocol": "chord",
          "start": "converged",
          "chord": {
            "base": 2,
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
            "successors": 16,
            "variant": "correct"
          }
        },
        "workload": {
          "lookups": 400
        },
        "churn": {
          "model": "none"
        },
        "adversary": {
          "strategy": "none"
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
      "ranges": {
        "answered_ms_mean": [
          0.0,
          null
        ],
        "answered_ms_p90": [
          0.0,
          null
        ],
        "bytes_per_node_s": [
          0.0,
          null
        ],
        "capture_rate": [
          0.0,
          1.0
        ],
        "captured": [
          0.0,
          1.0
        ],
        "count": [
          0.0,
          null
        ],
        "degree_max": [
          0.0,
          null
        ],
        "degree_mean": [
          0.0,
          null
        ],
        "direct_ms": [
          0.0,
          null
        ],
        "end_node": [
          0.0,
          null
        ],
        "events": [
          0.0,
          null
        ],
        "hijack_rate": [
          0.0,
          1.0
        ],
        "hops_mean": [
          0.0,
          null
        ],
        "initiator": [
          0.0,
          null
        ],
        "intercepted": [
          0.0,
          1.0
        ],
        "interception_predicted": [
          0.0,
          1.0
        ],
        "interception_rate": [
          0.0,
          1.0
        ],
        "joins": [
          0.0,
          null
        ],
        "latency_ms": [
          0.0,
          null
        ],
        "latency_ms_mean": [
          0.0,
          null
        ],
        "latency_ms_p50": [
          0.0,
          null
        ],
        "latency_ms_p90": [
          0.0,
          null
        ],
        "latency_ms_p99": [
          0.0,
          null
        ],
        "leaves": [
          0.0,
          null
        ],
        "lookups": [
          0.0,
          null
        ],
        "lookups_abandoned": [
          0.0,
          null
        ],
        "lookups_answered": [
          0.0,
          null
        ],
        "lookups_failed": [
          0.0,
          null
        ],
        "lookups_hijacked": [
          0.0,
          null
        ],
        "lookups_intercepted": [
          0.0,
          null
        ],
        "lookups_ok": [
          0.0,
          null
        ],
        "lookups_wrong": [
          0.0,
          null
        ],
        "maintenance_bytes_per_node_s": [
          0.0,
          null
        ],
        "maintenance_messages": [
          0.0,
          null
        ],
        "member_underlay_hops_mean": [
          0.0,
          null
        ],
        "members": [
          0.0,
          null
        ],
        "members_mean": [
          0.0,
          null
        ],
        "messages": [
          0.0,
          null
        ],
        "messages_dropped": [
          0.0,
          null
        ],
        "messages_duplicated": [
          0.0,
          null
        ],
        "messages_lost": [
          0.0,
          null
        ],
        "messages_sent_again": [
          0.0,
          null
        ],
        "messages_unreachable": [
          0.0,
          null
        ],
        "occluded_links_fraction": [
          0.0,
          1.0
        ],
        "overlay_hops": [
          0.0,
          null
        ],
        "overlay_hops_mean": [
          0.0,
          null
        ],
        "overlay_hops_mean_if_any": [
          0.0,
          null
        ],
        "overlay_hops_p50": [
          0.0,
          null
        ],
        "overlay_hops_p99": [
          0.0,
          null
        ],
        "rejoins": [
          0.0,
          null
        ],
        "ring_ok": [
          0.0,
          1.0
        ],
        "root_node": [
          0.0,
          null
        ],
        "stretch_mean": [
          0.0,
          null
        ],
        "stretch_of_means": [
          0.0,
          null
        ],
        "success_rate": [
          0.0,
          1.0
        ],
        "sybils": [
          0.0,
          null
        ],
        "time_s": [
          0.0,
          null
        ],
        "timeouts": [
          0.0,
          null
        ],
        "timeouts_false": [
          0.0,
          null
        ],
        "timeouts_mean": [
          0.0,
          null
        ],
        "underlay_hops": [
          0.0,
          null
        ],
        "underlay_hops_mean": [
          0.0,
          null
        ],
        "underlay_hops_per_hop": [
          0.0,
          null
        ],
        "value": [
          0.0,
          null
        ],
        "wrong_rate": [
          0.0,
          1.0
        ]
      },
      "notes": null,
      "files": null,
      "checksum": null
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
