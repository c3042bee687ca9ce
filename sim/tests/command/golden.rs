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
    ("chord converged, recursive", "e39eb60d7283", "ef90a2b428bc08d39a80ca6ce4f9ed944c139775"),
    ("chord converged, semi-recursive", "1a6d506a0a68", "8999b148b058ad5ea8111666794354928636fe1a"),
    ("chord converged, iterative", "5bdfc92ca486", "1bb3223201b8db93a89762454f18d0255404ac21"),
    ("chord converged, nearest, without maintenance", "354f431d3bff", "b50fdfcd1f724f2a2842f1080169e6220976d6dd"),
    ("chord join", "dcc45c68bd12", "9bf3670478e3cc3d5819344cf5d9af4bfd784a9a"),
    ("chord at intervals", "a974bd5dcdb9", "d3846de4dd74495a3663a5c4d5b5013b9b3d0b32"),
    ("kademlia converged, recursive", "43be3592bee0", "2f4f36ed95eb769f6fda76eec26992984bc9d245"),
    ("kademlia join, iterative", "72f4ab43e02a", "69e6d0b5de6ba8c62aebd3bc38ae8c4d653bc768"),
    ("chord classic, sessions", "2c659fc43379", "681edd78ed89afe1d5472295766cb9cb203c089c"),
    ("chord, rates, leaves, iterative", "be62eecbb136", "8ccb6d4facc0e7075d1058f4ed04f688ae360924"),
    ("vhash, per second", "c9a476e962ae", "876240c684a59e6bf3a104d37150d55d3eb9e020"),
    ("urdht ring, join", "a6adc029d712", "96f57581e52b8873e255caa3274d2a19e1236fdc"),
    ("urdht xor, random", "92b3312754cb", "277766c683980a170b7acd14431776fd10b09184"),
    ("urdht hyperbolic converged", "89ee2c02b2c8", "5663b23747f0e93840d9ecda61fbc726cb8b6c53"),
    ("urdht symphony converged", "817933e76f37", "cabd151e6e3c574f0069026cd03a3cac52f2fff5"),
    ("vhash converged", "0205466d14eb", "25cdda27ef4edfd1da1de11e65ec7790a55641f6"),
    ("vhash converged, distance rule, iterative", "9ae1b25a7b5e", "83b288d2c71b9dc02521a032dc04ee57d3e01fa5"),
    ("vhash random", "eda70fff891d", "1ade5492fc46e4ef5ae0a8402977907db274ebaa"),
    ("vhash random, embedded", "89f729969424", "d888152dc5f1453bdbd7e298ab668fe92492dacb"),
    ("vhash join", "549a2f414260", "dada3a72057421d966ef4c29fe16d3e1e8ab45c5"),
    ("chord, sybils between neighbours that drop", "63264e3191bf", "525e380cf2f0f63b9a011d4a2b22247908492d3b"),
    ("kademlia, two paths, sybils that misroute", "ff614aa91253", "149a70591b811e07d5606bbef5e473574dccc8bc"),
    ("vhash, sybils around a key", "cf1a228cca66", "9f9428f961e1224e84bba517f60e943d9452d8d2"),
    ("as coded, chord", "a5b5eaab35ef", "c8d74146ee4d78c62901f8f25cff2549ad4d861d"),
    ("as coded, vhash", "8b11ccb1719c", "70f47e2ae8410fc0728c2840a9d2d1a73cfc4ebd"),
    ("convergence, as described", "1a007ef9023b", "289f69ce45b21f5cacd349afc5dadb38cfe3b525"),
    ("convergence, as coded", "4199cedb5d55", "4d1164b53f400ca00cfa3b942b43a4885a97af64"),
    ("growth, sound, euclidean", "9fd2418cb9e1", "164f2b6237f5fa9d381de11f61e56d136abe1b33"),
    ("growth, as coded, xor", "5734aaf6cfc3", "6c3677fec072252c1c12702d9ed68403147a2aef"),
    ("storage, sessions", "130ebc8a82f2", "645bc6dfe4f97e1f12cb6b5f9855afbb17410e70"),
    ("job on chord, crashes", "542044545285", "9d0ddba498470da5c1e1c126efc4e40c201fc261"),
    ("job on chord, balanced by asking neighbours", "42855a675e01", "5ad7b172a90529a70f30ab15b984543684154dd8"),
    ("job on kademlia, genetic, each atom alone", "f229b618996d", "365994efd24f09486918ccfa19ff186f7e5917c4"),
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
