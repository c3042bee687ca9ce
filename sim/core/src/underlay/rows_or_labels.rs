//! Whether the distances on a graph come from rows or from hub labels.
//!
//! Both give the same paths. Labels are the quicker to make if a large graph needs most of its
//! rows, and far smaller; rows are the quicker to read, and few of them are cheaper than labels.
//! The rule depends on the graph, the sites and the rows computed so far, and on nothing that
//! varies from machine to machine.

use super::graph::Adjacency;
use super::hub_labels::Budget;

/// The hosts of a graph so small that rows are made at once, and are quicker to read.
const FEW_HOSTS: usize = 4096;

/// Labels are made once one row is computed for this many that they are worth: until then a run may
/// end with few rows.
const ROWS_BEFORE_LABELS: usize = 4;

/// The most bytes of a hub while labels are made.
const BYTES_A_HUB: u64 = 32;

/// How many rows of a graph of `hosts` hosts take about as long as its labels; 0 if the graph is
/// too small for labels.
///
/// Measured on the Barabási-Albert model from 10,000 to 100,000 hosts. On transit-stub graphs labels
/// take a quarter of it, on random graphs without hubs many times as long.
pub(super) fn worth_of_labels(hosts: usize, equal_links: bool) -> usize {
    match (hosts > FEW_HOSTS, equal_links) {
        (false, _) => 0,
        (true, true) => hosts / 32,
        (true, false) => hosts / 128,
    }
}

/// After how many rows labels are made; `None` if there cannot be twice as many rows as the labels
/// are worth, or the graph is small.
pub(super) fn rows_before_labels(hosts: usize, sites: usize, equal_links: bool) -> Option<usize> {
    let worth = worth_of_labels(hosts, equal_links);
    (worth > 0 && sites >= 2 * worth).then_some(worth / ROWS_BEFORE_LABELS)
}

/// What labels of `graph` may cost: a quarter of the time of all rows, and all of their memory.
/// Beyond it, their construction is given up.
///
/// A step takes 2 to 5 ns. A row takes 6 to 9 ns for a host or an end of a link where all have one
/// latency, otherwise about 28.
pub(super) fn budget(graph: &Adjacency) -> Budget {
    let (hosts, links) = (graph.hosts() as u64, graph.links() as u64);
    let searches = hosts.saturating_mul(hosts + 2 * links);
    let equal_links = graph.has_equal_links();
    Budget {
        steps: if equal_links {
            searches / 2
        } else {
            searches.saturating_mul(4)
        },
        hubs: row_bytes(graph.hosts(), graph.hosts(), equal_links) / BYTES_A_HUB,
    }
}

/// An estimate in bytes of the distances of `sites` sites, whose labels would have `hubs` hubs a
/// host.
pub(super) fn bytes(hosts: usize, sites: usize, equal_links: bool, hubs: f64) -> u64 {
    let sites = sites.min(hosts);
    let all_rows = row_bytes(sites, sites, equal_links);
    let Some(before) = rows_before_labels(hosts, sites, equal_links) else {
        return all_rows;
    };
    // What folded trees, the core and the order take for a host, besides its hubs.
    let label = ((hubs * BYTES_A_HUB as f64) as u64).saturating_add(100);
    let labels = (hosts as u64).saturating_mul(label);
    all_rows.min(row_bytes(before, sites, equal_links).saturating_add(labels))
}

/// An estimate in bytes of `rows` rows: per entry two bytes where all links have one latency,
/// otherwise one byte for the hops and four for the latency.
fn row_bytes(rows: usize, sites: usize, equal_links: bool) -> u64 {
    let (rows, sites) = (rows as u64, sites as u64);
    let entry = if equal_links { 2 } else { 5 };
    rows.saturating_mul(sites)
        .saturating_mul(entry)
        .saturating_add(64 * sites)
}
