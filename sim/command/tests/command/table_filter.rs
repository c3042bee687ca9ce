//! The key `tables`: rows left out of the results, and the effect on existing results.

use crate::lab::Lab;
use crate::refusal::compare;
use std::collections::BTreeSet;

/// Churn, so that there is a timeline beside the histogram; a line for `tables` goes before it.
const CHURNING: &str = "experiment = \"network\"\nrepetitions = 2\n[underlay]\nnodes = 100\n\
    [overlay]\nnodes = 30\n[churn]\nmodel = \"rates\"\n[churn.rates]\njoins = 0.2\n\
    [time]\ntransition = \"10 s\"\nmeasure = \"60 s\"\n[sweep]\n\
    \"overlay.protocol\" = [\"chord\", \"vhash\"]\n";

fn write(lab: &Lab, tables: &str) {
    lab.write("s.toml", format!("{tables}\n{CHURNING}"));
}

fn files(lab: &Lab, folder: &str) -> Vec<String> {
    let names = lab.files(folder).into_keys();
    names
        .filter(|name| name.ends_with("l") || name.ends_with("v"))
        .collect()
}

#[test]
fn tables_that_are_left_out_are_not_written_and_nothing_else_changes() {
    let lab = Lab::new();
    write(&lab, "");
    lab.succeed(&["run", "s.toml", "--out", "all"]);
    let all = lab.files("all/s");
    assert!(lab.manifest("all/s").get("kept").is_none());
    write(&lab, "tables = []");
    lab.succeed(&["run", "s.toml", "--out", "none"]);
    assert_eq!(files(&lab, "none/s"), ["runs.csv", "summary.csv"]);
    write(&lab, "tables = [\"timeline\", \"histogram.degree\"]");
    lab.succeed(&["run", "s.toml", "--out", "some"]);
    let some = lab.files("some/s");
    for name in ["runs.csv", "summary.csv", "timeline.csv"] {
        assert!(some[name] == all[name], "{name} differs");
    }
    let [whole, part] = ["all", "some"].map(|top| lab.table(&format!("{top}/s/histogram.csv")));
    let quantity = whole.at("quantity");
    let degrees = whole.rows.iter().filter(|row| row[quantity] == "degree");
    assert!(degrees.eq(&part.rows));
    let manifest = lab.manifest("some/s");
    assert_eq!(
        manifest["kept"],
        serde_json::json!(["timeline", "histogram.degree"])
    );
    // One name needs no list, and the option does what the file does.
    write(&lab, "");
    lab.succeed(&["run", "s.toml", "--out", "set", "--set", "tables=[]"]);
    assert!(lab.files("set/s") == lab.files("none/s"));
}

/// Fewer rows are made of what is there; more have to be run for, once.
#[test]
fn rows_that_are_wanted_again_are_run_for() {
    let lab = Lab::new();
    let run = |tables: &str| {
        write(&lab, tables);
        lab.succeed(&["run", "s.toml", "--out", "out"])
    };
    assert_eq!(run("").runs_and_new(), (4, 4));
    let all = lab.files("out/s");
    assert_eq!(run("tables = \"timeline\"").runs_and_new(), (4, 0));
    let one = lab.files("out/s");
    assert!(!one.contains_key("histogram.csv") && one["timeline.csv"] == all["timeline.csv"]);
    assert_eq!(run("tables = \"timeline\"").runs_and_new(), (4, 0));
    assert_eq!(run("tables = []").runs_and_new(), (4, 0));
    let ended = run("tables = \"histogram.degree\"");
    assert_eq!(ended.runs_and_new(), (4, 4));
    let told = "out/s: requested tables are missing: all runs are repeated";
    assert_eq!(ended.stderr.lines().next(), Some(told));
    assert_eq!(run("").runs_and_new(), (4, 4));
    assert!(lab.files("out/s") == all, "other bytes than at first");
    // The journal knows, too: there stand the runs that the scenario no longer asks for.
    let fewer = ["run", "s.toml", "--out", "out", "--repetitions", "1"];
    write(&lab, "tables = []");
    assert_eq!(lab.succeed(&fewer).runs_and_new(), (2, 0));
    assert!(lab.path("out/s/finished.jsonl").exists());
    assert_eq!(run("tables = []").runs_and_new(), (4, 0));
    assert_eq!(lab.succeed(&fewer).runs_and_new(), (2, 0));
    assert_eq!(run("").runs_and_new(), (4, 4));
    assert!(lab.files("out/s") == all, "other bytes than at first");
}

