//! Matrices of round-trip times: their shape and their entries.

use super::latency::{unit_in, unknown_unit};
use super::numbers::{DOUBT, Unit, duration, is_doubtful, is_quantity, number};
use super::rtt_gaps::complete;
use super::separator::Separator;
use super::text::{data_lines, last_line};
use super::{Fault, File, RttUnit};
use crate::parameter::quoted;
use crate::underlay::pairwise::Matrix;

/// Whether an entry means a missing measurement.
pub(super) fn is_missing(word: &str) -> bool {
    matches!(word, "" | "-" | "?" | "*")
        || ["nan", "na", "n/a", "null"]
            .iter()
            .any(|name| word.eq_ignore_ascii_case(name))
        || number(word) == Some(-1.0)
}

/// Whether a cell can be an entry.
pub(super) fn is_entry(word: &str) -> bool {
    is_missing(word) || is_quantity(word)
}

/// An entry in units of `micros` microseconds.
pub(super) fn entry(word: &str, micros: f64) -> Option<f64> {
    number(word).or_else(|| Some(duration(word)? / micros))
}

/// Whether an entry is 0, like those on the diagonal.
pub(super) fn is_zero(word: &str) -> bool {
    entry(word, 1.0) == Some(0.0)
}

/// The lengths of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outline {
    /// All columns.
    Square,
    /// One column fewer than the row before.
    Upper,
    /// One column more than the row before.
    Lower,
}

/// The layout of a matrix in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Rows with entries.
    pub(super) rows: usize,
    /// Whether the first row has the names of the columns.
    pub(super) has_head: bool,
    /// Whether the first column has the names of the rows.
    pub(super) has_names: bool,
    pub(super) outline: Outline,
    /// Whether all other cells can be entries.
    pub(super) is_whole: bool,
}

/// What is known of a row without reading its entries.
struct Row {
    line: usize,
    cells: usize,
    /// Whether the first cell, all others, and the last can be entries.
    first: bool,
    rest: bool,
    last: bool,
    /// Whether a 0 is on the diagonal.
    zero: bool,
    /// The first cell, if it is a whole number.
    number: Option<usize>,
}

impl Shape {
    /// The shape of the matrix in `text`.
    pub(super) fn of(text: &str, separator: Separator) -> Result<Self, Fault> {
        let mut cells = Vec::new();
        let mut rows: Vec<Row> = Vec::new();
        let (mut is_corner, mut has_letters) = (false, false);
        for (line, content) in data_lines(text) {
            separator.split(content, &mut cells);
            if rows.is_empty() {
                is_corner = cells.first() == Some(&"")
                    && cells.len() > 2
                    && cells[1..].iter().all(|cell| cell.parse::<u64>().is_ok());
                has_letters = cells
                    .iter()
                    .any(|cell| !is_missing(cell) && cell.starts_with(char::is_alphabetic));
            }
            rows.push(Row {
                line,
                cells: cells.len(),
                first: cells.first().is_some_and(|cell| is_entry(cell)),
                rest: cells.iter().skip(1).all(|cell| is_entry(cell)),
                last: cells.last().is_some_and(|cell| is_entry(cell)),
                number: cells.first().and_then(|cell| cell.parse().ok()),
                zero: cells.get(rows.len()).is_some_and(|cell| is_zero(cell)),
            });
        }
        // With a diagonal of zeros all cells are entries, unless there are letters above it.
        let is_bare = rows.len() > 2
            && !has_letters
            && rows.iter().all(|row| row.zero && row.cells == rows.len());
        let has_head = match &rows[..] {
            _ if is_bare => false,
            [head, next, ..] if !head.rest && next.last => true,
            // The number of hosts.
            [head, others @ ..]
                if head.cells == 1 && head.number == Some(others.len()) && others.len() > 2 =>
            {
                others.iter().all(|row| row.cells == others.len())
            }
            // Only the corner is a word, or is empty.
            [head, next, ..] if !head.first || is_corner => next.first && next.last,
            // The numbers of the hosts, and one more cell in each row.
            [head, others @ ..] if head.cells == others.len() && head.cells > 1 => {
                others.iter().all(|row| row.cells == head.cells + 1)
            }
            _ => false,
        };
        let head_cells = rows.first().map_or(0, |row| row.cells);
        let body = &rows[usize::from(has_head)..];
        let starts_with_word = |row: &Row| !row.first && row.last && row.cells > 1;
        let has_names = !is_bare && body.iter().any(starts_with_word)
            || has_head
                && body.iter().all(|row| row.cells == body.len() + 1)
                && head_cells >= body.len();
        let columns = |row: &Row| row.cells.saturating_sub(usize::from(has_names));
        let shape = |outline| Self {
            rows: body.len(),
            has_head,
            has_names,
            outline,
            is_whole: body.iter().all(|row| row.rest && (row.first || has_names)),
        };
        let first = body.first().map_or(0, columns);
        let falls = |(place, row): (usize, &Row)| columns(row) + place == body.len();
        let rises = |(place, row): (usize, &Row)| columns(row) == place + 1;
        if body.len() > 1 && body.iter().enumerate().all(falls) {
            return Ok(shape(Outline::Upper));
        }
        if body.len() > 1 && body.iter().enumerate().all(rises) {
            return Ok(shape(Outline::Lower));
        }
        if let Some(row) = body.iter().find(|row| columns(row) != first) {
            let message = format!(
                "expected {first} columns as in the first row, found {}",
                columns(row)
            );
            return Err(Fault::new(row.line, message));
        }
        if let Some(row) = body.get(first) {
            let message = format!("expected {first} rows, as many as columns, found more");
            return Err(Fault::new(row.line, message));
        }
        if body.len() < first || body.is_empty() {
            let message = format!(
                "expected {first} rows, as many as columns, found {}",
                body.len()
            );
            return Err(Fault::new(last_line(text), message));
        }
        Ok(shape(Outline::Square))
    }
}

