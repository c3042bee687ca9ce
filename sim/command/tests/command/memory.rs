//! Runs that exceed their memory limit: they end with partial results and report it.
#![cfg(target_os = "linux")]

use crate::lab::Lab;

/// A few lookups, and a million of them at once, which are all under way for a second and more.
const CROWD: &str = "
experiment = 'network'
underlay.model = 'constant'
underlay.nodes = 100
underlay.constant.latency = '1 s'
overlay.nodes = 100
transport.timeout = '3 s'
time.measure = '1 s'
sweep.'workload.lookups' = [100, 1000000, 200]
";

#[test]
fn a_run_beyond_the_limit_ends_with_what_it_has() {
    let lab = Lab::new();
    lab.write("crowd.toml", CROWD);
    let run = |memory: &str| {
        lab.dhtlab(&[
            "run",
            "crowd.toml",
            "--out",
            "out",
            "--jobs",
            "2",
            "--memory",
            memory,
        ])
    };
    let ended = run("150 MB");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let said: Vec<&str> = ended.stderr.lines().collect();
    let stopped = said
        .iter()
        .filter(|line| line.contains("stopped at the limit of memory"));
    assert_eq!(stopped.count(), 1, "{}", ended.stderr);
    let last = said.last().expect("a line");
    assert_eq!(
        *last,
        "error: crowd: 1 runs stopped early at the memory limit of 150 MB; repeat the command with a \
         larger --memory to complete them"
    );
    // All three are there, the others whole.
    let table = lab.table("out/crowd/runs.csv");
    let lookups = table.numbers("lookups");
    assert_eq!((lookups[0], lookups[2]), (100.0, 200.0));
    assert!(lookups[1] > 1000.0 && lookups[1] < 1e6, "{lookups:?}");
    let notes = lab.manifest("out/crowd")["notes"].to_string();
    assert!(
        notes.contains("stopped at the limit of memory, 0.15 GB, at "),
        "{notes}"
    );
    // It is no finished run: with more memory it runs again, the others do not.
    let ended = run("20 GB");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.runs_and_new(), (3, 1));
    let table = lab.table("out/crowd/runs.csv");
    assert_eq!(table.numbers("lookups"), [100.0, 1e6, 200.0]);
}

/// What no run watches, such as an underlay that is being built, ends the process beyond nine
/// eighths of the limit.
#[test]
fn what_does_not_watch_its_memory_ends_the_process() {
    let lab = Lab::new();
    let text = "experiment = 'network'\nunderlay.model = 'erdos-renyi'\noverlay.nodes = 50\n\
                workload.lookups = 10\ntime.measure = '1 s'\n\
                sweep.'underlay.nodes' = [100, 4000000]\n";
    lab.write("large.toml", text);
    let run = [
        "run",
        "large.toml",
        "--out",
        "out",
        "--jobs",
        "1",
        "--memory",
    ];
    let ended = lab.dhtlab(&[&run[..], &["60 MB"]].concat());
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let told = ended.stderr.lines().last().expect("a line");
    let start = "error: the memory limit of 60 MB is exceeded: ";
    let end =
        " of 2 runs of large are finished; repeat the command with a larger --memory to resume";
    assert!(told.starts_with(start) && told.ends_with(end), "{told}");
    // Results and their lock are in order.
    lab.succeed(&[&run[..], &["20 GB"], &["--set", "underlay.nodes=100"]].concat());
}

#[test]
fn an_amount_has_a_unit() {
    let lab = Lab::new();
    lab.write("crowd.toml", CROWD);
    let ended = lab.dhtlab(&["run", "crowd.toml", "--memory", "4 parsecs"]);
    assert_eq!(ended.code, Some(2));
    let expected = "expected an amount such as \"4 GB\", found \"4 parsecs\"";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
}
