//! Jobs on a network: `experiment = "job"`.

use crate::lab::Lab;

/// 60 atoms of 100 samples on 30 nodes, a second each.
const JOB: &str = r#"
experiment = "job"
seed = 3
[underlay]
model = "euclidean"
nodes = 60
[overlay]
nodes = 30
[overlay.chord]
successors = 4
[overlay.kademlia]
k = 4
[job]
samples = 6000
atoms = 60
[nodes]
speed = 100.0
"#;

const TEXT: &str = "It was the best of times, it was the worst of times.\n";

/// A lab with the scenario, a text of 6000 words, and `more` after the scenario.
pub fn lab(more: &str) -> Lab {
    let lab = Lab::new();
    lab.write("text.txt", TEXT.repeat(500));
    lab.write("job.toml", format!("{JOB}{more}"));
    lab
}

/// Runs the scenario with these settings; a lab with its results in `out/job`, and what was
/// printed.
fn run(more: &str, settings: &[&str]) -> (Lab, String) {
    let lab = lab(more);
    let mut arguments = vec!["run", "job.toml", "--out", "out"];
    settings
        .iter()
        .for_each(|key| arguments.extend(["--set", key]));
    let told = lab.succeed(&arguments).stderr;
    (lab, told)
}

/// The columns are those that are promised and fit each other; the same on one thread and on two.
#[test]
fn a_job_runs_on_every_protocol() {
    let sweep = "[sweep]\n\"overlay.protocol\" = [\"chord\", \"kademlia\", \"vhash\"]\n\
                 \"job.bundle\" = [\"fingers\", \"none\", \"walk\"]\n";
    let lab = lab(sweep);
    lab.succeed(&["run", "job.toml", "--out", "out", "--jobs", "1"]);
    lab.succeed(&["run", "job.toml", "--out", "two", "--jobs", "2"]);
    assert_eq!(lab.tables("out"), lab.tables("two"));
    let runs = lab.table("out/job/runs.csv");
    let metrics = [
        "runtime_s",
        "complete",
        "speedup",
        "runtime_factor",
        "last_mapped_s",
        "last_counted_s",
        "result",
        "result_error",
        "samples_counted",
        "atoms",
        "atoms_counted",
        "atoms_redone",
        "atoms_lost",
        "atoms_orphaned",
        "duplicates_dropped",
        "messages",
        "bytes",
        "work_sd",
        "work_largest_share",
        "churn_events",
        "members_mean",
        "sybils",
        "sybils_made",
        "atoms_moved",
        "walk_steps",
    ];
    assert_eq!(runs.columns[5..], metrics);
    assert_eq!(runs.rows.len(), 9);
    // The same samples, whichever nodes map them.
    let results = runs.column("result");
    assert!(
        results.iter().all(|result| *result == results[0]),
        "{results:?}"
    );
    // 1.64 / sqrt(6000), four times.
    assert!(
        runs.numbers("result_error")
            .iter()
            .all(|error| error.abs() < 0.085)
    );
    let all = |column: &str, value: f64| {
        let cells = runs.numbers(column);
        assert!(
            cells.iter().all(|cell| *cell == value),
            "{column}: {cells:?}"
        );
    };
    all("samples_counted", 6000.0);
    all("atoms_counted", 60.0);
    all("complete", 1.0);
    all("atoms_redone", 0.0);
    all("atoms_lost", 0.0);
    all("churn_events", 0.0);
    for (runtime, speedup) in runs
        .numbers("runtime_s")
        .iter()
        .zip(runs.numbers("speedup"))
    {
        assert!(
            (speedup * runtime - 60.0).abs() < 1e-6,
            "{runtime} {speedup}"
        );
        assert!(speedup > 0.5 && speedup <= 30.0, "{speedup}");
    }
    let timeline = lab.table("out/job/timeline.csv");
    let done = timeline.numbers("atoms_done");
    for run in done.chunks(timeline.rows.len() / 9) {
        assert!(run.is_sorted() && run[0] == 0.0 && run.last() == Some(&60.0));
    }
    let busy = timeline.numbers("nodes_busy");
    assert!(busy.iter().all(|busy| (0.0..=30.0).contains(busy)));
    let histogram = lab.table("out/job/histogram.csv");
    let nodes: f64 = histogram.numbers("count").iter().sum();
    assert_eq!(nodes, 9.0 * 30.0);
}

