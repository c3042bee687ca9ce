//! A job over files that the storage of the nodes holds (`job.input = "file"`).
//!
//! When all nodes have joined, random members put the files; at `job.start`, or when the last put has
//! ended, a random member stages the job. `file_output` has the rows.

use super::{check_balancing, insert_balancing};
use crate::runner::NetworkTask;
use dhtlab_core::engine::{Duration, Instant, Seed};
use dhtlab_core::network::{End, Network};
use dhtlab_core::overlay::{GroundTruth, Node};
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Table, Value};
use dhtlab_core::service::balancing::{BalancingParameters, BalancingRules, BalancingStrategy};
use dhtlab_core::service::file_job::{
    CorpusParameters, FileJob, FileJobShared, FileTask, Files, Input, InputParameters, Iteration,
    IterationParameters, IterationState, Locality, Mapper, Message,
};
use dhtlab_core::service::job::{JobParameters, NodeParameters, tasks::TaskKind};
use dhtlab_core::service::storage::{ReplicaPlacement, StorageParameters};
use dhtlab_scenario::{Cost, NetworkScenario, RunOutput};
use std::path::Path;
use std::sync::Arc;

/// The keys of a job over files. Other jobs read them, too, so that a wrong value is never passed over.
#[derive(Clone)]
pub(super) struct FileJobInput {
    input: InputParameters,
    corpus: CorpusParameters,
    iteration: IterationParameters,
    storage: StorageParameters,
}

impl FileJobInput {
    /// Reads the keys.
    ///
    /// # Errors
    /// The first key with a wrong kind or outside its range.
    pub(super) fn read(values: &Table<'_>) -> Result<Self, ConfigError> {
        let table = values.sub("job")?;
        Ok(Self {
            input: InputParameters::read(&table)?,
            corpus: CorpusParameters::read(&table.sub("corpus")?)?,
            iteration: IterationParameters::read(&table.sub("iteration")?)?,
            storage: StorageParameters::read(&values.sub("storage")?)?,
        })
    }

    /// Whether the job is one over files.
    pub(super) fn is_file(&self) -> bool {
        self.input.input == Input::File
    }
}

/// Bytes that the files of a job stand for at most: a message may carry them all.
const MOST_BYTES: f64 = 2e9;

/// Time after which puts that have not ended fail the run.
const PUTTING: Duration = Duration::from_secs(3600);

/// A scenario with a job over files, checked.
#[derive(Clone)]
pub(super) struct FileJobRun {
    pub(super) network: NetworkScenario,
    job: JobParameters,
    pub(super) nodes: NodeParameters,
    balancing: BalancingParameters,
    input: InputParameters,
    corpus: CorpusParameters,
    iteration: IterationParameters,
    storage: StorageParameters,
    pub(super) task: FileTask,
    /// The first state of a job in rounds.
    start: Arc<IterationState>,
    pub(super) files: Arc<Files>,
}

