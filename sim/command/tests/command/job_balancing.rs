//! Load balancing of jobs by messages.

use crate::lab::Lab;

/// Without a ring a Sybil takes a random ID, or the key of an open atom of a loaded node, and so takes
/// over work: every atom is counted once. Of 100 seeds, of 24 for random injection, none loses an atom,
/// and in each further identities are made and, but for virtual nodes, atoms are moved.
#[test]
fn load_is_balanced_without_a_ring() {
    let lab = Lab::new();
    let text = "experiment = \"job\"\nunderlay = { model = \"constant\", nodes = 40 }\n\
        overlay.nodes = 40\nnodes = { speed = 1, speed-distribution = \"uniform\", fastest = 3 }\n\
        [job]\nsamples = 2000\natoms = 2000\nreplicas = 2\nstart = \"20 s\"\n\
        [balancing]\nmax-sybils = 10\n\
        [sweep]\n\"overlay.protocol\" = [\"kademlia\", \"vhash\", \"pastry\"]\n\
        \"balancing.strategy\" = [\"random-injection\", \"smart-neighbour\", \"strength-aware\", \"virtual-nodes\",\n\
        \"barren\", \"two-choices\", \"item-balancing\"]\n";
    lab.write("s.toml", text);
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    let runs = lab.table("out/s/runs.csv");
    assert_eq!(runs.numbers("complete"), [1.0; 21]);
    assert_eq!(runs.numbers("samples_counted"), [2000.0; 21]);
    let strategies = runs.column("balancing.strategy");
    let (sybils, moved) = (runs.numbers("sybils_made"), runs.numbers("atoms_moved"));
    for (row, strategy) in strategies.iter().enumerate() {
        assert!(sybils[row] > 0.0, "{strategy}");
        assert!(
            moved[row] > 0.0 || *strategy == "virtual-nodes",
            "{strategy}"
        );
    }
}

/// Sybils take over blocks of a stored file, and the tasks follow the blocks: every block is counted, and
/// the words are those of the file. In each of 50 seeds no block is lost, Sybils are made, and tasks moved.
#[test]
fn jobs_over_files_are_balanced() {
    let lab = Lab::new();
    let text = "experiment = \"job\"\nunderlay = { model = \"constant\", nodes = 30 }\n\
        overlay.nodes = 30\nnodes = { speed = 100, speed-distribution = \"uniform\", fastest = 3 }\n\
        [job]\nkind = \"word-count\"\ninput = \"file\"\ncorpus = { size = 60_000, words = 500 }\n\
        replicas = 2\nstart = \"60 s\"\n[storage]\nreplicas = 3\nblock-size = 200\nscale = 3\n\
        [sweep]\n\"overlay.protocol\" = [\"chord\", \"kademlia\", \"vhash\"]\n\
        \"balancing.strategy\" = [\"none\", \"smart-neighbour\", \"strength-aware\", \"virtual-nodes\"]\n";
    lab.write("s.toml", text);
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    let runs = lab.table("out/s/runs.csv");
    assert_eq!(runs.numbers("complete"), [1.0; 12]);
    assert_eq!(runs.numbers("result_error"), [0.0; 12]);
    // Each byte stands for three.
    assert_eq!(runs.numbers("samples_counted"), [180_000.0; 12]);
    let strategies = runs.column("balancing.strategy");
    let (sybils, moved) = (runs.numbers("sybils_made"), runs.numbers("atoms_moved"));
    for (row, strategy) in strategies.iter().enumerate() {
        assert_eq!(sybils[row] > 0.0, *strategy != "none", "{strategy}");
        // A Sybil moves tasks; identities from the start have their share before.
        let moves = matches!(*strategy, "smart-neighbour" | "strength-aware");
        assert!(moved[row] > 0.0 || !moves, "{strategy}");
    }
}

/// A Sybil may get atoms, and report them to the first identity on its host, before that one knows that it has
/// joined. That report is kept when the first identity dismisses its other Sybils: each job ends. Without,
/// the jobs of two of these six seeds do not end within ten minutes.
#[test]
fn work_that_a_joining_sybil_reports_is_done() {
    let lab = Lab::new();
    let text = "experiment = \"job\"\nseed = 1\nrepetitions = 6\n\
        underlay = { model = \"constant\", nodes = 100 }\noverlay = { protocol = \"kademlia\", nodes = 100 }\n\
        nodes = { speed = 1, fastest = 4 }\nbalancing = { strategy = \"item-balancing\" }\n\
        [job]\nsamples = 5000\natoms = 5000\nreplicas = 2\nstart = \"30 s\"\npatience = \"5 s\"\n\
        compute = \"modelled\"\n[time]\nmax = \"10 min\"\n";
    lab.write("s.toml", text);
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    let runs = lab.table("out/s/runs.csv");
    assert_eq!(runs.numbers("complete"), [1.0; 6]);
    assert_eq!(runs.numbers("atoms_counted"), [5000.0; 6]);
    assert!(
        runs.numbers("runtime_s")
            .iter()
            .all(|seconds| *seconds < 150.0)
    );
}

/// A Sybil takes over the blocks of which it becomes the root, so the root maps them.
#[test]
fn copies_do_not_map_blocks_beside_balancing() {
    let lab = Lab::new();
    let text = "experiment = \"job\"\noverlay.nodes = 20\n[job]\nkind = \"word-count\"\ninput = \"file\"\n\
        locality = \"replica\"\ncorpus = { size = 1000 }\n[balancing]\nstrategy = \"two-choices\"\n";
    lab.write("s.toml", text);
    let ended = lab.dhtlab(&["run", "s.toml", "--out", "out"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("s.toml:6: job.locality: "),
        "{}",
        ended.stderr
    );
}