/// Each kind of job gives its result, and what is known of it is right.
#[test]
fn every_kind_gives_its_result() {
    let sweep = "text = \"text.txt\"\n[sweep]\n\"job.kind\" = \
                 [\"pi\", \"word-count\", \"preimage\", \"genetic\", \"markov-chain\"]\n";
    let lab = Lab::new();
    lab.write("text.txt", TEXT.repeat(500));
    lab.write(
        "job.toml",
        JOB.replace("atoms = 60\n", "atoms = 60\ntext = \"text.txt\"\n")
            + sweep.trim_start_matches("text = \"text.txt\"\n"),
    );
    lab.succeed(&["run", "job.toml", "--out", "out"]);
    let runs = lab.table("out/job/runs.csv");
    let (results, errors) = (runs.numbers("result"), runs.numbers("result_error"));
    assert!((results[0] - std::f64::consts::PI - errors[0]).abs() < 1e-9);
    // it was the best of times worst
    assert_eq!((results[1], errors[1]), (7.0, 0.0));
    assert!((0.0..6000.0).contains(&results[2]) && errors[2] == 0.0);
    // Better than the best of 60 random populations of 32: 1920 words of 64 bits reach 45 or so.
    assert!(results[3] > 46.0 && results[3] <= 64.0, "{}", results[3]);
    // Steps hang together over a few of them: 1 / sqrt(6000 / 10), four times.
    assert!(errors[4].abs() < 0.17, "{}", errors[4]);
    assert_eq!(runs.column("samples_counted"), ["6000"; 5]);
}

/// Work that is only modelled takes the same time and gives nothing.
#[test]
fn modelled_work_takes_its_time() {
    let (lab, _) = run("[sweep]\n\"job.compute\" = [\"real\", \"modelled\"]\n", &[]);
    let runs = lab.table("out/job/runs.csv");
    for column in ["runtime_s", "messages", "atoms_counted", "samples_counted"] {
        let cells = runs.column(column);
        assert_eq!(cells[0], cells[1], "{column}");
    }
    assert!(!runs.column("result")[0].is_empty());
    assert_eq!(
        (runs.column("result")[1], runs.column("result_error")[1]),
        ("", "")
    );
}

/// A job that cannot end stops at its bound, or when no node is left, and reports it, with what was
/// counted.
#[test]
fn a_job_that_cannot_end_says_so() {
    let (lab, told) = run("", &["time.max=4 s"]);
    assert!(
        told.contains("stopped at time.max, 4 s of virtual time, with the job unfinished"),
        "{told}"
    );
    let runs = lab.table("out/job/runs.csv");
    let counted = runs.numbers("atoms_counted")[0];
    assert!(counted > 0.0 && counted < 60.0, "{counted}");
    assert_eq!(runs.numbers("samples_counted")[0], 100.0 * counted);
    let cells = ["runtime_s", "complete", "speedup"].map(|column| runs.column(column)[0]);
    assert_eq!(cells, ["", "0", ""]);

    let churn = "[churn]\nmodel = \"per-second\"\n[churn.per-second]\nprobability = 0.2\n\
                 wait = \"1 h\"\nimmunity = \"0 s\"\n";
    let (extinct, told) = run(churn, &["nodes.speed=20.0"]);
    assert!(told.contains("no member was left at "), "{told}");
    let runs = extinct.table("out/job/runs.csv");
    assert_eq!(runs.numbers("churn_events")[0], 30.0);
    // It ended when the last atom was counted, even if what was counted is lost, too.
    assert_eq!(runs.column("complete"), ["0"]);
    assert_eq!(runs.column("runtime_s"), runs.column("last_counted_s"));
    assert_eq!(
        runs.numbers("atoms_counted")[0] + runs.numbers("atoms_lost")[0],
        60.0
    );
}

/// One node works alone: in exactly the time of all samples, and there is no spread.
#[test]
fn one_node_works_alone() {
    let (lab, _) = run(
        "",
        &[
            "overlay.nodes=1",
            "overlay.chord.successors=1",
            "job.replicas=1",
        ],
    );
    let runs = lab.table("out/job/runs.csv");
    let runtime = runs.numbers("runtime_s")[0];
    // All samples one after the other, and one wait before the last result is sent.
    assert!((runtime - 60.1).abs() < 1e-6, "{runtime}");
    assert_eq!(runs.column("work_sd")[0], "");
    assert_eq!(runs.numbers("work_largest_share")[0], 1.0);
}