impl FileJobRun {
    /// Reads and checks the scenario and its files.
    ///
    /// # Errors
    /// The first key that is wrong.
    pub(super) fn read(
        network: NetworkScenario,
        keys: FileJobInput,
        values: &Table<'_>,
        folder: &Path,
    ) -> Result<Self, ConfigError> {
        let table = values.sub("job")?;
        let job = JobParameters::read(&table)?;
        let FileJobInput {
            mut input,
            corpus,
            iteration,
            storage,
        } = keys;
        let task = match job.kind {
            TaskKind::WordCount => FileTask::WordCount,
            TaskKind::Grep => FileTask::Grep,
            TaskKind::InvertedIndex => FileTask::InvertedIndex,
            TaskKind::Sort => FileTask::Sort,
            TaskKind::KMeans => FileTask::KMeans,
            TaskKind::PageRank => FileTask::PageRank,
            TaskKind::Islands => FileTask::Islands,
            other => {
                let message = format_args!(
                    "a job over files is one of \"{}\", found \"{}\"",
                    FileTask::WORDS.join("\", \""),
                    other.as_str()
                );
                return Err(ConfigError::new("job.kind", message));
            }
        };
        if task == FileTask::Grep && input.pattern.is_empty() {
            return Err(ConfigError::new(
                "job.pattern",
                "expected the bytes to search",
            ));
        }
        if storage.placement != ReplicaPlacement::Nearest {
            let message = format_args!(
                "a job over files needs \"{}\", found \"{}\"",
                ReplicaPlacement::Nearest.as_str(),
                storage.placement.as_str()
            );
            return Err(ConfigError::new("storage.placement", message));
        }
        network.check_replicas("storage.replicas", storage.replicas)?;
        network.check_replicas("job.replicas", job.replicas)?;
        let balancing = BalancingParameters::read(&values.sub("balancing")?)?;
        check_balancing(&balancing, &network, job.model)?;
        if balancing.strategy != BalancingStrategy::None && input.locality == Locality::Replica {
            let message = "a Sybil takes over the blocks of which it becomes the root: load balancing \
                           needs \"root\"";
            return Err(ConfigError::new("job.locality", message));
        }
        let moves_blocks = !matches!(
            balancing.strategy,
            BalancingStrategy::None | BalancingStrategy::VirtualNodes
        );
        if moves_blocks && storage.replicas == 1 {
            let message = "blocks move to Sybils and back, and a block with one copy may be lost on its way: \
                           load balancing needs at least 2";
            return Err(ConfigError::new("storage.replicas", message));
        }
        let files = input.read_files((task, &corpus, &iteration), &table, folder)?;
        let bytes: f64 = files.iter().map(|(_, bytes)| bytes.len() as f64).sum();
        if bytes * f64::from(storage.scale) > MOST_BYTES {
            let message = format_args!(
                "expected files that stand for at most {MOST_BYTES} bytes, found {bytes} bytes times {}",
                storage.scale
            );
            return Err(ConfigError::new("storage.scale", message));
        }
        let contents: Vec<&[u8]> = files.iter().map(|(_, bytes)| &bytes[..]).collect();
        Ok(Self {
            network,
            job,
            nodes: NodeParameters::read(&values.sub("nodes")?)?,
            balancing,
            start: Iteration::start(task, &iteration, &contents),
            input,
            corpus,
            iteration,
            storage,
            task,
            files: Arc::new(files),
        })
    }

