//! The records that a node holds.

use crate::engine::Instant;
use crate::overlay::Node;
use crate::space::Key;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// The records that a node holds: the providers of each key, and when the records expire.
#[derive(Clone, Debug, Default)]
pub struct Records(FxHashMap<Key, SmallVec<[(Node, Instant); 1]>>);

impl Records {
    /// Stores that `provider` provides `key`, until `expires`.
    pub fn add(&mut self, key: Key, provider: Node, expires: Instant) {
        let providers = self.0.entry(key).or_default();
        match providers.iter_mut().find(|(node, _)| *node == provider) {
            Some((_, until)) => *until = expires,
            None => providers.push((provider, expires)),
        }
    }

    /// The providers of `key` whose records are valid at `now`, in the order in which they came.
    /// Removes expired ones.
    pub fn providers(&mut self, key: &Key, now: Instant) -> Box<[Node]> {
        let Some(providers) = self.0.get_mut(key) else {
            return Box::default();
        };
        providers.retain(|(_, expires)| *expires > now);
        let valid = providers.iter().map(|(node, _)| *node).collect();
        if providers.is_empty() {
            self.0.remove(key);
        }
        valid
    }

    /// Whether there is a valid record of `key` at `now`.
    pub fn holds(&self, key: &Key, now: Instant) -> bool {
        let providers = self.0.get(key);
        providers.is_some_and(|all| all.iter().any(|(_, expires)| *expires > now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Duration;

    #[test]
    fn a_record_expires_unless_it_is_sent_again() {
        let at = |seconds| Instant::START + Duration::from_secs(seconds);
        let (key, mut records) = (Key::sha1(b"content"), Records::default());
        records.add(key, Node(1), at(10));
        records.add(key, Node(2), at(20));
        records.add(key, Node(1), at(30));
        assert_eq!(*records.providers(&key, at(5)), [Node(1), Node(2)]);
        assert_eq!(*records.providers(&key, at(20)), [Node(1)]);
        assert!(records.holds(&key, at(29)) && !records.holds(&key, at(30)));
        assert!(records.providers(&key, at(30)).is_empty());
        assert!(records.0.is_empty());
    }
}
