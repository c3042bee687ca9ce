//! Load-balancing strategies, one file per family.

mod barren;
mod injection;
mod invitation;
mod item_balancing;
mod strength_aware;

pub use barren::Barren;
pub use injection::{NeighbourInjection, RandomInjection, SmartNeighbour};
pub use invitation::Invitation;
pub use item_balancing::ItemBalancing;
pub use strength_aware::StrengthAware;

use super::tasks::Tasks;
use super::tick_network::TickNetwork;

/// A strategy's action for one node. It may read the state of other nodes in `TickNetwork` only as
/// far as it counts messages for that.
pub trait Balancing<T> {
    /// Acts for `host`.
    fn act(&mut self, network: &mut TickNetwork<T>, host: u32);
}

/// Runs one round of the strategy: the nodes act in the order of their IDs, and each drops its
/// Sybils if it has no tasks then, including those that it has just created without effect.
pub fn run_round<T: Tasks>(strategy: &mut dyn Balancing<T>, network: &mut TickNetwork<T>) {
    let order = network.ordered();
    for host in &order {
        strategy.act(network, *host);
        network.drop_sybils(*host);
    }
    network.keep_order(order);
}

/// Whether `host` has at most `threshold` tasks and may create a Sybil.
fn may_help<T: Tasks>(network: &TickNetwork<T>, host: u32, threshold: u32) -> bool {
    network.load(host) <= threshold && network.can_inject(network.host(host).main)
}
