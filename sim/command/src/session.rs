//! Running a scenario inside another program: what [`main_with`](crate::main_with) does, without a terminal.

use crate::lock::Lock;
use crate::store::{self, Store};
use crate::{Failure, cli};
use dhtlab_core::engine::interruption;
use dhtlab_core::parameter::ConfigError;
use dhtlab_format::manifest::MANIFEST;
use dhtlab_scenario::{RunOutput, Scenario};
use rayon::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

/// Time between two calls of [`Watch::goes_on`] while no run finishes.
const LOOK: Duration = Duration::from_millis(50);

/// Held by the session that runs: a request to end runs is for all runs of the process.
static RUNNING: Mutex<()> = Mutex::new(());

/// What is told to the program while runs finish.
pub trait Watch {
    /// A run has finished: number of finished and of all runs.
    fn finished(&mut self, done: usize, all: usize);

    /// Whether to go on; called regularly. Otherwise the runs in flight end early, without results.
    fn goes_on(&mut self) -> bool;
}

/// The finished runs of a scenario.
pub struct Finished {
    /// Each with its index in `scenario.runs`, ascending.
    pub runs: Vec<(usize, RunOutput)>,
    /// Whether [`Watch::goes_on`] has ended it before all runs were finished.
    pub is_interrupted: bool,
}

/// Runs `scenario`, `jobs` runs at a time (as many as there are cores, if none). With `out`, results are
/// files in a folder of this one, as those of the command, and runs that are finished there are not
/// repeated. One session runs at a time; another one waits.
///
/// # Errors
/// A scenario that does not fit in memory, a folder that cannot be used, the first run that fails; what is
/// finished by then is in the folder.
pub fn run(
    scenario: &Scenario,
    out: Option<&Path>,
    jobs: Option<u16>,
    watch: &mut dyn Watch,
) -> Result<Finished, Failure> {
    cli::refuse_too_large(scenario)?;
    let Some(_running) = turn(watch) else {
        return Ok(Finished {
            runs: Vec::new(),
            is_interrupted: true,
        });
    };
    cli::set_memory_limit();
    let folder = out.map(|out| out.join(scenario.folder_name()));
    let mut lock = None;
    let mut store = None;
    if let Some(folder) = &folder {
        let taken = Lock::take(folder).map_err(|error| store::cannot_write(folder, &error))?;
        lock = Some(taken);
        refuse_other_experiment(folder, scenario)?;
        store = Some(Store::open(folder, scenario)?);
    }
    let mut runs: Vec<Option<RunOutput>> = vec![None; scenario.runs.len()];
    if let Some(store) = &store {
        for (run, planned) in runs.iter_mut().zip(&scenario.runs) {
            *run = store.outcome(&planned.id).cloned();
        }
    }
    let todo = cli::missing(scenario, |id| {
        store.as_ref().is_some_and(|store| store.has(id))
    });
    let threads = jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Failure::Run(format!("cannot start threads: {error}")))?;
    interruption::request(false);
    let all = scenario.runs.len();
    let mut done = runs.iter().flatten().count();
    let mut failed: Option<Failure> = None;
    let mut is_interrupted = false;
    std::thread::scope(|scope| {
        let (send, receive) = channel::<(usize, Result<RunOutput, ConfigError>)>();
        let (pool, todo) = (&pool, &todo);
        scope.spawn(move || {
            let send = Mutex::new(send);
            pool.install(|| {
                todo.par_iter().with_max_len(1).for_each(|run| {
                    if interruption::is_requested() {
                        return;
                    }
                    let planned = &scenario.runs[*run];
                    let run_it = || scenario.points[planned.point].run.run(planned.seed);
                    // A bug in one run does not lose the others.
                    let result = catch_unwind(AssertUnwindSafe(run_it))
                        .unwrap_or_else(|_| Err(ConfigError::new("", "internal error of dhtlab")));
                    // A run that was interrupted has no result.
                    if !interruption::is_requested()
                        && let Ok(send) = send.lock()
                    {
                        let _ = send.send((*run, result));
                    }
                });
            });
        });
        loop {
            match receive.recv_timeout(LOOK) {
                Ok((run, Ok(mut outcome))) => {
                    let id = &scenario.runs[run].id;
                    scenario
                        .header
                        .tables
                        .trim(&mut outcome, scenario.experiment);
                    if outcome.is_short_of_memory() {
                        let why = format!("run {id}: {}", outcome.notes.join("; "));
                        failed.get_or_insert(Failure::Run(why));
                        interruption::request(true);
                        continue;
                    }
                    if let Some(store) = &mut store
                        && let Err(error) = store.add(id, outcome.clone())
                    {
                        failed.get_or_insert(Failure::Run(error.to_string()));
                        interruption::request(true);
                    }
                    // A run may be at several points of the sweep.
                    for (place, planned) in scenario.runs.iter().enumerate() {
                        if planned.id == *id && runs[place].is_none() {
                            runs[place] = Some(outcome.clone());
                            done += 1;
                        }
                    }
                    watch.finished(done, all);
                }
                Ok((run, Err(problem))) => {
                    let id = &scenario.runs[run].id;
                    failed.get_or_insert(Failure::Run(format!("run {id}: {problem}")));
                    interruption::request(true);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if !is_interrupted && !watch.goes_on() {
                is_interrupted = true;
                interruption::request(true);
            }
        }
    });
    interruption::request(false);
    if let (Some(store), Some(folder)) = (&store, &folder) {
        let written = store.write_files(scenario);
        written.map_err(|error| Failure::Run(format!("{}: {error}", folder.display())))?;
        if done > 0 && scenario.share.is_none() {
            let drawn = cli::analyse(folder);
            // A figure of a part of the runs may lack data.
            if failed.is_none() && !is_interrupted {
                drawn?;
            }
        }
    }
    drop(lock);
    match failed {
        Some(failure) => Err(failure),
        None => Ok(Finished {
            runs: runs
                .into_iter()
                .enumerate()
                .filter_map(|(run, outcome)| Some((run, outcome?)))
                .collect(),
            is_interrupted,
        }),
    }
}

/// Waits for the session that runs, if there is one; none if the program does not wait.
fn turn(watch: &mut dyn Watch) -> Option<MutexGuard<'static, ()>> {
    loop {
        match RUNNING.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => {
                return Some(PoisonError::into_inner(poisoned));
            }
            Err(TryLockError::WouldBlock) if !watch.goes_on() => return None,
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK),
        }
    }
}

/// Refuses a folder with results of another kind of experiment, which would be replaced.
fn refuse_other_experiment(folder: &Path, scenario: &Scenario) -> Result<(), Failure> {
    let Some(manifest) = store::manifest(folder)? else {
        return Ok(());
    };
    let (found, own) = (&manifest["experiment"], scenario.experiment.name());
    if *found == own {
        return Ok(());
    }
    Err(Failure::Input(format!(
        "{}: results of experiment {found}, not of \"{own}\"; choose another name or folder",
        folder.join(MANIFEST).display()
    )))
}
