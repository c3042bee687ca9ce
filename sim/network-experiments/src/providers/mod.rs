//! `experiment = "providers"`: provider records in a Kademlia network, and the attack that hides them.
//!
//! The network is that of `experiment = "network"`, with `service::providers` on each node. During
//! `time.measure` contents are provided and searched, by random members or by vantage points outside
//! the churn. `survival` follows the holders of records, `sessions` compares the sessions that a monitor
//! sees with the true ones, `table_health` judges the routing tables, `censorship` attacks single
//! contents, `output` turns the results into rows.

mod agenda;
mod censorship;
mod output;
mod parameters;
mod sessions;
mod survival;
mod table_health;

use crate::runner::{NetworkRun, NetworkTask, Only, plan_lookups};
use agenda::{Act, agenda};
use censorship::Censorship;
use dhtlab_core::engine::{Duration, Instant, Seed, Stream};
use dhtlab_core::network::{End, Network};
use dhtlab_core::overlay::kademlia::KademliaParameters;
use dhtlab_core::overlay::{GroundTruth, Node, Start};
use dhtlab_core::parameter::{ConfigError, Map, Parameters, Section, Table, Value};
use dhtlab_core::service::providers::{
    Method, ProviderParameters, Providers, Purpose, Republishing, SharedProviders, WalkRules,
};
use dhtlab_core::space::Key;
use dhtlab_scenario::{
    Column, Cost, Experiment, NetworkScenario, ProtocolParameters, Run, RunOutput, TableSpec,
};
use parameters::{CensorshipParameters, ProviderWorkload};
use sessions::SessionLog;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use survival::Survival;
use table_health::TableHealth;

/// The experiment kind `providers`.
pub struct ProvidersExperiment;

const SECTION: &str = "providers";
const CENSORSHIP: &str = "censorship";

/// Vantage points join at the beginning, and walk for their estimates so long before the measurement.
const WALKS_BEFORE: Duration = Duration::from_secs(300);

/// Memory of a host of a vantage point or of an attacker.
const EXTRA_HOST_BYTES: f64 = 40.0;

impl Experiment for ProvidersExperiment {
    fn name(&self) -> &'static str {
        "providers"
    }

    fn doc(&self) -> &'static str {
        "provider records in a Kademlia network as those of IPFS and Mainline, and their censorship"
    }

    fn sections(&self) -> Vec<Section> {
        let mut sections = NetworkScenario::sections();
        sections.push(Section::of::<ProviderParameters>(SECTION));
        sections.push(Section::of::<ProviderWorkload>(SECTION));
        sections.push(Section::of::<CensorshipParameters>(CENSORSHIP));
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
        let service = ProviderParameters::read(&table)?;
        let workload = ProviderWorkload::read(&table)?;
        let censorship = CensorshipParameters::read(&values.sub(CENSORSHIP)?)?;
        if network.workload.interval.is_none() {
            network.workload.lookups.get_or_insert(0);
        }
        let ProtocolParameters::Kademlia(kademlia) = &network.protocol else {
            return Err(ConfigError::new(
                "overlay.protocol",
                "records are stored at the nodes nearest by the XOR metric; expected \"kademlia\"",
            ));
        };
        let protocol = Only(kademlia.clone());
        let task = ProvidersRun {
            kademlia: kademlia.clone(),
            network,
            service,
            workload,
            censorship,
        };
        task.check()?;
        Ok(Box::new(NetworkRun { task, protocol }))
    }
}

/// A scenario of provider records, checked.
#[derive(Clone, Debug)]
struct ProvidersRun {
    network: NetworkScenario,
    kademlia: KademliaParameters,
    service: ProviderParameters,
    workload: ProviderWorkload,
    censorship: CensorshipParameters,
}

