//! The peers of a VHash node: short ones first, then long ones, in flat arrays.

use super::Shared;
use crate::engine::{Duration, Instant, Stream};
use crate::overlay::Node;
use crate::space::{Dgvh, Torus, TorusPoint};
use ordered_float::OrderedFloat;

/// A node's knowledge of another: its address, its position, how often it had moved by then, and
/// the age of its last sign of life.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its address.
    pub node: Node,
    /// How often it had moved.
    pub version: u32,
    /// Its position.
    pub position: TorusPoint,
    /// The time since the last direct message from the node, when the record was sent. A duration
    /// instead of an instant, so that nodes need no common clock.
    pub age: Duration,
}

/// The peers that a node knows.
#[derive(Clone, Debug)]
pub struct PeerSet {
    dimensions: usize,
    short: usize,
    nodes: Vec<Node>,
    versions: Vec<u32>,
    /// The positions, coordinate after coordinate: a lookup reads them in one pass.
    coordinates: Vec<f64>,
    /// The number of the last probe of each peer.
    probed: Vec<u32>,
    probes: u32,
    /// The time of the last known sign of life of each peer.
    alive: Vec<Instant>,
    /// Nodes that were found silent or have left, and when: reports of them count only if they have
    /// been alive since.
    silent: Vec<(Node, Instant)>,
    /// Squared distance of the nearest peer at the last choice.
    nearest: f64,
    /// The index of the first node learnt of since the last choice.
    heard: usize,
}

impl PeerSet {
    pub(super) fn new(dimensions: usize) -> Self {
        Self {
            dimensions,
            short: 0,
            nodes: Vec::new(),
            versions: Vec::new(),
            coordinates: Vec::new(),
            probed: Vec::new(),
            probes: 0,
            alive: Vec::new(),
            silent: Vec::new(),
            nearest: 0.0,
            heard: 0,
        }
    }

    /// All peers, short ones first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The short peers.
    pub fn short(&self) -> &[Node] {
        &self.nodes[..self.short]
    }

    /// The long peers.
    pub fn long(&self) -> &[Node] {
        &self.nodes[self.short..]
    }

    /// Whether there is no peer.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The squared distance of the nearest peer when peers were last chosen.
    pub(super) fn nearest_distance(&self) -> f64 {
        self.nearest
    }

    fn position(&self, place: usize) -> &[f64] {
        &self.coordinates[place * self.dimensions..(place + 1) * self.dimensions]
    }

    /// The `count` peers nearest to `target`, the nearest first. O(p log p) for p peers.
    pub(super) fn nearest_few(
        &self,
        torus: &Torus,
        target: &TorusPoint,
        count: usize,
    ) -> Vec<Node> {
        let distances = self.coordinates.chunks_exact(self.dimensions);
        let distances = distances.map(|at| OrderedFloat(torus.squared_distance(at, target)));
        let mut peers: Vec<_> = distances.zip(self.nodes.iter().copied()).collect();
        peers.sort_unstable();
        peers.truncate(count);
        peers.into_iter().map(|(_, node)| node).collect()
    }

    /// The peer nearest to `target` and its squared distance. Linear in the peers.
    pub(super) fn nearest(&self, torus: &Torus, target: &TorusPoint) -> Option<(Node, f64)> {
        let (place, distance) = torus.nearest(target, &self.coordinates)?;
        Some((self.nodes[place], distance))
    }

    /// A short peer drawn uniformly.
    pub(super) fn random_short(&self, stream: &mut Stream) -> Option<Node> {
        (self.short > 0).then(|| self.nodes[stream.index(self.short)])
    }

    /// The least recently probed peer; its probe is counted now.
    pub(super) fn least_recently_probed(&mut self) -> Option<Node> {
        let (place, _) = self
            .probed
            .iter()
            .enumerate()
            .min_by_key(|(_, probe)| **probe)?;
        self.probes += 1;
        self.probed[place] = self.probes;
        Some(self.nodes[place])
    }

    /// The short peer that has been silent for the longest; a long one if `short` is false or there
    /// is no short one.
    pub(super) fn least_recently_heard(&self, short: bool) -> Option<Node> {
        let places = if short && self.short > 0 {
            0..self.short
        } else {
            self.short..self.nodes.len()
        };
        let oldest = places.min_by_key(|place| self.alive[*place])?;
        Some(self.nodes[oldest])
    }

