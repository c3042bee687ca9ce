//! What the applications on nodes do: upcalls, messages straight to other nodes, and the time that
//! handling one takes.

use super::Network;
use super::event::{Event, Letter, TripId};
use super::trip::Cargo;
use crate::engine::Instant;
use crate::overlay::{
    Action, Application, HEADER_BYTES, Identities, NextHop, Node, Omniscient, Overlay, Turn, View,
};
use crate::space::Key;

/// An overlay's local lookups on one node.
struct Local<'a, P: Overlay> {
    me: Node,
    state: &'a P,
    shared: &'a P::Shared,
    ids: &'a Identities,
}

impl<P: Overlay> View for Local<'_, P> {
    fn next_hop(&self, key: &Key) -> NextHop {
        self.state.next_hop(self.shared, self.ids, self.me, key)
    }

    fn replica_set(&self, key: &Key, count: usize) -> Vec<Node> {
        self.state
            .replica_set(self.shared, self.ids, self.me, key, count)
    }

    fn range(&self) -> Option<(Key, Key)> {
        self.state.range(self.shared, self.ids, self.me)
    }

    fn id(&self, node: Node) -> Key {
        self.ids.id(node)
    }
}

impl<P: Omniscient, A: Application> Network<P, A> {
    /// Makes an upcall to the application on `node`, and carries out what it wants.
    pub(super) fn upcall<R>(
        &mut self,
        node: Node,
        call: impl FnOnce(&mut A, &mut Turn<'_, A>) -> R,
    ) -> R {
        let mut actions = std::mem::take(&mut self.actions);
        let view = Local {
            me: node,
            state: &self.nodes[node.index()],
            shared: &self.shared,
            ids: &self.ids,
        };
        let mut turn = Turn {
            now: self.now,
            me: node,
            shared: &self.service,
            view: &view,
            ledger: &mut self.ledger,
            actions: &mut actions,
        };
        let result = call(&mut self.applications[node.index()], &mut turn);
        if self.recorder.is_some() {
            self.record_application(node);
        }
        for action in actions.drain(..) {
            self.act(node, action);
        }
        self.actions = actions;
        result
    }

    fn act(&mut self, node: Node, action: Action<A>) {
        match action {
            Action::Route { key, message } => {
                self.route(node, None, key, Cargo::Message(message));
            }
            Action::Send { to, mut message } => {
                if self.forges(node) {
                    A::forge(&mut message);
                }
                self.count_message(HEADER_BYTES + A::bytes(&message), false);
                let letter = Letter {
                    from: node,
                    life: self.seats[node.index()].life,
                    to,
                    message,
                    sent: self.now,
                    handled: false,
                };
                let latency = self.path(node, to).latency;
                if let Some(recorder) = &mut self.recorder {
                    let kind = A::kind(&letter.message);
                    recorder.posted(self.now, (node, to), latency, kind);
                }
                self.queue
                    .schedule(self.now + latency, Event::Letter(Box::new(letter)));
            }
            Action::SetTimer { after, timer } => {
                let life = self.seats[node.index()].life;
                self.queue
                    .schedule(self.now + after, Event::Alarm { node, life, timer });
            }
            Action::Tell { to, message } => {
                let word = Letter {
                    from: node,
                    life: self.seats[node.index()].life,
                    to,
                    message,
                    sent: self.now,
                    // A word in the house takes no time.
                    handled: true,
                };
                self.queue.schedule(self.now, Event::Letter(Box::new(word)));
            }
            Action::Found { id } => self.found_beside(node, id),
            Action::Leave => self.leave(node),
        }
    }

    /// A letter reaches its receiver, who reads it when it has handled what came before.
    pub(super) fn open(&mut self, mut letter: Box<Letter<A>>) {
        if !self.takes_messages(letter.to) {
            let back = letter.sent + self.setup.timeout;
            self.queue
                .schedule(back.max(self.now), Event::Returned(letter));
            return;
        }
        if !letter.handled
            && let Some(ready) = self.take_number(letter.to)
        {
            letter.handled = true;
            self.queue.schedule(ready, Event::Letter(letter));
            return;
        }
        let Letter {
            from, to, message, ..
        } = *letter;
        if self.keeps(to, from) {
            A::vanish(&message, &mut self.ledger);
            return;
        }
        self.upcall(to, |application, turn| {
            application.receive(turn, from, message);
        });
    }

    /// A routed message of the application waits for its turn at `node`; false if it need not.
    pub(super) fn queue_up(&mut self, node: Node, id: TripId) -> bool {
        let trip = self.trips.get(id);
        if trip.handled || !matches!(trip.cargo, Cargo::Message(_)) {
            return false;
        }
        let Some(ready) = self.take_number(node) else {
            return false;
        };
        self.trips.get_mut(id).handled = true;
        self.queue
            .schedule(ready, Event::Hop { to: node, trip: id });
        true
    }

    /// When `node` has handled one message more, if handling takes time.
    fn take_number(&mut self, node: Node) -> Option<Instant> {
        if self.handling.is_zero() {
            return None;
        }
        if self.busy.len() < self.seats.len() {
            self.busy.resize(self.seats.len(), Instant::START);
        }
        let busy = &mut self.busy[node.index()];
        *busy = self.now.max(*busy) + self.handling;
        Some(*busy)
    }

    /// A letter comes back to its sender, whose overlay hears of it, too.
    pub(super) fn take_back(&mut self, letter: Letter<A>) {
        let Letter {
            from,
            life,
            to,
            message,
            ..
        } = letter;
        if !self.lives(from, life) {
            A::vanish(&message, &mut self.ledger);
            return;
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.returned(self.now, (from, to), A::kind(&message));
        }
        self.turn(from, |state, context| state.on_timeout(context, to, None));
        self.upcall(from, |application, turn| {
            application.undelivered(turn, to, message);
        });
    }
}
