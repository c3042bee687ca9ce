//! Measured topologies: one module per format, all read into links or a matrix.
//!
//! A reader takes the text of a file and returns its content or the first fault, with its line.
//! Nothing is guessed silently: dropped and filled-in values become notes.
//!
//! | module | subject |
//! |---|---|
//! | `text`, `delimited` | encodings and lines; cells, their separators and the meaning of columns |
//! | `guess` | detection of the format |
//! | `numbers` | decimal points and commas, and units of time |
//! | `links`, `latency` | hosts and links as they are found; the latency among the values of a link |
//! | `rtt_gaps` | latencies of all pairs from measured round-trip times |
//! | `facts` | facts and notes about a file |
//! | all others | one format each |

mod as_relationships;
mod brite;
mod columns;
mod dimacs;
mod edge_list;
mod facts;
mod gml;
mod graphml;
mod guess;
mod guess_table;
mod inet;
mod konect;
mod latency;
mod links;
mod matrix_market;
mod numbers;
mod pajek;
mod rtt_gaps;
mod rtt_matrix;
mod rtt_pairs;
mod separator;
mod text;

use super::graph::Link;
use super::pairwise::Matrix;
use crate::parameter::{ConfigError, NamedFile, ParameterValue, Table, ValueError, ValueKind};
use crate::{choices, parameters};
use latency::LatencyRule;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

choices! {
    /// The format of a file that holds an underlay.
    pub enum Format {
        /// Detected from the content. An ambiguous file is an error that names the possible
        /// formats.
        Guess = "guess",
        /// A link per line, as in the SNAP collection: two names of hosts. One with blanks is in
        /// quotes. If a third column is a number or a duration (`5ms`, `5 ms`), it is the latency of the link;
        /// decimals may follow a comma that separates no cells; further columns are skipped. A
        /// header, or a comment right before the first link, names columns: `latency`, `delay` and
        /// `rtt` (of which half is taken) are latencies. A first line `sep=;` names the separator. A dictionary at the end of a line, as
        /// networkx writes it, has attributes. `#` and `%` begin comment lines. Hosts are numbered
        /// in the order of their first appearance.
        EdgeList = "edge-list",
        /// A host and its neighbours per line.
        AdjacencyList = "adjacency-list",
        /// Graph Modelling Language, as in the Internet Topology Zoo. Nodes are identified by `id`;
        /// a number, or a text with a unit, under `latency` in an edge is its latency.
        Gml = "gml",
        /// GraphML. A `data` element of an edge whose key has the `attr.name` "latency" is its
        /// latency, or else the default of that key.
        Graphml = "graphml",
        /// Round-trip times of all pairs, a row per line; half of one is the latency. An entry may
        /// have a unit (`5ms`). `-`, `?`, `*`, `NaN`, `NA`, -1, and 0 off the diagonal mean a
        /// missing measurement: it is filled from the other direction, else from the shortest path
        /// over a third host, else with the median. Where the two directions differ their mean is
        /// taken. A triangle is mirrored; names of hosts may be in the first row, the first column
        /// or both.
        RttMatrix = "rtt-matrix",
        /// Round-trip times as a list: two hosts and their time per line. Gaps are filled as in a
        /// matrix.
        RttPairs = "rtt-pairs",
        /// Matrix Market: the entries of a sparse matrix are links, their values are `weight`.
        MatrixMarket = "matrix-market",
        /// DIMACS: lines `e` and `a` are links, their third number is `weight`.
        Dimacs = "dimacs",
        /// Pajek: *Edges, *Arcs and lists of them; the third number of a link is `weight`.
        Pajek = "pajek",
        /// KONECT: the third and fourth number of a link are `weight` and `time`.
        Konect = "konect",
        /// BRITE: links have `length`, `delay` and `bandwidth`; the delay is the latency.
        Brite = "brite",
        /// Inet 3.0: the third number of a link is `weight`.
        Inet = "inet",
        /// CAIDA's AS relationships, serial-1 and serial-2: `AS|AS|RELATIONSHIP`.
        AsRelationships = "as-relationships",
    }
}

choices! {
    /// The unit of numbers in a file.
    pub enum RttUnit {
        /// Milliseconds.
        Milliseconds = "ms",
        /// Microseconds.
        Microseconds = "us",
        /// Seconds.
        Seconds = "s",
    }
}

impl RttUnit {
    /// The unit in microseconds.
    fn micros(self) -> f64 {
        match self {
            Self::Seconds => 1e6,
            Self::Milliseconds => 1e3,
            Self::Microseconds => 1.0,
        }
    }
}

/// The columns of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnNames(pub Vec<String>);

