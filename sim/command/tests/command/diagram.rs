//! Pictures of a state: drawing, redrawing and refusals.

use crate::lab::{Lab, Table};
use crate::refusal::compare;
use std::collections::BTreeSet;

/// One scenario a picture, as small as it may be.
const PICTURES: [(&str, &str); 6] = [
    ("ring-regions", "[diagram.ring]\nnodes = 6\n"),
    (
        "ring-fingers",
        "[diagram.ring]\nids = [24, 200, 77]\n[diagram.ring-fingers]\nnode = 77\nlookup = 30\n",
    ),
    ("voronoi", "[diagram.voronoi]\nnodes = 12\n"),
    ("dartboard", SMALL_JOB),
    ("job-tree", SMALL_JOB),
    ("architecture", ""),
];

const SMALL_JOB: &str = "[underlay]\nmodel = \"constant\"\nnodes = 8\n[overlay]\nnodes = 8\n\
                         [overlay.chord]\nsuccessors = 2\n[job]\natoms = 20\nsamples = 400\n";

fn scenario(picture: &str, rest: &str) -> String {
    format!(
        "experiment = \"diagram\"\n[[figure]]\nname = \"it\"\nkind = \"diagram\"\n\
         [diagram]\npicture = \"{picture}\"\n{rest}"
    )
}

/// The metric of the only run.
fn metric(runs: &Table, name: &str) -> f64 {
    runs.numbers(name)[0]
}

/// The numbers of the shapes of a layer.
fn items<'a>(shapes: &'a Table, layer: &str) -> BTreeSet<&'a str> {
    let (layers, items) = (shapes.column("layer"), shapes.column("item"));
    let of_layer = layers.iter().zip(items).filter(|(of, _)| **of == layer);
    of_layer.map(|(_, item)| item).collect()
}

