//! Runs that differ in the number of addresses alone share their networks.
//!
//! The addresses of fewer are the first of more, so one pass over a network with the keys of the
//! most addresses tells the occluded links for every number of them. A run is given its
//! parameters and its seed and nothing else, and so the runs of a group find each other here, by
//! what they have in common. What a run gives depends on its own parameters alone: how many
//! addresses the others have decides only how far the list goes that it reads its own line from.

use super::links::{self, Count};
use super::{EclipseParameters, HonestParameters};
use crate::adversary::{AdversaryParameters, KeyIndex};
use crate::engine::Seed;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// What one run asks.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub honest: HonestParameters,
    pub adversary: AdversaryParameters,
    pub eclipse: EclipseParameters,
}

/// The counts of all networks of one seed, made by whoever needs them first.
type Counts = Arc<OnceLock<Arc<[Count]>>>;

/// Runs that differ in `adversary.ips` alone.
pub(super) struct Group {
    /// What they have in common, as text.
    name: String,
    /// The question, but for the number of addresses.
    common: Question,
    most_addresses: AtomicU32,
    members: AtomicUsize,
    counts: Mutex<BTreeMap<u64, Counts>>,
}

/// The groups that some run belongs to; a group goes with the last of its runs.
static GROUPS: Mutex<BTreeMap<String, Weak<Group>>> = Mutex::new(BTreeMap::new());

/// What is under these locks is whole at every moment, so a panic elsewhere does it no harm.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Group {
    /// The group of a run that asks `question`, which belongs to it from now on.
    pub fn of(question: &Question) -> Arc<Self> {
        let mut common = question.clone();
        common.adversary.ips = 0;
        let name = common.resolved().to_string();
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

    /// How many runs belong to it.
    pub fn members(&self) -> usize {
        self.members.load(Ordering::Relaxed)
    }

    /// The most addresses that one of its runs has.
    pub fn most_addresses(&self) -> u32 {
        self.most_addresses.load(Ordering::Relaxed)
    }

    /// The counts of each network with this seed, for 1, 2, ... addresses, of which there are at
    /// least `ips`; runs that come meanwhile wait for them. They are kept as long as the group: 16
    /// bytes a network and address.
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
            // They were made before the run with the most addresses came.
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
        // Another group of the same name may have come in between.
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
    use crate::adversary::Addresses;

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

    /// Alone, with more in the group, and with more that come later: the counts of fewer addresses
    /// are the first of the counts of more.
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
        // With the last of its runs the group goes.
        let name = few.name.clone();
        drop((few, many));
        assert!(!lock(&GROUPS).contains_key(&name));
    }
}
