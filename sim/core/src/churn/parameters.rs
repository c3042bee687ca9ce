//! Parameters of churn, and the plan that follows from them.

use super::{
    Change, ChurnPlan, FailureParameters, PerSecondParameters, Presence, RateParameters,
    SessionParameters, Trace, TraceParameters, failures, per_second, rates, sessions,
};
use crate::engine::{Duration, Instant, Seed};
use crate::parameter::Value;
use crate::parameter::{ConfigError, NamedFile, Parameters, Section, Table};
use std::path::Path;

crate::choices! {
    /// The churn model.
    pub enum Model {
        /// No churn.
        None = "none",
        /// Sessions and absences of each participant.
        Sessions = "sessions",
        /// Joins and departures of random nodes at given rates.
        Rates = "rates",
        /// Each node fails with a probability per second.
        PerSecond = "per-second",
        /// A fraction of all nodes fails at once.
        Failures = "failures",
        /// Joins and departures from a file.
        Trace = "trace",
    }
}

crate::choices! {
    /// The kind of a departure.
    pub enum Departure {
        /// It crashes without notice.
        Crash = "crash",
        /// It leaves gracefully: it notifies its peers first.
        Leave = "leave",
    }
}

crate::choices! {
    /// The ID of a participant that joins again.
    pub enum Rejoin {
        /// With a new random ID.
        NewId = "new-id",
        /// With its first ID.
        SameId = "same-id",
    }
}

crate::choices! {
    /// The state of a participant that rejoins with the same ID.
    pub enum RejoinState {
        /// Nothing: it joins as a new node.
        Lost = "lost",
        /// Everything: its routing tables and its stored items.
        Kept = "kept",
    }
}

crate::parameters! {
    /// Joins, leaves and crashes while the network runs.
    pub struct ChurnParameters {
        /// The model; its parameters are in the table of the same name.
        pub model: Model = Model::None;
        /// The kind of departures.
        pub departure: Departure = Departure::Crash;
        /// The ID of a participant that rejoins; with the same ID it is the same node to all others.
        pub rejoin: Rejoin = Rejoin::NewId;
        /// Whether a node that rejoins with the same ID keeps its state; "lost" is the usual assumption of simulations.
        pub state: RejoinState = RejoinState::Lost;
        /// Start of churn; if absent, the start of the run, or with `start = "join"` the time when all nodes have joined.
        pub begin: Option<Duration> = None;
    }
}

/// The parameters of the chosen model.
#[derive(Clone, Debug, PartialEq)]
enum ModelParameters {
    None,
    Sessions(SessionParameters),
    Rates(RateParameters),
    PerSecond(PerSecondParameters),
    Failures(FailureParameters),
    Trace(TraceParameters, Trace),
}

/// The churn of a scenario, validated.
#[derive(Clone, Debug, PartialEq)]
pub struct Churn {
    /// The parameters that all models share.
    pub parameters: ChurnParameters,
    model: ModelParameters,
    nodes: usize,
}

/// The population at the start, with its churn plan.
pub struct InitialPopulation {
    /// The participants online at the start, ascending.
    pub here: Vec<u32>,
    /// The churn from then on.
    pub plan: ChurnPlan,
}

impl Default for Churn {
    /// No churn.
    fn default() -> Self {
        Self {
            parameters: ChurnParameters::default(),
            model: ModelParameters::None,
            nodes: 0,
        }
    }
}

impl Churn {
    /// The tables of churn in a scenario file.
    pub fn sections() -> Vec<Section> {
        vec![
            Section::of::<ChurnParameters>("churn"),
            Section::of::<SessionParameters>("churn.sessions"),
            Section::of::<RateParameters>("churn.rates"),
            Section::of::<PerSecondParameters>("churn.per-second"),
            Section::of::<FailureParameters>("churn.failures"),
            Section::of::<TraceParameters>("churn.trace"),
        ]
    }

