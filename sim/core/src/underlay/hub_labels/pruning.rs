//! Pruned landmark labelling.

use super::core::{Core, Frontier, Search};

/// The hubs of a host, ascending, each with the key of the best path.
pub(super) type Label = Vec<(u32, u64)>;

/// How much labels may cost.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Budget {
    /// Steps of the searches: comparing a hub is one, a visit is [`STEPS_A_VISIT`].
    pub(in super::super) steps: u64,
    /// Hubs in all labels together.
    pub(in super::super) hubs: u64,
}

/// A visit of a host misses the cache several times; comparing a hub of its label takes about 2 ns.
const STEPS_A_VISIT: u64 = 100;

/// The first search after which the cost of all is foreseen.
const FIRST_LOOK: u32 = 64;

/// The steps of all searches of `hosts` hosts as foreseen after `done` of them, whose last half took
/// `recent` steps: on graphs with hubs the cost of a search falls faster than their number grows.
fn foreseen(hosts: usize, done: u32, recent: u64) -> f64 {
    let rest = libm::log(hosts as f64 / f64::from(done)).max(0.0);
    2.0 * recent as f64 * rest
}

/// The labels of the hosts of `core`, which become hubs in the order of their numbers; `None` if
/// they exceed `budget`.
pub(super) fn prune<F: Frontier>(core: &Core, budget: Budget) -> Option<Vec<Label>> {
    let mut labels: Vec<Label> = vec![Label::new(); core.hosts()];
    let mut search = Search::<F>::new(core);
    // By hub, the key from the host whose search it is.
    let mut from_source = vec![u64::MAX; core.hosts()];
    let (mut steps, mut hubs) = (0, 0);
    // The steps until half as many searches as now, at powers of two.
    let mut steps_at_half = 0;
    for source in 0..core.hosts() as u32 {
        let own = labels[source as usize].clone();
        for &(hub, key) in &own {
            from_source[hub as usize] = key;
        }
        search.run(source, |host, key| {
            let label = &mut labels[host as usize];
            let by = |&(hub, there): &(u32, u64)| from_source[hub as usize].saturating_add(there);
            let known = label.iter().position(|entry| by(entry) <= key);
            steps += STEPS_A_VISIT + known.unwrap_or(label.len()) as u64;
            if known.is_none() {
                label.push((source, key));
                hubs += 1;
            }
            known.is_none()
        });
        for (hub, _) in own {
            from_source[hub as usize] = u64::MAX;
        }
        let done = source + 1;
        let is_look = done >= FIRST_LOOK / 2 && done.is_power_of_two();
        let all = if is_look && done >= FIRST_LOOK {
            steps as f64 + foreseen(core.hosts(), done, steps - steps_at_half)
        } else {
            steps as f64
        };
        if is_look {
            steps_at_half = steps;
        }
        if all > budget.steps as f64 || hubs > budget.hubs {
            return None;
        }
    }
    Some(labels)
}
