//! State of an iterative lookup at its initiator (section 2.3): the known nodes near the key, which
//! were asked, and which have replied. It sends no messages: it returns the nodes to ask and is
//! given their replies.

use crate::overlay::Node;
use crate::space::Key;
use std::cmp::Ordering;

/// The goal of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The nearest node: complete as soon as the nearest known one has replied.
    Root,
    /// The k nearest nodes: complete when the k nearest known ones have replied.
    Nodes,
    /// The k nearest nodes, as in go-libp2p-kad-dht: complete when so many of the nearest known ones
    /// have replied; then the other ones of the k nearest are asked at once, and what they name is
    /// not asked any more.
    NodesAfter(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CandidateState {
    Named,
    Asked,
    Answered,
    /// It has not replied to one of the last requests.
    Silent,
    /// With [`Goal::NodesAfter`], it has not replied before, and is not asked again if others name it.
    Unreachable,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    distance: Key,
    node: Node,
    state: CandidateState,
}

/// The most nodes of one group of addresses that a lookup takes from replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupLimit {
    /// Leading bits of an IPv4 address that are the same in a group.
    pub bits: u32,
    /// The most nodes.
    pub most: usize,
}

/// A lookup in progress.
#[derive(Clone, Debug)]
pub struct Lookup {
    key: Key,
    goal: Goal,
    me: Node,
    /// The least distance of a node that has replied; at first that of the initiator.
    least: Key,
    /// Nearest first, without the nodes that did not reply, unless they are kept as such.
    candidates: Vec<Candidate>,
    under_way: usize,
    /// With [`Goal::NodesAfter`], only the last requests are left.
    is_closing: bool,
}

impl Lookup {
    /// A lookup of `key` by `me`, which has `id`, without candidates; `room` is the initial capacity.
    pub fn new((me, id): (Node, Key), key: Key, goal: Goal, room: usize) -> Self {
        Self {
            key,
            goal,
            me,
            least: id.xor(key),
            candidates: Vec::with_capacity(room),
            under_way: 0,
            is_closing: false,
        }
    }

    /// The key of the lookup.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Adds nodes that the initiator knows or was sent; `id` is the ID of each.
    ///
    /// For the root, only nodes nearer than the nearest that has replied count, the initiator
    /// included: it is the root if all of them are silent. O(c) comparisons for all names in the
    /// order of their distance, with c candidates, and O(c) for each otherwise.
    pub fn add_candidates(
        &mut self,
        id: impl Fn(Node) -> Key,
        nodes: impl IntoIterator<Item = Node>,
    ) {
        self.add_admitted(id, nodes, |_, _| true);
    }

    /// As [`add_candidates`](Self::add_candidates), those of a reply that `limit` lets it take: first come,
    /// first served, as in libtorrent; `group` is the group of addresses of each node. O(c) more for each
    /// node that is new.
    pub fn add_within(
        &mut self,
        limit: GroupLimit,
        group: impl Fn(Node, u32) -> u32,
        id: impl Fn(Node) -> Key,
        nodes: impl IntoIterator<Item = Node>,
    ) {
        self.add_admitted(id, nodes, |known, node| {
            let place = group(node, limit.bits);
            let of_group = |other: &&Candidate| group(other.node, limit.bits) == place;
            known.iter().filter(of_group).count() < limit.most
        });
    }

    fn add_admitted(
        &mut self,
        id: impl Fn(Node) -> Key,
        nodes: impl IntoIterator<Item = Node>,
        admits: impl Fn(&[Candidate], Node) -> bool,
    ) {
        if self.is_closing {
            return;
        }
        // A reply names nodes in the order of their distance: the search for the place of one begins
        // at that of the one before.
        let mut place = 0;
        for node in nodes.into_iter().filter(|node| *node != self.me) {
            let distance = id(node).xor(self.key);
            if self.goal == Goal::Root && distance >= self.least {
                continue;
            }
            // Two nodes may have the same ID.
            let order = |other: &Candidate| {
                let by_distance = other.distance.cmp(&distance);
                by_distance.then_with(|| other.node.cmp(&node))
            };
            let is_nearer = |other: &Candidate| order(other) == Ordering::Less;
            if place > 0 && !is_nearer(&self.candidates[place - 1]) {
                place = 0;
            }
            let rest = self.candidates[place..].iter();
            place += rest.take_while(|other| is_nearer(other)).count();
            let is_known = self.candidates.get(place).map(order) == Some(Ordering::Equal);
            if !is_known && admits(&self.candidates, node) {
                let candidate = Candidate {
                    distance,
                    node,
                    state: CandidateState::Named,
                };
                self.candidates.insert(place, candidate);
            }
        }
    }

    /// The next node to ask, if any; call it until it returns `None`.
    ///
    /// At most `alpha` requests are outstanding, but once the nearest known node has replied, all
    /// of the k nearest are asked at once. With [`Goal::NodesAfter`], the nearest node that was not
    /// asked is next, however far away it is.
    pub fn ask(&mut self, k: usize, alpha: usize) -> Option<Node> {
        let reach = self.reach(k, alpha)?;
        let place = self.named(reach).next()?;
        Some(self.ask_at(place))
    }

    /// The same, but of the nodes that share as many leading bits with the key as the nearest of them, and are
    /// among the k nearest, the first one in `order` is next.
    pub fn ask_in_order(
        &mut self,
        (k, alpha): (usize, usize),
        order: impl Fn(Node, Node) -> Ordering,
    ) -> Option<Node> {
        let reach = self.reach(k, alpha)?;
        let nearest = self.named(reach).next()?;
        let highest = |place: usize| self.candidates[place].distance.log2();
        let near = self.named(reach.min(k));
        let as_near = near.take_while(|place| highest(*place) == highest(nearest));
        let node = |place: usize| self.candidates[place].node;
        let first = std::iter::once(nearest)
            .chain(as_near)
            .min_by(|one, other| order(node(*one), node(*other)))?;
        Some(self.ask_at(first))
    }

