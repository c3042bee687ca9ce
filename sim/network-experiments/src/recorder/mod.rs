//! The recorder: an observer that records a run event by event, for playback: joins and departures,
//! the paths of lookups and of a service's messages, the items of each node.
//!
//! Maintenance messages and keep-alives are only counted.

mod signals;

use dhtlab_core::engine::{Duration, Instant};
use dhtlab_core::network::observer::{Observer, RouteId, SentMessage, Signal};
use dhtlab_core::network::{Network, NetworkState};
use dhtlab_core::overlay::{self, Application, GroundTruth, Layout, Node};
use dhtlab_core::space::{Coordinates, Geometry, Key};
use dhtlab_format::recording::{
    Event, FORMAT, ItemState, KeyEntry, MOST_PEERS, NodeEntry, PeersEntry, Rate, Recording, Space,
    What,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Maximum number of intervals in the rate of other messages; beyond it, pairs are merged.
const MOST_INTERVALS: usize = 1000;

/// The kind of a lookup of the workload.
const LOOKUP: &str = "lookup";

/// A recording under way.
///
/// ```
/// # use dhtlab_core::network::Network;
/// # use dhtlab_core::overlay::{Application, GroundTruth};
/// use dhtlab_network_experiments::Recorder;
/// use dhtlab_format::recording::{MOST_EVENTS, Recording};
///
/// fn record<P: GroundTruth, A: Application>(network: &mut Network<P, A>) -> Recording {
///     let recorder = Recorder::attach(network, MOST_EVENTS);
///     // The run.
///     recorder.borrow_mut().take(network.now())
/// }
/// ```
#[derive(Default)]
pub struct Recorder {
    recording: Recording,
    most_events: usize,
    /// The route of each routed message, if it is recorded.
    routes: Vec<Option<u32>>,
    begun: u32,
    keys: HashMap<Key, u32>,
    /// The number of each node's current session in the recording.
    numbers: Vec<u32>,
    /// The last position of each, by that number.
    places: Vec<Coordinates>,
    /// The last peers of each, by that number.
    peers: Vec<Vec<u32>>,
    /// Number of peers in all recorded entries.
    recorded_peers: usize,
    /// The last items of each, by the numbers of their keys.
    held: Vec<BTreeMap<u32, ItemState>>,
    counters: Vec<u64>,
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

fn item_state(state: overlay::ItemState) -> ItemState {
    match state {
        overlay::ItemState::Replica => ItemState::Replica,
        overlay::ItemState::Pending => ItemState::Pending,
        overlay::ItemState::Running => ItemState::Running,
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

    fn route_number(&self, route: RouteId) -> Option<u32> {
        self.routes.get(route.index()).copied().flatten()
    }

    /// Records a message between two nodes: a step or an answer of a route, or a message of the
    /// application. All others are only counted.
    fn sent(&mut self, now: Instant, sent: &SentMessage) {
        let (from, to) = (self.number(sent.from), self.number(sent.to));
        let route = sent.route.and_then(|route| self.route_number(route));
        let arrival = sent.latency.map(|latency| micros(now + latency));
        let what = match (route, arrival) {
            (Some(route), Some(arrival)) if sent.is_answer => What::Answer {
                route,
                from,
                to,
                arrival,
            },
            (Some(route), Some(arrival)) => What::Hop {
                route,
                from,
                to,
                arrival,
            },
            (None, Some(arrival)) if !sent.kind.is_empty() => What::Message {
                from,
                to,
                kind: sent.kind.into(),
                arrival,
            },
            _ => return self.uncounted(now),
        };
        self.push(now, what);
    }

    /// Counts a message that is not shown.
    fn uncounted(&mut self, now: Instant) {
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

    /// `node` has departed, and its items with it.
    fn departed(&mut self, now: Instant, node: Node, gracefully: bool) {
        let node = self.number(node);
        if let Some(held) = self.held.get_mut(node as usize) {
            held.clear();
        }
        self.push(
            now,
            if gracefully {
                What::Leave { node }
            } else {
                What::Crash { node }
            },
        );
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

    /// The overlay of `node` has run: its peers may have changed.
    fn knows<P: GroundTruth, A: Application>(&mut self, node: Node, state: &NetworkState<P, A>) {
        let number = self.number(node);
        let is_full = self.recording.cut || self.recorded_peers >= MOST_PEERS;
        if is_full || number as usize >= self.peers.len() {
            return;
        }
        let mut peers: Vec<u32> = Vec::new();
        state
            .node(node)
            .each_peer(&mut |peer| peers.push(self.number(peer)));
        peers.retain(|peer| *peer != number && *peer != u32::MAX);
        peers.sort_unstable();
        peers.dedup();
        if self.peers[number as usize] != peers {
            self.recorded_peers += peers.len();
            self.peers[number as usize].clone_from(&peers);
            self.recording.peers.push(PeersEntry {
                events: self.recording.events.len() as u32,
                node: number,
                peers,
            });
        }
    }

    /// `node` now holds `items`: records the changes by state.
    fn holds(&mut self, now: Instant, node: Node, items: BTreeMap<u32, ItemState>) {
        let node = self.number(node);
        let held = &self.held[node as usize];
        let mut changed: [(ItemState, Vec<u32>); 5] = [
            ItemState::None,
            ItemState::Replica,
            ItemState::Pending,
            ItemState::Running,
            ItemState::Done,
        ]
        .map(|state| (state, Vec::new()));
        let mut change = |item: u32, state: ItemState| {
            let place = changed.iter_mut().find(|(of, _)| *of == state);
            place.into_iter().for_each(|(_, items)| items.push(item));
        };
        for item in held.keys().filter(|item| !items.contains_key(item)) {
            change(*item, ItemState::None);
        }
        for (item, state) in &items {
            if held.get(item) != Some(state) {
                change(*item, *state);
            }
        }
        self.held[node as usize] = items;
        for (state, items) in changed {
            if !items.is_empty() {
                self.push(
                    now,
                    What::Items {
                        node,
                        items,
                        holding: state,
                    },
                );
            }
        }
    }

    /// `node` has started. A restarted node gets a new number.
    fn started<P: GroundTruth, A: Application>(&mut self, node: Node, state: &NetworkState<P, A>) {
        if self.recording.cut {
            return;
        }
        let place = state.place(node);
        let number = self.recording.nodes.len() as u32;
        if self.numbers.len() <= node.index() {
            self.numbers.resize(node.index() + 1, number);
        }
        self.numbers[node.index()] = number;
        self.recording.nodes.push(NodeEntry {
            id: state.ids().id(node).to_string(),
            site: state.site(node),
            sybil: state.is_sybil(node),
        });
        let appear = What::Appear {
            node: number,
            place: rounded(&place),
        };
        self.places.push(place);
        self.peers.push(Vec::new());
        self.held.push(BTreeMap::new());
        self.push(state.now(), appear);
    }

    /// The application on `node` has run: its items and counters may have changed.
    fn application_ran<P: GroundTruth, A: Application>(
        &mut self,
        node: Node,
        state: &NetworkState<P, A>,
    ) {
        if self.recording.cut || self.held.len() <= self.number(node) as usize {
            return;
        }
        let mut items = BTreeMap::new();
        state.application(node).each_item(&mut |key, how| {
            let number = self.key(*key, || P::Layout::locate(state.shared(), key));
            items.insert(number, item_state(how));
        });
        self.holds(state.now(), node, items);
        self.count(state);
    }

    /// The counters of the application may have changed.
    fn count<P: GroundTruth, A: Application>(&mut self, state: &NetworkState<P, A>) {
        let (names, values): (Vec<&'static str>, Vec<u64>) =
            A::counters(state.metrics()).into_iter().unzip();
        if values != self.counters {
            self.recording.counters = names.into_iter().map(Into::into).collect();
            self.counters.clone_from(&values);
            self.push(state.now(), What::Counters { values });
        }
    }

    /// Begins the next route.
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

    /// Attaches a recorder of at most `most_events` events, beginning with the present nodes. A
    /// page takes [`MOST_EVENTS`](dhtlab_format::recording::MOST_EVENTS).
    pub fn attach<P: GroundTruth, A: Application>(
        network: &mut Network<P, A>,
        most_events: usize,
    ) -> Rc<RefCell<Self>> {
        let mut recorder = Self {
            recording: Recording {
                format: FORMAT,
                space: space(P::Layout::geometry(network.shared())),
                travel: network.travel().as_str().into(),
                item: A::ITEM.into(),
                others: Rate {
                    width: Duration::from_secs(1).as_micros(),
                    counts: Vec::new(),
                },
                ..Recording::default()
            },
            most_events,
            ..Self::default()
        };
        for node in network.nodes() {
            recorder.on(&Signal::Started(node), network);
            if network.is_member(node) {
                recorder.on(&Signal::Joined(node), network);
            }
            recorder.on(&Signal::ApplicationRan(node), network);
        }
        for node in network.nodes() {
            recorder.knows(node, network);
        }
        network.observe(recorder)
    }

    /// Takes the recording, which ends at `now`.
    pub fn take(&mut self, now: Instant) -> Recording {
        let mut recording = std::mem::take(&mut self.recording);
        if !recording.cut {
            recording.end = micros(now);
        }
        recording
    }
}
