//! Known keys, and suggestions for unknown ones.

use super::Protocol;
use super::error::ScenarioError;
use super::source::Source;
use dhtlab_core::parameter::Value;
use dhtlab_core::parameter::{ConfigError, Section, ValueKind};
use dhtlab_format::nearest::{distance, nearest};
use std::collections::BTreeSet;

/// Tables that belong to the scenario frame, not to an experiment.
pub(super) const FRAME: [&str; 3] = ["sweep", "figure", "quick"];

/// Whether `path` is a key of one of `sections`, or lies within a key's value.
pub(super) fn is_known(path: &str, sections: &[Section]) -> bool {
    sections.iter().any(|section| {
        let inner = match section.path.as_str() {
            "" => Some(path),
            table => path
                .strip_prefix(table)
                .and_then(|rest| rest.strip_prefix('.')),
        };
        inner.is_some_and(|inner| {
            section
                .parameters
                .iter()
                .any(|parameter| match &parameter.kind {
                    // A value of custom form may be a table; its parser checks its keys.
                    ValueKind::Distribution(..) | ValueKind::Tables(_) | ValueKind::Other(_) => {
                        let rest = inner.strip_prefix(parameter.key.as_str());
                        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                    }
                    _ => parameter.key == inner,
                })
        })
    })
}

/// The present path of a key that had another one.
fn moved(path: &str) -> Option<&'static str> {
    let protocol = path.strip_prefix("overlay.")?.strip_suffix(".timeout")?;
    let is_protocol = Protocol::ALL.iter().any(|each| each.as_str() == protocol);
    is_protocol.then_some("transport.timeout")
}

pub(super) fn unknown(path: &str, sections: &[Section]) -> ConfigError {
    if let Some(now) = moved(path) {
        return ConfigError::new(path, format_args!("this key is now `{now}`"));
    }
    let message = match suggestion(path, sections) {
        Some(name) => format!("unknown key; did you mean `{name}`?"),
        None => "unknown key; `dhtlab schema` lists all keys".to_owned(),
    };
    ConfigError::new(path, message)
}

/// The key probably meant by `path`: a key of its table or of the nearest table, or that table
/// itself; otherwise a key of this name in another table, or the nearest whole path.
fn suggestion(path: &str, sections: &[Section]) -> Option<String> {
    let keys = known_keys(sections);
    let tables = known_tables(sections);
    let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
    let is_table = table.is_empty() || tables.contains(table);
    let table = match is_table {
        true => Some(table),
        false => nearest(table, tables.iter().map(String::as_str)),
    };
    // Names directly in the table: its keys and its tables.
    let inside = table.and_then(|table| {
        let all = keys.iter().chain(&tables);
        let named = all.filter_map(|path| {
            let (of, name) = path.rsplit_once('.').unwrap_or(("", path));
            (of == table).then_some(name)
        });
        let begins_so = |name: &&str| {
            let rest = name.strip_prefix(key);
            rest.is_some_and(|rest| rest.starts_with('-') || rest.len() == 1)
        };
        let found = nearest(key, named.clone()).or_else(|| named.clone().find(begins_so));
        found.map(|name| joined(table, name))
    });
    if inside.is_some() {
        return inside;
    }
    if !is_table && table.is_some() {
        return table.map(str::to_owned);
    }
    let last = |path: &&str| path.rsplit('.').next() == Some(key);
    let all = || keys.iter().map(String::as_str);
    let distance = |name: &&str| distance(path, name);
    let same_name = all().filter(last).min_by_key(distance);
    // The keys of its own table were compared by name above.
    let of_other = |name: &&str| {
        let (of, _) = name.rsplit_once('.').unwrap_or(("", name));
        Some(of) != table
    };
    let elsewhere = same_name.or_else(|| nearest(path, all().filter(of_other)));
    elsewhere.map(str::to_owned)
}

fn joined(table: &str, name: &str) -> String {
    match table {
        "" => name.to_owned(),
        table => format!("{table}.{name}"),
    }
}

/// The dotted paths of all keys.
fn known_keys(sections: &[Section]) -> BTreeSet<String> {
    let keys = sections.iter().flat_map(|section| {
        let keys = section.parameters.iter();
        keys.map(|parameter| joined(&section.path, &parameter.key))
    });
    keys.collect()
}

