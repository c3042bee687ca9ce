//! A disk that fills during a sweep: finished runs are kept, the error is one line, and with free
//! space the same command continues and gives the same bytes.

use crate::lab::Lab;
use std::process::Command;

/// Runs whose journal is a few MiB in all.
const LARGE: &str = "experiment = \"network\"\nrepetitions = 300\n[underlay]\nmodel = \"euclidean\"\n\
                     nodes = 300\n[overlay]\nnodes = 200\n[workload]\nlookups = 1500\n";

/// Runs a script of the shell in the folder of `lab`; `$dhtlab` is the command.
fn shell(lab: &Lab, program: &[&str], script: &str) -> String {
    let (first, more) = program.split_first().expect("a program");
    let output = Command::new(first)
        .args(more)
        .args(["sh", "-c", script])
        .current_dir(lab.path("."))
        .env("dhtlab", assert_cmd::cargo::cargo_bin!("dhtlab"))
        .output()
        .expect("the program starts");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Checks the output of the sweep on a full disk: progress, then one error that names the file.
fn check_error(lab: &Lab, code: &str, why: &str) {
    assert_eq!(code, "1", "{}", lab.read("told"));
    let told = lab.read("told");
    let errors: Vec<&str> = told
        .lines()
        .filter(|line| !line.ends_with(" of the total work done"))
        .collect();
    let expected = format!("error: mnt/large: finished.jsonl: {why}");
    assert_eq!(errors, [expected.as_str()]);
}

fn whole(lab: &Lab) {
    lab.write("large.toml", LARGE);
    lab.succeed(&["run", "large.toml", "--out", "whole"]);
    lab.write("mnt/note.txt", "");
}

/// No file can grow beyond a limit of the shell, as on a disk that is full.
#[test]
#[cfg(target_os = "linux")]
fn a_file_that_cannot_grow_loses_no_finished_run() {
    let lab = Lab::new();
    whole(&lab);
    // Blocks of 512 bytes; the first megabyte is what the command asks for at its start.
    let script = "trap '' XFSZ; ulimit -f 2100; $dhtlab run large.toml --out mnt 2>told; echo $?";
    let code = shell(&lab, &["env"], script);
    check_error(&lab, code.trim(), "File too large (os error 27)");
    resumed(&lab);
}

/// Goes on where there is room, and compares.
#[cfg(target_os = "linux")]
fn resumed(lab: &Lab) {
    let kept = lab.read("mnt/large/finished.jsonl");
    let kept = kept.matches('\n').count();
    assert!((10..300).contains(&kept), "{kept} runs kept");
    let ended = lab.succeed(&["run", "large.toml", "--out", "mnt"]);
    assert_eq!(ended.runs_and_new(), (300, 300 - kept), "{}", ended.stderr);
    assert!(
        lab.files("mnt/large") == lab.files("whole/large"),
        "other bytes"
    );
}

/// A small file system of its own, which is made larger later. `unshare` gives the test the right to
/// mount it.
#[test]
#[cfg_attr(not(can_mount), ignore = "`unshare -rm` cannot mount a tmpfs here")]
fn a_disk_that_fills_in_the_middle_of_a_sweep_loses_no_finished_run() {
    let lab = Lab::new();
    whole(&lab);
    let script = "set -e; mount -t tmpfs -o size=1200k none mnt; \
                  $dhtlab run large.toml --out mnt 2>told || echo $?; \
                  cp -r mnt/large kept; \
                  $dhtlab run large.toml --out mnt 2>again || echo $?; \
                  mount -o remount,size=64m mnt; \
                  $dhtlab run large.toml --out mnt 2>resumed; \
                  cp -r mnt/large copy";
    let codes = shell(&lab, &["unshare", "-rm"], script);
    let (first, second) = codes.trim().split_once('\n').expect("two codes");
    check_error(&lab, first, "No space left on device (os error 28)");
    let kept = lab.read("kept/finished.jsonl").matches('\n').count();
    assert!((10..300).contains(&kept), "{kept} runs kept");
    // With no room at all nothing is begun.
    assert_eq!(second, "2");
    let told =
        "error: mnt/large: cannot write results: .room: No space left on device (os error 28)\n";
    assert_eq!(lab.read("again"), told);
    let new = format!("large: 300 runs, {} of them new", 300 - kept);
    assert!(
        lab.read("resumed").contains(&new),
        "{}",
        lab.read("resumed")
    );
    assert!(lab.files("copy") == lab.files("whole/large"), "other bytes");
}
