//! The scenario of a living network: underlay, overlay, workload, time.

use super::{Protocol, ProtocolParameters};
use crate::adversary::{AdversaryConfig, Strategy};
use crate::churn::Churn;
use crate::engine::{Duration, Instant};
use crate::network::{MOST_NODES, Placement, Travel};
use crate::overlay::{Deployment, IdRule, IdScheme, Start};
use crate::parameter::{ConfigError, Parameters, Section, Table};
use crate::space::Key;
use crate::underlay;
use crate::workload::{DEFAULT_LOOKUPS, WorkloadParameters};
use std::path::Path;
use toml::Value;

crate::parameters! {
    /// The DHT: its protocol, size and beginning.
    pub struct OverlayScenario {
        /// The protocol; its parameters stand in the table of its name.
        pub protocol: Protocol = Protocol::Chord;
        /// Number of nodes.
        pub nodes: usize = 1000, within 1..=10_000_000;
        /// How the network comes about.
        pub start: Start = Start::Converged;
        /// How many others a node knows with `start = "random"`.
        pub contacts: usize = 10, within 1..=10_000;
        /// How lookups travel.
        pub lookup: Travel = Travel::Recursive;
        /// Whether the initiator of an iterative lookup asks the root that another node has named, so that the root answers before the lookup is over, as with protocols whose roots know that they are; without it the lookup is over when the root is named.
        pub ask_root: bool = true;
        /// Where the IDs of nodes come from.
        pub ids: IdScheme = IdScheme::Random;
        /// IDs that an address has with `ids = "address"`, or a /24 with `ids = "subnet"`.
        pub ids_per_address: u32 = 1, within 1..=65536;
        /// How nodes are put on hosts.
        pub placement: Placement = Placement::Distinct;
    }
}

impl OverlayScenario {
    /// How IDs are granted.
    pub fn id_rule(&self) -> IdRule {
        IdRule {
            scheme: self.ids,
            per_address: self.ids_per_address,
        }
    }
}

crate::parameters! {
    /// When things happen, and how long a run may last.
    pub struct TimeParameters {
        /// The time before anything is measured.
        pub transition: Duration = Duration::ZERO;
        /// The time in which lookups are issued; if absent, as long as they take at one a millisecond.
        pub measure: Option<Duration> = None, within crate::parameter::Range::above(0.0);
        /// Virtual time at which a run ends whatever is under way; an hour after the last lookup if absent.
        pub max: Option<Duration> = None, within crate::parameter::Range::above(0.0);
        /// Length of the intervals of `timeline.csv`; a twentieth of the time in which lookups are issued if absent.
        pub interval: Option<Duration> = None, within crate::parameter::Range::above(0.0);
        /// Events after which a run ends.
        pub max_events: u64 = 10_000_000_000, within 1.0..=6e10;
    }
}

/// More intervals than anyone wants to look at.
const MOST_INTERVALS: u64 = 100_000;

/// The scenario of a living network, checked.
#[derive(Clone, Debug)]
pub struct NetworkScenario {
    /// The underlay.
    pub underlay: underlay::Specification,
    /// The overlay.
    pub overlay: OverlayScenario,
    /// Its protocol's parameters.
    pub protocol: ProtocolParameters,
    /// What it is asked to do.
    pub workload: WorkloadParameters,
    /// Who comes and goes meanwhile.
    pub churn: Churn,
    /// Who attacks it.
    pub adversary: AdversaryConfig,
    /// When.
    pub time: TimeParameters,
}

impl NetworkScenario {
    /// The tables it may have.
    pub fn sections() -> Vec<Section> {
        let mut sections = underlay::Specification::sections();
        sections.extend([
            Section::of::<OverlayScenario>("overlay"),
            Section::of::<WorkloadParameters>("workload"),
            Section::of::<TimeParameters>("time"),
        ]);
        sections.extend(ProtocolParameters::sections());
        sections.extend(Churn::sections());
        sections.extend(AdversaryConfig::sections());
        sections
    }

