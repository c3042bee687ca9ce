//! Detection of the format of a table: a matrix, a list of links or pairs, or what only looks like one.

use super::columns::Columns;
use super::guess::{Guess, doubt};
use super::latency::is_round_trip;
use super::numbers::{duration, is_quantity};
use super::rtt_matrix::{Outline, Shape, is_entry, is_missing, is_zero};
use super::separator::{Separator, is_blank};
use super::text::data_lines;
use super::{Fault, File, Format};
use crate::parameter::quoted;
use rustc_hash::FxHashSet;

/// The greatest number of rows for which a table may be square by chance.
const CHANCE: usize = 8;

/// The format of a text that is a table.
pub(super) fn table(text: &str, file: &File) -> Result<Guess, Fault> {
    let separator = Separator::of(text, file)?;
    if let Some(columns) = &file.columns {
        return Ok(if Columns::given_round_trips(&columns.0, file) {
            Format::RttPairs
        } else {
            Format::EdgeList
        }
        .into());
    }
    let Some((line, first)) = data_lines(text).next() else {
        return Ok(Format::EdgeList.into());
    };
    let has_ends =
        || Columns::of(text, separator, file, None).is_ok_and(|columns| columns.has_ends);
    if let Some((line, tag)) = tag(text, separator)
        && !has_ends()
    {
        let message = format!(
            "every line begins with a tag such as {} before the names of two hosts; `columns` under \
             [underlay.file] names the columns, as in [\"-\", \"from\", \"to\"], where \"-\" passes \
             one over",
            quoted(tag)
        );
        return Err(Fault::new(line, message));
    }
    if let Some(line) = weighted_metis(text, separator) {
        return Err(doubt(line, "an edge-list", "METIS, which is not read"));
    }
    let cells = separator.cells(first);
    match Shape::of(text, separator) {
        Ok(shape) => {
            if let Some(format) = matrix(text, separator, file, shape, line)? {
                return Ok(format.into());
            }
        }
        // Its reader reports what is wrong with it.
        Err(_) if cells.len() > 3 && cells.iter().all(|cell| is_entry(cell)) => {
            match numbers(text, separator) {
                Numbers::Matrix => return Ok(Format::RttMatrix.into()),
                Numbers::MatrixOrLinks => return Err(doubt(line, "an rtt-matrix", "an edge-list")),
                Numbers::LinksOrNeighbours => {
                    return Err(doubt(line, "an edge-list", "an adjacency-list"));
                }
                Numbers::Links => {}
            }
        }
        Err(_) => {}
    }
    if let Some(skip) = count_line(text, separator)? {
        let (format, skip) = (Format::EdgeList, Some(skip));
        return Ok(Guess { format, skip });
    }
    // A header shows whether the times are round-trip times.
    if let Ok(columns) = Columns::of(text, separator, file, None)
        && columns.named
    {
        if matches!(columns.latency(file), Ok(Some((_, name))) if is_round_trip(name)) {
            return Ok(Format::RttPairs.into());
        }
        // A list of neighbours has no header.
        return Ok(Format::EdgeList.into());
    }
    if let Some(line) = neighbours(text, separator) {
        return Err(doubt(line, "an edge-list", "an adjacency-list"));
    }
    if is_headed(text, separator) {
        let other = "a list whose first line counts hosts and links (leave that out), such as inet";
        return Err(doubt(line, "an edge-list", other));
    }
    if let Some((line, cells)) = no_link(text, separator) {
        let message = format!(
            "found {cells} words, of which the third is no number: this does not look like a list \
             of links; `format` under [underlay.file] says if it is an edge-list"
        );
        return Err(Fault::new(line, message));
    }
    if let Some(line) = split_decimals(text, separator, file) {
        let message = "the third and the fourth cell may be one number with a decimal comma; \
                       `columns` under [underlay.file] names the columns, or write a point";
        return Err(Fault::new(line, message));
    }
    Ok(Format::EdgeList.into())
}

/// What rows of numbers are that are not as many as their columns.
enum Numbers {
    Matrix,
    Links,
    MatrixOrLinks,
    LinksOrNeighbours,
}

