//! The common API's upcalls: what an overlay offers to what runs on it.

use super::Node;
use crate::engine::{Instant, Stream};
use crate::space::Key;

/// What becomes of a message that passes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// It goes on to the next hop.
    Pass,
    /// The application has taken it: its way ends here.
    Absorb,
}

/// What runs on each node above the overlay, and knows not which overlay it is.
///
/// The upcalls are those of Dabek et al. (IPTPS 2003). Messages that the application wants
/// routed are pushed to `out` as pairs of key and message.
pub trait Application: Sized {
    /// What the application routes by key.
    type Message: Clone + std::fmt::Debug;

    /// The application on `node`, with a random stream of its own.
    fn new(node: Node, random: Stream) -> Self;

    /// `message` for `key` has reached its root, this node.
    fn deliver(&mut self, turn: Turn<'_, Self>, origin: Node, key: Key, message: Self::Message);

    /// `message` for `key` is about to go on to `next`; it may be changed or kept.
    fn forward(
        &mut self,
        _turn: Turn<'_, Self>,
        _key: Key,
        _message: &mut Self::Message,
        _next: Node,
    ) -> Forward {
        Forward::Pass
    }

    /// Alters `message` as an adversary would that wants to pass it for a true one.
    fn forge(message: &mut Self::Message);

    /// The neighbourhood of this node has changed.
    fn update(&mut self, _turn: Turn<'_, Self>) {}
}

/// What an application may know and do during an upcall.
pub struct Turn<'a, A: Application> {
    /// The time.
    pub now: Instant,
    /// The node it runs on.
    pub me: Node,
    /// Messages to be routed, in order.
    pub out: &'a mut Vec<(Key, A::Message)>,
}

/// No application: a network that only looks up keys.
impl Application for () {
    type Message = std::convert::Infallible;

    fn new(_: Node, _: Stream) -> Self {}

    fn deliver(&mut self, _: Turn<'_, Self>, _: Node, _: Key, message: Self::Message) {
        match message {}
    }

    fn forge(message: &mut Self::Message) {
        match *message {}
    }
}
