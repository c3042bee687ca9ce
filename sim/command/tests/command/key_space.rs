//! The attack on the key space through the command: its rows, their independence of the way of
//! running, and its refusals.

use crate::lab::Lab;
use crate::refusal::refuse;

const ECLIPSE: &str = "experiment = \"eclipse\"\n";
const MASHING: &str = "experiment = \"mashing\"\n";

/// Where in the file what is wrong, and what, of a scenario that must be refused.
fn refusal(text: &str) -> String {
    let told = refuse(text, &[]).unwrap_or_else(|fault| panic!("{text}\n{fault}"));
    told.trim_start_matches("bad.toml:").to_owned()
}

/// Keys that both experiments know; the first line of each file names the experiment.
#[test]
fn an_adversary_that_cannot_be_is_refused() {
    for (text, told) in [
        (
            "adversary.ips = 0",
            "2: adversary.ips: expected an integer between 1 and 1000000, found 0",
        ),
        (
            "adversary.ports = 70000",
            "2: adversary.ports: expected an integer between 1 and 65536, found 70000",
        ),
        (
            "adversary.ports = 0",
            "2: adversary.ports: expected an integer between 1 and 65536, found 0",
        ),
        (
            "adversary.ports = 16385",
            "2: adversary.ports: expected at most the 16384 ports from `first-port` = 49152 to \
             65535, found 16385",
        ),
        (
            "adversary.first-port = 65536",
            "2: adversary.first-port: expected an integer between 0 and 65535, found 65536",
        ),
        (
            "adversary.ips = 300000",
            "2: adversary.ips: 300000 addresses with 16384 ports are 4915200000 Sybils, more than \
             4294967295 IDs",
        ),
        (
            "adversary.addresses = \"mine\"",
            "2: adversary.addresses: expected \"random\" or a list of IPv4 addresses, each once, \
             found \"mine\"",
        ),
        (
            "adversary.addresses = [\"1.2.3.400\"]",
            "2: adversary.addresses: expected IPv4 addresses, found \"1.2.3.400\"",
        ),
        (
            "adversary.addresses = [\"1.2.3.4\", \"1.2.3.4\"]",
            "2: adversary.addresses: the address 1.2.3.4 occurs twice",
        ),
        (
            "adversary.addresses = [\"1.2.3.4\", \"1.2.3.5\"]",
            "2: adversary.addresses: expected as many addresses as `ips` = 1, found 2",
        ),
        (
            "adversary.keys = \"md5\"",
            "2: adversary.keys: expected one of \"source\", \"plain\", found \"md5\"",
        ),
        (
            "adversary.ip = 3",
            "2: adversary.ip: unknown key; did you mean `adversary.ips`?",
        ),
        (
            "overlay.nodes = 1",
            "2: overlay.nodes: expected an integer between 2 and 100000000, found 1",
        ),
    ] {
        for head in [ECLIPSE, MASHING] {
            assert_eq!(refusal(&format!("{head}{text}\n")), told);
        }
    }
}

#[test]
fn what_is_counted_must_be_possible() {
    for (text, told) in [
        (
            "eclipse.links = \"successors\"",
            "2: eclipse.links: expected one of \"neighbours\", \"fingers\", found \"successors\"",
        ),
        (
            "eclipse.networks = 0",
            "2: eclipse.networks: expected an integer between 1 and 1000000, found 0",
        ),
        (
            "[sweep]\n\"adversary.ips\" = [1, 0]",
            "3: adversary.ips: expected an integer between 1 and 1000000, found 0",
        ),
    ] {
        assert_eq!(refusal(&format!("{ECLIPSE}{text}\n")), told);
    }
    for (text, told) in [
        (
            "mashing.trials = 0",
            "2: mashing.trials: expected an integer between 1 and 100000000, found 0",
        ),
        (
            "mashing.networks = 101",
            "2: mashing.networks: expected at most `trials` = 100, found 101",
        ),
        (
            "mashing.trials = 5\nmashing.timed = 6",
            "3: mashing.timed: expected at most `trials` = 5, found 6",
        ),
    ] {
        assert_eq!(refusal(&format!("{MASHING}{text}\n")), told);
    }
}

/// Both kinds of links, in a sweep over the addresses whose runs share their networks.
const SMALL: &str = r#"
experiment = "eclipse"
seed = 4
repetitions = 2
overlay.nodes = 400
[eclipse]
networks = 2
[adversary]
ports = 300
[sweep]
"eclipse.links" = ["neighbours", "fingers"]
"adversary.ips" = [1, 2, 5]
"#;

