//! The transport: what happens to a message between two hosts, and how long a node waits for a
//! reply.
//!
//! A [`Transport`] determines the outcome of each message when it is sent: the time until it
//! arrives, or why it does not. So a lost message needs no event, and whether a reply arrives in
//! time is known when it is sent. A run without one has the latencies of the underlay only, and
//! fixed time-outs.
//!
//! Each property has a random stream of its own, and what belongs to a host or a pair is drawn from
//! its number: two runs with one seed have the same hosts behind a NAT, and the same pairs that
//! cannot talk.

mod access_link;
mod chance;
mod connections;
mod coordinates;
mod loss;
mod parameters;
mod partition;
mod reachability;
mod round_trips;

pub use parameters::{Acknowledgements, Role, Timeouts, TransportParameters};
pub use partition::{Partition, PartitionList, Partitions};

use crate::engine::{Duration, Instant, Seed, SizeDistribution, Stream};
use crate::parameter::ConfigError;
use crate::underlay::{Host, Slot, Underlay};
use access_link::AccessLink;
use chance::fraction;
use connections::Connections;
use coordinates::Coordinates;
use loss::{Burst, Loss};
use partition::Sides;
use rand::Rng;
use reachability::Reachability;
use round_trips::RoundTrips;
use rustc_hash::FxHashMap;

/// Why a message does not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is lost by chance.
    Loss,
    /// The sender cannot reach the receiver.
    Unreachable,
    /// The queue of the sender's uplink is full.
    FullQueue,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It arrives.
    Arrives {
        /// The time until then.
        after: Duration,
        /// The time until it arrives once more, if it is duplicated.
        again: Option<Duration>,
    },
    /// It does not arrive.
    Lost(Obstacle),
}

/// A host: its place in the distances, and its number in the underlay.
pub type Endpoint = (Slot, Host);

/// The transport of a run.
#[derive(Debug)]
pub struct Transport {
    parameters: TransportParameters,
    hosts: Vec<HostState>,
    loss: Loss,
    jitter: Stream,
    duplicates: Stream,
    reachability: Reachability,
    partitions: Vec<Sides>,
    /// Numbers that select the capacities, and the latencies of the two directions.
    capacities: Seed,
    directions: u64,
    /// The last arrival at the second host from the first one, where the order is kept.
    last: FxHashMap<(u32, u32), Instant>,
    round_trips: RoundTrips,
    coordinates: Coordinates,
    /// With connections only.
    connections: Option<Connections>,
    /// Draws the waits for connections.
    dials: Stream,
}

/// The state of a host, by the index of its slot.
#[derive(Clone, Copy, Debug, Default)]
struct HostState {
    /// Its capacities are drawn.
    is_known: bool,
    link: AccessLink,
    burst: Option<Burst>,
}

impl Transport {
    /// The transport of a run with `seed` on `underlay`; `None` if messages only take the latency of
    /// the underlay.
    ///
    /// # Errors
    /// A partition by hosts or links that the underlay does not have.
    pub fn new(
        parameters: &TransportParameters,
        partitions: &Partitions,
        underlay: &Underlay,
        seed: Seed,
    ) -> Result<Option<Self>, ConfigError> {
        if parameters.is_ideal() && partitions.0.is_empty() {
            return Ok(None);
        }
        let number = |purpose: &str, index: u64| seed.stream(purpose, index).next_u64();
        let sides = partitions.0.iter().zip(0..).map(|(partition, index)| {
            let own = number("transport-partition", index);
            Sides::new(partition, underlay, |host| fraction(own, host, 0))
        });
        Ok(Some(Self {
            hosts: Vec::new(),
            loss: Loss {
                probability: parameters.loss,
                burst: parameters.burst,
                stream: seed.stream("transport-loss", 0),
            },
            jitter: seed.stream("transport-jitter", 0),
            duplicates: seed.stream("transport-duplicates", 0),
            reachability: Reachability::new(
                (number("transport-pairs", 0), parameters.non_transitive),
                (number("transport-unreachable", 0), parameters.unreachable),
                parameters.mapping,
            ),
            partitions: sides.collect::<Result<_, _>>()?,
            capacities: seed,
            directions: number("transport-directions", 0),
            last: FxHashMap::default(),
            round_trips: RoundTrips::default(),
            coordinates: Coordinates::default(),
            connections: (parameters.dial > 0).then(|| Connections::new(parameters.connections)),
            dials: seed.stream("transport-dials", 0),
            parameters: parameters.clone(),
        }))
    }

    /// The parameters.
    pub fn parameters(&self) -> &TransportParameters {
        &self.parameters
    }

    /// Whether there are partitions.
    pub fn has_partitions(&self) -> bool {
        !self.partitions.is_empty()
    }

    /// Whether `host` can be reached only by those that it has sent a message.
    pub fn is_unreachable(&self, host: Host) -> bool {
        self.reachability.is_unreachable(host.0)
    }

    /// Whether nodes on `host` are clients, which do not join.
    pub fn is_client(&self, host: Host) -> bool {
        self.parameters.unreachable_as == Role::Clients && self.is_unreachable(host)
    }

    /// A node on `host` is online from now on.
    pub fn started(&mut self, host: Endpoint) {
        if let Some(connections) = &mut self.connections {
            connections.started(host.0.index() as u32);
        }
    }

    /// A node on `host` has stopped.
    pub fn stopped(&mut self, host: Endpoint) {
        if let Some(connections) = &mut self.connections {
            connections.stopped(host.0.index() as u32);
        }
    }

    /// Whether messages between the hosts need no connection, or have one.
    fn is_connected(&self, from: Endpoint, to: Endpoint) -> bool {
        let connections = self.connections.as_ref();
        connections.is_none_or(|connections| {
            connections.is_open(from.0.index() as u32, to.0.index() as u32)
        })
    }

