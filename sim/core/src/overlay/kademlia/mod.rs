//! Kademlia: the XOR metric, with buckets of contacts.
//!
//! Maymounkov and Mazieres, "Kademlia: a peer-to-peer information system based on the XOR metric"
//! (IPTPS 2002); section numbers refer to it. A node keeps up to k contacts in each subtree of the
//! space that it is not in itself, and asks those nearest to a key for still nearer nodes. The root
//! of a key is the node with the least XOR distance to it.
//!
//! This module has the state of a node and its event handling; `buckets` has the contacts,
//! `admission` which nodes become one, `lookup` the state of an iterative lookup, `node_lookup` the lookups in
//! progress, `refresh` those that refresh buckets, `near` the choice of contacts by latency.

mod admission;
#[cfg(test)]
mod admission_tests;
mod buckets;
mod converged;
mod lookup;
mod near;
mod nearest;
mod node_lookup;
mod parameters;
mod refresh;
#[cfg(test)]
mod tests;

pub use buckets::{Bounds, Buckets, Contact, Seen, Subtree};
pub use lookup::{Goal, GroupLimit, Lookup};
pub use node_lookup::NodeLookup;
pub use parameters::{Admission, Eviction, KademliaParameters, Near, Profile};

use admission::Sighting;
use near::RoundTrips;
use node_lookup::{ActiveLookup, Reason};

use super::{
    Context, HEADER_BYTES, LookupHandle, NODE_BYTES, NextHop, Node, NodeIds, OnXorLine, Overlay,
    RoundTrip,
};
use crate::engine::Instant;
use crate::space::Key;
use std::cmp::Ordering;
use std::convert::Infallible;

/// The state of one Kademlia node.
#[derive(Clone, Debug)]
pub struct Kademlia {
    /// Its own ID, duplicated so that a lookup reads only this struct and the contacts.
    id: Key,
    buckets: Buckets,
    /// The round trips of nodes, with `near = "pns"` or `"prs"`.
    round_trips: Option<Box<RoundTrips>>,
    lookups: Vec<ActiveLookup>,
    started: u32,
    /// The time of its next lookup of its own ID.
    own_due: Instant,
    joined: bool,
}

/// The messages between Kademlia nodes.
#[derive(Clone, Debug)]
pub enum Message {
    /// Request for the known nodes nearest to this key.
    FindNode(Key),
    /// Reply with these nodes, nearest first.
    Nodes(Box<[Node]>),
    /// Request for a sign of life.
    Ping,
    /// Reply to a ping.
    Pong,
}

/// The purposes of the requests of a Kademlia node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A step of the lookup with this number, which may be a requested one.
    Step(u32, Option<LookupHandle>),
    /// Ping the least recently seen contact, which makes room for this node if it is silent.
    Ping(Node),
    /// Measure the round trip.
    Measure,
    /// Check whether the node replies before it becomes a contact.
    Check,
}

/// The timers of a Kademlia node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Refresh the buckets that are due.
    Refresh,
    /// Check whether the join, the lookup with this number, is complete.
    Join(u32),
}

impl KademliaParameters {
    /// The limits of the buckets.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            k: self.k,
            b: self.b,
            stale: self.stale.min(u8::MAX.into()) as u8,
            replacements: self.replacements,
            remove_stale: self.remove_stale,
            wide: self.wide_buckets,
        }
    }
}

impl Kademlia {
    fn with(id: Key, buckets: Buckets) -> Self {
        Self {
            id,
            buckets,
            round_trips: None,
            lookups: Vec::new(),
            started: 0,
            own_due: Instant::START,
            joined: false,
        }
    }

    /// The contacts.
    pub fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// The k contacts nearest to `key`, nearest first, as in a reply to other nodes.
    pub fn closest(&self, shared: &KademliaParameters, ids: &NodeIds, key: &Key) -> Vec<Node> {
        self.closest_but(shared, ids, key, None)
    }

    fn closest_but(
        &self,
        shared: &KademliaParameters,
        ids: &NodeIds,
        key: &Key,
        except: Option<Node>,
    ) -> Vec<Node> {
        let distance = self.id.xor(*key);
        self.buckets
            .closest(ids, shared.bounds(), distance, key, shared.k, except)
    }

    fn distance(&self, ids: &NodeIds, node: Node) -> Key {
        self.id.xor(ids.id(node))
    }
}

impl Overlay for Kademlia {
    type Shared = KademliaParameters;
    type Message = Message;
    /// Joiners and maintenance ask nodes, not keys.
    type Query = Infallible;
    type Timer = Timer;
    type Purpose = Purpose;
    type Route = ();
    type Lookups = NodeLookup;
    type Layout = OnXorLine;

    fn next_hop(&self, shared: &KademliaParameters, ids: &NodeIds, _: Node, key: &Key) -> NextHop {
        let distance = self.id.xor(*key);
        let closest = |one: &Contact, other: &Contact| one.cmp_closeness(other, ids, key);
        let next = match &self.round_trips {
            Some(known) if shared.near == Near::Prs => {
                let order = |one: &Contact, other: &Contact| {
                    let by_time = known.cmp(one.node(), other.node());
                    by_time.then_with(|| closest(one, other))
                };
                self.buckets.greedy(shared.b, distance, order)
            }
            _ => self.buckets.greedy(shared.b, distance, closest),
        };
        next.map_or(NextHop::Root, NextHop::Next)
    }

    fn cmp_closeness(_: &KademliaParameters, key: &Key, a: &Key, b: &Key) -> Ordering {
        a.xor(*key).cmp(&b.xor(*key))
    }

    fn prefetch(&self) -> u32 {
        self.buckets.len() as u32
    }

