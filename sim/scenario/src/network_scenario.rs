//! The scenario of a network simulation: underlay, overlay, workload, time.

use super::{OwnProtocol, Protocol, ProtocolParameters};
use dhtlab_core::adversary::{AdversaryConfig, Strategy};
use dhtlab_core::churn::Churn;
use dhtlab_core::engine::{Duration, Instant, Period};
use dhtlab_core::network::{Placement, Travel};
use dhtlab_core::overlay::{Deployment, IdRule, IdScheme, Metric, Start};
use dhtlab_core::parameter::Value;
use dhtlab_core::parameter::{ConfigError, Parameters, Section, Table};
use dhtlab_core::space::Key;
use dhtlab_core::transport::{PartitionList, Timeouts, TransportParameters};
use dhtlab_core::underlay;
use dhtlab_core::workload::{DEFAULT_LOOKUPS, WorkloadParameters};
use dhtlab_format::recording::MOST_NODES;
use std::path::Path;
use std::sync::Arc;

dhtlab_core::parameters! {
    /// The DHT: its protocol, size and initial state.
    pub struct OverlayScenario {
        /// The protocol; its parameters are in the table of the same name.
        pub protocol: Protocol = Protocol::Chord;
        /// Number of nodes.
        pub nodes: usize = 1000, within 1..=10_000_000;
        /// The initial state of the network.
        pub start: Start = Start::Converged;
        /// Number of contacts of a node with `start = "random"`.
        pub contacts: usize = 10, within 1..=10_000;
        /// The routing mode of lookups.
        pub lookup: Travel = Travel::Recursive;
        /// Whether the initiator of an iterative lookup contacts the root that another node names, as in protocols whose roots confirm; otherwise the lookup ends when a node names the root.
        pub ask_root: bool = true;
        /// The source of node IDs.
        pub ids: IdScheme = IdScheme::Random;
        /// Number of IDs of an address with `ids = "address"`, or of a /24 with `ids = "subnet"`.
        pub ids_per_address: u32 = 1, within 1..=65536;
        /// Number of /16 over which the IPv4 addresses of nodes are spread evenly; 0: addresses are uniform among all public ones. Hosts of real networks share groups of addresses, so limits such as `overlay.kademlia.group-per-node` keep honest nodes out of tables, too.
        pub address_groups: u32 = 0, within 0..=50_000;
        /// Assignment of nodes to hosts.
        pub placement: Placement = Placement::Distinct;
        /// Mean time between two contacts of a node with a random member that a bootstrap service names, or "never": parts of a divided network find each other again (not with UrDHT).
        pub reunite: Period = Period::NEVER;
    }
}

impl OverlayScenario {
    /// The rule by which IDs are granted.
    pub fn id_rule(&self) -> IdRule {
        IdRule {
            scheme: self.ids,
            per_address: self.ids_per_address,
            address_groups: self.address_groups,
        }
    }
}

dhtlab_core::parameters! {
    /// Phases and bounds of a run.
    pub struct TimeParameters {
        /// Time before the measurement starts.
        pub transition: Duration = Duration::ZERO;
        /// Duration of the measurement, in which lookups are issued; one millisecond per lookup if absent.
        pub measure: Option<Duration> = None, within dhtlab_core::parameter::Range::above(0.0);
        /// Maximum virtual time of a run; an hour after the last lookup if absent.
        pub max: Option<Duration> = None, within dhtlab_core::parameter::Range::above(0.0);
        /// Length of the intervals of `timeline.csv`; a twentieth of the measured time if absent.
        pub interval: Option<Duration> = None, within dhtlab_core::parameter::Range::above(0.0);
        /// Maximum number of events of a run.
        pub max_events: u64 = 10_000_000_000, within 1.0..=6e10;
    }
}

/// Upper bound on the number of intervals.
const MOST_INTERVALS: u64 = 100_000;

/// The scenario of a network simulation, validated.
#[derive(Clone, Debug)]
pub struct NetworkScenario {
    /// The underlay.
    pub underlay: underlay::Specification,
    /// The overlay.
    pub overlay: OverlayScenario,
    /// The parameters of its protocol.
    pub protocol: ProtocolParameters,
    /// The transport.
    pub transport: TransportParameters,
    /// The partitions.
    pub partitions: PartitionList,
    /// The workload.
    pub workload: WorkloadParameters,
    /// The churn.
    pub churn: Churn,
    /// The adversary.
    pub adversary: AdversaryConfig,
    /// Phases and bounds.
    pub time: TimeParameters,
}

impl NetworkScenario {
    /// The tables of a network in a scenario file.
    pub fn sections() -> Vec<Section> {
        let mut sections = underlay::Specification::sections();
        sections.extend([
            Section::of::<TransportParameters>("transport"),
            Section::of::<PartitionList>(""),
            Section::of::<OverlayScenario>("overlay"),
            Section::of::<WorkloadParameters>("workload"),
            Section::of::<TimeParameters>("time"),
        ]);
        sections.extend(ProtocolParameters::sections());
        sections.extend(Churn::sections());
        sections.extend(AdversaryConfig::sections());
        sections
    }

