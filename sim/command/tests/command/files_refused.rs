//! Files that cannot be used: scenarios, graphs, traces of churn, folders for results.

use crate::lab::Lab;
use crate::refusal::{compare, fault_of_refusal, refuse, write_inputs};

#[test]
fn files_that_are_no_scenario_are_refused() {
    compare(
        "",
        &[
            (
                "seed = 1\n",
                &[],
                "bad.toml: experiment: the key is missing; expected one of \"network\", \
                 \"balance\", \"convergence\", \"delaunay\", \"dgvh-cost\", \"diagram\", \"eclipse\", \"growth\", \"job\", \"lookup-rounds\", \"mashing\", \"prefix-divergence\", \"providers\", \
                 \"resilience\", \"size-estimate\", \"storage\", \"vhash-latency-as-coded\"",
            ),
            (
                "\nexperiment = \"netwrok\"\n",
                &[],
                "bad.toml:2: experiment: expected one of \"network\", \"balance\", \"convergence\", \
                 \"delaunay\", \"dgvh-cost\", \"diagram\", \"eclipse\", \"growth\", \"job\", \"lookup-rounds\", \"mashing\", \"prefix-divergence\", \"providers\", \
                 \"resilience\", \"size-estimate\", \"storage\", \"vhash-latency-as-coded\", \
                 found \"netwrok\"",
            ),
            (
                "experiment = 3\n",
                &[],
                "bad.toml:1: experiment: expected text, found 3",
            ),
            (
                "seed = 1\nseed = = 1\n",
                &[],
                "bad.toml:2: not valid TOML: ...",
            ),
            (
                "seed = 1\n\nseed = 2\n",
                &[],
                "bad.toml:3: not valid TOML: duplicate key",
            ),
            (
                "experiment = \"network\"\nseed = 18446744073709551616\n",
                &[],
                "bad.toml:2: seed: expected an integer of at least 0, found \"18446744073709551616\"",
            ),
            (
                "experiment = \"network\"\noverlay.nodes = -99999999999999999999\n",
                &[],
                "bad.toml:2: overlay.nodes: expected an integer between 1 and 10000000, found \
                 \"-99999999999999999999\"",
            ),
            (
                "experiment = \"network\"\n",
                &["--set", "=5"],
                "bad.toml: --set =5: expected KEY=VALUE",
            ),
            ("", &[], "bad.toml: experiment: the key is missing; ..."),
        ],
    );
    let deep = format!("seed = 1\na = {}\n", "[".repeat(100_000));
    let told = refuse(&deep, &[]).expect("an error");
    assert!(told.starts_with("bad.toml:2: not valid TOML: "), "{told}");
}

#[test]
fn scenario_files_that_cannot_be_read_are_refused() {
    let lab = Lab::new();
    lab.write("good.toml", "experiment = \"network\"\noverlay.nodes = 3\n");
    lab.write("folder.toml/inside", "");
    lab.write("latin.toml", b"experiment = \"network\" # caf\xe9\n");
    for (file, told) in [
        (
            "none.toml",
            "none.toml: no such file, and no shipped scenario; `dhtlab list` lists those",
        ),
        (
            "folder.toml",
            "folder.toml: the file cannot be read: Is a directory (os error 21)",
        ),
        (
            "latin.toml",
            "latin.toml: the file cannot be read: line 1 is not UTF-8 text",
        ),
    ] {
        // The fault of the second is found before the first is run.
        for command in [&["check"] as &[&str], &["run", "--out", "out"]] {
            let ended = lab.dhtlab(&[command, &["good.toml", file]].concat());
            assert_eq!(fault_of_refusal(&lab, &ended), None, "{}", ended.stderr);
            assert_eq!(ended.stderr, format!("error: {told}\n"));
        }
    }
}

