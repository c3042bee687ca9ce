//! A sweep divided into shards: merged, it gives the bytes of a single machine. Shards that do not
//! match are refused, and nothing is written.

use crate::lab::Lab;
use crate::resume::SWEEP;

/// A sweep in which a run stands at two points (Chord knows no dimensions), runs differ in cost,
/// a quantity has rows in some runs only, and figures are drawn.
const SHARED: &str = r#"
experiment = "network"
title = "Shared out"
repetitions = 3
[underlay]
nodes = 200
link-latency = "200 ms"
[overlay.chord]
successors = 4
[workload]
lookups = 60
[time]
transition = "20 s"
measure = "4 s"
max = "24 s"
[sweep]
"overlay.nodes" = [20, 150]
"overlay.protocol" = ["chord", "vhash"]
"overlay.vhash.dimensions" = [2, 3]
"overlay.start" = ["converged", "join"]
[[figure]]
x = "overlay.nodes"
y = "overlay_hops_mean"
series = ["overlay.protocol", "overlay.start", "overlay.vhash.dimensions"]
theory = [{ curve = "points", label = "p", data = [[20, 1.9000000000000001], [150, 3.3]] }]
"#;

/// Runs all shards of `file` into `out`.
fn run_shards(lab: &Lab, file: &str, of: usize, out: &str) {
    for place in 1..=of {
        lab.succeed(&[
            "run",
            file,
            "--out",
            out,
            "--shard",
            &format!("{place}/{of}"),
        ]);
    }
}

#[test]
fn shards_joined_are_what_one_machine_writes() {
    let lab = Lab::new();
    lab.write("s.toml", SHARED);
    lab.succeed(&["run", "s.toml", "--out", "one"]);
    let one = lab.files("one/s");
    let names: Vec<&str> = one.keys().map(String::as_str).collect();
    let expected = [
        "figure-1.png",
        "figure-1.svg",
        "histogram.csv",
        "manifest.json",
        "runs.csv",
        "summary.csv",
    ];
    assert_eq!(names, expected);
    // Bounds that ended a run are in the manifest: they come from several shards.
    let notes = lab.manifest("one/s")["notes"].clone();
    assert!(notes.as_object().expect("notes").len() > 3, "{notes}");
    // 48 places, 36 different runs: 3 divides both, 5 neither, 40 leaves shards without a run.
    for of in [3, 5, 40] {
        let out = format!("of-{of}");
        run_shards(&lab, "s.toml", of, &out);
        let mut rows = 0;
        for place in 1..=of {
            let folder = format!("{out}/s.shard-{place}-of-{of}");
            let manifest = lab.manifest(&folder);
            assert_eq!(manifest["shard"]["place"], place);
            assert_eq!(manifest["shard"]["of"], of);
            rows += lab.table(&format!("{folder}/runs.csv")).rows.len();
            assert!(!lab.path(&format!("{folder}/summary.csv")).exists());
        }
        assert_eq!(rows, 48);
        lab.succeed(&["merge", &out]);
        assert!(lab.files(&format!("{out}/s")) == one, "{of} shards differ");
    }
    // Shards in folders of several machines, in any order; and joined again over what is there.
    lab.succeed(&["run", "s.toml", "--out", "b", "--shard", "2/2"]);
    lab.succeed(&["run", "s.toml", "--out", "a", "--shard", "1/2"]);
    let arguments = ["merge", "b/s.shard-2-of-2", "a", "--out", "joined"];
    for _ in 0..2 {
        let ended = lab.succeed(&arguments);
        let told = "s: 48 runs of 2 shards, results in joined/s\n";
        assert_eq!(ended.stderr, told);
        assert!(lab.files("joined/s") == one);
    }
    // What was joined is results like others: nothing is to be run again.
    let ended = lab.succeed(&["run", "s.toml", "--out", "joined"]);
    assert_eq!(ended.runs_and_new(), (48, 0));
    assert!(lab.files("joined/s") == one);
    // Without --out two folders could both be meant.
    let ended = lab.dhtlab(&["merge", "a", "b"]);
    assert_eq!(ended.code, Some(2));
    assert_eq!(
        ended.stderr,
        "error: b/s.shard-2-of-2: not in the same folder as a/s.shard-1-of-2; set the output folder with --out\n"
    );
}

