//! What can happen in a network.
//!
//! A node that comes back under its old address is the same node to others, but what an earlier
//! life of it has begun is not its business: timers, time-outs and answers say to which life they
//! belong.

use crate::engine::Instant;
use crate::overlay::{Application, NextHop, Node, Overlay};
use crate::space::Key;

/// The place of a routed message among those under way.
pub(super) type TripId = u32;

/// An event. Messages that are on their way to a root stay where they are; only the number of
/// their trip is in the queue.
pub(super) enum Event<P: Overlay, A: Application> {
    /// A routed message reaches a node.
    Hop { to: Node, trip: TripId },
    /// A routed message comes back to its sender: the next node did not take it.
    Bounce { trip: TripId },
    /// The answer to a recursive lookup has `left` nodes before it.
    Answer { trip: TripId, left: u32 },
    /// The initiator of an iterative lookup hears what the node it asked holds for the next hop.
    Verdict { trip: TripId, next: NextHop },
    /// A direct message reaches a node.
    Parcel {
        from: Node,
        to: Node,
        parcel: Parcel<P>,
    },
    /// A request of `node` has not been answered in time.
    Timeout {
        node: Node,
        life: u32,
        silent: Node,
        purpose: P::Timer,
    },
    /// A timer is due.
    Timer {
        node: Node,
        life: u32,
        timer: P::Timer,
    },
    /// A message of the application reaches a node.
    Letter(Box<Letter<A>>),
    /// A message of the application comes back: nobody has taken it.
    Returned(Box<Letter<A>>),
    /// A timer of the application is due.
    Alarm {
        node: Node,
        life: u32,
        timer: A::Timer,
    },
    /// The next planned lookup is due.
    Lookup,
    /// A node comes.
    Join { id: Key, site: u32 },
    /// The next planned coming or going is due.
    Churn,
    /// The next Sybil is due.
    Infiltrate,
    /// An interval of the timeline ends.
    Interval,
}

/// A direct message.
pub(super) enum Parcel<P: Overlay> {
    /// No answer is expected.
    Message(P::Message),
    /// An answer is expected.
    Request {
        message: P::Message,
        purpose: P::Timer,
        sent: Instant,
        /// The life of the sender, who alone waits for the answer.
        life: u32,
    },
    /// The answer to a request that was sent at `sent` in the life `life` of the receiver.
    Reply {
        message: P::Message,
        purpose: P::Timer,
        sent: Instant,
        life: u32,
    },
}

/// A message of the application straight to another node.
pub(super) struct Letter<A: Application> {
    pub from: Node,
    /// The life of the sender, to whom alone it comes back.
    pub life: u32,
    pub to: Node,
    pub message: A::Message,
    pub sent: Instant,
    /// It has waited for its turn at the receiver.
    pub handled: bool,
}
