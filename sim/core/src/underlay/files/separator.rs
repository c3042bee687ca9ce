//! Lines of cells and their separators.

use super::numbers::is_quantity;
use super::text::{data_lines, declared_separator};
use super::{Fault, File};
use crate::parameter::quoted;

/// How many lines are examined to detect the separator and the columns.
pub(super) const SAMPLE: usize = 200;

/// The separator of cells; `None` for blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Separator(pub(super) Option<char>);

impl Separator {
    /// Writes the cells of a line to `cells`, without the blanks and quotes around them.
    pub(super) fn split<'a>(self, line: &'a str, cells: &mut Vec<&'a str>) {
        cells.clear();
        let Some(separator) = self.0 else {
            split_blanks(line, cells);
            return;
        };
        let mut rest = line;
        loop {
            let open = rest.trim_start_matches(' ');
            let closing = open.strip_prefix('"').and_then(|inside| {
                let end = inside.find('"')?;
                let after = inside[end + 1..].trim_start_matches(' ');
                (after.is_empty() || after.starts_with(separator))
                    .then_some((&inside[..end], after))
            });
            let (cell, after) = match (closing, rest.find(separator)) {
                (Some(found), _) => found,
                (None, Some(at)) => rest.split_at(at),
                (None, None) => (rest, ""),
            };
            cells.push(cell.trim());
            match after.strip_prefix(separator) {
                Some(next) => rest = next,
                None => return,
            }
        }
    }

    /// Refuses a quote that opens and does not close in a cell.
    fn check_quotes(self, text: &str) -> Result<(), Fault> {
        if !text.contains('"') {
            return Ok(());
        }
        let mut cells = Vec::new();
        for (line, row) in data_lines(text) {
            self.split(row, &mut cells);
            // A dictionary has quotes of its own.
            let mut plain = cells.iter().take_while(|cell| !cell.starts_with('{'));
            let is_open = |cell: &&&str| {
                cell.strip_prefix('"')
                    .is_some_and(|inside| !inside.ends_with('"'))
            };
            if let Some(cell) = plain.find(is_open) {
                let message = format!("the quote of {} does not close in its cell", quoted(cell));
                return Err(Fault::new(line, message));
            }
        }
        Ok(())
    }

    /// The cells of a line.
    pub(super) fn cells(self, line: &str) -> Vec<&str> {
        let mut cells = Vec::new();
        self.split(line, &mut cells);
        cells
    }

    /// The separator, given by the scenario or detected.
    pub(super) fn of(text: &str, file: &File) -> Result<Self, Fault> {
        let separator = match file.separator.as_deref() {
            None => match text.lines().next().and_then(declared_separator) {
                Some(' ') => Self(None),
                Some(declared) => Self(Some(declared)),
                None => Self::guess(text)?,
            },
            Some(" " | "blank") => Self(None),
            Some("tab") => Self(Some('\t')),
            Some(given) => Self(given.chars().next()),
        };
        separator.check_quotes(text)?;
        Ok(separator)
    }

    fn guess(text: &str) -> Result<Self, Fault> {
        // A dictionary at the end of a line has commas and blanks of its own.
        let before = |line: &'_ str| line.find('{').filter(|at| *at > 0).unwrap_or(line.len());
        let lines = data_lines(text).map(|(number, line)| (number, &line[..before(line)]));
        let lines: Vec<(usize, &str)> = lines.take(SAMPLE).collect();
        let Some((first, _)) = lines.first() else {
            return Ok(Self(None));
        };
        // With blanks after them, separators are the last characters of words.
        let blank = Self(None);
        let blanks = Fit::of(blank, &lines);
        let (mut sure, mut others) = (Vec::new(), Vec::new());
        for character in [',', ';', '|', '\t'] {
            let separator = Self(Some(character));
            let fit = Fit::of(separator, &lines);
            if fit.least < 2 || fit.least != fit.most && blanks.least > 1 {
                continue;
            }
            // Where no cell has a blank in it, blanks and tabs are equivalent.
            if character == '\t' && !fit.has_blanks {
                continue;
            }
            if blanks.least < 2 || blanks.ends_with(character) || fit.numbers > blanks.numbers {
                sure.push((character, fit));
            } else if fit.has_blanks && blanks.numbers == 0 {
                others.push(character);
            }
        }
        // Of several candidates the one that gives numbers, or else equally many cells per line. A
        // comma within numbers separates nothing.
        let best = |(_, fit): &(char, Fit<'_>)| (fit.numbers, fit.least == fit.most);
        let most = sure.iter().map(best).max();
        sure.retain(|one| Some(best(one)) == most);
        if sure
            .iter()
            .any(|(character, fit)| *character != ',' && fit.has_decimals)
        {
            sure.retain(|(character, _)| *character != ',');
        }
        let one = match (&sure[..], others.first()) {
            ([(character, _)], _) => return Ok(Self(Some(*character))),
            ([], None) => return Ok(blank),
            ([], Some(other)) => format!("blanks or by {other:?}"),
            ([(one, _), (other, _), ..], _) => format!("{one:?} or by {other:?}"),
        };
        let message = format!(
            "cells might be separated by {one}; `separator` under [underlay.file] says which"
        );
        Err(Fault::new(*first, message))
    }
}

/// Writes the words of a line to `cells`. Quotes around one or more of them make one cell.
fn split_blanks<'a>(line: &'a str, cells: &mut Vec<&'a str>) {
    if !line.contains('"') {
        cells.extend(line.split_whitespace());
        return;
    }
    let is_end = |after: &str| after.is_empty() || after.starts_with(char::is_whitespace);
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let inside = rest.strip_prefix('"').unwrap_or_default();
        let mut closing = inside.match_indices('"').map(|(at, _)| at);
        let (cell, after) = match closing.find(|at| is_end(&inside[at + 1..])) {
            Some(at) => (inside[..at].trim(), &inside[at + 1..]),
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        cells.push(cell);
        rest = after.trim_start();
    }
}