/// What a table of numbers is that has not the shape of a matrix: a list of links has the numbers
/// of two hosts in each row, and may have any number of rows.
fn numbers(text: &str, separator: Separator) -> Numbers {
    let (mut rows, mut columns, mut cells) = (0, None, Vec::new());
    let (mut is_zero_diagonal, mut has_decimals) = (true, false);
    let (mut firsts, mut others) = (FxHashSet::default(), FxHashSet::default());
    let is_whole = |cell: &&str| cell.parse::<u64>().is_ok();
    for (_, row) in data_lines(text) {
        separator.split(row, &mut cells);
        if is_blank(&cells) {
            continue;
        }
        let is_even = *columns.get_or_insert(cells.len()) == cells.len();
        if !is_even || !cells.iter().take(2).all(is_whole) || !cells.iter().all(|c| is_entry(c)) {
            return Numbers::Matrix;
        }
        let diagonal = cells.get(rows);
        is_zero_diagonal &= diagonal.is_none_or(|cell| is_missing(cell) || is_zero(cell));
        has_decimals |= !cells.get(2).is_some_and(is_whole);
        firsts.extend(cells.first().copied());
        others.extend(cells.iter().skip(1).copied());
        rows += 1;
    }
    match columns {
        _ if is_zero_diagonal => Numbers::Matrix,
        // Equally many neighbours of each host.
        _ if others.is_subset(&firsts) => Numbers::LinksOrNeighbours,
        Some(columns) if rows > columns || has_decimals => Numbers::Links,
        _ => Numbers::MatrixOrLinks,
    }
}

/// The first line and its tag, if a tag and the names of two hosts begin each line. The tags of
/// CAIDA's AS links differ: direct, indirect, of several origins, and times.
fn tag(text: &str, separator: Separator) -> Option<(usize, &str)> {
    let (mut first, mut rows, mut cells) = (None, 0, Vec::new());
    let (mut is_shared, mut is_caida) = (true, true);
    let (mut are_numbers, mut are_words) = (true, true);
    let (mut froms, mut tos) = (FxHashSet::default(), Vec::new());
    // Several origins are one word: `701_702`.
    let is_host = |word: &str| {
        let has_digit = word.starts_with(|first: char| first.is_ascii_digit());
        has_digit && (!is_quantity(word) || word.parse::<u64>().is_ok())
    };
    for (line, row) in data_lines(text) {
        separator.split(row, &mut cells);
        if is_blank(&cells) {
            continue;
        }
        let [tag, from, to, ..] = cells[..] else {
            return None;
        };
        let (_, head) = *first.get_or_insert((line, tag));
        is_shared &= tag == head;
        is_caida &= matches!(tag, "D" | "I" | "M" | "T");
        if !is_shared && !is_caida {
            return None;
        }
        // A number after a name is the latency of a link; after a number it is a host.
        are_numbers &= is_host(from) && is_host(to);
        are_words &= !is_quantity(to);
        froms.insert(from);
        tos.push(to);
        rows += 1;
    }
    let (line, tag) = first.filter(|_| rows > 1)?;
    let lower = tag.to_ascii_lowercase();
    let is_word = matches!(&*lower, "edge" | "link" | "arc");
    let is_tag = is_caida || is_word || matches!(&*lower, "e" | "a" | "l");
    // A single letter may be a host with many neighbours, and a word of each link.
    let are_hosts =
        are_numbers || are_words && (is_word || tos.iter().any(|to| froms.contains(to)));
    (is_tag && are_hosts).then_some((line, tag))
}

/// The first line of a METIS graph with weights. It has the numbers of hosts and links, three
/// flags (whether hosts have a size, hosts have weights, links have a weight), and perhaps the
/// number of weights of a host. A line per host follows, with what it has and its neighbours.
fn weighted_metis(text: &str, separator: Separator) -> Option<usize> {
    let mut lines = data_lines(text).map(|(line, row)| (line, row.split_whitespace()));
    let (line, head) = lines.next()?;
    let head: Vec<&str> = head.take(5).collect();
    let (hosts, links, flags, weights) = match head[..] {
        [hosts, links, flags] => (hosts, links, flags, "1"),
        [hosts, links, flags, weights] => (hosts, links, flags, weights),
        _ => return None,
    };
    let number = |word: &str| word.parse::<usize>().ok();
    let (hosts, links, weights) = (number(hosts)?, number(links)?, number(weights)?);
    let are_flags = flags.len() <= 3 && flags.bytes().all(|flag| matches!(flag, b'0' | b'1'));
    let has = |place: usize| flags.bytes().rev().nth(place) == Some(b'1');
    let own = usize::from(has(2)).saturating_add(if has(1) { weights } else { 0 });
    let each = 1 + usize::from(has(0));
    let (mut rows, mut ends, mut lengths) = (0, 0_usize, FxHashSet::default());
    for (_, words) in lines {
        let row: Vec<usize> = words.map(number).collect::<Option<_>>()?;
        let neighbours = row.get(own..)?;
        let are_hosts = |host: &usize| (1..=hosts).contains(host);
        if neighbours.len() % each != 0 || !neighbours.iter().step_by(each).all(are_hosts) {
            return None;
        }
        rows += 1;
        ends += neighbours.len() / each;
        lengths.insert(row.len());
    }
    let is_whole = links.checked_mul(2) == Some(ends);
    // The line of a host without neighbours is empty.
    let has_all =
        rows == hosts && (is_whole || lengths.len() > 1) || rows < hosts && is_whole && has(0);
    (separator.0.is_none() && are_flags && rows > 1 && has_all).then_some(line)
}

