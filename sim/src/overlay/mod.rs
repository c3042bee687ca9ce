//! DHT protocols as state machines without I/O.
//!
//! A node gets a message or a timer and a [`Context`]; it changes its own state, says what is
//! to be done, and returns. It never sees another node's state, a clock or a thread. An
//! overlay answers one pure question, [`Overlay::next_hop`]; the router above sends, counts and
//! retries, the same for every protocol, and makes the upcalls of the common API of Dabek,
//! Zhao, Druschel, Kubiatowicz and Stoica (IPTPS 2003), which is [`Application`] here.

mod application;
pub mod chord;
mod context;
mod identity;
mod omniscient;
pub mod vhash;

pub use application::{Application, Forward, Turn};
pub use context::{Context, Effect};
pub use identity::{Identities, Node};
pub use omniscient::{Census, Omniscient};

use crate::engine::Span;
use crate::space::Key;
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

    /// Any number that stands in the node itself: reading it brings the node into the cache
    /// before it is needed.
    fn touch(&self) -> u32 {
        0
    }

    /// Comes to life and joins through `bootstrap`, or begins a network of its own.
    fn join(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>);

    /// Starts the maintenance; what [`join`](Self::join) does in the end, and what a node
    /// does that was put into a converged network.
    fn maintain(&mut self, context: &mut Context<'_, Self>);

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

    /// A query of `origin` for `key` ended here.
    fn on_query(
        &mut self,
        context: &mut Context<'_, Self>,
        origin: Node,
        key: Key,
        query: Self::Query,
    );

    /// Calls `see` for every peer that the node knows, short and long; a peer may come twice.
    fn each_peer(&self, see: &mut dyn FnMut(Node));
}