/// Rows that some runs have and others not, and several scenarios at once.
#[test]
fn tables_of_some_runs_only_are_joined_too() {
    let lab = Lab::new();
    let churn = "[sweep]\n\"churn.model\" = [\"none\", \"rates\"]\n[churn.rates]\njoins = 0.2\n";
    let text = SWEEP.replace("[sweep]\n", churn).replace(
        "[workload]\n",
        "[overlay]\nnodes = 30\n[time]\ntransition = \"10 s\"\nmeasure = \"60 s\"\n[workload]\n",
    );
    lab.write("with.toml", &text);
    lab.write(
        "also.toml",
        text.replace("none", "rates").replace(", \"rates\"]", "]"),
    );
    let files = ["with.toml", "also.toml"];
    lab.succeed(&[&["run", "--out", "one"], &files[..]].concat());
    assert!(lab.path("one/with/timeline.csv").exists());
    for place in ["1/2", "2/2"] {
        lab.succeed(&[&["run", "--out", "two", "--shard", place], &files[..]].concat());
    }
    let timelines = ["1", "2"].map(|place| {
        let path = format!("two/with.shard-{place}-of-2/timeline.csv");
        lab.path(&path).exists()
    });
    assert_eq!(timelines.iter().filter(|there| **there).count(), 1);
    lab.succeed(&["merge", "two"]);
    for name in ["with", "also"] {
        let folder = |top: &str| lab.files(&format!("{top}/{name}"));
        assert!(folder("one") == folder("two"), "{name} differs");
    }
}

/// Wall time is measured, so it is another on every machine; its rows are joined all the same.
#[test]
fn wall_times_are_joined_and_no_other_byte_depends_on_them() {
    let lab = Lab::new();
    let text = "experiment = \"mashing\"\nrepetitions = 3\n[overlay]\nnodes = 50\n[mashing]\ntrials = 20\ntimed = 5\n";
    lab.write("m.toml", text);
    lab.succeed(&["run", "m.toml", "--out", "one"]);
    run_shards(&lab, "m.toml", 2, "two");
    lab.succeed(&["merge", "two"]);
    let (mut one, mut two) = (lab.files("one/m"), lab.files("two/m"));
    assert!(one.remove("wall.csv").is_some() && two.remove("wall.csv").is_some());
    assert!(one == two, "a file other than wall.csv differs");
    let [one, two] = ["one", "two"].map(|top| lab.table(&format!("{top}/m/wall.csv")));
    assert_eq!(one.column("run"), two.column("run"));
    assert_eq!(one.columns, two.columns);
}

#[test]
fn a_shard_goes_on_where_it_was() {
    let lab = Lab::new();
    lab.write("s.toml", format!("{SWEEP}\"overlay.nodes\" = [20, 40]\n"));
    let shard = [
        "run",
        "s.toml",
        "--out",
        "out",
        "--shard",
        "2/2",
        "--repetitions",
    ];
    let run = |repetitions| {
        lab.succeed(&[&shard[..], &[repetitions]].concat())
            .runs_and_new()
    };
    assert_eq!(run("3"), (3, 3));
    assert_eq!(run("3"), (3, 0));
    // The runs are dealt anew: those that stay with this shard are there.
    let (all, new) = run("5");
    assert_eq!(all, 5);
    assert!(new < 5, "{new} new runs");
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let lab = Lab::new();
    let sweep = format!("repetitions = 3\n{SWEEP}\"overlay.nodes\" = [20, 40]\n");
    lab.write("s.toml", &sweep);
    run_shards(&lab, "s.toml", 3, "out");
    run_shards(&lab, "s.toml", 2, "halves");
    lab.succeed(&["run", "s.toml", "--out", "plain"]);
    let run = |out: &str, options: &[&str]| {
        let arguments = ["run", "s.toml", "--out", out, "--shard", "2/3"];
        lab.succeed(&[&arguments[..], options].concat());
    };
    run("seed", &["--seed", "9"]);
    run("set", &["--set", "overlay.chord.successors=3"]);
    run("sweep", &["--set", "sweep.overlay.nodes=[20, 41]"]);
    run("again", &[]);
    std::fs::create_dir(lab.path("empty")).expect("a folder");
    let [one, two, three] = [1, 2, 3].map(|place| format!("out/s.shard-{place}-of-3"));
    let (one, two, three) = (one.as_str(), two.as_str(), three.as_str());
    let cases: &[(&[&str], &str)] = &[
        (&[one, three], "s: shard 2/3 is missing"),
        (&[three], "s: shards 1/3, 2/3 are missing"),
        (
            &["out", "again"],
            "again/s.shard-2-of-3: shard 2/3 is also in out/s.shard-2-of-3",
        ),
        (
            &["out", two],
            "out/s.shard-2-of-3: shard 2/3 is also in out/s.shard-2-of-3",
        ),
        (
            &[one, "seed", three],
            "seed/s.shard-2-of-3: not of the same sweep as out/s.shard-1-of-3: `seed` in \
             manifest.json differs",
        ),
        (
            &[one, "set", three],
            "set/s.shard-2-of-3: not of the same sweep as out/s.shard-1-of-3: `scenario` in \
             manifest.json differs",
        ),
        (
            &[one, "sweep", three],
            "sweep/s.shard-2-of-3: not of the same sweep as out/s.shard-1-of-3: the list of runs \
             differs",
        ),
        (
            &[one, "halves"],
            "halves/s.shard-1-of-2: not of the same sweep as out/s.shard-1-of-3: the number of \
             shards differs",
        ),
        (&["plain/s"], "plain/s: these results are not a shard"),
        (
            &["plain"],
            "plain: no finished shards; run `dhtlab run --shard i/n` first",
        ),
        (
            &["empty"],
            "empty: no finished shards; run `dhtlab run --shard i/n` first",
        ),
        (
            &["nowhere"],
            "nowhere: No such file or directory (os error 2)",
        ),
        (
            &["s.toml"],
            "s.toml/manifest.json: Not a directory (os error 20)",
        ),
    ];
    for (folders, expected) in cases {
        let ended = lab.dhtlab(&[&["merge", "--out", "joined"], *folders].concat());
        assert_eq!(ended.stderr, format!("error: {expected}\n"), "{folders:?}");
        assert_eq!(ended.code, Some(2), "{folders:?}");
        assert!(!lab.path("joined").exists(), "{folders:?}");
    }
    // Results of other runs at the place of the joined ones.
    lab.succeed(&["run", "s.toml", "--out", "plain", "--repetitions", "4"]);
    let before = lab.files("plain");
    let ended = lab.dhtlab(&["merge", "out", "--out", "plain"]);
    let told = "error: plain/s: 2 existing runs that no shard contains would be lost; set another \
                output folder with --out\n";
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(2), told));
    assert!(lab.files("plain") == before);
}

