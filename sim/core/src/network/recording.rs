//! Recording of a run, event by event, for playback: joins and departures, the paths of lookups and
//! of a service's messages, the items of each node.
//!
//! A network records only on request ([`Network::record`]); this does not change its behaviour.
//! Maintenance messages and keep-alives are only counted.

use super::Network;
use super::event::RoutedId;
use super::routed_message::Payload;
use crate::engine::{Duration, Instant};
use crate::overlay::{self, Application, GroundTruth, Node, Placement};
use crate::space::{Coordinates, Geometry, Key};
use dhtlab_format::recording::{
    Event, FORMAT, ItemState, KeyEntry, NodeEntry, Rate, Recording, RouteOutcome, Space,
    SybilAction, What,
};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Maximum number of recorded events: a browser does not open a page with more easily.
pub const MOST_EVENTS: usize = 100_000;

/// Maximum number of nodes that a page can show.
pub const MOST_NODES: usize = 200;

/// Maximum number of intervals in the rate of other messages; beyond it, pairs are merged.
const MOST_INTERVALS: usize = 1000;

/// The kind of a lookup of the workload.
const LOOKUP: &str = "lookup";

/// A recording under way.
pub(super) struct Recorder {
    recording: Recording,
    most_events: usize,
    /// The journey of each routed message, if it is recorded.
    journeys: Vec<Option<u32>>,
    begun: u32,
    keys: FxHashMap<Key, u32>,
    /// The number of each node's current session in the recording.
    numbers: Vec<u32>,
    /// The last position of each, by that number.
    places: Vec<Coordinates>,
    /// The last items of each, by the numbers of their keys.
    held: Vec<BTreeMap<u32, ItemState>>,
    accounts: Vec<u64>,
}

fn micros(time: Instant) -> u64 {
    time.since(Instant::START).as_micros()
}

/// Coordinates with six digits, enough for a figure.
fn rounded(place: &[f64]) -> Vec<f64> {
    let round = |x: &f64| libm::round(x * 1e6) / 1e6;
    place.iter().map(round).collect()
}

fn space(geometry: Geometry) -> Space {
    match geometry {
        Geometry::Ring => Space::Ring,
        Geometry::TwoWayRing => Space::TwoWayRing,
        Geometry::Xor => Space::Xor,
        Geometry::Torus { dimensions } => Space::Torus { dimensions },
        Geometry::Disc => Space::Disc,
    }
}

fn holding(holding: overlay::ItemState) -> ItemState {
    match holding {
        overlay::ItemState::Copy => ItemState::Copy,
        overlay::ItemState::Open => ItemState::Open,
        overlay::ItemState::Begun => ItemState::Begun,
        overlay::ItemState::Done => ItemState::Done,
    }
}

impl Recorder {
    fn push(&mut self, now: Instant, what: What) {
        if self.recording.cut {
            return;
        }
        let at = micros(now);
        if self.recording.events.len() >= self.most_events {
            self.recording.cut = true;
            self.recording.end = at;
            return;
        }
        self.recording.events.push(Event { at, what });
    }

    /// The number of `key`, which is located at `place`.
    fn key(&mut self, key: Key, place: impl FnOnce() -> Coordinates) -> u32 {
        let keys = &mut self.recording.keys;
        *self.keys.entry(key).or_insert_with(|| {
            keys.push(KeyEntry {
                key: key.to_string(),
                place: rounded(&place()),
            });
            (keys.len() - 1) as u32
        })
    }

    /// The number of `node` in the recording; `u32::MAX` if it started after the recording was
    /// full.
    fn number(&self, node: Node) -> u32 {
        self.numbers.get(node.index()).copied().unwrap_or(u32::MAX)
    }

    fn journey(&self, routed: RoutedId) -> Option<u32> {
        self.journeys.get(routed as usize).copied().flatten()
    }

    /// Records a message between two nodes; `answer` is whether it is an answer. A message without
    /// a journey is only counted.
    pub(super) fn carried(
        &mut self,
        now: Instant,
        routed: Option<RoutedId>,
        (from, to): (Node, Node),
        latency: Duration,
        answer: bool,
    ) {
        let Some(journey) = routed.and_then(|routed| self.journey(routed)) else {
            return self.uncounted(now);
        };
        let (from, to) = (self.number(from), self.number(to));
        let arrival = micros(now + latency);
        let what = if answer {
            What::Answer {
                journey,
                from,
                to,
                arrival,
            }
        } else {
            What::Hop {
                journey,
                from,
                to,
                arrival,
            }
        };
        self.push(now, what);
    }

    /// Counts a message that is not shown.
    pub(super) fn uncounted(&mut self, now: Instant) {
        if self.recording.cut {
            return;
        }
        let Rate { width, counts } = &mut self.recording.others;
        let mut place = (micros(now) / *width) as usize;
        while place >= MOST_INTERVALS {
            *counts = counts.chunks(2).map(|pair| pair.iter().sum()).collect();
            *width *= 2;
            place = (micros(now) / *width) as usize;
        }
        if counts.len() <= place {
            counts.resize(place + 1, 0);
        }
        counts[place] += 1;
    }