/// Reads a matrix and returns how many pairs have no measurement; see
/// [`Format::RttMatrix`](super::Format::RttMatrix).
///
/// O(n^2), and O(n) for each pair that is not measured in either direction.
pub(super) fn read(
    text: &str,
    file: &File,
    notes: &mut Vec<String>,
) -> Result<(Matrix, usize), Fault> {
    let separator = Separator::of(text, file)?;
    let shape = Shape::of(text, separator);
    let shape = shape.map_err(|fault| no_numbers(text, separator).unwrap_or(fault))?;
    let micros = match corner_unit(text, separator, shape, file)? {
        Some(unit) => {
            notes.push(format!(
                "RTT matrix: entries are in {}, as its corner says",
                unit.name
            ));
            unit.micros
        }
        None => file.rtt_unit().micros(),
    };
    let entries = entries(text, separator, shape, micros)?;
    let scale = micros / file.rtt_unit().micros();
    let entries = entries.into_iter().map(|entry| entry * scale).collect();
    let (hosts, mut rtt) = square(text, shape, entries)?;
    if hosts < 2 {
        let message = "expected at least two hosts, found 1";
        return Err(Fault::new(last_line(text), message));
    }
    let mut diagonal = 0;
    for host in 0..hosts {
        let entry = &mut rtt[host * hosts + host];
        diagonal += usize::from(*entry != 0.0 && !entry.is_nan());
        *entry = f64::NAN;
    }
    if diagonal > 0 {
        notes.push(format!(
            "RTT matrix: {diagonal} entries on the diagonal are not 0, taken as 0"
        ));
    }
    complete(hosts, rtt, file, notes).ok_or_else(|| {
        Fault::new(
            last_line(text),
            "no entry off the diagonal is a measurement",
        )
    })
}

/// The unit in the corner above the names of the rows, unless the scenario gives one.
fn corner_unit(
    text: &str,
    separator: Separator,
    shape: Shape,
    file: &File,
) -> Result<Option<Unit>, Fault> {
    if !(shape.has_head && shape.has_names) || file.rtt_unit() != RttUnit::Milliseconds {
        return Ok(None);
    }
    let Some((line, head)) = data_lines(text).next().filter(|_| file.unit.is_none()) else {
        return Ok(None);
    };
    let cells = separator.cells(head);
    // With blanks between cells it may be absent, or have several words.
    let words = cells.len().saturating_sub(shape.rows);
    let corner = cells[..words].join(" ");
    match unit_in(&corner).map(|unit| (corner, unit)) {
        None => Ok(None),
        Some((corner, None)) => Err(unknown_unit(line, &corner)),
        Some((_, Some(unit))) if unit.micros == RttUnit::Milliseconds.micros() => Ok(None),
        Some((_, Some(unit))) => Ok(Some(unit)),
    }
}

