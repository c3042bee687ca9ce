//! Measured topologies: one format a file, all read into links or a matrix.
//!
//! A reader gets the text of a file and gives what is in it or the first fault, with its line.
//! Nothing is guessed silently: what was dropped or filled in becomes a note.

mod edge_list;
mod gml;
mod graphml;
mod rtt_matrix;

use super::graph::Links;
use super::pairwise::Matrix;
use crate::parameter::{NamedFile, Problem, Table};
use crate::{choices, parameters};
use std::path::Path;

choices! {
    /// The format of a file that holds an underlay.
    pub enum Format {
        /// By content: `<` opens GraphML; a word and a value or `[` open GML; numbers in four
        /// or more columns are a matrix; all else is an edge list.
        Guess = "guess",
        /// A link a line, as in the SNAP collection: two names of hosts, of any characters but
        /// blanks. If a third column is a number, it is the latency of the link in
        /// milliseconds; all further columns are skipped. `#` and `%` open comment lines.
        /// Hosts are numbered as they first appear.
        EdgeList = "edge-list",
        /// Graph Modelling Language, as in the Internet Topology Zoo. Nodes are known by `id`;
        /// a number under `latency` in an edge is its latency in milliseconds.
        Gml = "gml",
        /// GraphML. A `data` element of an edge whose key has the `attr.name` "latency" is its
        /// latency in milliseconds.
        Graphml = "graphml",
        /// Round-trip times of all pairs, a row a line; half of one is the latency. `-`, `?`,
        /// `*`, and 0 off the diagonal mean that a measurement is missing: it is taken from
        /// the other direction, else from the best way over a third host, else it is the
        /// median. Where the two directions differ their mean is taken.
        RttMatrix = "rtt-matrix",
    }
}

choices! {
    /// The unit of the entries of a matrix.
    pub enum RttUnit {
        /// Milliseconds.
        Milliseconds = "ms",
        /// Microseconds.
        Microseconds = "us",
        /// Seconds.
        Seconds = "s",
    }
}

parameters! {
    /// Hosts and links, or round-trip times, from a file.
    ///
    /// Links have no direction. Loops and parallel links are dropped, the fastest of parallel
    /// links stays, and of a disconnected graph the largest component is used. Links without a
    /// latency of their own draw it from `link-latency`.
    pub struct File {
        /// The file; a relative path starts at the folder of the scenario file, `$DHTLAB_DATA/` at the folder that this environment variable names.
        pub path: Option<String> = None;
        /// Its format.
        pub format: Format = Format::Guess;
        /// The unit of the entries of an `rtt-matrix`.
        pub rtt_unit: RttUnit = RttUnit::Milliseconds;
        /// SHA-1 of the content, in hex. A resolved scenario has it, so that a changed file
        /// is another run; where it is given, the file must match.
        pub content: Option<String> = None;
    }
}

/// What is wrong with a file, and in which line (from 1).
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    line: usize,
    message: String,
}

impl Fault {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
        }
    }
}

/// What a file holds.
#[derive(Clone, Debug)]
pub(super) enum Measured {
    Graph(Links),
    Matrix(Matrix),
}

impl Measured {
    pub(super) fn hosts(&self) -> usize {
        match self {
            Self::Graph(links) => links.node_count(),
            Self::Matrix(matrix) => matrix.hosts(),
        }
    }
}

/// A file that was read.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    pub(super) measured: Measured,
    pub(super) notes: Vec<String>,
}

impl File {
    /// Reads the file, a relative path from `base`; `table` is the one that these keys are from.
    ///
    /// # Errors
    /// For the key `path`, with the file and the line where one is at fault; for `content` if it is
    /// another file.
    pub(super) fn load(&mut self, table: &Table<'_>, base: &Path) -> Result<Loaded, Problem> {
        let Some(path) = self.path.clone() else {
            return Err(Problem::new(
                table.path_of("path"),
                "expected the path of a file",
            ));
        };
        let content = ("content", &mut self.content);
        let file = NamedFile::read(table, ("path", &path), content, base)?;
        let mut notes = Vec::new();
        let measured = self
            .parse(&file.bytes, &mut notes)
            .map_err(|Fault { line, message }| {
                Problem::new(
                    table.path_of("path"),
                    format_args!("{}:{line}: {message}", file.path.display()),
                )
            })?;
        Ok(Loaded { measured, notes })
    }

