//! `workload.log`: a row for each lookup, with which the metrics agree.

use crate::lab::Lab;

const ATTACKED: &str = r#"
experiment = "network"
repetitions = 2
underlay.model = "euclidean"
underlay.nodes = 80
overlay.nodes = 50
workload.lookups = 3000
workload.log = true
time.measure = "600 s"
churn.model = "per-second"
churn.per-second.probability = 0.002
adversary.strategy = "random"
adversary.sybils = 10
adversary.behaviour = "drop"
"#;

#[test]
fn each_lookup_has_a_row_with_which_the_metrics_agree() {
    let lab = Lab::new();
    lab.write("s.toml", ATTACKED);
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    let (runs, log) = (lab.table("out/s/runs.csv"), lab.table("out/s/lookups.csv"));
    for (place, run) in runs.column("run").into_iter().enumerate() {
        let of_run = |column: &str| -> Vec<String> {
            let cells = log.column("run").into_iter().zip(log.column(column));
            cells
                .filter(|(of, _)| *of == run)
                .map(|(_, cell)| cell.to_owned())
                .collect()
        };
        let numbers = |column: &str| -> Vec<f64> {
            let cells = of_run(column).into_iter().filter(|cell| !cell.is_empty());
            cells.map(|cell| cell.parse().expect("a number")).collect()
        };
        let metric = |name: &str| runs.numbers(name)[place];
        let results = of_run("result");
        let count = |of: &[&str]| {
            results
                .iter()
                .filter(|result| of.contains(&result.as_str()))
                .count() as f64
        };
        assert_eq!(results.len() as f64, metric("lookups"));
        assert_eq!(count(&["ok"]), metric("lookups_ok"));
        assert_eq!(count(&["wrong"]), metric("lookups_wrong"));
        assert_eq!(
            count(&["failed", "abandoned", "under way", "no member"]),
            metric("lookups_failed")
        );
        assert!(
            count(&["wrong"]) > 0.0 && count(&["failed"]) > 0.0,
            "nothing went wrong"
        );
        let sum = |column: &str| numbers(column).iter().sum::<f64>();
        assert_eq!(sum("intercepted"), metric("lookups_intercepted"));
        let mean = |column: &str| sum(column) / numbers(column).len() as f64;
        for (column, name) in [
            ("overlay_hops", "overlay_hops_mean"),
            ("latency_ms", "latency_ms_mean"),
        ] {
            // The metric has the order of the ends, and sums of floating-point numbers depend on it.
            assert!((mean(column) / metric(name) - 1.0).abs() < 1e-9, "{name}");
        }
        let times = numbers("time_s");
        assert!(times.is_sorted() && times[0] >= 0.0 && times[times.len() - 1] <= 600.0);
        assert!(of_run("key").iter().all(|key| key.len() == 40));
    }
}

#[test]
fn the_log_changes_nothing_else_and_is_off_by_default() {
    let lab = Lab::new();
    lab.write("s.toml", ATTACKED);
    lab.succeed(&["run", "s.toml", "--out", "with"]);
    lab.write("s.toml", ATTACKED.replace("workload.log = true\n", ""));
    lab.succeed(&["run", "s.toml", "--out", "without"]);
    assert!(!lab.path("without/s/lookups.csv").exists());
    let metrics = |out: &str| {
        let runs = lab.read(&format!("{out}/s/runs.csv"));
        // All but the ID, which is that of the scenario.
        let rest = |line: &str| line.split_once(',').map(|(_, rest)| rest.to_owned());
        runs.lines().filter_map(rest).collect::<Vec<_>>()
    };
    assert_eq!(metrics("with"), metrics("without"));
}