    pub(super) fn mapper(&self, seed: Seed) -> Mapper {
        Mapper {
            task: self.task,
            pattern: self.input.pattern.clone().into_bytes(),
            iteration: Iteration {
                parameters: self.iteration.clone(),
                seed,
                start: Arc::clone(&self.start),
            },
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.files.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Bytes that the files stand for.
    fn size(&self) -> f64 {
        f64::from(self.storage.scale) * self.held()
    }

    /// Bytes of the files.
    fn held(&self) -> f64 {
        let bytes = self.files.iter().map(|(_, bytes)| bytes.len() as f64);
        bytes.sum()
    }

    fn blocks(&self) -> f64 {
        let blocks = |bytes: &[u8]| bytes.len().div_ceil(self.storage.block_size as usize);
        let all: usize = self.files.iter().map(|(_, bytes)| blocks(bytes)).sum();
        all as f64
    }

    /// Expected duration of the job in seconds, as for other jobs.
    fn working(&self) -> f64 {
        let n = self.network.overlay.nodes as f64;
        self.rounds() * (self.size() / (self.nodes.speed * n) * (libm::log(n) + 0.58) + 2.0)
    }

    /// Largest number of rounds.
    fn rounds(&self) -> f64 {
        if self.task.is_iterative() {
            f64::from(self.iteration.rounds)
        } else {
            1.0
        }
    }

    /// A random honest member of the stream with this name.
    fn member<P: GroundTruth>(
        network: &Network<P, FileJob>,
        seed: Seed,
        name: &'static str,
        number: u64,
    ) -> Option<Node> {
        let honest = network.honest();
        let place = seed.stream(name, number).index(honest.len().max(1));
        honest.get(place).copied()
    }
}

impl NetworkTask for FileJobRun {
    type Application = FileJob;
    type Course = ();

    const UNFINISHED: &'static str = "the job unfinished";
    const NEEDS_ALL_ROWS: bool = false;

    fn network(&self) -> &NetworkScenario {
        &self.network
    }

    fn resolved(&self) -> Map {
        let mut table = self.network.resolved();
        let mut job = self.job.write();
        // Atoms and samples follow from the files.
        for key in [
            "atoms", "samples", "bundle", "compute", "cost", "model", "repair", "text",
        ] {
            job.remove(key);
        }
        job.extend(self.input.write());
        job.insert("corpus".to_owned(), self.corpus.table());
        if self.task.is_iterative() {
            job.insert("iteration".to_owned(), self.iteration.table());
        }
        table.insert("job".to_owned(), Value::Table(job.into_iter().collect()));
        table.insert("nodes".to_owned(), self.nodes.table());
        insert_balancing(&mut table, &self.balancing);
        let storage = self.storage.resolved().into_iter().collect();
        table.insert("storage".to_owned(), Value::Table(storage));
        table
    }

    fn service(&self, seed: Seed) -> FileJobShared {
        FileJobShared {
            storage: self.storage.clone(),
            nodes: self.nodes.clone(),
            mapper: self.mapper(seed),
            files: self.names(),
            locality: self.input.locality,
            replicas: self.job.replicas,
            reduce_wait: self.job.reduce_wait,
            patience: self.job.patience,
            balancing: BalancingRules {
                parameters: self.balancing.clone(),
                start: self.job.start,
                has_ring: self.network.protocol.is_ring(),
                mean_load: self.blocks() / self.network.overlay.nodes as f64,
                mean_size: self.size() / self.blocks(),
            },
            seed,
        }
    }

    /// Members put the files, each another one.
    fn warm_up<P: GroundTruth>(
        &self,
        network: &mut Network<P, FileJob>,
        seed: Seed,
        (): &mut (),
    ) -> End {
        network.set_service_time(self.nodes.handling_time);
        let end = network.run(self.network.settled(), false, self.max_events());
        if end != End::Done {
            return end;
        }
        for (number, (name, bytes)) in (0..).zip(&*self.files) {
            if let Some(member) = Self::member(network, seed, "puts", number) {
                network.instruct(member, |job, context| job.put_file(context, name, bytes));
            }
        }
        let latest = network.now() + PUTTING;
        while network.metrics().storage.open > 0 && network.now() < latest {
            let end = network.run(
                network.now() + Duration::from_secs(1),
                false,
                self.max_events(),
            );
            if end != End::Done {
                return end;
            }
        }
        let start = (Instant::START + self.job.start).max(network.now());
        network.run(start, false, self.max_events())
    }

    fn measure<P: GroundTruth>(
        &self,
        network: &mut Network<P, FileJob>,
        seed: Seed,
        (): &mut (),
    ) -> End {
        network.begin_measuring(None);
        if let Some(client) = Self::member(network, seed, "stager", 0) {
            let address = network.service().address();
            network.send(client, address, Message::Stage);
        }
        End::Done
    }

    fn output<P: GroundTruth>(
        &self,
        network: &mut Network<P, FileJob>,
        seed: Seed,
        (): (),
    ) -> RunOutput {
        self.output_of(network, seed)
    }

    fn cost(&self) -> Cost {
        let network = self.network.cost_of(0, self.lasts());
        let replicas = self.storage.replicas as f64;
        Cost {
            events: self.building() + self.events_by(self.lasts()),
            bytes: network.bytes + 4.0 * self.held() + self.blocks() * (100.0 + 150.0 * replicas),
        }
    }

    fn lasts(&self) -> f64 {
        let start = self
            .job
            .start
            .max(self.network.settled().since(Instant::START));
        start.as_secs_f64() + 2.0 + self.working()
    }

    fn events_by(&self, seconds: f64) -> f64 {
        let nodes = self.network.overlay.nodes;
        let hops = self.network.protocol.cost_estimate(nodes).hops;
        let replicas = self.storage.replicas as f64;
        let turns = seconds * self.storage.repair.rate();
        // Mapping a byte costs little, and a put, its copies and a result some events.
        self.network.maintenance_by(seconds)
            + self.rounds() * self.blocks() * (2.0 * hops + 4.0 + 2.0 * replicas)
            + self.rounds() * self.held() / 50.0
            + nodes as f64 * turns * 2.0 * replicas
    }

    fn skippable(&self) -> Duration {
        Duration::ZERO
    }

    fn without_first(&self, _: Duration) -> Self {
        self.clone()
    }
}
