//! `dhtlab explain`: what a key of a scenario file or a column of a result file means.

use super::columns::{STATISTICS, filled};
use crate::Failure;
use crate::Kinds;
use crate::store::RUN;
use dhtlab_format::nearest::nearest;
use dhtlab_scenario::{Column, schema};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A key or column, with the experiments that have it.
struct IndexEntry {
    /// What it is, in words: "key", or the file of a column.
    what: String,
    /// Type, range, default or unit.
    facts: Vec<String>,
    doc: String,
    experiments: Vec<&'static str>,
}

/// All keys and columns by name. A name has several entries if experiments differ in it.
type Index = BTreeMap<String, Vec<IndexEntry>>;

/// The explanations of `names`.
///
/// # Errors
/// The first name that is no key, table or column, with the nearest one.
pub fn names(kinds: Kinds, names: &[String]) -> Result<String, Failure> {
    let index = index(kinds);
    let mut text = String::new();
    for name in names {
        if !text.is_empty() {
            text.push('\n');
        }
        add(&mut text, &index, kinds, name)?;
    }
    Ok(text)
}

/// The page of the manual with all keys, a section for each table.
pub(super) fn keys(kinds: Kinds) -> String {
    let mut text = "\
# Keys

The keys of scenario files by table, each with its type, range and default. `dhtlab explain KEY` prints one,
`dhtlab schema` all of them as a JSON Schema for editors. Output of `dhtlab schema --keys`.
"
    .to_owned();
    let index = index_of_keys(kinds);
    let tables = index
        .iter()
        .filter(|(_, entries)| entries[0].what == "table");
    let tables = tables.map(|(path, entries)| (path.as_str(), &entries[0]));
    let top = IndexEntry {
        what: String::new(),
        facts: Vec::new(),
        doc: "Keys at the head of a scenario.".to_owned(),
        experiments: kinds.iter().map(|kind| kind.name()).collect(),
    };
    for (table, entry) in std::iter::once(("", &top)).chain(tables) {
        let inside = |path: &str| match table {
            "" => Some(path.to_owned()),
            table => Some(path.strip_prefix(table)?.strip_prefix('.')?.to_owned()),
        };
        let own = index.iter().filter_map(|(path, entries)| {
            let name = inside(path).filter(|name| !name.contains('.'))?;
            (entries[0].what == "key").then_some((name, &entries[0]))
        });
        let own: Vec<(String, &IndexEntry)> = own.collect();
        if own.is_empty() {
            continue;
        }
        let heading = match table {
            "" => "## Head".to_owned(),
            table => format!("## {table}"),
        };
        let _ = write!(text, "\n{heading}\n\n{}\n", entry.doc);
        if entry.experiments.len() < kinds.len() {
            let experiments = entry.experiments.join("`, `");
            let _ = write!(text, "\nExperiments: `{experiments}`.\n");
        }
        text.push('\n');
        for (name, key) in own {
            let facts = key.facts.join("; ");
            let line = format!("* `{name}` ({facts}): {}", key.doc);
            text.push_str(&filled(&line, "", "  "));
        }
    }
    text
}

fn index(kinds: Kinds) -> Index {
    let mut index = index_of_keys(kinds);
    for kind in kinds {
        let entry = IndexEntry {
            what: "experiment".to_owned(),
            facts: Vec::new(),
            doc: kind.doc().to_owned(),
            experiments: Vec::new(),
        };
        insert(&mut index, kind.name(), entry, kind.name());
        for table in kind.tables() {
            let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
            let entry = IndexEntry {
                what: format!("table {}.csv", table.name),
                facts: Vec::new(),
                doc: format!("Columns: {}.", names.join(", ")),
                experiments: Vec::new(),
            };
            insert(&mut index, table.name, entry, kind.name());
        }
        let tables = kind
            .tables()
            .iter()
            .map(|table| (table.name, table.columns));
        let runs = ("runs", kind.metrics());
        for (table, columns) in std::iter::once(runs).chain(tables) {
            add_columns(&mut index, kind.name(), &format!("{table}.csv"), columns);
        }
        add_columns(&mut index, kind.name(), "runs.csv", RUN);
        add_columns(&mut index, kind.name(), "summary.csv", STATISTICS);
    }
    index
}

