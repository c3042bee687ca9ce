use super::{Fault, bad_latency, data_lines, last_line, millis};
use crate::underlay::graph::Links;
use petgraph::graph::NodeIndex;
use rustc_hash::FxHashMap;

/// Reads an edge list; see [`Format::EdgeList`](super::Format::EdgeList). O(length of the text).
pub(super) fn read(text: &str) -> Result<Links, Fault> {
    let mut graph = Links::default();
    // Only asked: hosts are numbered by their place in the file.
    let mut hosts: FxHashMap<&str, NodeIndex> = FxHashMap::default();
    for (line, content) in data_lines(text) {
        let mut columns = content.split_whitespace();
        let (Some(from), Some(to)) = (columns.next(), columns.next()) else {
            let message = format!("expected two columns, the hosts of a link, found \"{content}\"");
            return Err(Fault::new(line, message));
        };
        let number = columns
            .next()
            .and_then(|word| Some((word, word.parse::<f64>().ok()?)));
        let latency = match number {
            None => None,
            Some((word, number)) => {
                Some(millis(number).ok_or_else(|| Fault::new(line, bad_latency(word)))?)
            }
        };
        let mut host = |name| *hosts.entry(name).or_insert_with(|| graph.add_node(()));
        let (from, to) = (host(from), host(to));
        graph.add_edge(from, to, latency);
    }
    if graph.edge_count() == 0 {
        return Err(Fault::new(last_line(text), "the file has no links"));
    }
    Ok(graph)
}
