//! From the links of a model or a file to a compact, connected adjacency.

use super::{UnderlayError, micros};
use crate::engine::{DurationDistribution, Stream};
use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::unionfind::UnionFind;
use petgraph::visit::EdgeRef;
use std::collections::BTreeSet;
use std::num::NonZeroU32;

/// Hosts and links of a model or a file: loops and parallel links are allowed.
///
/// A link may have its latency in microseconds; the others are drawn from `link-latency`.
pub(super) type Links = UnGraph<(), Option<NonZeroU32>>;

/// `hosts` hosts without a link, with room for `links` links.
pub(super) fn unlinked(hosts: usize, links: usize) -> Links {
    let mut graph = Links::with_capacity(hosts, links);
    for _ in 0..hosts {
        graph.add_node(());
    }
    graph
}

/// Adds a link between the hosts numbered `a` and `b`, its latency to be drawn later.
pub(super) fn link(graph: &mut Links, a: usize, b: usize) {
    graph.add_edge(NodeIndex::new(a), NodeIndex::new(b), None);
}

/// One link while the graph is normalised: its ends in order, and its latency if it has one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    ends: (u32, u32),
    pub(super) latency: Option<NonZeroU32>,
}

/// A connected graph as compressed sparse rows, for the searches.
#[derive(Debug)]
pub(super) struct Adjacency {
    /// Where each host's neighbours start in `targets`; one more than there are hosts.
    pub(super) offsets: Vec<u32>,
    /// The neighbours of all hosts, those of host 0 first.
    pub(super) targets: Vec<u32>,
    /// Latencies of the links in microseconds.
    pub(super) latencies: Latencies,
}

/// The latencies of links in microseconds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Latencies {
    /// Every link has this latency, so that least latency means fewest links.
    Equal(u32),
    /// One per entry of `targets`.
    Each(Vec<u32>),
}

impl Adjacency {
    /// Drops all but the largest component of `links` between hosts `0..hosts`, draws missing
    /// latencies, and packs the rest. What was left out is added to `notes`.
    ///
    /// Hosts and links keep their order. Of components of equal size, the one with the smallest
    /// host is taken. O(n + m log m).
    pub(super) fn new(
        hosts: usize,
        links: Vec<Link>,
        link_latency: &DurationDistribution,
        stream: &mut Stream,
        notes: &mut Vec<String>,
    ) -> Result<Self, UnderlayError> {
        let (hosts, mut links) = largest_component(hosts, links, notes);
        let constant = link_latency.constant().map(micros).transpose()?;
        for link in &mut links {
            if link.latency.is_none() {
                link.latency = Some(match constant {
                    Some(latency) => latency,
                    None => micros(link_latency.sample(stream))?,
                });
            }
        }
        Ok(Self::pack(hosts, &links))
    }

    /// The same for links that all have a latency, so that none is drawn.
    pub(super) fn of_timed(hosts: usize, links: Vec<Link>, notes: &mut Vec<String>) -> Self {
        let (hosts, links) = largest_component(hosts, links, notes);
        Self::pack(hosts, &links)
    }

    /// Compressed rows of `links`, whose latencies are all known.
    fn pack(hosts: usize, links: &[Link]) -> Self {
        let mut offsets = vec![0u32; hosts + 1];
        for Link { ends: (a, b), .. } in links {
            offsets[*a as usize + 1] += 1;
            offsets[*b as usize + 1] += 1;
        }
        for host in 0..hosts {
            offsets[host + 1] += offsets[host];
        }
        let latency_of = |link: &Link| link.latency.map_or(1, NonZeroU32::get);
        let first = links.first().map_or(1, latency_of);
        let equal = links.iter().all(|link| latency_of(link) == first);
        let mut next = offsets.clone();
        let mut targets = vec![0; 2 * links.len()];
        let mut each = vec![0; if equal { 0 } else { 2 * links.len() }];
        for link in links {
            let (a, b) = link.ends;
            for (from, to) in [(a, b), (b, a)] {
                let place = next[from as usize] as usize;
                next[from as usize] += 1;
                targets[place] = to;
                if !equal {
                    each[place] = latency_of(link);
                }
            }
        }
        let latencies = if equal {
            Latencies::Equal(first)
        } else {
            Latencies::Each(each)
        };
        Self {
            offsets,
            targets,
            latencies,
        }
    }

