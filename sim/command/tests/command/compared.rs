//! `[[sweep.compare]]`: each system with its own combinations.

use crate::lab::Lab;

const SCENARIO: &str = "experiment = \"network\"\n\
    [underlay]\nmodel = \"constant\"\nnodes = 20\n[overlay]\nnodes = 20\n\
    [overlay.chord]\nsuccessors = 3\n\
    [workload]\nlookups = 10\n\
    [[sweep.compare]]\noverlay.protocol = \"chord\"\noverlay.chord.base = [2, 8]\n\
    [[sweep.compare]]\noverlay.protocol = [\"kademlia\"]\n\
    \"overlay.kademlia.k\" = [4, 8]\n\"overlay.kademlia.alpha\" = [1, 3]\n";

/// The rows of the swept keys.
fn rows(lab: &Lab, options: &[&str], out: &str) -> Vec<String> {
    let command = ["run", "compared.toml", "--out", out];
    lab.succeed(&[&command, options].concat());
    let runs = lab.table(&format!("{out}/compared/runs.csv"));
    let start = runs.at("seed") + 1;
    let end = runs.at("lookups");
    runs.rows
        .iter()
        .map(|row| row[start..end].join(","))
        .collect()
}

#[test]
fn each_system_has_its_own_combinations() {
    let lab = Lab::new();
    lab.write("compared.toml", SCENARIO);
    let all = ["chord,2,,", "chord,8,,"].into_iter().chain([
        "kademlia,,4,1",
        "kademlia,,4,3",
        "kademlia,,8,1",
        "kademlia,,8,3",
    ]);
    assert_eq!(rows(&lab, &[], "all"), all.collect::<Vec<_>>());
    let one = rows(&lab, &["--set", "overlay.protocol=kademlia"], "one");
    assert_eq!(one, ["4,1", "4,3", "8,1", "8,3"]);
    // A system that does not name the key stays as it is.
    let k = rows(&lab, &["--set", "overlay.kademlia.k=8"], "k");
    assert_eq!(k, ["chord,2,", "chord,8,", "kademlia,,1", "kademlia,,3"]);
}