    fn parse(&self, bytes: &[u8], notes: &mut Vec<String>) -> Result<Measured, Fault> {
        let text = text(bytes)?;
        let format = match self.format {
            Format::Guess => guess(text),
            given => given,
        };
        let measured = match format {
            Format::EdgeList | Format::Guess => Measured::Graph(edge_list::read(text)?),
            Format::Gml => Measured::Graph(gml::read(text)?),
            Format::Graphml => Measured::Graph(graphml::read(text)?),
            Format::RttMatrix => {
                let matrix = rtt_matrix::read(text, self.rtt_unit, notes);
                // Edge lists of four columns exist: tell that it was a guess.
                Measured::Matrix(matrix.map_err(|fault| match self.format {
                    Format::Guess => Fault::new(
                        fault.line,
                        fault.message + " (guessed to be an rtt-matrix; `format` can tell)",
                    ),
                    _ => fault,
                })?)
            }
        };
        if measured.hosts() < 2 {
            let message = format!("expected at least two hosts, found {}", measured.hosts());
            return Err(Fault::new(last_line(text), message));
        }
        Ok(measured)
    }
}

/// `bytes` as text that is not empty.
fn text(bytes: &[u8]) -> Result<&str, Fault> {
    let line_at = |at: usize| 1 + bytes[..at].iter().filter(|&&byte| byte == b'\n').count();
    let binary = |at: usize| {
        let message = format!("not UTF-8 text: found the byte 0x{:02x}", bytes[at]);
        Err(Fault::new(line_at(at), message))
    };
    // Control characters are UTF-8 too, but no format has them.
    let strange = |&byte: &u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c);
    let control = bytes.iter().position(strange);
    match (std::str::from_utf8(bytes), control) {
        (Err(error), None) => binary(error.valid_up_to()),
        (Err(error), Some(at)) => binary(at.min(error.valid_up_to())),
        (Ok(_), Some(at)) => binary(at),
        (Ok(text), None) if text.trim().is_empty() => Err(Fault::new(1, "the file is empty")),
        // Some editors put a byte order mark first.
        (Ok(text), None) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
    }
}

/// The lines that are neither empty nor comments, with their numbers from 1.
fn data_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text
        .lines()
        .enumerate()
        .map(|(i, line)| (i + 1, line.trim()));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(['#', '%']))
}

fn last_line(text: &str) -> usize {
    text.lines().count().max(1)
}

/// The format of `text` by its first line of data, as [`Format::Guess`] tells.
fn guess(text: &str) -> Format {
    let Some((_, line)) = data_lines(text).next() else {
        return Format::EdgeList;
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_entry = |word: &str| word.parse::<f64>().is_ok() || rtt_matrix::is_missing(word);
    if line.starts_with('<') {
        Format::Graphml
    } else if gml::opens(line, text) {
        Format::Gml
    } else if words.len() > 3 && words.iter().all(|word| is_entry(word)) {
        Format::RttMatrix
    } else {
        Format::EdgeList
    }
}

/// A latency in milliseconds as microseconds of at least one; `None` if no link can have it.
fn millis(number: f64) -> Option<std::num::NonZeroU32> {
    let micros = libm::round(number * 1e3);
    if !(0.0..=f64::from(u32::MAX)).contains(&micros) {
        return None;
    }
    std::num::NonZeroU32::new((micros as u32).max(1))
}

/// What is said of a latency that [`millis`] refuses.
fn bad_latency(found: &str) -> String {
    format!("expected a latency of 0 to 4294967 ms, found {found}")
}
