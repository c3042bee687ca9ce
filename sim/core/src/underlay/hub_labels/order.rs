//! The order in which hosts become hubs.

use super::core::{Core, Frontier, Search};
use crate::engine::Seed;
use std::cmp::Reverse;

/// How many trees of shortest paths are looked at.
const TREES: usize = 64;

/// The value of a host is multiplied by up to 2, in steps of one part in this many.
const CHANCES: usize = 1024;

/// The hosts of the core, those on most shortest paths first.
///
/// The value of a host is the number of hosts behind it, itself included, in the shortest-path
/// trees of [`TREES`] hosts, times its degree, times a random number between 1 and 2. The number of
/// hosts behind it, an estimate of its betweenness, is coarse where many hosts are alike; the
/// degree alone does not see the gateways of a hierarchy, nor the middle of a grid. Chance keeps
/// the hosts of a line from becoming hubs one after the other from the middle on, which gives each
/// a label of half of the line; elsewhere it costs a hundredth. All draws are always the same.
/// O(t (n + m)) for t trees, with searches by Dijkstra as in `shortest_paths`.
pub(super) fn order<F: Frontier>(core: &Core) -> Vec<u32> {
    let hosts = core.hosts();
    let mut stream = Seed::new(0).stream("hubs", 0);
    let mut search = Search::<F>::new(core);
    let mut values = vec![0u64; hosts];
    let mut keys = vec![0u64; hosts];
    let mut visited = Vec::with_capacity(hosts);
    let mut behind = vec![0u64; hosts];
    for _ in 0..TREES {
        visited.clear();
        search.run(stream.index(hosts) as u32, |host, key| {
            visited.push(host);
            keys[host as usize] = key;
            true
        });
        behind.fill(1);
        for &host in visited.iter().rev() {
            let own = behind[host as usize];
            values[host as usize] += own;
            let key = keys[host as usize];
            let before = |&(other, link): &(u32, u64)| keys[other as usize] + link == key;
            if let Some((parent, _)) = core.neighbours(host).find(before) {
                behind[parent as usize] += own;
            }
        }
    }
    for (value, host) in values.iter_mut().zip(0..) {
        let chance = CHANCES + stream.index(CHANCES);
        *value = value.saturating_mul((core.degree(host) * chance) as u64);
    }
    let mut order: Vec<u32> = (0..hosts as u32).collect();
    order.sort_by_key(|&host| Reverse(values[host as usize]));
    order
}
