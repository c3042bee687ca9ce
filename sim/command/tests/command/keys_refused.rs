//! Unknown keys, and known keys with invalid values.

use crate::lab::Lab;
use crate::refusal::{NETWORK, compare, refuse};
use serde_json::Value;

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
        Some("string")
            if property["pattern"]
                .as_str()
                .is_some_and(|p| p.contains("a-f")) =>
        {
            for value in ["5", "true", "\"\"", "\"12ab\"", "[1]", "\"+1\""] {
                add(value, "hex digits, found ");
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
        Some("array") if property["items"]["type"] == "integer" => {
            for value in ["3", "\"3\"", "[1.5]", "[-1]", "[[1]]", "{ a = 1 }"] {
                let told = if value.starts_with('{') {
                    ""
                } else {
                    "expected a list of integers"
                };
                add(value, told);
            }
        }
        Some("array") => add("3", "expected tables"),
        _ if property["anyOf"][1]["type"] == "array" => {
            for value in ["5", "true", "\"no-such-word\"", "[1]", "{ a = 1 }"] {
                let told = property["$comment"].as_str().expect("what it takes");
                // The name of a file is any text.
                if key == "job.files" && value.contains("no-such-word") {
                    continue;
                }
                add(value, if value.starts_with('{') { "" } else { told });
            }
        }
        _ if property["anyOf"][0]["type"] == "integer" => {
            for value in ["\"many\"", "true", "1.5", "-1", "[1]"] {
                add(value, "expected an integer, or a table");
            }
            add("{ }", "");
        }
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

/// Experiments that build no network; what stands in a table of their name is theirs alone.
const WITHOUT_NETWORK: [&str; 10] = [
    "balance",
    "convergence",
    "delaunay",
    "dgvh-cost",
    "eclipse",
    "lookup-rounds",
    "mashing",
    "prefix-divergence",
    "resilience",
    "size-estimate",
];

/// Whether a key stands in a table that `network` does not have.
fn is_own(key: &str) -> bool {
    let table = key.split('.').next().unwrap_or_default();
    [
        "as-coded",
        "balancing",
        "censorship",
        "diagram",
        "growth",
        "job",
        "nodes",
        "providers",
        "storage",
    ]
    .contains(&table)
        || WITHOUT_NETWORK.contains(&table)
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
            ("underlay.file.path", "\"graphs/triangle.txt\"".to_owned()),
        ]);
    }
    let parts: Vec<&str> = key.split('.').collect();
    if experiment == "diagram" {
        // A picture without a network has no tables of one.
        let picture = match parts.as_slice() {
            ["diagram", "ring" | "picture", ..] => "ring-fingers",
            ["diagram", picture, ..] => picture,
            _ => "job-tree",
        };
        if !["job-tree", "dartboard"].contains(&picture) {
            lines.retain(|(name, _)| *name == "experiment");
        }
        lines.push(("diagram.picture", format!("\"{picture}\"")));
    } else if experiment != "job"
        && !WITHOUT_NETWORK.contains(&experiment)
        && experiment != "growth"
    {
        lines.push(("workload.lookups", "5".to_owned()));
    }
    if experiment == "storage" {
        lines.extend([
            ("storage.replicas", "2".to_owned()),
            ("time.transition", "\"60 s\"".to_owned()),
            ("time.measure", "\"60 s\"".to_owned()),
        ]);
    }
    if experiment == "providers" {
        if !matches!(parts.as_slice(), ["overlay", _, _]) {
            lines.push(("overlay.protocol", "\"kademlia\"".to_owned()));
        }
        lines.push(("time.measure", "\"60 s\"".to_owned()));
    }
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
                        if told.lines().any(|told| {
                            told.starts_with(&format!("bad.toml:{line}: {key}"))
                                && told.contains(&part)
                        }) => {}
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
