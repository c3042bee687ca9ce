//! Invalid options of the command, and the table `[quick]` of the option `--quick`.

use crate::lab::Lab;
use crate::refusal::{NETWORK, compare, refuse};

#[test]
fn faults_of_options_name_the_option() {
    compare(
        NETWORK,
        &[
            (
                "",
                &["--set", "overlay.nodes"],
                "bad.toml: --set overlay.nodes: expected KEY=VALUE",
            ),
            (
                "[overlay]\nnodes = 10\n",
                &["--set", "overlay.nodes=many"],
                "bad.toml: --set overlay.nodes=many: overlay.nodes: expected an integer between 1 \
                 and 10000000, found \"many\"",
            ),
            (
                "[sweep]\n\"overlay.nodes\" = [10]\n",
                &["--set", "overlay.nodes=0"],
                "bad.toml: --set overlay.nodes=0: overlay.nodes: expected an integer between 1 and \
                 10000000, found 0",
            ),
            (
                "",
                &["--set", "overlay.nods=5"],
                "bad.toml: --set overlay.nods=5: overlay.nods: unknown key; did you mean \
                 `overlay.nodes`?",
            ),
            (
                "",
                &["--set", "overlay=5"],
                "bad.toml: --set overlay=5: overlay: expected a table...",
            ),
            ("", &["--set", "=5"], "bad.toml: --set =5: ..."),
            (
                "",
                &["--set", "sweep.overlay.nodes=[5, 0]"],
                "bad.toml: --set sweep.overlay.nodes=[5, 0]: overlay.nodes: expected an integer \
                 between 1 and 10000000, found 0",
            ),
            (
                "",
                &["--set", "sweep.overlay.nods=[5]"],
                "bad.toml: --set sweep.overlay.nods=[5]: overlay.nods: unknown key; did you mean \
                 `overlay.nodes`?",
            ),
            (
                "[sweep]\n\"overlay.nodes\" = [10]\n",
                &["--set", "sweep.overlay.nodes=5"],
                "bad.toml: --set sweep.overlay.nodes=5: sweep.overlay.nodes: expected an array, ...",
            ),
            (
                "",
                &["--repetitions", "0"],
                "bad.toml: --repetitions: repetitions: expected an integer between 1 and 1000000, \
                 found 0",
            ),
            (
                "",
                &["--only", "000000000000"],
                "--only 000000000000: no run has this name; the column `run` of runs.csv lists the names",
            ),
        ],
    );
    compare(
        "seed = -1\n",
        &[(
            NETWORK,
            &[],
            "bad.toml:1: seed: expected an integer of at least 0, found -1",
        )],
    );
    for (option, value, most) in [
        ("--seed", "-1", 64),
        ("--seed", "18446744073709551616", 64),
        ("--seed", "x", 64),
        ("--repetitions", "-1", 32),
    ] {
        let ended = Lab::new().dhtlab(&["run", "bad.toml", option, value]);
        let told = ended.stderr;
        let expected = format!("expected an integer of at least 0 and below 2^{most}");
        assert!(
            ended.code == Some(2) && told.contains(&expected) && told.contains(value),
            "{told}"
        );
    }
    let told = refuse(NETWORK, &["--seed", "18446744073709551615"]).expect("an error");
    assert!(
        told.contains("--seed") && !told.contains("found -1"),
        "the error names a value that was not given: {told}"
    );
}

/// What stands under [quick] is checked in every run, not only in one with --quick.
#[test]
fn faults_of_the_quick_table_name_their_line() {
    for options in [&[] as &[&str], &["--quick"]] {
        compare(
            NETWORK,
            &[
                (
                    "[quick]\n\"overlay.nods\" = 5\n",
                    options,
                    "bad.toml:3: ...",
                ),
                (
                    "quick = 3\n",
                    options,
                    "bad.toml:2: quick: expected a table...",
                ),
            ],
        );
    }
    compare(
        NETWORK,
        &[
            (
                "[overlay]\nnodes = 7\n[quick]\n\"overlay.nodes\" = 0\n",
                &["--quick"],
                "bad.toml:5: overlay.nodes: expected an integer between 1 and 10000000, found 0",
            ),
            (
                "[sweep]\n\"overlay.nodes\" = [5]\n[quick.sweep]\n\"overlay.nodes\" = [5, 0]\n",
                &["--quick"],
                "bad.toml:5: overlay.nodes: expected an integer between 1 and 10000000, found 0",
            ),
        ],
    );
}
