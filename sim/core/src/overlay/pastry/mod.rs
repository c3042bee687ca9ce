//! Pastry: prefix routing on the ring, with a leaf set and a routing table.
//!
//! Rowstron and Druschel, "Pastry: scalable, decentralized object location and routing for
//! large-scale peer-to-peer systems" (Middleware 2001); section numbers refer to it. IDs are
//! numbers of digits of b bits. A node knows the |L| nodes next to it on the ring, half of them on
//! each side (the leaf set), and for each number of digits shared with it one node for each value
//! of the next digit (the routing table). The root of a key is the numerically nearest node, in
//! either direction around the ring; of two equally near ones the one clockwise of the key.
//!
//! Two things differ from the paper:
//!
//! * There is no neighbourhood set. It serves only to choose the entries of routing tables by
//!   proximity (section 2.5); routing and the repair of leaf sets and routing tables do not use it.
//!   By default an entry is the first suitable node that the node learns of; with `near = "pns"` it
//!   is chosen by proximity in the exchanges of rows.
//! * Joiners are not ordered by time stamps (section 2.4). Instead a node that requests a leaf set
//!   becomes known to the node that it asks, and the nearest node on each side is asked in each
//!   round of keep-alives: nodes that join next to each other at once find each other.
//!
//! This module has the state of a node, its routing, and its event handling. `membership` has
//! joining and repair; `leaf_set` and `routing_table` have the peers, `near` chooses them by latency.

mod converged;
mod leaf_set;
mod membership;
mod near;
mod parameters;
mod routing_table;
#[cfg(test)]
mod tests;

pub use leaf_set::{LeafSet, Sides};
pub use parameters::{Near, PastryParameters};
pub use routing_table::{Place, RoutingTable, shared_digits};

use super::{
    ByRouter, Context, HEADER_BYTES, NODE_BYTES, NextHop, Node, NodeIds, OnTwoWayRing, Overlay,
    RoundTrip, Stage,
};
use crate::space::{Key, Ring};
use std::cmp::Ordering;
use std::convert::Infallible;

/// The state of one Pastry node.
#[derive(Clone, Debug)]
pub struct Pastry {
    /// Its own ID, duplicated so that a lookup reads only this struct and the peers.
    id: Key,
    leaves: LeafSet,
    table: RoutingTable,
    stage: Stage,
    /// The number of its last attempt to join: results of earlier ones are ignored.
    attempt: u16,
    /// The nodes that have been asked for their leaf sets and have not answered yet.
    asked: Vec<Node>,
    /// The nodes that have timed out since the last round of keep-alives. Others may still name
    /// them; they are not contacted again before that round.
    silent: Vec<Node>,
    /// The comparisons of nodes for a place that wait for a reply, with `near = "pns"`.
    comparing: Vec<(Place, u32)>,
    /// The number of the last one.
    compared: u32,
}

/// The messages between Pastry nodes.
#[derive(Clone, Debug)]
pub enum Message {
    /// Request to pass a join on to the root of the joiner's ID.
    Join(Joiner),
    /// To a joiner from a node on the way to its root: entries of rows that they share.
    Rows(Box<[Node]>),
    /// To a joiner from the root of its ID: the attempt, and the leaf set of the root.
    Welcome(u16, LeafSet),
    /// From a node that has joined to the nodes in its routing table.
    Joined,
    /// Request for the leaf set; the sender may belong into the receiver's.
    Leaves,
    /// Reply with the leaf set.
    LeavesAre(LeafSet),
    /// Request for the entry at this place of the routing table.
    Entry(Place),
    /// Reply with that entry.
    EntryIs(Option<Node>),
    /// Request for this row of the routing table.
    Row(u32),
    /// Reply with the entries of that row.
    RowIs(Box<[Node]>),
    /// A keep-alive.
    Ping,
    /// Reply: the node is alive.
    Pong,
    /// Reply of a node that has no place yet.
    Placeless,
    /// From a node that leaves to its leaves: its leaf set.
    Leaving(LeafSet),
}

/// A join on its way to the root of the joiner's ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joiner {
    node: Node,
    attempt: u16,
    /// The first row of the routing table that the joiner has not been sent.
    row: u32,
}

