//! The report on results, with the facts about scenarios and the machine that it needs.

use super::{overview, shipped};
use crate::Kinds;
use crate::{Failure, streams};
use dhtlab_analysis::report::{self, Form, Plan, Setting};
use dhtlab_scenario::{Overrides, Scenario, Source};
use std::fs;
use std::path::Path;

/// Writes the report on the results in `folder`, made by `command`; `scenarios` is the folder of the
/// shipped scenarios.
pub(super) fn write(
    kinds: Kinds,
    folder: &Path,
    scenarios: &Path,
    command: String,
) -> Result<(), Failure> {
    let commit = env!("DHTLAB_COMMIT");
    let setting = Setting {
        command,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: (!commit.is_empty()).then(|| commit.to_owned()),
        machine: machine(),
        plans: plans(kinds, scenarios)?,
    };
    let written = report::write(folder, &setting).map_err(|error| match error {
        dhtlab_analysis::Error::NoResults { .. } => Failure::Input(error.to_string()),
        error => Failure::Run(error.to_string()),
    })?;
    let count = written.count;
    streams::print_line(format_args!(
        "of the published values {} agree, {} are within a bound, {} are not decided, {} differ, {} are in \
         doubt themselves; {} results are stale, {} missing, {} without a verdict",
        count.agree,
        count.within_bound,
        count.undecided,
        count.differ,
        count.in_doubt,
        count.stale,
        count.missing,
        count.without
    ))?;
    if count.not_run > 0 {
        streams::print_line(format_args!(
            "{} published values are for other sizes than those of these results; `dhtlab reproduce` runs \
             the published sizes",
            count.not_run
        ))?;
    }
    for file in &written.edited {
        streams::print_note(format_args!("edited: {file}"));
    }
    for value in &written.unexplained {
        streams::print_note(format_args!("unexplained: {value}"));
    }
    for file in &written.files {
        streams::print_line(format_args!("written: {}", file.display()))?;
    }
    Ok(())
}

/// The scenarios in `folder` in both forms. A scenario that cannot be read, for example because its
/// data are missing, is left out: its results are not compared with a plan.
fn plans(kinds: Kinds, folder: &Path) -> Result<Vec<Plan>, Failure> {
    let files = shipped::in_folder(folder)?;
    let plans = files.iter().filter_map(|file| {
        let form = |quick| {
            let options = Overrides {
                quick,
                ..Overrides::default()
            };
            let source = Source::load(file).ok()?;
            Scenario::read(source, &options, kinds).ok()
        };
        let full = form(false)?;
        Some(Plan {
            name: full.name.clone(),
            file: file.clone(),
            quick: form_of(&form(true)?),
            full: form_of(&full),
        })
    });
    Ok(plans.collect())
}

fn form_of(scenario: &Scenario) -> Form {
    Form {
        swept: scenario.swept.clone(),
        points: scenario
            .points
            .iter()
            .map(|point| point.values.clone())
            .collect(),
        runs: scenario
            .runs
            .iter()
            .map(|run| (run.id.clone(), run.point))
            .collect(),
    }
}

/// Facts about this machine, as far as they are known.
fn machine() -> Vec<(String, String)> {
    let line = |file: &str, name: &str| {
        let text = fs::read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.starts_with(name))?;
        let (_, value) = line.split_once([':', '='])?;
        Some(value.trim().trim_matches('"').to_owned())
    };
    let cores = std::thread::available_parallelism().map(|cores| cores.to_string());
    let system =
        line("/etc/os-release", "PRETTY_NAME").unwrap_or_else(|| std::env::consts::OS.to_owned());
    let memory = line("/proc/meminfo", "MemTotal").and_then(|text| {
        let kib: f64 = text.split_whitespace().next()?.parse().ok()?;
        Some(overview::bytes(kib * 1024.0))
    });
    [
        ("processor", line("/proc/cpuinfo", "model name")),
        ("cores", cores.ok()),
        ("memory", memory),
        (
            "system",
            Some(format!("{system}, {}", std::env::consts::ARCH)),
        ),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}
