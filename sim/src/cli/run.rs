//! Carrying out scenarios: threads, resume, interrupts, figures.

use super::progress::Progress;
use super::store::{self, Store};
use super::{Failure, overview, record};
use crate::parameter::Problem;
use crate::scenario::Scenario;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What an interrupt has to bring to an end.
#[derive(Default)]
struct Current(Mutex<Option<Active>>);

/// A scenario that is being run.
struct Active {
    /// The place of the scenario in the list.
    scenario: usize,
    store: Store,
    progress: Progress,
    failed: Vec<(String, Problem)>,
    /// What was said of a run before: many runs have the same to say.
    said: FxHashSet<String>,
    /// Why the results can no longer be written.
    broken: Option<std::io::Error>,
}

impl Current {
    fn lock(&self) -> MutexGuard<'_, Option<Active>> {
        // A panic elsewhere leaves the store whole: every change of it is one line.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs all scenarios one after the other, `jobs` runs at a time, with results under `out`;
/// `recorded` are the places of the runs to be recorded, by the places of the scenarios.
pub(super) fn all(
    scenarios: &[Scenario],
    recorded: &[Option<usize>],
    out: &Path,
    jobs: Option<u16>,
) -> Result<(), Failure> {
    scenarios.iter().try_for_each(overview::refuse_too_large)?;
    for scenario in scenarios {
        let folder = out.join(&scenario.name);
        store::prepare(&folder).map_err(|error| cannot_write(&folder, &error))?;
    }
    let threads = jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Failure::Run(format!("no threads: {error}")))?;
    let current = Arc::new(Current::default());
    std::thread::scope(|scope| {
        let (tell, hear) = std::sync::mpsc::channel();
        let handler = tell.clone();
        // Only the first call of a process takes the signals; tests call this once, too.
        let _ = ctrlc::set_handler(move || {
            let _ = handler.send(true);
        });
        let watched = Arc::clone(&current);
        scope.spawn(move || {
            if hear.recv() == Ok(true) {
                interrupted(&watched, scenarios);
            }
        });
        let result = (0..scenarios.len()).try_for_each(|i| {
            let recorded = recorded.get(i).copied().flatten();
            one(scenarios, i, recorded, out, &pool, &current)
        });
        let _ = tell.send(false);
        result
    })
}

/// Brings what is done to disk and ends the process.
fn interrupted(current: &Current, scenarios: &[Scenario]) -> ! {
    if let Some(active) = current.lock().as_ref() {
        active.progress.finish();
        let scenario = &scenarios[active.scenario];
        match active.store.write_files(scenario) {
            Ok(()) => eprintln!(
                "interrupted: {} of {} runs of {} are done; the same command goes on from there",
                active.store.done(scenario),
                scenario.runs.len(),
                scenario.name
            ),
            Err(error) => eprintln!("interrupted: {error}"),
        }
    }
    std::process::exit(130);
}

fn cannot_write(folder: &Path, error: &std::io::Error) -> Failure {
    Failure::Input(format!(
        "{}: cannot write results: {error}",
        folder.display()
    ))
}