/// Where nodes go and come, what was counted and what was lost is everything, and with copies
/// enough nothing is lost.
#[test]
fn churn_loses_nothing_that_has_copies() {
    let churn = "[churn]\nmodel = \"per-second\"\n[churn.per-second]\nprobability = 0.002\n\
                 [sweep]\n\"overlay.protocol\" = [\"chord\", \"kademlia\", \"vhash\"]\n";
    let (lab, _) = run(
        churn,
        &["job.replicas=4", "nodes.speed=2.0", "repetitions=2"],
    );
    let runs = lab.table("out/job/runs.csv");
    assert!(
        runs.numbers("churn_events")
            .iter()
            .all(|events| *events > 3.0)
    );
    assert_eq!(runs.column("atoms_counted"), ["60"; 6]);
    assert_eq!(runs.column("samples_counted"), ["6000"; 6]);
    assert_eq!(runs.column("atoms_lost"), ["0"; 6]);
}

/// The job does not wait for atoms that no node holds: when it has lost some, or all of them and
/// the collectors, it ends once no more results can arrive. The more copies, the less is lost.
#[test]
fn a_job_that_loses_atoms_comes_to_its_end() {
    let churn = "[churn]\nmodel = \"per-second\"\n[churn.per-second]\nimmunity = \"0 s\"\n\
                 [sweep]\n\"churn.per-second.probability\" = [0.01, 0.05]\n\
                 \"job.replicas\" = [1, 2, 3]\n\"job.bundle\" = [\"fingers\", \"walk\"]\n";
    let settings = ["nodes.speed=20.0", "job.patience=5 s", "repetitions=12"];
    let (lab, told) = run(churn, &settings);
    assert!(!told.contains("with the job unfinished"), "{told}");
    let runs = lab.table("out/job/runs.csv");
    let lost = runs.numbers("atoms_lost");
    let complete = runs.column("complete");
    for (i, orphaned) in runs.numbers("atoms_orphaned").into_iter().enumerate() {
        // What was counted may be lost, too, with all that knew of it.
        assert!(lost[i] >= orphaned, "{} {orphaned}", lost[i]);
        // It has ended, and took its time, whether it is whole or not.
        assert_eq!(complete[i], if lost[i] == 0.0 { "1" } else { "0" });
    }
    assert!(complete.contains(&"0") && complete.contains(&"1"));
    assert_eq!(runs.column("runtime_s"), runs.column("last_counted_s"));
    // No job drops out of the mean.
    let summary = lab.table("out/job/summary.csv");
    let metrics = summary.column("metric").into_iter();
    let counts = metrics.zip(summary.column("n"));
    let counts: Vec<&str> = counts
        .filter(|(metric, _)| *metric == "runtime_s")
        .map(|(_, n)| n)
        .collect();
    assert_eq!(counts, ["12"; 12]);
    let lost_where = |probability: &str, replicas: &str| -> f64 {
        let keys = runs.column("churn.per-second.probability");
        let keys = keys.into_iter().zip(runs.column("job.replicas"));
        let rows = keys
            .zip(&lost)
            .filter(|(key, _)| *key == (probability, replicas));
        rows.map(|(_, lost)| lost).sum()
    };
    for probability in ["0.01", "0.05"] {
        let lost = ["1", "2", "3"].map(|replicas| lost_where(probability, replicas));
        assert!(
            lost[0] > lost[1] && lost[1] > lost[2],
            "{probability}: {lost:?}"
        );
    }
    assert!(lost_where("0.05", "3") > 0.0);
}

/// A text that has changed is another job.
#[test]
fn a_changed_text_is_another_run() {
    let lab = Lab::new();
    lab.write("text.txt", TEXT.repeat(500));
    let kind = "kind = \"word-count\"\ntext = \"text.txt\"\n";
    lab.write(
        "job.toml",
        JOB.replace("atoms = 60\n", &format!("atoms = 60\n{kind}")),
    );
    let arguments = ["run", "job.toml", "--out", "out"];
    lab.succeed(&arguments);
    let first = lab.table("out/job/runs.csv");
    lab.write("text.txt", TEXT.replace("worst", "best").repeat(500));
    lab.succeed(&arguments);
    let second = lab.table("out/job/runs.csv");
    assert_ne!(first.column("run"), second.column("run"));
    assert_eq!(
        (first.numbers("result")[0], second.numbers("result")[0]),
        (7.0, 6.0)
    );
}

