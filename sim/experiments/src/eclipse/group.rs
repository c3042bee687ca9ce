//! Runs that differ only in the number of addresses share their networks.
//!
//! The addresses of a smaller number are the first ones of a larger number. So one pass over a
//! network with the keys of the most addresses gives the occluded links for every number of them. A
//! run receives only its parameters and its seed, so the runs of a group find each other here by
//! their common parameters. The result of a run depends on its own parameters alone: the other runs
//! only determine the length of the list from which it reads its entry.

use super::links::{self, Count};
use super::{EclipseParameters, HonestParameters};
use dhtlab_core::adversary::{AdversaryParameters, KeyIndex};
use dhtlab_core::engine::Seed;
use dhtlab_core::parameter::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// The parameters of one run.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub honest: HonestParameters,
    pub adversary: AdversaryParameters,
    pub eclipse: EclipseParameters,
}

/// The counts of all networks of one seed, computed by the first run that needs them.
type Counts = Arc<OnceLock<Arc<[Count]>>>;

/// Runs that differ only in `adversary.ips`.
pub(super) struct Group {
    /// The common parameters, as text.
    name: String,
    /// The common parameters, without the number of addresses.
    common: Question,
    most_addresses: AtomicU32,
    members: AtomicUsize,
    counts: Mutex<BTreeMap<u64, Counts>>,
}

/// The groups of all present runs; a group is dropped with the last of its runs.
static GROUPS: Mutex<BTreeMap<String, Weak<Group>>> = Mutex::new(BTreeMap::new());

/// The data under these locks are valid at every moment, so a panic elsewhere does no harm.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Group {
    /// The group of a run with these parameters, which joins it.
    pub fn of(question: &Question) -> Arc<Self> {
        let mut common = question.clone();
        common.adversary.ips = 0;
        let name = Value::Table(common.resolved()).to_string();
        let mut groups = lock(&GROUPS);
        let known = groups.get(&name).and_then(Weak::upgrade);
        let group = known.unwrap_or_else(|| {
            let group = Arc::new(Self {
                name: name.clone(),
                common,
                most_addresses: AtomicU32::new(0),
                members: AtomicUsize::new(0),
                counts: Mutex::default(),
            });
            groups.insert(name, Arc::downgrade(&group));
            group
        });
        let ips = question.adversary.ips;
        group.most_addresses.fetch_max(ips, Ordering::Relaxed);
        group.members.fetch_add(1, Ordering::Relaxed);
        group
    }

    /// Number of runs in the group.
    pub fn members(&self) -> usize {
        self.members.load(Ordering::Relaxed)
    }

    /// The largest number of addresses of its runs.
    pub fn most_addresses(&self) -> u32 {
        self.most_addresses.load(Ordering::Relaxed)
    }

    /// The counts of each network with this seed, for 1, 2, ... addresses, up to at least `ips`.
    /// Concurrent callers wait for them. They are kept as long as the group: 16 bytes per network
    /// and address.
    pub fn counts(&self, seed: Seed, ips: u32) -> Arc<[Count]> {
        loop {
            let slot = Arc::clone(lock(&self.counts).entry(seed.value()).or_default());
            let counts = slot.get_or_init(|| {
                let networks = 0..self.common.eclipse.networks as u64;
                networks.map(|network| self.count(seed, network)).collect()
            });
            if counts
                .iter()
                .all(|count| count.occluded.len() >= ips as usize)
            {
                return Arc::clone(counts);
            }
            // They were computed before the run with the most addresses joined.
            let mut all = lock(&self.counts);
            if all
                .get(&seed.value())
                .is_some_and(|indexed| Arc::ptr_eq(indexed, &slot))
            {
                all.remove(&seed.value());
            }
        }
    }

    pub fn count(&self, seed: Seed, network: u64) -> Count {
        let mut adversary = self.common.adversary.clone();
        adversary.ips = self.most_addresses();
        let pairs = adversary.pairs(&mut seed.stream("addresses", network));
        let ids = self.common.honest.ids(seed, network);
        links::count(self.common.eclipse.links, &ids, &KeyIndex::new(pairs))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut groups = lock(&GROUPS);
        // Another group of the same name may have been added meanwhile.
        if groups
            .get(&self.name)
            .is_some_and(|group| group.strong_count() == 0)
        {
            groups.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dhtlab_core::adversary::Addresses;

    fn question(ips: u32) -> Question {
        Question {
            honest: HonestParameters { nodes: 300 },
            adversary: AdversaryParameters {
                ips,
                ports: 50,
                ..AdversaryParameters::default()
            },
            eclipse: EclipseParameters {
                networks: 2,
                ..EclipseParameters::default()
            },
        }
    }

    /// Alone, with more runs in the group, and with runs that join later: the counts of fewer
    /// addresses are the first of the counts of more.
    #[test]
    fn counts_do_not_depend_on_who_else_is_there() {
        let seed = Seed::new(1);
        let first = |counts: &Arc<[Count]>, ips: usize| -> Vec<(u64, u64)> {
            let line = |count: &Count| (count.occluded[ips - 1], count.sybils[ips - 1]);
            counts.iter().map(line).collect()
        };
        let few = Group::of(&question(3));
        let alone = first(&few.counts(seed, 3), 3);
        assert_eq!((few.members(), few.most_addresses()), (1, 3));
        let many = Group::of(&question(7));
        assert!(Arc::ptr_eq(&few, &many));
        assert_eq!((few.members(), few.most_addresses()), (2, 7));
        let counts = many.counts(seed, 7);
        assert_eq!(first(&counts, 3), alone);
        assert!(Arc::ptr_eq(&counts, &few.counts(seed, 3)), "made twice");
        let mut listed = question(3);
        listed.adversary.addresses =
            Addresses::Listed([[1; 4], [2; 4], [3; 4]].map(Into::into).to_vec());
        assert!(!Arc::ptr_eq(&few, &Group::of(&listed)));
        // The group is dropped with the last of its runs.
        let name = few.name.clone();
        drop((few, many));
        assert!(!lock(&GROUPS).contains_key(&name));
    }
}
