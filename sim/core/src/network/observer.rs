//! Signals of a network, and those that listen to them.
//!
//! What a run counts ([`Tally`]), records or judges is an [`Observer`]. The network
//! does not know what its observers do, and no observer can change the run.

use super::Network;
use super::event::RoutedId;
use super::state::NetworkState;
use super::tally::Tally;
use crate::engine::{Duration, Instant};
use crate::overlay::{Application, GroundTruth, Node};
use crate::space::Key;
use crate::transport::Obstacle;
use std::cell::RefCell;
use std::rc::Rc;

/// Listens to a network: a metric, a recording or a check of one's own.
///
/// # A metric of your own
///
/// The largest number of lookups that any node forwards:
///
/// ```
/// use dhtlab_core::network::{NetworkState, Observer, Signal};
/// use dhtlab_core::overlay::{Application, GroundTruth};
/// use std::collections::BTreeMap;
///
/// /// Forwarded lookups by node number.
/// #[derive(Default)]
/// struct Load(BTreeMap<u32, u64>);
///
/// impl<P: GroundTruth, A: Application> Observer<P, A> for Load {
///     fn on(&mut self, signal: &Signal, _: &NetworkState<P, A>) {
///         if let Signal::MessageSent(sent) = signal
///             && sent.is_of_lookup
///             && !sent.is_answer
///         {
///             *self.0.entry(sent.from.0).or_default() += 1;
///         }
///     }
/// }
/// ```
///
/// [`Network::observe`] attaches it before the run and returns a handle, with which it is read
/// after the run.
pub trait Observer<P: GroundTruth, A: Application> {
    /// Handles `signal`. `state` is the network right after what is signalled, and its
    /// [`now`](NetworkState::now) the time.
    fn on(&mut self, signal: &Signal, state: &NetworkState<P, A>);
}

/// Identifies a routed message while it is in flight; later messages may get the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteId(pub(super) RoutedId);

impl RouteId {
    /// The number, small enough for an index: at most the largest number of messages that were in
    /// flight at once.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What has happened in a network.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Signal {
    /// The next event is taken from the queue.
    Event,
    /// Measuring begins.
    MeasuringBegins,
    /// An interval of the timeline ends, or the run ends within it.
    IntervalEnds,
    /// A node starts, or starts again under its ID; it is not a member yet.
    Started(Node),
    /// The join of a node was not answered, or the node has lost its position: it joins again.
    Rejoins(Node),
    /// A node has joined: it is a member from now on.
    Joined(Node),
    /// A node has stopped.
    Stopped {
        /// The node.
        node: Node,
        /// Whether it has notified others.
        gracefully: bool,
        /// Whether it was a member.
        was_member: bool,
    },
    /// The number of members has changed.
    MembersChanged,
    /// The overlay of a node has run: its state may have changed.
    OverlayRan(Node),
    /// The application on a node has run: its state and the metrics may have changed.
    ApplicationRan(Node),
    /// A message leaves a node.
    MessageSent(SentMessage),
    /// A message does not arrive.
    MessageLost {
        /// The sender.
        from: Node,
        /// The intended receiver.
        to: Node,
        /// Why.
        obstacle: Obstacle,
    },
    /// A message arrives twice.
    MessageDuplicated {
        /// The sender.
        from: Node,
        /// The receiver.
        to: Node,
    },
    /// A node sends a message again that was not answered.
    SentAgain {
        /// The sender.
        from: Node,
        /// The receiver.
        to: Node,
    },
    /// A request was not answered.
    RequestTimedOut {
        /// The node that has waited.
        from: Node,
        /// The node that was silent.
        to: Node,
    },
    /// The initiator of a lookup that has ended at the root has its answer. Only with a transport.
    Answered {
        /// When the lookup was issued.
        issued: Instant,
    },
    /// A direct message of the application returns to its sender: the receiver did not accept it.
    MessageReturned {
        /// The sender.
        from: Node,
        /// The receiver.
        to: Node,
        /// [`Application::kind`] of the message.
        kind: &'static str,
    },
    /// Routing of a message to the root of a key begins.
    RouteBegins {
        /// The message.
        route: RouteId,
        /// Its origin.
        from: Node,
        /// Its key.
        key: Key,
        /// What it carries.
        payload: PayloadKind,
    },
    /// A lookup is due, and there is no member to issue it: it has failed.
    LookupWithoutMember(Key),
    /// A node has waited for another one until the time-out.
    RouteTimedOut {
        /// The message.
        route: RouteId,
        /// The node that has waited.
        from: Node,
        /// The node that was silent.
        to: Node,
    },
    /// A Sybil does not forward a message correctly.
    Misbehaved {
        /// The message.
        route: RouteId,
        /// The Sybil.
        node: Node,
        /// What it does.
        misbehaviour: Misbehaviour,
    },
    /// Routing of a message ends.
    RouteEnded {
        /// The message.
        route: RouteId,
        /// The node where it ends, if it is not lost.
        at: Option<Node>,
        /// How it ends.
        end: RouteEnd,
    },
}

