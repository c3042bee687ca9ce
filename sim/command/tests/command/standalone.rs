//! The command in a folder without the repository, and what it says about results.

use crate::lab::Lab;
use std::fs;

/// A small sweep.
const SMALL: &str = "experiment = \"network\"\nrepetitions = 3\nunderlay.nodes = 60\noverlay.nodes = 20\n\
                     workload.lookups = 40\n[sweep]\n\"overlay.nodes\" = [20, 40]\n[[figure]]\n\
                     name = \"hops\"\nx = \"overlay.nodes\"\ny = \"overlay_hops_mean\"\n";

#[test]
fn shipped_scenarios_are_built_in() {
    let lab = Lab::new();
    let listed = lab.succeed(&["list"]).stdout;
    let names: Vec<&str> = listed
        .lines()
        .filter(|line| !line.starts_with(' '))
        .collect();
    let top = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");
    let files = fs::read_dir(top).expect("a folder").flatten();
    let scenarios = files.filter(|file| file.path().extension().is_some_and(|end| end == "toml"));
    assert_eq!(names.len(), scenarios.count());
    // By name, with and without the ending; the files that a scenario reads are there, too.
    for name in [
        "chord-path-length",
        "vhash-metrics.toml",
        "job-kinds",
        "first",
    ] {
        let checked = lab.succeed(&["check", name, "--no-trial", "--quick"]);
        assert!(checked.stdout.contains("forecast"), "{}", checked.stdout);
        lab.succeed(&["show", name]);
    }
    lab.succeed(&["run", "sybil-mash-time", "--quick", "--quiet"]);
    assert!(lab.table("results/sybil-mash-time/runs.csv").rows.len() > 3);
    let report = lab.succeed(&["report"]);
    assert!(
        report.stdout.contains("of the published values"),
        "{}",
        report.stdout
    );
    let pages = lab.files("results/claims");
    let command = "dhtlab run sybil-mash-time --quick";
    let has_command = |page: &Vec<u8>| String::from_utf8_lossy(page).contains(command);
    assert!(pages.values().any(has_command));
    let ended = lab.dhtlab(&["run", "chord-path-lenght"]);
    assert_eq!(ended.code, Some(2));
    assert_eq!(
        ended.stderr,
        "error: chord-path-lenght: no such file; did you mean `chord-path-length`?\n"
    );
}

#[test]
fn a_file_comes_before_a_shipped_scenario() {
    let lab = Lab::new();
    lab.write("scenarios/chord-path-length.toml", SMALL);
    let shown = lab.succeed(&["show", "chord-path-length"]).stdout;
    assert_eq!(shown, SMALL);
    lab.write("chord-path-length", "no scenario");
    let ended = lab.dhtlab(&["check", "chord-path-length"]);
    assert_eq!(ended.code, Some(2));
}

#[test]
fn a_new_scenario_runs_and_replaces_nothing() {
    let lab = Lab::new();
    lab.succeed(&["new", "mine"]);
    lab.succeed(&["check", "mine.toml"]);
    lab.succeed(&["check", "mine"]);
    lab.write("inner/own.toml", lab.read("mine.toml"));
    lab.succeed(&["check", "inner/own"]);
    let ended = lab.dhtlab(&["new", "mine"]);
    assert_eq!(
        (ended.code, ended.stderr.contains("File exists")),
        (Some(2), true)
    );
    lab.succeed(&["new", "other.toml", "--like", "chord-churn"]);
    assert_eq!(
        lab.read("other.toml"),
        lab.succeed(&["show", "chord-churn"]).stdout
    );
    for name in ["a/b", "..", ""] {
        assert_eq!(lab.dhtlab(&["new", name]).code, Some(2), "{name}");
    }
}

