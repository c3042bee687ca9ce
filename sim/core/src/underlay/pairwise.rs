//! Latencies without a graph: every message is one hop.

use super::{Path, UnderlayError, micros};
use crate::engine::Duration;
use std::sync::Arc;

/// The source of the latency between two different hosts.
#[derive(Debug)]
pub(super) enum Pairwise {
    /// One latency for all pairs of `hosts` hosts.
    Constant { hosts: usize, latency: Duration },
    /// By distance on a plane.
    Plane(Plane),
    /// By measurements.
    Matrix(Matrix),
}

impl Pairwise {
    pub(super) fn hosts(&self) -> usize {
        match self {
            Self::Constant { hosts, .. } => *hosts,
            Self::Plane(plane) => plane.positions.len(),
            Self::Matrix(matrix) => matrix.hosts,
        }
    }

    /// The path of a message from host `a` to host `b`. O(1).
    #[inline]
    pub(super) fn path(&self, a: u32, b: u32) -> Path {
        if a == b {
            return Path::NONE;
        }
        let latency = match self {
            Self::Constant { latency, .. } => *latency,
            Self::Plane(plane) => plane.latency(a as usize, b as usize),
            Self::Matrix(matrix) => Duration::from_micros(matrix.one_way(a as usize, b as usize)),
        };
        Path { hops: 1, latency }
    }
}

/// Hosts in the unit square, each with an access delay of its own.
#[derive(Debug)]
pub(super) struct Plane {
    side_micros: f64,
    positions: Vec<(f64, f64)>,
    access: Vec<u32>,
}

impl Plane {
    /// A plane whose side has the one-way latency `side`.
    pub(super) fn new(side: Duration, hosts: usize) -> Self {
        Self {
            side_micros: side.as_nanos() as f64 / 1e3,
            positions: Vec::with_capacity(hosts),
            access: Vec::with_capacity(hosts),
        }
    }

    /// Adds a host.
    pub(super) fn push(
        &mut self,
        position: (f64, f64),
        access: Duration,
    ) -> Result<(), UnderlayError> {
        self.positions.push(position);
        // A zero access delay is allowed: the distance is at least one microsecond.
        self.access.push(if access.is_zero() {
            0
        } else {
            micros(access)?.get()
        });
        Ok(())
    }

    /// The latency, with the distance rounded up to the microsecond, which keeps the triangle
    /// inequality.
    fn latency(&self, a: usize, b: usize) -> Duration {
        let (from, to) = (self.positions[a], self.positions[b]);
        let (dx, dy) = (from.0 - to.0, from.1 - to.1);
        // Multiplication and square root are exact to the last bit on every platform.
        let distance = libm::ceil((dx * dx + dy * dy).sqrt() * self.side_micros) as u64;
        Duration::from_micros(
            distance.max(1) + u64::from(self.access[a]) + u64::from(self.access[b]),
        )
    }
}

/// One-way latencies of all pairs in microseconds; shared, since each run has its own underlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Matrix {
    hosts: usize,
    one_way: Ways,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Ways {
    /// Each pair once: row by row, below the diagonal.
    Alike(Arc<[u32]>),
    /// From each host to each: row by row.
    Each(Arc<[u32]>),
}

impl Matrix {
    /// The matrix of `hosts` hosts whose entries below the diagonal are `one_way`, row by row.
    pub(super) fn new(hosts: usize, one_way: Vec<u32>) -> Self {
        debug_assert_eq!(one_way.len(), hosts * (hosts - 1) / 2);
        let one_way = Ways::Alike(one_way.into());
        Self { hosts, one_way }
    }

    /// The matrix of `hosts` hosts whose entries are `one_way`, row by row: a row has the latencies
    /// from one host.
    pub(super) fn directed(hosts: usize, one_way: Vec<u32>) -> Self {
        debug_assert_eq!(one_way.len(), hosts * hosts);
        let one_way = Ways::Each(one_way.into());
        Self { hosts, one_way }
    }

    pub(super) fn hosts(&self) -> usize {
        self.hosts
    }

    /// The smallest and the largest latency in microseconds; needs two hosts.
    pub(super) fn extremes(&self) -> Option<(u32, u32)> {
        let n = self.hosts;
        let ways: &mut dyn Iterator<Item = u32> = match &self.one_way {
            Ways::Alike(ways) => &mut ways.iter().copied(),
            Ways::Each(ways) => {
                let is_pair = move |place: &usize| place / n != place % n;
                &mut (0..ways.len()).filter(is_pair).map(|place| ways[place])
            }
        };
        let first = ways.next()?;
        Some(ways.fold((first, first), |(least, most), way| {
            (least.min(way), most.max(way))
        }))
    }

    fn one_way(&self, a: usize, b: usize) -> u64 {
        u64::from(match &self.one_way {
            Ways::Alike(ways) => {
                let (low, high) = (a.min(b), a.max(b));
                ways[high * (high - 1) / 2 + low]
            }
            Ways::Each(ways) => ways[a * self.hosts + b],
        })
    }
}
