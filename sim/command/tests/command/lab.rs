//! A temporary folder in which the command runs, and access to its results.

use assert_cmd::cargo::cargo_bin_cmd;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A folder in which the command runs; it goes with the value.
pub struct Lab(TempDir);

/// How the command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Lab {
    pub fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, with the folders on its way.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, text).expect("a file");
        path
    }

    pub fn read(&self, name: &str) -> String {
        let path = self.path(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Runs the command to its end, in this folder.
    pub fn dhtlab<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ended {
        let output = cargo_bin_cmd!("dhtlab")
            .current_dir(self.0.path())
            // Help is wrapped to it.
            .env_remove("COLUMNS")
            .env("XDG_CACHE_HOME", self.0.path().join("cache"))
            .args(arguments)
            .timeout(std::time::Duration::from_secs(120))
            .output()
            .expect("the command starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Ended {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Runs the command, which has to succeed.
    pub fn succeed<S: AsRef<OsStr> + std::fmt::Debug>(&self, arguments: &[S]) -> Ended {
        let ended = self.dhtlab(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
        ended
    }

    /// Starts the command in this folder and goes on; its stderr goes to the file `stderr`.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let stderr = fs::File::create(self.path("stderr")).expect("a file");
        Command::new(assert_cmd::cargo::cargo_bin!("dhtlab"))
            .current_dir(self.0.path())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .expect("the command starts")
    }

    /// The files below `folder` with their bytes, by their paths in it.
    pub fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        fn walk(top: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    walk(top, &path, files);
                } else {
                    let name = path.strip_prefix(top).expect("below").display().to_string();
                    files.insert(name, fs::read(&path).expect("a file"));
                }
            }
        }
        let mut files = BTreeMap::new();
        walk(&self.path(folder), &self.path(folder), &mut files);
        files
    }

    /// The CSV files below `folder` with their text.
    pub fn tables(&self, folder: &str) -> BTreeMap<String, String> {
        self.files(folder)
            .into_iter()
            .filter(|(name, _)| name.ends_with(".csv"))
            .map(|(name, bytes)| (name, String::from_utf8(bytes).expect("UTF-8")))
            .collect()
    }

    /// A table of results.
    pub fn table(&self, name: &str) -> Table {
        let mut reader = csv::Reader::from_path(self.path(name)).expect("a table");
        let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect();
        let columns = cells(reader.headers().expect("a header"));
        let rows = reader.records().map(|row| cells(&row.expect("a row")));
        Table {
            rows: rows.collect(),
            columns,
        }
    }

    /// `manifest.json` of the results in `folder`.
    pub fn manifest(&self, folder: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(&format!("{folder}/manifest.json"))).expect("JSON")
    }
}

impl Ended {
    /// The numbers N and M of the line "N runs, M of them new".
    pub fn runs_and_new(&self) -> (usize, usize) {
        let line = self
            .stderr
            .lines()
            .find(|line| line.contains(" of them new"))
            .unwrap_or_else(|| panic!("no line `N runs, M of them new`: {}", self.stderr));
        let numbers: Vec<usize> = line
            .split([' ', ','])
            .filter_map(|word| word.parse().ok())
            .collect();
        (numbers[0], numbers[1])
    }
}

/// Runs the scenario `s.toml` with this text into `out`; its `runs.csv`.
pub fn run(text: &str) -> (Lab, Table) {
    let lab = Lab::new();
    lab.write("s.toml", text);
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    let runs = lab.table("out/s/runs.csv");
    (lab, runs)
}

/// A CSV file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The place of a column.
    pub fn at(&self, column: &str) -> usize {
        let found = self.columns.iter().position(|name| name == column);
        found.unwrap_or_else(|| panic!("no column {column} in {:?}", self.columns))
    }

    /// The cells of a column.
    pub fn column(&self, column: &str) -> Vec<&str> {
        let place = self.at(column);
        self.rows.iter().map(|row| row[place].as_str()).collect()
    }

    /// The numbers of a column.
    pub fn numbers(&self, column: &str) -> Vec<f64> {
        let parse = |cell: &str| {
            cell.parse()
                .unwrap_or_else(|_| panic!("{column}: {cell:?}"))
        };
        self.column(column).into_iter().map(parse).collect()
    }
}
