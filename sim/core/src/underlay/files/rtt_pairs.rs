//! Round-trip times as a list: a pair of hosts and their time per line.

use super::columns::Columns;
use super::latency::{LatencyRule, unknown_unit};
use super::numbers::{DOUBT, is_doubtful};
use super::rtt_gaps::complete;
use super::rtt_matrix::{entry, is_missing};
use super::separator::Separator;
use super::text::{data_lines, last_line};
use super::{Fault, File, RttUnit};
use crate::parameter::{quoted, shown};
use crate::underlay::pairwise::Matrix;
use rustc_hash::FxHashMap;

/// The greatest number of hosts for which all pairs are stored.
const MOST_HOSTS: usize = 20_000;

/// Reads a list of pairs and returns how many have no measurement; see
/// [`Format::RttPairs`](super::Format::RttPairs).
///
/// O(length of the text + n^2), and O(n) for each pair that is not measured in either direction.
pub(super) fn read(
    text: &str,
    file: &File,
    skip: Option<usize>,
    notes: &mut Vec<String>,
) -> Result<(Matrix, usize), Fault> {
    let separator = Separator::of(text, file)?;
    let columns = Columns::of(text, separator, file, skip)?;
    let Some((column, name)) = columns.latency(file)? else {
        let message = "no column has round-trip times; `columns` under [underlay.file] names them";
        return Err(Fault::new(columns.first_line, message));
    };
    columns.tell_latency(file, notes);
    // The name of the column gives its unit unless the scenario does.
    let micros = file.rtt_unit().micros();
    let unit = match file.rtt_unit() {
        RttUnit::Milliseconds => LatencyRule::of(file).unit(name),
        given => Some(given.into()),
    };
    let unit = unit.ok_or_else(|| unknown_unit(columns.first_line, name))?;
    if unit.micros != micros {
        let name = shown(name);
        notes.push(format!(
            "round-trip times are in {}, as `{name}` says",
            unit.name
        ));
    }
    let (scale, most) = (unit.micros / micros, f64::from(u32::MAX) / unit.micros);
    // Used for lookups only: hosts are numbered by their position in the file.
    let mut hosts: FxHashMap<&str, usize> = FxHashMap::default();
    let mut pairs = Vec::new();
    let mut cells = Vec::new();
    let rows =
        data_lines(text).filter(|(line, _)| *line >= columns.first_line && Some(*line) != skip);
    for (line, row) in rows {
        separator.split(row, &mut cells);
        let what = "two hosts and their round-trip time";
        let Some((from, to)) = columns.hosts(line, &cells, what)? else {
            continue;
        };
        let Some(&word) = cells.get(*column) else {
            let message = format!("expected {what}, found {}", quoted(from));
            return Err(Fault::new(line, message));
        };
        let mut number = |name| {
            let next = hosts.len();
            *hosts.entry(name).or_insert(next)
        };
        let ends = (number(from), number(to));
        if hosts.len() > MOST_HOSTS {
            let message =
                format!("pairs of more than {MOST_HOSTS} hosts; as an edge-list they fit");
            return Err(Fault::new(line, message));
        }
        let rtt = match entry(word, unit.micros) {
            _ if is_missing(word) => f64::NAN,
            Some(rtt) if (0.0..=most).contains(&rtt) => rtt * scale,
            _ => {
                let why = if is_doubtful(word) { DOUBT } else { "" };
                let message = format!("expected a round-trip time, found {}{why}", quoted(word));
                return Err(Fault::new(line, message));
            }
        };
        pairs.push((ends, rtt));
    }
    let n = hosts.len();
    if n < 2 {
        let message = format!("expected at least two hosts, found {n}");
        return Err(Fault::new(last_line(text), message));
    }
    let mut rtt = vec![f64::NAN; n * n];
    let mut again = 0;
    for ((from, to), time) in pairs {
        let entry = &mut rtt[from * n + to];
        if entry.is_nan() {
            *entry = time;
        } else {
            again += 1;
        }
    }
    if again > 0 {
        notes.push(format!("pairs that are there before: {again} dropped"));
    }
    let none = || Fault::new(last_line(text), "no pair of two hosts is a measurement");
    complete(n, rtt, file, notes).ok_or_else(none)
}
