//! Recording a run, and its page: `run --record` and `view`.

use crate::lab::Lab;
use crate::refusal::{NETWORK, compare, fault_of_refusal};
use serde_json::Value;
use std::collections::BTreeSet;

const SMALL: &str = r#"
experiment = "network"
title = "Two & <three> points"
repetitions = 2
underlay.model = "euclidean"
underlay.nodes = 40
workload.interval = "10 s"
time.transition = "5 s"
time.measure = "20 s"
churn.model = "sessions"
churn.sessions.median = "30 s"
[sweep]
"overlay.nodes" = [20, 30]
"overlay.protocol" = ["chord", "vhash"]
"#;

const JOB: &str = r#"
experiment = "job"
underlay.model = "euclidean"
underlay.nodes = 40
overlay.nodes = 30
overlay.chord.successors = 4
job.samples = 6000
job.atoms = 60
nodes.speed = 100.0
"#;

const STORAGE: &str = r#"
experiment = "storage"
underlay.model = "euclidean"
underlay.nodes = 40
overlay.nodes = 30
overlay.chord.successors = 8
storage.blocks = 20
storage.gets = 100
storage.block-size = 64
time.transition = "20 s"
time.measure = "20 s"
"#;

fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("small.toml", SMALL);
    lab.write("job.toml", JOB);
    lab.write("storage.toml", STORAGE);
    lab
}

fn recording(lab: &Lab, folder: &str) -> Value {
    serde_json::from_str(&lab.read(&format!("{folder}/recording.json"))).expect("JSON")
}

/// How many events of a recording are so.
fn count(recording: &Value, is: impl Fn(&Value) -> bool) -> usize {
    let events = recording["events"].as_array().expect("events");
    events.iter().filter(|event| is(event)).count()
}

/// Results are the same bytes whether a run is recorded or not, on one thread or two; recordings are
/// the same, too.
#[test]
fn recording_changes_no_result() {
    let lab = lab();
    let files = ["small.toml", "job.toml", "storage.toml"];
    let run = |out: &str, more: &[&str]| {
        lab.succeed(&[&["run"], &files[..], &["--out", out], more].concat())
            .stderr
    };
    run("plain", &["--jobs", "1"]);
    let told = run("one", &["--jobs", "1", "--record"]);
    run("two", &["--jobs", "2", "--record"]);
    assert!(told.contains("small: 8 runs, 8 of them new"), "{told}");
    assert!(told.contains("open one/small/view.html"), "{told}");
    let mut recorded = lab.files("one");
    assert_eq!(recorded, lab.files("two"));
    for name in ["small", "job", "storage"] {
        for file in ["recording.json", "view.html"] {
            assert!(recorded.remove(&format!("{name}/{file}")).is_some());
        }
    }
    let mut plain = lab.files("plain");
    for name in ["small", "job", "storage"] {
        // The manifest has the checksum of the recording, and is another for that alone.
        let manifest = format!("{name}/manifest.json");
        let [mut with, without] = [&mut recorded, &mut plain].map(|files| {
            let bytes = files.remove(&manifest).expect("a manifest");
            serde_json::from_slice::<Value>(&bytes).expect("JSON")
        });
        let sums = with["files"].as_object_mut().expect("checksums");
        assert!(sums.remove("recording.json").is_some());
        with["checksum"] = without["checksum"].clone();
        assert_eq!(with, without);
    }
    assert_eq!(recorded, plain);
    // What is there already is recorded all the same, and stays as it is.
    let told = run("plain", &["--record"]);
    assert!(told.contains("small: 8 runs, 0 of them new"), "{told}");
    assert_eq!(lab.files("plain"), lab.files("one"));
}

/// The run that is named is recorded, and the recording says what its row says.
#[test]
fn the_named_run_is_recorded() {
    let lab = lab();
    lab.succeed(&["run", "small.toml", "--record", "--out", "out"]);
    let runs = lab.table("out/small/runs.csv");
    let first = recording(&lab, "out/small");
    assert_eq!(first["head"]["run"], runs.rows[0][0].as_str());
    for place in [3, 6] {
        let row = &runs.rows[place];
        let option = format!("--record={}", row[0]);
        lab.succeed(&["run", "small.toml", &option, "--out", "out"]);
        let recording = recording(&lab, "out/small");
        let head = &recording["head"];
        assert_eq!(head["run"], row[0].as_str());
        assert_eq!(head["title"], "Two & <three> points");
        assert_eq!(head["protocol"], row[runs.at("overlay.protocol")].as_str());
        let point = [
            ["overlay.nodes", &row[runs.at("overlay.nodes")]],
            ["overlay.protocol", &row[runs.at("overlay.protocol")]],
        ];
        assert_eq!(head["point"], serde_json::json!(point));
        let cell = |column: &str| row[runs.at(column)].parse::<usize>().expect("a number");
        assert_eq!(
            count(&recording, |event| event["kind"] == "lookup"),
            cell("lookups")
        );
        for (outcome, column) in [
            ("ok", "lookups_ok"),
            ("wrong", "lookups_wrong"),
            ("failed", "lookups_failed"),
        ] {
            let ended = count(&recording, |event| event["outcome"] == outcome);
            assert_eq!(ended, cell(column), "{column}");
        }
    }
}

