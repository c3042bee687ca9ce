//! GraphML (Brandes, Eiglsperger, Herman, Himsolt and Marshall, 2002).

use super::Fault;
use super::latency::LatencyRule;
use super::links::ParsedLinks;
use super::text::last_line;
use crate::parameter::{quoted, shown};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use rustc_hash::{FxHashMap, FxHashSet};

/// An edge as it is in the file: its nodes and its keys may follow later.
struct Edge {
    line: usize,
    source: String,
    target: String,
    data: Vec<Data>,
}

/// The content of an element `data` of an edge.
struct Data {
    line: usize,
    key: String,
    text: String,
}

/// An element `key` for edges.
struct Key {
    line: usize,
    /// Its index among all keys.
    place: usize,
    /// Its `attr.name`, or else its id.
    name: String,
    /// Whether it is only for edges.
    own: bool,
    default: Option<String>,
}

/// The destination of text.
enum Target {
    /// The last `data` of the last edge.
    Data,
    /// The default of this key.
    Default(String),
}

/// What has been read so far.
struct GraphmlParser<'a> {
    found: ParsedLinks<'a>,
    edges: Vec<Edge>,
    /// By their ids.
    keys: FxHashMap<String, Key>,
    /// The open elements, with their lines.
    open: Vec<(String, usize)>,
    /// Graphs that are not nested in another graph.
    graphs: usize,
    /// The destination of text, and how many elements are open around it.
    target: Option<(Target, usize)>,
    text: String,
}

/// Counts lines while the reader advances.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line of byte `at`, which never decreases.
    fn line(&mut self, at: u64) -> usize {
        let at = usize::try_from(at)
            .unwrap_or(usize::MAX)
            .clamp(self.at, self.text.len());
        let newlines = self.text.as_bytes()[self.at..at]
            .iter()
            .filter(|&&byte| byte == b'\n');
        self.line += newlines.count();
        self.at = at;
        self.line
    }
}

fn malformed(line: usize, error: &impl ToString) -> Fault {
    // The library reports what it found: a name, or a whole entity.
    let mut message = error.to_string();
    if let Some((end, _)) = message.char_indices().nth(120) {
        message.truncate(end);
    }
    Fault::new(line, format!("malformed XML: {message}"))
}

fn attribute(tag: &BytesStart<'_>, name: &str, line: usize) -> Result<Option<String>, Fault> {
    let found = tag
        .try_get_attribute(name)
        .map_err(|error| malformed(line, &error))?;
    let Some(found) = found else { return Ok(None) };
    let value = found
        .normalized_value(quick_xml::XmlVersion::Explicit1_0)
        .map_err(|error| malformed(line, &error))?;
    Ok(Some(value.into_owned()))
}

fn required(tag: &BytesStart<'_>, name: &str, line: usize) -> Result<String, Fault> {
    attribute(tag, name, line)?.ok_or_else(|| {
        let element = shown(&local_name(tag));
        Fault::new(line, format!("this <{element}> has no attribute `{name}`"))
    })
}

/// The name of an element without its namespace.
fn local_name(tag: &BytesStart<'_>) -> String {
    tag.local_name().as_ref().to_owned()
}

