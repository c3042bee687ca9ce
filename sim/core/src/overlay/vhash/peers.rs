//! The peers of a VHash node: short ones first, then long ones, in flat arrays.

use super::Shared;
use super::positions::{Positions, keep, push};
use crate::engine::{Duration, Instant, Stream};
use crate::overlay::{Node, NodeIds};
use crate::space::{Key, Space, TorusPoint};
use ordered_float::OrderedFloat;
use smallvec::SmallVec;

/// A node's knowledge of another: its address, its position, how often it had moved by then, and
/// the age of its last sign of life.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its address.
    pub node: Node,
    /// How often it had moved.
    pub version: u32,
    /// Its position; empty where nodes stay at the points of their IDs.
    pub position: TorusPoint,
    /// The time since the last direct message from the node, when the record was sent. A duration
    /// instead of an instant, so that nodes need no common clock.
    pub age: Duration,
}

impl Record {
    /// The record of `node`, which has not moved yet.
    pub(super) fn of(shared: &Shared, ids: &NodeIds, node: Node) -> Self {
        Self {
            node,
            version: 0,
            position: shared.sent_position(|| shared.torus.point(&ids.id(node))),
            age: Duration::ZERO,
        }
    }
}

/// The peers that a node knows.
#[derive(Clone, Debug)]
pub struct PeerSet {
    pub(super) short: usize,
    pub(super) nodes: Vec<Node>,
    pub(super) positions: Positions,
    /// The number of the last probe of each peer; those not in it were not probed.
    probed: Vec<u32>,
    probes: u32,
    /// The time of the last known sign of life of each peer.
    alive: Vec<Instant>,
    /// No sign of life is older.
    oldest: Instant,
    /// Nodes that were found silent or have left, and when: reports of them count only if they have
    /// been alive since.
    silent: Vec<(Node, Instant)>,
    /// Squared distance of the nearest peer at the last choice.
    pub(super) nearest: f64,
    /// The index of the first node learnt of since the last choice.
    pub(super) heard: usize,
    /// The short peers that DGVH has chosen itself, a bit for the index of each, if they hide all
    /// nodes that were known then and are candidates of the next choice. `None` if the next choice
    /// has to examine these nodes again.
    pub(super) hiding: Option<u128>,
}

