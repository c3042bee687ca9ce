//! Graph Modelling Language (Himsolt: "GML: a portable graph file format", 1997).

use super::{Fault, bad_latency, last_line, millis};
use crate::underlay::graph::Links;
use petgraph::graph::NodeIndex;
use rustc_hash::FxHashMap;

/// How deep lists may be nested.
const DEPTH: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    Key(&'a str),
    Number(&'a str),
    Text,
    Open,
    Close,
}

/// The tokens of a text with their lines.
struct Tokens<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Tokens<'a> {
    /// Cuts `length` bytes off and counts their lines.
    fn cut(&mut self, length: usize) -> &'a str {
        let (head, rest) = self.rest.split_at(length);
        self.line += head.matches('\n').count();
        self.rest = rest;
        head
    }

    /// The next token and the line where it starts; `None` at the end.
    fn next(&mut self) -> Result<Option<(usize, Token<'a>)>, Fault> {
        loop {
            self.cut(self.rest.len() - self.rest.trim_start().len());
            if !self.rest.starts_with('#') {
                break;
            }
            self.cut(self.rest.find('\n').unwrap_or(self.rest.len()));
        }
        let line = self.line;
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        let token = match first {
            '[' | ']' => {
                self.cut(1);
                if first == '[' {
                    Token::Open
                } else {
                    Token::Close
                }
            }
            '"' => {
                let Some(end) = self.rest[1..].find('"') else {
                    return Err(Fault::new(line, "a text in quotes is never closed"));
                };
                self.cut(end + 2);
                Token::Text
            }
            _ => {
                let ends = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '"' | '#');
                let word = self.cut(self.rest.find(ends).unwrap_or(self.rest.len()));
                if first.is_ascii_alphabetic() {
                    Token::Key(word)
                } else if word.parse::<f64>().is_ok() {
                    Token::Number(word)
                } else {
                    return Err(Fault::new(
                        line,
                        format!("expected a key, found \"{word}\""),
                    ));
                }
            }
        };
        Ok(Some((line, token)))
    }
}

/// A key of a list and what follows it.
struct Entry<'a> {
    line: usize,
    key: &'a str,
    value: Value<'a>,
}

enum Value<'a> {
    Number(&'a str),
    Text,
    List(Vec<Entry<'a>>),
}

/// Reads entries up to the `]` of the list that `opened` names, or the end of the file.
fn entries<'a>(
    tokens: &mut Tokens<'a>,
    opened: Option<(usize, &str)>,
    depth: usize,
) -> Result<Vec<Entry<'a>>, Fault> {
    let mut list = Vec::new();
    loop {
        let (line, key) = match (tokens.next()?, opened) {
            (None, None) | (Some((_, Token::Close)), Some(_)) => return Ok(list),
            (Some((line, Token::Key(key))), _) => (line, key),
            (None, Some((start, name))) => {
                let message = format!("the file ends inside `{name} [` of line {start}");
                return Err(Fault::new(tokens.line, message));
            }
            (Some((line, Token::Close)), None) => {
                return Err(Fault::new(line, "`]` closes nothing"));
            }
            (Some((line, token)), _) => {
                let found = match token {
                    Token::Number(word) => word,
                    Token::Text => "a text",
                    _ => "`[`",
                };
                return Err(Fault::new(line, format!("expected a key, found {found}")));
            }
        };
        let value = match tokens.next()? {
            Some((_, Token::Number(word))) => Value::Number(word),
            Some((_, Token::Text)) => Value::Text,
            Some((line, Token::Open)) if depth == DEPTH => {
                return Err(Fault::new(line, "lists are nested too deep"));
            }
            Some((_, Token::Open)) => Value::List(entries(tokens, Some((line, key)), depth + 1)?),
            // Python writes these, and networkx reads them.
            Some((_, Token::Key("NAN" | "INF"))) => Value::Text,
            Some((_, Token::Key(_) | Token::Close)) => {
                return Err(Fault::new(line, format!("expected a value after `{key}`")));
            }
            None => {
                let message = format!("the file ends after `{key}`, expected a value");
                return Err(Fault::new(tokens.line, message));
            }
        };
        list.push(Entry { line, key, value });
    }
}

/// The number under `key` in the list of a node or an edge, and the line where it stands.
fn number<'a>(list: &Entry<'a>, key: &str) -> Result<Option<(usize, &'a str)>, Fault> {
    let Value::List(entries) = &list.value else {
        return Err(Fault::new(
            list.line,
            format!("expected `[` after `{}`", list.key),
        ));
    };
    match entries.iter().find(|entry| entry.key == key) {
        None => Ok(None),
        Some(Entry {
            line,
            value: Value::Number(word),
            ..
        }) => Ok(Some((*line, word))),
        Some(Entry { line, .. }) => Err(Fault::new(
            *line,
            format!("expected a number after `{key}`"),
        )),
    }
}

/// An identifier of a node under `key`.
fn identifier(list: &Entry<'_>, key: &str) -> Result<(usize, i64), Fault> {
    let (line, word) = number(list, key)?
        .ok_or_else(|| Fault::new(list.line, format!("this {} has no `{key}`", list.key)))?;
    let parsed = word.parse().map_err(|_| {
        Fault::new(
            line,
            format!("expected a whole number after `{key}`, found {word}"),
        )
    });
    Ok((line, parsed?))
}

/// Reads a graph; see [`Format::Gml`](super::Format::Gml). O(length of the text).
pub(super) fn read(text: &str) -> Result<Links, Fault> {
    let top = entries(
        &mut Tokens {
            rest: text,
            line: 1,
        },
        None,
        0,
    )?;
    let graph = top.iter().find(|entry| entry.key == "graph");
    let Some(Entry {
        value: Value::List(parts),
        ..
    }) = graph
    else {
        return Err(Fault::new(last_line(text), "the file has no `graph [`"));
    };
    let mut links = Links::default();
    // Only asked: hosts are numbered by their place in the file.
    let mut hosts: FxHashMap<i64, NodeIndex> = FxHashMap::default();
    for node in parts.iter().filter(|part| part.key == "node") {
        let (line, id) = identifier(node, "id")?;
        if hosts.insert(id, links.add_node(())).is_some() {
            return Err(Fault::new(line, format!("a second node with the id {id}")));
        }
    }
    for edge in parts.iter().filter(|part| part.key == "edge") {
        let mut ends = [NodeIndex::default(); 2];
        for (end, key) in ends.iter_mut().zip(["source", "target"]) {
            let (line, id) = identifier(edge, key)?;
            *end = *hosts
                .get(&id)
                .ok_or_else(|| Fault::new(line, format!("`{key}` {id} is no node's id")))?;
        }
        let latency = match number(edge, "latency")? {
            None => None,
            Some((line, word)) => {
                let latency = word.parse().ok().and_then(millis);
                Some(latency.ok_or_else(|| Fault::new(line, bad_latency(word)))?)
            }
        };
        links.add_edge(ends[0], ends[1], latency);
    }
    Ok(links)
}

/// Whether the text looks like GML: its first line of data is `graph [`, or another key with
/// its value before such a line.
pub(super) fn opens(first: &str, text: &str) -> bool {
    if !first.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return false;
    }
    let mut tokens = Tokens {
        rest: text,
        line: 1,
    };
    let mut before = None;
    // The keys before `graph` are few: creator, version, a comment.
    for _ in 0..64 {
        match tokens.next() {
            Ok(Some((_, Token::Open))) => return matches!(before, Some(Token::Key("graph"))),
            Ok(Some((_, token))) => before = Some(token),
            _ => return false,
        }
    }
    false
}
