//! Which keys there are, and what is said of those that there are not.

use super::error::{ScenarioError, nearest};
use super::source::Source;
use crate::parameter::{Kind, Problem, Section};
use toml::Value;

/// Tables that belong to no experiment.
pub(super) const FRAME: [&str; 3] = ["sweep", "figure", "quick"];

/// Whether `path` is a key of one of `sections`, or lies within the value of one.
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
                    // A value with a form of its own may be a table; its reader knows its keys.
                    Kind::Other(_) => {
                        let rest = inner.strip_prefix(parameter.key.as_str());
                        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                    }
                    _ => parameter.key == inner,
                })
        })
    })
}

pub(super) fn unknown(path: &str, sections: &[Section]) -> Problem {
    let frame = FRAME.iter().map(|name| (*name).to_owned());
    let known: Vec<String> = sections
        .iter()
        .flat_map(|section| {
            let prefix = match section.path.as_str() {
                "" => String::new(),
                table => format!("{table}."),
            };
            section
                .parameters
                .iter()
                .map(move |p| format!("{prefix}{}", p.key))
        })
        .chain(frame)
        .collect();
    let message = match nearest(path, known.iter().map(String::as_str)) {
        Some(name) => format!("unknown key; did you mean `{name}`?"),
        None => "unknown key; `dhtlab schema` tells all keys".to_owned(),
    };
    Problem::new(path, message)
}

pub(super) fn refuse_unknown(source: &Source, sections: &[Section]) -> Result<(), ScenarioError> {
    for (key, value) in &source.values {
        if !FRAME.contains(&key.as_str()) {
            expect_known(key, value, sections).map_err(|problem| source.error(problem))?;
        }
    }
    Ok(())
}

/// Refuses what stands at `path` if it is neither a key nor a table of keys.
fn expect_known(path: &str, value: &Value, sections: &[Section]) -> Result<(), Problem> {
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
            .try_for_each(|(key, value)| expect_known(&format!("{path}.{key}"), value, sections)),
        _ if is_section => Err(Problem::new(
            path,
            format_args!("expected a table, found {value}"),
        )),
        _ => Err(unknown(path, sections)),
    }
}