#[test]
fn keys_and_columns_are_explained() {
    let lab = Lab::new();
    let explain = |name: &str| lab.dhtlab(&["explain", name]);
    insta::assert_snapshot!(explain("overlay.chord.base").stdout, @r"
    overlay.chord.base: key
      Base b of the fingers, a power of 2: a node keeps the first node at or after its ID + j b^i, for
      each i and each j from 1 to b - 1. Larger bases give shorter lookups and larger tables. 2 is that
      of SIGCOMM 2001; Li et al. (INFOCOM 2005) sweep it.
      an integer; at least 2; at most 128; default 2
      experiments: network, diagram, job, providers, storage
    ");
    let columns = explain("success_rate").stdout;
    assert!(
        columns.starts_with(
            "success_rate: column of runs.csv\n  Fraction of the lookups that are ok; empty without \
             lookups.\n  fraction, from 0 to 1\n  experiments: network\n"
        ),
        "{columns}"
    );
    // Choices have their meanings, experiments and tables their words.
    assert!(
        explain("adversary.behaviour")
            .stdout
            .contains("\"misroute\": ")
    );
    assert!(explain("mashing").stdout.contains("mashing: experiment\n"));
    assert!(explain("timeline.csv").stdout.contains("Columns: time_s, "));
    assert!(
        explain("figure.kind")
            .stdout
            .contains("one of \"lines\", \"histogram\"")
    );
    // A table lists its keys, a last part all keys that end so.
    assert!(
        explain("overlay.chord")
            .stdout
            .contains("overlay.chord.successors:")
    );
    assert!(
        explain("successors")
            .stdout
            .contains("overlay.chord.successors: key")
    );
    assert!(explain("figure").stdout.contains("figure.y:"));
    let ended = explain("overlay.chord.sucessors");
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .stderr
            .ends_with("did you mean `overlay.chord.successors`?\n"),
        "{}",
        ended.stderr
    );
}

