//! What each node carries: the values it stores, and the requests it has answered.

use crate::histogram::histogram_of;
use dhtlab_core::network::Network;
use dhtlab_core::overlay::{GroundTruth, Node};
use dhtlab_core::service::storage::{Block, Storage};
use dhtlab_scenario::TableRows;

dhtlab_scenario::columns! {
    pub(super) LOAD, fn load_row(load: &Load) {
        /// Blocks and keyfiles that the member stores at the end, copies included.
        blocks_stored [""] = load.blocks,
        /// Bytes of their contents.
        bytes ["bytes"] = load.bytes,
        /// Puts, gets and deletes that the member has answered since the measurement began.
        requests [""] = load.requests,
    }
}

/// The load of a member.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub blocks: u64,
    pub bytes: u64,
    pub requests: u64,
}

/// The load of each member. `before` are the requests that each node had answered when measuring
/// began.
pub(super) fn loads<P: GroundTruth>(network: &Network<P, Storage>, before: &[u64]) -> Vec<Load> {
    let of = |answered: &[u64], node: Node| answered.get(node.index()).copied().unwrap_or(0);
    let load = |node: &Node| {
        let storage = network.application(*node);
        let is_content = |block: &&Block| block.content().is_some();
        let contents = storage.store().iter().map(|(_, block)| block);
        Load {
            blocks: contents.filter(is_content).count() as u64,
            bytes: storage.bytes_stored(),
            requests: of(&network.metrics().answered, *node) - of(before, *node),
        }
    };
    network.members().iter().map(load).collect()
}

/// The rows of the table of loads.
pub(super) fn load_rows(loads: &[Load]) -> TableRows {
    TableRows(loads.iter().map(load_row).collect())
}

/// Mean of a load; NaN without members.
pub(super) fn mean_of(loads: &[Load], of: impl Fn(&Load) -> u64) -> f64 {
    loads.iter().map(of).sum::<u64>() as f64 / loads.len() as f64
}

/// Largest of a load; NaN without members.
pub(super) fn max_of(loads: &[Load], of: impl Fn(&Load) -> u64) -> f64 {
    loads
        .iter()
        .map(of)
        .max()
        .map_or(f64::NAN, |most| most as f64)
}

/// Number of members by load.
pub(super) fn by_load(loads: &[Load], of: impl Fn(&Load) -> u64) -> Vec<u64> {
    histogram_of(loads.iter().map(|load| of(load) as usize))
}
