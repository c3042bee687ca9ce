//! Underlays from files: the result of reading, and the messages for the user.

use super::read;
use dhtlab_core::engine::Seed;
use dhtlab_core::underlay::{Distances, Host, Specification, Underlay};
use std::sync::Arc;

/// Reads a file that holds `content`; `keys` stand in `[underlay.file]`.
fn load(content: impl AsRef<[u8]>, keys: &str) -> Result<Specification, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("net"), content).unwrap();
    let keys = format!("model = \"file\"\n[underlay.file]\npath = \"net\"\n{keys}");
    read(&keys, folder.path()).map_err(|problem| {
        let place = format!("{}:", folder.path().join("net").display());
        format!(
            "{}: {}",
            problem.key,
            problem.message.replace(&place, "net:")
        )
    })
}

fn build(content: &str, keys: &str) -> Underlay {
    load(content, keys).unwrap().build(Seed::new(1)).unwrap()
}

/// Hops and microseconds between all hosts, for `from < to`.
fn paths(underlay: Underlay) -> Vec<(u32, u64)> {
    let hosts = underlay.hosts() as u32;
    let mut distances = Distances::new(Arc::new(underlay), (0..hosts).map(Host).collect());
    let pairs = (0..hosts).flat_map(|a| (a + 1..hosts).map(move |b| (a, b)));
    pairs
        .map(|(a, b)| distances.path(a, b))
        .map(|path| (path.hops, path.latency.as_micros()))
        .collect()
}

#[test]
fn underlay_reads_edge_lists() {
    let text = "# a comment\r\n% another\r\nx y 2.5\r\n\r\ny\tz  0 more\r\nz x weight\r\n";
    // x - y 2500 us; y - z 0, taken as 1 us; x - z from link-latency, 1 ms.
    assert_eq!(paths(build(text, "")), [(2, 1001), (1, 1000), (1, 1)]);
}

