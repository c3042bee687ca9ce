//! Fingerprints of small runs: whoever changes what a run gives, sees it here.
//!
//! A fingerprint is the SHA-1 of `runs.csv` and of the long tables without the column `run`, whose
//! first value stands beside it: a new key changes the names of all runs, a change of behaviour
//! the numbers. A wanted change updates the table: the message of the failed test prints it anew.

mod support;

use sha1::{Digest, Sha1};
use support::{Lab, Table};

/// Name, first run, fingerprint.
type Golden = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const GOLDEN: &[Golden] = &[
    ("chord converged, recursive", "afba8238d455", "688f3a0ed897ecfcc53cdf0d6d9bbcd2abd8fdc6"),
    ("chord converged, semi-recursive", "c2b2ff8f5a96", "6d4c07fc9a17c5f94b73140fe1e3aeda005e1767"),
    ("chord converged, iterative", "e5d122564379", "8470c8c9ebdd59fc2afb971b7bc0c1ffd5c727d8"),
    ("chord converged, nearest, without maintenance", "dc2cfe45d760", "80296d5ea13a3ddb8391f2e13bc93cd2296ea625"),
    ("chord join", "71feac2e412f", "5fb85494eab13ac6d8daa16fc807b21620d5304f"),
    ("chord at intervals", "bdb9f44952d3", "a665a10600fc9ec35d6759fd0df74c41c0e09ef5"),
    ("vhash converged", "a1fb13e3a732", "ddac918a25085cee3cdd121c3ee8340523435d26"),
    ("vhash converged, distance rule, iterative", "e1bd031bf599", "52a567e258a67eb2de31f0a9726a2b332ff0a179"),
    ("vhash random", "8747baaabe85", "8341b457305a894e9f106f713910779908c43e5e"),
    ("vhash random, embedded", "3ad20c7bd661", "bdef6198d0e15c314c5f6338de32800bcf7fc479"),
    ("vhash join", "e8b7d26e44a7", "cfc7e248bbada8cb080f327435a4993a1921130d"),
    ("as coded, chord", "a5b5eaab35ef", "c8d74146ee4d78c62901f8f25cff2549ad4d861d"),
    ("as coded, vhash", "8b11ccb1719c", "70f47e2ae8410fc0728c2840a9d2d1a73cfc4ebd"),
    ("convergence, as described", "1a007ef9023b", "289f69ce45b21f5cacd349afc5dadb38cfe3b525"),
    ("convergence, as coded", "4199cedb5d55", "4d1164b53f400ca00cfa3b942b43a4885a97af64"),
    ("delaunay, as published", "5dfbaa816ea0", "293e3ced2b2ede16e2a8779a7530a0c58a27ed75"),
    ("delaunay, distance rule", "074b9a1cc8c0", "a3fcff5bea15383cfbe02687277b096a0e85c6f7"),
];

/// What all networks share: a graph whose links differ, and few nodes.
const NETWORK: &str = r#"
experiment = "network"
seed = 3
repetitions = 2
underlay.model = "barabasi-albert"
underlay.nodes = 150
underlay.link-latency = { distribution = "lognormal", median = "3 ms", sigma = 0.5 }
overlay.nodes = 40
"#;

/// The scenarios: their names and what stands after the shared part.
const SCENARIOS: &[(&str, &str)] = &[
    (
        "chord converged, recursive",
        "overlay.chord.successors = 3\ntime.transition = '100 s'",
    ),
    (
        "chord converged, semi-recursive",
        "overlay.lookup = 'semi-recursive'\noverlay.chord.successors = 3\ntime.transition = '100 s'",
    ),
    (
        "chord converged, iterative",
        "overlay.lookup = 'iterative'\noverlay.chord.successors = 3\ntime.transition = '100 s'",
    ),
    (
        "chord converged, nearest, without maintenance",
        "overlay.chord.closest = 'nearest'\noverlay.chord.stabilise = 'never'\n\
         overlay.chord.fix-fingers = 'never'\noverlay.chord.check-predecessor = 'never'",
    ),
    (
        "chord join",
        "overlay.start = 'join'\noverlay.chord.successors = 3\ntime.transition = '1000 s'",
    ),
    (
        "chord at intervals",
        "time.measure = '100 s'\nworkload.interval = '10 s'",
    ),
    (
        "vhash converged",
        "overlay.protocol = 'vhash'\noverlay.vhash.gossip = 'never'",
    ),
    (
        "vhash converged, distance rule, iterative",
        "overlay.protocol = 'vhash'\noverlay.lookup = 'iterative'\noverlay.vhash.rule = 'distance'\n\
         overlay.vhash.dimensions = 2",
    ),
    (
        "vhash random",
        "overlay.protocol = 'vhash'\noverlay.start = 'random'\ntime.transition = '200 s'",
    ),
    (
        "vhash random, embedded",
        "overlay.protocol = 'vhash'\noverlay.start = 'random'\noverlay.vhash.embedding = 'springs'\n\
         time.transition = '200 s'",
    ),
    (
        "vhash join",
        "overlay.protocol = 'vhash'\noverlay.start = 'join'\ntime.transition = '200 s'",
    ),
];