impl<'a> GraphmlParser<'a> {
    fn start(&mut self, tag: &BytesStart<'_>, line: usize) -> Result<(), Fault> {
        let name = local_name(tag);
        if self.open.is_empty() && name != "graphml" {
            let message = format!("expected <graphml>, found <{}>", shown(&name));
            return Err(Fault::new(line, message));
        }
        let parent = self.open.last().map_or("", |(name, _)| name);
        if name == "graph" && parent == "graphml" {
            self.graphs += 1;
        }
        // The first graph is read; keys count anywhere.
        let is_here = self.graphs <= 1;
        match name.as_str() {
            "key" => self.key(tag, line)?,
            "default" if parent == "key" => {
                if let Some((Target::Default(_), depth)) = &mut self.target {
                    *depth = self.open.len();
                    self.text.clear();
                }
            }
            "graph" if is_here => {
                self.found.directed |=
                    attribute(tag, "edgedefault", line)?.as_deref() == Some("directed");
            }
            "node" if is_here => {
                let id = required(tag, "id", line)?;
                if self.found.new_host(id.clone()).is_none() {
                    let message = format!("a second node with the id {}", quoted(&id));
                    return Err(Fault::new(line, message));
                }
            }
            "edge" if is_here => {
                self.found.directed |= attribute(tag, "directed", line)?.as_deref() == Some("true");
                self.edges.push(Edge {
                    line,
                    source: required(tag, "source", line)?,
                    target: required(tag, "target", line)?,
                    data: Vec::new(),
                });
            }
            "hyperedge" if is_here => {
                return Err(Fault::new(line, "hyperedges are not links"));
            }
            "data" if is_here && parent == "edge" => {
                let key = attribute(tag, "key", line)?.unwrap_or_default();
                if let Some(edge) = self.edges.last_mut() {
                    let text = String::new();
                    edge.data.push(Data { line, key, text });
                    self.target = Some((Target::Data, self.open.len()));
                    self.text.clear();
                }
            }
            _ => {}
        }
        self.open.push((name, line));
        Ok(())
    }

    /// A `key` of edges; the first key with an id counts.
    fn key(&mut self, tag: &BytesStart<'_>, line: usize) -> Result<(), Fault> {
        self.target = None;
        let domain = attribute(tag, "for", line)?;
        if !matches!(domain.as_deref(), None | Some("edge" | "all")) {
            return Ok(());
        }
        let Some(id) = attribute(tag, "id", line)? else {
            return Ok(());
        };
        let name = attribute(tag, "attr.name", line)?.unwrap_or_else(|| id.clone());
        let own = domain.as_deref() == Some("edge");
        self.target = Some((Target::Default(id.clone()), usize::MAX));
        let place = self.keys.len();
        self.keys.entry(id).or_insert(Key {
            line,
            place,
            name,
            own,
            default: None,
        });
        Ok(())
    }

    /// Text within the innermost open element.
    fn text(&mut self, part: &str) {
        // Elements within `data` are ignored.
        if self
            .target
            .as_ref()
            .is_some_and(|(_, depth)| depth.saturating_add(1) == self.open.len())
        {
            self.text.push_str(part);
        }
    }

    /// A character reference or an entity.
    fn reference(&mut self, name: &str, character: Option<char>) {
        let predefined = match name {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "apos" => Some('\''),
            "quot" => Some('"'),
            _ => None,
        };
        match character.or(predefined) {
            Some(character) => self.text(character.encode_utf8(&mut [0; 4])),
            // An entity of the document is not expanded: a short text can expand to gigabytes.
            None => self.text(&format!("&{name};")),
        }
    }

    fn end(&mut self) {
        self.open.pop();
        match &self.target {
            Some((Target::Data, depth)) if *depth == self.open.len() => {
                let last = self.edges.last_mut().and_then(|edge| edge.data.last_mut());
                if let Some(data) = last {
                    data.text = std::mem::take(&mut self.text);
                }
                self.target = None;
            }
            Some((Target::Default(id), depth)) if *depth == self.open.len() => {
                if let Some(key) = self.keys.get_mut(id) {
                    key.default.get_or_insert(std::mem::take(&mut self.text));
                }
                self.target = None;
            }
            _ => {}
        }
    }

