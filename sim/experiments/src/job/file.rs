//! A job over files that the storage of the nodes holds (`job.input = "file"`).
//!
//! When all nodes have joined, random members put the files; at `job.start`, or when the last put has
//! ended, a random member stages the job.

use super::JobOutcome;
use super::output::{activity, histogram};
use crate::runner::Task;
use dhtlab_core::engine::{Duration, Instant, Seed};
use dhtlab_core::network::{End, Network};
use dhtlab_core::overlay::{GroundTruth, Node};
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Table, Value};
use dhtlab_core::service::file_job::{
    Collector, CorpusParameters, FileJob, FileJobShared, FileTask, Files, Input, InputParameters,
    Mapper, Message, Records,
};
use dhtlab_core::service::job::{JobParameters, NodeParameters, tasks::Kind};
use dhtlab_core::service::storage::{
    Answer, CompletedRequest, Operation, Placement, StorageParameters, key_of,
};
use dhtlab_scenario::{Cost, NetworkScenario, RunOutput, TableRows};
use std::path::Path;
use std::sync::Arc;

dhtlab_scenario::columns! {
    pub(super) OUTPUT, fn output_row(row: &(String, String)) {
        /// Word, or line, in which bytes that are not UTF-8 are replaced.
        key [""] = row.0.clone(),
        /// Number of its occurrences; for `inverted-index` the files in which it occurs, with numbers.
        value [""] = row.1.clone(),
    }
}

dhtlab_scenario::columns! {
    pub(super) LOST, fn lost_row(lost: &LostBlock) {
        /// Number of the block among those of all files.
        block [""] = lost.number,
        /// Key of the block, in hex.
        key [""] = lost.key.clone(),
        /// 1 if a member still holds a copy of it, otherwise 0.
        held ["0 or 1"] = lost.is_held,
    }
}

/// A block that is not counted at the end.
struct LostBlock {
    number: u32,
    key: String,
    is_held: bool,
}

/// The keys of a job over files. Other jobs read them, too, so that a wrong value is never passed over.
#[derive(Clone)]
pub(super) struct FileJobInput {
    input: InputParameters,
    corpus: CorpusParameters,
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
            storage: StorageParameters::read(&values.sub("storage")?)?,
        })
    }

    /// Whether the job is one over files.
    pub(super) fn is_file(&self) -> bool {
        self.input.input == Input::File
    }
}

/// Time after which puts that have not ended fail the run.
const PUTTING: Duration = Duration::from_secs(3600);

