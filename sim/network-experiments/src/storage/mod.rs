//! `experiment = "storage"`: blocks are put into a DHT and read while nodes join and leave.
//!
//! The network is that of `experiment = "network"`, with `service::storage` on each node. In the
//! second half of `time.transition` random members put blocks and files of random bytes. In
//! `time.measure` random members read what was stored, put more blocks and delete some. A block is
//! lost when no live node holds a copy (`object_counts`). `output` turns the results into rows.

mod agenda;
mod load;
mod object_counts;
mod objects;
mod output;

use crate::own_protocol::OnAnyProtocol;
use crate::runner::{AnyShipped, NetworkRun, NetworkTask, ProtocolType, plan_lookups};
use agenda::{Act, Agenda};
use dhtlab_core::engine::{Duration, Instant, Seed, SizeDistribution, Stream};
use dhtlab_core::network::{End, Network};
use dhtlab_core::overlay::GroundTruth;
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Section, Table, Value};
use dhtlab_core::service::storage::{Content, Storage, StorageParameters, key_of, split};
use dhtlab_core::workload::{Lookup, Popularity};
use dhtlab_scenario::{Column, Cost, Experiment, NetworkScenario, Run, RunOutput, TableSpec};
use objects::{File, Objects, place};
use output::StorageSnapshot;
use rand::Rng;
use std::collections::BTreeMap;
use std::path::Path;

dhtlab_core::parameters! {
    /// The stored blocks and the gets.
    pub struct StorageWorkload {
        /// Number of blocks, stored at a constant rate in the second half of `time.transition`.
        pub blocks: usize = 1000, within 1..=10_000_000;
        /// Number of files, stored at a constant rate in the second half of `time.transition`: their blocks, then their keyfiles.
        pub files: usize = 0, within 0..=1_000_000;
        /// Bytes of a file, a number or a distribution; eight blocks of CFS, whose size is ours. Drawn sizes are at least 1 byte and at most 1 GiB.
        pub file_size: SizeDistribution = SizeDistribution::Constant(65_536), within 1..=MOST_FILE_BYTES as u32;
        /// Number of gets, spread evenly over `time.measure`. They read blocks and files by their numbers.
        pub gets: u64 = 10_000, within 0..=1_000_000_000;
        /// Number of further blocks, put during `time.measure`, spread evenly.
        pub puts: u64 = 0, within 0..=10_000_000;
        /// Number of deletions of random blocks and files, spread evenly over `time.measure`. Deleting a file deletes its keyfile.
        pub deletes: u64 = 0, within 0..=10_000_000;
        /// Which block or file a get reads: each as often, or number k, in the order of storing, with a probability proportional to k to the power of -`popularity-exponent`, as requests for web pages (Breslau et al., INFOCOM 1999).
        pub popularity: Popularity = Popularity::Uniform;
        /// Exponent of Zipf's law; Breslau et al. find 0.64 to 0.83 for web pages.
        pub popularity_exponent: f64 = 1.0, within 0.0..=10.0;
    }
}

/// Bytes of the largest file.
const MOST_FILE_BYTES: u64 = 1_073_741_824;

/// Number of sizes that are drawn for the expected number of blocks.
const SIZES_TRIED: u32 = 200;

impl StorageWorkload {
    /// The values in a resolved scenario: a key without effect must not give another run.
    fn resolved(&self) -> BTreeMap<String, Value> {
        let later = [
            "files",
            "file-size",
            "puts",
            "deletes",
            "popularity",
            "popularity-exponent",
        ];
        let mut values = self.write_without_defaults(&later);
        if self.files == 0 {
            values.remove("file-size");
        }
        if self.popularity == Popularity::Uniform {
            values.remove("popularity-exponent");
        }
        values
    }
}

/// The experiment kind `storage`.
pub struct StorageExperiment;

/// Transition of a trial of the phase in which blocks are there.
const TRIED_TRANSITION: Duration = Duration::from_secs(60);

/// The table of the experiment's keys.
const SECTION: &str = "storage";