/// The dotted paths of all tables, parents included.
fn known_tables(sections: &[Section]) -> BTreeSet<String> {
    let mut tables: BTreeSet<String> = FRAME.iter().map(|name| (*name).to_owned()).collect();
    for section in sections.iter().filter(|section| !section.path.is_empty()) {
        let ends = section.path.match_indices('.').map(|(end, _)| end);
        tables.extend(ends.map(|end| section.path[..end].to_owned()));
        tables.insert(section.path.clone());
    }
    tables
}

pub(super) fn refuse_unknown(source: &Source, sections: &[Section]) -> Result<(), ScenarioError> {
    for (key, value) in &source.values {
        if !FRAME.contains(&key.as_str()) {
            expect_known("", key, value, sections).map_err(|problem| source.error(problem))?;
        }
    }
    Ok(())
}

/// The error for a name with dots: no key is called so.
fn dotted(table: &str, name: &str, sections: &[Section]) -> ConfigError {
    let path = joined(table, name);
    let is_frame = FRAME
        .iter()
        .any(|frame| name.starts_with(&format!("{frame}.")));
    let is_meant = is_known(&path, sections)
        || known_tables(sections).contains(&path)
        || table.is_empty() && is_frame;
    let key = joined(table, &format!("{name:?}"));
    match is_meant {
        true => {
            let message = format!("unknown key; write it without quotes: `{path}`");
            ConfigError::new(key, message)
        }
        false => ConfigError {
            key,
            ..unknown(&path, sections)
        },
    }
}

