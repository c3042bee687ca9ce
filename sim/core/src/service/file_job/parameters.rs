//! What all nodes of a file job know.

use super::task::Mapper;
use crate::engine::{Duration, Seed};
use crate::service::balancing::BalancingRules;
use crate::service::job::{JobSpecification, NodeParameters};
use crate::service::storage::StorageParameters;
use crate::space::Key;

crate::choices! {
    /// Which node maps a block.
    pub enum Locality {
        /// The root of its key.
        Root = "root",
        /// The root or a node of its replica set, in turn by the number of the block.
        Replica = "replica",
    }
}

/// What all nodes of a file job know.
#[derive(Clone, Debug)]
pub struct FileJobShared {
    /// The storage in which the files are.
    pub storage: StorageParameters,
    /// Nodes work on `speed` bytes per second, as `storage.scale` counts them.
    pub nodes: NodeParameters,
    /// The task.
    pub mapper: Mapper,
    /// The names of the files.
    pub files: Vec<String>,
    /// Which node maps a block.
    pub locality: Locality,
    /// Number of replicas of the counted results, the root of the address included.
    pub replicas: usize,
    /// Time for which a node collects results before it sends them on.
    pub reduce_wait: Duration,
    /// Time without news after which missing blocks are sent again.
    pub patience: Duration,
    /// Load balancing; the size of a task is in bytes.
    pub balancing: BalancingRules,
    /// The seed of the run.
    pub seed: Seed,
}

impl FileJobShared {
    /// The name of the file with the outcome of the round before `round`. No file of a job has this
    /// name: names of files have no NUL.
    pub fn round_file(round: u32) -> String {
        format!("\0round {round}")
    }

    /// The address of the job: its root stages it and counts its results.
    pub fn address(&self) -> Key {
        JobSpecification::address(self.seed)
    }
}
