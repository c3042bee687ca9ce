//! Fingerprints of small runs detect changes of their output.
//!
//! A fingerprint is the SHA-1 of `runs.csv` and of the long tables without the column `run`, whose
//! first value is listed beside it: a new key changes the names of all runs, a change of behaviour
//! the numbers. After an intended change, update the table: the message of the failed test prints
//! it.

use crate::lab::{Lab, Table};
use sha1::{Digest, Sha1};

/// Name, first run, fingerprint.
type Golden = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const GOLDEN: &[Golden] = &[
    ("chord converged, recursive", "064105c92231", "eecfd300cba18231146098bc8e6ceee0d209e5d8"),
    ("chord converged, semi-recursive", "be8ef9505ead", "0cc87a2ee8874d2a6adb627a1c6c9f353628cee9"),
    ("chord converged, iterative", "b65b19ce77cc", "1b0cd0d4e23c9d035d2f8bce617f8a537bc6ac11"),
    ("chord converged, nearest, without maintenance", "59d694dba159", "5817234e150257d29daeddb7ea7d36d9d9c93cc6"),
    ("chord join", "7f2fabbe3cc2", "0c93647b9857dd057e9a4ce217643126e36c4a49"),
    ("chord at intervals", "4a135cefaaaf", "94bfc4e80d3abf4abe7696b638028ad4338cba83"),
    ("kademlia converged, recursive", "713edfdf98ca", "2c71dec97a6fdef8f03918f5c173bddd201fa206"),
    ("kademlia join, iterative", "091f248006e6", "06c6078e1ff8bc7c693ef8a6dc5e22b475854773"),
    ("pastry converged, recursive", "cb869c495edf", "bcc94ae903c5da4e9720869c2e4306232ec39ee7"),
    ("pastry join, sessions, iterative", "d2b67ba90b70", "336f9095939d1f0132622ff361e0daf1a7fa1d92"),
    ("chord classic, sessions", "ffaca1e457e2", "ef553e5ec4013b820bb109df3a0c8020091cb366"),
    ("chord, rates, leaves, iterative", "fbeb114bb106", "bea90e993c5873c9750d2f36ebe0ebc29779d9e0"),
    ("vhash, per second", "b9ccdfec79a4", "1d936ff817c1855c01c201091223c492d8886e5c"),
    ("urdht ring, join", "25557557f893", "e37a3af735411cec6bd5dcd4f39145ed8ce8a358"),
    ("urdht xor, random", "56ee7f2c61e9", "41ab4522aa81fce33f3ac943ae01e3f980492f3e"),
    ("urdht hyperbolic converged", "0a23281ade6e", "9ac64700fe76caa7df3487f0ee42f4584b67c7ea"),
    ("urdht symphony converged", "d34ba2a14f49", "1b03eddeda0774f27884823e8f7eb4a7c34a6817"),
    ("vhash converged", "225c5cc218d3", "2d37aa7debf1063d8bdf7458b26308eb2182f44f"),
    ("vhash converged, distance rule, iterative", "3219e1381983", "81c2f485d828e3f41361a6fa8a488b1cd7e3510f"),
    ("vhash random", "3ec08bd50c10", "904eefde67202326d69cd5864af193eb63c850ac"),
    ("vhash random, embedded", "182e1688db43", "84b153401db6106b192565b30c57224ed0fe455b"),
    ("vhash join", "203c248d67a4", "fff60076d6b5f0352f948fe77a2388698e8ebc83"),
    ("chord, sybils between neighbours that drop", "5e82ac51fd61", "b1ce261504bb1489b796c1dde8923129bd6ec8fd"),
    ("kademlia, two paths, sybils that misroute", "0d0ea674c6f2", "80892e5849d2957a499c4bee775fa03ab50d4294"),
    ("vhash, sybils around a key", "676c0799fc42", "f533d2d6c36366a4d644f89a0dee1e0ab8320393"),
    ("as coded, chord", "a5b5eaab35ef", "c8d74146ee4d78c62901f8f25cff2549ad4d861d"),
    ("as coded, vhash", "8b11ccb1719c", "70f47e2ae8410fc0728c2840a9d2d1a73cfc4ebd"),
    ("convergence, as described", "1a007ef9023b", "289f69ce45b21f5cacd349afc5dadb38cfe3b525"),
    ("convergence, as coded", "4199cedb5d55", "4d1164b53f400ca00cfa3b942b43a4885a97af64"),
    ("growth, sound, euclidean", "9fd2418cb9e1", "164f2b6237f5fa9d381de11f61e56d136abe1b33"),
    ("growth, as coded, xor", "5734aaf6cfc3", "6c3677fec072252c1c12702d9ed68403147a2aef"),
    ("storage, sessions", "d7ae8cd91949", "47ba91bac5fb4c116b27338d2df51bf558aaa6d5"),
    ("job on chord, crashes", "27b2288aac47", "8e2dcc0801a348478279fe86b882bff45b85561c"),
    ("job on chord, balanced by asking neighbours", "42eb1b832898", "a4cc23691c9210dbc0475d575af3b61577d0ecfe"),
    ("job on kademlia, genetic, each atom alone", "76f0c0a99925", "aaf5923613decfd573cd8853edb8f1f5c4e86c25"),
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
         overlay.chord.fix-fingers = 'never'\noverlay.chord.check-predecessor = 'never'\n\
         overlay.chord.successors = 1",
    ),
    (
        "chord join",
        "overlay.start = 'join'\noverlay.chord.successors = 3\ntime.transition = '1000 s'",
    ),
    (
        "chord at intervals",
        "overlay.chord.successors = 1\ntime.measure = '100 s'\nworkload.interval = '10 s'",
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
        "pastry converged, recursive",
        "overlay.protocol = 'pastry'\noverlay.pastry.leaves = 4\ntime.transition = '100 s'",
    ),
    (
        "pastry join, sessions, iterative",
        "overlay.protocol = 'pastry'\noverlay.start = 'join'\noverlay.lookup = 'iterative'\n\
         overlay.pastry.b = 2\noverlay.pastry.maintenance = '100 s'\ntime.transition = '300 s'\n\
         time.measure = '200 s'\nchurn.model = 'sessions'\nchurn.sessions.down = '20 s'\n\
         churn.sessions.up = { distribution = 'exponential', mean = '200 s' }",
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
    (
        "chord, sybils between neighbours that drop",
        "overlay.chord.successors = 3\ntime.transition = '100 s'\n\
         adversary.strategy = 'neighbours'\nadversary.behaviour = 'drop'\nadversary.ports = 20",
    ),
    (
        "kademlia, two paths, sybils that misroute",
        "overlay.protocol = 'kademlia'\noverlay.lookup = 'iterative'\noverlay.kademlia.k = 4\n\
         overlay.kademlia.paths = 2\ntime.transition = '100 s'\nadversary.strategy = 'random'\n\
         adversary.behaviour = 'misroute'\nadversary.ids = 'chosen'\nadversary.sybils = 20",
    ),
    (
        "vhash, sybils around a key",
        "overlay.protocol = 'vhash'\noverlay.ids = 'address'\noverlay.ids-per-address = 2\n\
         time.transition = '100 s'\nadversary.strategy = 'around-key'\nadversary.ips = 20\n\
         adversary.target = '0123456789abcdef0123456789abcdef01234567'",
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

/// Scenarios of other experiments, whole.
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
        "storage, sessions",
        "experiment = 'storage'\nunderlay.model = 'euclidean'\nunderlay.nodes = 80\n\
         overlay.nodes = 40\noverlay.chord.successors = 6\ntime.transition = '60 s'\n\
         time.measure = '200 s'\nchurn.model = 'sessions'\nchurn.sessions.median = '150 s'\n\
         storage.blocks = 80\nstorage.gets = 60\n\
         storage.replicas = 3\nstorage.block-size = 50\n",
    ),
    (
        "job on chord, crashes",
        "experiment = 'job'\nunderlay.model = 'euclidean'\nunderlay.nodes = 100\n\
         overlay.nodes = 40\noverlay.chord.successors = 4\njob.samples = 8000\njob.atoms = 80\n\
         job.replicas = 3\nnodes.speed = 5.0\nnodes.speed-distribution = 'uniform'\n\
         churn.model = 'per-second'\nchurn.per-second.probability = 0.002\n",
    ),
    (
        "job on chord, balanced by asking neighbours",
        "experiment = 'job'\nunderlay.model = 'euclidean'\nunderlay.nodes = 100\n\
         overlay.nodes = 40\noverlay.chord.successors = 4\nbalancing.successors = 4\n\
         balancing.strategy = 'smart-neighbour'\njob.samples = 2000\njob.atoms = 2000\n\
         nodes.speed = 1.0\n",
    ),
    (
        "job on kademlia, genetic, each atom alone",
        "experiment = 'job'\nunderlay.model = 'euclidean'\nunderlay.nodes = 100\n\
         overlay.nodes = 40\noverlay.protocol = 'kademlia'\noverlay.kademlia.k = 4\n\
         job.kind = 'genetic'\njob.bundle = 'none'\njob.samples = 8000\njob.atoms = 80\n\
         nodes.speed = 50.0\nnodes.handling-time = '10 ms'\n",
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

/// The fingerprints tell scenarios apart: none occurs twice.
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
