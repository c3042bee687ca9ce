//! Parameters of storage.

use crate::engine::{Duration, Period};

crate::parameters! {
    /// Storage of files as replicated blocks, after CFS (SOSP 2001).
    pub struct StorageParameters {
        /// Copies of a block, that of the root included; CFS has 6.
        pub replicas: usize = 6, within 1..=1000;
        /// Bytes of a block; the last one of a file may be shorter. CFS has 8 KByte.
        pub block_size: u32 = 8192, within 1..=16_777_216;
        /// Mean time between two keep-alives of a node to its replicas, or "never".
        pub repair: Period = Period::every(Duration::from_secs(10));
        /// Time without a keep-alive after which a copy is offered to the root of its key; three times `repair` if absent.
        pub patience: Option<Duration> = None, within crate::parameter::Range::above(0.0);
        /// How long a node waits for an answer before it repeats a request.
        pub timeout: Duration = Duration::from_secs(3), within crate::parameter::Range::above(0.0);
        /// Maximum number of tries of a request, the first one included.
        pub tries: u32 = 4, within 1..=100;
        /// Time after which the tombstone of a deleted block is removed.
        pub tombstone: Duration = Duration::from_secs(3600), within crate::parameter::Range::above(0.0);
        /// Whether nodes refuse a block whose SHA-1 is not its key, as readers and as holders.
        pub verify: bool = true;
    }
}

impl StorageParameters {
    /// The time after which a copy is offered to the root of its key.
    pub(super) fn patience(&self) -> Duration {
        let turns = self.repair.span().map_or(Duration::ZERO, |span| span * 3);
        self.patience.unwrap_or(turns)
    }

    /// Time between two removals of old tombstones: a tombstone is kept at most a quarter of its
    /// lifetime longer.
    pub(super) fn sweep(&self) -> Duration {
        Duration::from_nanos(self.tombstone.as_nanos().div_ceil(4))
    }
}
