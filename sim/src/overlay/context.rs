//! What a node may know and do while it handles an event.

use super::{Node, NodeIds, Overlay};
use crate::engine::{Duration, Instant, Stream};
use crate::space::Key;

/// A lookup that a node conducts itself; see [`Overlay::look_up`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookupHandle {
    /// The place of its trip among those under way.
    pub(crate) routed: u32,
    /// The number of the trip, since places are used again.
    pub(crate) number: u32,
}

/// The world as one node sees it while it handles one event.
///
/// What the node wants done is collected and carried out after it has returned, in order.
pub struct Context<'a, P: Overlay> {
    /// The time.
    pub now: Instant,
    /// The node itself.
    pub me: Node,
    /// What all nodes of the protocol share.
    pub shared: &'a P::Shared,
    /// The IDs of the nodes whose addresses the node was told.
    pub ids: &'a NodeIds,
    /// The node's own random stream.
    pub random: &'a mut Stream,
    /// What is to be done.
    pub effects: &'a mut Vec<Effect<P>>,
}

/// Something that a node wants done.
#[derive(Clone, Debug)]
pub enum Effect<P: Overlay> {
    /// A message to another node.
    Send {
        /// The receiver.
        to: Node,
        /// What it is told.
        message: P::Message,
    },
    /// A message that wants an answer; without one there is a time-out.
    Request {
        /// The receiver.
        to: Node,
        /// What it is asked.
        message: P::Message,
        /// What the answer is for.
        purpose: P::Timer,
    },
    /// A timer.
    SetTimer {
        /// How long from now.
        after: Duration,
        /// What for.
        timer: P::Timer,
    },
    /// A query to the root of a key.
    Route {
        /// The first node on the way, for a joiner who knows only that one.
        via: Option<Node>,
        /// The key.
        key: Key,
        /// What its root is asked.
        query: P::Query,
    },
    /// The node's neighbourhood has changed: the application above is told.
    Update,
    /// The node has its place in the network.
    Joined,
    /// The node wants to join again, through somebody else.
    Rejoin,
    /// A lookup that the node has conducted itself is over.
    Found {
        /// Which one.
        handle: LookupHandle,
        /// The root, if it was found.
        root: Option<Node>,
    },
}

impl<P: Overlay> Context<'_, P> {
    /// The node's own ID.
    pub fn id(&self) -> Key {
        self.ids.id(self.me)
    }

    /// Sends `message` to `to`; nobody notices if it is lost.
    pub fn send(&mut self, to: Node, message: P::Message) {
        self.effects.push(Effect::Send { to, message });
    }

    /// Asks `to`; the answer comes to [`Overlay::on_reply`], its absence to [`Overlay::on_timeout`].
    pub fn request(&mut self, to: Node, message: P::Message, purpose: P::Timer) {
        self.effects.push(Effect::Request {
            to,
            message,
            purpose,
        });
    }

    /// Says how a lookup ended that [`Overlay::look_up`] has taken on; once for each.
    pub fn found(&mut self, handle: LookupHandle, root: Option<Node>) {
        self.effects.push(Effect::Found { handle, root });
    }

    /// Wakes the node up after `after`.
    pub fn set_timer(&mut self, after: Duration, timer: P::Timer) {
        self.effects.push(Effect::SetTimer { after, timer });
    }

    /// Sends `query` to the root of `key`.
    pub fn route(&mut self, key: Key, query: P::Query) {
        self.effects.push(Effect::Route {
            via: None,
            key,
            query,
        });
    }

    /// Sends `query` to the root of `key` by way of `via`.
    pub fn route_via(&mut self, via: Node, key: Key, query: P::Query) {
        self.effects.push(Effect::Route {
            via: Some(via),
            key,
            query,
        });
    }

    /// Says that the node has its place: it is a member from now on.
    pub fn joined(&mut self) {
        self.effects.push(Effect::Joined);
    }

    /// Asks to join again through another member, drawn anew.
    pub fn rejoin(&mut self) {
        self.effects.push(Effect::Rejoin);
    }

    /// Says that the neighbourhood has changed.
    pub fn update(&mut self) {
        self.effects.push(Effect::Update);
    }
}
