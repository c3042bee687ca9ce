//! The scenario files of the repository.

use crate::lab::Lab;
use std::fs;
use std::path::{Path, PathBuf};

/// The scenario files of the repository.
fn shipped() -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join("scenarios");
    let mut files = Vec::new();
    let mut folders = vec![top];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn every_shipped_scenario_is_valid() {
    let mut files = shipped();
    files.retain(|file| !needs_data(file));
    assert!(files.len() >= 50, "{files:?}");
    are_valid(&files);
}

#[test]
#[cfg_attr(not(has_data), ignore = "DHTLAB_DATA names no folder")]
fn every_shipped_scenario_on_a_measured_network_is_valid() {
    let mut files = shipped();
    files.retain(|file| needs_data(file));
    assert!(!files.is_empty());
    are_valid(&files);
}

/// Whether a scenario reads a file of the folder that `DHTLAB_DATA` names.
fn needs_data(file: &Path) -> bool {
    let text = fs::read_to_string(file).expect("a scenario");
    text.contains("$DHTLAB_DATA/")
}

fn are_valid(files: &[PathBuf]) {
    let lab = Lab::new();
    for options in [&[] as &[&str], &["--quick"]] {
        for file in files {
            let file = file.to_str().expect("UTF-8");
            let ended = lab.dhtlab(&[&["check", file, "--no-trial"], options].concat());
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            assert!(ended.stdout.contains(" runs: "), "{}", ended.stdout);
        }
    }
}

/// An editor that knows the schema must not underline what the command accepts.
#[test]
fn the_schema_knows_every_key_of_the_shipped_scenarios() {
    let lab = Lab::new();
    let schema: serde_json::Value =
        serde_json::from_str(&lab.succeed(&["schema"]).stdout).expect("JSON");
    for file in shipped() {
        let text = fs::read_to_string(&file).expect("a file");
        let scenario = dhtlab_scenario::parse_toml(&text).expect("TOML");
        for (key, value) in &scenario {
            if !["sweep", "quick", "figure"].contains(&key.as_str()) {
                fits(&schema["properties"][key], value, key, &file);
            }
        }
        let swept = scenario
            .get("sweep")
            .and_then(dhtlab_core::parameter::Value::as_table);
        for (key, values) in swept.into_iter().flatten() {
            let mut at = &schema;
            for part in key.split('.').filter(|part| *part != "zip") {
                // What a value such as a distribution consists of has no place of its own.
                if at.get("properties").is_none() {
                    break;
                }
                at = &at["properties"][part];
            }
            for value in values
                .as_array()
                .into_iter()
                .flatten()
                .filter(|value| !value.is_table())
            {
                fits(at, value, key, &file);
            }
            let ends = values
                .as_table()
                .and_then(|range| Some([range.get("from")?, range.get("to")?]));
            for value in ends.into_iter().flatten() {
                fits(at, value, key, &file);
            }
        }
    }
}

/// Whether a value is within what the schema says of its key: known, and within its bounds.
fn fits(schema: &serde_json::Value, value: &dhtlab_core::parameter::Value, key: &str, file: &Path) {
    let file = file.display();
    assert!(!schema.is_null(), "{file}: {key} is not in the schema");
    if let dhtlab_core::parameter::Value::Table(table) = value {
        for (inner, value) in table.iter().filter(|_| schema.get("properties").is_some()) {
            fits(
                &schema["properties"][inner],
                value,
                &format!("{key}.{inner}"),
                Path::new(&file.to_string()),
            );
        }
    }
    if let Some(number) = value.as_integer() {
        let number = number as f64;
        let low = schema["minimum"].as_f64().unwrap_or(f64::NEG_INFINITY);
        let high = schema["maximum"].as_f64().unwrap_or(f64::INFINITY);
        assert!(
            (low..=high).contains(&number),
            "{file}: {key} = {number} is outside of the schema"
        );
    }
    if let (Some(word), Some(words)) = (value.as_str(), schema["enum"].as_array()) {
        assert!(
            words.iter().any(|known| known == word),
            "{file}: {key} = {word}"
        );
    }
}
