//! The paths that were asked for last.

use super::Path;

/// How many are kept: 2^this, in 24 bytes each, as many as a processor's second cache holds. With
/// it, events of iterative lookups on 30,000 hosts take 0.7 times as long: the answer to a message
/// takes the way of the message. More take longer to be found.
const BITS: u32 = 14;

/// Paths by pairs of different places, whose order does not count.
#[derive(Debug, Default)]
pub(super) struct RecentPaths {
    /// The last pair of those that share an entry, and its path. Empty until the first is kept.
    entries: Box<[(u64, Path)]>,
}

impl RecentPaths {
    /// The path between `a` and `b`, which `find` gives if it is not here.
    #[inline]
    pub(super) fn path(&mut self, a: usize, b: usize, find: impl FnOnce() -> Path) -> Path {
        if self.entries.is_empty() {
            // The pair 0, 0 is never requested.
            self.entries = vec![(0, Path::NONE); 1 << BITS].into();
        }
        let pair = ((a.min(b) as u64) << 32) | a.max(b) as u64;
        let spread = pair.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS);
        let entry = &mut self.entries[spread as usize];
        if entry.0 != pair {
            *entry = (pair, find());
        }
        entry.1
    }
}
