//! The way of a message to the root of a key: one router for every overlay.
//!
//! A node is asked for its next hop, and the message goes there: from node to node
//! (recursive), or the initiator asks one node after the other (iterative). A node that does
//! not take a message costs its sender the time-out and one try; then the sender's table is
//! asked again, or, in an iterative lookup, the node that has named the silent one. A protocol
//! may conduct iterative lookups itself; its requests are counted as their hops.

use super::event::{Event, TripId};
use super::tally::{Interception, Success};
use super::trip::Cargo;
use super::{Network, oracle};
use crate::overlay::{
    Application, Forward, HEADER_BYTES, NODE_BYTES, NextHop, Node, Omniscient, Search,
};
use crate::space::Key;
use dhtlab_analysis::view::Outcome;

crate::choices! {
    /// How a lookup travels.
    pub enum Travel {
        /// From node to node; the answer goes back the same way.
        Recursive = "recursive",
        /// From node to node; the root answers the initiator directly.
        SemiRecursive = "semi-recursive",
        /// The initiator asks one node after the other.
        Iterative = "iterative",
    }
}

/// A message that has made so many hops is lost: moved positions or broken rings can send it
/// around for ever.
const MAX_HOPS: u32 = 1 << 14;

/// Bytes of a routed message: its key and its origin.
const ROUTED_BYTES: u32 = HEADER_BYTES + 2 * NODE_BYTES;
/// Bytes of an answer, or of the name of a next hop: one node.
const ANSWER_BYTES: u32 = HEADER_BYTES + NODE_BYTES;

impl<P: Omniscient, A: Application> Network<P, A> {
    /// Sends `cargo` from `origin` to the root of `key`, by way of `via` if it is given.
    pub(super) fn route(&mut self, origin: Node, via: Option<Node>, key: Key, cargo: Cargo<P, A>) {
        let life = self.seats[origin.index()].life;
        let id = self.trips.start((origin, life), key, cargo, self.now);
        self.trips.get_mut(id).seeks_place = via.is_some();
        if self.recorder.is_some() {
            self.record_trip(id);
        }
        self.forge(origin, id);
        match (via, self.setup.travel) {
            (Some(via), Travel::Iterative) => self.ask(id, via),
            (Some(via), _) => self.hop(origin, via, id, false),
            (None, Travel::Iterative) if self.search(origin, id) => {}
            (None, Travel::Iterative) => self.learn_next(id, self.next_hop(origin, &key)),
            (None, _) => self.step(origin, id),
        }
    }

    pub(super) fn next_hop(&self, node: Node, key: &Key) -> NextHop {
        self.nodes[node.index()].next_hop(&self.shared, &self.ids, node, key)
    }

    /// Where a message for `key` from `from` would end if no table changed and nobody were silent;
    /// `None` if it reached one who has gone, or went around.
    pub fn walk(&self, from: Node, key: &Key) -> Option<Node> {
        let mut at = from;
        for _ in 0..self.seats.len() {
            match self.next_hop(at, key) {
                NextHop::Root => return Some(at),
                NextHop::Last(next) => return self.is_alive(next).then_some(next),
                NextHop::Next(next) if self.is_alive(next) => at = next,
                NextHop::Next(_) => return None,
            }
        }
        None
    }

    /// Asks the overlay on `origin` to look the key up in its own way; false if it has none.
    fn search(&mut self, origin: Node, id: TripId) -> bool {
        let trip = self.trips.get_mut(id);
        trip.searching = true;
        let key = trip.key;
        let search = Search {
            trip: id,
            number: trip.number,
        };
        let own = self.turn(origin, |state, context| {
            state.look_up(context, &key, search)
        });
        if !own {
            self.trips.get_mut(id).searching = false;
        }
        own
    }

    /// Counts a step of `search`: `from` has asked `to`.
    pub(super) fn step_of_search(&mut self, search: Search, from: Node, to: Node) {
        if let Some(id) = self.trips.of(search) {
            let sybil = self.is_sybil(to);
            let links = self.path(from, to).hops;
            let trip = self.trips.get_mut(id);
            trip.hops += 1;
            trip.underlay_hops += links;
            trip.intercepted |= sybil;
        }
    }

    /// A lookup that its origin has conducted itself is over.
    pub(super) fn found(&mut self, search: Search, root: Option<Node>) {
        let Some(id) = self.trips.of(search) else {
            return;
        };
        self.trips.get_mut(id).searching = false;
        match root {
            Some(root) => self.conclude(root, true, id),
            None => self.lose(id),
        }
    }

    /// Whether `id` asks for the name of the root alone.
    fn is_by_name(&self, id: TripId) -> bool {
        matches!(&self.trips.get(id).cargo, Cargo::Query(query) if P::by_name(&self.shared, query))
    }

