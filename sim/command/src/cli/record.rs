//! Records a run and makes the page that plays it.

use super::overview;
use crate::{Failure, streams};
use dhtlab_analysis::view;
use dhtlab_core::parameter::Value;
use dhtlab_format::recording::{self, Head, Recording};
use dhtlab_scenario::{RunOutput, Scenario};
use std::path::{Path, PathBuf};

/// The index of the run to record in each of `scenarios`: the one named `run`, or the first of each
/// if the name is empty; none without a request.
pub(super) fn choose(
    scenarios: &[Scenario],
    run: Option<&str>,
) -> Result<Vec<Option<usize>>, Failure> {
    let Some(name) = run else {
        return Ok(Vec::new());
    };
    let place = |scenario: &Scenario| match name {
        "" => Some(0),
        name => scenario.runs.iter().position(|run| run.id == name),
    };
    let places: Vec<Option<usize>> = scenarios.iter().map(place).collect();
    if places.iter().all(Option::is_none) {
        return Err(Failure::Input(format!(
            "--record={name}: no run has this name; the column `run` of runs.csv lists the names"
        )));
    }
    for (scenario, place) in scenarios.iter().zip(&places) {
        if let Some(place) = place {
            let point = &scenario.points[scenario.runs[*place].point];
            point.run.recorded().map_err(|problem| {
                Failure::Input(format!("{}: --record: {problem}", scenario.file.display()))
            })?;
        }
    }
    Ok(places)
}

/// Runs the run at `place` and writes its recording and the page into `folder`; returns its output.
pub(super) fn record(
    scenario: &Scenario,
    place: usize,
    folder: &Path,
) -> Result<RunOutput, Failure> {
    let run = &scenario.runs[place];
    let point = &scenario.points[run.point];
    let mut recording = Recording::default();
    let outcome = point
        .run
        .recorded()
        .and_then(|recorded| recorded.record(run.seed, &mut recording))
        .map_err(|problem| Failure::Run(format!("{}: run {}: {problem}", scenario.name, run.id)))?;
    for note in &outcome.notes {
        streams::print_note(format_args!("{}, run {}: {note}", scenario.name, run.id));
    }
    recording.head = Head {
        title: overview::title(scenario).to_owned(),
        scenario: scenario.name.clone(),
        experiment: scenario.experiment.name().to_owned(),
        protocol: protocol(&point.resolved()),
        run: run.id.clone(),
        point: scenario
            .swept
            .iter()
            .cloned()
            .zip(point.values.iter().cloned())
            .collect(),
        notes: outcome.notes.clone(),
    };
    recording.write(folder).map_err(|error| fault(&error))?;
    let page = page(folder, None)?;
    streams::print_note(format_args!(
        "{}: recorded run {} with {} events; open {} in a browser",
        scenario.name,
        run.id,
        recording.events.len(),
        page.display()
    ));
    Ok(outcome)
}

/// Makes the page of the recording in `folder` if the recording is unchanged.
pub(super) fn view(folder: &Path, out: Option<&Path>) -> Result<PathBuf, Failure> {
    let checked = recording::verify(folder);
    checked.map_err(|error| Failure::Input(error.to_string()))?;
    page(folder, out)
}

/// Makes the page of the recording in `folder`.
fn page(folder: &Path, out: Option<&Path>) -> Result<PathBuf, Failure> {
    view::write_page(folder, out).map_err(|error| match error {
        // Without a recording there is nothing to verify.
        dhtlab_analysis::Error::Read { .. } => Failure::Input(format!(
            "{error}; create a recording with `dhtlab run --record`"
        )),
        dhtlab_analysis::Error::Recording { .. } => Failure::Input(error.to_string()),
        error => fault(&error),
    })
}

fn fault(error: &dhtlab_analysis::Error) -> Failure {
    Failure::Run(error.to_string())
}

/// The protocol of a resolved scenario, with its space if it has several.
fn protocol(resolved: &dhtlab_core::parameter::Map) -> String {
    let overlay = resolved.get("overlay").and_then(Value::as_table);
    let word = |table: Option<&dhtlab_core::parameter::Map>, key: &str| {
        let value = table.and_then(|table| table.get(key));
        value.and_then(Value::as_str).map(str::to_owned)
    };
    let protocol = word(overlay, "protocol").unwrap_or_default();
    let own = overlay.and_then(|overlay| overlay.get(&protocol));
    match word(own.and_then(Value::as_table), "space") {
        Some(space) => format!("{protocol}, {space}"),
        None => protocol,
    }
}
