//! Which nodes become contacts: those that were seen, those that have proved that they reply, and
//! not too many of one group of addresses.

use super::{
    Admission, Contact, Eviction, Kademlia, KademliaParameters, Message, Near, Purpose, Seen,
    Subtree,
};
use crate::engine::{Duration, Instant};
use crate::overlay::{Context, Node, NodeIds};

/// How a node was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sighting {
    /// It has sent a message or a request.
    Message,
    /// It has sent a ping: a ping from an unknown sender causes no further ping, or else pings would
    /// follow each other without end.
    Ping,
    /// It has replied to a request.
    Reply,
    /// It has replied to a ping.
    Pong,
}

impl Sighting {
    fn is_by_ping(self) -> bool {
        matches!(self, Self::Ping | Self::Pong)
    }

    fn is_reply(self) -> bool {
        matches!(self, Self::Reply | Self::Pong)
    }
}

impl Kademlia {
    /// Records a node that was seen at `now`.
    pub(super) fn learn(
        &mut self,
        shared: &KademliaParameters,
        ids: &NodeIds,
        node: Node,
        now: Instant,
    ) -> Seen {
        if shared.limits_groups(&self.id) && self.is_group_full(shared, ids, node) {
            return Seen::Full { ping: None };
        }
        let id = ids.id(node);
        let due = now + shared.refresh.span().unwrap_or(Duration::ZERO);
        self.buckets
            .see(shared.bounds(), self.id.xor(id), &id, node, due)
    }

    /// Records that a message from `node` has arrived.
    pub(super) fn note_contact(
        &mut self,
        context: &mut Context<'_, Self>,
        node: Node,
        sighting: Sighting,
    ) {
        let shared = context.shared;
        if shared.admission != Admission::Messages
            && !sighting.is_reply()
            && !self.knows(shared, context.ids, node)
        {
            if shared.admission == Admission::Checked
                && !sighting.is_by_ping()
                && self.has_place(shared, context.ids, node)
            {
                context.request(node, Message::Ping, Purpose::Check);
            }
            return;
        }
        match self.learn(shared, context.ids, node, context.now) {
            Seen::Added => context.update(),
            Seen::Full { ping: Some(oldest) }
                if shared.eviction == Eviction::Ping
                    && shared.near != Near::Pns
                    && !sighting.is_by_ping() =>
            {
                let distance = self.distance(context.ids, oldest);
                self.buckets.set_pinging(shared.b, distance, true);
                context.request(oldest, Message::Ping, Purpose::Ping(node));
            }
            Seen::Full { .. } if shared.near == Near::Pns && !sighting.is_by_ping() => {
                self.compete(context, node);
            }
            Seen::Full { .. } | Seen::Known | Seen::OwnId => {}
        }
    }

    fn knows(&self, shared: &KademliaParameters, ids: &NodeIds, node: Node) -> bool {
        let distance = self.distance(ids, node);
        let mut contacts = self.buckets.contacts_at(shared.b, distance).iter();
        contacts.any(|contact| contact.node() == node)
    }

    /// Whether `node`, which is not known, would become a contact.
    fn has_place(&self, shared: &KademliaParameters, ids: &NodeIds, node: Node) -> bool {
        let (bounds, distance) = (shared.bounds(), self.distance(ids, node));
        let Some(subtree) = Subtree::at(distance, shared.b) else {
            return false;
        };
        let contacts = self.buckets.contacts_at(shared.b, distance);
        let mut failures = contacts.iter().map(|contact| contact.failures());
        let has_place = contacts.len() < bounds.capacity(subtree.level())
            || failures.any(|failures| failures >= bounds.stale);
        has_place && !(shared.limits_groups(&self.id) && self.is_group_full(shared, ids, node))
    }

    /// Whether the group of `node`, which is not known, has as many contacts and replacements as it
    /// may. O(contacts).
    fn is_group_full(&self, shared: &KademliaParameters, ids: &NodeIds, node: Node) -> bool {
        let group = ids.group(node, shared.group_bits);
        let near = self.buckets.entries_at(shared.b, self.distance(ids, node));
        if near.iter().any(|contact| contact.node() == node) {
            return false;
        }
        let of = |entry: &Contact| ids.group(entry.node(), shared.group_bits);
        let all = self.buckets.entries().iter().map(of);
        shared.is_group_full(group, near.iter().map(of), all)
    }
}