impl ProvidersRun {
    fn check(&self) -> Result<(), ConfigError> {
        let (network, workload) = (&self.network, &self.workload);
        if network.time.measure.is_none() {
            return Err(ConfigError::new(
                "time.measure",
                "expected the duration of the phase in which contents are provided and searched",
            ));
        }
        let needs_estimates = self.service.regions || self.service.method == Method::Optimistic;
        if needs_estimates && workload.size_walks == 0 {
            return Err(ConfigError::new(
                "providers.size-walks",
                "this method needs an estimate of the size of the network; expected at least 5 walks",
            ));
        }
        if self.service.method == Method::FullTable && workload.vantage_points == 0 {
            return Err(ConfigError::new(
                "providers.vantage-points",
                "vantage points crawl for their full tables; expected at least one",
            ));
        }
        if workload.size_walks > 0 && workload.vantage_points == 0 {
            return Err(ConfigError::new(
                "providers.vantage-points",
                "`size-walks` are those of vantage points; expected at least one",
            ));
        }
        if workload.crawl.span().is_some() && workload.vantage_points == 0 {
            return Err(ConfigError::new(
                "providers.vantage-points",
                "the first vantage point crawls; expected at least one",
            ));
        }
        if workload.monitor && workload.crawl.span().is_none() {
            return Err(ConfigError::new(
                "providers.crawl",
                "the monitor contacts the nodes that crawls have reached; expected a duration",
            ));
        }
        let is_sweep = self.service.republish_by == Republishing::Sweep;
        if is_sweep && self.service.republish.span().is_none() {
            return Err(ConfigError::new(
                "providers.republish-by",
                "a sweep takes the time `republish`; expected a duration there",
            ));
        }
        let least = WALKS_BEFORE * 2;
        if workload.vantage_points > 0 && network.time.transition < least {
            return Err(ConfigError::new(
                "time.transition",
                format_args!(
                    "vantage points join and know the network after {least}; found {}",
                    network.time.transition
                ),
            ));
        }
        let censorship = &self.censorship;
        if censorship.contents > 0 {
            if workload.vantage_points < 2 {
                return Err(ConfigError::new(
                    "providers.vantage-points",
                    "one vantage point provides an attacked content and another one searches it; \
                     expected at least 2",
                ));
            }
            let lasts = censorship.lasts();
            if network.measure() < lasts {
                return Err(ConfigError::new(
                    "time.measure",
                    format_args!(
                        "`censorship.wait` and twice `censorship.patience` take {lasts}, the measurement {}",
                        network.measure()
                    ),
                ));
            }
        }
        self.censorship.check(network.overlay.id_rule())?;
        if network.overlay.start == Start::Random {
            return Err(ConfigError::new(
                "overlay.start",
                "expected \"converged\" or \"join\"",
            ));
        }
        Ok(())
    }

    /// Operations of the run.
    fn operations(&self) -> f64 {
        let workload = &self.workload;
        let attacked = 2 * self.censorship.contents;
        let walks = workload.vantage_points as u64 * u64::from(workload.size_walks);
        (workload.provides + workload.finds + attacked + walks) as f64
    }
}

impl NetworkTask for ProvidersRun {
    type Application = Providers;
    type Course = Course;

    const UNFINISHED: &'static str = "operations under way";
    const NEEDS_ALL_ROWS: bool = false;

    fn network(&self) -> &NetworkScenario {
        &self.network
    }

    fn resolved(&self) -> Map {
        let mut table = self.network.resolved();
        let providers = self.service.write().into_iter();
        let mut providers: Map = providers.chain(self.workload.write()).collect();
        // The common way is left out, so that it gives no other run.
        if self.service.republish_by == Republishing::Each {
            providers.shift_remove("republish-by");
        }
        table.insert(SECTION.to_owned(), Value::Table(providers));
        if self.censorship.contents > 0 {
            let censorship = self.censorship.resolved();
            table.insert(CENSORSHIP.to_owned(), Value::Table(censorship));
        }
        table
    }

    fn service(&self, _: Seed) -> SharedProviders {
        let KademliaParameters { k, alpha, beta, .. } = self.kademlia;
        let limit = self.kademlia.lookup_limit();
        SharedProviders {
            parameters: self.service.clone(),
            rules: WalkRules {
                k,
                alpha,
                beta,
                limit,
            },
        }
    }

