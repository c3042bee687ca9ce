//! The scenario of a living network: underlay, overlay, workload, time.

use super::Cost;
use crate::engine::{Instant, Span};
use crate::network::{Placement, Travel};
use crate::overlay::chord::ChordParameters;
use crate::overlay::vhash::{Embedding, VHashParameters};
use crate::parameter::{Parameters, Problem, Section, Table};
use crate::underlay;
use crate::workload::{DEFAULT_LOOKUPS, WorkloadParameters};
use std::path::Path;
use toml::Value;

crate::choices! {
    /// The protocols.
    pub enum Protocol {
        /// Chord.
        Chord = "chord",
        /// VHash.
        VHash = "vhash",
    }
}

crate::choices! {
    /// How a network comes about.
    pub enum Start {
        /// As if the protocol had run for long enough.
        Converged = "converged",
        /// One node after the other joins through a random member, over the first half of `time.transition`.
        Join = "join",
        /// Every node knows a few random others.
        Random = "random",
    }
}

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
        /// How nodes are put on hosts.
        pub placement: Placement = Placement::Distinct;
    }
}

crate::parameters! {
    /// When things happen, and how long a run may last.
    pub struct TimeParameters {
        /// The time before anything is measured.
        pub transition: Span = Span::ZERO;
        /// The time in which lookups are issued; if absent, as long as they take at one a millisecond.
        pub measure: Option<Span> = None, within crate::parameter::Range::above(0.0);
        /// Virtual time at which a run ends whatever is under way; an hour after the last lookup if absent.
        pub max: Option<Span> = None, within crate::parameter::Range::above(0.0);
        /// Events after which a run ends.
        pub max_events: u64 = 10_000_000_000, within 1.0..=6e10;
    }
}

/// The parameters of the protocol that was chosen.
#[derive(Clone, Debug, PartialEq)]
pub enum ProtocolParameters {
    /// Chord's.
    Chord(ChordParameters),
    /// VHash's.
    VHash(VHashParameters),
}

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
    /// When.
    pub time: TimeParameters,
}

impl NetworkScenario {
    /// The tables it may have.
    pub fn sections() -> Vec<Section> {
        let mut sections = underlay::Specification::sections();
        sections.extend([
            Section::of::<OverlayScenario>("overlay"),
            Section::of::<ChordParameters>("overlay.chord"),
            Section::of::<VHashParameters>("overlay.vhash"),
            Section::of::<WorkloadParameters>("workload"),
            Section::of::<TimeParameters>("time"),
        ]);
        sections
    }

    /// Reads and checks it; `folder` is that of the file.
    ///
    /// # Errors
    /// The first key that is wrong or cannot be meant together with another.
    pub fn read(table: &Table<'_>, folder: &Path) -> Result<Self, Problem> {
        let overlay_table = table.sub("overlay")?;
        let overlay = OverlayScenario::read(&overlay_table)?;
        let protocol_table = overlay_table.sub(overlay.protocol.as_str())?;
        let protocol = match overlay.protocol {
            Protocol::Chord => ProtocolParameters::Chord(Parameters::read(&protocol_table)?),
            Protocol::VHash => ProtocolParameters::VHash(Parameters::read(&protocol_table)?),
        };
        let scenario = Self {
            underlay: underlay::Specification::read(&table.sub("underlay")?, folder)?,
            overlay,
            protocol,
            workload: WorkloadParameters::read(&table.sub("workload")?)?,
            time: TimeParameters::read(&table.sub("time")?)?,
        };
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), Problem> {
        let overlay = &self.overlay;
        let hosts = self.underlay.hosts();
        if overlay.placement == Placement::Distinct && overlay.nodes > hosts {
            return Err(Problem::new(
                "overlay.nodes",
                format_args!(
                    "{} nodes do not fit on the {hosts} hosts of the underlay; raise \
                     `underlay.nodes` or set `overlay.placement = \"shared\"`",
                    overlay.nodes
                ),
            ));
        }
        if overlay.start != Start::Converged && self.time.transition.is_zero() {
            return Err(Problem::new(
                "time.transition",
                format_args!(
                    "expected a time above zero in which a network that starts with \"{}\" finds itself",
                    overlay.start.as_str()
                ),
            ));
        }
        match &self.protocol {
            ProtocolParameters::Chord(chord) => self.check_chord(chord)?,
            ProtocolParameters::VHash(vhash) => self.check_vhash(vhash)?,
        }
        if self.workload.lookups.is_some() && self.workload.interval.is_some() {
            return Err(Problem::new(
                "workload.interval",
                "expected either `lookups` or `interval`",
            ));
        }
        if self.workload.interval.is_some() && self.time.measure.is_none() {
            return Err(Problem::new(
                "time.measure",
                "expected the time in which nodes look up keys at `workload.interval`",
            ));
        }
        if self.time.max.is_some_and(|max| max <= self.time.transition) {
            return Err(Problem::new(
                "time.max",
                format_args!(
                    "the run would stop before it starts to measure at {}",
                    self.time.transition
                ),
            ));
        }
        Ok(())
    }