/// The timers of a Pastry node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Send keep-alives to the leaves.
    Probe,
    /// Exchange a row with a node of each row.
    Maintain,
    /// Check whether this attempt to join is complete.
    Join(u16),
}

/// The purposes of the requests of a Pastry node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Pass on a join.
    Join(Joiner),
    /// Learn the leaves of a node, which lengthens these sides if it answers.
    Leaves(Sides),
    /// Check whether a leaf is alive.
    Ping,
    /// Find another entry for this place; so many nodes have been asked before.
    Entry(Place, u8),
    /// Fill a row.
    Row,
    /// Find out which node is nearer: the place, and the number of the comparison.
    Compare(Place, u32),
}

impl Pastry {
    fn with_id(id: Key) -> Self {
        Self {
            id,
            leaves: LeafSet::default(),
            table: RoutingTable::default(),
            stage: Stage::Joining,
            attempt: 0,
            asked: Vec::new(),
            silent: Vec::new(),
            comparing: Vec::new(),
            compared: 0,
        }
    }

    /// The leaf set.
    pub fn leaves(&self) -> &LeafSet {
        &self.leaves
    }

    /// The routing table.
    pub fn table(&self) -> &RoutingTable {
        &self.table
    }

    /// The rare case of section 2.3: no node is known that shares one more digit with `key`. The
    /// known node nearest to the key that shares `row` digits with it, as this node does, and is
    /// nearer. O(|L| + 2^b log n).
    fn nearer_in_row(&self, b: u32, ids: &NodeIds, key: &Key, row: u32) -> NextHop {
        let mut best = (nearness(key, &self.id), NextHop::Root);
        let leaves = self.leaves.after().iter().chain(self.leaves.before());
        for node in leaves.copied().chain(self.table.rows_from(row, b)) {
            let id = ids.id(node);
            let near = nearness(key, &id);
            if near < best.0 && shared_digits(id, *key, b) >= row {
                best = (near, NextHop::Next(node));
            }
        }
        best.1
    }

    /// Sends keep-alives to all leaves. The nearest on each side send their leaf sets, and so does
    /// the last one of a side that is short of leaves.
    fn probe(&mut self, context: &mut Context<'_, Self>) {
        self.silent.clear();
        let leaves: Vec<Node> = self.leaves.distinct().collect();
        let nearest = [self.leaves.after().first(), self.leaves.before().first()];
        let nearest = nearest.map(Option::<&Node>::copied);
        for leaf in leaves {
            if nearest.contains(&Some(leaf)) {
                self.ask_for_leaves(context, leaf, Sides::NONE);
            } else {
                context.request(leaf, Message::Ping, Purpose::Ping);
            }
        }
        self.lengthen(context);
    }

    /// Asks a random node of each row for that row.
    fn exchange_rows(&mut self, context: &mut Context<'_, Self>) {
        // Comparisons without a reply.
        self.comparing.clear();
        let b = context.shared.b;
        for row in 0..self.table.rows(b) {
            let count = self.table.row(row, b).count();
            if count > 0 {
                let pick = context.random.index(count);
                let node = self.table.row(row, b).nth(pick).expect("below the count");
                context.request(node, Message::Row(row), Purpose::Row);
            }
        }
    }

    /// Enters `nodes` into empty places of the routing table, except those that have timed out.
    fn fill_table(&mut self, context: &Context<'_, Self>, nodes: &[Node]) {
        for node in nodes.iter().filter(|node| !self.silent.contains(node)) {
            self.table
                .insert(context.ids, self.id, context.shared.b, *node);
        }
    }
}

/// Orders IDs by their distance from `key`, of equally far ones that clockwise of the key first.
fn nearness(key: &Key, id: &Key) -> (Key, Key) {
    (Ring::either_way(id, key), id.wrapping_sub(*key))
}

impl Overlay for Pastry {
    type Shared = PastryParameters;
    type Message = Message;
    /// Joiners ask one node after the other.
    type Query = Infallible;
    type Timer = Timer;
    type Purpose = Purpose;
    type Route = ();
    type Lookups = ByRouter;
    type Layout = OnTwoWayRing;