/// Without time and folder.
#[test]
fn a_run_ends_with_what_came_out() {
    let lab = Lab::new();
    lab.write("small.toml", SMALL);
    let ended = lab.succeed(&["run", "small.toml", "--out", "out"]);
    let from = ended
        .stderr
        .find("overlay_hops_mean")
        .expect("the main metric");
    insta::assert_snapshot!(&ended.stderr[from..], @r"
    overlay_hops_mean, mean of 3 runs per point
      overlay.nodes    mean    95 % interval   n
      20              1.908    1.837 to 1.98   3  ██████████████████
      40              2.558   2.463 to 2.653   3  ████████████████████████
    figure: out/small/hops.svg
    ");
    let quiet = lab.succeed(&["run", "small.toml", "--out", "out", "--quiet"]);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let refused = lab.dhtlab(&["run", "none.toml", "--quiet"]);
    assert!(refused.stderr.starts_with("error: "), "{}", refused.stderr);
}

#[test]
fn each_finished_run_is_a_json_object() {
    let lab = Lab::new();
    lab.write("small.toml", SMALL);
    let objects = |arguments: &[&str]| -> Vec<serde_json::Value> {
        let ended = lab.succeed(&[&["run", "small.toml", "--json"], arguments].concat());
        let lines = ended.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    };
    let mut first = objects(&[]);
    let runs = lab.table("results/small/runs.csv");
    assert_eq!(first.len(), runs.rows.len());
    // What is finished already is printed in the order of the sweep.
    let again = objects(&[]);
    let names: Vec<&str> = again.iter().filter_map(|run| run["run"].as_str()).collect();
    assert_eq!(names, runs.column("run"));
    let place = |run: &serde_json::Value| names.iter().position(|name| run["run"] == *name);
    first.sort_by_key(place);
    assert_eq!(first, again);
    for (object, hops) in again.iter().zip(runs.numbers("overlay_hops_mean")) {
        assert_eq!(object["metrics"]["overlay_hops_mean"].as_f64(), Some(hops));
    }
    assert_eq!(again[0]["swept"]["overlay.nodes"], 20);
}

/// Runs with other parameters leave the tables, which is reported, and come back.
#[test]
fn runs_of_other_parameters_are_told() {
    let lab = Lab::new();
    lab.write("small.toml", SMALL);
    lab.succeed(&["run", "small.toml"]);
    let before = lab.tables("results");
    let ended = lab.succeed(&["run", "small.toml", "--set", "workload.lookups=41"]);
    assert!(
        ended
            .stderr
            .contains("results/small: 6 finished runs of other parameters are kept aside"),
        "{}",
        ended.stderr
    );
    assert_ne!(lab.tables("results"), before);
    let ended = lab.succeed(&["run", "small.toml"]);
    assert!(
        ended.stderr.contains("6 runs, 0 of them new"),
        "{}",
        ended.stderr
    );
    assert_eq!(lab.tables("results"), before);
}

/// The figures are those of a run that is not watched.
#[test]
fn figures_are_drawn_while_runs_finish() {
    let lab = Lab::new();
    lab.write("small.toml", SMALL);
    lab.succeed(&["run", "small.toml", "--out", "plain"]);
    lab.succeed(&["run", "small.toml", "--out", "watched", "--watch"]);
    assert_eq!(lab.files("plain"), lab.files("watched"));
}

#[test]
fn two_results_are_compared() {
    let lab = Lab::new();
    lab.write(
        "small.toml",
        SMALL.replace("repetitions = 3", "repetitions = 10"),
    );
    lab.succeed(&["run", "small.toml", "--out", "a", "--quiet"]);
    lab.succeed(&[
        "run",
        "small.toml",
        "--out",
        "same",
        "--quiet",
        "--set",
        "workload.lookups=40",
    ]);
    lab.succeed(&[
        "run",
        "small.toml",
        "--out",
        "b",
        "--quiet",
        "--set",
        "overlay.protocol=kademlia",
    ]);
    let compare = |arguments: &[&str]| lab.dhtlab(&[&["compare"], arguments].concat());
    let same = compare(&["a/small", "same/small"]).stdout;
    assert!(same.contains(" comparisons, 0 differ"), "{same}");
    let different = compare(&[
        "a/small",
        "b/small",
        "--metrics",
        "overlay_hops_mean,lookups",
        "--all",
    ]);
    insta::assert_snapshot!(different.stdout, @r"
    4 comparisons, 2 differ; about 0.1 of the 2 that vary between runs would differ by chance

    overlay.nodes = 20
      metric              a/small   b/small   difference       95 % interval          n
      lookups                  40        40            0              0 to 0   10 pairs
      overlay_hops_mean     1.915    0.9425      -0.9725   -1.027 to -0.9176   10 pairs

    overlay.nodes = 40
      metric              a/small   b/small   difference      95 % interval          n
      lookups                  40        40            0             0 to 0   10 pairs
      overlay_hops_mean     2.467    0.9825       -1.485   -1.581 to -1.389   10 pairs
    ");
    let by = compare(&[
        "a/small",
        "--by",
        "overlay.nodes",
        "--metrics",
        "overlay_hops_mean",
    ])
    .stdout;
    assert!(
        by.contains("1 comparisons, 1 differ") && by.contains("10 pairs"),
        "{by}"
    );
    for (arguments, message) in [
        (["a/small", "none"], "none/manifest.json: cannot read"),
        (
            ["a/small", "--by=overlay.protocol"],
            "`overlay.protocol` is not swept; its sweep is of `overlay.nodes`",
        ),
    ] {
        let ended = compare(&arguments);
        assert_eq!(ended.code, Some(2));
        assert!(ended.stderr.contains(message), "{}", ended.stderr);
    }
    lab.write(
        "other.toml",
        SMALL
            .replace(
                "\"overlay.nodes\" = [20, 40]",
                "\"workload.lookups\" = [20, 40]",
            )
            .replace("x = \"overlay.nodes\"", "x = \"workload.lookups\""),
    );
    lab.succeed(&["run", "other.toml", "--out", "a", "--quiet"]);
    let ended = compare(&["a/small", "a/other"]);
    assert!(
        ended.stderr.contains("its sweep is of `workload.lookups`"),
        "{}",
        ended.stderr
    );
}
