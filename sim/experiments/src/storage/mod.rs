//! `experiment = "storage"`: blocks are put into a DHT and read while nodes join and leave.
//!
//! The network is that of `experiment = "network"`, with `service::storage` on each node. In the
//! second half of `time.transition` random members put `storage.blocks` blocks of random bytes,
//! each under its SHA-1. In `time.measure` random members read random blocks whose puts were
//! acknowledged, `storage.gets` times. A block is lost when no live node holds a copy. The
//! experiment inspects all stores for this, which no node could do. `output` turns the results into
//! rows.

mod output;

use crate::runner::{NetworkRun, Task, plan_lookups};
use dhtlab_core::engine::{Duration, Instant, Seed};
use dhtlab_core::network::{End, Network};
use dhtlab_core::overlay::{GroundTruth, Node};
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Section, Table, Value};
use dhtlab_core::service::storage::{Content, Storage, StorageParameters};
use dhtlab_core::workload::{Lookup, LookupPlan};
use dhtlab_scenario::{Column, Cost, Experiment, NetworkScenario, Run, RunOutput, TableSpec};
use output::{Blocks, StorageSnapshot};
use rand::Rng;
use std::path::Path;

dhtlab_core::parameters! {
    /// The stored blocks and the gets.
    pub struct StorageWorkload {
        /// Number of blocks, stored at a constant rate in the second half of `time.transition`.
        pub blocks: usize = 1000, within 1..=10_000_000;
        /// Number of gets, spread evenly over `time.measure`.
        pub gets: u64 = 10_000, within 0..=1_000_000_000;
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
        let mut network = NetworkScenario::read(values, folder)?;
        let table = values.sub(SECTION)?;
        let service = StorageParameters::read(&table)?;
        let workload = StorageWorkload::read(&table)?;
        if network.workload.interval.is_none() {
            network.workload.lookups.get_or_insert(0);
        }
        let run = StorageRun {
            network,
            service,
            workload,
        };
        run.check()?;
        Ok(Box::new(NetworkRun(run)))
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
        network.check_replicas("storage.replicas", self.service.replicas)?;
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

    /// The time of the first put.
    fn puts_from(&self) -> Instant {
        let transition = self.network.time.transition.as_nanos();
        Instant::START + Duration::from_nanos(transition - transition / 2)
    }

    /// The sources and times of the puts.
    fn puts(&self, seed: Seed) -> LookupPlan {
        let half = self.network.measure_from().since(self.puts_from());
        let count = self.workload.blocks as u64;
        let gap = Duration::from_nanos(half.as_nanos() / count);
        LookupPlan::evenly(seed.stream("puts", 0), self.puts_from(), gap, count)
    }

    /// The sources and times of the gets; the prefix of the key selects the block.
    fn gets(&self, seed: Seed) -> LookupPlan {
        let count = self.workload.gets;
        let gap = Duration::from_nanos(self.network.measure().as_nanos() / count.max(1));
        let start = self.network.measure_from();
        LookupPlan::evenly(seed.stream("gets", 0), start, gap, count)
    }
}

impl Task for StorageRun {
    type Application = Storage;
    type Course = Course;

    const UNFINISHED: &'static str = "requests under way";
    const NEEDS_ALL_ROWS: bool = false;

    fn network(&self) -> &NetworkScenario {
        &self.network
    }

    fn resolved(&self) -> Map {
        let mut table = self.network.resolved();
        let storage = self.service.write().into_iter();
        let storage = storage.chain(self.workload.write()).collect();
        table.insert(SECTION.to_owned(), Value::Table(storage));
        table
    }

    fn service(&self, _: Seed) -> StorageParameters {
        self.service.clone()
    }

    fn warm_up<P: GroundTruth>(&self, network: &mut Network<P, Storage>, seed: Seed) -> End {
        fill(self, network, seed)
    }

    fn measure<P: GroundTruth>(
        &self,
        network: &mut Network<P, Storage>,
        seed: Seed,
        course: &mut Course,
    ) -> End {
        network.begin_measuring(self.network.intervals());
        course.blocks = Blocks::stored(network.metrics());
        course.moments.push(course.snapshot(network));
        plan_lookups(network, &self.network, seed);
        let end = read(self, network, seed, course);
        if end != End::Done {
            course.moments.push(course.snapshot(network));
        }
        end
    }

    fn output<P: GroundTruth>(
        &self,
        network: &mut Network<P, Storage>,
        _: Seed,
        mut course: Course,
    ) -> RunOutput {
        if course.moments.is_empty() {
            course.blocks = Blocks::stored(network.metrics());
        }
        output::output(network, &course)
    }

    fn cost(&self) -> Cost {
        let network = self.network.cost();
        let (blocks, gets) = (self.workload.blocks as f64, self.workload.gets as f64);
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
        let (blocks, gets) = (self.workload.blocks as f64, self.workload.gets as f64);
        let nodes = self.network.overlay.nodes;
        let replicas = self.service.replicas as f64;
        let hops = self.network.protocol.cost_estimate(nodes).hops;
        let part = |from: f64, to: f64| ((seconds - from) / (to - from).max(1e-9)).clamp(0.0, 1.0);
        let measure_from = self.network.time.transition.as_secs_f64();
        let put = blocks * part(measure_from / 2.0, measure_from);
        let got = gets * part(measure_from, self.network.lasts());
        // A node sends keep-alives to about twice as many others as hold replicas.
        let turns = seconds * self.service.repair.rate();
        self.network.events_by(seconds)
            + (put + got) * (hops + 4.0)
            + 2.0 * put * replicas
            + nodes as f64 * turns * 2.0 * replicas
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

/// The blocks of a run, and its snapshots.
#[derive(Default)]
struct Course {
    blocks: Blocks,
    moments: Vec<StorageSnapshot>,
}

impl Course {
    fn snapshot<P: GroundTruth>(&self, network: &Network<P, Storage>) -> StorageSnapshot {
        StorageSnapshot::of(network, &self.blocks)
    }
}

/// Random members put the blocks; runs until measuring begins.
fn fill<P: GroundTruth>(run: &StorageRun, network: &mut Network<P, Storage>, seed: Seed) -> End {
    let max_events = run.network.time.max_events;
    for (number, put) in (0..).zip(run.puts(seed)) {
        let end = network.run(put.time, false, max_events);
        if end != End::Done {
            return end;
        }
        if let Some(member) = member(network, &put) {
            let mut bytes = vec![0; run.service.block_size as usize];
            seed.stream("content", number).fill_bytes(&mut bytes);
            let content = Content::new(bytes);
            network.instruct(member, |storage, turn| storage.put(turn, content));
        }
    }
    network.run(run.network.measure_from(), false, max_events)
}

/// Random members read blocks; takes a snapshot at the end of each interval.
fn read<P: GroundTruth>(
    run: &StorageRun,
    network: &mut Network<P, Storage>,
    seed: Seed,
    course: &mut Course,
) -> End {
    let (max_events, measure_to) = (run.network.time.max_events, run.network.measure_to());
    let mut ends = network.tally().timeline.ends().peekable();
    // Without blocks there is nothing to get.
    let gets = (!course.blocks.is_empty()).then(|| run.gets(seed));
    let mut gets = gets.into_iter().flatten().peekable();
    loop {
        let get = gets.next_if(|get| ends.peek().is_none_or(|end| get.time < *end));
        let next = match (&get, ends.peek()) {
            (Some(get), _) => get.time,
            (None, Some(end)) => *end,
            (None, None) => return network.run(measure_to, false, max_events),
        };
        if next > measure_to {
            return network.run(measure_to, false, max_events);
        }
        let end = network.run(next, false, max_events);
        if end != End::Done {
            return end;
        }
        match get {
            Some(get) => {
                if let Some(member) = member(network, &get) {
                    let key = course.blocks.pick(get.key);
                    network.instruct(member, |storage, turn| storage.get(turn, key));
                }
            }
            None => {
                course.moments.push(course.snapshot(network));
                ends.next();
            }
        }
    }
}

/// The member that a plan selects, without Sybils.
fn member<P: GroundTruth>(network: &Network<P, Storage>, planned: &Lookup) -> Option<Node> {
    let members = network.honest();
    // The high bits select, as for lookups.
    let place = (u128::from(planned.source) * members.len() as u128) >> 64;
    members.get(place as usize).copied()
}