impl ParameterValue for ColumnNames {
    fn kind() -> ValueKind {
        ValueKind::TextOrList(
            "the names of the columns, two of them \"from\" and \"to\", such as [\"from\", \"to\", \
             \"rtt\"]",
        )
    }

    fn from_value(value: &crate::parameter::Value) -> Result<Self, ValueError> {
        let text = |value: &crate::parameter::Value| value.as_str().map(str::to_owned).ok_or(None);
        let names: Vec<String> = match value {
            crate::parameter::Value::Array(names) => {
                names.iter().map(text).collect::<Result<_, _>>()?
            }
            one => {
                let words = one.as_str().ok_or(None)?;
                let words = words.split([',', ' ']).filter(|word| !word.is_empty());
                words.map(str::to_owned).collect()
            }
        };
        match columns::Columns::given(&names) {
            true => Ok(Self(names)),
            false => Err(None),
        }
    }

    fn to_value(&self) -> Option<crate::parameter::Value> {
        let names = self.0.iter().cloned().map(crate::parameter::Value::String);
        Some(crate::parameter::Value::Array(names.collect()))
    }
}

parameters! {
    /// Hosts and links, or round-trip times, from a file.
    ///
    /// Links have no direction. Loops and parallel links are dropped, of parallel links the fastest
    /// is kept, and of a disconnected graph the largest component is used. Links without a latency
    /// of their own draw it from `link-latency`.
    pub struct File {
        /// The file. A relative path starts at the folder of the scenario file, a path `$DHTLAB_DATA/...` at the folder in that environment variable. A regular file of at most 1 GiB.
        pub path: Option<String> = None;
        /// Its format.
        pub format: Format = Format::Guess;
        /// The columns of an `edge-list` or `rtt-pairs`: `from` and `to` are the hosts, `latency` is the one-way latency, `rtt` (or `avg_rtt`) a round-trip time, of which half is taken; any other name is a latency only if `latency` names it. If absent, the header of the file names them, or else the third column is the latency.
        pub columns: Option<ColumnNames> = None;
        /// The separator of the cells of a line: one character such as "," or "|", "tab", or "blank" for any number of blanks. If absent, it is detected.
        pub separator: Option<String> = None;
        /// The attribute or column that is the latency of a link: a name, the number of a column, or "none". If absent, the one called `latency`, or the one that the format defines.
        pub latency: Option<String> = None;
        /// The attribute or column that is a cost of a link, such as a price, an energy or a distrust: a number from 0.001 to 4,000,000. The cost between two hosts is the least sum over the links of a path. Messages take the paths of least latency whatever the cost; `overlay.vhash.metric` = "cost" follows it.
        pub cost: Option<String> = None;
        /// The unit of latencies and round-trip times without one. If absent, `rtt-unit` for `rtt-matrix` and `rtt-pairs`, or else the unit in the name (`latency_us`, `rtt (s)`), or else milliseconds.
        pub unit: Option<RttUnit> = None;
        /// The unit of the entries of an `rtt-matrix` or of `rtt-pairs`; `unit` has precedence.
        pub rtt_unit: RttUnit = RttUnit::Milliseconds;
        /// Whether an `rtt-matrix` or `rtt-pairs` keeps both directions where they differ: a message takes half of the round-trip time that its sender measured. Otherwise their mean is taken.
        pub asymmetric: bool = false;
        /// SHA-1 of the content, in hex. A resolved scenario has it, so that a changed file is a
        /// different run; if given, the file must match.
        pub content: Option<String> = None;
    }
}

/// Words of comments after which numbers may be no milliseconds.
const UNITS_IN_COMMENTS: [&str; 4] = ["us", "usec", "microseconds", "seconds"];

/// A fault in a file, and its line (from 1).
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

/// The content of a file.
#[derive(Clone, Debug)]
pub(super) enum FileContent {
    /// The number of hosts, and the links between them, without loops and parallel links.
    Graph(usize, Vec<Link>),
    Matrix(Matrix),
}

impl FileContent {
    pub(super) fn hosts(&self) -> usize {
        match self {
            Self::Graph(hosts, _) => *hosts,
            Self::Matrix(matrix) => matrix.hosts(),
        }
    }
}

/// A file after reading.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    pub(super) measured: FileContent,
    pub(super) notes: Vec<String>,
    /// The same hosts with costs in place of latencies, one millisecond each.
    pub(super) costs: Option<FileContent>,
    /// Its facts in one line: format, hosts, links, components, latencies.
    pub(super) facts: String,
}

/// Files that were read and are still in use, by their content and the keys that have an effect:
/// all points of a sweep share one. The content follows from the key alone.
static READ: Mutex<Vec<(String, Weak<Loaded>)>> = Mutex::new(Vec::new());

