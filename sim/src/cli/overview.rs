//! What there is, and what would run: `list` and `check`.

use super::Failure;
use crate::scenario::{Cost, Scenario};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Events that a core handles in a second, for forecasts: between the 2 million of a Chord of a
/// million nodes and the more of networks that stay in the cache.
const EVENTS_PER_SECOND: f64 = 3e6;

/// The scenario files of `folder`, in the order of their names.
pub(super) fn shipped(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let refuse = |why: String| {
        Failure::Input(format!(
            "{}: {why}; run from the top of the repository or give --scenarios DIR",
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
        return Err(refuse("no scenario files there".to_owned()));
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

/// What the runs of a scenario take together, and the most that one of them takes.
pub(super) fn total_cost(scenario: &Scenario) -> (Cost, Cost) {
    let (mut total, mut most) = (Cost::default(), Cost::default());
    let mut runs = vec![0_u32; scenario.points.len()];
    for run in &scenario.runs {
        runs[run.point] += 1;
    }
    for (point, runs) in scenario.points.iter().zip(runs) {
        if runs == 0 {
            continue;
        }
        let cost = point.run.cost();
        total.events += cost.events * f64::from(runs);
        most.events = most.events.max(cost.events);
        most.bytes = most.bytes.max(cost.bytes);
    }
    total.bytes = most.bytes;
    (total, most)
}

/// Refuses a scenario whose largest run does not fit in memory.
pub(super) fn refuse_too_large(scenario: &Scenario) -> Result<(), Failure> {
    let (_, most) = total_cost(scenario);
    match memory() {
        Some(memory) if most.bytes > memory => Err(Failure::Input(format!(
            "{}: the largest run would take about {} of memory; this machine has {}",
            scenario.file.display(),
            bytes(most.bytes),
            bytes(memory)
        ))),
        _ => Ok(()),
    }
}

/// The title of a scenario, or else its name.
pub(super) fn title(scenario: &Scenario) -> &str {
    scenario.header.title.as_deref().unwrap_or(&scenario.name)
}

/// What would run, how long and how large it would be.
pub(super) fn forecast(file: &Path, scenario: &Scenario) -> Result<String, Failure> {
    refuse_too_large(scenario)?;
    let (total, most) = total_cost(scenario);
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
        "  about {} of one core in all, {} of memory a run",
        duration(total.events / EVENTS_PER_SECOND),
        bytes(most.bytes)
    );
    Ok(text)
}

/// The memory of this machine in bytes, where it is known.
fn memory() -> Option<f64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024.0)
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
        s if s < 1.0 => "a second".to_owned(),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.0} h", s / 3600.0),
    }
}