#[test]
fn shards_with_fewer_tables_are_joined() {
    let lab = Lab::new();
    write(&lab, "tables = \"histogram.degree\"");
    lab.succeed(&["run", "s.toml", "--out", "one"]);
    for place in ["1/2", "2/2"] {
        lab.succeed(&["run", "s.toml", "--out", "two", "--shard", place]);
    }
    lab.succeed(&["merge", "two"]);
    assert!(lab.files("one/s") == lab.files("two/s"));
    // A shard that was run before the line was changed is of another whole.
    write(&lab, "");
    lab.succeed(&["run", "s.toml", "--out", "two", "--shard", "2/2"]);
    let ended = lab.dhtlab(&["merge", "two"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("`kept` in manifest.json differs"),
        "{}",
        ended.stderr
    );
}

/// A command that is stopped while it drops rows leaves no tables that pass for whole.
#[test]
fn dropped_rows_are_reported() {
    let lab = Lab::new();
    write(&lab, "");
    lab.succeed(&["run", "s.toml", "--out", "whole"]);
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    for file in ["runs", "histogram", "manifest"] {
        write(&lab, "tables = [\"histogram.degree\"]");
        // This file cannot be replaced.
        let beside = lab.path(&format!("out/s/{file}.new"));
        std::fs::create_dir(&beside).expect("a folder");
        let ended = lab.dhtlab(&["run", "s.toml", "--out", "out"]);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        std::fs::remove_dir(&beside).expect("it was there");
        write(&lab, "");
        lab.succeed(&["run", "s.toml", "--out", "out"]);
        assert!(lab.files("out/s") == lab.files("whole/s"), "{file}");
    }
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let figure = "experiment = \"network\"\n[[figure]]\n";
    let table =
        format!("tables = []\n{figure}table = \"timeline\"\nx = \"time_s\"\ny = \"members\"\n");
    let quantity = format!(
        "tables = [\"histogram.degree\"]\n{figure}kind = \"histogram\"\nquantity = \"stretch\"\n"
    );
    let network = |line: &str| format!("{line}\nexperiment = \"network\"\n");
    let [number, mixed, unknown, of] = ["3", "[1]", "[\"histogramm\"]", "[\"histogram.size\"]"]
        .map(|value| network(&format!("tables = {value}")));
    compare(
        "",
        &[
            (
                &number,
                &[],
                "bad.toml:1: tables: expected a list of tables, or of quantities of them, such as \
                 [\"timeline\", \"histogram.latency_ms\"], found 3",
            ),
            (
                &mixed,
                &[],
                "bad.toml:1: tables: expected a list of tables, ...",
            ),
            (
                &unknown,
                &[],
                "bad.toml:1: tables: expected a list of tables, or of quantities of them, such as \
                 [\"timeline\", \"histogram.latency_ms\"]; this experiment writes histogram, \
                 timeline, lookups, found \"histogramm\"",
            ),
            (
                &of,
                &[],
                "bad.toml:1: tables: expected a list of tables, or of quantities of them, such as \
                 [\"timeline\", \"histogram.latency_ms\"]; `histogram` has overlay_hops, ...",
            ),
            (
                &table,
                &[],
                "bad.toml:4: figure[0].table: `tables` leaves out \"timeline\", which this figure \
                 shows",
            ),
            (
                &quantity,
                &[],
                "bad.toml:5: figure[0].quantity: `tables` leaves out \"histogram.stretch\", which \
                 this figure shows",
            ),
        ],
    );
}

/// Tables that take much room and that no figure, and no published value, is of.
#[test]
fn no_shipped_scenario_leaves_out_what_is_published() {
    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut wanted = BTreeSet::new();
    for entry in std::fs::read_dir(top.join("analysis/published")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let text = std::fs::read_to_string(&path).expect("a file");
            let table = dhtlab_scenario::parse_toml(&text).expect("TOML");
            wanted.extend(claims(&table));
        }
    }
    assert!(wanted.len() > 1, "{wanted:?}");
    for (scenario, table) in wanted {
        let path = top.join(format!("scenarios/{scenario}.toml"));
        let text = std::fs::read_to_string(&path).expect("a shipped scenario");
        let file = dhtlab_scenario::parse_toml(&text).expect("TOML");
        let kept = file
            .get("tables")
            .map(dhtlab_core::parameter::Value::to_string);
        assert!(
            kept.as_ref().is_none_or(|kept| kept.contains(&table)),
            "{scenario}: {table} is left out: {kept:?}"
        );
    }
}

/// The scenarios that published values are held against, each with the tables they are of.
fn claims(file: &dhtlab_core::parameter::Map) -> BTreeSet<(String, String)> {
    let all =
        |table: &dhtlab_core::parameter::Map, key: &str| -> Vec<dhtlab_core::parameter::Map> {
            let items = table
                .get(key)
                .and_then(dhtlab_core::parameter::Value::as_array)
                .cloned();
            let items = items.unwrap_or_default().into_iter();
            items.filter_map(|item| item.as_table().cloned()).collect()
        };
    let text = |table: &dhtlab_core::parameter::Map, key: &str| {
        let text = table
            .get(key)
            .and_then(dhtlab_core::parameter::Value::as_str);
        text.map(str::to_owned)
    };
    let mut wanted = BTreeSet::new();
    for claim in all(file, "claim") {
        let values = all(&claim, "value");
        for reading in all(&claim, "reading") {
            let values = values.iter().chain([&claim, &reading]).cloned();
            let values = values.chain(all(&reading, "value"));
            for table in values.filter_map(|value| text(&value, "table")) {
                let scenario = text(&reading, "scenario").or_else(|| text(&claim, "scenario"));
                wanted.insert((scenario.expect("a scenario"), table));
            }
        }
    }
    wanted
}