/// Whether the first line is two whole numbers, and all others are links with latencies.
fn is_headed(text: &str, separator: Separator) -> bool {
    let mut rows = data_lines(text).map(|(_, row)| separator.cells(row));
    let Some(head) = rows.next() else {
        return false;
    };
    let (mut others, mut links) = (0, true);
    for cells in rows {
        others += 1;
        links &= cells.get(2).is_some_and(|cell| is_quantity(cell));
    }
    head.len() == 2 && head.iter().all(|cell| cell.parse::<u64>().is_ok()) && others > 2 && links
}

/// A line of prose among lines of other lengths, and its number of cells: it has more than three,
/// and the third is not a latency, a comment or a dictionary.
fn no_link(text: &str, separator: Separator) -> Option<(usize, usize)> {
    let (mut found, mut lengths, mut cells) = (None, None, Vec::new());
    let mut varies = false;
    for (line, row) in data_lines(text) {
        separator.split(row, &mut cells);
        varies |= *lengths.get_or_insert(cells.len()) != cells.len();
        let is_other = |word: &&str| !is_quantity(word) && !word.starts_with(['#', '/', '{']);
        if cells.len() > 3 && cells.get(2).is_some_and(is_other) {
            found = found.or(Some((line, cells.len())));
        }
    }
    found.filter(|_| varies)
}

/// The first line with a latency that a comma may have split: cells that commas separate, without
/// a header, and a fourth column of digits alone after whole numbers or groups of three digits.
fn split_decimals(text: &str, separator: Separator, file: &File) -> Option<usize> {
    if separator.0 != Some(',') || file.separator.is_some() || file.latency.is_some() {
        return None;
    }
    let is_digits = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = |word: &str| {
        let mut groups = word.trim_start_matches(['+', '-']).split('.');
        groups.next().is_some_and(is_digits)
            && groups.all(|group| group.len() == 3 && is_digits(group))
    };
    let (mut found, mut cells) = (None, Vec::new());
    for (line, row) in data_lines(text) {
        separator.split(row, &mut cells);
        match cells[..] {
            _ if is_blank(&cells) => {}
            [_, _, whole] if is_whole(whole) => {}
            [_, _, whole, part] if is_whole(whole) && is_digits(part) => {
                found = found.or(Some(line));
            }
            _ => return None,
        }
    }
    found
}

/// Whether a table with the shape of a matrix is a matrix.
fn matrix(
    text: &str,
    separator: Separator,
    file: &File,
    shape: Shape,
    line: usize,
) -> Result<Option<Format>, Fault> {
    let has_words = shape.has_head || shape.has_names;
    if shape.rows < 2 || !shape.is_whole {
        // An empty diagonal in a square, and words off it that are not names.
        let is_square = shape.outline == Outline::Square && shape.rows > 2 && !has_words;
        return match is_square && signs(text, separator, shape).0 {
            true => Err(doubt(line, "an rtt-matrix", "an edge-list")),
            false => Ok(None),
        };
    }
    if shape.has_head
        && Columns::of(text, separator, file, None).is_ok_and(|columns| columns.has_ends)
    {
        return Ok(None);
    }
    if shape.outline != Outline::Square {
        let (zero, _) = signs(text, separator, shape);
        // A single number, and then pairs: it counts hosts.
        let is_matrix = zero || shape.rows > 2 || shape.outline == Outline::Upper;
        return Ok(is_matrix.then_some(Format::RttMatrix));
    }
    if shape.rows > CHANCE {
        return Ok(Some(Format::RttMatrix));
    }
    let (zero, symmetric) = signs(text, separator, shape);
    match (shape.rows, zero, symmetric) {
        (4.., true, _) | (4.., _, true) => Ok(Some(Format::RttMatrix)),
        (3, true, true) => Ok(Some(Format::RttMatrix)),
        (_, true, _) if has_words && (shape.rows > 2 || shape.has_head) => {
            Ok(Some(Format::RttMatrix))
        }
        (2..=3, true, _) | (4.., ..) => Err(doubt(line, "an rtt-matrix", "an edge-list")),
        _ => Ok(None),
    }
}