/// The keys of all kinds, one entry for each.
fn index_of_keys(kinds: Kinds) -> Index {
    let mut index = Index::new();
    each_key("", &schema(kinds), &mut |path, property| {
        let what = match is_table(property) {
            true => "table",
            false => "key",
        };
        let entry = IndexEntry {
            what: what.to_owned(),
            facts: facts_of(property),
            doc: property["description"]
                .as_str()
                .unwrap_or_default()
                .trim()
                .split('\n')
                .map(str::trim)
                .collect::<Vec<_>>()
                .join(" "),
            experiments: Vec::new(),
        };
        index.insert(path.to_owned(), vec![entry]);
    });
    for kind in kinds {
        each_key("", &schema(&[*kind]), &mut |path, _| {
            if let Some(entries) = index.get_mut(path) {
                entries[0].experiments.push(kind.name());
            }
        });
    }
    index
}

/// Whether a property is a table of keys, or a list of such.
fn is_table(property: &Value) -> bool {
    property["properties"].is_object() || property["items"]["properties"].is_object()
}

fn each_key(table: &str, object: &Value, see: &mut dyn FnMut(&str, &Value)) {
    let properties = object["properties"].as_object().into_iter().flatten();
    for (name, property) in properties {
        let path = match table {
            "" => name.clone(),
            table => format!("{table}.{name}"),
        };
        see(&path, property);
        each_key(&path, property, see);
        each_key(&path, &property["items"], see);
    }
}

/// Type, range and default of a key, from its JSON Schema.
fn facts_of(property: &Value) -> Vec<String> {
    let mut facts = Vec::new();
    if is_table(property) {
        return facts;
    }
    let kind = type_of(property);
    let bound = |name: &str, words: &str| {
        let bound = property[name].as_f64()?;
        Some(format!("{words} {bound}"))
    };
    let range = [
        bound("minimum", "at least"),
        bound("exclusiveMinimum", "above"),
        bound("maximum", "at most"),
    ];
    facts.extend(kind.into_iter().chain(range.into_iter().flatten()));
    match &property["default"] {
        Value::Null => facts.push("no default".to_owned()),
        default => facts.push(format!("default {}", word(default))),
    }
    facts
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{text}\""),
        other => other.to_string(),
    }
}

/// The type of a key in words.
fn type_of(property: &Value) -> Option<String> {
    let listed = |values: &mut dyn Iterator<Item = &Value>| {
        let words: Vec<String> = values.map(word).collect();
        format!("one of {}", words.join(", "))
    };
    if let Some(words) = property["$comment"].as_str() {
        return Some(words.to_owned());
    }
    if let Some(words) = property["enum"].as_array() {
        return Some(listed(&mut words.iter()));
    }
    for several in ["oneOf", "anyOf"] {
        let Some(parts) = property[several].as_array() else {
            continue;
        };
        let some = parts.iter().filter(|part| part["type"] != "null");
        let some: Vec<&Value> = some.collect();
        return match some.as_slice() {
            [one] => type_of(one),
            all if all.iter().all(|part| part["const"].is_string()) => {
                Some(listed(&mut all.iter().map(|part| &part["const"])))
            }
            all => {
                let mut words: Vec<String> = Vec::new();
                for word in all.iter().filter_map(|part| type_of(part)) {
                    if !words.contains(&word) {
                        words.push(word);
                    }
                }
                Some(words.join(" or "))
            }
        };
    }
    let pattern = property["pattern"].as_str().unwrap_or_default();
    if pattern.contains("ns|us") {
        return Some("a duration with its unit, such as \"30 s\"".to_owned());
    }
    let kind = match &property["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null")?,
        kind => kind,
    };
    let name = match kind.as_str()? {
        "array" => {
            let items = type_of(&property["items"])?;
            return Some(match items.as_str() {
                "a table" => "a list of tables".to_owned(),
                items => format!("a list of values: {items}"),
            });
        }
        "object" => "a table",
        "integer" => "an integer",
        "boolean" => "true or false",
        "number" => "a number",
        "string" => "a text",
        other => other,
    };
    Some(name.to_owned())
}

