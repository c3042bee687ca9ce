//! Parameters of storage.

use super::placement::{Places, ReplicaPlacement};
use crate::engine::{Duration, Period};
use crate::parameter::{Parameters, Value};
use std::collections::BTreeMap;

crate::parameters! {
    /// Storage of files as replicated blocks, after CFS (SOSP 2001).
    pub struct StorageParameters {
        /// Number of replicas of a block, including its root; CFS uses 6.
        pub replicas: usize = 6, within 1..=1000;
        /// Where the replicas of a block are: "nearest", on the nodes that would be its root next, as in CFS (SOSP 2001); "spread", replica i of r at the root of the key + i 2^160 / r (symmetric replication, Ghodsi, Alima and Haridi 2005); "random", at the root of the SHA-1 of the key and i (several hash functions, as in CAN, SIGCOMM 2001).
        pub placement: ReplicaPlacement = ReplicaPlacement::Nearest;
        /// Bytes of contents that a node stores at most; no limit if absent. A full root refuses a put, a full node takes no copy. CFS limits what each publisher stores.
        pub capacity: Option<u64> = None, within 1.0..=1e15;
        /// Bytes per block; the last block of a file may be shorter. CFS uses 8 KByte.
        pub block_size: u32 = 8192, within 1..=16_777_216;
        /// Each byte of a block stands for this many, in messages, in the capacity of nodes and in the time of a job over files: a small file models a large one.
        pub scale: u32 = 1, within 1..=200;
        /// Largest number of blocks of a file that a client writes or reads at the same time; no limit if absent. CFS reads a window of blocks ahead.
        pub window: Option<u32> = None, within 1..=1_000_000_000;
        /// Mean time between two keep-alives of a node to its replicas, or "never"; with "spread" and "random" between two checks of the next replica.
        pub repair: Period = Period::every(Duration::from_secs(10));
        /// Time without a keep-alive after which a replica is offered to the root of its key; three times `repair` if absent.
        pub patience: Option<Duration> = None, within crate::parameter::Range::above(0.0);
        /// Time-out of a request, after which it is repeated.
        pub timeout: Duration = Duration::from_secs(3), within crate::parameter::Range::above(0.0);
        /// Maximum number of attempts of a request, including the first one.
        pub tries: u32 = 4, within 1..=100;
        /// Time after which the tombstone of a deleted block is removed.
        pub tombstone: Duration = Duration::from_secs(3600), within crate::parameter::Range::above(0.0);
        /// Whether readers and replicas reject a block whose SHA-1 is not its key.
        pub verify: bool = true;
    }
}

impl StorageParameters {
    /// The placement of the copies of a value.
    pub fn places(&self) -> Places {
        Places::new(self.placement, self.replicas)
    }

    /// The values in a resolved scenario.
    pub fn resolved(&self) -> BTreeMap<String, Value> {
        self.write_without_defaults(&["placement", "scale"])
    }

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