/// Whether a small matrix has an empty diagonal, and whether it is symmetric.
fn signs(text: &str, separator: Separator, shape: Shape) -> (bool, bool) {
    let rows = data_lines(text).skip(usize::from(shape.has_head));
    let names = usize::from(shape.has_names);
    let rows: Vec<Vec<&str>> = rows
        .map(|(_, row)| separator.cells(row).split_off(names))
        .take(if shape.outline == Outline::Square {
            CHANCE
        } else {
            2
        })
        .collect();
    let is_empty = |cell: &&str| is_missing(cell) || is_zero(cell);
    let zero = rows.iter().enumerate().all(|(place, row)| {
        let cell = match shape.outline {
            Outline::Square => row.get(place),
            Outline::Upper => row.first(),
            Outline::Lower => row.last(),
        };
        cell.is_some_and(is_empty)
    });
    let get = |row: usize, column: usize| rows.get(row).and_then(|row| row.get(column));
    let symmetric = (0..rows.len()).all(|a| (0..a).all(|b| get(a, b) == get(b, a)));
    (zero, symmetric)
}

/// The first line, if it counts hosts, and perhaps links: a single number, or two of which the
/// second is the number of the other lines, whose host numbers do not exceed the first.
fn count_line(text: &str, separator: Separator) -> Result<Option<usize>, Fault> {
    let mut lines = data_lines(text);
    let Some((line, first)) = lines.next() else {
        return Ok(None);
    };
    let head = separator.cells(first);
    let numbers: Option<Vec<usize>> = head.iter().map(|word| word.parse().ok()).collect();
    let Some(numbers) = numbers.filter(|numbers| numbers.len() < 4) else {
        return Ok(None);
    };
    // The number of other lines, of all their cells, the fewest cells of a line, and the largest
    // host number.
    let (mut rows, mut all, mut fewest, mut largest) = (0, 0, usize::MAX, Some(0));
    let (mut named, mut names) = (false, 0);
    let mut cells = Vec::new();
    for (_, row) in lines {
        separator.split(row, &mut cells);
        rows += 1;
        all += cells.len();
        fewest = fewest.min(cells.len());
        for word in cells.iter().take(2) {
            largest = match (largest, word.parse::<usize>()) {
                (Some(largest), Ok(number)) => Some(largest.max(number)),
                _ => None,
            };
            named |= head.first() == Some(word);
            names += usize::from(head.get(1) == Some(word));
        }
    }
    let fits = |hosts: usize| largest.is_none_or(|largest| largest <= hosts);
    let metis = |hosts: usize, links: usize| rows == hosts && links.checked_mul(2) == Some(all);
    match numbers[..] {
        [hosts] if rows > 0 && fewest > 1 && fits(hosts) => Ok(Some(line)),
        [hosts, links]
            if rows > 0 && links == rows && fewest > 1 && largest.is_some() && fits(hosts) =>
        {
            if metis(hosts, links) {
                Err(doubt(
                    line,
                    "an edge-list that begins with a count",
                    "METIS, which is not read",
                ))
            } else if largest == Some(hosts) {
                Ok(Some(line))
            } else if named && names > 0 {
                let other = "one whose first line counts its hosts and links (leave that out)";
                Err(doubt(line, "an edge-list", other))
            } else {
                Ok(Some(line))
            }
        }
        [hosts, links] | [hosts, links, _] if rows > 2 && metis(hosts, links) && fits(hosts) => {
            Err(doubt(line, "an edge-list", "METIS, which is not read"))
        }
        _ => Ok(None),
    }
}

/// A line with more than two names of hosts, which may be a host with its neighbours.
fn neighbours(text: &str, separator: Separator) -> Option<usize> {
    let (mut hosts, mut cells) = (FxHashSet::default(), Vec::new());
    let (mut pairs, mut whole) = (false, true);
    for (_, row) in data_lines(text) {
        separator.split(row, &mut cells);
        if is_blank(&cells) {
            continue;
        }
        hosts.extend(cells.iter().take(2).copied());
        pairs |= cells.len() == 2;
        whole &= cells.iter().all(|cell| cell.parse::<u64>().is_ok());
    }
    // Numbers are latencies, unless some lines have none and all numbers are host numbers.
    let may_be_numbers = whole && pairs;
    let is_name = |cell: &&str| {
        let is_value = is_quantity(cell) || duration(cell).is_some();
        !cell.is_empty() && hosts.contains(cell) && (may_be_numbers || !is_value)
    };
    let mut found = None;
    for (line, row) in data_lines(text) {
        separator.split(row, &mut cells);
        if is_blank(&cells) {
            continue;
        }
        let others = cells.get(2..).unwrap_or_default();
        if others.first().is_some_and(is_name) {
            found = found.or(Some(line));
        } else if may_be_numbers && !others.is_empty() {
            return None;
        }
    }
    found
}
