//! The experiments on static Kademlia networks: `lookup-rounds`, `prefix-divergence`, `size-estimate`.

use crate::lab::Lab;
use crate::refusal::compare;

/// A small scenario of each, with two points.
const SMALL: [(&str, &str); 3] = [
    (
        "rounds",
        "experiment = 'lookup-rounds'\nrepetitions = 2\nlookup-rounds.nodes = 2000\n\
         lookup-rounds.lookups = 300\nsweep.'lookup-rounds.filling' = ['random', 'balanced']\n",
    ),
    (
        "divergence",
        "experiment = 'prefix-divergence'\nrepetitions = 2\nprefix-divergence.nodes = 2000\n\
         prefix-divergence.targets = 20\nprefix-divergence.lookups = 30\n\
         sweep.'prefix-divergence.sybils' = [0, 20]\n",
    ),
    (
        "size",
        "experiment = 'size-estimate'\nrepetitions = 2\nsize-estimate.nodes = 2000\n\
         size-estimate.trials = 20\nsweep.'size-estimate.estimator' = ['libp2p', 'mainline']\n",
    ),
];

#[test]
fn threads_change_no_byte() {
    let lab = Lab::new();
    for (name, text) in SMALL {
        let file = format!("{name}.toml");
        lab.write(&file, text);
        let ended = lab.succeed(&["run", &file, "--out", "one", "--jobs", "1"]);
        assert_eq!(ended.runs_and_new(), (4, 4), "{name}");
        lab.succeed(&["run", &file, "--out", "two", "--jobs", "2"]);
        let [one, two] = ["one", "two"].map(|folder| lab.files(&format!("{folder}/{name}")));
        assert!(one == two, "{name}");
    }
    // Each lookup has a round, and repetitions differ.
    let histogram = lab.table("one/rounds/histogram.csv");
    assert_eq!(histogram.numbers("count").iter().sum::<f64>(), 1200.0);
    for (name, metric) in [
        ("rounds", "rounds_mean"),
        ("divergence", "divergence_mean"),
        ("size", "estimate_mean"),
    ] {
        let values = lab.table(&format!("one/{name}/runs.csv")).numbers(metric);
        assert!(
            values[0] != values[1] && values[2] != values[3],
            "{name}: {values:?}"
        );
    }
}

#[test]
fn values_that_do_not_fit_together_are_refused() {
    compare(
        "experiment = \"prefix-divergence\"\n",
        &[
            (
                "prefix-divergence.nodes = 19\n",
                &[],
                "bad.toml:2: prefix-divergence.nodes: expected at least \
                 `prefix-divergence.closest` = 20, found 19",
            ),
            (
                "prefix-divergence.from-length = 9\nprefix-divergence.to-length = 8\n",
                &[],
                "bad.toml:3: prefix-divergence.to-length: expected at least \
                 `prefix-divergence.from-length` = 9, found 8",
            ),
            (
                "prefix-divergence.estimator = \"libp2p\"\nprefix-divergence.lookups = 1\n",
                &[],
                "bad.toml:3: prefix-divergence.lookups: \"libp2p\" needs the spread of at least \
                 two lookups, found 1",
            ),
            (
                "prefix-divergence.placement = \"near\"\n",
                &[],
                "bad.toml:2: prefix-divergence.placement: expected one of \"prefixes\", \
                 \"closer\", found \"near\"",
            ),
        ],
    );
    compare(
        "experiment = \"size-estimate\"\n",
        &[
            (
                "size-estimate.estimator = \"libp2p\"\nsize-estimate.lookups = 1\n",
                &[],
                "bad.toml:3: size-estimate.lookups: \"libp2p\" needs the spread of at least two \
                 lookups, found 1",
            ),
            (
                "size-estimate.nodes = 0\n",
                &[],
                "bad.toml:2: size-estimate.nodes: expected an integer between 1 and 10000000, \
                 found 0",
            ),
        ],
    );
    compare(
        "experiment = \"lookup-rounds\"\n",
        &[
            (
                "lookup-rounds.nodes = 1\n",
                &[],
                "bad.toml:2: lookup-rounds.nodes: expected an integer between 2 and 10000000, \
                 found 1",
            ),
            (
                "lookup-rounds.filling = \"even\"\n",
                &[],
                "bad.toml:2: lookup-rounds.filling: expected one of \"random\", \"balanced\", \
                 found \"even\"",
            ),
        ],
    );
}
