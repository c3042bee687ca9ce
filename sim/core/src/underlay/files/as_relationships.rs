//! CAIDA's relationships of autonomous systems, serial-1 and serial-2.

use super::Fault;
use super::latency::LatencyRule;
use super::links::{ParsedLinks, count};
use super::text::{data_lines, last_line};
use crate::parameter::quoted;

/// Provider and customer, peers, siblings.
const RELATIONSHIPS: [&str; 4] = ["-1", "0", "1", "2"];

/// Reads a graph; see [`Format::AsRelationships`](super::Format::AsRelationships).
/// O(length of the text).
pub(super) fn read<'a>(text: &'a str, rule: &'a LatencyRule) -> Result<ParsedLinks<'a>, Fault> {
    let mut found = ParsedLinks::new(rule, "latency");
    for (line, content) in data_lines(text) {
        let mut cells = content.split('|').map(str::trim);
        let mut system = || {
            let word = cells.next().unwrap_or_default();
            count(line, Some(word), "`AS|AS|RELATIONSHIP`").map(|_| word)
        };
        let (from, to) = (system()?, system()?);
        let word = cells.next().unwrap_or_default();
        if !RELATIONSHIPS.contains(&word) {
            let message = format!(
                "expected the relationship -1, 0, 1 or 2, found {}",
                quoted(word)
            );
            return Err(Fault::new(line, message));
        }
        let ends = (found.host(from), found.host(to));
        found.links.add_edge(ends.0, ends.1, None);
    }
    found.finish(last_line(text))
}

/// Whether all lines have the form of this format: two systems and their relationship. If one is
/// -1, which occurs in no other format, the reader reports the others.
pub(super) fn opens(text: &str) -> bool {
    let is_system =
        |cell: Option<&str>| cell.is_some_and(|cell| cell.trim().parse::<u64>().is_ok());
    let (mut is_all, mut is_one) = (true, false);
    let are_systems = data_lines(text).all(|(_, line)| {
        let mut cells = line.split('|');
        let systems = is_system(cells.next()) && is_system(cells.next());
        let third = cells.next().unwrap_or_default().trim();
        is_all &= RELATIONSHIPS.contains(&third);
        is_one |= third == "-1";
        systems
    });
    are_systems && (is_all || is_one) && data_lines(text).next().is_some()
}