    /// The three steps of section 2.3: leaf set, routing table, rare case.
    ///
    /// O(log |L|); in the rare case O(|L| + 2^b log n).
    fn next_hop(&self, shared: &PastryParameters, ids: &NodeIds, _: Node, key: &Key) -> NextHop {
        if let Some(hop) = self.leaves.next_hop(ids, self.id, key) {
            return hop;
        }
        let place = RoutingTable::place(self.id, *key, shared.b);
        match self.table.get(place, shared.b) {
            Some(node) => NextHop::Next(node),
            None => self.nearer_in_row(shared.b, ids, key, place.row),
        }
    }

    fn next_hop_without(
        &self,
        shared: &PastryParameters,
        ids: &NodeIds,
        me: Node,
        key: &Key,
        except: Node,
    ) -> NextHop {
        let mut without = self.clone();
        without.leaves.remove(except);
        without.table.remove(ids, self.id, shared.b, except);
        without.next_hop(shared, ids, me, key)
    }

    fn cmp_closeness(_: &PastryParameters, key: &Key, a: &Key, b: &Key) -> Ordering {
        nearness(key, a).cmp(&nearness(key, b))
    }

    fn prefetch(&self) -> u32 {
        self.attempt.into()
    }

    fn bytes(message: &Message) -> u32 {
        let of = |leaves: &LeafSet| leaves.after().len() + leaves.before().len();
        let nodes = match message {
            Message::Joined | Message::Leaves | Message::Entry(_) | Message::Row(_) => 0,
            Message::Ping | Message::Pong | Message::Placeless => 0,
            Message::Join(_) => 1,
            Message::EntryIs(entry) => entry.iter().len(),
            Message::Rows(nodes) | Message::RowIs(nodes) => nodes.len(),
            Message::Welcome(_, leaves) | Message::LeavesAre(leaves) | Message::Leaving(leaves) => {
                of(leaves)
            }
        };
        HEADER_BYTES + NODE_BYTES * nodes as u32
    }

    fn join(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        match bootstrap {
            Some(node) => self.begin_join(context, node),
            None => self.complete_join(context),
        }
    }

    /// Continues with its leaves, and tells them that it is back.
    fn resume(&mut self, context: &mut Context<'_, Self>, bootstrap: Option<Node>) {
        self.asked.clear();
        self.silent.clear();
        if self.stage != Stage::Member || self.leaves.is_empty() {
            self.stage = Stage::Joining;
            self.join(context, bootstrap);
            return;
        }
        self.maintain(context);
        context.joined();
        self.announce(context);
    }

    /// Asks the root of its ID in the network of the member for its leaf set, as a joiner does.
    fn on_introduced(&mut self, context: &mut Context<'_, Self>, member: Node) {
        if self.stage == Stage::Member {
            let joiner = self.next_joiner(context.me);
            context.request(member, Message::Join(joiner), Purpose::Join(joiner));
        }
    }

    fn maintain(&mut self, context: &mut Context<'_, Self>) {
        self.stage = Stage::Member;
        let periods = [
            (context.shared.probe, Timer::Probe),
            (context.shared.maintenance, Timer::Maintain),
        ];
        for (period, timer) in periods {
            if let Some(first) = period.first(context.random) {
                context.set_timer(first, timer);
            }
        }
    }

    fn leave(&mut self, context: &mut Context<'_, Self>) {
        for leaf in self.leaves.distinct() {
            context.send(leaf, Message::Leaving(self.leaves.clone()));
        }
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: Node, message: Message) {
        match message {
            Message::Rows(nodes) => self.on_rows(context, from, &nodes),
            Message::Welcome(attempt, leaves) => self.on_welcome(context, from, attempt, &leaves),
            Message::Joined => self.on_contact(context, from),
            Message::Leaving(leaves) => self.on_leaving(context, from, &leaves),
            _ => {}
        }
    }

