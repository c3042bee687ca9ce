//! BRITE (Medina, Lakhina, Matta and Byers, 2001): the files of the topology generator.

use super::Fault;
use super::latency::LatencyRule;
use super::links::{ParsedLinks, as_said};
use super::text::{data_lines, last_line};
use crate::parameter::quoted;

/// The columns after the two hosts of a link.
const VALUES: [&str; 3] = ["length", "delay", "bandwidth"];

/// Reads a topology; see [`Format::Brite`](super::Format::Brite). O(length of the text).
pub(super) fn read<'a>(text: &'a str, rule: &'a LatencyRule) -> Result<ParsedLinks<'a>, Fault> {
    let mut found = ParsedLinks::new(rule, "delay");
    let mut section = "";
    // The numbers of nodes and edges.
    let mut said = Vec::new();
    for (line, content) in data_lines(text) {
        let mut words = content.split_whitespace();
        let first = words.next().unwrap_or_default();
        if let Some((name @ ("Topology" | "Model" | "Nodes" | "Edges"), _)) =
            content.trim_start().split_once([':', ' '])
        {
            section = name;
            if section == "Topology" {
                let numbers = content.split(|c: char| !c.is_ascii_digit());
                said = numbers.filter_map(|word| word.parse().ok()).collect();
            }
            continue;
        }
        match section {
            "Nodes" if found.new_host(first).is_none() => {
                let message = format!("a second node with the id {}", quoted(first));
                return Err(Fault::new(line, message));
            }
            "Edges" => {
                let mut end = || {
                    let word = words.next().unwrap_or_default();
                    let unknown = || Fault::new(line, format!("{} is no node's id", quoted(word)));
                    found.known(word).ok_or_else(unknown)
                };
                let ends = (end()?, end()?);
                let values = VALUES.into_iter().zip(words);
                found.link(ends, values.map(|(name, word)| (line, name, word)))?;
            }
            // A new host, or a model with its parameters.
            _ => {}
        }
    }
    let last = last_line(text);
    if let [nodes, edges] = said[..] {
        as_said(last, nodes, "nodes", found.links.node_count())?;
        as_said(last, edges, "edges", found.links.edge_count())?;
    }
    found.finish(last)
}

/// Whether the text has the signs of this format.
pub(super) fn opens(text: &str) -> bool {
    let first = data_lines(text).next().map_or("", |(_, line)| line.trim());
    first.starts_with("Topology:") && first.contains("Nodes")
}
