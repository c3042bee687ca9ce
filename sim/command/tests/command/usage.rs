//! The subcommands with their options and output.

use crate::both_protocols::{ATTACK_METRICS, BOTH, METRICS, both};
use crate::lab::Lab;

#[test]
fn help_lists_the_commands() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.succeed(&["--help"]).stdout, @r#"
    A deterministic simulator of distributed hash tables

    Usage: dhtlab <COMMAND>

    Commands:
      run          Run scenarios; finished runs are not repeated
      merge        Merge the shards of a sweep (`run --shard`) into the results of the whole sweep
      check        Validate scenarios; print the planned runs and a forecast of their time and memory
      list         List the shipped scenarios and what each reproduces
      show         Print a scenario file
      new          Write a scenario to begin with, NAME.toml
      explain      Explain keys of scenarios and columns of results: meaning, unit, range, default
      compare      Compare two folders of results, or the values of a swept key
      plot         Redraw the figures from the CSV files
      view         Write the page that replays a recorded run (`run --record`) in a browser
      report       Compare results with the published values; writes REPORT.md and report.html
      reproduce    Run all shipped scenarios, then write the report
      completions  Print the completion script for a shell
      man          Print the manual page, or write the pages of all subcommands into a folder
      schema       Print the JSON Schema of scenario files, or the columns of the result files
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version
    "#);
    insta::assert_snapshot!(lab.succeed(&["run", "--help"]).stdout, @r#"
    Run scenarios; finished runs are not repeated

    Usage: dhtlab run [OPTIONS] <SCENARIO>...

    Arguments:
      <SCENARIO>...  Scenario files, or names of shipped scenarios

    Options:
          --set <KEY=VALUE>            Set a key of the scenario, swept or not, such as
                                       overlay.nodes=500
          --seed <SEED>                Random seed
          --repetitions <REPETITIONS>  Number of runs of each point
          --quick                      Use the small sizes in the scenario's [quick] table
          --out <DIR>                  Output folder, with one subfolder per scenario [default: results]
          --jobs <N>                   Number of parallel runs [default: number of cores]
          --format <FORMAT>            Format of the tables; `parquet` writes NAME.parquet beside each
                                       NAME.csv [default: csv] [possible values: csv, parquet]
          --memory <SIZE>              Memory limit of the process, such as "4 GB"; a run that exceeds
                                       it stops early with partial results [default: 80 % of the
                                       available memory]
          --only <RUN>                 Execute only the run with this name (the column `run`) and print
                                       its metrics; writes no files
          --record[=<RUN>]             Record all events of the run with this name, or of the first run,
                                       and write a page that replays it in a browser; for networks of at
                                       most 200 nodes
          --watch                      Redraw the figures every few seconds while runs finish
      -q, --quiet                      Print errors only
          --json                       Print each finished run as one JSON object in a line on stdout
          --shard <i/n>                Execute shard i of n of each scenario, for use on several
                                       machines; the results go to NAME.shard-i-of-n, and `dhtlab merge`
                                       merges them
      -h, --help                       Print help
    "#);
    let version = lab.succeed(&["--version"]).stdout;
    assert_eq!(version, format!("dhtlab {}\n", env!("CARGO_PKG_VERSION")));
    // Without a command the help comes as an error.
    let ended = lab.dhtlab::<&str>(&[]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("Usage: dhtlab <COMMAND>"));
}

