//! What can happen in a network.
//!
//! A node that comes back under its old address is the same node to others, but what an earlier
//! life of it has begun is not its business: timers, time-outs and answers say to which life they
//! belong.

use crate::engine::Instant;
use crate::overlay::{Application, NextHop, Node, Overlay};
use crate::space::Key;

/// The place of a routed message among those under way.
pub(super) type RoutedId = u32;

/// An event. Messages that are on their way to a root stay where they are; only the number of
/// their trip is in the queue.
pub(super) enum Event<P: Overlay, A: Application> {
    /// A routed message reaches a node.
    Hop { to: Node, routed: RoutedId },
    /// A routed message comes back to its sender: the next node did not take it.
    Bounce { routed: RoutedId },
    /// The answer to a recursive lookup has `left` nodes before it.
    Answer { routed: RoutedId, left: u32 },
    /// The initiator of an iterative lookup hears what the node it asked holds for the next hop.
    NextHopReply { routed: RoutedId, next: NextHop },
    /// A direct message reaches a node.
    DirectMessage {
        from: Node,
        to: Node,
        direct: DirectMessage<P>,
    },
    /// A request of `node` has not been answered in time.
    Timeout {
        node: Node,
        session: u32,
        silent: Node,
        purpose: P::Timer,
    },
    /// A timer is due.
    Timer {
        node: Node,
        session: u32,
        timer: P::Timer,
    },
    /// A message of the application reaches a node.
    AppMessage(Box<AppMessage<A>>),
    /// A message of the application comes back: nobody has taken it.
    AppMessageReturned(Box<AppMessage<A>>),
    /// A timer of the application is due.
    AppTimer {
        node: Node,
        session: u32,
        timer: A::Timer,
    },
    /// The next planned lookup is due.
    Lookup,
    /// A node comes.
    Join { id: Key, site: u32 },
    /// The next planned coming or going is due.
    Churn,
    /// The next Sybil is due.
    SybilJoin,
    /// An interval of the timeline ends.
    Interval,
}

/// A direct message.
pub(super) enum DirectMessage<P: Overlay> {
    /// No answer is expected.
    Message(P::Message),
    /// An answer is expected.
    Request {
        message: P::Message,
        purpose: P::Timer,
        sent: Instant,
        /// The life of the sender, who alone waits for the answer.
        session: u32,
    },
    /// The answer to a request that was sent at `sent` in the life `session` of the receiver.
    Reply {
        message: P::Message,
        purpose: P::Timer,
        sent: Instant,
        session: u32,
    },
}

/// A message of the application straight to another node.
pub(super) struct AppMessage<A: Application> {
    pub from: Node,
    /// The life of the sender, to whom alone it comes back.
    pub session: u32,
    pub to: Node,
    pub message: A::Message,
    pub sent: Instant,
    /// It has waited for its turn at the receiver.
    pub handled: bool,
}
