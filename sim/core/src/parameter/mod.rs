//! Parameters: key, kind, range, default and meaning.
//!
//! Each module declares its own parameters once, with [`parameters!`](crate::parameters) and
//! [`choices!`](crate::choices). This declaration gives the struct, its defaults, the reader with
//! its errors, the resolved scenario and the JSON Schema. This module does not depend on the format
//! of files: a [`ConfigError`] names a key, and the reader of the file adds its position.

mod declare;
mod named_file;
#[cfg(test)]
pub(crate) mod text;
mod tree;
mod value;

pub use named_file::{NamedFile, quoted, shown};
pub use tree::{Map, Value};
pub use value::{DistributionForm, ParameterValue, Range, ValueError, ValueKind};

use std::collections::BTreeMap;
use std::fmt;

/// The description of one key, for editors, the reader and errors.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The key in kebab-case, relative to its section.
    pub key: String,
    /// What kind of value it takes.
    pub kind: ValueKind,
    /// The range of numbers.
    pub range: Option<Range>,
    /// The default value; `None` if the key is optional.
    pub default: Option<Value>,
    /// Its meaning.
    pub doc: &'static str,
}

/// A table of the scenario file and its keys.
#[derive(Clone, Debug)]
pub struct Section {
    /// The dotted path of the table; empty for the top level.
    pub path: String,
    /// The subject of the table.
    pub doc: &'static str,
    /// Its keys.
    pub parameters: Vec<Parameter>,
}

impl Section {
    /// The section at `path` with the keys of `P`.
    pub fn of<P: Parameters>(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            doc: P::DOC,
            parameters: P::describe(),
        }
    }
}

/// A struct whose fields are keys of one table; implemented by [`parameters!`](crate::parameters).
pub trait Parameters: Sized {
    /// The subject of the table.
    const DOC: &'static str;

    /// The keys, in the order of the fields.
    fn describe() -> Vec<Parameter>;

    /// Reads the fields from `table`; an absent key has its default.
    ///
    /// # Errors
    /// A [`ConfigError`] for the first key with a wrong kind or outside its range.
    fn read(table: &Table<'_>) -> Result<Self, ConfigError>;

    /// The values in a file; absent optional keys are left out.
    fn write(&self) -> BTreeMap<String, Value>;

    /// As `write`, without those of `keys` that have their defaults: keys that were added later
    /// leave the identity of older scenarios as it was.
    fn write_without_defaults(&self, keys: &[&str]) -> BTreeMap<String, Value>
    where
        Self: Default,
    {
        let (mut values, defaults) = (self.write(), Self::default().write());
        values
            .retain(|key, value| !keys.contains(&key.as_str()) || defaults.get(key) != Some(value));
        values
    }

    /// These values as a table.
    fn table(&self) -> Value {
        Value::Table(self.write().into_iter().collect())
    }
}

/// An invalid value of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct ConfigError {
    /// The dotted path of the key.
    pub key: String,
    /// What was expected and what was found.
    pub message: String,
}

impl ConfigError {
    /// An error for `key`.
    pub fn new(key: impl Into<String>, message: impl fmt::Display) -> Self {
        Self {
            key: key.into(),
            message: message.to_string(),
        }
    }
}

/// A view of one table of a resolved scenario.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    path: String,
    values: Option<&'a Map>,
}

impl<'a> Table<'a> {
    /// The top level of a scenario.
    pub fn root(values: &'a Map) -> Self {
        Self {
            path: String::new(),
            values: Some(values),
        }
    }

    /// The table `name` in this one; empty if it is absent.
    ///
    /// # Errors
    /// A [`ConfigError`] if the value of the key is not a table.
    pub fn sub(&self, name: &str) -> Result<Table<'a>, ConfigError> {
        let path = self.path_of(name);
        match self.get(name) {
            None => Ok(Table { path, values: None }),
            Some(Value::Table(values)) => Ok(Table {
                path,
                values: Some(values),
            }),
            Some(other) => Err(ConfigError::new(
                path,
                format_args!("expected a table, found {}", value::found(other)),
            )),
        }
    }

    /// The same table with other values, as if they were in the file.
    pub fn with<'b>(&self, values: &'b Map) -> Table<'b> {
        Table {
            path: self.path.clone(),
            values: Some(values),
        }
    }

    /// Its values; `None` if the table is absent.
    pub fn values(&self) -> Option<&'a Map> {
        self.values
    }

    /// The value of `key`, if it is there.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.values.and_then(|values| values.get(key))
    }

    /// The dotted path of `key` in this table.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// The value of `key` as a `T`, or `default` where it is absent.
    ///
    /// # Errors
    /// A [`ConfigError`] if the value has another kind or is outside `range`.
    pub fn read<T: ParameterValue>(
        &self,
        key: &str,
        default: T,
        range: Option<Range>,
    ) -> Result<T, ConfigError> {
        let Some(value) = self.get(key) else {
            return Ok(default);
        };
        let kind = T::kind();
        let range = range.or_else(T::bounds);
        let parsed = T::from_value(value).map_err(|reason| match reason {
            Some(reason) => ConfigError::new(self.path_of(key), reason),
            None => self.refused(key, &kind, range),
        })?;
        match (range, parsed.magnitude()) {
            (Some(range), Some(number)) if !range.contains(number) => {
                Err(self.refused(key, &kind, Some(range)))
            }
            _ => Ok(parsed),
        }
    }

    /// The error of `key`, whose value is not of this kind or not in this range.
    pub fn refused(&self, key: &str, kind: &ValueKind, range: Option<Range>) -> ConfigError {
        let range = range.map(|r| format!(" {r}")).unwrap_or_default();
        let found = self.get(key).map_or("nothing".to_owned(), value::found);
        let message = format_args!("expected {kind}{range}, found {found}");
        ConfigError::new(self.path_of(key), message)
    }
}