    fn uses_addresses(shared: &KademliaParameters) -> bool {
        shared.has_group_limits() || shared.group_per_lookup > 0
    }

    fn bytes(message: &Message) -> u32 {
        let named = match message {
            Message::FindNode(_) => 1,
            Message::Nodes(nodes) => nodes.len() as u32,
            Message::Ping | Message::Pong => 0,
        };
        HEADER_BYTES + NODE_BYTES * named
    }

    fn join(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        match bootstrap {
            Some(node) => {
                let number = self.start(context, self.id, Reason::Join, Some(node));
                context.set_timer(context.shared.join_timeout, Timer::Join(number));
            }
            None => self.complete_join(context),
        }
    }

    /// Continues with its contacts, and looks up its own ID so that its present neighbours learn of
    /// it.
    fn resume(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        self.lookups.clear();
        self.buckets.end_pings();
        if !std::mem::take(&mut self.joined) || self.buckets.all().all(|(_, some)| some.is_empty())
        {
            self.join(context, bootstrap);
            return;
        }
        self.maintain(context);
        context.joined();
        self.start(context, self.id, Reason::Refresh, None);
    }

    /// Looks up its own ID through the member.
    fn on_introduced(&mut self, context: &mut Context<'_, Self>, member: Node) {
        if self.joined {
            self.start(context, self.id, Reason::Refresh, Some(member));
        }
    }

    fn maintain(&mut self, context: &mut Context<'_, Self>) {
        self.joined = true;
        let (now, period) = (context.now, context.shared.refresh);
        let Some(first) = period.first(context.random) else {
            return;
        };
        self.own_due = now + first;
        let mut earliest = first;
        for (_, due) in self.buckets.dues() {
            if let Some(phase) = period.first(context.random) {
                *due = now + phase;
                earliest = earliest.min(phase);
            }
        }
        context.set_timer(earliest, Timer::Refresh);
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: Node, _: Message) {
        self.note_contact(context, from, Sighting::Message);
    }

    fn on_request(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        message: Message,
    ) -> Message {
        let sighting = match message {
            Message::Ping => Sighting::Ping,
            _ => Sighting::Message,
        };
        let answer = match message {
            Message::FindNode(key) => {
                let nodes = self.closest_but(context.shared, context.ids, &key, Some(from));
                Message::Nodes(nodes.into())
            }
            _ => Message::Pong,
        };
        self.note_contact(context, from, sighting);
        answer
    }

    fn on_reply(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        purpose: Purpose,
        message: Message,
        round_trip: RoundTrip,
    ) {
        if context.shared.near != Near::LongestSeen {
            self.round_trips
                .get_or_insert_default()
                .measured(from, round_trip.time);
        }
        let sighting = match message {
            Message::Pong => Sighting::Pong,
            _ => Sighting::Reply,
        };
        self.note_contact(context, from, sighting);
        match (purpose, message) {
            (Purpose::Step(number, _), Message::Nodes(nodes)) => {
                if let Some(place) = self.active_lookup(number) {
                    let lookup = &mut self.lookups[place].lookup;
                    lookup.answered(from);
                    let ids = context.ids;
                    match context.shared.lookup_limit() {
                        None => lookup.add_candidates(|node| ids.id(node), nodes.iter().copied()),
                        Some(limit) => {
                            let group = |node, bits| ids.group(node, bits);
                            let named = nodes.iter().copied();
                            lookup.add_within(limit, group, |node| ids.id(node), named);
                        }
                    }
                    self.go_on(context, place);
                }
            }
            (Purpose::Measure, _) => self.compete(context, from),
            (Purpose::Ping(_), _) => {
                let distance = self.distance(context.ids, from);
                self.buckets.set_pinging(context.shared.b, distance, false);
            }
            _ => {}
        }
    }

    fn on_timeout(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        purpose: Option<Purpose>,
    ) {
        let (shared, distance) = (context.shared, self.distance(context.ids, from));
        match purpose {
            Some(Purpose::Ping(newcomer)) => {
                self.buckets.set_pinging(shared.b, distance, false);
                self.buckets.evict(shared.bounds(), distance, from);
                self.note_contact(context, newcomer, Sighting::Message);
            }
            _ if self.buckets.fail(shared.bounds(), distance, from) => context.update(),
            _ => {}
        }
        if let Some(Purpose::Step(number, _)) = purpose
            && let Some(place) = self.active_lookup(number)
        {
            self.lookups[place].lookup.failed(from);
            self.go_on(context, place);
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        match timer {
            Timer::Refresh => self.refresh_due(context),
            Timer::Join(number) => {
                if let Some(place) = self.active_lookup(number) {
                    self.lookups.swap_remove(place);
                    context.rejoin();
                }
            }
        }
    }

    fn on_query(&mut self, _: &mut Context<'_, Self>, _: Node, query: Infallible, _: Node) {
        match query {}
    }

    /// The contacts nearest to the key, without those with an unanswered last request: no messages
    /// are routed to them either. O(buckets log buckets + count log k).
    fn replica_set(
        &self,
        shared: &KademliaParameters,
        ids: &NodeIds,
        _: Node,
        key: &Key,
        count: usize,
    ) -> Vec<Node> {
        let sound = Bounds {
            stale: 1,
            ..shared.bounds()
        };
        let distance = self.id.xor(*key);
        self.buckets.closest(ids, sound, distance, key, count, None)
    }

    fn each_peer(&self, see: &mut dyn FnMut(Node)) {
        let contacts = self.buckets.all().flat_map(|(_, contacts)| contacts);
        contacts.for_each(|contact| see(contact.node()));
    }
}