#[test]
fn check_says_what_would_run_and_writes_nothing() {
    let lab = Lab::new();
    lab.write("both.toml", BOTH);
    lab.write("plain.toml", "experiment = \"network\"\n");
    let before = lab.files(".");
    // By what they say themselves: the figures of trials are those of a machine and a moment.
    let ended = lab.succeed(&["check", "both.toml", "plain.toml", "--no-trial"]);
    assert_eq!(lab.files("."), before);
    assert_eq!(ended.stderr, "");
    insta::assert_snapshot!(without_memory(&ended.stdout), @r#"
    both.toml: Both protocols
      6 runs: 2 points x 3 repetitions of experiment "network"
      swept: overlay.protocol, overlay.start
      forecast: less than 1 s of CPU time, N MB of memory for one run
    plain.toml: plain
      1 runs: 1 points x 1 repetitions of experiment "network"
      forecast: less than 1 s of CPU time, N MB of memory for one run
    "#);
    let tried = lab.succeed(&["check", "both.toml", "plain.toml"]);
    assert_eq!(lab.files("."), before);
    assert_eq!(tried.stdout.lines().count(), ended.stdout.lines().count());
    let ended = lab.succeed(&["check", "both.toml", "--quick", "--set", "time.measure=9 s"]);
    assert_eq!(lab.files("."), before);
    insta::assert_snapshot!(without_memory(&ended.stdout), @r#"
    both.toml: Both protocols
      1 runs: 1 points x 1 repetitions of experiment "network"
      swept: overlay.protocol
      forecast: less than 1 s of CPU time, N MB of memory for one run
    "#);
}

/// The output, with the megabytes, the process's own among them, as N.
fn without_memory(told: &str) -> String {
    let line = |line: &str| match line.split_once(" of CPU time, ") {
        Some((before, rest)) => {
            let (_, after) = rest.split_once(' ').expect("an amount");
            format!("{before} of CPU time, N {after}\n")
        }
        None => format!("{line}\n"),
    };
    told.lines().map(line).collect()
}

#[test]
fn list_shows_the_scenarios_of_a_folder() {
    let lab = Lab::new();
    lab.write("shelf/both.toml", BOTH);
    lab.write(
        "shelf/a-longer-name.toml",
        "experiment = \"network\"\ntitle = \"Second\"\n",
    );
    lab.write("shelf/nameless.toml", "experiment = \"network\"\n");
    lab.write("shelf/notes.txt", "no scenario\n");
    lab.write("shelf/examples/inner.toml", "not even TOML\n");
    let ended = lab.succeed(&["list", "--scenarios", "shelf"]);
    insta::assert_snapshot!(ended.stdout, @r#"
    a-longer-name  Second
    both           Both protocols
                   reproduces: nothing
    nameless
    "#);
    // Without scenarios there, an error names the folder that was searched.
    lab.write("empty/notes.txt", "");
    for (folder, why) in [
        ("empty", "no scenario files"),
        ("none", "No such file or directory (os error 2)"),
    ] {
        let ended = lab.dhtlab(&["list", "--scenarios", folder]);
        assert_eq!(ended.code, Some(2));
        assert_eq!(ended.stderr, format!("error: {folder}: {why}\n"));
    }
}

/// `reproduce` runs all that `list` shows, as `run` would; with --quick beside the full results.
#[test]
fn reproduce_runs_the_whole_folder() {
    let lab = both();
    lab.write("shelf/both.toml", BOTH);
    lab.write(
        "shelf/other.toml",
        "experiment = \"network\"\noverlay.nodes = 5\nworkload.lookups = 9\n",
    );
    lab.succeed(&["reproduce", "--scenarios", "shelf"]);
    assert_eq!(lab.files("results/both"), lab.files("out/both"));
    assert_eq!(lab.table("results/other/runs.csv").column("lookups"), ["9"]);
    lab.succeed(&["reproduce", "--scenarios", "shelf", "--quick"]);
    let quick = lab.table("results/quick/both/runs.csv");
    assert_eq!(quick.column("lookups"), ["40"]);
    assert_eq!(lab.files("results/both"), lab.files("out/both"));
}

#[test]
fn only_prints_the_metrics_of_the_run() {
    let lab = both();
    let runs = lab.table("out/both/runs.csv");
    let before = lab.files(".");
    for row in [&runs.rows[1], &runs.rows[5]] {
        let ended = lab.succeed(&["run", "both.toml", "--only", &row[0]]);
        let printed: Vec<Vec<&str>> = ended
            .stdout
            .lines()
            .map(|line| line.split(' ').collect())
            .collect();
        let expected: Vec<Vec<&str>> = METRICS
            .iter()
            .chain(&ATTACK_METRICS)
            .map(|metric| vec![*metric, row[runs.at(metric)].as_str()])
            .collect();
        assert_eq!(printed, expected);
    }
    assert_eq!(lab.files("."), before, "something was written");
}

#[test]
fn options_change_what_the_help_says() {
    let lab = both();
    let run = |out: &str, options: &[&str]| {
        lab.succeed(&[&["run", "both.toml", "--out", out], options].concat());
        lab.table(&format!("{out}/both/runs.csv"))
    };
    let plain = lab.table("out/both/runs.csv");
    // --seed: other streams for the same points, the same as if the file had that seed.
    let seeded = run("seed", &["--seed", "6"]);
    assert_eq!(seeded.columns, plain.columns);
    let both_seeds = [plain.column("seed"), seeded.column("seed")].concat();
    assert_eq!(both_seeds.len(), 12);
    assert!(
        seeded
            .column("seed")
            .iter()
            .all(|seed| !plain.column("seed").contains(seed))
    );
    lab.write("six/both.toml", BOTH.replace("seed = 5", "seed = 6"));
    lab.succeed(&["run", "six/both.toml", "--out", "six/out"]);
    assert_eq!(lab.tables("six/out"), lab.tables("seed"));
    assert_eq!(lab.manifest("seed/both")["seed"], 6);
    // --repetitions: as many runs a point, the first of which are the same.
    let single = run("single", &["--repetitions", "1"]);
    assert_eq!(single.rows, [plain.rows[0].clone(), plain.rows[3].clone()]);
    // --set: a key gets one value, and text needs no quotes.
    let set = run(
        "set",
        &[
            "--set",
            "workload.lookups=7",
            "--set",
            "overlay.placement=shared",
        ],
    );
    assert!(set.column("lookups").iter().all(|lookups| *lookups == "7"));
    let resolved = lab.manifest("set/both")["scenario"].clone();
    assert_eq!(resolved["overlay"]["placement"], "shared");
    assert_eq!(set.columns, plain.columns);
    // The last of two counts.
    let twice = run(
        "twice",
        &["--set", "workload.lookups=9", "--set", "workload.lookups=7"],
    );
    assert_eq!(twice.column("lookups"), set.column("lookups"));
    // --quick: what the table [quick] has.
    let quick = run("quick", &["--quick"]);
    assert_eq!(quick.column("overlay.protocol"), ["chord"]);
    assert!(
        quick
            .column("lookups")
            .iter()
            .all(|lookups| *lookups == "40")
    );
    // A sweep may be given anew, too.
    let sweep = run(
        "sweep",
        &[
            "--set",
            "sweep.overlay.protocol=[\"chord\"]",
            "--set",
            "overlay.start=converged",
        ],
    );
    assert_eq!(sweep.rows.len(), 3);
    assert_eq!(sweep.column("overlay.protocol"), ["chord"; 3]);
}

/// "Set a key of the scenario, swept or not": the figures that a sweep was for cannot be in the way.
#[test]
fn a_swept_key_can_be_set_to_one_value() {
    let lab = Lab::new();
    lab.write(
        "s.toml",
        "experiment = \"network\"\n[workload]\nlookups = 20\n[sweep]\n\
         \"overlay.nodes\" = [10, 20]\n\"overlay.lookup\" = [\"recursive\", \"iterative\"]\n",
    );
    lab.succeed(&["run", "s.toml", "--out", "out", "--set", "overlay.nodes=30"]);
    let runs = lab.table("out/s/runs.csv");
    assert_eq!(runs.column("overlay.lookup"), ["recursive", "iterative"]);
    assert!(!runs.columns.contains(&"overlay.nodes".to_owned()));
    assert_eq!(lab.manifest("out/s")["scenario"]["overlay"]["nodes"], 30);
    // As in the shipped scenarios, whose figures name what they sweep.
    let figure = "[[figure]]\nx = \"overlay.nodes\"\ny = \"events\"\nseries = \"overlay.lookup\"\n";
    let text = lab.read("s.toml") + figure;
    lab.write("s.toml", text);
    let ended = lab.dhtlab(&["run", "s.toml", "--out", "out", "--set", "overlay.nodes=30"]);
    assert_eq!(
        ended.code,
        Some(0),
        "a key that a figure uses cannot be set: {}",
        ended.stderr
    );
}