impl Experiment for StorageExperiment {
    fn name(&self) -> &'static str {
        "storage"
    }

    fn doc(&self) -> &'static str {
        "storage of files as blocks with replica maintenance, as in CFS, under churn"
    }

    fn sections(&self) -> Vec<Section> {
        let mut sections = NetworkScenario::sections();
        sections.push(Section::of::<StorageParameters>(SECTION));
        sections.push(Section::of::<StorageWorkload>(SECTION));
        sections
    }

    fn metrics(&self) -> &'static [Column] {
        output::METRICS
    }

    fn tables(&self) -> &'static [TableSpec] {
        output::TABLES
    }

    fn prepare(&self, values: &Table<'_>, folder: &Path) -> Result<Box<dyn Run>, ConfigError> {
        let network = NetworkScenario::read(values, folder)?;
        self.prepare_on(AnyShipped, network, values, folder)
    }
}

impl OnAnyProtocol for StorageExperiment {
    fn prepare_on<P: ProtocolType>(
        &self,
        protocol: P,
        mut network: NetworkScenario,
        values: &Table<'_>,
        _: &Path,
    ) -> Result<Box<dyn Run>, ConfigError> {
        let table = values.sub(SECTION)?;
        let service = StorageParameters::read(&table)?;
        let workload = StorageWorkload::read(&table)?;
        if network.workload.interval.is_none() {
            network.workload.lookups.get_or_insert(0);
        }
        let task = StorageRun {
            network,
            service,
            workload,
        };
        task.check()?;
        Ok(Box::new(NetworkRun { task, protocol }))
    }
}

/// A storage scenario, checked.
#[derive(Clone, Debug)]
struct StorageRun {
    network: NetworkScenario,
    service: StorageParameters,
    workload: StorageWorkload,
}

impl StorageRun {
    fn check(&self) -> Result<(), ConfigError> {
        let network = &self.network;
        network.check_replicas("storage.replicas", self.service.places().copies_of_a_key())?;
        if network.time.transition.is_zero() {
            return Err(ConfigError::new(
                "time.transition",
                "expected a time above zero, in the second half of which blocks are put",
            ));
        }
        if network.time.measure.is_none() {
            return Err(ConfigError::new(
                "time.measure",
                "expected the duration of the phase in which blocks are read",
            ));
        }
        Ok(())
    }

    /// Expected number of blocks and keyfiles that are put before the measurement.
    fn blocks(&self) -> f64 {
        let mut stream = Seed::new(0).stream("file-size", 0);
        let sizes = (0..SIZES_TRIED).map(|_| self.workload.file_size.sample(&mut stream));
        let of = |size: u64| 1 + size.div_ceil(u64::from(self.service.block_size));
        let blocks: u64 = sizes.map(of).sum();
        let of_a_file = blocks as f64 / f64::from(SIZES_TRIED);
        self.workload.blocks as f64 + self.workload.files as f64 * of_a_file
    }

    /// The time of the first put.
    fn puts_from(&self) -> Instant {
        let transition = self.network.time.transition.as_nanos();
        Instant::START + Duration::from_nanos(transition - transition / 2)
    }

    /// The puts of the second half of the transition.
    fn puts(&self, seed: Seed) -> Agenda {
        let half = self.network.measure_from().since(self.puts_from());
        Agenda::new(seed, self.puts_from(), half)
            .with(Act::PutBlock, "puts", self.workload.blocks as u64)
            .with(Act::PutFile, "file-puts", self.workload.files as u64)
    }

    /// The requests of the measurement; the prefix of a plan's key selects the object.
    fn requests(&self, seed: Seed) -> Agenda {
        Agenda::new(seed, self.network.measure_from(), self.network.measure())
            .with(Act::PutBlock, "later-puts", self.workload.puts)
            .with(Act::Delete, "deletes", self.workload.deletes)
            .with(Act::Get, "gets", self.workload.gets)
    }

    /// The name and the bytes of a file.
    fn file(&self, seed: Seed, number: u64) -> (String, Vec<u8>) {
        let size = &self.workload.file_size;
        let size = size.sample(&mut seed.stream("file-size", number));
        let mut bytes = vec![0; size.clamp(1, MOST_FILE_BYTES) as usize];
        seed.stream("file-content", number).fill_bytes(&mut bytes);
        (format!("file {number}"), bytes)
    }

    /// The run, from a moment on.
    fn running<'a, P: GroundTruth>(
        &'a self,
        network: &'a mut Network<P, Storage>,
        seed: Seed,
        course: &'a mut Course,
    ) -> Running<'a, P> {
        Running {
            run: self,
            network,
            seed,
            course,
            popularity: seed.stream("popularity", 0),
        }
    }
}

impl NetworkTask for StorageRun {
    type Application = Storage;
    type Course = Course;

