//! The warnings of `check` and `run` before a run, and the notes of the run after it.

use crate::lab::Lab;
use crate::refusal::write_inputs;

/// The lines that `check` and `run` print before they begin; they are the same.
fn before(lab: &Lab, text: &str, arguments: &[&str]) -> Vec<String> {
    lab.write("s.toml", text);
    let check = [&["check", "s.toml", "--no-trial"], arguments].concat();
    let checked = lab.succeed(&check).stderr;
    let run = [&["run", "s.toml", "--out", "out"], arguments].concat();
    let run = lab.succeed(&run).stderr;
    let warnings = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with("warning: "));
        lines
            .map(|line| line["warning: ".len()..].to_owned())
            .collect()
    };
    assert_eq!(
        warnings(&checked).len(),
        checked.lines().count(),
        "{checked}"
    );
    assert_eq!(warnings(&checked), warnings(&run), "{run}");
    warnings(&run)
}

/// All notes of the manifest.
fn after(lab: &Lab) -> String {
    lab.manifest("out/s")["notes"].to_string()
}

/// The round trip of 800 ms is above the time-out of 500 ms.
const SLOW: &str = "experiment = 'network'
underlay = { model = 'constant', nodes = 20, constant.latency = '400 ms' }
[overlay]
nodes = 20
start = 'join'
[overlay.chord]
successors = 4
[workload]
lookups = 100
[time]
transition = '20 min'
measure = '10 min'
";

#[test]
fn a_round_trip_above_the_time_out_is_told() {
    let lab = Lab::new();
    let told = before(&lab, SLOW, &[]);
    let [line] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(
        line.starts_with("s.toml: transport.timeout: of ")
            && line.contains(" sampled pairs of hosts, 100.0 % have a round-trip time above this time-out of 500 ms"),
        "{line}"
    );
    let notes = after(&lab);
    assert!(
        notes.contains("100.0 % have a round trip above the time-out of 500 ms"),
        "{notes}"
    );
    // Enough time: nothing is reported, and nothing noted.
    let told = before(&lab, SLOW, &["--set", "transport.timeout=2 s"]);
    assert_eq!(told, [] as [&str; 0]);
    assert!(!after(&lab).contains("time-out"));
}

/// 1000 nodes join in five minutes, and five minutes later most lookups fail; with 20 nodes most
/// succeed.
#[test]
fn a_ring_that_is_not_whole_is_told() {
    let lab = Lab::new();
    let text = "experiment = 'network'
underlay = { model = 'constant', nodes = 1000 }
overlay = { nodes = 1000, start = 'join' }
workload = { lookups = 500 }
time = { transition = '10 min', measure = '1 min' }
";
    let told = before(&lab, text, &[]);
    let [line] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(
        line.starts_with(
            "s.toml:5: time.transition: with `overlay.chord.join` = \"plain\" about 100 nodes join"
        ),
        "{line}"
    );
    let notes = after(&lab);
    assert!(
        notes.contains("time.transition: when measuring began, the ring was not whole"),
        "{notes}"
    );
    let success = lab.table("out/s/runs.csv").numbers("success_rate");
    assert!(success[0] < 0.5, "{success:?}");
    let told = before(&lab, text, &["--set", "overlay.nodes=20"]);
    assert_eq!(told, [] as [&str; 0]);
    assert!(
        !after(&lab).contains("when measuring began"),
        "{}",
        after(&lab)
    );
}

#[test]
fn a_key_without_effect_is_told_with_the_choice_that_makes_it_so() {
    let lab = Lab::new();
    let text = "experiment = 'network'
underlay = { model = 'constant', nodes = 50 }
workload = { lookups = 10 }
[overlay]
protocol = 'chord'
nodes = 50
[overlay.vhash]
embedding = 'springs'
gossip = '5 s'
[churn]
departure = 'leave'
";
    assert_eq!(
        before(&lab, text, &[]),
        [
            "s.toml:11: churn.departure: no effect: `churn.model` is \"none\"",
            "s.toml:8: overlay.vhash.embedding: no effect (and another key of its table): \
             `overlay.protocol` is \"chord\"",
        ]
    );
    // A sweep that comes to VHash uses its table, and an option that leaves it out is meant for once.
    let text = text.replace("[churn]\ndeparture = 'leave'\n", "");
    let swept = text.replace("protocol = 'chord'\n", "");
    let swept = swept
        + "[overlay.chord]\nsuccessors = 40\n[sweep]\noverlay.protocol = ['chord', 'vhash']\n";
    assert_eq!(before(&lab, &swept, &[]), [] as [&str; 0]);
    assert_eq!(
        before(&lab, &swept, &["--set", "overlay.protocol=chord"]),
        [] as [&str; 0]
    );
}

/// Some keys are left out of what decides a run when they have their default: they have an effect nevertheless.
#[test]
fn a_key_at_its_default_is_not_told() {
    let lab = Lab::new();
    let text = "experiment = 'network'
underlay = { model = 'constant', nodes = 50 }
workload = { lookups = 10 }
[overlay]
nodes = 50
reunite = 'never'
address-groups = 0
chord = { near = 'none', candidates = 16, recovery = 'periodic', list-routing = false }
[transport]
loss = 0
";
    assert_eq!(before(&lab, text, &[]), [] as [&str; 0]);
}

