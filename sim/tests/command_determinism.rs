//! One scenario gives one result, byte for byte: whatever the number of threads, whenever it was
//! interrupted, and whatever was run before.

mod support;

use std::time::{Duration, Instant};
use support::Lab;

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

/// Runs that take some time, so that there is something to interrupt.
const LONG: &str = r#"
experiment = "network"
repetitions = 12

[underlay]
model = "barabasi-albert"
nodes = 400

[overlay]
nodes = 200
[overlay.chord]
successors = 4
[overlay.vhash]
dimensions = 3

[workload]
lookups = 2000

[time]
transition = "250 s"

[sweep]
"overlay.protocol" = ["chord", "vhash"]
"#;

/// How many times a run is killed; the last two, while the results are written at its end.
const MOMENTS: usize = 12;

/// The runs of [`LONG`].
const LONG_RUNS: usize = 24;

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

const SWEEP: &str = "experiment = \"network\"\n[underlay]\nnodes = 100\n[workload]\nlookups = 50\n\
                     [overlay.chord]\nsuccessors = 2\n[sweep]\n";

#[test]
fn more_repetitions_add_to_what_is_there() {
    let lab = Lab::new();
    lab.write("s.toml", format!("{SWEEP}\"overlay.nodes\" = [20, 40]\n"));
    let run = |repetitions: &str, out: &str| {
        let arguments = ["run", "s.toml", "--out", out, "--repetitions", repetitions];
        lab.succeed(&arguments).runs_and_new()
    };
    assert_eq!(run("2", "out"), (4, 4));
    let before = lab.table("out/s/runs.csv");
    assert_eq!(run("5", "out"), (10, 6));
    let after = lab.table("out/s/runs.csv");
    assert_eq!(after.column("repetition").concat(), "0123401234");
    let old = |row: &&Vec<String>| ["0", "1"].contains(&row[1].as_str());
    assert!(
        after.rows.iter().filter(old).eq(&before.rows),
        "old rows changed"
    );
    // The same as if all had been run at once.
    assert_eq!(run("5", "fresh"), (10, 10));
    assert_eq!(lab.tables("out"), lab.tables("fresh"));
    // Back to fewer, and to more again: nothing is lost on the way.
    assert_eq!(run("1", "out"), (2, 0));
    assert_eq!(lab.table("out/s/runs.csv").rows.len(), 2);
    assert_eq!(run("5", "out"), (10, 0));
    assert_eq!(lab.tables("out"), lab.tables("fresh"));
}

#[test]
fn a_changed_sweep_keeps_finished_runs() {
    let lab = Lab::new();
    let run = |sweep: &str| {
        lab.write("s.toml", format!("{SWEEP}{sweep}\n"));
        lab.succeed(&["run", "s.toml", "--out", "out"])
            .runs_and_new()
    };
    let (narrow, wide) = (
        "\"overlay.nodes\" = [20, 40]",
        "\"overlay.nodes\" = [10, 20, 30]\n\"overlay.lookup\" = [\"recursive\", \"iterative\"]",
    );
    assert_eq!(run(narrow), (2, 2));
    let first = lab.files("out/s");
    // Lookups are recursive by default: the run at 20 nodes is there.
    assert_eq!(run(wide), (6, 5));
    let second = lab.files("out/s");
    // Going back runs nothing again, and gives the same bytes (but for the journal, which
    // holds what the scenario does not ask for).
    for (sweep, before) in [(narrow, &first), (wide, &second), (narrow, &first)] {
        let (_, new) = run(sweep);
        assert_eq!(new, 0);
        let now = lab.files("out/s");
        for (name, bytes) in before
            .iter()
            .filter(|(name, _)| !name.starts_with("finished"))
        {
            assert!(bytes == &now[name], "{name} differs");
        }
    }
}

/// Keys of the protocol that is not chosen have no say, so two points may be one run.
#[test]
fn one_run_at_two_points_of_a_sweep_is_run_once_and_stands_at_both() {
    let lab = Lab::new();
    let sweep =
        "\"overlay.protocol\" = [\"chord\", \"vhash\"]\n\"overlay.chord.successors\" = [1, 2]\n";
    lab.write(
        "s.toml",
        format!("{SWEEP}{sweep}").replace("successors = 2\n", ""),
    );
    lab.write("other.toml", "");
    let arguments = ["run", "s.toml", "--out", "out", "--set", "overlay.nodes=20"];
    let ended = lab.succeed(&arguments);
    assert_eq!(lab.table("out/s/runs.csv").rows.len(), 4);
    assert!(ended.stderr.contains("3 of them new"), "{}", ended.stderr);
    let first = lab.tables("out");
    // Read again from the CSV files, nothing is doubled.
    for _ in 0..2 {
        assert_eq!(lab.succeed(&arguments).runs_and_new(), (4, 0));
        assert!(
            lab.tables("out") == first,
            "a table changed when it was read and written again"
        );
    }
}