    /// Decides at `node` where a recursive message goes, and sends it there.
    fn step(&mut self, node: Node, id: TripId) {
        let next = self.next_hop(node, &self.trips.get(id).key);
        let next = self.but_its_origin(node, id, next);
        self.proceed(node, id, next);
    }

    /// `next`, or whom `node` names instead if that is the origin, which looks for its place: it may
    /// be known from an earlier life, or hold a place that it has lost.
    fn but_its_origin(&self, node: Node, id: TripId, next: NextHop) -> NextHop {
        let trip = self.trips.get(id);
        match next {
            NextHop::Next(to) | NextHop::Last(to) if trip.seeks_place && to == trip.origin => {
                let state = &self.nodes[node.index()];
                state.next_hop_but(&self.shared, &self.ids, node, &trip.key, to)
            }
            _ => next,
        }
    }

    /// Sends a recursive message on from `node`.
    fn proceed(&mut self, node: Node, id: TripId, next: NextHop) {
        match next {
            NextHop::Root if self.trips.get(id).hops == 0 => {
                // An event without delay, so that nobody is called while it acts.
                let trip = self.trips.get_mut(id);
                trip.last = true;
                trip.links = None;
                self.queue
                    .schedule(self.now, Event::Hop { to: node, trip: id });
            }
            NextHop::Root => self.deliver(node, node, id),
            NextHop::Last(root) if self.is_by_name(id) => self.deliver(node, root, id),
            NextHop::Next(next) => self.forward(node, next, id, false),
            NextHop::Last(next) => self.forward(node, next, id, true),
        }
    }

    /// Lets the application see a message that is about to go on.
    fn forward(&mut self, node: Node, next: Node, id: TripId, last: bool) {
        let trip = self.trips.get_mut(id);
        if let Cargo::Message(message) = &trip.cargo {
            let (key, mut message) = (trip.key, message.clone());
            let verdict = self.upcall(node, |application, turn| {
                application.forward(turn, key, &mut message, next)
            });
            if verdict == Forward::Absorb {
                if let Some(recorder) = &mut self.recorder {
                    recorder.ended(self.now, id, Outcome::Absorbed, Some(node), None);
                }
                self.trips.end(id);
                return;
            }
            self.trips.get_mut(id).cargo = Cargo::Message(message);
            self.forge(node, id);
        }
        self.hop(node, next, id, last);
    }

    /// Sends a message on from `node` to `next`.
    fn hop(&mut self, node: Node, next: Node, id: TripId, last: bool) {
        let path = self.path(node, next);
        let travel = self.setup.travel;
        let life = self.seats[node.index()].life;
        let trip = self.trips.get_mut(id);
        if trip.hops >= MAX_HOPS {
            self.lose(id);
            return;
        }
        trip.last = last;
        trip.holder = node;
        trip.holder_life = life;
        trip.target = next;
        trip.sent = self.now;
        trip.links = Some(path.hops);
        trip.handled = false;
        let bytes = match &trip.cargo {
            Cargo::Message(message) => ROUTED_BYTES + A::bytes(message),
            Cargo::Lookup | Cargo::Query(_) => ROUTED_BYTES,
        };
        let lookup = matches!(trip.cargo, Cargo::Lookup);
        if travel == Travel::Recursive && lookup {
            trip.path.push(node);
        }
        self.count_message(bytes, lookup);
        if let Some(recorder) = &mut self.recorder {
            recorder.carried(self.now, Some(id), (node, next), path.latency, false);
        }
        self.queue
            .schedule(self.now + path.latency, Event::Hop { to: next, trip: id });
    }

    /// A message reaches `node`: to be delivered, to go on, or, in an iterative lookup, to be
    /// answered.
    pub(super) fn arrive(&mut self, node: Node, id: TripId) {
        let iterative = self.setup.travel == Travel::Iterative;
        let takes = self.takes_messages(node);
        let trip = self.trips.get_mut(id);
        if !takes {
            // A node that is back and holds itself for the root knows nobody else to go to.
            if node == trip.origin && trip.links.is_none() {
                self.lose(id);
            } else {
                self.bounce_back(id);
            }
            return;
        }
        if let Some(links) = trip.links.take() {
            trip.hops += 1;
            trip.underlay_hops += links;
            if !iterative {
                // The next node knows nothing of whom this one could not reach.
                trip.silent.clear();
            }
        }
        let last = trip.last;
        let is_lookup = matches!(trip.cargo, Cargo::Lookup);
        if self.queue_up(node, id) {
            return;
        }
        if self.is_sybil(node) && self.betray(node, id) {
            return;
        }
        if last && iterative && is_lookup {
            self.tell_next(node, id, NextHop::Root);
        } else if last {
            self.deliver(node, node, id);
        } else if iterative {
            self.advise(node, id);
        } else {
            self.step(node, id);
        }
    }

