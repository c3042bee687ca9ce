//! The progress of a command: a bar over all scenarios on a terminal, otherwise at most nine lines
//! and one per scenario.

use crate::lab::Lab;
use std::process::Command;

/// Four runs that cost the same.
const FOUR: &str = "experiment = \"network\"\nrepetitions = 4\n[underlay]\nnodes = 100\n\
                    [overlay]\nnodes = 50\n[workload]\nlookups = 200\n";

/// The lines of progress, without the seconds it took and without the summary.
fn told(stderr: &str) -> String {
    let is_meant = |line: &&str| line.contains("work done") || line.contains("of them new");
    let line = |line: &str| match line.split_once(" of them new, ") {
        Some((runs, rest)) => {
            let (_, place) = rest.split_once(" s, ").expect("seconds");
            format!("{runs} of them new, {place}\n")
        }
        None => format!("{line}\n"),
    };
    stderr.lines().filter(is_meant).map(line).collect()
}

#[test]
fn without_a_terminal_a_tenth_of_the_work_is_a_line() {
    let lab = Lab::new();
    lab.write("a.toml", FOUR);
    let run = |repetitions: &str| {
        let arguments = [
            "run",
            "a.toml",
            "--out",
            "out",
            "--repetitions",
            repetitions,
        ];
        told(&lab.succeed(&arguments).stderr)
    };
    insta::assert_snapshot!(run("4"), @"
    a: 20 % of the total work done
    a: 50 % of the total work done
    a: 70 % of the total work done
    a: 4 runs, 4 of them new, results in out/a
    ");
    insta::assert_snapshot!(run("4"), @"a: 4 runs, 0 of them new, results in out/a");
    // What is there already is no work.
    insta::assert_snapshot!(run("6"), @"
    a: 50 % of the total work done
    a: 6 runs, 2 of them new, results in out/a
    ");
    let lines = run("200").lines().count();
    assert_eq!(lines, 10, "nine tenths and the end");
}

#[test]
fn all_scenarios_are_one_work() {
    let lab = Lab::new();
    lab.write("shelf/a.toml", FOUR);
    lab.write("shelf/b.toml", FOUR);
    let reproduce = || told(&lab.succeed(&["reproduce", "--scenarios", "shelf"]).stderr);
    insta::assert_snapshot!(reproduce(), @"
    a (1 of 2): 10 % of the total work done
    a (1 of 2): 20 % of the total work done
    a (1 of 2): 30 % of the total work done
    a (1 of 2): 50 % of the total work done
    a: 4 runs, 4 of them new, results in results/a
    b (2 of 2): 60 % of the total work done
    b (2 of 2): 70 % of the total work done
    b (2 of 2): 80 % of the total work done
    b: 4 runs, 4 of them new, results in results/b
    ");
    std::fs::remove_dir_all(lab.path("results/b")).expect("results");
    insta::assert_snapshot!(reproduce(), @"
    a: 4 runs, 0 of them new, results in results/a
    b (2 of 2): 20 % of the total work done
    b (2 of 2): 50 % of the total work done
    b (2 of 2): 70 % of the total work done
    b: 4 runs, 4 of them new, results in results/b
    ");
}

/// `script` gives the command a terminal.
#[test]
#[cfg(target_os = "linux")]
#[cfg_attr(not(has_script), ignore = "`script` is not installed")]
fn on_a_terminal_there_is_one_bar() {
    let lab = Lab::new();
    lab.write("shelf/a.toml", FOUR);
    lab.write("shelf/b.toml", FOUR);
    let command = assert_cmd::cargo::cargo_bin!("dhtlab")
        .display()
        .to_string();
    let command = format!("'{command}' reproduce --scenarios shelf");
    let output = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(lab.path("."))
        .env("TERM", "xterm")
        .output()
        .expect("script runs");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown}");
    for part in [
        "a (1 of 2) [",
        "b (2 of 2) [",
        " left",
        "b: 4 runs, 4 of them new",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("% of the total work"), "{shown}");
}