    /// Sends a message of `bytes` from one host to another at `now`; `latency` is that of the
    /// underlay. Messages within a host always arrive.
    pub fn send(
        &mut self,
        now: Instant,
        (from, to): (Endpoint, Endpoint),
        bytes: u32,
        latency: Duration,
    ) -> Delivery {
        if from.0 == to.0 {
            return Delivery::Arrives {
                after: latency,
                again: None,
            };
        }
        let (sender, receiver) = (self.host(from), self.host(to));
        let queue = self.parameters.queue;
        let Some(sent) = self.hosts[sender].link.send(now, bytes, queue) else {
            return Delivery::Lost(Obstacle::FullQueue);
        };
        let (a, b) = (from.1, to.1);
        let is_divided = self
            .partitions
            .iter()
            .any(|sides| sides.divide(now + sent, a, b));
        let is_connected = self.is_connected(from, to);
        // A connection passes through a NAT in both directions.
        let is_reachable =
            self.reachability.send(now, a.0, b.0) || is_connected && self.connections.is_some();
        if !is_reachable || is_divided {
            return Delivery::Lost(Obstacle::Unreachable);
        }
        if self.loss.strikes(now, &mut self.hosts[sender].burst) {
            return Delivery::Lost(Obstacle::Loss);
        }
        let latency = self.one_way(a, b, latency);
        let access = sent + self.hosts[receiver].link.receive(bytes);
        let mut after = access + latency + self.draw_jitter();
        if let Some(connections) = &mut self.connections
            && !is_connected
        {
            connections.open(from.0.index() as u32, to.0.index() as u32);
            after += latency * (2 * u64::from(self.parameters.dial));
        }
        if self.parameters.ordered {
            let last = self.last.entry((a.0, b.0)).or_insert(Instant::START);
            *last = (now + after).max(*last);
            after = last.since(now);
        }
        let is_doubled =
            self.parameters.duplicates > 0.0 && self.duplicates.chance(self.parameters.duplicates);
        let again = is_doubled.then(|| after.max(access + latency + self.draw_jitter()));
        Delivery::Arrives { after, again }
    }

    /// How long `from` waits for a reply of `to`.
    pub fn timeout(&mut self, from: Endpoint, to: Endpoint) -> Duration {
        let most = self.parameters.timeout;
        if let Some(wait) = &self.parameters.dial_timeout
            && !self.is_connected(from, to)
        {
            return wait.sample(&mut self.dials);
        }
        match self.parameters.timeouts {
            Timeouts::Fixed => most,
            Timeouts::Estimated => self.round_trips.timeout(from.1.0, to.1.0, most),
            Timeouts::Coordinates => self.coordinates.timeout(from.0.index(), to.0.index(), most),
        }
    }

    /// The round trip to `to` that `from` knows, if it does.
    pub fn round_trip(&mut self, from: Endpoint, to: Endpoint) -> Option<Duration> {
        match self.parameters.timeouts {
            Timeouts::Fixed => None,
            Timeouts::Estimated => self.round_trips.mean(from.1.0, to.1.0),
            Timeouts::Coordinates => self.coordinates.round_trip(from.0.index(), to.0.index()),
        }
    }

    /// `from` has measured the round trip to `to`.
    pub fn measure(&mut self, from: Endpoint, to: Endpoint, time: Duration) {
        match self.parameters.timeouts {
            Timeouts::Fixed => {}
            Timeouts::Estimated => self.round_trips.measure(from.1.0, to.1.0, time),
            Timeouts::Coordinates => {
                self.coordinates.measure(from.0.index(), to.0.index(), time);
            }
        }
    }

    /// `from` has waited for `to` until the time-out.
    pub fn silence(&mut self, from: Endpoint, to: Endpoint) {
        if self.parameters.timeouts == Timeouts::Estimated {
            self.round_trips.silence(from.1.0, to.1.0);
        }
    }

    /// Bytes that a reply carries for the transport.
    pub fn reply_bytes(&self) -> u32 {
        match self.parameters.timeouts {
            Timeouts::Coordinates => coordinates::BYTES,
            Timeouts::Fixed | Timeouts::Estimated => 0,
        }
    }

    /// The index of a host's state, which is made if it is not there.
    fn host(&mut self, (slot, host): Endpoint) -> usize {
        let index = slot.index();
        if self.hosts.len() <= index {
            self.hosts.resize(index + 1, HostState::default());
        }
        let state = &mut self.hosts[index];
        let (up, down) = (&self.parameters.up, &self.parameters.down);
        if !std::mem::replace(&mut state.is_known, true) && (up.is_some() || down.is_some()) {
            let mut stream = self.capacities.stream("transport-capacity", host.0.into());
            let mut capacity =
                |of: &Option<SizeDistribution>| of.as_ref().map(|of| of.sample(&mut stream).max(1));
            state.link.up = capacity(up);
            state.link.down = capacity(down);
        }
        index
    }

    /// The latency from one host to another, if it differs between the directions.
    fn one_way(&self, from: Host, to: Host, latency: Duration) -> Duration {
        if self.parameters.asymmetry == 0.0 {
            return latency;
        }
        let (low, high) = (from.0.min(to.0), from.0.max(to.0));
        let difference =
            self.parameters.asymmetry * (2.0 * fraction(self.directions, low, high) - 1.0);
        let sign = if from.0 == low { 1.0 } else { -1.0 };
        Duration::from_secs_f64(latency.as_secs_f64() * (1.0 + sign * difference))
    }

    fn draw_jitter(&mut self) -> Duration {
        let jitter = self.parameters.jitter.as_ref();
        jitter.map_or(Duration::ZERO, |jitter| jitter.sample(&mut self.jitter))
    }
}
