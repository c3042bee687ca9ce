//! The identities of one host: friendly Sybils, which the first of them has made. They have one
//! processor together, which the first one gives to whoever has work.
//!
//! What they tell each other costs no message and no time. One atom is lent at a time, so that what a
//! Sybil has not begun can still go to others.

use super::super::replication::Outbox;
use super::partial_result::PartialResult;
use super::{JobContext, Message, Worker};
use crate::overlay::Node;

/// What identities of one host tell each other.
#[derive(Clone, Copy, Debug)]
pub enum LocalMessage {
    /// To the first one: this one has its place.
    Joined,
    /// To the first one: there is work here.
    HasWork,
    /// To another: what is there to do?
    RequestWork,
    /// To the first one: this atom; nothing if there is none any more.
    Assigned(Option<u32>),
    /// To another: the atom that it has lent is mapped.
    Done(u32),
    /// To another: how many atoms are there to do?
    Count,
    /// To the first one: so many.
    Counted(u32),
    /// To the first one: that node wants to know the load of the host.
    LoadAsked(Node),
    /// To another: it is not needed any more.
    Dismissed,
    /// To the first one: it is, since something has come.
    StillBusy,
}

/// The other identities on the host of a node.
#[derive(Clone, Debug, Default)]
pub(super) struct ColocatedIdentities {
    /// The one that has made this one.
    first: Option<Node>,
    /// Those that this one has made, which have their places.
    others: Vec<Node>,
    /// How many of them have not found their places yet.
    coming: u32,
    /// Those that have work, in the order in which they have said so.
    ready: Vec<Node>,
    /// One of these was asked for an atom, or the first one knows that there are some here.
    waiting: bool,
    /// This one was dismissed, and leaves when nothing goes with it.
    retiring: bool,
}

impl ColocatedIdentities {
    /// The one that has made this one, if this is a Sybil.
    pub fn first(&self) -> Option<Node> {
        self.first
    }

    /// Whether an atom was asked for and is about to come.
    pub fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// It was made by `first`.
    pub fn set_first(&mut self, first: Node) {
        self.first = Some(first);
    }

    /// Those that this one has made, which have their places.
    pub fn others(&self) -> &[Node] {
        &self.others
    }

    /// How many there are, or will be soon.
    pub fn len(&self) -> u32 {
        self.others.len() as u32 + self.coming
    }

    /// One more is on its way to its place.
    pub fn expect_join(&mut self) {
        self.coming += 1;
    }

    fn forget(&mut self, other: Node) {
        self.others.retain(|node| *node != other);
        self.ready.retain(|node| *node != other);
    }
}

impl Worker {
    /// Whether this is an identity that another one on the same host has made.
    pub fn is_friendly_sybil(&self) -> bool {
        self.colocated.first.is_some()
    }

    /// A Sybil has the first one of the host know that it has work, once.
    pub(super) fn report_work(&mut self, context: JobContext<'_, '_>) {
        if let Some(first) = self.colocated.first
            && !self.todo.is_empty()
            && !std::mem::replace(&mut self.colocated.waiting, true)
        {
            context.send_local(first, Message::Local(LocalMessage::HasWork));
        }
    }

    /// The first one has nothing to do of its own.
    pub(super) fn request_work(&mut self, context: JobContext<'_, '_>) {
        if let Some(other) = self.colocated.ready.first() {
            self.colocated.waiting = true;
            context.send_local(*other, Message::Local(LocalMessage::RequestWork));
        }
    }

    /// Has all Sybils of the host leave.
    pub(super) fn dismiss_sybils(&mut self, context: JobContext<'_, '_>) {
        self.colocated.ready.clear();
        for other in self.colocated.others.drain(..) {
            context.send_local(other, Message::Local(LocalMessage::Dismissed));
        }
    }

    /// A Sybil that was dismissed gives what it looks after to its successor.
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

    /// A Sybil that was dismissed leaves when it has sent on all results and others look after all that
    /// is here.
    pub(super) fn leave_if_safe(&mut self, context: JobContext<'_, '_>) {
        if self.colocated.retiring
            && self.mapped.is_empty()
            && self.buffered.is_empty()
            && self.store.has_only_copies()
        {
            context.leave();
        }
    }

    /// Another identity on the host, `from`, has said something.
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

    /// The identity `to` on the host is gone, and has not heard `local`.
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