    /// Nobody takes the message that was sent last: its sender notices when its patience ends.
    pub(super) fn bounce_back(&mut self, id: TripId) {
        let back = self.trips.get(id).sent + self.setup.timeout;
        self.queue
            .schedule(back.max(self.now), Event::Bounce { trip: id });
    }

    /// `node`, asked by the initiator of an iterative lookup, looks for its next hop.
    fn advise(&mut self, node: Node, id: TripId) {
        let Some(next) = self.choose(node, id) else {
            return;
        };
        if let NextHop::Last(root) = next
            && self.is_by_name(id)
        {
            self.deliver(node, root, id);
            return;
        }
        self.tell_next(node, id, next);
    }

    /// `node` tells the initiator of an iterative lookup its next hop.
    pub(super) fn tell_next(&mut self, node: Node, id: TripId, next: NextHop) {
        let trip = self.trips.get_mut(id);
        trip.path.push(node);
        let origin = trip.origin;
        let lookup = matches!(trip.cargo, Cargo::Lookup);
        self.count_message(ANSWER_BYTES, lookup);
        let latency = self.path(node, origin).latency;
        if let Some(recorder) = &mut self.recorder {
            recorder.carried(self.now, Some(id), (node, origin), latency, true);
        }
        self.queue
            .schedule(self.now + latency, Event::Verdict { trip: id, next });
    }

    /// The node that a message was sent to has not taken it: its sender goes another way.
    pub(super) fn bounce(&mut self, id: TripId) {
        let travel = self.setup.travel;
        let trip = self.trips.get_mut(id);
        trip.timeouts += 1;
        if travel == Travel::Recursive {
            trip.path.pop();
        }
        let (sender, life, silent) = (trip.holder, trip.holder_life, trip.target);
        if let Some(recorder) = &mut self.recorder {
            recorder.timed_out(self.now, id, sender, silent);
        }
        if travel == Travel::Iterative
            && let Some(adviser) = trip.path.pop()
        {
            // Who has named the silent node is asked for another; if that was the adviser
            // itself, the one before.
            trip.silent.push(silent);
            if !self.lives(sender, life) {
                self.lose(id);
                return;
            }
            self.hop(sender, adviser, id, false);
            // It has been asked and counted before.
            self.trips.get_mut(id).links = None;
            return;
        }
        trip.silent.push(silent);
        if !self.lives(sender, life) {
            self.lose(id);
            return;
        }
        let Some(next) = self.choose(sender, id) else {
            return;
        };
        match travel {
            Travel::Iterative if next == NextHop::Root => self.conclude(sender, true, id),
            Travel::Iterative => self.learn_next(id, next),
            Travel::Recursive | Travel::SemiRecursive => self.proceed(sender, id, next),
        }
    }

    /// The next hop that `node` chooses without the peers that have been silent; `None` if the
    /// message is lost, since it knows nobody else.
    fn choose(&mut self, node: Node, id: TripId) -> Option<NextHop> {
        let trip = self.trips.get_mut(id);
        let key = trip.key;
        if trip.silent.is_empty() {
            let next = self.next_hop(node, &key);
            return Some(self.but_its_origin(node, id, next));
        }
        let silent = std::mem::take(&mut trip.silent);
        let next = self.turn(node, |state, context| state.detour(context, &key, &silent));
        let next = self.but_its_origin(node, id, next);
        let again = match next {
            NextHop::Next(next) | NextHop::Last(next) => silent.contains(&next),
            NextHop::Root => false,
        };
        self.trips.get_mut(id).silent = silent;
        if again {
            self.lose(id);
            return None;
        }
        Some(next)
    }

    /// The initiator of an iterative lookup asks `node`.
    fn ask(&mut self, id: TripId, node: Node) {
        let origin = self.trips.get(id).origin;
        self.hop(origin, node, id, false);
    }

    /// The initiator of an iterative lookup learns what the node it asked last holds for the
    /// next hop.
    pub(super) fn learn_next(&mut self, id: TripId, next: NextHop) {
        let trip = self.trips.get(id);
        let (origin, life, asked) = (trip.origin, trip.origin_life, trip.target);
        if !self.lives(origin, life) {
            self.lose(id);
            return;
        }
        match next {
            NextHop::Next(node) => self.ask(id, node),
            NextHop::Last(node) => self.conclude(node, false, id),
            NextHop::Root => self.conclude(asked, true, id),
        }
    }

