//! Execution of a Sybil attack: Sybils join one after the other by the join protocol, learn from
//! their peers where to join next, and treat messages as the adversary sets.

use super::event::{Event, RoutedId};
use super::observer::{Misbehaviour, RouteId, Signal};
use super::routed_message::Payload;
use super::{Network, Travel};
use crate::adversary::{Behaviour, SybilPlacement};
use crate::engine::{Duration, Instant, Seed, Stream};
use crate::overlay::{
    Application, GroundTruth, LookupAlgorithm, MemberIndex, Members, NextHop, Node,
};
use crate::space::Key;
use std::net::Ipv4Addr;

/// Settings of an attack.
pub struct Attack {
    /// The placement of the Sybils.
    pub sybil_placement: SybilPlacement,
    /// The behaviour of the Sybils.
    pub behaviour: Behaviour,
    /// When the first Sybil joins.
    pub start: Instant,
    /// The time between two joins.
    pub gap: Duration,
    /// The site of the adversary's first address; the others follow.
    pub first_site: u32,
    /// Its addresses.
    pub addresses: Vec<Ipv4Addr>,
}

/// The state of the adversary in the network.
pub(super) struct Sybils {
    attack: Attack,
    /// Sybils that are joining.
    joining: Vec<Node>,
    /// Sybils that have joined and were asked for their peers; `next_asked` is the index of the one
    /// to be asked again.
    asked: Vec<Node>,
    next_asked: usize,
    /// The Sybils that are members.
    member_index: MemberIndex,
    /// The honest members: lookups start there.
    honest: MemberIndex,
    bootstraps: Stream,
}

/// Maximum number of accomplices that a Sybil knows around a key.
const ACCOMPLICES: usize = 40;

impl Sybils {
    pub(super) fn new(attack: Attack, honest: MemberIndex, seed: Seed) -> Self {
        Self {
            attack,
            joining: Vec::new(),
            asked: Vec::new(),
            next_asked: 0,
            member_index: MemberIndex::default(),
            honest,
            bootstraps: seed.stream("sybil-bootstrap", 0),
        }
    }

