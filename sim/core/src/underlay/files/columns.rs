//! The meaning of the columns of a list of links or pairs: their names, and which is the latency.

use super::latency::{is_round_trip, is_statistic, unit_in};
use super::numbers::is_quantity;
use super::separator::{SAMPLE, Separator, is_blank};
use super::text::{data_lines, is_comment, numbered};
use super::{Fault, File, Format, RttUnit};
use crate::parameter::{quoted, shown};

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
    /// The line of the header, or else of the first row.
    head_line: usize,
    /// The names in the file, if the scenario gives others.
    hidden: Vec<String>,
    /// How many cells a row may have, and what says so.
    most: Option<(usize, &'static str)>,
}

/// Names of the columns of the two ends of a link.
const ENDS: [(&str, &str); 20] = [
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
    ("u", "v"),
    ("client", "server"),
    ("srcip", "dstip"),
    ("hosta", "hostb"),
    ("nodea", "nodeb"),
    ("name1", "name2"),
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
    let plain = name.chars().filter(|c| c.is_alphanumeric());
    plain.flat_map(char::to_lowercase).collect()
}

/// Whether a column of this name has latencies.
pub(super) fn names_latency(name: &str) -> bool {
    let plain_name = plain(name);
    LATENCIES.iter().any(|known| plain_name.starts_with(known)) || is_round_trip(name)
}

