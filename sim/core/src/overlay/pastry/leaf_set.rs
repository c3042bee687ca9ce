//! The leaf set: the nodes next to a node on either side.

use crate::overlay::{NextHop, Node, NodeIds};
use crate::space::Key;

/// The sides of a node that another node may lengthen.
///
/// Where a side is short of leaves, only a node that is known to follow its last leaf may lengthen
/// it: any other node would make the leaf set span an arc of which it does not know all nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// The clockwise side.
    pub after: bool,
    /// The counterclockwise side.
    pub before: bool,
}

impl Sides {
    /// None: the node enters only where it is nearer than the last leaf.
    pub const NONE: Self = Self {
        after: false,
        before: false,
    };
    /// Both.
    pub const BOTH: Self = Self {
        after: true,
        before: true,
    };
}

/// The leaf set of one node: up to |L|/2 nodes on each side, nearest first.
///
/// In a ring of at most |L| nodes both sides together go once around, and a node may be on both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeafSet {
    after: Vec<Node>,
    before: Vec<Node>,
}

impl LeafSet {
    /// The leaf set with these sides, nearest first.
    pub(super) fn of_sorted(after: Vec<Node>, before: Vec<Node>) -> Self {
        Self { after, before }
    }

    /// The leaves clockwise of the node, nearest first.
    pub fn after(&self) -> &[Node] {
        &self.after
    }

    /// The leaves counterclockwise of the node, nearest first.
    pub fn before(&self) -> &[Node] {
        &self.before
    }

    /// Whether there is no leaf.
    pub fn is_empty(&self) -> bool {
        self.after.is_empty() && self.before.is_empty()
    }

    /// Whether `node` is a leaf. O(|L|).
    pub fn contains(&self, node: Node) -> bool {
        self.after.contains(&node) || self.before.contains(&node)
    }

    /// The leaves, each once. O(|L|^2).
    pub fn distinct(&self) -> impl Iterator<Item = Node> + '_ {
        let rest = self.before.iter().filter(|node| !self.after.contains(node));
        self.after.iter().chain(rest).copied()
    }

    /// Whether the sides meet, so that the leaf set has all nodes of the ring: a node is on both
    /// sides, or there is no leaf. O(|L|^2).
    pub fn is_closed(&self) -> bool {
        self.is_empty() || self.after.iter().any(|node| self.before.contains(node))
    }

    /// The sides with fewer than `half` leaves; none if the leaf set has all nodes of the ring.
    pub fn short_sides(&self, half: usize) -> Sides {
        let open = !self.is_closed();
        Sides {
            after: open && self.after.len() < half,
            before: open && self.before.len() < half,
        }
    }

    /// Where a message for `key` goes from the node with `my_id` by the leaf set: to the
    /// numerically nearest node, of two equally near ones to the one clockwise of the key. `None`
    /// if the key is beyond the leaf set. O(log |L|).
    pub fn next_hop(&self, ids: &NodeIds, my_id: Key, key: &Key) -> Option<NextHop> {
        let (ahead, behind) = (key.wrapping_sub(my_id), my_id.wrapping_sub(*key));
        if ahead == Key::default() {
            return Some(NextHop::Root);
        }
        let nearer = |at: usize, list: &[Node]| match at.checked_sub(1) {
            Some(nearer) => (ids.id(list[nearer]), NextHop::Next(list[nearer])),
            None => (my_id, NextHop::Root),
        };
        let reach = |node: &Node| ids.id(*node).wrapping_sub(my_id);
        if self.after.last().is_some_and(|last| ahead <= reach(last)) {
            let at = self.after.partition_point(|node| reach(node) < ahead);
            let ((short, hop), beyond) = (nearer(at, &self.after), self.after[at]);
            let further = key.wrapping_sub(short) < ids.id(beyond).wrapping_sub(*key);
            return Some(if further { hop } else { NextHop::Next(beyond) });
        }
        let reach = |node: &Node| my_id.wrapping_sub(ids.id(*node));
        if self.before.last().is_some_and(|last| behind <= reach(last)) {
            let at = self.before.partition_point(|node| reach(node) < behind);
            let ((short, hop), beyond) = (nearer(at, &self.before), self.before[at]);
            let further = short.wrapping_sub(*key) <= key.wrapping_sub(ids.id(beyond));
            return Some(if further { hop } else { NextHop::Next(beyond) });
        }
        None
    }

    /// Enters `node` on each side where it is among the `half` nearest; it lengthens only the
    /// sides `lengthens`. True if that changed a side. O(|L|).
    pub fn insert(
        &mut self,
        ids: &NodeIds,
        my_id: Key,
        half: usize,
        node: Node,
        lengthens: Sides,
    ) -> bool {
        let id = ids.id(node);
        if id == my_id {
            return false;
        }
        let after = |other: &Node| ids.id(*other).wrapping_sub(my_id);
        let before = |other: &Node| my_id.wrapping_sub(ids.id(*other));
        let after = enter(&mut self.after, half, node, lengthens.after, after);
        let before = enter(&mut self.before, half, node, lengthens.before, before);
        after | before
    }

    /// Removes `node`; true if it was a leaf. O(|L|).
    pub fn remove(&mut self, node: Node) -> bool {
        let count = self.after.len() + self.before.len();
        self.after.retain(|leaf| *leaf != node);
        self.before.retain(|leaf| *leaf != node);
        self.after.len() + self.before.len() < count
    }

    /// Enters the leaves of `other`, a leaf set of a node next to this one, except `skipped` ones;
    /// true if that changed a side. Each lengthens the side that it is on, and both where `other`
    /// has all nodes of the ring. O(|L|^2).
    pub fn merge(
        &mut self,
        ids: &NodeIds,
        my_id: Key,
        half: usize,
        other: &Self,
        skipped: impl Fn(Node) -> bool,
    ) -> bool {
        let closed = other.is_closed();
        let mut changed = false;
        for (list, after) in [(&other.after, true), (&other.before, false)] {
            let lengthens = Sides {
                after: closed || after,
                before: closed || !after,
            };
            for node in list.iter().filter(|node| !skipped(**node)) {
                changed |= self.insert(ids, my_id, half, *node, lengthens);
            }
        }
        changed
    }
}

/// Enters `node` in `list`, which has up to `half` nodes in the order of their distance.
fn enter(
    list: &mut Vec<Node>,
    half: usize,
    node: Node,
    lengthens: bool,
    distance: impl Fn(&Node) -> Key,
) -> bool {
    let far = distance(&node);
    let place = list.partition_point(|other| distance(other) < far);
    let beyond = place == list.len();
    if list.contains(&node) || (beyond && (!lengthens || place >= half)) {
        return false;
    }
    list.truncate(half - 1);
    list.insert(place, node);
    true
}
