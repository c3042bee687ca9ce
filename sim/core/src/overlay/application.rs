//! The common API: the interface between an overlay and the application on it.

use super::{NextHop, Node};
use crate::engine::{Duration, Instant, Stream};
use crate::space::Key;

/// What the application does with a message that passes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// The message goes on to the next hop.
    Pass,
    /// The application keeps the message: its route ends here.
    Absorb,
}

/// The role of a node for an item that it stores for the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// It stores a replica of an item that another node owns.
    Replica,
    /// It owns the item, and there is work to be done.
    Pending,
    /// It works on the item.
    Running,
    /// It owns the item, and its work is done.
    Done,
}

/// An application on each node above the overlay, independent of the protocol.
///
/// The upcalls `deliver`, `forward` and `update` are those of Dabek et al. (IPTPS 2003). In
/// addition there are direct messages to another node, which are returned if they are not received,
/// and timers.
pub trait Application: Sized {
    /// The immutable state shared by all nodes.
    type Shared: Sync;
    /// The messages between nodes.
    type Message: Clone + std::fmt::Debug;
    /// The timers of a node.
    type Timer: Copy + std::fmt::Debug;
    /// Measurements over all nodes for the caller of the network; nodes do not read them.
    type Metrics: Default;
    /// The name of the items that nodes store for the network, if there are any.
    const ITEM: &'static str = "";

    /// The application on a node at `site`, with a random stream of its own.
    fn new(shared: &Self::Shared, site: u32, random: Stream) -> Self;

    /// The node is an additional identity on the host of `first`, which created it. Called before
    /// `start`.
    fn on_colocated(&mut self, _first: Node) {}

    /// The node has found its place in the network, as a new node or as one that returns with its
    /// stored state.
    fn start(&mut self, _context: &mut AppContext<'_, Self>) {}

    /// `message` for `key` has reached this node, its root.
    fn deliver(
        &mut self,
        context: &mut AppContext<'_, Self>,
        origin: Node,
        key: Key,
        message: Self::Message,
    );

    /// `message` for `key` is about to go on to `next`; called at its origin and at each hop. The
    /// application may change or keep it.
    fn forward(
        &mut self,
        _context: &mut AppContext<'_, Self>,
        _key: Key,
        _message: &mut Self::Message,
        _next: Node,
    ) -> Forward {
        Forward::Pass
    }

    /// A direct `message` from `from` has arrived.
    fn receive(
        &mut self,
        _context: &mut AppContext<'_, Self>,
        _from: Node,
        _message: Self::Message,
    ) {
    }

    /// The direct `message` to `to` timed out; the overlay has been notified already.
    fn undelivered(
        &mut self,
        _context: &mut AppContext<'_, Self>,
        _to: Node,
        _message: Self::Message,
    ) {
    }

    /// A timer that the node has set is due.
    fn on_timer(&mut self, _context: &mut AppContext<'_, Self>, _timer: Self::Timer) {}

    /// The neighbourhood of this node has changed.
    fn update(&mut self, _context: &mut AppContext<'_, Self>) {}

    /// The node pauses at `now` and will return with its present state; its timers and outstanding
    /// requests are lost.
    fn on_pause(&mut self, _now: Instant, _metrics: &mut Self::Metrics) {}

    /// The node has left permanently at `now`, and its state is lost.
    fn on_stop(&mut self, _now: Instant, _metrics: &mut Self::Metrics) {}

    /// `message` is lost, and neither sender nor receiver is notified.
    fn on_lost(_message: &Self::Message, _metrics: &mut Self::Metrics) {}

    /// There is one more copy of `message` under way: the network has made it, or the sender does not
    /// know that the first one has arrived. Each copy that does not end as `message` does, by
    /// delivery, by return or in [`on_lost`](Self::on_lost), ends in
    /// [`on_copy_lost`](Self::on_copy_lost).
    fn on_copied(_message: &Self::Message, _metrics: &mut Self::Metrics) {}

    /// A copy of `message` ends; another one is under way or has arrived.
    fn on_copy_lost(_message: &Self::Message, _metrics: &mut Self::Metrics) {}

    /// Alters `message` as an adversary does that passes the result off as genuine.
    fn forge(message: &mut Self::Message);

    /// Bytes of `message`, without the header and the key of a routed one.
    fn bytes(message: &Self::Message) -> u32;

    /// The kind of `message`, in a word or two, for observers; empty for frequent upkeep messages
    /// that observers skip.
    fn kind(_message: &Self::Message) -> &'static str {
        ""
    }

    /// Calls `see` for each item that this node stores, once, in a fixed order.
    fn each_item(&self, _see: &mut dyn FnMut(&Key, ItemState)) {}

    /// The counters so far, for observers: each with its name, always the same ones in the same
    /// order.
    fn counters(_metrics: &Self::Metrics) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// Whether the task of the network is complete.
    fn is_over(_metrics: &Self::Metrics) -> bool {
        true
    }
}

/// The local lookups of the overlay on one node.
pub trait LocalRouting {
    /// The next hop of a message for `key`.
    fn next_hop(&self, key: &Key) -> NextHop;

    /// At most `count` other nodes that would become the root of `key` one after the other if their
    /// predecessors in the list left, as far as this node knows: the places for replicas if it is
    /// the root itself.
    fn replica_set(&self, key: &Key, count: usize) -> Vec<Node>;

    /// The keys of which this node considers itself the root, where they form an interval, as on
    /// rings: those after the first up to and including the second.
    fn range(&self) -> Option<(Key, Key)> {
        None
    }

    /// The ID of a node whose address this node has received.
    fn id(&self, node: Node) -> Key;

    /// The first `bits` of the IPv4 address of such a node; 0 if nodes have no addresses.
    fn group(&self, _node: Node, _bits: u32) -> u32 {
        0
    }
}

/// The environment of an application during an upcall.
///
/// Its actions are collected and carried out in order after it has returned.
pub struct AppContext<'a, A: Application> {
    /// The present time.
    pub now: Instant,
    /// The node it runs on.
    pub me: Node,
    /// The state shared by all nodes.
    pub shared: &'a A::Shared,
    /// Hops of the routed message that is delivered, for measurements; 0 in other upcalls.
    pub hops: u32,
    /// The overlay below.
    pub routing: &'a dyn LocalRouting,
    /// Measurements over all nodes.
    pub metrics: &'a mut A::Metrics,
    /// The actions so far.
    pub actions: &'a mut Vec<Action<A>>,
}

/// An action that an application requests.
#[derive(Clone, Debug)]
pub enum Action<A: Application> {
    /// Routes a message to the root of a key.
    Route {
        /// The key.
        key: Key,
        /// The message.
        message: A::Message,
    },
    /// Sends a message directly to another node.
    Send {
        /// The receiver.
        to: Node,
        /// The message.
        message: A::Message,
    },
    /// Sets a timer.
    SetTimer {
        /// The delay from now.
        after: Duration,
        /// The purpose, returned when the timer fires.
        timer: A::Timer,
    },
    /// Passes a message to another identity on the same host, without the network and without
    /// delay.
    SendLocal {
        /// The receiver.
        to: Node,
        /// The message.
        message: A::Message,
    },
    /// Creates another identity on this host.
    SpawnIdentity {
        /// Its ID.
        id: Key,
    },
    /// Leaves the network; the overlay notifies the peers of this node.
    Leave,
}

impl<A: Application> AppContext<'_, A> {
    /// The ID of this node.
    pub fn id(&self) -> Key {
        self.routing.id(self.me)
    }

