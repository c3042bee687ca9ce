//! Matrix Market (Boisvert, Pozo, Remington, Barrett and Dongarra, 1997): sparse matrices.

use super::Fault;
use super::latency::LatencyRule;
use super::links::{ParsedLinks, as_said, count};
use super::text::{last_line, numbered};
use crate::parameter::shown;

/// Reads a matrix; see [`Format::MatrixMarket`](super::Format::MatrixMarket). O(length of the text).
pub(super) fn read<'a>(text: &'a str, rule: &'a LatencyRule) -> Result<ParsedLinks<'a>, Fault> {
    let mut found = ParsedLinks::new(rule, "latency");
    let head = text.lines().next().unwrap_or_default().to_ascii_lowercase();
    let words: Vec<&str> = head.split_whitespace().collect();
    let ["%%matrixmarket", "matrix", layout, field, symmetry] = words[..] else {
        let message = "expected `%%MatrixMarket matrix coordinate FIELD SYMMETRY`";
        return Err(Fault::new(1, message));
    };
    if layout != "coordinate" {
        let message = format!(
            "a Matrix Market matrix in the layout {} is no list of links; expected coordinate",
            shown(layout)
        );
        return Err(Fault::new(1, message));
    }
    found.directed = symmetry == "general";
    let values: &[&str] = match field {
        "pattern" => &[],
        // The imaginary part is not a weight.
        _ => &["weight"],
    };
    let mut lines = numbered(text)
        .filter(|(_, line)| !line.trim_start().starts_with('%') && !line.trim().is_empty());
    let Some((line, size)) = lines.next() else {
        return Err(Fault::new(
            last_line(text),
            "expected a line with the size of the matrix",
        ));
    };
    let mut words = size.split_whitespace();
    let rows = count(line, words.next(), "the number of rows")?;
    let columns = count(line, words.next(), "the number of columns")?;
    let entries = count(line, words.next(), "the number of entries")?;
    if rows != columns {
        let message = format!(
            "a Matrix Market matrix of {rows} rows and {columns} columns is no graph; expected as \
             many rows as columns"
        );
        return Err(Fault::new(line, message));
    }
    found.declared = rows;
    for (line, content) in lines {
        let mut words = content.split_whitespace();
        let mut end = || {
            let word = words.next().unwrap_or_default();
            let place = count(line, Some(word), "a row and a column")?;
            if place == 0 || place > rows {
                let message = format!("expected rows and columns from 1 to {rows}, found {place}");
                return Err(Fault::new(line, message));
            }
            Ok(word)
        };
        let (from, to) = (end()?, end()?);
        let ends = (found.host(from), found.host(to));
        found.link(
            ends,
            values
                .iter()
                .zip(words)
                .map(|(name, word)| (line, *name, word)),
        )?;
    }
    let last = last_line(text);
    as_said(last, entries, "entries", found.links.edge_count())?;
    found.finish(last)
}
