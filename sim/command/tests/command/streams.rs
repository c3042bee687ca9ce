//! Standard output and standard error that are closed (`| head`) or full (`/dev/full`): the command
//! never panics or hangs, a closed pipe ends quietly, and a full device is an error.

use crate::lab::Lab;
use crate::resume::SWEEP;
use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where a stream goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum To {
    File,
    Closed,
    Full,
}

impl To {
    fn stdio(self, lab: &Lab, name: &str) -> Stdio {
        match self {
            Self::File => File::create(lab.path(name)).expect("a file").into(),
            Self::Closed => std::io::pipe().expect("a pipe").1.into(),
            Self::Full => {
                let full = File::options().write(true).open("/dev/full");
                full.expect("a full device").into()
            }
        }
    }
}

/// The exit code, standard output and standard error of the command; one that hangs is a fault.
fn run(lab: &Lab, arguments: &[&str], stdout: To, stderr: To) -> (i32, String, String) {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("dhtlab"))
        .current_dir(lab.path("."))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(stdout.stdio(lab, "stdout"))
        .stderr(stderr.stdio(lab, "stderr"))
        .spawn()
        .expect("the command starts");
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if started.elapsed() > Duration::from_secs(60) {
            child.kill().expect("a signal");
            child.wait().expect("a child");
            panic!("{arguments:?} hangs with {stdout:?}, {stderr:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let read = |to: To, name: &str| match to {
        To::File => lab.read(name),
        _ => String::new(),
    };
    let code = status.code().expect("no signal ended it");
    (code, read(stdout, "stdout"), read(stderr, "stderr"))
}

#[test]
#[cfg(target_os = "linux")]
fn streams_that_are_closed_or_full_are_no_fault_of_any_command() {
    let lab = Lab::new();
    let figure = "[[figure]]\nname = \"events\"\nx = \"overlay.nodes\"\ny = \"events\"\n";
    let text = format!("repetitions = 4\n{SWEEP}\"overlay.nodes\" = [20, 40]\n{figure}");
    lab.write("shelf/s.toml", text);
    lab.write("bad.toml", "experiment = 3\n");
    let file = "shelf/s.toml";
    lab.succeed(&["run", file, "--out", "whole", "--record"]);
    for place in ["1/2", "2/2"] {
        lab.succeed(&["run", file, "--out", "shards", "--shard", place]);
    }
    let whole = lab.tables("whole");
    let id = lab.table("whole/s/runs.csv").rows[0][0].clone();
    let commands: [&[&str]; 18] = [
        &["run", file, "--out", "fresh"],
        &["run", file, "--out", "fresh", "--record"],
        &["run", file, "--only", &id],
        &["run", "bad.toml"],
        &["check", file, file],
        &["list", "--scenarios", "shelf"],
        &["plot", "whole/s"],
        &["view", "whole/s"],
        &["report", "whole", "--scenarios", "shelf"],
        &["reproduce", "--scenarios", "shelf", "--out", "fresh"],
        &["merge", "shards", "--out", "fresh"],
        &["schema"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
        &["help", "run"],
        &["--version"],
        &["run", "--no-such-option"],
    ];
    for command in commands {
        let begin = || drop(fs::remove_dir_all(lab.path("fresh")));
        begin();
        let (code, stdout, stderr) = run(&lab, command, To::File, To::File);
        for (out, err) in [
            (To::Closed, To::File),
            (To::File, To::Closed),
            (To::Closed, To::Closed),
            (To::Full, To::File),
            (To::File, To::Full),
            (To::Full, To::Full),
        ] {
            begin();
            let is_lost = |to: To, text: &str| to == To::Full && !text.is_empty();
            let expected = match code {
                0 => i32::from(is_lost(out, &stdout) || is_lost(err, &stderr)),
                code => code,
            };
            let (found, _, told) = run(&lab, command, out, err);
            assert_eq!(found, expected, "{command:?}, {out:?}, {err:?}: {told}");
            assert!(!told.contains("panicked"), "{command:?}: {told}");
            if out == To::Full && err == To::File && !stdout.is_empty() {
                let last = "error: standard output: No space left on device (os error 28)";
                assert_eq!(told.lines().last(), Some(last), "{command:?}");
            }
            if lab.path("fresh").exists() {
                let mut fresh = lab.tables("fresh");
                fresh.retain(|name, _| name.starts_with("s/"));
                assert!(fresh == whole, "{command:?}, {out:?}, {err:?}: other bytes");
                assert!(!lab.path("fresh/s/.lock").exists());
            }
        }
    }
}

/// As in `dhtlab run FILE 2>&1 | head -n 1`: the reader goes while the runs go on.
#[test]
#[cfg(target_os = "linux")]
fn a_reader_that_goes_stops_no_run() {
    let lab = Lab::new();
    lab.write(
        "s.toml",
        format!("repetitions = 40\n{SWEEP}\"overlay.nodes\" = [20, 40]\n"),
    );
    let command = assert_cmd::cargo::cargo_bin!("dhtlab")
        .display()
        .to_string();
    let line = format!(
        "timeout 60 '{command}' run s.toml --out out 2>&1 | head -n 1; echo ${{PIPESTATUS[0]}}"
    );
    let output = Command::new("bash")
        .args(["-c", &line])
        .current_dir(lab.path("."))
        .output();
    let told = String::from_utf8(output.expect("bash").stdout).expect("UTF-8");
    assert_eq!(told, "s: 10 % of the total work done\n0\n");
    assert_eq!(lab.table("out/s/runs.csv").rows.len(), 80);
}