/// The fault of a text that has words where a matrix has numbers, even in its second line: its
/// first word explains more than the fault of its shape.
fn no_numbers(text: &str, separator: Separator) -> Option<Fault> {
    let ends_in_word = |(_, row)| {
        separator
            .cells(row)
            .last()
            .is_some_and(|word| !is_entry(word))
    };
    if !data_lines(text).take(2).all(ends_in_word) {
        return None;
    }
    let (line, first) = data_lines(text).next()?;
    let cells = separator.cells(first);
    let column = cells.iter().position(|word| !is_entry(word))?;
    Some(malformed(
        line,
        column,
        cells[column],
        ", expected a round-trip time",
    ))
}

fn malformed(line: usize, column: usize, word: &str, why: &str) -> Fault {
    let (word, place) = (quoted(word), column + 1);
    Fault::new(
        line,
        format!("malformed entry {word} in column {place}{why}"),
    )
}

/// The entries of the text in order, NaN where one is missing, in units of `micros` microseconds.
/// Refuses too large entries, except on the diagonal of a square.
fn entries(text: &str, separator: Separator, shape: Shape, micros: f64) -> Result<Vec<f64>, Fault> {
    let most = f64::from(u32::MAX) / micros;
    let mut rtt = Vec::new();
    let mut cells = Vec::new();
    let rows = data_lines(text).skip(usize::from(shape.has_head));
    for (row, (line, content)) in rows.enumerate() {
        separator.split(content, &mut cells);
        let names = usize::from(shape.has_names);
        for (column, word) in cells.iter().skip(names).enumerate() {
            let is_diagonal = shape.outline == Outline::Square && row == column;
            rtt.push(match entry(word, micros) {
                _ if is_missing(word) => f64::NAN,
                Some(entry) if (0.0..=most).contains(&entry) || is_diagonal => entry,
                found => {
                    let why = match found {
                        Some(entry) if entry < 0.0 => {
                            ": a round-trip time cannot be negative; `-`, `?` or `*` stand for a \
                             missing one"
                        }
                        None if is_doubtful(word) => DOUBT,
                        _ => ", expected a round-trip time",
                    };
                    return Err(malformed(line, column + names, word, why));
                }
            });
        }
    }
    Ok(rtt)
}

/// The number of hosts and the whole matrix row by row: a triangle fills one half.
fn square(text: &str, shape: Shape, entries: Vec<f64>) -> Result<(usize, Vec<f64>), Fault> {
    let rows = shape.rows;
    if shape.outline == Outline::Square {
        return Ok((rows, entries));
    }
    // Where each row starts, and its entry on the diagonal or next to it.
    let starts = (0..rows).scan(0, |next, row| {
        let start = *next;
        *next += if shape.outline == Outline::Upper {
            rows - row
        } else {
            row + 1
        };
        Some(start)
    });
    let starts: Vec<usize> = starts.collect();
    let edge = |row: usize| match shape.outline {
        Outline::Upper => entries[starts[row]],
        _ => entries[starts[row] + row],
    };
    let empty = (0..rows)
        .filter(|&row| edge(row) == 0.0 || edge(row).is_nan())
        .count();
    if empty != 0 && empty != rows {
        let message = "a triangle has its diagonal, which is 0 in all rows, or it has none";
        return Err(Fault::new(last_line(text), message));
    }
    let beside = usize::from(empty == 0);
    let hosts = rows + beside;
    let mut rtt = vec![f64::NAN; hosts * hosts];
    for (row, start) in starts.into_iter().enumerate() {
        let (host, first, length) = match shape.outline {
            Outline::Upper => (row, row + beside, rows - row),
            _ => (row + beside, 0, row + 1),
        };
        let place = host * hosts + first;
        rtt[place..place + length].copy_from_slice(&entries[start..start + length]);
    }
    Ok((hosts, rtt))
}
