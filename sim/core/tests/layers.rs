//! The layers of the crate: a module uses only those before it.

use std::fs;
use std::path::{Path, PathBuf};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The modules in the order of `lib.rs`.
fn layers() -> Vec<String> {
    let text = fs::read_to_string(source().join("lib.rs")).expect("a source");
    let names = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

fn add_files(path: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(path).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            add_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// No module uses a later one, except in tests.
#[test]
fn each_layer_uses_those_before_it() {
    let layers = layers();
    assert!(layers.len() > 5, "{layers:?}");
    let mut uses = 0;
    for (level, layer) in layers.iter().enumerate() {
        let mut sources = Vec::new();
        add_files(&source().join(layer), &mut sources);
        assert!(!sources.is_empty(), "{layer}");
        for path in sources {
            let text = fs::read_to_string(&path).expect("a source");
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            for name in code.flat_map(|line| line.split("crate::").skip(1)) {
                let is_part = |c: char| c.is_alphanumeric() || c == '_';
                let name = &name[..name.find(|c| !is_part(c)).unwrap_or(name.len())];
                if let Some(other) = layers.iter().position(|layer| layer == name) {
                    uses += 1;
                    assert!(other <= level, "{} uses {name}", path.display());
                }
            }
        }
    }
    assert!(uses > 100, "{uses}");
}
