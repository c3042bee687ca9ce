//! Sybils on invitation: a node with many tasks queries its predecessors. Rosen (dissertation
//! 2016), chapter on autonomous load balancing, as in its program.

use super::super::tasks::Tasks;
use super::super::tick_network::TickNetwork;
use super::Balancing;

/// A node with at least the ideal load less the threshold queries its predecessors. The least
/// loaded of them that has at most the threshold and may create a Sybil creates one in the inviting
/// node's arc.
///
/// Among equals it is the farthest. A predecessor may be a Sybil. It is treated like a node: it
/// creates as many Sybils as its host has strength, beyond the host's limit, and these stay when
/// its host runs idle (the program drops Sybils by the name of the node that created them).
#[derive(Clone, Copy, Debug)]
pub struct Invitation {
    /// Tasks at or below which a node may help.
    pub threshold: u32,
    /// Tasks from which on a node sends invitations.
    pub overload: f64,
    /// Number of predecessors queried.
    pub successors: usize,
}

impl<T: Tasks> Balancing<T> for Invitation {
    fn act(&mut self, network: &mut TickNetwork<T>, host: u32) {
        if f64::from(network.load(host)) < self.overload {
            return;
        }
        let main = network.host(host).main;
        network.ask(self.successors as u32);
        let (mut at, mut helper, mut least) = (main, None, self.threshold);
        for _ in 0..self.successors {
            at = network.ring.previous(at);
            let load = network.load_at(at);
            if load <= least && network.can_inject(at) {
                (helper, least) = (Some(at), load);
            }
        }
        if let Some(helper) = helper
            && let Some(id) = network.identities.within(network.arc(main))
        {
            // The invitation itself.
            network.effort.messages += 1;
            network.inject(helper, id);
        }
    }
}
