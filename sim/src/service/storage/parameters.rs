//! What can be set about storage.

use crate::engine::{Duration, Period};

crate::parameters! {
    /// Blocks of files, kept by a DHT as CFS does (SOSP 2001).
    pub struct StorageParameters {
        /// Copies of a block, that of the root included; CFS has 6.
        pub replicas: usize = 6, within 1..=1000;
        /// Bytes of a block; the last one of a file may have fewer. CFS has 8 KByte.
        pub block_size: u32 = 8192, within 1..=16_777_216;
        /// Mean time between two turns in which a node tells those who hold copies that it looks after them, or "never".
        pub repair: Period = Period::every(Duration::from_secs(10));
        /// Time after which a copy of which nobody has said that they look after it is offered to the root of its key; three times `repair` if absent.
        pub patience: Option<Duration> = None, within crate::parameter::Range::above(0.0);
        /// How long a node waits until it asks for a block, or for its storing or deletion, once more.
        pub timeout: Duration = Duration::from_secs(3), within crate::parameter::Range::above(0.0);
        /// How often it asks, the first time included.
        pub tries: u32 = 4, within 1..=100;
        /// Time after which it is forgotten that a block was deleted.
        pub tombstone: Duration = Duration::from_secs(3600), within crate::parameter::Range::above(0.0);
        /// Whether nodes refuse a block whose SHA-1 is not its key, as readers and as those who are to hold it.
        pub verify: bool = true;
    }
}

impl StorageParameters {
    /// The time after which a copy is offered to the root of its key.
    pub(super) fn patience(&self) -> Duration {
        let turns = self.repair.span().map_or(Duration::ZERO, |span| span * 3);
        self.patience.unwrap_or(turns)
    }

    /// The time between two looks for tombstones that are too old: each is kept for a quarter of its
    /// lifetime longer at most.
    pub(super) fn sweep(&self) -> Duration {
        Duration::from_nanos(self.tombstone.as_nanos().div_ceil(4))
    }
}
