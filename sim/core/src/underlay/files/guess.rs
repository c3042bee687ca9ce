//! Detection of the format of a file from its content.

use super::edge_list::has_colons;
use super::guess_table::table;
use super::text::{data_lines, is_data, numbered};
use super::{Fault, File, Format, as_relationships, brite, dimacs, gml, inet, konect, pajek};

/// The detected format.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) format: Format,
    /// A line that counts hosts and is not a link.
    pub(super) skip: Option<usize>,
}

impl From<Format> for Guess {
    fn from(format: Format) -> Self {
        Self { format, skip: None }
    }
}

/// The format of `text`.
///
/// # Errors
/// If the format is ambiguous, or is one that is not read.
pub(super) fn guess(text: &str, file: &File) -> Result<Guess, Fault> {
    // A scenario that names columns says that there are some.
    if file.columns.is_some() {
        return table(text, file);
    }
    if let Some(format) = signature(text) {
        return Ok(format.into());
    }
    if let Some((line, name)) = unread(text, file) {
        let message = format!(
            "this looks like {name}, which is not read; `format` under [underlay.file] says if it \
             is something else"
        );
        return Err(Fault::new(line, message));
    }
    table(text, file)
}

pub(super) fn doubt(line: usize, one: &str, other: &str) -> Fault {
    let message = format!("might be {one} or {other}; `format` under [underlay.file] says which");
    Fault::new(line, message)
}

/// The format of a text that begins with a sign of it.
fn signature(text: &str) -> Option<Format> {
    let (_, first) = data_lines(text).next()?;
    let head = text.trim_start().get(..14).unwrap_or_default();
    if head.eq_ignore_ascii_case("%%MatrixMarket") {
        Some(Format::MatrixMarket)
    } else if konect::opens(text) {
        Some(Format::Konect)
    } else if first.trim_start().starts_with('<') {
        Some(Format::Graphml)
    } else if pajek::opens(text) {
        Some(Format::Pajek)
    } else if brite::opens(text) {
        Some(Format::Brite)
    } else if gml::opens(text) {
        Some(Format::Gml)
    } else if dimacs::opens(text) {
        Some(Format::Dimacs)
    } else if inet::opens(text) {
        Some(Format::Inet)
    } else if as_relationships::opens(text) {
        Some(Format::AsRelationships)
    } else {
        None
    }
}

/// A format that is recognised but not read: the line with its sign, and its name.
fn unread(text: &str, file: &File) -> Option<(usize, &'static str)> {
    // DOT has its own comments.
    let is_comment = |line: &str| line.trim_start().starts_with("/*");
    let mut lines = data_lines(text).skip_while(|(_, line)| is_comment(line));
    let (line, first) = lines.next()?;
    let lower = first.trim().to_ascii_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let opens = lower.contains('{')
        || lines
            .next()
            .is_some_and(|(_, next)| next.trim_start().starts_with('{'));
    let name = match words[..] {
        ["graph" | "digraph" | "strict", ..] if opens => "Graphviz DOT",
        ["topology", ..] => "a p2psim topology",
        ["node", _] if first.trim_start().starts_with("node") => "a p2psim topology",
        ["link", id, ..] if id.starts_with('l') && id.ends_with(':') => "CAIDA ITDK",
        ["node", id, ..] if id.starts_with('n') && id.ends_with(':') => "CAIDA ITDK",
        ["dl", ..] => "UCINET DL",
        [word, ..] if word.starts_with("nodedef>") => "GDF",
        ["leda.graph", ..] => "LEDA",
        ["graph", "(#nodes", ..] => "GT-ITM",
        ["*", "graphbase", ..] => "the Stanford GraphBase",
        [word, ..] if word.starts_with(['{', '[']) => "JSON",
        [word, ..] if word.starts_with(">>graph6<<") || word.starts_with(">>sparse6<<") => "graph6",
        _ if is_lgl(text) => "the Large Graph Layout (LGL)",
        _ if is_trivial(text) => "the Trivial Graph Format",
        _ if file.separator.as_deref() != Some(":") && has_colons(text) => {
            "an adjacency list with colons"
        }
        _ if all(text, |line| {
            line.contains("->") || line.split_whitespace().nth(1) == Some("--")
        }) =>
        {
            "a list of links with arrows"
        }
        _ if all(text, |line| {
            line.starts_with('(') && line.trim_end_matches(',').ends_with(')')
        }) =>
        {
            "a list of pairs in parentheses"
        }
        _ => return None,
    };
    Some((line, name))
}

/// Whether all data lines satisfy `is_so`.
fn all(text: &str, is_so: impl Fn(&str) -> bool) -> bool {
    data_lines(text).all(|(_, line)| is_so(line.trim()))
}

/// Whether a text is in blocks: a line `# HOST`, followed by one neighbour with its weight per
/// line.
fn is_lgl(text: &str) -> bool {
    let (mut blocks, mut is_open, mut is_other, mut weights) = (0, false, false, true);
    for (_, line) in numbered(text) {
        let line = line.trim();
        let words = line.trim_start_matches('#').split_whitespace();
        match (line.strip_prefix('#'), words.clone().count()) {
            (None, 0) => {}
            (Some(_), 1) => {
                blocks += usize::from(!is_open);
                is_open = true;
            }
            (None, 1 | 2) if blocks > 0 => {
                is_open = false;
                let mut numbers = words.map(|word| word.parse::<f64>().is_ok());
                let host = numbers.next();
                weights &= host == Some(false) && numbers.next() == Some(true);
            }
            _ => is_other = true,
        }
    }
    !is_other && !is_open && (blocks > 1 || blocks == 1 && weights)
}

/// Whether a line `#` is between data lines.
fn is_trivial(text: &str) -> bool {
    let mut lines = numbered(text).skip_while(|(_, line)| !is_data(line));
    lines.any(|(_, line)| line.trim() == "#") && lines.any(|(_, line)| is_data(line))
}

/// Adds to a fault that the format was detected, not given.
pub(super) fn guessed(fault: Fault, format: Format) -> Fault {
    let guess = match format {
        Format::RttMatrix => "an rtt-matrix",
        other => other.as_str(),
    };
    let message = fault.message
        + &format!(
            " (guessed to be {guess}; `format` says if it is an edge-list or an adjacency-list)"
        );
    Fault::new(fault.line, message)
}

/// Whether `format` has cells.
pub(super) fn has_cells(format: Format) -> bool {
    use Format::{AdjacencyList, EdgeList, Guess, RttMatrix, RttPairs};
    matches!(
        format,
        AdjacencyList | EdgeList | Guess | RttMatrix | RttPairs
    )
}