    fn extra_hosts(&self) -> usize {
        let hosts = self.censorship.contents as usize * self.censorship.addresses;
        self.workload.vantage_points + hosts
    }

    fn warm_up<P: GroundTruth>(
        &self,
        network: &mut Network<P, Providers>,
        seed: Seed,
        course: &mut Course,
    ) -> End {
        let max_events = self.max_events();
        course.first_site = network.sites() - self.extra_hosts() as u32;
        let mut ids = seed.stream("vantage-ids", 0);
        let count = self.workload.vantage_points as u32;
        let settled = self.network.settled();
        if count > 0 {
            let end = network.run(settled, false, max_events);
            if end != End::Done {
                return end;
            }
            let sites = course.first_site..course.first_site + count;
            let rule = self.network.overlay.id_rule();
            let join = |site| network.join_apart(rule.id(seed, site, &mut ids), site);
            course.vantage_points = sites.map(join).collect();
        }
        let measure_from = self.network.measure_from();
        let crawls = self.service.method == Method::FullTable;
        if self.workload.size_walks > 0 || crawls {
            let before = measure_from.since(Instant::START + WALKS_BEFORE);
            let end = network.run(Instant::START + before, false, max_events);
            if end != End::Done {
                return end;
            }
            for node in course.vantage_points.clone() {
                if crawls {
                    network.instruct(node, |providers, context| providers.crawl(context, false));
                }
                for bits in 0..self.workload.size_walks {
                    network.instruct(node, |providers, context| {
                        providers.sample_size(context, bits);
                    });
                }
            }
        }
        network.run(measure_from, false, max_events)
    }

    fn measure<P: GroundTruth>(
        &self,
        network: &mut Network<P, Providers>,
        seed: Seed,
        course: &mut Course,
    ) -> End {
        network.begin_measuring(self.network.intervals());
        course.sessions = self.workload.monitor.then(|| SessionLog::attach(network));
        course.ended_before = network.metrics().ended.len();
        plan_lookups(network, &self.network, seed);
        let (from, measure) = (self.network.measure_from(), self.network.measure());
        let mut draws = seed.stream("providers", 0);
        let end = self.network.measure_to();
        for (time, act) in agenda(&self.workload, &self.censorship, (from, measure)) {
            if time > end {
                break;
            }
            let reached = network.run(time, false, self.max_events());
            if reached != End::Done {
                return reached;
            }
            course.note_ended(network);
            self.act(network, (seed, &mut draws), course, act);
        }
        let reached = network.run(end, false, self.max_events());
        if reached == End::Done {
            course.health = self.table_health(network);
        }
        reached
    }

    fn output<P: GroundTruth>(
        &self,
        network: &mut Network<P, Providers>,
        _: Seed,
        mut course: Course,
    ) -> RunOutput {
        course.note_ended(network);
        output::output(network, &course, (&self.workload, &self.censorship))
    }

    fn cost(&self) -> Cost {
        let network = self.network.cost();
        Cost {
            events: self.network.building() + self.events_by(self.network.lasts()),
            bytes: network.bytes
                + self.operations() * 600.0
                + self.extra_hosts() as f64 * EXTRA_HOST_BYTES,
        }
    }

    fn events_by(&self, seconds: f64) -> f64 {
        let from = self.network.time.transition.as_secs_f64();
        let measured = ((seconds - from) / (self.network.lasts() - from).max(1e-9)).clamp(0.0, 1.0);
        let hops = self
            .network
            .protocol
            .cost_estimate(self.network.overlay.nodes)
            .hops;
        // Each request has a reply and a timer.
        let walk = 3.0 * (hops + 2.0 * self.kademlia.k as f64);
        self.network.events_by(seconds) + self.operations() * walk * measured
    }

    fn skippable(&self) -> Duration {
        Duration::ZERO
    }

    fn without_first(&self, skipped: Duration) -> Self {
        Self {
            network: self.network.without_first(skipped),
            ..self.clone()
        }
    }
}

impl ProvidersRun {
    /// The tables of the members now.
    fn table_health<P: GroundTruth>(&self, network: &Network<P, Providers>) -> TableHealth {
        let bounds = self.kademlia.bounds();
        TableHealth::of(network, |bits| bounds.capacity(bits), self.kademlia.k)
    }