impl File {
    /// Reads the file, a relative path from `base`; `table` is the table of these keys.
    ///
    /// # Errors
    /// For the key `path`, with the file and the line of a fault; for `content` if the file is a
    /// different one; for keys that have no effect on the format.
    pub(super) fn load(
        &mut self,
        table: &Table<'_>,
        base: &Path,
    ) -> Result<Arc<Loaded>, ConfigError> {
        let Some(path) = self.path.clone() else {
            return Err(ConfigError::new(
                table.path_of("path"),
                "expected the path of a file",
            ));
        };
        self.check(table)?;
        let content = ("content", &mut self.content);
        let file = NamedFile::read(table, ("path", &path), content, base)?;
        let key = format!(
            "{:?}",
            Self {
                path: None,
                ..self.clone()
            }
        );
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        read.retain(|(_, loaded)| loaded.strong_count() > 0);
        let known = read.iter().find(|(known, _)| *known == key);
        if let Some(loaded) = known.and_then(|(_, loaded)| loaded.upgrade()) {
            return Ok(loaded);
        }
        let fault = |Fault { line, message }| {
            ConfigError::new(
                table.path_of("path"),
                format_args!("{}:{line}: {message}", file.path.display()),
            )
        };
        let mut loaded = self.parse(&file.bytes).map_err(fault)?;
        if let Some(name) = &self.cost {
            let costs = self.of_costs(name).parse(&file.bytes).map_err(fault)?;
            loaded.costs = Some(Self::checked_costs(costs.measured, name, table)?);
        }
        let loaded = Arc::new(loaded);
        read.push((key, Arc::downgrade(&loaded)));
        Ok(loaded)
    }

    /// The keys that read the costs called `name` in place of latencies.
    fn of_costs(&self, name: &str) -> Self {
        Self {
            latency: Some(name.to_owned()),
            unit: Some(RttUnit::Milliseconds),
            cost: None,
            ..self.clone()
        }
    }

    /// Refuses costs of pairs, and links without a cost.
    fn checked_costs(
        costs: FileContent,
        name: &str,
        table: &Table<'_>,
    ) -> Result<FileContent, ConfigError> {
        let refuse = |message: String| Err(ConfigError::new(table.path_of("cost"), message));
        match &costs {
            FileContent::Matrix(_) => {
                refuse("costs are those of links, and this file has none".to_owned())
            }
            FileContent::Graph(_, links) => {
                let without = links.iter().filter(|link| link.latency.is_none()).count();
                if without > 0 {
                    return refuse(format!("{without} links have no number \"{name}\""));
                }
                Ok(costs)
            }
        }
    }

    /// The facts about a file with this content, read with these keys, in one line; for use without
    /// a scenario.
    ///
    /// ```
    /// use dhtlab_core::underlay::files::File;
    ///
    /// let facts = File::default().facts(b"a b 5\nb c 7\nx y\n")?;
    /// assert_eq!(
    ///     facts,
    ///     "edge-list, 5 hosts, 3 links, 2 components, 3 hosts used, latency 5 ms to 7 ms, \
    ///      1 link without one"
    /// );
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    /// The first fault, with its line.
    pub fn facts(&self, bytes: &[u8]) -> Result<String, String> {
        let loaded = self.parse(bytes);
        let fault = |Fault { line, message }| format!("line {line}: {message}");
        loaded.map(|loaded| loaded.facts).map_err(fault)
    }

    /// Refuses keys that have no effect on the given format.
    fn check(&self, table: &Table<'_>) -> Result<(), ConfigError> {
        use Format::{EdgeList, Guess, RttMatrix, RttPairs};
        let idle = |key: &str, of: &str| {
            let format = self.format.as_str();
            let message = format!("has no effect on the format {format}; it is for {of}");
            Err(ConfigError::new(table.path_of(key), message))
        };
        if self.columns.is_some() && !matches!(self.format, EdgeList | Guess | RttPairs) {
            return idle("columns", "edge-list and rtt-pairs");
        }
        if let Some(separator) = &self.separator {
            if !guess::has_cells(self.format) {
                return idle(
                    "separator",
                    "edge-list, adjacency-list, rtt-matrix and rtt-pairs",
                );
            }
            let is_word = matches!(separator.as_str(), "tab" | "blank");
            if !is_word && separator.chars().count() != 1 {
                let message = "expected one character, \"tab\" or \"blank\"";
                return Err(ConfigError::new(table.path_of("separator"), message));
            }
        }
        if self.latency.is_some() && self.format == RttMatrix {
            return idle("latency", "links and rtt-pairs");
        }
        if self.asymmetric && !matches!(self.format, Guess | RttMatrix | RttPairs) {
            return idle("asymmetric", "rtt-matrix and rtt-pairs");
        }
        Ok(())
    }