    fn on_request(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        message: Message,
    ) -> Message {
        if let Message::Join(joiner) = message {
            if !self.can_pass_joins() {
                return Message::Placeless;
            }
            if from != joiner.node {
                self.on_contact(context, from);
            }
            self.pass_join_on(context, joiner);
            return Message::Pong;
        }
        self.on_contact(context, from);
        match message {
            Message::Leaves if self.stage == Stage::Joining => Message::Placeless,
            Message::Leaves => Message::LeavesAre(self.leaves.clone()),
            Message::Entry(place) => Message::EntryIs(self.table.get(place, context.shared.b)),
            Message::Row(row) => Message::RowIs(self.table.row(row, context.shared.b).collect()),
            _ => Message::Pong,
        }
    }

    fn on_reply(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        purpose: Purpose,
        message: Message,
        _: RoundTrip,
    ) {
        match (purpose, message) {
            // `from` has no place yet, so the join takes another node.
            (Purpose::Join(joiner), Message::Placeless) => self.retry_join(context, from, joiner),
            (Purpose::Leaves(sides), Message::LeavesAre(leaves)) => {
                self.on_leaves(context, from, sides, &leaves);
            }
            (Purpose::Leaves(_), _) => self.asked.retain(|node| *node != from),
            (Purpose::Entry(place, tries), Message::EntryIs(entry)) => {
                self.on_entry(context, place, tries, entry);
            }
            (Purpose::Row, Message::RowIs(nodes)) => {
                self.compare(context, &nodes);
                self.fill_table(context, &nodes);
            }
            (Purpose::Compare(place, number), Message::Pong) => {
                self.on_compared(context, from, (place, number));
            }
            _ => {}
        }
        self.on_contact(context, from);
    }

    fn on_timeout(
        &mut self,
        context: &mut Context<'_, Self>,
        from: Node,
        purpose: Option<Purpose>,
    ) {
        self.asked.retain(|node| *node != from);
        self.forget(context, from);
        match purpose {
            Some(Purpose::Join(joiner)) => self.retry_join(context, from, joiner),
            Some(Purpose::Entry(place, tries)) => self.on_entry(context, place, tries, None),
            // The node that was to lengthen a side is gone: there may be another one.
            Some(Purpose::Leaves(_)) => self.lengthen(context),
            _ => {}
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        let period = match timer {
            Timer::Probe => {
                self.probe(context);
                context.shared.probe
            }
            Timer::Maintain => {
                self.exchange_rows(context);
                context.shared.maintenance
            }
            Timer::Join(attempt) => return self.abandon_join(context, attempt),
        };
        if let Some(after) = period.span() {
            context.set_timer(after, timer);
        }
    }

    fn on_query(&mut self, _: &mut Context<'_, Self>, _: Node, query: Infallible, _: Node) {
        match query {}
    }

    /// The leaves nearest to the key: the nearest of all nodes, for a key of `me` and up to |L|/2
    /// of them. O(|L| log |L|).
    fn replica_set(
        &self,
        shared: &PastryParameters,
        ids: &NodeIds,
        _: Node,
        key: &Key,
        count: usize,
    ) -> Vec<Node> {
        let mut leaves: Vec<Node> = self.leaves.distinct().collect();
        leaves.sort_by(|a, b| Self::cmp_closeness(shared, key, &ids.id(*a), &ids.id(*b)));
        leaves.truncate(count);
        leaves
    }

    /// Half of the way to the nearest node on each side; the whole ring if there is none.
    fn range(&self, _: &PastryParameters, ids: &NodeIds, _: Node) -> Option<(Key, Key)> {
        // Half of a gap, rounded so that the middle key belongs to the node after it.
        let half = |gap: Key| gap.wrapping_sub(Key::power_of_two(0)).half();
        let (after, before) = (self.leaves.after().first(), self.leaves.before().first());
        let ends = after.zip(before).map(|(after, before)| {
            let (after, before) = (ids.id(*after), ids.id(*before));
            let from = before.wrapping_add(half(self.id.wrapping_sub(before)));
            (
                from,
                self.id.wrapping_add(half(after.wrapping_sub(self.id))),
            )
        });
        Some(ends.unwrap_or((self.id, self.id)))
    }

    fn each_peer(&self, see: &mut dyn FnMut(Node)) {
        self.leaves.distinct().for_each(&mut *see);
        self.table.all().for_each(see);
    }
}