/// Whether a column of this name numbers or dates the rows, as the first ones of R and pandas.
fn numbers_rows(name: &str) -> bool {
    const NAMES: [&str; 8] = [
        "",
        "unnamed0",
        "id",
        "index",
        "row",
        "time",
        "timestamp",
        "date",
    ];
    NAMES.contains(&&*plain(name))
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
        let mut others: Vec<Vec<&str>> = rows
            .take(SAMPLE)
            .map(|(_, row)| separator.cells(row))
            .filter(|cells| !is_blank(cells))
            .collect();
        let mut names = names(&first, others.first().map_or(0, Vec::len), separator);
        // R numbers rows in a column without a name. With commas, decimals may be split instead.
        let is_number = |(place, cells): (usize, &Vec<&str>)| cells[0].parse() == Ok(place + 1);
        if separator.0 != Some(',')
            && others.iter().all(|cells| cells.len() == names.len() + 1)
            && others.iter().enumerate().all(is_number)
        {
            names.insert(0, String::new());
        }
        let has_head = is_head(&names, &others, separator);
        let next_line = if has_head { line + 1 } else { line };
        let head = if has_head {
            Some(names)
        } else {
            others.insert(0, first);
            comment_head(text, line, &others, separator)
        };
        let refuse = |why| Fault::new(line, why);
        let commas = separator.0 == Some(',');
        if let Some(given) = &file.columns {
            let columns = Self::named(&given.0, next_line, true).map_err(refuse)?;
            let hidden = head.unwrap_or_default();
            let most = match (hidden.len(), given.0.len()) {
                (found, given) if found > given => (found, "the header"),
                (_, given) => (given, "`columns`"),
            };
            return Ok(Self {
                head_line: line,
                hidden,
                most: commas.then_some(most),
                ..columns
            });
        }
        if let Some(names) = head {
            let columns = Self::named(&names, next_line, false).map_err(refuse)?;
            return Ok(Self {
                head_line: line,
                most: commas.then_some((names.len(), "the header")),
                ..columns
            });
        }
        let most = others.iter().map(Vec::len).max();
        Ok(Self {
            from: 0,
            to: 1,
            others: (2..most.unwrap_or(0).max(3))
                .map(|place| (place, (place + 1).to_string()))
                .collect(),
            latency: Some(0),
            named: false,
            has_ends: false,
            first_line: line,
            head_line: line,
            hidden: Vec::new(),
            most: None,
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
    /// first pair of names for ends, or else the first two columns that do not number or date rows.
    fn named(names: &[String], first_line: usize, given: bool) -> Result<Self, String> {
        let found = ends_in(names);
        let mut hosts = (0..names.len()).filter(|&place| !numbers_rows(&names[place]));
        let first_two = hosts.next().zip(hosts.next());
        let ends = found.or(first_two).unwrap_or((0, 1));
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
        Ok(Self {
            from: ends.0,
            to: ends.1,
            latency: likely_latency(&others),
            others,
            named: true,
            has_ends: found.is_some(),
            first_line,
            head_line: first_line,
            hidden: Vec::new(),
            most: None,
        })
    }

    /// The latency column: the one that the scenario names, or else the default one.
    pub(super) fn latency(&self, file: &File) -> Result<Option<&(usize, String)>, Fault> {
        let default = || self.others.get(self.latency?);
        let name = match (file.latency.as_deref(), default()) {
            (Some("none"), _) | (None, None) => return Ok(None),
            (Some(name), _) => name,
            (None, Some((_, name))) => name,
        };
        let called = |is_so: &dyn Fn(&str) -> bool| -> Vec<&(usize, String)> {
            let others = self.others.iter();
            others.filter(|(_, known)| is_so(known)).collect()
        };
        let mut found = called(&|known| known == name);
        if found.is_empty() {
            found = called(&|known| known.eq_ignore_ascii_case(name));
        }
        match found[..] {
            [] => self.numbered(name).map(Some),
            [one] => Ok(Some(one)),
            _ => {
                let message = format!(
                    "two columns are called {}; `latency` under [underlay.file] is the number of \
                     the one to be taken",
                    quoted(name)
                );
                Err(Fault::new(self.head_line, message))
            }
        }
    }

    /// The column with the number `word`, from 1.
    fn numbered(&self, word: &str) -> Result<&(usize, String), Fault> {
        let mut others = self.others.iter();
        let found = others.find(|(place, _)| (place + 1).to_string() == word);
        found.ok_or_else(|| {
            let others = self.others.iter().take(8);
            let names: String = others
                .map(|(_, name)| format!(" {}", quoted(name)))
                .collect();
            let message = format!("no column is called {}; there are:{names}", quoted(word));
            Fault::new(self.first_line, message)
        })
    }

    /// The two hosts of a row, which `what` describes; `None` if all its cells are empty.
    pub(super) fn hosts<'a>(
        &self,
        line: usize,
        cells: &[&'a str],
        what: &str,
    ) -> Result<Option<(&'a str, &'a str)>, Fault> {
        if is_blank(cells) {
            return Ok(None);
        }
        let (Some(&from), Some(&to)) = (cells.get(self.from), cells.get(self.to)) else {
            let word = quoted(cells.first().unwrap_or(&""));
            return Err(Fault::new(line, format!("expected {what}, found {word}")));
        };
        if from.is_empty() || to.is_empty() {
            let message = format!("expected {what}, found an empty cell");
            return Err(Fault::new(line, message));
        }
        let found = cells.iter().rposition(|cell| !cell.is_empty());
        let found = found.map_or(0, |last| last + 1);
        // A dictionary and a comment have commas of their own.
        let is_other = |cell: &&str| cell.starts_with(['{', '#']) || cell.starts_with("//");
        let is_plain = !cells.iter().any(is_other);
        match self.most {
            Some((most, teller)) if found > most && is_plain => {
                let remedy = match teller {
                    "`columns`" => "\"-\" in it passes a column over",
                    _ => "a number with a decimal comma needs quotes or a point",
                };
                let message =
                    format!("found {found} cells, expected {most} as {teller} says; {remedy}");
                Err(Fault::new(line, message))
            }
            _ => Ok(Some((from, to))),
        }
    }

    /// Notes about the choice of the latency column: others that may have it, and a header that
    /// says something else than the scenario.
    pub(super) fn tell_latency(&self, file: &File, notes: &mut Vec<String>) {
        let Ok(Some((place, taken))) = self.latency(file) else {
            return;
        };
        let may_be = |(other, name): &&(usize, String)| other != place && names_latency(name);
        let others: Vec<String> = self
            .others
            .iter()
            .filter(may_be)
            .map(|(_, name)| shown(name))
            .collect();
        if self.named && !others.is_empty() && file.latency.is_none() {
            notes.push(format!(
                "the column {} is the latency; `latency` under [underlay.file] says if it is one of: {}",
                shown(taken),
                others.join(", ")
            ));
        }
        if let Some(hidden) = self.hidden.get(*place)
            && let Some(meaning) = other_meaning(hidden, taken, file)
        {
            notes.push(format!(
                "the file calls column {} `{}`; `columns` calls it `{}`, so that {meaning}",
                place + 1,
                shown(hidden),
                shown(taken)
            ));
        }
    }
}

/// What the name `given` by the scenario means, if the name in the file says something else.
fn other_meaning(hidden: &str, given: &str, file: &File) -> Option<String> {
    if is_round_trip(hidden) && !is_round_trip(given) && file.format != Format::RttPairs {
        return Some("it is no round-trip time".to_owned());
    }
    if file.unit.is_some() || file.rtt_unit != RttUnit::Milliseconds {
        return None;
    }
    let own = unit_in(hidden)?.map(|unit| unit.name);
    let unit = match unit_in(given) {
        Some(unit) => unit?.name,
        None => RttUnit::Milliseconds.as_str(),
    };
    (own != Some(unit)).then(|| format!("its numbers are in {unit}"))
}

/// The index of the most likely latency among columns: one that is called so, or else one that is
/// not a statistic, or else the first whose name begins so.
fn likely_latency(columns: &[(usize, String)]) -> Option<usize> {
    let rank = |name: &str| match LATENCIES.contains(&&*plain(name)) {
        true => 0,
        false => 1 + usize::from(is_statistic(name)),
    };
    let named = columns.iter().enumerate();
    let latencies = named.filter(|(_, (_, name))| names_latency(name));
    let best = latencies.min_by_key(|(_, (_, name))| rank(name))?;
    Some(best.0)
}

/// The names in a row before rows of `cells` cells. A unit in brackets that a blank separates from
/// its name is part of it.
fn names(row: &[&str], cells: usize, separator: Separator) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for cell in row {
        let is_unit = cell.starts_with(['(', '[']) && unit_in(cell).is_some();
        if let (true, None, Some(name)) = (is_unit, separator.0, names.last_mut()) {
            name.push(' ');
            name.push_str(cell);
            // The rows may have a cell for it.
            if row.len() != cells {
                continue;
            }
        }
        names.push((*cell).to_owned());
    }
    names
}

/// Whether the first row is a header, judged by the others.
fn is_head(first: &[impl AsRef<str>], others: &[Vec<&str>], separator: Separator) -> bool {
    let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
    if first.iter().any(|cell| is_quantity(cell)) {
        return false;
    }
    if ends_in(&first).is_some() {
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

/// The names in the last comment with words before `line`, if the same names without the sign of a
/// comment were a header of `rows`.
fn comment_head(
    text: &str,
    line: usize,
    rows: &[Vec<&str>],
    separator: Separator,
) -> Option<Vec<String>> {
    let before = numbered(text).take_while(|(number, _)| *number < line);
    let has_words = |row: &str| is_comment(row) && row.contains(char::is_alphanumeric);
    let (_, comment) = before.filter(|(_, row)| has_words(row)).last()?;
    let names_in_it = comment.trim().trim_start_matches(['#', '%', '/']).trim();
    let columns = rows.first()?.len();
    let tab = names_in_it.contains('\t').then_some('\t');
    let separators = [separator.0, tab, Some(','), Some(';'), Some('|')];
    let separators = separators.into_iter().filter(Option::is_some).chain([None]);
    separators.map(Separator).find_map(|own| {
        let names = names(&own.cells(names_in_it), columns, own);
        // A sentence with commas has blanks in its parts.
        let is_prose = names.iter().any(|name| name.contains(' ')) && ends_in(&names).is_none();
        let judged = if is_prose { Separator(None) } else { own };
        (names.len() == columns && is_head(&names, rows, judged)).then_some(names)
    })
}
