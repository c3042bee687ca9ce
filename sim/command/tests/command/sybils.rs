//! Sybil attacks on a running network: refusals of invalid attacks, and the results of runs.

use crate::lab::Lab;
use crate::refusal::{NETWORK, compare};

#[test]
fn attacks_that_cannot_be_meant_are_refused() {
    compare(
        NETWORK,
        &[
            (
                "[overlay]\nprotocol = \"kademlia\"\n[adversary]\nstrategy = \"neighbours\"\n",
                &[],
                "bad.toml:5: adversary.strategy: \"neighbours\" needs an overlay on a ring, such \
                 as chord; expected \"around-key\" or \"random\"",
            ),
            (
                "overlay.protocol = \"vhash\"\nadversary.strategy = \"fingers\"\n",
                &[],
                "bad.toml:3: adversary.strategy: \"fingers\" needs an overlay on a ring, such as \
                 chord; expected \"around-key\" or \"random\"",
            ),
            (
                "overlay.protocol = \"urdht\"\noverlay.urdht.space = \"xor\"\n\
                 adversary.strategy = \"neighbours\"\n",
                &[],
                "bad.toml:4: adversary.strategy: \"neighbours\" needs an overlay on a ring, ...",
            ),
            (
                "overlay.ids = \"bep42\"\nadversary.strategy = \"random\"\n\
                 adversary.ids = \"chosen\"\n",
                &[],
                "bad.toml:4: adversary.ids: nodes cannot choose their IDs with `overlay.ids` = \
                 \"bep42\"",
            ),
            (
                "[adversary]\nstrategy = \"random\"\nports = 10\nips = 2\nsybils = 21\n",
                &[],
                "bad.toml:6: adversary.sybils: expected at most as many Sybils as the adversary \
                 has IDs, 20, found 21",
            ),
            // A bound on IDs an address bounds Sybils, too.
            (
                "overlay.ids = \"address\"\noverlay.ids-per-address = 4\n\
                 [adversary]\nstrategy = \"random\"\nips = 2\nsybils = 9\n",
                &[],
                "bad.toml:7: adversary.sybils: expected at most as many Sybils as the adversary \
                 has IDs, 8, found 9",
            ),
            (
                "[adversary]\nstrategy = \"around-key\"\n",
                &[],
                "bad.toml:2: adversary.target: expected the key of the attack, here or in \
                 `workload.key`",
            ),
            (
                "[adversary]\nstrategy = \"random\"\nbehaviour = \"forge\"\n",
                &[],
                "bad.toml:4: adversary.behaviour: \"forge\" alters what a service sends, and this \
                 kind of experiment runs none",
            ),
            (
                "overlay.start = \"join\"\ntime.transition = \"100 s\"\n\
                 [adversary]\nstrategy = \"random\"\nstart = \"49 s\"\n",
                &[],
                "bad.toml:6: adversary.start: nodes join until 50 s",
            ),
            (
                "[adversary]\nstrategy = \"random\"\njoins-per-s = 0\n",
                &[],
                "bad.toml:4: adversary.joins-per-s: expected a number ...",
            ),
            (
                "[adversary]\nstrategy = \"random\"\nips = 0\n",
                &[],
                "bad.toml:4: adversary.ips: expected an integer between 1 and 1000000, found 0",
            ),
            (
                "[adversary]\nstrategy = \"random\"\nports = 70000\n",
                &[],
                "bad.toml:4: adversary.ports: expected an integer between 1 and 65536, found 70000",
            ),
            (
                "[adversary]\nstrategy = \"random\"\nips = 1000\n",
                &[],
                "bad.toml:4: adversary.ips: 16384000 Sybils are more than 10000000",
            ),
            (
                "[adversary]\nstrategy = \"mash\"\n",
                &[],
                "bad.toml:3: adversary.strategy: expected one of \"none\", ...",
            ),
        ],
    );
}