    /// The Sybils that are members.
    pub(super) fn members(&self) -> Members<'_> {
        self.member_index.nodes()
    }

    /// The honest members.
    pub(super) fn honest(&self) -> Members<'_> {
        self.honest.nodes()
    }

    /// The index of members to which a node belongs.
    fn member_index_of(&mut self, sybil: bool) -> &mut MemberIndex {
        if sybil {
            &mut self.member_index
        } else {
            &mut self.honest
        }
    }

    /// `node` with `id` has become a member.
    pub(super) fn enter(&mut self, id: Key, node: Node, sybil: bool) {
        self.member_index_of(sybil).insert(id, node);
    }

    /// `node` with `id` is no longer a member.
    pub(super) fn depart(&mut self, id: Key, node: Node, sybil: bool) {
        self.member_index_of(sybil).remove(&id, node);
    }

    /// The Sybils around `key` in ID order, at most `ACCOMPLICES`.
    fn around(&self, key: &Key) -> Vec<Node> {
        let nodes = self.member_index.nodes();
        if nodes.is_empty() {
            return Vec::new();
        }
        let count = nodes.len().min(ACCOMPLICES);
        let first = self.member_index.successor(key) + nodes.len() - count / 2;
        (first..first + count)
            .map(|place| nodes[place % nodes.len()])
            .collect()
    }
}

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Begins a Sybil attack. To be called when the initial nodes are members.
    pub fn attack(&mut self, attack: Attack) {
        self.queue.schedule(attack.start, Event::SybilJoin);
        let honest = self.state.member_index.clone();
        self.state.sybils = Some(Box::new(Sybils::new(attack, honest, self.setup.seed)));
    }

    /// Handles the turn of the next Sybil: the adversary learns what its Sybils know, and lets one
    /// more join if it knows a place for it.
    pub(super) fn sybil_join(&mut self) {
        let Some(mut sybils) = self.state.sybils.take() else {
            return;
        };
        self.learn_targets(&mut sybils);
        if let Some(identity) = sybils.attack.sybil_placement.next_identity() {
            let members = self.state.member_index.nodes();
            let bootstrap =
                (!members.is_empty()).then(|| members[sybils.bootstraps.index(members.len())]);
            let site = sybils.attack.first_site + identity.address;
            let state = P::new(&self.state.shared, &identity.id);
            let slot = self.wire.distances.slot(site);
            let node = self.add(identity.id, (site, slot), state);
            if let Some(address) = sybils.attack.addresses.get(identity.address as usize) {
                self.set_address(*address);
            }
            self.state.node_meta[node.index()].sybil = true;
            self.signal(Signal::Started(node));
            sybils.joining.push(node);
            self.state.sybils = Some(sybils);
            self.with_node(node, |state, context| state.join(context, bootstrap));
        } else {
            self.state.sybils = Some(sybils);
        }
        if let Some(sybils) = &self.state.sybils
            && !sybils.attack.sybil_placement.is_over()
        {
            let next = self.state.now + sybils.attack.gap;
            self.queue.schedule(next, Event::SybilJoin);
        }
    }

    /// The adversary learns the honest peers of new Sybils and of one earlier Sybil.
    fn learn_targets(&self, sybils: &mut Sybils) {
        let sybil_placement = &mut sybils.attack.sybil_placement;
        let mut listen = |node: Node| {
            self.node(node).each_peer(&mut |peer| {
                if !self.is_sybil(peer) {
                    sybil_placement.learn_node(self.state.ids.id(peer));
                }
            });
        };
        let asked = &mut sybils.asked;
        sybils.joining.retain(|node| {
            let is_member = self.is_member(*node);
            if is_member {
                listen(*node);
                asked.push(*node);
            }
            !is_member
        });
        if !asked.is_empty() {
            sybils.next_asked = (sybils.next_asked + 1) % asked.len();
            listen(asked[sybils.next_asked]);
        }
    }

    /// Applies the misbehaviour of the Sybil `node` to a routed message that has reached it; false
    /// if the node handles the message correctly.
    pub(super) fn misbehave(&mut self, node: Node, id: RoutedId) -> bool {
        let Some(behaviour) = self
            .state
            .sybils
            .as_ref()
            .map(|sybils| sybils.attack.behaviour)
        else {
            return false;
        };
        let routed = self.router.in_flight.get_mut(id);
        let is_lookup = matches!(routed.payload, Payload::Lookup);
        routed.intercepted |= is_lookup;
        let (origin, last) = (routed.origin, routed.last);
        // Sybils do not attack each other.
        if self.is_sybil(origin) {
            return false;
        }
        let iterative = self.setup.travel == Travel::Iterative;
        let misbehaviour = match behaviour {
            Behaviour::Drop => Some(Misbehaviour::Drop),
            Behaviour::Misroute if !last => Some(Misbehaviour::Misroute),
            Behaviour::Observe | Behaviour::Forge | Behaviour::Misroute => None,
        };
        if let Some(misbehaviour) = misbehaviour {
            self.signal(Signal::Misbehaved {
                route: RouteId(id),
                node,
                misbehaviour,
            });
        }
        match behaviour {
            Behaviour::Observe | Behaviour::Forge => false,
            // An initiator that waits for an answer times out and tries another node; a forwarding
            // node does not wait.
            Behaviour::Drop if iterative && (!last || is_lookup) => {
                self.bounce_back(id);
                true
            }
            Behaviour::Drop => {
                self.fail(id);
                true
            }
            Behaviour::Misroute if last => false,
            Behaviour::Misroute if iterative => {
                self.send_next_hop_reply(node, id, NextHop::Root);
                true
            }
            Behaviour::Misroute => {
                self.deliver(node, node, id);
                true
            }
        }
    }

    /// The reply of the Sybil `node` to `request` of `from`: `None` if it does not reply, and
    /// `honest` unless it misroutes a lookup request.
    pub(super) fn misbehave_on_request(
        &self,
        node: Node,
        from: Node,
        request: &P::Message,
        honest: P::Message,
    ) -> Option<P::Message> {
        let (Some(sybils), Some(key)) = (&self.state.sybils, P::Lookups::target(request)) else {
            return Some(honest);
        };
        if self.is_sybil(from) {
            return Some(honest);
        }
        match sybils.attack.behaviour {
            Behaviour::Observe | Behaviour::Forge => Some(honest),
            Behaviour::Drop => None,
            Behaviour::Misroute => {
                let mut accomplices = sybils.around(&key);
                accomplices.retain(|accomplice| *accomplice != node);
                let id = |node: &Node| self.state.ids.id(*node);
                accomplices
                    .sort_by(|a, b| P::cmp_closeness(&self.state.shared, &key, &id(a), &id(b)));
                Some(P::Lookups::reply(&self.state.shared, &accomplices).unwrap_or(honest))
            }
        }
    }

    /// Whether `node` is a Sybil that drops the messages of the application on `from`.
    pub(super) fn drops_from(&self, node: Node, from: Node) -> bool {
        self.is_sybil(node)
            && !self.is_sybil(from)
            && self
                .state
                .sybils
                .as_ref()
                .is_some_and(|sybils| sybils.attack.behaviour == Behaviour::Drop)
    }

    /// Whether the application messages that `node` sends or forwards are altered.
    pub(super) fn forges(&self, node: Node) -> bool {
        self.is_sybil(node)
            && self
                .state
                .sybils
                .as_ref()
                .is_some_and(|sybils| sybils.attack.behaviour == Behaviour::Forge)
    }

    /// Alters an application message that `node` sends or forwards, if `node` is a forging Sybil. A
    /// message is altered only once, because a second alteration could undo the first.
    pub(super) fn forge(&mut self, node: Node, id: RoutedId) {
        if !self.forges(node) {
            return;
        }
        let routed = self.router.in_flight.get_mut(id);
        if let Payload::Message(message) = &mut routed.payload
            && !std::mem::replace(&mut routed.forged, true)
        {
            A::forge(message);
        }
    }
}
