//! Runs scenarios: threads, resumption, interrupts, figures.

use super::progress::{self, Progress};
use super::{limit, outcome, overview, record};
use crate::lock::Lock;
use crate::store::{self, Store};
use crate::{Failure, streams};
use dhtlab_analysis::Formats;
use dhtlab_core::parameter::ConfigError;
use dhtlab_core::underlay::Facts;
use dhtlab_scenario::Scenario;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Time between two checks of the process memory.
const LOOK: Duration = Duration::from_millis(100);

/// Shortest time between two drawings of figures while runs finish.
const REDRAW: Duration = Duration::from_secs(2);

/// How scenarios are run.
#[derive(Default)]
pub(super) struct Mode {
    /// Number of parallel runs; the number of cores if absent.
    pub jobs: Option<u16>,
    /// For each scenario, the index of the run to record.
    pub recorded: Vec<Option<usize>>,
    /// Whether each finished run is printed as JSON.
    pub is_json: bool,
    /// Whether figures are drawn while runs finish.
    pub is_watched: bool,
    /// Whether the result is printed in short at the end of each scenario.
    pub has_summary: bool,
    /// Whether tables are written as Parquet, too.
    pub has_parquet: bool,
}

/// The work that an interrupt must finish.
struct Current(Mutex<Work>);

/// The current work.
struct Work {
    progress: Progress,
    active: Option<Active>,
    /// One per scenario, until it is finished.
    locks: Vec<Option<Lock>>,
}

/// The running scenario.
struct Active {
    /// The index of the scenario in the list.
    scenario: usize,
    store: Store,
    failed: Vec<(String, ConfigError)>,
    /// Notes already printed: many runs give the same ones.
    noted: FxHashSet<String>,
    /// Runs that lacked memory while others were active.
    again: Vec<usize>,
    /// Number of runs that ended for lack of memory.
    short: usize,
    /// Why the results can no longer be written.
    broken: Option<std::io::Error>,
    /// With `--watch`, when figures are drawn next.
    redraw: Option<Instant>,
    /// Whether each finished run is printed as JSON.
    is_json: bool,
}

