//! DIMACS (challenges 1 to 9, 1990 to 2006): graphs for colouring, flows and shortest paths.

use super::Fault;
use super::latency::LatencyRule;
use super::links::{ParsedLinks, as_said, count};
use super::text::{last_line, numbered};
use crate::parameter::quoted;

/// Reads a graph; see [`Format::Dimacs`](super::Format::Dimacs). O(length of the text).
pub(super) fn read<'a>(text: &'a str, rule: &'a LatencyRule) -> Result<ParsedLinks<'a>, Fault> {
    let mut found = ParsedLinks::new(rule, "latency");
    let mut is_open = false;
    // The kind of the problem, and the number of links in the header.
    let (mut kind, mut said) = ("", None);
    for (line, content) in numbered(text) {
        let mut words = content.split_whitespace();
        match words.next() {
            // A comment, or a node with its values.
            None | Some("c" | "n" | "d" | "v" | "x") => {}
            Some("p") if !is_open => {
                is_open = true;
                kind = words.next().unwrap_or_default();
                found.declared = count(line, words.next(), "`p KIND HOSTS LINKS`")?;
                said = words.next().and_then(|word| word.parse().ok());
            }
            Some(link @ ("e" | "a")) if is_open => {
                let mut end = || {
                    let word = words.next().unwrap_or_default();
                    let number = count(line, Some(word), "the numbers of two hosts")?;
                    if number == 0 || number > found.declared {
                        let most = found.declared;
                        let message = format!("expected hosts from 1 to {most}, found {number}");
                        return Err(Fault::new(line, message));
                    }
                    Ok(word)
                };
                let (from, to) = (end()?, end()?);
                found.directed |= link == "a";
                let ends = (found.host(from), found.host(to));
                found.link(ends, words.next().map(|word| (line, "weight", word)))?;
            }
            Some(word) => {
                let expected = if is_open {
                    "`e`, `a` or `c`"
                } else {
                    "`p` or `c`"
                };
                let message = format!(
                    "expected a line that begins with {expected}, found {}",
                    quoted(word)
                );
                return Err(Fault::new(line, message));
            }
        }
    }
    let last = last_line(text);
    let links = found.links.edge_count();
    match said {
        // Graphs for colouring count links once or from both ends, and list them accordingly.
        Some(said)
            if matches!(kind, "edge" | "col") && (links == 2 * said || said == 2 * links) =>
        {
            let note = format!("the head says {said} links, the file has {links}");
            found.notes.push(note);
        }
        Some(said) => as_said(last, said, "links", links)?,
        None => {}
    }
    found.finish(last)
}

/// Whether the text has the signs of this format: comments, and then the problem line.
pub(super) fn opens(text: &str) -> bool {
    for (_, line) in numbered(text) {
        let words: Vec<&str> = line.split_whitespace().take(5).collect();
        match words[..] {
            [] | ["c", ..] => {}
            ["p", kind, hosts, links] => {
                return kind.parse::<u64>().is_err()
                    && hosts.parse::<u64>().is_ok()
                    && links.parse::<u64>().is_ok();
            }
            _ => return false,
        }
    }
    false
}
