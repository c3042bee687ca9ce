//! Values that are valid for their keys but not meaningful, alone or in combination.

use crate::lab::Lab;
use crate::refusal::{NETWORK, compare, fault_of_refusal, refuse};

#[test]
fn values_that_cannot_be_meant_are_refused() {
    compare(
        NETWORK,
        &[
            (
                "[transport]\ntimeout = \"30 lightyears\"\n",
                &[],
                "bad.toml:3: transport.timeout: expected a duration with its unit, such as \
                 \"30 s\" above 0, found \"30 lightyears\"",
            ),
            (
                "[transport]\ntimeout = 30\n",
                &[],
                "bad.toml:3: transport.timeout: expected a duration with its unit, such as \
                 \"30 s\" above 0, found 30",
            ),
            (
                "[transport]\ntimeout = \"0 s\"\n",
                &[],
                "bad.toml:3: transport.timeout: expected a duration with its unit, such as \
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
                "[overlay]\nstart = \"random\"\n[time]\ntransition = \"9 s\"\n",
                &[],
                "bad.toml:3: overlay.start: chord starts \"converged\" or by \"join\": nodes that \
                 know a few random others do not find their ring",
            ),
            (
                "[overlay]\nstart = \"join\"\n[time]\ntransition = \"0 s\"\n",
                &[],
                "bad.toml:5: time.transition: expected a duration above zero, in which a network \
                 with start = \"join\" builds its tables",
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
                "bad.toml:2: time.measure: expected the duration of the phase with lookups at \
                 `workload.interval`",
            ),
            (
                "[time]\ntransition = \"9 s\"\nmax = \"8 s\"\n",
                &[],
                "bad.toml:4: time.max: the run would end before the measurement starts at 9 s",
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

/// What would empty the network for certain is refused before anything runs.
#[test]
fn churn_that_cannot_be_is_refused() {
    compare(
        "experiment = \"network\"\n[overlay]\nnodes = 80\n[workload]\ninterval = \"20 s\"\n\
         [time]\ntransition = \"200 s\"\nmeasure = \"300 s\"\n[churn]\n",
        &[
            (
                "model = \"failures\"\nfailures.fraction = 1.0\n",
                &[],
                "bad.toml:11: churn.failures.fraction: this removes all 80 nodes at once",
            ),
            (
                "model = \"sessions\"\nsessions.up = \"400 s\"\n",
                &[],
                "bad.toml:11: churn.sessions.up: this removes all 80 nodes after 400 s",
            ),
        ],
    );
}

/// The size of the memory is known only where the system reports it.
#[test]
#[cfg(target_os = "linux")]
fn a_scenario_that_needs_more_memory_than_there_is_is_refused() {
    let text = "[underlay]\nmodel = \"constant\"\nnodes = 10_000_000\n[overlay]\n\
                protocol = \"vhash\"\nnodes = 10_000_000\n[overlay.vhash]\nlong-peers = 1_000_000\n";
    let text = format!("{NETWORK}{text}");
    let told = refuse(&text, &[]).expect("an error");
    assert!(
        told.starts_with("bad.toml: the largest run needs about 2")
            && told.contains(" GB of memory; "),
        "{told}"
    );
    let lab = Lab::new();
    lab.write("bad.toml", text);
    let ended = lab.dhtlab(&["check", "bad.toml"]);
    assert_eq!(fault_of_refusal(&lab, &ended), None, "{}", ended.stderr);
}