    /// The number of the component of each host without the links in `cut`, each with its smaller
    /// host first; or a link in `cut` that is not there.
    pub(super) fn components_without(
        &self,
        cut: &BTreeSet<(u32, u32)>,
    ) -> Result<Vec<u32>, (u32, u32)> {
        let mut components = UnionFind::<u32>::new(self.hosts());
        let mut left = cut.clone();
        for from in 0..self.hosts() as u32 {
            let neighbours =
                self.offsets[from as usize] as usize..self.offsets[from as usize + 1] as usize;
            for &to in &self.targets[neighbours] {
                let link = (from.min(to), from.max(to));
                left.remove(&link);
                if !cut.contains(&link) {
                    components.union(from, to);
                }
            }
        }
        match left.first() {
            Some(link) => Err(*link),
            None => Ok(components.into_labeling()),
        }
    }

    /// The number of hosts.
    pub(super) fn hosts(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The number of links.
    pub(super) fn links(&self) -> usize {
        self.targets.len() / 2
    }

    /// Whether all links have one latency.
    pub(super) fn has_equal_links(&self) -> bool {
        matches!(self.latencies, Latencies::Equal(_))
    }

    /// The range in `targets` of the neighbours of `host`.
    pub(super) fn places(&self, host: u32) -> std::ops::Range<usize> {
        let host = host as usize;
        self.offsets[host] as usize..self.offsets[host + 1] as usize
    }
}

/// The links in their order, without loops; of parallel links the fastest, at the position of the
/// first. What was left out is added to `notes`. O(m log m).
pub(super) fn distinct_links(graph: &Links, notes: &mut Vec<String>) -> Vec<Link> {
    let (links, loops, parallel) = distinct(graph);
    tell_dropped(loops, parallel, notes);
    links
}

/// The same, with the numbers of loops and of parallel links that were left out.
pub(super) fn distinct(graph: &Links) -> (Vec<Link>, usize, usize) {
    let mut links = Vec::with_capacity(graph.edge_count());
    let mut loops = 0;
    for edge in graph.edge_references() {
        let (a, b) = (edge.source().index() as u32, edge.target().index() as u32);
        if a == b {
            loops += 1;
        } else {
            links.push(Link {
                ends: (a.min(b), a.max(b)),
                latency: *edge.weight(),
            });
        }
    }
    let mut order: Vec<u32> = (0..links.len() as u32).collect();
    order.sort_unstable_by_key(|&i| (links[i as usize].ends, i));
    let mut keep = vec![true; links.len()];
    let mut parallel = 0;
    let mut first = 0;
    for (place, &i) in order.iter().enumerate() {
        let (here, kept) = (links[i as usize], order[first] as usize);
        if place == first || here.ends != links[kept].ends {
            first = place;
            continue;
        }
        keep[i as usize] = false;
        parallel += 1;
        links[kept].latency = match (links[kept].latency, here.latency) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    let mut kept = keep.iter();
    links.retain(|_| kept.next().copied().unwrap_or(true));
    (links, loops, parallel)
}

/// Adds to the notes how many loops and parallel links were left out.
pub(super) fn tell_dropped(loops: usize, parallel: usize, notes: &mut Vec<String>) {
    for (what, dropped) in [("loops", loops), ("parallel links", parallel)] {
        if dropped > 0 {
            notes.push(format!("{what}: {dropped} dropped"));
        }
    }
}

/// The component of each host, and the size of each component.
fn sizes(hosts: usize, links: &[Link]) -> (Vec<u32>, Vec<u32>) {
    let mut components = UnionFind::<u32>::new(hosts);
    for Link { ends: (a, b), .. } in links {
        components.union(*a, *b);
    }
    let component = components.into_labeling();
    let mut sizes = vec![0u32; hosts];
    for &label in &component {
        sizes[label as usize] += 1;
    }
    (component, sizes)
}

/// The number of components, and the size of the largest.
pub(super) fn components(hosts: usize, links: &[Link]) -> (usize, u32) {
    let (_, sizes) = sizes(hosts, links);
    let count = sizes.iter().filter(|size| **size > 0).count();
    (count, sizes.into_iter().max().unwrap_or(0))
}

/// The note that of `hosts` hosts only `size` are used.
pub(super) fn disconnected(size: usize, hosts: usize) -> String {
    format!("disconnected: largest component of {size} of {hosts} hosts is used")
}

/// The hosts and links of the largest component, renumbered in their order.
fn largest_component(
    hosts: usize,
    mut links: Vec<Link>,
    notes: &mut Vec<String>,
) -> (usize, Vec<Link>) {
    let (component, sizes) = sizes(hosts, &links);
    let mut best = None;
    for &label in &component {
        if best.is_none_or(|best: u32| sizes[label as usize] > sizes[best as usize]) {
            best = Some(label);
        }
    }
    let size = best.map_or(0, |best| sizes[best as usize] as usize);
    if size == hosts {
        return (hosts, links);
    }
    notes.push(disconnected(size, hosts));
    let mut number = vec![u32::MAX; hosts];
    let mut next = 0;
    for (host, &label) in component.iter().enumerate() {
        if Some(label) == best {
            number[host] = next;
            next += 1;
        }
    }
    links.retain(|link| Some(component[link.ends.0 as usize]) == best);
    for link in &mut links {
        link.ends = (number[link.ends.0 as usize], number[link.ends.1 as usize]);
    }
    (size, links)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Duration, Seed};

    fn graph(hosts: usize, links: &[(usize, usize, u32)]) -> Links {
        let mut graph = unlinked(hosts, links.len());
        for &(a, b, latency) in links {
            let ends = (NodeIndex::new(a), NodeIndex::new(b));
            graph.add_edge(ends.0, ends.1, NonZeroU32::new(latency));
        }
        graph
    }

    fn tidy(graph: &Links) -> (Adjacency, Vec<String>) {
        let mut notes = Vec::new();
        let latency = DurationDistribution::Constant(Duration::from_millis(1));
        let mut stream = Seed::new(1).stream("test", 0);
        (
            Adjacency::new(
                graph.node_count(),
                distinct_links(graph, &mut notes),
                &latency,
                &mut stream,
                &mut notes,
            )
            .unwrap(),
            notes,
        )
    }

    #[test]
    fn underlay_keeps_the_fastest_of_parallel_links_and_no_loops() {
        let links = [
            (0, 1, 5),
            (1, 0, 3),
            (1, 1, 1),
            (1, 2, 0),
            (2, 1, 9),
            (1, 0, 4),
        ];
        let (adjacency, notes) = tidy(&graph(3, &links));
        assert_eq!(adjacency.targets, [1, 0, 2, 1]);
        assert_eq!(adjacency.latencies, Latencies::Each(vec![3, 3, 9, 9]));
        assert_eq!(notes, ["loops: 1 dropped", "parallel links: 3 dropped"]);
    }

    #[test]
    fn underlay_uses_the_largest_component_the_first_of_equals() {
        let (adjacency, notes) = tidy(&graph(6, &[(4, 5, 0), (1, 2, 0)]));
        assert_eq!((adjacency.hosts(), adjacency.links()), (2, 1));
        assert_eq!(
            notes,
            ["disconnected: largest component of 2 of 6 hosts is used"]
        );
        let (adjacency, _) = tidy(&graph(6, &[(0, 3, 0), (1, 2, 7), (5, 2, 8)]));
        assert_eq!(adjacency.targets, [1, 0, 2, 1]);
        assert_eq!(adjacency.latencies, Latencies::Each(vec![7, 7, 8, 8]));
    }

    #[test]
    fn underlay_of_equal_latencies_keeps_one_number() {
        let (adjacency, notes) = tidy(&graph(3, &[(0, 1, 0), (1, 2, 1000)]));
        assert_eq!(adjacency.latencies, Latencies::Equal(1000));
        assert!(notes.is_empty());
    }
}