/// Whether all cells of a row are empty.
pub(super) fn is_blank(cells: &[&str]) -> bool {
    cells.iter().all(|cell| cell.is_empty())
}

/// Properties of the lines for one separator.
struct Fit<'a> {
    lines: &'a [(usize, &'a str)],
    /// The fewest and the most cells of a line.
    least: usize,
    most: usize,
    /// Whether there are blanks within cells.
    has_blanks: bool,
    /// In how many lines the third cell is a number.
    numbers: usize,
    /// Whether there are commas within cells, and all these cells are numbers.
    has_decimals: bool,
}

impl<'a> Fit<'a> {
    fn of(separator: Separator, lines: &'a [(usize, &'a str)]) -> Self {
        let mut fit = Self {
            lines,
            least: usize::MAX,
            most: 0,
            has_blanks: false,
            numbers: 0,
            has_decimals: false,
        };
        let (mut cells, mut has_others) = (Vec::new(), false);
        for (_, line) in lines {
            separator.split(line, &mut cells);
            fit.least = fit.least.min(cells.len());
            fit.most = fit.most.max(cells.len());
            fit.has_blanks |= cells.iter().any(|cell| cell.contains(char::is_whitespace));
            fit.numbers += usize::from(cells.get(2).is_some_and(|cell| is_quantity(cell)));
            for cell in cells.iter().filter(|cell| cell.contains(',')) {
                fit.has_decimals |= is_quantity(cell);
                has_others |= !is_quantity(cell);
            }
        }
        fit.has_decimals &= !has_others;
        fit
    }

    /// Whether the first word of every line ends with `separator`.
    fn ends_with(&self, separator: char) -> bool {
        let mut words = self
            .lines
            .iter()
            .map(|(_, line)| line.split_whitespace().next());
        words.all(|word| word.is_some_and(|word| word.ends_with(separator)))
    }
}
