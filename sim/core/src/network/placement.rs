//! Placement of nodes on hosts.

use crate::engine::Stream;
use crate::underlay::Host;

crate::choices! {
    /// Assignment of nodes to hosts.
    pub enum Placement {
        /// At most one node on a host.
        Distinct = "distinct",
        /// Each node on a random host; several nodes may share a host.
        Shared = "shared",
    }
}

/// The hosts of `count` nodes among `hosts`, drawn from `stream`.
///
/// A smaller `count` gives a prefix of a larger one, so a larger network contains the smaller one.
/// With distinct hosts `count` must be at most `hosts`.
pub fn place(placement: Placement, hosts: usize, count: usize, stream: &mut Stream) -> Vec<Host> {
    match placement {
        Placement::Shared => (0..count)
            .map(|_| Host(stream.index(hosts) as u32))
            .collect(),
        Placement::Distinct => {
            let mut all: Vec<Host> = (0..hosts as u32).map(Host).collect();
            stream.sample_to_front(&mut all, count);
            all.truncate(count);
            all
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Seed;

    #[test]
    fn distinct_hosts_are_distinct_and_nested() {
        let stream = || Seed::new(1).stream("hosts", 0);
        let some = place(Placement::Distinct, 1000, 100, &mut stream());
        let more = place(Placement::Distinct, 1000, 1000, &mut stream());
        assert_eq!(some, more[..100]);
        let mut sorted = more.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).map(Host).collect::<Vec<_>>());
        let shared = place(Placement::Shared, 3, 100, &mut stream());
        assert!(shared.iter().all(|host| host.0 < 3));
    }
}
