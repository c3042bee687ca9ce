//! Properties of hosts and pairs that are drawn once for a run, without memory.

use crate::engine::mix;

/// A number in [0, 1) that depends on `number`, `a` and `b` only.
pub(super) fn fraction(number: u64, a: u32, b: u32) -> f64 {
    let state = mix(number ^ mix(u64::from(a) << 32 | u64::from(b)));
    (state >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}