    /// Reads and validates the table `churn` for a network of `nodes` nodes that runs for
    /// `duration`; `folder` is that of the scenario.
    ///
    /// # Errors
    /// The first key that is wrong, or that certainly empties the network.
    pub fn read(
        table: &Table<'_>,
        folder: &Path,
        nodes: usize,
        duration: Duration,
    ) -> Result<Self, ConfigError> {
        let parameters = ChurnParameters::read(table)?;
        let own = table.sub(parameters.model.as_str())?;
        let model = match parameters.model {
            Model::None => ModelParameters::None,
            Model::Sessions => ModelParameters::Sessions(Parameters::read(&own)?),
            Model::Rates => ModelParameters::Rates(Parameters::read(&own)?),
            Model::PerSecond => ModelParameters::PerSecond(Parameters::read(&own)?),
            Model::Failures => ModelParameters::Failures(Parameters::read(&own)?),
            Model::Trace => {
                let mut trace = TraceParameters::read(&own)?;
                let key = own.path_of("file");
                if trace.file.is_empty() {
                    return Err(ConfigError::new(key, "expected the name of a file"));
                }
                let content = ("content", &mut trace.content);
                let file = NamedFile::read(&own, ("file", &trace.file), content, folder)?;
                let read = Trace::read(&file, nodes);
                let read = read.map_err(|message| ConfigError::new(key, message))?;
                ModelParameters::Trace(trace, read)
            }
        };
        if parameters.state == RejoinState::Kept && parameters.rejoin == Rejoin::NewId {
            let message = "the state of a node with another ID has no effect; expected \
                           `churn.rejoin = \"same-id\"` beside it";
            return Err(ConfigError::new(table.path_of("state"), message));
        }
        let churn = Self {
            parameters,
            model,
            nodes,
        };
        churn.check(duration)?;
        Ok(churn)
    }

