//! The common API: what an overlay offers to what runs on it.

use super::{NextHop, Node};
use crate::engine::{Duration, Instant, Stream};
use crate::space::Key;

/// What becomes of a message that passes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// It goes on to the next hop.
    Pass,
    /// The application has taken it: its way ends here.
    Absorb,
}

/// How a node stands to an item that it holds for the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// It holds a copy that another node looks after.
    Copy,
    /// It looks after the item, and there is work to be done.
    Open,
    /// It is at work on the item.
    Begun,
    /// It looks after the item, and there is nothing more to do.
    Done,
}

/// What runs on each node above the overlay, and knows not which overlay it is.
///
/// The upcalls `deliver`, `forward` and `update` are those of Dabek et al. (IPTPS 2003); beside
/// them stand messages straight to another node, which come back if nobody takes them, and timers.
pub trait Application: Sized {
    /// What all nodes share and none changes.
    type Shared: Sync;
    /// What nodes tell each other.
    type Message: Clone + std::fmt::Debug;
    /// What a node wakes up for.
    type Timer: Copy + std::fmt::Debug;
    /// What is written down about all nodes for whoever runs the network; nodes do not read it.
    type Metrics: Default;
    /// What an item is called that nodes hold for the network, if they hold any.
    const ITEM: &'static str = "";

    /// The application on a node at `site`, with a random stream of its own.
    fn new(shared: &Self::Shared, site: u32, random: Stream) -> Self;

    /// The node is another identity on the host of `first`, made by it. Comes before `start`.
    fn on_colocated(&mut self, _first: Node) {}

    /// The node has its place in the network: a new one, or one that is back with what it kept.
    fn start(&mut self, _context: &mut AppContext<'_, Self>) {}

    /// `message` for `key` has reached its root, this node.
    fn deliver(
        &mut self,
        context: &mut AppContext<'_, Self>,
        origin: Node,
        key: Key,
        message: Self::Message,
    );

    /// `message` for `key` is about to go on to `next`, from the node where it begins and from
    /// each on its way; it may be changed or kept.
    fn forward(
        &mut self,
        _context: &mut AppContext<'_, Self>,
        _key: Key,
        _message: &mut Self::Message,
        _next: Node,
    ) -> Forward {
        Forward::Pass
    }

    /// `message` came straight from `from`.
    fn receive(
        &mut self,
        _context: &mut AppContext<'_, Self>,
        _from: Node,
        _message: Self::Message,
    ) {
    }

    /// Nobody took `message` at `to` in time; the overlay knows of it already.
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

    /// The node stops at `now` and will be back with what it holds now; its timers and what it waits
    /// for are gone.
    fn on_pause(&mut self, _now: Instant, _ledger: &mut Self::Metrics) {}

    /// The node is gone at `now`, and with it what it held.
    fn on_stop(&mut self, _now: Instant, _ledger: &mut Self::Metrics) {}

    /// `message` is lost: nobody gets it, and nobody is told.
    fn on_lost(_message: &Self::Message, _ledger: &mut Self::Metrics) {}

    /// Alters `message` as an adversary would that wants to pass it for a true one.
    fn forge(message: &mut Self::Message);

    /// How many bytes `message` has beside the header and the key of a routed one.
    fn bytes(message: &Self::Message) -> u32;

    /// What `message` is, in a word or two, for those who watch; empty for what is said so often, to
    /// keep things as they are, that nobody wants to watch it.
    fn kind(_message: &Self::Message) -> &'static str {
        ""
    }

    /// Shows the items that this node holds, each once, in an order of its own.
    fn each_item(&self, _see: &mut dyn FnMut(&Key, ItemState)) {}

    /// The accounts of what was done so far, for those who watch: each with its name, always the
    /// same ones in the same order.
    fn counters(_ledger: &Self::Metrics) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// Whether what the network was made for is done.
    fn is_over(_ledger: &Self::Metrics) -> bool {
        true
    }
}

/// What an overlay tells of itself on one node: its local lookups.
pub trait LocalRouting {
    /// Where a message for `key` goes from here.
    fn next_hop(&self, key: &Key) -> NextHop;

    /// At most `count` other nodes that would be the root of `key` one after the other if those
    /// before them went, as far as this node knows: where copies belong if it is the root itself.
    fn replica_set(&self, key: &Key, count: usize) -> Vec<Node>;

    /// The keys of which this node holds itself to be the root, where these are an interval, as on
    /// rings: those after the first up to the second.
    fn range(&self) -> Option<(Key, Key)> {
        None
    }

    /// The ID of a node whose address it was told.
    fn id(&self, node: Node) -> Key;
}

/// What an application may know and do during an upcall.
///
/// What it wants done is collected and carried out after it has returned, in order.
pub struct AppContext<'a, A: Application> {
    /// The time.
    pub now: Instant,
    /// The node it runs on.
    pub me: Node,
    /// What all nodes share.
    pub shared: &'a A::Shared,
    /// The overlay below.
    pub routing: &'a dyn LocalRouting,
    /// What is written down about all nodes.
    pub metrics: &'a mut A::Metrics,
    /// What is to be done.
    pub actions: &'a mut Vec<Action<A>>,
}

/// Something that an application wants done.
#[derive(Clone, Debug)]
pub enum Action<A: Application> {
    /// A message to the root of a key.
    Route {
        /// The key.
        key: Key,
        /// What its root is told.
        message: A::Message,
    },
    /// A message straight to another node.
    Send {
        /// The receiver.
        to: Node,
        /// What it is told.
        message: A::Message,
    },
    /// A timer.
    SetTimer {
        /// How long from now.
        after: Duration,
        /// What for.
        timer: A::Timer,
    },
    /// A word to another identity on the same host: no message, and heard at once.
    SendLocal {
        /// Who hears it.
        to: Node,
        /// What it is told.
        message: A::Message,
    },
    /// Another identity on this host.
    SpawnIdentity {
        /// Its ID.
        id: Key,
    },
    /// This node says goodbye to its peers, and is gone.
    Leave,
}

impl<A: Application> AppContext<'_, A> {
    /// The ID of this node.
    pub fn id(&self) -> Key {
        self.routing.id(self.me)
    }

    /// Whether this node holds itself to be the root of `key`.
    pub fn is_root_of(&self, key: &Key) -> bool {
        self.routing.next_hop(key) == NextHop::Root
    }

    /// Sends `message` to the root of `key`.
    pub fn route(&mut self, key: Key, message: A::Message) {
        self.actions.push(Action::Route { key, message });
    }

    /// Sends `message` to `to`; if nobody takes it there, it comes back to
    /// [`Application::undelivered`].
    pub fn send(&mut self, to: Node, message: A::Message) {
        self.actions.push(Action::Send { to, message });
    }

    /// Wakes the node up after `after`.
    pub fn set_timer(&mut self, after: Duration, timer: A::Timer) {
        self.actions.push(Action::SetTimer { after, timer });
    }

    /// Tells `to`, another identity on the same host, `message`; it comes back like one that is
    /// sent if that one is gone.
    pub fn send_local(&mut self, to: Node, message: A::Message) {
        self.actions.push(Action::SendLocal { to, message });
    }

    /// Makes another identity on this host, with `id`, which joins through this node.
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
