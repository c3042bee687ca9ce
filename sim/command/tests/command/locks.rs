//! Two commands on one folder of results: the second one names the writer, and a killed command
//! blocks no other.

use crate::lab::Lab;
use crate::resume::SWEEP;
use std::process::Child;
use std::time::{Duration, Instant};

/// Runs that take long enough to come upon: a minute and more in all.
const SLOW: &str = "experiment = \"network\"\nrepetitions = 400\n[underlay]\nnodes = 2000\n\
                    [overlay]\nnodes = 1000\n[workload]\nlookups = 20000\n";

/// Begins with these runs, and waits until `file` is there.
fn begin_slow(lab: &Lab, more: &[&str], file: &str) -> Child {
    lab.write("slow.toml", SLOW);
    let arguments = ["run", "slow.toml", "--out", "out", "--jobs", "1"];
    let child = lab.start(&[&arguments[..], more].concat());
    let started = Instant::now();
    while !lab.path(file).exists() {
        let waited = started.elapsed();
        assert!(waited < Duration::from_secs(60), "nothing begins");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

#[test]
fn a_second_writer_is_refused_and_a_dead_one_is_followed() {
    let lab = Lab::new();
    lab.write("s.toml", format!("{SWEEP}\"overlay.nodes\" = [20]\n"));
    let mut child = begin_slow(&lab, &[], "out/slow/finished.jsonl");
    let told = format!(
        "error: out/slow: cannot write results: another dhtlab process (pid {}) is writing to this folder\n",
        child.id()
    );
    // Whatever else is to be run: nothing of it is begun.
    for files in [&["slow.toml"][..], &["s.toml", "slow.toml"]] {
        let ended = lab.dhtlab(&[&["run", "--out", "out"], files].concat());
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(2), told.as_str())
        );
        assert!(!lab.path("out/s/runs.csv").exists());
    }
    // Another folder is free, and so is a look at what would run.
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    lab.succeed(&["check", "slow.toml"]);
    // SIGKILL: the file stays, with the number of an ended process in it.
    child.kill().expect("a signal");
    child.wait().expect("a child");
    assert_eq!(lab.read("out/slow/.lock"), child.id().to_string());
    let arguments = ["run", "slow.toml", "--out", "out", "--repetitions", "1"];
    lab.succeed(&arguments);
    assert!(!lab.path("out/slow/.lock").exists());
}

/// A lock file that no process holds is ignored, whatever its content.
#[test]
fn a_file_that_was_left_behind_keeps_nobody_out() {
    let lab = Lab::new();
    lab.write("s.toml", format!("{SWEEP}\"overlay.nodes\" = [20]\n"));
    let living = std::process::id().to_string();
    for text in ["999999999", "", "not a number", living.as_str()] {
        lab.write("out/s/.lock", text);
        lab.succeed(&["run", "s.toml", "--out", "out"]);
        assert!(!lab.path("out/s/.lock").exists(), "{text:?} stays");
    }
}

#[test]
#[cfg(unix)]
fn an_interrupt_leaves_no_lock() {
    let lab = Lab::new();
    let mut child = begin_slow(&lab, &[], "out/slow/finished.jsonl");
    assert!(lab.path("out/slow/.lock").exists());
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.expect("the command kill").success());
    assert_eq!(child.wait().expect("a child").code(), Some(130));
    assert!(!lab.path("out/slow/.lock").exists());
}

/// Shards are not joined while one of them is being run.
#[test]
fn a_shard_that_is_being_run_is_not_joined() {
    let lab = Lab::new();
    lab.write("slow.toml", SLOW);
    for place in ["1/2", "2/2"] {
        let shard = ["run", "slow.toml", "--out", "out", "--shard", place];
        lab.succeed(&[&shard[..], &["--repetitions", "2"]].concat());
    }
    let mut child = begin_slow(&lab, &["--shard", "2/2"], "out/slow.shard-2-of-2/.lock");
    let ended = lab.dhtlab(&["merge", "out"]);
    child.kill().expect("a signal");
    child.wait().expect("a child");
    let told = "error: out/slow.shard-2-of-2: another dhtlab process (pid ";
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.starts_with(told), "{}", ended.stderr);
    assert!(!lab.path("out/slow").exists());
}
