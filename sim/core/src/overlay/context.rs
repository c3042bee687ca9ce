//! The interface of a node while it handles an event.

use super::{Node, NodeIds, Overlay};
use crate::engine::{Duration, Instant, Stream};
use crate::space::Key;

/// Identifies an iterative lookup of a node; see [`LookupAlgorithm`](super::LookupAlgorithm).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookupHandle {
    /// The index of its routed message among those in flight.
    pub(crate) routed: u32,
    /// The number of the routed message, since indices are reused.
    pub(crate) number: u32,
}

/// The environment of one node while it handles one event.
///
/// The effects of the node are collected and carried out in order after it has returned.
pub struct Context<'a, P: Overlay> {
    /// The present time.
    pub now: Instant,
    /// The node itself.
    pub me: Node,
    /// The state shared by all nodes of the protocol.
    pub shared: &'a P::Shared,
    /// The IDs of nodes; a node reads only those whose addresses it has received.
    pub ids: &'a NodeIds,
    /// The node's own random stream.
    pub random: &'a mut Stream,
    /// The effects so far.
    pub effects: &'a mut Vec<Effect<P>>,
}

/// An effect that a node requests.
#[derive(Clone, Debug)]
pub enum Effect<P: Overlay> {
    /// Sends a message to another node.
    Send {
        /// The receiver.
        to: Node,
        /// The message.
        message: P::Message,
    },
    /// Sends a request; a missing reply causes a time-out.
    Request {
        /// The receiver.
        to: Node,
        /// The request.
        message: P::Message,
        /// The purpose, returned with the reply.
        purpose: P::Purpose,
    },
    /// Sets a timer.
    SetTimer {
        /// The delay from now.
        after: Duration,
        /// The timer, returned when it fires.
        timer: P::Timer,
    },
    /// Routes a query to the root of a key.
    Route {
        /// The first hop, for a joiner that knows only that node.
        via: Option<Node>,
        /// The key.
        key: Key,
        /// The query.
        query: P::Query,
    },
    /// The node's neighbourhood has changed: the application is notified.
    Update,
    /// The node has found its place in the network.
    Joined,
    /// The node joins again through another member.
    Rejoin,
    /// An iterative lookup of the node has ended.
    Found {
        /// The lookup.
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

    /// Sends `message` to `to`; a loss is not reported.
    pub fn send(&mut self, to: Node, message: P::Message) {
        self.effects.push(Effect::Send { to, message });
    }

    /// Sends a request to `to`; [`Overlay::on_reply`] gets the reply, [`Overlay::on_timeout`] is
    /// called if there is none.
    pub fn request(&mut self, to: Node, message: P::Message, purpose: P::Purpose) {
        self.effects.push(Effect::Request {
            to,
            message,
            purpose,
        });
    }

    /// Reports the end of a lookup that the protocol conducts itself; once for each.
    pub fn found(&mut self, handle: LookupHandle, root: Option<Node>) {
        self.effects.push(Effect::Found { handle, root });
    }

    /// Calls [`Overlay::on_timer`] with `timer` after `after`.
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

    /// Sends `query` to the root of `key`, with `via` as the first hop.
    pub fn route_via(&mut self, via: Node, key: Key, query: P::Query) {
        self.effects.push(Effect::Route {
            via: Some(via),
            key,
            query,
        });
    }

    /// Reports that the node has found its place: it becomes a member.
    pub fn joined(&mut self) {
        self.effects.push(Effect::Joined);
    }

    /// Requests another join through a newly drawn member.
    pub fn rejoin(&mut self) {
        self.effects.push(Effect::Rejoin);
    }

    /// Reports that the neighbourhood has changed.
    pub fn update(&mut self) {
        self.effects.push(Effect::Update);
    }
}