fn add_columns(
    index: &mut Index,
    experiment: &'static str,
    file: &str,
    columns: &'static [Column],
) {
    for column in columns {
        let facts = match column.unit {
            "" => Vec::new(),
            "signed" => vec!["also below 0".to_owned()],
            "fraction" => vec!["fraction, from 0 to 1".to_owned()],
            unit => vec![unit.to_owned()],
        };
        let entry = IndexEntry {
            what: format!("column of {file}"),
            facts,
            doc: column.doc.to_owned(),
            experiments: Vec::new(),
        };
        insert(index, column.name, entry, experiment);
    }
}

fn insert(index: &mut Index, name: &str, entry: IndexEntry, experiment: &'static str) {
    let entries = index.entry(name.to_owned()).or_default();
    let same = entries.iter().position(|other| {
        (&other.what, &other.facts, &other.doc) == (&entry.what, &entry.facts, &entry.doc)
    });
    let place = same.unwrap_or_else(|| {
        entries.push(entry);
        entries.len() - 1
    });
    let experiments = &mut entries[place].experiments;
    if !experiments.contains(&experiment) {
        experiments.push(experiment);
    }
}

/// Adds what is known of `name`: of the key, table or column that it is, or of all keys that end so.
fn add(text: &mut String, index: &Index, kinds: Kinds, name: &str) -> Result<(), Failure> {
    let name = name.strip_suffix(".csv").unwrap_or(name);
    if let Some(entries) = index.get(name) {
        for entry in entries {
            add_entry(text, name, entry, kinds);
        }
        let inside = format!("{name}.");
        for (path, entries) in index.range(inside.clone()..) {
            let Some(rest) = path.strip_prefix(&inside) else {
                break;
            };
            if !rest.contains('.') {
                let facts = entries[0].facts.join(", ");
                let first = format!("  {path}: ");
                let doc = &entries[0].doc;
                let about = match facts.as_str() {
                    "" => doc.clone(),
                    facts => format!("{doc} ({facts})"),
                };
                text.push_str(&filled(&about, &first, "      "));
            }
        }
        return Ok(());
    }
    let ending = format!(".{name}");
    let ends: Vec<&String> = index
        .keys()
        .filter(|path| path.ends_with(&ending))
        .collect();
    if !ends.is_empty() {
        return ends
            .into_iter()
            .try_for_each(|path| add(text, index, kinds, path));
    }
    let last = |path: &String| path.rsplit('.').next().unwrap_or(path).to_owned();
    let paths = index.keys().map(String::as_str);
    let near = nearest(name, paths).map(str::to_owned).or_else(|| {
        let lasts: Vec<String> = index.keys().map(last).collect();
        let near = nearest(name, lasts.iter().map(String::as_str))?;
        index.keys().find(|path| last(path) == near).cloned()
    });
    Err(Failure::Input(match near {
        Some(near) => format!("{name}: no key or column has this name; did you mean `{near}`?"),
        None => format!(
            "{name}: no key or column has this name; `dhtlab schema` lists all keys, `dhtlab schema \
             --columns` all columns"
        ),
    }))
}

fn add_entry(text: &mut String, name: &str, entry: &IndexEntry, kinds: Kinds) {
    let _ = writeln!(text, "{name}: {}", entry.what);
    text.push_str(&filled(&entry.doc, "  ", "  "));
    if !entry.facts.is_empty() {
        text.push_str(&filled(&entry.facts.join("; "), "  ", "    "));
    }
    let experiments = match entry.experiments.len() {
        count if count == kinds.len() => "all".to_owned(),
        _ => entry.experiments.join(", "),
    };
    text.push_str(&filled(&experiments, "  experiments: ", "    "));
}