/// Puts the results of `LONG`, undisturbed, into the folder `whole`.
fn undisturbed(lab: &Lab) -> Duration {
    lab.write("long.toml", LONG);
    let started = Instant::now();
    let ended = lab.succeed(&["run", "long.toml", "--out", "whole"]);
    assert_eq!(ended.runs_and_new(), (LONG_RUNS, LONG_RUNS));
    started.elapsed()
}

/// The finished runs in the journal, whole lines only.
fn journal(lab: &Lab, out: &str) -> usize {
    std::fs::read(lab.path(&format!("{out}/long/finished.jsonl"))).map_or(0, |bytes| {
        bytes.iter().filter(|byte| **byte == b'\n').count()
    })
}

/// Waits until so many runs are finished, or the command has ended.
fn wait_for(lab: &Lab, out: &str, runs: usize, child: &mut std::process::Child) {
    let started = Instant::now();
    while journal(lab, out) < runs && child.try_wait().expect("a child").is_none() {
        assert!(started.elapsed() < Duration::from_secs(60), "no progress");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// `Child::kill` is SIGKILL, which leaves no time for anything.
#[test]
#[cfg(unix)]
fn a_kill_at_any_moment_loses_no_finished_run() {
    let lab = Lab::new();
    undisturbed(&lab);
    let whole = lab.tables("whole");
    let mut killed = 0;
    for moment in 0..MOMENTS {
        let out = format!("out{moment}");
        let arguments = ["run", "long.toml", "--out", &out];
        let mut child = lab.start(&arguments);
        // The moments are spread over the run, and lie differently within a single run.
        wait_for(
            &lab,
            &out,
            (moment * LONG_RUNS / 10).min(LONG_RUNS),
            &mut child,
        );
        if moment < 10 {
            std::thread::sleep(Duration::from_micros(1700 * moment as u64));
        }
        child.kill().expect("a signal");
        let status = child.wait().expect("a child");
        killed += usize::from(!status.success());
        let finished = if lab.path(&format!("{out}/long/runs.csv")).exists() {
            LONG_RUNS
        } else {
            journal(&lab, &out)
        };
        let ended = lab.succeed(&arguments);
        assert_eq!(
            ended.runs_and_new(),
            (LONG_RUNS, LONG_RUNS - finished),
            "killed after {finished} runs: {}",
            ended.stderr
        );
        assert!(
            lab.tables(&out) == whole,
            "killed after {finished} runs: other bytes"
        );
        let left: Vec<String> = lab.files(&out).into_keys().collect();
        let expected: Vec<String> = lab.files("whole").into_keys().collect();
        assert_eq!(left, expected, "files were left behind");
    }
    assert!(
        killed >= 8,
        "only {killed} of {MOMENTS} kills came before the end"
    );
}

#[test]
#[cfg(unix)]
fn an_interrupt_writes_down_what_is_finished() {
    let lab = Lab::new();
    undisturbed(&lab);
    let arguments = ["run", "long.toml", "--out", "out"];
    let mut child = lab.start(&arguments);
    wait_for(&lab, "out", LONG_RUNS / 3, &mut child);
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.expect("the command kill").success());
    assert_eq!(child.wait().expect("a child").code(), Some(130));
    let told = lab.read("stderr");
    let rows = lab.table("out/long/runs.csv").rows;
    assert!(
        (LONG_RUNS / 3..LONG_RUNS).contains(&rows.len()),
        "{} rows",
        rows.len()
    );
    let last = format!(
        "interrupted: {} of {LONG_RUNS} runs of long are done; the same command goes on from there",
        rows.len()
    );
    assert_eq!(told.lines().last(), Some(last.as_str()));
    assert!(!told.contains("panicked"), "{told}");
    // What is there is a part of the whole, in its order.
    let whole = lab.table("whole/long/runs.csv").rows;
    let part: Vec<&Vec<String>> = whole.iter().filter(|row| rows.contains(row)).collect();
    assert!(
        part.into_iter().eq(&rows),
        "rows differ from those of the whole"
    );
    let manifest = lab.manifest("out/long");
    assert_eq!(manifest["runs_done"], rows.len());
    let ended = lab.succeed(&arguments);
    assert_eq!(ended.runs_and_new(), (LONG_RUNS, LONG_RUNS - rows.len()));
    assert!(lab.tables("out") == lab.tables("whole"), "other bytes");
}

/// A line that a kill cut short, even within a character, is left out, and all before it counts.
#[test]
fn a_journal_that_was_cut_short_is_read_up_to_there() {
    let lab = Lab::new();
    lab.write("s.toml", format!("{SWEEP}\"overlay.nodes\" = [20, 40]\n"));
    lab.succeed(&["run", "s.toml", "--out", "whole"]);
    // Runs that the scenario does not ask for are kept in the journal: so there is one.
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    lab.succeed(&["run", "s.toml", "--out", "out", "--set", "overlay.nodes=20"]);
    let kept = lab.files("out/s")["finished.jsonl"].clone();
    assert_eq!(kept.iter().filter(|byte| **byte == b'\n').count(), 1);
    for tail in [
        b"{\"version\":\"0.1.0\",\"run\":\"0123".as_slice(),
        b"{\"version\":\"0.1.0\",\"notes\":[\"2 \xc2",
        b"\0\0\0\0",
        b"\xff",
    ] {
        lab.write("out/s/finished.jsonl", [&kept, tail].concat());
        let ended = lab.succeed(&["run", "s.toml", "--out", "out"]);
        assert_eq!(ended.runs_and_new(), (2, 0), "{tail:?}: {}", ended.stderr);
        assert_eq!(lab.tables("out"), lab.tables("whole"));
    }
}

/// The files are replaced one after the other: what stops the command between two of them (a
/// kill, a full disk; here a folder that is in the way) must not lose the runs that the scenario
/// no longer asks for.
#[test]
fn a_stop_between_two_files_loses_no_finished_run() {
    let lab = Lab::new();
    lab.write("s.toml", format!("{SWEEP}\"overlay.nodes\" = [20, 40]\n"));
    let both = ["run", "s.toml", "--out", "out"];
    let one = ["run", "s.toml", "--out", "out", "--set", "overlay.nodes=20"];
    lab.succeed(&both);
    for obstacle in ["histogram.new", "manifest.new", "finished.new"] {
        let path = lab.path(&format!("out/s/{obstacle}"));
        std::fs::create_dir(&path).expect("a folder");
        let ended = lab.dhtlab(&one);
        assert_ne!(
            ended.code,
            Some(0),
            "{obstacle} is in the way: {}",
            ended.stderr
        );
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        std::fs::remove_dir(&path).expect("a folder");
        let ended = lab.succeed(&both);
        assert_eq!(
            ended.runs_and_new(),
            (2, 0),
            "a finished run is lost after {obstacle}"
        );
    }
}

/// Results that could not be written are no wrong input; what was run is not lost.
#[test]
fn results_that_cannot_be_written_are_a_failure_of_the_run() {
    let lab = Lab::new();
    lab.write("s.toml", format!("{SWEEP}\"overlay.nodes\" = [20, 40]\n"));
    lab.write("out/s/runs.csv/in-the-way", "");
    let ended = lab.dhtlab(&["run", "s.toml", "--out", "out"]);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    std::fs::remove_dir_all(lab.path("out/s/runs.csv")).expect("a folder");
    let again = lab.succeed(&["run", "s.toml", "--out", "out"]);
    assert_eq!(again.runs_and_new(), (2, 0), "finished runs are lost");
    assert_eq!(
        ended.code,
        Some(1),
        "runs were run, so the code is 1: {}",
        ended.stderr
    );
}

/// The content of a file counts, not its name.
#[test]
fn a_changed_graph_is_another_run() {
    let lab = Lab::new();
    let text = "experiment = \"network\"\nunderlay.model = \"file\"\nunderlay.file.path = \"ring.txt\"\n\
                overlay.nodes = 4\nworkload.lookups = 20\n";
    lab.write("s.toml", text);
    let run = |graph: &str| {
        lab.write("ring.txt", graph);
        lab.succeed(&["run", "s.toml", "--out", "out"])
            .runs_and_new()
    };
    let (ring, chord) = ("a b\nb c\nc d\nd a\n", "a b\nb c\nc d\nd a\na c\n");
    assert_eq!(run(ring), (1, 1));
    let before = lab.tables("out");
    assert_eq!(run(ring), (1, 0));
    assert_eq!(run(chord), (1, 1));
    assert_ne!(lab.tables("out"), before);
    assert_eq!(run(ring), (1, 0));
    assert_eq!(lab.tables("out"), before);
}

/// What a disk that was full or an editor did to the results is told with its file; or the runs
/// are run again.
#[test]
fn damaged_results_are_told_or_run_again() {
    let lab = Lab::new();
    lab.write("s.toml", format!("{SWEEP}\"overlay.nodes\" = [20, 40]\n"));
    let arguments = ["run", "s.toml", "--out", "out"];
    lab.succeed(&arguments);
    let whole = lab.tables("out");
    for (name, text) in &whole {
        for (what, damaged) in [
            ("cut within a line", text[..text.len() / 2].to_owned()),
            ("empty", String::new()),
        ] {
            lab.write(&format!("out/{name}"), damaged);
            let ended = lab.dhtlab(&arguments);
            assert!(
                !ended.stderr.contains("panicked"),
                "{name}, {what}: {}",
                ended.stderr
            );
            if ended.code == Some(0) {
                assert!(
                    lab.tables("out") == whole,
                    "{name}, {what}: other bytes, and no error"
                );
            } else {
                let file = name.rsplit('/').next().unwrap_or_default();
                assert!(
                    ended.stderr.contains(file),
                    "{name}, {what}: {}",
                    ended.stderr
                );
            }
            for (name, text) in &whole {
                lab.write(&format!("out/{name}"), text);
            }
        }
    }
}