    /// Whether this node considers itself the root of `key`.
    pub fn is_root_of(&self, key: &Key) -> bool {
        self.routing.next_hop(key) == NextHop::Root
    }

    /// Sends `message` to the root of `key`.
    pub fn route(&mut self, key: Key, message: A::Message) {
        self.actions.push(Action::Route { key, message });
    }

    /// Sends `message` directly to `to`; if it times out there, it is returned to
    /// [`Application::undelivered`].
    pub fn send(&mut self, to: Node, message: A::Message) {
        self.actions.push(Action::Send { to, message });
    }

    /// Calls [`Application::on_timer`] after `after`.
    pub fn set_timer(&mut self, after: Duration, timer: A::Timer) {
        self.actions.push(Action::SetTimer { after, timer });
    }

    /// Passes `message` to `to`, another identity on the same host; like a direct message, it is
    /// returned if that identity is gone.
    pub fn send_local(&mut self, to: Node, message: A::Message) {
        self.actions.push(Action::SendLocal { to, message });
    }

    /// Creates another identity with `id` on this host, which joins through this node.
    pub fn spawn_identity(&mut self, id: Key) {
        self.actions.push(Action::SpawnIdentity { id });
    }

    /// Leaves the network.
    pub fn leave(&mut self) {
        self.actions.push(Action::Leave);
    }
}

/// No application: a network that only looks up keys.
impl Application for () {
    type Shared = ();
    type Message = std::convert::Infallible;
    type Timer = std::convert::Infallible;
    type Metrics = ();

    fn new((): &(), _: u32, _: Stream) -> Self {}

    fn deliver(&mut self, _: &mut AppContext<'_, Self>, _: Node, _: Key, message: Self::Message) {
        match message {}
    }

    fn forge(message: &mut Self::Message) {
        match *message {}
    }

    fn bytes(message: &Self::Message) -> u32 {
        match *message {}
    }
}
