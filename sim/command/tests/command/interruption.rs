//! Interruption of the command at any moment, and damaged results: no finished run is lost, and the
//! final results are the same, byte for byte.

use crate::lab::Lab;
use crate::resume::SWEEP;
use std::time::{Duration, Instant};

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

/// The runs of [`LONG`].
const LONG_RUNS: usize = 24;

/// How many times a run is killed; the last two, while the results are written at its end.
const MOMENTS: usize = 12;

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

/// A sweep that is killed at random moments, and continued each time, gives the same bytes. The
/// sweep grows and shrinks on the way, so that kills come while files of other runs are replaced.
/// `DHTLAB_KILLS=100 cargo test -p dhtlab --test command kills_at_random -- --nocapture` kills more
/// often.
#[test]
#[cfg(unix)]
fn kills_at_random_moments_change_no_byte() {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;
    let kills: usize =
        std::env::var("DHTLAB_KILLS").map_or(8, |text| text.parse().expect("a number"));
    // Each time other moments.
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed();
    let seed = now.map_or(0, |now| now.as_nanos() as u64);
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let lab = Lab::new();
    let whole_takes = undisturbed(&lab);
    let whole = lab.files("whole");
    let (mut killed, mut while_writing, mut different) = (0, 0, 0);
    while killed < kills {
        let _ = std::fs::remove_dir_all(lab.path("out"));
        // One sweep is stopped often before it may come to its end.
        for _ in 0..10 {
            let repetitions = random.random_range(1..=12_u32).to_string();
            let mut child = lab.start(&[
                "run",
                "long.toml",
                "--out",
                "out",
                "--repetitions",
                &repetitions,
            ]);
            // In half of the cases at its end, where files are replaced.
            if random.random() {
                std::thread::sleep(whole_takes.mul_f64(random.random_range(0.0..0.3)));
            } else {
                let started = Instant::now();
                let begun =
                    ["runs.new", "histogram.new", "manifest.new"][random.random_range(0..3)];
                let path = lab.path(&format!("out/long/{begun}"));
                while !path.exists() && child.try_wait().expect("a child").is_none() {
                    assert!(started.elapsed() < Duration::from_secs(60), "no progress");
                    std::thread::sleep(Duration::from_micros(50));
                }
                std::thread::sleep(Duration::from_micros(random.random_range(0..3000)));
            }
            child.kill().expect("a signal");
            if !child.wait().expect("a child").success() {
                killed += 1;
                let new = |name: &str| lab.path(&format!("out/long/{name}.new")).exists();
                while_writing +=
                    usize::from(["runs", "histogram", "manifest"].into_iter().any(new));
            }
        }
        lab.succeed(&["run", "long.toml", "--out", "out"]);
        let files = lab.files("out");
        let names = whole.keys().chain(files.keys());
        different += names
            .filter(|name| whole.get(*name) != files.get(*name))
            .count();
        assert_eq!(different, 0, "after {killed} kills");
    }
    println!(
        "{killed} kills, {while_writing} of them while files were written: {different} files differ"
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
        "interrupted: {} of {LONG_RUNS} runs of long are finished; repeat the command to resume",
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
    for obstacle in ["histogram.new", "manifest.new", "finished.jsonl.partial"] {
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

/// Damage of the results by a full disk or an editor is reported with its file, or the runs
/// are repeated.
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
