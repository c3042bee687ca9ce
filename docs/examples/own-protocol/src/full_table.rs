//! A protocol: a one-hop DHT. Each node knows all others; the root of a key is the first node at or
//! after it on the ring.

use dhtlab_core::engine::Stream;
use dhtlab_core::overlay::{
    ByRouter, Context, GroundTruth, HEADER_BYTES, MemberIndex, NODE_BYTES, NextHop, Node, NodeIds,
    OnRing, Overlay, RoundTrip,
};
use dhtlab_core::space::Key;
use std::cmp::Ordering;

/// The other nodes that a node knows, in the order of their numbers.
#[derive(Clone, Debug, Default)]
pub struct FullTable(Vec<Node>);

/// A message of the protocol.
#[derive(Clone, Debug)]
pub enum Message {
    /// Request of a joiner: which nodes do you know?
    Ask,
    /// Reply: these.
    Known(Vec<Node>),
    /// The sender is a new node.
    Hello,
    /// The sender leaves.
    Goodbye,
}

impl FullTable {
    fn learn(&mut self, node: Node) {
        if let Err(place) = self.0.binary_search(&node) {
            self.0.insert(place, node);
        }
    }

    fn forget(&mut self, node: Node) {
        self.0.retain(|peer| *peer != node);
    }
}

/// Clockwise distance from `key` to `id`.
fn distance(key: &Key, id: Key) -> Key {
    id.wrapping_sub(*key)
}

impl Overlay for FullTable {
    type Shared = ();
    type Message = Message;
    type Query = ();
    type Timer = ();
    /// A joiner has asked for the nodes.
    type Purpose = ();
    type Route = ();
    type Lookups = ByRouter;
    type Layout = OnRing;

    fn next_hop(&self, (): &(), ids: &NodeIds, me: Node, key: &Key) -> NextHop {
        let all = self.0.iter().copied().chain([me]);
        match all.min_by_key(|node| distance(key, ids.id(*node))) {
            Some(root) if root != me => NextHop::Last(root),
            _ => NextHop::Root,
        }
    }

    fn cmp_closeness((): &(), key: &Key, a: &Key, b: &Key) -> Ordering {
        distance(key, *a).cmp(&distance(key, *b))
    }

    fn bytes(message: &Message) -> u32 {
        let nodes = match message {
            Message::Known(nodes) => nodes.len() as u32,
            Message::Ask | Message::Hello | Message::Goodbye => 0,
        };
        HEADER_BYTES + NODE_BYTES * nodes
    }

    fn join(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        match bootstrap {
            Some(member) => context.request(member, Message::Ask, ()),
            None => context.joined(),
        }
    }

    fn maintain(&mut self, _: &mut Context<'_, Self>) {}

    fn leave(&mut self, context: &mut Context<'_, Self>) {
        for peer in &self.0 {
            context.send(*peer, Message::Goodbye);
        }
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: Node, message: Message) {
        match message {
            Message::Hello => self.learn(from),
            Message::Goodbye => self.forget(from),
            Message::Ask | Message::Known(_) => {}
        }
        context.update();
    }

    fn on_request(&mut self, _: &mut Context<'_, Self>, _: Node, _: Message) -> Message {
        Message::Known(self.0.clone())
    }

    fn on_reply(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        (): (),
        message: Message,
        _: RoundTrip,
    ) {
        if let Message::Known(nodes) = message {
            let me = context.me;
            let others = nodes.into_iter().chain([from]);
            for node in others.filter(|node| *node != me) {
                self.learn(node);
                context.send(node, Message::Hello);
            }
            context.joined();
        }
    }

    /// A node that is silent is forgotten. A joiner asks another member.
    fn on_timeout(&mut self, context: &mut Context<'_, Self>, silent: Node, asked: Option<()>) {
        self.forget(silent);
        match asked {
            Some(()) => context.rejoin(),
            None => context.update(),
        }
    }

    fn on_timer(&mut self, _: &mut Context<'_, Self>, (): ()) {}

    fn on_query(&mut self, _: &mut Context<'_, Self>, _: Node, (): (), _: Node) {}

    fn each_peer(&self, see: &mut dyn FnMut(Node)) {
        self.0.iter().copied().for_each(see);
    }
}

impl GroundTruth for FullTable {
    type Index = ();

    fn new((): &(), _: &Key) -> Self {
        Self::default()
    }

    fn converged((): &(), _: &NodeIds, members: &[Node], _: &mut [Stream]) -> Vec<Self> {
        let others = |me: &Node| members.iter().copied().filter(|node| node != me).collect();
        members.iter().map(|me| Self(others(me))).collect()
    }

    fn root((): &(), members: &MemberIndex, _: &[Self], (): &(), key: &Key) -> Option<Node> {
        let nodes = members.nodes();
        (!nodes.is_empty()).then(|| nodes[members.successor(key)])
    }
}
