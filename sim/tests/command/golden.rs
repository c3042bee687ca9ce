//! Fingerprints of small runs: whoever changes what a run gives, sees it here.
//!
//! A fingerprint is the SHA-1 of `runs.csv` and of the long tables without the column `run`, whose
//! first value stands beside it: a new key changes the names of all runs, a change of behaviour
//! the numbers. A wanted change updates the table: the message of the failed test prints it anew.

use crate::lab::{Lab, Table};
use sha1::{Digest, Sha1};

/// Name, first run, fingerprint.
type Golden = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const GOLDEN: &[Golden] = &[
    ("chord converged, recursive", "ed7fd4c6d5a8", "2c216aa0a9703d2a5b4b1dd8d35e136f0a069932"),
    ("chord converged, semi-recursive", "f77d4fc0e86d", "4ae9523c1451d1671900ce3fbd63034a1b8a7b7c"),
    ("chord converged, iterative", "2a9a6ce5182b", "9b9c59d530177b07d2f957c9170526c51f073e4e"),
    ("chord converged, nearest, without maintenance", "2f659888e638", "6a43fb6bc462e779e027d8405b8a3f4760e051d3"),
    ("chord join", "72b0efa32130", "cd42563fe3db33a73cd2933612db4ea5f850acf8"),
    ("chord at intervals", "06737a8a52d0", "e3b17110d92ebea6247d5709d031c292e68ebaf2"),
    ("kademlia converged, recursive", "a02ea992ef76", "3bd740267d6f68f092e556911d9e156b796d2559"),
    ("kademlia join, iterative", "4ac380304024", "991902b28e4d2f3cb0b73015e302353ff95a41d3"),
    ("chord classic, sessions", "645ee8d6e70f", "9d95970e5eba9aeb6e7eedbfef662437cf0dea32"),
    ("chord, rates, leaves, iterative", "e28d9d600b75", "994e15ecf02b5c022de8429410d2dcf8c6850bf9"),
    ("vhash, per second", "6cfed3d8dc69", "dd283bb731d10f6e5bcb26e8b0d016f165f8460c"),
    ("urdht ring, join", "ba3584cb7716", "7bdc89dcb5d5534be6fa533e0f010f900b6846e5"),
    ("urdht xor, random", "b0fbe3074011", "8a1f577f25e4fe5395971db73d7c8d492a89c736"),
    ("urdht hyperbolic converged", "144bba9d4c1d", "c4dad592b3b51dad52a47303220043e811a3eca3"),
    ("urdht symphony converged", "1e40e7c0d047", "bb210026d7960159e61324dc1bfa49d9dfe339bc"),
    ("vhash converged", "deddf6e17dab", "363c285cbc540fbb079d18ce6ae40015187da5c9"),
    ("vhash converged, distance rule, iterative", "f24a13d2d59f", "4738f25487db85cf77ab503dab07e02da6733726"),
    ("vhash random", "c953ed3c8df5", "0e834b46368963dc8dc9fcc6159e91f5ecbfc9e9"),
    ("vhash random, embedded", "b131ad1e6add", "575a4c544cf8a1e65b71d64d9e348b2248e4e089"),
    ("vhash join", "6b76f98bee00", "0c2b271a0dc32813d7516250f69b36555f18b946"),
    ("as coded, chord", "a5b5eaab35ef", "c8d74146ee4d78c62901f8f25cff2549ad4d861d"),
    ("as coded, vhash", "8b11ccb1719c", "70f47e2ae8410fc0728c2840a9d2d1a73cfc4ebd"),
    ("convergence, as described", "1a007ef9023b", "289f69ce45b21f5cacd349afc5dadb38cfe3b525"),
    ("convergence, as coded", "4199cedb5d55", "4d1164b53f400ca00cfa3b942b43a4885a97af64"),
    ("growth, sound, euclidean", "9fd2418cb9e1", "164f2b6237f5fa9d381de11f61e56d136abe1b33"),
    ("growth, as coded, xor", "5734aaf6cfc3", "6c3677fec072252c1c12702d9ed68403147a2aef"),
    ("cost of dgvh", "6f219c777592", "5941c491561276caf857165f670d3a472a23f6e1"),
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
        "kademlia converged, recursive",
        "overlay.protocol = 'kademlia'\noverlay.kademlia.k = 2\noverlay.kademlia.refresh = 'never'",
    ),
    (
        "kademlia join, iterative",
        "overlay.protocol = 'kademlia'\noverlay.start = 'join'\noverlay.lookup = 'iterative'\n\
         overlay.kademlia.k = 4\noverlay.kademlia.b = 2\noverlay.kademlia.refresh = '5 min'\n\
         overlay.ids = 'bep42'\ntime.transition = '1000 s'",
    ),
    (
        "chord classic, sessions",
        "overlay.chord.variant = 'classic'\noverlay.chord.successors = 4\ntime.transition = '200 s'\n\
         time.measure = '200 s'\nchurn.model = 'sessions'\nchurn.sessions.down = '20 s'\n\
         churn.sessions.up = { distribution = 'exponential', mean = '200 s' }",
    ),
    (
        "chord, rates, leaves, iterative",
        "overlay.lookup = 'iterative'\noverlay.chord.successors = 4\ntime.transition = '200 s'\n\
         overlay.chord.join = 'announced'\noverlay.chord.forget = false\n\
         time.measure = '200 s'\nchurn.model = 'rates'\nchurn.departure = 'leave'\n\
         churn.rates.joins = 0.1\nchurn.rejoin = 'same-id'",
    ),
    (
        "vhash, per second",
        "overlay.protocol = 'vhash'\ntime.transition = '100 s'\ntime.measure = '100 s'\n\
         churn.model = 'per-second'\nchurn.per-second.probability = 0.002",
    ),
    (
        "urdht ring, join",
        "overlay.protocol = 'urdht'\noverlay.start = 'join'\ntime.transition = '200 s'",
    ),
    (
        "urdht xor, random",
        "overlay.protocol = 'urdht'\noverlay.urdht.space = 'xor'\noverlay.start = 'random'\n\
         time.transition = '200 s'",
    ),
    (
        "urdht hyperbolic converged",
        "overlay.protocol = 'urdht'\noverlay.urdht.space = 'hyperbolic'\n\
         overlay.urdht.long-peers = 5\ntime.transition = '100 s'",
    ),
    (
        "urdht symphony converged",
        "overlay.protocol = 'urdht'\noverlay.urdht.space = 'symphony'\ntime.transition = '100 s'",
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
        "growth, sound, euclidean",
        "experiment = 'growth'\ngrowth.nodes = 40\noverlay.urdht.space = 'euclidean'\n",
    ),
    (
        "growth, as coded, xor",
        "experiment = 'growth'\ngrowth.nodes = 40\noverlay.urdht.space = 'xor'\n\
         growth.reading = 'as-coded'\n",
    ),
    (
        "cost of dgvh",
        "experiment = 'dgvh-cost'\ndgvh-cost.candidates = 60\n",
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