const AS_CODED: &str = r#"
experiment = "vhash-latency-as-coded"
seed = 3
repetitions = 2
underlay.model = "scale-free-directed"
underlay.nodes = 400
overlay.nodes = 40
workload.lookups = 150
"#;

/// Scenarios of experiments that have no network, whole.
const ALONE: &[(&str, &str)] = &[
    (
        "convergence, as described",
        "experiment = 'convergence'\nconvergence.nodes = 60\nconvergence.cycles = 12\n\
         convergence.dimensions = 3\nconvergence.lookups = 100\n",
    ),
    (
        "convergence, as coded",
        "experiment = 'convergence'\nconvergence.nodes = 60\nconvergence.cycles = 12\n\
         convergence.dimensions = 5\nconvergence.lookups = 100\nconvergence.reading = 'as-coded'\n\
         convergence.table-size = 8\nconvergence.long-peers = 20\n",
    ),
    (
        "delaunay, as published",
        "experiment = 'delaunay'\ndelaunay.nodes = 200\n",
    ),
    (
        "delaunay, distance rule",
        "experiment = 'delaunay'\ndelaunay.nodes = 200\ndelaunay.rule = 'distance'\n\
         delaunay.nearest = 1\ndelaunay.table-size = 5\n",
    ),
];

/// The text of a table without the column `run`.
fn without_names(table: &Table) -> String {
    let run = table.at("run");
    let mut text = String::new();
    for row in std::iter::once(&table.columns).chain(&table.rows) {
        for (place, cell) in row.iter().enumerate().filter(|(place, _)| *place != run) {
            text.push_str(cell);
            text.push(if place + 1 == row.len() { '\n' } else { ',' });
        }
    }
    text
}

/// The first run of a scenario and its fingerprint.
fn fingerprint(scenario: &str) -> (String, String) {
    let lab = Lab::new();
    lab.write("golden.toml", scenario);
    lab.succeed(&["run", "golden.toml", "--out", "out", "--jobs", "1"]);
    let runs = lab.table("out/golden/runs.csv");
    assert_eq!(runs.rows.len(), 2);
    let mut digest = Sha1::new().chain_update(without_names(&runs));
    for long in ["histogram", "timeline"].map(|name| format!("out/golden/{name}.csv")) {
        if lab.path(&long).exists() {
            digest.update(without_names(&lab.table(&long)));
        }
    }
    let digest = digest.finalize();
    let hex = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    (runs.column("run")[0].to_owned(), hex)
}

#[test]
fn runs_give_what_they_gave() {
    let mut found = Vec::new();
    for (name, text) in SCENARIOS {
        let lookups = match text.contains("workload.interval") {
            true => "",
            false => "workload.lookups = 150\n",
        };
        found.push((*name, fingerprint(&format!("{NETWORK}{text}\n{lookups}"))));
    }
    for protocol in ["chord", "vhash"] {
        let name = if protocol == "chord" {
            "as coded, chord"
        } else {
            "as coded, vhash"
        };
        found.push((
            name,
            fingerprint(&format!("{AS_CODED}overlay.protocol = '{protocol}'\n")),
        ));
    }
    for (name, text) in ALONE {
        let frame = "seed = 3\nrepetitions = 2\n";
        found.push((*name, fingerprint(&format!("{frame}{text}"))));
    }
    let mut changes = Vec::new();
    for (name, (run, digest)) in &found {
        match GOLDEN.iter().find(|(golden, ..)| golden == name) {
            None => changes.push(format!("{name}: new")),
            Some((_, _, golden)) if golden != digest => {
                changes.push(format!("{name}: other numbers"));
            }
            Some((_, golden, _)) if golden != run => {
                changes.push(format!("{name}: other names of runs"));
            }
            Some(_) => {}
        }
    }
    for (name, ..) in GOLDEN {
        if !found.iter().any(|(other, _)| other == name) {
            changes.push(format!("{name}: gone"));
        }
    }
    let table: Vec<String> = found
        .iter()
        .map(|(name, (run, digest))| format!("    (\"{name}\", \"{run}\", \"{digest}\"),\n"))
        .collect();
    assert!(
        changes.is_empty(),
        "the behaviour of dhtlab has changed:\n  {}\n\nIf that is wanted, this is the table GOLDEN \
         of {} now (and results that were committed may have to be run again):\n\n{}",
        changes.join("\n  "),
        file!(),
        table.concat()
    );
}

/// The fingerprints tell scenarios apart: none stands twice.
#[test]
fn fingerprints_differ() {
    for (i, (name, run, digest)) in GOLDEN.iter().enumerate() {
        for (other, other_run, other_digest) in &GOLDEN[..i] {
            assert!(
                run != other_run && digest != other_digest,
                "{name} and {other} are the same"
            );
        }
    }
}
