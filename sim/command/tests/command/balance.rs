//! `experiment = "balance"` through the command: its output and its refusals.

use crate::lab::Lab;

const BALANCE: &str = r#"
experiment = "balance"
seed = 3
repetitions = 3
[balance]
nodes = 60
tasks = 3000
trials = 4
histogram-tick = 5
[sweep]
"balance.keys" = ["uniform", "sha1"]
"balance.churn" = [0.0, 0.02]
"#;

/// Every strategy in both readings runs, gives what can be, and the same bytes for any number of
/// threads.
#[test]
fn every_strategy_runs() {
    let lab = Lab::new();
    let strategies = [
        "none",
        "churn",
        "random-injection",
        "neighbour-injection",
        "smart-neighbour",
        "invitation",
        "strength-aware",
        "barren",
        "virtual-nodes",
        "item-balancing",
        "two-choices",
    ];
    let all = format!("{BALANCE}\"balance.strategy\" = {strategies:?}\n");
    lab.write("all.toml", all);
    lab.succeed(&["run", "all.toml", "--out", "one", "--jobs", "1"]);
    lab.succeed(&["run", "all.toml", "--out", "two", "--jobs", "4"]);
    assert_eq!(lab.tables("one"), lab.tables("two"));
    let runs = lab.table("one/all/runs.csv");
    assert_eq!(runs.rows.len(), strategies.len() * 2 * 2 * 3);
    let numbers = |column: &str| runs.numbers(column);
    let (ticks, ideal) = (numbers("ticks"), numbers("ideal_ticks"));
    let (factors, errors) = (numbers("runtime_factor"), numbers("runtime_factor_se"));
    let (hardest, sybils) = (numbers("tasks_hardest"), numbers("sybils_made"));
    let (moved, messages) = (numbers("tasks_moved"), numbers("messages"));
    let (churn, names) = (numbers("balance.churn"), runs.column("balance.strategy"));
    for i in 0..runs.rows.len() {
        assert_eq!(ideal[i], 50.0);
        assert!((factors[i] - ticks[i] / 50.0).abs() < 1e-9);
        assert!(ticks[i] >= 50.0 || churn[i] > 0.0, "{:?}", runs.rows[i]);
        assert!(
            hardest[i] <= ticks[i] && errors[i] >= 0.0,
            "{:?}",
            runs.rows[i]
        );
        let makes = names[i].ends_with("injection")
            || ["smart-neighbour", "invitation", "strength-aware", "barren"].contains(&names[i]);
        assert_eq!(sybils[i] > 0.0, makes, "{:?}", runs.rows[i]);
        let moves = makes || churn[i] > 0.0 || names[i] == "item-balancing";
        assert_eq!(moved[i] > 0.0, moves, "{:?}", runs.rows[i]);
        assert_eq!(messages[i] > 0.0, moves, "{:?}", runs.rows[i]);
    }
    // Three runs of four trials of 60 nodes at a point without churn.
    let timeline = lab.table("one/all/timeline.csv");
    assert!(timeline.column("tick").iter().all(|tick| *tick == "5"));
    let counted: f64 = (0..timeline.rows.len())
        .filter(|row| {
            let at = |column: &str| timeline.rows[*row][timeline.at(column)].as_str();
            at("balance.strategy") == "none"
                && at("balance.churn") == "0.0"
                && at("balance.keys") == "sha1"
        })
        .map(|row| timeline.numbers("count")[row])
        .sum();
    assert_eq!(counted, 3.0 * 4.0 * 60.0);
}

/// A point of a sweep begins with the network of the others: without a strategy and with one the
/// loads before the first tick are the same.
#[test]
fn strategies_start_alike() {
    let lab = Lab::new();
    lab.write(
        "alike.toml",
        "experiment = \"balance\"\n[balance]\nnodes = 50\ntasks = 900\n[sweep]\n\
         \"balance.strategy\" = [\"none\", \"barren\", \"smart-neighbour\"]\n",
    );
    lab.succeed(&["run", "alike.toml", "--out", "out"]);
    let runs = lab.table("out/alike/runs.csv");
    for column in ["start_load_median", "start_load_sd", "start_load_max"] {
        let values = runs.column(column);
        assert!(values.iter().all(|value| *value == values[0]), "{column}");
    }
    // One trial has no error.
    assert!(
        runs.column("runtime_factor_se")
            .iter()
            .all(|cell| cell.is_empty())
    );
    // Nothing was asked for.
    assert!(!lab.path("out/alike/timeline.csv").exists());
}

