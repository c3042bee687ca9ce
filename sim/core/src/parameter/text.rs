//! Values for tests, from lines like those of a scenario file: `[table]`, `key = value`.

use super::tree::{Map, Value};

/// The values in `text`: tables, dotted keys, strings without escapes, numbers, lists and inline tables.
pub(crate) fn parse(text: &str) -> Map {
    let (mut values, mut path) = (Map::new(), String::new());
    for line in text.lines().map(str::trim) {
        if let Some(table) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            path = format!("{}.", table.trim());
        } else if !line.is_empty() && !line.starts_with('#') {
            let (key, value) = line.split_once('=').expect("key = value");
            let mut rest = value.trim();
            let value = read(&mut rest);
            insert(&mut values, &format!("{path}{}", key.trim()), value);
        }
    }
    values
}

fn insert(values: &mut Map, path: &str, value: Value) {
    match path.split_once('.') {
        None => drop(values.insert(path.trim_matches(['"', '\'']).to_owned(), value)),
        Some((first, rest)) => {
            let inner = values
                .entry(first.to_owned())
                .or_insert_with(|| Value::Table(Map::new()));
            insert(inner.as_table_mut().expect("a table"), rest, value);
        }
    }
}

/// Reads a value from the beginning of `rest`.
fn read(rest: &mut &str) -> Value {
    let text = rest.trim_start();
    let first = text.chars().next().expect("a value");
    match first {
        '"' | '\'' => {
            let (inside, after) = text[1..].split_once(first).expect("a closing quote");
            *rest = after;
            inside.into()
        }
        '[' => {
            *rest = &text[1..];
            let mut items = Vec::new();
            while !ends(rest, ']') {
                items.push(read(rest));
            }
            Value::Array(items)
        }
        '{' => {
            *rest = &text[1..];
            let mut table = Map::new();
            while !ends(rest, '}') {
                let (key, after) = rest.split_once('=').expect("key = value");
                *rest = after;
                let value = read(rest);
                insert(&mut table, key.trim(), value);
            }
            Value::Table(table)
        }
        _ => {
            let end = text.find([',', ']', '}', '#']).unwrap_or(text.len());
            let (word, after) = text.split_at(end);
            *rest = after;
            let word = word.trim().replace('_', "");
            let integer = || word.parse().map(Value::Integer).ok();
            let float = || word.parse().map(Value::Float).ok();
            let boolean = || word.parse().map(Value::Boolean).ok();
            integer().or_else(boolean).or_else(float).expect("a value")
        }
    }
}

/// Whether `rest` continues with `end`, which is removed, as is a comma before the next item.
fn ends(rest: &mut &str, end: char) -> bool {
    *rest = rest.trim_start_matches([' ', ',']);
    match rest.strip_prefix(end) {
        Some(after) => {
            *rest = after;
            true
        }
        None => false,
    }
}
