//! The events of a simulated network.
//!
//! A node that restarts under its old address is the same node to others. Timers, time-outs and
//! answers of an earlier session are not valid for it, so they carry their session.

use crate::engine::{Duration, Instant};
use crate::overlay::{Application, NextHop, Node, Overlay};
use crate::space::Key;

/// The index of a routed message in flight.
pub(super) type RoutedId = u32;

/// An event. The queue holds only the index of a routed message, not the message.
pub(super) enum Event<P: Overlay, A: Application> {
    /// A routed message reaches a node.
    Hop { to: Node, routed: RoutedId },
    /// A routed message returns to its sender: the next node did not accept it.
    Bounce { routed: RoutedId },
    /// The answer to a recursive lookup, with `left` nodes still to pass.
    Answer { routed: RoutedId, left: u32 },
    /// The initiator of an iterative lookup receives the next hop from the node that it asked.
    NextHopReply { routed: RoutedId, next: NextHop },
    /// A direct message reaches a node.
    DirectMessage {
        from: Node,
        to: Node,
        direct: DirectMessage<P>,
    },
    /// A request of `node` times out.
    Timeout {
        node: Node,
        session: u32,
        silent: Node,
        purpose: P::Purpose,
    },
    /// A request that was not answered is sent again.
    RequestAgain(Box<(Unanswered<P>, P::Message)>),
    /// A timer is due.
    Timer {
        node: Node,
        session: u32,
        timer: P::Timer,
    },
    /// A direct message of the application reaches a node.
    AppMessage(Box<AppMessage<A>>),
    /// A direct message of the application returns: the node did not accept it.
    AppMessageReturned(Box<AppMessage<A>>),
    /// A timer of the application is due.
    AppTimer {
        node: Node,
        session: u32,
        timer: A::Timer,
    },
    /// The next planned lookup is due.
    Lookup,
    /// A node joins.
    Join { id: Key, site: u32 },
    /// The next planned join or departure is due.
    Churn,
    /// A member meets another one.
    Meeting,
    /// The next Sybil is due to join.
    SybilJoin,
    /// An interval of the timeline ends.
    Interval,
}

/// A direct message of the protocol.
pub(super) enum DirectMessage<P: Overlay> {
    /// No answer is expected.
    Message(P::Message),
    /// An answer is expected.
    Request {
        message: P::Message,
        purpose: P::Purpose,
        sent: Instant,
        wait: Wait,
    },
    /// The answer to a request that the receiver has sent at `sent`.
    Reply {
        message: P::Message,
        purpose: P::Purpose,
        sent: Instant,
        wait: Wait,
    },
}

/// How the sender of a request waits for the answer. 8 bytes: every event has place for them.
#[derive(Clone, Copy)]
pub(super) struct Wait {
    /// How long, in microseconds; 0 for the time-out of the network.
    pub patience: u32,
    /// From the lowest bit on: 24 of the session of the sender, 7 of the number of attempts made
    /// before, and one of a duplicate.
    bits: u32,
}

const SESSION_BITS: u32 = 24;
const DUPLICATE: u32 = 1 << 31;

impl Wait {
    pub fn new(session: u32, number: u32, patience: u32) -> Self {
        let session = session & ((1 << SESSION_BITS) - 1);
        Self {
            patience,
            bits: session | number << SESSION_BITS,
        }
    }

    /// The session of the sender.
    pub fn session(self) -> u32 {
        self.bits & ((1 << SESSION_BITS) - 1)
    }

    /// How many attempts were made before.
    pub fn number(self) -> u32 {
        (self.bits & !DUPLICATE) >> SESSION_BITS
    }

    /// It is a duplicate, whose answer is not expected.
    pub fn is_duplicate(self) -> bool {
        self.bits & DUPLICATE != 0
    }

    /// The same for a duplicate of the request.
    pub fn of_duplicate(self) -> Self {
        Self {
            bits: self.bits | DUPLICATE,
            ..self
        }
    }
}

/// A request without an answer.
pub(super) struct Unanswered<P: Overlay> {
    pub from: Node,
    pub to: Node,
    pub purpose: P::Purpose,
    pub wait: Wait,
}

/// A direct message of the application.
pub(super) struct AppMessage<A: Application> {
    pub from: Node,
    /// The session of the sender; in another session it is not returned.
    pub session: u32,
    pub to: Node,
    pub message: A::Message,
    pub sent: Instant,
    /// How long the sender waits to learn that it has arrived.
    pub patience: Duration,
    /// How often it was sent before.
    pub attempts: u8,
    /// It has waited in the service queue of the receiver.
    pub handled: bool,
    /// The receiver has it, and the sender does not know.
    pub has_arrived: bool,
    /// It is a duplicate: its sender does not wait for it.
    pub is_duplicate: bool,
}
