//! Zave's invariant, which a Chord network must not violate.

use dhtlab_core::overlay::chord::Chord;

/// Violations of the invariant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no ring.
    AtLeastOneRing,
    /// There is more than one.
    AtMostOneRing,
    /// The ring is not in the order of the IDs.
    OrderedRing,
    /// A node does not lead to the ring.
    ConnectedAppendages,
    /// The nodes that lead to one node of the ring are not in the order of the IDs.
    OrderedAppendages,
    /// An appendage joins the ring at another node than the first after it.
    OrderedMerges,
    /// A list leaves out a live node that follows its own first entry.
    ValidSuccessorList,
    /// A list has no live node.
    LiveSuccessor,
    /// Fewer than r + 1 nodes are skipped by no list.
    Principals,
}

/// The successor list of a node; one alone follows itself.
pub fn successors(node: usize, state: &Chord) -> Vec<usize> {
    let peers = state.peers().successors();
    let list: Vec<usize> = peers.iter().map(|peer| peer.node().index()).collect();
    if list.is_empty() { vec![node] } else { list }
}

/// The global state of a network: nodes are numbered in the order of the ring.
pub struct View<'a> {
    pub nodes: usize,
    /// The successor lists of the live members.
    pub lists: Vec<(usize, Vec<usize>)>,
    pub alive: &'a dyn Fn(usize) -> bool,
    pub least_principals: usize,
}

impl View<'_> {
    /// How many places `b` lies behind the place after `a`.
    fn after(&self, a: usize, b: usize) -> usize {
        (b + self.nodes - a - 1) % self.nodes
    }

    /// The first live successor.
    fn best(&self, node: usize) -> Option<usize> {
        let (_, list) = self.lists.iter().find(|(own, _)| *own == node)?;
        list.iter().copied().find(|peer| (self.alive)(*peer))
    }

    /// The way from one best successor to the next, once around at most.
    fn walk(&self, from: usize) -> Vec<usize> {
        let mut way = vec![from];
        while let Some(next) = self.best(*way.last().expect("it begins somewhere"))
            && way.len() <= self.nodes
        {
            way.push(next);
        }
        way
    }

    /// Members that no list passes over.
    fn principals(&self) -> usize {
        let passed_over = |node: usize| {
            self.lists.iter().any(|(own, list)| {
                let all: Vec<usize> = std::iter::once(*own).chain(list.iter().copied()).collect();
                all.windows(2).any(|pair| {
                    pair[0] != node && self.after(pair[0], node) < self.after(pair[0], pair[1])
                })
            })
        };
        let members = self.lists.iter();
        members.filter(|(node, _)| !passed_over(*node)).count()
    }

    /// What is wrong.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut add = |fault: Fault, holds: bool| {
            if holds && !faults.contains(&fault) {
                faults.push(fault);
            }
        };
        // A node is on a ring if its way comes back to it.
        let members = self.lists.iter().map(|(node, _)| *node);
        let ring: Vec<usize> = members
            .filter(|node| self.walk(*node)[1..].contains(node))
            .collect();
        add(Fault::AtLeastOneRing, ring.is_empty());
        if let Some(first) = ring.first() {
            let way = self.walk(*first);
            let elsewhere = ring.iter().any(|node| !way.contains(node));
            add(Fault::AtMostOneRing, elsewhere);
        }
        for (node, list) in &self.lists {
            let node = *node;
            let nearest = ring.iter().min_by_key(|other| self.after(node, **other));
            add(Fault::LiveSuccessor, self.best(node).is_none());
            if ring.contains(&node) {
                add(Fault::OrderedRing, nearest != self.best(node).as_ref());
            } else {
                let way = self.walk(node);
                let entry = way.iter().position(|step| ring.contains(step));
                add(Fault::ConnectedAppendages, entry.is_none());
                if let Some(entry) = entry {
                    add(Fault::OrderedMerges, nearest != Some(&way[entry]));
                    let sorted = way[1..=entry].is_sorted_by_key(|step| self.after(node, *step));
                    add(Fault::OrderedAppendages, !sorted);
                }
            }
            // Between two entries of a list there is no live node of the ring.
            for pair in list.windows(2) {
                let skipped =
                    |other: &usize| self.after(pair[0], *other) < self.after(pair[0], pair[1]);
                add(Fault::ValidSuccessorList, ring.iter().any(skipped));
            }
        }
        add(Fault::Principals, self.principals() < self.least_principals);
        faults
    }
}
