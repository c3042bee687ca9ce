//! Pi, by points in a square that fall into the circle.

use super::{Task, Value};
use crate::engine::Stream;
use rand::Rng;
use smallvec::smallvec;

/// The dartboard of the source: of points drawn uniformly in a square, pi/4 fall into the circle.
#[derive(Clone, Copy, Debug)]
pub struct Pi;

impl Task for Pi {
    /// One draw of 64 bits a point: two coordinates of 32 bits, in a quarter of the circle with
    /// radius 2^32. The sum of their squares is outside where it needs a 65th bit.
    fn map(&self, _: u64, samples: u64, stream: &mut Stream) -> Value {
        let mut hits = 0_u64;
        for _ in 0..samples {
            let draw = stream.next_u64();
            let (x, y) = (draw >> 32, draw & 0xffff_ffff);
            let (_, outside) = (x * x).overflowing_add(y * y);
            hits += u64::from(!outside);
        }
        smallvec![(0, hits as f64)]
    }

    fn result(&self, value: &Value, samples: u64) -> (f64, Option<f64>) {
        let hits = value.first().map_or(0.0, |(_, hits)| *hits);
        let estimate = 4.0 * hits / samples as f64;
        (estimate, Some(estimate - std::f64::consts::PI))
    }
}