/// Each key, out of its range or against another: exit code 2, one line that names file, line and
/// key, nothing written.
#[test]
fn what_cannot_be_meant_is_refused() {
    for (line, told) in [
        (
            "churn = -0.1",
            "balance.churn: expected a number between 0 and 1, found -0.1",
        ),
        (
            "churn = 1.5",
            "balance.churn: expected a number between 0 and 1, found 1.5",
        ),
        (
            "tasks = 0",
            "balance.tasks: expected an integer between 1 and",
        ),
        (
            "threshold = -0.25",
            "balance.threshold: expected a number between 0 and",
        ),
        (
            "nodes = 1",
            "balance.nodes: expected an integer between 2 and",
        ),
        (
            "max-sybils = 0",
            "balance.max-sybils: expected an integer between 1 and",
        ),
        (
            "successors = 0",
            "balance.successors: expected an integer between 1 and",
        ),
        (
            "interval = 0",
            "balance.interval: expected an integer between 1 and",
        ),
        (
            "trials = 0",
            "balance.trials: expected an integer between 1 and",
        ),
        (
            "heterogeneous = 1",
            "balance.heterogeneous: expected true or false, found 1",
        ),
        (
            "work = \"two\"",
            "balance.work: expected one of \"one\", \"strength\", found \"two\"",
        ),
        (
            "strategy = \"smart\"",
            "balance.strategy: expected one of \"none\", \"churn\", ",
        ),
        (
            "reading = \"sound\"",
            "balance.reading: expected one of \"as-described\", \"as-coded\"",
        ),
        (
            "keys = \"md5\"",
            "balance.keys: expected one of \"uniform\", \"sha1\"",
        ),
        (
            "sybil-id = \"mash\"",
            "balance.sybil-id: expected one of \"uniform\", \"search\"",
        ),
        (
            "search-limit = 0",
            "balance.search-limit: expected an integer between 1 and",
        ),
        (
            "imbalance = 0.5",
            "balance.imbalance: expected a number between 0 and 0.25",
        ),
        (
            "histogram-tick = -1",
            "balance.histogram-tick: expected an integer",
        ),
        (
            "virtual-nodes = 0",
            "balance.virtual-nodes: expected an integer between 1 and",
        ),
        (
            "max-ticks = 0",
            "balance.max-ticks: expected an integer between 1 and",
        ),
        (
            "max-ticks = 99",
            "balance.max-ticks: 100000 tasks take 1000 nodes at least 100 ticks, and the run would \
             end after 99",
        ),
        (
            "sybil = 5",
            "balance.sybil: unknown key; did you mean `balance.sybil-id`?",
        ),
    ] {
        let lab = Lab::new();
        lab.write(
            "bad.toml",
            format!("experiment = \"balance\"\n[balance]\n{line}\n"),
        );
        let ended = lab.dhtlab(&["run", "bad.toml", "--out", "out"]);
        assert_eq!(ended.code, Some(2), "{line}: {}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{line}: {}", ended.stderr);
        let expected = format!("error: bad.toml:3: {told}");
        assert!(
            ended.stderr.starts_with(&expected),
            "{line}: {}",
            ended.stderr
        );
        assert!(!lab.path("out").exists(), "{line}");
    }
    let lab = Lab::new();
    lab.write(
        "bad.toml",
        "experiment = \"balance\"\n[balance]\nstrategy = \"virtual-nodes\"\nnodes = 10000000\n\
         virtual-nodes = 1000\n",
    );
    let ended = lab.dhtlab(&["run", "bad.toml", "--out", "out"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("bad.toml:5: balance.virtual-nodes: "),
        "{}",
        ended.stderr
    );
}

/// A bound that no check foresees ends the run with an error that names it, and not never.
#[test]
fn a_run_that_takes_too_long_fails() {
    let lab = Lab::new();
    lab.write(
        "long.toml",
        "experiment = \"balance\"\n[balance]\nnodes = 50\ntasks = 5000\nmax-ticks = 101\n",
    );
    let ended = lab.dhtlab(&["run", "long.toml", "--out", "out"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("balance.max-ticks: ") && ended.stderr.contains("after 101 ticks"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}
