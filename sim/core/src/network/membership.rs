//! Membership: joins, departures, and the current node of each participant of the churn.

use super::clients::Clients;
use super::event::Event;
use super::observer::Signal;
use super::{Network, NodeMeta};
use crate::churn::{Change, ChurnPlan, Rejoin, RejoinState, Step};
use crate::engine::{Duration, Instant, Seed, Stream};
use crate::overlay::{Application, GroundTruth, IdRule, Node, RootIndex};
use crate::space::Key;
use crate::underlay::{Host, Slot};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The participants, each on its own site, and their churn plan.
pub(super) struct Population {
    participants: Vec<Participant>,
    plan: Option<ChurnPlan>,
    planned: Option<Step>,
    rejoin: Rejoin,
    state: RejoinState,
    growth: Option<LateHosts>,
    id_rule: IdRule,
    ids: Stream,
    bootstraps: Stream,
    /// The mean time between two contacts of a member with a random one.
    meetings: Option<Duration>,
    meetings_stream: Stream,
    /// There were members, and the last one has departed.
    extinct: bool,
    pub clients: Clients,
    /// The co-located identities that each node has created on its host.
    colocated: BTreeMap<Node, Vec<Node>>,
}

/// The participant of a site.
#[derive(Clone, Copy, Default)]
struct Participant {
    /// Its running node, if there is one.
    node: Option<Node>,
    /// Its first node.
    first: Option<Node>,
}

/// The hosts of participants beyond the planned ones.
struct LateHosts {
    /// The first of these participants.
    from: u32,
    hosts: Box<dyn Iterator<Item = Host>>,
    slots: Vec<Slot>,
}

impl Population {
    pub(super) fn new(seed: Seed) -> Self {
        Self {
            participants: Vec::new(),
            plan: None,
            planned: None,
            rejoin: Rejoin::NewId,
            state: RejoinState::Lost,
            growth: None,
            id_rule: IdRule::default(),
            ids: seed.stream("rejoining-ids", 0),
            bootstraps: seed.stream("bootstrap", 0),
            meetings: None,
            meetings_stream: seed.stream("meetings", 0),
            extinct: false,
            clients: Clients::new(seed),
            colocated: BTreeMap::new(),
        }
    }

    pub(super) fn is_extinct(&self) -> bool {
        self.extinct
    }

    /// The number that decides the address of a participant. Those that make the network grow have
    /// numbers of their own: other nodes' sites may have theirs.
    fn address_number(&self, participant: u32) -> u32 {
        match &self.growth {
            Some(growth) if participant >= growth.from => u32::MAX - participant,
            _ => participant,
        }
    }

