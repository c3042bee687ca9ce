//! Wrong input: one clear error with file, line and key, exit code 2, and nothing touched.

mod support;

use serde_json::Value;
use std::time::Duration;
use support::{Ended, Lab};

/// What is wrong with how an error was told, if anything: it is one line, there was no panic,
/// the exit code is 2, and there are no results.
fn fault_of_refusal(lab: &Lab, ended: &Ended) -> Option<String> {
    let lines = ended.stderr.lines().count();
    if ended.stderr.contains("panicked") {
        Some("a panic".to_owned())
    } else if ended.code != Some(2) {
        Some(format!("exit code {:?}", ended.code))
    } else if lines != 1 || !ended.stderr.starts_with("error: ") {
        Some(format!("{lines} lines instead of one error"))
    } else if lab.path("out").exists() {
        Some("something was written".to_owned())
    } else if !ended.stdout.is_empty() {
        Some("something was printed".to_owned())
    } else {
        None
    }
}

/// Runs the scenario `bad.toml` with this text; it must be refused. Gives the error.
fn refuse(text: &str, arguments: &[&str]) -> Result<String, String> {
    let lab = Lab::new();
    write_graphs(&lab);
    lab.write("bad.toml", text);
    let all = [&["run", "bad.toml", "--out", "out"], arguments].concat();
    let ended = lab.dhtlab(&all);
    let told = ended.stderr.trim_start_matches("error: ").trim_end();
    match fault_of_refusal(&lab, &ended) {
        None => Ok(told.to_owned()),
        Some(fault) => Err(format!("{fault}: {}", ended.stderr)),
    }
}

fn write_graphs(lab: &Lab) {
    lab.write("graphs/triangle.txt", "a b\nb c\nc a\n");
    lab.write(
        "graphs/truncated.gml",
        "graph [\n  node [ id 0 ]\n  node [ id 1\n",
    );
    lab.write(
        "graphs/negative.txt",
        "0 5 7 9\n5 0 -3 9\n7 3 0 9\n9 9 9 0\n",
    );
    lab.write("graphs/oblong.txt", "0 5 7 9\n5 0 3 9\n7 3 0 9\n");
    lab.write("graphs/ragged.txt", "0 5 7 9\n5 0 3\n7 3 0 9\n9 9 9 0\n");
    lab.write("graphs/nan.txt", "0 5 7 9\n5 0 NaN 9\n7 3 0 9\n9 9 9 0\n");
    lab.write("graphs/empty.txt", "");
    lab.write("graphs/blank.txt", "\n \n\n");
    lab.write("graphs/binary.txt", b"a b\n\xff\xfe\x00\n");
    lab.write("graphs/island.txt", "a b\nb c\nc a\nx y\ny z\n");
}

/// Line 1 of most scenarios here.
const NETWORK: &str = "experiment = \"network\"\n";

