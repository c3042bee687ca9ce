//! Jobs over files that the DHT stores: their results, and what cannot be run.

use crate::lab::Lab;
use crate::refusal::compare;
use std::collections::BTreeMap;

const TEXT: &str = "The quick brown fox; the lazy dog.\nA fox, a dog, and THE END\nGröße 42\n";

const SCENARIO: &str = "experiment = \"job\"\nunderlay = { model = \"constant\", nodes = 30 }\n\
    overlay.nodes = 30\nstorage = { replicas = 3, block-size = 7 }\nnodes.speed = 100\n\
    [job]\ninput = \"file\"\nkind = \"word-count\"\nfiles = [\"one.txt\", \"two.txt\"]\nreplicas = 3\n";

/// The rows of `output.csv` of a run with these options.
fn output(lab: &Lab, options: &[&str]) -> BTreeMap<String, String> {
    lab.write("s.toml", SCENARIO);
    lab.write("one.txt", TEXT);
    lab.write("two.txt", "the end");
    lab.succeed(&[&["run", "s.toml", "--out", "out"], options].concat());
    let runs = lab.table("out/s/runs.csv");
    assert_eq!(runs.numbers("complete"), [1.0]);
    assert_eq!(runs.numbers("result_error"), [0.0]);
    written(lab)
}

/// The rows of `output.csv`.
fn written(lab: &Lab) -> BTreeMap<String, String> {
    let table = lab.table("out/s/output.csv");
    let (keys, values) = (table.column("key"), table.column("value"));
    let rows = keys.iter().zip(values);
    rows.map(|(key, value)| ((*key).to_owned(), value.to_owned()))
        .collect()
}

fn rows(expected: &[(&str, &str)]) -> BTreeMap<String, String> {
    let row = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    expected.iter().map(row).collect()
}

#[test]
fn results_are_those_of_a_plain_program() {
    let lab = Lab::new();
    let mut counts = BTreeMap::<String, u32>::new();
    for word in format!("{TEXT}the end").split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric())
    {
        if !word.is_empty() {
            *counts.entry(word.to_ascii_lowercase()).or_default() += 1;
        }
    }
    let counts = counts
        .into_iter()
        .map(|(word, count)| (word, count.to_string()));
    assert_eq!(output(&lab, &[]), counts.collect());
    let grep = ["--set", "job.kind=grep", "--set", "job.pattern=fox"];
    let lines = rows(&[
        ("The quick brown fox; the lazy dog.", "1"),
        ("A fox, a dog, and THE END", "1"),
    ]);
    assert_eq!(output(&lab, &grep), lines);
    let index = output(&lab, &["--set", "job.kind=inverted-index"]);
    assert_eq!(index["end"], "one.txt:1 two.txt:1");
    assert_eq!(index["the"], "one.txt:3 two.txt:1");
    let sorted = output(
        &lab,
        &["--set", "job.kind=sort", "--set", "job.locality=replica"],
    );
    assert_eq!(sorted.len(), 4);
}

/// The same bytes whatever the number of threads, with a generated text under crashes.
#[test]
fn a_generated_text_is_counted_under_crashes() {
    let lab = Lab::new();
    let text = "experiment = \"job\"\nrepetitions = 4\nunderlay = { model = \"constant\", nodes = 40 }\n\
        overlay.nodes = 40\nstorage = { replicas = 4, block-size = 512, repair = \"2 s\" }\n\
        nodes.speed = 300\nchurn = { model = \"per-second\", begin = \"10 s\", per-second.probability = 0.005 }\n\
        [job]\ninput = \"file\"\nkind = \"word-count\"\nreplicas = 4\nstart = \"10 s\"\n\
        corpus = { size = 60_000, words = 300 }\n";
    lab.write("s.toml", text);
    for (out, jobs) in [("one", "1"), ("two", "2")] {
        lab.succeed(&["run", "s.toml", "--out", out, "--jobs", jobs]);
    }
    assert_eq!(lab.tables("one"), lab.tables("two"));
    let runs = lab.table("one/s/runs.csv");
    for row in 0..4 {
        let of = |column: &str| runs.numbers(column)[row];
        assert_eq!(of("atoms"), 118.0);
        assert_eq!(of("atoms_counted") + of("atoms_lost"), 118.0);
        assert!(of("atoms_lost") > 0.0 || of("result_error") == 0.0);
    }
    assert!(runs.numbers("churn_events").iter().sum::<f64>() > 0.0);
}

