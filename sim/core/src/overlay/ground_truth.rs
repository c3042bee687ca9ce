//! Global knowledge of a protocol: the converged network and the true root of a key. Only the
//! oracle of the network uses it, no protocol does.

use super::{MemberIndex, Node, NodeIds, Overlay};
use crate::engine::{Duration, Stream};
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

    /// Whether the protocol chooses long peers by their latency.
    fn chooses_near(_shared: &Self::Shared) -> bool {
        false
    }

    /// Replaces long peers of the converged states by the near ones that the protocol finds in a
    /// long time. `latency` is the one-way latency from one node to another.
    fn choose_near(
        _nodes: &mut [Self],
        _shared: &Self::Shared,
        _ids: &NodeIds,
        _member_index: &MemberIndex,
        _latency: &mut dyn FnMut(Node, Node) -> Duration,
    ) {
    }

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
