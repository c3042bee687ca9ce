//! Where the values of a scenario come from: its file, the command that runs it, its seed and its
//! tables.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};

use super::Report;
use super::folder::Folder;

/// What it takes to make the values again.
pub struct Provenance {
    /// The scenario's file, relative to the report; `None` if it is not known or not below the
    /// working folder.
    pub file: Option<String>,
    /// The command that runs it.
    pub command: String,
    /// The seed and the runs of a point, in words.
    pub seeds: Option<String>,
    /// The tables, relative to the report, each with its name.
    pub tables: Vec<(String, String)>,
}

impl Provenance {
    /// That of the `tables` of `scenario`.
    pub fn of(report: &Report<'_>, scenario: &str, tables: &BTreeSet<String>) -> Self {
        let results = report.folders.get(scenario).and_then(Folder::results);
        let plan = report.setting.plan(scenario);
        let file = plan.and_then(|plan| Some((plan, relative(report.directory, &plan.file)?)));
        let quick = results.is_some_and(|results| matches!(results.form, Some((_, true))));
        let path = match &file {
            Some((plan, _)) if plan.file.is_relative() => address(&plan.file),
            _ => scenario.to_owned(),
        };
        let here = tables.iter().map(|table| format!("{table}.csv"));
        let here = here.filter(|name| report.directory.join(scenario).join(name).is_file());
        Self {
            file: file.map(|(_, file)| address(&file)),
            command: format!("dhtlab run {path}{}", if quick { " --quick" } else { "" }),
            seeds: results.map(|results| {
                let (seed, runs) = (results.facts.seed, results.facts.repetitions);
                let noun = if runs == 1 { "run" } else { "runs" };
                format!("seed {seed}, {runs} {noun} a point")
            }),
            tables: here
                .map(|name| (address(&Path::new(scenario).join(&name)), name))
                .collect(),
        }
    }
}

/// `file` as seen from `directory`, if both are below the working folder: a report does not tell
/// where it lies on a machine.
fn relative(directory: &Path, file: &Path) -> Option<PathBuf> {
    let root = env::current_dir().ok()?.canonicalize().ok()?;
    let [directory, file] = [directory, file].map(|path| path.canonicalize().ok());
    let (directory, file) = (directory?, file?);
    let depth = directory.strip_prefix(&root).ok()?.components().count();
    let up: PathBuf = (0..depth).map(|_| "..").collect();
    Some(up.join(file.strip_prefix(&root).ok()?))
}

/// A relative path as a link target.
pub fn address(path: &Path) -> String {
    let parts: Vec<String> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy().replace('%', "%25"))
        .map(|part| {
            part.replace(' ', "%20")
                .replace('(', "%28")
                .replace(')', "%29")
        })
        .collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_as_seen_from_the_report() {
        // Tests run in the folder of the package.
        let seen = |directory, file| relative(Path::new(directory), Path::new(file));
        let expected = Some(PathBuf::from("../../Cargo.toml"));
        assert_eq!(seen("src/report", "Cargo.toml"), expected);
        assert_eq!(seen("src", "../Cargo.toml"), None);
        assert_eq!(seen("..", "Cargo.toml"), None);
        assert_eq!(seen("src", "missing.toml"), None);
        assert_eq!(address(Path::new("a b/c(1).svg")), "a%20b/c%281%29.svg");
    }
}