/// Refuses the key or table `name` of `table` if it is unknown.
fn expect_known(
    table: &str,
    name: &str,
    value: &Value,
    sections: &[Section],
) -> Result<(), ConfigError> {
    // Its path would be that of a key in another table.
    if name.contains('.') {
        return Err(dotted(table, name, sections));
    }
    let path = &*joined(table, name);
    if is_known(path, sections) {
        return Ok(());
    }
    let is_around = |section: &Section| {
        let rest = section.path.strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let is_section = sections.iter().any(is_around);
    match value {
        Value::Table(table) if is_section || !table.is_empty() => table
            .iter()
            .try_for_each(|(key, value)| expect_known(path, key, value, sections)),
        _ if is_section => Err(ConfigError::new(
            path,
            format_args!("expected a table, found {value}"),
        )),
        _ => Err(unknown(path, sections)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::sections;
    use super::*;
    use crate::plain_network::{KINDS, PlainNetwork};
    use crate::{Overrides, Scenario};
    use std::path::Path;

    fn read(text: &str) -> Result<Scenario, ScenarioError> {
        let text = format!("experiment = \"network\"\n{text}");
        let source = Source::parse(Path::new("x.toml"), &text)?;
        Scenario::read(source, &Overrides::default(), KINDS)
    }

    /// A name in quotes with dots is one name, which no key has.
    #[test]
    fn names_with_dots_are_unknown() {
        let without = "unknown key; write it without quotes";
        for (text, told) in [
            (
                "\"overlay.nodes\" = 3\n",
                format!("x.toml:2: \"overlay.nodes\": {without}: `overlay.nodes`"),
            ),
            (
                "[overlay]\nnodes = 4\n\"chord.join-timeout\" = \"3 s\"\n",
                format!(
                    "x.toml:4: overlay.\"chord.join-timeout\": {without}: `overlay.chord.join-timeout`"
                ),
            ),
            // The place is that of the name in quotes, not of the key.
            (
                "[overlay]\nchord.join-timeout = \"3 s\"\n\"chord.join-timeout\" = \"3 s\"\n",
                format!(
                    "x.toml:4: overlay.\"chord.join-timeout\": {without}: `overlay.chord.join-timeout`"
                ),
            ),
            (
                "\"overlay.chord\" = { timeout = \"3 s\" }\n",
                format!("x.toml:2: \"overlay.chord\": {without}: `overlay.chord`"),
            ),
            (
                "\"underlay.link-latency.mean\" = \"3 s\"\n",
                format!(
                    "x.toml:2: \"underlay.link-latency.mean\": {without}: \
                     `underlay.link-latency.mean`"
                ),
            ),
            (
                "\"sweep.overlay.nodes\" = [3, 4]\n",
                format!("x.toml:2: \"sweep.overlay.nodes\": {without}: `sweep.overlay.nodes`"),
            ),
            (
                "\"overlay.nods\" = 3\n",
                "x.toml:2: \"overlay.nods\": unknown key; did you mean `overlay.nodes`?".to_owned(),
            ),
        ] {
            let error = read(text).err().expect(text);
            assert_eq!(error.to_string(), told, "{text}");
        }
    }

    /// Under `[sweep]` and `[quick]` a name with dots is a path.
    #[test]
    fn paths_in_quotes_are_those_without() {
        let nodes = "\"overlay.nodes\" = ";
        for text in [
            format!("[sweep]\n{nodes}[8, 9]\noverlay.\"chord.join-timeout\" = [\"3 s\"]\n"),
            format!("[[sweep.zip]]\n{nodes}[8, 9]\n"),
            format!("[quick]\n{nodes}8\nsweep.\"overlay.chord.join-timeout\" = [\"3 s\"]\n"),
        ] {
            assert!(read(&text).is_ok(), "{text}");
        }
        for (text, key) in [
            (format!("{nodes}5\noverlay.nodes = 6\n"), "overlay.nodes"),
            (format!("overlay.nodes = 5\n{nodes}5\n"), "overlay.nodes"),
            (
                format!("sweep.overlay.nodes = [5]\nsweep.{nodes}[6]\n"),
                "sweep.overlay.nodes",
            ),
        ] {
            let error = read(&format!("[quick]\n{text}")).err().expect(&text);
            let told = format!("x.toml:3: quick.{key}: the key has two values");
            assert_eq!(error.to_string(), told, "{text}");
        }
    }

    #[test]
    fn what_was_meant_is_found_by_table_and_by_path() {
        let sections = sections(&PlainNetwork);
        for (unknown, meant) in [
            // A key of its table.
            ("overlay.node", "overlay.nodes"),
            ("workload.lokups", "workload.lookups"),
            ("sede", "seed"),
            ("overlay.chord.sucessors", "overlay.chord.successors"),
            // A table: with a key in it that exists, and with one that does not.
            ("unterlay.nodes", "underlay.nodes"),
            ("unterlay.k", "underlay"),
            ("unterlay.x", "underlay"),
            ("unterlay", "underlay"),
            ("unterlay.waxmann.alpha", "underlay.waxman.alpha"),
            ("overlay.chrod", "overlay.chord"),
            ("overlay.chrod.sucessors", "overlay.chord.successors"),
            ("figre", "figure"),
            // The right name in another table.
            ("overlay.successors", "overlay.chord.successors"),
            ("successors", "overlay.chord.successors"),
            // The whole path.
            ("overlay.chord-successors", "overlay.chord.successors"),
        ] {
            let found = suggestion(unknown, &sections);
            assert_eq!(found.as_deref(), Some(meant), "{unknown}");
        }
        for unknown in [
            "entirely.different",
            "x",
            "as-coded.rounds",
            "overlay.chord.from",
        ] {
            assert_eq!(suggestion(unknown, &sections), None, "{unknown}");
        }
    }

    /// A transposition of two letters in the table or in the name of any key suggests that key.
    #[test]
    fn a_slip_in_a_table_or_in_a_key_is_understood() {
        let slip = |word: &str| {
            let mut letters: Vec<char> = word.chars().collect();
            let end = letters.len().saturating_sub(1);
            let place = (1..end).find(|i| letters[*i] != letters[i + 1])?;
            letters.swap(place, place + 1);
            Some(letters.into_iter().collect::<String>())
        };
        let mut slips = 0;
        for kind in KINDS {
            let sections = sections(*kind);
            let (keys, tables) = (known_keys(&sections), known_tables(&sections));
            for path in &keys {
                let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
                let of_key = slip(key).map(|key| joined(table, &key));
                let of_table = slip(table).map(|table| joined(&table, key));
                for unknown in [of_key, of_table].into_iter().flatten() {
                    let is_path = keys.contains(&unknown) || tables.contains(&unknown);
                    if unknown.len() > 4 && !is_path {
                        assert_eq!(
                            suggestion(&unknown, &sections).as_ref(),
                            Some(path),
                            "{unknown}"
                        );
                        slips += 1;
                    }
                }
            }
        }
        assert!(slips > 150, "{slips}");
    }
}