/// A row for each number of addresses, the same whatever runs beside it and in whatever order.
#[test]
fn runs_that_share_networks_give_what_they_give_alone() {
    let lab = Lab::new();
    lab.write("small.toml", SMALL);
    lab.succeed(&["run", "small.toml", "--out", "one", "--jobs", "1"]);
    lab.succeed(&["run", "small.toml", "--out", "two", "--jobs", "2"]);
    assert_eq!(lab.files("one"), lab.files("two"));
    let all = lab.table("one/small/runs.csv");
    assert_eq!(all.rows.len(), 12);
    let metrics = all.at("occluded_fraction");
    for links in ["neighbours", "fingers"] {
        for ips in ["1", "2", "5"] {
            let out = format!("{links}{ips}");
            let set = [
                format!("eclipse.links={links}"),
                format!("adversary.ips={ips}"),
            ];
            let arguments = [
                "run",
                "small.toml",
                "--out",
                &out,
                "--set",
                &set[0],
                "--set",
                &set[1],
            ];
            lab.succeed(&arguments);
            let alone = lab.table(&format!("{out}/small/runs.csv"));
            let expected: Vec<&Vec<String>> = all
                .rows
                .iter()
                .filter(|row| row.contains(&links.to_owned()) && row[metrics - 1] == ips)
                .collect();
            assert_eq!(alone.rows.len(), 2);
            for (alone, expected) in alone.rows.iter().zip(expected) {
                assert_eq!(alone[0], expected[0], "another run");
                assert_eq!(alone[3..], expected[metrics..]);
            }
        }
    }
    // More addresses occlude more; and what one node loses is the part of its links.
    let parts = all.numbers("occluded_fraction");
    let a_node = all.numbers("occlusions_per_node");
    for (place, (part, a_node)) in parts.iter().zip(a_node).enumerate() {
        let links = if place < 6 { 1.0 } else { 160.0 };
        assert!((part * links - a_node).abs() < 1e-9);
        if place % 6 >= 2 {
            assert!(*part > parts[place - 2]);
        }
    }
    assert_eq!(all.numbers("ips_for_half"), [2.0; 12]);
}

/// Wall time stands in a table of its own, and in nothing else.
#[test]
fn wall_time_moves_no_other_byte() {
    let lab = Lab::new();
    lab.write(
        "m.toml",
        "experiment = \"mashing\"\noverlay.nodes = 300\n[adversary]\nports = 500\n[mashing]\n\
         trials = 60\nnetworks = 7\n[sweep]\n\"adversary.keys\" = [\"source\", \"plain\"]\n",
    );
    let run = |out: &str, more: &[&str]| {
        lab.succeed(&[&["run", "m.toml", "--out", out], more].concat());
    };
    run("one", &["--jobs", "1", "--set", "mashing.timed=20"]);
    run("two", &["--jobs", "2", "--set", "mashing.timed=20"]);
    run("none", &["--set", "mashing.timed=0"]);
    let but_wall = |out: &str| {
        let mut files = lab.files(&format!("{out}/m"));
        let wall = files.remove("wall.csv");
        (files, wall.is_some())
    };
    let (one, timed) = but_wall("one");
    assert!(timed);
    assert_eq!(but_wall("two"), (one, true));
    let wall = lab.table("one/m/wall.csv");
    assert_eq!(wall.columns[3..], ["timed", "wall_us_mean"]);
    assert_eq!(wall.column("timed"), ["20", "20"]);
    assert!(
        wall.numbers("wall_us_mean")
            .iter()
            .all(|micros| *micros > 0.0)
    );
    assert!(!but_wall("none").1);
    // They are read back, and nothing is run again.
    let before = lab.files("one");
    run("one", &["--set", "mashing.timed=20"]);
    assert_eq!(lab.files("one"), before);
    let metrics = |out: &str| lab.table(&format!("{out}/m/runs.csv")).rows;
    for (timed, none) in metrics("one").iter().zip(&metrics("none")) {
        assert_eq!(timed[2..], none[2..]);
    }
}

/// Octets without dots: these two addresses have the same keys.
#[test]
fn addresses_with_the_same_digits_are_told() {
    let lab = Lab::new();
    lab.write(
        "a.toml",
        "experiment = \"eclipse\"\n[adversary]\nips = 2\naddresses = [\"1.11.1.1\", \"11.1.1.1\"]\n\
         [sweep]\n\"adversary.keys\" = [\"source\", \"plain\"]\n",
    );
    let ended = lab.succeed(&["run", "a.toml", "--out", "out"]);
    let note = "16384 pairs of address and port have the key of another pair";
    assert_eq!(ended.stderr.matches(note).count(), 1, "{}", ended.stderr);
    let runs = lab.table("out/a/runs.csv");
    assert_eq!(runs.numbers("sybils_per_region"), [16.384, 32.768]);
    assert_eq!(runs.numbers("predicted")[0], runs.numbers("predicted")[1]);
}
