//! Item balancing: Karger and Ruhl, "Simple efficient load balancing algorithms for peer-to-peer
//! systems" (SPAA 2004), section 4.

use super::super::tasks::Listed;
use super::super::tick_network::TickNetwork;
use super::Balancing;

/// Each time, a node compares its load with that of a random other. If one has at most the fraction
/// `imbalance` of the other's tasks, it changes its ID. As the predecessor of the loaded node it
/// moves forward until both have the same load. Otherwise it leaves its tasks to its successor and
/// joins before the loaded node with half of its tasks; but if its successor has more than the
/// loaded node, it takes tasks from its successor.
///
/// Each host has one ring node and no Sybils. Loads are numbers of tasks whatever the strength, as
/// in the paper. Counts do not give the point that halves the tasks, so this strategy needs keys.
#[derive(Clone, Copy, Debug)]
pub struct ItemBalancing {
    /// The fraction of the other's tasks up to which a node moves, below a quarter in the paper.
    pub imbalance: f64,
}

impl Balancing<Listed> for ItemBalancing {
    fn act(&mut self, network: &mut TickNetwork<Listed>, host: u32) {
        let present = network.present().len();
        let other = network.identities.stream.index(present);
        let other = network.present()[other];
        network.look_up();
        if other == host {
            return;
        }
        let (mine, theirs) = (network.load(host), network.load(other));
        let (light, heavy) = if mine < theirs {
            (host, other)
        } else {
            (other, host)
        };
        let (least, most) = (mine.min(theirs), mine.max(theirs));
        if most < 2 || f64::from(least) > self.imbalance * f64::from(most) {
            return;
        }
        let neighbour = network.ring.next(network.host(light).main);
        let neighbour = network.ring.place(neighbour).host;
        network.ask(1);
        if neighbour == heavy || network.load(neighbour) > most {
            let excess = network.load(neighbour) - least;
            take_lowest(network, light, neighbour, excess / 2);
        } else {
            // The new ID is chosen before the tasks are handed over. This changes only the arc of
            // the successor, which is not the node that tasks are taken from.
            let given = network.take_all(light);
            take_lowest(network, light, heavy, most / 2);
            network.hand_out(given);
        }
    }
}

/// Moves `light` before `heavy` so that it gets the first `count` of its tasks.
fn take_lowest(network: &mut TickNetwork<Listed>, light: u32, heavy: u32, count: u32) {
    let Some(rank) = (count as usize).checked_sub(1) else {
        return;
    };
    let arc = network.arc(network.host(heavy).main);
    let Some(key) = network.tasks(heavy).key_of_rank(arc, rank) else {
        return;
    };
    if network.relocate(light, key) {
        network.take_arc(network.host(light).main);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::id_generator::{IdGenerator, Keys, SybilId};
    use super::*;
    use dhtlab_core::engine::Seed;

    fn network(loads: &[u32]) -> TickNetwork<Listed> {
        let identities = IdGenerator {
            stream: Seed::new(1).stream("strategy", 0),
            keys: Keys::Uniform,
            sybil_id: SybilId::Uniform,
            search_limit: 1,
            hashes: 0,
        };
        let splits = Seed::new(1).stream("splits", 0);
        let mut network = TickNetwork::new(loads.len(), loads.len(), identities, splits);
        for (i, load) in loads.iter().enumerate() {
            let start = 1000 * i as u64;
            let host = network.add_host(start + 1000, 1, 1).expect("distinct IDs");
            let keys = (0..u64::from(*load)).map(|k| start + 1 + k).collect();
            network.give(host, *load, Listed(keys));
        }
        network
    }

    /// Two nodes compare loads until one has moved.
    #[test]
    fn neighbours_share_evenly() {
        let mut network = network(&[10, 90]);
        let mut strategy = ItemBalancing { imbalance: 0.25 };
        for _ in 0..20 {
            strategy.act(&mut network, 0);
        }
        assert_eq!([network.load(0), network.load(1)], [50, 50]);
        assert_eq!(network.effort.moved, 40);
        assert_eq!(network.check(), 100);
    }

    #[test]
    fn a_light_node_moves_before_a_heavy_one() {
        let mut network = network(&[4, 30, 100, 30]);
        let mut strategy = ItemBalancing { imbalance: 0.1 };
        for _ in 0..40 {
            strategy.act(&mut network, 0);
        }
        let mut loads: Vec<u32> = (0..4).map(|host| network.load(host)).collect();
        // It handed its 4 to its successor and took half of the 100.
        assert_eq!(loads, [50, 34, 50, 30]);
        loads.sort_unstable();
        assert_eq!(network.check(), 164);
        assert_eq!(network.effort.moved, 54);
    }
}