/// Runs one scenario.
fn one(
    scenarios: &[Scenario],
    place: usize,
    recorded: Option<usize>,
    out: &Path,
    pool: &rayon::ThreadPool,
    current: &Current,
) -> Result<(), Failure> {
    let (scenario, started) = (&scenarios[place], Instant::now());
    let folder = out.join(&scenario.name);
    let mut store =
        Store::open(&folder, scenario).map_err(|error| cannot_write(&folder, &error))?;
    let mut recorded_new = 0;
    if let Some(run) = recorded {
        let outcome = record::record(scenario, run, &folder)?;
        let id = &scenario.runs[run].id;
        if !store.has(id) {
            recorded_new = 1;
            store
                .add(id, outcome)
                .map_err(|error| Failure::Run(format!("{}: {error}", folder.display())))?;
        }
    }
    let todo = missing(scenario, &store);
    let progress = Progress::new(scenario, &todo);
    *current.lock() = Some(Active {
        scenario: place,
        store,
        progress,
        failed: Vec::new(),
        said: FxHashSet::default(),
        broken: None,
    });
    pool.install(|| {
        todo.par_iter()
            .with_max_len(1)
            .for_each(|run| carry_out(scenario, *run, current));
    });
    let Some(active) = current.lock().take() else {
        return Ok(());
    };
    active.progress.finish();
    if let Some(error) = active.broken {
        return Err(Failure::Run(format!("{}: {error}", folder.display())));
    }
    active
        .store
        .write_files(scenario)
        .map_err(|error| Failure::Run(format!("{}: {error}", folder.display())))?;
    if active.store.done(scenario) > 0 {
        analyse(&folder)?;
    }
    eprintln!(
        "{}: {} runs, {} of them new, {:.1} s, results in {}",
        scenario.name,
        active.store.done(scenario),
        todo.len() - active.failed.len() + recorded_new,
        started.elapsed().as_secs_f64(),
        folder.display()
    );
    match active.failed.as_slice() {
        [] => Ok(()),
        [(run, problem), ..] => Err(Failure::Run(format!(
            "{}: {} runs failed; run {run}: {problem}",
            scenario.name,
            active.failed.len()
        ))),
    }
}

/// The runs that are not done, the most costly first, so that none of them is left to the end.
fn missing(scenario: &Scenario, store: &Store) -> Vec<usize> {
    let mut seen = FxHashSet::default();
    let mut todo: Vec<usize> = (0..scenario.runs.len())
        .filter(|i| {
            let id = &scenario.runs[*i].id;
            !store.has(id) && seen.insert(id)
        })
        .collect();
    let cost = |run: &usize| scenario.points[scenario.runs[*run].point].run.cost().events;
    todo.sort_by(|a, b| cost(b).total_cmp(&cost(a)));
    todo
}

/// Runs one run and writes it down.
fn carry_out(scenario: &Scenario, place: usize, current: &Current) {
    if current
        .lock()
        .as_ref()
        .is_none_or(|active| active.broken.is_some())
    {
        return;
    }
    let run = &scenario.runs[place];
    let result = scenario.points[run.point].run.run(run.seed);
    let mut guard = current.lock();
    let Some(active) = guard.as_mut() else {
        return;
    };
    match result {
        Ok(outcome) => {
            for note in &outcome.notes {
                if active.said.insert(note.clone()) {
                    active
                        .progress
                        .say(&format!("{}, run {}: {note}", scenario.name, run.id));
                }
            }
            match active.store.add(&run.id, outcome) {
                Ok(()) => active.progress.done(scenario, place),
                Err(error) => active.broken = Some(error),
            }
        }
        Err(problem) => {
            active
                .progress
                .say(&format!("{}, run {}: {problem}", scenario.name, run.id));
            active.failed.push((run.id.clone(), problem));
        }
    }
}

/// Writes the summary of the results in `folder` and draws its figures; returns those.
pub(super) fn analyse(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let fault = |error: dhtlab_analysis::Error| Failure::Run(error.to_string());
    dhtlab_analysis::summarise(folder).map_err(fault)?;
    dhtlab_analysis::draw(folder).map_err(fault)
}

/// Runs the run named `id` and prints its metrics.
pub(super) fn only(scenarios: &[Scenario], id: &str) -> Result<(), Failure> {
    for scenario in scenarios {
        let Some(run) = scenario.runs.iter().find(|run| run.id == id) else {
            continue;
        };
        overview::refuse_too_large(scenario)?;
        let outcome = scenario.points[run.point].run.run(run.seed);
        let outcome = outcome.map_err(|problem| Failure::Run(format!("run {id}: {problem}")))?;
        outcome.notes.iter().for_each(|note| eprintln!("{note}"));
        for (metric, value) in scenario.experiment.metrics().iter().zip(&outcome.metrics) {
            println!("{metric} {value}");
        }
        return Ok(());
    }
    Err(Failure::Input(format!(
        "--only {id}: no run of that name; the column `run` of runs.csv has them"
    )))
}
