//! What can be set about jobs and about the nodes that work on them.

use super::tasks::{Genetic, Kind, MarkovChain, Pi, Preimage, Task, WordCount};
use crate::engine::{Duration, Seed};
use crate::parameter::{ConfigError, NamedFile, Parameters, Table};
use crate::space::Key;
use std::ops::Range;
use std::path::Path;

crate::choices! {
    /// How atoms come to their nodes.
    pub enum Dispatch {
        /// All for one next hop together, by one node after the other, as the slides show.
        Fingers = "fingers",
        /// Each on its own, routed.
        None = "none",
        /// As coded: all together from one random node to the next, each of which keeps its own.
        Walk = "walk",
    }
}

crate::choices! {
    /// Whether the work is done.
    pub enum Compute {
        /// It is, so that the result is one.
        Real = "real",
        /// It takes its time and gives nothing.
        Modelled = "modelled",
    }
}

crate::choices! {
    /// Whether a network lives.
    pub enum Model {
        /// It does: nodes speak to each other.
        Messages = "messages",
        /// Nodes work their atoms off in ticks, as in `experiment = "balance"`, without messages or latency.
        Ticks = "ticks",
    }
}

crate::choices! {
    /// How fast nodes are.
    pub enum SpeedDistribution {
        /// All alike.
        Homogeneous = "homogeneous",
        /// A whole number of times `nodes.speed`, uniform from 1 to `nodes.fastest`.
        Uniform = "uniform",
    }
}

crate::parameters! {
    /// A job that the nodes work on: ChordReduce on whatever overlay is below.
    pub struct JobParameters {
        /// What is computed.
        pub kind: Kind = Kind::Pi;
        /// Whether a network lives, or nodes work their atoms off in ticks; then neither result nor messages come out.
        pub model: Model = Model::Messages;
        /// Samples: points, numbers to try, children, steps; for word-count the words of the text, whatever stands here.
        pub samples: u64 = 10_000_000, within 1.0..=1e15;
        /// Atoms into which they are cut.
        pub atoms: u32 = 500, within 1..=10_000_000;
        /// Nodes that hold an atom, its root included.
        pub replicas: usize = 2, within 1..=64;
        /// How atoms come to their nodes.
        pub bundle: Dispatch = Dispatch::Fingers;
        /// How long a node gathers results before it sends them on, reduced.
        pub reduce_wait: Duration = Duration::from_millis(100);
        /// Whether the work is done.
        pub compute: Compute = Compute::Real;
        /// When it is staged.
        pub start: Duration = Duration::ZERO;
        /// Time between two looks of a node after the copies of what it holds.
        pub repair: Duration = Duration::from_secs(5), within crate::parameter::Range::above(0.0);
        /// Time in which nothing comes in after which missing results are asked for.
        pub patience: Duration = Duration::from_secs(30), within crate::parameter::Range::above(0.0);
        /// The text file of word-count, from the folder of the scenario.
        pub text: String = String::new();
        /// SHA-1 of the text, in hex. A resolved scenario has it, so that a changed text is another run; where it is given, the text must match.
        pub text_content: Option<String> = None;
    }
}

crate::parameters! {
    /// What nodes can do: virtual time only.
    pub struct NodeParameters {
        /// Samples a second.
        pub speed: f64 = 1_000_000.0, within crate::parameter::Range::above(0.0);
        /// How fast nodes are.
        pub speed_distribution: SpeedDistribution = SpeedDistribution::Homogeneous;
        /// How many times as fast the fastest ones are, with `speed-distribution = "uniform"`.
        pub fastest: u64 = 10, within 1..=1_000_000;
        /// Time that handling a message of a service takes; a node handles one after the other.
        pub handling_time: Duration = Duration::ZERO;
    }
}

impl JobParameters {
    /// The numbers of the samples of an atom, of `samples` in all: shares differ by at most one.
    pub fn share_of(&self, atom: u32, samples: u64) -> Range<u64> {
        let first =
            |atom: u32| (u128::from(samples) * u128::from(atom) / u128::from(self.atoms)) as u64;
        first(atom)..first(atom + 1)
    }
}

impl NodeParameters {
    /// The samples a second of the nodes of `site`.
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

/// A job, read and checked.
#[derive(Clone, Debug)]
pub struct JobSpecification {
    /// What stands in the table `job`.
    pub parameters: JobParameters,
    /// The text of word-count.
    text: Option<WordCount>,
}

impl JobSpecification {
    /// Reads the table `job` and the text that it names; `folder` is that of the scenario.
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
        if parameters.kind == Kind::WordCount {
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
                let message = format_args!("{}: there is no word in it", path.display());
                return Err(ConfigError::new(key, message));
            }
            specification.text = Some(words);
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

    /// How many samples there are.
    pub fn samples(&self) -> u64 {
        self.text
            .as_ref()
            .map_or(self.parameters.samples, WordCount::len)
    }

    /// What is to be done.
    pub fn task(&self, seed: Seed) -> Box<dyn Task> {
        match (self.parameters.kind, &self.text) {
            (Kind::WordCount, Some(text)) => Box::new(text.clone()),
            (Kind::Pi | Kind::WordCount, _) => Box::new(Pi),
            (Kind::Preimage, _) => {
                let mut stream = seed.stream("preimage", 0);
                Box::new(Preimage::new(self.samples(), &mut stream))
            }
            (Kind::Genetic, _) => Box::new(Genetic),
            (Kind::MarkovChain, _) => Box::new(MarkovChain),
        }
    }

    /// The address of the job: its root stages it, and there results come in.
    pub fn address(seed: Seed) -> Key {
        Key::random(&mut seed.stream("job-address", 0))
    }
}