    const UNFINISHED: &'static str = "requests under way";
    const NEEDS_ALL_ROWS: bool = false;

    fn network(&self) -> &NetworkScenario {
        &self.network
    }

    fn resolved(&self) -> Map {
        let mut table = self.network.resolved();
        let storage = self.service.resolved().into_iter();
        let storage = storage.chain(self.workload.resolved()).collect();
        table.insert(SECTION.to_owned(), Value::Table(storage));
        table
    }

    fn service(&self, _: Seed) -> StorageParameters {
        self.service.clone()
    }

    fn warm_up<P: GroundTruth>(
        &self,
        network: &mut Network<P, Storage>,
        seed: Seed,
        course: &mut Course,
    ) -> End {
        self.running(network, seed, course).fill(self.puts(seed))
    }

    fn measure<P: GroundTruth>(
        &self,
        network: &mut Network<P, Storage>,
        seed: Seed,
        course: &mut Course,
    ) -> End {
        network.begin_measuring(self.network.intervals());
        course.objects.add_stored(network.metrics(), |_| true);
        course.answered.clone_from(&network.metrics().answered);
        course.take_snapshot(network);
        plan_lookups(network, &self.network, seed);
        let mut running = self.running(network, seed, course);
        let end = running.measure(self.requests(seed));
        if end != End::Done {
            course.take_snapshot(network);
        }
        end
    }

    fn output<P: GroundTruth>(
        &self,
        network: &mut Network<P, Storage>,
        _: Seed,
        mut course: Course,
    ) -> RunOutput {
        let begun = course.moments.first().map(|_| self.network.measure_from());
        let is_wanted = |put: Instant| begun.is_none_or(|begun| put >= begun);
        let objects = &mut course.objects;
        objects.add_stored(network.metrics(), |ended| is_wanted(ended.begun));
        output::output(network, &course)
    }

    fn cost(&self) -> Cost {
        let network = self.network.cost();
        let (blocks, gets) = (self.blocks(), self.workload.gets as f64);
        let blocks = blocks + self.workload.puts as f64;
        let replicas = self.service.replicas as f64;
        Cost {
            events: self.network.building() + self.events_by(self.network.lasts()),
            // Copies share their bytes.
            bytes: network.bytes
                + blocks * (f64::from(self.service.block_size) + 100.0 + 150.0 * replicas)
                + gets * 120.0,
        }
    }

    fn events_by(&self, seconds: f64) -> f64 {
        let nodes = self.network.overlay.nodes;
        let replicas = self.service.replicas as f64;
        let keys = f64::from(self.service.places().keys());
        let hops = self.network.protocol.cost_estimate(nodes).hops;
        let part = |from: f64, to: f64| ((seconds - from) / (to - from).max(1e-9)).clamp(0.0, 1.0);
        let measure_from = self.network.time.transition.as_secs_f64();
        let measured = part(measure_from, self.network.lasts());
        let workload = &self.workload;
        let later = workload.puts as f64 * measured;
        let put = self.blocks() * part(measure_from / 2.0, measure_from) + later;
        let written = put + workload.deletes as f64 * measured;
        // A get of a file reads all its blocks.
        let objects = (workload.blocks + workload.files) as f64;
        let got = workload.gets as f64 * measured * self.blocks() / objects;
        let turns = seconds * self.service.repair.rate();
        let kept = if keys > 1.0 {
            // Each copy is checked in each turn.
            self.blocks() * keys * turns * hops
        } else {
            // A node sends keep-alives to about twice as many others as hold replicas.
            nodes as f64 * turns * 2.0 * replicas
        };
        self.network.events_by(seconds)
            + (written * keys + got) * (hops + 4.0)
            + 2.0 * put * replicas
            + kept
    }

    /// Blocks are put early, so that a trial includes the cost of their maintenance.
    fn skippable(&self) -> Duration {
        self.network.time.transition - TRIED_TRANSITION
    }

    fn without_first(&self, skipped: Duration) -> Self {
        Self {
            network: self.network.without_first(skipped),
            ..self.clone()
        }
    }
}

/// What is noted while a run goes on.
#[derive(Default)]
struct Course {
    objects: Objects,
    /// Blocks and files whose puts were issued.
    blocks: u64,
    files: u64,
    /// Requests that were issued.
    issued: Issued,
    /// Requests that each node had answered when measuring began.
    answered: Vec<u64>,
    moments: Vec<StorageSnapshot>,
}

