//! Files like those in use: each has one unusual feature of real files, and a case in
//! `field/expected.txt` with the expected facts.
//!
//! A case there is a line `== FILE`, keys of `[underlay.file]` on lines that begin with a blank,
//! then the facts of the file and its notes, or `error:` and the line and message of the error.

use super::read;
use dhtlab_core::engine::Seed;
use dhtlab_core::underlay::{Distances, Host};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/protocols/underlay/field")
}

/// The facts of a file, or its error.
fn told(name: &str, keys: &str) -> String {
    let table = format!("model = 'file'\n[underlay.file]\npath = '{name}'\n{keys}");
    let mut told = String::new();
    match read(&table, &folder()) {
        Ok(specification) => {
            let facts = specification.facts().expect("a file");
            assert_eq!(facts.file, name);
            let _ = writeln!(told, "{}", facts.line);
            for note in facts.notes {
                let _ = writeln!(told, "note: {note}");
            }
            assert!(specification.build(Seed::new(1)).is_ok(), "{name}");
        }
        Err(problem) => {
            let place = format!("{}:", folder().join(name).display());
            let message = problem.message.replace(&place, "");
            let _ = writeln!(told, "error: {message}");
        }
    }
    told
}

#[test]
fn underlay_of_files_from_the_field() {
    let expected = std::fs::read_to_string(folder().join("expected.txt")).expect("the table");
    let mut found = String::new();
    for case in expected.split("== ").skip(1) {
        let (name, rest) = case.split_once('\n').expect("a file");
        let keys: Vec<&str> = rest
            .lines()
            .take_while(|line| line.starts_with(' '))
            .collect();
        let keys: String = keys.iter().flat_map(|key| [key, "\n"]).collect();
        let _ = write!(found, "== {name}\n{keys}{}", told(name, &keys));
    }
    let faults: Vec<String> = expected
        .split("== ")
        .zip(found.split("== "))
        .skip(usize::from(!found.starts_with("== ")))
        .filter(|(expected, found)| expected != found)
        .map(|(expected, found)| format!("expected {expected}found    {found}"))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // Every file there has its line.
    for entry in std::fs::read_dir(folder()).expect("a folder") {
        let name = entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("a name");
        let is_told = expected.contains(&format!("== {name}\n"));
        assert!(is_told || name == "expected.txt", "{name}");
    }
}

#[test]
fn underlay_keeps_the_directions_of_a_matrix() {
    let text = "model = 'file'\nfile.path = 'matrix3asym.txt'\nfile.format = 'rtt-matrix'\n";
    let latencies = |keys: &str| {
        let specification = read(&format!("{text}{keys}"), &folder()).expect("an underlay");
        let underlay = Arc::new(specification.build(Seed::new(1)).expect("an underlay"));
        let mut distances = Distances::new(underlay, (0..3).map(Host).collect());
        [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)]
            .map(|(from, to)| distances.path(from, to).latency.as_micros())
    };
    // 0 5 6 / 4 0 7 / 3 2 0: half of each.
    assert_eq!(
        latencies("file.asymmetric = true"),
        [2500, 2000, 3000, 1500, 3500, 1000]
    );
    assert_eq!(latencies(""), [2250, 2250, 2250, 2250, 2250, 2250]);
}

#[test]
fn underlay_fills_the_gaps_of_each_direction() {
    let folder = tempfile::tempdir().expect("a folder");
    // Between 0 and 2 nothing: over 1, there 10 + 30, back 40 + 20.
    std::fs::write(folder.path().join("net"), "0 10 -\n20 0 30\n- 40 0\n").expect("a file");
    let keys =
        "model = 'file'\nfile.path = 'net'\nfile.format = 'rtt-matrix'\nfile.asymmetric = true";
    let specification = read(keys, folder.path()).expect("an underlay");
    let underlay = Arc::new(specification.build(Seed::new(1)).expect("an underlay"));
    let mut distances = Distances::new(underlay, (0..3).map(Host).collect());
    let micros = [(0, 2), (2, 0)].map(|(a, b)| distances.path(a, b).latency.as_micros());
    assert_eq!(micros, [20_000, 30_000]);
}

/// Keys that are not there leave a resolved scenario as it was, so that runs keep their names.
#[test]
fn underlay_of_a_file_is_written_as_before() {
    let write = |keys: &str| {
        let text = format!("model = 'file'\nfile.path = 'pairs.csv'\n{keys}");
        read(&text, &folder()).expect("an underlay").write()["file"].to_string()
    };
    let content = "content = \"";
    assert!(write("").contains(content));
    for key in ["columns", "separator", "latency", "\nunit", "asymmetric"] {
        assert!(!write("").contains(key), "{key}");
    }
    let all = write(
        "file.columns = 'from to rtt'\nfile.separator = ','\nfile.latency = 'rtt'\nfile.unit = 'us'\n\
         file.asymmetric = true",
    );
    for key in [
        "columns = [\"from\", \"to\", \"rtt\"]",
        "separator = \",\"",
        "latency = \"rtt\"",
        "unit = \"us\"",
        "asymmetric = true",
    ] {
        assert!(all.contains(key), "{key}: {all}");
    }
    assert!(!all.contains("rtt-unit"), "{all}");
}

#[test]
fn underlay_keys_that_say_nothing_to_a_format_are_refused() {
    for (keys, told) in [
        (
            "format = 'gml'\nfile.columns = ['from', 'to']",
            "underlay.file.columns: has no effect on the format gml; it is for edge-list and rtt-pairs",
        ),
        (
            "format = 'dimacs'\nfile.separator = ','",
            "underlay.file.separator: has no effect on the format dimacs; it is for edge-list, \
             adjacency-list, rtt-matrix and rtt-pairs",
        ),
        (
            "separator = '--'",
            "underlay.file.separator: expected one character, \"tab\" or \"blank\"",
        ),
        (
            "format = 'rtt-matrix'\nfile.latency = 'none'",
            "underlay.file.latency: has no effect on the format rtt-matrix; it is for links and rtt-pairs",
        ),
        (
            "format = 'edge-list'\nfile.asymmetric = true",
            "underlay.file.asymmetric: has no effect on the format edge-list; it is for rtt-matrix and \
             rtt-pairs",
        ),
        (
            "columns = ['a', 'b']",
            "underlay.file.columns: expected the names of the columns, two of them \"from\" and \
             \"to\", such as [\"from\", \"to\", \"rtt\"], found [\"a\", \"b\"]",
        ),
    ] {
        let text = format!("model = 'file'\nfile.path = 'pairs.csv'\nfile.{keys}");
        let problem = read(&text, &folder()).expect_err("a fault");
        assert_eq!(problem.to_string(), told);
    }
}

/// Devices and pipes have no end.
#[cfg(target_os = "linux")]
#[test]
fn underlay_files_are_regular_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    for (path, why) in [
        ("/dev/zero", "it is a device; expected a regular file"),
        ("pipe", "it is a named pipe; expected a regular file"),
    ] {
        let text = format!("model = 'file'\nfile.path = '{path}'");
        let problem = read(&text, folder.path()).expect_err("a fault");
        let told = format!("{path}: cannot be read: {why}");
        assert!(problem.message.ends_with(&told), "{problem}");
    }
}
