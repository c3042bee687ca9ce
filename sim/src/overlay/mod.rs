//! DHT protocols as state machines without I/O.
//!
//! A node gets a message or a timer and a [`Context`]; it changes its own state, says what is
//! to be done, and returns. It never sees another node's state, a clock or a thread. An
//! overlay answers one pure question, [`Overlay::next_hop`]; the router above sends, counts and
//! retries, the same for every protocol, and makes the upcalls of the common API of Dabek,
//! Zhao, Druschel, Kubiatowicz and Stoica (IPTPS 2003), which is [`Application`] here.

mod application;
pub mod chord;
mod configuration;
mod context;
mod identity;
pub mod kademlia;
mod naming;
mod omniscient;
pub mod urdht;
pub mod vhash;

pub use application::{Action, Application, Forward, Holding, Turn, View};
pub use configuration::{Burden, Circumstances, Configuration, Launch, Start};
pub use context::{Context, Effect, Search};
pub use identity::{Identities, Node};
pub use naming::{IdRule, Naming, bep42_id, is_bep42_valid, is_public, public_address};
pub use omniscient::{Census, Index, Omniscient};

use crate::engine::Span;
use crate::space::{Coordinates, Geometry, Key};
use std::cmp::Ordering;
use std::fmt::Debug;

/// Where a message for a key goes from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextHop {
    /// Nowhere: this node is the root of the key.
    Root,
    /// To this node, which this one holds to be the root.
    Last(Node),
    /// To this node, which is closer to the key.
    Next(Node),
}

/// Bytes of a message that names nobody: IP and UDP headers, as Li et al. (INFOCOM 2005) count.
pub const HEADER_BYTES: u32 = 20;
/// Bytes of an address or an ID in a message, as Li et al. (INFOCOM 2005) count.
pub const NODE_BYTES: u32 = 4;

/// A protocol: the state of one node and how it changes.
pub trait Overlay: Sized {
    /// What all nodes share and none changes: the space and the protocol's parameters.
    type Shared: Sync;
    /// What nodes tell each other directly.
    type Message: Clone + Debug;
    /// What the protocol itself sends to the root of a key.
    type Query: Copy + Debug;
    /// What a node wakes up for, and what it wanted of a request.
    type Timer: Copy + Debug;

    /// Where a message for `key` goes; `me` is this node. Pure and without allocation.
    fn next_hop(&self, shared: &Self::Shared, ids: &Identities, me: Node, key: &Key) -> NextHop;

    /// Where a message for `key` goes instead, since the peers in `silent` have not taken it.
    fn detour(&mut self, context: &mut Context<'_, Self>, key: &Key, silent: &[Node]) -> NextHop {
        for peer in silent {
            self.on_timeout(context, *peer, None);
        }
        self.next_hop(context.shared, context.ids, context.me, key)
    }

    /// Which of two IDs is nearer to being the root of `key`: the one whose node would be it if
    /// there were no others.
    fn nearer(shared: &Self::Shared, key: &Key, a: &Key, b: &Key) -> Ordering;

    /// The shape of the space in which nodes and keys have their places, for pictures of it.
    fn geometry(_shared: &Self::Shared) -> Geometry {
        Geometry::Ring
    }

    /// The place of `key` in that space.
    fn locate(_shared: &Self::Shared, key: &Key) -> Coordinates {
        Geometry::fraction(key)
    }

    /// The place of this node, which has `id`: where that is, unless nodes move.
    fn place(&self, shared: &Self::Shared, id: &Key) -> Coordinates {
        Self::locate(shared, id)
    }

    /// Any number that stands in the node itself: reading it brings the node into the cache
    /// before it is needed.
    fn touch(&self) -> u32 {
        0
    }

    /// How many bytes `message` has.
    fn bytes(message: &Self::Message) -> u32;

    /// Whether `query` asks for the name of the root alone: then the node that names the root
    /// answers, and nobody knows whether the root is alive.
    fn by_name(_shared: &Self::Shared, _query: &Self::Query) -> bool {
        false
    }

    /// Looks up `key` in the protocol's own way and says [`Context::found`] in the end, once
    /// for each `search`; false if it leaves lookups to the router.
    ///
    /// Only asked for lookups that the initiator conducts itself (iterative ones).
    fn look_up(&mut self, _context: &mut Context<'_, Self>, _key: &Key, _search: Search) -> bool {
        false
    }

    /// The search that requests for `purpose` are steps of: they count as its hops.
    fn search_of(_purpose: &Self::Timer) -> Option<Search> {
        None
    }

    /// The key to which `request` asks the way, if it is a step of a lookup that its sender
    /// conducts itself.
    fn asked_way(_request: &Self::Message) -> Option<Key> {
        None
    }

    /// The answer to such a request that names the first of `nodes`, as many as fit, and nobody
    /// else.
    fn way_by(_shared: &Self::Shared, _nodes: &[Node]) -> Option<Self::Message> {
        None
    }

    /// Comes to life and joins through `bootstrap`, or begins a network of its own. Says
    /// [`Context::joined`] once it has its place, and [`Context::rejoin`] if nobody answers.
    fn join(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>);

    /// Starts the maintenance; what [`join`](Self::join) does in the end, and what a node
    /// does that was put into a converged network.
    fn maintain(&mut self, context: &mut Context<'_, Self>);

    /// Goes, and may tell others before it does.
    fn leave(&mut self, _context: &mut Context<'_, Self>) {}

    /// A message came from `from`.
    fn on_message(&mut self, context: &mut Context<'_, Self>, from: Node, message: Self::Message);

    /// A request came from `from`; the answer is sent back.
    fn on_request(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        message: Self::Message,
    ) -> Self::Message;

    /// The answer to a request made for `purpose` came from `from`, `round_trip` after it was sent.
    fn on_reply(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        purpose: Self::Timer,
        message: Self::Message,
        round_trip: Span,
    );

    /// No answer came from `from` to a request made for `purpose`; or, without a purpose, it
    /// did not take a message that was routed to it.
    fn on_timeout(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        purpose: Option<Self::Timer>,
    );

    /// A timer that the node has set is due.
    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Self::Timer);

    /// A query of `origin` ended here: this node is the root of the key, or, if the query goes
    /// [`by_name`](Self::by_name), holds `root` to be that.
    fn on_query(
        &mut self,
        context: &mut Context<'_, Self>,
        origin: Node,
        query: Self::Query,
        root: Node,
    );

    /// At most `count` peers of `me` that would be the root of `key` one after the other if those
    /// before them went, as far as it knows. O(p log p) for p peers.
    fn replica_set(
        &self,
        shared: &Self::Shared,
        ids: &Identities,
        me: Node,
        key: &Key,
        count: usize,
    ) -> Vec<Node> {
        let mut peers = Vec::new();
        self.each_peer(&mut |peer| peers.push(peer));
        peers.sort_unstable();
        peers.dedup();
        peers.retain(|peer| *peer != me);
        peers.sort_by(|a, b| Self::nearer(shared, key, &ids.id(*a), &ids.id(*b)));
        peers.truncate(count);
        peers
    }

    /// The keys of which `me` holds itself to be the root, where these are an interval: those after
    /// the first up to the second.
    fn range(&self, _: &Self::Shared, _: &Identities, _me: Node) -> Option<(Key, Key)> {
        None
    }

    /// Calls `see` for every peer that the node knows, short and long; a peer may come twice.
    fn each_peer(&self, see: &mut dyn FnMut(Node));
}
