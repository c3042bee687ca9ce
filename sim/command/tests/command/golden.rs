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
    ("chord converged, recursive", "ff0c3c11ff2b", "0b9ebda850a051aa7a9679bb1965e06a2f3c2c9e"),
    ("chord converged, semi-recursive", "6a428c2a1175", "7aa4e18e2b0d41865537fe23505fd31502e6489f"),
    ("chord converged, iterative", "5f92c4001d39", "edcac61d1fbfc65cfebe45ccb5b2a02f2c549d9d"),
    ("chord converged, nearest, without maintenance", "5f0615b78dc2", "bb38b65ab02ab17ecc2b18e4c44453d617f966ca"),
    ("chord join", "a6616077406a", "50c462f60af1673a9b25d33b0a0a5b471d569746"),
    ("chord at intervals", "2b65cfe36534", "ec3c19fd0d8740221a05c08af2bb435e46846555"),
    ("kademlia converged, recursive", "a4973fc2b9d0", "d1d2a8dd4116f0106faca2f5ade97563b48d173d"),
    ("kademlia join, iterative", "0b6f49ecd43a", "68afdd2c335c62a545f4c5a3619c8c782239244e"),
    ("pastry converged, recursive", "100de4c10de4", "48a51bb1131cc0a525979318f1cf54738b901bd4"),
    ("pastry join, sessions, iterative", "03cbc5a5f03d", "812c4fb49eb06a8c87000d31c13de57a53e079ae"),
    ("chord classic, sessions", "da0622fa32c8", "1e407b554df59428118cbb74d406b63e0bd6c134"),
    ("chord, rates, leaves, iterative", "d859880e11d8", "bb7f9c0338dc86efa826adcc3d9115e69364bb87"),
    ("vhash, per second", "6b7b4e6fe91f", "dec5fa86f4cee50aeab75ef4693661f6c74a575f"),
    ("urdht ring, join", "19bee60c0465", "d35eec87d03adc241d89fd65443663da818b0159"),
    ("urdht xor, random", "be65bc4485b7", "6d91a277a17094fe437f7e693fdf3662ef292b30"),
    ("urdht hyperbolic converged", "07b0f2cd0b7f", "391fec1d7c170b9f5da31d2ac3123aba0f751352"),
    ("urdht symphony converged", "b4453fc56feb", "b981e20ca0f9cb0be9422db95f62234c0591fecd"),
    ("vhash converged", "3f0db3b6f149", "3d70d474e89390f3e7fade597369c15467a74751"),
    ("vhash converged, distance rule, iterative", "c43edcb5445e", "c3929a6affec42934cd9fe1bf2e81a6a55c9bcd1"),
    ("vhash random", "d7fdc5d39294", "b01491edef41f1d5769633fb41ac6ed1e7c16225"),
    ("vhash random, embedded", "fcc7c2f021c0", "931241555fb72d13d966bbd38f2616c1847b7815"),
    ("vhash join", "c4a1bb968210", "ae46c940de11769d5bd7e681aae8c57609e5b967"),
    ("chord, sybils between neighbours that drop", "806429564231", "28a19ef6b2c8f7f41d2dc69acda48a4c71471a7a"),
    ("kademlia, two paths, sybils that misroute", "cac698902c9b", "6c8882774ddf62bbb9cfa4db57669d7c7cd021be"),
    ("vhash, sybils around a key", "27c3c87e2694", "edef455da45500b4ed9aefc5cef2084d213f5814"),
    ("as coded, chord", "a5b5eaab35ef", "c8d74146ee4d78c62901f8f25cff2549ad4d861d"),
    ("as coded, vhash", "8b11ccb1719c", "70f47e2ae8410fc0728c2840a9d2d1a73cfc4ebd"),
    ("convergence, as described", "1a007ef9023b", "289f69ce45b21f5cacd349afc5dadb38cfe3b525"),
    ("convergence, as coded", "4199cedb5d55", "4d1164b53f400ca00cfa3b942b43a4885a97af64"),
    ("growth, sound, euclidean", "b27a571aae76", "164f2b6237f5fa9d381de11f61e56d136abe1b33"),
    ("growth, as coded, xor", "2e9719ba43f0", "6c3677fec072252c1c12702d9ed68403147a2aef"),
    ("storage, sessions", "f22c50eb7b18", "47ba91bac5fb4c116b27338d2df51bf558aaa6d5"),
    ("providers, churn, censorship", "05e2602124f0", "2147272c66f0f23c0838aaffabc8a17698cbd585"),
    ("job on chord, crashes", "9d8c1c82750e", "8e2dcc0801a348478279fe86b882bff45b85561c"),
    ("job on chord, balanced by asking neighbours", "0288ba70fa17", "a4cc23691c9210dbc0475d575af3b61577d0ecfe"),
    ("job on kademlia, genetic, each atom alone", "839cc53cbfac", "aaf5923613decfd573cd8853edb8f1f5c4e86c25"),
    ("cost of dgvh", "6f219c777592", "5941c491561276caf857165f670d3a472a23f6e1"),
    ("delaunay, as published", "5dfbaa816ea0", "293e3ced2b2ede16e2a8779a7530a0c58a27ed75"),
    ("lookups in rounds, balanced buckets", "e24e4964ae56", "d42579f328f4ef0cdbebb81492c43c8aaff53511"),
    ("lookups in rounds, random buckets", "d0c799a4a4a5", "67029581d3932b4f6dedead151ade15c040db7ff"),
    ("prefix divergence, sybils by prefixes", "6368a36c9997", "7d9e659299e59c45ea5a1bdddee79be09d7024c0"),
    ("prefix divergence, closer sybils, size assumed", "a5beb115b154", "50f609cd33d434c31f9226815d452120c08ce3c1"),
    ("size estimate, libp2p", "6dfb00b276a7", "9a1bef8e70e8abe79736102f37c67c2f9158f561"),
    ("size estimate, ratio", "2c3677b358b1", "c9f8844166da3d18e102685ad483cd4620839783"),
    ("size estimate, mainline", "276f4cb22cd8", "8b012b151c713fa7f69ca127a61edff8d39aca1f"),
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
        "providers, churn, censorship",
        "experiment = 'providers'\nunderlay.model = 'euclidean'\nunderlay.nodes = 200\n\
         overlay.nodes = 150\noverlay.protocol = 'kademlia'\noverlay.kademlia.profile = 'libp2p'\n\
         transport.timeout = '5 s'\ntransport.unreachable = 0.1\ntransport.dial = 1\n\
         time.transition = '10 min'\ntime.measure = '15 min'\nchurn.model = 'sessions'\n\
         churn.sessions.median = '1 h'\nproviders.vantage-points = 2\nproviders.size-walks = 10\n\
         providers.provides = 50\nproviders.finds = 50\nproviders.method = 'optimistic'\n\
         providers.crawl = '5 min'\nproviders.monitor = true\nproviders.survival = '3 min'\n\
         censorship.contents = 4\n",
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
        "lookups in rounds, balanced buckets",
        "experiment = 'lookup-rounds'\nlookup-rounds.nodes = 2000\nlookup-rounds.k = 8\n\
         lookup-rounds.filling = 'balanced'\nlookup-rounds.lookups = 200\n",
    ),
    (
        "lookups in rounds, random buckets",
        "experiment = 'lookup-rounds'\nlookup-rounds.nodes = 2000\nlookup-rounds.k = 8\n\
         lookup-rounds.lookups = 200\n",
    ),
    (
        "prefix divergence, sybils by prefixes",
        "experiment = 'prefix-divergence'\nprefix-divergence.nodes = 2000\n\
         prefix-divergence.targets = 30\nprefix-divergence.sybils = 15\n\
         prefix-divergence.lookups = 40\n",
    ),
    (
        "prefix divergence, closer sybils, size assumed",
        "experiment = 'prefix-divergence'\nprefix-divergence.nodes = 2000\n\
         prefix-divergence.targets = 30\nprefix-divergence.sybils = 45\n\
         prefix-divergence.placement = 'closer'\nprefix-divergence.assumed-nodes = 1800\n",
    ),
    (
        "size estimate, libp2p",
        "experiment = 'size-estimate'\nsize-estimate.nodes = 2000\nsize-estimate.trials = 30\n\
         size-estimate.estimator = 'libp2p'\n",
    ),
    (
        "size estimate, ratio",
        "experiment = 'size-estimate'\nsize-estimate.nodes = 2000\nsize-estimate.trials = 30\n\
         size-estimate.estimator = 'ratio'\n",
    ),
    (
        "size estimate, mainline",
        "experiment = 'size-estimate'\nsize-estimate.nodes = 2000\nsize-estimate.trials = 30\n",
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
