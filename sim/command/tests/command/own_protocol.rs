//! The command with a protocol of one's own: `examples/own_protocol.rs`.

use crate::lab::{Ended, Lab};
use std::process::Command;

/// Runs the example in the lab.
fn own(lab: &Lab, arguments: &[&str]) -> Ended {
    let command = assert_cmd::cargo::cargo_bin!("dhtlab");
    let folder = command.parent().expect("a folder");
    let example = folder.join("examples").join("own_protocol");
    let output = Command::new(&example)
        .current_dir(lab.path("."))
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; `cargo test` builds it", example.display()));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ended {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

const SWEEP: &str = r#"
experiment = "network"
repetitions = 2
underlay.model = "euclidean"
underlay.nodes = 60
overlay.nodes = 40
workload.lookups = 500
time.measure = "300 s"
churn.model = "rates"
churn.rates.joins = 0.1
churn.rates.leaves = 0.1

[sweep]
"overlay.protocol" = ["chord", "full-table"]

[[figure]]
name = "hops"
x = "overlay.protocol"
y = "overlay_hops_mean"
"#;

#[test]
fn an_own_protocol_is_swept_beside_the_others() {
    let lab = Lab::new();
    lab.write("s.toml", SWEEP);
    for (out, jobs) in [("one", "1"), ("two", "2")] {
        let ended = own(&lab, &["run", "s.toml", "--out", out, "--jobs", jobs]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    assert!(
        lab.files("one/s") == lab.files("two/s"),
        "threads change a byte"
    );
    let runs = lab.table("one/s/runs.csv");
    assert_eq!(
        runs.column("overlay.protocol"),
        ["chord", "chord", "full-table", "full-table"]
    );
    let hops = runs.numbers("overlay_hops_mean");
    // All lookups but those of keys of the initiator take one hop.
    assert!(
        hops[2..].iter().all(|hops| (0.9..=1.0).contains(hops)),
        "{hops:?}"
    );
    assert!(hops[..2].iter().all(|hops| *hops > 1.5), "{hops:?}");
    assert!(runs.numbers("joins").iter().all(|joins| *joins > 5.0));
    assert!(runs.numbers("success_rate").iter().all(|rate| *rate > 0.9));
    assert!(lab.path("one/s/hops.svg").exists());
    // The shipped protocol has the results that it has in the shipped command.
    lab.succeed(&[
        "run",
        "s.toml",
        "--set",
        "overlay.protocol=chord",
        "--out",
        "shipped",
    ]);
    let shipped = lab.table("shipped/s/runs.csv");
    assert_eq!(shipped.numbers("events"), runs.numbers("events")[..2]);
}

#[test]
fn an_own_protocol_is_known_to_the_rest_of_the_command() {
    let lab = Lab::new();
    lab.write("s.toml", SWEEP);
    let explained = own(
        &lab,
        &[
            "explain",
            "overlay.full-table.most-nodes",
            "overlay.protocol",
        ],
    );
    assert!(
        explained.stdout.contains("default 10000"),
        "{}",
        explained.stdout
    );
    // The text is wrapped.
    let words: Vec<&str> = explained.stdout.split_whitespace().collect();
    let told = words.join(" ");
    assert!(told.contains("Each node knows all others."), "{told}");
    for (change, told) in [
        (
            "overlay.full-table.most-nodes=9",
            "overlay.full-table.most-nodes: expected at least the 40 nodes",
        ),
        (
            "overlay.full-table.most-nodes=0",
            "overlay.full-table.most-nodes: expected an integer between 1",
        ),
        ("overlay.protocol=3", "\"vhash\", \"full-table\", found 3"),
        (
            "overlay.protocol=full-tabel",
            "\"vhash\", \"full-table\", found \"full-tabel\"",
        ),
    ] {
        let ended = own(
            &lab,
            &[
                "check",
                "s.toml",
                "--set",
                change,
                "--set",
                "overlay.nodes=40",
            ],
        );
        assert_eq!(ended.code, Some(2), "{change}: {}", ended.stderr);
        assert!(ended.stderr.contains(told), "{change}: {}", ended.stderr);
    }
    // The shipped command does not know it.
    let ended = lab.dhtlab(&["check", "s.toml"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
}

#[test]
fn jobs_and_storage_run_on_an_own_protocol() {
    let lab = Lab::new();
    let network = r#"
repetitions = 2
underlay.model = "euclidean"
underlay.nodes = 60
overlay.nodes = 40
sweep = { "overlay.protocol" = ["full-table", "chord"] }
"#;
    lab.write(
        "job.toml",
        format!("experiment = \"job\"\n{network}job.kind = \"pi\"\njob.atoms = 200\n"),
    );
    lab.write(
        "files.toml",
        format!(
            "experiment = \"job\"\n{network}job.kind = \"word-count\"\njob.input = \"file\"\n\
             job.corpus.size = 20_000\nstorage.block-size = 500\n"
        ),
    );
    lab.write(
        "storage.toml",
        format!(
            "experiment = \"storage\"\n{network}storage.blocks = 100\nstorage.gets = 300\n\
             time.transition = \"60 s\"\ntime.measure = \"120 s\"\n"
        ),
    );
    for name in ["job", "files", "storage"] {
        let ended = own(&lab, &["run", &format!("{name}.toml")]);
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.stderr);
    }
    let column = |name: &str, column: &str| {
        let runs = lab.table(&format!("results/{name}/runs.csv"));
        runs.numbers(column)
    };
    assert_eq!(column("job", "complete"), [1.0; 4]);
    assert_eq!(column("files", "complete"), [1.0; 4]);
    assert_eq!(column("storage", "gets_ok"), [300.0; 4]);
    // A message takes one hop to any other node.
    let hops = column("storage", "gets_hops_mean");
    assert!(hops[..2].iter().all(|hops| *hops <= 1.0), "{hops:?}");
    assert!(hops[2..].iter().all(|hops| *hops > 1.0), "{hops:?}");
    // Provider records are those of Kademlia.
    lab.write(
        "providers.toml",
        "experiment = \"providers\"\noverlay.protocol = \"full-table\"\n",
    );
    let ended = own(&lab, &["check", "providers.toml"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("providers.toml:2: overlay.protocol"),
        "{}",
        ended.stderr
    );
}
