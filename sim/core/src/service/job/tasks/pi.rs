//! Pi, by random points in a square that fall into the circle.

use super::{Mapped, Task, Value};
use crate::engine::Stream;
use rand::Rng;
use smallvec::smallvec;

/// The dartboard example of the source: of points drawn uniformly in a square, pi/4 fall into the
/// circle.
#[derive(Clone, Copy, Debug)]
pub struct Pi;

impl Pi {
    /// The next point of a stream, in units of 2^-32, and whether it is in the quarter of the unit
    /// circle: one draw of 64 bits, two coordinates of 32 bits. A sum of squares that needs a 65th
    /// bit is outside.
    pub fn point(stream: &mut Stream) -> ([u64; 2], bool) {
        let draw = stream.next_u64();
        let (x, y) = (draw >> 32, draw & 0xffff_ffff);
        let (_, is_outside) = (x * x).overflowing_add(y * y);
        ([x, y], !is_outside)
    }
}

impl Task for Pi {
    fn map(&self, _: u64, samples: u64, stream: &mut Stream) -> Mapped {
        let mut hits = 0_u64;
        for _ in 0..samples {
            hits += u64::from(Self::point(stream).1);
        }
        Mapped {
            value: smallvec![(0, hits as f64)],
            effort: samples,
        }
    }

    fn result(&self, value: &Value, samples: u64) -> (f64, Option<f64>) {
        let hits = value.first().map_or(0.0, |(_, hits)| *hits);
        let estimate = 4.0 * hits / samples as f64;
        (estimate, Some(estimate - std::f64::consts::PI))
    }
}