impl Current {
    fn lock(&self) -> MutexGuard<'_, Work> {
        // A panic elsewhere leaves the store consistent: every change of it is one line.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs all scenarios one after the other, with results under `out`.
pub(super) fn all(scenarios: &[Scenario], out: &Path, mode: &Mode) -> Result<(), Failure> {
    if mode.has_parquet && !cfg!(feature = "parquet") {
        return Err(Failure::Input(
            "--format parquet: this build of the command has no Parquet; build it with `--features parquet`, \
             or install the Python package"
                .to_owned(),
        ));
    }
    scenarios.iter().try_for_each(overview::refuse_too_large)?;
    let mut locks = Vec::new();
    for scenario in scenarios {
        let folder = out.join(scenario.folder_name());
        let lock = Lock::take(&folder).and_then(|lock| store::prepare(&folder).map(|()| lock));
        locks.push(Some(
            lock.map_err(|error| store::cannot_write(&folder, &error))?,
        ));
        store::check(&folder, store::RequiredResults::by(scenario))?;
    }
    let costs = scenarios.iter().map(|scenario| cost_left(scenario, out));
    let threads = mode.jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Failure::Run(format!("cannot start threads: {error}")))?;
    let current = Arc::new(Current(Mutex::new(Work {
        progress: Progress::new(costs.collect()),
        active: None,
        locks,
    })));
    std::thread::scope(|scope| {
        let (tell, hear) = std::sync::mpsc::channel();
        let handler = tell.clone();
        // Only the first call in a process installs the handler; tests call this once, too.
        let _ = ctrlc::set_handler(move || {
            let _ = handler.send(true);
        });
        let watched = Arc::clone(&current);
        scope.spawn(move || {
            loop {
                match hear.recv_timeout(LOOK) {
                    Ok(true) => end_now(&watched, scenarios, "interrupted", 130),
                    Err(RecvTimeoutError::Timeout) if limit::is_far_exceeded() => {
                        let why =
                            format!("error: the memory limit of {} is exceeded", limit::text());
                        end_now(&watched, scenarios, &why, 1);
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(false) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        });
        let result = (0..scenarios.len()).try_for_each(|i| {
            let result = one(scenarios, i, mode, out, &pool, &current);
            current.lock().locks[i] = None;
            result
        });
        current.lock().progress.finish();
        let _ = tell.send(false);
        result
    })
}

/// The forecast cost of the runs of a scenario that are not finished yet, before its results are
/// opened.
fn cost_left(scenario: &Scenario, out: &Path) -> f64 {
    let folder = out.join(scenario.folder_name());
    let finished = store::finished_names(&folder, store::RequiredResults::by(scenario));
    let todo = missing(scenario, |run| finished.contains(run));
    todo.iter().map(|run| progress::cost(scenario, *run)).sum()
}

/// Writes finished runs to disk, prints `why`, and ends the process with exit code `code`.
fn end_now(current: &Current, scenarios: &[Scenario], why: &str, code: i32) -> ! {
    // Held until the process ends, so that no thread writes any more.
    let mut work = current.lock();
    work.progress.finish();
    let print = |text: std::fmt::Arguments<'_>| match code {
        130 => streams::print_note(text),
        _ => streams::print_error(text),
    };
    if let Some(active) = &work.active {
        let scenario = &scenarios[active.scenario];
        match active.store.write_files(scenario) {
            Ok(()) => {
                let done = active.store.done(scenario);
                if done > 0 && scenario.share.is_none() {
                    // A figure of a part of the runs may lack data.
                    let _ = analyse(active.store.folder());
                }
                print(format_args!(
                    "{why}: {} of {} runs of {} are finished; repeat the command{} to resume",
                    done,
                    scenario.runs.len(),
                    scenario.folder_name(),
                    if limit::is_far_exceeded() {
                        " with a larger --memory"
                    } else {
                        ""
                    }
                ));
            }
            Err(error) => streams::print_error(format_args!("{why}: {error}")),
        }
    }
    if work.active.is_none() && code != 130 {
        streams::print_error(why);
    }
    work.locks.clear();
    std::process::exit(code);
}

impl Active {
    /// Draws the figures of the runs that are finished, if that is due.
    fn draw_if_due(&mut self, scenario: &Scenario) -> std::io::Result<()> {
        let started = Instant::now();
        if self.redraw.is_none_or(|due| due > started) {
            return Ok(());
        }
        self.store.publish(scenario)?;
        // A figure may lack data as yet.
        let _ = analyse(self.store.folder());
        // Most of the time is left to the runs.
        self.redraw = Some(Instant::now() + REDRAW.max(10 * started.elapsed()));
        Ok(())
    }
}

/// Runs one scenario.
fn one(
    scenarios: &[Scenario],
    place: usize,
    mode: &Mode,
    out: &Path,
    pool: &rayon::ThreadPool,
    current: &Current,
) -> Result<(), Failure> {
    let (scenario, started) = (&scenarios[place], Instant::now());
    let folder = out.join(scenario.folder_name());
    let mut store = Store::open(&folder, scenario)?;
    let mut recorded_new = 0;
    if let Some(run) = mode.recorded.get(place).copied().flatten() {
        let outcome = store.record(|folder| record::record(scenario, run, folder))?;
        let id = &scenario.runs[run].id;
        if !store.has(id) {
            recorded_new = 1;
            store
                .add(id, outcome)
                .map_err(|error| Failure::Run(format!("{}: {error}", folder.display())))?;
        }
    }
    let todo = missing(scenario, |run| store.has(run));
    if mode.is_json {
        for run in 0..scenario.runs.len() {
            if let Some(outcome) = store.outcome(&scenario.runs[run].id) {
                streams::print_line(outcome::json(scenario, run, outcome))?;
            }
        }
    }
    {
        let mut work = current.lock();
        work.progress.begin(place, scenario, &todo);
        for fact in scenario.facts() {
            let (name, Facts { file, line, .. }) = (scenario.folder_name(), fact);
            work.progress.print_note(&format!("{name}: {file}: {line}"));
        }
        let others = store.others(scenario).len();
        if others > 0 {
            work.progress.print_note(&format!(
                "{}: {others} finished runs of other parameters are kept aside in finished.jsonl, and used again \
                 with those parameters; `--out` keeps both",
                folder.display()
            ));
        }
        work.active = Some(Active {
            scenario: place,
            store,
            failed: Vec::new(),
            noted: FxHashSet::default(),
            again: Vec::new(),
            short: 0,
            broken: None,
            redraw: mode.is_watched.then(Instant::now),
            is_json: mode.is_json,
        });
    }
    let is_alone = todo.len() == 1 || pool.current_num_threads() == 1;
    pool.install(|| {
        todo.par_iter()
            .with_max_len(1)
            .for_each(|run| carry_out(scenario, *run, current, is_alone));
    });
    // Runs that lacked memory beside others now run alone.
    let again = current
        .lock()
        .active
        .as_mut()
        .map(|active| std::mem::take(&mut active.again));
    for run in again.unwrap_or_default() {
        pool.install(|| carry_out(scenario, run, current, true));
    }
    let Some(active) = current.lock().active.take() else {
        return Ok(());
    };
    if let Some(error) = active.broken {
        return Err(Failure::Run(format!("{}: {error}", folder.display())));
    }
    active
        .store
        .write_files(scenario)
        .map_err(|error| Failure::Run(format!("{}: {error}", folder.display())))?;
    #[cfg(feature = "parquet")]
    if mode.has_parquet {
        crate::frame::write_parquet(&folder)?;
    }
    // A shard has no figures before it is merged with the others.
    if active.store.done(scenario) > 0 && scenario.share.is_none() {
        analyse(&folder)?;
    }
    current.lock().progress.print_note(&format!(
        "{}: {} runs, {} of them new, {:.1} s, results in {}",
        scenario.folder_name(),
        active.store.done(scenario),
        todo.len() - active.failed.len() + recorded_new,
        started.elapsed().as_secs_f64(),
        folder.display()
    ));
    let has_results = active.store.done(scenario) > 0 && scenario.share.is_none();
    if mode.has_summary && !streams::is_quiet() && has_results {
        let summary = outcome::summary(scenario, &folder);
        let work = current.lock();
        summary
            .lines()
            .for_each(|line| work.progress.print_note(line));
    }
    match active.failed.as_slice() {
        [] if active.short > 0 => Err(Failure::Run(format!(
            "{}: {} runs stopped early at the memory limit of {}; repeat the command with a larger \
             --memory to complete them",
            scenario.name,
            active.short,
            limit::text()
        ))),
        [] => Ok(()),
        [(run, problem), ..] => Err(Failure::Run(format!(
            "{}: {} runs failed; run {run}: {problem}",
            scenario.name,
            active.failed.len()
        ))),
    }
}

/// The indices of unfinished runs, the most costly first, so that none of them starts last.
pub(crate) fn missing(scenario: &Scenario, is_done: impl Fn(&str) -> bool) -> Vec<usize> {
    let mut seen = FxHashSet::default();
    let mut todo: Vec<usize> = (0..scenario.runs.len())
        .filter(|i| {
            let id = &scenario.runs[*i].id;
            !is_done(id) && seen.insert(id)
        })
        .collect();
    let cost = |run: &usize| scenario.points[scenario.runs[*run].point].run.cost().events;
    todo.sort_by(|a, b| cost(b).total_cmp(&cost(a)));
    todo
}

/// Executes one run and stores its output. A run that lacks memory and is not `alone` is postponed
/// until it can run alone.
fn carry_out(scenario: &Scenario, place: usize, current: &Current, alone: bool) {
    let is_broken = |active: &Active| active.broken.is_some();
    {
        let mut work = current.lock();
        if work.active.as_ref().is_none_or(is_broken) {
            return;
        }
        work.progress.starts(scenario, place);
    }
    let run = &scenario.runs[place];
    let result = scenario.points[run.point].run.run(run.seed);
    let mut guard = current.lock();
    let Work {
        progress, active, ..
    } = &mut *guard;
    let Some(active) = active else {
        return;
    };
    match result {
        Ok(outcome) if outcome.is_short_of_memory() && !alone => active.again.push(place),
        Ok(outcome) => {
            active.short += usize::from(outcome.is_short_of_memory());
            for note in &outcome.notes {
                if active.noted.insert(note.clone()) {
                    progress.print_note(&format!("{}, run {}: {note}", scenario.name, run.id));
                }
            }
            let line = active
                .is_json
                .then(|| outcome::json(scenario, place, &outcome));
            let stored = active.store.add(&run.id, outcome);
            let printed = stored.and_then(|()| match line {
                Some(line) => streams::print_line(line).map_err(std::io::Error::other),
                None => Ok(()),
            });
            match printed.and_then(|()| active.draw_if_due(scenario)) {
                Ok(()) => progress.done(scenario, place),
                Err(error) => active.broken = Some(error),
            }
        }
        Err(problem) => {
            progress.print_note(&format!("{}, run {}: {problem}", scenario.name, run.id));
            progress.done(scenario, place);
            active.failed.push((run.id.clone(), problem));
        }
    }
}

/// Refuses results in `folder` that were changed after their run.
///
/// # Errors
/// The first changed file; those of reading the manifest.
pub fn verify(folder: &Path) -> Result<(), Failure> {
    use dhtlab_analysis::Error::{Changed, Manifest, Read};

    dhtlab_analysis::verify(folder).map_err(|error| match error {
        error @ (Changed { .. } | Manifest { .. } | Read { .. }) => {
            Failure::Input(error.to_string())
        }
        error => Failure::Run(error.to_string()),
    })
}

/// Writes the summary of the results in `folder` and draws its figures; returns their paths.
pub(crate) fn analyse(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    analyse_with(folder, Formats::default())
}

/// [`analyse`], with figures in these formats.
pub(super) fn analyse_with(folder: &Path, formats: Formats) -> Result<Vec<PathBuf>, Failure> {
    let fault = |error: dhtlab_analysis::Error| Failure::Run(error.to_string());
    dhtlab_analysis::summarise(folder).map_err(fault)?;
    dhtlab_analysis::draw_in(folder, formats).map_err(fault)
}

/// Executes the run named `id` and prints its metrics.
pub(super) fn only(scenarios: &[Scenario], id: &str) -> Result<(), Failure> {
    for scenario in scenarios {
        let Some(run) = scenario.runs.iter().find(|run| run.id == id) else {
            continue;
        };
        overview::refuse_too_large(scenario)?;
        for Facts { file, line, .. } in scenario.facts() {
            streams::print_note(format_args!("{file}: {line}"));
        }
        let outcome = scenario.points[run.point].run.run(run.seed);
        let outcome = outcome.map_err(|problem| Failure::Run(format!("run {id}: {problem}")))?;
        outcome.notes.iter().for_each(streams::print_note);
        for (metric, value) in scenario.experiment.metrics().iter().zip(&outcome.metrics) {
            streams::print_line(format_args!("{} {value}", metric.name))?;
        }
        if outcome.is_short_of_memory() {
            let why = format!(
                "run {id} stopped early at the memory limit of {}",
                limit::text()
            );
            return Err(Failure::Run(why));
        }
        return Ok(());
    }
    Err(Failure::Input(format!(
        "--only {id}: no run has this name; the column `run` of runs.csv lists the names"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::JOURNAL;
    use dhtlab_core::engine::Seed;
    use dhtlab_core::parameter::{Section, Table};
    use dhtlab_scenario::{Column, Cost, Experiment, Overrides, Run, RunOutput, Source, TableSpec};
    use std::process::{Command, Stdio};
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    dhtlab_scenario::columns! {
        METRICS, fn metrics(place: u32) {
            /// The number of the run.
            number [""] = place,
        }
    }

    /// Two runs end, the third takes long, the fourth panics.
    struct Faulty;

    static RUNS: AtomicU32 = AtomicU32::new(0);

    impl Experiment for Faulty {
        fn name(&self) -> &'static str {
            "faulty"
        }
        fn doc(&self) -> &'static str {
            "panics"
        }
        fn sections(&self) -> Vec<Section> {
            Vec::new()
        }
        fn metrics(&self) -> &'static [Column] {
            METRICS
        }
        fn tables(&self) -> &'static [TableSpec] {
            &[]
        }
        fn prepare(&self, _: &Table<'_>, _: &Path) -> Result<Box<dyn Run>, ConfigError> {
            Ok(Box::new(Self))
        }
    }

    impl Run for Faulty {
        fn resolved(&self) -> dhtlab_core::parameter::Map {
            dhtlab_core::parameter::Map::new()
        }
        fn cost(&self) -> Cost {
            Cost::default()
        }
        fn run(&self, _: Seed) -> Result<RunOutput, ConfigError> {
            let number = 1 + RUNS.fetch_add(1, Ordering::SeqCst);
            if number == 3 {
                std::thread::sleep(Duration::from_secs(300));
            }
            assert!(number < 3, "of two\nlines");
            Ok(RunOutput {
                metrics: metrics(number),
                ..RunOutput::default()
            })
        }
    }

    /// The environment variable that marks the panicking process of this test; its value is the
    /// folder.
    const CHILD: &str = "DHTLAB_TEST_OF_PANICS";

    /// The process waits neither for the other thread nor for a message that cannot be written.
    #[test]
    fn a_panic_ends_the_process_and_keeps_finished_runs() {
        if let Some(folder) = std::env::var_os(CHILD) {
            let text = "experiment = \"faulty\"\nrepetitions = 9\n";
            let source = Source::parse(Path::new("s.toml"), text).expect("TOML");
            let scenario =
                Scenario::read(source, &Overrides::default(), &[&Faulty]).expect("valid");
            streams::end_at_panics();
            let mode = Mode {
                jobs: Some(2),
                ..Mode::default()
            };
            let ended = all(&[scenario], Path::new(&folder), &mode);
            unreachable!("it ended: {ended:?}");
        }
        let name = "cli::run::tests::a_panic_ends_the_process_and_keeps_finished_runs";
        for full in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let told = folder.path().join("stderr");
            let stderr = match full {
                true => std::fs::File::options().write(true).open("/dev/full"),
                false => std::fs::File::create(&told),
            };
            let Ok(stderr) = stderr else {
                continue;
            };
            let started = Instant::now();
            let status = Command::new(std::env::current_exe().expect("a path"))
                .args(["--exact", name, "--nocapture"])
                .env(CHILD, folder.path())
                .stdout(Stdio::null())
                .stderr(stderr)
                .status()
                .expect("it starts");
            assert_eq!(status.code(), Some(101));
            assert!(started.elapsed() < Duration::from_secs(100), "it waited");
            let journal = std::fs::read_to_string(folder.path().join("s").join(JOURNAL));
            assert_eq!(journal.expect("a journal").lines().count(), 2);
            if !full {
                let told = std::fs::read_to_string(&told).expect("a file");
                let errors = told.lines().filter(|line| line.starts_with("error: "));
                let errors: Vec<&str> = errors.collect();
                let [line] = errors.as_slice() else {
                    panic!("{told}");
                };
                assert!(
                    line.starts_with(
                        "error: internal error of dhtlab at sim/command/src/cli/run.rs:"
                    ) && line.ends_with(": of two lines; finished runs are saved"),
                    "{line}"
                );
            }
        }
    }
}
