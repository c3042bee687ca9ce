//! Graph Modelling Language (Himsolt: "GML: a portable graph file format", 1997).

use super::Fault;
use super::latency::LatencyRule;
use super::links::ParsedLinks;
use super::text::last_line;
use crate::parameter::{quoted, shown};
use std::borrow::Cow;

/// The greatest depth of nested lists.
const DEPTH: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    Key(&'a str),
    Number(&'a str),
    Text(&'a str),
    Open,
    Close,
}

/// The tokens of a text with their lines.
struct Tokens<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Tokens<'a> {
    /// Removes `length` bytes and counts their lines.
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
                let text = self.cut(end + 2);
                Token::Text(&text[1..=end])
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
                        format!("expected a key, found {}", quoted(word)),
                    ));
                }
            }
        };
        Ok(Some((line, token)))
    }
}

/// A key of a list and its value.
struct Entry<'a> {
    line: usize,
    key: &'a str,
    value: Value<'a>,
}

enum Value<'a> {
    /// A number, a text, or a word such as `True` or `NAN`, which Python writes.
    Plain(&'a str),
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
                let message = format!("the file ends inside `{} [` of line {start}", shown(name));
                return Err(Fault::new(tokens.line, message));
            }
            (Some((line, Token::Close)), None) => {
                return Err(Fault::new(line, "`]` closes nothing"));
            }
            (Some((line, token)), _) => {
                let found = match token {
                    Token::Number(word) => shown(word),
                    Token::Text(_) => "a text".to_owned(),
                    _ => "`[`".to_owned(),
                };
                return Err(Fault::new(line, format!("expected a key, found {found}")));
            }
        };
        let value = match tokens.next()? {
            Some((_, Token::Number(word) | Token::Text(word) | Token::Key(word))) => {
                Value::Plain(word)
            }
            Some((line, Token::Open)) if depth == DEPTH => {
                return Err(Fault::new(line, "lists are nested too deep"));
            }
            Some((_, Token::Open)) => Value::List(entries(tokens, Some((line, key)), depth + 1)?),
            Some((_, Token::Close)) => {
                let message = format!("expected a value after `{}`", shown(key));
                return Err(Fault::new(line, message));
            }
            None => {
                let message = format!("the file ends after `{}`, expected a value", shown(key));
                return Err(Fault::new(tokens.line, message));
            }
        };
        list.push(Entry { line, key, value });
    }
}

/// The content of the list of a node or an edge.
fn parts<'a, 'b>(list: &'b Entry<'a>) -> Result<&'b [Entry<'a>], Fault> {
    match &list.value {
        Value::List(parts) => Ok(parts),
        Value::Plain(_) => Err(Fault::new(
            list.line,
            format!("expected `[` after `{}`", list.key),
        )),
    }
}

/// The name of a node under `key`, as it is written, except for whole numbers.
fn name<'a>(list: &Entry<'a>, key: &str) -> Result<(usize, Cow<'a, str>), Fault> {
    let found = parts(list)?.iter().find(|entry| entry.key == key);
    match found {
        Some(Entry {
            line,
            value: Value::Plain(word),
            ..
        }) => Ok((
            *line,
            match word.parse::<i128>() {
                Ok(number) => Cow::Owned(number.to_string()),
                Err(_) => Cow::Borrowed(word),
            },
        )),
        Some(Entry { line, .. }) => {
            let message = format!("expected a number or a text after `{key}`");
            Err(Fault::new(*line, message))
        }
        None => Err(Fault::new(
            list.line,
            format!("this {} has no `{key}`", list.key),
        )),
    }
}

/// Reads a graph; see [`Format::Gml`](super::Format::Gml). O(length of the text).
pub(super) fn read<'a>(text: &'a str, rule: &'a LatencyRule) -> Result<ParsedLinks<'a>, Fault> {
    let top = entries(
        &mut Tokens {
            rest: text,
            line: 1,
        },
        None,
        0,
    )?;
    let mut graphs = top.iter().filter_map(|entry| match &entry.value {
        Value::List(parts) if entry.key == "graph" => Some(parts),
        _ => None,
    });
    let Some(graph) = graphs.next() else {
        return Err(Fault::new(last_line(text), "the file has no `graph [`"));
    };
    let mut found = ParsedLinks::new(rule, "latency");
    let more = graphs.count();
    if more > 0 {
        found.notes.push(format!(
            "the file has {} graphs; the first is read",
            more + 1
        ));
    }
    found.directed = graph.iter().any(|entry| {
        entry.key == "directed" && matches!(entry.value, Value::Plain(word) if word.trim() == "1")
    });
    for node in graph.iter().filter(|part| part.key == "node") {
        let (line, id) = name(node, "id")?;
        if found.new_host(id.clone()).is_none() {
            let message = format!("a second node with the id {}", shown(&id));
            return Err(Fault::new(line, message));
        }
    }
    for edge in graph.iter().filter(|part| part.key == "edge") {
        let end = |key| {
            let (line, id) = name(edge, key)?;
            let unknown = || Fault::new(line, format!("`{key}` {} is no node's id", shown(&id)));
            found.known(&id).ok_or_else(unknown)
        };
        let ends = (end("source")?, end("target")?);
        for part in parts(edge)? {
            if matches!(part.value, Value::List(_)) && found.is_latency(part.key) {
                let message = format!("expected a number after `{}`", part.key);
                return Err(Fault::new(part.line, message));
            }
        }
        let attributes = parts(edge)?.iter().filter_map(|part| match part.value {
            Value::Plain(word) if !matches!(part.key, "source" | "target" | "id") => {
                Some((part.line, part.key, word))
            }
            _ => None,
        });
        found.link(ends, attributes)?;
    }
    found.finish(last_line(text))
}

/// Whether the text is GML: it begins with keys and their values, one of them `graph [`.
pub(super) fn opens(text: &str) -> bool {
    let mut tokens = Tokens {
        rest: text,
        line: 1,
    };
    let (mut key, mut depth) = (None, 0);
    // The part before the graph is short: creator, version, a comment, a list of them.
    for _ in 0..1000 {
        match tokens.next() {
            Ok(Some((_, Token::Open))) if depth == 0 && key.is_none() => return false,
            Ok(Some((_, Token::Open))) if depth == 0 && key == Some("graph") => return true,
            Ok(Some((_, Token::Open))) => (depth, key) = (depth + 1, None),
            Ok(Some((_, Token::Close))) if depth > 0 => (depth, key) = (depth - 1, None),
            Ok(Some((_, Token::Key(word)))) if key.is_none() => key = Some(word),
            Ok(Some((_, Token::Key(_) | Token::Number(_) | Token::Text(_)))) if key.is_some() => {
                key = None;
            }
            _ => return false,
        }
    }
    false
}