    fn check(&self, duration: Duration) -> Result<(), ConfigError> {
        let empties = |key: &str, when: &str| {
            let message = format!("this removes all {} nodes {when}", self.nodes);
            Err(ConfigError::new(key, message))
        };
        match &self.model {
            ModelParameters::Failures(failures)
                if failures::failed_nodes(failures, self.nodes) == self.nodes =>
            {
                empties("churn.failures.fraction", "at once")
            }
            ModelParameters::PerSecond(churn) if churn.probability >= 1.0 => {
                empties("churn.per-second.probability", "in a second")
            }
            ModelParameters::Rates(rates) => {
                let net = rates.departures() - rates.joins;
                let seconds = self.nodes as f64 / net;
                if net > 0.0 && seconds < duration.as_secs_f64() {
                    return empties("churn.rates.leaves", &format!("in about {seconds:.0} s"));
                }
                Ok(())
            }
            ModelParameters::Sessions(sessions)
                if sessions.measured.is_some() && sessions.median.is_some() =>
            {
                let message = "expected either `median` or `measured`";
                Err(ConfigError::new("churn.sessions.median", message))
            }
            ModelParameters::Sessions(sessions) => {
                let (up, down) = sessions.distributions();
                for (key, spans) in [("up", up), ("down", down)] {
                    let is_infinite = spans.mean().is_infinite();
                    if sessions.presence == Presence::Equilibrium && is_infinite {
                        let message = "a Pareto of shape 1 or below has no mean, so that there is \
                                       no equilibrium to begin with; expected a shape above 1, or \
                                       `presence = \"all\"`";
                        return Err(ConfigError::new(format!("churn.sessions.{key}"), message));
                    }
                }
                match up.constant() {
                    _ if up.mean() <= 0.0 => empties("churn.sessions.up", "at once"),
                    // Participants that start together with sessions of equal length end together.
                    Some(up) if sessions.presence == Presence::All && up < duration => {
                        empties("churn.sessions.up", &format!("after {up}"))
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Whether there is any churn.
    pub fn is_some(&self) -> bool {
        self.parameters.model != Model::None
    }

    /// Whether nodes join.
    pub fn joins(&self) -> bool {
        match &self.model {
            ModelParameters::None | ModelParameters::Failures(_) => false,
            ModelParameters::Rates(rates) => rates.joins > 0.0,
            ModelParameters::Trace(_, trace) => trace.joins(),
            ModelParameters::Sessions(_) | ModelParameters::PerSecond(_) => true,
        }
    }

    /// Expected joins per second, where the model gives them.
    pub fn joins_per_s(&self) -> f64 {
        match &self.model {
            ModelParameters::Rates(rates) => rates.joins,
            ModelParameters::PerSecond(churn) => {
                churn.probability * churn.presence() * self.nodes as f64
            }
            _ => 0.0,
        }
    }

    /// Mean growth of the network in nodes per second, where the model gives it.
    pub fn growth_per_s(&self) -> f64 {
        match &self.model {
            ModelParameters::Rates(rates) => rates.joins - rates.departures(),
            _ => 0.0,
        }
    }

    /// Number of sites: one for each participant known in advance. More participants join where the
    /// network grows by rates.
    pub fn sites(&self) -> usize {
        match &self.model {
            ModelParameters::Trace(_, trace) => trace.participants(),
            _ => self.nodes,
        }
    }

    /// Whether there may be more participants than [`sites`](Self::sites).
    pub fn grows(&self) -> bool {
        matches!(&self.model, ModelParameters::Rates(rates) if rates.joins > 0.0)
    }

    /// Expected maximum number of nodes online until `end`, in a network that is complete at about
    /// `settled`, and the key that causes it.
    pub fn peak(&self, settled: Instant, end: Instant) -> (usize, &'static str) {
        match &self.model {
            ModelParameters::Trace(_, trace) => (trace.peak(), "churn.trace.file"),
            ModelParameters::Rates(rates) => {
                let seconds = end.since(self.begin(settled)).as_secs_f64();
                let more = (rates.joins - rates.departures()).max(0.0) * seconds;
                (self.nodes + more as usize, "churn.rates.joins")
            }
            _ => (self.nodes, "overlay.nodes"),
        }
    }

    /// Standard deviation of the number of nodes that rates of joins and departures leave to chance
    /// until `end`; 0 for other models. An upper bound where the network cannot shrink further.
    pub fn deviation(&self, settled: Instant, end: Instant) -> f64 {
        match &self.model {
            ModelParameters::Rates(rates) => {
                let seconds = end.since(self.begin(settled)).as_secs_f64();
                ((rates.joins + rates.departures()) * seconds).sqrt()
            }
            _ => 0.0,
        }
    }

    /// Notes for the user before a run: what of a trace file has an effect in a network that is
    /// complete at about `settled` and runs until `end`.
    pub fn notes(&self, settled: Instant, end: Instant) -> Vec<String> {
        match &self.model {
            ModelParameters::Trace(parameters, trace) => {
                trace.notes(&parameters.file, self.begin(settled), end)
            }
            _ => Vec::new(),
        }
    }

    /// When churn begins in a network that is complete at about `settled`.
    fn begin(&self, settled: Instant) -> Instant {
        match self.parameters.begin {
            Some(begin) => Instant::START + begin,
            None => settled,
        }
    }

    /// The plan for a network that is complete at about `settled` and measured from `measured` on.
    pub fn plan(&self, settled: Instant, measured: Instant, seed: Seed) -> InitialPopulation {
        let all = (0..self.nodes as u32).collect();
        let begin = self.begin(settled);
        let change = match self.parameters.departure {
            Departure::Crash => Change::Crash,
            Departure::Leave => Change::Leave,
        };
        let stream = seed.stream("churn", 0);
        let nodes = self.nodes;
        let (here, plan): (Vec<u32>, ChurnPlan) = match &self.model {
            ModelParameters::None => (all, Box::new(std::iter::empty())),
            ModelParameters::Sessions(sessions) => {
                sessions::plan(sessions, nodes, change, begin, seed)
            }
            ModelParameters::Rates(rates) => {
                (all, rates::plan(rates, nodes, change, begin, stream))
            }
            ModelParameters::PerSecond(churn) => {
                let plan = per_second::plan(churn.clone(), nodes, change, begin, stream);
                (all, plan)
            }
            ModelParameters::Failures(failures) => {
                let at = failures.at.map_or(measured, |at| Instant::START + at);
                (all, failures::plan(failures, nodes, change, at, stream))
            }
            ModelParameters::Trace(_, trace) => (all, trace.plan(begin)),
        };
        InitialPopulation { here, plan }
    }

    /// Every key with its value, nested as in a scenario file.
    pub fn write(&self) -> crate::parameter::Map {
        let mut table: crate::parameter::Map = self.parameters.write().into_iter().collect();
        let own = match &self.model {
            ModelParameters::None => {
                table.retain(|key, _| key == "model");
                return table;
            }
            ModelParameters::Sessions(own) => own.write(),
            ModelParameters::Rates(own) => own.write(),
            ModelParameters::PerSecond(own) => own.write(),
            ModelParameters::Failures(own) => own.write(),
            ModelParameters::Trace(own, _) => own.write(),
        };
        table.insert(
            self.parameters.model.as_str().to_owned(),
            Value::Table(own.into_iter().collect()),
        );
        table
    }
}