    /// The links, once all nodes and keys are known.
    fn finish(mut self, last_line: usize) -> Result<ParsedLinks<'a>, Fault> {
        if self.graphs > 1 {
            let graphs = self.graphs;
            self.found
                .notes
                .push(format!("the file has {graphs} graphs; the first is read"));
        }
        let mut keys: Vec<&Key> = self.keys.values().collect();
        keys.sort_unstable_by_key(|key| (!key.own, key.place));
        let defaults = keys.into_iter().filter_map(|key| {
            let default = key.default.as_deref()?;
            Some((key.line, key.name.as_str(), default))
        });
        // Of several defaults of one name the first counts.
        let mut names = FxHashSet::default();
        let is_first = |(_, name, text): &(usize, &'_ str, &'_ str)| {
            !text.trim().is_empty() && names.insert((*name).to_owned())
        };
        let defaults: Vec<(usize, &str, &str)> = defaults.filter(is_first).collect();
        let data = self.edges.iter().flat_map(|edge| &edge.data);
        let mut undeclared = data.filter(|data| !self.keys.contains_key(&data.key));
        let what = |data: &Data| format!("no <key> for edges has the id {}", quoted(&data.key));
        if let Some(first) = undeclared.clone().next() {
            if let Some(latency) = undeclared.find(|data| self.found.is_latency(&data.key)) {
                return Err(Fault::new(latency.line, what(latency)));
            }
            let note = format!("line {}: {}; it is passed over", first.line, what(first));
            self.found.notes.push(note);
        }
        for edge in &self.edges {
            let host = |id: &String| {
                let message = format!("{} is no node's id", quoted(id));
                self.found
                    .known(id)
                    .ok_or_else(|| Fault::new(edge.line, message))
            };
            let ends = (host(&edge.source)?, host(&edge.target)?);
            let mut carried: Vec<(bool, usize, &str, &str)> = edge
                .data
                .iter()
                .filter(|data| !data.text.trim().is_empty())
                .filter_map(|data| {
                    let key = self.keys.get(&data.key)?;
                    Some((!key.own, data.line, key.name.as_str(), data.text.as_str()))
                })
                .collect();
            // A key for edges has precedence over one for all elements with the same name.
            carried.sort_by_key(|(for_all, ..)| *for_all);
            let data = carried
                .iter()
                .map(|&(_, line, name, text)| (line, name, text));
            // A value of the edge replaces the default.
            let is_absent = |name: &str| carried.iter().all(|(.., known, _)| *known != name);
            let defaults = defaults.iter().filter(|(_, name, _)| is_absent(name));
            self.found.link(ends, data.chain(defaults.copied()))?;
        }
        self.found.finish(last_line)
    }
}

/// Reads a graph; see [`Format::Graphml`](super::Format::Graphml). O(length of the text).
pub(super) fn read<'a>(text: &'a str, rule: &'a LatencyRule) -> Result<ParsedLinks<'a>, Fault> {
    let mut reader = Reader::from_str(text);
    let mut lines = Lines {
        text,
        at: 0,
        line: 1,
    };
    let mut reading = GraphmlParser {
        found: ParsedLinks::new(rule, "latency"),
        edges: Vec::new(),
        keys: FxHashMap::default(),
        open: Vec::new(),
        graphs: 0,
        target: None,
        text: String::new(),
    };
    loop {
        let start = reader.buffer_position();
        let event = reader.read_event().map_err(|error| {
            let line = lines.line(reader.error_position());
            malformed(line, &error)
        })?;
        // An event starts where the previous one ended.
        let line = lines.line(start);
        match event {
            Event::Start(tag) => reading.start(&tag, line)?,
            Event::Empty(tag) => {
                reading.start(&tag, line)?;
                reading.end();
            }
            Event::End(_) => reading.end(),
            Event::Text(part) => reading.text(&part),
            Event::CData(part) => reading.text(&part),
            Event::GeneralRef(part) => {
                let character = part.resolve_char_ref();
                let character = character.map_err(|error| malformed(line, &error))?;
                reading.reference(&part, character);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    match reading.open.last() {
        Some((name, start)) => {
            let message = format!("the file ends inside <{}> of line {start}", shown(name));
            Err(Fault::new(last_line(text), message))
        }
        None => reading.finish(last_line(text)),
    }
}
