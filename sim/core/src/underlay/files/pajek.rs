//! Pajek (Batagelj and Mrvar, 1996).

use super::Fault;
use super::latency::LatencyRule;
use super::links::{ParsedLinks, count};
use super::text::{data_lines, last_line};
use crate::parameter::quoted;

/// The kind of lines below a line with `*`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    /// No links.
    Other,
    /// A link per line.
    Links,
    /// A host and its neighbours.
    Lists,
}

/// Reads a graph; see [`Format::Pajek`](super::Format::Pajek). O(length of the text).
pub(super) fn read<'a>(text: &'a str, rule: &'a LatencyRule) -> Result<ParsedLinks<'a>, Fault> {
    let mut found = ParsedLinks::new(rule, "latency");
    let mut section = Section::Other;
    for (line, content) in data_lines(text) {
        let mut words = content.split_whitespace();
        if let Some(name) = content.trim_start().strip_prefix('*') {
            let name = name
                .split(|c: char| !c.is_alphanumeric())
                .next()
                .unwrap_or_default();
            section = match name.to_ascii_lowercase().as_str() {
                "network" | "partition" | "vector" => Section::Other,
                "vertices" => {
                    found.declared = count(line, words.nth(1), "`*Vertices HOSTS`")?;
                    if words.next().is_some_and(|word| word.parse::<u64>().is_ok()) {
                        let message = "a two-mode Pajek network has two kinds of nodes, which are not \
                                       hosts alike";
                        return Err(Fault::new(line, message));
                    }
                    Section::Other
                }
                "edges" => Section::Links,
                "arcs" => {
                    found.directed = true;
                    Section::Links
                }
                "edgeslist" => Section::Lists,
                "arcslist" => {
                    found.directed = true;
                    Section::Lists
                }
                _ => {
                    let message = format!(
                        "expected *Vertices, *Edges, *Arcs, *Edgeslist or *Arcslist, found {}",
                        quoted(name)
                    );
                    return Err(Fault::new(line, message));
                }
            };
            continue;
        }
        if section == Section::Other {
            continue;
        }
        let declared = found.declared;
        let mut host = |word: Option<&'a str>| {
            let word = word.unwrap_or_default();
            let number = count(line, Some(word), "the numbers of two hosts")?;
            if number == 0 || number > declared {
                let message = format!("expected hosts from 1 to {declared}, found {number}");
                return Err(Fault::new(line, message));
            }
            Ok(found.host(word))
        };
        let from = host(words.next())?;
        let to = host(words.next())?;
        if section == Section::Links {
            found.link((from, to), words.next().map(|word| (line, "weight", word)))?;
        } else {
            let others: Result<Vec<_>, Fault> = words.map(|word| host(Some(word))).collect();
            for to in [to].into_iter().chain(others?) {
                found.links.add_edge(from, to, None);
            }
        }
    }
    found.finish(last_line(text))
}

/// Whether the text has the signs of this format.
pub(super) fn opens(text: &str) -> bool {
    let first = data_lines(text).next().map_or("", |(_, line)| line.trim());
    let name = first
        .strip_prefix('*')
        .unwrap_or_default()
        .to_ascii_lowercase();
    ["vertices", "network", "partition"]
        .iter()
        .any(|known| name.starts_with(known))
}
