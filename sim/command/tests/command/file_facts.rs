//! The facts about an underlay file that `check` and `run` print.

use crate::lab::Lab;
use dhtlab_core::underlay::files::Format;

const SCENARIO: &str = "experiment = \"network\"\nworkload.lookups = 5\nunderlay.model = \"file\"\n\
                        underlay.file.path = \"net.gml\"\n[sweep]\n\"overlay.nodes\" = [2, 3]\n";
const NET: &str = "graph [ directed 1 node [ id 1 ] node [ id 2 ] node [ id 3 ] node [ id 4 ]\n\
                   edge [ source 1 target 2 latency 5 ] edge [ source 2 target 1 latency 7 ]\n\
                   edge [ source 2 target 3 ] edge [ source 3 target 3 ] ]\n";
const FACTS: &str = "net.gml: gml, 4 hosts, 2 links, 2 components, 3 hosts used, latency 5 ms to 5 ms, 1 link \
                     without one";

#[test]
fn a_line_of_facts_a_file() {
    let lab = Lab::new();
    lab.write("facts.toml", SCENARIO);
    lab.write("net.gml", NET);
    let told = lab.succeed(&["check", "facts.toml"]).stdout;
    // Once, however many points there are, and with it all that a reader should know.
    let lines: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("net.gml"))
        .collect();
    assert_eq!(
        lines,
        [
            format!("  {FACTS}").as_str(),
            "  net.gml: the file gives links a direction, which they do not have here: 1 pair of hosts has \
             two different latencies, of which the smaller is taken",
            "  net.gml: 1 of 2 links without a latency, which is drawn from `link-latency`",
            "  net.gml: loops: 1 dropped",
        ]
    );
    let told = lab.succeed(&["run", "facts.toml", "--out", "out"]).stderr;
    let line = format!("facts: {FACTS}");
    assert_eq!(
        told.lines().filter(|told| **told == line).count(),
        1,
        "{told}"
    );
    // The notes of a run are in its results, too.
    assert!(told.contains(": 1 of 2 links without a latency, which is drawn from `link-latency`"));
    let run = lab.table("out/facts/runs.csv").column("run")[0].to_owned();
    let told = lab.succeed(&["run", "facts.toml", "--only", &run]).stderr;
    assert!(told.lines().any(|line| line == FACTS), "{told}");
}

/// An error shows a word at most, and not the whole of a long one.
#[test]
fn an_error_does_not_show_a_file_that_nobody_meant() {
    let lab = Lab::new();
    let secret = "root:$6$kJh2mWQz$VerySecretHashOfAPassword:19000:0:99999:7:::";
    lab.write("net.gml", format!("{secret}\n{secret}\n"));
    let head = SCENARIO.replace("underlay.file.path = \"net.gml\"\n", "");
    for format in Format::WORDS
        .iter()
        .filter(|word| **word != "adjacency-list")
    {
        let file = format!("[underlay.file]\npath = \"net.gml\"\nformat = \"{format}\"\n");
        lab.write("facts.toml", format!("{head}{file}"));
        let ended = lab.dhtlab(&["check", "facts.toml"]);
        assert_eq!(ended.code, Some(2), "{format}: {}", ended.stdout);
        assert!(!ended.stderr.contains("VerySecret"), "{}", ended.stderr);
    }
}
