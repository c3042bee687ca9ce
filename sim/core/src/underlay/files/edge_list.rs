//! A link per line, or a host with its neighbours per line.

use super::columns::Columns;
use super::latency::{LatencyRule, Misfit};
use super::links::ParsedLinks;
use super::numbers::{duration, is_other_unit};
use super::separator::{Separator, is_blank};
use super::text::{data_lines, last_line};
use super::{Fault, File};
use crate::parameter::shown;

/// Reads an edge list; see [`Format::EdgeList`](super::Format::EdgeList). `skip` is a line that
/// counts hosts. O(length of the text).
pub(super) fn read<'a>(
    text: &'a str,
    file: &File,
    rule: &'a LatencyRule,
    skip: Option<usize>,
) -> Result<ParsedLinks<'a>, Fault> {
    let separator = Separator::of(text, file)?;
    let columns = Columns::of(text, separator, file, skip)?;
    let latency = columns.latency(file)?;
    let mut found = ParsedLinks::new(rule, "latency");
    if let Some(line) = skip {
        found
            .notes
            .push(format!("line {line} counts hosts and is no link"));
    }
    columns.tell_latency(file, &mut found.notes);
    if !columns.named && latency.is_some() {
        found.notes.extend(file.tell_comment(text, false));
    }
    // Lines whose latency column has something else.
    let (mut others, mut first_other) = (0, 0);
    let mut cells = Vec::new();
    let rows =
        data_lines(text).filter(|(line, _)| *line >= columns.first_line && Some(*line) != skip);
    for (line, row) in rows {
        separator.split(row, &mut cells);
        let what = "two columns, the hosts of a link";
        let Some((from, to)) = columns.hosts(line, &cells, what)? else {
            continue;
        };
        let ends = (found.host(from), found.host(to));
        if let Some(pairs) = dictionary(row, &cells) {
            found.link(ends, pairs.map(|(key, value)| (line, key, value)))?;
            continue;
        }
        let value = latency.and_then(|(place, name)| Some((name, *cells.get(*place)?)));
        // A unit may be in a cell of its own.
        let unit = latency.and_then(|(place, _)| cells.get(place + 1));
        let unit = unit.filter(|_| !columns.named);
        let with_unit = match (value, unit) {
            (Some((_, number)), Some(unit)) => format!("{number} {unit}"),
            _ => String::new(),
        };
        let has_unit =
            duration(&with_unit).is_some() || unit.is_some_and(|unit| is_other_unit(unit));
        let value = value.map(|(name, word)| (name, if has_unit { &*with_unit } else { word }));
        let micros = match value.map(|(name, word)| (rule.value(name, word), name, word)) {
            None => None,
            Some((Ok(micros), ..)) => Some(micros),
            Some((Err(Misfit::Word), _, word)) if !has_unit => {
                if !word.starts_with(['#', '/']) {
                    others += 1;
                    first_other = if others == 1 { line } else { first_other };
                }
                None
            }
            Some((Err(misfit), name, word)) => {
                let mut fault = rule.refuse(line, name, word, misfit);
                if !columns.named && file.latency.is_none() {
                    fault.message += "; `latency = \"none\"` under [underlay.file] passes the third \
                                      column over";
                }
                return Err(fault);
            }
        };
        found.links.add_edge(ends.0, ends.1, micros);
    }
    if others > 0 {
        let name = latency.map_or("", |(_, name)| name.as_str());
        let column = if columns.named {
            "column"
        } else {
            "column number"
        };
        found.notes.push(format!(
            "{others} of {} links have no number in {column} {}, which is their latency (first in \
             line {first_other})",
            found.links.edge_count(),
            shown(name),
        ));
    }
    if columns.named && latency.is_none() && !columns.others.is_empty() && file.latency.is_none() {
        let names: Vec<String> = columns
            .others
            .iter()
            .take(8)
            .map(|(_, name)| shown(name))
            .collect();
        found.notes.push(format!(
            "no column is called `latency`, the others are {}; `latency` under [underlay.file] names \
             what is to be taken for it",
            names.join(", ")
        ));
    }
    found.finish(last_line(text))
}

/// The keys and values of the dictionary at the end of a networkx line, if there is one.
fn dictionary<'a>(
    row: &'a str,
    cells: &[&str],
) -> Option<impl Iterator<Item = (&'a str, &'a str)> + use<'a>> {
    // A multigraph has the key of a link before it.
    if !cells
        .iter()
        .skip(2)
        .take(2)
        .any(|cell| cell.starts_with('{'))
    {
        return None;
    }
    let inside = row[row.find('{')?..]
        .trim_end()
        .strip_prefix('{')?
        .strip_suffix('}')?;
    let quotes = ['\'', '"'];
    Some(inside.split(',').filter_map(move |pair| {
        let (key, value) = pair.split_once(':')?;
        Some((
            key.trim().trim_matches(quotes),
            value.trim().trim_matches(quotes),
        ))
    }))
}

/// Reads an adjacency list; see [`Format::AdjacencyList`](super::Format::AdjacencyList).
pub(super) fn read_adjacency<'a>(
    text: &'a str,
    file: &File,
    rule: &'a LatencyRule,
) -> Result<ParsedLinks<'a>, Fault> {
    let separator = Separator::of(text, file)?;
    if let Some((line, _)) = data_lines(text).next()
        && has_colons(text)
    {
        let message = "an adjacency list with colons is not read; leave them out";
        return Err(Fault::new(line, message));
    }
    let mut found = ParsedLinks::new(rule, "latency");
    let mut cells = Vec::new();
    for (line, row) in data_lines(text) {
        separator.split(row, &mut cells);
        if is_blank(&cells) {
            continue;
        }
        let mut names = cells.iter();
        let Some(&first) = names.next() else { continue };
        if first.is_empty() {
            let message = "expected a host and its neighbours, found an empty cell";
            return Err(Fault::new(line, message));
        }
        let host = found.host(first);
        for &name in names.filter(|name| !name.is_empty()) {
            let neighbour = found.host(name);
            found.links.add_edge(host, neighbour, None);
        }
    }
    found.finish(last_line(text))
}

/// Whether each line is a host, a colon, and its neighbours.
pub(super) fn has_colons(text: &str) -> bool {
    data_lines(text).all(|(_, line)| {
        let is_number = |word: &str| word.parse::<u64>().is_ok();
        line.split_once(':').is_some_and(|(host, rest)| {
            let next = rest.split([' ', '\t', ',']).next().unwrap_or_default();
            let (host, is_apart) = (host.trim(), next.is_empty());
            !host.is_empty()
                && !host.contains(char::is_whitespace)
                && !rest.contains(':')
                && (is_apart || is_number(host) && is_number(next))
        })
    })
}