    /// Reads and validates the scenario; `folder` is that of the file.
    ///
    /// # Errors
    /// The first key that is wrong or contradicts another one.
    pub fn read(table: &Table<'_>, folder: &Path) -> Result<Self, ConfigError> {
        let overlay_table = table.sub("overlay")?;
        let overlay = OverlayScenario::read(&overlay_table)?;
        let protocol = ProtocolParameters::read(overlay.protocol, &overlay_table)?;
        Self::with_overlay(table, folder, overlay, protocol)
    }

    /// As [`read`](Self::read), over a protocol of one's own with this name and these parameters, which
    /// `overlay.protocol` names.
    ///
    /// # Errors
    /// The first key that is wrong or contradicts another one.
    pub fn read_own(
        table: &Table<'_>,
        folder: &Path,
        name: &'static str,
        parameters: Arc<dyn OwnProtocol>,
    ) -> Result<Self, ConfigError> {
        let overlay = table.sub("overlay")?;
        let mut values = overlay.values().cloned().unwrap_or_default();
        values.shift_remove("protocol");
        let overlay = OverlayScenario::read(&overlay.with(&values))?;
        let protocol = ProtocolParameters::Own(name, parameters);
        Self::with_overlay(table, folder, overlay, protocol)
    }

    fn with_overlay(
        table: &Table<'_>,
        folder: &Path,
        overlay: OverlayScenario,
        protocol: ProtocolParameters,
    ) -> Result<Self, ConfigError> {
        let transport = TransportParameters::read(&table.sub("transport")?)?;
        transport.check()?;
        let partitions = PartitionList::read(table)?;
        let workload = WorkloadParameters::read(&table.sub("workload")?)?;
        let time = TimeParameters::read(&table.sub("time")?)?;
        let adversary = table.sub("adversary")?;
        let adversary = AdversaryConfig::read(&adversary, overlay.id_rule(), protocol.is_ring())?;
        let mut scenario = Self {
            underlay: underlay::Specification::read(&table.sub("underlay")?, folder)?,
            overlay,
            protocol,
            transport,
            partitions,
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
                    "expected a duration above zero, in which a network with start = \"{}\" builds its tables",
                    overlay.start.as_str()
                ),
            ));
        }
        self.protocol.check(&Deployment {
            nodes: self.participants(),
            start: overlay.start,
            joins: self.churn.joins() || self.adversary.is_some(),
            iterative: overlay.lookup == Travel::Iterative,
            knows_round_trips: self.transport.timeouts != Timeouts::Fixed,
        })?;
        self.check_metric()?;
        self.check_ids()?;
        for partition in &self.partitions.partition.0 {
            partition.check(self.underlay.hosts(), !self.underlay.has_no_links())?;
        }
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
                "expected the duration of the phase with lookups at `workload.interval`",
            ));
        }
        if let Some(begin) = self.churn.parameters.begin
            && Instant::START + begin < self.settled()
        {
            return Err(ConfigError::new(
                "churn.begin",
                format_args!("nodes join until {}", self.settled().since(Instant::START)),
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
                    "the run would end before the measurement starts at {}",
                    self.time.transition
                ),
            ));
        }
        Ok(())
    }

    /// Refuses groups of addresses where an ID belongs to a /24: few /24 have few IDs.
    fn check_ids(&self) -> Result<(), ConfigError> {
        if self.overlay.ids == IdScheme::Subnet && self.overlay.address_groups > 0 {
            return Err(ConfigError::new(
                "overlay.address-groups",
                "with `ids = \"subnet\"` nodes of one /24 would have the same IDs; expected 0",
            ));
        }
        Ok(())
    }

    /// Number of participants: the initial nodes and those that join later.
    fn participants(&self) -> usize {
        self.churn.sites().max(self.overlay.nodes)
    }

    /// Refuses more nodes than `hosts` where each needs its own host, at the start or after growth
    /// by churn; `what` describes the hosts in the message.
    ///
    /// # Errors
    /// A [`ConfigError`] with the key that sets the number of nodes.
    pub fn check_host_count(&self, hosts: usize, what: &str) -> Result<(), ConfigError> {
        if self.overlay.placement == Placement::Shared {
            return Ok(());
        }
        // A file defines its own hosts.
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
                "the network grows to about {peak} nodes, which exceeds the {hosts} {what}; \
                 {room}"
            );
            return Err(ConfigError::new(key, message));
        }
        Ok(())
    }

    /// A warning if chance may well let the network grow beyond distinct `hosts`.
    pub fn tell_host_count(&self, hosts: usize) -> Option<ConfigError> {
        let (settled, end) = (self.settled(), self.measure_to());
        let (peak, key) = self.churn.peak(settled, end);
        let deviation = self.churn.deviation(settled, end);
        let may_exceed = self.churn.grows() && peak as f64 + 2.0 * deviation > hosts as f64;
        (may_exceed && self.overlay.placement == Placement::Distinct).then(|| {
            let message = format_args!(
                "by chance the network may grow beyond the {hosts} connected hosts of this underlay \
                 (about {peak} nodes, standard deviation {deviation:.0}); more nodes share hosts"
            );
            ConfigError::new(key, message)
        })
    }

    /// Refuses a metric that this underlay does not have.
    fn check_metric(&self) -> Result<(), ConfigError> {
        let message = match self.protocol.metric() {
            Metric::Hops if self.underlay.has_no_links() => {
                "\"hops\" needs an underlay whose hosts are joined by links"
            }
            Metric::Cost if !self.underlay.has_costs() => {
                "\"cost\" needs links with a cost: the key `underlay.file.cost`"
            }
            _ => return Ok(()),
        };
        Err(ConfigError::new("overlay.vhash.metric", message))
    }

    fn check_attack(&self) -> Result<(), ConfigError> {
        let attack = &self.adversary.attack;
        if attack.strategy == Strategy::AroundKey && self.attacked_key().is_none() {
            let message = "expected the key of the attack, here or in `workload.key`";
            return Err(ConfigError::new("adversary.target", message));
        }
        if self.adversary.is_some() && Instant::START + attack.start < self.settled() {
            return Err(ConfigError::new(
                "adversary.start",
                format_args!("nodes join until {}", self.settled().since(Instant::START)),
            ));
        }
        Ok(())
    }

    /// Refuses more `replicas` of an item, the root's included, than there are nodes or than the
    /// overlay keeps replica nodes; `key` sets them.
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
            Some((max_replicas, its_key)) if replicas - 1 > max_replicas => Err(ConfigError::new(
                key,
                format_args!(
                    "with `{its_key}` = {max_replicas} a node knows {max_replicas} other nodes for replicas, not {}",
                    replicas - 1
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Refuses to record a network that is too large to be shown.
    ///
    /// # Errors
    /// A [`ConfigError`] with the key that causes it.
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

    /// The key around which Sybils are placed.
    pub fn attacked_key(&self) -> Option<Key> {
        self.adversary.attack.target.or(self.workload.key)
    }

    /// When all initial nodes have joined.
    pub fn settled(&self) -> Instant {
        match self.overlay.start {
            Start::Join => {
                Instant::START + Duration::from_nanos(self.time.transition.as_nanos() / 2)
            }
            Start::Converged | Start::Random => Instant::START,
        }
    }

    /// The intervals of the timeline of a network with churn, an attack or a partition: their length, and the
    /// latest end of the last one.
    pub fn intervals(&self) -> Option<(Duration, Instant)> {
        let measure = self.measure().as_nanos();
        let changes = self.churn.is_some()
            || self.adversary.is_some()
            || !self.partitions.partition.0.is_empty();
        if !changes || measure == 0 {
            return None;
        }
        let twentieth = Duration::from_nanos(measure.div_ceil(20));
        Some((self.time.interval.unwrap_or(twentieth), self.measure_to()))
    }

    /// Number of planned or expected lookups.
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

    /// Duration of the phase in which lookups are issued.
    pub fn measure(&self) -> Duration {
        self.time
            .measure
            .unwrap_or(Duration::from_millis(1) * self.lookups())
    }

    /// The end of the phase in which lookups are issued, at most the end of the run.
    pub fn measure_to(&self) -> Instant {
        (self.measure_from() + self.measure()).min(self.end())
    }

    /// When the run ends in any case.
    pub fn end(&self) -> Instant {
        match self.time.max {
            Some(max) => Instant::START + max,
            None => self.measure_from() + self.measure() + Duration::from_secs(3600),
        }
    }

    /// Every key with its value, nested as in a file.
    pub fn resolved(&self) -> dhtlab_core::parameter::Map {
        let written = self
            .overlay
            .write_without_defaults(&["reunite", "address-groups"]);
        let mut overlay: dhtlab_core::parameter::Map = written.into_iter().collect();
        let name = self.protocol.name().to_owned();
        overlay.insert("protocol".to_owned(), Value::String(name.clone()));
        overlay.insert(name, Value::Table(self.protocol.write()));
        let mut all: dhtlab_core::parameter::Map = self.partitions.write().into_iter().collect();
        let tables = [
            ("underlay", self.underlay.write()),
            ("transport", self.transport.resolved().into_iter().collect()),
            ("overlay", overlay),
            ("workload", self.workload.write().into_iter().collect()),
            ("churn", self.churn.write()),
            ("adversary", self.adversary.write()),
            ("time", self.time.write().into_iter().collect()),
        ]
        .map(|(key, table)| (key.to_owned(), Value::Table(table)));
        all.extend(tables);
        all
    }
}
