//! Inet 3.0 (Winick and Jamin, 2002): the files of the topology generator.

use super::Fault;
use super::latency::LatencyRule;
use super::links::{ParsedLinks, as_said, count};
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
    let last = last_line(text);
    as_said(last, hosts, "hosts", found.links.node_count())?;
    as_said(last, links, "links", found.links.edge_count())?;
    found.finish(last)
}

/// Whether the text has the signs of this format: the numbers of hosts and links, and lines of
/// three cells whose first counts the hosts. Neither the links nor their number are signs: the
/// reader reports what is wrong with them. With as many lines as links it would be an edge list
/// that begins with a count.
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
    let (mut rows, mut first) = (0, None);
    for mut words in lines {
        if rows < hosts {
            let id = words.next().and_then(|word| word.parse::<u64>().ok());
            let expected = first
                .get_or_insert(id)
                .and_then(|first| first.checked_add(rows));
            if id.is_none() || id != expected || words.count() != 2 {
                return false;
            }
        }
        rows += 1;
    }
    hosts > 1 && rows > 2 && rows != links
}