    /// The initiator of an iterative lookup knows the root, which has answered or was named by
    /// another node: a lookup is over once the root has been asked, anything else goes there.
    fn conclude(&mut self, root: Node, answered: bool, id: TripId) {
        let takes = self.takes_messages(root);
        let ask_root = self.setup.ask_root;
        let trip = self.trips.get_mut(id);
        let origin = trip.origin;
        match trip.cargo {
            // A dead node that was named is found out when it is asked.
            Cargo::Lookup if takes && (answered || root == origin || !ask_root) => {
                self.judge(root, id);
            }
            _ if root == origin => {
                trip.last = true;
                trip.links = None;
                self.queue
                    .schedule(self.now, Event::Hop { to: root, trip: id });
            }
            _ => self.hop(origin, root, id, true),
        }
    }

    /// A message has come to the end of its way at `node`, which is or has named the `root`.
    pub(super) fn deliver(&mut self, node: Node, root: Node, id: TripId) {
        let trip = self.trips.get(id);
        let (key, origin) = (trip.key, trip.origin);
        match trip.cargo.clone() {
            Cargo::Lookup => self.judge(node, id),
            Cargo::Query(query) => {
                self.trips.end(id);
                self.turn(node, |state, context| {
                    state.on_query(context, origin, query, root);
                });
            }
            Cargo::Message(message) => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.ended(self.now, id, Outcome::Delivered, Some(node), None);
                }
                self.trips.end(id);
                self.upcall(node, |application, turn| {
                    application.deliver(turn, origin, key, message);
                });
            }
        }
    }

    /// Writes down how a lookup went that ended at `node`, and sends the answer.
    fn judge(&mut self, node: Node, id: TripId) {
        let trip = self.trips.get(id);
        let (origin, left) = (trip.origin, trip.path.len() as u32);
        let (issued, timeouts) = (trip.issued, trip.timeouts);
        let captured = self.is_sybil(node);
        let intercepted = trip.intercepted || captured;
        let root = oracle::root(self, &trip.key);
        let is_root = root == Some(node);
        if let Some(recorder) = &mut self.recorder {
            let outcome = if is_root { Outcome::Ok } else { Outcome::Wrong };
            recorder.ended(self.now, id, outcome, Some(node), root);
        }
        if is_root {
            let (hops, underlay_hops) = (trip.hops, trip.underlay_hops);
            let latency = self.now.since(issued);
            let mut direct = self.path(origin, node).latency;
            if self.setup.travel == Travel::Iterative {
                // It is over when the answer of the root is there.
                direct += self.path(node, origin).latency;
            }
            let success = Success {
                hops,
                underlay_hops,
                latency,
                direct,
            };
            self.tally.ok(issued, timeouts, success);
        } else {
            self.tally.wrong(issued, timeouts);
        }
        if self.sybils.is_some() {
            let attack = Interception {
                intercepted,
                captured,
                hijacked: captured && !is_root,
            };
            self.tally.attacked(issued, attack);
        }
        if node == origin || self.setup.travel == Travel::Iterative {
            self.trips.end(id);
        } else {
            self.trips.get_mut(id).holder = node;
            self.answer(id, left);
        }
    }

    /// Sends the answer of a recursive lookup one node further back.
    pub(super) fn answer(&mut self, id: TripId, left: u32) {
        let trip = self.trips.get(id);
        let (from, origin) = (trip.holder, trip.origin);
        if from == origin || !self.is_alive(from) {
            self.trips.end(id);
            return;
        }
        // Without a recorded path the root answers directly.
        let left = left.saturating_sub(1);
        let to = trip.path.get(left as usize).copied().unwrap_or(origin);
        self.trips.get_mut(id).holder = to;
        self.count_message(ANSWER_BYTES, true);
        let latency = self.path(from, to).latency;
        if let Some(recorder) = &mut self.recorder {
            recorder.carried(self.now, Some(id), (from, to), latency, true);
        }
        self.queue
            .schedule(self.now + latency, Event::Answer { trip: id, left });
    }

    /// A message is lost.
    pub(super) fn lose(&mut self, id: TripId) {
        if let Some(recorder) = &mut self.recorder {
            recorder.ended(self.now, id, Outcome::Failed, None, None);
        }
        let trip = self.trips.get(id);
        match &trip.cargo {
            Cargo::Lookup => {
                let (issued, timeouts) = (trip.issued, trip.timeouts);
                let is_abandoned = !self.is_alive(trip.origin);
                self.tally.counts.abandoned += u64::from(is_abandoned);
                let attack = Interception {
                    intercepted: trip.intercepted,
                    ..Interception::default()
                };
                self.tally.failed(issued, timeouts);
                self.tally.attacked(issued, attack);
            }
            Cargo::Query(_) => {}
            Cargo::Message(message) => A::vanish(message, &mut self.ledger),
        }
        self.trips.end(id);
    }
}
