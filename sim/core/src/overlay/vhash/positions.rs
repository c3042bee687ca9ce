//! Where the peers of a VHash node are.

use super::{Record, Shared};
use crate::overlay::{Node, NodeIds};
use crate::space::Torus;
use smallvec::SmallVec;

/// The positions of peers, in the order of their table. While nodes stay at the points of their
/// IDs, nothing is stored: the IDs of all nodes take less memory than the positions in all tables,
/// and stay in the cache.
#[derive(Clone, Debug)]
pub(super) struct Positions {
    /// Stored coordinates of a peer; 0 if nothing is stored.
    stride: usize,
    coordinates: Vec<f64>,
    /// How often each peer had moved; empty if nothing is stored.
    versions: Vec<u32>,
}

impl Positions {
    pub(super) fn new(shared: &Shared) -> Self {
        Self {
            stride: if shared.are_positions_sent() {
                shared.torus.dimensions()
            } else {
                0
            },
            coordinates: Vec::new(),
            versions: Vec::new(),
        }
    }

    /// The positions of all peers, coordinate after coordinate, if they are stored.
    pub(super) fn all(&self) -> Option<&[f64]> {
        (self.stride > 0).then_some(&self.coordinates)
    }

    /// The stored coordinates of the peer at index `place`; empty if nothing is stored.
    pub(super) fn stored(&self, place: usize) -> &[f64] {
        &self.coordinates[place * self.stride..(place + 1) * self.stride]
    }

    /// How often the peer at index `place` had moved.
    pub(super) fn version(&self, place: usize) -> u32 {
        self.versions.get(place).copied().unwrap_or(0)
    }

    /// The position of the peer at index `place`, which is `node`, with coordinates of 0 beyond the
    /// dimensions of the torus: they change no distance.
    #[inline]
    pub(super) fn point<const D: usize>(
        &self,
        torus: &Torus,
        ids: &NodeIds,
        (place, node): (usize, Node),
    ) -> [f64; D] {
        if self.stride == 0 {
            torus.coordinates(&ids.id(node))
        } else {
            padded(self.stored(place))
        }
    }

    /// Adds the position in `record` at the end.
    pub(super) fn push(&mut self, record: &Record) {
        if self.stride > 0 {
            push(&mut self.versions, record.version);
            for x in &record.position {
                push(&mut self.coordinates, *x);
            }
        }
    }

    /// Takes the position in `record` for that of the peer at index `place`, if it is newer.
    pub(super) fn update(&mut self, place: usize, record: &Record) -> bool {
        let newer = self.version(place) < record.version && self.stride > 0;
        if newer {
            self.versions[place] = record.version;
            let start = place * self.stride;
            self.coordinates[start..start + self.stride].copy_from_slice(&record.position);
        }
        newer
    }

    /// Removes the peer at index `place`; the last one takes its place.
    pub(super) fn swap_remove(&mut self, place: usize) {
        if self.stride > 0 {
            let (d, last) = (self.stride, self.versions.len() - 1);
            self.versions.swap_remove(place);
            self.coordinates.copy_within(last * d.., place * d);
            self.coordinates.truncate(last * d);
        }
    }

    /// Keeps the peers at the indices `places`, in that order.
    pub(super) fn keep(&mut self, places: &[u32]) {
        if self.stride > 0 {
            keep(&mut self.versions, places, 1);
            keep(&mut self.coordinates, places, self.stride);
        }
    }
}

/// `coordinates` as a point with coordinates of 0 behind them.
pub(super) fn padded<const D: usize>(coordinates: &[f64]) -> [f64; D] {
    let mut point = [0.0; D];
    point[..coordinates.len()].copy_from_slice(coordinates);
    point
}

/// Adds `item` to a table that stays about as large: there is room for a sixteenth more instead of
/// for twice as many.
pub(super) fn push<T>(items: &mut Vec<T>, item: T) {
    if items.len() == items.capacity() {
        items.reserve_exact(items.len() / 16 + 8);
    }
    items.push(item);
}

/// Keeps the groups of `width` items at the indices `places`, in that order. Allocates only for
/// large tables.
pub(super) fn keep<T: Copy>(items: &mut Vec<T>, places: &[u32], width: usize) {
    let old: SmallVec<[T; 256]> = items.iter().copied().collect();
    items.clear();
    for place in places {
        let start = *place as usize * width;
        items.extend_from_slice(&old[start..start + width]);
    }
}
