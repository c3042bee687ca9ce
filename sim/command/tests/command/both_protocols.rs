//! A small scenario with two protocols, and the metrics of its runs.

use crate::lab::Lab;

pub const METRICS: [&str; 32] = [
    "lookups",
    "lookups_ok",
    "lookups_wrong",
    "lookups_failed",
    "lookups_abandoned",
    "overlay_hops_mean",
    "overlay_hops_p50",
    "overlay_hops_p99",
    "underlay_hops_mean",
    "latency_ms_mean",
    "latency_ms_p50",
    "latency_ms_p99",
    "stretch_mean",
    "stretch_of_means",
    "degree_mean",
    "degree_max",
    "messages",
    "events",
    "overlay_hops_mean_if_any",
    "underlay_hops_per_hop",
    "member_underlay_hops_mean",
    "success_rate",
    "wrong_rate",
    "timeouts_mean",
    "joins",
    "leaves",
    "rejoins",
    "maintenance_messages",
    "maintenance_bytes_per_node_s",
    "bytes_per_node_s",
    "members_mean",
    "ring_ok",
];

/// The metrics after these, which are empty without an attack and without a transport, and are not
/// in the summary.
pub const ATTACK_METRICS: [&str; 18] = [
    "sybils",
    "occluded_links_fraction",
    "lookups_intercepted",
    "lookups_hijacked",
    "interception_rate",
    "hijack_rate",
    "interception_predicted",
    "capture_rate",
    "latency_ms_p90",
    "lookups_answered",
    "answered_ms_mean",
    "answered_ms_p90",
    "messages_lost",
    "messages_unreachable",
    "messages_dropped",
    "messages_duplicated",
    "messages_sent_again",
    "timeouts_false",
];

/// Few VHash nodes that have barely begun to gossip: some lookups go wrong, and the bound on
/// time ends some.
pub const BOTH: &str = r#"
title = "Both protocols"
reproduces = "nothing"
experiment = "network"
seed = 5
repetitions = 3

[underlay]
model = "barabasi-albert"
nodes = 300

[overlay]
nodes = 60
contacts = 3
[overlay.vhash]
gossip = "20 s"

[workload]
lookups = 400

[time]
transition = "20 s"
measure = "4 s"
max = "24 s"

[sweep]
[[sweep.zip]]
"overlay.protocol" = ["chord", "vhash"]
"overlay.start" = ["converged", "random"]

[[figure]]
name = "hops"
kind = "histogram"
quantity = "overlay_hops"
series = "overlay.protocol"

[[figure]]
x = "overlay.protocol"
y = "messages"

[quick]
repetitions = 1
"workload.lookups" = 40
"overlay.start" = "converged"
[quick.sweep]
"overlay.protocol" = ["chord"]
"#;

pub fn both() -> Lab {
    let lab = Lab::new();
    lab.write("both.toml", BOTH);
    lab.succeed(&["run", "both.toml", "--out", "out"]);
    lab
}
