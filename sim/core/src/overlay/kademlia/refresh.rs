//! Refreshing buckets: after a join, and when they are due.

use super::node_lookup::Reason;
use super::{Kademlia, Subtree, Timer};
use crate::overlay::{Context, Overlay};

impl Kademlia {
    /// The node knows its neighbours: it becomes a member, and refreshes all buckets farther away
    /// than its nearest neighbour (section 2.3).
    pub(super) fn complete_join(&mut self, context: &mut Context<'_, Self>) {
        if self.joined {
            return;
        }
        self.maintain(context);
        context.joined();
        let b = context.shared.b;
        let nearest = self.closest(context.shared, context.ids, &self.id);
        let Some(nearest) = nearest
            .first()
            .map(|node| self.distance(context.ids, *node))
        else {
            return;
        };
        let Some(nearest) = Subtree::at(nearest, b) else {
            return;
        };
        for level in 0..=nearest.level() {
            let first = if level == nearest.level() {
                nearest.digit() + 1
            } else {
                1
            };
            for digit in first..1 << b {
                self.refresh(context, Subtree::new(level, digit));
            }
        }
    }

    /// Looks up a random key in `subtree`.
    fn refresh(&mut self, context: &mut Context<'_, Self>, subtree: Subtree) {
        let distance = subtree.random(context.shared.b, context.random);
        self.buckets.ensure(subtree, context.now);
        self.start(context, self.id.xor(distance), Reason::Refresh, None);
    }

    /// Refreshes the buckets that are due, and sets the timer for the next one.
    pub(super) fn refresh_due(&mut self, context: &mut Context<'_, Self>) {
        let (now, Some(period)) = (context.now, context.shared.refresh.span()) else {
            return;
        };
        let due: Vec<Subtree> = self
            .buckets
            .dues()
            .filter(|(_, due)| **due <= now)
            .map(|(subtree, _)| subtree)
            .collect();
        for subtree in due {
            self.refresh(context, subtree);
        }
        if self.own_due <= now {
            self.own_due = now + period;
            self.start(context, self.id, Reason::Refresh, None);
        }
        let next = self.buckets.dues().map(|(_, due)| *due).min();
        let next = next.map_or(self.own_due, |next| next.min(self.own_due));
        context.set_timer(next.since(now), Timer::Refresh);
    }
}
