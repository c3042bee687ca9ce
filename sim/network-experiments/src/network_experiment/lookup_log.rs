//! The table `lookups`: a row for each lookup of a run.

use dhtlab_core::engine::{Duration, Instant};
use dhtlab_core::network::observer::{LookupEnd, LookupResult, PayloadKind, RouteEnd};
use dhtlab_core::network::{Network, NetworkState, Observer, Signal};
use dhtlab_core::overlay::{Application, GroundTruth, Node};
use dhtlab_core::space::Key;
use dhtlab_scenario::TableRows;
use std::cell::RefCell;
use std::rc::Rc;

dhtlab_core::parameters! {
    /// The log of lookups.
    pub struct LogParameters {
        /// Whether `lookups.csv` has a row for each lookup. A row takes about 500 bytes of memory until the results are written.
        pub log: bool = false;
    }
}

/// The memory of a lookup in the log and in its row, in bytes.
pub(super) const ROW_BYTES: f64 = 500.0;

/// What is known of a lookup.
#[derive(Clone, Debug)]
struct LookupRecord {
    issued: Instant,
    initiator: Option<Node>,
    key: Key,
    /// The node where it ended.
    at: Option<Node>,
    /// How it ended; absent while it is under way.
    end: Option<LookupEnd>,
}

/// The lookups since measuring began, in the order of their issue.
#[derive(Debug, Default)]
pub(super) struct LookupLog {
    begun: Instant,
    entries: Vec<LookupRecord>,
    /// The places of the lookups in flight, by message.
    in_flight: Vec<Option<usize>>,
}

impl LookupLog {
    /// Logs the lookups from now on.
    pub fn attach<P: GroundTruth, A: Application>(
        network: &mut Network<P, A>,
    ) -> Rc<RefCell<Self>> {
        let begun = network.now();
        network.observe(Self {
            begun,
            ..Self::default()
        })
    }

    /// A row for each lookup.
    pub fn rows(&self) -> TableRows {
        let entries = self.entries.iter();
        TableRows(entries.map(|entry| row(entry, self.begun)).collect())
    }

    fn add(&mut self, issued: Instant, initiator: Option<Node>, key: Key) {
        self.entries.push(LookupRecord {
            issued,
            initiator,
            key,
            at: None,
            end: None,
        });
    }
}

impl<P: GroundTruth, A: Application> Observer<P, A> for LookupLog {
    fn on(&mut self, signal: &Signal, state: &NetworkState<P, A>) {
        match *signal {
            Signal::RouteBegins {
                route,
                from,
                key,
                payload: PayloadKind::Lookup,
            } => {
                let place = self.entries.len();
                self.add(state.now(), Some(from), key);
                let index = route.index();
                if self.in_flight.len() <= index {
                    self.in_flight.resize(index + 1, None);
                }
                self.in_flight[index] = Some(place);
            }
            Signal::LookupWithoutMember(key) => self.add(state.now(), None, key),
            Signal::RouteEnded {
                route,
                at,
                end: RouteEnd::Lookup(end),
            } => {
                // A lookup that began before the log is none of its own.
                let place = self.in_flight.get_mut(route.index());
                if let Some(place) = place.and_then(Option::take) {
                    let entry = &mut self.entries[place];
                    (entry.at, entry.end) = (at, Some(end));
                }
            }
            _ => {}
        }
    }
}

impl LookupRecord {
    fn result(&self) -> &'static str {
        match (&self.end, self.initiator) {
            (_, None) => "no member",
            (None, _) => "under way",
            (Some(end), _) => match end.result {
                LookupResult::Correct { .. } => "ok",
                LookupResult::Wrong => "wrong",
                LookupResult::Failed { abandoned: true } => "abandoned",
                LookupResult::Failed { abandoned: false } => "failed",
            },
        }
    }

    /// The hops, the links of the underlay, the latency and that of the direct path, if it is ok.
    fn path(&self) -> Option<(u32, u32, Duration, Duration)> {
        match self.end?.result {
            LookupResult::Correct {
                hops,
                underlay_hops,
                latency,
                direct,
            } => Some((hops, underlay_hops, latency, direct)),
            LookupResult::Wrong | LookupResult::Failed { .. } => None,
        }
    }
}

dhtlab_scenario::columns! {
    pub(super) LOOKUPS, fn row(entry: &LookupRecord, begun: Instant) {
        /// Time at which the lookup is issued, since the start of the measurement.
        time_s ["s"] = entry.issued.since(begun).as_secs_f64(),
        /// Number of the node that issues it; empty if there is no member.
        initiator [""] = entry.initiator.map(|node| node.0),
        /// Its key, in 40 hex digits.
        key ["text"] = entry.key.to_string(),
        /// How it ends: ok (at the root of the key), wrong (at another node), failed (at no node),
        /// abandoned (failed, for its initiator has stopped), no member (there is no node to issue
        /// it), under way (the run ends before).
        result ["text"] = entry.result(),
        /// Number of the node where it ends; empty if it ends at none.
        end_node [""] = entry.at.map(|node| node.0),
        /// Number of the node that is the root of the key at that time; empty if the lookup ends at no
        /// node.
        root_node [""] = entry.end.and_then(|end| end.root).map(|node| node.0),
        /// Its hops. This and the three columns after it are empty unless it is ok.
        overlay_hops [""] = entry.path().map(|(hops, ..)| hops),
        /// Number of underlay links that its hops cross.
        underlay_hops [""] = entry.path().map(|(_, links, ..)| links),
        /// Its latency, as `latency_ms_mean` defines it.
        latency_ms ["ms"] = entry.path().map(|(.., latency, _)| latency.as_millis_f64()),
        /// Latency of the direct path to the root, and back for an iterative lookup.
        direct_ms ["ms"] = entry.path().map(|(.., direct)| direct.as_millis_f64()),
        /// Its time-outs; empty while it is under way.
        timeouts [""] = entry.end.map(|end| end.timeouts),
        /// 1 if a Sybil has handled it, otherwise 0; empty while it is under way.
        intercepted ["0 or 1"] = entry.end.map(|end| u64::from(end.intercepted)),
        /// 1 if it ends at a Sybil, otherwise 0; empty while it is under way.
        captured ["0 or 1"] = entry.end.map(|end| u64::from(end.captured)),
    }
}
