//! Hosts that cannot reach each other: pairs, and hosts behind a NAT.

use super::chance::fraction;
use crate::engine::{Duration, Instant};
use rustc_hash::FxHashMap;

/// Which hosts can reach each other.
#[derive(Debug)]
pub(super) struct Reachability {
    /// Numbers that select the pairs and the hosts.
    pub pairs: (u64, f64),
    pub hosts: (u64, f64),
    pub mapping: Duration,
    /// Until when the second host reaches the first one, which is behind a NAT.
    open: FxHashMap<(u32, u32), Instant>,
    /// Size of `open` at which expired entries are removed.
    most_open: usize,
}

impl Reachability {
    pub fn new(pairs: (u64, f64), hosts: (u64, f64), mapping: Duration) -> Self {
        let open = FxHashMap::default();
        Self {
            pairs,
            hosts,
            mapping,
            open,
            most_open: 1 << 12,
        }
    }

    /// Whether `host` can be reached only by those that it has sent a message.
    pub fn is_unreachable(&self, host: u32) -> bool {
        self.hosts.1 > 0.0 && fraction(self.hosts.0, host, 0) < self.hosts.1
    }

    /// `from` sends a message to `to`: whether it can arrive.
    pub fn send(&mut self, now: Instant, from: u32, to: u32) -> bool {
        if self.hosts.1 > 0.0 {
            if self.is_unreachable(from) {
                self.open.insert((from, to), now + self.mapping);
                self.remove_expired(now);
            }
            if self.is_unreachable(to) && self.open.get(&(to, from)).is_none_or(|end| *end < now) {
                return false;
            }
        }
        self.pairs.1 == 0.0 || fraction(self.pairs.0, from.min(to), from.max(to)) >= self.pairs.1
    }

    fn remove_expired(&mut self, now: Instant) {
        if self.open.len() > self.most_open {
            self.open.retain(|_, end| *end >= now);
            self.most_open = 2 * self.open.len().max(1 << 11);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::START + Duration::from_secs(seconds)
    }

    #[test]
    fn a_host_behind_a_nat_is_reached_by_those_it_has_asked() {
        let mut all = Reachability::new((1, 0.0), (1, 1.0), Duration::from_secs(120));
        assert!(!all.send(at(0), 1, 2));
        // The message of 1 has opened its own NAT.
        assert!(all.send(at(120), 2, 1));
        assert!(!all.send(at(121), 3, 1));
        // 2 has sent to 1 at 120 s.
        assert!(all.send(at(240), 1, 2));
        assert!(!all.send(at(500), 1, 2));
    }

    #[test]
    fn the_fractions_are_those_of_the_parameters() {
        let mut some = Reachability::new((5, 0.05), (6, 0.3), Duration::from_secs(1));
        let hosts = (0..10_000)
            .filter(|host| some.is_unreachable(*host))
            .count();
        // Four standard deviations of a binomial count of 10,000.
        assert!((hosts as f64 - 3000.0).abs() < 4.0 * 45.8, "{hosts}");
        some.hosts.1 = 0.0;
        let pairs = (0..10_000)
            .filter(|host| !some.send(at(0), *host, 20_000))
            .count();
        assert!((pairs as f64 - 500.0).abs() < 4.0 * 21.8, "{pairs}");
        // Both directions of a pair.
        for host in 0..1000 {
            assert_eq!(some.send(at(0), host, 7000), some.send(at(0), 7000, host));
        }
    }

    #[test]
    fn expired_entries_are_removed() {
        let mut all = Reachability::new((1, 0.0), (1, 1.0), Duration::from_secs(1));
        for second in 0..100_000 {
            all.send(at(second), 1, second as u32 + 2);
        }
        assert!(all.open.len() <= 1 << 13, "{}", all.open.len());
    }
}
