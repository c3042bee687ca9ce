//! Execution of the applications: upcalls, direct messages, and service times.

use super::Network;
use super::event::{AppMessage, Event, RoutedId};
use super::observer::{SentMessage, Signal};
use super::routed_message::Payload;
use crate::engine::Instant;
use crate::overlay::{
    Action, AppContext, Application, GroundTruth, HEADER_BYTES, LocalRouting, NextHop, Node,
    NodeIds, Overlay,
};
use crate::space::Key;

/// Local lookups in a node's overlay.
struct NodeRouting<'a, P: Overlay> {
    me: Node,
    state: &'a P,
    shared: &'a P::Shared,
    ids: &'a NodeIds,
}

impl<P: Overlay> LocalRouting for NodeRouting<'_, P> {
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

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Makes an upcall to the application on `node`, and carries out its actions.
    pub(super) fn upcall<R>(
        &mut self,
        node: Node,
        call: impl FnOnce(&mut A, &mut AppContext<'_, A>) -> R,
    ) -> R {
        let mut actions = std::mem::take(&mut self.actions);
        let routing = NodeRouting {
            me: node,
            state: &self.state.nodes[node.index()],
            shared: &self.state.shared,
            ids: &self.state.ids,
        };
        let mut context = AppContext {
            now: self.state.now,
            me: node,
            shared: &self.state.service,
            hops: 0,
            routing: &routing,
            metrics: &mut self.state.metrics,
            actions: &mut actions,
        };
        let result = call(&mut self.state.applications[node.index()], &mut context);
        self.signal(Signal::ApplicationRan(node));
        for action in actions.drain(..) {
            self.act(node, action);
        }
        self.actions = actions;
        result
    }

    fn act(&mut self, node: Node, action: Action<A>) {
        match action {
            Action::Route { key, message } => {
                self.route(node, None, key, Payload::Message(message));
            }
            Action::Send { to, mut message } => {
                if self.forges(node) {
                    A::forge(&mut message);
                }
                let app_message = AppMessage {
                    from: node,
                    session: self.state.node_meta[node.index()].session,
                    to,
                    message,
                    sent: self.state.now,
                    handled: false,
                };
                let latency = self.path(node, to).latency;
                self.signal(Signal::MessageSent(SentMessage {
                    from: node,
                    to,
                    bytes: HEADER_BYTES + A::bytes(&app_message.message),
                    latency: Some(latency),
                    route: None,
                    is_answer: false,
                    is_of_lookup: false,
                    kind: A::kind(&app_message.message),
                }));
                self.queue.schedule(
                    self.state.now + latency,
                    Event::AppMessage(Box::new(app_message)),
                );
            }
            Action::SetTimer { after, timer } => {
                let session = self.state.node_meta[node.index()].session;
                self.queue.schedule(
                    self.state.now + after,
                    Event::AppTimer {
                        node,
                        session,
                        timer,
                    },
                );
            }
            Action::SendLocal { to, message } => {
                let local = AppMessage {
                    from: node,
                    session: self.state.node_meta[node.index()].session,
                    to,
                    message,
                    sent: self.state.now,
                    // Local messages take no time.
                    handled: true,
                };
                self.queue
                    .schedule(self.state.now, Event::AppMessage(Box::new(local)));
            }
            Action::SpawnIdentity { id } => self.spawn_colocated(node, id),
            Action::Leave => self.leave(node),
        }
    }

    /// Handles a direct message of the application; the receiver handles earlier messages first.
    pub(super) fn on_app_message(&mut self, mut app_message: Box<AppMessage<A>>) {
        if !self.takes_messages(app_message.to) {
            let back = app_message.sent + self.setup.timeout;
            self.queue.schedule(
                back.max(self.state.now),
                Event::AppMessageReturned(app_message),
            );
            return;
        }
        if !app_message.handled
            && let Some(ready) = self.enqueue_service(app_message.to)
        {
            app_message.handled = true;
            self.queue.schedule(ready, Event::AppMessage(app_message));
            return;
        }
        let AppMessage {
            from, to, message, ..
        } = *app_message;
        if self.drops_from(to, from) {
            A::on_lost(&message, &mut self.state.metrics);
            return;
        }
        self.upcall(to, |application, context| {
            application.receive(context, from, message);
        });
    }

    /// Queues a routed message of the application for service at `node`; false if it need not wait.
    pub(super) fn queue_for_service(&mut self, node: Node, id: RoutedId) -> bool {
        let routed = self.in_flight.get(id);
        if routed.handled || !matches!(routed.payload, Payload::Message(_)) {
            return false;
        }
        let Some(ready) = self.enqueue_service(node) else {
            return false;
        };
        self.in_flight.get_mut(id).handled = true;
        self.queue.schedule(
            ready,
            Event::Hop {
                to: node,
                routed: id,
            },
        );
        true
    }

    /// Adds a message to the service queue of `node`; returns when it is handled, if that takes
    /// time.
    fn enqueue_service(&mut self, node: Node) -> Option<Instant> {
        if self.service_time.is_zero() {
            return None;
        }
        if self.busy.len() < self.state.node_meta.len() {
            self.busy.resize(self.state.node_meta.len(), Instant::START);
        }
        let busy = &mut self.busy[node.index()];
        *busy = self.state.now.max(*busy) + self.service_time;
        Some(*busy)
    }

    /// Returns a direct message to its sender, and reports the silent node to the sender's overlay.
    pub(super) fn on_app_message_returned(&mut self, app_message: AppMessage<A>) {
        let AppMessage {
            from,
            session,
            to,
            message,
            ..
        } = app_message;
        if !self.is_in_session(from, session) {
            A::on_lost(&message, &mut self.state.metrics);
            return;
        }
        let kind = A::kind(&message);
        self.signal(Signal::MessageReturned { from, to, kind });
        self.with_node(from, |state, context| state.on_timeout(context, to, None));
        self.upcall(from, |application, context| {
            application.undelivered(context, to, message);
        });
    }
}