/// A shard that was stopped, changed by hand, or broken.
#[test]
fn a_shard_that_is_not_whole_is_refused() {
    let lab = Lab::new();
    let sweep = format!("repetitions = 3\n{SWEEP}\"overlay.nodes\" = [20, 40]\n");
    lab.write("s.toml", sweep);
    run_shards(&lab, "s.toml", 2, "out");
    let two = "out/s.shard-2-of-2";
    let whole = lab.files(two);
    let text = |name: &str| String::from_utf8(whole[name].clone()).expect("UTF-8");
    let manifest = text("manifest.json");
    // Versions without a checksum of the manifest.
    let mut fields: serde_json::Map<_, _> = serde_json::from_str(&manifest).expect("JSON");
    fields.remove("checksum").expect("a checksum");
    let unsealed = serde_json::to_string_pretty(&fields).expect("JSON");
    let damaged = [
        (
            "manifest.json",
            unsealed.replace("\"runs_done\": 3", "\"runs_done\": 1"),
            "out/s.shard-2-of-2: 1 of 3 runs of shard 2/2 are finished; `dhtlab run --shard 2/2` \
             completes it",
        ),
        (
            "runs.csv",
            text("runs.csv").replacen(",50,", ",51,", 1),
            "out/s.shard-2-of-2/runs.csv: the file was changed after the run; restore it, or \
             remove the results and run again",
        ),
        (
            "histogram.csv",
            String::new(),
            "out/s.shard-2-of-2/histogram.csv: the file was changed after the run; restore it, or \
             remove the results and run again",
        ),
        (
            "manifest.json",
            manifest.replace("\"place\": 2", "\"place\": 1"),
            "out/s.shard-2-of-2/manifest.json: the file was changed after the run; restore it, or \
             remove the results and run again",
        ),
        (
            "manifest.json",
            unsealed.replace("\"place\": 2", "\"place\": \"two\""),
            "out/s.shard-2-of-2/manifest.json: shard: invalid type: string \"two\", expected u32",
        ),
        (
            "manifest.json",
            "{".to_owned(),
            "out/s.shard-2-of-2/manifest.json: this is not a manifest: EOF while parsing an object at \
             line 1 column 1; restore it, or remove the results and run again",
        ),
    ];
    for (file, broken, expected) in damaged {
        assert_ne!(text(file), broken, "nothing is broken in {file}");
        lab.write(&format!("{two}/{file}"), broken);
        let ended = lab.dhtlab(&["merge", "out"]);
        assert_eq!(ended.stderr, format!("error: {expected}\n"));
        assert_eq!(ended.code, Some(2));
        assert!(!lab.path("out/s").exists());
        lab.write(&format!("{two}/{file}"), &whole[file]);
    }
    // Killed before it wrote its files: as if it did not exist.
    std::fs::remove_file(lab.path(&format!("{two}/manifest.json"))).expect("a file");
    let ended = lab.dhtlab(&["merge", "out"]);
    assert_eq!(ended.stderr, "error: s: shard 2/2 is missing\n");
}