/// A message that leaves a node.
#[derive(Clone, Copy, Debug)]
pub struct SentMessage {
    /// The sender.
    pub from: Node,
    /// The receiver.
    pub to: Node,
    /// Its size, as [`HEADER_BYTES`](crate::overlay::HEADER_BYTES) counts.
    pub bytes: u32,
    /// Its latency; `None` if its arrival has no effect.
    pub latency: Option<Duration>,
    /// The routed message of which it is a step or an answer.
    pub route: Option<RouteId>,
    /// Whether it is an answer.
    pub is_answer: bool,
    /// Whether it belongs to a lookup of the workload.
    pub is_of_lookup: bool,
    /// [`Application::kind`] of a direct message of the application; empty for others.
    pub kind: &'static str,
}

/// The content of a routed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadKind {
    /// A lookup of the workload.
    Lookup,
    /// A query of the overlay.
    Query,
    /// A message of the application, with its [`Application::kind`].
    Message(&'static str),
}

/// What a Sybil does to a routed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Drops it.
    Drop,
    /// Claims to be the root, or names other Sybils.
    Misroute,
}

/// How routing ends.
#[derive(Clone, Copy, Debug)]
pub enum RouteEnd {
    /// The query of the overlay or the message of the application is delivered.
    Delivered,
    /// The application of a node on the path keeps the message.
    Absorbed,
    /// The message of the overlay or of the application is lost.
    Lost,
    /// It was a lookup.
    Lookup(LookupEnd),
}

/// The end of a lookup.
#[derive(Clone, Copy, Debug)]
pub struct LookupEnd {
    /// When it was issued.
    pub issued: Instant,
    /// Time-outs on its path.
    pub timeouts: u32,
    /// The true root at its end, if there is one and the lookup has ended at a node.
    pub root: Option<Node>,
    /// Its result.
    pub result: LookupResult,
    /// Whether a Sybil has handled it.
    pub intercepted: bool,
    /// Whether it ended at a Sybil.
    pub captured: bool,
}

/// The result of a lookup.
#[derive(Clone, Copy, Debug)]
pub enum LookupResult {
    /// It ended at the true root.
    Correct {
        /// Hops between nodes.
        hops: u32,
        /// Links of the underlay on its path.
        underlay_hops: u32,
        /// Time from its issue to its end.
        latency: Duration,
        /// Latency of the direct path to the root, and back where the latency includes that.
        direct: Duration,
    },
    /// It ended at another node.
    Wrong,
    /// It did not end at a node.
    Failed {
        /// Whether its initiator had stopped.
        abandoned: bool,
    },
}

/// The observers of a network.
pub(super) struct Observers<P: GroundTruth, A: Application> {
    pub tally: Tally,
    attached: Vec<Rc<RefCell<dyn Observer<P, A>>>>,
}

// Not derived: a derive would require `P: Default` and `A: Default`.
impl<P: GroundTruth, A: Application> Default for Observers<P, A> {
    fn default() -> Self {
        Self {
            tally: Tally::default(),
            attached: Vec::new(),
        }
    }
}

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Attaches `observer` from now on. Returns a handle to it.
    pub fn observe<O: Observer<P, A> + 'static>(&mut self, observer: O) -> Rc<RefCell<O>> {
        let observer = Rc::new(RefCell::new(observer));
        self.observers
            .attached
            .push(Rc::<RefCell<O>>::clone(&observer));
        observer
    }

    /// Signals what has happened.
    #[inline(always)]
    pub(super) fn signal(&mut self, signal: Signal) {
        self.observers.tally.on(&signal, &self.state);
        if !self.observers.attached.is_empty() {
            // A copy: a signal whose address nobody gets is never written to memory.
            let copy = signal;
            self.notify(copy);
        }
    }

    #[cold]
    #[inline(never)]
    fn notify(&self, signal: Signal) {
        for observer in &self.observers.attached {
            observer.borrow_mut().on(&signal, &self.state);
        }
    }
}
