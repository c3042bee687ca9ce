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
        \"balancing.strategy\" = [\"random-injection\", \"smart-neighbour\", \"strength-aware\", \"virtual-nodes\"]\n";
    lab.write("s.toml", text);
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    let runs = lab.table("out/s/runs.csv");
    assert_eq!(runs.numbers("complete"), [1.0; 12]);
    assert_eq!(runs.numbers("samples_counted"), [2000.0; 12]);
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