/// A scenario with a job over files, checked.
#[derive(Clone)]
pub(super) struct FileJobRun {
    network: NetworkScenario,
    job: JobParameters,
    nodes: NodeParameters,
    input: InputParameters,
    corpus: CorpusParameters,
    storage: StorageParameters,
    mapper: Mapper,
    files: Arc<Files>,
    /// The result of a plain program over the files.
    plain: Arc<Vec<(String, String)>>,
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
            storage,
        } = keys;
        let task = match job.kind {
            Kind::WordCount => FileTask::WordCount,
            Kind::Grep => FileTask::Grep,
            Kind::InvertedIndex => FileTask::InvertedIndex,
            Kind::Sort => FileTask::Sort,
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
        if storage.placement != Placement::Nearest {
            let message = format_args!(
                "a job over files needs \"{}\", found \"{}\"",
                Placement::Nearest.as_str(),
                storage.placement.as_str()
            );
            return Err(ConfigError::new("storage.placement", message));
        }
        network.check_replicas("storage.replicas", storage.replicas)?;
        network.check_replicas("job.replicas", job.replicas)?;
        let files = input.read_files(&corpus, &table, folder)?;
        let mapper = Mapper {
            task,
            pattern: input.pattern.clone().into_bytes(),
        };
        let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
        let contents: Vec<&[u8]> = files.iter().map(|(_, bytes)| &bytes[..]).collect();
        let plain = mapper.rows(&mapper.plain(&contents), &names);
        Ok(Self {
            network,
            job,
            nodes: NodeParameters::read(&values.sub("nodes")?)?,
            input,
            corpus,
            storage,
            mapper,
            files: Arc::new(files),
            plain: Arc::new(plain),
        })
    }

    fn size(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| bytes.len() as u64).sum()
    }

    fn blocks(&self) -> f64 {
        let blocks = |bytes: &[u8]| bytes.len().div_ceil(self.storage.block_size as usize);
        let all: usize = self.files.iter().map(|(_, bytes)| blocks(bytes)).sum();
        all as f64
    }

    /// Expected duration of the job in seconds, as for other jobs.
    fn working(&self) -> f64 {
        let n = self.network.overlay.nodes as f64;
        self.size() as f64 / (self.nodes.speed * n) * (libm::log(n) + 0.58) + 2.0
    }

    /// A note for each file that was not stored.
    fn not_stored(&self, ended: &[CompletedRequest]) -> Vec<String> {
        let puts = ended
            .iter()
            .filter(|ended| ended.operation == Operation::PutFile);
        let failed = puts.filter(|ended| ended.answer != Answer::Done);
        let note = |ended: &CompletedRequest| {
            let of = |(name, _): &&(String, Vec<u8>)| key_of(name) == ended.key;
            let name = self.files.iter().find(of).map_or("", |(name, _)| name);
            let reason = match ended.answer {
                Answer::Refused => {
                    "a node that was to store a part of it is full (storage.capacity)"
                }
                Answer::Abandoned => "the node that put it stopped",
                _ => "a root did not answer",
            };
            format!("the file \"{name}\" was not stored: {reason}")
        };
        failed.map(note).collect()
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

impl Task for FileJobRun {
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
            "atoms", "samples", "bundle", "compute", "model", "repair", "text",
        ] {
            job.remove(key);
        }
        job.extend(self.input.write());
        job.insert("corpus".to_owned(), self.corpus.table());
        table.insert("job".to_owned(), Value::Table(job.into_iter().collect()));
        table.insert("nodes".to_owned(), self.nodes.table());
        let storage = self.storage.resolved().into_iter().collect();
        table.insert("storage".to_owned(), Value::Table(storage));
        table
    }

    fn service(&self, seed: Seed) -> FileJobShared {
        FileJobShared {
            storage: self.storage.clone(),
            nodes: self.nodes.clone(),
            mapper: self.mapper.clone(),
            files: self.files.iter().map(|(name, _)| name.clone()).collect(),
            locality: self.input.locality,
            replicas: self.job.replicas,
            reduce_wait: self.job.reduce_wait,
            patience: self.job.patience,
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
        _: Seed,
        (): (),
    ) -> RunOutput {
        let metrics = network.metrics();
        let staged = metrics.staged.unwrap_or(network.now());
        let after = |at: Option<Instant>| at.map_or(f64::NAN, |at| at.since(staged).as_secs_f64());
        let collector = collector(network);
        let records = collector.map(Collector::records).unwrap_or_default();
        let plan = collector.and_then(Collector::plan);
        let rows = plan.map(|plan| {
            let names: Vec<String> = self.files.iter().map(|(name, _)| name.clone()).collect();
            let mended = self.mapper.mend(&records, plan.files());
            self.mapper.rows(&mended, &names)
        });
        let lost = lost(network, collector, &records);
        let has_all = plan.is_some() && lost.is_empty();
        let counted = collector.map_or(0, Collector::counted);
        let blocks = plan.map_or(0, |plan| plan.blocks().len());
        let size = |number: u32| metrics.sizes.get(number as usize).copied().unwrap_or(0);
        let bytes: u64 = records.blocks().map(|number| u64::from(size(number))).sum();
        let alone = bytes as f64 / self.nodes.mean_speed();
        let runtime_s = if metrics.is_over() {
            after(metrics.counted_at)
        } else {
            f64::NAN
        };
        let work = work(network);
        let wrong = rows.as_ref().map(|rows| differing(rows, &self.plain));
        let outcome = JobOutcome {
            runtime_s,
            complete: has_all,
            speedup: if bytes > 0 {
                alone / runtime_s
            } else {
                f64::NAN
            },
            runtime_factor: runtime_s * self.network.overlay.nodes as f64 / alone,
            last_mapped_s: after(metrics.first_maps.last().copied()),
            last_counted_s: Some(after(metrics.counted_at)),
            result: rows.as_ref().map(|rows| rows.len() as f64),
            result_error: wrong.map(|wrong| wrong as f64),
            samples_counted: Some(bytes),
            atoms: blocks as u32,
            atoms_counted: counted,
            atoms_redone: Some(metrics.redone()),
            atoms_lost: Some(lost.iter().filter(|block| !block.is_held).count()),
            atoms_orphaned: None,
            duplicates_dropped: Some(metrics.duplicates),
            ..JobOutcome::of_network(network, &work)
        };
        let mut notes = Vec::new();
        if metrics.storage.open > 0 {
            notes.push("the files were not stored within an hour".to_owned());
        }
        notes.extend(self.not_stored(&metrics.storage.ended));
        let missing = metrics.missing_files.iter();
        // A keyfile that a later root did not find matters only if nobody knows the blocks.
        for file in missing.filter(|_| plan.is_none()) {
            let name = self.files.get(*file).map_or("", |(name, _)| name);
            notes.push(format!(
                "no node has the keyfile of \"{name}\": the job ended"
            ));
        }
        let times = (&metrics.first_maps[..], &metrics.busy[..]);
        let end = metrics.counted_at.unwrap_or(network.now());
        RunOutput {
            metrics: outcome.row(),
            tables: vec![
                histogram(&work),
                activity(self.network.time.interval, (staged, end), times),
                TableRows(rows.iter().flatten().map(output_row).collect()),
                TableRows(lost.iter().map(lost_row).collect()),
            ],
            notes,
        }
    }

    fn cost(&self) -> Cost {
        let network = self.network.cost_of(0, self.lasts());
        let replicas = self.storage.replicas as f64;
        Cost {
            events: self.building() + self.events_by(self.lasts()),
            bytes: network.bytes
                + 4.0 * self.size() as f64
                + self.blocks() * (100.0 + 150.0 * replicas),
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
            + self.blocks() * (2.0 * hops + 4.0 + 2.0 * replicas)
            + self.size() as f64 / 50.0
            + nodes as f64 * turns * 2.0 * replicas
    }

    fn skippable(&self) -> Duration {
        Duration::ZERO
    }

    fn without_first(&self, _: Duration) -> Self {
        self.clone()
    }
}

/// The collector that has ended the job, or else the one that has counted most.
fn collector<P: GroundTruth>(network: &Network<P, FileJob>) -> Option<&Collector> {
    let members = network.members().iter();
    let collectors = members.filter_map(|node| network.application(*node).collector());
    collectors.max_by_key(|own| (own.is_complete(), own.plan().is_some(), own.counted()))
}

/// The blocks that are not counted.
fn lost<P: GroundTruth>(
    network: &Network<P, FileJob>,
    collector: Option<&Collector>,
    records: &Records,
) -> Vec<LostBlock> {
    let plan = collector.and_then(Collector::plan);
    let blocks = plan.iter().flat_map(|plan| plan.blocks());
    let open = blocks.filter(|block| records.edges(block.number).is_none());
    open.map(|block| {
        let holds = |node: &Node| {
            let stored = network.application(*node).storage().store().get(&block.key);
            stored.is_some_and(|stored| stored.content().is_some())
        };
        LostBlock {
            number: block.number,
            key: block
                .key
                .to_bytes()
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect(),
            is_held: network.members().iter().any(holds),
        }
    })
    .collect()
}

/// Bytes that each node has mapped, for all members and all nodes that have mapped any.
fn work<P: GroundTruth>(network: &Network<P, FileJob>) -> Vec<f64> {
    let work = &network.metrics().work;
    let last = network.members().iter().map(|node| node.index() + 1).max();
    let nodes = 0..work.len().max(last.unwrap_or(0));
    let of = |node: usize| work.get(node).copied().unwrap_or(0);
    nodes
        .filter(|node| of(*node) > 0 || network.is_member(Node(*node as u32)))
        .map(|node| of(node) as f64)
        .collect()
}

/// Number of keys whose values differ, or that are in one of the two only. Both are ascending.
fn differing(rows: &[(String, String)], plain: &[(String, String)]) -> usize {
    let (mut a, mut b) = (rows.iter().peekable(), plain.iter().peekable());
    let mut differing = 0;
    loop {
        let order = match (a.peek(), b.peek()) {
            (None, None) => return differing,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => a.0.cmp(&b.0),
        };
        differing += match order {
            std::cmp::Ordering::Equal => usize::from(a.next() != b.next()),
            std::cmp::Ordering::Less => a.next().map_or(0, |_| 1),
            std::cmp::Ordering::Greater => b.next().map_or(0, |_| 1),
        };
    }
}