/// `view` makes the page again, and it stands alone: nothing in it comes from elsewhere.
#[test]
fn a_page_is_made_of_a_recording() {
    let lab = lab();
    lab.succeed(&["run", "storage.toml", "--record", "--out", "out"]);
    let page = lab.read("out/storage/view.html");
    let ended = lab.succeed(&["view", "out/storage", "--out", "elsewhere.html"]);
    assert_eq!(ended.stdout, "elsewhere.html\n");
    assert_eq!(lab.read("elsewhere.html"), page);
    lab.write("out/storage/view.html", "old");
    let ended = lab.succeed(&["view", "out/storage"]);
    assert_eq!(ended.stdout, "out/storage/view.html\n");
    assert_eq!(lab.read("out/storage/view.html"), page);
    for elsewhere in ["http:", "https:", " src=", "url(", "@import", "fetch("] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    assert!(page.contains("default-src 'none'"));
    let recording = recording(&lab, "out/storage");
    assert_eq!(recording["item"], "block");
    assert_eq!(count(&recording, |event| event["kind"] == "put"), 20);
    assert!(count(&recording, |event| event["kind"] == "get") >= 100);
}

#[test]
fn what_cannot_be_watched_is_refused() {
    compare(
        NETWORK,
        &[
            (
                "overlay.nodes = 201\n",
                &["--record"],
                "bad.toml: --record: overlay.nodes: a recording shows at most 200 nodes, not 201",
            ),
            (
                "overlay.nodes = 50\n[adversary]\nstrategy = \"random\"\n",
                &["--record"],
                "bad.toml: --record: adversary.sybils: a recording shows at most 200 Sybils, not 16384",
            ),
            (
                "overlay.nodes = 50\n",
                &["--record=0123456789ab"],
                "--record=0123456789ab: no run has this name; the column `run` of runs.csv lists the names",
            ),
        ],
    );
    compare(
        "",
        &[(
            "experiment = \"mashing\"\n",
            &["--record"],
            "bad.toml: --record: experiment: this kind of experiment has no recording",
        )],
    );
    let lab = Lab::new();
    lab.write("small.toml", SMALL);
    let ended = lab.dhtlab(&["run", "small.toml", "--record", "--only", "x"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--only"), "{}", ended.stderr);
}

#[test]
fn recordings_that_make_no_sense_are_refused() {
    let lab = lab();
    lab.succeed(&["run", "job.toml", "--record", "--out", "good"]);
    let good = lab.read("good/job/recording.json");
    let refused = |folder: &str| {
        let ended = lab.dhtlab(&["view", folder]);
        assert_eq!(fault_of_refusal(&lab, &ended), None, "{}", ended.stderr);
        assert!(!lab.path(&format!("{folder}/view.html")).exists());
        ended
            .stderr
            .trim_start_matches("error: ")
            .trim_end()
            .to_owned()
    };
    lab.write("plain/notes.txt", "");
    for folder in ["plain", "nowhere"] {
        assert_eq!(
            refused(folder),
            format!(
                "{folder}/recording.json: cannot read: No such file or directory (os error 2); \
                 create a recording with `dhtlab run --record`"
            )
        );
    }
    let cases = [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("[]", "..."),
        (&good[..good.len() / 2], "..."),
        ("{\"format\": 1}", "missing field `head`..."),
        (
            &good.replacen("\"format\":2", "\"format\":1", 1),
            "expected format 2, found 1",
        ),
        (
            &good.replacen("\"what\":\"appear\"", "\"what\":\"vanish\"", 1),
            "unknown variant `vanish`...",
        ),
        (
            &good.replacen("\"node\":0", "\"node\":9999", 1),
            "event 0: there is no such node",
        ),
        (
            &good.replacen("\"place\":[0.", "\"place\":[0.5,0.", 1),
            "key 0 has no place in this space",
        ),
        (
            &good.replacen("\"route\":0", "\"route\":-1", 1),
            "invalid value...",
        ),
    ];
    for (text, told) in cases {
        lab.write("bad/recording.json", text);
        let found = refused("bad");
        let found = found
            .strip_prefix("bad/recording.json: ")
            .expect("the file");
        match told.strip_suffix("...") {
            Some(told) => assert!(found.starts_with(told), "{found}"),
            None => assert_eq!(found, told),
        }
    }
}

/// Nodes that are back with their ID: the recording changes no result, and the members that it shows
/// are those of the timeline.
#[test]
fn a_recording_follows_nodes_that_are_back() {
    for state in ["lost", "kept"] {
        let lab = Lab::new();
        let text = format!(
            "{NETWORK}overlay.nodes = 30\nworkload.interval = '10 s'\n\
             time = {{ transition = '100 s', measure = '100 s', interval = '10 s' }}\n\
             churn.model = 'sessions'\nchurn.rejoin = 'same-id'\nchurn.state = '{state}'\n\
             churn.sessions.up = {{ distribution = 'exponential', mean = '60 s' }}\n\
             churn.sessions.down = '5 s'\n"
        );
        lab.write("back.toml", text);
        lab.succeed(&["run", "back.toml", "--out", "plain"]);
        lab.succeed(&["run", "back.toml", "--record", "--out", "out"]);
        assert_eq!(
            lab.read("plain/back/runs.csv"),
            lab.read("out/back/runs.csv")
        );
        let timeline = lab.table("out/back/timeline.csv");
        let recording = recording(&lab, "out/back");
        let times = timeline.numbers("time_s");
        for (time, members) in times.iter().zip(timeline.numbers("members")) {
            // Times of the recording are in microseconds from the start. A node may crash before it
            // has joined.
            let until = (time + 100.0) * 1e6;
            let mut there = BTreeSet::new();
            for event in recording["events"].as_array().expect("events") {
                let node = event["node"].as_u64();
                match event["what"].as_str() {
                    _ if event["at"].as_f64() > Some(until) => break,
                    Some("join") => drop(there.insert(node)),
                    Some("crash") => drop(there.remove(&node)),
                    _ => {}
                }
            }
            assert_eq!(there.len() as f64, members, "{state}, {time} s");
        }
        assert!(count(&recording, |event| event["what"] == "crash") > 50);
    }
}