    /// The places of the nodes that were not asked, among the `reach` nearest.
    fn named(&self, reach: usize) -> impl Iterator<Item = usize> {
        let candidates = self.candidates.iter().enumerate();
        let reachable = candidates.filter(|(_, c)| c.state != CandidateState::Unreachable);
        let named = reachable
            .take(reach)
            .filter(|(_, c)| c.state == CandidateState::Named);
        named.map(|(place, _)| place)
    }

    fn ask_at(&mut self, place: usize) -> Node {
        let candidate = &mut self.candidates[place];
        candidate.state = CandidateState::Asked;
        self.under_way += 1;
        candidate.node
    }

    /// Among how many of the nearest known nodes the next one to ask is; `None` if none may be asked now.
    fn reach(&mut self, k: usize, alpha: usize) -> Option<usize> {
        let nearest = self.reachable().next()?.state;
        if let Goal::NodesAfter(count) = self.goal
            && !self.is_closing
        {
            self.is_closing = self.have_replied(count);
        }
        let (reach, width) = match (self.goal, nearest) {
            (Goal::NodesAfter(_), _) if self.is_closing => (k, usize::MAX),
            (Goal::NodesAfter(_), _) => (usize::MAX, alpha),
            (Goal::Root, CandidateState::Answered) => return None,
            // A node farther away than one that has replied cannot know a nearer one.
            (Goal::Root, _) => (self.first_answered(), alpha),
            (Goal::Nodes, CandidateState::Answered) => (k, alpha.max(k)),
            (Goal::Nodes, _) => (k, alpha),
        };
        (self.under_way < width).then_some(reach)
    }

    /// Whether `node` was asked and has replied or may still reply.
    pub fn has_asked(&self, node: Node) -> bool {
        let mut asked = self
            .candidates
            .iter()
            .filter(|c| c.state != CandidateState::Named);
        asked.any(|candidate| candidate.node == node)
    }

    /// `node` has replied. Returns whether it was asked and had not replied before.
    pub fn answered(&mut self, node: Node) -> bool {
        let asked = self.asked(node);
        if let Some(place) = asked {
            let candidate = &mut self.candidates[place];
            candidate.state = CandidateState::Answered;
            self.least = self.least.min(candidate.distance);
            self.under_way -= 1;
        }
        asked.is_some()
    }

    /// `node` has not replied, or is left to another path. Returns whether it was asked and had not
    /// replied.
    pub fn failed(&mut self, node: Node) -> bool {
        let asked = self.asked(node);
        if let Some(place) = asked {
            match self.goal {
                Goal::NodesAfter(_) if self.is_closing => {
                    self.candidates[place].state = CandidateState::Silent;
                }
                Goal::NodesAfter(_) => self.candidates[place].state = CandidateState::Unreachable,
                Goal::Root | Goal::Nodes => drop(self.candidates.remove(place)),
            }
            self.under_way -= 1;
        }
        asked.is_some()
    }

    fn reachable(&self) -> impl Iterator<Item = &Candidate> {
        let candidates = self.candidates.iter();
        candidates.filter(|candidate| candidate.state != CandidateState::Unreachable)
    }

    /// Whether the `count` nearest known nodes have replied, or all that are left.
    fn have_replied(&self, count: usize) -> bool {
        let mut nearest = self.reachable().take(count);
        nearest.all(|candidate| candidate.state == CandidateState::Answered)
    }

    /// Whether the lookup is complete.
    pub fn is_over(&self, k: usize) -> bool {
        match self.goal {
            Goal::Root => self.have_replied(1),
            Goal::Nodes => self.have_replied(k),
            Goal::NodesAfter(_) => {
                let mut closing = self.reachable().take(k);
                self.reachable().next().is_none()
                    || self.is_closing
                        && closing.all(|c| {
                            matches!(c.state, CandidateState::Answered | CandidateState::Silent)
                        })
            }
        }
    }

    /// Whether only the last requests are left, to the k nearest known nodes.
    pub fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// The nearest known nodes, nearest first, without those that did not reply before the last
    /// requests, each with whether it did not reply to one of these.
    pub fn known(&self) -> impl Iterator<Item = (Node, bool)> {
        let known =
            |candidate: &Candidate| (candidate.node, candidate.state == CandidateState::Silent);
        self.reachable().map(known)
    }

    /// The nodes that have replied, nearest first. At the end of a lookup of nodes the first k of
    /// them, with the initiator counted in, are the k nearest of a converged network.
    pub fn nearest(&self) -> impl Iterator<Item = Node> {
        let answered = |candidate: &&Candidate| candidate.state == CandidateState::Answered;
        self.candidates.iter().filter(answered).map(|c| c.node)
    }

    /// The root, for a complete lookup: the nearest that has replied, or the initiator if no nearer
    /// node has.
    pub fn root(&self) -> Node {
        let answered = |candidate: &&Candidate| candidate.state == CandidateState::Answered;
        let nearest = self.candidates.iter().find(answered);
        let nearer = nearest.filter(|candidate| candidate.distance <= self.least);
        nearer.map_or(self.me, |candidate| candidate.node)
    }

    fn first_answered(&self) -> usize {
        let answered = |candidate: &Candidate| candidate.state == CandidateState::Answered;
        let place = self.candidates.iter().position(answered);
        place.unwrap_or(self.candidates.len())
    }

    fn asked(&self, node: Node) -> Option<usize> {
        let asked = |candidate: &Candidate| {
            candidate.node == node && candidate.state == CandidateState::Asked
        };
        self.candidates.iter().position(asked)
    }
}