/// Every picture is drawn, the same by one thread and by two, and again from its shapes alone.
#[test]
fn every_picture_is_drawn_and_drawn_again() {
    let lab = Lab::new();
    let mut names = Vec::new();
    for (picture, rest) in PICTURES {
        lab.write(&format!("{picture}.toml"), scenario(picture, rest));
        names.push(format!("{picture}.toml"));
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (out, jobs) in [("one", "1"), ("two", "2")] {
        let ended = lab.succeed(&[&["run", "--out", out, "--jobs", jobs], &names[..]].concat());
        assert!(!ended.stderr.contains("note"), "{}", ended.stderr);
    }
    assert!(
        lab.files("one") == lab.files("two"),
        "threads change a byte"
    );
    for (picture, _) in PICTURES {
        let svg = lab.read(&format!("one/{picture}/it.svg"));
        // Lines of one look are the parts of one path.
        let paths = svg.split(" d=\"").skip(1);
        let parts: usize = paths
            .map(|path| path.split('"').next().map_or(0, |d| d.matches('m').count()))
            .sum();
        assert!(svg.matches("<poly").count() + parts > 5, "{picture}");
        std::fs::remove_file(lab.path(&format!("one/{picture}/it.svg"))).expect("it was there");
        lab.succeed(&["plot", &format!("one/{picture}")]);
        assert!(
            svg == lab.read(&format!("one/{picture}/it.svg")),
            "{picture}"
        );
    }
    let table = |picture: &str, name: &str| lab.table(&format!("one/{picture}/{name}.csv"));
    let runs = |picture: &str| table(picture, "runs");
    assert_eq!(metric(&runs("ring-regions"), "region_total"), 1.0);
    assert_eq!(metric(&runs("ring-fingers"), "fingers"), 8.0);
    // From 77 on: 1 to 64 ahead is 200, 128 ahead is 205 and so 24.
    assert_eq!(metric(&runs("ring-fingers"), "distinct_fingers"), 2.0);
    let total = metric(&runs("voronoi"), "region_total");
    assert!((total - 1.0).abs() < 1e-9, "{total}");
    let shapes = table("voronoi", "shapes");
    let edges = metric(&runs("voronoi"), "edges");
    assert_eq!(items(&shapes, "Delaunay edge").len() as f64, edges);
    let board = runs("dartboard");
    assert_eq!(
        metric(&board, "estimate"),
        4.0 * metric(&board, "hits") / 400.0
    );
    let shapes = table("dartboard", "shapes");
    assert_eq!(
        items(&shapes, "hit: in the circle").len() as f64,
        metric(&board, "hits")
    );
    // The same job, as its messages show it.
    let tree = runs("job-tree");
    assert_eq!(metric(&tree, "atoms"), 20.0);
    assert_eq!(metric(&tree, "estimate"), metric(&board, "estimate"));
    assert_eq!(metric(&runs("architecture"), "depth"), 16.0);
}

/// A protocol without a ring has its trees in levels.
#[test]
fn trees_of_other_protocols_are_drawn_in_levels() {
    let lab = Lab::new();
    let rest = format!(
        "{}[overlay.kademlia]\n[diagram.job-tree]\nlayout = \"levels\"\ntree = \"reduce\"\n",
        SMALL_JOB.replace(
            "nodes = 8\n[overlay.chord]\nsuccessors = 2",
            "nodes = 8\nprotocol = \"kademlia\""
        )
    );
    lab.write("k.toml", scenario("job-tree", &rest));
    lab.succeed(&["run", "k.toml", "--out", "out"]);
    let runs = lab.table("out/k/runs.csv");
    assert_eq!(metric(&runs, "atoms"), 20.0);
    assert!(metric(&runs, "depth") >= 1.0);
}

/// Of several repetitions the first is shown.
#[test]
fn a_picture_is_of_one_run() {
    let lab = Lab::new();
    let text = scenario("voronoi", "[diagram.voronoi]\nnodes = 12\n");
    lab.write("a/v.toml", &text);
    lab.write("b/v.toml", format!("repetitions = 3\n{text}"));
    lab.succeed(&["run", "a/v.toml", "--out", "one"]);
    lab.succeed(&["run", "b/v.toml", "--out", "three"]);
    assert_eq!(lab.read("one/v/it.svg"), lab.read("three/v/it.svg"));
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    const HEAD: &str = "experiment = \"diagram\"\n[diagram]\n";
    let job = |rest: &str| format!("picture = \"job-tree\"\n{SMALL_JOB}{rest}");
    let cases: Vec<(String, &str)> = [
        (
            "picture = \"rings\"\n",
            "bad.toml:3: diagram.picture: expected one of ...",
        ),
        (
            "ring = { ids = [24] }\n",
            "bad.toml:3: diagram.ring.ids: expected from 2 to 200 IDs, found 1",
        ),
        (
            "ring = { ids = [24, 256] }\n",
            "bad.toml:3: diagram.ring.ids: 256 has more than the 8 bits of an ID",
        ),
        (
            "ring = { ids = [24, 7, 24] }\n",
            "bad.toml:3: diagram.ring.ids: 24 occurs twice",
        ),
        (
            "ring = { ids = [24, -1] }\n",
            "bad.toml:3: diagram.ring.ids: expected a list of integers from 0 on, found [24, -1]",
        ),
        (
            "ring = { ids = 24 }\n",
            "bad.toml:3: diagram.ring.ids: expected a list of integers from 0 on, found 24",
        ),
        (
            "ring = { ids = [24, 7], nodes = 2 }\n",
            "bad.toml:3: diagram.ring.nodes: expected either `nodes` or `ids`",
        ),
        (
            "ring = { nodes = 1 }\n",
            "bad.toml:3: diagram.ring.nodes: expected an integer ...",
        ),
        (
            "ring = { nodes = 9, bits = 3 }\n",
            "bad.toml:3: diagram.ring.nodes: 9 nodes need different IDs, more than 3 bits allow",
        ),
        (
            "ring = { bits = 33 }\n",
            "bad.toml:3: diagram.ring.bits: expected an integer ...",
        ),
        (
            "ring = { ids = [24, 7] }\nring-fingers = { node = 8 }\n",
            "bad.toml:4: diagram.ring-fingers.node: no node has the ID 8",
        ),
        (
            "ring-fingers = { node = 8 }\n",
            "bad.toml:3: diagram.ring-fingers.node: the IDs are random; expected them ...",
        ),
        (
            "ring-fingers = { lookup = 256 }\n",
            "bad.toml:3: diagram.ring-fingers.lookup: 256 has more than the 8 bits of a key",
        ),
        (
            "picture = \"ring-regions\"\nring-regions = { closest = \"far\" }\n",
            "bad.toml:4: diagram.ring-regions.closest: expected one of ...",
        ),
        (
            "picture = \"voronoi\"\nvoronoi = { nodes = 1 }\n",
            "bad.toml:4: diagram.voronoi.nodes: expected an integer ...",
        ),
        (
            "picture = \"voronoi\"\nvoronoi = { nodes = 5, nearest = 5 }\n",
            "bad.toml:4: diagram.voronoi.nearest: expected at most the 4 other points, found 5",
        ),
        (
            "picture = \"dartboard\"\njob = { kind = \"genetic\" }\n",
            "bad.toml:4: diagram.job.kind: unknown key; did you mean `job.kind`?",
        ),
        (
            "picture = \"dartboard\"\n[job]\nkind = \"genetic\"\n",
            "bad.toml:5: job.kind: a dartboard shows the points of \"pi\", not \"genetic\"",
        ),
        (
            "picture = \"dartboard\"\n[job]\ncompute = \"modelled\"\nsamples = 500\n",
            "bad.toml:5: job.compute: a modelled job has no points",
        ),
        (
            "picture = \"dartboard\"\n[job]\nsamples = 5001\n",
            "bad.toml:5: job.samples: a picture shows at most 5000 points, not 5001",
        ),
        (
            "picture = \"voronoi\"\n[overlay]\nnodes = 8\n",
            "bad.toml:4: overlay: \"voronoi\" shows no network and no job",
        ),
        (
            "picture = \"architecture\"\narchitecture = { content = \"00\" }\n",
            "bad.toml:4: diagram.architecture.content: expected the SHA-1 00, found ...",
        ),
    ]
    .into_iter()
    .map(|(text, error)| (text.to_owned(), error))
    .chain([
        (
            job("[diagram.job-tree]\ntree = \"oak\"\n"),
            "bad.toml:15: diagram.job-tree.tree: expected one of ...",
        ),
        (
            job("").replace(
                "nodes = 8\n[overlay.chord]\nsuccessors = 2",
                "nodes = 8\nprotocol = \"vhash\"",
            ),
            "bad.toml:2: diagram.job-tree.layout: the IDs of \"vhash\" form no ring; expected \"levels\"",
        ),
        (
            job("[churn]\nmodel = \"per-second\"\n"),
            "bad.toml:14: churn: a diagram of a job needs a network without churn and adversary",
        ),
        (
            job("").replace("nodes = 8", "nodes = 201"),
            "bad.toml:8: overlay.nodes: a recording shows at most 200 nodes, not 201",
        ),
    ])
    .collect();
    let cases: Vec<(&str, &[&str], &str)> = cases
        .iter()
        .map(|(text, error)| (text.as_str(), &[] as &[&str], *error))
        .collect();
    compare(HEAD, &cases);
}

#[test]
fn a_diagram_has_no_axes() {
    let head = "experiment = \"diagram\"\n[[figure]]\nkind = \"diagram\"\n";
    compare(
        head,
        &[
            (
                "x = \"layer\"\n",
                &[],
                "bad.toml:4: figure[0].x: kind `diagram` takes no `x`: it has no axes",
            ),
            (
                "y = \"x\"\n",
                &[],
                "bad.toml:4: figure[0].y: kind `diagram` takes no `y`: it has no axes",
            ),
            (
                "scale = \"log-x\"\n",
                &[],
                "bad.toml:4: figure[0].scale: kind `diagram` takes no `scale`: it has no axes",
            ),
            (
                "table = \"runs\"\n",
                &[],
                "bad.toml:4: figure[0].table: kind `diagram` needs a table with the columns layer, ...",
            ),
            (
                "[sweep]\n\"diagram.ring.nodes\" = [4, 5]\n",
                &[],
                "bad.toml:2: figure[0].series: key `diagram.ring.nodes` is swept but the figure ...",
            ),
        ],
    );
}
