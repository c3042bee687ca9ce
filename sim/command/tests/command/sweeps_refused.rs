//! Sweeps that cannot be run.

use crate::lab::Lab;
use crate::refusal::{NETWORK, compare, refuse};
use std::time::Duration;

#[test]
fn faults_of_a_sweep_name_its_line() {
    compare(
        NETWORK,
        &[
            (
                "[sweep]\n\"overlay.nodes\" = []\n",
                &[],
                "bad.toml:3: sweep.overlay.nodes: expected at least one value",
            ),
            (
                "[sweep]\n\"overlay.nodes\" = 5\n",
                &[],
                "bad.toml:3: sweep.overlay.nodes: expected an array, or a range such as \
                 { from = 8, to = 64, times = 2 }",
            ),
            (
                "[sweep]\n\"overlay.nodes\" = [5, 6, 5]\n",
                &[],
                "bad.toml:3: sweep.overlay.nodes: a value occurs twice",
            ),
            (
                "[[sweep.zip]]\n\"overlay.nodes\" = [5, 5, 5]\n\
                 \"overlay.protocol\" = [\"chord\", \"vhash\", \"chord\"]\n",
                &[],
                "bad.toml:3: sweep.zip[0].overlay.nodes: a value occurs twice",
            ),
            (
                "[sweep]\n\n\"overlay.nodes\" = { from = 1, to = 1_000_000_000, step = 1 }\n",
                &[],
                "bad.toml:4: sweep.overlay.nodes: a range of more than 1000000 values",
            ),
            (
                "[sweep]\n\"overlay.nodes\" = { from = 9, to = 8, step = 1 }\n",
                &[],
                "bad.toml:3: sweep.overlay.nodes: expected at least one value",
            ),
            (
                "[sweep]\n\"overlay.nodes\" = { from = 1, to = 2000, step = 1 }\n\
                 \"workload.lookups\" = { from = 1, to = 2000, step = 1 }\n",
                &[],
                "bad.toml:2: sweep: the sweep has more than 1000000 points",
            ),
            (
                "[[sweep.zip]]\n\"overlay.nodes\" = [5, 6]\n\"overlay.protocol\" = [\"chord\"]\n",
                &[],
                "bad.toml:4: sweep.zip[0].overlay.protocol: arrays of one table need equal lengths: \
                 1 values here, 2 for `overlay.nodes`",
            ),
            (
                "[[sweep.compare]]\noverlay.protocol = \"chord\"\noverlay.chord.base = [2, 7]\n",
                &[],
                "bad.toml:4: overlay.chord.base: expected a power of 2 from 2 to 128, found 7",
            ),
            (
                "[[sweep.compare]]\noverlay.protocol = \"vhash\"\n\
                 [[sweep.compare]]\noverlay.nodes = []\n",
                &[],
                "bad.toml:5: sweep.compare[1].overlay.nodes: expected at least one value",
            ),
            (
                "[[sweep.compare]]\noverlay.nodes = [5, 5]\n",
                &[],
                "bad.toml:3: sweep.compare[0].overlay.nodes: a value occurs twice",
            ),
            (
                "[[sweep.compare]]\noverlay.nods = 5\n",
                &[],
                "bad.toml:3: overlay.nods: unknown key; did you mean `overlay.nodes`?",
            ),
            (
                "[sweep]\noverlay.nodes = [5]\n[[sweep.zip]]\n\"overlay.nodes\" = [5, 6]\n",
                &[],
                "bad.toml:3: sweep.overlay.nodes: the key is swept twice",
            ),
            (
                "[sweep]\n\"overlay.nods\" = [5, 6]\n",
                &[],
                "bad.toml:3: overlay.nods: unknown key; did you mean `overlay.nodes`?",
            ),
            (
                "[[sweep.zip]]\n\"overlay.lookup\" = [\"recursive\"]\n[[sweep.zip]]\n\
                 \"overlay.nods\" = [5, 6]\n",
                &[],
                "bad.toml:5: overlay.nods: unknown key; did you mean `overlay.nodes`?",
            ),
            ("sweep = 3\n", &[], "bad.toml:2: sweep: expected a table"),
            (
                "[[sweep.zip]]\n",
                &[],
                "bad.toml:2: sweep.zip: expected keys with arrays of equal length",
            ),
            // A bad value inside of a sweep, which also stands outside of it.
            (
                "[overlay]\nnodes = 10\n[sweep]\n\"workload.lookups\" = [1]\n\
                 \"overlay.nodes\" = [5, \"six\"]\n",
                &[],
                "bad.toml:6: overlay.nodes: expected an integer between 1 and 10000000, found \"six\"",
            ),
            (
                "[sweep]\noverlay.nodes = [5, 0]\n",
                &[],
                "bad.toml:3: overlay.nodes: expected an integer between 1 and 10000000, found 0",
            ),
            (
                "[[sweep.zip]]\n\"workload.lookups\" = [1, 2]\noverlay.protocol = [\"chord\", \"no-such\"]\n",
                &[],
                "bad.toml:4: overlay.protocol: expected one of \"chord\", ...",
            ),
            (
                "[overlay]\nnodes = 10\n[sweep]\n\"underlay.nodes\" = [10, 5]\n",
                &[],
                "bad.toml:3: overlay.nodes: 10 nodes do not fit on the 5 hosts of the underlay; ...",
            ),
        ],
    );
}

/// Keys that are about the scenario as a whole do not change a run: swept, they would give the
/// same run at every point.
#[test]
fn keys_of_the_head_are_not_swept() {
    for (key, values) in [
        ("seed", "[1, 2]"),
        ("repetitions", "[1, 2]"),
        ("title", "[\"a\", \"b\"]"),
        ("experiment", "[\"network\", \"vhash-latency-as-coded\"]"),
    ] {
        let text = format!("{NETWORK}[overlay]\nnodes = 9\n[sweep]\n{key} = {values}\n");
        let told = refuse(&text, &[]).unwrap_or_else(|fault| panic!("sweep of {key}: {fault}"));
        assert!(
            told.starts_with("bad.toml:5: ") && told.contains(key),
            "{told}"
        );
    }
}

/// Whether and how `check` ended within three seconds; a list of a billion runs would take the
/// memory of the machine before.
fn check_in_time(text: &str) -> (Option<i32>, String) {
    let lab = Lab::new();
    lab.write("bad.toml", text);
    let mut check = lab.start(&["check", "bad.toml"]);
    let mut code = None;
    for _ in 0..600 {
        std::thread::sleep(Duration::from_millis(50));
        if let Some(status) = check.try_wait().expect("a child") {
            code = status.code();
            break;
        }
    }
    let _ = check.kill();
    let _ = check.wait();
    (code, lab.read("stderr"))
}

/// Each point alone is within bounds, and so is each number.
#[test]
fn a_sweep_of_a_billion_runs_is_refused_at_once() {
    for (what, text) in [
        (
            "repetitions",
            "repetitions = 1_000_000\n[sweep]\n\
             \"workload.lookups\" = { from = 1, to = 1000, step = 1 }\n",
        ),
        (
            "a long range beside another",
            "[sweep]\n\"workload.lookups\" = { from = 1, to = 1_000_000, step = 1 }\n\
             \"overlay.nodes\" = { from = 1, to = 1000, step = 1 }\n",
        ),
    ] {
        let (code, stderr) = check_in_time(&format!("{NETWORK}{text}"));
        assert_eq!(code, Some(2), "{what}: not refused within 30 s: {stderr}");
        assert!(stderr.starts_with("error: bad.toml:"), "{what}: {stderr}");
    }
}
