//! The lookups of the workload: when the next one is due, and its start at a member.

use super::Network;
use super::event::Event;
use super::observer::Signal;
use super::routed_message::Payload;
use crate::engine::Instant;
use crate::overlay::{Application, GroundTruth};
use crate::workload::{Lookup, LookupPlan, MemberLookups};
use std::iter::Peekable;

/// The planned lookups, and the scheduled event of the next one.
pub(super) struct Lookups {
    plan: Plan,
    /// Time of the valid event: a change of membership makes earlier events invalid.
    wake: Instant,
}

enum Plan {
    Nothing,
    Evenly(Peekable<LookupPlan>),
    ByMembers(Box<MemberLookups>),
}

impl Default for Lookups {
    fn default() -> Self {
        Self {
            plan: Plan::Nothing,
            wake: Instant::NEVER,
        }
    }
}

impl Lookups {
    /// Whether no lookup is left.
    pub(super) fn is_over(&mut self, now: Instant) -> bool {
        match &mut self.plan {
            Plan::Nothing => true,
            Plan::Evenly(plan) => plan.peek().is_none(),
            Plan::ByMembers(plan) => plan.is_over(now),
        }
    }

    /// When the next lookup is due at the current membership.
    fn due(&mut self) -> Option<Instant> {
        match &mut self.plan {
            Plan::Nothing => None,
            Plan::Evenly(plan) => plan.peek().map(|lookup| lookup.time),
            Plan::ByMembers(plan) => plan.due(),
        }
    }

    /// The lookup that is due at `now`, if there is one.
    fn take(&mut self, now: Instant) -> Option<Lookup> {
        let is_due = self.due().is_some_and(|due| due <= now);
        match &mut self.plan {
            Plan::Evenly(plan) if is_due => plan.next(),
            Plan::ByMembers(plan) if is_due => Some(plan.take(now)),
            _ => None,
        }
    }
}

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Sets the plan of lookups.
    pub fn plan_lookups(&mut self, plan: LookupPlan) {
        self.plan(Plan::Evenly(plan.peekable()));
    }

    /// Sets the plan of lookups whose rate follows the number of honest members.
    pub fn plan_lookups_by_members(&mut self, mut plan: MemberLookups) {
        plan.set_members(self.state.now, self.initiators());
        self.plan(Plan::ByMembers(Box::new(plan)));
    }

    fn plan(&mut self, plan: Plan) {
        self.router.lookups = Lookups {
            plan,
            wake: Instant::NEVER,
        };
        self.schedule_lookup();
    }

    /// Schedules the next lookup, unless an event is due before it: that event reschedules.
    fn schedule_lookup(&mut self) {
        if let Some(due) = self.router.lookups.due()
            && due < self.router.lookups.wake
        {
            self.router.lookups.wake = due;
            self.queue.schedule(due, Event::Lookup);
        }
    }

    /// A node has become a member, or has ceased to be one.
    pub(super) fn membership_changed(&mut self) {
        self.signal(Signal::MembersChanged);
        if matches!(self.router.lookups.plan, Plan::ByMembers(_)) {
            let members = self.initiators();
            if let Plan::ByMembers(plan) = &mut self.router.lookups.plan {
                plan.set_members(self.state.now, members);
            }
            self.schedule_lookup();
        }
    }

    /// Handles the event of a lookup.
    pub(super) fn look_up(&mut self) {
        if self.state.now != self.router.lookups.wake {
            return;
        }
        self.router.lookups.wake = Instant::NEVER;
        if let Some(lookup) = self.router.lookups.take(self.state.now) {
            self.start_lookup(lookup);
        }
        self.schedule_lookup();
    }

    /// Number of nodes at which lookups start: honest members and clients.
    fn initiators(&self) -> usize {
        self.honest().len() + self.population.clients.nodes().len()
    }

    fn start_lookup(&mut self, lookup: Lookup) {
        let members = self.honest();
        // The high bits choose, so a draw picks a similar position in networks of similar size.
        let place = (u128::from(lookup.source) * self.initiators() as u128) >> 64;
        let place = place as usize;
        let has_begun = if let Some(source) = members.get(place) {
            self.route(*source, None, lookup.key, Payload::Lookup);
            true
        } else {
            let client = self
                .population
                .clients
                .nodes()
                .get(place - members.len())
                .copied();
            client.is_some_and(|client| self.look_up_as_client(client, lookup.key))
        };
        if !has_begun {
            self.signal(Signal::LookupWithoutMember(lookup.key));
        }
    }
}
