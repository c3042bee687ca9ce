//! Inet 3.0 (Winick and Jamin, 2002): the files of the topology generator.

use super::Fault;
use super::latency::LatencyRule;
use super::links::{ParsedLinks, count};
use super::text::{data_lines, last_line};
use crate::parameter::quoted;

/// Reads a topology; see [`Format::Inet`](super::Format::Inet). O(length of the text).
pub(super) fn read<'a>(text: &'a str, rule: &'a LatencyRule) -> Result<ParsedLinks<'a>, Fault> {
    let mut found = ParsedLinks::new(rule, "latency");
    let mut lines = data_lines(text);
    let Some((line, head)) = lines.next() else {
        return Err(Fault::new(
            last_line(text),
            "expected the numbers of hosts and links",
        ));
    };
    let mut words = head.split_whitespace();
    let hosts = count(line, words.next(), "the number of hosts")?;
    let links = count(line, words.next(), "the number of links")?;
    for (line, content) in lines {
        let mut words = content.split_whitespace();
        let first = words.next().unwrap_or_default();
        if found.links.node_count() < hosts {
            if found.new_host(first).is_none() {
                let message = format!("a second host with the number {}", quoted(first));
                return Err(Fault::new(line, message));
            }
            continue;
        }
        let host = |word: &str| {
            let unknown = || Fault::new(line, format!("{} is no host's number", quoted(word)));
            found.known(word).ok_or_else(unknown)
        };
        let ends = (host(first)?, host(words.next().unwrap_or_default())?);
        found.link(ends, words.next().map(|word| (line, "weight", word)))?;
    }
    if found.links.edge_count() != links {
        let message = format!(
            "expected {links} links as the head says, found {}",
            found.links.edge_count()
        );
        return Err(Fault::new(last_line(text), message));
    }
    found.finish(last_line(text))
}

/// Whether the text looks like it: the numbers of hosts and links, and as many lines, of which the first so many begin with numbers that go up by one.
pub(super) fn opens(text: &str) -> bool {
    let mut lines = data_lines(text).map(|(_, line)| line.split_whitespace());
    let numbers: Vec<u64> = lines
        .next()
        .into_iter()
        .flatten()
        .map_while(|word| word.parse().ok())
        .collect();
    let [hosts, links] = numbers[..] else {
        return false;
    };
    let (mut seen, mut before) = (0, None);
    for mut words in lines {
        let first = words.next().and_then(|word| word.parse::<u64>().ok());
        let follows = before.is_none_or(|before: u64| first == before.checked_add(1));
        // A host has its place, a link another host and perhaps a weight.
        let least = if seen < hosts { 2 } else { 1 };
        if first.is_none() || words.count() < least || seen < hosts && !follows {
            return false;
        }
        (seen, before) = (seen + 1, first);
    }
    hosts > 1 && hosts.checked_add(links) == Some(seen)
}
