//! GraphML (Brandes, Eiglsperger, Herman, Himsolt and Marshall, 2002).

use super::{Fault, bad_latency, last_line, millis};
use crate::underlay::graph::Links;
use petgraph::graph::NodeIndex;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use rustc_hash::FxHashMap;
use std::num::NonZeroU32;

/// An edge as it stands in the file: its nodes may follow later.
struct Edge {
    line: usize,
    source: String,
    target: String,
    latency: Option<NonZeroU32>,
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    links: Links,
    /// Only asked: hosts are numbered by their place in the file.
    hosts: FxHashMap<String, NodeIndex>,
    edges: Vec<Edge>,
    /// The id of the key whose `attr.name` is "latency", for edges.
    latency_key: Option<String>,
    /// The elements that are open, with their lines.
    open: Vec<(String, usize)>,
    /// The text of the `data` element of an edge that gives its latency.
    latency_text: Option<String>,
}

/// Counts lines as the reader moves on.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line of byte `at`, which never goes back.
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

fn attribute(tag: &BytesStart<'_>, name: &str, line: usize) -> Result<Option<String>, Fault> {
    let malformed = |error: String| Fault::new(line, format!("malformed XML: {error}"));
    let found = tag
        .try_get_attribute(name)
        .map_err(|error| malformed(error.to_string()))?;
    let Some(found) = found else { return Ok(None) };
    let value = found
        .normalized_value(quick_xml::XmlVersion::Explicit1_0)
        .map_err(|error| malformed(error.to_string()))?;
    Ok(Some(value.into_owned()))
}

fn required(tag: &BytesStart<'_>, name: &str, line: usize) -> Result<String, Fault> {
    attribute(tag, name, line)?.ok_or_else(|| {
        let element = local_name(tag);
        Fault::new(line, format!("this <{element}> has no attribute `{name}`"))
    })
}

/// The name of an element without its namespace.
fn local_name(tag: &BytesStart<'_>) -> String {
    tag.local_name().as_ref().to_owned()
}

impl Reading {
    fn start(&mut self, tag: &BytesStart<'_>, line: usize) -> Result<(), Fault> {
        let name = local_name(tag);
        if self.open.is_empty() && name != "graphml" {
            return Err(Fault::new(
                line,
                format!("expected <graphml>, found <{name}>"),
            ));
        }
        match name.as_str() {
            "key" => {
                let is_latency = attribute(tag, "attr.name", line)?.as_deref() == Some("latency");
                let domain = attribute(tag, "for", line)?;
                if is_latency && matches!(domain.as_deref(), None | Some("edge" | "all")) {
                    self.latency_key = Some(required(tag, "id", line)?);
                }
            }
            "node" => {
                let id = required(tag, "id", line)?;
                let host = self.links.add_node(());
                if self.hosts.insert(id.clone(), host).is_some() {
                    return Err(Fault::new(
                        line,
                        format!("a second node with the id \"{id}\""),
                    ));
                }
            }
            "edge" => self.edges.push(Edge {
                line,
                source: required(tag, "source", line)?,
                target: required(tag, "target", line)?,
                latency: None,
            }),
            "hyperedge" => return Err(Fault::new(line, "hyperedges are not links")),
            "data" if self.open.last().is_some_and(|(name, _)| name == "edge") => {
                let key = attribute(tag, "key", line)?;
                if key.is_some() && key == self.latency_key {
                    self.latency_text = Some(String::new());
                }
            }
            _ => {}
        }
        self.open.push((name, line));
        Ok(())
    }

    fn end(&mut self, line: usize) -> Result<(), Fault> {
        self.open.pop();
        if let (Some(text), Some(edge)) = (self.latency_text.take(), self.edges.last_mut()) {
            let latency = text.trim().parse().ok().and_then(millis);
            let refuse = || Fault::new(line, bad_latency(&format!("\"{}\"", text.trim())));
            edge.latency = Some(latency.ok_or_else(refuse)?);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Links, Fault> {
        for edge in &self.edges {
            let host = |id: &String| {
                let unknown = || Fault::new(edge.line, format!("\"{id}\" is no node's id"));
                self.hosts.get(id).copied().ok_or_else(unknown)
            };
            let (source, target) = (host(&edge.source)?, host(&edge.target)?);
            self.links.add_edge(source, target, edge.latency);
        }
        Ok(self.links)
    }
}

/// Reads a graph; see [`Format::Graphml`](super::Format::Graphml). O(length of the text).
pub(super) fn read(text: &str) -> Result<Links, Fault> {
    let mut reader = Reader::from_str(text);
    let mut lines = Lines {
        text,
        at: 0,
        line: 1,
    };
    let mut reading = Reading::default();
    loop {
        let start = reader.buffer_position();
        let event = reader.read_event().map_err(|error| {
            let line = lines.line(reader.error_position());
            Fault::new(line, format!("malformed XML: {error}"))
        })?;
        // An event starts where the one before has ended.
        let line = lines.line(start);
        match event {
            Event::Start(tag) => reading.start(&tag, line)?,
            Event::Empty(tag) => {
                reading.start(&tag, line)?;
                reading.end(line)?;
            }
            Event::End(_) => reading.end(line)?,
            Event::Text(part) => {
                if let Some(text) = &mut reading.latency_text {
                    text.push_str(&part);
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    match reading.open.last() {
        Some((name, start)) => {
            let message = format!("the file ends inside <{name}> of line {start}");
            Err(Fault::new(last_line(text), message))
        }
        None => reading.finish(),
    }
}
