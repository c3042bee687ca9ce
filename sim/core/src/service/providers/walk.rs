//! A walk: an iterative lookup of the nodes nearest to a key, with the node that named each node.

use crate::overlay::kademlia::{Goal, GroupLimit, Lookup};
use crate::overlay::{LocalRouting, Node};
use crate::space::Key;
use rustc_hash::FxHashMap;

/// The steps by which the initiator came to know a node. Its own contacts are one step away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Referral {
    /// Steps of the chain in which each node is named by the first node that named it.
    first: u16,
    /// Steps of the shortest chain.
    least: u16,
}

/// Three lengths of a walk, which publications call hops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalkHops {
    /// Depth of the tree of referrals: the most steps to a node that was asked, each node named by the
    /// one that named it first.
    pub tree: u16,
    /// Steps until all of the nearest nodes are known, each by its shortest chain.
    pub all: u16,
    /// Steps until one of them is known.
    pub one: u16,
}

/// A walk in progress or complete.
#[derive(Clone, Debug)]
pub struct Walk {
    lookup: Lookup,
    referrals: FxHashMap<Node, Referral>,
    /// Nodes that were asked.
    pub asked: u32,
    /// Of these, those that did not reply.
    pub silent: u32,
    tree: u16,
}

/// The rules of a walk.
#[derive(Clone, Copy, Debug)]
pub struct WalkRules {
    /// Nodes that it looks for.
    pub k: usize,
    /// Concurrent requests.
    pub alpha: usize,
    /// See `overlay.kademlia.beta`.
    pub beta: usize,
    /// See `overlay.kademlia.group-per-lookup`.
    pub limit: Option<GroupLimit>,
}

impl Walk {
    /// A walk of `me` to `key` that begins at `contacts`; `id` is the ID of each node.
    pub fn new(
        rules: WalkRules,
        id: impl Fn(Node) -> Key,
        me: Node,
        key: Key,
        contacts: &[Node],
    ) -> Self {
        let goal = match rules.beta {
            0 => Goal::Nodes,
            beta => Goal::NodesAfter(beta),
        };
        let mut walk = Self {
            lookup: Lookup::new((me, id(me)), key, goal, 4 * rules.k),
            referrals: FxHashMap::default(),
            asked: 0,
            silent: 0,
            tree: 0,
        };
        walk.note_referrals(contacts, Referral { first: 0, least: 0 });
        walk.lookup.add_candidates(id, contacts.iter().copied());
        walk
    }

    /// The key.
    pub fn key(&self) -> &Key {
        self.lookup.key()
    }

    /// Notes the steps to `nodes`, which a node so many steps away has named.
    fn note_referrals(&mut self, nodes: &[Node], Referral { first, least }: Referral) {
        for node in nodes {
            let (first, least) = (first + 1, least + 1);
            self.referrals
                .entry(*node)
                .and_modify(|known| known.least = known.least.min(least))
                .or_insert(Referral { first, least });
        }
    }

    /// The next node to ask, if any; to be called until it returns `None`.
    pub fn ask(&mut self, rules: WalkRules) -> Option<Node> {
        let node = self.lookup.ask(rules.k, rules.alpha)?;
        self.asked += 1;
        let steps = self.referrals.get(&node).map_or(0, |known| known.first);
        self.tree = self.tree.max(steps);
        Some(node)
    }

    /// `node` has named `nodes`, whose IDs and groups `routing` knows. Returns whether the walk has
    /// waited for it.
    pub fn answered(
        &mut self,
        rules: WalkRules,
        routing: &dyn LocalRouting,
        node: Node,
        nodes: &[Node],
    ) -> bool {
        let is_awaited = self.lookup.answered(node);
        if is_awaited
            && !self.lookup.is_closing()
            && let Some(referral) = self.referrals.get(&node).copied()
        {
            self.note_referrals(nodes, referral);
            let (id, named) = (|node| routing.id(node), nodes.iter().copied());
            match rules.limit {
                None => self.lookup.add_candidates(id, named),
                Some(limit) => {
                    let group = |node, bits| routing.group(node, bits);
                    self.lookup.add_within(limit, group, id, named);
                }
            }
        }
        is_awaited
    }

    /// `node` has not replied. Returns whether the walk has waited for it.
    pub fn failed(&mut self, node: Node) -> bool {
        let is_awaited = self.lookup.failed(node);
        self.silent += u32::from(is_awaited);
        is_awaited
    }

    /// Whether the walk is complete.
    pub fn is_over(&self, rules: WalkRules) -> bool {
        self.lookup.is_over(rules.k)
    }

    /// Whether all but the last requests have been made.
    pub fn is_closing(&self) -> bool {
        self.lookup.is_closing()
    }

    /// The nearest known nodes, nearest first, each with whether it was silent at the last requests.
    pub fn nearest(&self) -> impl Iterator<Item = (Node, bool)> {
        self.lookup.known()
    }

    /// Steps of the shortest chain to `node`.
    pub fn steps_to(&self, node: Node) -> u16 {
        self.referrals.get(&node).map_or(0, |known| known.least)
    }

    /// The lengths of the walk to the `k` nearest nodes.
    pub fn hops(&self, k: usize) -> WalkHops {
        let steps = || self.nearest().take(k).map(|(node, _)| self.steps_to(node));
        WalkHops {
            tree: self.tree,
            all: steps().max().unwrap_or(0),
            one: steps().min().unwrap_or(0),
        }
    }
}