#[test]
fn an_unequal_comparison_is_told() {
    let lab = Lab::new();
    let text = "experiment = 'network'
underlay = { model = 'constant', nodes = 1000 }
overlay.nodes = 1000
workload.lookups = 10
overlay.chord.successors = 1
[sweep]
overlay.protocol = ['chord', 'vhash']
";
    assert_eq!(
        before(&lab, text, &[]),
        [
            "s.toml:7: overlay.protocol: a node of 1000 has about 11 peers with chord, 182 with vhash: this \
             alone changes hops, maintenance traffic and failures; the tables [overlay.chord] and \
             [overlay.vhash] set the table sizes"
        ]
    );
    let equal = ["--set", "overlay.chord.successors=100"];
    assert_eq!(before(&lab, text, &equal), [] as [&str; 0]);
}

/// What `run` finds out before the first event of its first run.
#[test]
fn check_tells_what_a_run_would_tell_at_its_start() {
    let lab = Lab::new();
    write_inputs(&lab);
    let network = "experiment = 'network'\nworkload.lookups = 10\n";
    for (text, line, hosts, raise) in [
        (
            "underlay = { model = 'file', file.path = 'graphs/island.txt' }\noverlay.nodes = 4\n",
            4,
            "4 nodes do not fit on the 3 connected hosts of this underlay",
            "",
        ),
        (
            "underlay = { model = 'waxman', nodes = 500 }\noverlay.nodes = 100\n",
            4,
            "100 nodes do not fit on the 5 connected hosts of this underlay",
            "raise `underlay.nodes` or ",
        ),
    ] {
        lab.write("s.toml", format!("{network}{text}"));
        let ended = lab.dhtlab(&["check", "s.toml"]);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        let expected = format!(
            "error: s.toml:{line}: overlay.nodes: {hosts}; {raise}set \
             `overlay.placement = \"shared\"`"
        );
        assert_eq!(
            ended.stderr.lines().last(),
            Some(&*expected),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.stdout, "");
        let ended = lab.dhtlab(&["run", "s.toml", "--out", "out"]);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains(hosts), "{}", ended.stderr);
    }
}

/// A successor list that is longer than the ring has all other nodes, and grows with the ring.
#[test]
fn a_ring_that_grows_may_have_more_successors_than_nodes_at_first() {
    let lab = Lab::new();
    let joins: String = (1..=30).map(|i| format!("{},join,n{i}\n", 5 * i)).collect();
    lab.write("mass.csv", joins);
    let text = "experiment = 'network'
underlay = { model = 'constant', nodes = 60 }
overlay = { nodes = 1, chord.successors = 8 }
workload.lookups = 100
time = { transition = '30 min', measure = '1 min' }
churn = { model = 'trace', trace.file = 'mass.csv' }
";
    lab.write("s.toml", text);
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    let table = lab.table("out/s/runs.csv");
    assert_eq!(table.numbers("success_rate"), [1.0]);
    assert_eq!(table.numbers("ring_ok"), [1.0]);
}

/// A hundred nodes join a ring of ten in one second. It splits, and the run reports it, though it
/// was converged at first.
#[test]
fn a_ring_that_churn_has_split_is_told() {
    let lab = Lab::new();
    let joins: String = (0..100).map(|i| format!("5,join,n{i}\n")).collect();
    lab.write("mass.csv", joins);
    let text = "experiment = 'network'
underlay = { model = 'constant', nodes = 300 }
overlay = { nodes = 10 }
workload.lookups = 500
time = { transition = '10 s', measure = '1 min' }
churn = { model = 'trace', trace.file = 'mass.csv' }
";
    before(&lab, text, &[]);
    let notes = after(&lab);
    let told = "time.transition: when measuring began, the ring was not whole";
    assert!(notes.contains(told), "{notes}");
    // With enough time all nodes find their places, and nothing is reported.
    before(&lab, text, &["--set", "time.transition=2 h"]);
    let notes = after(&lab);
    assert!(!notes.contains("was not whole"), "{notes}");
    // Nor for a ring that a few nodes leave and join.
    lab.write("mass.csv", "5,crash,1\n6,join,n1\n7,crash,2\n");
    before(&lab, text, &["--set", "time.transition=10 min"]);
    let notes = after(&lab);
    assert!(!notes.contains("was not whole"), "{notes}");
}

/// Joins and departures balance, but their numbers are left to chance.
#[test]
fn hosts_that_run_out_by_chance_are_told() {
    let lab = Lab::new();
    let text = |hosts: u32| {
        format!(
            "experiment = 'network'\nunderlay = {{ model = 'constant', nodes = {hosts} }}\n\
             overlay.nodes = 50\ntime.measure = '600 s'\n[churn]\nmodel = 'rates'\n\
             rates = {{ joins = 2.0, leaves = 2.0 }}\n"
        )
    };
    // sqrt(4 per second * 600 s) = 49.
    let told = before(&lab, &text(60), &[]);
    let [line] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(
        line.starts_with(
            "s.toml:7: churn.rates.joins: by chance the network may grow beyond the 60 "
        ) && line.contains("(about 50 nodes, standard deviation 49)"),
        "{line}"
    );
    let notes = after(&lab);
    let (_, end) = notes
        .split_once("distinct hosts ran out: ")
        .expect("a note");
    let more: usize = end
        .split(' ')
        .next()
        .and_then(|word| word.parse().ok())
        .expect("a number");
    let members = lab.table("out/s/runs.csv").column("members_mean")[0].parse::<f64>();
    assert!(more as f64 + 60.0 >= members.expect("a number"), "{more}");
    // Where there are enough hosts, nothing is reported.
    assert_eq!(before(&lab, &text(300), &[]), [""; 0]);
    assert!(!after(&lab).contains("distinct hosts ran out"));
}
