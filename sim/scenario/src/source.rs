//! The content of a scenario file: its values, and the line of each key.

use super::error::{KeyLocation, ScenarioError};
use super::toml_value::map;
use dhtlab_core::parameter::ConfigError;
use dhtlab_core::parameter::{Map, Value};
use dhtlab_files::Links;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Maximum size of a scenario file in bytes.
const MOST: u64 = 1 << 24;

/// The values of a scenario file and their locations.
#[derive(Clone, Debug)]
pub struct Source {
    file: PathBuf,
    /// The values, nested as in the file.
    pub(super) values: Map,
    places: BTreeMap<String, KeyLocation>,
}

impl Source {
    /// Reads `file`.
    ///
    /// # Errors
    /// The file cannot be read or is not TOML.
    pub fn load(file: &Path) -> Result<Self, ScenarioError> {
        let text = Self::text(file).map_err(|error| {
            ScenarioError::of_file(file, format_args!("the file cannot be read: {error}"))
        })?;
        Self::parse(file, &text)
    }

    /// The text of the scenario file `file`.
    ///
    /// # Errors
    /// It cannot be read, is no regular file, or is too large to be a scenario.
    pub fn text(file: &Path) -> std::io::Result<String> {
        dhtlab_files::read_text(file, Links::Followed, MOST)
    }

    /// Parses `text`, the content of `file`.
    ///
    /// # Errors
    /// The text is not TOML.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ScenarioError> {
        let fault = |error: toml::de::Error| ScenarioError {
            place: error.span().map_or(KeyLocation::File, |span| {
                KeyLocation::Line(line(text, span.start))
            }),
            ..ScenarioError::of_file(file, format_args!("not valid TOML: {}", error.message()))
        };
        let tree = DeTable::parse(text).map_err(fault)?;
        let values = map(tree.get_ref());
        let mut places = BTreeMap::new();
        note_places(text, tree.get_ref(), "", &mut places);
        Ok(Self {
            file: file.to_owned(),
            values,
            places,
        })
    }

    /// The same values without their lines: the text was generated, and its user has not seen it.
    #[must_use]
    pub fn without_lines(mut self) -> Self {
        self.places.clear();
        self
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The folder of the file, to which paths in it are relative.
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// Sets the key with the dotted path `path`, by the command-line option `option`.
    ///
    /// # Errors
    /// A parent of the key is not a table.
    pub(super) fn set(
        &mut self,
        path: &str,
        value: Value,
        place: KeyLocation,
    ) -> Result<(), ScenarioError> {
        self.places.insert(path.to_owned(), place);
        insert(&mut self.values, path, value).map_err(|problem| self.error(problem))
    }

    /// The swept key `key` is now at `place`, and nowhere else.
    pub(super) fn sweep_moved(&mut self, key: &str, place: KeyLocation) {
        let zipped = format!("].{key}");
        self.places
            .retain(|path, _| !(path.starts_with("sweep.") && path.ends_with(&zipped)));
        self.places.insert(format!("sweep.{key}"), place);
    }

    /// Whether a command-line option set `key`.
    pub(super) fn is_from_option(&self, key: &str) -> bool {
        matches!(self.places.get(key), Some(KeyLocation::Option(_)))
    }

    /// Whether the file or the command line has `key`, in the sweep or outside of it.
    pub(super) fn has(&self, key: &str) -> bool {
        let is_swept = |path: &String| {
            path.strip_prefix("sweep.")
                .and_then(|path| path.strip_suffix(key))
                .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        self.places.contains_key(key) || self.places.keys().any(is_swept)
    }

    /// The location of `key`, or of its nearest parent table.
    pub(super) fn place(&self, key: &str) -> KeyLocation {
        let mut path = key;
        loop {
            if let Some(place) = self.places.get(path) {
                return place.clone();
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return KeyLocation::File,
            }
        }
    }

    /// Adds the location of its key to an error.
    pub(super) fn error(&self, problem: ConfigError) -> ScenarioError {
        ScenarioError {
            file: self.file.clone(),
            place: self.place(&problem.key),
            key: problem.key,
            message: problem.message,
            others: Vec::new(),
        }
    }
}

/// Sets the value at the dotted path `path`, creating its parent tables.
pub(super) fn insert(values: &mut Map, path: &str, value: Value) -> Result<(), ConfigError> {
    let Some((first, rest)) = path.split_once('.') else {
        values.insert(path.to_owned(), value);
        return Ok(());
    };
    let inner = values
        .entry(first.to_owned())
        .or_insert_with(|| Value::Table(Map::new()))
        .as_table_mut()
        .ok_or_else(|| ConfigError::new(first, "expected a table"))?;
    insert(inner, rest, value).map_err(|problem| ConfigError {
        key: format!("{first}.{}", problem.key),
        ..problem
    })
}

/// The value at the dotted path `path`.
pub(super) fn lookup<'a>(values: &'a Map, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => values.get(path),
        Some((first, rest)) => lookup(values.get(first)?.as_table()?, rest),
    }
}

/// The line that contains byte `at` of `text`.
fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    1 + before.filter(|byte| **byte == b'\n').count()
}

fn note_places(
    text: &str,
    table: &DeTable<'_>,
    path: &str,
    places: &mut BTreeMap<String, KeyLocation>,
) {
    for (key, value) in table {
        let place = KeyLocation::Line(line(text, key.span().start));
        let inside = |name: &str| match path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        let name = key.get_ref();
        if name.contains('.') {
            // A name with dots has a place of its own beside the path that it looks like.
            places.insert(inside(&format!("{name:?}")), place.clone());
        }
        let path = inside(name);
        places.entry(path.clone()).or_insert(place);
        note_value(text, value, &path, places);
    }
}

fn note_value(
    text: &str,
    value: &Spanned<DeValue<'_>>,
    path: &str,
    places: &mut BTreeMap<String, KeyLocation>,
) {
    match value.get_ref() {
        DeValue::Table(table) => note_places(text, table, path, places),
        DeValue::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                let path = format!("{path}[{i}]");
                places.insert(
                    path.clone(),
                    KeyLocation::Line(line(text, item.span().start)),
                );
                note_value(text, item, &path, places);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_know_their_lines() {
        let text =
            "a = 1\n\n[b]\nc = 2\n[b.d]\n\"e.f\" = [\n  1,\n  2]\n[[g]]\nh = 1\n[[g]]\nh = 2\n";
        let source = Source::parse(Path::new("x.toml"), text).expect("valid");
        for (key, line) in [
            ("a", 1),
            ("b.c", 4),
            ("b.d.e.f", 6),
            ("b.d.e.f[1]", 8),
            ("b.d.absent", 5),
            ("g[1].h", 12),
        ] {
            assert_eq!(source.place(key), KeyLocation::Line(line), "{key}");
        }
        let error = Source::parse(Path::new("x.toml"), "a = 1\nb = = 2\n").expect_err("not TOML");
        assert!(
            error.to_string().starts_with("x.toml:2: not valid TOML"),
            "{error}"
        );
    }
}
