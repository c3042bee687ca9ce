//! The scripts in `scenarios/cluster/`, run with the programs that they are for, if installed.

use crate::lab::Lab;
use crate::resume::SWEEP;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn script(name: &str) -> PathBuf {
    let sim = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = sim.join("../../scenarios/cluster").join(name);
    path.canonicalize().expect("a shipped script")
}

fn run(lab: &Lab, name: &str, arguments: &[&str]) -> Output {
    Command::new(script(name))
        .current_dir(lab.path("."))
        .env("DHTLAB", assert_cmd::cargo::cargo_bin!("dhtlab"))
        .env("OUT", "out with a space")
        // GNU parallel keeps its own files there.
        .env("HOME", lab.path("."))
        .args(arguments)
        .output()
        .expect("the script starts")
}

#[test]
#[cfg(unix)]
#[cfg_attr(not(has_parallel), ignore = "GNU parallel is not installed")]
fn gnu_parallel_gives_what_one_machine_gives() {
    let lab = Lab::new();
    lab.write("s.toml", format!("{SWEEP}\"overlay.nodes\" = [20, 40]\n"));
    let options = ["--repetitions", "3", "--set", "time.measure=9 s"];
    lab.succeed(&[&["run", "s.toml", "--out", "one"], &options[..]].concat());
    let ended = run(
        &lab,
        "parallel.sh",
        &[&["3", "s.toml"], &options[..]].concat(),
    );
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success(), "{told}");
    assert!(
        told.contains("s: 6 runs of 3 shards, results in out with a space/s"),
        "{told}"
    );
    assert!(
        lab.files("out with a space/s") == lab.files("one/s"),
        "other bytes"
    );
    // A shard that fails ends it, and nothing is joined.
    let ended = run(
        &lab,
        "parallel.sh",
        &["2", "s.toml", "--set", "overlay.nods=1"],
    );
    assert!(!ended.status.success());
    assert!(!lab.path("out with a space/s.shard-1-of-2").exists());
}

#[test]
#[cfg(unix)]
fn the_scripts_say_how_they_are_called() {
    let lab = Lab::new();
    for name in ["parallel.sh", "slurm-array.sh"] {
        let ended = run(&lab, name, &["3"]);
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(2), "{told}");
        let usage = format!("scenarios/cluster/{name} SHARDS SCENARIO");
        assert!(
            told.contains(&usage) && told.contains("DHTLAB is the command"),
            "{told}"
        );
        assert!(!told.contains("set -"), "{told}");
    }
}
