//! The lookups of a node: those that are requested, on one or several paths, and those of its own
//! maintenance.

use super::{Goal, Kademlia, KademliaParameters, Lookup, Message, Near, Purpose, Subtree};
use crate::overlay::{Context, LookupAlgorithm, LookupHandle, Node};
use crate::space::Key;

/// A lookup in progress, and its reason.
#[derive(Clone, Debug)]
pub(super) struct ActiveLookup {
    number: u32,
    reason: Reason,
    pub lookup: Lookup,
    /// This path is complete, but other paths of the same lookup are not.
    over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// A requested lookup.
    Requested(LookupHandle),
    /// To find the node's own place.
    Join,
    /// To refresh a bucket.
    Refresh,
}

impl Kademlia {
    /// Starts a lookup of `key`, with `first` or else the nearest contacts.
    pub(super) fn start(
        &mut self,
        context: &mut Context<'_, Self>,
        key: Key,
        reason: Reason,
        first: Option<Node>,
    ) -> u32 {
        let (shared, ids) = (context.shared, context.ids);
        let goal = match reason {
            _ if shared.beta > 0 => Goal::NodesAfter(shared.beta),
            Reason::Requested(_) => Goal::Root,
            Reason::Join | Reason::Refresh => Goal::Nodes,
        };
        if let (Some(refresh), Some(subtree)) = (
            shared.refresh.span(),
            Subtree::at(self.id.xor(key), shared.b),
        ) {
            self.buckets.put_off(subtree, context.now + refresh);
        }
        let contacts = match first {
            Some(first) => vec![first],
            None => self.closest(shared, ids, &key),
        };
        let paths = match reason {
            Reason::Requested(_) => shared.paths.min(contacts.len()).max(1),
            Reason::Join | Reason::Refresh => 1,
        };
        for path in 0..paths {
            let me = (context.me, self.id);
            let mut lookup = Lookup::new(me, key, goal, 2 * shared.k / paths);
            let dealt = contacts.iter().copied().skip(path).step_by(paths);
            lookup.add_candidates(|node| ids.id(node), dealt);
            self.started = self.started.wrapping_add(1);
            self.lookups.push(ActiveLookup {
                number: self.started,
                reason,
                lookup,
                over: false,
            });
        }
        let last = self.started;
        for number in (0..paths as u32).rev().map(|back| last.wrapping_sub(back)) {
            if let Some(place) = self.active_lookup(number) {
                self.go_on(context, place);
            }
        }
        last
    }

    /// Sends the next requests of the lookup at `place`, or ends it.
    pub(super) fn go_on(&mut self, context: &mut Context<'_, Self>, place: usize) {
        let k = context.shared.k;
        let ActiveLookup {
            number,
            reason,
            over,
            ..
        } = self.lookups[place];
        if over {
            return;
        }
        let handle = match reason {
            Reason::Requested(handle) => Some(handle),
            Reason::Join | Reason::Refresh => None,
        };
        while let Some(node) = self.next_to_ask(context.shared, place) {
            if self.is_asked_elsewhere(place, node) {
                self.lookups[place].lookup.failed(node);
                continue;
            }
            let message = Message::FindNode(*self.lookups[place].lookup.key());
            context.request(node, message, Purpose::Step(number, handle));
        }
        if !self.lookups[place].lookup.is_over(k) {
            return;
        }
        if let Some(handle) = handle {
            self.lookups[place].over = true;
            self.finish_lookup(context, handle);
            return;
        }
        let lookup = self.lookups.swap_remove(place).lookup;
        match reason {
            Reason::Join if lookup.nearest().next().is_none() => context.rejoin(),
            Reason::Join => self.complete_join(context),
            Reason::Requested(_) | Reason::Refresh => {}
        }
    }

    /// The next node that the lookup at `place` asks, if any.
    fn next_to_ask(&mut self, shared: &KademliaParameters, place: usize) -> Option<Node> {
        let (k, alpha) = (shared.k, shared.alpha);
        let lookup = &mut self.lookups[place].lookup;
        match &self.round_trips {
            Some(known) if shared.near == Near::Prs => {
                lookup.ask_in_order((k, alpha), |one, other| known.cmp(one, other))
            }
            _ => lookup.ask(k, alpha),
        }
    }

    /// Whether another path of the same lookup has asked `node`.
    fn is_asked_elsewhere(&self, place: usize, node: Node) -> bool {
        let ActiveLookup { number, reason, .. } = self.lookups[place];
        matches!(reason, Reason::Requested(_))
            && self.lookups.iter().any(|other| {
                other.reason == reason && other.number != number && other.lookup.has_asked(node)
            })
    }

    /// Ends a requested lookup once all its paths are complete: the root is the nearest node that
    /// any of them has found.
    fn finish_lookup(&mut self, context: &mut Context<'_, Self>, handle: LookupHandle) {
        let reason = Reason::Requested(handle);
        let mut paths = self.lookups.iter().filter(|path| path.reason == reason);
        if paths.any(|path| !path.over) {
            return;
        }
        let paths = self.lookups.iter().filter(|path| path.reason == reason);
        let roots = paths.map(|path| (path.lookup.key(), path.lookup.root()));
        let root = roots.min_by_key(|(key, root)| (context.ids.id(*root).xor(**key), *root));
        let root = root.map(|(_, root)| root);
        self.lookups.retain(|path| path.reason != reason);
        context.found(handle, root);
    }

    pub(super) fn active_lookup(&self, number: u32) -> Option<usize> {
        let mut lookups = self.lookups.iter();
        lookups.position(|active_lookup| active_lookup.number == number)
    }
}

/// The node lookup of section 2.3: requests to the known nodes nearest to the key.
#[derive(Clone, Copy, Debug)]
pub struct NodeLookup;

impl LookupAlgorithm<Kademlia> for NodeLookup {
    const IS_OWN: bool = true;

    fn look_up(
        state: &mut Kademlia,
        context: &mut Context<'_, Kademlia>,
        key: &Key,
        handle: LookupHandle,
    ) {
        state.start(context, *key, Reason::Requested(handle), None);
    }

    fn lookup_of(purpose: &Purpose) -> Option<LookupHandle> {
        match purpose {
            Purpose::Step(_, handle) => *handle,
            Purpose::Ping(_) | Purpose::Measure | Purpose::Check => None,
        }
    }

    fn target(request: &Message) -> Option<Key> {
        match request {
            Message::FindNode(key) => Some(*key),
            _ => None,
        }
    }

    fn reply(shared: &KademliaParameters, nodes: &[Node]) -> Option<Message> {
        let named = &nodes[..nodes.len().min(shared.k)];
        Some(Message::Nodes(named.into()))
    }
}