/// What is at the place of the joined results and not in the shards: none of it is touched.
#[test]
fn merge_keeps_results_outside_the_shards() {
    let lab = Lab::new();
    lab.write("s.toml", format!("{SWEEP}\"overlay.nodes\" = [20, 40]\n"));
    run_shards(&lab, "s.toml", 2, "out");
    let refused = |told: &str| {
        let before = lab.files("there");
        let ended = lab.dhtlab(&["merge", "out", "--out", "there"]);
        let told =
            format!("error: there/s: {told} would be lost; set another output folder with --out\n");
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(2), told.as_str())
        );
        assert!(lab.files("there") == before, "{told}");
        std::fs::remove_dir_all(lab.path("there")).expect("it was there");
    };
    lab.write(
        "other/s.toml",
        "experiment = \"dgvh-cost\"\n[dgvh-cost]\ncandidates = 10\n",
    );
    lab.succeed(&["run", "other/s.toml", "--out", "there"]);
    refused("results of another experiment or version");
    // Rows that are left out in the shards.
    lab.succeed(&["run", "s.toml", "--out", "there"]);
    for shard in ["1/2", "2/2"] {
        let run = ["run", "s.toml", "--out", "out", "--shard", shard];
        lab.succeed(&[&run[..], &["--set", "tables=[]"]].concat());
    }
    refused("table rows that the shards omit");
    // Runs that the shards have in their journals only.
    for repetitions in ["3", "1"] {
        for shard in ["1/2", "2/2"] {
            let run = ["run", "s.toml", "--out", "out", "--shard", shard];
            lab.succeed(&[&run[..], &["--repetitions", repetitions]].concat());
        }
        if repetitions == "3" {
            lab.succeed(&["merge", "out", "--out", "there"]);
        }
    }
    refused("4 existing runs that no shard contains");
}

/// A merge that is stopped between two files leaves nothing that passes for whole.
#[test]
fn a_merge_that_is_stopped_leaves_nothing_that_passes_for_whole() {
    let lab = Lab::new();
    lab.write("s.toml", format!("{SWEEP}\"overlay.nodes\" = [20, 40]\n"));
    let run = |out: &str, more: &[&str]| {
        lab.succeed(&[&["run", "s.toml", "--out", out], more].concat());
    };
    run("whole", &["--repetitions", "3"]);
    run("out", &["--repetitions", "2"]);
    run("out", &["--repetitions", "3", "--shard", "1/2"]);
    run("out", &["--repetitions", "3", "--shard", "2/2"]);
    // The first table is replaced, the second one cannot be.
    std::fs::create_dir(lab.path("out/s/histogram.new")).expect("a folder");
    let ended = lab.dhtlab(&["merge", "out"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    std::fs::remove_dir(lab.path("out/s/histogram.new")).expect("it was there");
    run("out", &["--repetitions", "3"]);
    assert!(lab.files("out/s") == lab.files("whole/s"));
}

#[test]
fn a_shard_that_cannot_be_is_refused() {
    let lab = Lab::new();
    lab.write("s.toml", format!("{SWEEP}\"overlay.nodes\" = [20, 40]\n"));
    for shard in ["0/4", "5/4", "x", "1/0", "1", "-1/4", "1/100001", ""] {
        let ended = lab.dhtlab(&["run", "s.toml", "--out", "out", &format!("--shard={shard}")]);
        assert_eq!(ended.code, Some(2), "{shard}");
        let told = format!(
            "error: invalid value '{shard}' for '--shard <i/n>': expected i/n with i between 1 \
             and n, at most 100000, such as 2/8\n"
        );
        let empty = "error: a value is required for '--shard <i/n>' but none was supplied\n";
        assert!(
            ended.stderr.starts_with(&told) || shard.is_empty() && ended.stderr.starts_with(empty),
            "{shard}: {}",
            ended.stderr
        );
        assert!(!lab.path("out").exists());
    }
    for other in ["--only=000000000000", "--record"] {
        let ended = lab.dhtlab(&["run", "s.toml", "--shard", "1/2", other]);
        assert_eq!(ended.code, Some(2), "{other}");
        assert!(
            ended.stderr.contains("cannot be used with"),
            "{}",
            ended.stderr
        );
    }
}

/// The report is on whole results.
#[test]
fn the_report_leaves_shards_out() {
    let lab = Lab::new();
    lab.write("s.toml", format!("{SWEEP}\"overlay.nodes\" = [20, 40]\n"));
    run_shards(&lab, "s.toml", 2, "out");
    lab.succeed(&["merge", "out"]);
    lab.succeed(&["report", "out"]);
    let report = lab.read("out/REPORT.md");
    assert!(!report.contains("shard"), "{report}");
    assert!(report.contains("`s`"), "{report}");
}
