//! What nodes do about their load, one file a family.

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

/// What a node does when the strategy acts. It may look at what `TickNetwork` shows of others only as
/// far as it pays for with messages.
pub trait Balancing<T> {
    /// It is the turn of `host`.
    fn act(&mut self, network: &mut TickNetwork<T>, host: u32);
}

/// The strategy acts: the nodes have their turn in the order of their IDs, and each drops its
/// Sybils if it has nothing to do then, those included that it has just made in vain.
pub fn run_round<T: Tasks>(strategy: &mut dyn Balancing<T>, network: &mut TickNetwork<T>) {
    let order = network.ordered();
    for host in &order {
        strategy.act(network, *host);
        network.drop_sybils(*host);
    }
    network.keep_order(order);
}

/// Whether `host` has at most `threshold` tasks and may make a Sybil.
fn may_help<T: Tasks>(network: &TickNetwork<T>, host: u32, threshold: u32) -> bool {
    network.load(host) <= threshold && network.can_inject(network.host(host).main)
}