#[test]
fn two_scenarios_of_one_name_are_refused() {
    let lab = Lab::new();
    lab.write(
        "a/same.toml",
        "experiment = \"network\"\noverlay.nodes = 3\n",
    );
    lab.write(
        "b/same.toml",
        "experiment = \"network\"\noverlay.nodes = 4\n",
    );
    let ended = lab.dhtlab(&["run", "a/same.toml", "b/same.toml", "--out", "out"]);
    assert_eq!(fault_of_refusal(&lab, &ended), None, "{}", ended.stderr);
    assert_eq!(
        ended.stderr,
        "error: a/same.toml and b/same.toml have the same output folder `same`\n"
    );
}

#[test]
fn malformed_graphs_are_refused_with_their_own_line() {
    const FILE: &str = "experiment = \"network\"\noverlay.nodes = 3\n[underlay]\nmodel = \"file\"\n[underlay.file]\n";
    const GUESSED: &str =
        " (guessed to be an rtt-matrix; `format` says if it is an edge-list or an adjacency-list)";
    for (graph, format, told) in [
        (
            "none.txt",
            "",
            ": cannot be read: No such file or directory (os error 2)",
        ),
        ("", "", ": cannot be read: Is a directory (os error 21)"),
        (
            "truncated.gml",
            "",
            ":4: the file ends inside `node [` of line 3",
        ),
        (
            "negative.txt",
            "",
            ":2: malformed entry \"-3\" in column 3: a round-trip time cannot be negative; `-`, \
             `?` or `*` stand for a missing one?",
        ),
        (
            "oblong.txt",
            "",
            ":3: expected 4 rows, as many as columns, found 3?",
        ),
        (
            "oblong.txt",
            "rtt-matrix",
            ":3: expected 4 rows, as many as columns, found 3",
        ),
        (
            "ragged.txt",
            "",
            ":2: expected 4 columns as in the first row, found 3?",
        ),
        (
            "endless.txt",
            "",
            ":2: malformed entry \"inf\" in column 3, expected a round-trip time?",
        ),
        ("empty.txt", "", ":1: the file is empty"),
        ("empty.txt", "gml", ":1: the file is empty"),
        ("blank.txt", "", ":1: the file is empty"),
        ("binary.txt", "", ":2: not UTF-8 text: found the byte 0xff"),
        ("triangle.txt", "gml", ":..."),
        ("triangle.txt", "graphml", ":..."),
        (
            "triangle.txt",
            "rtt-matrix",
            ":1: malformed entry \"a\" ...",
        ),
    ] {
        let format = match format {
            "" => String::new(),
            format => format!("format = \"{format}\"\n"),
        };
        let text = format!("path = \"graphs/{graph}\"\n{format}");
        let told = match told.strip_suffix('?') {
            Some(told) => format!("{told}{GUESSED}"),
            None => told.to_owned(),
        };
        let told = format!("bad.toml:6: underlay.file.path: graphs/{graph}{told}");
        compare(FILE, &[(&text, &[], &told)]);
    }
    compare(
        FILE,
        &[
            (
                "path = \"graphs/triangle.txt\"\ncontent = \"00\"\n",
                &[],
                "bad.toml:7: underlay.file.content: graphs/triangle.txt: expected the SHA-1 00, \
                 found 446108e00e0834df1725bb5236c4370fc53d53f8",
            ),
            (
                "",
                &[],
                "bad.toml:5: underlay.file.path: expected the path of a file",
            ),
            (
                "path = \"graphs/triangle.txt\"\n[sweep]\n\"overlay.nodes\" = [3, 4]\n",
                &[],
                "bad.toml:8: overlay.nodes: 4 nodes do not fit on the 3 hosts of the underlay; ...",
            ),
        ],
    );
}

