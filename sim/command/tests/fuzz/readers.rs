//! The readers, and good inputs for each.

use crate::fuzz;
use dhtlab_core::churn::Trace;
use dhtlab_core::underlay::files::{ColumnNames, File, Format};
use dhtlab_experiments::KINDS;
use dhtlab_format::recording::Recording;
use dhtlab_scenario::{Overrides, Scenario, Source};
use std::fs;
use std::path::{Path, PathBuf};

/// The files in a folder of the project, in the order of their names.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("a folder");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

fn underlay(name: &str, file: &File) {
    let seeds = files("tests/protocols/underlay/field").into_iter();
    let seeds = seeds.map(|path| fs::read(path).expect("a file"));
    // For one format its own files; where it is to be guessed, all.
    let fits = |bytes: &Vec<u8>| file.format == Format::Guess || file.facts(bytes).is_ok();
    let seeds: Vec<Vec<u8>> = seeds.filter(fits).collect();
    fuzz(name, &seeds, |bytes| drop(file.facts(bytes)));
}

macro_rules! underlays {
    ($($name:ident: $format:ident,)*) => {$(
        #[test]
        fn $name() {
            let file = File { format: Format::$format, ..File::default() };
            underlay(stringify!($name), &file);
        }
    )*};
}

underlays! {
    guess: Guess,
    edge_list: EdgeList,
    adjacency_list: AdjacencyList,
    gml: Gml,
    graphml: Graphml,
    rtt_matrix: RttMatrix,
    rtt_pairs: RttPairs,
    matrix_market: MatrixMarket,
    dimacs: Dimacs,
    pajek: Pajek,
    konect: Konect,
    brite: Brite,
    inet: Inet,
    as_relationships: AsRelationships,
}

/// Keys that say what the file does not.
#[test]
fn columns() {
    let columns = ["to", "from", "rtt"].map(str::to_owned).to_vec();
    let file = File {
        columns: Some(ColumnNames(columns)),
        asymmetric: true,
        ..File::default()
    };
    underlay("columns", &file);
}

#[test]
fn churn_trace() {
    let seeds = [
        "time_s,event,node\n1.5,join,a\n# a comment\n2,crash,0\n3,leave,a\n4,join,a\n",
        "1,crash,3\n1,crash,4\n1,leave,5\n20,join,3\n",
        "1700000000,join,x\n1700000001.25,leave,x\n",
    ];
    fuzz(
        "churn_trace",
        &seeds.map(|text| text.as_bytes().to_vec()),
        |bytes| {
            drop(Trace::parse(&String::from_utf8_lossy(bytes), 10));
        },
    );
}

#[test]
fn scenario() {
    let paths = files("../../scenarios")
        .into_iter()
        .chain(files("../../scenarios/examples"));
    let texts = paths.map(|path| fs::read(path).expect("a file"));
    // What is not in the project may be large.
    let seeds: Vec<Vec<u8>> = texts
        .filter(|text| !String::from_utf8_lossy(text).contains("DHTLAB_DATA"))
        .collect();
    fuzz("scenario", &seeds, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(source) = Source::parse(Path::new("/nowhere/at-all.toml"), &text) {
            drop(Scenario::read(source, &Overrides::default(), KINDS));
        }
    });
}

/// A recording of a network of a few nodes.
fn recording_seed() -> Vec<u8> {
    let text = "experiment = 'network'\noverlay.nodes = 5\nworkload.lookups = 5\nunderlay.model = 'grid'\n\
                underlay.nodes = 9\n";
    let source = Source::parse(Path::new("small.toml"), text).expect("a scenario");
    let scenario = Scenario::read(source, &Overrides::default(), KINDS).expect("a scenario");
    let mut recording = Recording::default();
    let run = &scenario.points[0].run;
    let recorded = run.recorded().expect("a network");
    recorded
        .record(scenario.runs[0].seed, &mut recording)
        .expect("a run");
    serde_json::to_vec(&recording).expect("JSON")
}

#[test]
fn recording() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("recording.json");
    fuzz("recording", &[recording_seed()], |bytes| {
        fs::write(&path, bytes).expect("a file");
        drop(Recording::read(folder.path()));
    });
}

const RUNS: &str = "run,repetition,seed,overlay.nodes,hops_mean,lookups\n\
                    000000000001,0,7,10,1.5,100\n000000000002,1,8,10,2.5,100\n\
                    000000000003,0,7,20,3.5,\n000000000004,1,8,20,NaN,100\n";

/// The manifests of the results that are in the project.
fn manifests() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results");
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path().join("manifest.json"));
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a file"))
        .collect()
}

/// What is read of a folder of results to write its summary; the file `mutated` there is one of
/// the inputs.
fn results(name: &str, mutated: &str, (fixed, content): (&str, &[u8]), seeds: &[Vec<u8>]) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(fixed), content).expect("a file");
    let path = folder.path().join(mutated);
    fuzz(name, seeds, |bytes| {
        fs::write(&path, bytes).expect("a file");
        drop(dhtlab_analysis::verify(folder.path()));
        drop(dhtlab_analysis::summarise(folder.path()));
    });
}

#[test]
fn manifest() {
    results(
        "manifest",
        "manifest.json",
        ("runs.csv", RUNS.as_bytes()),
        &manifests(),
    );
}

#[test]
fn results_table() {
    let manifest = br#"{"title": "t", "swept": ["overlay.nodes"]}"#;
    results(
        "results_table",
        "runs.csv",
        ("manifest.json", manifest),
        &[RUNS.into()],
    );
}
