//! Clients: nodes that do not join, and look up keys through members.

use super::Network;
use super::observer::Signal;
use super::routed_message::Payload;
use crate::engine::{Seed, Stream};
use crate::overlay::{Application, GroundTruth, Node};
use crate::space::Key;
use crate::underlay::Host;

/// The clients that are online.
pub(super) struct Clients {
    nodes: Vec<Node>,
    /// Draws the member through which a client looks up a key.
    members: Stream,
}

impl Clients {
    pub(super) fn new(seed: Seed) -> Self {
        Self {
            nodes: Vec::new(),
            members: seed.stream("clients", 0),
        }
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

impl<P: GroundTruth, A: Application> Network<P, A> {
    /// Whether the node of a site is a client.
    pub fn is_client_site(&self, site: u32) -> bool {
        self.is_client_host(self.wire.distances.host(self.wire.distances.slot(site)))
    }

    fn is_client_host(&self, host: Host) -> bool {
        self.transport()
            .is_some_and(|transport| transport.is_client(host))
    }

    /// A client with `id` comes online on `site`. Its ID has no effect.
    pub fn add_client(&mut self, id: Key, site: u32) {
        let node = self.register(id, site, P::new(&self.state.shared, &id));
        self.signal(Signal::Started(node));
        self.enter_client(node);
    }

    /// If `node`, which has started, is a client, it is online from now on.
    pub(super) fn enter_if_client(&mut self, node: Node) -> bool {
        let is_client = self.is_client_host(self.endpoint(node).1);
        if is_client {
            self.enter_client(node);
        }
        is_client
    }

    fn enter_client(&mut self, node: Node) {
        self.population.clients.nodes.push(node);
        self.membership_changed();
    }

    /// `node` has stopped.
    pub(super) fn remove_client(&mut self, node: Node) {
        if let Some(place) = self
            .population
            .clients
            .nodes
            .iter()
            .position(|client| *client == node)
        {
            self.population.clients.nodes.swap_remove(place);
            self.membership_changed();
        }
    }

    /// A client looks up `key` through a random member; false if there is none.
    pub(super) fn look_up_as_client(&mut self, client: Node, key: Key) -> bool {
        let members = self.state.member_index.nodes();
        let count = members.len();
        if count == 0 {
            return false;
        }
        let member = members[self.population.clients.members.index(count)];
        self.route(client, Some(member), key, Payload::Lookup);
        true
    }
}