    fn participant(&mut self, site: u32) -> &mut Participant {
        let place = site as usize;
        if self.participants.len() <= place {
            self.participants.resize(place + 1, Participant::default());
        }
        &mut self.participants[place]
    }
}

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Schedules a join: a node with `id` on `site` joins at `time` through a random member.
    pub fn join_at(&mut self, time: Instant, id: Key, site: u32) {
        self.queue.schedule(time, Event::Join { id, site });
    }

    /// Sets the rule for the addresses of nodes and for the IDs of participants that join later; uniform
    /// addresses and random IDs by default. To be called before the first node is added.
    pub fn assign_ids_by(&mut self, id_rule: IdRule) {
        self.population.id_rule = id_rule;
    }

    /// Sets the churn plan; the participants are the sites. A participant rejoins as `rejoin` sets
    /// and, if it is the same node, with or without its state.
    pub fn plan_churn(&mut self, plan: ChurnPlan, rejoin: Rejoin, state: RejoinState) {
        self.population.plan = Some(plan);
        self.population.rejoin = rejoin;
        self.population.state = state;
        self.plan_next_change();
    }

    /// Participants from number `from` on, which have no site yet, get the `hosts` in order. Other
    /// nodes' sites may have these numbers.
    pub fn grow_onto(&mut self, from: u32, hosts: Box<dyn Iterator<Item = Host>>) {
        self.population.growth = Some(LateHosts {
            from,
            hosts,
            slots: Vec::new(),
        });
    }

    /// How many participants more than hosts a growing network has had: their hosts have several
    /// nodes, even if placement was to be distinct.
    pub fn participants_beyond_hosts(&self) -> usize {
        let growth = self.population.growth.as_ref();
        let participants = growth.map_or(0, |growth| growth.from as usize + growth.slots.len());
        participants.saturating_sub(self.wire.distances.hosts())
    }

    /// The slot of a participant's host in the distances.
    fn slot_of(&mut self, participant: u32) -> Slot {
        match &mut self.population.growth {
            Some(growth) if participant >= growth.from => {
                let place = (participant - growth.from) as usize;
                while growth.slots.len() <= place {
                    let host = growth.hosts.next().expect("hosts without an end");
                    growth.slots.push(self.wire.distances.add(host));
                    if let Some(costs) = &mut self.wire.costs {
                        costs.add(host);
                    }
                }
                growth.slots[place]
            }
            _ => self.wire.distances.slot(participant),
        }
    }

    fn plan_next_change(&mut self) {
        self.population.planned = self.population.plan.as_mut().and_then(Iterator::next);
        if let Some(step) = self.population.planned {
            self.queue.schedule(step.time, Event::Churn);
        }
    }

    /// Applies the planned change, and schedules the next one.
    pub(super) fn churn(&mut self) {
        let Some(step) = self.population.planned else {
            return;
        };
        let running = self.population.participant(step.participant).node;
        match (step.change, running) {
            (Change::Join, None) => {
                let first = self.population.participant(step.participant).first;
                match (self.population.rejoin, first) {
                    (Rejoin::SameId, Some(node)) => self.restart(node),
                    _ => {
                        let (id_rule, seed) = (self.population.id_rule, self.setup.seed);
                        let number = self.population.address_number(step.participant);
                        let id = id_rule.id(seed, number, &mut self.population.ids);
                        self.join(id, step.participant);
                    }
                }
            }
            (Change::Leave, Some(node)) => self.leave(node),
            (Change::Crash, Some(node)) => self.crash(node),
            // It is already online, or already offline.
            (Change::Join, Some(_)) | (Change::Leave | Change::Crash, None) => {}
        }
        self.plan_next_change();
    }

    /// `node` stops at once without notice; the identities that it has created on its host stop
    /// with it.
    pub fn crash(&mut self, node: Node) {
        self.stop(node, false);
    }

    /// `node` notifies its peers and stops.
    pub fn leave(&mut self, node: Node) {
        if self.is_alive(node) {
            self.with_node(node, |state, context| state.leave(context));
            self.stop(node, true);
        }
    }

    /// `node` stops, gracefully if `gracefully`.
    fn stop(&mut self, node: Node, gracefully: bool) {
        let meta = &mut self.state.node_meta[node.index()];
        if !std::mem::replace(&mut meta.alive, false) {
            return;
        }
        meta.session += 1;
        let (site, sybil) = (meta.site, meta.sybil);
        let member = std::mem::replace(&mut meta.member, false);
        let others = self.population.colocated.remove(&node).unwrap_or_default();
        others.into_iter().for_each(|other| self.crash(other));
        let mut comes_back = false;
        if !sybil {
            let same_id = self.population.rejoin == Rejoin::SameId;
            let participant = self.population.participant(site);
            // Co-located identities do not count as the participant.
            if participant.node == Some(node) {
                participant.node = None;
                comes_back = same_id;
            }
        }
        let id = self.state.ids.id(node);
        if member {
            self.state.member_index.remove(&id, node);
            self.state.index.depart(node);
            if let Some(sybils) = &mut self.state.sybils {
                sybils.depart(id, node, sybil);
            }
            self.membership_changed();
            self.population.extinct = self.state.member_index.nodes().is_empty();
        }
        if comes_back && self.population.state == RejoinState::Kept {
            self.state.applications[node.index()].on_pause(self.state.now, &mut self.state.metrics);
        } else {
            // Frees the memory of its state.
            self.state.nodes[node.index()] = P::new(&self.state.shared, &id);
            let fresh = self.application_for(node, site);
            let mut gone = std::mem::replace(&mut self.state.applications[node.index()], fresh);
            gone.on_stop(self.state.now, &mut self.state.metrics);
        }
        self.host_online(node, false);
        self.remove_client(node);
        self.signal(Signal::Stopped {
            node,
            gracefully,
            was_member: member,
        });
        for handle in self.router.in_flight.overlay_lookups_of(node) {
            self.fail(handle);
        }
    }

    /// Adds a node of `state` at `site`, with its distances at `slot`; it is not a member yet.
    pub(super) fn add(&mut self, id: Key, (site, slot): (u32, Slot), state: P) -> Node {
        let node = self.state.ids.add(id);
        if P::uses_addresses(&self.state.shared) {
            let number = self.population.address_number(site);
            let address = self.population.id_rule.address(self.setup.seed, number);
            self.state.ids.set_address(address);
        }
        let index = u64::from(node.0);
        self.state.nodes.push(state);
        self.state.node_meta.push(NodeMeta {
            slot,
            site,
            alive: true,
            member: false,
            sybil: false,
            session: 0,
        });
        let application = self.application_for(node, site);
        self.state.applications.push(application);
        self.handlers
            .random
            .push(self.setup.seed.stream("node", index));
        self.host_online(node, true);
        node
    }

    fn application_for(&self, node: Node, site: u32) -> A {
        // Each session has its own random stream.
        let session = u64::from(self.state.node_meta[node.index()].session);
        let index = session << 32 | u64::from(node.0);
        let stream = self.setup.seed.stream("application", index);
        A::new(&self.state.service, site, stream)
    }

    /// Adds a node of `state` for the participant `site`.
    pub(super) fn register(&mut self, id: Key, site: u32, state: P) -> Node {
        let slot = self.slot_of(site);
        let node = self.add(id, (site, slot), state);
        let participant = self.population.participant(site);
        participant.node = Some(node);
        participant.first.get_or_insert(node);
        node
    }

    /// Restarts `node`, which has stopped: to all others it is the same node. It joins as a new
    /// node if it has lost its state, and resumes otherwise.
    fn restart(&mut self, node: Node) {
        let bootstrap = self.bootstrap();
        let meta = &mut self.state.node_meta[node.index()];
        meta.alive = true;
        let site = meta.site;
        self.host_online(node, true);
        self.population.participant(site).node = Some(node);
        if let Some(busy) = self.services.busy.get_mut(node.index()) {
            *busy = self.state.now;
        }
        self.signal(Signal::Started(node));
        if self.enter_if_client(node) {
            return;
        }
        if self.population.state == RejoinState::Lost {
            self.with_node(node, |state, context| state.join(context, bootstrap));
            return;
        }
        self.with_node(node, |state, context| state.resume(context, bootstrap));
        if self.is_member(node) {
            // Others may have joined meanwhile.
            self.upcall(node, |application, context| application.update(context));
        }
    }

    /// A node with `id` starts on `site` and begins to join.
    pub(super) fn join(&mut self, id: Key, site: u32) {
        let bootstrap = self.bootstrap();
        let node = self.register(id, site, P::new(&self.state.shared, &id));
        self.signal(Signal::Started(node));
        if self.enter_if_client(node) {
            return;
        }
        self.with_node(node, |state, context| state.join(context, bootstrap));
    }

    /// A node with `id` that is no participant of the churn starts on `site`, one of the hosts that the
    /// network was built on, and begins to join. Nodes of one site have one IPv4 address.
    pub fn join_apart(&mut self, id: Key, site: u32) -> Node {
        let bootstrap = self.bootstrap();
        let slot = self.wire.distances.slot(site);
        let node = self.add(id, (site, slot), P::new(&self.state.shared, &id));
        self.set_address(self.population.id_rule.address(self.setup.seed, site));
        self.signal(Signal::Started(node));
        self.with_node(node, |state, context| state.join(context, bootstrap));
        node
    }

    /// Sets the address of the node that was added last, if nodes have addresses.
    pub(super) fn set_address(&mut self, address: Ipv4Addr) {
        if P::uses_addresses(&self.state.shared) {
            self.state.ids.set_address(address);
        }
    }

    /// A co-located identity with `id` starts on the host of `first` and joins through it.
    pub(super) fn spawn_colocated(&mut self, first: Node, id: Key) {
        let NodeMeta {
            site, slot, sybil, ..
        } = self.state.node_meta[first.index()];
        let node = self.add(id, (site, slot), P::new(&self.state.shared, &id));
        self.state.node_meta[node.index()].sybil = sybil;
        if let Some(address) = self.state.ids.address(first) {
            self.state.ids.set_address(address);
        }
        self.population
            .colocated
            .entry(first)
            .or_default()
            .push(node);
        self.state.applications[node.index()].on_colocated(first);
        self.signal(Signal::Started(node));
        self.with_node(node, |state, context| state.join(context, Some(first)));
    }

    /// `node`, whose join was not answered or which has lost its position, begins to join again.
    pub(super) fn join_again(&mut self, node: Node) {
        self.signal(Signal::Rejoins(node));
        // The node may draw itself; then it tries again after the time-out.
        let bootstrap = self.bootstrap();
        self.with_node(node, |state, context| state.join(context, bootstrap));
    }

    /// `node` has joined: it is a member from now on.
    pub(super) fn on_joined(&mut self, node: Node) {
        let meta = &mut self.state.node_meta[node.index()];
        if meta.alive && !std::mem::replace(&mut meta.member, true) {
            let id = self.state.ids.id(node);
            self.state.member_index.insert(id, node);
            if let Some(sybils) = &mut self.state.sybils {
                sybils.enter(id, node, meta.sybil);
            }
            let state = &self.state.nodes[node.index()];
            self.state.index.enter(&self.state.shared, node, state);
            self.membership_changed();
            self.signal(Signal::Joined(node));
            self.upcall(node, |application, context| application.start(context));
        }
    }

    /// From `start` on every member contacts a random member each `period` on average, as if both
    /// were named by a bootstrap service, so that parts of a divided network find each other.
    pub fn plan_meetings(&mut self, start: Instant, period: Duration) {
        self.population.meetings = Some(period);
        self.queue.schedule(start, Event::Meeting);
    }

    /// One member contacts another one; the next contact is scheduled.
    pub(super) fn meet(&mut self) {
        let Some(period) = self.population.meetings else {
            return;
        };
        let members = self.state.member_index.nodes();
        let count = members.len();
        if count > 1 {
            let stream = &mut self.population.meetings_stream;
            let first = stream.index(count);
            let second = (first + 1 + stream.index(count - 1)) % count;
            let (node, member) = (members[first], members[second]);
            self.with_node(node, |state, context| state.on_introduced(context, member));
        }
        let gap = period.as_nanos() / count.max(1) as u64;
        let next = self.state.now + Duration::from_nanos(gap.max(1));
        self.queue.schedule(next, Event::Meeting);
    }

    /// A random member.
    fn bootstrap(&mut self) -> Option<Node> {
        let members = self.state.member_index.nodes();
        (!members.is_empty()).then(|| members[self.population.bootstraps.index(members.len())])
    }
}