    /// Reads and checks it; `folder` is that of the file.
    ///
    /// # Errors
    /// The first key that is wrong or cannot be meant together with another.
    pub fn read(table: &Table<'_>, folder: &Path) -> Result<Self, ConfigError> {
        let overlay_table = table.sub("overlay")?;
        let overlay = OverlayScenario::read(&overlay_table)?;
        let protocol = ProtocolParameters::read(overlay.protocol, &overlay_table)?;
        let workload = WorkloadParameters::read(&table.sub("workload")?)?;
        let time = TimeParameters::read(&table.sub("time")?)?;
        let adversary = table.sub("adversary")?;
        let adversary = AdversaryConfig::read(&adversary, overlay.id_rule(), protocol.is_ring())?;
        let mut scenario = Self {
            underlay: underlay::Specification::read(&table.sub("underlay")?, folder)?,
            overlay,
            protocol,
            workload,
            churn: Churn::default(),
            adversary,
            time,
        };
        let duration = scenario.time.transition + scenario.measure();
        let nodes = scenario.overlay.nodes;
        scenario.churn = Churn::read(&table.sub("churn")?, folder, nodes, duration)?;
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let overlay = &self.overlay;
        self.check_host_count(self.underlay.hosts(), "hosts of the underlay")?;
        if overlay.start != Start::Converged && self.time.transition.is_zero() {
            return Err(ConfigError::new(
                "time.transition",
                format_args!(
                    "expected a time above zero in which a network that starts with \"{}\" finds itself",
                    overlay.start.as_str()
                ),
            ));
        }
        self.protocol.check(&Deployment {
            nodes: self.participants(),
            start: overlay.start,
            joins: self.churn.joins() || self.adversary.is_some(),
            iterative: overlay.lookup == Travel::Iterative,
        })?;
        self.check_attack()?;
        self.check_volume()?;
        if self.workload.lookups.is_some() && self.workload.interval.is_some() {
            return Err(ConfigError::new(
                "workload.interval",
                "expected either `lookups` or `interval`",
            ));
        }
        if self.workload.interval.is_some() && self.time.measure.is_none() {
            return Err(ConfigError::new(
                "time.measure",
                "expected the time in which nodes look up keys at `workload.interval`",
            ));
        }
        if let Some(begin) = self.churn.parameters.begin
            && Instant::START + begin < self.settled()
        {
            return Err(ConfigError::new(
                "churn.begin",
                format_args!(
                    "nodes still join until {}",
                    self.settled().since(Instant::START)
                ),
            ));
        }
        if let Some((length, _)) = self.intervals()
            && let count = self.measure().as_nanos() / length.as_nanos().max(1)
            && count > MOST_INTERVALS
        {
            return Err(ConfigError::new(
                "time.interval",
                format_args!("{count} intervals of {length} are more than {MOST_INTERVALS}"),
            ));
        }
        if self.time.max.is_some_and(|max| max <= self.time.transition) {
            return Err(ConfigError::new(
                "time.max",
                format_args!(
                    "the run would stop before it starts to measure at {}",
                    self.time.transition
                ),
            ));
        }
        Ok(())
    }

    /// How many nodes can be there: those at first, and those that come later.
    fn participants(&self) -> usize {
        self.churn.sites().max(self.overlay.nodes)
    }

    /// Refuses more nodes than there are `hosts`, which are `what`, where each is to have its own: at
    /// first, or when churn has them grow.
    ///
    /// # Errors
    /// A [`ConfigError`] with the key that asks for so many.
    pub fn check_host_count(&self, hosts: usize, what: &str) -> Result<(), ConfigError> {
        if self.overlay.placement == Placement::Shared {
            return Ok(());
        }
        // A file brings its own hosts.
        let raise = match self.underlay.facts() {
            Some(_) => "",
            None => "raise `underlay.nodes` or ",
        };
        let room = format!("{raise}set `overlay.placement = \"shared\"`");
        let nodes = self.overlay.nodes;
        if nodes > hosts {
            let message = format_args!("{nodes} nodes do not fit on the {hosts} {what}; {room}");
            return Err(ConfigError::new("overlay.nodes", message));
        }
        let (peak, key) = self.churn.peak(self.settled(), self.measure_to());
        if peak > hosts {
            let message = format_args!(
                "the network grows to about {peak} nodes, which do not fit on the {hosts} {what}; \
                 {room}"
            );
            return Err(ConfigError::new(key, message));
        }
        Ok(())
    }

    fn check_attack(&self) -> Result<(), ConfigError> {
        let attack = &self.adversary.attack;
        if attack.strategy == Strategy::AroundKey && self.attacked_key().is_none() {
            let message = "expected the key around which Sybils are put, here or as `workload.key`";
            return Err(ConfigError::new("adversary.target", message));
        }
        if self.adversary.is_some() && Instant::START + attack.start < self.settled() {
            return Err(ConfigError::new(
                "adversary.start",
                format_args!(
                    "nodes still join until {}",
                    self.settled().since(Instant::START)
                ),
            ));
        }
        Ok(())
    }