#[test]
fn underlay_reads_gml() {
    let text = r#"Creator "someone [ or # other"
        # a comment
        Version 1
        graph [
          directed 1
          node [ id 7 label "A" graphics [ x 1.0 y -2e3 ] ]
          node [ id -3 label "A" ]
          edge [ source 7 target -3 latency 3 ]
          node [ id 9 label "several
            lines" ]
          edge [ target 9 source -3 latency 0.5 ]
          edge [ target 9 source -3 latency 9 ]
          edge [ target 9 source 9 ]
        ]"#;
    let underlay = build(text, "");
    assert_eq!(
        underlay.notes(),
        [
            "the file gives links a direction, which they do not have here: 1 pair of hosts has \
             two different latencies, of which the smaller is taken",
            "loops: 1 dropped",
            "parallel links: 1 dropped"
        ]
    );
    assert_eq!(paths(underlay), [(1, 3000), (2, 3500), (1, 500)]);
}

#[test]
fn underlay_reads_graphml() {
    let text = r#"<?xml version="1.0"?>
        <!-- a comment -->
        <graphml xmlns="http://graphml.graphdrawing.org/xmlns">
          <key id="d0" for="edge" attr.name="latency" attr.type="double"/>
          <graph edgedefault="undirected">
            <edge source="a&amp;b" target="c"><data key="d0"> 2 </data><data key="d1">x</data></edge>
            <node id="a&amp;b"/><node id="c"><data key="d0">5</data></node><node id="d"/>
            <edge source="c" target="d"/>
          </graph>
        </graphml>"#;
    assert_eq!(paths(build(text, "")), [(1, 2000), (2, 3000), (1, 1000)]);
}

#[test]
fn underlay_reads_matrices() {
    let text = "0 10 20 30\n10 0 5 7\n20 5 0 9\n30 7 9 0\n";
    let expected = [
        (1, 5000),
        (1, 10000),
        (1, 15000),
        (1, 2500),
        (1, 3500),
        (1, 4500),
    ];
    let underlay = build(text, "");
    assert!(underlay.notes().is_empty());
    assert_eq!((underlay.hosts(), underlay.links()), (4, None));
    assert_eq!(paths(underlay), expected);
    let micros = build(text, "rtt-unit = \"us\"");
    assert_eq!(paths(micros)[..3], [(1, 5), (1, 10), (1, 15)]);
    assert_eq!(
        paths(build("0 .5\n.5 0", "format = 'rtt-matrix'\nrtt-unit = 's'")),
        [(1, 250_000)]
    );
}

#[test]
fn underlay_fills_the_gaps_of_a_matrix() {
    // 0-1 from the other direction, 0-2 over 1, 3 has no measurement: the median of 2, 4.
    let text = "1 - 0 ?\n2 - 4 *\n? 6 0 -\n- - - 0\n";
    let underlay = build(text, "format = \"rtt-matrix\"");
    assert_eq!(
        underlay.notes(),
        [
            "RTT matrix: 1 entries on the diagonal are not 0, taken as 0",
            "RTT matrix: 1 entries missing, filled with those of the other direction",
            "RTT matrix: 4 of 6 pairs missing, 1 filled with the best way over a third host, \
             3 with the median",
            "RTT matrix: 1 of 6 pairs differ by direction, by up to 2.000 ms; their mean is taken",
        ]
    );
    let median = 1750;
    let latencies: Vec<u64> = paths(underlay)
        .into_iter()
        .map(|(_, micros)| micros)
        .collect();
    assert_eq!(latencies, [1000, 3500, median, 2500, median, median]);
}

#[test]
fn underlay_tells_what_is_wrong_with_a_file() {
    let matrix = "format = \"rtt-matrix\"";
    let gml = "graph [\n node [ id 1 ]\n node [ id 2 ]\n";
    let xml = "<graphml>\n<graph>\n<node id=\"a\"/>\n";
    let cases: &[(&[u8], &str, &str)] = &[
        (b"", "", "net:1: the file is empty"),
        (b" \n\n", "", "net:1: the file is empty"),
        (b"# nothing\n", "", "net:1: the file has no links"),
        (
            b"a b\nc\n",
            "",
            "net:2: expected two columns, the hosts of a link, found \"c\"",
        ),
        // Not even a word is shown whole if it is long: it may be of a file that was given by
        // mistake.
        (
            b"root:$6$salt$hash-of-a-secret:19000:0:99999:7:::\n",
            "",
            "net:1: expected two columns, the hosts of a link, found \"root:$6$salt$hash-of-a...\"",
        ),
        (
            b"0 1 2 3\n1 root:$6$salt$hash-of-a-secret 1 1",
            matrix,
            "net:2: expected 4 rows, as many as columns, found 2",
        ),
        (
            b"0 1\n1 root:$6$salt$hash-of-a-secret",
            matrix,
            "net:2: malformed entry \"root:$6$salt$hash-of-a...\" in column 2, expected a round-trip time",
        ),
        (
            b"graph [ $6$salt$hash-of-a-longer-secret",
            "",
            "net:1: expected a key, found \"$6$salt$hash-of-a-long...\"",
        ),
        (
            b"\x1f\x8b\x08",
            "",
            "net:1: packed by gzip; unpack it first",
        ),
        (b"a a\n", "", "net:1: expected at least two hosts, found 1"),
        (
            b"a b\na c -1\n",
            "",
            "net:2: expected a latency of 0 to 4294967 ms, found -1; `latency = \"none\"` under [underlay.file] passes the third column over",
        ),
        (
            b"a b NaN\n",
            "",
            "net:1: expected a latency of 0 to 4294967 ms, found NaN; `latency = \"none\"` under [underlay.file] passes the third column over",
        ),
        (
            b"a b\n\x7fELF\x01\x02",
            "",
            "net:2: not UTF-8 text: found the byte 0x01",
        ),
        (
            b"a b\n\nc \xff\n",
            "",
            "net:3: not UTF-8 text: found the byte 0xff",
        ),
        // Matrices.
        (
            b"0 1 2\n1 0 3\n2 3 0 4\n",
            matrix,
            "net:3: expected 3 columns as in the first row, found 4",
        ),
        (
            b"0 1 2\n1 0\n",
            matrix,
            "net:2: expected 3 columns as in the first row, found 2",
        ),
        (
            b"0 1 2\n1 0 3\n",
            matrix,
            "net:2: expected 3 rows, as many as columns, found 2",
        ),
        (
            b"0 1\n1 0\n1 1\n",
            matrix,
            "net:3: expected 2 rows, as many as columns, found more",
        ),
        (
            b"0\n",
            matrix,
            "net:1: expected at least two hosts, found 1",
        ),
        (
            b"0 - 0 -\n- 0 - -\n- - 0 -\n- - - 0",
            "",
            "net:4: no entry off the diagonal is a measurement (guessed to be an rtt-matrix; `format` says if it is an edge-list or an adjacency-list)",
        ),
        (
            b"0 1 2 NaN\n",
            "",
            "net:1: expected 4 rows, as many as columns, found 1 (guessed to be an rtt-matrix; `format` says if it is an edge-list or an adjacency-list)",
        ),
        (
            b"0 inf\n1 0",
            matrix,
            "net:1: malformed entry \"inf\" in column 2, expected a round-trip time",
        ),
        (
            b"0 1e9\n1 0",
            matrix,
            "net:1: malformed entry \"1e9\" in column 2, expected a round-trip time",
        ),
        (
            b"0 1\n-2 0",
            matrix,
            "net:2: malformed entry \"-2\" in column 1: a round-trip time cannot be negative; `-`, `?` or `*` stand for a missing one",
        ),
        (
            b"# none\n",
            matrix,
            "net:1: expected 0 rows, as many as columns, found 0",
        ),
        // GML.
        (
            b"graph [\n node [\n id 1\n",
            "",
            "net:4: the file ends inside `node [` of line 2",
        ),
        (
            b"graph [\n node [ id",
            "",
            "net:2: the file ends after `id`, expected a value",
        ),
        (
            b"graph [\n node [ label \"x\n\n",
            "",
            "net:2: a text in quotes is never closed",
        ),
        (
            b"graph [\n node [ label 1 ]\n]",
            "",
            "net:2: this node has no `id`",
        ),
        (
            b"graph [\n node [ id [ ] ]\n]",
            "",
            "net:2: expected a number or a text after `id`",
        ),
        (
            b"graph [\n node 7\n]",
            "",
            "net:2: expected `[` after `node`",
        ),
        (
            b"graph [\n node [ id 1 ]\n node [ id 1 ]\n]",
            "",
            "net:3: a second node with the id 1",
        ),
        (
            b"graph [\n node [ id 1 ]\n]",
            "",
            "net:3: expected at least two hosts, found 1",
        ),
        (b"graph [ ]\n]", "", "net:2: `]` closes nothing"),
        (b"graph [\n 12 13\n]", "", "net:2: expected a key, found 12"),
        (
            b"graph [\n id ]\n",
            "",
            "net:2: expected a value after `id`",
        ),
        (
            b"graph [\n $ 13\n]",
            "",
            "net:2: expected a key, found \"$\"",
        ),
        (
            b"Version 1\n",
            "format = \"gml\"",
            "net:1: the file has no `graph [`",
        ),
        // GraphML.
        (
            b"<html>\n</html>",
            "",
            "net:1: expected <graphml>, found <html>",
        ),
        (
            b"<graphml>\n<graph>\n<node/>\n",
            "",
            "net:3: this <node> has no attribute `id`",
        ),
        (
            b"<graphml>\n<graph>\n<node id=\"a\"/>\n<node id=\"b\"/>\n",
            "",
            "net:4: the file ends inside <graph> of line 2",
        ),
        (
            b"<graphml>\n<graph>\n<hyperedge/>",
            "",
            "net:3: hyperedges are not links",
        ),
    ];
    for &(content, keys, message) in cases {
        let found = load(content, keys).map(|_| ()).unwrap_err();
        let shown = String::from_utf8_lossy(content);
        assert_eq!(found, format!("underlay.file.path: {message}"), "{shown}");
    }
    let with = |start: &str, end: &str| load(format!("{start}{end}"), "").map(|_| ()).unwrap_err();
    let cases = [
        (
            gml,
            " edge [ source 1 ]\n]",
            "net:4: this edge has no `target`",
        ),
        (
            gml,
            " edge [ source 1 target 5 ]\n]",
            "net:4: `target` 5 is no node's id",
        ),
        (
            gml,
            " edge [ source 1 target 2\n latency -2 ]\n]",
            "net:5: expected a latency of 0 to 4294967 ms, found -2",
        ),
        (
            xml,
            "<node id=\"a\"/>",
            "net:4: a second node with the id \"a\"",
        ),
        (
            xml,
            "<edge source=\"a\" target=\"z\"/>\n</graph></graphml>",
            "net:4: \"z\" is no node's id",
        ),
        (
            xml,
            "<edge source=\"a\"/>",
            "net:4: this <edge> has no attribute `target`",
        ),
        (
            xml,
            "</graph></graphml>",
            "net:4: expected at least two hosts, found 1",
        ),
    ];
    for (start, end, message) in cases {
        assert_eq!(
            with(start, end),
            format!("underlay.file.path: {message}"),
            "{end}"
        );
    }
    let mismatch = with(xml, "\n</node></graph></graphml>");
    assert!(
        mismatch.starts_with("underlay.file.path: net:5: malformed XML: "),
        "{mismatch}"
    );
    let cut = with(xml, "<node id=\"b");
    assert!(
        cut.starts_with("underlay.file.path: net:4: malformed XML: "),
        "{cut}"
    );
    let deep = format!("graph [\n{}", "a [ ".repeat(100_000));
    assert_eq!(
        with(&deep, ""),
        "underlay.file.path: net:2: lists are nested too deep"
    );
}

#[test]
fn underlay_tells_which_file_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let problem = read("model = 'file'\nfile.path = 'no/such.gml'", folder.path()).unwrap_err();
    assert_eq!(problem.key, "underlay.file.path");
    assert!(
        problem.message.contains("such.gml: cannot be read: "),
        "{problem}"
    );
    let problem = read("model = 'file'\nfile.path = '.'", folder.path()).unwrap_err();
    assert!(problem.message.contains("cannot be read: "), "{problem}");
    let problem = read("model = 'file'", folder.path()).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "underlay.file.path: expected the path of a file"
    );
}

#[test]
fn underlay_knows_a_file_by_its_content() {
    let content = |text: &str| {
        let table = load(text, "").unwrap().write();
        assert!(table.get("nodes").is_none());
        table["file"]
            .get("content")
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_ne!(content("a b\n"), content("a c\n"));
    let hash = "9a5a12a75ae7d14b04fc8bb4fe4a1d15b3f27bd6";
    let message = load("a b\n", &format!("content = '{hash}'"))
        .map(|_| ())
        .unwrap_err();
    let found = content("a b\n");
    let expected = format!("underlay.file.content: net: expected the SHA-1 {hash}, found {found}");
    assert_eq!(message, expected);
    assert!(load("a b\n", &format!("content = '{found}'")).is_ok());
}
