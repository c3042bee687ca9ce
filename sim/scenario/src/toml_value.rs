//! Conversion between TOML and the values of keys.

use dhtlab_core::parameter::{Map, Value};
use toml::de::{DeTable, DeValue};

/// Parses a TOML text. An integer beyond 64 bits becomes a text: the key that has it says what it
/// expects.
///
/// # Errors
/// The text is not TOML.
pub fn parse_toml(text: &str) -> Result<Map, toml::de::Error> {
    Ok(map(DeTable::parse(text)?.get_ref()))
}

/// The values of a parsed table.
pub(crate) fn map(table: &DeTable<'_>) -> Map {
    let entries = table.iter();
    entries
        .map(|(key, value)| (key.get_ref().to_string(), own(value.get_ref())))
        .collect()
}

fn own(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::String(number.to_string()),
        },
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) => Value::Float(number),
            Err(_) => Value::String(number.to_string()),
        },
        DeValue::Boolean(is_true) => Value::Boolean(*is_true),
        DeValue::Datetime(time) => Value::Datetime(time.to_string()),
        DeValue::Array(values) => {
            Value::Array(values.iter().map(|value| own(value.get_ref())).collect())
        }
        DeValue::Table(table) => Value::Table(map(table)),
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
