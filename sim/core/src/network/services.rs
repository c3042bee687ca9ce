//! Execution of the applications: upcalls, direct messages, and service times.

use super::Network;
use super::event::{AppMessage, Event, RoutedId};
use super::observer::{SentMessage, Signal};
use super::routed_message::Payload;
use crate::engine::{Duration, Instant};
use crate::overlay::{
    Action, AppContext, Application, GroundTruth, HEADER_BYTES, LocalRouting, NextHop, Node,
    NodeIds, Overlay,
};
use crate::space::Key;
use crate::transport::Acknowledgements;

/// What the applications use beside their state.
pub(super) struct Services<A: Application> {
    /// Reused for its capacity.
    pub actions: Vec<Action<A>>,
    /// Service time of a message of the application at a node.
    pub time: Duration,
    /// Until when each node is busy with earlier messages; empty without service time.
    pub busy: Vec<Instant>,
}

// Not derived: a derive would require `A: Default`.
impl<A: Application> Default for Services<A> {
    fn default() -> Self {
        Self {
            actions: Vec::new(),
            time: Duration::ZERO,
            busy: Vec::new(),
        }
    }
}

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

    fn group(&self, node: Node, bits: u32) -> u32 {
        self.ids.group(node, bits)
    }
}

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Makes an upcall to the application on `node`, and carries out its actions.
    pub(super) fn upcall<R>(
        &mut self,
        node: Node,
        call: impl FnOnce(&mut A, &mut AppContext<'_, A>) -> R,
    ) -> R {
        let mut actions = std::mem::take(&mut self.services.actions);
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
        self.services.actions = actions;
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
                    patience: Duration::ZERO,
                    attempts: 0,
                    handled: false,
                    has_arrived: false,
                    is_duplicate: false,
                };
                self.send_app_message(Box::new(app_message));
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
                    patience: self.setup.timeout,
                    attempts: 0,
                    // Local messages take no time.
                    handled: true,
                    has_arrived: false,
                    is_duplicate: false,
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
            self.app_message_not_accepted(app_message);
            return;
        }
        if !app_message.handled && self.wire.transport.is_some() {
            let is_known = self.acknowledge_app_message(&app_message);
            let returns = app_message.sent + app_message.patience;
            let returns = returns.max(self.state.now);
            if app_message.has_arrived {
                // The receiver had it before.
                if is_known {
                    A::on_copy_lost(&app_message.message, &mut self.state.metrics);
                } else {
                    self.queue
                        .schedule(returns, Event::AppMessageReturned(app_message));
                }
                return;
            }
            if !is_known {
                A::on_copied(&app_message.message, &mut self.state.metrics);
                let copy = AppMessage {
                    message: app_message.message.clone(),
                    has_arrived: true,
                    ..*app_message
                };
                self.queue
                    .schedule(returns, Event::AppMessageReturned(Box::new(copy)));
            }
        }
        if !app_message.handled
            && let Some(ready) = self.enqueue_service(app_message.to)
        {
            app_message.handled = true;
            self.queue.schedule(ready, Event::AppMessage(app_message));
            return;
        }
        let AppMessage {
            from,
            to,
            message,
            is_duplicate,
            ..
        } = *app_message;
        if self.drops_from(to, from) {
            if is_duplicate {
                A::on_copy_lost(&message, &mut self.state.metrics);
            } else {
                A::on_lost(&message, &mut self.state.metrics);
            }
            return;
        }
        self.upcall(to, |application, context| {
            application.receive(context, from, message);
        });
    }

    /// Sends a direct message of the application.
    fn send_app_message(&mut self, mut app_message: Box<AppMessage<A>>) {
        let AppMessage { from, to, .. } = *app_message;
        app_message.sent = self.state.now;
        app_message.patience = self.patience(from, to);
        let sent = SentMessage {
            from,
            to,
            bytes: HEADER_BYTES + A::bytes(&app_message.message),
            latency: Some(self.path(from, to).latency),
            route: None,
            is_answer: false,
            is_of_lookup: false,
            kind: A::kind(&app_message.message),
        };
        let Some((after, again)) = self.transmit(sent, None) else {
            self.app_message_not_accepted(app_message);
            return;
        };
        if let Some(again) = again
            && !app_message.has_arrived
        {
            A::on_copied(&app_message.message, &mut self.state.metrics);
            let duplicate = AppMessage {
                message: app_message.message.clone(),
                is_duplicate: true,
                ..*app_message
            };
            self.queue.schedule(
                self.state.now + again,
                Event::AppMessage(Box::new(duplicate)),
            );
        }
        self.queue
            .schedule(self.state.now + after, Event::AppMessage(app_message));
    }

    /// The receiver has not accepted the message: it returns to its sender, if that waits for it.
    fn app_message_not_accepted(&mut self, app_message: Box<AppMessage<A>>) {
        if app_message.is_duplicate {
            A::on_copy_lost(&app_message.message, &mut self.state.metrics);
            return;
        }
        if self.acknowledgements() == Acknowledgements::None {
            A::on_lost(&app_message.message, &mut self.state.metrics);
            return;
        }
        let back = app_message.sent + app_message.patience;
        self.queue.schedule(
            back.max(self.state.now),
            Event::AppMessageReturned(app_message),
        );
    }

    /// The message has reached its receiver: tells the sender, if it expects that. Returns whether
    /// the sender knows it in time, or does not wait for it.
    fn acknowledge_app_message(&mut self, app_message: &AppMessage<A>) -> bool {
        let (from, to) = (app_message.from, app_message.to);
        if app_message.is_duplicate {
            return true;
        }
        let is_first_attempt = app_message.attempts == 0;
        let times = (app_message.sent, app_message.patience, is_first_attempt);
        self.send_acknowledgement((to, from), times, None, false)
    }

    /// Queues a routed message of the application for service at `node`; false if it need not wait.
    pub(super) fn queue_for_service(&mut self, node: Node, id: RoutedId) -> bool {
        let routed = self.router.in_flight.get(id);
        if routed.handled || !matches!(routed.payload, Payload::Message(_)) {
            return false;
        }
        let Some(ready) = self.enqueue_service(node) else {
            return false;
        };
        self.router.in_flight.get_mut(id).handled = true;
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
        if self.services.time.is_zero() {
            return None;
        }
        if self.services.busy.len() < self.state.node_meta.len() {
            self.services
                .busy
                .resize(self.state.node_meta.len(), Instant::START);
        }
        let busy = &mut self.services.busy[node.index()];
        *busy = self.state.now.max(*busy) + self.services.time;
        Some(*busy)
    }

    /// Returns a direct message to its sender, and reports the silent node to the sender's overlay.
    pub(super) fn on_app_message_returned(&mut self, mut app_message: Box<AppMessage<A>>) {
        let AppMessage { from, to, .. } = *app_message;
        self.note_silence(from, to);
        if u32::from(app_message.attempts) < self.retries()
            && self.is_in_session(from, app_message.session)
        {
            app_message.attempts += 1;
            self.signal(Signal::SentAgain { from, to });
            self.send_app_message(app_message);
            return;
        }
        let has_arrived = app_message.has_arrived;
        let AppMessage {
            from,
            session,
            to,
            message,
            ..
        } = *app_message;
        if !self.is_in_session(from, session) {
            if has_arrived {
                A::on_copy_lost(&message, &mut self.state.metrics);
            } else {
                A::on_lost(&message, &mut self.state.metrics);
            }
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
