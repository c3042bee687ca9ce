//! Parameters of jobs and of the nodes that run them.

use super::tasks::{Genetic, MarkovChain, Pi, Preimage, Task, TaskKind, WordCount};
use crate::engine::{Duration, Seed};
use crate::parameter::{ConfigError, NamedFile, Parameters, Table};
use crate::space::Key;
use std::ops::Range;
use std::path::Path;

crate::choices! {
    /// Distribution of atoms to their roots.
    pub enum Dispatch {
        /// All atoms with the same next hop in one message, from node to node, as on the slides.
        Fingers = "fingers",
        /// One routed message per atom.
        None = "none",
        /// As in the published code: one message with all atoms is forwarded to random nodes, and each node keeps its own atoms.
        Walk = "walk",
    }
}

crate::choices! {
    /// Whether tasks are executed.
    pub enum Compute {
        /// Tasks are executed, and the job has a result.
        Real = "real",
        /// Tasks only take virtual time, and the job has no result.
        Modelled = "modelled",
    }
}

crate::choices! {
    /// The time that an atom takes.
    pub enum Cost {
        /// Its samples, divided by the speed of the node.
        Samples = "samples",
        /// The effort that the task states, in samples, divided by the speed: a search ends with its find, a chain has steps that are discarded, an island ends at the maximum, and a word has its length.
        Stated = "stated",
    }
}

crate::choices! {
    /// The execution model: messages or ticks.
    pub enum Model {
        /// Nodes exchange messages.
        Messages = "messages",
        /// Nodes execute their atoms in ticks, as in `experiment = "balance"`, without messages or latency.
        Ticks = "ticks",
    }
}

crate::choices! {
    /// The distribution of node speeds.
    pub enum SpeedDistribution {
        /// All equal.
        Homogeneous = "homogeneous",
        /// A whole multiple of `nodes.speed`, uniform from 1 to `nodes.fastest`.
        Uniform = "uniform",
    }
}

crate::parameters! {
    /// A job that the nodes run: ChordReduce on any overlay.
    pub struct JobParameters {
        /// The task of the job.
        pub kind: TaskKind = TaskKind::Pi;
        /// The execution model: messages, or ticks, which give neither a result nor message counts.
        pub model: Model = Model::Messages;
        /// Number of samples: points, candidate numbers, children, or steps; word-count uses the words of the text instead.
        pub samples: u64 = 10_000_000, within 1.0..=1e15;
        /// Number of atoms into which the samples are split.
        pub atoms: u32 = 500, within 1..=10_000_000;
        /// Number of replicas of an atom, including its root.
        pub replicas: usize = 2, within 1..=64;
        /// Distribution of atoms to their roots.
        pub bundle: Dispatch = Dispatch::Fingers;
        /// Time for which a node collects results before it reduces and forwards them.
        pub reduce_wait: Duration = Duration::from_millis(100);
        /// Whether tasks are executed.
        pub compute: Compute = Compute::Real;
        /// The time that an atom takes: by its samples, or by the effort that the task states.
        pub cost: Cost = Cost::Samples;
        /// Time at which the job is staged.
        pub start: Duration = Duration::ZERO;
        /// Time between two replica checks of a node.
        pub repair: Duration = Duration::from_secs(5), within crate::parameter::Range::above(0.0);
        /// Time without new results after which missing results are requested again.
        pub patience: Duration = Duration::from_secs(30), within crate::parameter::Range::above(0.0);
        /// The text file of word-count, relative to the folder of the scenario.
        pub text: String = String::new();
        /// SHA-1 of the text, in hex. A resolved scenario contains it, so that a changed text gives another run; a given value must match the text.
        pub text_content: Option<String> = None;
    }
}

crate::parameters! {
    /// The capacity of nodes, in virtual time.
    pub struct NodeParameters {
        /// Samples per second; bytes per second for a job over files.
        pub speed: f64 = 1_000_000.0, within crate::parameter::Range::above(0.0);
        /// The distribution of node speeds.
        pub speed_distribution: SpeedDistribution = SpeedDistribution::Homogeneous;
        /// Speed of the fastest nodes as a multiple of `speed`, with `speed-distribution = "uniform"`.
        pub fastest: u64 = 10, within 1..=1_000_000;
        /// Processing time of a service message; a node processes one message at a time.
        pub handling_time: Duration = Duration::ZERO;
    }
}