    /// Does what is planned.
    fn act<P: GroundTruth>(
        &self,
        network: &mut Network<P, Providers>,
        (seed, draws): (Seed, &mut Stream),
        course: &mut Course,
        act: Act,
    ) {
        match act {
            Act::Provide(number) => {
                let key = Key::random(&mut seed.stream("content", number));
                if let Some(node) = course.initiator(network, draws) {
                    network.instruct(node, |providers, context| providers.provide(context, key));
                }
            }
            Act::Find(_) => {
                let known = course.provided.len();
                let draw = draws.unit();
                let key = course.provided.get((draw * known as f64) as usize).copied();
                if let (Some(key), Some(node)) = (key, course.initiator(network, draws)) {
                    network.instruct(node, |providers, context| providers.find(context, key));
                }
            }
            Act::Look => {
                if let Some(period) = self.workload.survival.span() {
                    course.survival.look(network, period, self.kademlia.k);
                }
            }
            Act::Crawl => {
                let monitors = self.workload.monitor;
                if let Some(node) = course.vantage_points.first().copied() {
                    network.instruct(node, |providers, context| {
                        providers.crawl(context, monitors);
                    });
                }
            }
            Act::Attack(number) => {
                let hosts = self.censorship.addresses as u32;
                let first = course.first_site + self.workload.vantage_points as u32;
                let first = first + number as u32 * hosts;
                let admitted = self.kademlia.most_of_group().unwrap_or(usize::MAX);
                let rule = self.network.overlay.id_rule();
                let attack = (&self.censorship, rule, admitted);
                let sites = first..first + hosts;
                course
                    .censorship
                    .attack(network, (seed, number), sites, attack);
            }
            Act::EndAttack(number) => course.censorship.end(network, number),
            Act::ProvideAttacked(number) | Act::FindAttacked(number) => {
                let key = censorship::key(seed, number);
                // Another one provides than searches.
                let is_search = u64::from(matches!(act, Act::FindAttacked(_)));
                let count = course.vantage_points.len() as u64;
                let node = course.vantage_points[((2 * number + is_search) % count) as usize];
                network.instruct(node, |providers, context| match act {
                    Act::FindAttacked(_) => providers.find(context, key),
                    _ => providers.provide(context, key),
                });
            }
        }
    }
}

/// What is noted while a run goes on.
#[derive(Default)]
struct Course {
    first_site: u32,
    vantage_points: Vec<Node>,
    next_vantage_point: usize,
    /// Operations that had ended when measuring began.
    ended_before: usize,
    /// Operations whose ends are noted.
    noted: usize,
    /// Contents whose providing has ended, without attacked ones.
    provided: Vec<Key>,
    survival: Survival,
    /// The true sessions, with a monitor.
    sessions: Option<Rc<RefCell<SessionLog>>>,
    censorship: Censorship,
    health: TableHealth,
}

impl Course {
    /// The node that issues the next operation.
    fn initiator<P: GroundTruth>(
        &mut self,
        network: &Network<P, Providers>,
        draws: &mut Stream,
    ) -> Option<Node> {
        if self.vantage_points.is_empty() {
            let members = network.honest();
            return members.get(draws.index(members.len().max(1))).copied();
        }
        self.next_vantage_point = (self.next_vantage_point + 1) % self.vantage_points.len();
        Some(self.vantage_points[self.next_vantage_point])
    }

    /// Notes the operations that have ended since the last call.
    fn note_ended<P: GroundTruth>(&mut self, network: &Network<P, Providers>) {
        self.noted = self.noted.max(self.ended_before);
        for ended in &network.metrics().ended[self.noted..] {
            if ended.purpose == Purpose::Provide && !self.censorship.has_attacked(&ended.key) {
                self.provided.push(ended.key);
                let now = ended.begun + ended.ended;
                self.survival.follow(ended.key, now, ended.holders.clone());
            }
        }
        self.noted = network.metrics().ended.len();
    }
}