/// A path in a scenario file starts at the folder of that file, wherever the command is run.
#[test]
fn a_missing_graph_is_named_from_the_folder_of_the_scenario() {
    let lab = Lab::new();
    let text = "experiment = \"network\"\noverlay.nodes = 3\nunderlay.model = \"file\"\n\
                underlay.file.path = \"graphs/triangle.txt\"\n";
    lab.write("deep/bad.toml", text);
    write_inputs(&lab);
    let ended = lab.dhtlab(&["run", "deep/bad.toml", "--out", "out"]);
    assert_eq!(fault_of_refusal(&lab, &ended), None, "{}", ended.stderr);
    assert_eq!(
        ended.stderr,
        "error: deep/bad.toml:4: underlay.file.path: deep/graphs/triangle.txt: cannot be read: \
         No such file or directory (os error 2)\n"
    );
    lab.write("deep/graphs/triangle.txt", "a b\nb c\nc a\n");
    lab.succeed(&["check", "deep/bad.toml"]);
}

/// What is found only while the world is built is a failed run, not a wrong input: code 1.
#[test]
fn nodes_that_do_not_fit_on_the_connected_part_of_a_graph_fail_the_run() {
    let lab = Lab::new();
    write_inputs(&lab);
    lab.write(
        "bad.toml",
        "experiment = \"network\"\nworkload.lookups = 5\nunderlay.model = \"file\"\n\
         underlay.file.path = \"graphs/island.txt\"\n[sweep]\n\"overlay.nodes\" = [3, 4]\n",
    );
    let ended = lab.dhtlab(&["run", "bad.toml", "--out", "out"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let last = ended.stderr.lines().last().expect("an error");
    assert!(
        last.starts_with("error: bad: 1 runs failed; run ")
            && last.ends_with(
                ": overlay.nodes: 4 nodes do not fit on the 3 connected hosts of this underlay; set \
                 `overlay.placement = \"shared\"`"
            ),
        "{last}"
    );
    // The run that was possible is there.
    assert_eq!(ended.runs_and_new(), (1, 1));
    assert_eq!(lab.table("out/bad/runs.csv").column("overlay.nodes"), ["3"]);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

/// A trace that cannot be is refused before anything runs.
#[test]
fn traces_that_cannot_be_are_refused() {
    compare(
        "experiment = \"network\"\n[churn]\nmodel = \"trace\"\n",
        &[
            (
                "trace.file = \"traces/back.csv\"\n",
                &[],
                "bad.toml:4: churn.trace.file: traces/back.csv:2: time decreases to 10 s",
            ),
            (
                "trace.file = \"traces/unknown.csv\"\n",
                &[],
                "bad.toml:4: churn.trace.file: traces/unknown.csv:1: node \"ghost\" is unknown: \
                 it is neither one of the first 1000 nor has it joined before",
            ),
            (
                "trace.file = \"traces/none.csv\"\n",
                &[],
                "bad.toml:4: churn.trace.file: traces/none.csv: cannot be read: No such file or \
                 directory (os error 2)",
            ),
        ],
    );
}

#[test]
fn an_output_folder_that_cannot_be_written_is_found_before_the_first_run() {
    let good = "experiment = \"network\"\noverlay.nodes = 3\nworkload.lookups = 5\n";
    let lab = Lab::new();
    lab.write("a.toml", good);
    lab.write("b.toml", good);
    lab.write("file", "mine");
    // A file where the folder of all results, or that of one scenario, should be.
    let ended = lab.dhtlab(&["run", "a.toml", "--out", "file"]);
    assert_eq!(fault_of_refusal(&lab, &ended), None, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .starts_with("error: file/a: cannot write results: "),
        "{}",
        ended.stderr
    );
    assert_eq!(lab.read("file"), "mine");
    lab.write("results/b", "mine");
    let ended = lab.dhtlab(&["run", "a.toml", "b.toml", "--out", "results"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert_eq!(lab.read("results/b"), "mine");
    assert!(
        !ended.stderr.contains("done") && !lab.path("results/a/runs.csv").exists(),
        "`a` was run although it was clear that the results of `b` cannot be written: {}",
        ended.stderr
    );
}