/// Files that the nodes cannot hold end the job at once, incomplete, with a note.
#[test]
fn a_file_for_which_there_is_no_room_ends_the_job() {
    let lab = Lab::new();
    lab.write("s.toml", SCENARIO);
    lab.write("one.txt", TEXT.repeat(20));
    lab.write("two.txt", "the end");
    lab.succeed(&[
        "run",
        "s.toml",
        "--out",
        "out",
        "--set",
        "storage.capacity=60",
    ]);
    let runs = lab.table("out/s/runs.csv");
    assert_eq!(runs.numbers("complete"), [0.0]);
    let notes = lab.manifest("out/s")["notes"].to_string();
    for part in [
        "the file \\\"one.txt\\\" was not stored: a node that was to store a part of it is full \
         (storage.capacity)",
        "no node has the keyfile of \\\"one.txt\\\": the job ended",
    ] {
        assert!(notes.contains(part), "{notes}");
    }
}

/// The counts are those of a shell pipeline over the same bytes.
#[test]
#[cfg(unix)]
fn counts_are_those_of_sort_and_uniq() {
    let lab = Lab::new();
    lab.write("s.toml", SCENARIO);
    let mut stream = dhtlab_core::engine::Seed::new(3).stream("text", 0);
    let mut file = String::new();
    for _ in 0..4000 {
        let letter =
            |stream: &mut dhtlab_core::engine::Stream| ["a", "B", "c", "é", "7"][stream.index(5)];
        let word = [letter(&mut stream), letter(&mut stream)].concat();
        file += &word;
        file += [" ", "\n", ", ", "-"][stream.index(4)];
    }
    lab.write("one.txt", &file);
    lab.write("two.txt", "");
    lab.succeed(&[
        "run",
        "s.toml",
        "--out",
        "out",
        "--set",
        "storage.block-size=100",
        "--set",
        "nodes.speed=10000",
    ]);
    let pipeline = "LC_ALL=C tr -cs 'A-Za-z0-9\\200-\\377' '\\n' < one.txt | LC_ALL=C tr A-Z a-z \
                    | grep -a . | LC_ALL=C sort | LC_ALL=C uniq -c";
    let shell = std::process::Command::new("sh")
        .args(["-c", pipeline])
        .current_dir(lab.path(""))
        .output()
        .expect("a shell");
    let counted = String::from_utf8(shell.stdout).expect("UTF-8");
    let lines = counted.lines().map(|line| {
        let (count, word) = line.trim_start().split_once(' ').expect("a count");
        (word.to_owned(), count.to_owned())
    });
    let expected: BTreeMap<_, _> = lines.collect();
    assert_eq!(expected.len(), 25);
    assert_eq!(written(&lab), expected);
}

/// Rounds go on until a result is stable, the same for any number of threads, under crashes, and the
/// outcome of each is stored for the next.
#[test]
fn jobs_in_rounds_end_with_the_result_of_a_plain_program() {
    let lab = Lab::new();
    let text = "experiment = \"job\"\nrepetitions = 2\nunderlay = { model = \"constant\", nodes = 40 }\n\
        overlay.nodes = 40\nstorage = { replicas = 4, block-size = 512, repair = \"2 s\" }\n\
        nodes.speed = 3000\nchurn = { model = \"per-second\", begin = \"10 s\", per-second.probability = 0.001 }\n\
        [job]\ninput = \"file\"\nkind = \"k-means\"\nreplicas = 4\nstart = \"10 s\"\n\
        corpus = { size = 30_000, words = 100 }\niteration = { clusters = 3, rounds = 12 }\n\
        [sweep]\n\"job.kind\" = [\"k-means\", \"page-rank\", \"islands\"]\n";
    lab.write("s.toml", text);
    for (out, jobs) in [("one", "1"), ("two", "2")] {
        lab.succeed(&["run", "s.toml", "--out", out, "--jobs", jobs]);
    }
    assert_eq!(lab.tables("one"), lab.tables("two"));
    let runs = lab.table("one/s/runs.csv");
    let complete = runs.numbers("complete");
    assert_eq!(complete, [1.0; 6]);
    for (row, complete) in complete.iter().enumerate() {
        if *complete == 1.0 {
            assert_eq!(runs.numbers("result_error")[row], 0.0);
        }
    }
    let rounds = lab.table("one/s/rounds.csv");
    let numbers = rounds.numbers("round");
    assert!(numbers.iter().filter(|number| **number > 0.0).count() > 6);
    let (begun, ended) = (rounds.numbers("begun_s"), rounds.numbers("ended_s"));
    for row in 1..numbers.len() {
        assert!(begun[row] <= ended[row]);
        assert!(numbers[row] == 0.0 || ended[row - 1] < begun[row]);
    }
}

/// A small job over a file, on a network with frequent maintenance.
const SMALL: &str = "experiment = \"job\"\nunderlay = { model = \"constant\", nodes = 120 }\noverlay.nodes = 40\n\
    overlay.chord = { successors = 16, stabilise = \"2 s\", fix-fingers = \"2 s\", check-predecessor = \"2 s\" }\n\
    storage = { repair = \"2 s\", replicas = 4 }\nnodes.speed = 100_000\ntime.max = \"40 min\"\n[job]\n\
    input = \"file\"\nreplicas = 4\nstart = \"60 s\"\npatience = \"10 s\"\ncorpus = { size = 100_000, words = 300 }\n";

