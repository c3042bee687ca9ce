//! A JSON Schema of the scenario file, for editors.

use super::Experiment;
use super::plan::sections;
use dhtlab_core::parameter::{Parameter, Section, ValueKind};
use dhtlab_format::figure::Figure;
use serde_json::{Map, Value, json};

/// The JSON Schema (draft 2020-12) of scenario files for `kinds` of experiment.
pub fn schema(kinds: &[&'static dyn Experiment]) -> Value {
    let mut root = object("A dhtlab scenario");
    for kind in kinds {
        for section in sections(*kind) {
            add_section(&mut root, &section);
        }
    }
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    let doc: Vec<String> = kinds
        .iter()
        .map(|k| format!("\"{}\": {}.", k.name(), k.doc()))
        .collect();
    let properties = &mut root["properties"];
    properties["experiment"] = json!({ "enum": names, "description": doc.join(" ") });
    properties["sweep"] = json!({
        "type": "object",
        "description": "Keys by dotted path with an array of values or a range; every combination is run. The arrays of a table [[sweep.zip]] are swept together, element by element. Each table [[sweep.compare]] describes one of the systems to compare: all combinations of its values are run, and keys that only other tables name keep their values.",
    });
    properties["quick"] = json!({
        "type": "object",
        "description": "Values by dotted path that replace those of the scenario with --quick.",
    });
    properties["figure"] = json!({
        "type": "array",
        "items": Figure::schema(),
        "description": "The figures.",
    });
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["required"] = json!(["experiment"]);
    root
}

fn object(doc: &str) -> Value {
    json!({
        "type": "object",
        "description": doc.trim(),
        "properties": {},
        "additionalProperties": false,
    })
}

fn add_section(root: &mut Value, section: &Section) {
    let mut place = root;
    for part in section.path.split('.').filter(|part| !part.is_empty()) {
        place = place["properties"]
            .as_object_mut()
            .expect("every object of the schema has properties")
            .entry(part)
            .or_insert_with(|| object(section.doc));
    }
    let properties = place["properties"]
        .as_object_mut()
        .expect("every object of the schema has properties");
    for parameter in &section.parameters {
        let mut property = property(parameter);
        // Two kinds of experiment may bound a key differently, or have different words for it: the
        // schema allows both.
        if let Some(other) = properties.get(&parameter.key) {
            for bound in ["minimum", "maximum"] {
                match (property[bound].as_f64(), other[bound].as_f64()) {
                    (Some(a), Some(b)) if bound == "minimum" => property[bound] = json!(a.min(b)),
                    (Some(a), Some(b)) => property[bound] = json!(a.max(b)),
                    _ => drop(property.as_object_mut().and_then(|p| p.remove(bound))),
                }
            }
            if let (Some(mine), Some(theirs)) =
                (property["enum"].as_array(), other["enum"].as_array())
            {
                let more = theirs.iter().filter(|word| !mine.contains(word));
                let has_more = theirs.len() > mine.len();
                property["enum"] = mine.iter().chain(more).cloned().collect();
                // The description has the meaning of each word.
                if has_more {
                    property["description"] = other["description"].clone();
                }
            }
        }
        properties.insert(parameter.key.clone(), property);
    }
}

fn property(parameter: &Parameter) -> Value {
    let mut property = kind(&parameter.kind);
    let mut doc = parameter.doc.trim().to_owned();
    if let ValueKind::Choice(words) = &parameter.kind {
        for (word, meaning) in *words {
            doc.push_str(&format!(" \"{word}\": {}", meaning.trim()));
        }
    }
    property.insert("description".to_owned(), json!(doc));
    if let Some(default) = &parameter.default {
        property.insert("default".to_owned(), json!(default));
    }
    if let (Some(range), ValueKind::Integer | ValueKind::Number) =
        (&parameter.range, &parameter.kind)
    {
        let (low, open) = range.low();
        let bound = if open { "exclusiveMinimum" } else { "minimum" };
        property.insert(bound.to_owned(), json!(low));
        if range.high().is_finite() {
            property.insert("maximum".to_owned(), json!(range.high()));
        }
    }
    Value::Object(property)
}

fn kind(kind: &ValueKind) -> Map<String, Value> {
    let value = match kind {
        ValueKind::Integer => json!({ "type": "integer" }),
        ValueKind::Number => json!({ "type": "number" }),
        ValueKind::Boolean => json!({ "type": "boolean" }),
        ValueKind::Text => json!({ "type": "string" }),
        ValueKind::Duration => json!({
            "type": "string",
            "pattern": r"^\s*[0-9]*\.?[0-9]*\s*(ns|us|µs|ms|s|min|h|d)\s*$",
        }),
        ValueKind::Choice(words) => {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            json!({ "enum": words })
        }
        ValueKind::Hex(digits) => json!({
            "type": "string",
            "pattern": format!("^[0-9a-fA-F]{{{digits}}}$"),
        }),
        ValueKind::Integers => json!({
            "type": "array",
            "items": { "type": "integer", "minimum": 0 },
        }),
        ValueKind::TextOrList(words) => {
            let list = json!({ "type": "array", "items": { "type": "string" } });
            json!({ "anyOf": [{ "type": "string" }, list], "$comment": words })
        }
        ValueKind::Distribution(of, forms) => {
            let value = Value::Object(self::kind(of));
            let names = forms.iter().map(|form| {
                let keys = [form.values, form.numbers].concat().join(", ");
                format!("\"{}\" ({keys})", form.name)
            });
            let words = format!(
                "{of}, or a table with `distribution` = {}",
                names.collect::<Vec<_>>().join(", ")
            );
            let forms = forms.iter().map(|form| {
                let values = form.values.iter().map(|key| (*key, value.clone()));
                let numbers = form
                    .numbers
                    .iter()
                    .map(|key| (*key, json!({ "type": "number" })));
                let mut properties: Map<String, Value> = Map::new();
                properties.insert("distribution".to_owned(), json!({ "const": form.name }));
                properties.extend(
                    values
                        .chain(numbers)
                        .map(|(key, kind)| (key.to_owned(), kind)),
                );
                let required: Vec<String> = properties.keys().cloned().collect();
                json!({
                    "type": "object",
                    "properties": properties,
                    "required": required,
                    "additionalProperties": false,
                })
            });
            let any: Vec<Value> = std::iter::once(value.clone()).chain(forms).collect();
            json!({ "anyOf": any, "$comment": words })
        }
        ValueKind::Tables(words) => {
            json!({ "type": "array", "items": { "type": "object" }, "$comment": words })
        }
        ValueKind::Other(words) => {
            json!({ "anyOf": [{ "type": "string" }, { "type": "object" }], "$comment": words })
        }
    };
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
