//! The subcommands `list` and `check`: the available scenarios and the planned runs.

use super::{Failure, forecast, streams};
use dhtlab_core::engine::memory;
use dhtlab_scenario::{Advice, Scenario};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The scenario files of `folder`, in the order of their names.
pub(super) fn shipped(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let refuse = |why: String| {
        Failure::Input(format!(
            "{}: {why}; run the command in the root of the repository or set --scenarios DIR",
            folder.display()
        ))
    };
    let entries = std::fs::read_dir(folder).map_err(|error| refuse(error.to_string()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(refuse("no scenario files".to_owned()));
    }
    Ok(files)
}

/// A table of scenarios: name, runs, title, what it reproduces.
pub(super) fn list(scenarios: &[Scenario]) -> String {
    let width = scenarios
        .iter()
        .map(|scenario| scenario.name.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for scenario in scenarios {
        let title = scenario.header.title.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{:width$}  {title}", scenario.name);
        if let Some(source) = &scenario.header.reproduces {
            let _ = writeln!(text, "{:width$}  reproduces: {source}", "");
        }
    }
    text
}

/// Refuses a scenario whose largest run does not fit in memory.
pub(super) fn refuse_too_large(scenario: &Scenario) -> Result<(), Failure> {
    let mut used: Vec<usize> = scenario.runs.iter().map(|run| run.point).collect();
    used.dedup();
    let most = used
        .iter()
        .map(|point| scenario.points[*point].run.cost().bytes);
    let most = most.fold(0.0, f64::max);
    match memory::available() {
        Some(available) if most > available as f64 => Err(Failure::Input(format!(
            "{}: the largest run needs about {} of memory; {} are available",
            scenario.file.display(),
            bytes(most),
            bytes(available as f64)
        ))),
        _ => Ok(()),
    }
}

/// The title of a scenario, or else its name.
pub(super) fn title(scenario: &Scenario) -> &str {
    scenario.header.title.as_deref().unwrap_or(&scenario.name)
}

/// Prints warnings and notes on stderr before `scenario` runs.
pub(super) fn print_advice(scenario: &Scenario) {
    let advice = Advice::on(scenario);
    for told in advice.warnings.iter().chain(&advice.faults) {
        streams::print_note(format_args!("warning: {told}"));
    }
}

/// The planned runs with their time and memory; warnings and notes go to stderr.
pub(super) fn check(
    file: &Path,
    scenario: &Scenario,
    with_trials: bool,
) -> Result<String, Failure> {
    refuse_too_large(scenario)?;
    let advice = Advice::on(scenario);
    for told in &advice.warnings {
        streams::print_note(format_args!("warning: {told}"));
    }
    if let Some(fault) = advice.faults.first() {
        return Err(Failure::Input(fault.to_string()));
    }
    let forecast = forecast::of(scenario, with_trials);
    let mut text = String::new();
    let _ = writeln!(text, "{}: {}", file.display(), title(scenario));
    let _ = writeln!(
        text,
        "  {} runs: {} points x {} repetitions of experiment \"{}\"",
        scenario.runs.len(),
        scenario.points.len(),
        scenario.header.repetitions,
        scenario.experiment.name()
    );
    if !scenario.swept.is_empty() {
        let _ = writeln!(text, "  swept: {}", scenario.swept.join(", "));
    }
    for fact in scenario.facts() {
        let _ = writeln!(text, "  {}: {}", fact.file, fact.line);
        for note in &fact.notes {
            let _ = writeln!(text, "  {}: {note}", fact.file);
        }
    }
    let _ = write!(
        text,
        "  forecast: {} of CPU time, {} of memory for one run",
        duration(forecast.seconds),
        bytes(forecast.bytes)
    );
    Ok(text)
}

/// An amount of memory.
pub(super) fn bytes(count: f64) -> String {
    match count {
        count if count >= 1e9 => format!("{:.1} GB", count / 1e9),
        count => format!("{:.0} MB", (count / 1e6).max(1.0)),
    }
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => "less than 1 s".to_owned(),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.0} h", s / 3600.0),
    }
}
