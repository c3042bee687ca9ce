//! Facts about a file in one line, and notes for the reader of results.

use super::links::ParsedLinks;
use super::{FileContent, Format, Loaded};
use crate::engine::Duration;
use crate::underlay::graph::{Links, components, disconnected, distinct, tell_dropped};
use crate::underlay::pairwise::Matrix;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

fn millis(micros: u32) -> String {
    format!(
        "{} ms",
        Duration::from_micros(micros.into()).as_millis_f64()
    )
}

fn plural(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// The links that are used, with the facts of their file.
pub(super) fn of_links(format: Format, found: ParsedLinks<'_>) -> Loaded {
    let hosts = found.links.node_count();
    let mut notes = found.notes;
    let mut both_ways = 0;
    if found.directed {
        both_ways = with_both_ways(&found.links);
        let pairs = |pairs: usize| match pairs {
            1 => "1 pair of hosts has".to_owned(),
            pairs => format!("{pairs} pairs of hosts have"),
        };
        let which = match (two_latencies(&found.links), both_ways) {
            (0, 0) => String::new(),
            (0, both) => format!(": {} one each way", pairs(both)),
            (two, _) => format!(
                ": {} two different latencies, of which the smaller is taken",
                pairs(two)
            ),
        };
        notes.push(format!(
            "the file gives links a direction, which they do not have here{which}"
        ));
    }
    let (links, loops, parallel) = distinct(&found.links);
    let latencies = links.iter().filter_map(|link| link.latency);
    let known = latencies.clone().count();
    let without = links.len() - known;
    if known > 0 && without > 0 {
        notes.push(format!(
            "{without} of {} links without a latency, which is drawn from `link-latency`",
            links.len()
        ));
    }
    // Those of the other direction are reported already.
    tell_dropped(loops, parallel - both_ways, &mut notes);
    let (count, largest) = components(hosts, &links);
    // Many files only count hosts without a link.
    let alone = found.declared.saturating_sub(hosts);
    if alone > 0 && largest as usize == hosts {
        // Otherwise building the network tells it.
        notes.push(disconnected(hosts, hosts + alone));
    }
    let latency = match (latencies.clone().min(), latencies.max()) {
        (Some(least), Some(most)) => {
            let (least, most) = (millis(least.get()), millis(most.get()));
            format!("latency {least} to {most}, ")
        }
        _ => "no latencies, ".to_owned(),
    };
    let facts = format!(
        "{}, {}, {}, {}, {largest} hosts used, {latency}{} without one",
        format.as_str(),
        plural(hosts + alone, "host"),
        plural(links.len(), "link"),
        plural(count + alone, "component"),
        plural(without, "link")
    );
    Loaded {
        costs: None,
        measured: FileContent::Graph(hosts, links),
        notes,
        facts,
    }
}

/// A matrix with the facts of its file.
pub(super) fn of_matrix(
    format: Format,
    (matrix, missing): (Matrix, usize),
    notes: Vec<String>,
) -> Loaded {
    let hosts = matrix.hosts();
    let (least, most) = matrix.extremes().unwrap_or_default();
    let facts = format!(
        "{}, {hosts} hosts, {}, 1 component, {hosts} hosts used, latency {} to {}, {} without a \
         measurement",
        format.as_str(),
        plural(hosts * (hosts - 1) / 2, "pair"),
        millis(least),
        millis(most),
        plural(missing, "pair")
    );
    Loaded {
        costs: None,
        measured: FileContent::Matrix(matrix),
        notes,
        facts,
    }
}

/// How many pairs of hosts have links of different latencies.
fn two_latencies(links: &Links) -> usize {
    let latencies = links.edge_references().filter_map(|edge| {
        let (a, b) = (edge.source(), edge.target());
        Some((a.min(b), a.max(b), (*edge.weight())?))
    });
    several(latencies.filter(|(a, b, _)| a != b).collect())
}

/// How many pairs of hosts have links in both directions.
fn with_both_ways(links: &Links) -> usize {
    let ends = links.edge_references().map(|edge| {
        let (a, b) = (edge.source(), edge.target());
        (a.min(b), a.max(b), a < b)
    });
    several(ends.filter(|(a, b, _)| a != b).collect())
}

/// How many pairs of hosts have values that differ.
fn several<T: Ord>(mut values: Vec<(NodeIndex, NodeIndex, T)>) -> usize {
    values.sort_unstable();
    let pairs = values.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1));
    pairs.filter(|pair| pair.first() != pair.last()).count()
}