/// Nodes that balance their load: each strategy makes Sybils, moves atoms, loses none though Sybils
/// come and go, and where nodes guess at random or ask, the job is done sooner than without.
#[test]
fn nodes_balance_their_load() {
    let strategies = "[balancing]\nsuccessors = 4\n[sweep]\n\"balancing.strategy\" = [\"none\", \"random-injection\", \
                      \"neighbour-injection\", \"smart-neighbour\", \"invitation\"]\n";
    let (lab, told) = run(
        strategies,
        &[
            "job.samples=3000",
            "job.atoms=3000",
            "nodes.speed=1.0",
            "overlay.chord.stabilise=1 s",
            "repetitions=4",
        ],
    );
    assert!(!told.contains("with the job unfinished"), "{told}");
    let runs = lab.table("out/job/runs.csv");
    assert_eq!(runs.column("atoms_counted"), ["3000"; 20]);
    assert_eq!(runs.column("samples_counted"), ["3000"; 20]);
    let mean = |column: &str, strategy: usize| -> f64 {
        runs.numbers(column)[4 * strategy..4 * (strategy + 1)]
            .iter()
            .sum::<f64>()
            / 4.0
    };
    assert_eq!((mean("sybils_made", 0), mean("atoms_moved", 0)), (0.0, 0.0));
    for strategy in 1..5 {
        assert!(mean("sybils_made", strategy) > 3.0, "{strategy}");
        assert!(mean("atoms_moved", strategy) > 100.0, "{strategy}");
        // All that was done was done by hosts: 30 of them.
        let histogram = lab.table("out/job/histogram.csv");
        let hosts: f64 = histogram.numbers("count").iter().sum();
        assert_eq!(hosts, 20.0 * 30.0);
    }
    let without = mean("runtime_factor", 0);
    for strategy in [1, 3] {
        let with = mean("runtime_factor", strategy);
        assert!(with < 0.8 * without, "{strategy}: {with} {without}");
    }
    // A host of mean speed with all samples, over the number of hosts.
    for (factor, runtime) in runs
        .numbers("runtime_factor")
        .iter()
        .zip(runs.numbers("runtime_s"))
    {
        assert!(
            (factor * 100.0 - runtime).abs() < 1e-6,
            "{factor} {runtime}"
        );
    }
}

/// A job in ticks is what `experiment = "balance"` makes of the same hosts, tasks and seed, an atom
/// of half a second a tick; only what messages have is left open.
#[test]
fn a_job_in_ticks_is_that_of_the_tick_model() {
    let strategies = "[\"none\", \"random-injection\", \"neighbour-injection\", \"smart-neighbour\", \
                      \"invitation\"]";
    let lab = lab(&format!(
        "[balancing]\nsuccessors = 4\nmax-sybils = 3\nthreshold = 0.1\ninterval = \"2500 ms\"\n\
         [sweep]\n\"balancing.strategy\" = {strategies}\n"
    ));
    lab.write(
        "ticks.toml",
        format!(
            "experiment = \"balance\"\nseed = 3\nrepetitions = 3\n[balance]\nnodes = 30\ntasks = 3000\n\
             successors = 4\nmax-sybils = 3\nthreshold = 0.1\n[sweep]\n\"balance.strategy\" = {strategies}\n"
        ),
    );
    let mut arguments = vec!["run", "job.toml", "--out", "out"];
    for setting in [
        "job.model=ticks",
        "job.atoms=3000",
        "nodes.speed=4.0",
        "repetitions=3",
    ] {
        arguments.extend(["--set", setting]);
    }
    lab.succeed(&arguments);
    lab.succeed(&["run", "ticks.toml", "--out", "out"]);
    let (job, ticks) = (
        lab.table("out/job/runs.csv"),
        lab.table("out/ticks/runs.csv"),
    );
    let half = |value: &f64| value / 2.0;
    let seconds: Vec<f64> = ticks.numbers("ticks").iter().map(half).collect();
    assert_eq!(job.numbers("runtime_s"), seconds);
    assert_eq!(job.numbers("sybils_made"), ticks.numbers("sybils_made"));
    assert_eq!(job.numbers("atoms_moved"), ticks.numbers("tasks_moved"));
    assert_eq!(job.column("messages"), [""; 15]);
    assert_eq!(job.column("result"), [""; 15]);
}

#[test]
fn ticks_have_nothing_to_record() {
    let lab = lab("");
    let arguments = [
        "run",
        "job.toml",
        "--out",
        "out",
        "--set",
        "job.model=ticks",
    ];
    let ended = lab.dhtlab(&[&arguments[..], &["--record"]].concat());
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let expected = "job.model: ticks have no messages";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
}
