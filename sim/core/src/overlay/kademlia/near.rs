//! Contacts that are near: proximity neighbour selection, and proximity route selection.

use super::{Kademlia, Message, Purpose};
use crate::engine::Duration;
use crate::overlay::{Context, Node};
use rustc_hash::FxHashMap;
use std::cmp::Ordering;

/// The last measured round trips of nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct RoundTrips(FxHashMap<Node, Duration>);

/// Number of round trips at which a node forgets all of them, and measures anew those it needs.
const MOST: usize = 4096;

impl RoundTrips {
    pub fn measured(&mut self, node: Node, time: Duration) {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert(node, time);
    }

    fn of(&self, node: Node) -> Option<Duration> {
        self.0.get(&node).copied()
    }

    /// Compares two nodes by their round trips, the shortest first and unknown ones last.
    pub fn cmp(&self, one: Node, other: Node) -> Ordering {
        let time = |node| {
            let known = self.of(node);
            (known.is_none(), known)
        };
        time(one).cmp(&time(other))
    }
}

impl Kademlia {
    /// `node` competes with the contacts of its full bucket: it replaces the one with the longest
    /// round trip if its own is shorter. A round trip that is not known is measured first.
    pub(super) fn compete(&mut self, context: &mut Context<'_, Self>, node: Node) {
        let (bounds, distance) = (context.shared.bounds(), self.distance(context.ids, node));
        let known = self.round_trips.get_or_insert_default();
        let rivals = self.buckets.contacts_at(bounds.b, distance);
        if rivals.len() < bounds.k || rivals.iter().any(|rival| rival.node() == node) {
            return;
        }
        let Some(own) = known.of(node) else {
            context.request(node, Message::Ping, Purpose::Measure);
            return;
        };
        let unknown = rivals.iter().find(|rival| known.of(rival.node()).is_none());
        if let Some(unknown) = unknown {
            context.request(unknown.node(), Message::Ping, Purpose::Measure);
            return;
        }
        let farthest = rivals
            .iter()
            .max_by_key(|rival| (known.of(rival.node()), rival.node()));
        if let Some(farthest) = farthest
            && known.of(farthest.node()) > Some(own)
        {
            let farthest = farthest.node();
            let distance = self.distance(context.ids, farthest);
            self.buckets.evict(bounds, distance, farthest);
            let seen = self.learn(context.shared, context.ids, node, context.now);
            if seen == super::Seen::Added {
                context.update();
            }
        }
    }
}
