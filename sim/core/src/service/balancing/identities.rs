//! The identities of one host: the first identity and the friendly Sybils that it has created. They
//! share one processor, which the first identity assigns.
//!
//! Messages between them cost nothing and take no time. One task is lent at a time, so that other
//! nodes can still take over tasks that a Sybil has not begun.

use super::{Balanced, LoadBalancing, LocalMessage};
use crate::overlay::{AppContext, Node};

/// The other identities on a node's host.
#[derive(Clone, Debug, Default)]
pub struct Identities {
    /// The first identity, if this one is a Sybil.
    first: Option<Node>,
    /// The Sybils of this identity that have joined.
    others: Vec<Node>,
    /// Number of its Sybils that are joining.
    coming: u32,
    /// Sybils that have work, in the order of their reports.
    ready: Vec<Node>,
    /// In the first identity: it has asked a Sybil for a task. In a Sybil: it has reported its
    /// work.
    waiting: bool,
    /// This identity was dismissed, and leaves when nothing is lost by that.
    retiring: bool,
}

impl Identities {
    /// The first identity, if this one is a Sybil.
    pub fn first(&self) -> Option<Node> {
        self.first
    }

    /// Whether this identity was dismissed.
    pub fn is_retiring(&self) -> bool {
        self.retiring
    }

    /// Whether it has asked for a task that has not come yet.
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
    pub fn count(&self) -> u32 {
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

/// The sharing of a host's processor among its identities.
pub(in crate::service) trait SharedProcessor: Balanced {
    /// A Sybil reports to the first identity that it has work, once.
    fn report_work(&mut self, context: &mut AppContext<'_, Self>) {
        if let Some(first) = self.host().identities.first
            && self.is_queued()
            && !std::mem::replace(&mut self.host().identities.waiting, true)
        {
            context.send_local(first, Self::local(LocalMessage::HasWork));
        }
    }

    /// The first identity, without work of its own, asks a Sybil for a task.
    fn request_work(&mut self, context: &mut AppContext<'_, Self>) {
        let identities = &mut self.host().identities;
        if let Some(other) = identities.ready.first() {
            identities.waiting = true;
            context.send_local(*other, Self::local(LocalMessage::RequestWork));
        }
    }

    /// Dismisses all Sybils of the host that have joined. One that gets work while it joins reports the
    /// work first, and stays.
    fn dismiss_sybils(&mut self, context: &mut AppContext<'_, Self>) {
        let identities = &mut self.host().identities;
        let others = &identities.others;
        identities.ready.retain(|node| !others.contains(node));
        for other in identities.others.drain(..) {
            context.send_local(other, Self::local(LocalMessage::Dismissed));
        }
    }

    /// A dismissed Sybil hands over its items to its successor.
    fn retire(&mut self, context: &mut AppContext<'_, Self>) {
        if !self.host().identities.retiring {
            return;
        }
        if let Some(successor) = context.routing.replica_set(&context.id(), 1).first() {
            self.hand_over_all(context, *successor);
        }
        self.leave_if_safe(context);
    }

    /// A dismissed Sybil leaves when it has sent all results and other nodes own all its items.
    fn leave_if_safe(&mut self, context: &mut AppContext<'_, Self>) {
        if self.host().identities.retiring && self.is_safe_to_leave() {
            self.before_leave(context);
            context.leave();
        }
    }

    /// Handles a local message of `from`, another identity on the host.
    fn on_local(
        &mut self,
        context: &mut AppContext<'_, Self>,
        from: Node,
        local: LocalMessage<Self::Task>,
    ) {
        match local {
            LocalMessage::Joined => {
                let identities = &mut self.host().identities;
                identities.coming = identities.coming.saturating_sub(1);
                identities.others.push(from);
            }
            LocalMessage::HasWork => {
                self.host().identities.ready.push(from);
                self.work(context);
            }
            LocalMessage::RequestWork => {
                let task = self.next_task(context);
                self.host().identities.waiting = task.is_some();
                context.send_local(from, Self::local(LocalMessage::Assigned(task)));
            }
            LocalMessage::Assigned(task) => {
                self.host().identities.waiting = false;
                match task {
                    Some(task) => self.execute_lent(context, task, from),
                    None => self.host().identities.ready.retain(|node| *node != from),
                }
                self.work(context);
            }
            LocalMessage::Done(task) => self.on_executed(context, task),
            LocalMessage::Count => {
                let open = self.open();
                context.send_local(from, Self::local(LocalMessage::Counted(open)));
            }
            LocalMessage::Counted(open) => self.add_load(context, open),
            LocalMessage::LoadAsked(asker) => self.send_load(context, asker, from),
            LocalMessage::BusyTimeAsked(asker, speed) => {
                self.send_busy_time(context, asker, speed);
            }
            LocalMessage::Dismissed => {
                // The first identity has forgotten the report of this one.
                self.host().identities.waiting = false;
                if self.open() == 0 {
                    self.host().identities.retiring = true;
                    self.retire(context);
                } else {
                    context.send_local(from, Self::local(LocalMessage::StillBusy));
                    self.report_work(context);
                }
            }
            LocalMessage::StillBusy => self.host().identities.others.push(from),
        }
    }

    /// The identity `to` on the host has stopped and has not received `local`.
    fn on_local_failed(
        &mut self,
        context: &mut AppContext<'_, Self>,
        to: Node,
        local: LocalMessage<Self::Task>,
    ) {
        self.host().identities.forget(to);
        match local {
            LocalMessage::RequestWork => {
                self.host().identities.waiting = false;
                self.work(context);
            }
            LocalMessage::Done(task) => self.on_lender_gone(context, task),
            LocalMessage::Count => self.add_load(context, 0),
            _ => {}
        }
    }
}

impl<B: Balanced> SharedProcessor for B {}