    /// The values in a resolved scenario: newer keys without effect are left out, so that runs keep
    /// their identity.
    pub(super) fn resolved(&self) -> std::collections::BTreeMap<String, crate::parameter::Value> {
        let mut values = crate::parameter::Parameters::write(self);
        if !self.asymmetric {
            values.remove("asymmetric");
        }
        if self.unit.is_some() {
            values.remove("rtt-unit");
        }
        values
    }

    /// The unit of round-trip times.
    fn rtt_unit(&self) -> RttUnit {
        self.unit.unwrap_or(self.rtt_unit)
    }

    /// A note if a comment names another unit, or round trips where numbers are one way, and no key
    /// says what they are: comments have no effect.
    fn tell_comment(&self, text: &str, are_round_trips: bool) -> Option<String> {
        if self.unit.is_some() || self.columns.is_some() || self.rtt_unit != RttUnit::Milliseconds {
            return None;
        }
        let names_one = |line: &str| {
            let words = line.split(|c: char| !c.is_alphabetic());
            let mut words = words.filter(|word| !word.is_empty());
            words.any(|word| {
                let is = |known: &&str| word.eq_ignore_ascii_case(known);
                UNITS_IN_COMMENTS.iter().any(is) || !are_round_trips && is(&"rtt")
            })
        };
        let mut comments = text::numbered(text).filter(|(_, line)| text::is_comment(line));
        let (line, _) = comments.find(|(_, line)| names_one(line))?;
        Some(format!(
            "the comment in line {line} names a unit or round trips, and has no effect; `unit` and \
             `columns` under [underlay.file] say what numbers are"
        ))
    }

    fn parse(&self, bytes: &[u8]) -> Result<Loaded, Fault> {
        let text = &*text::decode(bytes, self.format)?;
        let guess = match self.format {
            Format::Guess => guess::guess(text, self)?,
            given => given.into(),
        };
        let (format, skip) = (guess.format, guess.skip);
        let rule = &LatencyRule::of(self);
        let mut notes = Vec::new();
        let guessed = |fault| match self.format {
            Format::Guess => guess::guessed(fault, format),
            _ => fault,
        };
        let found = match format {
            Format::EdgeList | Format::Guess => edge_list::read(text, self, rule, skip)?,
            Format::AdjacencyList => edge_list::read_adjacency(text, self, rule)?,
            Format::Gml => gml::read(text, rule)?,
            Format::Graphml => graphml::read(text, rule)?,
            Format::MatrixMarket => matrix_market::read(text, rule)?,
            Format::Dimacs => dimacs::read(text, rule)?,
            Format::Pajek => pajek::read(text, rule)?,
            Format::Konect => konect::read(text, rule)?,
            Format::Brite => brite::read(text, rule)?,
            Format::Inet => inet::read(text, rule).map_err(guessed)?,
            Format::AsRelationships => as_relationships::read(text, rule).map_err(guessed)?,
            Format::RttMatrix => {
                let matrix = rtt_matrix::read(text, self, &mut notes).map_err(guessed)?;
                notes.extend(self.tell_comment(text, true));
                return Ok(facts::of_matrix(format, matrix, notes));
            }
            Format::RttPairs => {
                let matrix = rtt_pairs::read(text, self, skip, &mut notes)?;
                return Ok(facts::of_matrix(format, matrix, notes));
            }
        };
        let hosts = found.links.node_count();
        if hosts < 2 {
            let message = format!("expected at least two hosts, found {hosts}");
            return Err(Fault::new(text::last_line(text), message));
        }
        Ok(facts::of_links(format, found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The points of a sweep share one file as long as one of them exists.
    #[test]
    fn a_file_is_read_once_by_its_content() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = crate::parameter::Map::new();
        let load = |path: &str, unit| {
            let (path, base) = (Some(path.to_owned()), folder.path());
            let mut file = File {
                path,
                unit,
                ..File::default()
            };
            file.load(&Table::root(&keys), base).expect("links")
        };
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("a file");
        };
        write("net", "a_file_read_once b 1\nb c 2\n");
        write("same", "a_file_read_once b 1\nb c 2\n");
        let first = load("net", None);
        assert!(Arc::ptr_eq(&first, &load("net", None)));
        assert!(Arc::ptr_eq(&first, &load("same", None)));
        // Other keys, or other content at the same path: a different underlay.
        assert!(!Arc::ptr_eq(&first, &load("net", Some(RttUnit::Seconds))));
        write("net", "a_file_read_once b 1\nb c 3\n");
        assert!(!Arc::ptr_eq(&first, &load("net", None)));
        let known = || {
            READ.lock()
                .expect("no panic")
                .iter()
                .filter(|(_, read)| read.strong_count() > 0)
                .count()
        };
        let before = known();
        drop(first);
        assert!(known() < before, "what is not used is not kept");
    }
}
