//! Changes to a scenario by the command line: `--set`, `--seed`, `--repetitions`, `--quick`.

use super::error::{KeyLocation, ScenarioError};
use super::source::Source;
use super::sweep::TABLES;
use dhtlab_core::parameter::ConfigError;
use dhtlab_core::parameter::Value;
use std::collections::BTreeSet;

/// Changes to a scenario by the command line.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--set key=value`: a key, swept or not, gets one value.
    pub set: Vec<String>,
    /// `--seed`.
    pub seed: Option<u64>,
    /// `--repetitions`.
    pub repetitions: Option<u32>,
    /// `--quick`: the keys under `[quick]` replace those of the same names.
    pub quick: bool,
}

/// Applies the command line to the values of the file; returns the keys under `[quick]`.
pub(super) fn apply(
    source: &mut Source,
    options: &Overrides,
) -> Result<Vec<String>, ScenarioError> {
    let quick = source.values.shift_remove("quick");
    let mut replaced = Vec::new();
    match &quick {
        None => {}
        Some(Value::Table(table)) => flatten("", table, &mut replaced),
        Some(_) => return Err(source.error(ConfigError::new("quick", "expected a table"))),
    }
    let mut seen = BTreeSet::new();
    if let Some((twice, _)) = replaced.iter().find(|(path, _)| !seen.insert(path)) {
        let key = format!("quick.{twice}");
        return Err(source.error(ConfigError::new(key, "the key has two values")));
    }
    let quick = replaced.iter().map(|(path, _)| path.clone()).collect();
    if options.quick {
        for (path, value) in replaced {
            let place = source.place(&format!("quick.{path}"));
            set(source, &path, value, place)?;
        }
    }
    for assignment in &options.set {
        let place = KeyLocation::Option(format!("--set {assignment}"));
        let parts = assignment.split_once('=');
        let Some((path, text)) = parts.filter(|(path, _)| !path.trim().is_empty()) else {
            let mut error = source.error(ConfigError::new("", "expected KEY=VALUE"));
            error.place = place;
            return Err(error);
        };
        let (path, text) = (path.trim(), text.trim());
        // Text that is not a TOML value is a string: --set overlay.protocol=chord needs no quotes.
        let value = crate::parse_toml(&format!("x = {text}"))
            .ok()
            .and_then(|mut table| table.shift_remove("x"))
            .unwrap_or_else(|| Value::String(text.to_owned()));
        set(source, path, value, place)?;
    }
    if let Some(seed) = options.seed {
        let place = KeyLocation::Option("--seed".to_owned());
        let Ok(value) = i64::try_from(seed) else {
            let message = format!("expected at most {}, found {seed}", i64::MAX);
            let error = source.error(ConfigError::new("seed", message));
            return Err(ScenarioError { place, ..error });
        };
        set(source, "seed", Value::Integer(value), place)?;
    }
    if let Some(repetitions) = options.repetitions {
        let place = KeyLocation::Option("--repetitions".to_owned());
        set(
            source,
            "repetitions",
            Value::Integer(repetitions.into()),
            place,
        )?;
    }
    Ok(quick)
}

/// Sets a key; removes it from the sweep.
fn set(
    source: &mut Source,
    path: &str,
    value: Value,
    place: KeyLocation,
) -> Result<(), ScenarioError> {
    match path.strip_prefix("sweep.") {
        Some(key) => {
            // A new sweep is written as one quoted key, whatever form the file uses.
            drop_from_sweep(&mut source.values, key, None);
            let sweep = source
                .values
                .entry("sweep".to_owned())
                .or_insert_with(|| Value::Table(dhtlab_core::parameter::Map::new()));
            if let Some(table) = sweep.as_table_mut() {
                table.insert(key.to_owned(), value);
            }
            source.sweep_moved(key, place);
            Ok(())
        }
        // A list for a key that is swept, and has no lists as values, is a new sweep.
        None if matches!(value, Value::Array(_)) && sweeps_scalars(&source.values, path) => {
            set(source, &format!("sweep.{path}"), value, place)
        }
        None => {
            drop_from_sweep(&mut source.values, path, Some(&value));
            source.set(path, value, place)
        }
    }
}

/// Whether the sweep has `key`, with values that are no lists.
fn sweeps_scalars(values: &dhtlab_core::parameter::Map, key: &str) -> bool {
    fn find<'a>(table: &'a dhtlab_core::parameter::Map, key: &str) -> Option<&'a Value> {
        let inner = |(first, inner): (&'a String, &'a Value)| {
            let rest = key.strip_prefix(first.as_str())?.strip_prefix('.')?;
            find(inner.as_table()?, rest)
        };
        table.get(key).or_else(|| table.iter().find_map(inner))
    }
    let sweep = values.get("sweep").and_then(Value::as_table);
    let swept = sweep.and_then(|sweep| find(sweep, key));
    let values = swept.and_then(Value::as_array);
    values.is_some_and(|values| values.iter().all(|value| value.as_array().is_none()))
}

/// Removes `key` from the sweep. If a compared system has this `value`, those with only other values
/// are removed.
fn drop_from_sweep(values: &mut dhtlab_core::parameter::Map, key: &str, value: Option<&Value>) {
    fn drop_from(table: &mut dhtlab_core::parameter::Map, key: &str) {
        table.shift_remove(key);
        for (first, inner) in table.iter_mut() {
            let rest = key
                .strip_prefix(first.as_str())
                .and_then(|rest| rest.strip_prefix('.'));
            if let (Some(rest), Value::Table(inner)) = (rest, inner) {
                drop_from(inner, rest);
            }
        }
        table.retain(|_, value| value.as_table().is_none_or(|table| !table.is_empty()));
    }
    let Some(sweep) = values.get_mut("sweep").and_then(Value::as_table_mut) else {
        return;
    };
    drop_from(sweep, key);
    let has = |system: &Value| {
        let own = system.as_table().and_then(|table| find(table, key))?;
        Some(match own {
            Value::Array(values) => values.iter().any(|own| Some(own) == value),
            own => Some(own) == value,
        })
    };
    if let Some(systems) = sweep.get_mut("compare").and_then(Value::as_array_mut)
        && systems.iter().any(|system| has(system) == Some(true))
    {
        systems.retain(|system| has(system) != Some(false));
    }
    for name in TABLES {
        if let Some(tables) = sweep.get_mut(name).and_then(Value::as_array_mut) {
            tables
                .iter_mut()
                .filter_map(Value::as_table_mut)
                .for_each(|table| drop_from(table, key));
            tables.retain(|table| table.as_table().is_none_or(|table| !table.is_empty()));
            if tables.is_empty() {
                sweep.shift_remove(name);
            }
        }
    }
}

/// The value of `key` in a table of a sweep, by its dotted path in any form.
fn find<'a>(table: &'a dhtlab_core::parameter::Map, key: &str) -> Option<&'a Value> {
    table.iter().find_map(|(first, value)| {
        let rest = key.strip_prefix(first.as_str())?;
        match (rest.strip_prefix('.'), value) {
            (Some(rest), Value::Table(inner)) => find(inner, rest),
            (None, value) if rest.is_empty() => Some(value),
            _ => None,
        }
    })
}

/// The keys of `table` by dotted path; a range is a value, not a table of keys.
fn flatten(path: &str, table: &dhtlab_core::parameter::Map, into: &mut Vec<(String, Value)>) {
    for (key, value) in table {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        match value {
            Value::Table(inner) if !inner.contains_key("from") => flatten(&path, inner, into),
            _ => into.push((path, value.clone())),
        }
    }
}
