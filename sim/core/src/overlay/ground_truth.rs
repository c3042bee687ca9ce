//! Global knowledge of a protocol: the converged network and the true root of a key. Only the
//! oracle of the network uses it, no protocol does.

use super::{Node, NodeIds, Overlay};
use crate::engine::Stream;
use crate::space::Key;

/// A protocol whose converged state and true roots can be computed from all members at once.
pub trait GroundTruth: Overlay {
    /// An index of the members' states for finding a root fast; `()` where [`MemberIndex`] is
    /// enough.
    type Index: RootIndex<Self>;

    /// A node without peers.
    fn new(shared: &Self::Shared, id: &Key) -> Self;

    /// A node that knows only `contacts`: the random start of a gossip protocol. `None` if the
    /// protocol does not support such a start.
    fn with_contacts(
        _shared: &Self::Shared,
        _ids: &NodeIds,
        _me: Node,
        _contacts: &[Node],
        _random: &mut Stream,
    ) -> Option<Self> {
        None
    }

    /// The states that `members` have in a converged network, in the order of `members`.
    fn converged(
        shared: &Self::Shared,
        ids: &NodeIds,
        members: &[Node],
        random: &mut [Stream],
    ) -> Vec<Self>;

    /// The true root of `key` among the present members, given the states of all nodes and the
    /// index of the members; `None` if there is no member.
    fn root(
        shared: &Self::Shared,
        member_index: &MemberIndex,
        nodes: &[Self],
        index: &Self::Index,
        key: &Key,
    ) -> Option<Node>;

    /// Whether the structure that the protocol depends on is intact among the present members;
    /// `None` if the protocol has no such structure.
    fn is_intact(_shared: &Self::Shared, _members: &MemberIndex, _nodes: &[Self]) -> Option<bool> {
        None
    }
}

/// The oracle's index of the members; the network reports every change to it.
pub trait RootIndex<P>: Default
where
    P: Overlay,
{
    /// `node` has become a member, in the state `state`.
    fn enter(&mut self, _shared: &P::Shared, _node: Node, _state: &P) {}

    /// `node`, a member or not, has handled an event, and its state is now `state`.
    fn on_state_changed(&mut self, _shared: &P::Shared, _node: Node, _state: &P) {}

    /// `node` is no longer a member.
    fn depart(&mut self, _node: Node) {}
}

impl<P: Overlay> RootIndex<P> for () {}

/// The present members in the order of their IDs: the same for every protocol, so that compared
/// runs draw the same members.
#[derive(Clone, Debug, Default)]
pub struct MemberIndex {
    ids: Vec<Key>,
    nodes: Vec<Node>,
}

impl MemberIndex {
    /// The members `members` in the order of their IDs.
    pub fn new(ids: &NodeIds, members: &[Node]) -> Self {
        let mut nodes = members.to_vec();
        nodes.sort_unstable_by_key(|node| (ids.id(*node), *node));
        Self {
            ids: nodes.iter().map(|node| ids.id(*node)).collect(),
            nodes,
        }
    }

    /// The index of the first member at or after `key`, once around the ring. Needs a member.
    ///
    /// For uniform IDs the search starts at the expected index and takes a few steps; its steps
    /// double for others.
    pub fn successor(&self, key: &Key) -> usize {
        let n = self.ids.len();
        let guess = ((u128::from(key.prefix()) * n as u128) >> 64) as usize;
        let (mut low, mut high, mut step) = (guess, guess, 1);
        while low > 0 && self.ids[low - 1] >= *key {
            low = low.saturating_sub(step);
            step *= 2;
        }
        step = 1;
        while high < n && self.ids[high] < *key {
            high = (high + step).min(n);
            step *= 2;
        }
        let place = low + self.ids[low..high].partition_point(|id| id < key);
        if place == n { 0 } else { place }
    }

    /// The members in the order of the ring.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Their IDs in the order of the ring.
    pub fn ids(&self) -> &[Key] {
        &self.ids
    }

    /// Whether the member `a` comes before the member `b` on the ring. Linear in the members.
    pub fn is_before(&self, a: Node, b: Node) -> bool {
        let first = self.nodes.iter().find(|node| [a, b].contains(*node));
        first == Some(&a)
    }

    /// The index of `node` with `id`, or where it would be inserted.
    pub fn place(&self, id: &Key, node: Node) -> Result<usize, usize> {
        let mut place = self.ids.partition_point(|other| other < id);
        while self.ids.get(place) == Some(id) && self.nodes[place] < node {
            place += 1;
        }
        if self.nodes.get(place) == Some(&node) {
            Ok(place)
        } else {
            Err(place)
        }
    }

    /// Adds `node`.
    pub fn insert(&mut self, id: Key, node: Node) {
        if let Err(place) = self.place(&id, node) {
            self.ids.insert(place, id);
            self.nodes.insert(place, node);
        }
    }

    /// Removes `node`.
    pub fn remove(&mut self, id: &Key, node: Node) {
        if let Ok(place) = self.place(id, node) {
            self.ids.remove(place);
            self.nodes.remove(place);
        }
    }
}