/// Compares the errors of a table of cases, and tells all that differ. A case is the text after
/// `head`, the options, and the error: the whole of it, or its beginning if it ends in "...".
fn compare(head: &str, cases: &[(&str, &[&str], &str)]) {
    let mut faults = Vec::new();
    for (text, arguments, expected) in cases {
        let text = format!("{head}{text}");
        match refuse(&text, arguments) {
            Ok(told) if told == *expected => {}
            Ok(told)
                if expected
                    .strip_suffix("...")
                    .is_some_and(|part| told.starts_with(part)) => {}
            Ok(told) => faults.push(format!(
                "of\n{text}{arguments:?}\nexpected: {expected}\ntold:     {told}\n"
            )),
            Err(fault) => faults.push(format!("of\n{text}{arguments:?}\n{fault}")),
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {} cases:\n\n{}",
        faults.len(),
        cases.len(),
        faults.join("\n")
    );
}

/// A key of the schema: its dotted path and what is said of it.
fn keys(path: &str, of: &Value, into: &mut Vec<(String, Value)>) {
    for (name, property) in of["properties"].as_object().expect("properties") {
        let path = match path {
            "" => name.clone(),
            path => format!("{path}.{name}"),
        };
        into.push((path.clone(), property.clone()));
        if property.get("properties").is_some() {
            keys(&path, property, into);
        }
    }
}

fn schema() -> Value {
    let ended = Lab::new().succeed(&["schema"]);
    serde_json::from_str(&ended.stdout).expect("JSON")
}

/// Values that the key cannot have, each with a part of what has to be said of it.
fn bad_values(key: &str, property: &Value) -> Vec<(String, String)> {
    let mut bad: Vec<(String, String)> = Vec::new();
    let mut add = |value: &str, told: &str| bad.push((value.to_owned(), told.to_owned()));
    let number = |name: &str| property[name].as_f64();
    if let Some(words) = property["enum"].as_array() {
        // Each kind of experiment may know words of its own.
        assert!(words.iter().all(Value::is_string), "{key}");
        add("\"no-such-word\"", "expected one of \"");
        add("3", "expected ");
        add("{ a = 1 }", "");
        return bad;
    }
    match property["type"].as_str() {
        Some("integer") => {
            for value in ["\"many\"", "1.5", "true", "[1]", "-1"] {
                add(value, "expected an integer");
            }
            for (bound, step) in [("minimum", -1), ("maximum", 1)] {
                if let Some(bound) = number(bound) {
                    let value = bound as i64 + step;
                    add(&value.to_string(), "expected an integer ");
                }
            }
        }
        Some("number") => {
            for value in ["\"much\"", "true", "nan", "inf", "-inf", "[0.5]"] {
                add(value, "expected a number");
            }
            if let Some(low) = number("minimum") {
                add(&format!("{:?}", low - 0.0001), "expected a number ");
            }
            if let Some(low) = number("exclusiveMinimum") {
                add(&format!("{low:?}"), "expected a number ");
            }
            if let Some(high) = number("maximum") {
                add(&format!("{:?}", high + 0.0001), "expected a number ");
            }
        }
        Some("boolean") => {
            for value in ["1", "\"true\"", "[]"] {
                add(value, "expected true or false, found ");
            }
        }
        Some("string") if property.get("pattern").is_some() => {
            for value in [
                "30",
                "\"30\"",
                "\"30 lightyears\"",
                "\"\"",
                "\"s\"",
                "\"-1 s\"",
                "\"1 s 2\"",
                "\"NaN s\"",
                "\"999999999999 d\"",
                "{ seconds = 1 }",
            ] {
                add(
                    value,
                    if value.starts_with('{') {
                        ""
                    } else {
                        "expected a duration"
                    },
                );
            }
        }
        Some("string") => {
            for value in ["1", "true", "[\"a\"]"] {
                add(value, "expected text, found ");
            }
        }
        Some("object") => add("3", "expected a table"),
        Some("array") => add("3", "expected tables"),
        _ if property.get("anyOf").is_some() => {
            for value in ["5", "true", "\"30 lightyears\"", "[\"1 s\"]"] {
                add(value, "expected a duration");
            }
            add("{ }", "");
        }
        _ => panic!("this test knows no bad value for {key}: {property}; teach it one"),
    }
    bad
}

/// Experiments that build no network; all their keys stand in a table of their own.
const WITHOUT_NETWORK: [&str; 4] = ["balance", "convergence", "delaunay", "dgvh-cost"];

/// Whether a key stands in a table that only one experiment has, which is not `network`.
fn is_own(key: &str) -> bool {
    let table = key.split('.').next().unwrap_or_default();
    ["as-coded", "growth"].contains(&table) || WITHOUT_NETWORK.contains(&table)
}

/// What must stand in the file so that the key counts at all.
fn frame(key: &str, experiment: &str) -> String {
    let mut lines = vec![("experiment", format!("\"{experiment}\""))];
    if experiment == "growth" {
        lines.push(("growth.nodes", "20".to_owned()));
    } else if !WITHOUT_NETWORK.contains(&experiment) {
        lines.extend([
            ("underlay.nodes", "100".to_owned()),
            ("overlay.nodes", "20".to_owned()),
            ("workload.lookups", "5".to_owned()),
            ("underlay.file.path", "\"graphs/triangle.txt\"".to_owned()),
        ]);
    }
    let parts: Vec<&str> = key.split('.').collect();
    match parts.as_slice() {
        ["underlay", model, _] => lines.push(("underlay.model", format!("\"{model}\""))),
        ["churn", model, _] => lines.push(("churn.model", format!("\"{model}\""))),
        ["overlay", protocol, _] if experiment != "growth" => {
            lines.push(("overlay.protocol", format!("\"{protocol}\"")));
        }
        _ => {}
    }
    lines
        .iter()
        // Neither the key itself nor a key inside of it or around it.
        .filter(|(name, _)| {
            *name != key
                && !name.starts_with(&format!("{key}."))
                && !key.starts_with(&format!("{name}."))
        })
        .map(|(name, value)| format!("{name} = {value}\n"))
        .collect()
}

/// Every key that `dhtlab schema` knows, of every experiment, with wrong kinds of values and
/// with numbers outside of its range.
#[test]
fn every_key_refuses_what_it_cannot_hold() {
    let schema = schema();
    let mut all = Vec::new();
    keys("", &schema, &mut all);
    assert!(all.len() > 60, "{} keys in the schema", all.len());
    let experiments = schema["properties"]["experiment"]["enum"]
        .as_array()
        .expect("kinds of experiment");
    let (mut faults, mut cases) = (Vec::new(), 0);
    for (key, property) in &all {
        let mut known = 0;
        for experiment in experiments {
            let frame = frame(key, experiment.as_str().expect("a name"));
            for (value, part) in bad_values(key, property) {
                let line = frame.lines().count() + 1;
                let text = format!("{frame}{key} = {value}\n");
                let told = match refuse(&text, &[]) {
                    Ok(told) if told.contains("unknown key") && experiment != "network" => break,
                    told => told,
                };
                (known, cases) = (known + 1, cases + 1);
                match told {
                    Ok(told)
                        if told.starts_with(&format!("bad.toml:{line}: {key}"))
                            && told.contains(&part) => {}
                    Ok(told) | Err(told) if is_own(key) && experiment == "network" => {
                        assert!(told.contains("unknown key"), "{told}");
                    }
                    Ok(told) | Err(told) => faults.push(format!(
                        "{experiment}: {key} = {value}, expected an error with \"{part}\" of line {line}: {told}"
                    )),
                }
            }
        }
        assert!(known > 0, "no experiment knows {key}");
    }
    assert!(cases > 400, "only {cases} cases");
    assert!(
        faults.is_empty(),
        "{} of {cases} cases:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// Numbers that are within their ranges but not together.
#[test]
fn tables_larger_than_the_network_are_refused() {
    compare(
        "experiment = \"convergence\"\n[convergence]\nnodes = 12\n",
        &[
            (
                "table-size = 12\n",
                &[],
                "bad.toml:4: convergence.table-size: expected at most the 11 other nodes, found 12",
            ),
            (
                "table-size = 11\n[sweep]\n\"convergence.nodes\" = [12, 11]\n",
                &[],
                "bad.toml:4: convergence.table-size: expected at most the 10 other nodes, found 11",
            ),
        ],
    );
    compare(
        "experiment = \"delaunay\"\n[delaunay]\nnodes = 3\n",
        &[
            // The published number, a default, of the nearest is three.
            (
                "",
                &[],
                "bad.toml:2: delaunay.nearest: expected at most the 2 other nodes, found 3",
            ),
            (
                "nearest = 1\ntable-size = 3\n",
                &[],
                "bad.toml:5: delaunay.table-size: expected at most the 2 other nodes, found 3",
            ),
        ],
    );
}

#[test]
fn unknown_names_are_refused_and_the_nearest_is_suggested() {
    compare(
        NETWORK,
        &[
            (
                "[overlay]\nnods = 100\n",
                &[],
                "bad.toml:3: overlay.nods: unknown key; did you mean `overlay.nodes`?",
            ),
            (
                "[overlay]\n[overlay.chord]\nsucessors = 2\n",
                &[],
                "bad.toml:4: overlay.chord.sucessors: unknown key; did you mean \
                 `overlay.chord.successors`?",
            ),
            (
                "sede = 3\n",
                &[],
                "bad.toml:2: sede: unknown key; did you mean `seed`?",
            ),
            (
                "[overlya]\nnodes = 10\n",
                &[],
                "bad.toml:3: overlya.nodes: unknown key; did you mean `overlay.nodes`?",
            ),
            ("[overlya]\n", &[], "bad.toml:2: overlya: unknown key; ..."),
            // A table without keys is one that is not meant, too.
            (
                "[overlay.chrod]\n",
                &[],
                "bad.toml:2: overlay.chrod: unknown key; ...",
            ),
            (
                "[overlay]\nnodes = 20\n[overlay.chrod]\n",
                &[],
                "bad.toml:4: overlay.chrod: unknown key; ...",
            ),
            (
                "[as-coded]\nrounds = 3\n",
                &[],
                "bad.toml:3: as-coded.rounds: unknown key; ...",
            ),
            // A key that ranges have is no key of an experiment.
            (
                "[overlay.chord]\nfrom = 3\n",
                &[],
                "bad.toml:3: overlay.chord.from: unknown key; ...",
            ),
            (
                "[[figre]]\nx = \"overlay.nodes\"\n",
                &[],
                "bad.toml:2: figre: unknown key; did you mean `figure`?",
            ),
            (
                "[underlay]\nlink-latency = { distribution = \"exponential\", mean = \"2 ms\", sd = \"1 ms\" }\n",
                &[],
                "bad.toml:3: underlay.link-latency: unknown key `sd` in a distribution; expected \
                 distribution, mean",
            ),
        ],
    );
}

#[test]
fn values_that_cannot_be_meant_are_refused() {
    compare(
        NETWORK,
        &[
            (
                "[overlay.chord]\ntimeout = \"30 lightyears\"\n",
                &[],
                "bad.toml:3: overlay.chord.timeout: expected a duration with its unit, such as \
                 \"30 s\" above 0, found \"30 lightyears\"",
            ),
            (
                "[overlay.chord]\ntimeout = 30\n",
                &[],
                "bad.toml:3: overlay.chord.timeout: expected a duration with its unit, such as \
                 \"30 s\" above 0, found 30",
            ),
            (
                "[overlay.chord]\ntimeout = \"0 s\"\n",
                &[],
                "bad.toml:3: overlay.chord.timeout: expected a duration with its unit, such as \
                 \"30 s\" above 0, found \"0 s\"",
            ),
            (
                "[overlay.chord]\nstabilise = \"0 s\"\n",
                &[],
                "bad.toml:3: overlay.chord.stabilise: expected a duration above zero such as \
                 \"30 s\", or \"never\", found \"0 s\"",
            ),
            (
                "[overlay]\nlookup = \"recursiv\"\n",
                &[],
                "bad.toml:3: overlay.lookup: expected one of \"recursive\", \"semi-recursive\", \
                 \"iterative\", found \"recursiv\"",
            ),
            (
                "overlay.protocol = \"vhash\"\noverlay.vhash.dimensions = 0\n",
                &[],
                "bad.toml:3: overlay.vhash.dimensions: expected an integer between 1 and 32, found 0",
            ),
            (
                "[overlay]\nnodes = 0\n",
                &[],
                "bad.toml:3: overlay.nodes: expected an integer between 1 and 10000000, found 0",
            ),
            (
                "[underlay]\nnodes = 50\n[overlay]\nnodes = 51\n",
                &[],
                "bad.toml:5: overlay.nodes: 51 nodes do not fit on the 50 hosts of the underlay; \
                 raise `underlay.nodes` or set `overlay.placement = \"shared\"`",
            ),
            // A key that takes its default stands in no line.
            (
                "[underlay]\nnodes = 50\n",
                &[],
                "bad.toml: overlay.nodes: 1000 nodes do not fit on the 50 hosts of the underlay; \
                 raise `underlay.nodes` or set `overlay.placement = \"shared\"`",
            ),
            (
                "[overlay]\nnodes = 8\n[overlay.chord]\nsuccessors = 8\n",
                &[],
                "bad.toml:5: overlay.chord.successors: expected at most the 7 other nodes, found 8",
            ),
            (
                "[overlay]\nstart = \"random\"\n[time]\ntransition = \"9 s\"\n",
                &[],
                "bad.toml:3: overlay.start: chord starts \"converged\" or by \"join\": nodes that \
                 know a few random others do not find their ring",
            ),
            (
                "[overlay]\nstart = \"join\"\n[time]\ntransition = \"0 s\"\n",
                &[],
                "bad.toml:5: time.transition: expected a time above zero in which a network that \
                 starts with \"join\" finds itself",
            ),
            (
                "[overlay]\nstart = \"join\"\n[overlay.chord]\nstabilise = \"never\"\n\
                 [time]\ntransition = \"9 s\"\n",
                &[],
                "bad.toml:5: overlay.chord.stabilise: nodes that join need to stabilise; expected \
                 a duration",
            ),
            (
                "[workload]\nlookups = 9\ninterval = \"9 s\"\n",
                &[],
                "bad.toml:4: workload.interval: expected either `lookups` or `interval`",
            ),
            (
                "[time]\n[workload]\ninterval = \"9 s\"\n",
                &[],
                "bad.toml:2: time.measure: expected the time in which nodes look up keys at \
                 `workload.interval`",
            ),
            (
                "[time]\ntransition = \"9 s\"\nmax = \"8 s\"\n",
                &[],
                "bad.toml:4: time.max: the run would stop before it starts to measure at 9 s",
            ),
            (
                "[overlay]\nprotocol = \"vhash\"\n[overlay.vhash]\nembedding = \"springs\"\n\
                 gossip = \"never\"\n",
                &[],
                "bad.toml:6: overlay.vhash.gossip: nodes find their peers and measure latencies \
                 by gossip; expected a duration",
            ),
            (
                "[underlay]\nlink-latency = { distribution = \"uniform\", low = \"2 ms\", high = \"1 ms\" }\n",
                &[],
                "bad.toml:3: underlay.link-latency: `low` (2 ms) is above `high` (1 ms)",
            ),
            (
                "[underlay]\nlink-latency = { distribution = \"normal\", mean = \"2 ms\" }\n",
                &[],
                "bad.toml:3: underlay.link-latency: a distribution of this kind needs the key `sd`",
            ),
            (
                "[overlay]\nprotocol = \"urdht\"\nstart = \"random\"\n[overlay.urdht]\n\
                 gossip = \"never\"\n[time]\ntransition = \"1 s\"\n",
                &[],
                "bad.toml:6: overlay.urdht.gossip: nodes find their peers by gossip; expected a \
                 duration",
            ),
            (
                "[overlay]\nprotocol = \"urdht\"\n[overlay.urdht]\ntable-size = 1\n",
                &[],
                "bad.toml:5: overlay.urdht.table-size: on this space a node needs a successor and \
                 a predecessor; expected at least 2, found 1",
            ),
            (
                "[overlay]\nprotocol = \"urdht\"\n[overlay.urdht]\nspace = \"symphony\"\n\
                 table-size = 1\n",
                &[],
                "bad.toml:6: overlay.urdht.table-size: on this space a node needs a neighbour on \
                 each side; expected at least 2, found 1",
            ),
            (
                "[underlay]\nlink-latency = { distribution = \"cauchy\", mean = \"2 ms\" }\n",
                &[],
                "bad.toml:3: underlay.link-latency: expected one of uniform, normal, lognormal, \
                 exponential, weibull, pareto as `distribution`, found \"cauchy\"",
            ),
        ],
    );
}

#[test]
fn growth_refuses_what_a_reading_does_not_know() {
    compare(
        "experiment = \"growth\"\n",
        &[
            (
                "[growth]\nreading = \"as-coded\"\n[overlay.urdht]\nspace = \"clique\"\n",
                &[],
                "bad.toml:5: overlay.urdht.space: the published program knows \"ring\", \"xor\", \
                 \"euclidean\" and \"hyperbolic\", not \"clique\"; set `growth.reading = \"sound\"`",
            ),
            (
                "[overlay.urdht]\ngossip = \"never\"\n",
                &[],
                "bad.toml:3: overlay.urdht.gossip: nodes find their peers by gossip; expected a \
                 duration",
            ),
            (
                "[overlay.urdht]\ntable-size = 1\n",
                &[],
                "bad.toml:3: overlay.urdht.table-size: on this space a node needs a successor and \
                 a predecessor; expected at least 2, found 1",
            ),
            (
                "[growth]\nnodes = 1\n",
                &[],
                "bad.toml:3: growth.nodes: expected an integer between 2 and 20000, found 1",
            ),
        ],
    );
}

#[test]
fn files_that_are_no_scenario_are_refused() {
    compare(
        "",
        &[
            (
                "seed = 1\n",
                &[],
                "bad.toml: experiment: the key is missing; expected one of \"network\", \
                 \"convergence\", \"delaunay\", \"dgvh-cost\", \"growth\", \"balance\", \"vhash-latency-as-coded\"",
            ),
            (
                "\nexperiment = \"netwrok\"\n",
                &[],
                "bad.toml:2: experiment: expected one of \"network\", \"convergence\", \
                 \"delaunay\", \"dgvh-cost\", \"growth\", \"balance\", \"vhash-latency-as-coded\", \
                 found \"netwrok\"",
            ),
            (
                "experiment = 3\n",
                &[],
                "bad.toml:1: experiment: expected text, found 3",
            ),
            (
                "seed = 1\nseed = = 1\n",
                &[],
                "bad.toml:2: not valid TOML: ...",
            ),
            (
                "seed = 1\n\nseed = 2\n",
                &[],
                "bad.toml:3: not valid TOML: duplicate key",
            ),
            (
                "seed = 1\nrepetitions = 99999999999999999999\n",
                &[],
                "bad.toml:2: not valid TOML: ...",
            ),
            ("", &[], "bad.toml: experiment: the key is missing; ..."),
        ],
    );
    let deep = format!("seed = 1\na = {}\n", "[".repeat(100_000));
    let told = refuse(&deep, &[]).expect("an error");
    assert!(told.starts_with("bad.toml:2: not valid TOML: "), "{told}");
}

#[test]
fn faults_of_a_sweep_name_its_line() {
    compare(
        NETWORK,
        &[
            (
                "[sweep]\n\"overlay.nodes\" = []\n",
                &[],
                "bad.toml:3: sweep.overlay.nodes: expected at least one value",
            ),
            (
                "[sweep]\n\"overlay.nodes\" = 5\n",
                &[],
                "bad.toml:3: sweep.overlay.nodes: expected an array, or a range such as \
                 { from = 8, to = 64, times = 2 }",
            ),
            (
                "[sweep]\n\"overlay.nodes\" = [5, 6, 5]\n",
                &[],
                "bad.toml:3: sweep.overlay.nodes: a value stands twice",
            ),
            (
                "[[sweep.zip]]\n\"overlay.nodes\" = [5, 5, 5]\n\
                 \"overlay.protocol\" = [\"chord\", \"vhash\", \"chord\"]\n",
                &[],
                "bad.toml:3: sweep.zip[0].overlay.nodes: a value stands twice",
            ),
            (
                "[sweep]\n\n\"overlay.nodes\" = { from = 1, to = 1_000_000_000, step = 1 }\n",
                &[],
                "bad.toml:4: sweep.overlay.nodes: a range of more than 1000000 values",
            ),
            (
                "[sweep]\n\"overlay.nodes\" = { from = 9, to = 8, step = 1 }\n",
                &[],
                "bad.toml:3: sweep.overlay.nodes: expected at least one value",
            ),
            (
                "[sweep]\n\"overlay.nodes\" = { from = 1, to = 2000, step = 1 }\n\
                 \"workload.lookups\" = { from = 1, to = 2000, step = 1 }\n",
                &[],
                "bad.toml:2: sweep: the sweep has more than 1000000 points",
            ),
            (
                "[[sweep.zip]]\n\"overlay.nodes\" = [5, 6]\n\"overlay.protocol\" = [\"chord\"]\n",
                &[],
                "bad.toml:4: sweep.zip[0].overlay.protocol: arrays that go in step are of equal length: \
                 1 values here, 2 for `overlay.nodes`",
            ),
            (
                "[sweep]\noverlay.nodes = [5]\n[[sweep.zip]]\n\"overlay.nodes\" = [5, 6]\n",
                &[],
                "bad.toml:3: sweep.overlay.nodes: the key is swept twice",
            ),
            (
                "[sweep]\n\"overlay.nods\" = [5, 6]\n",
                &[],
                "bad.toml:3: overlay.nods: unknown key; did you mean `overlay.nodes`?",
            ),
            (
                "[[sweep.zip]]\n\"overlay.lookup\" = [\"recursive\"]\n[[sweep.zip]]\n\
                 \"overlay.nods\" = [5, 6]\n",
                &[],
                "bad.toml:5: overlay.nods: unknown key; did you mean `overlay.nodes`?",
            ),
            ("sweep = 3\n", &[], "bad.toml:2: sweep: expected a table"),
            (
                "[[sweep.zip]]\n",
                &[],
                "bad.toml:2: sweep.zip: expected keys with arrays of equal length",
            ),
            // A bad value inside of a sweep, which also stands outside of it.
            (
                "[overlay]\nnodes = 10\n[sweep]\n\"workload.lookups\" = [1]\n\
                 \"overlay.nodes\" = [5, \"six\"]\n",
                &[],
                "bad.toml:6: overlay.nodes: expected an integer between 1 and 10000000, found \"six\"",
            ),
            (
                "[sweep]\noverlay.nodes = [5, 0]\n",
                &[],
                "bad.toml:3: overlay.nodes: expected an integer between 1 and 10000000, found 0",
            ),
            (
                "[[sweep.zip]]\n\"workload.lookups\" = [1, 2]\noverlay.protocol = [\"chord\", \"no-such\"]\n",
                &[],
                "bad.toml:4: overlay.protocol: expected one of \"chord\", ...",
            ),
            (
                "[overlay]\nnodes = 10\n[sweep]\n\"underlay.nodes\" = [10, 5]\n",
                &[],
                "bad.toml:3: overlay.nodes: 10 nodes do not fit on the 5 hosts of the underlay; ...",
            ),
        ],
    );
}

/// Keys that are about the scenario as a whole do not change a run: swept, they would give the
/// same run at every point.
#[test]
fn keys_of_the_head_are_not_swept() {
    for (key, values) in [
        ("seed", "[1, 2]"),
        ("repetitions", "[1, 2]"),
        ("title", "[\"a\", \"b\"]"),
        ("experiment", "[\"network\", \"vhash-latency-as-coded\"]"),
    ] {
        let text = format!("{NETWORK}[overlay]\nnodes = 9\n[sweep]\n{key} = {values}\n");
        let told = refuse(&text, &[]).unwrap_or_else(|fault| panic!("sweep of {key}: {fault}"));
        assert!(
            told.starts_with("bad.toml:5: ") && told.contains(key),
            "{told}"
        );
    }
}

#[test]
fn faults_of_a_figure_are_found_before_anything_runs() {
    const SWEEP: &str =
        "experiment = \"network\"\n[overlay]\nnodes = 9\n[sweep]\n\"overlay.nodes\" = [5, 6]\n";
    compare(
        SWEEP,
        &[
            (
                "[[figure]]\nx = \"overlay.nodes\"\ny = \"hops\"\n",
                &[],
                "bad.toml:8: figure[0].y: expected a metric, found `hops`; known are lookups, ...",
            ),
            (
                "[[figure]]\nx = \"overlay.nods\"\ny = \"events\"\n",
                &[],
                "bad.toml:7: figure[0].x: expected a swept key, found `overlay.nods`; known are \
                 overlay.nodes",
            ),
            (
                "[[figure]]\nx = \"overlay.nodes\"\n",
                &[],
                "bad.toml:6: figure[0].y: missing: expected a metric; known are lookups, ...",
            ),
            (
                "[[figure]]\nx = \"overlay.nodes\"\ny = \"events\"\n\n[[figure]]\n\n\
                 kind = \"histogramm\"\n",
                &[],
                "bad.toml:12: figure[1].kind: unknown variant `histogramm`, expected one of ...",
            ),
            (
                "\"overlay.protocol\" = [\"chord\", \"vhash\"]\n\
                 [[figure]]\nx = \"overlay.nodes\"\ny = \"events\"\n",
                &[],
                "bad.toml:7: figure[0].series: key `overlay.protocol` is swept but the figure \
                 neither uses nor fixes it: ...",
            ),
            (
                "[[figure]]\nkind = \"histogram\"\nquantity = \"overlay_hop\"\nseries = \"overlay.nodes\"\n",
                &[],
                "bad.toml:8: figure[0].quantity: ...",
            ),
            (
                "[[figure]]\nname = \"a\"\nx = \"overlay.nodes\"\ny = \"events\"\n\
                 [[figure]]\nname = \"a\"\nx = \"overlay.nodes\"\ny = \"messages\"\n",
                &[],
                "bad.toml:11: figure[1].name: ...",
            ),
            (
                "[[figure]]\nname = \"../a\"\nx = \"overlay.nodes\"\ny = \"events\"\n",
                &[],
                "bad.toml:7: figure[0].name: expected the stem of a file name ...",
            ),
            (
                "[[figure]]\nkind = \"histogram\"\nquantity = \"overlay_hops\"\n\
                 where = { \"overlay.nodes\" = 7 }\n",
                &[],
                "bad.toml:9: figure[0].where: ...",
            ),
        ],
    );
    compare(
        NETWORK,
        &[
            (
                "figure = \"a\"\n",
                &[],
                "bad.toml:2: figure: expected tables [[figure]]",
            ),
            (
                "[figure]\nx = \"overlay.nodes\"\n",
                &[],
                "bad.toml:2: figure: expected tables [[figure]]",
            ),
        ],
    );
    let typo = format!("{SWEEP}[[figure]]\nx = \"overlay.nodes\"\nyy = \"events\"\n");
    let told = refuse(&typo, &[]).expect("an error");
    assert!(
        told.starts_with("bad.toml:") && told.contains("figure[0]") && told.contains("`yy`"),
        "{told}"
    );
}

#[test]
fn faults_of_options_name_the_option() {
    compare(
        NETWORK,
        &[
            (
                "",
                &["--set", "overlay.nodes"],
                "bad.toml: --set overlay.nodes: expected KEY=VALUE",
            ),
            (
                "[overlay]\nnodes = 10\n",
                &["--set", "overlay.nodes=many"],
                "bad.toml: --set overlay.nodes=many: overlay.nodes: expected an integer between 1 \
                 and 10000000, found \"many\"",
            ),
            (
                "[sweep]\n\"overlay.nodes\" = [10]\n",
                &["--set", "overlay.nodes=0"],
                "bad.toml: --set overlay.nodes=0: overlay.nodes: expected an integer between 1 and \
                 10000000, found 0",
            ),
            (
                "",
                &["--set", "overlay.nods=5"],
                "bad.toml: --set overlay.nods=5: overlay.nods: unknown key; did you mean \
                 `overlay.nodes`?",
            ),
            (
                "",
                &["--set", "overlay=5"],
                "bad.toml: --set overlay=5: overlay: expected a table...",
            ),
            ("", &["--set", "=5"], "bad.toml: --set =5: ..."),
            (
                "",
                &["--set", "sweep.overlay.nodes=[5, 0]"],
                "bad.toml: --set sweep.overlay.nodes=[5, 0]: overlay.nodes: expected an integer \
                 between 1 and 10000000, found 0",
            ),
            (
                "",
                &["--set", "sweep.overlay.nods=[5]"],
                "bad.toml: --set sweep.overlay.nods=[5]: overlay.nods: unknown key; did you mean \
                 `overlay.nodes`?",
            ),
            (
                "[sweep]\n\"overlay.nodes\" = [10]\n",
                &["--set", "sweep.overlay.nodes=5"],
                "bad.toml: --set sweep.overlay.nodes=5: sweep.overlay.nodes: expected an array, ...",
            ),
            (
                "",
                &["--repetitions", "0"],
                "bad.toml: --repetitions: repetitions: expected an integer between 1 and 1000000, \
                 found 0",
            ),
            (
                "",
                &["--only", "000000000000"],
                "--only 000000000000: no run of that name; the column `run` of runs.csv has them",
            ),
        ],
    );
    let told = refuse(NETWORK, &["--seed", "18446744073709551615"]).expect("an error");
    assert!(
        told.contains("--seed") && !told.contains("found -1"),
        "the error tells of a value that nobody gave: {told}"
    );
}

/// What stands under [quick] is checked in every run, not only in one with --quick.
#[test]
fn faults_of_the_quick_table_name_their_line() {
    for options in [&[] as &[&str], &["--quick"]] {
        compare(
            NETWORK,
            &[
                (
                    "[quick]\n\"overlay.nods\" = 5\n",
                    options,
                    "bad.toml:3: ...",
                ),
                (
                    "quick = 3\n",
                    options,
                    "bad.toml:2: quick: expected a table...",
                ),
            ],
        );
    }
    compare(
        NETWORK,
        &[
            (
                "[overlay]\nnodes = 7\n[quick]\n\"overlay.nodes\" = 0\n",
                &["--quick"],
                "bad.toml:5: overlay.nodes: expected an integer between 1 and 10000000, found 0",
            ),
            (
                "[sweep]\n\"overlay.nodes\" = [5]\n[quick.sweep]\n\"overlay.nodes\" = [5, 0]\n",
                &["--quick"],
                "bad.toml:5: overlay.nodes: expected an integer between 1 and 10000000, found 0",
            ),
        ],
    );
}

#[test]
fn malformed_graphs_are_refused_with_their_own_line() {
    const FILE: &str = "experiment = \"network\"\noverlay.nodes = 3\n[underlay]\nmodel = \"file\"\n[underlay.file]\n";
    const GUESSED: &str = " (guessed to be an rtt-matrix; `format` can tell)";
    for (graph, format, told) in [
        (
            "none.txt",
            "",
            ": cannot be read: No such file or directory (os error 2)",
        ),
        ("", "", ": cannot be read: Is a directory (os error 21)"),
        (
            "truncated.gml",
            "",
            ":4: the file ends inside `node [` of line 3",
        ),
        (
            "negative.txt",
            "",
            ":2: malformed entry \"-3\" in column 3: a round-trip time cannot be negative; `-`, \
             `?` or `*` stand for a missing one?",
        ),
        (
            "oblong.txt",
            "",
            ":3: expected 4 rows, as many as columns, found 3?",
        ),
        (
            "oblong.txt",
            "rtt-matrix",
            ":3: expected 4 rows, as many as columns, found 3",
        ),
        (
            "ragged.txt",
            "",
            ":2: expected 4 columns as in the first row, found 3?",
        ),
        (
            "nan.txt",
            "",
            ":2: malformed entry \"NaN\" in column 3, expected a round-trip time?",
        ),
        ("empty.txt", "", ":1: the file is empty"),
        ("empty.txt", "gml", ":1: the file is empty"),
        ("blank.txt", "", ":1: the file is empty"),
        ("binary.txt", "", ":2: not UTF-8 text: found the byte 0xff"),
        ("triangle.txt", "gml", ":..."),
        ("triangle.txt", "graphml", ":..."),
        (
            "triangle.txt",
            "rtt-matrix",
            ":1: malformed entry \"a\" ...",
        ),
    ] {
        let format = match format {
            "" => String::new(),
            format => format!("format = \"{format}\"\n"),
        };
        let text = format!("path = \"graphs/{graph}\"\n{format}");
        let told = match told.strip_suffix('?') {
            Some(told) => format!("{told}{GUESSED}"),
            None => told.to_owned(),
        };
        let told = format!("bad.toml:6: underlay.file.path: graphs/{graph}{told}");
        compare(FILE, &[(&text, &[], &told)]);
    }
    compare(
        FILE,
        &[
            (
                "path = \"graphs/triangle.txt\"\ncontent = \"00\"\n",
                &[],
                "bad.toml:7: underlay.file.content: graphs/triangle.txt: expected the SHA-1 00, \
                 found 446108e00e0834df1725bb5236c4370fc53d53f8",
            ),
            (
                "",
                &[],
                "bad.toml:5: underlay.file.path: expected the path of a file",
            ),
            (
                "path = \"graphs/triangle.txt\"\n[sweep]\n\"overlay.nodes\" = [3, 4]\n",
                &[],
                "bad.toml:8: overlay.nodes: 4 nodes do not fit on the 3 hosts of the underlay; ...",
            ),
        ],
    );
}

/// A path in a scenario file starts at the folder of that file, wherever the command is run.
#[test]
fn a_missing_graph_is_named_from_the_folder_of_the_scenario() {
    let lab = Lab::new();
    let text = "experiment = \"network\"\noverlay.nodes = 3\nunderlay.model = \"file\"\n\
                underlay.file.path = \"graphs/triangle.txt\"\n";
    lab.write("deep/bad.toml", text);
    write_graphs(&lab);
    let ended = lab.dhtlab(&["run", "deep/bad.toml", "--out", "out"]);
    assert_eq!(fault_of_refusal(&lab, &ended), None, "{}", ended.stderr);
    assert_eq!(
        ended.stderr,
        "error: deep/bad.toml:4: underlay.file.path: deep/graphs/triangle.txt: cannot be read: \
         No such file or directory (os error 2)\n"
    );
    lab.write("deep/graphs/triangle.txt", "a b\nb c\nc a\n");
    lab.succeed(&["check", "deep/bad.toml"]);
}

#[test]
fn scenario_files_that_cannot_be_read_are_refused() {
    let lab = Lab::new();
    lab.write("good.toml", "experiment = \"network\"\noverlay.nodes = 3\n");
    lab.write("folder.toml/inside", "");
    lab.write("latin.toml", b"experiment = \"network\" # caf\xe9\n");
    for (file, told) in [
        (
            "none.toml",
            "none.toml: the file cannot be read: No such file or directory (os error 2)",
        ),
        (
            "folder.toml",
            "folder.toml: the file cannot be read: Is a directory (os error 21)",
        ),
        (
            "latin.toml",
            "latin.toml: the file cannot be read: stream did not contain valid UTF-8",
        ),
    ] {
        // The fault of the second is found before the first is run.
        for command in [&["check"] as &[&str], &["run", "--out", "out"]] {
            let ended = lab.dhtlab(&[command, &["good.toml", file]].concat());
            assert_eq!(fault_of_refusal(&lab, &ended), None, "{}", ended.stderr);
            assert_eq!(ended.stderr, format!("error: {told}\n"));
        }
    }
}

#[test]
fn two_scenarios_of_one_name_are_refused() {
    let lab = Lab::new();
    lab.write(
        "a/same.toml",
        "experiment = \"network\"\noverlay.nodes = 3\n",
    );
    lab.write(
        "b/same.toml",
        "experiment = \"network\"\noverlay.nodes = 4\n",
    );
    let ended = lab.dhtlab(&["run", "a/same.toml", "b/same.toml", "--out", "out"]);
    assert_eq!(fault_of_refusal(&lab, &ended), None, "{}", ended.stderr);
    assert_eq!(
        ended.stderr,
        "error: a/same.toml and b/same.toml would write to the same folder `same`\n"
    );
}

/// How much memory there is, is known where the system tells it.
#[test]
#[cfg(target_os = "linux")]
fn a_scenario_that_needs_more_memory_than_there_is_is_refused() {
    let text = "[underlay]\nmodel = \"constant\"\nnodes = 10_000_000\n[overlay]\n\
                protocol = \"vhash\"\nnodes = 10_000_000\n[overlay.vhash]\nlong-peers = 1_000_000\n";
    let text = format!("{NETWORK}{text}");
    let told = refuse(&text, &[]).expect("an error");
    assert!(
        told.starts_with("bad.toml: the largest run would take about 4")
            && told.contains(" GB of memory; this machine has "),
        "{told}"
    );
    let lab = Lab::new();
    lab.write("bad.toml", text);
    let ended = lab.dhtlab(&["check", "bad.toml"]);
    assert_eq!(fault_of_refusal(&lab, &ended), None, "{}", ended.stderr);
}

/// Whether and how `check` ended within three seconds; a list of a billion runs would take the
/// memory of the machine before.
fn check_in_time(text: &str) -> (Option<i32>, String) {
    let lab = Lab::new();
    lab.write("bad.toml", text);
    let mut check = lab.start(&["check", "bad.toml"]);
    let mut code = None;
    for _ in 0..600 {
        std::thread::sleep(Duration::from_millis(50));
        if let Some(status) = check.try_wait().expect("a child") {
            code = status.code();
            break;
        }
    }
    let _ = check.kill();
    let _ = check.wait();
    (code, lab.read("stderr"))
}

/// Each point alone is within bounds, and so is each number.
#[test]
fn a_sweep_of_a_billion_runs_is_refused_at_once() {
    for (what, text) in [
        (
            "repetitions",
            "repetitions = 1_000_000\n[sweep]\n\
             \"workload.lookups\" = { from = 1, to = 1000, step = 1 }\n",
        ),
        (
            "a long range beside another",
            "[sweep]\n\"workload.lookups\" = { from = 1, to = 1_000_000, step = 1 }\n\
             \"overlay.nodes\" = { from = 1, to = 1000, step = 1 }\n",
        ),
    ] {
        let (code, stderr) = check_in_time(&format!("{NETWORK}{text}"));
        assert_eq!(code, Some(2), "{what}: not refused within 30 s: {stderr}");
        assert!(stderr.starts_with("error: bad.toml:"), "{what}: {stderr}");
    }
}

#[test]
fn an_output_folder_that_cannot_be_written_is_found_before_the_first_run() {
    let good = "experiment = \"network\"\noverlay.nodes = 3\nworkload.lookups = 5\n";
    let lab = Lab::new();
    lab.write("a.toml", good);
    lab.write("b.toml", good);
    lab.write("file", "mine");
    // A file where the folder of all results, or that of one scenario, should be.
    let ended = lab.dhtlab(&["run", "a.toml", "--out", "file"]);
    assert_eq!(fault_of_refusal(&lab, &ended), None, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .starts_with("error: file/a: cannot write results: "),
        "{}",
        ended.stderr
    );
    assert_eq!(lab.read("file"), "mine");
    lab.write("results/b", "mine");
    let ended = lab.dhtlab(&["run", "a.toml", "b.toml", "--out", "results"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert_eq!(lab.read("results/b"), "mine");
    assert!(
        !ended.stderr.contains("done") && !lab.path("results/a/runs.csv").exists(),
        "`a` was run although it was clear that the results of `b` cannot be written: {}",
        ended.stderr
    );
}

/// What is found only while the world is built is a failed run, not a wrong input: code 1.
#[test]
fn nodes_that_do_not_fit_on_the_connected_part_of_a_graph_fail_the_run() {
    let lab = Lab::new();
    write_graphs(&lab);
    lab.write(
        "bad.toml",
        "experiment = \"network\"\nworkload.lookups = 5\nunderlay.model = \"file\"\n\
         underlay.file.path = \"graphs/island.txt\"\n[sweep]\n\"overlay.nodes\" = [3, 4]\n",
    );
    let ended = lab.dhtlab(&["run", "bad.toml", "--out", "out"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let last = ended.stderr.lines().last().expect("an error");
    assert!(
        last.starts_with("error: bad: 1 runs failed; run ")
            && last.ends_with(
                ": overlay.nodes: 4 nodes do not fit on the 3 connected hosts of this underlay"
            ),
        "{last}"
    );
    // The run that was possible is there.
    assert_eq!(ended.runs_and_new(), (1, 1));
    assert_eq!(lab.table("out/bad/runs.csv").column("overlay.nodes"), ["3"]);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}