/// Numbers of requests.
#[derive(Clone, Copy, Default)]
struct Issued {
    puts: u64,
    gets: u64,
    deletes: u64,
}

impl Course {
    fn take_snapshot<P: GroundTruth>(&mut self, network: &Network<P, Storage>) {
        self.moments
            .push(StorageSnapshot::of(network, &self.objects));
    }
}

/// The network and its load while a run goes on.
struct Running<'a, P: GroundTruth> {
    run: &'a StorageRun,
    network: &'a mut Network<P, Storage>,
    seed: Seed,
    course: &'a mut Course,
    popularity: Stream,
}

impl<P: GroundTruth> Running<'_, P> {
    /// Random members put the blocks and files; runs until measuring begins.
    fn fill(&mut self, mut agenda: Agenda) -> End {
        let max_events = self.run.network.time.max_events;
        while let Some((act, planned)) = agenda.next_before(None) {
            let end = self.network.run(planned.time, false, max_events);
            if end != End::Done {
                return end;
            }
            self.request(act, &planned);
        }
        let measure_from = self.run.network.measure_from();
        self.network.run(measure_from, false, max_events)
    }

    /// Random members read, put and delete; takes a snapshot at the end of each interval.
    fn measure(&mut self, mut agenda: Agenda) -> End {
        let network = &self.run.network;
        let (max_events, measure_to) = (network.time.max_events, network.measure_to());
        let mut ends = self.network.tally().timeline.ends().peekable();
        loop {
            let next = agenda.next_before(ends.peek().copied());
            let time = match (&next, ends.peek()) {
                (Some((_, planned)), _) => planned.time,
                (None, Some(end)) => *end,
                (None, None) => measure_to,
            };
            let is_over = (next.is_none() && ends.peek().is_none()) || time > measure_to;
            let end = self.network.run(time.min(measure_to), false, max_events);
            if end != End::Done || is_over {
                return end;
            }
            // What was put before the measurement and is acknowledged late does not count.
            let begun = network.measure_from();
            let objects = &mut self.course.objects;
            objects.add_stored(self.network.metrics(), |ended| ended.begun >= begun);
            match next {
                Some((act, planned)) => self.request(act, &planned),
                None => {
                    self.course.take_snapshot(self.network);
                    ends.next();
                }
            }
        }
    }

    /// Issues a request at the member that the plan selects, without Sybils, if there is one.
    fn request(&mut self, act: Act, planned: &Lookup) {
        let members = self.network.honest();
        let Some(member) = members.get(place(planned.source, members.len())).copied() else {
            return;
        };
        let draw = planned.key.prefix();
        let (course, network) = (&mut *self.course, &mut *self.network);
        match act {
            Act::PutBlock => {
                let mut bytes = vec![0; self.run.service.block_size as usize];
                self.seed
                    .stream("content", course.blocks)
                    .fill_bytes(&mut bytes);
                let content = Content::new(bytes).scaled(self.run.service.scale);
                course.blocks += 1;
                course.issued.puts += 1;
                network.instruct(member, |storage, context| storage.put(context, content));
            }
            Act::PutFile => {
                let (name, bytes) = self.run.file(self.seed, course.files);
                let (blocks, _) =
                    split(&bytes, self.run.service.block_size, self.run.service.scale);
                course.files += 1;
                course.issued.puts += 1;
                network.instruct(member, |storage, context| {
                    storage.put_file(context, &name, &bytes);
                });
                let blocks = blocks.iter().map(Content::digest).collect();
                course.objects.plan(key_of(&name), File { name, blocks });
            }
            Act::Get => {
                let workload = &self.run.workload;
                let (popularity, exponent) = (workload.popularity, workload.popularity_exponent);
                let stream = &mut self.popularity;
                let object = course.objects.popular(popularity, exponent, draw, stream);
                // Without objects there is nothing to get.
                let Some(object) = object else {
                    return;
                };
                course.issued.gets += 1;
                let file = course.objects.file(&object.key);
                network.instruct(member, |storage, context| match file {
                    Some(file) => storage.get_file(context, &file.name),
                    None => storage.get(context, object.key),
                });
            }
            Act::Delete => {
                if let Some(object) = course.objects.delete(draw) {
                    course.issued.deletes += 1;
                    network.instruct(member, |storage, context| {
                        storage.delete(context, object.key);
                    });
                }
            }
        }
    }
}