    fn check_chord(&self, chord: &ChordParameters) -> Result<(), Problem> {
        let others = self.overlay.nodes.saturating_sub(1).max(1);
        if chord.successors > others {
            return Err(Problem::new(
                "overlay.chord.successors",
                format_args!(
                    "expected at most the {others} other nodes, found {}",
                    chord.successors
                ),
            ));
        }
        match self.overlay.start {
            Start::Random => Err(Problem::new(
                "overlay.start",
                "chord starts \"converged\" or by \"join\": nodes that know a few random others \
                 do not find their ring",
            )),
            Start::Join if chord.stabilise.span().is_none() => Err(Problem::new(
                "overlay.chord.stabilise",
                "nodes that join need to stabilise; expected a duration",
            )),
            _ => Ok(()),
        }
    }

    fn check_vhash(&self, vhash: &VHashParameters) -> Result<(), Problem> {
        let gossips = vhash.gossip.span().is_some();
        if !gossips && (self.overlay.start != Start::Converged || vhash.embedding != Embedding::Off)
        {
            return Err(Problem::new(
                "overlay.vhash.gossip",
                "nodes find their peers and measure latencies by gossip; expected a duration",
            ));
        }
        Ok(())
    }

    /// How many lookups are planned, or expected.
    pub fn lookups(&self) -> u64 {
        let measure = self.time.measure.map_or(0.0, Span::as_secs_f64);
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
    pub fn measure(&self) -> Span {
        self.time
            .measure
            .unwrap_or(Span::from_millis(1) * self.lookups())
    }

    /// When the run ends whatever is under way.
    pub fn end(&self) -> Instant {
        match self.time.max {
            Some(max) => Instant::START + max,
            None => self.measure_from() + self.measure() + Span::from_secs(3600),
        }
    }

    /// Every key with its value, nested as in a file.
    pub fn resolved(&self) -> toml::Table {
        let mut overlay: toml::Table = self.overlay.write().into_iter().collect();
        let parameters = match &self.protocol {
            ProtocolParameters::Chord(chord) => chord.write(),
            ProtocolParameters::VHash(vhash) => vhash.write(),
        };
        overlay.insert(
            self.overlay.protocol.as_str().to_owned(),
            Value::Table(parameters.into_iter().collect()),
        );
        [
            ("underlay", self.underlay.write()),
            ("overlay", overlay),
            ("workload", self.workload.write().into_iter().collect()),
            ("time", self.time.write().into_iter().collect()),
        ]
        .into_iter()
        .map(|(key, table)| (key.to_owned(), Value::Table(table)))
        .collect()
    }

    /// What a run will take, roughly: lookups by the field's rule of log n hops, maintenance by
    /// its periods, memory by the tables of a node and the underlay's own estimate.
    pub fn cost(&self) -> Cost {
        let n = self.overlay.nodes as f64;
        let log = libm::log2(n.max(2.0));
        let seconds = self.time.transition.as_secs_f64() + self.measure().as_secs_f64();
        let rate =
            |period: crate::engine::Period| period.span().map_or(0.0, |s| 1.0 / s.as_secs_f64());
        let (hops, maintenance, peer_bytes) = match &self.protocol {
            ProtocolParameters::Chord(chord) => (
                log / 2.0 + 1.0,
                4.0 * rate(chord.stabilise)
                    + (log / 2.0 + 2.0) * rate(chord.fix_fingers)
                    + 3.0 * rate(chord.check_predecessor),
                12.0 * (chord.successors as f64 + log),
            ),
            ProtocolParameters::VHash(vhash) => {
                let d = vhash.dimensions as f64;
                let short = vhash.table_size.map_or(3.0 * d + 1.0, |size| size as f64);
                let long = vhash
                    .long_peers
                    .map_or((3.0 * d + 1.0) * (3.0 * d + 1.0), |l| l as f64);
                (
                    log / 2.0 + 1.0,
                    40.0 * rate(vhash.gossip),
                    (short + long).min(n) * 8.0 * (d + 1.0),
                )
            }
        };
        Cost {
            events: self.lookups() as f64 * 2.0 * (hops + 1.0) + maintenance * n * seconds,
            bytes: n * (160.0 + peer_bytes) + self.underlay.memory(self.overlay.nodes) as f64,
        }
    }
}