    /// Records that node `from` has waited for `to` in vain.
    pub(super) fn timed_out(&mut self, now: Instant, routed: RoutedId, from: Node, to: Node) {
        if let Some(journey) = self.journey(routed) {
            let (from, to) = (self.number(from), self.number(to));
            self.push(now, What::Timeout { journey, from, to });
        }
    }

    /// Records that a Sybil does not forward a message correctly.
    pub(super) fn misbehaved(
        &mut self,
        now: Instant,
        routed: RoutedId,
        node: Node,
        deed: SybilAction,
    ) {
        if let Some(journey) = self.journey(routed) {
            let node = self.number(node);
            self.push(
                now,
                What::Betray {
                    journey,
                    node,
                    deed,
                },
            );
        }
    }

    /// Records the end of a routed message, at `node` or nowhere.
    pub(super) fn ended(
        &mut self,
        now: Instant,
        routed: RoutedId,
        outcome: RouteOutcome,
        node: Option<Node>,
        root: Option<Node>,
    ) {
        if let Some(journey) = self.journey(routed) {
            let number = |node| self.number(node);
            let (node, root) = (node.map(number), root.map(number));
            self.push(
                now,
                What::End {
                    journey,
                    outcome,
                    node,
                    root,
                },
            );
        }
    }

    /// `node` has joined.
    pub(super) fn joined(&mut self, now: Instant, node: Node) {
        let node = self.number(node);
        self.push(now, What::Join { node });
    }

    /// `node` has departed, and its items with it.
    pub(super) fn gone(&mut self, now: Instant, node: Node, farewell: bool) {
        let node = self.number(node);
        if let Some(held) = self.held.get_mut(node as usize) {
            held.clear();
        }
        self.push(
            now,
            if farewell {
                What::Leave { node }
            } else {
                What::Crash { node }
            },
        );
    }

    /// Measuring begins.
    pub(super) fn measuring(&mut self, now: Instant) {
        self.push(now, What::Measure);
    }

    /// Records a direct message of the application of this `kind`.
    pub(super) fn app_message_sent(
        &mut self,
        now: Instant,
        (from, to): (Node, Node),
        latency: Duration,
        kind: &'static str,
    ) {
        if kind.is_empty() {
            return self.uncounted(now);
        }
        let letter = What::Letter {
            from: self.number(from),
            to: self.number(to),
            kind: kind.into(),
            arrival: micros(now + latency),
        };
        self.push(now, letter);
    }

    /// Records that a direct message returns to its sender.
    pub(super) fn returned(&mut self, now: Instant, (from, to): (Node, Node), kind: &'static str) {
        if !kind.is_empty() {
            let (from, to) = (self.number(from), self.number(to));
            let kind = kind.into();
            self.push(now, What::Returned { from, to, kind });
        }
    }

    /// `node` is now at `place`.
    fn seen_at(&mut self, now: Instant, node: Node, place: &Coordinates) {
        let node = self.number(node);
        let last = self.places.get_mut(node as usize);
        let Some(last) = last.filter(|last| *last != place) else {
            return;
        };
        last.clone_from(place);
        let place = rounded(place);
        self.push(now, What::Move { node, place });
    }