/// Runs the small job with further settings; returns what it has printed, too.
fn run_small(settings: &[&str]) -> (Lab, String) {
    let lab = Lab::new();
    lab.write("s.toml", SMALL);
    let mut arguments = vec!["run", "s.toml", "--out", "out"];
    settings
        .iter()
        .for_each(|key| arguments.extend(["--set", key]));
    let told = lab.succeed(&arguments).stderr;
    (lab, told)
}

fn is_right(lab: &Lab) -> bool {
    let runs = lab.table("out/s/runs.csv");
    runs.numbers("complete") == [1.0] && runs.numbers("result_error") == [0.0]
}

/// With lost messages two roots may count: one whose node already knows the state of a later round goes on
/// with that round. It had read the state of its own round again and again at one instant.
#[test]
fn a_root_that_is_behind_goes_on_with_the_round_that_its_node_knows() {
    let (lab, told) = run_small(&[
        "overlay.protocol=vhash",
        "overlay.nodes=10",
        "job.kind=k-means",
        "job.iteration.rounds=8",
        "transport.loss=0.05",
        "time.max-events=2000000",
    ]);
    assert!(is_right(&lab), "{told}");
}

/// A job whose rounds have different numbers of blocks is incomplete if one of the rounds has lost some.
#[test]
fn a_round_that_lacks_blocks_is_told_whatever_the_last_one_has() {
    let (lab, told) = run_small(&[
        "seed=5113",
        "overlay.protocol=pastry",
        "job.kind=islands",
        "storage.block-size=256",
        "job.iteration.rounds=8",
        "storage.replicas=1",
        "job.reduce-wait=2 s",
        "churn.model=per-second",
        "churn.per-second.probability=0.01",
        "churn.begin=60 s",
        "tables=[\"rounds\"]",
    ]);
    assert_eq!(lab.table("out/s/runs.csv").numbers("complete"), [0.0]);
    assert!(told.contains("of 391 blocks are lost in round 0"), "{told}");
    let counted = lab.table("out/s/rounds.csv").numbers("blocks_counted");
    assert!(counted.len() > 1 && counted[0] < 391.0, "{counted:?}");
}

/// A dismissed Sybil that is the root of the job leaves what it has counted to the next root.
#[test]
fn a_root_that_is_dismissed_hands_over_what_it_has_counted() {
    let (lab, told) = run_small(&[
        "overlay.nodes=10",
        "job.kind=k-means",
        "job.iteration.rounds=3",
        "storage.block-size=1024",
        "job.replicas=1",
        "nodes.speed=1000",
        "balancing.strategy=neighbour-injection",
        "balancing.max-sybils=1",
        "job.reduce-wait=2 s",
    ]);
    assert!(is_right(&lab), "{told}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    compare(
        "experiment = \"job\"\n[job]\ninput = \"file\"\nkind = \"sort\"\nfiles = \"bad.toml\"\n[storage]\n",
        &[(
            "placement = \"spread\"\n",
            &[],
            "bad.toml:7: storage.placement: a job over files needs \"nearest\", found \"spread\"",
        )],
    );
    compare(
        "experiment = \"job\"\n[job]\ninput = \"file\"\n",
        &[
            (
                "kind = \"word-count\"\n",
                &[],
                "bad.toml:2: job.files: expected the files of the job, or `job.corpus.size`",
            ),
            (
                "kind = \"sort\"\nfiles = [\"gone.txt\"]\n",
                &[],
                "bad.toml:5: job.files: gone.txt: cannot be read...",
            ),
            (
                "kind = \"sort\"\nfiles = [\"bad.toml\", \"bad.toml\"]\n",
                &[],
                "bad.toml:5: job.files: the file \"bad.toml\" is there twice",
            ),
            (
                "kind = \"grep\"\nfiles = \"bad.toml\"\n",
                &[],
                "bad.toml:2: job.pattern: expected the bytes to search",
            ),
            (
                "kind = \"pi\"\nfiles = \"bad.toml\"\n",
                &[],
                "bad.toml:4: job.kind: a job over files is one of \"word-count\", \"grep\", \
                 \"inverted-index\", \"sort\", \"k-means\", \"page-rank\", \"islands\", found \"pi\"",
            ),
        ],
    );
    compare(
        "experiment = \"diagram\"\ndiagram.picture = \"job-tree\"\n[job]\n",
        &[(
            "input = \"file\"\n",
            &[],
            "bad.toml:4: job.input: a diagram shows a job over keys",
        )],
    );
    compare(
        "experiment = \"job\"\n[job]\n",
        &[(
            "kind = \"grep\"\n",
            &[],
            "bad.toml:3: job.kind: \"grep\" needs files: expected `job.input` = \"file\"",
        )],
    );
}