#[test]
fn defences_that_cannot_be_meant_are_refused() {
    compare(
        NETWORK,
        &[
            (
                "[overlay]\nprotocol = \"kademlia\"\nlookup = \"iterative\"\n\
                 [overlay.kademlia]\nk = 4\npaths = 5\n",
                &[],
                "bad.toml:7: overlay.kademlia.paths: a lookup begins with `k` = 4 contacts, at \
                 least one a path; found 5 paths",
            ),
            (
                "[overlay]\nprotocol = \"kademlia\"\n[overlay.kademlia]\npaths = 2\n",
                &[],
                "bad.toml:5: overlay.kademlia.paths: disjoint paths need iterative lookups; \
                 expected `overlay.lookup` = \"iterative\"",
            ),
            (
                "[overlay]\nids-per-address = 0\n",
                &[],
                "bad.toml:3: overlay.ids-per-address: expected an integer ...",
            ),
            (
                "[workload]\nkey = \"0123\"\n",
                &[],
                "bad.toml:3: workload.key: expected 40 hex digits, found \"0123\"",
            ),
            (
                "[workload]\nkey = \"012345678901234567890123456789012345678g\"\n",
                &[],
                "bad.toml:3: workload.key: expected 40 hex digits, ...",
            ),
        ],
    );
}

/// A small attack under churn.
const ATTACK: &str = r#"
experiment = "network"
seed = 3
repetitions = 2
underlay.model = "constant"
underlay.nodes = 60
overlay.nodes = 60
overlay.chord.successors = 4
workload.lookups = 400
time.transition = "100 s"
time.measure = "200 s"
churn.model = "sessions"
churn.sessions.down = "5 s"
churn.sessions.up = { distribution = "exponential", mean = "200 s" }
[adversary]
strategy = "random"
ports = 30
start = "110 s"
joins-per-s = 0.5
[sweep]
"overlay.protocol" = ["chord", "kademlia", "vhash"]
"adversary.behaviour" = ["observe", "misroute"]
"#;

/// The same files for every number of threads; Sybils that have come stay, whatever becomes of
/// the others; and the table and the timeline say the same.
#[test]
fn an_attack_is_told_alike() {
    let lab = Lab::new();
    lab.write("attack.toml", ATTACK);
    for (out, jobs) in [("one", "1"), ("two", "2")] {
        lab.succeed(&["run", "attack.toml", "--out", out, "--jobs", jobs]);
    }
    assert_eq!(lab.files("one"), lab.files("two"));
    let runs = lab.table("one/attack/runs.csv");
    let timeline = lab.table("one/attack/timeline.csv");
    assert!(runs.numbers("leaves").iter().all(|leaves| *leaves > 20.0));
    let (run, sybils) = (timeline.at("run"), timeline.numbers("sybils"));
    let (lookups, rate) = (
        timeline.numbers("lookups"),
        timeline.numbers("interception_rate"),
    );
    for (i, name) in runs.column("run").into_iter().enumerate() {
        let rows: Vec<usize> = (0..timeline.rows.len())
            .filter(|row| timeline.rows[*row][run] == name)
            .filter(|row| timeline.rows[*row][timeline.at("repetition")] == (i % 2).to_string())
            .collect();
        assert_eq!(rows.len(), 20, "{name}");
        assert!(rows.is_sorted_by_key(|row| sybils[*row]), "{name}");
        assert_eq!(sybils[rows[0]], 0.0);
        assert_eq!(sybils[rows[19]], 30.0);
        let intercepted: f64 = rows.iter().map(|row| rate[*row] * lookups[*row]).sum();
        let all = runs.numbers("lookups_intercepted")[i];
        assert!(
            (intercepted - all).abs() < 0.01,
            "{name}: {intercepted} {all}"
        );
        let cell = |column: &str| runs.numbers(column)[i];
        let hijacked = cell("lookups_hijacked");
        assert!(hijacked <= all && hijacked <= cell("lookups_wrong"));
        assert!(cell("capture_rate") <= cell("interception_rate"));
        assert!(cell("occluded_links_fraction") > 0.0);
        // Most lookups begin after the attack; Sybils that misroute answer many of them.
        let misroutes = runs.column("adversary.behaviour")[i] == "misroute";
        let chord = runs.column("overlay.protocol")[i] == "chord";
        assert!(
            !(misroutes && chord) || hijacked > 100.0,
            "{name}: {hijacked}"
        );
    }
}

/// Without an attack the columns of one are empty.
#[test]
fn without_an_attack_nothing_is_told_of_one() {
    let lab = Lab::new();
    lab.write("attack.toml", ATTACK);
    let calm = [
        "run",
        "attack.toml",
        "--out",
        "out",
        "--set",
        "adversary.strategy=none",
    ];
    lab.succeed(&calm);
    let runs = lab.table("out/attack/runs.csv");
    for column in [
        "sybils",
        "occluded_links_fraction",
        "lookups_intercepted",
        "lookups_hijacked",
    ] {
        assert!(
            runs.column(column).iter().all(|cell| cell.is_empty()),
            "{column}"
        );
    }
}
