//! The lookups of the workload: when the next one is due, and its start at a member.

use super::Network;
use super::event::Event;
use super::routed_message::Payload;
use crate::engine::Instant;
use crate::overlay::{Application, GroundTruth};
use crate::workload::{Lookup, LookupPlan, MemberLookups};
use std::iter::Peekable;

/// What is to be looked up, and the event that is scheduled for it.
pub(super) struct Lookups {
    plan: Plan,
    /// When the event comes that is valid: others have been overtaken by a change of membership.
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
    /// Whether no lookup will come any more.
    pub(super) fn is_over(&mut self, now: Instant) -> bool {
        match &mut self.plan {
            Plan::Nothing => true,
            Plan::Evenly(plan) => plan.peek().is_none(),
            Plan::ByMembers(plan) => plan.is_over(now),
        }
    }

    /// When the next lookup is due as things stand.
    fn due(&mut self) -> Option<Instant> {
        match &mut self.plan {
            Plan::Nothing => None,
            Plan::Evenly(plan) => plan.peek().map(|lookup| lookup.time),
            Plan::ByMembers(plan) => plan.due(),
        }
    }

    /// The lookup that is due at `now`, if one is.
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
    /// Takes `plan` as what is to be looked up.
    pub fn plan_lookups(&mut self, plan: LookupPlan) {
        self.plan(Plan::Evenly(plan.peekable()));
    }

    /// Takes `plan` as what is to be looked up: its pace follows the honest members.
    pub fn plan_lookups_by_members(&mut self, mut plan: MemberLookups) {
        plan.set_members(self.now, self.honest().len());
        self.plan(Plan::ByMembers(Box::new(plan)));
    }

    fn plan(&mut self, plan: Plan) {
        self.lookups = Lookups {
            plan,
            wake: Instant::NEVER,
        };
        self.schedule_lookup();
    }

    /// Schedules the next lookup, unless an event comes before it is due: that one looks again.
    fn schedule_lookup(&mut self) {
        if let Some(due) = self.lookups.due()
            && due < self.lookups.wake
        {
            self.lookups.wake = due;
            self.queue.schedule(due, Event::Lookup);
        }
    }

    /// Somebody has become a member, or is none any more.
    pub(super) fn membership_changed(&mut self) {
        self.tally
            .members(self.now, self.member_index.nodes().len());
        if matches!(self.lookups.plan, Plan::ByMembers(_)) {
            let members = self.honest().len();
            if let Plan::ByMembers(plan) = &mut self.lookups.plan {
                plan.set_members(self.now, members);
            }
            self.schedule_lookup();
        }
    }

    /// The event of a lookup has come.
    pub(super) fn look_up(&mut self) {
        if self.now != self.lookups.wake {
            return;
        }
        self.lookups.wake = Instant::NEVER;
        if let Some(lookup) = self.lookups.take(self.now) {
            self.start_lookup(lookup);
        }
        self.schedule_lookup();
    }

    fn start_lookup(&mut self, lookup: Lookup) {
        self.tally.counts.lookups += 1;
        if let Some(interval) = self.tally.timeline.at(self.now) {
            interval.lookups += 1;
        }
        let members = self.honest();
        // The high bits choose, so that a draw picks alike in networks of like size.
        let place = (u128::from(lookup.source) * members.len() as u128) >> 64;
        if let Some(source) = members.get(place as usize) {
            self.route(*source, None, lookup.key, Payload::Lookup);
        } else {
            self.tally.failed(self.now, 0);
            self.record_lookup_of_nobody(lookup.key);
        }
    }
}
