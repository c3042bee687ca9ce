//! The runner of experiments on a simulated network: it builds the network from a scenario, runs it
//! through its phases, and says what to know about the result. An experiment adds its service and
//! its load ([`NetworkTask`]).

mod protocol;
mod setup;
mod trial;
mod warnings;

pub(crate) use protocol::{AnyShipped, Only, ProtocolType};
pub(crate) use setup::plan_lookups;

use crate::recorder::Recorder;
use dhtlab_core::engine::{Duration, Instant, Seed, memory};
use dhtlab_core::network::{End, Network};
use dhtlab_core::overlay::{Application, GroundTruth, ProtocolVisitor, Start};
use dhtlab_core::parameter::{ConfigError, Map};
use dhtlab_core::underlay::Facts;
use dhtlab_format::recording::{MOST_EVENTS, Recording};
use dhtlab_scenario::{Cost, NetworkScenario, Recordable, Run, RunOutput, STOPPED_FOR_MEMORY};
use trial::Trial;

/// What an experiment does with a network. All times are virtual.
pub(crate) trait NetworkTask: Clone + Send + Sync {
    /// The application on each node.
    type Application: Application;
    /// What is noted while the network runs.
    type Course: Default;

    /// What is unfinished when a run reaches its latest end.
    const UNFINISHED: &'static str;
    /// Whether a run is expected to use all rows of distances of its underlay.
    const NEEDS_ALL_ROWS: bool;
    /// Shortest trial of the phase in which the task works.
    const LEAST_TRIAL: std::time::Duration = std::time::Duration::ZERO;

    /// The network on which it runs.
    fn network(&self) -> &NetworkScenario;

    /// The resolved scenario, without `experiment`.
    fn resolved(&self) -> Map;

    /// The data that all applications share.
    fn service(&self, seed: Seed) -> <Self::Application as Application>::Shared;

    /// Hosts of nodes that the task adds itself ([`Network::join_apart`]). Their sites follow those of
    /// the nodes and of the adversary.
    fn extra_hosts(&self) -> usize {
        0
    }

    /// Runs until measuring begins.
    fn warm_up<P: GroundTruth>(
        &self,
        network: &mut Network<P, Self::Application>,
        _seed: Seed,
        _course: &mut Self::Course,
    ) -> End {
        network.run(self.network().measure_from(), false, self.max_events())
    }

    /// Measures: begins measuring and runs to the end of the load.
    fn measure<P: GroundTruth>(
        &self,
        network: &mut Network<P, Self::Application>,
        seed: Seed,
        course: &mut Self::Course,
    ) -> End;

    /// The metrics and tables of a run that has ended, and what to note of the task. `course` is what
    /// [`warm_up`](Self::warm_up) and [`measure`](Self::measure) have noted.
    fn output<P: GroundTruth>(
        &self,
        network: &mut Network<P, Self::Application>,
        seed: Seed,
        course: Self::Course,
    ) -> RunOutput;

    /// Estimated cost of a run.
    fn cost(&self) -> Cost;

    /// Cost of everything before the first event, in events.
    fn building(&self) -> f64 {
        self.network().building()
    }

    /// Expected end of a run, in seconds.
    fn lasts(&self) -> f64 {
        self.network().lasts()
    }

    /// Events expected in the first `seconds`.
    fn events_by(&self, seconds: f64) -> f64;

    /// The time from the start in which the network only keeps itself up: a trial of the rest may
    /// skip it.
    fn skippable(&self) -> Duration;

    /// The same task without the first `skipped`.
    fn without_first(&self, skipped: Duration) -> Self;

    /// See [`Run::empty_tables`].
    fn empty_tables(&self) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }

    /// Maximum number of events of a run.
    fn max_events(&self) -> u64 {
        self.network().time.max_events
    }
}

/// A run of a task on a network.
pub(crate) struct NetworkRun<T, P> {
    pub task: T,
    pub protocol: P,
}

impl<T: NetworkTask, P: ProtocolType> Run for NetworkRun<T, P> {
    fn resolved(&self) -> Map {
        self.task.resolved()
    }

    fn facts(&self) -> Option<Facts> {
        self.task.network().underlay.facts()
    }

    fn cost(&self) -> Cost {
        self.task.cost()
    }

    fn network(&self) -> Option<&NetworkScenario> {
        Some(self.task.network())
    }

    fn empty_tables(&self) -> Vec<(&'static str, &'static str)> {
        self.task.empty_tables()
    }

    fn least_trial(&self) -> f64 {
        self.task.building()
    }

