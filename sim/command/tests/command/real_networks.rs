//! Measured networks as underlays of both protocols; skipped if the data are missing.

use crate::lab::{Lab, Table};
use crate::measured_data;
use std::path::{Path, PathBuf};

/// Runs both protocols on a network, converged and without maintenance; gives the table of runs.
fn run(lab: &Lab, file: &Path, nodes: usize, more: &str) -> Table {
    let text = format!(
        "experiment = \"network\"\n\
         repetitions = 2\n\
         [underlay]\n\
         model = \"file\"\n\
         [underlay.file]\n\
         path = '{}'\n\
         [overlay]\n\
         nodes = {nodes}\n\
         [overlay.vhash]\n\
         dimensions = 2\n\
         gossip = \"never\"\n\
         [workload]\n\
         lookups = 200\n\
         [sweep]\n\
         \"overlay.protocol\" = [\"chord\", \"vhash\"]\n\
         {more}",
        file.display()
    );
    let name = file
        .file_stem()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    lab.write(&format!("{name}.toml"), text);
    lab.succeed(&["run", &format!("{name}.toml"), "--out", "out"]);
    let runs = lab.table(&format!("out/{name}/runs.csv"));
    assert_eq!(runs.rows.len(), 4);
    for (i, protocol) in runs.column("overlay.protocol").into_iter().enumerate() {
        let number = |column: &str| runs.numbers(column)[i];
        let place = format!("{protocol} on {name}");
        assert_eq!(number("lookups"), 200.0, "{place}");
        assert_eq!(number("lookups_failed"), 0.0, "{place}");
        if protocol == "chord" {
            assert_eq!(number("lookups_ok"), 200.0, "{place}");
        }
        // A message takes at least a link, and its way is no shorter than the direct one.
        assert!(number("underlay_hops_per_hop") >= 1.0, "{place}");
        assert!(number("latency_ms_mean") > 0.0, "{place}");
        // Both protocols run on the same hosts.
        assert_eq!(
            number("member_underlay_hops_mean"),
            runs.numbers("member_underlay_hops_mean")[i % 2]
        );
    }
    runs
}

#[test]
#[cfg_attr(not(has_data), ignore = "DHTLAB_DATA names no folder")]
fn autonomous_systems() {
    let path = measured_data::path("as733_20000102/as20000102.txt");
    let lab = Lab::new();
    let runs = run(&lab, &path, 50, "");
    // 3.7 hops is the mean of all pairs of this graph.
    for hops in runs.numbers("member_underlay_hops_mean") {
        assert!((3.2..4.2).contains(&hops), "{hops}");
    }
    // The content is a part of what names a run: a changed file is another run.
    let file = lab.manifest("out/as20000102")["scenario"]["underlay"]["file"].clone();
    assert_eq!(file["content"].as_str().map(str::len), Some(40));
}

#[test]
#[cfg_attr(not(has_data), ignore = "DHTLAB_DATA names no folder")]
fn planet_lab() {
    let path = measured_data::path("planetlab490/PlanetLabData_1");
    let lab = Lab::new();
    let runs = run(&lab, &path, 50, "");
    // A matrix has no links: a message is one underlay hop.
    for per_hop in runs.numbers("underlay_hops_per_hop") {
        assert_eq!(per_hop, 1.0);
    }
}

#[test]
#[cfg_attr(not(has_data), ignore = "DHTLAB_DATA names no folder")]
fn topology_zoo() {
    let folder = measured_data::path("topologyzoo");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "gml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let lab = Lab::new();
    for file in files {
        // The smallest of them has few more.
        run(&lab, &file, 8, "");
    }
}
