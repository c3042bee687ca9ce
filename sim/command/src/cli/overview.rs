//! The subcommands `list` and `check`: the available scenarios and the planned runs.

use super::forecast;
use crate::{Failure, streams};
use dhtlab_core::engine::memory;
use dhtlab_scenario::{Advice, Scenario, Source, parse_toml};
use std::fmt::Write;
use std::path::Path;

/// A scenario with what it says about itself. It is not checked: its data may be missing here.
pub(super) struct Titled {
    name: String,
    title: String,
    reproduces: String,
}

impl Titled {
    /// Reads the head of the scenario `file`.
    pub fn read(file: &Path) -> Result<Self, Failure> {
        let refuse = |why: String| Failure::Input(format!("{}: {why}", file.display()));
        let text = Source::text(file).map_err(|error| refuse(error.to_string()))?;
        let table = parse_toml(&text).map_err(|error| refuse(error.to_string()))?;
        let value = |key: &str| table.get(key).and_then(|value| value.as_str());
        let text = |key: &str| value(key).unwrap_or_default().to_owned();
        Ok(Self {
            name: file
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            title: text("title"),
            reproduces: text("reproduces"),
        })
    }
}

/// A table of scenarios: name, title, what it reproduces.
pub(super) fn list(scenarios: &[Titled]) -> String {
    let names = scenarios.iter().map(|scenario| scenario.name.len());
    let width = names.max().unwrap_or(0);
    let mut text = String::new();
    for scenario in scenarios {
        let line = format!("{:width$}  {}", scenario.name, scenario.title);
        let _ = writeln!(text, "{}", line.trim_end());
        if !scenario.reproduces.is_empty() {
            let _ = writeln!(text, "{:width$}  reproduces: {}", "", scenario.reproduces);
        }
    }
    text
}

/// The page of the manual with a table of scenarios.
pub(super) fn markdown(scenarios: &[Titled]) -> String {
    let mut text = "\
# Scenarios

`dhtlab run NAME` runs one of them, with `--quick` in a small size; `dhtlab new MINE --like NAME` copies it.
Output of `dhtlab list --markdown`.

| scenario | content | reproduces |
|---|---|---|
"
    .to_owned();
    let cell = |text: &str| text.replace('|', "\\|");
    for scenario in scenarios {
        let name = &scenario.name;
        let _ = writeln!(
            text,
            "| [`{name}`](../../../scenarios/{name}.toml) | {} | {} |",
            cell(&scenario.title),
            cell(&scenario.reproduces)
        );
    }
    text
}

/// Refuses a scenario whose largest run does not fit in memory.
pub(crate) fn refuse_too_large(scenario: &Scenario) -> Result<(), Failure> {
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