    /// The records of the short peers and of `long` long ones drawn uniformly, as sent at the time
    /// `now`.
    pub(super) fn gossip_sample(
        &self,
        now: Instant,
        long: usize,
        stream: &mut Stream,
    ) -> Vec<Record> {
        let beyond = self.nodes.len() - self.short;
        let drawn = (0..long.min(beyond)).map(|_| self.short + stream.index(beyond));
        (0..self.short)
            .chain(drawn)
            .map(|place| Record {
                node: self.nodes[place],
                version: self.versions[place],
                position: TorusPoint::from_slice(self.position(place)),
                age: now.since(self.alive[place]),
            })
            .collect()
    }

    /// Merges records sent at the time `now`: new peers wait for the next choice, known ones are
    /// updated. Records older than `expiry` and records known to be outdated are ignored.
    pub(super) fn merge_records<'a>(
        &mut self,
        now: Instant,
        expiry: Option<Duration>,
        records: impl Iterator<Item = &'a Record>,
    ) {
        for record in records {
            let alive = before(now, record.age);
            if expiry.is_some_and(|expiry| record.age > expiry)
                || self.is_silent(record.node, alive)
            {
                continue;
            }
            match self.nodes.iter().position(|node| *node == record.node) {
                Some(place) => {
                    self.alive[place] = self.alive[place].max(alive);
                    if self.versions[place] < record.version {
                        self.versions[place] = record.version;
                        let start = place * self.dimensions;
                        self.coordinates[start..start + self.dimensions]
                            .copy_from_slice(&record.position);
                    }
                }
                None => {
                    self.nodes.push(record.node);
                    self.versions.push(record.version);
                    self.probed.push(0);
                    self.alive.push(alive);
                    self.coordinates.extend_from_slice(&record.position);
                }
            }
        }
    }

    /// Whether `node` was found silent after it was `alive`; if it has been alive since, its entry
    /// is removed.
    fn is_silent(&mut self, node: Node, alive: Instant) -> bool {
        match self.silent.iter().position(|(other, _)| *other == node) {
            Some(place) if self.silent[place].1 < alive => {
                self.silent.swap_remove(place);
                false
            }
            place => place.is_some(),
        }
    }

    /// Removes the peers without a sign of life for `expiry`, and entries of silent nodes that are
    /// older than that; true if a short peer was removed.
    pub(super) fn expire(&mut self, now: Instant, expiry: Duration) -> bool {
        self.silent.retain(|(_, since)| now.since(*since) <= expiry);
        let fresh = |place: &usize| now.since(self.alive[*place]) <= expiry;
        if (0..self.nodes.len()).all(|place| fresh(&place)) {
            return false;
        }
        let (heard, before) = (self.heard, self.short);
        let places = |range: std::ops::Range<usize>| range.filter(fresh).collect::<Vec<_>>();
        let short = places(0..self.short);
        let long = places(self.short..self.nodes.len());
        let known = long.iter().filter(|place| **place < heard).count();
        self.keep(&short, &long);
        self.heard = self.short + known;
        self.short < before
    }

    /// Makes the first `short` of `records` the short peers and the others the long ones.
    pub(super) fn set<'a>(&mut self, short: usize, records: impl Iterator<Item = &'a Record>) {
        self.merge_records(Instant::START, None, records);
        self.short = short;
        self.heard = self.nodes.len();
    }

    /// Chooses the short peers by DGVH and limits the long ones by random choice; true if the set
    /// of short peers has changed.
    ///
    /// Candidates are the old short peers, the nodes learnt of since, and the long peers nearer
    /// than the farthest short one: with the published candidates alone, a near node that is
    /// already a long peer would be missed.
    pub(super) fn choose(&mut self, shared: &Shared, me: &TorusPoint, stream: &mut Stream) -> bool {
        let torus = &shared.torus;
        let distances: Vec<f64> = (0..self.nodes.len())
            .map(|place| torus.squared_distance(me, self.position(place)))
            .collect();
        let short = &distances[..self.short];
        // A node with too few peers considers all known nodes.
        let reach = if self.short < shared.least_short {
            f64::INFINITY
        } else {
            short.iter().copied().fold(0.0, f64::max)
        };
        let mut places: Vec<usize> = Vec::with_capacity(4 * shared.least_short);
        let is_candidate = |place: &usize| {
            *place < self.short || *place >= self.heard || distances[*place] <= reach
        };
        places.extend((0..self.nodes.len()).filter(is_candidate));
        places.sort_unstable_by_key(|place| (OrderedFloat(distances[*place]), self.nodes[*place]));
        let points: Vec<TorusPoint> = places
            .iter()
            .map(|place| TorusPoint::from_slice(self.position(*place)))
            .collect();
        let order: Vec<(OrderedFloat<f64>, u32)> = places
            .iter()
            .enumerate()
            .map(|(i, place)| (OrderedFloat(distances[*place]), i as u32))
            .collect();
        self.nearest = order.first().map_or(0.0, |(distance, _)| distance.0);
        let mut dgvh = Dgvh::new(shared.rule, shared.least_short);
        let chosen: Vec<usize> = dgvh
            .select_sorted(torus, me, &points, &order)
            .iter()
            .map(|i| places[*i as usize])
            .collect();
        let changed = !self.is_short_set(&chosen);
        if changed {
            let mut is_short = vec![false; self.nodes.len()];
            chosen.iter().for_each(|place| is_short[*place] = true);
            let long: Vec<usize> = (0..self.nodes.len())
                .filter(|place| !is_short[*place])
                .collect();
            self.keep(&chosen, &long);
        }
        while self.nodes.len() - self.short > shared.most_long {
            let place = self.short + stream.index(self.nodes.len() - self.short);
            self.drop_long(place);
        }
        self.heard = self.nodes.len();
        changed
    }

    /// Whether the peers at the indices `places` are the short ones.
    fn is_short_set(&self, places: &[usize]) -> bool {
        places.len() == self.short && places.iter().all(|place| *place < self.short)
    }

    /// Drops the long peer at index `place`; the last one takes its place.
    fn drop_long(&mut self, place: usize) {
        let (d, last) = (self.dimensions, self.nodes.len() - 1);
        self.nodes.swap_remove(place);
        self.versions.swap_remove(place);
        self.probed.swap_remove(place);
        self.alive.swap_remove(place);
        self.coordinates.copy_within(last * d.., place * d);
        self.coordinates.truncate(last * d);
    }

    /// Removes `node`, which was found silent at the time `now`, and ignores later reports of
    /// earlier signs of life; true if it was known. The short peers must be chosen again.
    pub(super) fn remove_failed(&mut self, node: Node, now: Instant) -> bool {
        match self.silent.iter_mut().find(|(other, _)| *other == node) {
            Some((_, since)) => *since = now,
            None => self.silent.push((node, now)),
        }
        let Some(gone) = self.nodes.iter().position(|other| *other == node) else {
            return false;
        };
        let without =
            |range: std::ops::Range<usize>| range.filter(|p| *p != gone).collect::<Vec<_>>();
        let (short, long) = (
            without(0..self.short),
            without(self.short..self.nodes.len()),
        );
        self.keep(&short, &long);
        // Any node may have been hidden by the removed one.
        self.heard = self.short;
        true
    }

    /// Keeps the peers at the indices `short` and `long`, in that order.
    fn keep(&mut self, short: &[usize], long: &[usize]) {
        let places = || short.iter().chain(long).copied();
        let coordinates = places()
            .flat_map(|place| self.position(place).iter().copied())
            .collect();
        self.nodes = places().map(|place| self.nodes[place]).collect();
        self.versions = places().map(|place| self.versions[place]).collect();
        self.probed = places().map(|place| self.probed[place]).collect();
        self.alive = places().map(|place| self.alive[place]).collect();
        self.coordinates = coordinates;
        self.short = short.len();
        self.heard = self.nodes.len();
    }
}

/// The instant `age` before `now`, at the earliest the start of the run.
fn before(now: Instant, age: Duration) -> Instant {
    Instant::from_nanos(now.as_nanos().saturating_sub(age.as_nanos()))
}
