//! State of an iterative lookup at its initiator (section 2.3): the known nodes near the key, which
//! were asked, and which have replied. It sends no messages: it returns the nodes to ask and is
//! given their replies.

use crate::overlay::{Node, NodeIds};
use crate::space::Key;

/// The goal of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The nearest node: complete as soon as the nearest known one has replied.
    Root,
    /// The k nearest nodes: complete when the k nearest known ones have replied.
    Nodes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Named,
    Asked,
    Answered,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    distance: Key,
    node: Node,
    state: State,
}

/// A lookup in progress.
#[derive(Clone, Debug)]
pub struct Lookup {
    key: Key,
    goal: Goal,
    me: Node,
    /// The least distance of a node that has replied; at first that of the initiator.
    least: Key,
    /// Nearest first, without the nodes that did not reply.
    candidates: Vec<Candidate>,
    under_way: usize,
}

impl Lookup {
    /// A lookup of `key` by `me` without candidates; `room` is the initial capacity.
    pub fn new(ids: &NodeIds, me: Node, key: Key, goal: Goal, room: usize) -> Self {
        Self {
            key,
            goal,
            me,
            least: ids.id(me).xor(key),
            candidates: Vec::with_capacity(room),
            under_way: 0,
        }
    }

    /// The key of the lookup.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Adds nodes that the initiator knows or was sent.
    ///
    /// For the root, only nodes nearer than the nearest that has replied count, the initiator
    /// included: it is the root if all of them are silent. O(log c) comparisons for each, with c
    /// candidates.
    pub fn add_candidates(&mut self, ids: &NodeIds, nodes: impl IntoIterator<Item = Node>) {
        for node in nodes.into_iter().filter(|node| *node != self.me) {
            let distance = ids.id(node).xor(self.key);
            if self.goal == Goal::Root && distance >= self.least {
                continue;
            }
            // Two nodes may have the same ID.
            let order = |other: &Candidate| (other.distance, other.node).cmp(&(distance, node));
            if let Err(place) = self.candidates.binary_search_by(order) {
                let candidate = Candidate {
                    distance,
                    node,
                    state: State::Named,
                };
                self.candidates.insert(place, candidate);
            }
        }
    }

    /// The next node to ask, if any; call it until it returns `None`.
    ///
    /// At most `alpha` requests are outstanding, but once the nearest known node has replied, all
    /// of the k nearest are asked at once.
    pub fn ask(&mut self, k: usize, alpha: usize) -> Option<Node> {
        let nearest = self.candidates.first()?;
        let (reach, width) = match (self.goal, nearest.state) {
            (Goal::Root, State::Answered) => return None,
            // A node farther away than one that has replied cannot know a nearer one.
            (Goal::Root, _) => (self.first_answered(), alpha),
            (Goal::Nodes, State::Answered) => (k, alpha.max(k)),
            (Goal::Nodes, _) => (k, alpha),
        };
        if self.under_way >= width {
            return None;
        }
        let within = self.candidates.iter_mut().take(reach);
        let next = within.into_iter().find(|c| c.state == State::Named)?;
        next.state = State::Asked;
        self.under_way += 1;
        Some(next.node)
    }

    /// Whether `node` was asked and has replied or may still reply.
    pub fn has_asked(&self, node: Node) -> bool {
        let mut asked = self.candidates.iter().filter(|c| c.state != State::Named);
        asked.any(|candidate| candidate.node == node)
    }

    /// `node` has replied.
    pub fn answered(&mut self, node: Node) {
        if let Some(place) = self.asked(node) {
            let candidate = &mut self.candidates[place];
            candidate.state = State::Answered;
            self.least = self.least.min(candidate.distance);
            self.under_way -= 1;
        }
    }

    /// `node` has not replied, or is left to another path.
    pub fn failed(&mut self, node: Node) {
        if let Some(place) = self.asked(node) {
            self.candidates.remove(place);
            self.under_way -= 1;
        }
    }

    /// Whether the lookup is complete.
    pub fn is_over(&self, k: usize) -> bool {
        let count = match self.goal {
            Goal::Root => 1,
            Goal::Nodes => k,
        };
        let mut wanted = self.candidates.iter().take(count);
        wanted.all(|candidate| candidate.state == State::Answered)
    }

    /// The nodes that have replied, nearest first. At the end of a lookup of nodes the first k of
    /// them, with the initiator counted in, are the k nearest of a converged network.
    pub fn nearest(&self) -> impl Iterator<Item = Node> {
        let answered = |candidate: &&Candidate| candidate.state == State::Answered;
        self.candidates.iter().filter(answered).map(|c| c.node)
    }

    /// The root, for a complete lookup: the nearest that has replied, or the initiator if no nearer
    /// node has.
    pub fn root(&self) -> Node {
        self.nearest().next().unwrap_or(self.me)
    }

    fn first_answered(&self) -> usize {
        let answered = |candidate: &Candidate| candidate.state == State::Answered;
        let place = self.candidates.iter().position(answered);
        place.unwrap_or(self.candidates.len())
    }

    fn asked(&self, node: Node) -> Option<usize> {
        let asked =
            |candidate: &Candidate| candidate.node == node && candidate.state == State::Asked;
        self.candidates.iter().position(asked)
    }
}