impl JobParameters {
    /// The range of sample numbers of an atom, of `samples` in all; ranges differ in length by at
    /// most one.
    pub fn share_of(&self, atom: u32, samples: u64) -> Range<u64> {
        let first =
            |atom: u32| (u128::from(samples) * u128::from(atom) / u128::from(self.atoms)) as u64;
        first(atom)..first(atom + 1)
    }
}

impl NodeParameters {
    /// The mean speed of the nodes, in samples per second.
    pub fn mean_speed(&self) -> f64 {
        match self.speed_distribution {
            SpeedDistribution::Homogeneous => self.speed,
            SpeedDistribution::Uniform => self.speed * (1.0 + self.fastest as f64) / 2.0,
        }
    }

    /// The speed of the nodes of `site`, in samples per second.
    pub fn speed_of(&self, site: u32, seed: Seed) -> f64 {
        match self.speed_distribution {
            SpeedDistribution::Homogeneous => self.speed,
            SpeedDistribution::Uniform => {
                let mut stream = seed.stream("speeds", site.into());
                self.speed * (1 + stream.below(self.fastest)) as f64
            }
        }
    }
}

/// A job, validated.
#[derive(Clone, Debug)]
pub struct JobSpecification {
    /// The table `job`.
    pub parameters: JobParameters,
    /// The text of word-count.
    text: Option<WordCount>,
}

impl JobSpecification {
    /// Reads and validates the table `job` and the text file that it names; `folder` is that of the
    /// scenario.
    ///
    /// # Errors
    /// The first key that is wrong: a text that is missing, not UTF-8 or without words, or more
    /// atoms than samples.
    pub fn read(table: &Table<'_>, folder: &Path) -> Result<Self, ConfigError> {
        let parameters = JobParameters::read(table)?;
        let mut specification = Self {
            parameters,
            text: None,
        };
        let parameters = &mut specification.parameters;
        if parameters.kind.needs_files() {
            let message = format_args!(
                "\"{}\" needs files: expected `job.input` = \"file\"",
                parameters.kind.as_str()
            );
            return Err(ConfigError::new(table.path_of("kind"), message));
        }
        if parameters.kind == TaskKind::WordCount {
            let key = table.path_of("text");
            if parameters.text.is_empty() {
                return Err(ConfigError::new(key, "expected the name of a text file"));
            }
            let content = ("text-content", &mut parameters.text_content);
            let file = NamedFile::read(table, ("text", &parameters.text), content, folder)?;
            let path = file.path;
            let text = String::from_utf8(file.bytes).map_err(|_| {
                let message = format_args!("{}: expected UTF-8 text", path.display());
                ConfigError::new(&key, message)
            })?;
            let words = WordCount::new(&text);
            if words.is_empty() {
                let message = format_args!("{}: the text has no words", path.display());
                return Err(ConfigError::new(key, message));
            }
            specification.text = Some(words);
        }
        let parameters = &specification.parameters;
        if parameters.cost == Cost::Stated {
            let needs = [
                ("compute", parameters.compute == Compute::Real),
                ("model", parameters.model == Model::Messages),
            ];
            if let Some((key, _)) = needs.iter().find(|(_, is_met)| !is_met) {
                let message = "with `job.cost` = \"stated\" tasks have to be executed, by messages";
                return Err(ConfigError::new(table.path_of(key), message));
            }
        }
        let samples = specification.samples();
        if u64::from(specification.parameters.atoms) > samples {
            let message = format_args!(
                "expected at most as many atoms as samples, {samples}, found {}",
                specification.parameters.atoms
            );
            return Err(ConfigError::new(table.path_of("atoms"), message));
        }
        Ok(specification)
    }

    /// Number of samples.
    pub fn samples(&self) -> u64 {
        self.text
            .as_ref()
            .map_or(self.parameters.samples, WordCount::len)
    }

    /// The task of the job.
    pub fn task(&self, seed: Seed) -> Box<dyn Task> {
        match (self.parameters.kind, &self.text) {
            (TaskKind::WordCount, Some(text)) => Box::new(text.clone()),
            (TaskKind::Preimage, _) => {
                let mut stream = seed.stream("preimage", 0);
                Box::new(Preimage::new(self.samples(), &mut stream))
            }
            (TaskKind::Genetic, _) => Box::new(Genetic),
            (TaskKind::MarkovChain, _) => Box::new(MarkovChain),
            // Kinds that need files are refused before.
            _ => Box::new(Pi),
        }
    }

    /// The address of the job: its root stages the job and collects the results.
    pub fn address(seed: Seed) -> Key {
        Key::random(&mut seed.stream("job-address", 0))
    }
}
