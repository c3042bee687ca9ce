//! Underlays with links or latencies given by the caller, without a scenario.

use super::graph::{Adjacency, distinct_links, unlinked};
use super::pairwise::{Matrix, Pairwise};
use super::{Host, Underlay, UnderlayError, micros, shortest_paths};
use crate::engine::Duration;
use petgraph::graph::NodeIndex;

impl Underlay {
    /// An underlay of `hosts` hosts joined by `links`. A link has its two ends and its latency,
    /// which is the same in both directions and is stored in whole microseconds of at least one.
    ///
    /// Links from a host to itself are dropped, and of parallel ones the fastest is kept. If not
    /// all hosts can reach each other, those of the largest component are renumbered in their
    /// order; [`notes`](Self::notes) reports all this. O(n + m log m) and one shortest-path search.
    ///
    /// # Errors
    /// If a latency, or a sum of latencies on a path, is too long to be stored.
    ///
    /// # Panics
    /// If there is no host, or a link ends at one that is not below `hosts`.
    pub fn from_links(
        hosts: usize,
        links: impl IntoIterator<Item = (Host, Host, Duration)>,
    ) -> Result<Self, UnderlayError> {
        assert!(hosts > 0, "an underlay has hosts");
        let mut graph = unlinked(hosts, 0);
        for (Host(a), Host(b), latency) in links {
            let ends = [a, b].map(|host| NodeIndex::new(host as usize));
            graph.add_edge(ends[0], ends[1], Some(micros(latency)?));
        }
        let mut notes = Vec::new();
        let links = distinct_links(&graph, &mut notes);
        let adjacency = Adjacency::of_timed(hosts, links, &mut notes);
        shortest_paths::check_range(&adjacency)?;
        Ok(Self::of_graph(adjacency, notes))
    }

    /// An underlay of `hosts` hosts without links: every message is one hop and takes the `latency`
    /// of its two hosts, in whole microseconds of at least one. `latency` is called once per pair,
    /// with the higher number first. Four bytes per pair.
    ///
    /// # Errors
    /// If a latency is too long to be stored.
    ///
    /// # Panics
    /// If there is no host.
    pub fn from_latencies(
        hosts: u32,
        mut latency: impl FnMut(Host, Host) -> Duration,
    ) -> Result<Self, UnderlayError> {
        assert!(hosts > 0, "an underlay has hosts");
        let pairs = (0..hosts).flat_map(|a| (0..a).map(move |b| (Host(a), Host(b))));
        let one_way: Result<Vec<u32>, _> = pairs
            .map(|(a, b)| Ok(micros(latency(a, b))?.get()))
            .collect();
        let matrix = Matrix::new(hosts as usize, one_way?);
        Ok(Self::of_pairs(Pairwise::Matrix(matrix), Vec::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::underlay::{Distances, Path};
    use std::sync::Arc;

    fn path(underlay: Underlay, from: u32, to: u32) -> Path {
        let hosts = (0..underlay.hosts() as u32).map(Host).collect();
        Distances::new(Arc::new(underlay), hosts).path(from, to)
    }

    #[test]
    fn given_links_are_tidied_and_walked_by_latency() {
        let ms = Duration::from_millis;
        let links = [
            (Host(1), Host(2), ms(9)),
            (Host(2), Host(1), ms(8)),
            (Host(1), Host(3), ms(2)),
            (Host(3), Host(2), ms(3)),
            (Host(3), Host(3), ms(1)),
        ];
        let underlay = Underlay::from_links(4, links).expect("an underlay");
        // Host 0 has no link, so 1, 2 and 3 become 0, 1 and 2.
        assert_eq!((underlay.hosts(), underlay.links()), (3, Some(3)));
        assert_eq!(underlay.notes().len(), 3);
        let found = path(underlay, 0, 1);
        assert_eq!((found.hops, found.latency), (2, ms(5)));
    }

    #[test]
    fn given_latencies_are_those_of_the_pair_whichever_way() {
        let far = |a: Host, b: Host| Duration::from_millis(u64::from(10 * a.0 + b.0));
        for (from, to) in [(2, 1), (1, 2)] {
            let underlay = Underlay::from_latencies(3, far).expect("an underlay");
            let found = path(underlay, from, to);
            assert_eq!((found.hops, found.latency), (1, Duration::from_millis(21)));
        }
    }

    #[test]
    fn a_host_alone_is_an_underlay() {
        let graph = Underlay::from_links(1, []).expect("an underlay");
        let pairs = Underlay::from_latencies(1, |_, _| Duration::ZERO).expect("an underlay");
        assert_eq!(
            (path(graph, 0, 0), path(pairs, 0, 0)),
            (Path::NONE, Path::NONE)
        );
    }

    #[test]
    #[should_panic(expected = "out of bounds")]
    fn a_link_ends_at_hosts_that_are_there() {
        let _ = Underlay::from_links(2, [(Host(0), Host(2), Duration::from_millis(1))]);
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let long = Duration::from_secs(5000);
        let link = [(Host(0), Host(1), long)];
        let refused = UnderlayError::LatencyTooLong { latency: long };
        assert_eq!(Underlay::from_links(2, link).err(), Some(refused.clone()));
        assert_eq!(
            Underlay::from_latencies(2, |_, _| long).err(),
            Some(refused)
        );
    }
}