impl PeerSet {
    pub(super) fn new(shared: &Shared) -> Self {
        Self {
            short: 0,
            nodes: Vec::new(),
            positions: Positions::new(shared),
            probed: Vec::new(),
            probes: 0,
            alive: Vec::new(),
            oldest: Instant::NEVER,
            silent: Vec::new(),
            nearest: 0.0,
            heard: 0,
            hiding: None,
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

    /// Reads the tables, which loads their beginnings into the cache.
    pub(super) fn prefetch(&self) -> u32 {
        let first = self.nodes.first().map_or(0, |node| node.0);
        let alive = self
            .alive
            .first()
            .map_or(0, |alive| alive.as_nanos() as u32);
        first ^ alive ^ self.short as u32
    }

    /// The node itself has moved: it has to examine all candidates again.
    pub(super) fn on_moved(&mut self) {
        self.hiding = None;
    }

    /// The `count` peers nearest to `key`, the nearest first. O(p log p) for p peers.
    pub(super) fn nearest_few(
        &self,
        shared: &Shared,
        ids: &NodeIds,
        key: &Key,
        count: usize,
    ) -> Vec<Node> {
        let target = shared.torus.point(key);
        let distance = |(place, node): (usize, &Node)| {
            let far = match self.positions.stored(place) {
                [] => shared
                    .torus
                    .squared_distance(&shared.torus.point(&ids.id(*node)), &target),
                stored => shared.torus.squared_distance(stored, &target),
            };
            (OrderedFloat(far), *node)
        };
        let mut peers: Vec<_> = self.nodes.iter().enumerate().map(distance).collect();
        peers.sort_unstable();
        peers.truncate(count);
        peers.into_iter().map(|(_, node)| node).collect()
    }

    /// The peer nearest to `key` and its squared distance. Linear in the peers.
    pub(super) fn nearest(
        &self,
        shared: &Shared,
        ids: &NodeIds,
        key: &Key,
        target: &[f64],
    ) -> Option<(Node, f64)> {
        let (place, distance) = match self.positions.all() {
            Some(positions) => shared.torus.nearest(target, positions)?,
            None => {
                let ids = self.nodes.iter().map(|node| ids.id(*node));
                shared.torus.nearest_id(key, ids)?
            }
        };
        Some((self.nodes[place], distance))
    }

    /// A short peer drawn uniformly.
    pub(super) fn random_short(&self, stream: &mut Stream) -> Option<Node> {
        (self.short > 0).then(|| self.nodes[stream.index(self.short)])
    }

    /// The least recently probed peer; its probe is counted now.
    pub(super) fn least_recently_probed(&mut self) -> Option<Node> {
        self.probed.resize(self.nodes.len(), 0);
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
        let (first, places) = if short && self.short > 0 {
            (0, &self.alive[..self.short])
        } else {
            (self.short, &self.alive[self.short..])
        };
        let (oldest, _) = places.iter().enumerate().min_by_key(|(_, alive)| **alive)?;
        Some(self.nodes[first + oldest])
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
                version: self.positions.version(place),
                position: TorusPoint::from_slice(self.positions.stored(place)),
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
            match place_of(&self.nodes, record.node) {
                Some(place) => {
                    self.alive[place] = self.alive[place].max(alive);
                    if self.positions.update(place, record) && place < self.heard {
                        self.hiding = None;
                    }
                }
                None => self.push(record, alive),
            }
        }
    }

    /// Adds a new peer.
    fn push(&mut self, record: &Record, alive: Instant) {
        push(&mut self.nodes, record.node);
        push(&mut self.alive, alive);
        self.positions.push(record);
        self.oldest = self.oldest.min(alive);
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
        if now.since(self.oldest) <= expiry {
            return false;
        }
        self.oldest = self.alive.iter().copied().min().unwrap_or(Instant::NEVER);
        if now.since(self.oldest) <= expiry {
            return false;
        }
        let (heard, before) = (self.heard as u32, self.short as u32);
        let fresh = |place: &u32| now.since(self.alive[*place as usize]) <= expiry;
        let places: SmallVec<[u32; 256]> = (0..self.nodes.len() as u32).filter(fresh).collect();
        let below = |end: u32| places.partition_point(|place| *place < end);
        let (short, heard) = (below(before), below(heard));
        self.keep(&places, short);
        self.heard = heard;
        self.short < before as usize
    }

    /// Makes the first `short` of `records`, each of another node, the short peers and the others
    /// the long ones.
    pub(super) fn set(&mut self, short: usize, records: impl ExactSizeIterator<Item = Record>) {
        self.nodes.reserve_exact(records.len());
        self.alive.reserve_exact(records.len());
        for record in records {
            self.push(&record, Instant::START);
        }
        self.short = short;
        self.heard = self.nodes.len();
    }

    /// Drops the long peer at index `place`; the last one takes its place.
    pub(super) fn drop_long(&mut self, place: usize) {
        self.nodes.swap_remove(place);
        self.alive.swap_remove(place);
        self.positions.swap_remove(place);
        if !self.probed.is_empty() {
            self.probed.resize(self.nodes.len() + 1, 0);
            self.probed.swap_remove(place);
        }
    }

    /// Removes `node`, which was found silent at the time `now`, and ignores later reports of
    /// earlier signs of life; true if it was known. The short peers must be chosen again.
    pub(super) fn remove_failed(&mut self, node: Node, now: Instant) -> bool {
        match self.silent.iter_mut().find(|(other, _)| *other == node) {
            Some((_, since)) => *since = now,
            None => self.silent.push((node, now)),
        }
        let Some(gone) = place_of(&self.nodes, node) else {
            return false;
        };
        let places: SmallVec<[u32; 256]> = (0..self.nodes.len() as u32)
            .filter(|place| *place as usize != gone)
            .collect();
        self.keep(&places, self.short - usize::from(gone < self.short));
        // Any node may have been hidden by the removed one.
        self.heard = self.short;
        true
    }

    /// Keeps the peers at the indices `places`, in that order, the first `short` of them as short
    /// ones.
    pub(super) fn keep(&mut self, places: &[u32], short: usize) {
        if !self.probed.is_empty() {
            self.probed.resize(self.nodes.len(), 0);
            keep(&mut self.probed, places, 1);
        }
        keep(&mut self.nodes, places, 1);
        keep(&mut self.alive, places, 1);
        self.positions.keep(places);
        if short != self.short {
            self.hiding = None;
        }
        self.short = short;
        self.heard = self.nodes.len();
    }
}

/// The index of `node` in `nodes`. Several are compared at a time.
fn place_of(nodes: &[Node], node: Node) -> Option<usize> {
    const WIDTH: usize = 32;
    let is_in = |nodes: &[Node]| {
        nodes
            .iter()
            .fold(false, |found, other| found | (*other == node))
    };
    let start = WIDTH * nodes.chunks(WIDTH).position(is_in)?;
    let place = nodes[start..].iter().position(|other| *other == node)?;
    Some(start + place)
}

/// The instant `age` before `now`, at the earliest the start of the run.
fn before(now: Instant, age: Duration) -> Instant {
    Instant::from_nanos(now.as_nanos().saturating_sub(age.as_nanos()))
}
