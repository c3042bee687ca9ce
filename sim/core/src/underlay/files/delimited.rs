//! Lines of cells: their separators, and the meaning of their columns.

use super::latency::is_round_trip;
use super::numbers::is_quantity;
use super::text::{data_lines, is_data, numbered};
use super::{Fault, File};
use crate::parameter::{quoted, shown};

/// How many lines are examined to detect the separator.
const SAMPLE: usize = 200;

/// The separator of cells; `None` for blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Separator(pub(super) Option<char>);

impl Separator {
    /// Writes the cells of a line to `cells`, without the blanks and quotes around them.
    pub(super) fn split<'a>(self, line: &'a str, cells: &mut Vec<&'a str>) {
        cells.clear();
        let Some(separator) = self.0 else {
            cells.extend(line.split_whitespace());
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
            None => Self::guess(text)?,
            Some(" " | "blank") => Self(None),
            Some("tab") => Self(Some('\t')),
            Some(given) => Self(given.chars().next()),
        };
        separator.check_quotes(text)?;
        Ok(separator)
    }

    fn guess(text: &str) -> Result<Self, Fault> {
        let lines: Vec<(usize, &str)> = data_lines(text).take(SAMPLE).collect();
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

/// The meaning of the columns of a list of links or pairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The other columns and their names; a column without a name is named by its number.
    pub(super) others: Vec<(usize, String)>,
    /// Index in `others` of the latency if the scenario does not name it.
    pub(super) latency: Option<usize>,
    /// Whether the file or the scenario gives names.
    pub(super) named: bool,
    /// Whether two of the names are those of the ends of a link.
    pub(super) has_ends: bool,
    /// The first line of data; the header is before it.
    pub(super) first_line: usize,
}

/// Names of the columns of the two ends of a link.
const ENDS: [(&str, &str); 14] = [
    ("from", "to"),
    ("source", "target"),
    ("source", "destination"),
    ("src", "dst"),
    ("src", "dest"),
    ("fromnodeid", "tonodeid"),
    ("fromnode", "tonode"),
    ("fromid", "toid"),
    ("sourceid", "targetid"),
    ("node1", "node2"),
    ("host1", "host2"),
    ("id1", "id2"),
    ("head", "tail"),
    ("start", "end"),
];

/// Names of latency columns, or their beginnings.
pub(super) const LATENCIES: [&str; 4] = ["latency", "delay", "rtt", "roundtrip"];

/// Names of other numeric columns.
const NUMBERS: [&str; 8] = [
    "weight",
    "cost",
    "distance",
    "length",
    "relationship",
    "metric",
    "bandwidth",
    "capacity",
];

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Whether a column of this name has latencies.
pub(super) fn names_latency(name: &str) -> bool {
    let letters = plain(name);
    LATENCIES.iter().any(|known| letters.starts_with(known)) || is_round_trip(name)
}

/// Whether these names are the two ends of a link.
fn names_ends(from: &str, to: &str) -> bool {
    let (from, to) = (plain(from), plain(to));
    ENDS.iter().any(|ends| *ends == (&from, &to))
}

/// The first two columns whose names are the ends of a link.
fn ends_in(names: &[impl AsRef<str>]) -> Option<(usize, usize)> {
    let names: Vec<String> = names.iter().map(|name| plain(name.as_ref())).collect();
    names.iter().enumerate().find_map(|(place, from)| {
        let tos = ENDS.iter().filter(|ends| ends.0 == from).map(|ends| ends.1);
        let tos: Vec<&str> = tos.collect();
        // Skips the search for most names; a large matrix has many.
        let to = (!tos.is_empty()).then(|| names.iter().position(|name| tos.contains(&&**name)));
        Some((place, to.flatten()?))
    })
}

impl Columns {
    /// The columns that the scenario or the header of the file names; `skip` is a line that counts
    /// hosts.
    pub(super) fn of(
        text: &str,
        separator: Separator,
        file: &File,
        skip: Option<usize>,
    ) -> Result<Self, Fault> {
        let mut rows = data_lines(text).filter(|(line, _)| Some(*line) != skip);
        let Some((line, first)) = rows.next() else {
            return Err(Fault::new(
                super::text::last_line(text),
                "the file has no links",
            ));
        };
        let first = separator.cells(first);
        let others: Vec<Vec<&str>> = rows
            .take(SAMPLE)
            .map(|(_, row)| separator.cells(row))
            .collect();
        let has_head = is_head(&first, &others, separator);
        let next_line = if has_head { line + 1 } else { line };
        if let Some(given) = &file.columns {
            return Self::named(&given.0, next_line, true).map_err(|why| Fault::new(line, why));
        }
        if has_head {
            let names: Vec<String> = first.iter().map(|name| (*name).to_owned()).collect();
            return Self::named(&names, next_line, false).map_err(|why| Fault::new(line, why));
        }
        if let Some(names) = comment_head(text, line, first.len()) {
            return Self::named(&names, line, false).map_err(|why| Fault::new(line, why));
        }
        let most = others
            .iter()
            .map(Vec::len)
            .chain([first.len()])
            .max()
            .unwrap_or(0);
        Ok(Self {
            from: 0,
            to: 1,
            others: (2..most.max(3))
                .map(|place| (place, (place + 1).to_string()))
                .collect(),
            latency: Some(0),
            named: false,
            has_ends: false,
            first_line: line,
        })
    }

