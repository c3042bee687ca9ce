//! BRITE (Medina, Lakhina, Matta and Byers, 2001): the files of the topology generator.

use super::Fault;
use super::latency::LatencyRule;
use super::links::ParsedLinks;
use super::text::{data_lines, last_line};
use crate::parameter::quoted;

/// What stands after the two hosts of a link.
const VALUES: [&str; 3] = ["length", "delay", "bandwidth"];

/// Reads a topology; see [`Format::Brite`](super::Format::Brite). O(length of the text).
pub(super) fn read<'a>(text: &'a str, rule: &'a LatencyRule) -> Result<ParsedLinks<'a>, Fault> {
    let mut found = ParsedLinks::new(rule, "delay");
    let mut section = "";
    for (line, content) in data_lines(text) {
        let mut words = content.split_whitespace();
        let first = words.next().unwrap_or_default();
        if let Some((name @ ("Topology" | "Model" | "Nodes" | "Edges"), _)) =
            content.trim_start().split_once([':', ' '])
        {
            section = name;
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
            // Hosts, and the models with their parameters.
            _ => {}
        }
    }
    found.finish(last_line(text))
}

/// Whether the text looks like it.
pub(super) fn opens(text: &str) -> bool {
    let first = data_lines(text).next().map_or("", |(_, line)| line.trim());
    first.starts_with("Topology:") && first.contains("Nodes")
}
