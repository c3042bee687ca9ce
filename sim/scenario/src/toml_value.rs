//! Conversion between TOML and the values of keys.

use dhtlab_core::parameter::{Map, Value};

/// Parses a TOML text.
///
/// # Errors
/// The text is not TOML.
pub fn parse_toml(text: &str) -> Result<Map, toml::de::Error> {
    text.parse().map(map)
}

fn map(table: toml::Table) -> Map {
    let entries = table.into_iter();
    entries.map(|(key, value)| (key, own(value))).collect()
}

fn own(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::Integer(number),
        toml::Value::Float(number) => Value::Float(number),
        toml::Value::Boolean(is_true) => Value::Boolean(is_true),
        toml::Value::Datetime(time) => Value::Datetime(time.to_string()),
        toml::Value::Array(values) => Value::Array(values.into_iter().map(own).collect()),
        toml::Value::Table(table) => Value::Table(map(table)),
    }
}

/// Converts a value to TOML.
pub(crate) fn to_toml(value: &Value) -> toml::Value {
    match value {
        Value::String(text) | Value::Datetime(text) => toml::Value::String(text.clone()),
        Value::Integer(number) => toml::Value::Integer(*number),
        Value::Float(number) => toml::Value::Float(*number),
        Value::Boolean(is_true) => toml::Value::Boolean(*is_true),
        Value::Array(values) => toml::Value::Array(values.iter().map(to_toml).collect()),
        Value::Table(table) => {
            let entries = table.iter();
            toml::Value::Table(
                entries
                    .map(|(key, value)| (key.clone(), to_toml(value)))
                    .collect(),
            )
        }
    }
}