    /// Whether the names given in a scenario determine the columns of the hosts.
    pub(super) fn given(names: &[String]) -> bool {
        Self::named(names, 0, true).is_ok()
    }

    /// Whether the names given in a scenario have round-trip times as the latency.
    pub(super) fn given_round_trips(names: &[String], file: &File) -> bool {
        let columns = Self::named(names, 0, true);
        columns.is_ok_and(
            |columns| matches!(columns.latency(file), Ok(Some((_, name))) if is_round_trip(name)),
        )
    }

    /// Columns with these names. The ends are the columns `from` and `to` if `given`, or else the
    /// first pair of names for ends, or else the first two columns.
    fn named(names: &[String], first_line: usize, given: bool) -> Result<Self, String> {
        let found = ends_in(names);
        let ends = found.unwrap_or((0, 1));
        if given && found.is_none() {
            return Err("`columns` names no `from` and `to`".to_owned());
        }
        if names.len() < 2 {
            return Err("expected two columns, the hosts of a link".to_owned());
        }
        let others: Vec<(usize, String)> = names
            .iter()
            .cloned()
            .enumerate()
            .filter(|(place, name)| *place != ends.0 && *place != ends.1 && name != "-")
            .collect();
        let mut latencies = others.iter().filter(|(_, name)| names_latency(name));
        if let Some((_, first)) = latencies.next()
            && latencies.any(|(_, name)| name.eq_ignore_ascii_case(first))
        {
            return Err(format!("two columns are called {}", quoted(first)));
        }
        Ok(Self {
            from: ends.0,
            to: ends.1,
            latency: others.iter().position(|(_, name)| names_latency(name)),
            others,
            named: true,
            has_ends: found.is_some(),
            first_line,
        })
    }

    /// The latency column: the one that the scenario names, or else the default one.
    pub(super) fn latency(&self, file: &File) -> Result<Option<&(usize, String)>, String> {
        match file.latency.as_deref() {
            Some("none") => Ok(None),
            None => Ok(self.latency.and_then(|place| self.others.get(place))),
            Some(name) => {
                let same = |(place, known): &&(usize, String)| {
                    known.eq_ignore_ascii_case(name) || (place + 1).to_string() == name
                };
                let found = self.others.iter().find(same);
                found.map(Some).ok_or_else(|| {
                    let names = self
                        .others
                        .iter()
                        .map(|(_, name)| format!(" {}", quoted(name)));
                    let names: String = names.take(8).collect();
                    format!("no column is called {}; there are:{names}", quoted(name))
                })
            }
        }
    }
}

impl Columns {
    /// A note if several columns may have the latency and the scenario names none.
    pub(super) fn tell_others(&self, file: &File, notes: &mut Vec<String>) {
        let mut names = self.others.iter().map(|(_, name)| name.as_str());
        let names: Vec<&str> = names
            .by_ref()
            .filter(|name| self.named && names_latency(name))
            .collect();
        if let [taken, others @ ..] = &names[..]
            && !others.is_empty()
            && file.latency.is_none()
        {
            let others: Vec<String> = others.iter().map(|name| shown(name)).collect();
            notes.push(format!(
                "the column {} is the latency; `latency` under [underlay.file] says if it is one of: {}",
                shown(taken),
                others.join(", ")
            ));
        }
    }
}

/// Whether the first row is a header, judged by the others.
fn is_head(first: &[&str], others: &[Vec<&str>], separator: Separator) -> bool {
    if first.iter().any(|cell| is_quantity(cell)) {
        return false;
    }
    if ends_in(first).is_some() {
        return true;
    }
    (2..first.len()).any(|place| {
        let is_number = |row: &Vec<&str>| row.get(place).is_some_and(|cell| is_quantity(cell));
        let name = plain(first[place]);
        let known =
            names_latency(first[place]) || NUMBERS.iter().any(|known| name.starts_with(known));
        (known || separator.0.is_some() && !name.is_empty())
            && !others.is_empty()
            && others.iter().all(is_number)
    })
}

/// The names in the last comment before `line`, if there are `columns` of them, as in files of the
/// SNAP collection.
fn comment_head(text: &str, line: usize, columns: usize) -> Option<Vec<String>> {
    let before = numbered(text).take_while(|(number, _)| *number < line);
    let (_, comment) = before
        .filter(|(_, row)| !is_data(row) && !row.trim().is_empty())
        .last()?;
    let names = comment.trim().trim_start_matches(['#', '%']).trim();
    let tabs = Separator(names.contains('\t').then_some('\t'));
    [tabs, Separator(None)].iter().find_map(|separator| {
        let names = separator.cells(names);
        let fits = names.len() == columns && names_ends(names[0], names.get(1)?);
        fits.then(|| names.into_iter().map(str::to_owned).collect())
    })
}