    fn trial(&self, seed: Seed, budget: std::time::Duration) -> Result<Option<f64>, ConfigError> {
        let task = &self.task;
        let mut trial = Trial::new(budget);
        self.run_as(task, seed, Mode::Trial(&mut trial))?;
        let skipped = task.skippable();
        let is_past = trial.has_reached(skipped.as_secs_f64());
        if is_past || task.network().overlay.start != Start::Converged {
            let events_by = |seconds| task.events_by(seconds);
            return Ok(Some(trial.whole(
                task.lasts(),
                T::NEEDS_ALL_ROWS,
                events_by,
            )));
        }
        // The phase that is skipped and the rest differ, so each has its own trial.
        let before = trial.whole(skipped.as_secs_f64(), false, |t| task.events_by(t));
        let rest = task.without_first(skipped);
        let mut trial = Trial::new(budget.max(T::LEAST_TRIAL));
        self.run_as(&rest, seed, Mode::Trial(&mut trial))?;
        let after = trial.whole(rest.lasts(), T::NEEDS_ALL_ROWS, |t| rest.events_by(t));
        Ok(Some(before + after - trial.building()))
    }

    fn run(&self, seed: Seed) -> Result<RunOutput, ConfigError> {
        self.run_as(&self.task, seed, Mode::Plain)
    }

    fn recorded(&self) -> Result<&dyn Recordable, ConfigError> {
        self.task.network().check_recordable()?;
        Ok(self)
    }
}

impl<T: NetworkTask, P: ProtocolType> Recordable for NetworkRun<T, P> {
    fn record(&self, seed: Seed, recording: &mut Recording) -> Result<RunOutput, ConfigError> {
        self.run_as(&self.task, seed, Mode::Recorded(recording))
    }
}

impl<T: NetworkTask, P: ProtocolType> NetworkRun<T, P> {
    /// Runs `task` on the protocol of this run.
    fn run_as(&self, task: &T, seed: Seed, mode: Mode<'_>) -> Result<RunOutput, ConfigError> {
        let runner = Runner { task, seed, mode };
        self.protocol.accept(task.network(), runner)
    }
}

/// How a run is run.
enum Mode<'a> {
    Plain,
    /// Recorded event by event.
    Recorded(&'a mut Recording),
    /// As a trial, which ends after its time budget and has no output.
    Trial(&'a mut Trial),
}

/// Runs a task on the protocol of its scenario.
struct Runner<'a, T> {
    task: &'a T,
    seed: Seed,
    mode: Mode<'a>,
}

impl<T: NetworkTask> ProtocolVisitor for Runner<'_, T> {
    type Output = Result<RunOutput, ConfigError>;

    fn visit<P: GroundTruth>(self, shared: P::Shared) -> Self::Output {
        let Self { task, seed, mode } = self;
        let scenario = task.network();
        let service = task.service(seed);
        let (mut network, mut notes) =
            setup::build::<P, T::Application>(scenario, seed, shared, service, task.extra_hosts())?;
        let mut mode = mode;
        let recorder = match &mut mode {
            Mode::Plain => None,
            Mode::Recorded(_) => Some(Recorder::attach(&mut network, MOST_EVENTS)),
            Mode::Trial(trial) => {
                trial.begin(&mut network);
                None
            }
        };
        let mut course = T::Course::default();
        let mut end = task.warm_up(&mut network, seed, &mut course);
        let is_measured = end == End::Done;
        if is_measured {
            notes.extend(warnings::not_whole(&network, scenario, seed, true));
            end = task.measure(&mut network, seed, &mut course);
        }
        if end == End::Done {
            end = network.run(scenario.end(), true, task.max_events());
        }
        match mode {
            Mode::Plain => {}
            Mode::Recorded(recording) => {
                let taken = recorder.map(|recorder| recorder.borrow_mut().take(network.now()));
                *recording = taken.unwrap_or_default();
            }
            Mode::Trial(trial) => {
                trial.end(&mut network, end);
                return Ok(RunOutput::default());
            }
        }
        notes.extend(warnings::not_whole(&network, scenario, seed, false));
        notes.extend(warnings::shared_hosts(&network, scenario));
        notes.extend(warnings::slow_pairs(&mut network, scenario, seed));
        let lasted = network.now().since(Instant::START);
        notes.extend(note_of(end, lasted, task));
        if !is_measured {
            // The run ended before it was to be measured: nothing counts as measured.
            network.begin_measuring(None);
        }
        network.end_measuring();
        let mut output = task.output(&mut network, seed, course);
        notes.append(&mut output.notes);
        Ok(RunOutput { notes, ..output })
    }
}

/// The note for a run that has ended early, after `lasted`.
fn note_of<T: NetworkTask>(end: End, lasted: Duration, task: &T) -> Option<String> {
    let seconds = (lasted.as_secs_f64() * 1e3).round() / 1e3;
    match end {
        End::Done | End::Trial => None,
        End::Memory => {
            let limit = memory::limit() as f64 / 1e9;
            Some(format!(
                "{STOPPED_FOR_MEMORY}, {limit:.2} GB, at {seconds} s of virtual time"
            ))
        }
        End::Time => Some(format!(
            "stopped at time.max, {lasted} of virtual time, with {}",
            T::UNFINISHED
        )),
        End::Events => Some(format!(
            "stopped after time.max-events, {} events, at {seconds} s of virtual time",
            task.max_events()
        )),
        End::Interrupted => Some(format!("interrupted at {seconds} s of virtual time")),
        End::Extinct => Some(format!("no member was left at {seconds} s of virtual time")),
    }
}
