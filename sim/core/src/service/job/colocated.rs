//! The identities of one host: the first identity and the friendly Sybils that it has created. They
//! share one processor, which the first identity assigns.
//!
//! Messages between them cost nothing and take no time. One atom is lent at a time, so that other
//! nodes can still take over atoms that a Sybil has not begun.

use super::super::replication::Outbox;
use super::partial_result::PartialResult;
use super::{JobContext, Message, Worker};
use crate::overlay::Node;

/// Messages between identities of one host.
#[derive(Clone, Copy, Debug)]
pub enum LocalMessage {
    /// To the first identity: the sender has joined.
    Joined,
    /// To the first identity: the sender has work.
    HasWork,
    /// To another identity: request for an atom to map.
    RequestWork,
    /// To the first identity: the atom; `None` if there is none left.
    Assigned(Option<u32>),
    /// To another identity: the atom that it has lent is mapped.
    Done(u32),
    /// To another identity: request for its number of open atoms.
    Count,
    /// To the first identity: that number.
    Counted(u32),
    /// To the first identity: that node asks for the load of the host.
    LoadAsked(Node),
    /// To the first identity: that node, with this speed, asks how long the host will be busy.
    BusyTimeAsked(Node, f64),
    /// To another identity: it is dismissed.
    Dismissed,
    /// To the first identity: the dismissed one has got work and stays.
    StillBusy,
}

/// The other identities on a node's host.
#[derive(Clone, Debug, Default)]
pub(super) struct ColocatedIdentities {
    /// The first identity, if this one is a Sybil.
    first: Option<Node>,
    /// The Sybils of this identity that have joined.
    others: Vec<Node>,
    /// Number of its Sybils that are joining.
    coming: u32,
    /// Sybils that have work, in the order of their reports.
    ready: Vec<Node>,
    /// In the first identity: it has asked a Sybil for an atom. In a Sybil: it has reported its
    /// work.
    waiting: bool,
    /// This identity was dismissed, and leaves when nothing is lost by that.
    retiring: bool,
}

impl ColocatedIdentities {
    /// The first identity, if this one is a Sybil.
    pub fn first(&self) -> Option<Node> {
        self.first
    }

    /// Whether it has asked for an atom that has not come yet.
    pub fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// Makes this identity a Sybil of `first`.
    pub fn set_first(&mut self, first: Node) {
        self.first = Some(first);
    }

    /// The Sybils of this identity that have joined.
    pub fn others(&self) -> &[Node] {
        &self.others
    }

    /// Number of its Sybils, joining ones included.
    pub fn len(&self) -> u32 {
        self.others.len() as u32 + self.coming
    }

    /// One more Sybil is joining.
    pub fn expect_join(&mut self) {
        self.coming += 1;
    }

    fn forget(&mut self, other: Node) {
        self.others.retain(|node| *node != other);
        self.ready.retain(|node| *node != other);
    }
}

impl Worker {
    /// Whether this identity was created by another one on the same host.
    pub fn is_friendly_sybil(&self) -> bool {
        self.colocated.first.is_some()
    }

    /// A Sybil reports to the first identity that it has work, once.
    pub(super) fn report_work(&mut self, context: JobContext<'_, '_>) {
        if let Some(first) = self.colocated.first
            && !self.todo.is_empty()
            && !std::mem::replace(&mut self.colocated.waiting, true)
        {
            context.send_local(first, Message::Local(LocalMessage::HasWork));
        }
    }

    /// The first identity, without work of its own, asks a Sybil for an atom.
    pub(super) fn request_work(&mut self, context: JobContext<'_, '_>) {
        if let Some(other) = self.colocated.ready.first() {
            self.colocated.waiting = true;
            context.send_local(*other, Message::Local(LocalMessage::RequestWork));
        }
    }

    /// Dismisses all Sybils of the host.
    pub(super) fn dismiss_sybils(&mut self, context: JobContext<'_, '_>) {
        self.colocated.ready.clear();
        for other in self.colocated.others.drain(..) {
            context.send_local(other, Message::Local(LocalMessage::Dismissed));
        }
    }

    /// A dismissed Sybil hands over its items to its successor.
    pub(super) fn retire(&mut self, context: JobContext<'_, '_>) {
        if !self.colocated.retiring {
            return;
        }
        if let Some(successor) = context.routing.replica_set(&context.id(), 1).first() {
            let mut outbox = Outbox::new();
            self.store
                .hand_over_all(context.me, *successor, context.now, &mut outbox);
            self.send_outbox(context, outbox, &[]);
        }
        self.leave_if_safe(context);
    }

    /// A dismissed Sybil leaves when it has sent all results and other nodes own all its items.
    pub(super) fn leave_if_safe(&mut self, context: JobContext<'_, '_>) {
        if self.colocated.retiring
            && self.mapped.is_empty()
            && self.buffered.is_empty()
            && self.store.has_only_copies()
        {
            context.leave();
        }
    }

    /// Handles a local message of `from`, another identity on the host.
    pub(super) fn on_local(
        &mut self,
        context: JobContext<'_, '_>,
        from: Node,
        local: LocalMessage,
    ) {
        match local {
            LocalMessage::Joined => {
                self.colocated.coming = self.colocated.coming.saturating_sub(1);
                self.colocated.others.push(from);
            }
            LocalMessage::HasWork => {
                self.colocated.ready.push(from);
                self.work(context);
            }
            LocalMessage::RequestWork => {
                let atom = self.next_atom(context);
                self.colocated.waiting = atom.is_some();
                context.send_local(from, Message::Local(LocalMessage::Assigned(atom)));
            }
            LocalMessage::Assigned(atom) => {
                self.colocated.waiting = false;
                match atom {
                    Some(atom) => self.map(context, atom, Some(from)),
                    None => self.colocated.ready.retain(|node| *node != from),
                }
                self.work(context);
            }
            LocalMessage::Done(atom) => self.mapped(context, atom),
            LocalMessage::Count => {
                let open = self.open();
                context.send_local(from, Message::Local(LocalMessage::Counted(open)));
            }
            LocalMessage::Counted(open) => self.add_load(context, open),
            LocalMessage::LoadAsked(asker) => self.send_load(context, asker, from),
            LocalMessage::BusyTimeAsked(asker, speed) => {
                self.send_busy_time(context, asker, speed);
            }
            LocalMessage::Dismissed => {
                if self.open() == 0 {
                    self.colocated.retiring = true;
                    self.retire(context);
                } else {
                    context.send_local(from, Message::Local(LocalMessage::StillBusy));
                    self.colocated.waiting = false;
                    self.report_work(context);
                }
            }
            LocalMessage::StillBusy => self.colocated.others.push(from),
        }
    }

    /// The identity `to` on the host has stopped and has not received `local`.
    pub(super) fn on_local_failed(
        &mut self,
        context: JobContext<'_, '_>,
        to: Node,
        local: LocalMessage,
    ) {
        self.colocated.forget(to);
        match local {
            LocalMessage::RequestWork => {
                self.colocated.waiting = false;
                self.work(context);
            }
            LocalMessage::Done(atom) => {
                let result = context.shared.result_of(atom);
                self.buffer_results(context, vec![PartialResult::of(atom, result)]);
            }
            LocalMessage::Count => self.add_load(context, 0),
            _ => {}
        }
    }
}
