//! The metric that VHash's embedding follows: latency, links or a cost of links.

use crate::lab::{Lab, Table};
use std::path::Path;

/// A network of 120 of the 300 hosts of the shipped file with two attributes.
fn text(file: &Path) -> String {
    format!(
        "experiment = \"network\"\ntables = [\"histogram\"]\n\
         underlay = {{ model = \"file\", file = {{ path = {file:?}, cost = \"price\" }} }}\n\
         overlay = {{ protocol = \"vhash\", nodes = 120, vhash = {{ dimensions = 2, long-peers = 7 }} }}\n\
         workload.lookups = 1000\ntime = {{ transition = \"15 min\", measure = \"1 min\" }}\n\
         [[sweep.zip]]\n\"overlay.vhash.embedding\" = [\"none\", \"springs\", \"springs\", \"springs\"]\n\
         \"overlay.vhash.metric\" = [\"latency\", \"latency\", \"hops\", \"cost\"]\n"
    )
}

fn shipped() -> std::path::PathBuf {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    scenarios.join("networks/two-attributes.csv")
}

/// The mean of `quantity` in the histogram of one run.
fn mean(table: &Table, run: &str, quantity: &str) -> f64 {
    let (runs, quantities) = (table.column("run"), table.column("quantity"));
    let (values, counts) = (table.numbers("value"), table.numbers("count"));
    let rows = (0..values.len()).filter(|row| runs[*row] == run && quantities[*row] == quantity);
    let (sum, all) = rows.fold((0.0, 0.0), |(sum, all), row| {
        (sum + values[row] * counts[row], all + counts[row])
    });
    sum / all
}

/// Latencies and prices of the links are independent. An embedding shortens what it follows: lookups cost
/// least with the cost, and take least time with the latency. In 40 of 40 seeds the order is this one.
#[test]
fn the_embedding_shortens_what_it_follows() {
    let lab = Lab::new();
    lab.write("s.toml", text(&shipped()));
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    let (runs, histogram) = (
        lab.table("out/s/runs.csv"),
        lab.table("out/s/histogram.csv"),
    );
    let names = runs.column("run");
    let cost: Vec<f64> = names
        .iter()
        .map(|run| mean(&histogram, run, "lookup_cost"))
        .collect();
    let latency = runs.numbers("latency_ms_mean");
    let [none, by_latency, by_hops, by_cost] = [0, 1, 2, 3];
    for other in [none, by_latency, by_hops] {
        assert!(cost[by_cost] < cost[other], "{cost:?}");
    }
    for other in [none, by_hops, by_cost] {
        assert!(latency[by_latency] < latency[other], "{latency:?}");
    }
    // Two members are as far from each other whatever the embedding.
    let members = |place: usize| mean(&histogram, names[place], "member_cost");
    assert!((members(none) / members(by_cost) - 1.0).abs() < 0.1);
}

#[test]
fn a_metric_that_is_not_there_is_refused() {
    let lab = Lab::new();
    lab.write(
        "s.toml",
        text(&shipped()).replace("cost = \"price\"", "latency = \"latency\""),
    );
    let refused = |options: &[&str], expected: &str| {
        let ended = lab.dhtlab(&[&["check", "s.toml"], options].concat());
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    };
    refused(
        &[],
        "overlay.vhash.metric: \"cost\" needs links with a cost: the key `underlay.file.cost`",
    );
    lab.write("s.toml", text(&shipped()));
    refused(
        &["--set", "underlay.model=constant"],
        "overlay.vhash.metric: \"hops\" needs an underlay whose hosts are joined by links",
    );
    lab.write(
        "part.csv",
        "from,to,latency,price\na,b,1,2\nb,c,1,\nc,d,2,4\n",
    );
    lab.write("s.toml", text(Path::new("part.csv")));
    refused(&[], "underlay.file.cost: 1 links have no number \"price\"");
    lab.write(
        "s.toml",
        text(Path::new("part.csv")).replace("cost = \"price\"", "cost = \"energy\""),
    );
    refused(&[], "energy");
    let text = text(&shipped()).replace("[\"none\", \"springs\"", "[\"none\", \"none\"");
    lab.write(
        "s.toml",
        text.replace("[\"latency\", \"latency\"", "[\"latency\", \"hops\""),
    );
    refused(
        &[],
        "overlay.vhash.metric: the embedding follows it, and there is none",
    );
}