    /// `node` now holds `items`: records the changes by state.
    fn holds(&mut self, now: Instant, node: Node, items: BTreeMap<u32, ItemState>) {
        let node = self.number(node);
        let held = &self.held[node as usize];
        let mut changed: [(ItemState, Vec<u32>); 5] = [
            ItemState::None,
            ItemState::Copy,
            ItemState::Open,
            ItemState::Begun,
            ItemState::Done,
        ]
        .map(|holding| (holding, Vec::new()));
        let mut change = |item: u32, holding: ItemState| {
            let place = changed.iter_mut().find(|(of, _)| *of == holding);
            place.into_iter().for_each(|(_, items)| items.push(item));
        };
        for item in held.keys().filter(|item| !items.contains_key(item)) {
            change(*item, ItemState::None);
        }
        for (item, holding) in &items {
            if held.get(item) != Some(holding) {
                change(*item, *holding);
            }
        }
        self.held[node as usize] = items;
        for (holding, items) in changed {
            if !items.is_empty() {
                self.push(
                    now,
                    What::Items {
                        node,
                        items,
                        holding,
                    },
                );
            }
        }
    }
}

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Starts a recording of at most `most_events` events (a page takes [`MOST_EVENTS`]), beginning
    /// with the present nodes.
    pub fn record(&mut self, most_events: usize) {
        let recording = Recording {
            format: FORMAT,
            space: space(P::Placement::geometry(&self.shared)),
            travel: self.setup.travel.as_str().into(),
            item: A::ITEM.into(),
            others: Rate {
                width: Duration::from_secs(1).as_micros(),
                counts: Vec::new(),
            },
            ..Recording::default()
        };
        self.recorder = Some(Box::new(Recorder {
            recording,
            most_events,
            journeys: Vec::new(),
            begun: 0,
            keys: FxHashMap::default(),
            numbers: Vec::new(),
            places: Vec::new(),
            held: Vec::new(),
            accounts: Vec::new(),
        }));
        for node in (0..self.node_meta.len() as u32).map(Node) {
            self.record_arrival(node);
            let is_member = self.is_member(node);
            if let Some(recorder) = &mut self.recorder
                && is_member
            {
                recorder.joined(self.now, node);
            }
            self.record_application(node);
        }
    }

    /// Ends the recording and returns it.
    pub fn take_recording(&mut self) -> Option<Recording> {
        let mut recording = self.recorder.take()?.recording;
        if !recording.cut {
            recording.end = micros(self.now);
        }
        Some(recording)
    }

    /// `node` has started.
    pub(super) fn record_arrival(&mut self, node: Node) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        if recorder.recording.cut {
            return;
        }
        let meta = self.node_meta[node.index()];
        let id = self.ids.id(node);
        let place = P::Placement::place(&self.nodes[node.index()], &self.shared, &id);
        // A restarted node gets a new number.
        let number = recorder.recording.nodes.len() as u32;
        if recorder.numbers.len() <= node.index() {
            recorder.numbers.resize(node.index() + 1, number);
        }
        recorder.numbers[node.index()] = number;
        recorder.recording.nodes.push(NodeEntry {
            id: id.to_string(),
            site: meta.site,
            sybil: meta.sybil,
        });
        let appear = What::Appear {
            node: number,
            place: rounded(&place),
        };
        recorder.places.push(place);
        recorder.held.push(BTreeMap::new());
        recorder.push(self.now, appear);
    }

    /// `node` has acted: its position may have changed.
    pub(super) fn record_place(&mut self, node: Node) {
        if let Some(recorder) = &mut self.recorder {
            let id = self.ids.id(node);
            let place = P::Placement::place(&self.nodes[node.index()], &self.shared, &id);
            recorder.seen_at(self.now, node, &place);
        }
    }

    /// The application on `node` has acted: its items and counters may have changed.
    pub(super) fn record_application(&mut self, node: Node) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        if recorder.recording.cut || recorder.held.len() <= recorder.number(node) as usize {
            return;
        }
        let mut items = BTreeMap::new();
        self.applications[node.index()].each_item(&mut |key, how| {
            let number = recorder.key(*key, || P::Placement::locate(&self.shared, key));
            items.insert(number, holding(how));
        });
        recorder.holds(self.now, node, items);
        self.record_accounts();
    }

    /// The counters of the application may have changed.
    pub(super) fn record_accounts(&mut self) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        let (names, values): (Vec<&'static str>, Vec<u64>) =
            A::counters(&self.metrics).into_iter().unzip();
        if values != recorder.accounts {
            recorder.recording.accounts = names.into_iter().map(Into::into).collect();
            recorder.accounts.clone_from(&values);
            recorder.push(self.now, What::Account { values });
        }
    }

    /// A routed message begins; it is a journey if its kind is shown.
    pub(super) fn record_routed(&mut self, id: RoutedId) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        let routed = self.in_flight.get(id);
        let kind = match &routed.payload {
            Payload::Lookup => LOOKUP,
            Payload::Message(message) => A::kind(message),
            Payload::Query(_) => "",
        };
        if recorder.journeys.len() <= id as usize {
            recorder.journeys.resize(id as usize + 1, None);
        }
        recorder.journeys[id as usize] = None;
        if kind.is_empty() || recorder.recording.cut {
            return;
        }
        recorder.journeys[id as usize] = Some(recorder.begun);
        let (key, from) = (routed.key, Some(routed.origin));
        recorder.begin(self.now, key, from, kind, || {
            P::Placement::locate(&self.shared, &key)
        });
    }

    /// Records a lookup without an initiator.
    pub(super) fn record_lookup_of_nobody(&mut self, key: Key) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        let journey = recorder.begun;
        recorder.begin(self.now, key, None, LOOKUP, || {
            P::Placement::locate(&self.shared, &key)
        });
        let end = What::End {
            journey,
            outcome: RouteOutcome::Failed,
            node: None,
            root: None,
        };
        recorder.push(self.now, end);
    }
}

impl Recorder {
    /// Begins the next journey.
    fn begin(
        &mut self,
        now: Instant,
        key: Key,
        from: Option<Node>,
        kind: &'static str,
        place: impl FnOnce() -> Coordinates,
    ) {
        let key = self.key(key, place);
        self.begun += 1;
        let begin = What::Begin {
            key,
            from: from.map(|from| self.number(from)),
            kind: kind.into(),
        };
        self.push(now, begin);
    }
}