    /// Refuses more `replicas` of an item, its root's included, than there are nodes, or than the
    /// overlay names nodes for; `key` is where they are set.
    ///
    /// # Errors
    /// A [`ConfigError`] with `key`.
    pub fn check_replicas(&self, key: &str, replicas: usize) -> Result<(), ConfigError> {
        let nodes = self.participants();
        if replicas > nodes {
            let message = format_args!("{replicas} copies do not fit on {nodes} nodes");
            return Err(ConfigError::new(key, message));
        }
        match self.protocol.max_replicas() {
            Some((heirs, its_key)) if replicas - 1 > heirs => Err(ConfigError::new(
                key,
                format_args!(
                    "with `{its_key}` = {heirs} a node knows {heirs} others to hold copies, not {}",
                    replicas - 1
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Refuses to have a network recorded that is too large to be watched.
    ///
    /// # Errors
    /// A [`ConfigError`] with the key that makes it so.
    pub fn check_recordable(&self) -> Result<(), ConfigError> {
        let sybils = self.adversary.most(self.overlay.id_rule());
        for (key, count, what) in [
            ("overlay.nodes", self.overlay.nodes, "nodes"),
            ("adversary.sybils", sybils, "Sybils"),
        ] {
            if count > MOST_NODES {
                let message =
                    format_args!("a recording shows at most {MOST_NODES} {what}, not {count}");
                return Err(ConfigError::new(key, message));
            }
        }
        Ok(())
    }

    /// The key around which Sybils are put.
    pub fn attacked_key(&self) -> Option<Key> {
        self.adversary.attack.target.or(self.workload.key)
    }

    /// When all nodes are there that are there at first.
    pub fn settled(&self) -> Instant {
        match self.overlay.start {
            Start::Join => {
                Instant::START + Duration::from_nanos(self.time.transition.as_nanos() / 2)
            }
            Start::Converged | Start::Random => Instant::START,
        }
    }

    /// The intervals by which a network with churn or an attack is measured: their length, and when
    /// the last one ends at the latest.
    pub fn intervals(&self) -> Option<(Duration, Instant)> {
        let measure = self.measure().as_nanos();
        if !(self.churn.is_some() || self.adversary.is_some()) || measure == 0 {
            return None;
        }
        let twentieth = Duration::from_nanos(measure.div_ceil(20));
        Some((self.time.interval.unwrap_or(twentieth), self.measure_to()))
    }

    /// How many lookups are planned, or expected.
    pub fn lookups(&self) -> u64 {
        let measure = self.time.measure.map_or(0.0, Duration::as_secs_f64);
        match (
            self.workload.lookups,
            self.workload.interval.and_then(|period| period.span()),
        ) {
            (Some(lookups), _) => lookups,
            (None, Some(interval)) => {
                (self.overlay.nodes as f64 * measure / interval.as_secs_f64()) as u64
            }
            (None, None) if self.workload.interval.is_some() => 0,
            (None, None) => DEFAULT_LOOKUPS,
        }
    }

    /// When measuring begins.
    pub fn measure_from(&self) -> Instant {
        Instant::START + self.time.transition
    }

    /// The time in which lookups are issued.
    pub fn measure(&self) -> Duration {
        self.time
            .measure
            .unwrap_or(Duration::from_millis(1) * self.lookups())
    }

    /// When no more lookups are issued, or the run has to end before.
    pub fn measure_to(&self) -> Instant {
        (self.measure_from() + self.measure()).min(self.end())
    }

    /// When the run ends whatever is under way.
    pub fn end(&self) -> Instant {
        match self.time.max {
            Some(max) => Instant::START + max,
            None => self.measure_from() + self.measure() + Duration::from_secs(3600),
        }
    }

    /// Every key with its value, nested as in a file.
    pub fn resolved(&self) -> toml::Table {
        let mut overlay: toml::Table = self.overlay.write().into_iter().collect();
        overlay.insert(
            self.overlay.protocol.as_str().to_owned(),
            Value::Table(self.protocol.write()),
        );
        [
            ("underlay", self.underlay.write()),
            ("overlay", overlay),
            ("workload", self.workload.write().into_iter().collect()),
            ("churn", self.churn.write()),
            ("adversary", self.adversary.write()),
            ("time", self.time.write().into_iter().collect()),
        ]
        .into_iter()
        .map(|(key, table)| (key.to_owned(), Value::Table(table)))
        .collect()
    }
}
