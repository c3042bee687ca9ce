//! The KONECT collection of networks (Kunegis, 2013).

use super::Fault;
use super::latency::LatencyRule;
use super::links::{ParsedLinks, as_said, count};
use super::text::{data_lines, last_line};
use crate::parameter::quoted;

/// The words of the first line: the format, and the kind of link values.
fn head(text: &str) -> Option<(&str, &str)> {
    let first = text.lines().next()?.trim().strip_prefix('%')?;
    let mut words = first.split_whitespace();
    Some((words.next()?, words.next()?))
}

/// Reads a graph; see [`Format::Konect`](super::Format::Konect). O(length of the text).
pub(super) fn read<'a>(text: &'a str, rule: &'a LatencyRule) -> Result<ParsedLinks<'a>, Fault> {
    let mut found = ParsedLinks::new(rule, "latency");
    found.directed = match head(text) {
        Some(("sym", _)) => false,
        Some(("asym", _)) => true,
        Some(("bip", _)) => {
            return Err(Fault::new(
                1,
                "a bipartite KONECT network has two kinds of nodes, which are not hosts alike",
            ));
        }
        _ => {
            return Err(Fault::new(
                1,
                "expected `% sym WEIGHTS` or `% asym WEIGHTS`",
            ));
        }
    };
    let second = text
        .lines()
        .nth(1)
        .and_then(|line| line.trim().strip_prefix('%'));
    let counts = second.into_iter().flat_map(str::split_whitespace);
    let counts: Vec<usize> = counts.map_while(|word| word.parse().ok()).collect();
    found.declared = counts.get(1).copied().unwrap_or_default();
    for (line, content) in data_lines(text) {
        let mut words = content.split_whitespace();
        let (Some(from), Some(to)) = (words.next(), words.next()) else {
            let message = format!(
                "expected two columns, the hosts of a link, found {}",
                quoted(content.trim())
            );
            return Err(Fault::new(line, message));
        };
        for word in [from, to] {
            count(line, Some(word), "the numbers of two hosts")?;
        }
        let ends = (found.host(from), found.host(to));
        let values = ["weight", "time"].into_iter().zip(words);
        found.link(ends, values.map(|(name, word)| (line, name, word)))?;
    }
    let last = last_line(text);
    if let Some(links) = counts.first() {
        as_said(last, *links, "links", found.links.edge_count())?;
    }
    found.finish(last)
}

/// Whether the text has the signs of this format.
pub(super) fn opens(text: &str) -> bool {
    const WEIGHTS: [&str; 9] = [
        "unweighted",
        "positive",
        "posweighted",
        "signed",
        "multisigned",
        "weighted",
        "multiweighted",
        "dynamic",
        "multiposweighted",
    ];
    let kinds = ["sym", "asym", "bip"];
    head(text).is_some_and(|(kind, weights)| kinds.contains(&kind) && WEIGHTS.contains(&weights))
}
